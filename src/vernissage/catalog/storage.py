"""A collection as one Parquet file: what was read once need not be read again."""

import json
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import fields
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError, ProvenanceError
from vernissage.files import writing

_TEXTS = (
    "id", "title", "artist", "year", "medium", "description", "group", "owner", "licence", "picture", "picture_digest",
    "text",
)  # fmt: skip
_CARD = b"vernissage"
_FORMAT = 1
_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in _TEXTS),
        pa.field("keywords", pa.list_(pa.string()), nullable=False),
        pa.field("attributes", pa.map_(pa.string(), pa.string()), nullable=False),
    ]
)
_REBUILD = "delete it and run `vernissage build` again"


def save_collection(collection: Collection, path: Path) -> None:
    """Write all works, without their pictures, as Parquet; equal collections give equal bytes.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    columns = [pa.array(list(map(attrgetter(name), collection)), pa.string()) for name in _TEXTS]
    columns += [_keyword_lists(collection), _attribute_maps(collection)]
    card = json.dumps({"format": _FORMAT, "fingerprint": collection.fingerprint}, sort_keys=True)
    table = pa.Table.from_arrays(columns, schema=_SCHEMA.with_metadata({_CARD: card.encode()}))
    with writing(path) as file:
        # All options are written out, so that a change of pyarrow's defaults changes no bytes.
        pq.write_table(
            table, file, row_group_size=10_000, version="2.6", data_page_version="1.0", compression="zstd",
            compression_level=3, use_dictionary=True, write_statistics=True, store_schema=True,
        )  # fmt: skip


def read_collection(path: Path, folder: Path) -> Collection:
    """Read what `save_collection` wrote; the pictures lie below ``folder``.

    Raises:
        ProvenanceError: the file is missing, damaged, from another version, or was changed since it was written.
    """
    if not path.is_file():
        raise ProvenanceError(f"{path} is missing; run `vernissage build` to make it")
    try:
        table = pq.read_table(path, use_threads=False)
        card = json.loads((table.schema.metadata or {})[_CARD])
        if card["format"] != _FORMAT:
            raise ProvenanceError(f"{path} was written by another version (format {card['format']}); {_REBUILD}")
        if not table.schema.equals(_SCHEMA, check_metadata=False):
            raise ProvenanceError(f"{path} does not have the columns of a collection; {_REBUILD}")
        batches = table.to_batches()
        collection = Collection([item for batch in batches for item in _items(batch)], folder)
        genuine = collection.fingerprint == card["fingerprint"]
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, CollectionError) as error:
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise ProvenanceError(f"the collection in {path} is damaged ({line}); {_REBUILD}") from error
    if not genuine:
        raise ProvenanceError(f"the works in {path} are not those that were written; {_REBUILD}")
    return collection


# Lists and maps are handed over as their flat values and the places where each work's begin: a hundred thousand works
# take a tenth of the time that a Python object for each would.


def _keyword_lists(collection: Collection) -> Any:
    words = [item.keywords for item in collection]
    return pa.ListArray.from_arrays(_offsets(words), pa.array(list(chain.from_iterable(words)), pa.string()))


def _attribute_maps(collection: Collection) -> Any:
    cells = [sorted(item.attributes.items()) for item in collection]
    names = pa.array([name for row in cells for name, _ in row], pa.string())
    values = pa.array([value for row in cells for _, value in row], pa.string())
    return pa.MapArray.from_arrays(_offsets(cells), names, values)


def _offsets(rows: Sequence[Sized]) -> Any:
    return pa.array([0, *accumulate(map(len, rows))], pa.int32())


def _items(batch: Any) -> Iterator[Item]:
    """The works of one record batch with the columns of the schema."""
    keywords, attributes = batch.column("keywords"), batch.column("attributes")
    words, names, values = _strings(keywords.values), _strings(attributes.keys), _strings(attributes.items)
    columns: dict[str, Iterable[Any]] = {name: _strings(batch.column(name)) for name in _TEXTS}
    columns["keywords"] = (tuple(words[start:end]) for start, end in _ranges(keywords))
    columns["attributes"] = (
        MappingProxyType(dict(zip(names[start:end], values[start:end], strict=True)))
        for start, end in _ranges(attributes)
    )
    return map(Item, *(columns[field.name] for field in fields(Item)))


def _ranges(column: Any) -> Iterator[tuple[int, int]]:
    """From where to where each work's values go."""
    return pairwise(column.offsets.to_pylist())


def _strings(column: Any) -> list[str]:
    strings: list[str] = column.to_numpy(zero_copy_only=False).tolist()
    return strings
