"""What people upload, as files: pictures, texts, and tables of both."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vernissage.catalog.pictures import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from vernissage.catalog.sources.columns import plain_name
from vernissage.catalog.sources.tables import READERS, decode, read_table
from vernissage.catalog.sources.views import names_in
from vernissage.catalog.words import keyword_separator, split_keywords
from vernissage.errors import CollectionError, RequestError
from vernissage.files import read_regular
from vernissage.workspace.uploading import Submission

TEXT_SUFFIXES = frozenset({".txt", ".md"})
_COLUMNS = {
    "id": ("id", "uploadid", "itemid"),
    "picture": ("picture", "image", "file", "filename", "path", "imagefile"),
    "title": ("title", "name"),
    "text": ("text", "description", "caption"),
    "keywords": ("keywords", "tags", "keyword"),
    "time": ("time", "date", "uploaded", "uploadedat", "createdat"),
}


def submissions_from(files: Sequence[Path], about: Submission) -> tuple[list[Submission], list[str]]:
    """What is to be uploaded, in the order of the files, and remarks on tables.

    A picture file is a picture, a text file a text, a table an upload for each row (see `table_submissions`). Id and
    words of ``about`` belong to the only file, or are an upload by themselves.

    Raises:
        RequestError: nothing was given, a file is of another kind or cannot be read, or words come with several files.
        CollectionError: a table cannot be read.
    """
    if not files and not about.words:
        raise RequestError("nothing was given to upload; name pictures, .txt files or a table, or write --text WORDS")
    if about == Submission():
        parts = [_from_file(file) for file in files]
        return [each for found, _ in parts for each in found], [line for _, said in parts for line in said]
    if len(files) > 1 or any(file.suffix.lower() in READERS for file in files):
        raise RequestError(
            "--id, --title, --text and --keywords are about one picture or text; for several uploads give a table with "
            "these columns"
        )
    if not files:
        return [about], []
    [found], _ = _from_file(files[0])
    if found.text and about.text:
        raise RequestError("a text file and --text were given for one upload; give one of them")
    return [replace(about, picture=found.picture, text=about.text or found.text)], []


def table_submissions(path: Path) -> tuple[list[Submission], list[str]]:
    """The rows of a table with any of the columns id, picture, title, text, keywords and time; and remarks on it.

    Pictures are named from the table's folder. Keywords are separated by ``|``, ``;`` or commas. Times are ISO 8601;
    those without a zone are UTC.

    Raises:
        CollectionError: the table cannot be read, or a row of it is damaged.
        RequestError: it has neither a picture nor a text column, no rows, or a cell that is not understood.
    """
    table = read_table(path)
    if table.problems:
        worst = table.problems[0]
        raise CollectionError(f"{path}, row {worst.row}: {worst.what}; {worst.way_out}")
    names = [plain_name(name) for name in table.columns]
    known = {field: [name for name in choices if name in names] for field, choices in _COLUMNS.items()}
    places = {field: names.index(found[0]) for field, found in known.items() if found}
    if not places.keys() & {"picture", "text", "title", "keywords"}:
        raise RequestError(
            f"{path} has the columns {', '.join(table.columns) or 'none'}; give it a column picture or text; id, "
            f"title, keywords and time may stand beside them"
        )
    separator = keyword_separator(table.column(places["keywords"])) if "keywords" in places else ","
    rows = [_row(path, number, cells, places, separator) for number, cells in table.rows]
    if not rows:
        raise RequestError(f"{path} has no rows; write one for each upload below the columns' names")
    ignored = [name for place, name in enumerate(table.columns) if place not in places.values()]
    return rows, [f"{path.name}: columns not read: {', '.join(ignored)}"] if ignored else []


def _from_file(file: Path) -> tuple[list[Submission], list[str]]:
    suffix = file.suffix.lower()
    if suffix in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
        return [Submission(file)], []
    if suffix in READERS:
        return table_submissions(file)
    if suffix not in TEXT_SUFFIXES:
        kinds = "pictures (JPEG, PNG …), videos (MP4, WebM), texts (.txt) and tables (.csv, .json …)"
        raise RequestError(f"{file} cannot be uploaded: its name does not say what it is; give {kinds}")
    try:
        text, _ = decode(file, read_regular(file))
    except OSError as error:
        raise RequestError(f"the text {file} cannot be read: {error.strerror or error}; check its path") from error
    if not text.strip():
        raise RequestError(f"the text {file} is empty; write something into it, or leave it out")
    return [Submission(text=text.strip())], []


def _row(path: Path, number: int, cells: Sequence[str], places: dict[str, int], separator: str) -> Submission:
    values = dict.fromkeys(_COLUMNS, "") | {field: cells[place].strip() for field, place in places.items()}
    found = Submission(
        path.parent / values["picture"] if values["picture"] else None,
        values["title"],
        values["text"],
        split_keywords(values["keywords"], separator),
        values["id"],
    )
    if found.picture is None and not found.words:
        raise RequestError(f"{path}, row {number} has neither a picture nor a text; fill one, or take the row out")
    # Path.exists raises where a list is longer than a file's name may be.
    named = names_in(values["picture"], lambda cell: os.path.exists(path.parent / cell))  # noqa: PTH110
    if len(named) > 1:
        raise RequestError(
            f"{path}, row {number} names {len(named)} pictures, and an upload has one; give each a row of its own"
        )
    if not values["time"]:
        return found
    try:
        time = datetime.fromisoformat(values["time"])
    except ValueError:
        raise RequestError(
            f"{path}, row {number}: the time {values['time']!r} is not understood; write 2024-05-31 or "
            f"2024-05-31T18:30Z"
        ) from None
    return replace(found, time=time if time.tzinfo is not None else time.replace(tzinfo=UTC))
