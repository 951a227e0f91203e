"""Reading a source as a collection, with a report on every record."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.dates import date_span
from vernissage.catalog.fetching import FOLDER, FetchedPictures
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import PictureCheck, check_picture
from vernissage.catalog.report import USUAL, CollectionReport, Problem, Tolerance
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Record, Source
from vernissage.catalog.sources.dump import DumpSource
from vernissage.catalog.sources.feed import FedSource
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.sources.iiif_source import IiifSource, iiif_files
from vernissage.catalog.sources.interface import InterfaceSource
from vernissage.catalog.sources.oai import OaiSource, is_oai
from vernissage.catalog.sources.published import PublishedSource
from vernissage.catalog.sources.vector_files import vector_files
from vernissage.catalog.words import holds_credentials
from vernissage.errors import CollectionError
from vernissage.progress import Progress, silent
from vernissage.values import MODALITY_CARDS, modality_of_file

_NOTHING: AbstractSet[str] = frozenset()
_AT_ONCE = 1024
_DATES_SHOWN = 5
_OF_PICTURES = frozenset({"missing picture", "unreadable picture", "picture outside the folder", "picture not fetched"})


def source_of(
    given: str | Path | Source,
    options: TableOptions | None = None,
    fetched: FetchedPictures | None = None,
    works: Path | None = None,
) -> Source:
    """A source, or what lies at a path or a web address as one that is read by the options, with pictures from the web.

    Where the path holds vectors that were made elsewhere, those of ``works`` are joined by their ids.

    Raises:
        CollectionError: a text is no web address; there are no vectors, though ``works`` were named, or a file of
            vectors is damaged.
    """
    if isinstance(given, str):
        _check_address(given)
    options = options or TableOptions()
    own_ids = options.columns.get("id", "") if works is None else ""
    if isinstance(given, Path) and (files := vector_files(given, own_ids)):
        base = _of_path(works, options, fetched) if works else None
        return PublishedSource(given, files, base, options=options, fetched=fetched)
    if works is not None:
        raise CollectionError(f"{given} holds no vectors to join with the works of {works}; leave --works out")
    copies = fetched or FetchedPictures(Path(FOLDER))
    if isinstance(given, str):
        remote = InterfaceSource if options.mapping else OaiSource if is_oai(given) else IiifSource
        return remote(given, copies, options)
    if isinstance(given, Path) and not options.mapping and iiif_files(given):
        return IiifSource(given, copies, options)
    return _of_path(given, options, fetched) if isinstance(given, Path) else given


def _of_path(path: Path, options: TableOptions, fetched: FetchedPictures | None) -> FolderSource:
    if options.mapping:
        return DumpSource(path, options, fetched)
    return FolderSource(path, options=options, fetched=fetched)


def _check_address(given: str) -> None:
    if not given.startswith(("http://", "https://")):
        raise CollectionError(f"{given} is no web address: one begins with https:// or http://")
    if holds_credentials(given):
        raise CollectionError("the address holds a name or a password, which is neither kept nor sent; leave that out")


def load_collection(
    source: Path | Source,
    *,
    tolerance: Tolerance = USUAL,
    progress: Progress = silent,
    verified: AbstractSet[str] = _NOTHING,
) -> Collection:
    """Read a collection from a source, or from a path: a folder with a table and pictures, a table, or pictures alone.

    A folder's table is called ``metadata`` (.csv, .tsv, .jsonl, .json, .parquet, .xlsx); its pictures lie anywhere
    below. Every picture is decoded to its end, but for those whose SHA-256 is in ``verified``, which were decoded
    before. The collection's ``report`` says what was found and how it was understood.

    Raises:
        BadRowsError: more records cannot be used than ``tolerance`` leaves out, or none can be used.
        CollectionError: there is no collection, it cannot be read at all, or no column of its table gives a title, a
            name or a description though one could.
    """
    collection = inspect_collection(source, progress=progress, verified=verified)
    if collection.report is not None:
        collection.report.require(tolerance)
    return collection


def inspect_collection(
    source: Path | Source, *, progress: Progress = silent, verified: AbstractSet[str] = _NOTHING
) -> Collection:
    """Read a collection like `load_collection`, without the bad records and without complaint about them.

    The collection may be empty; its ``report`` tells why.

    Raises:
        CollectionError: there is no collection, or it cannot be read at all.
    """
    opened = source_of(source)
    judging = _Judging(opened, progress, verified)
    copies = opened.fetched if isinstance(opened, FolderSource | FedSource | PublishedSource) else None
    collection = Collection(judging.items(), opened.folder, fetched=copies.folder if copies else None)
    collection.report = judging.report()
    return collection


@dataclass
class _Judging:
    """Records become works or problems, some at a time, so that no more than these are held as objects."""

    source: Source
    progress: Progress
    verified: AbstractSet[str]
    records: int = 0
    kept: int = 0
    pictures: int = 0
    all_pictures: int = 0
    first_rows: dict[str, int | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    empty_texts: list[str] = field(default_factory=list)
    groups: Counter[str] = field(default_factory=Counter)
    dates: Counter[bool] = field(default_factory=Counter)  # by whether they name years
    date_examples: dict[bool, dict[str, str]] = field(default_factory=lambda: {True: {}, False: {}})

    def items(self) -> Iterator[Item]:
        """The usable works with their pictures; counts on the way what `report` tells."""
        records, total = self.source.records(self.progress), self.source.count()
        # Pillow leaves Python's lock to others while it decodes.
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
            while some := list(islice(records, _AT_ONCE)):
                told = [pair for each in some if each.digests for pair in zip(each.pictures, each.digests, strict=True)]
                checks = {picture: PictureCheck(digest) for picture, digest in told}
                paths = list(dict.fromkeys(picture for each in some if not each.digests for picture in each.pictures))
                checks |= zip(paths, pool.map(self._checked, paths), strict=True)
                for record in some:
                    self.records += 1
                    if paths:
                        self.progress("checking pictures", self.records, max(total, self.records))
                    item = self._judged(record, checks)
                    if item is not None:
                        self._count(item)
                        yield item

    def report(self) -> CollectionReport:
        """What was found, once all works were taken."""
        reading = self.source.reading()
        found = {
            "source": reading.table or self.source.name,
            "rows": self.records + len(reading.problems) + reading.joined,
            "problems": tuple(sorted([*reading.problems, *self.problems], key=lambda problem: problem.row or 0)),
            "empty_texts": tuple(self.empty_texts),
            "groups": dict(self.groups.most_common()),
            "dates_read": self.dates[True],
            "dates_unread": self.dates[False],
            "date_examples": self.date_examples[True] | self.date_examples[False],
        }
        counts = {"kept": self.kept, "pictures": self.pictures, "all_pictures": self.all_pictures}
        return CollectionReport(**vars(reading) | found | counts)

    def _checked(self, picture: str) -> PictureCheck:
        return check_picture(self.source.picture_path(picture), self.verified)

    def _judged(self, record: Record, checks: dict[str, PictureCheck]) -> Item | None:
        found = [*self._id_faults(record), *record.problems]
        good = tuple((picture, checks[picture].digest) for picture in record.pictures if not checks[picture].fault)
        for picture in record.pictures:
            if fault := checks[picture].fault:
                name = record.file if len(record.pictures) == 1 else picture
                what = f"the {MODALITY_CARDS[modality_of_file(name)].one} {name} {fault}"
                way_out = "export it again, or take it out"
                found.append(Problem("unreadable picture", record.row, record.item.id, name, what, way_out))
        alone = record.row is None and record.item.text in ("", record.item.title)  # but its name
        worth = bool(good) or (bool(record.item.text) and not alone)
        spared = worth and all(problem.kind in _OF_PICTURES for problem in found)
        self.problems += (replace(problem, kept=True) for problem in found) if spared else found
        if found and not spared:
            return None
        if not good:
            return record.item
        return replace(record.item, picture=good[0][0], picture_digest=good[0][1], further_pictures=good[1:])

    def _id_faults(self, record: Record) -> Sequence[Problem]:
        name = record.item.id
        if not name:
            return [Problem("no id", record.row, "", "", "the row has no id", "give it one that no other row has")]
        if name not in self.first_rows:
            self.first_rows[name] = record.row
            return ()
        first = self.first_rows[name]
        what = f"the id {name} stands in {'an earlier record' if first is None else f'row {first}'} already"
        way_out = "give each work its own id, or take one row out"
        return [Problem("duplicate id", record.row, name, "", what, way_out)]

    def _count(self, item: Item) -> None:
        self.kept += 1
        self.pictures += bool(item.picture)
        self.all_pictures += len(item.pictures)
        if not item.text:
            self.empty_texts.append(item.id)
        if item.group:
            self.groups[item.group] += 1
        if item.year:
            span = date_span(item.year)
            self.dates[span is not None] += 1
            shown = self.date_examples[span is not None]
            if len(shown) < _DATES_SHOWN and (span is None or not item.year.isdecimal()):
                shown[item.year] = str(span or "")
