"""GET requests to strangers' servers: bounded in time and size, paced for each host, as robots.txt lets, none inward.

The host's name is resolved once, the address found is checked, and the connection goes to that address, so that a name
which means another address a moment later (DNS rebinding) changes nothing. Proxies of the environment are not used.
"""

import ipaddress
import json
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from protego import Protego
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import HTTPResponse

from vernissage.catalog.fetching import FetchOptions, NotFetchedError

LARGEST = 20 * 2**20
"""Bytes of an answer."""
MOST_SECONDS = 60.0
"""From the connection to the last byte of an answer, however fast it comes."""
MOST_REDIRECTS = 5
LONGEST_WAIT = 60.0
"""Seconds that a server may ask to wait, by Retry-After or Crawl-delay."""

_SILENCE = 15.0
_TRIES = 3
_BACK_OFF = 1.0  # seconds before the second try, twice as many before the third
_FAILURES = 5
_ADDRESSES = 4  # of one name: a name server of a stranger's may give hundreds, each waited for
_DEEPEST = 8
_USUAL_WAIT = 5.0
_USUAL_RATE = 2.0
_AGENT = "Vernissage"
_SAFE = "/%:@!$&'()*+,;=~-._"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_IN_TROUBLE = frozenset({500, 502, 504})

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers by their names in small letters, and the body of an answer of status 200."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for, and how hard.

    Attributes:
        accept: media types, as the header says them.
        packed: whether it may come as gzip; `largest` holds for what that unpacks to.
        patient: whether a server in trouble (HTTP 500, 502, 504, a connection that breaks) is asked again.
        largest: bytes.
        tag, date: the ETag and the time of the last change of what is there already; a reply may then be `unchanged`.
        agent: a header that says who asks as User-Agent does, which some servers wish; empty for none.
    """

    accept: str = "image/*, */*;q=0.1"
    packed: bool = False
    patient: bool = False
    largest: int = LARGEST
    tag: str = ""
    date: str = ""
    agent: str = ""

    def headers(self) -> dict[str, str]:
        known = {"If-None-Match": self.tag, "If-Modified-Since": self.date}
        asked = {"Accept": self.accept, "Accept-Encoding": "gzip" if self.packed else "identity"}
        return asked | {name: value for name, value in known.items() if value}


PICTURE = Wanted()
_ROBOTS = Wanted("text/plain, */*;q=0.1", largest=512_000)  # bytes, as RFC 9309 says that must be read at least


@dataclass(frozen=True)
class Reply:
    """A body, the address that it came from after all redirects, and its headers by their names in small letters.

    An ``unchanged`` one has no body: what was there already is still what the server has.
    """

    address: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    unchanged: bool = False


@dataclass
class _Host:
    """What is known of a host in this run; ``refused`` is why it is asked no more."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    interval: float = 0.0
    delay: float = 0.0
    failures: int = 0
    refused: str = ""
    robots: dict[str, Protego | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Target:
    """An address, understood: everything that a request needs."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{name}" + ("" if usual else f":{self.port}")


class WebClient:
    """Asks servers for what lies at addresses; several threads may use it, and `stop` ends what all of them do."""

    def __init__(self, options: FetchOptions) -> None:
        self._options = options
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._open: set[Callable[[], None]] = set()
        contact = " ".join(options.contact.encode("ascii", "ignore").decode().split())
        self._agent = f"{_AGENT}/{version('vernissage')}" + (f" ({contact})" if contact else "")
        self._tls = ssl.create_default_context()

    def stop(self) -> None:
        """Cut all connections; every call ends with an error soon."""
        self._stopped.set()
        with self._lock:
            for cut in self._open:
                cut()

    def get(self, address: str, wanted: Wanted = PICTURE) -> Reply:
        """What lies at an address, after redirects, each of which is checked and paced like the first request.

        Raises:
            NotFetchedError: the address or a redirect may not be asked, or gives nothing within the bounds.
        """
        for _ in range(MOST_REDIRECTS + 1):
            target = _target(address)
            host = self._host(target.host)
            if not self._allowed(target, host):
                raise NotFetchedError(f"the robots.txt of {target.host} does not let it be fetched", lasting=True)
            status, headers, body = self._patiently(target, host, wanted)
            if status not in _MOVED:
                if not (unchanged := status == 304 and bool(wanted.tag or wanted.date)):
                    _require_ok(status)
                return Reply(address, body, headers, unchanged)
            address = urljoin(address, headers.get("location", ""))
        raise NotFetchedError(f"it leads from address to address, more than {MOST_REDIRECTS} times", lasting=True)

    def _host(self, name: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(name, _Host(interval=1 / (self._options.rate or _USUAL_RATE)))

    def _allowed(self, target: _Target, host: _Host) -> bool:
        """Whether robots.txt lets the path be fetched; read once for each origin, while others wait for it."""
        with host.lock:
            if target.origin not in host.robots:
                host.robots[target.origin] = self._robots(target, host)
            rules = host.robots[target.origin]
        return rules is None or bool(rules.can_fetch(target.origin + target.path, _AGENT))

    def _robots(self, target: _Target, host: _Host) -> Protego | None:
        """The rules of an origin; None where it has none. As RFC 9309 says: a server in trouble allows nothing."""
        address = f"{target.origin}/robots.txt"
        for _ in range(MOST_REDIRECTS + 1):
            status, headers, body = self._patiently(_target(address), host, _ROBOTS)
            if status in _MOVED:
                address = urljoin(address, headers.get("location", ""))
                continue
            if status >= 500:
                host.refused = f"{target.host} does not give its robots.txt (HTTP {status})"
                raise NotFetchedError(host.refused)
            if status != 200:
                return None
            rules = Protego.parse(body.decode("utf-8", "replace"))
            host.delay = min(rules.crawl_delay(_AGENT) or 0.0, LONGEST_WAIT)
            return rules
        return None

    def _patiently(self, target: _Target, host: _Host, wanted: Wanted) -> _Answer:
        """Status, headers and body of one address; a server that asks to wait is waited for and asked again."""
        for tried in range(1, _TRIES + 1):
            self._pace(host)
            wait = _BACK_OFF * 2 ** (tried - 1)
            try:
                status, headers, body = self._once(target, host, wanted)
            except (OSError, HTTPError) as error:
                host.failures += 1
                if host.failures >= _FAILURES:
                    host.refused = f"{target.host} did not answer {_FAILURES} times"
                if not wanted.patient or isinstance(error, socket.gaierror | ssl.SSLError) or tried == _TRIES:
                    raise NotFetchedError(_in_words(target.host, error)) from error
            else:
                host.failures = 0
                if status in _BUSY:
                    wait = _retry_after(headers.get("retry-after", ""))
                elif not (wanted.patient and status in _IN_TROUBLE and tried < _TRIES):
                    return status, headers, body
            if wait > LONGEST_WAIT:
                host.refused = f"{target.host} asks to come back in {wait:.0f} seconds (HTTP {status})"
                raise NotFetchedError(host.refused)
            host.next_at = max(host.next_at, time.monotonic() + wait)
        raise NotFetchedError(f"{target.host} is busy (HTTP {status}, {_TRIES} times)")

    def _pace(self, host: _Host) -> None:
        """Wait for this host's next turn; not for one that is asked no more."""
        with self._lock:
            at = 0.0 if host.refused else max(host.next_at, time.monotonic())
            host.next_at = max(host.next_at, at + max(host.interval, host.delay))
        if self._stopped.wait(max(0.0, at - time.monotonic())):
            raise NotFetchedError("it was interrupted")
        if host.refused:
            raise NotFetchedError(host.refused)

    def _once(self, target: _Target, host: _Host, wanted: Wanted) -> _Answer:
        """Ask the first address of the host that may be asked and can be connected to."""
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        public = [each for each in addresses if self._options.private_hosts or is_public(each)]
        if not public:
            where = "" if addresses[0] == target.host else f"{addresses[0]}, "
            where += "on a private network or this machine (--allow-private-hosts lets it be asked)"
            raise NotFetchedError(f"{target.host} is {where}", forbidden=True)
        if self._options.rate is None and not any(map(is_public, public)):
            host.interval = 0.0  # a server of one's own, which was allowed by name; it may still ask for a delay
        for address in public[:_ADDRESSES]:
            try:
                return self._answer(self._connection(target, address), target, wanted)
            except (NewConnectionError, ConnectTimeoutError) as error:
                unreached: Exception = error
        raise unreached

    def _connection(self, target: _Target, address: str) -> HTTPConnection:
        if target.scheme == "http":
            return HTTPConnection(address, target.port, timeout=_SILENCE)
        named: dict[str, Any] = {"server_hostname": target.host, "assert_hostname": target.host}
        return HTTPSConnection(address, target.port, timeout=_SILENCE, ssl_context=self._tls, **named)

    def _answer(self, connection: HTTPConnection, target: _Target, wanted: Wanted) -> _Answer:
        over = threading.Event()
        connected: list[Any] = []

        def cut() -> None:
            # Once a connection is answered, it no longer says which its socket is.
            for each in (*connected, connection.sock):
                with suppress(OSError):  # where it has ended already
                    if each is not None:
                        each.shutdown(socket.SHUT_RDWR)

        def end() -> None:
            over.set()
            cut()

        # A server that sends a byte now and then would outlast any limit of silence.
        timer = threading.Timer(MOST_SECONDS, end)
        timer.daemon = True
        with self._lock:
            self._open.add(cut)
        timer.start()
        fault: Exception | None = None
        response: HTTPResponse | None = None
        try:
            headers = {"Host": target.origin.partition("://")[2], "User-Agent": self._agent, "Connection": "close"}
            headers |= wanted.headers() | ({wanted.agent: self._agent} if wanted.agent else {})
            connection.connect()
            connected.append(connection.sock)
            connection.request("GET", target.path, headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.headers.items()}
            answer = response.status, told, _body(response, told, wanted) if response.status == 200 else b""
        except (HTTPError, HTTPException, OSError, ValueError, AttributeError) as error:
            fault = error  # the last two are what cut connections and odd answers raise
        finally:
            timer.cancel()
            with self._lock:
                self._open.discard(cut)
            if response is not None:
                response.close()
            connection.close()
        if self._stopped.is_set():
            raise NotFetchedError("it was interrupted")
        if over.is_set():
            raise NotFetchedError(f"{target.host} takes longer than {MOST_SECONDS:.0f} seconds")
        if fault is not None:
            raise fault if isinstance(fault, OSError | HTTPError) else OSError(str(fault)) from fault
        return answer


def is_public(address: str) -> bool:
    """Whether an IP address, and the IPv4 address that it may hold, is one of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner: _Address | None = None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        teredo = ip.teredo
        inner = ip.sixtofour or (teredo[1] if teredo else None)
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and (inner is None or is_public(str(inner)))


def _target(address: str) -> _Target:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        if parts.scheme not in ("http", "https"):
            raise NotFetchedError(f"it is no web address but begins with {parts.scheme or 'no scheme'}:", lasting=True)
        if ":" in host:
            host = str(ipaddress.IPv6Address(host))
        else:
            host = host.encode("idna").decode().lower()
            if not _HOST.fullmatch(host):
                raise ValueError(host)
    except ValueError:  # UnicodeError is one
        raise NotFetchedError("its address is not written as one of the web", lasting=True) from None
    path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else "")
    return _Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def _body(response: HTTPResponse, headers: Mapping[str, str], wanted: Wanted) -> bytes:
    coding = headers.get("content-encoding", "").lower().strip() or "identity"
    unpack = zlib.decompressobj(wbits=31) if wanted.packed and coding in ("gzip", "x-gzip") else None
    if unpack is None and coding != "identity":
        raise NotFetchedError(f"its server packs it ({coding[:20]}) though asked not to", lasting=True)
    size = headers.get("content-length", "")
    too_large = NotFetchedError(f"it has more than {wanted.largest // 2**20} MiB", lasting=True)
    if size.isdecimal() and int(size) > wanted.largest:
        raise too_large
    parts, held = [], 0
    while part := response.read1(65_536):
        if unpack is not None:
            try:
                part = unpack.decompress(part, wanted.largest + 1 - held)
            except zlib.error as error:
                raise OSError(f"its gzip is damaged: {error}") from error
        parts.append(part)
        held += len(part)
        if held > wanted.largest:
            raise too_large
    if unpack is not None and not unpack.eof:
        raise OSError("its gzip breaks off")
    return b"".join(parts)


def _require_ok(status: int) -> None:
    if status != 200:
        lasting = 400 <= status < 500 and status not in (408, 425, 429)
        words = {401: "asks for a password", 403: "forbids it", 404: "does not have it", 410: "has it no more"}
        raise NotFetchedError(f"its server {words.get(status, 'does not give it')} (HTTP {status})", lasting=lasting)


def _retry_after(value: str) -> float:
    """Seconds to wait, from seconds or a date; the usual wait where it is neither."""
    try:
        return max(0.0, float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return _USUAL_WAIT


def _in_words(host: str, error: Exception) -> str:
    cause: BaseException | None = error
    for _ in range(_DEEPEST):  # libraries chain errors in circles
        if isinstance(cause, socket.gaierror):
            return f"there is no host {host}"
        if isinstance(cause, ssl.SSLError):
            return f"{host} does not prove who it is ({getattr(cause, 'verify_message', '') or cause.reason})"
        if isinstance(cause, TimeoutError):
            return f"{host} is silent"
        if isinstance(cause, OSError) and cause.strerror:
            return f"{host} cannot be reached or breaks off ({cause.strerror})"
        cause = cause and (cause.__cause__ or cause.__context__)
    return f"{host} cannot be reached or breaks off ({' '.join(str(error).split())[:80]})"


def iiif_picture(reply: Reply) -> str:
    """The address of a picture of about 1,024 pixels where a reply describes a IIIF image; else nothing."""
    try:
        told = json.loads(reply.body) if reply.body.lstrip()[:1] == b"{" else None
        if not isinstance(told, dict) or "iiif.io/api/image" not in str(told.get("protocol") or told.get("@context")):
            return ""
        sizes = [(int(size["width"]), int(size["height"])) for size in told.get("sizes") or ()]
        whole = int(told["width"]), int(told["height"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    # Servers of the lowest level give listed sizes alone; the others any width.
    fitting = [size for size in sizes if max(size) <= 2048]
    width, height = max(fitting or [(min(1024, whole[0]), 0)])
    third = "image/3" in str(told.get("@context"))
    size = f"{width},{height}" if third and height else f"{width},"
    return f"{reply.address.removesuffix('/info.json').rstrip('/')}/full/{size}/0/default.jpg"
