"""The vectors of one encoder and one modality, with the record of where they come from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vernissage.catalog.ids import Ids
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, UnknownItemError
from vernissage.files import (
    SMALL,
    Seal,
    array_digest,
    int32_array,
    int32_values,
    open_parquet,
    read_array,
    read_card,
    read_checked,
    read_column,
    seal_of,
    text_array,
    write_json,
    write_parquet,
    write_rows,
)
from vernissage.values import MODALITY_CARDS, Vectors

_ROW_GROUP = 65_536
_SAMPLED = 1024
_CANCELLED = 1e-3
"""The length of a sum of unit vectors below which rounding would decide its direction."""
_UNIT = 1e-3
"""How far the squared length of a stored vector may be from 1; float32 keeps it within 1e-6."""
_TOLD = ("encoder", "fingerprint", "modality", "collection", "values")
_CARD = dict.fromkeys((*_TOLD, "ids"), str) | dict.fromkeys(("count", "dim", "size"), int) | {"rows": Seal}
_LABELS = tuple(
    pa.field(name, kind, nullable=False)
    for name, kind in (("id", pa.string()), ("order", pa.int32()), ("content", pa.string()), ("row", pa.int32()))
)


@dataclass(frozen=True)
class VectorCard:
    """Where vectors come from: which encoder, which collection, which content of every work.

    Attributes:
        encoder: the encoder's name.
        fingerprint: the encoder's fingerprint over weights and preprocessing.
        modality: what of the works was read, such as ``image`` or ``text``.
        collection: the fingerprint of the collection that was encoded.
        item_ids: the work of each row.
        contents: the SHA-256 of the picture or text that each row was made of; of several pictures, one over all.
        values: the SHA-256 of the array, see `array_digest`.
    """

    encoder: str
    fingerprint: str
    modality: str
    collection: str
    item_ids: Sequence[str]
    contents: Sequence[str]
    values: str


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Unit vectors float32 (n, dim) by work id, immutable, with their card; mapped from their file where they have one.

    Raises:
        ProvenanceError: the card is not of such vectors.
    """

    vectors: Vectors
    card: VectorCard

    def __post_init__(self) -> None:
        vectors, count = self.vectors, len(self.card.item_ids)
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != count:
            raise ProvenanceError(
                f"vectors of {self.card.encoder} have type {vectors.dtype} and shape {vectors.shape}, but float32 with "
                f"{count} rows is needed; run `vernissage build` again"
            )

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def item_ids(self) -> Ids:
        """The work of each row."""
        return Ids.of(self.card.item_ids)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each work id, as one dictionary; of many works `rows` takes less memory."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    def rows(self, item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """The rows of works, int64 (m,). Raises UnknownItemError: a work has no vector here."""
        rows = self.item_ids.rows(item_ids)
        if (rows < 0).any():
            missing = [item_ids[place] for place in np.flatnonzero(rows < 0)[:5].tolist()]
            modality = MODALITY_CARDS.get(self.card.modality)
            raise UnknownItemError(
                f"{', '.join(missing)}: no {self.card.modality} vector of {self.card.encoder} for that; "
                f"choose works that have a {modality.one if modality else 'picture or a text'}, or another engine"
            )
        return rows

    def vectors_of(self, item_ids: Sequence[str]) -> Vectors:
        """The vectors of some works, zeros where the table has none: float32 (n, dim); those of all as they lie."""
        if len(item_ids) == len(self) and self.item_ids == item_ids:
            return self.vectors
        rows, found = self.item_ids.rows(item_ids), np.zeros((len(item_ids), self.dim), np.float32)
        found[rows >= 0] = self.vectors[rows[rows >= 0]]
        return found

    def require(self, dim: int | None = None, **wanted: str) -> "VectorTable":
        """Return these vectors if their card has the ``wanted`` values and a sample of rows is of unit length.

        Raises:
            ProvenanceError: they are of another encoder, modality, fingerprint, collection or width than wanted, or no
                unit vectors.
        """
        if dim not in (None, self.dim):
            raise ProvenanceError(
                f"the {self.card.modality} vectors of {self.card.encoder} have {self.dim} numbers each, but were made "
                f"with {dim}; run `vernissage build` again"
            )
        what = f"{self.card.modality} vectors of {self.card.encoder}"
        require_source(self.card, what, **wanted)
        rows = self.vectors[:: max(1, len(self) // _SAMPLED)].astype(np.float64)
        if not np.allclose((rows * rows).sum(axis=1), 1.0, atol=_UNIT):  # also where one is not a number
            raise ProvenanceError(f"the {what} are damaged: not all have length 1; run `vernissage build` again")
        return self

    def save(self, stem: Path) -> None:
        """Write ``stem``.npy, ``stem``.rows.parquet with ids and contents, and then ``stem``.card.json."""
        write_table(stem, [self.vectors], self.dim, self.card)

    @classmethod
    def load(cls, stem: Path, ids: Ids | None = None, *, whole: bool = False) -> "VectorTable":
        """Open what `save` wrote: the vectors stay in their file and are mapped into memory.

        Sizes are checked against the card, and the bytes of small files; with ``whole`` those of all. ``ids`` are used
        if the rows have the same, so that they are held once; contents are read when they are asked for.

        Raises:
            ProvenanceError: a file is missing, damaged, or not what the card describes.
        """
        array, rows = array_file(stem), rows_file(stem)
        content = read_card(card_file(stem), _CARD, "vectors")
        told = {key: content[key] for key in _TOLD}
        shape, size = (content["count"], content["dim"]), content["size"]
        Seal(**content["rows"]).require(rows, whole=whole)
        vectors = read_array(array, memory_map=True)
        if array.stat().st_size != size or vectors.shape != shape:
            raise ProvenanceError(
                f"{array} is damaged: it has {array.stat().st_size:,} bytes and shape {vectors.shape}, but {size:,} "
                f"and {shape} were written; delete it and run `vernissage build` again"
            )
        if (whole or size <= SMALL) and array_digest(vectors) != told["values"]:
            raise ProvenanceError(
                f"{array} is damaged: its bytes are not those that its card describes; delete it "
                f"and run `vernissage build` again"
            )
        item_ids = ids if ids is not None and ids.digest == content["ids"] else read_ids(rows)
        return cls(np.asarray(vectors), VectorCard(item_ids=item_ids, contents=Contents(rows, shape[0]), **told))


def write_table(stem: Path, blocks: Iterable[Vectors], dim: int, card: VectorCard) -> None:
    """Write vectors block by block, with one of them in memory, and then their card, with the digest of what came."""
    values = write_rows(array_file(stem), blocks, (len(card.item_ids), dim))
    write_table_card(stem, dim, replace(card, values=values))


def write_table_card(stem: Path, dim: int, card: VectorCard) -> None:
    """Write the ids and the card of vectors that are in their file already."""
    ids = Ids.of(card.item_ids)
    rows = asdict(write_labels(rows_file(stem), ids, card.contents))
    told = {key: getattr(card, key) for key in _TOLD} | {"ids": ids.digest, "count": len(ids), "dim": dim}
    write_json(card_file(stem), told | {"size": array_file(stem).stat().st_size, "rows": rows})


def require_source(card: object, what: str, **wanted: str) -> None:
    """Refuse, by a `ProvenanceError`, what a card says was made with something else than ``wanted``."""
    for name, value in wanted.items():
        if (found := getattr(card, name)) != value:
            raise ProvenanceError(
                f"the {what} were made with {name} {found}, but the workspace has {value}; run `vernissage build` again"
            )


def write_labels(path: Path, ids: Ids, contents: Sequence[str], rows: npt.NDArray[np.int32] | None = None) -> Seal:
    """Write what the rows of an array are: ids with their alphabetical order, contents, and perhaps other rows."""
    columns = [ids.array, int32_array(ids.order.tolist()), text_array(contents)]
    columns += [] if rows is None else [int32_array(rows.tolist())]
    schema = pa.schema(list(_LABELS)[: len(columns)])
    write_parquet(path, schema, pa.Table.from_arrays(columns, schema=schema).to_batches(_ROW_GROUP))
    return seal_of(path)


def read_labels(path: Path, name: str) -> Any:
    """One column of what `write_labels` wrote, as one Arrow array; `ProvenanceError` as in `read_checked`."""
    return read_checked(path, lambda: read_column(open_parquet(path), name))


def read_ids(path: Path) -> Ids:
    """The ids of what `write_labels` wrote, with their order."""
    return read_checked(path, lambda: Ids(read_labels(path, "id"), int32_values(read_labels(path, "order"))))


class Contents(Sequence[str]):
    """Digests of contents, read from their file when they are asked for: only builds need them."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count

    @cached_property
    def _read(self) -> Any:
        return read_labels(self._path, "content")

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        found: Any = self._read[index]  # a scalar or an array of Arrow's
        return str(found) if isinstance(index, int) else tuple(found.to_pylist())

    def __iter__(self) -> Iterator[str]:
        return iter(self._read.to_pylist())

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def make_vector_table(
    vectors: Vectors,
    item_ids: Sequence[str],
    contents: Sequence[str],
    *,
    encoder: str,
    fingerprint: str,
    modality: str,
    collection: str,
) -> VectorTable:
    """Join vectors float32 (n, dim) with their provenance."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    ids = Ids.of(item_ids)
    card = VectorCard(encoder, fingerprint, modality, collection, ids, tuple(contents), array_digest(rows))
    return VectorTable(rows, card)


def pooled(vectors: Vectors, works: npt.NDArray[np.intp]) -> Vectors:
    """One vector for each work from those of its pictures: the mean of the unit vectors, scaled to length 1 again.

    The mean is what an inner product is linear in: up to that scale, a work's score is the mean of its pictures'
    scores, whatever the query. Pictures in which nothing was found (rows of zeros) do not count. A work with one such
    picture keeps its bits; where pictures cancel each other out, the first that tells anything stands for the work.

    Args:
        vectors: of pictures, float32 (m, dim), unit rows or zeros.
        works: the work of each row, int (m,), rising from 0 without gaps.

    Returns:
        float32 (n, dim); a row of zeros where nothing was found in any picture of the work.
    """
    told = np.flatnonzero(vectors.any(axis=1))
    found, first, counts = np.unique(works[told], return_index=True, return_counts=True)
    result = np.zeros((int(works[-1]) + 1 if len(works) else 0, vectors.shape[1]), dtype=np.float32)
    result[found] = vectors[told[first]]
    if (several := counts > 1).any():
        sums = np.add.reduceat(vectors[told].astype(np.float64), first)[several]
        lengths = np.linalg.norm(sums, axis=1)
        result[found[several]] = np.where(lengths[:, None] > _CANCELLED, unit_rows(sums), result[found[several]])
    return result


def merged(tables: Sequence[VectorTable]) -> VectorTable:
    """Tables of one encoder as one; a work that stands in several has what `pooled` makes of its vectors.

    The only one is returned as it is; else works are in the order of their ids.
    """
    if len(tables) == 1:
        return tables[0]
    ids = np.array([item_id for table in tables for item_id in table.item_ids], dtype=object)
    contents = [content for table in tables for content in table.card.contents]
    distinct, works = np.unique(ids, return_inverse=True)
    order = np.argsort(works, kind="stable")
    content_of = {ids[row]: contents[row] for row in order[::-1].tolist()}
    vectors = pooled(np.concatenate([table.vectors for table in tables])[order], works[order])
    card = tables[0].card
    about = {"encoder": card.encoder, "fingerprint": card.fingerprint, "collection": card.collection}
    named = [content_of[item_id] for item_id in distinct]
    return make_vector_table(vectors, distinct.tolist(), named, modality=card.modality, **about)


def side_by_side(tables: Sequence[VectorTable]) -> tuple[tuple[str, ...], Vectors]:
    """The works that stand in every table, and their vectors joined: float32 (n, sum of dims)."""
    rows = np.stack([table.item_ids.rows(tables[0].item_ids) for table in tables])
    rows = rows[:, (rows >= 0).all(axis=0)]
    ids = tuple(tables[0].item_ids[row] for row in rows[0].tolist())
    return ids, np.concatenate([table.vectors[own] for table, own in zip(tables, rows, strict=True)], axis=1)


def card_file(stem: Path) -> Path:
    """Where the card of a table lies; it is written last, so its presence says that the table is whole."""
    return stem.with_name(f"{stem.name}.card.json")


def array_file(stem: Path) -> Path:
    """Where the vectors lie."""
    return stem.with_name(f"{stem.name}.npy")


def rows_file(stem: Path) -> Path:
    """Where the ids and contents of the rows lie."""
    return stem.with_name(f"{stem.name}.rows.parquet")
