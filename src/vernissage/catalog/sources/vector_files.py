"""Files that hold vectors of works, whatever their format, as batches of one form: labels of rows, and numbers.

The form is that of the convention by which museums exchange vectors: Parquet of ``provider``, ``depiction_id``,
``subject_id``, ``model``, ``embeddings``, ``created``, ``attributes``
(https://millsfield.sfomuseum.org/blog/2026/04/06/shared-embeddings/).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vernissage.catalog.sources.columns import candidates, plain_name
from vernissage.catalog.sources.tables import READERS, as_cell, limit_json, read_delimited
from vernissage.errors import CollectionError, ProvenanceError, first_line
from vernissage.files import read_array, read_regular

LABELS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("provider", "depiction_id", "subject_id", "model")),
        pa.field("created", pa.int64()),
        pa.field("attributes", pa.map_(pa.string(), pa.string())),
    ]
)
"""What is known of each row beside its vector; a row of a plain table has its other columns as attributes."""

CARD = b"vernissage.encoders"
"""Where a Parquet file of ours says what its models are: model → fields of its identity card, as JSON."""

_NAMES = frozenset({"embeddings", "embedding", "vectors", "vector"})
_FEWEST = 8  # numbers: shorter lists are colours and places, unless their column is called otherwise
_BATCH_BYTES = 16 * 2**20
_LARGEST_BATCH = 2**30
_ROWS_AT_ONCE = 8192
_START = 2**20
_NUMBER = rb"[-+]?(?>\d++(?:\.\d*+)?|\.\d++)(?>[eE][-+]?\d++)?"
_NUMBERS = re.compile(rb"\[\s*+" + _NUMBER + rb"(?:[\s,;]++" + _NUMBER + rb"){7}")
_TEXT_TYPES = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary, pa.types.is_binary, pa.types.is_large_binary,
)  # fmt: skip
_FLOATS = {pa.float32(): "float32", pa.float64(): "float64", pa.float16(): "float16"}
_UNCLEAN = r"^\pZ|\pZ$|\pZ\pZ|[^\PZ ]|\pC"
"""Blanks that are none between words, and what is no letter: ids of tables have neither."""
_TEXTS = frozenset(READERS) - {".parquet", ".xlsx", ".xlsm"}


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        labels: of `LABELS`.
        values: the numbers of all vectors, float32 (m,).
        offsets: where each row's begin, int64 (n + 1,); a row without a vector has none.
        dtype: of the numbers in their file.
    """

    labels: Any
    values: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int64]
    dtype: str


@dataclass(frozen=True)
class VectorFile:
    """One file of vectors.

    Attributes:
        path: where it lies.
        columns: those that hold vectors; of a table without a column ``model`` each is a model of its own.
        identities: what the file says of its models, see `CARD`.
        ids: the column of a table that has the ids of works; found by its name where that is empty.
    """

    path: Path
    columns: tuple[str, ...] = ()
    identities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ids: str = ""

    @cached_property
    def rows(self) -> int:
        """How many rows it has; 0 where only reading tells."""
        return int(_opened(self.path).metadata.num_rows) if self.path.suffix.lower() == ".parquet" else 0

    def batches(self) -> Iterator[Batch]:
        """Its rows, some at a time, in their order.

        Raises:
            CollectionError: the file is damaged, or no column gives ids.
        """
        suffix = self.path.suffix.lower()
        try:
            if suffix == ".npy":
                yield from _of_array(self)
                return
            for table in _of_parquet(self) if suffix == ".parquet" else [_of_text(self)]:
                for column in self.columns or [each.name for each in table.schema if _is_list(each.type)]:
                    yield self._batch(table, column)
        except (pa.ArrowException, OSError, RecursionError, ValueError, ProvenanceError) as error:
            raise CollectionError(
                f"{self.path} cannot be read to its end ({first_line(error)}); fetch or export it again"
            ) from error

    def _batch(self, table: Any, column: str) -> Batch:
        vectors = table.column(column).combine_chunks()
        if pa.types.is_fixed_size_list(vectors.type):
            vectors = vectors.cast(pa.list_(vectors.type.value_type))
        lengths = pc.fill_null(pc.list_value_length(vectors), 0).to_numpy(zero_copy_only=False)
        values = vectors.flatten().cast(pa.float32(), safe=False)
        values = pc.fill_null(values, float("nan")) if values.null_count else values
        others = table.drop_columns([name for name in table.column_names if name in self.columns or name == column])
        labels = _labels(others, self, self.path.stem if plain_name(column) in _NAMES else column)
        labels.validate(full=True)  # files of others may call bytes a text
        return Batch(
            labels,
            values.to_numpy(),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            _FLOATS[vectors.type.value_type] if self.columns else "float32",  # text says nothing of its numbers' type
        )


def vector_files(path: Path, ids: str = "") -> tuple[VectorFile, ...]:
    """The files of vectors at a path, itself or those of a folder; none where it holds no vectors.

    A folder with a table ``metadata`` is that table's collection, unless that table itself holds vectors. ``ids`` is
    the column of the works' ids.

    Raises:
        CollectionError: a file is damaged, or what its name calls vectors are none.
    """
    if not path.is_dir():
        if path.suffix.lower() == ".npy" and path.is_file() and not _ids_of(path).is_file():
            raise CollectionError(f"{path} has no ids; write them, one a line for each row, to {_ids_of(path)}")
        return tuple(_vector_file(path, ids)) if path.is_file() else ()
    try:
        named = (each for each in path.iterdir() if each.suffix.lower() in (".npy", ".parquet", *_TEXTS))
        files = sorted(each for each in named if not each.name.startswith(".") and each.is_file())
    except OSError:
        return ()
    tables = [each for each in files if each.stem.lower() == "metadata" and each.suffix.lower() in READERS]
    return tuple(found for file in tables or files for found in _vector_file(file, ids))


def _vector_file(path: Path, ids: str) -> Iterator[VectorFile]:
    suffix = path.suffix.lower()
    if suffix == ".npy" and _ids_of(path).is_file():
        card = path.with_suffix(".card.json")
        told = _identities(b'{"card": %s}' % card.read_bytes() if card.is_file() else b"")
        yield VectorFile(path, identities={str(each.get("model", path.stem)): each for each in told.values()})
    elif suffix in (".parquet", *_TEXTS):
        try:
            with path.open("rb") as file:
                start = file.read(_START)
        except OSError:
            return
        if suffix in _TEXTS and any(b"." in found[0] for found in _NUMBERS.finditer(start)):
            yield VectorFile(path, ids=ids)
        elif suffix == ".parquet" and start[:4] == b"PAR1":
            opened = _opened(path)
            schema = opened.schema_arrow
            if columns := tuple(each.name for each in schema if _holds_vectors(opened, each, path)):
                if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
                    raise CollectionError(f"{path} has several columns {', '.join(twice)}; give each its own name")
                yield VectorFile(path, columns, _identities((schema.metadata or {}).get(CARD, b"")), ids)


def _ids_of(path: Path) -> Path:
    return path.with_suffix(".ids.txt")


def _identities(raw: bytes) -> Mapping[str, Mapping[str, Any]]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def _opened(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)  # of a row group of gigabytes, some pages
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CollectionError(
            f"{path} cannot be read as Parquet ({first_line(error)}); fetch or export it again"
        ) from error


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _holds_vectors(file: Any, column: Any, path: Path) -> bool:
    called = plain_name(column.name) in _NAMES
    if _is_list(column.type) and column.type.value_type in _FLOATS:
        return called or _width(file, column.name) >= _FEWEST
    if called and {"model", "subject_id"} <= set(file.schema_arrow.names):  # else it may be a word for something else
        raise CollectionError(
            f"the column {column.name} of {path} is of type {column.type}, where lists of float32, float64 or float16 "
            f"are needed, one for each row; export it so"
        )
    return False


def _width(file: Any, name: str) -> float:
    """How many numbers a row has on an average, as the file's end tells."""
    told = file.metadata
    place = next(at for at in range(told.num_columns) if told.schema.column(at).path.split(".")[0] == name)
    numbers = sum(told.row_group(group).column(place).num_values for group in range(told.num_row_groups))
    return float(numbers / max(1, told.num_rows))


def _of_parquet(file: VectorFile) -> Iterator[Any]:
    opened = _opened(file.path)
    widest = max(_width(opened, name) for name in file.columns)
    size = int(max(1, min(_ROWS_AT_ONCE, _BATCH_BYTES / 4 / max(1, widest))))
    for batch in opened.iter_batches(size, use_threads=False):
        if batch.nbytes > _LARGEST_BATCH:
            raise ValueError(f"{batch.num_rows} rows unpack to {batch.nbytes:,} bytes")
        yield pa.Table.from_batches([batch])


def _of_text(file: VectorFile) -> Any:
    """CSV, JSON or JSON Lines whose cells are lists of numbers, as Arrow columns."""
    raw, suffix = read_regular(file.path), file.path.suffix.lower()
    if suffix in (".json", ".jsonl", ".ndjson"):
        limit_json(raw)
        lines = [_object(line) for line in raw.splitlines() if line.strip()] if suffix != ".json" else []
        content = lines or json.loads(raw)
        if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
            raise ValueError("no list of objects, one for each vector")
        names = dict.fromkeys(name for each in content for name in each)
        rows: dict[str, list[Any]] = {name: [each.get(name) for each in content] for name in names}
    else:
        table = read_delimited(file.path, raw)
        rows = {name: list(table.column(place)) for place, name in enumerate(table.columns)}
    return pa.table({name: _column(name, cells) for name, cells in rows.items()})


def _object(line: bytes) -> dict[str, Any]:
    """The object of a line; an empty one, a row without anything, where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _column(name: str, cells: Sequence[Any]) -> Any:
    numbers = [_numbers(cell) for cell in cells]
    few = 2 if plain_name(name) in _NAMES else _FEWEST
    whole = all(number.is_integer() for each in numbers if each for number in each)  # as those of related works
    if not whole and any(each is not None and len(each) >= few for each in numbers):
        return pa.array(numbers, pa.list_(pa.float32()))
    return pa.array([json.dumps(cell) if isinstance(cell, dict) else as_cell(cell) for cell in cells], pa.string())


def _numbers(cell: Any) -> list[float] | None:
    """The list of numbers that a cell is or has written in it; None of others."""
    if isinstance(cell, str):
        cell = re.split(r"[\s,;|]+", cell.strip("[](){} \n\t")) if cell[:1] in ("[", "(", "{") else None
    try:
        return [float(each) for each in cell] if isinstance(cell, list) else None
    except (TypeError, ValueError):
        return None


def _of_array(file: VectorFile) -> Iterator[Batch]:
    """NumPy's format, with the ids of its rows in a text file beside it, one a line."""
    try:
        vectors = read_array(file.path, memory_map=True)
    except ProvenanceError as error:  # its way out is for files of ours
        raise error.__cause__ if isinstance(error.__cause__, ValueError) else ValueError("it is damaged") from error
    try:
        ids = read_regular(_ids_of(file.path)).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{_ids_of(file.path).name} is not written in UTF-8") from error
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(ids):
        raise ValueError(
            f"it has type {vectors.dtype} and shape {vectors.shape}, where {len(ids)} rows of floating-point numbers "
            f"are needed, one for each line of {_ids_of(file.path).name}"
        )
    card = next(iter(file.identities.values()), {})
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        block = np.ascontiguousarray(vectors[start : start + _ROWS_AT_ONCE], dtype=np.float32)
        pairs = [line.partition("\t") for line in ids[start : start + _ROWS_AT_ONCE]]
        rows = pa.table(
            {"subject_id": [each[0] for each in pairs], "depiction_id": [each[2] or each[0] for each in pairs]}
        )
        if card.get("modality"):
            rows = rows.append_column("type", pa.array([str(card["modality"])] * rows.num_rows))
        labels = _labels(rows, file, str(card.get("model", file.path.stem)))
        offsets = np.arange(len(block) + 1, dtype=np.int64) * block.shape[1]
        yield Batch(labels, block.ravel(), offsets, str(vectors.dtype))


def _labels(table: Any, file: VectorFile, model: str) -> Any:
    """The rows of a file without their vectors, as `LABELS`; ``model`` is that of rows that name none."""
    names, count = table.column_names, table.num_rows
    given = {name: table.column(name) for name in LABELS.names if name in names}
    if "subject_id" not in given or file.ids:
        places = candidates(names)["id"]
        own = file.ids or (names[places[0]] if places else "depiction_id" if "depiction_id" in given else "")
        if own not in names:
            raise CollectionError(
                f"{file.path} has vectors and no column {own or 'of ids'} (columns: {', '.join(names) or 'none'}); "
                f"call the column of the works' ids id, or say which it is with --column id=COLUMN"
            )
        given["subject_id"], names = table.column(own), [name for name in names if name != own]
    made = {name: _texts(column) for name, column in given.items() if name not in ("created", "attributes")}
    made.setdefault("depiction_id", made["subject_id"])
    made["depiction_id"] = pc.coalesce(made["depiction_id"], made["subject_id"])
    made.setdefault("provider", pa.nulls(count, pa.string()))
    if "model" not in given:
        made["model"] = pa.array([model] * count, pa.string())
    made["created"] = _seconds(given["created"]) if "created" in given else pa.nulls(count, pa.int64())
    others = [name for name in names if name not in LABELS.names]
    made["attributes"] = _attributes(given.get("attributes"), {name: table.column(name) for name in others}, count)
    return pa.table([made[name] for name in LABELS.names], schema=LABELS)


def _texts(column: Any) -> Any:
    """Cells of labels as texts, in one line and without control characters."""
    if any(is_kind(column.type) for is_kind in _TEXT_TYPES):
        column = column.cast(pa.string())
        if not pc.any(pc.match_substring_regex(column, _UNCLEAN)).as_py():
            return column
    told = [None if each is None else " ".join(as_cell(each).split()) for each in column.to_pylist()]
    return pa.array(told, pa.string())


def _seconds(column: Any) -> Any:
    """A Unix time, or what a table has in its place."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.int64(), safe=False)
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return pa.array([int(each) if str(each).isdecimal() else None for each in column.to_pylist()], pa.int64())


def _attributes(column: Any, others: Mapping[str, Any], count: int) -> Any:
    """Names and values of any type as texts: a map, an object, pairs, JSON, or what stands alone as ``attributes``."""
    wanted = LABELS.field("attributes").type
    if column is not None and not others and column.type == wanted:
        return column
    told: list[dict[str, str]] = [_pairs(value) for value in column.to_pylist()] if column is not None else []
    told = told or [{} for _ in range(count)]
    for name, cells in others.items():
        for pairs, value in zip(told, cells.to_pylist(), strict=True):
            if cell := as_cell(value):
                pairs.setdefault(name, cell)
    return pa.array([list(pairs.items()) for pairs in told], wanted)


def _pairs(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {"attributes": value}
    if isinstance(value, list) and all(isinstance(each, dict) and {"key", "value"} <= each.keys() for each in value):
        value = [(each["key"], each["value"]) for each in value]
    if isinstance(value, list) and all(isinstance(each, tuple | list) and len(each) == 2 for each in value):
        value = {str(name): each for name, each in value}  # a stranger's name may be a list
    named = value if isinstance(value, dict) else {"attributes": value}
    return {str(name): cell for name, each in named.items() if (cell := as_cell(each))}
