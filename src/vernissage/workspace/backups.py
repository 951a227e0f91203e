"""One archive with everything of a workspace and its database, made while both are in use, and back from it."""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from vernissage import __version__, storage
from vernissage.errors import Kind, WorkspaceError
from vernissage.files import TEMPORARY_SUFFIX, as_path, writing
from vernissage.storage.copying import check_copy, copy_from_file, copy_to_file
from vernissage.storage.database import open_database
from vernissage.storage.erasure import finish_erasures
from vernissage.storage.tombstones import NAME as DELETIONS
from vernissage.storage.tombstones import replay_deletions
from vernissage.workspace.readers import alone, mark_reader
from vernissage.workspace.workspace import open_workspace

INDEX = "backup.json"
_MANIFEST = "workspace.json"
_DATABASES = (storage.DATABASE_NAME, storage.STUDY_DATABASE_NAME)
_NOT_KEPT = ("building", "map", "study.sessions", DELETIONS, INDEX)  # "map" is drawn anew
_LARGEST_INDEX = 64 * 1024**2
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What was written: the archive's SHA-256, to compare at the restore, its bytes, and the database's schema."""

    digest: str
    size: int
    schema: str


@dataclass(frozen=True)
class Restored:
    """What came back, and what was deleted again; ``former`` is where the workspace lies that was there before."""

    created: datetime
    people: int
    uploads: int
    former: Path | None


def back_up(workspace: Path, out: Path, database: str | None = None) -> Backup:
    """Write a workspace and its database into one new archive (tar), while both are served and written to.

    The database is as at one moment, the works are those of one state. An upload that is removed meanwhile is left out.

    Raises:
        WorkspaceError, StorageError: either cannot be read, or the archive is there already or cannot be written.
    """
    out = as_path(out, "backup")
    if out.exists():
        raise WorkspaceError(f"{out} is there already; choose another name", kind=Kind.CONFLICT)
    reader = _Reader()
    release = mark_reader(workspace, reader)
    index: dict[str, Any] = {"version": __version__, "created": datetime.now(UTC).isoformat(), "files": {}}
    try:
        manifest = (workspace / _MANIFEST).read_bytes()
        with tempfile.TemporaryDirectory(dir=workspace.parent, prefix=".backup-") as folder:
            copies = _copied_databases(workspace, Path(folder), database)
            index["schema"] = next(iter(copies.values()))[1] if copies else ""
            with writing(out, secret=True, replace=False) as file, tarfile.open(fileobj=file, mode="w") as archive:
                _add_bytes(archive, index["files"], _MANIFEST, manifest)
                missing = _add_files(archive, index["files"], workspace, copies)
                for name, (copy, _) in copies.items():
                    _forget(copy, missing)
                    _add(archive, index["files"], name, copy)
                _add_bytes(archive, {}, INDEX, json.dumps(index).encode())
    except FileNotFoundError as error:
        raise WorkspaceError(f"{error.filename} is missing; give the folder of a workspace") from error
    finally:
        release()
    return Backup(_digest_of(out), out.stat().st_size, index["schema"])


class _Reader:
    """Who reads a workspace for as long as this lives."""


def _copied_databases(workspace: Path, folder: Path, database: str | None) -> dict[str, tuple[Path, str]]:
    """Copies by the name that each has in the archive, with the revision of its schema."""
    places = {name: str(workspace / name) for name in _DATABASES if (workspace / name).exists()}
    if database is not None:
        places[storage.DATABASE_NAME] = database
    return {name: (folder / name, copy_to_file(places[name], folder / name)) for name in _DATABASES if name in places}


def _add_files(
    archive: tarfile.TarFile, index: dict[str, Any], workspace: Path, copies: dict[str, tuple[Path, str]]
) -> set[str]:
    """Add all files but databases; the names of pictures of uploads that are gone."""
    pictures = {name for copy, _ in copies.values() for name in _pictures(copy)}
    left_out = {*_NOT_KEPT, _MANIFEST}
    for path in sorted(_files_below(workspace)):
        name = path.relative_to(workspace)
        top = name.parts[0]
        if top in left_out or top.startswith(_DATABASES) or path.name.endswith((".lock", TEMPORARY_SUFFIX)):
            continue
        if top == storage.PICTURES_FOLDER and path.name not in pictures:
            continue
        try:
            _add(archive, index, name.as_posix(), path)
        except FileNotFoundError:  # of a state that is no longer the present one, or of an upload that was removed
            continue
    return {name for name in pictures if f"{storage.PICTURES_FOLDER}/{name}" not in index}


def _files_below(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from (path for path in (Path(where) / name for name in names) if path.is_file() and not path.is_symlink())


def _pictures(copy: Path) -> list[str]:
    with closing(sqlite3.connect(copy)) as found:
        return [name for (name,) in found.execute("SELECT picture FROM uploads WHERE picture <> ''")]


def _forget(copy: Path, missing: set[str]) -> None:
    """Take uploads whose pictures were removed out of a copy, whatever the revision of its schema."""
    with closing(sqlite3.connect(copy)) as found, found:
        found.execute("PRAGMA foreign_keys = ON")
        found.executemany("DELETE FROM uploads WHERE picture = ?", [(name,) for name in sorted(missing)])


def _add(archive: tarfile.TarFile, index: dict[str, Any], name: str, path: Path) -> None:
    """Add a file as it is now: what is written to meanwhile has the digest of what was read."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = status.st_size, status.st_mode & 0o777, int(status.st_mtime)
        hashed = _Hashing(file)
        try:
            archive.addfile(member, hashed)  # type: ignore[arg-type]
        except OSError as error:
            raise WorkspaceError(f"{path} was changed while it was read, or cannot be: {error}; try again") from error
    index[name] = hashed.digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, index: dict[str, Any], name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content"
        path.write_bytes(content)
        _add(archive, index, name, path)


class _Hashing:
    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def restore(
    archive: Path, workspace: Path, database: str | None = None, *, digest: str = "", replace: bool = False
) -> Restored:
    """Bring a workspace and its database back as a backup has them, but for what people had deleted since.

    Everything is unpacked beside the workspace and checked before anything is replaced. Deletions are known from the
    log of the workspace that is there; what was there lies beside it afterwards.

    Args:
        archive: what `back_up` wrote.
        workspace: where it goes; it must not be there, unless ``replace`` is set.
        database: the URL or file of the database, whose content is replaced; None: within the workspace.
        digest: the archive's SHA-256, as the backup told it; empty to trust the archive.
        replace: whether a workspace may take the place of one that is there, which nobody may be reading.

    Raises:
        WorkspaceError, StorageError: the archive is damaged or not one, or something cannot be written; then nothing
            has changed.
    """
    if workspace.exists() and any(workspace.iterdir()) and not replace:
        raise WorkspaceError(f"{workspace} is there already; give another folder, or --replace", kind=Kind.CONFLICT)
    if digest and _digest_of(archive) != digest.lower():
        raise WorkspaceError(f"{archive} is not the backup of the digest {digest[:16]}…; take the one that was written")
    if workspace.exists():
        with alone(workspace) as nobody:
            _require_nobody(workspace, nobody=nobody)
    workspace.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.parent, prefix=".restoring-") as folder:
        made = Path(folder) / "workspace"
        made.mkdir(mode=0o777)
        index = _unpacked(archive, made)
        created = datetime.fromisoformat(index["created"])
        for name in _DATABASES:
            if (made / name).exists():
                check_copy(made / name)
        open_workspace(made).release()
        if (log := workspace / DELETIONS).exists():
            shutil.copy2(log, made / DELETIONS)
        people = uploads = 0
        if (made / storage.DATABASE_NAME).exists():
            people, uploads = _replayed(made, created)
            if database is not None:
                copy_from_file(made / storage.DATABASE_NAME, database)
                for file in made.glob(f"{storage.DATABASE_NAME}*"):
                    file.unlink()
        return Restored(created, people, uploads, _in_place(made, workspace))


def _replayed(made: Path, since: datetime) -> tuple[int, int]:
    pictures = made / storage.PICTURES_FOLDER
    with closing(open_database(made / storage.DATABASE_NAME)) as opened:
        with opened.writing() as connection:
            deleted = replay_deletions(connection, made / DELETIONS, since)
            storage.changes.forget_changes(connection)
        finish_erasures(opened, pictures)
    return deleted


def _in_place(made: Path, workspace: Path) -> Path | None:
    """Put the unpacked workspace in its place; where the former one lies now."""
    former = None
    if workspace.exists():
        with alone(workspace) as nobody:
            _require_nobody(workspace, nobody=nobody)
            if any(workspace.iterdir()):
                former = workspace.with_name(f"{workspace.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
                workspace.rename(former)
            else:
                workspace.rmdir()
    made.rename(workspace)
    return former


def _require_nobody(workspace: Path, *, nobody: bool) -> None:
    if not nobody:
        told = f"{workspace} is being read; stop its servers and notebooks, and restore again"
        raise WorkspaceError(told, kind=Kind.CONFLICT)


def _unpacked(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack regular files alone, below the folder alone, and compare each with the index; the index.

    Raises:
        WorkspaceError: it is no backup, or is damaged, cut short or changed.
    """
    found: dict[str, str] = {}
    index: Any = None
    try:
        with tarfile.open(archive, mode="r:") as packed:
            for member in packed:
                parts = PurePosixPath(member.name).parts
                within = parts and not {"", ".", "..", "/"} & set(parts) and "\\" not in member.name
                if not member.isreg() or not within or member.name in found or ":" in parts[0]:
                    raise WorkspaceError(
                        f"{archive} holds {member.name[:80]!r}, which no backup does; take another one"
                    )
                content = packed.extractfile(member)
                if content is None or index is not None:
                    raise WorkspaceError(f"{archive} goes on after its index; take another backup")
                if member.name == INDEX:
                    index = json.loads(content.read(_LARGEST_INDEX))
                    continue
                found[member.name] = _written(content, folder.joinpath(*parts), secret=not member.mode & 0o077)
        if index is None or index["files"] != found:
            raise WorkspaceError(f"{archive} is cut short, or a file in it was changed; take another backup")
        datetime.fromisoformat(index["created"])
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(f"{archive} is no backup, or is damaged ({error}); take another one") from error
    except OSError as error:
        raise WorkspaceError(
            f"{archive} cannot be unpacked: {error.strerror or error}; nothing was restored"
        ) from error
    restored: dict[str, Any] = index
    return restored


def _written(content: IO[bytes], path: Path, *, secret: bool) -> str:
    hashed = hashlib.sha256()
    path.parent.mkdir(mode=0o700 if secret else 0o777, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o666), "wb") as file:
        while block := content.read(_BLOCK):
            hashed.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return hashed.hexdigest()


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror or error}; give the file of a backup") from error
