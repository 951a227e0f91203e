"""The contract of a source: what a collection is read from, whatever its format and wherever it lies."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from vernissage.catalog.item import Item
from vernissage.catalog.report import Problem, Reading
from vernissage.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Record:
    """One work as its source gives it, before its pictures are decoded.

    Attributes:
        item: the work with its final ``text``, but without pictures and their digests.
        pictures: its pictures as `Source.picture_path` takes them, the one that stands for the work first.
        row: the row as a person counts in the source (a table's header is row 1), of several the first; None where
            there are no rows.
        file: the pictures as the source names them, for messages; empty without one.
        problems: why the record cannot be used as it is; empty where it can.
        digests: SHA-256 of the pictures where they were decoded before and cannot have changed: they are not read.
    """

    item: Item
    pictures: tuple[str, ...] = ()
    row: int | None = None
    file: str = ""
    problems: tuple[Problem, ...] = ()
    digests: tuple[str, ...] = ()


@runtime_checkable
class Source(Protocol):
    """Works one by one, and their pictures when they are needed.

    `load_collection` checks ids for being there and unique, decodes pictures and leaves out bad records: a source
    need not. It can be read several times and gives the same records in the same order while it is unchanged. A remote
    source keeps what it has fetched below ``folder``, so that reading it again after an interruption goes on there.
    """

    @property
    def name(self) -> str:
        """What the collection is called: the name of the folder, of the table or of the data set."""
        ...

    @property
    def location(self) -> Path:
        """What to give `vernissage build` again: the folder or file; for a remote source where its copy is kept."""
        ...

    @property
    def folder(self) -> Path:
        """The folder below which pictures lie; a picture may also be named by an absolute path."""
        ...

    def fingerprint(self) -> str:
        """16 hexadecimal digits; equal ones mean equal records and pictures. Told without decoding a picture."""
        ...

    def count(self) -> int:
        """How many records there will be, for progress; 0 where that is not known before they are read."""
        ...

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        """The works in their order. Raises CollectionError: the source as a whole is missing or cannot be read."""
        ...

    def reading(self) -> Reading:
        """How the source was understood; asked for after `records` has ended."""
        ...

    def picture_path(self, picture: str) -> Path:
        """The file of one of ``Record.pictures`` on this machine, fetched first where the source is remote.

        A path, not a stream: large JPEGs are decoded at a fraction of their size, which needs to seek, and thumbnails
        are made long after the build.

        Raises:
            CollectionError: it cannot be fetched.
        """
        ...


@dataclass(frozen=True)
class Changes:
    """What has changed at a remote source's server since its copy was complete for the last time.

    Attributes:
        changed: addresses or identifiers of records that are new or others than they were.
        removed: those of records that are gone.
    """

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@runtime_checkable
class RemoteSource(Source, Protocol):
    """A source on the web. ``location`` is where its copy is kept, which `records` makes, completes, and then reads.

    A copy that is complete is read without asking the server, so that a build with other options fetches nothing.
    """

    @property
    def address(self) -> str:
        """What to give `vernissage build` again; empty where that is ``location``."""
        ...

    def changes(self, progress: Progress = silent) -> Changes:
        """Bring the copy up to date with the server, so that `records` gives the works as they are now.

        An interruption leaves a copy that the next call, or `records`, goes on with.

        Raises:
            CollectionError: the server does not answer, or not as its protocol says; the copy is usable as it was.
        """
        ...
