"""The works of a collection as columns: Arrow in memory or one Parquet file, Items made when they are asked for."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain, groupby, islice, pairwise
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vernissage.catalog.conditions import FIELDS, Entries, fulfilling
from vernissage.catalog.dates import date_span
from vernissage.catalog.fetching import FOLDER, MARK, fetched_path
from vernissage.catalog.ids import Ids
from vernissage.catalog.item import Item, item_of, record_of
from vernissage.catalog.report import CollectionReport
from vernissage.errors import CollectionError, ProvenanceError, UnknownItemError
from vernissage.files import (
    Seal,
    int32_array,
    int32_values,
    is_below,
    open_parquet,
    read_checked,
    read_column,
    text_array,
    write_parquet,
)
from vernissage.folding import folded
from vernissage.values import MODALITIES, Condition, Modality, modality_of_file

_BATCH = 1024
"""Works in a record batch and in a row group: what is decoded to make one Item, some milliseconds."""

_BATCHES_KEPT, _BYTES_KEPT = 32, 64 * 1024**2
"""Decoded batches that are kept: so many, or as many as have so many bytes in the file."""

_DECODED_TOGETHER, _ITEMS_KEPT = 128, 8192
"""Works that are decoded at a time, and those made for answers that are kept: some 20 MB."""

_MASKS_KEPT = 32
_TEXTS = (
    "id", "title", "artist", "year", "medium", "description", "group", "owner", "licence", "text", "language",
    "picture_link",
)  # fmt: skip
_PICTURE = pa.struct([pa.field("path", pa.string(), nullable=False), pa.field("sha256", pa.string(), nullable=False)])
_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in _TEXTS),
        pa.field("year_from", pa.int32()),
        pa.field("year_to", pa.int32()),
        pa.field("keywords", pa.list_(pa.string()), nullable=False),
        pa.field("attributes", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("pictures", pa.list_(_PICTURE), nullable=False),
    ]
)
_ORDER = pa.field("order", pa.int32(), nullable=False)
_RECORD = pa.field("record", pa.string(), nullable=False)
"""All of a work in one place: to make a few Items, one column is read of each batch instead of twenty."""
_FILED = _SCHEMA.append(_ORDER).append(_RECORD)
_CARD = b"vernissage"
_FORMAT = 2
_REBUILD = "delete it and run `vernissage build` again"


@dataclass(frozen=True, eq=False)
class _Works:
    """Columns of works in batches of `_BATCH`.

    Attributes:
        ids: of all works.
        fingerprint: 16 hexadecimal digits over every work and picture, in order.
        attributes: the names of all attributes, sorted.
        batch: the record batch of a number.
        column: one whole column by its name, an Arrow array.
        records: `record_of` each work of a batch, an Arrow array; None where batches are in memory.
    """

    ids: Ids
    fingerprint: str
    attributes: tuple[str, ...]
    batch: Callable[[int], Any]
    column: Callable[[str], Any]
    records: Callable[[int], Any] | None = None


class Collection:
    """An immutable sequence of works with unique ids; pictures stay on the disk below ``folder``.

    Those from web addresses lie in ``fetched``, see `FetchedPictures`. ``report`` says what was found when the
    collection was read from a source, and is None otherwise.
    """

    def __init__(
        self,
        items: Iterable[Item] | _Works,
        folder: Path,
        report: CollectionReport | None = None,
        fetched: Path | None = None,
    ) -> None:
        self._works = items if isinstance(items, _Works) else _in_memory(items)
        self.folder = folder
        self.fetched = fetched
        self.report = report
        self._taken = dict[int, Item]()
        # One place more, which the row -1 of an unknown id takes.
        self._masks = lru_cache(_MASKS_KEPT)(lambda condition: np.append(fulfilling(self, condition), False))
        self.holders = lru_cache(_MASKS_KEPT)(self._holders)

    @property
    def ids(self) -> Ids:
        return self._works.ids

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over every work and picture, in order."""
        return self._works.fingerprint

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The names of all attributes that any work has, sorted."""
        return self._works.attributes

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Item]:
        for start in range(0, len(self), _BATCH):
            yield from _items(self._works.batch(start // _BATCH))

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.ids

    def __getitem__(self, item_id: str) -> Item:
        """The work of that id.

        Raises:
            UnknownItemError: the collection has no such work; the message names ids that look alike.
        """
        return self.take(self.rows_of([item_id]))[0]

    def rows_of(self, ids: Iterable[str]) -> list[int]:
        """The rows of works.

        Raises:
            UnknownItemError: the collection has no work of one of the ids; the message names ids that look alike.
        """
        wanted = list(ids)
        rows: list[int] = self.ids.rows(wanted).tolist()
        if -1 in rows:
            import difflib

            item_id = wanted[rows.index(-1)]
            alike = difflib.get_close_matches(item_id, self.ids.near(item_id), n=3, cutoff=0.5) or self.ids[:3]
            raise UnknownItemError(f"the collection has no work {item_id!r}; ids look like {', '.join(alike)}")
        return rows

    def take(self, rows: Sequence[int]) -> list[Item]:
        """The works of some rows, in that order; of a few, those that were made lately are not made again."""
        known = self._taken
        found = {row: known.get(row) for row in rows}
        made = dict(self._made(sorted(row for row, item in found.items() if item is None)))
        if len(made) <= _DECODED_TOGETHER:
            if len(known) + len(made) > _ITEMS_KEPT:
                known.clear()
            known.update(made)
        return [found[row] or made[row] for row in rows]

    def _made(self, rows: Sequence[int]) -> Iterator[tuple[int, Item]]:
        """Rows, ascending, with their works, decoded together, though not so many that they hold much memory."""
        if (records := self._works.records) is not None:
            for number, near in groupby(rows, key=lambda row: row // _BATCH):
                texts = records(number)
                yield from ((row, item_of(texts[row % _BATCH].as_py())) for row in near)
            return
        for start in range(0, len(rows), _DECODED_TOGETHER):
            some, slices = rows[start : start + _DECODED_TOGETHER], list[Any]()
            for number, near in groupby(some, key=lambda row: row // _BATCH):
                batch = self._works.batch(number)
                slices += [batch.slice(row % _BATCH, 1) for row in near]
            yield from zip(some, _decoded(slices), strict=True)

    @property
    def items(self) -> Sequence[Item]:
        """The works by their rows, each made when it is asked for."""
        return _ItemsByRow(self)

    def texts(self, field: str) -> list[str]:
        """One text of every work, in their order; empty where a work has none.

        Args:
            field: a field of `Item` that is a text; ``picture`` and ``picture_digest`` are the leading one's.
        """
        if field not in {"picture", "picture_digest"}:
            return _strings(self._works.column(field))
        pictures = self._works.column("pictures")
        values = _strings(_own(pictures, pictures.values.field("path" if field == "picture" else "sha256")))
        return [values[start] if end > start else "" for start, end in _ranges(pictures)]

    @cached_property
    def modalities(self) -> tuple[Modality, ...]:
        """What there is anything of among the works."""
        pictures = self._works.column("pictures")
        there = {modality_of_file(path) for path in _strings(_own(pictures, pictures.values.field("path"))) if path}
        there |= {"text"} if any(self.texts("text")) else set()
        return tuple(each for each in MODALITIES if each in there)

    @property
    def picture_count(self) -> int:
        """How many pictures all works have together."""
        pictures = self._works.column("pictures")
        return len(_own(pictures, pictures.values))

    def picture_digests(self) -> frozenset[str]:
        """The SHA-256 of all pictures."""
        pictures = self._works.column("pictures")
        return frozenset(_strings(_own(pictures, pictures.values.field("sha256")))) - {""}

    def entries(self, field: str) -> Entries:
        """All values of one field or attribute; attributes by their names, folded.

        Keywords are several of one work, most others one, and absent ones none; from and to are written as numbers.

        Returns:
            The row int64 (m,) and code int64 (m,) of each value, and the distinct values that codes mean.
        """
        if field in {"from", "to"}:
            return self._bounds(field)
        if field in FIELDS and field != "keywords":
            codes, distinct = _coded(self._works.column(field))
            filled = np.array([bool(text) for text in distinct], dtype=bool)
            rows = np.flatnonzero(filled[codes])
            return rows, codes[rows], distinct
        column = self._works.column("keywords" if field == "keywords" else "attributes")
        rows = np.repeat(np.arange(len(self)), np.diff(int32_values(column.offsets)))
        if field == "keywords":
            return rows, *_coded(_own(column, column.values))
        codes, names = _coded(_own(column, column.keys))
        named = np.array([folded(name) == field for name in names], dtype=bool)[codes]
        codes, distinct = _coded(_own(column, column.items))
        kept = named & np.array([bool(text) for text in distinct], dtype=bool)[codes]
        return rows[kept], codes[kept], distinct

    def _bounds(self, field: str) -> Entries:
        """The first or the last years of works, see `Item.span`; each distinct date is read once."""
        codes, dates = _coded(self._works.column("year"))
        spans = [date_span(date) for date in dates]
        read = [np.nan if span is None else span.first if field == "from" else span.last for span in spans]
        names = ("year_from", "year_to") if field == "from" else ("year_to", "year_from")
        own, other = (self._works.column(name).to_numpy(zero_copy_only=False).astype(float) for name in names)
        years = np.array(read, dtype=float)[codes]
        years = np.where(np.isnan(own), np.where(np.isnan(years), other, years), own)
        rows = np.flatnonzero(~np.isnan(years))
        distinct, codes = np.unique(years[rows].astype(np.int64), return_inverse=True)
        return rows, codes, list(map(str, distinct.tolist()))

    def _holders(self, field: str) -> dict[str, npt.NDArray[np.int64]]:
        """The rows, ascending, of the works that have each value of a field (see `entries`), by its folded spelling."""
        rows, codes, distinct = self.entries(field)
        number_of: dict[str, int] = {}
        numbers = np.zeros(len(distinct), dtype=np.int64)
        for code in np.unique(codes).tolist():
            numbers[code] = number_of.setdefault(folded(distinct[code]), len(number_of))
        own = numbers[codes]
        order = np.lexsort((rows, own))
        rows, own = rows[order], own[order]
        once = np.append(True, (np.diff(own) != 0) | (np.diff(rows) != 0))[: len(rows)]
        ends = np.cumsum(np.bincount(own[once], minlength=len(number_of)))
        return dict(zip(number_of, np.split(rows[once], ends[:-1]), strict=True)) if number_of else {}

    @cached_property
    def spans(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The first and the last year of every work, see `Item.span`; not a number where its date is unknown."""
        bounds = []
        for field in ("from", "to"):
            rows, codes, distinct = self.entries(field)
            years = np.full(len(self), np.nan)
            years[rows] = np.array(distinct, dtype=float)[codes]
            bounds.append(years)
        return bounds[0], bounds[1]

    def cells(self) -> Iterator[Entries]:
        """`entries` of every field and attribute that may say which work is meant: not owner, licence and prose."""
        for name in ("id", "title", "artist", "year", "group", "keywords"):
            yield self.entries(name)
        column = self._works.column("attributes")
        codes, distinct = _coded(_own(column, column.items))
        yield np.repeat(np.arange(len(self)), np.diff(int32_values(column.offsets))), codes, distinct

    @cached_property
    def groups(self) -> dict[str, int]:
        """Group names and their sizes, largest first; works without a group are not counted."""
        _, codes, names = self.entries("group")
        counts = np.bincount(codes, minlength=len(names)).tolist()
        return dict(Counter({name: n for name, n in zip(names, counts, strict=True) if n}).most_common())

    @cached_property
    def owner_counts(self) -> dict[str, int]:
        """How many works each owner has; works without an owner are not counted."""
        codes, names = self._owners
        counts = np.bincount(codes[:-1], minlength=len(names)).tolist()
        return {name: n for name, n in zip(names, counts, strict=True) if name and n}

    def of_owner(self, owner: str) -> list[Item]:
        """The works of one owner, in their order."""
        codes, names = self._owners
        return self.take(np.flatnonzero(codes[:-1] == names.index(owner)).tolist()) if owner in names[:-1] else []

    @cached_property
    def _owners(self) -> tuple[npt.NDArray[np.int64], list[str]]:
        codes, names = _coded(self._works.column("owner"))
        return np.append(codes, len(names)), [*names, ""]  # the last one is that of unknown works, whose row is -1

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        """The owner of each work; "" where none is known."""
        codes, names = self._owners
        return [names[code] for code in codes[self.ids.rows(item_ids)].tolist()]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which works fulfil all conditions, bool (n,); ids that the collection lacks fulfil none.

        Raises:
            RequestError: a condition names a column that no work has.
        """
        rows = self.ids.rows(item_ids)
        found = rows >= 0
        for condition in conditions:
            found &= self._masks(condition)[rows]
        return found

    def picture_places(self) -> dict[str, tuple[int, int]]:
        """The row of the work and the place among its pictures, from 0, of every picture by its SHA-256."""
        pictures = self._works.column("pictures")
        digests = _strings(_own(pictures, pictures.values.field("sha256")))
        spans = enumerate(_ranges(pictures))
        found = {digests[at]: (row, at - start) for row, (start, end) in spans for at in range(start, end)}
        return {each: place for each, place in found.items() if each}

    def picture_path(self, item: Item, place: int = 0) -> Path | None:
        """Where one of the work's pictures lies on the disk, the leading one first, or None without one.

        Raises:
            CollectionError: its name or a link leads out of the collection's folder.
        """
        picture = item.pictures[place][0] if place else item.picture
        return self._path(item, picture) if picture else None

    def _path(self, item: Item, picture: str) -> Path:
        from_web = picture.startswith(MARK)
        path = fetched_path(self.fetched, picture) if from_web else self.folder / picture
        if not is_below(path.parent if from_web else self.folder, path):
            raise CollectionError(
                f"the picture {picture} of {item.id} lies outside the collection's folder {self.folder}; put the file "
                f"itself into the folder"
            )
        return path


class _ItemsByRow(Sequence[Item]):
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def __len__(self) -> int:
        return len(self._collection)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._collection)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        rows = range(len(self))[index]
        return self._collection.take([rows])[0] if isinstance(rows, int) else self._collection.take(rows)


def save_collection(collection: Collection, path: Path) -> None:
    """Write all works, without their pictures, as Parquet; equal collections give equal bytes.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    works, order = collection._works, collection.ids.order.tolist()
    card = {"format": _FORMAT, "fingerprint": works.fingerprint, "attributes": works.attributes}
    schema = _FILED.with_metadata({_CARD: json.dumps(card, sort_keys=True).encode()})

    def batch(start: int) -> Any:
        own = works.batch(start // _BATCH)
        columns = [*own.columns, int32_array(order[start : start + _BATCH]), text_array(map(record_of, _items(own)))]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    write_parquet(path, schema, map(batch, range(0, len(collection), _BATCH)), unlike=[_RECORD.name])


def read_collection(
    path: Path, folder: Path, report: CollectionReport | None = None, *, seal: Seal | None = None
) -> Collection:
    """Open what `save_collection` wrote; the pictures lie below ``folder``.

    Ids and their order are read now, everything else when it is asked for, from the file that stays open. With the
    ``seal`` of the file, its size is checked, and its bytes if it is small.

    Raises:
        ProvenanceError: the file is missing, damaged, or from another version. Damage within columns that were not
            read yet is told when they are: every page has a checksum.
    """
    if seal is not None:
        seal.require(path)
    file = open_parquet(path)

    def card() -> tuple[str, tuple[str, ...]]:
        found = json.loads(file.schema_arrow.metadata[_CARD])
        if found["format"] != _FORMAT:
            raise ProvenanceError(f"{path} was written by another version (format {found['format']}); {_REBUILD}")
        if file.schema_arrow not in (_FILED, _SCHEMA.append(_ORDER)):  # earlier versions wrote no records
            raise ProvenanceError(f"{path} does not have the columns of a collection; {_REBUILD}")
        return str(found["fingerprint"]), tuple(found["attributes"])

    lock = threading.Lock()  # one file is read by one thread at a time

    def group(number: int, names: list[str]) -> Any:
        with lock:
            table = read_checked(path, lambda: file.read_row_group(number, columns=names, use_threads=False))
        return table.combine_chunks().to_batches()[0]

    def batch(number: int) -> Any:
        return group(number, _SCHEMA.names)

    def records(number: int) -> Any:
        return group(number, [_RECORD.name]).column(0)

    def column(name: str) -> Any:
        with lock:
            return read_checked(path, lambda: read_column(file, name))

    fingerprint, attributes = read_checked(path, card)
    ids = Ids(column("id"), int32_values(column("order")))
    if len(ids.order) != len(ids) or ((ids.order < 0) | (ids.order >= len(ids))).any():
        raise ProvenanceError(f"the order of the ids in {path} is damaged; {_REBUILD}")
    groups = [
        file.metadata.row_group(number).total_byte_size for number in range(min(_BATCHES_KEPT, file.num_row_groups))
    ]
    kept = max(_BATCHES_KEPT, _BYTES_KEPT * len(groups) // max(1, sum(groups)))
    one_by_one = lru_cache(kept)(records) if _RECORD.name in file.schema_arrow.names else None
    works = _Works(ids, fingerprint, attributes, lru_cache(kept)(batch), column, one_by_one)
    return Collection(works, folder, report, path.parent / FOLDER)


def fingerprint_of(items: Iterable[Item]) -> str:
    """The fingerprint of a collection of these works: 16 hexadecimal digits over `Item.record_digest`."""
    total = hashlib.sha256()
    for item in items:
        record = item.record_digest.encode()
        total.update(len(record).to_bytes(8, "little") + record)  # as `digest` of all of them, without their list
    return total.hexdigest()[:16]


def _in_memory(items: Iterable[Item]) -> _Works:
    batches: list[Any] = []
    attributes: set[str] = set()

    def passed() -> Iterator[Item]:
        rest = iter(items)
        while some := list(islice(rest, _BATCH)):
            batches.append(_batch(some))
            attributes.update(chain.from_iterable(item.attributes for item in some))
            yield from some

    fingerprint = fingerprint_of(passed())
    table = pa.Table.from_batches(batches, _SCHEMA)

    def column(name: str) -> Any:
        return table.column(name).combine_chunks()

    ids = Ids(column("id"))
    if ids.repeated:
        raise CollectionError(f"ids must be unique, but these stand more than once: {', '.join(ids.repeated[:5])}")
    return _Works(ids, fingerprint, tuple(sorted(attributes)), batches.__getitem__, column)


# Lists and maps are handed over as their flat values and the places where each work's begin: a hundred thousand works
# take a tenth of the time that a Python object for each would.


def _batch(items: Sequence[Item]) -> Any:
    columns = [text_array(map(attrgetter(name), items)) for name in _TEXTS]
    columns += [int32_array(map(attrgetter(name), items)) for name in ("year_from", "year_to")]
    words = [item.keywords for item in items]
    cells = [sorted(item.attributes.items()) for item in items]
    pictures = [item.pictures for item in items]
    names, values = _transposed(cells)
    shown = pa.StructArray.from_arrays(_transposed(pictures), fields=list(_PICTURE))
    columns += [
        pa.ListArray.from_arrays(_offsets(words), text_array(chain.from_iterable(words))),
        pa.MapArray.from_arrays(_offsets(cells), names, values),
        pa.ListArray.from_arrays(_offsets(pictures), shown),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def _transposed(pairs: Iterable[Iterable[tuple[str, str]]]) -> list[Any]:
    flat = list(chain.from_iterable(pairs))
    return [text_array(pair[place] for pair in flat) for place in range(2)]


def _offsets(rows: Sequence[Sized]) -> Any:
    return int32_array([0, *accumulate(map(len, rows))])


def _decoded(slices: Sequence[Any]) -> list[Item]:
    return list(_items(pa.Table.from_batches(slices).combine_chunks().to_batches()[0]))


def _items(batch: Any) -> Iterator[Item]:
    """The works of one record batch with the columns of the schema."""
    keywords, attributes, pictures = (batch.column(name) for name in _SCHEMA.names[-3:])
    words = _strings(_own(keywords, keywords.values))
    names, values = (_strings(_own(attributes, each)) for each in (attributes.keys, attributes.items))
    columns: dict[str, Iterable[Any]] = {name: _strings(batch.column(name)) for name in _TEXTS}
    columns |= {name: batch.column(name).to_pylist() for name in ("year_from", "year_to")}
    columns["keywords"] = [tuple(words[start:end]) for start, end in _ranges(keywords)]
    columns["attributes"] = [
        MappingProxyType(dict(zip(names[start:end], values[start:end], strict=True)))
        for start, end in _ranges(attributes)
    ]
    shown = [tuple([(each["path"], each["sha256"]) for each in some]) for some in pictures.to_pylist()]
    columns["picture"] = [some[0][0] if some else "" for some in shown]
    columns["picture_digest"] = [some[0][1] if some else "" for some in shown]
    columns["further_pictures"] = [some[1:] for some in shown]
    return map(Item, *[columns[name] for name in Item.__dataclass_fields__])


def _ranges(column: Any) -> Iterator[tuple[int, int]]:
    """From where to where each work's values go among its own, see `_own`."""
    offsets = column.offsets.to_pylist()
    return pairwise([offset - offsets[0] for offset in offsets])


def _own(column: Any, values: Any) -> Any:
    """The values that belong to a slice of a column; Arrow gives those of the whole."""
    first, last = column.offsets[0].as_py(), column.offsets[-1].as_py()
    return values.slice(first, last - first)


def _coded(column: Any) -> tuple[npt.NDArray[np.int64], list[str]]:
    """A code int64 (n,) for each text of a column, and the distinct texts by code, in the order in which they come."""
    encoded = column.dictionary_encode()
    return int32_values(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()


def _strings(column: Any) -> list[str]:
    strings: list[str] = column.to_pylist()
    return strings
