"""A small repository of OAI-PMH on this machine, whose works come, change and go, with the faults that servers have."""

import gzip
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from tests.catalog.picture_server import QuietHandler, QuietServer
from tests.catalog.xml_works import FORMATS, XmlWork

PAGE = 4
_BEGUN = datetime(2030, 1, 1, tzinfo=UTC)
_NAMESPACE = 'xmlns="http://www.openarchives.org/OAI/2.0/"'


@dataclass(frozen=True)
class Answer:
    """What the server sends in place of its own answer."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class Repository(QuietServer):
    """Works by their identifiers with the time of their last change; None in place of works that were deleted.

    ``faults`` gives answers by the number of the request for records, counted from 1; ``asked`` are all requests.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.works: dict[str, tuple[int, XmlWork | None]] = {}
        self.now = 0
        self.deleted_record = "persistent"
        self.days = False
        self.formats = tuple(FORMATS)
        self.asked: list[dict[str, str]] = []
        self.faults: dict[int, Answer] = {}
        self.change: Callable[[str, dict[str, str]], str] = lambda answer, _: answer
        self.tokens: Counter[str] = Counter()

    @property
    def address(self) -> str:
        return f"{self.base}/oai?verb=ListRecords"

    @property
    def pages(self) -> int:
        """How many pages of records were asked for."""
        return sum(each.get("verb") == "ListRecords" for each in self.asked)

    def put(self, *works: XmlWork) -> None:
        """Add works, or change them, an hour after what was there."""
        self.now += 1
        self.works |= {f"oai:museum.example:{work.id}": (self.now, work) for work in works}

    def take_out(self, *ids: str) -> None:
        """Delete works; a repository that does not keep deletions forgets them."""
        self.now += 1
        for name in (f"oai:museum.example:{each}" for each in ids):
            if self.deleted_record == "persistent":
                self.works[name] = (self.now, None)
            else:
                del self.works[name]

    def time(self, hours: int) -> str:
        told = _BEGUN + timedelta(hours=hours)
        return told.strftime("%Y-%m-%d" if self.days else "%Y-%m-%dT%H:%M:%SZ")

    def answer(self, asked: dict[str, str]) -> str:
        verb, inner = asked.get("verb", ""), ""
        if verb == "Identify":
            shape = "YYYY-MM-DD" if self.days else "YYYY-MM-DDThh:mm:ssZ"
            inner = f"<deletedRecord>{self.deleted_record}</deletedRecord><granularity>{shape}</granularity>"
        elif verb == "ListMetadataFormats":
            inner = "".join(
                f"<metadataFormat><metadataPrefix>{each}</metadataPrefix></metadataFormat>" for each in self.formats
            )
        else:
            return self._enclosed(self._records(asked))
        return self._enclosed(f"<{verb}>{inner}</{verb}>")

    def _enclosed(self, inner: str) -> str:
        date = (_BEGUN + timedelta(hours=self.now + 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f'<?xml version="1.0"?><OAI-PMH {_NAMESPACE}><responseDate>{date}</responseDate>{inner}</OAI-PMH>'

    def _records(self, asked: dict[str, str]) -> str:
        token = asked.get("resumptionToken")
        prefix, since, start = token.split("|") if token else (asked["metadataPrefix"], asked.get("from", ""), "0")
        found = [each for each in self.works.items() if not since or self.time(each[1][0]) >= since]
        if not found:
            return '<error code="noRecordsMatch">nothing</error>'
        end = int(start) + PAGE
        told = f"{prefix}|{since}|{end}" if end < len(found) else ""
        resume = f'<resumptionToken completeListSize="{len(found)}" cursor="{start}">{told}</resumptionToken>'
        records = "".join(self._record(name, *each, prefix) for name, each in found[int(start) : end])
        return f"<ListRecords>{records}{resume if told or token else ''}</ListRecords>"

    def _record(self, name: str, changed: int, work: XmlWork | None, prefix: str) -> str:
        status = ' status="deleted"' if work is None else ""
        header = f"<header{status}><identifier>{name}</identifier><datestamp>{self.time(changed)}</datestamp></header>"
        metadata = f"<metadata>{FORMATS[prefix](work)}</metadata>" if work is not None else ""
        return f"<record>{header}{metadata}</record>"


class _Handler(QuietHandler):
    server: Repository

    def do_GET(self) -> None:  # noqa: N802  (the name that the library calls)
        if self.path == "/robots.txt":
            self._send(Answer(b"", 404))
            return
        asked = dict(parse_qsl(urlsplit(self.path).query))
        self.server.asked.append(asked)
        fault = self.server.faults.get(self.server.pages) if asked.get("verb") == "ListRecords" else None
        told = self.server.change(self.server.answer(asked), asked)
        self._send(fault or Answer(told.encode(), 200, (("Content-Type", "text/xml"),)))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)


def bomb() -> Answer:
    """Forty thousand bytes that unpack to forty million."""
    return Answer(gzip.compress(bytes(40 * 2**20)), 200, (("Content-Encoding", "gzip"),))


@contextmanager
def repository(count: int = 10) -> Iterator[Repository]:
    """A repository with so many works, while the block runs."""
    server = Repository()
    server.put(*(XmlWork(f"w-{number:02}", f"Boats {number}", year=str(1880 + number)) for number in range(count)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
