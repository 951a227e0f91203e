"""Where a workspace may lie, and which of its files make up a state."""

import shutil
from dataclasses import replace
from pathlib import Path

from vernissage.errors import CollectionError, WorkspaceError
from vernissage.files import TEMPORARY_SUFFIX
from vernissage.workspace.lock import LOCK_NAME
from vernissage.workspace.manifest import FILE_NAME, Manifest, is_workspace

STAGING = "building"
_FOLDERS = ("models", "vectors", "indexes", "pairs", "means")
_REMAINS = f".*{TEMPORARY_SUFFIX}"
_KEPT_NAMES = frozenset({FILE_NAME, LOCK_NAME})


def check_target(source: Path, path: Path) -> None:
    """Refuse places where a workspace would mix with other files.

    Raises:
        CollectionError: there is no such collection.
        WorkspaceError: the path is a file, a folder of other things, or inside the collection.
    """
    if not source.exists():
        raise CollectionError(f"there is no {source}; name a folder with pictures or a table, or a table itself")
    if path.exists() and not path.is_dir():
        raise WorkspaceError(f"{path} is a file; a workspace is a folder, so choose another name for it")
    if path.is_dir() and not is_workspace(path) and _is_foreign(path):
        raise WorkspaceError(
            f"{path} holds files but no workspace; choose an empty or new folder, so that nothing of yours is mixed up"
        )
    home, target = (source if source.is_dir() else source.parent).resolve(), path.resolve()
    if target == home or home in target.parents:
        raise WorkspaceError(
            f"the workspace {path} would lie inside the collection {home}; choose a folder outside it with -o"
        )


def _is_foreign(path: Path) -> bool:
    """Whether the folder holds anything but the traces of a first build that was killed very early."""
    return any(
        entry.name not in _KEPT_NAMES
        and not entry.name.endswith(TEMPORARY_SUFFIX)
        and not (entry.name.startswith("collection-") and entry.suffix == ".parquet")
        for entry in path.iterdir()
    )


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
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in path.glob("collection-*.parquet"):
        if entry.name not in kept:
            entry.unlink()
