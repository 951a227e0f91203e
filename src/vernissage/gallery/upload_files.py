"""What people upload, as files: pictures, texts, and tables of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.sources.columns import plain_name
from vernissage.catalog.sources.tables import READERS, Table, decode, read_table
from vernissage.catalog.words import keyword_separator, split_keywords
from vernissage.errors import CollectionError, RequestError
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


@dataclass(frozen=True)
class UploadText:
    """What is said about one upload beside its file."""

    id: str = ""
    title: str = ""
    text: str = ""
    keywords: str = ""

    def __bool__(self) -> bool:
        return bool(self.id or self.title or self.text or self.keywords)


def submissions_from(files: Sequence[Path], words: UploadText) -> tuple[list[Submission], list[str]]:
    """What is to be uploaded, in the order of the files, and remarks on tables.

    A picture file is a picture, a text file a text, a table an upload for each row (see `table_submissions`). ``words``
    belong to the only file, or are an upload by themselves.

    Raises:
        RequestError: nothing was given, a file is of another kind or cannot be read, or words come with several files.
        CollectionError: a table cannot be read.
    """
    if not files and not (words.text or words.title or words.keywords):
        raise RequestError("nothing was given to upload; name pictures, .txt files or a table, or write --text WORDS")
    if words and (len(files) > 1 or any(file.suffix.lower() in READERS for file in files)):
        raise RequestError(
            "--id, --title, --text and --keywords are about one picture or text; for several uploads give a table with "
            "these columns"
        )
    if not files:
        return [_worded(Submission(), words)], []
    found: list[Submission] = []
    remarks: list[str] = []
    for file in files:
        more, said = _from_file(file)
        found += more
        remarks += said
    return ([_worded(found[0], words)] if words else found), remarks


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
    places = _places(table)
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
    if suffix in PICTURE_SUFFIXES:
        return [Submission(file)], []
    if suffix in READERS:
        return table_submissions(file)
    if suffix not in TEXT_SUFFIXES:
        kinds = "pictures (JPEG, PNG …), texts (.txt) and tables (.csv, .json …)"
        raise RequestError(f"{file} cannot be uploaded: its name does not say what it is; give {kinds}")
    try:
        text, _ = decode(file, file.read_bytes())
    except OSError as error:
        raise RequestError(f"the text {file} cannot be read: {error.strerror or error}; check its path") from error
    if not text.strip():
        raise RequestError(f"the text {file} is empty; write something into it, or leave it out")
    return [Submission(text=text.strip())], []


def _worded(submission: Submission, words: UploadText) -> Submission:
    if submission.text and words.text:
        raise RequestError("a text file and --text were given for one upload; give one of them")
    keywords = split_keywords(words.keywords, keyword_separator([words.keywords]))
    return Submission(submission.picture, words.title, words.text or submission.text, keywords, words.id)


def _places(table: Table) -> dict[str, int]:
    """The column of each field, by the first of its names that the table has."""
    names = [plain_name(name) for name in table.columns]
    return {
        field: names.index(known)
        for field, choices in _COLUMNS.items()
        if (known := next((name for name in choices if name in names), None)) is not None
    }


def _row(path: Path, number: int, cells: Sequence[str], places: dict[str, int], separator: str) -> Submission:
    def cell(field: str) -> str:
        return cells[places[field]].strip() if field in places else ""

    picture, keywords = cell("picture"), split_keywords(cell("keywords"), separator)
    found = Submission(
        path.parent / picture if picture else None,
        cell("title"),
        cell("text"),
        keywords,
        cell("id"),
        _time(cell("time"), f"{path}, row {number}"),
    )
    if not picture and not found.words:
        raise RequestError(f"{path}, row {number} has neither a picture nor a text; fill one, or take the row out")
    return found


def _time(cell: str, where: str) -> datetime | None:
    if not cell:
        return None
    try:
        time = datetime.fromisoformat(cell)
    except ValueError:
        raise RequestError(
            f"{where}: the time {cell!r} is not understood; write 2024-05-31 or 2024-05-31T18:30Z"
        ) from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
