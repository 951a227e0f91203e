"""Protection of all pages: security headers, allowed host names, parsing of small forms, and a rate limiter."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vernissage.errors import VernissageError
from vernissage.sentences import Sentence

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_UNUSED = ("camera", "microphone", "geolocation", "payment", "usb", "accelerometer", "gyroscope")
STUDY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
    }
)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

LARGEST_FORM = 64 * 1024
"""Bytes; several times what the largest form of a study can have."""

_MOST_FIELDS = 200
_FORM_TYPE = "application/x-www-form-urlencoded"

REMEMBERED = 10_000
"""How many askers one limit remembers; the one who asked longest ago is forgotten first."""


class SecurityHeaders:
    """Adds headers to every answer that has none of that name; ``no-store`` too, and over TLS that TLS is to stay."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self._headers = {**headers, "Cache-Control": "no-store"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, send_guarded)


class KnownHosts:
    """Answers only to requests for the names given; anything else is another site that points at this server."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _name(Headers(scope=scope).get("host", "")) not in self.hosts:
            refusal = PlainTextResponse("This server does not answer to that name.\n", 400)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


class FormError(VernissageError):
    """A form that no page of this server sends; ``status`` is the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class InsteadError(Exception):
    """Ends a request with ``answer`` instead of what was asked for."""

    def __init__(self, answer: Response) -> None:
        super().__init__("answered instead")
        self.answer = answer


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a submitted form.

    Raises:
        FormError: it is too large (413), not a form (415), unreadable (400), or comes from another site (403).
    """
    # Browsers say where a request was begun; forms are also signed, so silence is no proof of anything.
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormError(403, Sentence("This form was sent from another site, so nothing was stored."))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise FormError(415, Sentence("What was sent is not a form of this study, so nothing was stored."))
    body = await _small_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise FormError(400, Sentence("The form that was sent cannot be read, so nothing was stored.")) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormError(400, Sentence("The form that was sent answers a question twice, so nothing was stored."))
    return fields


Form = Annotated[Mapping[str, str], Depends(read_form)]


class RateLimit:
    """Counts requests by name; safe to share among threads. Time is the monotonic clock, which nobody can set.

    So many are allowed ``at_once``, and then so many ``each_second`` (a token bucket).
    """

    def __init__(self, at_once: float, each_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._each_second = at_once, each_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> int:
        """Count one request of ``name``: 0 when it is allowed, else in how many seconds one will be."""
        return math.ceil(self._counted(name, 0.0))

    def delay(self, name: str, longest: float) -> float:
        """Count one request of ``name`` and return how many seconds it is to wait for its turn, behind those before.

        Raises:
            TooManyRequestsError: it would wait longer than ``longest``; it is not counted.
        """
        wait = self._counted(name, longest)
        if wait > longest:
            raise TooManyRequestsError(math.ceil(wait - longest))
        return wait

    def _counted(self, name: str, longest: float, number: int = 1) -> float:
        """In how many seconds requests of ``name`` are allowed, which are counted if they may wait that long."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(name, (self._at_once, now))
            left = min(self._at_once, left + (now - since) * self._each_second)
            wait = max(0.0, (number - left) / self._each_second)
            self._left[name] = (left - number * (wait <= longest), now)
            if len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
            return wait

    def require(self, name: str, number: int = 1) -> None:
        """Count requests of ``name``. Raises TooManyRequestsError: it is too many; none of them is counted."""
        if wait := math.ceil(self._counted(name, 0.0, number)):
            raise TooManyRequestsError(wait)


class TooManyRequestsError(VernissageError):
    """Somebody asks faster than any person can; ``wait`` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many requests; wait {wait} seconds")
        self.wait = wait


def truncated_address(address: str) -> str:
    """The network of an IP address, /24 or /48 (IPv6), which is about a household or a school; else nothing."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def _name(host: str) -> str:
    """A host without its port: ``study.example:8080`` is ``study.example``, and ``[::1]:80`` is ``[::1]``."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


async def _small_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    too_large = FormError(413, Sentence("What was sent is too large for a form of this study, so nothing was stored."))
    if announced.isdigit() and int(announced) > LARGEST_FORM:
        raise too_large
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise too_large
    return body
