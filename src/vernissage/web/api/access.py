"""Who may ask for what: keys with scopes, tokens of persons, origins of pages, and how often."""

import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from vernissage import storage
from vernissage.errors import VernissageError
from vernissage.storage.keys import StoredKey, digest_of
from vernissage.values import Scope
from vernissage.web.api.problems import ProblemError
from vernissage.web.api.service import Service
from vernissage.web.security import RateLimit, truncated_address

TOKEN_SECONDS = 900
LONGEST_TOKEN_SECONDS = 86_400

COOKIE = "vernissage_person"
"""In which a browser keeps its person's token, out of reach of scripts."""

_TOKEN = "vt_"  # noqa: S105  (how tokens begin)
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost", "testclient"})
_READ_AGAIN = 2.0
"""Seconds after which keys are read anew, so that a revoked one is refused that soon."""

_KEYS_SECONDS, _UNKNOWN_SECONDS = 0.5, 3.0
"""How long a request waits for keys that are read anew, and one whose key was not among those read before."""


@dataclass(frozen=True)
class Asker:
    """Who asks: by a key, by a person's token, or from this machine without either.

    Attributes:
        scopes: what they may do.
        person: whose things alone they may have; empty for all.
        name: under which requests are counted.
    """

    scopes: frozenset[Scope]
    person: str = ""
    name: str = ""


_EVERYTHING: frozenset[Scope] = frozenset({"read", "events", "people", "write", "admin"})


class Access:
    """Decides on requests; keys are read from the database now and then, and known ones hold on while it is gone.

    With ``open_here`` requests from this machine need no key: they may do everything.
    """

    def __init__(
        self, service: Service, secret: bytes, *, open_here: bool, origins: Sequence[str] = (), each_second: float = 20
    ) -> None:
        self._public_url = service.public_url
        self._service, self._open_here, self._origins = service, open_here, frozenset(origins)
        self._secret = secret
        self._tokens = self.signer("person")
        self._limit = RateLimit(at_once=10 * each_second, each_second=each_second)
        self._keys: Mapping[str, StoredKey] = {}
        self._read, self._reading = -_READ_AGAIN, Future[None]()
        self._reading.set_result(None)
        self._reader, self._lock = ThreadPoolExecutor(1, "keys"), threading.Lock()

    def require(self, *scopes: Scope) -> Callable[[Request], Asker]:
        """A dependency of routes: who asks, if they may by any of the scopes.

        Raises:
            ProblemError: no key, or one that does not hold (401), or has no such scope or is used elsewhere (403).
            TooManyRequestsError: they ask too often.
        """

        def asker(request: Request) -> Asker:
            found = self._asker(request)
            self.count(found.name)
            request.state.asker = found
            if not found.scopes & {"admin", *scopes}:
                held, needed = ", ".join(sorted(found.scopes)), " or ".join(scopes)
                told = f"this key has the scopes {held}, and {needed} is needed here"
                raise ProblemError(HTTPStatus.FORBIDDEN, told)
            if found.person and request.path_params.get("person", found.person) != found.person:
                raise ProblemError(HTTPStatus.FORBIDDEN, "this token is another person's")
            return found

        return asker

    def needs(self, *scopes: Scope) -> Callable[[Request], Awaitable[Asker]]:
        """`require` in the loop of all requests; in a thread where keys may have to be read for it."""
        decide = self.require(*scopes)

        async def asker(request: Request) -> Asker:
            given = given_key(request)
            known = given.startswith(_TOKEN) or not given or digest_of(given) in self._keys
            if known and (not given or time.monotonic() - self._read < _READ_AGAIN):
                return decide(request)
            return await to_thread.run_sync(decide, request)

        return asker

    def count(self, name: str, number: int = 1) -> None:
        """Count requests of an asker of that name. Raises TooManyRequestsError: they ask too often."""
        self._limit.require(name, number)

    async def visit(self, request: Request) -> None:
        """A dependency of pages, which need no key: requests are counted by network.

        Raises:
            TooManyRequestsError: too many come from there.
        """
        self.count(f"pages {truncated_address(request.client.host if request.client else '')}")

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of that site may ask."""
        return origin in self._origins or any(origin in key.origins for key in self._known().values())

    def needs_no_key(self, origin: str) -> bool:
        """Whether pages of that site may read, and tell of events, without a key."""
        return origin in self._origins

    def cookie_path(self, request: Request) -> str:
        """Where a person's cookie is sent: to this collection alone, not to others below prefixes of their own."""
        return urlsplit(self._public_url).path or request.scope.get("root_path") or "/"

    def person_of(self, request: Request) -> str:
        """Whose token a request to a page carries, in a header or a cookie; empty without one that holds."""
        given = given_key(request) or request.cookies.get(COOKIE, "")
        return found.person if given and (found := self._token_of(given)) else ""

    def signer(self, purpose: str) -> URLSafeTimedSerializer:
        """What signs and reads values of one purpose, which hold for no other."""
        return URLSafeTimedSerializer(self._secret, salt=purpose)

    def _asker(self, request: Request) -> Asker:
        given = given_key(request)
        if given.startswith(_TOKEN):
            return self._person(given)
        if given:
            return self._by_key(given, request)
        if (cookie := request.cookies.get(COOKIE, "")) and (holds := self._token_of(cookie)):
            self.require_own_page(request)
            return holds
        host = request.client.host if request.client else ""
        origin = request.headers.get("origin", "")
        if origin and origin in self._origins:
            return Asker(frozenset({"read", "events"}), name=truncated_address(host))
        if self._open_here and host in _LOCAL and not origin:
            return Asker(_EVERYTHING, name="here")
        told = (
            "a key is needed: send it as Authorization: Bearer KEY or X-API-Key; `vernissage admin make-key` makes one"
        )
        raise ProblemError(HTTPStatus.UNAUTHORIZED, told, {"WWW-Authenticate": "Bearer"})

    def require_own_page(self, request: Request) -> None:
        """Browsers send cookies with whatever other sites let them send, so these must not change anything.

        Raises:
            ProblemError: a request that changes something comes from no page of this server (403).
        """
        known = filter(None, (str(request.base_url), self._public_url))
        own = {"{0.scheme}://{0.netloc}".format(urlsplit(each)) for each in known}
        if request.method not in {"GET", "HEAD"} and request.headers.get("origin") not in own:
            told = "with a cookie things are changed from this server's own pages alone; send a token instead"
            raise ProblemError(HTTPStatus.FORBIDDEN, told)

    def _person(self, given: str) -> Asker:
        found = self._token_of(given)
        if found is None:
            told = "this token does not hold any more; let your server mint another one"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, told, _INVALID)
        return found

    def _token_of(self, given: str) -> Asker | None:
        """Whose token it is; None where it does not hold."""
        try:
            person = self._tokens.loads(given.removeprefix(_TOKEN), max_age=LONGEST_TOKEN_SECONDS)
            name, ends = person["person"], float(person["ends"])
        except (BadData, TypeError, KeyError, ValueError):
            name, ends = "", 0.0
        if not name or time.time() > ends:
            return None
        return Asker(frozenset({"read", "events", "people"}), name, f"person {name}")

    def minted(self, person: str, seconds: int = TOKEN_SECONDS) -> str:
        """A token for one person's things, for so many seconds."""
        return _TOKEN + str(self._tokens.dumps({"person": person, "ends": time.time() + seconds}))

    def _by_key(self, given: str, request: Request) -> Asker:
        key = self._known().get(digest_of(given)) or self._known(_UNKNOWN_SECONDS).get(digest_of(given))
        if key is None:
            told = "this key is unknown or was revoked; ask whoever runs the service for another one"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, told, _INVALID)
        origin = request.headers.get("origin", "")
        if key.origins and origin not in key.origins:
            raise ProblemError(HTTPStatus.FORBIDDEN, "this key is for pages of another site")
        return Asker(key.scopes, name=f"key {key.number} ({key.name})")

    def _known(self, seconds: float = 0.0) -> Mapping[str, StoredKey]:
        """The keys that hold, by their digests; while the database is gone, those that were read last."""
        with self._lock:
            begins = self._reading.done() and time.monotonic() - self._read >= _READ_AGAIN
            if begins:
                self._reading = self._reader.submit(self._read_keys)
        # One request waits for keys, and not long: of a database that hangs no reading request may notice more.
        if begins or seconds:
            wait([self._reading], max(seconds, _KEYS_SECONDS))
        return self._keys

    def _read_keys(self) -> None:
        with suppress(VernissageError):
            database = self._service.gallery.repository.existing_database
            if database is not None:
                with database.reading() as connection:
                    found = storage.keys.all_keys(connection)
                self._keys = {each.digest: each for each in found if each.revoked is None}
        self._read = time.monotonic()


def given_key(request: Request) -> str:
    """The key or token that a request carries; empty without one."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return request.headers.get("x-api-key", "") or (bearer.strip() if scheme.lower() == "bearer" else "")


class CrossOrigin(CORSMiddleware):
    """Lets pages of the sites that `Access` knows read answers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        allowed: dict[str, Any] = {
            "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-API-Key"],
            # Pages act for a person by that person's token, which rates, edits areas and removes.
            "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
            "expose_headers": ["ETag", "Location", "Retry-After"],
        }
        super().__init__(app, max_age=600, **allowed)
        self._access = access

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether pages of that site may read answers."""
        return self._access.allows_origin(origin)
