"""Picture files of uploads: written before their row is committed, deleted after its deletion is.

A file's name is random. It says nothing of the person or the id, cannot leave the folder, means one file whether or not
the file system tells upper from lower case, and is never used twice: deleting the file of a removed upload cannot hit
a new upload of the same id.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.errors import StorageError
from vernissage.files import TEMPORARY_SUFFIX, write_bytes
from vernissage.storage.database import require_writing
from vernissage.storage.schema import UPLOADS
from vernissage.storage.validation import UnstorableError

_NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{2,4}")
_UNFINISHED = re.compile(rf"\.{_NAME.pattern}\..+{re.escape(TEMPORARY_SUFFIX)}")


@contextmanager
def new_pictures(connection: Connection, folder: Path) -> Iterator[Callable[[bytes, str], str]]:
    """Write picture files for uploads of this writing transaction: call with bytes and suffix, get the file's name.

    Files are flushed to the disk, so that a committed row has its file after a power cut as well. If the block raises,
    they are deleted; what a crash or a failed commit leaves behind is found by `sweep_pictures`.

    Raises:
        StorageError: the suffix is not of a picture, or the transaction is not for writing.
        WorkspaceError: the file cannot be written.
    """
    require_writing(connection)
    written: list[str] = []

    def write(content: bytes, suffix: str) -> str:
        if suffix.lower() not in PICTURE_SUFFIXES:
            known = ", ".join(sorted(PICTURE_SUFFIXES))
            raise UnstorableError(f"{suffix!r} is no suffix of a picture; use one of {known}")
        name = secrets.token_hex(16) + suffix.lower()
        write_bytes(folder / name, content, secret=True)
        written.append(name)
        return name

    try:
        yield write
    except BaseException:
        delete_pictures(folder, written)
        raise


def picture_path(folder: Path, name: str) -> Path:
    """Where the picture file of an upload lies.

    Raises:
        StorageError: the name is none that `new_pictures` gives, or the file is a link.
    """
    path = _named(folder, name)
    if path.is_symlink():
        raise StorageError(f"the picture {path} of an upload is a link to another file; it was put there by hand")
    return path


def delete_pictures(folder: Path, names: Iterable[str]) -> None:
    """Delete files of uploads whose removal is committed; those that are gone already are passed over.

    Raises:
        StorageError: a file cannot be deleted.
    """
    for name in names:
        _delete(_named(folder, name))


def sweep_pictures(connection: Connection, folder: Path) -> tuple[str, ...]:
    """Delete files that no upload names, which a crash left behind; returns their names.

    It holds the writer's lock, under which files of uploads are written, so that none of an upload under way goes.

    Raises:
        StorageError: the transaction is not for writing, or a file cannot be deleted.
    """
    require_writing(connection)
    if not folder.is_dir():
        return ()
    named = set(connection.scalars(select(UPLOADS.c.picture)))
    present = {path.name for path in folder.iterdir()}
    orphans = tuple(sorted(name for name in present - named if _NAME.fullmatch(name) or _UNFINISHED.fullmatch(name)))
    for name in orphans:
        _delete(folder / name)
    return orphans


def _named(folder: Path, name: str) -> Path:
    if _NAME.fullmatch(name) is None:
        raise StorageError(f"{name[:60]!r} is no name of a picture file of an upload; the row it is from was changed")
    return folder / name


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot delete {path}: {error.strerror or error}; no upload needs it any more, so delete it yourself"
        ) from error
