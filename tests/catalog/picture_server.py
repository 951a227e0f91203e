"""A small server of pictures on this machine, with the faults that servers have."""

import gzip
import hashlib
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image


def png(colour: str = "navy", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture of one colour."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "PNG")
    return written.getvalue()


_LOCATIONS = {
    "inward": "http://169.254.1.1/secret.png",
    "to-file": "file:///etc/passwd",
    "moved": "/a.png",
}
_BODIES: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "html": (lambda: b"<!doctype html><title>Log in</title>", {}),
    "large": (lambda: b"\x89PNG" + bytes(30 * 2**20), {}),
    "large-untold": (lambda: b"\x89PNG" + bytes(30 * 2**20), {}),
    "packed": (lambda: gzip.compress(bytes(10**7)), {"Content-Encoding": "gzip"}),
    "cut": (lambda: png()[:50], {"Content-Length": "5000"}),
}
_INFO = (
    b'{"@context": "http://iiif.io/api/image/3/context.json", "protocol": "http://iiif.io/api/image", '
    b'"width": 4000, "height": 3000, "sizes": [{"width": 1000, "height": 750}]}'
)


class QuietServer(ThreadingHTTPServer):
    """On a free port of this machine."""

    daemon_threads = True

    def __init__(self, handler: type["QuietHandler"]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave."""


class QuietHandler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class PictureServer(QuietServer):
    """Answers by path, or by path and query; ``asked`` counts the paths, ``addresses`` has them with queries.

    ``headers`` holds those of the last request.
    ``documents`` are given as JSON, with an ETag, and packed where that is asked for; ``faults`` are statuses by paths;
    ``at_once`` is how many requests there were at a time at most, and ``unchanged`` how many were answered by 304.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.asked: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.times: list[float] = []
        self.headers: dict[str, str] = {}
        self.robots = ""
        self.robots_status = 200
        self.documents: dict[str, Any] = {}
        self.faults: dict[str, int] = {}
        self.slow = 0.0
        self.at_once = self.unchanged = self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """One more request, while the block runs."""
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


class _Handler(QuietHandler):
    server: PictureServer

    def do_GET(self) -> None:
        with self.server.answering():
            self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked[path] += 1
        self.server.addresses.append(self.path)
        self.server.headers = dict(self.headers)
        if path == "/robots.txt":
            self._send(self.server.robots.encode(), self.server.robots_status)
            return
        self.server.times.append(time.monotonic())
        if path in self.server.faults:
            self._send(b"", self.server.faults[path])
            return
        if (named := self.path if self.path in self.server.documents else path) in self.server.documents:
            self._document(self.server.documents[named])
            return
        kind = path.strip("/").split("/")[0]
        if kind == "drip":
            self._drip()
        elif kind in ("429", "503"):
            first = self.server.asked[path] == 1 or "soon" not in path
            wait = "1" if "soon" in path else "7200"
            self._send(b"busy" if first else png(), int(kind) if first else 200, {"Retry-After": wait})
        elif kind == "endless":
            self._send(b"", 302, {"Location": f"/endless/{self.server.asked.total()}"})
        elif kind == "iiif":
            described = path.endswith("/info.json") or path.count("/") == 2
            self._send(_INFO if described else png("teal"))
        elif kind in _LOCATIONS:
            self._send(b"", 302, {"Location": _LOCATIONS[kind]})
        elif kind in _BODIES:
            body, headers = _BODIES[kind]
            self._send(body(), 200, headers, length=kind not in ("large-untold", "cut"))
        else:
            self._send(png(), int(kind) if kind.isdecimal() and len(kind) == 3 else 200)

    def _document(self, content: Any) -> None:
        time.sleep(self.server.slow)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == tag:
            self.server.unchanged += 1
            self._send(b"", 304)
        elif self.headers.get("Accept-Encoding") == "gzip":
            self._send(gzip.compress(body), headers={"ETag": tag, "Content-Encoding": "gzip"})
        else:
            self._send(body, headers={"ETag": tag})

    def _send(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, *, length: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(300):
            self.wfile.write(b"\x89")
            self.wfile.flush()
            time.sleep(0.1)


@contextmanager
def serving() -> Iterator[PictureServer]:
    """The server, while the block runs."""
    server = PictureServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
