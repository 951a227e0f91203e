"""Signed cookies and the tokens of forms: who asks, without the server remembering anybody."""

import hashlib
import hmac
import secrets
from dataclasses import astuple, dataclass
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

from vernissage.storage.study_participants import Flag

LONGEST_ID = 200
"""Characters of an id in the address; the recruitment services' have 24."""

_VISITOR_DAYS = 30
_EXPERIMENTER_HOURS = 8


@dataclass(frozen=True)
class Visitor:
    """A participant, or somebody invited who has not consented yet, of whom nothing is stored but this.

    Attributes:
        external_id: from the recruitment service, or drawn at random.
        recruitment_study: the study's id at the recruitment service, if any; likewise ``recruitment_session``.
    """

    flag: Flag
    external_id: str
    recruitment_study: str = ""
    recruitment_session: str = ""

    @property
    def anonymous(self) -> bool:
        """Whether the id was drawn here."""
        return self.external_id.startswith(_ANONYMOUS)


_ANONYMOUS = "anonymous-"


class Sessions:
    """Reads and writes the two cookies, one of visitors and one of the experimenter, signed with the secret."""

    def __init__(self, secret: bytes, study: str, password: str | None) -> None:
        """``password`` is the hash of the experimenter's: another one ends every session that began before."""
        self._secret = hashlib.sha256(secret + study.encode()).digest()
        self._visitors = URLSafeSerializer(self._secret, salt="visitor")
        self._previews = URLSafeSerializer(self._secret, salt="preview")
        self._experimenters = URLSafeTimedSerializer(self._secret, salt=f"experimenter {password}")

    # Visitors

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks, as their cookie says; None without one, or with one that this server did not sign."""
        fields = _loaded(self._visitors, request.cookies.get(_name("study", request)))
        return Visitor(*fields) if isinstance(fields, list) else None

    def remember(self, visitor: Visitor, request: Request, response: Response) -> None:
        """Give the browser the visitor's cookie."""
        value = self._visitors.dumps(astuple(visitor))
        _set(response, request, "study", value, max_age=_VISITOR_DAYS * 86_400, samesite="lax")

    def form_token(self, visitor: Visitor) -> str:
        """What stands in every form of this visitor's, and in nobody else's."""
        return self._code("form", visitor.flag, visitor.external_id)

    def is_form_token(self, visitor: Visitor, token: str) -> bool:
        """Whether a form carries the visitor's token, told in a time that does not depend on it."""
        return hmac.compare_digest(self.form_token(visitor).encode(), token.encode())

    def preview_code(self) -> str:
        """The code in the link that begins a preview."""
        return str(self._previews.dumps("preview"))

    def is_preview_code(self, code: str) -> bool:
        """Whether `preview_code` made it."""
        return bool(_loaded(self._previews, code) == "preview")

    # The experimenter

    def experimenter(self, request: Request) -> str | None:
        """The name of the experimenter's session; None without one, eight hours after it began, or if forged."""
        cookie = request.cookies.get(_name("experimenter", request))
        try:
            value = self._experimenters.loads(cookie or "", max_age=_EXPERIMENTER_HOURS * 3600)
        except BadData:
            return None
        return str(value)

    def let_in(self, request: Request, response: Response) -> None:
        """Begin a session of the experimenter's."""
        value = self._experimenters.dumps(secrets.token_urlsafe(16))
        _set(response, request, "experimenter", value, max_age=_EXPERIMENTER_HOURS * 3600, samesite="strict")

    def let_out(self, request: Request, response: Response) -> None:
        """Take the experimenter's cookie away."""
        _set(response, request, "experimenter", "", max_age=0, samesite="strict")

    def experimenter_token(self, session: str) -> str:
        """What stands in every form of this session of the experimenter's."""
        return self._code("experimenter", session)

    def is_experimenter_token(self, session: str, token: str) -> bool:
        """Whether a form carries the session's token, told in a time that does not depend on it."""
        return hmac.compare_digest(self.experimenter_token(session).encode(), token.encode())

    def _code(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def random_id() -> str:
    """An id for somebody who was invited without one."""
    return f"{_ANONYMOUS}{secrets.token_hex(8)}"


def _loaded(serializer: URLSafeSerializer, value: str | None) -> Any:
    try:
        return serializer.loads(value or "")
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
