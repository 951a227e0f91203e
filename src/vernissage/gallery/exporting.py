"""Vectors of a workspace for use elsewhere: in the convention by which museums exchange them, as NumPy arrays, and as
annotations of IIIF.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from vernissage.catalog.credits import credit_of, link_of
from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.catalog.sources.vector_files import CARD, LABELS
from vernissage.encoders.imported import ImportedEncoder
from vernissage.errors import RequestError
from vernissage.files import write_bytes, write_json, write_rows, writing
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable, card_file
from vernissage.values import Modality, Vectors
from vernissage.workspace.importing import FOLDER, Originals
from vernissage.workspace.workspace import Workspace

_ROWS_AT_ONCE = 4096
_GROUP_BYTES = 64 * 2**20
_IDENTITY = ("dim", "dtype", "normalised", "revision", "checksum", "preprocessing")
_SCHEMA = pa.schema([*list(LABELS)[:4], pa.field("embeddings", pa.list_(pa.float32())), *list(LABELS)[4:]])
_PARQUET: Mapping[str, Any] = {
    "version": "2.6",
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["provider", "model", "attributes.key_value.key", "attributes.key_value.value"],
    "write_statistics": False,
    "write_page_checksum": True,
}
"""All that decides bytes is written out, so that an export of what was built from an export is the same file."""

_CONTEXT = [
    {
        "embedding": "https://github.com/IIIF/api/issues/2494#embedding",
        "Embedding": "https://github.com/IIIF/api/issues/2494#Embedding",
    },
    "http://iiif.io/api/presentation/3/context.json",
]


@dataclass(frozen=True)
class VectorSet:
    """The vectors that one encoder made of one modality of a workspace's works, with what is known of each row.

    Attributes:
        workspace: whose they are.
        encoder, modality: by which, and of what.
        provider: who publishes them; that of imported vectors stays.
    """

    workspace: Workspace
    encoder: str
    modality: Modality
    provider: str = ""

    @cached_property
    def table(self) -> VectorTable:
        """One vector for each work."""
        return self.workspace.table(self.encoder, self.modality)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The identity card of the model: its name as ``model``, and the fields of `ModelIdentity`."""
        found = self.workspace.encoder(self.encoder)
        if isinstance(found, ImportedEncoder):
            return {name: found.state.settings[name] for name in ("model", *_IDENTITY)}
        prepared = getattr(found, "preprocessing", None)
        told = {
            "dim": self.table.dim,
            "dtype": "float32",
            "normalised": True,
            "revision": "",
            "checksum": found.fingerprint,
        }
        return {"model": self.encoder, **told, "preprocessing": "" if prepared is None else repr(prepared)}

    def rows(self) -> Iterator[tuple[Any, Vectors]]:
        """Labels (of `LABELS`) and vectors float32 (n, dim), some at a time: imported rows as they came."""
        if self.workspace.is_imported(self.encoder):
            folder = self.workspace.path / FOLDER / self.workspace.manifest.imported[f"{self.encoder}.{self.modality}"]
            yield from Originals(folder).batches(self.table)
            return
        collection, ids = self.workspace.collection, self.table.item_ids
        stem = self.workspace.path / "vectors" / self.workspace.manifest.vectors[f"{self.encoder}.{self.modality}"]
        created = int(card_file(stem).stat().st_mtime)
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            names = list(ids[start : start + _ROWS_AT_ONCE])
            items = collection.take(collection.rows_of(names))
            told = {
                "provider": [self.provider] * len(names),
                "depiction_id": names,
                "subject_id": names,
                "model": [self.encoder] * len(names),
                "created": [created] * len(names),
                "attributes": [list(attributes_of(item, self.modality).items()) for item in items],
            }
            yield pa.table(told, schema=LABELS), self.table.vectors[start : start + _ROWS_AT_ONCE]


def attributes_of(item: Item, modality: Modality) -> dict[str, str]:
    """What the convention says of a row: the museum's words for a work, by the names that `build` reads again."""
    link, credit = link_of(item), credit_of(item)
    told = {
        "type": modality,
        "preview": item.text if modality == "text" else item.picture_link,
        "subject_url": link,
        "subject_title": item.title,
        "subject_creditline": credit,
        "artist": item.artist,
        "year": item.year,
        "medium": item.medium,
        "description": item.description,
        "keywords": " | ".join(item.keywords),
        "group": item.group,
        "owner": item.owner,
        "rights": item.licence,
        "language": item.language,
        "year_from": "" if item.year_from is None else str(item.year_from),
        "year_to": "" if item.year_to is None else str(item.year_to),
    }
    others = {
        name: value for name, value in item.attributes.items() if value not in (link, credit) and name not in told
    }
    return {name: value for name, value in {**told, **others}.items() if value}


def vector_sets(workspace: Workspace, encoders: Sequence[str] = (), provider: str = "") -> list[VectorSet]:
    """The sets of the encoders that are named, or of all: of pictures and of texts.

    Raises:
        RequestError: the workspace has no vectors of one of them, or none at all.
    """
    if unknown := [name for name in encoders if name not in (*workspace.encoder_names, *workspace.internal_names)]:
        there = ", ".join(workspace.encoder_names) or "none"
        raise RequestError(f"the workspace has no vectors of {unknown[0]!r}; it has those of {there}")
    names = encoders or workspace.encoder_names
    kinds: tuple[Modality, ...] = ("image", "text")
    found = [
        VectorSet(workspace, name, kind, provider)
        for name in names
        for kind in kinds
        if kind in workspace.modalities(name)
    ]
    if not found:
        raise RequestError(f"{workspace.path} has no vectors to export; run `vernissage build` again to make some")
    return found


def export_parquet(sets: Sequence[VectorSet], out: Path, progress: Progress = silent) -> int:
    """Write sets as one Parquet file of the convention; returns how many rows.

    Equal vectors and labels give equal bytes, whatever they were built from.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    import pyarrow.parquet as pq

    cards = {each.identity["model"]: {name: each.identity[name] for name in _IDENTITY} for each in sets}
    schema = _SCHEMA.with_metadata({CARD: json.dumps(cards, sort_keys=True, ensure_ascii=False).encode()})
    count, total = 0, sum(len(each.table) for each in sets)
    with writing(out) as file, pq.ParquetWriter(file, schema, **_PARQUET) as writer:
        for each in sets:
            for labels, vectors in _in_groups(each.rows(), max(1, _GROUP_BYTES // (4 * each.table.dim))):
                progress("writing vectors", count, total)
                offsets = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1])
                numbers = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(vectors).ravel()))
                columns = [labels.column(name).combine_chunks() for name in LABELS.names]
                writer.write_table(pa.table([*columns[:4], numbers, *columns[4:]], schema=schema), row_group_size=2**20)
                count += len(vectors)
    return count


def _in_groups(parts: Iterable[tuple[Any, Vectors]], size: int) -> Iterator[tuple[Any, Vectors]]:
    """The same rows in parts of ``size``, however they come."""
    labels, vectors, held = list[Any](), list[Vectors](), 0

    def joined() -> tuple[Any, Vectors]:
        return pa.concat_tables(labels), np.concatenate(vectors)

    for label, block in parts:
        labels.append(label)
        vectors.append(block)
        held += len(block)
        while held >= size:
            table, rows = joined()
            yield table.slice(0, size), rows[:size]
            labels, vectors, held = [table.slice(size)], [rows[size:]], held - size
    if held:
        yield joined()


def export_arrays(sets: Sequence[VectorSet], folder: Path) -> list[Path]:
    """Write each set as ENCODER.MODALITY.npy, with ids (one a line, its picture after a tab) and a card beside.

    Raises:
        WorkspaceError: a file cannot be written.
    """
    written = []
    for each in sets:
        stem = folder / f"{each.encoder}.{each.modality}"
        ids, count = list[str](), 0
        for labels, vectors in each.rows():
            pairs = zip(labels.column("subject_id").to_pylist(), labels.column("depiction_id").to_pylist(), strict=True)
            ids += [subject if subject == depiction else f"{subject}\t{depiction}" for subject, depiction in pairs]
            count += len(vectors)
        array = stem.with_name(f"{stem.name}.npy")
        write_rows(array, (vectors for _, vectors in each.rows()), (count, each.table.dim))
        write_bytes(stem.with_name(f"{stem.name}.ids.txt"), "".join(f"{line}\n" for line in ids).encode())
        write_json(stem.with_name(f"{stem.name}.card.json"), each.identity | {"modality": each.modality})
        written.append(array)
    return written


def export_annotations(sets: Sequence[VectorSet], folder: Path, base: str, target: str = "") -> list[Path]:
    """Write a page of annotations of IIIF for each work: its vectors, with all that tells which model made them.

    Presentation 3 has no word for vectors yet; motivation, model, version, dimensions, checksum, pre-processing and
    normalisation are as proposed in https://github.com/IIIF/api/issues/2494.

    Args:
        sets: of vectors.
        folder: of the pages, one a work, by its key (see `key_of`).
        base: the address that the folder will have.
        target: what is annotated, with ``{id}`` for the depiction's id and ``{key}`` for its key; without, the address
            of the depiction or the work, or its id if that is one.

    Returns:
        The pages.
    """
    pages: dict[str, list[dict[str, Any]]] = {}
    for each in sets:
        card = each.identity
        model = {"name": card["model"], "version": card["revision"], "checksum": card["checksum"]}
        for labels, vectors in each.rows():
            for row, vector in zip(labels.to_pylist(), vectors, strict=True):
                place, items = (
                    f"{base.rstrip('/')}/{key_of(row['subject_id'])}.json",
                    pages.setdefault(row["subject_id"], []),
                )
                body = {
                    "type": "Embedding",
                    "format": "application/json",
                    "model": model,
                    "dimensions": len(vector),
                    "preprocessing": card["preprocessing"],
                    "normalized": card["normalised"],
                    "value": vector,
                }
                about = {
                    "id": f"{place}#{len(items) + 1}",
                    "type": "Annotation",
                    "motivation": "embedding",
                    "body": body,
                }
                items.append(about | {"target": _target(row, target)})
    written = []
    for subject, items in pages.items():
        place = f"{base.rstrip('/')}/{key_of(subject)}.json"
        page = {"@context": _CONTEXT, "id": place, "type": "AnnotationPage", "items": items}
        written.append(folder / f"{key_of(subject)}.json")
        write_bytes(written[-1], orjson.dumps(page, option=orjson.OPT_SERIALIZE_NUMPY))
    return written


def _target(row: Mapping[str, Any], template: str) -> str:
    depiction = str(row["depiction_id"])
    if template:
        return template.replace("{id}", depiction).replace("{key}", key_of(depiction))
    known = dict(row["attributes"] or ())
    return known.get("depiction_url") or known.get("subject_url") or depiction
