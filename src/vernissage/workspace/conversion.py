"""Workspaces of format 1, converted without loss: what was built stays, and people's database is not touched.

Format 1 kept every id and digest of a table in JSON, read a collection as a whole, and hashed every file at opening.
"""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import Kind, ProvenanceError, WorkspaceError
from vernissage.files import open_parquet, read_array, read_checked, read_json, seal_of
from vernissage.search.pair_matrix import PairCard, write_pair_card
from vernissage.search.vectors import VectorCard, array_file, write_vector_card
from vernissage.workspace.collection_files import keep_collection
from vernissage.workspace.state import FILE_NAME, FORMER, Manifest, found, read_state, sole_writer

_PATIENCE = 60.0
_NEEDED = {"source", "folder", "collection", "fingerprint", "settings", "vectors", "pairs", "retired"}


def convert_workspace(path: Path) -> None:
    """Convert a workspace of format 1 where it lies; several processes may ask for it at once.

    New files are written beside the old ones, then the manifest is replaced, so that a kill at any moment leaves one
    format or the other whole, and the next call goes on. The old files go with the next build. Arrays are not read:
    damage to one of them is told when it is opened, as before.

    Raises:
        WorkspaceError: the folder cannot be written to, or somebody else is writing for too long.
        ProvenanceError: the manifest or the collection is damaged.
    """
    try:
        with sole_writer(path, patience=_PATIENCE):
            convert_locked(path)
    except WorkspaceError as error:
        raise WorkspaceError(
            f"{path} was built by an earlier version and must be converted once, when it is first opened, but {error}",
            kind=error.kind,
        ) from error


def convert_locked(path: Path) -> None:
    """`convert_workspace` for the writer, who holds the lock; nothing is done where the format is another."""
    content = read_state(path)
    if content.get("format") != FORMER:
        return
    if lacking := _NEEDED - content.keys():
        raise WorkspaceError(
            f"{path / FILE_NAME} lacks {', '.join(sorted(lacking))}; delete that file and run `vernissage build` again",
            kind=Kind.CONFLICT,
        )
    file = path / content["collection"]
    collection = read_checked(file, lambda: _read_works(file, found(content["folder"], path)))
    if collection.fingerprint != content["fingerprint"]:
        raise ProvenanceError(
            f"{file} is damaged: it is not the collection that the workspace was built from; run `vernissage build "
            f"{content['source']['absolute']} -o {path}` again"
        )
    _, files = keep_collection(collection, path, {})
    for stem in content["vectors"].values():
        _convert_vectors(path / "vectors" / stem)
    for folder in content["pairs"].values():
        for card in sorted((path / "pairs" / folder).glob("*.json")):
            _convert_pairs(card)
    kept = {name: value for name, value in content.items() if name not in {"format", "collection", "retired"}}
    manifest = Manifest(**kept, **files)
    old_files = {content["collection"], *(f"vectors/{stem}.json" for stem in content["vectors"].values())}
    retired = {*content["retired"], *(old_files - manifest.files)}
    replace(manifest, retired=tuple(sorted(retired))).write(path)


def _read_works(path: Path, folder: Path) -> Collection:
    def item(row: dict[str, Any]) -> Item:
        attributes = MappingProxyType(dict(row.pop("attributes")))
        return Item(**row | {"keywords": tuple(row["keywords"]), "attributes": attributes})

    batches = open_parquet(path).iter_batches(use_threads=False)
    return Collection((item(row) for batch in batches for row in batch.to_pylist()), folder)


def _convert_vectors(stem: Path) -> None:
    """Write the card of vectors anew; those that are damaged get none, and are told as missing and made anew."""
    try:
        card = VectorCard(**read_json(stem.with_name(f"{stem.name}.json")))
        shape = read_array(array_file(stem), memory_map=True).shape
    except (ProvenanceError, TypeError):
        return
    if shape[0] == len(card.item_ids) == len(card.contents):
        write_vector_card(stem, shape[1], card)


def _convert_pairs(old: Path) -> None:
    """Write the card of pairs anew; see `_convert_vectors`."""
    stem = old.with_suffix("")
    try:
        content = read_json(old)
        values = content.pop("values")
        card = PairCard(**content)
        sound = seal_of(array_file(stem)).sha256 == values
    except (ProvenanceError, TypeError, KeyError, AttributeError):
        return
    if sound:
        write_pair_card(stem, card)
