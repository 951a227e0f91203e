"""Reading CSV and its kin: separator, quotation marks and line ends are found out from the file."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from vernissage.catalog.columns import recognised
from vernissage.catalog.decoding import decode
from vernissage.catalog.markup import ODD_IN_TEXTS, clean_cells, trimmed_cells
from vernissage.catalog.report import Problem
from vernissage.catalog.table import Table, unique_columns
from vernissage.errors import CollectionError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

_SAMPLE_LINES = 200
_LONGEST_FIELD = 2**31 - 1
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)

Cells = list[str]
"""The cells of one row as they stand in the file."""


def read_delimited(path: Path, raw: bytes) -> Table:
    """Read a table whose cells are separated by commas, semicolons, tabs or vertical bars; the first row is the header.

    Rows are numbered as a spreadsheet shows them: the header is 1, blank lines count. Quoted cells may hold line ends.

    Raises:
        CollectionError: the bytes are no text, or hold no header.
    """
    text, encoding = decode(path, raw)
    lines = list(io.StringIO(text, newline=""))
    announced = _SEPARATOR_LINE.match(lines[0]) if lines else None
    separator = announced[1] if announced else find_separator(lines)
    records = list(_records(lines[1 if announced else 0 :], separator, 2 if announced else 1))
    if not records or records[0][1] is None:
        raise CollectionError(
            f"{path} has no header that can be read; write a row with the columns' names and one row for each work"
        )
    (header_row, header), rows = (records[0][0], records[0][1]), records[1:]
    columns = unique_columns(_named_or_filled(header, rows))
    width = len(columns)
    faults = (_fault(row, cells, width) for row, cells in rows if cells is None or len(cells) != width)
    problems = tuple(problem for problem in faults if problem)
    bad = {problem.row for problem in problems}
    clean = clean_cells if any(sign in text for sign in ODD_IN_TEXTS) else trimmed_cells
    sound = tuple((row, clean(cells[:width])) for row, cells in rows if cells is not None and row not in bad)
    name = SEPARATORS.get(separator, repr(separator)) if len(columns) > 1 else ""
    return Table(columns, sound, encoding, name, problems, _odd_header(header_row, columns))


def find_separator(lines: Sequence[str]) -> str:
    """The separator that cuts the header into the most known names and the rows into as many cells as the header.

    Each of ``, ; tab |`` is tried on the first 200 lines; one that cuts the header comes before all that do not.
    """
    sample = lines[:_SAMPLE_LINES]
    scores = {separator: _score(sample, separator, whole=len(sample) == len(lines)) for separator in SEPARATORS}
    return max(scores, key=lambda separator: scores[separator])


def _score(lines: Sequence[str], separator: str, *, whole: bool) -> tuple[bool, float, int]:
    filled = [cells for _, cells in _records(lines, separator, 1) if cells]
    if not filled:
        return False, 0.0, 0
    # The last record of a sample may be cut.
    header, rows = filled[0], filled[1:] if whole else filled[1:-1]
    agreeing = sum(len(header) in {len(cells), _width(cells)} for cells in rows) / len(rows) if rows else 1.0
    return len(header) > 1, agreeing * (1 + recognised(header)), len(header)


def _records(lines: Sequence[str], separator: str, first: int) -> Iterator[tuple[int, Cells | None]]:
    """Number and cells of every row that holds anything; None in place of cells behind a stray quotation mark.

    Where an opening quotation mark lacks its partner, the rows after it would vanish into one cell up to the next
    mark. Such a row is given up alone, and reading goes on with the line after its first.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    place = start = 0

    def feed() -> Iterator[str]:
        nonlocal place
        while place < len(lines):
            place += 1
            yield lines[place - 1]

    number = first
    while place < len(lines):
        try:
            for cells in csv.reader(feed(), delimiter=separator, skipinitialspace=True, strict=True):
                if cells and (cells[0].strip() or "".join(cells).strip()):
                    yield number, cells
                number, start = number + 1, place
        except csv.Error:
            spanned, place, start = place - start, start + 1, start + 1
            # Marks within one line, as in "Untitled" (blue), swallow nothing and are read as they stand.
            yield number, _leniently(lines[place - 1], separator) if spanned == 1 else None
            number += 1


def _leniently(line: str, separator: str) -> Cells | None:
    """The cells of a line that stands for itself; None when its last quotation mark is open."""
    records = list(csv.reader([line, ""], delimiter=separator, skipinitialspace=True))
    return records[0] if len(records) == 2 else None


def _fault(row: int, cells: Cells | None, width: int) -> Problem | None:
    if cells is None:
        what, way_out = "a quotation mark opens a cell here and is never closed", "close it, or take it out"
    elif _width(cells) > width:
        what = f"the row has {_width(cells)} cells where the header has {width}"
        way_out = "put quotation marks around cells that hold the separator"
    elif len(cells) < width:
        what = f"the row has {len(cells)} cells where the header has {width}"
        way_out = "add the missing cells, empty if need be"
    else:
        return None
    return Problem("damaged row", row, "", "", what, way_out)


def _named_or_filled(header: Cells, rows: Sequence[tuple[int, Cells | None]]) -> Cells:
    """The header without the nameless columns at its end that no row fills."""
    if _width(header) == len(header):
        return header
    filled = max((_width(cells) for _, cells in rows if cells), default=0)
    return header[: max(_width(header), min(len(header), filled))]


def _width(cells: Cells) -> int:
    """How many cells there are up to the last that holds anything."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def _odd_header(row: int, columns: Sequence[str]) -> tuple[str, ...]:
    if recognised(columns):
        return ()
    return (f"none of the columns' names is known; is row {row} the header?",)
