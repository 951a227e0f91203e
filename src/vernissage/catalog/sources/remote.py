"""What all remote sources have in common: records as rows of a table, read from a copy of the server's documents."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vernissage.catalog.documents import Documents
from vernissage.catalog.fetching import FetchedPictures, NotFetchedError
from vernissage.catalog.report import Problem, Reading
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Changes, Record
from vernissage.catalog.sources.folder import Described, FolderSource, described_by_table
from vernissage.catalog.sources.tables import Table, table_of
from vernissage.errors import CollectionError
from vernissage.files import digest, json_text
from vernissage.progress import Progress, silent

LATER = "try again later: what was fetched is kept"


@dataclass(frozen=True)
class Harvested:
    """All records of a source as they are now.

    Attributes:
        records: id → the cells of its row by the names of their columns, nested ones as JSON has them.
        problems: of records that are not there.
        remarks: what a person may want to know.
    """

    records: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()


class RemoteTable(FolderSource):
    """Records of a server as rows of a table: columns, texts and pictures are understood as those of any table.

    A subclass gives `harvest`, and `ask_again` where its protocol tells what has changed. Ids stay as they are.
    """

    def __init__(
        self, address: str, fetched: FetchedPictures, options: TableOptions | None = None, *, accept: str
    ) -> None:
        """Open the copy of what is at an address, which lies below the workspace's folder of what was ``fetched``."""
        self.address = address
        self.documents = Documents(address, fetched, accept)
        super().__init__(self.documents.folder, options=options, fetched=fetched)
        self._harvested: Harvested | None = None

    @abstractmethod
    def harvest(self, progress: Progress) -> Harvested:
        """All records: from the copy as far as they are there, else from the server.

        Raises:
            CollectionError: the source as a whole cannot be read.
        """

    def ask_again(self) -> bool:
        """Let `Documents` ask again for what has changed since; False where the server does not tell that."""
        return False

    @property
    def name(self) -> str:
        return urlsplit(self.address).hostname or self.address

    @property
    def folder(self) -> Path:
        return self.location.parent if self.location.is_file() else self.location

    @property
    def paths(self) -> tuple[str, ...]:
        return ()

    def _passed_over(self) -> tuple[str, ...]:
        return ()

    @property
    def _found(self) -> tuple[Path, Path | None]:
        return self.folder, None

    def document(self, address: str, later: str, *, place: str = "", fresh: bool = False) -> bytes:
        """A document on which the whole source hangs, called ``place`` in messages; a ``fresh`` one is no older copy.

        Raises:
            CollectionError: it is not there; ``later`` says what to do where another time may help.
        """
        try:
            body = self.documents.get(address)
            if fresh and address in self.documents.outdated:
                raise NotFetchedError("its server does not give it now")
        except NotFetchedError as error:
            kind, way_out = error.kind_and_way_out(later)
            raise CollectionError(f"{place or address} was not fetched: {error}; {way_out}", kind=kind) from error
        return body

    def _complete(self, progress: Progress) -> Harvested:
        if self._harvested is None:
            self._harvested = self.harvest(progress)
            if not self.documents.harvest.complete and self.documents.folder.is_dir():
                self.documents.save(complete=True)
        return self._harvested

    @cached_property
    def _described(self) -> Described:
        found = self._complete(silent)
        table = table_of(self.name, found.records.values())
        described = self._understood(table)
        reading = described.reading
        problems, remarks = (*reading.problems, *found.problems), (*reading.remarks, *found.remarks)
        return described._replace(reading=replace(reading, problems=problems, remarks=remarks))

    def _understood(self, table: Table) -> Described:
        return described_by_table(table, self.name, self.options, whole_ids=True)

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        self._complete(progress)
        return super().records(progress)

    def reading(self) -> Reading:
        reading, old = super().reading(), len(self.documents.outdated)
        told = f"documents of which the server gave no newer one this time, so that the copy was used: {old}"
        return replace(reading, remarks=(*reading.remarks, told)) if old else reading

    def fingerprint(self) -> str:
        """Over the records, which are read from the copy, and the addresses of their pictures in them."""
        return digest(json_text(self._complete(silent).records, sort_keys=True).encode())[:16]

    def _before(self) -> Mapping[str, Mapping[str, Any]]:
        """The records as the copy has them, of a harvest that was interrupted those that are there."""
        self.documents.asks = False
        try:
            return self.harvest(silent).records
        except CollectionError:
            return {}
        finally:
            self.documents.asks = True

    def changes(self, progress: Progress = silent) -> Changes:
        """Bring the copy up to date: what has changed is asked for where the server tells it, else everything."""
        before = self._before()
        if not self.ask_again():
            self.documents.begin_anew()
        self._harvested = None
        self.__dict__.pop("_described", None)
        now = self._complete(progress).records
        changed = tuple(name for name, cells in now.items() if before.get(name) != cells)
        return Changes(changed, tuple(name for name in before if name not in now))
