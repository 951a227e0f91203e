"""Reading CSV and its kin: encoding, separator and line ends are found out from the file."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vernissage.catalog.columns import recognised
from vernissage.catalog.markup import clean_cell
from vernissage.catalog.report import Problem
from vernissage.catalog.table import Table, unique_columns
from vernissage.errors import CollectionError

if TYPE_CHECKING:
    import _csv

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

_SAMPLE_LINES = 200
_LONGEST_FIELD = 2**31 - 1
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)


def read_delimited(path: Path, raw: bytes) -> Table:
    """Read a table whose cells are separated by commas, semicolons, tabs or vertical bars; the first row is the header.

    Rows are numbered as a spreadsheet shows them: the header is 1, blank lines count. Quoted cells may hold line ends.

    Raises:
        CollectionError: the bytes are no text, or hold no header.
    """
    text, encoding = decode(path, raw)
    lines = list(io.StringIO(text, newline=""))
    announced = _SEPARATOR_LINE.match(lines[0]) if lines else None
    first = 1 if announced else 0
    separator = announced[1] if announced else find_separator(lines)
    header_row, header, records, unclosed = _records(lines[first:], separator, first)
    if not header:
        raise CollectionError(f"{path} is empty; write a header row with the columns' names and one row for each work")
    columns = unique_columns(_named_or_filled(header, records))
    rows, problems = _rows(records, len(columns), unclosed)
    name = SEPARATORS.get(separator, repr(separator))
    return Table(columns, rows, encoding, name, tuple(problems), _odd_start(header_row, columns))


def decode(path: Path, raw: bytes) -> tuple[str, str]:
    """The text of a file and the name of its encoding: by its byte-order mark, else UTF-8, else Windows-1252.

    A few wrong bytes among many UTF-8 letters, as pasting between programs leaves them, are read as Windows-1252 each.

    Raises:
        CollectionError: the bytes are those of another kind of file.
    """
    if raw.startswith(b"PK\x03\x04"):
        raise CollectionError(f"{path} is an Excel file under another name; rename it to {path.stem}.xlsx")
    if raw.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"PAR1")):
        raise CollectionError(f"{path} is not a text file; export the table as CSV in UTF-8")
    if raw.startswith(b"\xef\xbb\xbf"):
        text, name = _utf8(raw[3:])
        return text, f"{name} with byte-order mark"
    for start, codec, name in ((b"\xff\xfe", "utf-16-le", "UTF-16"), (b"\xfe\xff", "utf-16-be", "UTF-16")):
        if raw.startswith(start):
            return raw[2:].decode(codec, "replace"), name
    if bare := _utf16_without_mark(raw):
        return raw.decode(bare, "replace"), "UTF-16 without byte-order mark"
    return _utf8(raw)


def find_separator(lines: Sequence[str]) -> str:
    """The separator that cuts the header into the most known names and the rows into as many cells as the header.

    Each of ``, ; tab |`` is tried on the first 200 lines. A separator that the header lacks is taken only if all are
    lacking; then the one that keeps the rows in one piece.
    """
    sample = lines[:_SAMPLE_LINES]
    scores = {separator: _score(sample, separator, whole=len(sample) == len(lines)) for separator in SEPARATORS}
    return max(scores, key=lambda separator: scores[separator])


def _score(lines: Sequence[str], separator: str, *, whole: bool) -> tuple[bool, float, int]:
    records = [record for record in _reader(lines, separator) if any(cell.strip() for cell in record)]
    if not records:
        return False, 0.0, 0
    header, rows = records[0], records[1:] if whole else records[1:-1]
    agreeing = sum(_width(row) == len(header) or len(row) == len(header) for row in rows) / max(len(rows), 1)
    return len(header) > 1, round((agreeing if rows else 1.0) * (1 + recognised(header)), 6), len(header)


def _reader(lines: Sequence[str], separator: str, *, strict: bool = False) -> "_csv.Reader":
    csv.field_size_limit(_LONGEST_FIELD)
    return csv.reader(lines, delimiter=separator, strict=strict)


def _records(
    lines: Sequence[str], separator: str, offset: int
) -> tuple[int, list[str], list[tuple[int, list[str]]], int | None]:
    """The header's row number and cells, all further records that hold anything, and the row of an unclosed quote."""
    reader = _reader(lines, separator)
    records: list[tuple[int, list[str]]] = []
    number, start = offset, 0
    try:
        for number, cells in enumerate(reader, start=offset + 1):
            if any(cell.strip() for cell in cells):
                records.append((number, cells))
                last, start = start, reader.line_num
    except csv.Error as error:
        raise CollectionError(
            f"row {number + 1} of the table cannot be read ({error}); save it again as CSV"
        ) from error
    if not records:
        return offset + 1, [], [], None
    unclosed = records[-1][0] if _ends_within_quotes(lines[last:], separator) else None
    return records[0][0], records[0][1], records[1:], unclosed


def _ends_within_quotes(lines: Sequence[str], separator: str) -> bool:
    try:
        for _ in _reader(lines, separator, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _rows(
    records: Sequence[tuple[int, list[str]]], width: int, unclosed: int | None
) -> tuple[tuple[tuple[int, tuple[str, ...]], ...], list[Problem]]:
    rows, problems = [], []
    for number, cells in records:
        if number == unclosed:
            what = f"a quotation mark opens here and is never closed ({len(cells)} cells up to the end of the file)"
            problems.append(_damaged(number, what, "close it or take it out"))
        elif max(_width(cells), width) != width or len(cells) < width:
            what = f"has {max(_width(cells), min(len(cells), width))} cells where the header has {width}"
            problems.append(_damaged(number, what, "put quotation marks around cells that hold the separator"))
        else:
            rows.append((number, tuple(clean_cell(cell) for cell in cells[:width])))
    return tuple(rows), problems


def _damaged(row: int, what: str, way_out: str) -> Problem:
    return Problem("damaged row", row, "", "", what, way_out)


def _width(cells: Sequence[str]) -> int:
    """How many cells there are up to the last that holds anything."""
    return max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _named_or_filled(header: Sequence[str], records: Sequence[tuple[int, list[str]]]) -> list[str]:
    """The header without the nameless columns at its end that no row fills."""
    filled = max((_width(cells) for _, cells in records), default=0)
    return list(header[: max(_width(header), min(len(header), filled))])


def _odd_start(header_row: int, columns: Sequence[str]) -> tuple[str, ...]:
    if recognised(columns):
        return ()
    return (f"none of the columns' names is known: is row {header_row} the header?",)


def _utf8(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        text = raw.decode(errors="surrogateescape")
    wrong = sum("\udc80" <= letter <= "\udcff" for letter in text)
    right = sum(letter > "\x7f" for letter in text) - wrong
    if right > wrong:
        mended = re.sub("[\udc80-\udcff]+", lambda match: _western(match[0].encode(errors="surrogateescape"))[0], text)
        return mended, f"UTF-8 with {wrong} bytes read as Windows-1252"
    return _western(raw)


def _western(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode("cp1252"), "Windows-1252 (no UTF-8)"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "Latin-1 (no UTF-8)"


def _utf16_without_mark(raw: bytes) -> str | None:
    """UTF-16 of a western language has a zero in every second byte."""
    start = raw[:2000]
    half = len(start) // 2
    if half >= 4 and start[1::2].count(0) > 0.7 * half and start[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half >= 4 and start[::2].count(0) > 0.7 * half and start[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None
