"""The documents of a remote source, kept as they came: an interrupted harvest goes on, and builds need no network."""

import json
import os
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from vernissage.catalog.fetching import FetchedPictures, NotFetchedError, in_parallel, name_of
from vernissage.errors import ProvenanceError
from vernissage.files import read_json, writing
from vernissage.shapes import misfit

if TYPE_CHECKING:
    from vernissage.catalog.web_client import WebClient

FOLDER = "documents"
"""Below the pictures that were fetched, in a workspace."""
_STATE = "harvest.json"


@dataclass(frozen=True)
class Harvest:
    """How far the copy of a source is.

    Attributes:
        address: of the source.
        begun: since when documents count as fresh, in seconds of the epoch; older ones are asked for again.
        complete: whether every document was there at its end.
        until: up to which time the server's changes are in it, as the server writes times; empty where it tells none.
    """

    address: str
    begun: float
    complete: bool = False
    until: str = ""


class _Kept(NamedTuple):
    body: bytes
    tag: str
    date: str
    fresh: bool


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """An address with parameters, which take the place of its own ones of the same names."""
    if not parameters:
        return address
    parts = urlsplit(address)
    own = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*own, *parameters.items()])))


class Documents:
    """The documents of one source below a workspace's folder of what was fetched.

    Documents are fetched as the options of ``fetched`` say, by at most four connections; without options none is, and
    what is there is used. Each is one file, wholly there or not at all.

    Attributes:
        folder: where they lie.
        harvest: how far the copy is.
        asks: whether servers are asked; else what is there is given, however old.
        options: how they are fetched; None where none is.
        outdated: addresses whose document is an old one, because the server did not answer this time.
    """

    def __init__(
        self, address: str, fetched: FetchedPictures, accept: str, *, agent: str = "", key: tuple[str, str] = ("", "")
    ) -> None:
        """Open the copy of the source at an address; ``accept`` are the media types that are asked for.

        ``agent`` as in `Wanted`. The ``key``, a parameter and its value, is sent to the host of the address, and to no
        other, and is kept nowhere.

        Raises:
            ProvenanceError: the file on how far the copy is is damaged.
        """
        self.folder = fetched.folder / FOLDER / name_of(address)
        self.asks = True
        self.outdated: list[str] = []
        self.options, self._accept, self._agent, self._key = fetched.options, accept, agent, key
        self._client: WebClient | None = None
        self._lock = threading.Lock()
        file = self.folder / _STATE
        content = read_json(file) if file.is_file() else asdict(Harvest(address, time.time()))
        if fault := misfit(content, Harvest):
            raise ProvenanceError(f"{file} is damaged ({fault}); delete it, and build again")
        self.harvest = Harvest(**content)

    def save(self, **changed: bool | float | str) -> None:
        """Write down how far the copy is, with some attributes of `Harvest` changed."""
        self.harvest = replace(self.harvest, **changed)  # type: ignore[arg-type]
        with writing(self.folder / _STATE) as file:
            file.write(json.dumps(asdict(self.harvest)).encode())

    def begin_anew(self) -> None:
        """Let every document be asked for again, unless an interrupted harvest is to be gone on with."""
        if self.harvest.complete:
            self.save(begun=time.time(), complete=False)

    def ask_again(self, address: str) -> None:
        """Let one document be asked for again; what is there is used where the server does not answer."""
        if (file := self._file(address)).is_file():
            os.utime(file, (0, 0))

    def has(self, address: str) -> bool:
        """Whether the document at an address is in the copy, fresh or not."""
        return self._file(address).is_file()

    def forget(self, address: str) -> None:
        """Take the document at an address out of the copy."""
        self._file(address).unlink(missing_ok=True)

    def get(self, address: str) -> bytes:
        """The document at an address: as it is there, else fetched and kept.

        Raises:
            NotFetchedError: it is not there, and cannot be fetched.
            WorkspaceError: it cannot be written.
        """
        kept = self._kept(address)
        if kept is not None and (kept.fresh or not self.asks):
            return kept.body
        if not self.asks:
            raise NotFetchedError("it is not there")
        return self._fetched(address, kept)

    def get_all(self, addresses: Iterable[str]) -> Generator[tuple[str, bytes | NotFetchedError]]:
        """Several documents as `get` gives each, or why there is none, in the order in which they come."""
        return in_parallel(self.get, addresses, self.stop)

    def stop(self) -> None:
        """Cut all connections."""
        with self._lock:
            if self._client is not None:
                self._client.stop()
            self._client = None

    def keep_only(self, addresses: AbstractSet[str]) -> None:
        """Delete the documents of all other addresses, which the source names no more."""
        kept = set(map(self._file, addresses))
        for file in self.folder.glob("??/*"):
            if file not in kept:
                file.unlink(missing_ok=True)

    def _file(self, address: str) -> Path:
        name = name_of(address)
        return self.folder / name[:2] / name[2:]

    def _kept(self, address: str) -> _Kept | None:
        file = self._file(address)
        try:
            head, body = file.read_bytes().split(b"\n", 1)
            told = json.loads(head)
            # Times that were set here, so that no other machine's clock counts.
            return _Kept(body, told["tag"], told["date"], file.stat().st_mtime >= self.harvest.begun)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or cut off when the power failed

    def _connected(self) -> "WebClient":
        from vernissage.catalog.web_client import WebClient  # urllib3 sets warning filters of the process

        if self.options is None:
            raise NotFetchedError(
                "it is not there, and nothing is fetched unless that is asked for, as by --fetch-pictures"
            )
        with self._lock:
            if self._client is None:
                self._client = WebClient(self.options)
            return self._client

    def _with_key(self, address: str) -> str:
        name, value = self._key
        own = urlsplit(address)[:2] == urlsplit(self.harvest.address)[:2]
        return with_parameters(address, {name: value}) if name and own else address

    def _fetched(self, address: str, kept: _Kept | None) -> bytes:
        from vernissage.catalog.web_client import Wanted

        wanted = Wanted(self._accept, packed=True, patient=True, agent=self._agent)
        if kept is not None:
            wanted = replace(wanted, tag=kept.tag, date=kept.date)
        try:
            reply = self._connected().get(self._with_key(address), wanted)
        except NotFetchedError as error:
            if kept is None or error.lasting:
                raise
            self.outdated.append(address)
            return kept.body
        with self._lock:
            if not (self.folder / _STATE).is_file():
                self.save()
        file, now = self._file(address), time.time()
        if not (reply.unchanged and kept is not None):
            told = {"address": address, "tag": reply.headers.get("etag", "")}
            told |= {"date": reply.headers.get("last-modified", "")}
            with writing(file, flush=False) as opened:
                opened.write(json.dumps(told).encode() + b"\n" + reply.body)
        os.utime(file, (now, now))
        return kept.body if reply.unchanged and kept is not None else reply.body
