"""A collection behind IIIF as a source: manifests and collections by address or in files, and streams of changes."""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from vernissage.catalog.fetching import FetchedPictures, NotFetchedError
from vernissage.catalog.report import Problem
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.iiif import (
    MOST_CANVASES,
    Activity,
    Document,
    activities_of,
    address_of,
    cells_of,
    kind_of,
    label_of,
    members,
    parsed,
    stream_of,
)
from vernissage.catalog.sources.remote import LATER, Harvested, RemoteTable
from vernissage.catalog.sources.tables import MOST_LETTERS
from vernissage.errors import CollectionError
from vernissage.files import read_regular
from vernissage.progress import Progress

MOST_COLLECTIONS = 10_000
"""Collections and pages that one source may name: a server may make up new ones for ever."""

_ACCEPT = "application/ld+json, application/json;q=0.9, */*;q=0.1"
_MARKS = (b"iiif.io/api/presentation", b"iiif.io/api/discovery", b'"sc:')
_START = 65_536


@dataclass
class _Walk:
    """What was met on the way through collections.

    Attributes:
        groups: a manifest's address → the label of the collection that it is in, in their order.
        cells: a manifest's address → its cells, of those that were read.
        faults: address → why there are none.
        collections: addresses of collections and of pages, of streams too.
        further: canvases that were left out.
        until: the latest time that a stream of changes names.
    """

    groups: dict[str, str] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    collections: set[str] = field(default_factory=set)
    further: int = 0
    until: str = ""
    remarks: list[str] = field(default_factory=list)

    def take(self, manifest: Document, address: str) -> None:
        """Read a manifest."""
        cells, further = cells_of(manifest, address)
        self.further += further
        if max(map(len, cells.values())) > MOST_LETTERS:
            self.faults[address] = f"it says more than {MOST_LETTERS:,} letters at once"
        else:
            self.cells[address] = cells

    def enter(self, address: str) -> bool:
        """Whether a collection or page is met for the first time. Raises CollectionError: there are too many."""
        met = address in self.collections
        self.collections.add(address)
        if len(self.collections) > MOST_COLLECTIONS:
            raise CollectionError(
                f"more than {MOST_COLLECTIONS:,} collections and pages are named, the last one {address}; give the "
                f"address of a smaller collection"
            )
        return not met


class IiifSource(RemoteTable):
    """Manifests as works, whose canvases are pictures; a work's id is its manifest's address.

    The address is that of a manifest, of a collection, which may hold collections, or of a stream of changes. Of files,
    what they name by address is fetched if the options of ``fetched`` let it be.
    """

    def __init__(self, given: str | Path, fetched: FetchedPictures, options: TableOptions | None = None) -> None:
        address = given if isinstance(given, str) else given.resolve().as_uri()
        super().__init__(address, fetched, options, accept=_ACCEPT)
        self._local = dict[str, Document]()
        self._given = given if isinstance(given, Path) else None
        self._walked, self._asked = _Walk(), False
        if self._given is not None:
            self.address, self.location = "", self._given

    @property
    def name(self) -> str:
        return self._given.stem if self._given is not None else super().name

    def harvest(self, progress: Progress) -> Harvested:
        walk = self._walked = _Walk()
        roots = self._of_files() if self._given is not None else {self.address: self._document(self.address)}
        for address, root in roots.items():
            kind, stream = kind_of(root), stream_of(root)
            if kind == "Manifest":
                walk.groups.setdefault(address, "")
                walk.take(root, address)
            elif kind == "Collection":
                self._collect(root, walk)
            elif kind == "OrderedCollection":
                walk.groups |= dict.fromkeys(self._listed(root, walk), "")
            else:
                raise CollectionError(
                    f"{address} is {kind or 'JSON'}, and no manifest or collection of IIIF, nor a stream of changes; "
                    f"give the address of one of these"
                )
            if stream and kind != "OrderedCollection" and self._given is None:
                try:  # its latest time alone is wanted, so that the next update asks for what came later
                    next(filter(None, (each.ended for each in self._activities(stream, walk))), "")
                except CollectionError as error:
                    walk.remarks.append(f"its stream of changes cannot be read, so updates ask for everything: {error}")
        self._read(walk, progress)
        if self._given is None:
            if walk.until and (self._asked or not self.documents.harvest.until):
                self.documents.save(until=walk.until)
            self.documents.keep_only({self.address, *walk.collections, *walk.groups})
        self._asked = False
        return _harvested(walk)

    def ask_again(self) -> bool:
        until, root = self.documents.harvest.until, self._document(self.address)
        stream = self.address if kind_of(root) == "OrderedCollection" else stream_of(root)
        if not (until and stream):
            return False
        for address in self._walked.collections if stream != self.address else ():
            self.documents.ask_again(address)
        self.documents.ask_again(self.address)
        for each in self._activities(stream, _Walk(), anew=True):
            if each.ended < until:
                break
            self.documents.ask_again(each.address)
        self._asked = True
        return True

    def _of_files(self) -> dict[str, Document]:
        """The documents of the files that were given by their own addresses, collections first."""
        found = dict[str, Document]()
        for file in iiif_files(self.location):
            try:
                document = parsed(read_regular(file))
            except (OSError, ValueError) as error:
                raise CollectionError(f"{file} {error}; give a manifest or a collection of IIIF") from error
            found[address_of(document) or file.resolve().as_uri()] = document
        self._local = found
        return dict(sorted(found.items(), key=lambda each: kind_of(each[1]) == "Manifest"))

    def _document(self, address: str) -> Document:
        """A document that the whole source hangs on. Raises CollectionError: it is not there, or the root is old."""
        try:
            return parsed(self.document(address, LATER, fresh=address == self.address))
        except ValueError as error:
            self.documents.ask_again(address)
            raise CollectionError(
                f"{address} {error}; give the address of a manifest or a collection, or a request of OAI-PMH (with "
                f"?verb=ListRecords)"
            ) from error

    def _collect(self, root: Document, walk: _Walk) -> None:
        """Meet all manifests of a collection and of those in it, level by level."""
        level, following = deque([(root, "")]), dict[str, str | None]()
        while level or following:
            if not level:
                level.extend(self._entered(following))
                following = {}
                continue
            document, group = level.popleft()
            for named in members(document):
                inner = named.inner or self._local.get(named.address)
                if named.kind == "Manifest":
                    if named.address not in walk.groups and inner is not None:
                        walk.take(inner, named.address)
                    walk.groups.setdefault(named.address, group)
                elif walk.enter(named.address):
                    if inner is not None:
                        level.append((inner, label_of(inner)))
                    else:  # a page goes on with the group that it is a page of
                        following[named.address] = group if named.kind == "Page" else None

    def _entered(self, groups: dict[str, str | None]) -> Iterator[tuple[Document, str]]:
        """Collections by their addresses, each with the group of what is in it: None is its own label.

        One that is not there would take all of its works away, so that nothing is made of the others either.
        """
        with closing(self.documents.get_all(groups)) as found:
            for address, outcome in found:
                if isinstance(outcome, NotFetchedError):
                    self._document(address)
        for address, group in groups.items():
            document = self._document(address)
            yield document, label_of(document) if group is None else group

    def _read(self, walk: _Walk, progress: Progress) -> None:
        """Read the manifests that were met and are in no other document."""
        missing = [each for each in walk.groups if each not in walk.cells and each not in walk.faults]
        done, total = len(walk.groups) - len(missing), len(walk.groups)
        progress("reading manifests", done, total)
        with closing(self.documents.get_all(missing)) as found:
            for address, outcome in found:
                done += 1
                progress("reading manifests", done, total)
                if isinstance(outcome, NotFetchedError):
                    walk.faults[address] = str(outcome)
                    continue
                try:
                    document = parsed(outcome)
                    if (kind := kind_of(document)) != "Manifest":
                        raise ValueError(f"is {kind or 'JSON'}, not a manifest of IIIF")
                    walk.take(document, address)
                except ValueError as error:
                    self.documents.ask_again(address)  # a page that says "back soon" must not stay
                    walk.faults[address] = f"what its server gives {error}"

    def _activities(self, stream: str | Document, walk: _Walk, *, anew: bool = False) -> Iterator[Activity]:
        """The activities of a stream, the newest first, page by page."""
        address = stream if isinstance(stream, str) else ""
        document = None if address else stream
        while document is not None or (address and walk.enter(address)):
            if document is None:
                if anew:
                    self.documents.ask_again(address)
                document = self._document(address)
            activities, address = activities_of(document)  # type: ignore[arg-type]
            document = None
            for each in activities:
                walk.until = max(walk.until, each.ended)
                yield each

    def _listed(self, stream: Document, walk: _Walk) -> list[str]:
        """The manifests that a stream of changes says are there, the longest known first."""
        there, met = list[str](), set[str]()
        for each in self._activities(stream, walk):
            if each.kind == "Refresh":
                break  # everything that is there has been named anew since
            if each.address not in met and each.kind not in ("Delete", "Remove"):
                there.append(each.address)
            met.add(each.address)
        return there[::-1]


def _harvested(walk: _Walk) -> Harvested:
    records, problems = dict[str, dict[str, str]](), []
    for address, group in walk.groups.items():
        if cells := walk.cells.get(address):
            records.setdefault(cells["id"], cells | ({"group": group} if group else {}))
        else:
            what = f"the manifest {address} was not read: {walk.faults[address]}"
            way_out = "try again later, or take it out of its collection"
            problems.append(Problem("record not fetched", None, address, "", what, way_out))
    listing = f", named by {1 + len(walk.collections)} documents" if len(walk.groups) > 1 else ""
    remarks = [*walk.remarks, f"manifests of IIIF: {len(walk.groups)}{listing}"]
    if walk.further:
        remarks.append(f"canvases beyond the first {MOST_CANVASES} of a work, which are left out: {walk.further}")
    return Harvested(records, tuple(problems), tuple(remarks))


def iiif_files(path: Path) -> list[Path]:
    """The files of IIIF that a path gives: itself, or those in a folder that has no table; empty where it is none."""
    named = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    found = [file for file in named if file.suffix.lower() in (".json", ".jsonld") and _begins_as_iiif(file)]
    tables = [file for file in named if file.stem.lower() == "metadata" and file not in found]
    return [] if tables else found


def _begins_as_iiif(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        start = opened.read(_START)
    return any(mark in start for mark in _MARKS)
