"""The state of a workspace: one small file whose replacement switches all that is current at once, by one writer."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vernissage.analysis.bands import Bounds
from vernissage.analysis.fusion_weights import RepresentationWeight
from vernissage.catalog.fetching import FOLDER as FETCHED
from vernissage.catalog.sources.feed import FOLDER as FEED
from vernissage.catalog.sources.folder import WORKSPACE_FILES
from vernissage.errors import CollectionError, Kind, ProvenanceError, WorkspaceError
from vernissage.files import TEMPORARY_SUFFIX, Seal, digest, read_json, write_json
from vernissage.search.joint import JOINT
from vernissage.search.lexical import REVISION
from vernissage.shapes import misfit
from vernissage.workspace.readers import alone
from vernissage.workspace.settings import Settings

FORMAT = 2

FILE_NAME, _LOCK_NAME = WORKSPACE_FILES
OPTIONS_NAME = "table.json"
INDEX_CHOICES = "index.json"
LISTS = ".lists.npz"
STAGING = "building"
_UPLOADS = "uploads"
_FOLDERS = ("models", "vectors", "indexes", "pairs", "means", "imports")
_FILES = ("works-*.parquet", "words-*.parquet", "copies-*.npy", "clusters-*.npy")
_OWN_NAME = re.compile(r"[\w.-]+-[0-9a-f]{12}(?:\.[a-z.]+)?|(?:works|words)-[0-9a-f]+\.parquet")
_UNFINISHED = re.compile(rf"\..+\.[a-z0-9_]{{8}}{re.escape(TEMPORARY_SUFFIX)}")
"""Names that Vernissage itself gives, of which alone anything is deleted: see `build` and `files.writing`."""


@dataclass(frozen=True)
class Manifest:
    """The state of a workspace. Every file that it names is immutable, so a reader's state stays whole.

    Attributes:
        complete: False while the very first build is under way or was interrupted.
        source: the collection's folder or table, or the copy of a remote one, absolute, and relative to the workspace,
            and where it is of vectors the works that these were joined with; its name, its fingerprint when it was
            read, its ``address`` if it is remote, and its ``class`` where that is none of ours.
        folder: the collection's folder, in the same two ways.
        collection: file name of the collection; its fingerprint is ``fingerprint``.
        words: file name of the counts of the collection's words.
        seals: size and SHA-256 of the files of the collection and of its words, by their names.
        settings: what the build was asked for, see `Settings`.
        models: encoder name → folder below ``models``.
        fingerprints: encoder name → its fingerprint.
        vectors: "encoder.modality" → stem below ``vectors``; a modality is any word, so that more of them can come.
        dims: "encoder.modality" → how many numbers a vector has.
        joint: encoder of pictures and texts → stem below ``vectors`` of one vector for each work (`join_modalities`);
            nothing in small collections, where they are made in no time.
        pairs: encoder name → folder below ``pairs``, for encoders that read pictures and texts together.
        means: encoder name → folder below ``means``, for encoders of pictures and texts.
        imported: "encoder.modality" → folder below ``imports`` with the rows that were made elsewhere, as they came.
        copies: file name of the array that says which works are the same.
        clusters: file name of the array of clusters that works to rate are drawn from; empty where there are none.
        left_out: encoder name → why it could not be fitted.
        weights: engine → what it counts in the default fusion, and why (`RepresentationWeight`); nothing where all
            count the same.
        bands: engine → how many works were rated, or which side finds which → where scores are fair and strong
            (`Bounds`); nothing in small collections.
        retired: files of the state before that are yet to be deleted, because somebody still reads it, or because the
            build was killed at that moment: the intent of `finish_retirement`.
        format: the version of this layout.
    """

    source: Mapping[str, str]
    folder: Mapping[str, str]
    collection: str
    fingerprint: str
    words: str
    seals: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]
    models: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, str] = field(default_factory=dict)
    dims: Mapping[str, int] = field(default_factory=dict)
    joint: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    imported: Mapping[str, str] = field(default_factory=dict)
    copies: str = ""
    clusters: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bands: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    complete: bool = False
    format: int = FORMAT

    @property
    def origin(self) -> str:
        """What to give `vernissage build` again."""
        return self.source.get("address") or self.source["absolute"]

    @property
    def files(self) -> frozenset[str]:
        """Every file and folder that this state names, relative to the workspace."""
        stems = {"vectors": (".npy", ".rows.parquet", ".card.json"), "indexes": (".npz", ".moments.npz", LISTS)}
        named = {
            f"{folder}/{stem}{end}" for folder, ends in stems.items() for stem in self.searched.values() for end in ends
        }
        folders = {"models": self.models, "pairs": self.pairs, "means": self.means, "imports": self.imported}
        named |= {f"{folder}/{name}" for folder, names in folders.items() for name in names.values()}
        return frozenset({self.collection, self.words, self.lexicon, *named} | ({self.copies, self.clusters} - {""}))

    @property
    def searched(self) -> dict[str, str]:
        """The stems of all vectors that there can be an index of, by "encoder.modality" or "encoder.joint"."""
        return {**self.vectors, **{f"{encoder}.{JOINT}": stem for encoder, stem in self.joint.items()}}

    @property
    def lexicon(self) -> str:
        """File of the index of words, named after the works, their languages and what makes it; derived."""
        return f"indexes/lexicon-{digest(self.fingerprint.encode(), self.words.encode(), REVISION.encode())[:12]}.npz"

    def seal(self, file: str) -> Seal:
        """Size and SHA-256 of the file of the collection or of its words."""
        return Seal(**self.seals[file])

    def write(self, workspace: Path) -> None:
        """Make this the state of the workspace, at once."""
        write_json(workspace / FILE_NAME, asdict(self) | {"retired": list(self.retired)})


def read_manifest(workspace: Path) -> Manifest:
    """The current state.

    Raises:
        WorkspaceError: there is no workspace, or it is of another version.
        ProvenanceError: the file is damaged.
    """
    if not is_workspace(workspace):
        kind = Kind.BAD_REQUEST if workspace.is_file() else Kind.NOT_FOUND
        raise WorkspaceError(_no_workspace(workspace), kind=kind)
    _require_no_links(workspace)
    content = read_json(workspace / FILE_NAME)
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise ProvenanceError(f"{workspace / FILE_NAME} is damaged (no manifest of any format); {_way_out(workspace)}")
    if (found := content["format"]) != FORMAT:
        raise WorkspaceError(
            f"{workspace} is a workspace of format {found}, and this version reads format {FORMAT}; build a new one "
            f"with `vernissage build COLLECTION -o ANOTHER-FOLDER`, or use the version that made it",
            kind=Kind.CONFLICT,
        )
    try:
        _check_types(content)
        return Manifest(**{**content, "retired": tuple(content["retired"])})
    except (TypeError, KeyError, ValueError) as error:
        raise WorkspaceError(
            f"{workspace / FILE_NAME} lacks or has unknown entries ({error}); {_way_out(workspace)}",
            kind=Kind.CONFLICT,
        ) from error


def _way_out(workspace: Path) -> str:
    return (
        f"delete that file and run `vernissage build COLLECTION -o {workspace}` again, which finds models and vectors "
        f"and leaves people's uploads as they are"
    )


_FILE = re.compile(r"(?!\.)[^/\\\0]+")
_PLACES = ("models", "vectors", "joint", "pairs", "means", "imported")


def _check_types(content: Mapping[str, Any]) -> None:
    """Check every value of a manifest: texts where texts belong, and names of files that stay in the workspace.

    Raises:
        KeyError, ValueError: an entry is missing or of another type.
    """
    kinds = {"it": Manifest, "seals": Mapping[str, Seal], "settings": Settings}
    kinds |= {"weights": Mapping[str, RepresentationWeight]} if "weights" in content else {}
    kinds |= {"bands": Mapping[str, Mapping[str, Bounds]]} if "bands" in content else {}
    if fault := next(filter(None, (misfit(content.get(at, content), kind, at) for at, kind in kinds.items())), ""):
        raise ValueError(fault)
    named = {key: content.get(key, {}) for key in (*_PLACES, "fingerprints")}
    sealed = [content["collection"], content["words"], *filter(None, map(content.get, ("copies", "clusters")))]
    names = [*sealed, *(name for key in _PLACES for name in named[key].values())]
    encoders = {key.rpartition(".")[0] for key in named["vectors"]} | named["means"].keys() | named["joint"].keys()
    sound = {
        "places": all({"absolute", "relative"} <= content[key].keys() for key in ("source", "folder")),
        "names of files": all(map(_FILE.fullmatch, names)),
        "encoders": encoders <= named["models"].keys() & named["fingerprints"].keys(),
        "seals": content["seals"].keys() >= set(sealed),
    }
    if wrong := [key for key, holds in sound.items() if not holds]:
        raise ValueError(f"{', '.join(wrong)} of another kind than expected")


def _require_no_links(workspace: Path) -> None:
    """Refuse a workspace whose folders or manifest lie elsewhere: what is written and deleted in it stays in it."""
    for name in (*_FOLDERS, STAGING, _UPLOADS, FETCHED, FEED, FILE_NAME, INDEX_CHOICES, _LOCK_NAME):
        if (workspace / name).is_symlink():
            raise WorkspaceError(
                f"{workspace / name} is a link to another place, and links in a workspace are not followed; remove "
                f"the link, and move the whole workspace if it is to lie elsewhere",
                kind=Kind.BAD_REQUEST,
            )


def _no_workspace(folder: Path) -> str:
    if not folder.exists():
        return f"there is no workspace {folder}; make one with `vernissage build COLLECTION -o {folder}`"
    if folder.is_file():
        return f"{folder} is a file; name the folder of a workspace that `vernissage build` made"
    return (
        f"{folder} holds no workspace (no {FILE_NAME}); name the folder that `vernissage build COLLECTION -o FOLDER` "
        f"made, or run it, also if a first build was interrupted there"
    )


def is_workspace(folder: Path) -> bool:
    """Whether a workspace, finished or not, is in the folder."""
    return (folder / FILE_NAME).is_file()


def located(target: Path, workspace: Path) -> dict[str, str]:
    """A path outside the workspace in two ways, so that it is found again when either or both are moved."""
    absolute = target.resolve()
    try:
        relative = Path(os.path.relpath(absolute, workspace.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        relative = ""
    return {"absolute": absolute.as_posix(), "relative": relative}


def found(location: Mapping[str, str], workspace: Path) -> Path:
    """The path that `located` described: where it was, else where it lies from the workspace."""
    absolute = Path(location["absolute"])
    moved = (workspace / location["relative"]).resolve() if location["relative"] else absolute
    return absolute if absolute.exists() or not moved.exists() else moved


@contextmanager
def sole_writer(workspace: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the workspace for writing; the operating system lets go of it when the process dies, however it dies.

    ``patience`` is how many seconds another writer is waited for.

    Raises:
        WorkspaceError: another process is writing, or the folder cannot be written to.
    """
    _require_no_links(workspace)
    lock = FileLock(workspace / _LOCK_NAME)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout:
        raise WorkspaceError(
            f"another process is writing to {workspace}; wait until it has ended and run the same command again"
        ) from None
    except OSError as error:
        raise WorkspaceError(
            f"cannot write to {workspace}: {error.strerror or error}; choose a folder that you may write to"
        ) from error
    try:
        yield
    finally:
        lock.release()


def check_target(source: Path | None, path: Path) -> None:
    """Refuse places where a workspace would mix with other files; None is a source on the web.

    Raises:
        CollectionError: there is no such collection.
        WorkspaceError: the path is a file, a folder of other things, or inside the collection.
    """
    if source is not None and not source.exists():
        raise CollectionError(f"there is no {source}; name a folder with pictures or a table, or a table itself")
    home = source.resolve() if source is not None and source.is_dir() else None
    target = path.resolve()
    fault = ""
    if path.exists() and not path.is_dir():
        fault = f"{path} is a file; a workspace is a folder, so choose another name for it"
    elif path.is_dir() and not is_workspace(path) and _is_foreign(path):
        fault = (
            f"{path} holds files but no workspace; choose an empty or new folder, so that nothing of yours is mixed up"
        )
    elif home is not None and (target == home or home in target.parents):
        fault = f"the workspace {path} would lie inside the collection {home}; choose a folder outside it with -o"
    if fault:
        raise WorkspaceError(fault, kind=Kind.BAD_REQUEST)


def check_output(path: Path, *, force: bool = False) -> None:
    """Check that a file may be written at ``path``: nothing is there, or a page of Vernissage's, or ``force`` is set.

    Raises:
        WorkspaceError: it would replace another file, a device or the like, or lie inside a workspace or a collection.
    """
    target = path.resolve()
    home = next((each for each in target.parents if is_workspace(each) or any(each.glob("metadata.*"))), None)
    fault = ""
    if home is not None:
        fault = f"{path} would lie inside {home}, which is a workspace or a collection; choose a place outside it"
    elif target.exists() and not (target.is_file() or target.is_dir()):
        fault = f"{path} is no regular file but a device or a pipe, which cannot be replaced; choose another name"
    elif target.is_file() and not force and not _is_page(target):
        fault = f"{path} is there already; choose another name, or replace it with --force"
    if fault:
        raise WorkspaceError(fault, kind=Kind.BAD_REQUEST)


def _is_page(file: Path) -> bool:
    with file.open("rb") as opened:
        return b'name="generator" content="Vernissage"' in opened.read(1000)


def _is_foreign(path: Path) -> bool:
    """Whether the folder holds other things than a workspace that lost its manifest, or than a first build's traces."""
    if any(_OWN_NAME.fullmatch(entry.name) for entry in path.glob("works-*.parquet")):
        return False
    early = {_LOCK_NAME, FILE_NAME, FETCHED, *(entry.name for pattern in _FILES for entry in path.glob(pattern))}
    return any(entry.name not in early and not entry.name.endswith(TEMPORARY_SUFFIX) for entry in path.iterdir())


def put_in_force(path: Path, manifest: Manifest, before: Manifest | None) -> None:
    """Replace the manifest, and remove all files that it does not name, but keep those of readers of the state before.

    The manifest names what is to go until it has gone, so that a kill in between leaves an intent to be finished.
    """
    if before is not None and before.complete:
        unchanged = replace(manifest, retired=before.retired) == before
        retired = before.retired if unchanged else tuple(sorted(before.files - manifest.files))
        manifest = replace(manifest, retired=retired)
    if manifest != before:
        manifest.write(path)
    _sweep(path, manifest.files | set(manifest.retired))
    finish_retirement(path, manifest)


def finish_retirement(path: Path, manifest: Manifest | None = None, *, despite_readers: bool = False) -> int:
    """Delete the files of the state before, unless somebody reads it; for the writer. Returns how many stay.

    Raises:
        WorkspaceError: a file cannot be deleted.
    """
    manifest = read_manifest(path) if manifest is None else manifest
    if not manifest.retired:
        return 0
    with alone(path) as nobody_reads:
        if not (nobody_reads or despite_readers):
            return len(manifest.retired)
        _sweep(path, manifest.files)
        left = tuple(name for name in manifest.retired if (path / name).exists())
        replace(manifest, retired=left).write(path)
        return len(left)


def purge_state(path: Path) -> Manifest:
    """Delete all files of earlier states and of interrupted builds, whoever reads them; returns the state in force.

    Readers that opened an earlier state may find its files missing, and have to open the workspace again.

    Raises:
        WorkspaceError: there is no workspace, another process is writing, or a file cannot be deleted.
        ProvenanceError: the manifest is damaged.
    """
    read_manifest(path)
    with sole_writer(path):
        manifest = read_manifest(path)
        _sweep(path, manifest.files | set(manifest.retired))
        finish_retirement(path, manifest, despite_readers=True)
        return read_manifest(path)


def _sweep(path: Path, kept: frozenset[str]) -> None:
    """Remove what no state names: staged blocks, files of earlier states, and remains of interrupted writes.

    The pictures of uploads are left alone: somebody may be uploading at this moment.
    """
    _require_no_links(path)
    for folder in (path, *(path / name for name in _FOLDERS)):
        for file in folder.glob(f"{'' if folder == path else '**/'}.*{TEMPORARY_SUFFIX}"):
            if _UNFINISHED.fullmatch(file.name):
                file.unlink(missing_ok=True)
    shutil.rmtree(path / STAGING, ignore_errors=True)
    for pattern in (*(f"{folder}/*" for folder in _FOLDERS), *_FILES):
        for entry in sorted(path.glob(pattern)):
            if entry.relative_to(path).as_posix() not in kept and _OWN_NAME.fullmatch(entry.name):
                _remove(entry)


def _remove(entry: Path) -> None:
    """Remove a file or folder; one that a reader on Windows holds open goes with a later build."""
    try:
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    except PermissionError:
        if os.name != "nt":
            raise
