"""Where a workspace may lie, and which of its files make up a state."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from vernissage.errors import CollectionError, Kind, WorkspaceError
from vernissage.files import TEMPORARY_SUFFIX
from vernissage.workspace.lock import LOCK_NAME
from vernissage.workspace.manifest import FILE_NAME, Manifest, is_workspace

STAGING = "building"
_FOLDERS = ("models", "vectors", "indexes", "pairs", "means")
_REMAINS = f".*{TEMPORARY_SUFFIX}"
_FILES = ("works-*.parquet", "words-*.parquet", "collection-*.parquet")  # the last one is of format 1


def check_target(source: Path, path: Path) -> None:
    """Refuse places where a workspace would mix with other files.

    Raises:
        CollectionError: there is no such collection.
        WorkspaceError: the path is a file, a folder of other things, or inside the collection.
    """
    if not source.exists():
        raise CollectionError(f"there is no {source}; name a folder with pictures or a table, or a table itself")
    home, target = (source if source.is_dir() else source.parent).resolve(), path.resolve()
    fault = ""
    if path.exists() and not path.is_dir():
        fault = f"{path} is a file; a workspace is a folder, so choose another name for it"
    elif path.is_dir() and not is_workspace(path) and _is_foreign(path):
        fault = (
            f"{path} holds files but no workspace; choose an empty or new folder, so that nothing of yours is mixed up"
        )
    elif target == home or home in target.parents:
        fault = f"the workspace {path} would lie inside the collection {home}; choose a folder outside it with -o"
    if fault:
        raise WorkspaceError(fault, kind=Kind.BAD_REQUEST)


def _is_foreign(path: Path) -> bool:
    """Whether the folder holds anything but the traces of a first build that was killed very early."""
    early = {LOCK_NAME, FILE_NAME, *(entry.name for pattern in _FILES for entry in path.glob(pattern))}
    return any(entry.name not in early and not entry.name.endswith(TEMPORARY_SUFFIX) for entry in path.iterdir())


def remove_new(path: Path) -> None:
    """Leave no trace of a first build that was refused; what it wrote lies in folders of its own."""
    shutil.rmtree(path, ignore_errors=True)


def put_in_force(path: Path, manifest: Manifest, before: Manifest | None) -> None:
    """Replace the manifest, keep the files of the state before for its readers, and remove all others."""
    if before is not None and before.complete:
        unchanged = replace(manifest, retired=before.retired) == before
        retired = before.retired if unchanged else tuple(sorted(before.files - manifest.files))
        manifest = replace(manifest, retired=retired)
    if manifest != before:
        manifest.write(path)
    _sweep(path, manifest.files | set(manifest.retired))


def _sweep(path: Path, kept: frozenset[str] | set[str]) -> None:
    """Remove what no state names: staged blocks, files of earlier states, and remains of interrupted writes.

    The pictures of uploads are left alone: somebody may be uploading at this moment.
    """
    for remains in (*path.glob(_REMAINS), *(found for name in _FOLDERS for found in (path / name).rglob(_REMAINS))):
        remains.unlink(missing_ok=True)
    shutil.rmtree(path / STAGING, ignore_errors=True)
    for folder in _FOLDERS:
        for entry in sorted((path / folder).glob("*")):
            if f"{folder}/{entry.name}" not in kept:
                _remove(entry)
    for pattern in _FILES:
        for entry in path.glob(pattern):
            if entry.name not in kept:
                _remove(entry)


def _remove(entry: Path) -> None:
    """Remove a file or folder; one that a reader on Windows holds open goes with a later build."""
    try:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    except PermissionError:
        if os.name != "nt":
            raise
