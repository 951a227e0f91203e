"""What is in a workspace, and whether every file of it is as it was written: what opening large ones leaves out."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vernissage import storage
from vernissage.catalog.collection import fingerprint_of
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.feed import FOLDER as FEED
from vernissage.catalog.sources.feed import read_feed
from vernissage.encoders.contract import EncoderState
from vernissage.errors import ProvenanceError, VernissageError
from vernissage.files import seal_of
from vernissage.progress import Progress, silent
from vernissage.search.approximate import InvertedLists
from vernissage.search.joint import JOINT
from vernissage.search.lexical import LexicalIndex
from vernissage.search.moments import load_moments
from vernissage.search.scan import ByteScan
from vernissage.search.vectors import VectorTable
from vernissage.workspace.coverage import Coverage, coverage_of
from vernissage.workspace.importing import FOLDER, Originals
from vernissage.workspace.index_choice import IndexChoice, indexed_table
from vernissage.workspace.state import LISTS, OPTIONS_NAME
from vernissage.workspace.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from vernissage.storage.uploads import Upload

_ROWS_AT_ONCE = 4096
_PAIRS_AT_ONCE = 256
_LENGTH_ERROR = 1e-3  # rounding to float32 moves a length by far less
_REBUILD = "delete it and run `vernissage build` again"


def describe_workspace(workspace: Workspace) -> dict[str, Any]:
    """Works, groups, encoders, coverage, fingerprints and sizes in bytes; opens every file, see `check_workspace`.

    Raises:
        ProvenanceError: a file is missing or damaged.
    """
    manifest, collection, copies = workspace.manifest, workspace.collection, workspace.copies
    models = manifest.models.items()
    return {
        "path": str(workspace.path),
        "format": manifest.format,
        "complete": manifest.complete,
        "source": manifest.origin,
        "collection": manifest.fingerprint,
        "works": len(collection),
        "pictures": sum(map(bool, collection.texts("picture"))),
        "all_pictures": collection.picture_count,
        "picture_links": sum(map(bool, collection.texts("picture_link"))),
        "texts": sum(map(bool, collection.texts("text"))),
        "groups": dict(collection.groups),
        "settings": dict(manifest.settings),
        "vectors": [_described(workspace, key) for key in manifest.searched],
        "models": {name: EncoderState.load(workspace.path / "models" / folder).fingerprint for name, folder in models},
        "coverage": [_covered(workspace, encoder).to_dict() for encoder in workspace.encoder_names],
        "pairs": {name: len(workspace.pair_matrix(name).item_ids) for name in manifest.pairs},
        "means": {name: workspace.means(name).fingerprint for name in manifest.means},
        "left_out": dict(manifest.left_out),
        "weights": {name: dict(weight) for name, weight in manifest.weights.items()},
        "bands": {name: dict(kinds) for name, kinds in manifest.bands.items()},
        "copies": {"groups": list(map(list, copies.groups())), "sentence": copies.sentence(collection)},
        "bytes": _size(workspace.path.rglob("*")),
    }


def _described(workspace: Workspace, key: str) -> dict[str, Any]:
    encoder, _, modality = key.rpartition(".")
    table = indexed_table(workspace, encoder, modality).table
    return {
        "encoder": encoder,
        "modality": modality,
        "works": len(table),
        "coverage": len(table) / max(1, len(workspace.collection)),
        "dim": table.dim,
        "fingerprint": table.card.fingerprint,
        "index": asdict(workspace.index_choices.get(key, IndexChoice())),
        "bytes": _size((workspace.path / "vectors").glob(f"{workspace.manifest.searched[key]}.*")),
    }


def _covered(workspace: Workspace, encoder: str) -> Coverage:
    tables = {modality: workspace.table(encoder, modality) for modality in workspace.modalities(encoder)}
    return coverage_of(workspace.collection, encoder, tables, imported=workspace.is_imported(encoder))


def _size(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


@dataclass(frozen=True)
class CheckReport:
    """What `check_workspace` read, in its order, and its ``faults``: a sentence each, none where nothing is wrong."""

    checked: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"sound": self.is_sound, "checked": list(self.checked), "faults": list(self.faults)}


def check_workspace(path: Path, progress: Progress = silent, *, database: str | None = None) -> CheckReport:
    """Read every byte of a workspace's state and compare it with its card; goes on after what it finds.

    Checked are the works and their fingerprint, the counts of words, models, vectors (also that each is finite and of
    length 1), pairs, means, byte scans and moments; and of people, the databases and the pictures of uploads, which are
    compared with the digests in their rows. ``database`` is where people are kept, if not in the workspace.

    Raises:
        WorkspaceError: there is no workspace, or it is of another version.
        ProvenanceError: its manifest is damaged.
    """
    workspace = open_workspace(path)
    checks = [*_checks(workspace), *_checks_of_people(path, database)]
    faults = []
    for number, (_, check) in enumerate(checks):
        progress("checking", number, len(checks))
        try:
            check()
        except VernissageError as error:
            faults.append(str(error))
    progress("checking", len(checks), len(checks))
    return CheckReport(tuple(name for name, _ in checks), tuple(dict.fromkeys(faults)))


def _checks(workspace: Workspace) -> Iterator[tuple[str, Callable[[], object]]]:
    manifest, path = workspace.manifest, workspace.path
    yield manifest.collection, partial(_check_works, workspace)
    yield manifest.words, partial(_check_words, workspace)
    if (path / manifest.lexicon).exists():
        yield manifest.lexicon, partial(_check_lexicon, workspace)
    if manifest.copies:
        yield manifest.copies, lambda: workspace.copies
    if manifest.clusters:
        yield manifest.clusters, lambda: workspace.clusters
    for key, stem in manifest.searched.items():
        vectors, scan = path / "vectors" / stem, path / "indexes" / f"{stem}.npz"
        yield f"vectors/{stem}", partial(_check_vectors, workspace, key, vectors)
        if scan.exists():
            yield f"indexes/{stem}", partial(_check_scan, vectors, scan)
        if (lists := scan.with_suffix(LISTS)).exists():
            yield f"indexes/{lists.name}", partial(_check_lists, vectors, lists)
        if (moments := scan.with_suffix(".moments.npz")).exists():
            yield f"indexes/{moments.name}", partial(_check_moments, vectors, moments)
    folders = {each: Originals(path / FOLDER / each).check for each in manifest.imported.values()}
    yield from ((f"{FOLDER}/{folder}", check) for folder, check in folders.items())
    for folder in manifest.models.values():
        yield f"models/{folder}", partial(EncoderState.load, path / "models" / folder)
    yield from ((f"means of {name}", partial(workspace.means, name)) for name in manifest.means)
    yield from ((f"pairs of {name}", partial(_check_pairs, workspace, name)) for name in manifest.pairs)


def _checks_of_people(path: Path, database: str | None) -> Iterator[tuple[str, Callable[[], object]]]:
    if (path / OPTIONS_NAME).exists():
        yield OPTIONS_NAME, partial(TableOptions.load, path / OPTIONS_NAME)
    if (path / FEED).exists():
        yield f"{FEED}/works.json", partial(read_feed, path)
    places = [database] if database else [path / name for name in (storage.DATABASE_NAME, storage.STUDY_DATABASE_NAME)]
    for place in filter(storage.is_there, places):
        yield Path(place).name, partial(_check_database, place, path / storage.PICTURES_FOLDER)


def _check_database(place: str | Path, folder: Path) -> None:
    with closing(storage.database.open_database(place)) as database:
        if faults := database.faults():
            raise ProvenanceError(f"the database {database.place} is damaged ({faults[0]}); restore it from a backup")
        with database.reading() as connection:
            uploads = [upload for upload in storage.uploads.get_uploads(connection) if upload.picture]
    wrong = [
        upload.id for upload in uploads if not _is_kept(storage.pictures.picture_path(folder, upload.picture), upload)
    ]
    if wrong:
        raise ProvenanceError(
            f"the pictures of {len(wrong)} uploads in {folder} are missing or damaged, such as that of {wrong[0]}; "
            f"restore them from a backup, or have them uploaded again"
        )


def _is_kept(file: Path, upload: "Upload") -> bool:
    try:
        return seal_of(file).sha256 == upload.picture_digest
    except ProvenanceError:
        return False


def _check_works(workspace: Workspace) -> None:
    manifest, file = workspace.manifest, workspace.path / workspace.manifest.collection
    manifest.seal(manifest.collection).require(file, whole=True)
    if fingerprint_of(workspace.collection) != manifest.fingerprint:
        raise ProvenanceError(f"the works in {file} are not those that were built; {_REBUILD}")


def _check_words(workspace: Workspace) -> None:
    name = workspace.manifest.words
    workspace.manifest.seal(name).require(workspace.path / name, whole=True)
    _ = workspace.word_counts


def _check_lexicon(workspace: Workspace) -> None:
    file = workspace.path / workspace.manifest.lexicon
    LexicalIndex.load(file, file.stem, len(workspace.collection))
    with zipfile.ZipFile(file) as archive:
        if damaged := archive.testzip():  # compares every array with its checksum
            raise ProvenanceError(f"{damaged} in the index {file} is damaged; {_REBUILD}")


def _check_vectors(workspace: Workspace, key: str, stem: Path) -> None:
    manifest, table = workspace.manifest, VectorTable.load(stem, whole=True)
    encoder, _, modality = key.rpartition(".")
    strange = np.flatnonzero(workspace.collection.ids.rows(table.item_ids) < 0)
    if strange.size:
        work = table.item_ids[int(strange[0])]
        raise ProvenanceError(f"the vectors {stem} are of works that the collection lacks, such as {work}; {_REBUILD}")
    if modality == JOINT:
        workspace.joint_table(encoder)  # may have rows of zeros, where picture and text cancel each other out
        return
    for start in range(0, len(table), _ROWS_AT_ONCE):
        lengths = np.linalg.norm(table.vectors[start : start + _ROWS_AT_ONCE].astype(np.float64), axis=1)
        wrong = np.flatnonzero(~(np.abs(lengths - 1) < _LENGTH_ERROR))  # NaN is wrong as well
        if wrong.size:
            work, length = table.item_ids[start + int(wrong[0])], lengths[wrong[0]]
            raise ProvenanceError(f"the vector of {work} in {stem}.npy has the length {length:.3f}, not 1; {_REBUILD}")
    wanted = {"encoder": encoder, "modality": modality, "fingerprint": manifest.fingerprints[encoder]}
    table.require(manifest.dims.get(key), **wanted, collection=manifest.fingerprint)


def _check_scan(stem: Path, file: Path) -> None:
    table = VectorTable.load(stem)
    ByteScan.load(file, table.vectors, table.card.values)


def _check_lists(stem: Path, file: Path) -> None:
    table = VectorTable.load(stem)
    InvertedLists.load(file, table.vectors, table.card.values)


def _check_pairs(workspace: Workspace, encoder: str) -> None:
    matrix = workspace.pair_matrix(encoder, whole=True)
    for start in range(0, len(matrix.values), _PAIRS_AT_ONCE):
        matrix.require_sound(matrix.values[start : start + _PAIRS_AT_ONCE])


def _check_moments(stem: Path, file: Path) -> None:
    table = VectorTable.load(stem)
    load_moments(file, table.dim, table.card.values)
