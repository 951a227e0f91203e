"""One study as this process serves it: who asks, by signed cookies and tokens of forms, and how often they may."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeSerializer

from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.study.participation import Study, Visitor, is_placeholder
from vernissage.taggers.contract import Seen
from vernissage.web.credentials import (
    StoredSessions,
    hash_password,
    load_or_make_secret,
    read_password,
    stored_password,
)
from vernissage.web.security import RateLimit, truncated_address
from vernissage.web.templating import Templates
from vernissage.web.works import Pictures

ID, INVITATION = "PROLIFIC_PID", "invitation"
"""Where the address has a participant's id, and the code that signs it."""

LONGEST_ID = 200
"""Characters of an id in the address; the recruitment services' have 24."""

_VISITOR_DAYS = 30
_EXPERIMENTER_HOURS = 8
_PREVIEW_DAYS = 7
_BROWSER_DAYS = 365
_ANONYMOUS = "anonymous-"


class Sessions:
    """Reads and writes the cookies of visitors and of the experimenter, signed with the secret.

    The experimenter's session is kept on the server too, so that it ends there.
    """

    def __init__(
        self,
        secret: bytes,
        study: str,
        password: str | None,
        folder: Path = Path(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``password`` is the hash of the experimenter's: another one ends every session that began before.

        ``folder`` keeps the experimenter's sessions; ``clock`` is the time of day in seconds.
        """
        self._secret = hashlib.sha256(secret + study.encode()).digest()
        self._visitors = URLSafeSerializer(self._secret, salt="visitor")
        self._previews = URLSafeSerializer(self._secret, salt="preview")
        self._browsers = URLSafeSerializer(self._secret, salt=f"browser {password}")
        self._clock = clock
        key = self._secret + f"experimenter {password}".encode()
        self._experimenters = StoredSessions(folder, key, _EXPERIMENTER_HOURS * 3600, clock)

    # Visitors

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks, as their cookie says; None without one that this server signed, or where it names nobody."""
        fields = _loaded(self._visitors, request, "study")
        visitor = Visitor(*fields) if isinstance(fields, list) else None
        return None if visitor is None or is_placeholder(visitor.external_id) else visitor

    def remember(self, visitor: Visitor, request: Request, response: Response) -> None:
        """Give the browser the visitor's cookie."""
        value = self._visitors.dumps(astuple(visitor))
        _set(response, request, "study", value, max_age=_VISITOR_DAYS * 86_400, samesite="lax")

    def invitation_code(self, external_id: str) -> str:
        """What makes a link with that id a signed invitation."""
        return hmac.new(self._secret, f"invitation\0{external_id}".encode(), hashlib.sha256).hexdigest()[:32]

    def is_invited(self, request: Request) -> bool:
        """Whether the address is a signed invitation."""
        expected = self.invitation_code(request.query_params.get(ID, "").strip())
        return hmac.compare_digest(expected.encode(), request.query_params.get(INVITATION, "").encode())

    def preview_code(self) -> str:
        """The code in the link that begins a preview, which works for a week."""
        return str(self._previews.dumps(self._clock() + _PREVIEW_DAYS * 86_400))

    def is_preview_code(self, code: str) -> bool:
        """Whether `preview_code` made it, no more than a week ago."""
        try:
            return bool(self._clock() < self._previews.loads(code))
        except (BadData, TypeError):
            return False

    # The experimenter

    def experimenter(self, request: Request) -> str | None:
        """The token of the experimenter's session; None without one, or where it has ended: after eight hours."""
        token = request.cookies.get(_name("experimenter", request), "")
        return token if token and self._experimenters.lasts(token) else None

    def let_in(self, request: Request, response: Response) -> None:
        """Begin a session of the experimenter's, and know the browser from now on."""
        token = self._experimenters.begin()
        _set(response, request, "experimenter", token, max_age=_EXPERIMENTER_HOURS * 3600, samesite="strict")
        browser = self._browsers.dumps(self.known_browser(request) or secrets.token_urlsafe(16))
        _set(response, request, "browser", browser, max_age=_BROWSER_DAYS * 86_400, samesite="strict")

    def let_out(self, session: str, request: Request, response: Response) -> None:
        """End the session, and take its cookie away."""
        self._experimenters.end(session)
        _set(response, request, "experimenter", "", max_age=0, samesite="strict")

    def known_browser(self, request: Request) -> str | None:
        """The name of a browser from which the experimenter has logged in before; None of any other."""
        name = _loaded(self._browsers, request, "browser")
        return name if isinstance(name, str) else None

    def begin_login(self, request: Request, response: Response, visit: str) -> None:
        """Give the browser what the token of the log-in form, ``token(f"login {visit}")``, is compared with."""
        _set(response, request, "login", visit, max_age=86_400, samesite="strict")

    def is_login(self, request: Request, token: str) -> bool:
        """Whether a log-in form was shown to the browser that sends it."""
        visit = request.cookies.get(_name("login", request), "")
        return bool(visit) and self.is_token(f"login {visit}", token)

    # Tokens of forms

    def token(self, owner: Visitor | str) -> str:
        """What every form of a visitor's, or of the experimenter's session of that name, carries against forgery."""
        parts = ("form", owner.flag, owner.external_id) if isinstance(owner, Visitor) else ("experimenter", owner)
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def is_token(self, owner: Visitor | str, token: str) -> bool:
        """Whether a form carries its owner's token, compared in constant time."""
        return hmac.compare_digest(self.token(owner).encode(), token.encode())


class Limits:
    """How often one visitor, or all without a cookie in one network, may ask and try passwords.

    No person meets these limits. Networks are told apart by a salted hash of their address, kept in memory alone.
    ``clock`` is in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._salt = secrets.token_bytes(32)
        self.visitors = RateLimit(at_once=60, each_second=4, clock=clock)
        self.strangers = RateLimit(at_once=200, each_second=20, clock=clock)
        self.pictures = RateLimit(at_once=400, each_second=40, clock=clock)
        self.logins = RateLimit(at_once=8, each_second=0.2, clock=clock)

    def network(self, address: str) -> str:
        """The network of an address by a name that tells nothing of it and changes with every start of the server."""
        return hmac.new(self._salt, truncated_address(address).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class ServedStudy:
    """What all pages of a study share.

    Attributes:
        password: the hash of the experimenter's; None where none was set.
        invited: the ids that may take part; None for any.
        signed: whether only signed invitations may begin.
    """

    study: Study
    collection: Collection
    pictures: Pictures
    sessions: Sessions
    password: str | None
    limits: Limits = field(default_factory=Limits)
    invited: frozenset[str] | None = None
    signed: bool = False
    templates: Templates = field(default_factory=Templates)

    @property
    def is_open(self) -> bool:
        """Whether anybody may begin."""
        return self.invited is None and not self.signed

    def admits(self, request: Request, external_id: str) -> bool:
        """Whether who comes with that id may take part; a code that signs another id never does."""
        signed = self.sessions.is_invited(request)
        if INVITATION in request.query_params and not signed:
            return False
        return (self.invited is None or external_id in self.invited) and (signed or not self.signed)

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks for a page, counted against their allowance. Raises TooManyRequestsError: they ask too often."""
        visitor = self.sessions.visitor(request)
        if visitor is not None:
            self.limits.visitors.require(visitor.external_id)
        elif self.sessions.is_invited(request):
            self.limits.visitors.require(request.query_params[ID].strip())
        else:
            self.limits.strangers.require(self.network(request))
        return visitor

    def count_picture(self, request: Request) -> None:
        """Count a picture against the allowance of whoever asks for it.

        Raises:
            TooManyRequestsError: they ask too often.
        """
        visitor = self.sessions.visitor(request)
        self.limits.pictures.require(self.network(request) if visitor is None else visitor.external_id)

    def network(self, request: Request) -> str:
        """From which network a request comes, as `Limits.network` names it."""
        return self.limits.network(request.client.host if request.client else "")


def serve_study(
    study: Study,
    collection: Collection,
    folder: Path,
    password_file: Path | None = None,
    seen: Seen = lambda _: {},
    **how: Any,
) -> ServedStudy:
    """What pages need, with the secret of ``folder``, the workspace, and the password of the file or of the folder.

    ``seen`` tells what pictures seem to show, ``how`` is more of `ServedStudy`.

    Raises:
        WorkspaceError: secret or password cannot be read, or the secret not be written.
        RequestError: the file holds no password, or one that is too short.
    """
    secret = load_or_make_secret(folder)
    password = stored_password(folder) if password_file is None else hash_password(read_password(password_file))
    sessions = Sessions(secret, study.definition.id, password, folder)
    pictures = Pictures(collection, secret, seen=seen)
    return ServedStudy(study, collection, pictures, sessions, password, **how)


def read_invited(path: Path) -> frozenset[str]:
    """The ids of a file, one a line. Raises RequestError: it holds none, a placeholder, or no text."""
    try:
        ids = frozenset(line.strip() for line in path.read_text("utf-8-sig").splitlines()) - {""}
    except UnicodeDecodeError:
        ids = frozenset()
    if not ids or any(map(is_placeholder, ids)):
        raise RequestError(f"{path} is no list of participants' ids; write one a line, as UTF-8")
    return ids


def random_id() -> str:
    """An id for somebody who was invited without one."""
    return f"{_ANONYMOUS}{secrets.token_hex(8)}"


def is_anonymous(visitor: Visitor) -> bool:
    """Whether their id was drawn here."""
    return visitor.external_id.startswith(_ANONYMOUS)


def see_other(address: str) -> RedirectResponse:
    """An answer to a form, or to a page that is not the current one: go there."""
    return RedirectResponse(address, status_code=303)


def _loaded(serializer: Any, request: Request, name: str) -> Any:
    """What a cookie of that name says; None without one, or with one that is forged."""
    try:
        return serializer.loads(request.cookies.get(_name(name, request), ""))
    except BadData:
        return None


def _name(name: str, request: Request) -> str:
    """Over TLS the prefix makes browsers refuse the cookie from anywhere but this very host."""
    return f"__Host-vernissage-{name}" if request.url.scheme == "https" else f"vernissage-{name}"


def _set(response: Response, request: Request, name: str, value: str, *, max_age: int, samesite: Any) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(
        _name(name, request), value, max_age=max_age, path="/", secure=secure, httponly=True, samesite=samesite
    )
