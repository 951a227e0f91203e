"""Reading the files of data sets strictly: UTF-8, JSON and tables; and finding the pictures that they name."""

import csv
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.resources import files
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from vernissage.catalog.host import long_fields
from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.sources.columns import plain_name
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError, ImageEntry, checked

_SEPARATORS = {",": "commas", "|": "vertical bars", ";": "semicolons", "\t": "tabs"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_LINES = 50
"""More in one cell are taken for a quotation mark that lacks its partner."""

_DEPTH = 3
"""Folders in folders: archives often unpack to Flickr8k_Dataset/Flicker8k_Dataset."""

KNOWN: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("kinds.toml").read_text(encoding="utf-8"))
"""The kinds of data sets, as ``kinds.toml`` tells of them."""

Names = Callable[[ImageEntry], Iterable[str]]


def require_file(path: Path, what: str, source: str) -> Path:
    """The path itself if it is there.

    Raises:
        DatasetError: it is not; the message says what it should be and where it officially comes from.
    """
    if not path.exists():
        raise DatasetError(
            f"there is nothing at {path}; {what} is expected there. Nothing is downloaded for you: get it from {source}"
        )
    return path


def published_file(path: Path, names: Sequence[str], source: str, *, alone: bool = False) -> Path:
    """The path itself, or the file in it that has the first of these ``names``; with ``alone`` it may have one of them.

    Raises:
        DatasetError: the folder has none, or several where it must be ``alone``.
    """
    if not path.is_dir():
        return path
    there = [path / name for name in names if (path / name).is_file()]
    if not there or (alone and len(there) > 1):
        raise DatasetError(
            f"{path} holds {'several' if there else 'none'} of {', '.join(names)}; name the file, or get it from "
            f"{source}"
        )
    return there[0]


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises:
        DatasetError: it is a folder, cannot be opened, or is not in UTF-8; the message says in which line.
    """
    if path.is_dir():
        raise DatasetError(f"{path} is a folder, but a file is expected; name the file, which may lie in it")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); name a file that you may open") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "is in UTF-16" if raw.startswith(_UTF16) else "is not in UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{path} {kind}: byte 0x{raw[error.start]:02x} in line {line}; save it in UTF-8, or get it anew"
        ) from None


def read_json_object(path: Path, *needed: str) -> dict[str, Any]:
    """The object that a JSON file holds, in which ``needed`` are lists of objects.

    Raises:
        DatasetError: no UTF-8, no JSON, no object, or a list is missing; the message names it.
    """
    text = read_text(path)
    if not text.strip():
        raise DatasetError(f"{path} is empty, but an object with {' and '.join(needed)} is expected; get it anew")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}); it may be cut short: get it anew") from None
    if not isinstance(content, dict):
        raise DatasetError(
            f"{path} holds a {type(content).__name__}, not an object with {' and '.join(needed)}; "
            f"name the right file, or another kind"
        )
    for name in needed:
        value = content.get(name)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            there = ", ".join(content) or "nothing"
            raise DatasetError(
                f"{path} has no list of objects {name!r} (it has {there}); name the right file, or another kind"
            )
    return content


def value_of(entry: Mapping[str, Any], key: str, where: str) -> Any:
    """One value of a JSON object. Raises DatasetError: the object has no such key; the message names key and place."""
    if key not in entry:
        raise DatasetError(f"{where} has no {key!r} (it has {', '.join(entry) or 'nothing'}); get the file anew")
    return entry[key]


def text_of(entry: Mapping[str, Any], key: str, where: str) -> str:
    """One text of a JSON object, in single blanks. Raises DatasetError: it is missing, or no text."""
    value = value_of(entry, key, where)
    if not isinstance(value, str):
        raise DatasetError(f"{where} has {key} {value!r}, which is no text; get the file anew")
    return " ".join(value.split())


class Rows:
    """The rows of a table with a header, read one by one; columns are found by any of several names."""

    def __init__(self, path: Path, header: Sequence[str], separator: str, lines: Sequence[str]) -> None:
        self.path = path
        self.header = [name.strip() for name in header]
        self.separator = separator
        self._lines = lines
        self._skipped = 1
        self._plain = [plain_name(name) for name in self.header]

    def place(self, *names: str) -> int | None:
        """The position of the first of these columns that is there; case, blanks and marks do not count."""
        return next((self._plain.index(plain_name(name)) for name in names if plain_name(name) in self._plain), None)

    def required(self, what: str, *names: str) -> int:
        """The position of a column without which the table cannot be read.

        Raises:
            DatasetError: there is none; the message names the column and those that are there.
        """
        place = self.place(*names)
        if place is None:
            raise DatasetError(
                f"{self.path} has no column {names[0]} ({what}); its columns are {', '.join(self.header)}: rename the "
                f"right one to {names[0]}"
            )
        return place

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Line number of each row's end, and its trimmed cells; blank rows are passed over.

        Raises:
            DatasetError: a cell spans too many lines, or a row has more cells than the first.
        """
        with long_fields:
            reader, before = _reader(self._lines[self._skipped :], self.separator), 0
            for cells in reader:
                if reader.line_num - before > _MOST_LINES:
                    raise DatasetError(
                        f"{self.path}, line {before + 1 + self._skipped}: a quotation mark opens a cell that spans "
                        f"{reader.line_num - before} lines; close it, or double it where it stands in a text"
                    )
                before = reader.line_num
                if any(cell.strip() for cell in cells[len(self.header) :]):
                    raise DatasetError(
                        f"{self.path}, line {before + self._skipped} has {len(cells)} cells where the first line has "
                        f"{len(self.header)}; put quotation marks around a text that holds "
                        f"{_SEPARATORS[self.separator]}"
                    )
                if any(cells):
                    yield before + self._skipped, [" ".join(cell.split()) for cell in cells]

    def without_header(self) -> "Rows":
        """The same rows, the first line among them."""
        whole = Rows(self.path, self.header, self.separator, self._lines)
        whole._skipped = 0
        return whole


@long_fields
def read_rows(path: Path) -> Rows:
    """Open a table whose cells are separated by what separates its header: comma, vertical bar, semicolon or tab.

    Raises:
        DatasetError: no UTF-8, or empty.
    """
    lines = read_text(path).splitlines(keepends=True)
    if not lines or not lines[0].strip():
        raise DatasetError(f"{path} is empty or begins with an empty line; write the columns' names into the first")
    separator = max(_SEPARATORS, key=lines[0].count)
    return Rows(path, next(_reader(lines[:1], separator)), separator, lines)


def _reader(lines: Sequence[str], separator: str) -> Any:
    """Tables with vertical bars are those of Flickr30k, which were written without quotation marks around cells."""
    if separator == "|":
        return csv.reader(lines, delimiter=separator, skipinitialspace=True, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def cell_of(cells: Sequence[str], place: int | None) -> str:
    """A cell, or nothing where the column or the cell is missing."""
    return cells[place] if place is not None and place < len(cells) else ""


def assembled(
    found: CaptionedSet, beside: Path, pictures: Path | None, *, skip_bad: bool, also: Names | None = None
) -> CaptionedSet:
    """A set as its file tells it, checked, with path and size of the picture files that are there.

    A file is looked for under the path that the set gives it, then under its bare name in the folder and three levels
    of folders below; a bare name that stands in several folders counts as missing.

    Args:
        found: the set, its pictures without path and size.
        beside: the folder of the set's own file, where pictures may lie.
        pictures: the folder below which they lie, if another.
        also: further names that a picture's file may have, tried after the set's own.

    Raises:
        DatasetError: see `checked`; or ``pictures`` is no folder, or holds none of the pictures.
    """
    if pictures is not None:
        require_folder(pictures)
    files = _Files(pictures or beside)
    images = tuple(_with_file(image, files, also) for image in found.images)
    if pictures is not None:
        require_some(images, pictures, "that holds them, or leave it out to work with the texts alone")
    return checked(replace(found, images=images), skip_bad=skip_bad)


def require_folder(root: Path) -> None:
    """Refuse a place of pictures that is no folder. Raises DatasetError: see above."""
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DatasetError(f"there is no folder {root}: it {what}; name the folder that holds the set's pictures")


def require_some(images: Sequence[ImageEntry], root: Path, which: str) -> None:
    """Refuse a folder that holds none of the pictures; ``which`` says which folder should be named instead.

    Raises:
        DatasetError: see above.
    """
    named = [image for image in images if image.file]
    if named and not any(image.path for image in named):
        raise DatasetError(
            f"{root} holds none of the set's {len(named)} pictures, such as {named[0].file}; name the folder {which}"
        )


class _Files:
    """The picture files below a root, by bare name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, file: str) -> Path | None:
        """Where the file lies; None when it is missing, leads out of the root, or stands in several folders."""
        inside = PurePosixPath(file.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or not inside.name:
            return None
        direct = self.root / inside
        try:
            there = direct.is_file()
        except (OSError, ValueError):  # a cell may hold more letters than a file's name can have
            there = False
        return direct if there else self._by_name.get(inside.name)

    @cached_property
    def _by_name(self) -> dict[str, Path | None]:
        found: dict[str, Path | None] = {}
        for folder, names, there in os.walk(self.root):
            if len(Path(folder).relative_to(self.root).parts) >= _DEPTH:
                names.clear()
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in there:
                if os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:  # noqa: PTH122  (a Path for each is slow)
                    found[name] = None if name in found else Path(folder, name)
        return found


def _with_file(image: ImageEntry, files: _Files, also: Names | None) -> ImageEntry:
    names = [image.file] * bool(image.file)
    path = next(filter(None, map(files.find, chain(names, also(image) if also else ()))), None)
    return replace(image, path=path, size=path.stat().st_size) if path else image
