"""Vectors that a museum has published, as a source of works: what the files say of each subject, and its vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vernissage.catalog.fetching import FetchedPictures
from vernissage.catalog.report import Problem, ProblemKind, Reading
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Record
from vernissage.catalog.sources.folder import FolderSource, described_by_table
from vernissage.catalog.sources.tables import Rows, Table, unique_columns
from vernissage.catalog.sources.vector_files import Batch, VectorFile
from vernissage.catalog.words import clean_cell, is_address
from vernissage.errors import CollectionError
from vernissage.files import digest, seal_of, text_array
from vernissage.progress import Progress, silent
from vernissage.values import Modality

UNIT = 1e-3
"""How far the length of a vector may be from 1 where a model's vectors have that length."""

_MOSTLY = 0.95
_MOST_NUMBERS = 16_384
"""In a vector: z-scores need the square of it, 2 GB of them."""
_KNOWN_AS = {"subject_title": "title", "subject_url": "link", "subject_creditline": "credit", "preview": "image"}
"""Attributes of the convention (https://millsfield.sfomuseum.org/blog/2026/04/15/oembeddings/) in words of tables."""
_NOT_SPOKEN = frozenset({"type", "provider", "provider_name", "provider_url", "depiction_url", "link", "image"})
_FAULTS = {
    1: ("has no vector", "export the row again, or take it out"),
    2: ("has numbers that are not finite", "make the vector again"),
    3: ("has a vector of zeros, which is like nothing", "take the row out"),
    4: ("has {size} numbers where vectors of {model} have {dim}", "say by the column model which model made it"),
    5: ("has numbers of type {dtype} where vectors of {model} have {known}", "export all with one type"),
    6: ("has length {norm:.3g} where vectors of {model} have length 1", "scale it as the others, or take it out"),
    7: ("names no model", "say by the column model which one made the vector"),
    8: ("has no subject_id", "give the id of the work"),
    9: (
        "has the depiction_id {depiction} of an earlier row of {model}",
        "give each picture its own id, or take one out",
    ),
    10: ("has {size} numbers, more than any search here takes", "make the vectors shorter"),
}


@dataclass(frozen=True)
class ModelIdentity:
    """The identity card of a model that made vectors, as far as their files tell it.

    Attributes:
        model: its name.
        dim: how many numbers a vector has.
        dtype: of the numbers in the files.
        normalised: whether all vectors have length 1.
        revision, checksum: which weights; empty where that is not said.
        preprocessing: of pictures, in words; empty where that is not said.
    """

    model: str
    dim: int
    dtype: str = "float32"
    normalised: bool = False
    revision: str = ""
    checksum: str = ""
    preprocessing: str = ""


@dataclass(frozen=True, eq=False)
class PublishedVectors:
    """What files of vectors hold, but for the numbers, which `blocks` reads when they are asked for.

    Attributes:
        files: in their order.
        identities: of the models, by name.
        keys: model and modality of each set of vectors.
        key: for each row its place in ``keys``, −1 for rows that cannot be used: int32 (n,).
        subjects: the ids of all works, each once.
        subject: for each row the place of its work in ``subjects``: int32 (n,).
        norms: the length of each row's vector, float32 (n,).
        firsts: attributes of each subject's first row.
        first_rows: the row of each, as a person counts.
        problems: of the rows that cannot be used.
    """

    files: tuple[VectorFile, ...]
    identities: Mapping[str, ModelIdentity]
    keys: tuple[tuple[str, Modality], ...]
    key: npt.NDArray[np.int32]
    subjects: Any
    subject: npt.NDArray[np.int32]
    norms: npt.NDArray[np.float32]
    firsts: Any
    first_rows: Sequence[int]
    problems: tuple[Problem, ...]

    def blocks(self) -> Iterator[tuple[int, Batch]]:
        """All rows in their order, some at a time, each block with the place of its first row."""
        start = 0
        for file in self.files:
            for batch in file.batches():
                yield start, batch
                start += batch.labels.num_rows

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the bytes of all files."""
        return digest(*(seal_of(file.path).sha256.encode() for file in self.files))[:16]


def read_published(files: Sequence[VectorFile], progress: Progress = silent) -> PublishedVectors:
    """Read files of vectors to their end, and judge every row, with one batch of vectors in memory.

    Raises:
        CollectionError: a file is damaged, or gives no ids.
    """
    total, row = sum(file.rows for file in files), 0
    columns: dict[str, list[Any]] = {name: [] for name in ("subject_id", "depiction_id", "model")}
    told: list[_Numbers] = []
    seen: set[str | None] = {None, ""}
    firsts, first_rows = list[Any](), list[int]()
    for number, file in enumerate(files):
        for batch in file.batches():
            progress("reading vectors", row, total if total >= row else 0)
            for name in columns:
                columns[name] += batch.labels.column(name).chunks
            told.append(_numbers_of(batch, number))
            subjects = batch.labels.column("subject_id").to_pylist()
            places = dict(zip(reversed(subjects), range(len(subjects) - 1, -1, -1), strict=True))  # the first of each
            new = sorted(at for each, at in places.items() if each not in seen)
            seen.update(places)
            firsts += batch.labels.column("attributes").take(pa.array(new, pa.int64())).chunks
            first_rows += [row + at + 1 for at in new]
            row += batch.labels.num_rows
    if not told:
        raise CollectionError(f"{files[0].path} has no row; export the vectors again")
    joined = {name: pa.chunked_array(some, pa.string()).combine_chunks() for name, some in columns.items()}
    numbers = _Numbers(*(np.concatenate(parts) for parts in zip(*told, strict=True)))
    return _judged(files, joined, numbers, pa.chunked_array(firsts, _MAP), first_rows)


_MAP = pa.map_(pa.string(), pa.string())


class _Numbers(NamedTuple):
    """Of each row: how many numbers, their length, their file, their type's place in `_TYPES`, whether of a text."""

    sizes: npt.NDArray[np.int64]
    norms: npt.NDArray[np.float64]
    file: npt.NDArray[np.int32]
    dtype: npt.NDArray[np.int8]
    text: npt.NDArray[np.bool_]


_TYPES = ("float16", "float32", "float64")


def _numbers_of(batch: Batch, file: int) -> _Numbers:
    sizes = np.diff(batch.offsets)
    squares = np.zeros(len(sizes))
    for size in np.unique(sizes[sizes > 0]).tolist():
        rows = np.flatnonzero(sizes == size)
        block = rows_of(batch, rows, size)
        with np.errstate(all="ignore"):
            found = np.einsum("ij,ij->i", block, block).astype(np.float64)
        odd = np.flatnonzero(~np.isfinite(found) | (found < 1e-30))  # beyond float32, or not finite, or zeros
        wide = block[odd].astype(np.float64)
        found[odd] = np.einsum("ij,ij->i", wide, wide)
        squares[rows] = found
    count, (at, names, values) = len(sizes), _flat(batch.labels.column("attributes"))
    text = np.zeros(count, dtype=bool)
    text[at[pc.and_(pc.equal(names, "type"), pc.equal(values, "text")).to_numpy(zero_copy_only=False)]] = True
    dtype = _TYPES.index(batch.dtype) if batch.dtype in _TYPES else 1
    return _Numbers(sizes, np.sqrt(squares), np.full(count, file, np.int32), np.full(count, dtype, np.int8), text)


def rows_of(batch: Batch, rows: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.float32]:
    """The vectors of some rows of a batch, each of ``size`` numbers: float32 (m, size)."""
    if (np.diff(batch.offsets) == size).all():
        whole: npt.NDArray[np.float32] = batch.values.reshape(-1, size)
        return whole if len(rows) == len(whole) else whole[rows]
    starts = batch.offsets[rows]
    if len(rows) and starts[-1] - starts[0] == size * (len(rows) - 1):
        return batch.values[starts[0] : starts[0] + size * len(rows)].reshape(-1, size)
    gathered: npt.NDArray[np.float32] = batch.values[starts[:, None] + np.arange(size)]
    return gathered


def _flat(attributes: Any) -> tuple[npt.NDArray[np.int64], Any, Any]:
    """The row of each name of a map, the names, and their values, as texts."""
    column = attributes.combine_chunks()
    offsets = column.offsets.to_numpy()
    first, last = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    rows = np.repeat(np.arange(len(column)), np.diff(offsets))
    return rows, column.keys.slice(first, last - first), pc.fill_null(column.items.slice(first, last - first), "")


def _judged(
    files: Sequence[VectorFile], labels: Mapping[str, Any], numbers: _Numbers, firsts: Any, first_rows: Sequence[int]
) -> PublishedVectors:
    models, names = _codes(labels["model"])
    subject, subjects = _codes(labels["subject_id"])
    depiction, _ = _codes(labels["depiction_id"])
    verdict = np.zeros(len(models), np.int8)
    finite = numbers.norms <= np.finfo(np.float32).max
    wide = numbers.sizes > _MOST_NUMBERS
    for code, at in ((3, numbers.norms == 0), (2, ~finite), (1, numbers.sizes == 0), (10, wide)):
        verdict[at] = code
    verdict[models < 0], verdict[subject < 0] = 7, 8
    stated = {name: each for file in files for name, each in file.identities.items()}
    identities = {}
    for code, name in enumerate(names):
        rows = np.flatnonzero((models == code) & (verdict == 0))
        if len(rows):
            identities[name] = _identity(name, numbers, rows, stated.get(name, {}), verdict)
    key = np.where(verdict == 0, 2 * models + numbers.text, -1)
    order = np.lexsort((np.arange(len(key)), depiction, key))
    same = (key[order][1:] == key[order][:-1]) & (depiction[order][1:] == depiction[order][:-1]) & (key[order][1:] >= 0)
    verdict[order[1:][same]] = 9
    key[verdict > 0] = -1
    there = list(dict.fromkeys(key[key >= 0].tolist()))
    places = np.full(2 * len(names) + 1, -1, np.int32)
    places[there] = np.arange(len(there))
    sets = tuple((names[each // 2], "text" if each % 2 else "image") for each in there)
    problems = tuple(_problems(files, labels, numbers, identities, verdict))
    return PublishedVectors(
        tuple(files), identities, sets, places[key], subjects, subject,
        np.where(finite, numbers.norms, np.inf).astype(np.float32), firsts, first_rows, problems,
    )  # fmt: skip


def _codes(column: Any) -> tuple[npt.NDArray[np.int32], Any]:
    """A number for each distinct text, in the order in which they come, −1 for none; and the texts."""
    told = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column).dictionary_encode()
    codes = pc.fill_null(told.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, told.dictionary.to_pylist() if len(told.dictionary) < 10_000 else told.dictionary


def _identity(
    name: str, numbers: _Numbers, rows: npt.NDArray[np.intp], stated: Mapping[str, Any], verdict: npt.NDArray[np.int8]
) -> ModelIdentity:
    """What a model's vectors are: as is stated, else as most of them are; the others get their verdict."""
    kinds, counts = np.unique(numbers.sizes[rows] * 4 + numbers.dtype[rows], return_counts=True)
    dim, dtype = divmod(int(kinds[np.argmax(counts)]), 4)
    dim = int(stated["dim"]) if isinstance(stated.get("dim"), int) and stated["dim"] is not True else dim
    unit = np.abs(numbers.norms[rows] - 1) < UNIT
    normalised = bool(stated["normalised"]) if "normalised" in stated else bool(unit.mean() >= _MOSTLY)
    verdict[rows[(numbers.dtype[rows] != dtype)]] = 5
    if normalised:
        verdict[rows[np.abs(numbers.norms[rows] - 1) > 10 * UNIT]] = 6
    verdict[rows[numbers.sizes[rows] != dim]] = 4
    texts = {each: str(stated.get(each) or "") for each in ("revision", "checksum", "preprocessing")}
    return ModelIdentity(name, dim, _TYPES[dtype], normalised, **texts)


def _problems(
    files: Sequence[VectorFile],
    labels: Mapping[str, Any],
    numbers: _Numbers,
    identities: Mapping[str, ModelIdentity],
    verdict: npt.NDArray[np.int8],
) -> Iterator[Problem]:
    for row in np.flatnonzero(verdict).tolist():
        subject, depiction, model = (
            labels[each][row].as_py() or "" for each in ("subject_id", "depiction_id", "model")
        )
        known = identities.get(model, ModelIdentity(model, 0))
        what, way_out = _FAULTS[int(verdict[row])]
        what = what.format(
            size=numbers.sizes[row], model=model, dim=known.dim, dtype=_TYPES[numbers.dtype[row]], known=known.dtype,
            norm=numbers.norms[row], depiction=depiction,
        )  # fmt: skip
        kind: ProblemKind = "duplicate id" if verdict[row] == 9 else "no id" if verdict[row] == 8 else "unusable vector"
        yield Problem(kind, row + 1, subject, files[numbers.file[row]].path.name, f"the row {what}", way_out)


class PublishedSource:
    """Works that vectors were published of, as a `Source`: those of a table, and others of the files.

    Attributes:
        base: the table or folder whose works are joined by their ids; None without one.
    """

    def __init__(
        self,
        location: Path,
        files: Sequence[VectorFile],
        base: FolderSource | None = None,
        *,
        options: TableOptions | None = None,
        fetched: FetchedPictures | None = None,
    ) -> None:
        self.location, self.base, self.fetched = location, base, fetched
        self._files, self._options = tuple(files), options or TableOptions()
        self._vectors: PublishedVectors | None = None

    @property
    def name(self) -> str:
        return self.location.resolve().name if self.location.is_dir() else self.location.stem

    @property
    def folder(self) -> Path:
        return self._works.folder

    @property
    def vectors(self) -> PublishedVectors:
        """What the files hold."""
        return self._vectors or self._read(silent)

    def _read(self, progress: Progress) -> PublishedVectors:
        self._vectors = read_published(self._files, progress)
        if self.base is not None:  # its ids are to be written as those of the vectors are
            self.base.whole_ids = any(is_address(str(each)) for each in self._vectors.subjects[:1])
        return self._vectors

    def forget_words(self) -> None:
        """Let go of what the files say of the works, once they have been read: hundreds of megabytes of many works."""
        self.__dict__.pop("_alone", None)
        self.__dict__.pop("_of_files", None)
        self._vectors = replace(self.vectors, firsts=self.vectors.firsts.slice(0, 0), first_rows=())
        pa.default_memory_pool().release_unused()

    def fingerprint(self) -> str:
        parts = [self.vectors.fingerprint, *([self.base.fingerprint()] if self.base else [])]
        return digest(*(part.encode() for part in parts))[:16]

    def count(self) -> int:
        return len(self._alone.rows) + (self.base.count() if self.base else 0)

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        read = self._vectors
        if read is None or len(read.first_rows) < len(read.subjects):  # never read, or let go
            self._read(progress)
        if self.base is not None:
            yield from self.base.records(progress)
        if self.base is None or len(self._alone.rows):
            yield from self._of_files.records(progress)

    def reading(self) -> Reading:
        vectors, told = self.vectors, self._works.reading()
        usable = int((vectors.key >= 0).sum())
        known = vectors.identities.values()
        models = ", ".join(f"{each.model} ({each.dim} numbers{', length 1' * each.normalised})" for each in known)
        names = ", ".join(file.path.name for file in vectors.files)
        remarks = [f"vectors of {names}: {usable} rows by {models or 'no model'}"]
        if self.base is not None:
            table, alone = told.table or self.base.name, len(self._alone.rows)
            remarks.append(f"works that have vectors and no row in {table}: {alone}")
        if widened := [each.model for each in known if each.dtype != "float32"]:
            remarks.append(f"vectors of {', '.join(widened)} are kept as float32")
        return replace(
            told,
            problems=(*told.problems, *vectors.problems),
            joined=told.joined + max(0, usable - len(self._alone.rows)),
            remarks=(*told.remarks, *remarks),
            stop=told.stop if self.base is not None else "",
        )

    def picture_path(self, picture: str) -> Path:
        return self._works.picture_path(picture)

    @property
    def _works(self) -> FolderSource:
        return self.base or self._of_files

    @cached_property
    def _alone(self) -> Table:
        """The subjects with usable vectors that no row of the table is about, with their attributes as columns."""
        vectors = self.vectors
        known = set() if self.base is None else {record.item.id for record in self.base.records()}
        ids = vectors.subjects if isinstance(vectors.subjects, list) else vectors.subjects.to_pylist()
        used = np.unique(vectors.subject[vectors.key >= 0]).tolist()
        if known and used and not any(ids[each] in known for each in used):
            raise CollectionError(
                f"no work of {self.base.location if self.base else ''} has an id of {self.location} (there "
                f"{', '.join(sorted(known)[:3])}, here {', '.join(ids[each] for each in used[:3])}); name the table's "
                f"column of those ids with --column id=COLUMN"
            )
        chosen = [each for each in used if ids[each] not in known]
        return _table_of(vectors, [ids[each] for each in chosen], np.array(chosen, np.int64))

    @cached_property
    def _of_files(self) -> FolderSource:
        options = self._options if self.base is None else TableOptions()
        spoken = {name: False for name in self._alone.columns if name in _NOT_SPOKEN}
        own = replace(options, columns={**options.columns, "id": "id"}, text_columns={**spoken, **options.text_columns})
        return _OfTable(self.location, self._alone, own, self.fetched)


class _OfTable(FolderSource):
    """A table that is there already, instead of one in a file."""

    def __init__(self, path: Path, table: Table, options: TableOptions, fetched: FetchedPictures | None) -> None:
        super().__init__(path, options=options, fetched=fetched)
        self._found = (path if path.is_dir() else path.parent, path)
        self._described = described_by_table(table, path.name, options, whole_ids=True)


def _table_of(vectors: PublishedVectors, ids: Sequence[str], chosen: npt.NDArray[np.int64]) -> Table:
    """The attributes of some subjects as a table: a column for each name."""
    at, names, values = _flat(vectors.firsts.take(pa.array(chosen)))
    codes, distinct = names.dictionary_encode(), names.dictionary_encode().dictionary.to_pylist()
    places = codes.indices.to_numpy(zero_copy_only=False)
    cells = {"id": text_array(ids)}
    for code, name in enumerate(distinct):
        own = np.flatnonzero(places == code)
        rows = np.full(len(ids), -1, np.int64)
        rows[at[own]] = own
        column = pc.fill_null(values.take(pa.array(rows, mask=rows < 0)), "")
        known = _KNOWN_AS.get(name, name)
        known = name if known in distinct or known in cells else known
        if name == "preview":  # the text itself where the vector is of a text
            told = column.to_pylist()
            if not all(map(is_address, filter(None, told))):
                cells["preview"] = text_array("" if is_address(each) else clean_cell(each) for each in told)
            column = pa.array([each if is_address(each) else "" for each in told], pa.string())
        cells[known if known != "id" else "id of attributes"] = _cleaned(column)
    header = unique_columns(list(cells))
    numbers = [vectors.first_rows[each] for each in chosen.tolist()]
    return Table(header, Rows.of_columns(numbers, list(cells.values())))


def _cleaned(column: Any) -> Any:
    told = column.dictionary_encode()
    return text_array(map(clean_cell, told.dictionary.to_pylist())).take(told.indices)
