"""What lies in a collection's folder: its table, its pictures, and which file a table's cell means."""

import os
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.records import READERS
from vernissage.errors import CollectionError

_TABLE_STEM = "metadata"
_OTHER_TABLES = frozenset({"factors.csv"})
_DRIVE = re.compile(r"^[A-Za-z]:/")


class OutsideError(Exception):
    """A picture's path that leads out of the collection's folder."""


def find_table(path: Path) -> tuple[Path, Path | None]:
    """The root folder of a collection, and its table or None when it is a folder of pictures alone.

    Raises:
        CollectionError: there is nothing at ``path``, several tables, or a file that is no table.
    """
    if path.is_dir():
        tables = [file for file in _tables(path) if file.stem.lower() == _TABLE_STEM]
        if len(tables) > 1:
            names = ", ".join(file.name for file in tables)
            raise CollectionError(
                f"{path} holds several tables ({names}); keep one, or give the path of the one to read"
            )
        return path, tables[0] if tables else None
    if not path.exists():
        raise CollectionError(f"there is no file or folder {path}; give the folder of a collection or its table")
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise CollectionError(f"{path} is one picture; give the folder that holds the pictures")
    return path.parent, path


def other_tables(folder: Path) -> tuple[str, ...]:
    """Names of tables in the folder that are not read because they are not called ``metadata``."""
    return tuple(file.name for file in _tables(folder) if file.name not in _OTHER_TABLES)


class Pictures:
    """The picture files below a folder, found by what a table says of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Paths of all pictures below the root, with forward slashes, sorted; hidden ones are passed over."""
        return tuple(sorted(_walk(self.root)))

    def locate(self, cell: str) -> str | None:
        """The path below the root that a cell means, or None when there is no such file.

        Tried are the root and its ``images`` folder; then, if there is just one such file, any writing of capitals
        and accents, and a name without its suffix.

        Raises:
            OutsideError: the path leads out of the folder.
        """
        inside = self._inside(cell)
        for path in (inside, f"images/{inside}"):
            if _exists(self.root / path):
                return path
        for path in (inside, f"images/{inside}"):
            found = self._alike.get(_alike(path), [])
            if len(found) == 1:
                return found[0]
        return None

    def _inside(self, cell: str) -> str:
        path = cell.replace("\\", "/").removeprefix("file://")
        if path.startswith("/") or _DRIVE.match(path):
            try:
                path = Path(path).resolve().relative_to(self.root.resolve()).as_posix()
            except (ValueError, OSError):
                raise OutsideError from None
        path = posixpath.normpath(path)
        if path.startswith("../") or path in {"..", "."}:
            raise OutsideError
        return path

    @cached_property
    def _alike(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for path in self.paths:
            index.setdefault(_alike(path), []).append(path)
            index.setdefault(_alike(posixpath.splitext(path)[0]), []).append(path)
        return index


def _walk(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        below = Path(folder).relative_to(root)
        for name in files:
            if not name.startswith(".") and posixpath.splitext(name)[1].lower() in PICTURE_SUFFIXES:
                yield (below / name).as_posix()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A cell may hold more letters than a file's name can have.
        return False


def _alike(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _tables(folder: Path) -> list[Path]:
    """The tables in a folder, without hidden files and those by which Excel marks a file as open (``~$``)."""
    try:
        return sorted(
            file
            for file in folder.iterdir()
            if file.suffix.lower() in READERS and not file.name.startswith((".", "~$")) and file.is_file()
        )
    except OSError as error:
        raise CollectionError(f"{folder} cannot be read ({error.strerror}); check that you may open it") from error
