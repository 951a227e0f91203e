"""A collection as one Parquet file: what was read once need not be read again."""

import json
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
    columns: dict[str, list[Any]] = {name: [getattr(item, name) for item in collection] for name in _TEXTS}
    columns["keywords"] = [list(item.keywords) for item in collection]
    columns["attributes"] = [sorted(item.attributes.items()) for item in collection]
    card = json.dumps({"format": _FORMAT, "fingerprint": collection.fingerprint}, sort_keys=True)
    table = pa.table(columns, schema=_SCHEMA.with_metadata({_CARD: card.encode()}))
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
        collection = Collection([_item(row) for row in table.to_pylist()], folder)
        genuine = collection.fingerprint == card["fingerprint"]
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, CollectionError) as error:
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise ProvenanceError(f"the collection in {path} is damaged ({line}); {_REBUILD}") from error
    if not genuine:
        raise ProvenanceError(f"the works in {path} are not those that were written; {_REBUILD}")
    return collection


def _item(row: dict[str, Any]) -> Item:
    texts = {name: row[name] for name in _TEXTS}
    return Item(**texts, keywords=tuple(row["keywords"]), attributes=MappingProxyType(dict(row["attributes"])))
