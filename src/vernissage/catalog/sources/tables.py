"""Tables as they stand in their files: CSV and its kin, JSON, JSON Lines, Parquet and Excel."""

import csv
import datetime
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from vernissage.catalog.host import long_fields, quiet
from vernissage.catalog.report import Problem
from vernissage.catalog.sources.columns import candidates, recognised
from vernissage.catalog.sources.encodings import decode_unknown, decode_western, known_codec, shown_name
from vernissage.catalog.sources.foreign import READ, SUFFIXES, XML_SUFFIXES, format_of_bytes, iiif_kind, refusal
from vernissage.catalog.sources.nested import unfolded, words, written
from vernissage.catalog.sources.xml_records import Fields, XmlError, xml_records
from vernissage.catalog.words import clean_cell
from vernissage.errors import CollectionError, first_line
from vernissage.files import read_regular, text_array

T = TypeVar("T")


class Rows:
    """Rows of trimmed cells with their numbers in the file, as Arrow columns: a tenth of what Python's texts take."""

    def __init__(self, rows: Iterable[tuple[int, Sequence[str]]], width: int) -> None:
        rest = iter(rows)
        self.parts: list[tuple[list[int], list[Any]]] = []
        at_once = max(1, min(_ROWS_AT_ONCE, _CELLS_AT_ONCE // max(1, width)))
        while some := list(islice(rest, at_once)):
            _limit("the table", (len(self) + len(some)) * width, MOST_CELLS, "cells")
            cells = list(zip(*(cells for _, cells in some), strict=True)) if width else []
            for column in cells:
                _limit("a cell", max(map(len, column)), MOST_LETTERS, "letters")
            self.parts.append(([number for number, _ in some], [text_array(column) for column in cells]))

    @classmethod
    def of_columns(cls, numbers: Sequence[int], columns: Sequence[Any]) -> "Rows":
        """Rows of trimmed cells that are Arrow columns already."""
        made = cls((), len(columns))
        _limit("the table", len(numbers) * len(columns), MOST_CELLS, "cells")
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            some = list(numbers[start : start + _ROWS_AT_ONCE])
            made.parts.append((some, [column.slice(start, _ROWS_AT_ONCE) for column in columns]))
        return made

    def __len__(self) -> int:
        return sum(len(numbers) for numbers, _ in self.parts)

    def __iter__(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        for numbers, columns in self.parts:
            cells = zip(*(column.to_pylist() for column in columns), strict=True) if columns else [()] * len(numbers)
            yield from zip(numbers, cells, strict=True)


@dataclass(frozen=True)
class Table:
    """Columns with unique names, and rows of as many cells.

    Attributes:
        encoding: how the bytes were read, in words; empty where the format fixes it.
        separator: what separates the cells, in words; empty where the format fixes it.
        problems: rows that could not be read as rows.
        remarks: what was decided on the way.
    """

    columns: tuple[str, ...]
    rows: Rows
    encoding: str = ""
    separator: str = ""
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()

    def column(self, position: int) -> list[str]:
        """All cells of one column."""
        return [cell for _, columns in self.rows.parts for cell in columns[position].to_pylist()]

    def sample(self, position: int, most: int = 200) -> tuple[str, ...]:
        """The first filled cells of one column, of the first rows that hold any."""
        found: list[str] = []
        for _, columns in self.rows.parts:
            start = 0
            while start < len(columns[position]) and len(found) < most:
                found += filter(None, columns[position].slice(start, 2 * most).to_pylist())
                start += 2 * most
        return tuple(found[:most])

    def unique(self, position: int) -> bool:
        """Whether every cell of a column is filled and stands once."""
        seen: set[str] = set()
        count = 0
        for numbers, columns in self.rows.parts:
            seen.update(columns[position].to_pylist())
            count += len(numbers)
            if "" in seen or len(seen) < count:  # met early in a column that repeats itself
                return False
        return bool(seen)

    @cached_property
    def filled(self) -> frozenset[int]:
        """The columns that hold anything in any row."""
        parts = [columns for _, columns in self.rows.parts]
        places = range(len(self.columns))
        return frozenset(place for place in places if any(any(columns[place].to_pylist()) for columns in parts))


def unique_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Trimmed names; a column without one is called by its place, a name met again gets a number."""
    _limit("the table", len(header), MOST_COLUMNS, "columns")
    names: dict[str, None] = {}
    for place, cell in enumerate(header, start=1):
        name = base = " ".join(clean_cell(cell).split()) or f"column {place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base} {count}"
        names[name] = None
    return tuple(names)


_ROWS_AT_ONCE = 10_000
_CELLS_AT_ONCE = 2_000_000
_EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})


def read_table(path: Path, encoding: str = "") -> Table:
    """Read a table of any known format, told by the file's suffix; a text in the named encoding or a guessed one.

    Of a folder all XML files are read as one table.

    Raises:
        CollectionError: an unknown suffix or encoding, a file that cannot be opened, or one that is damaged as a whole.
    """
    if path.is_dir():
        return read_xml_files(xml_files(path), path)
    return read_by_suffix(path, encoding, lambda path, raw: _unfolded(READERS[path.suffix.lower()](path, raw)))


def read_by_suffix(path: Path, encoding: str, read: Callable[[Path, bytes], T]) -> T:
    """What ``read`` makes of the bytes of a file of one of `READERS`' suffixes; raises as `read_table`."""
    if path.suffix.lower() not in READERS:
        if path.suffix.lower() in SUFFIXES and path.is_file() and (kind := format_of_bytes(path.read_bytes())):
            raise CollectionError(refusal(path, kind))
        raise CollectionError(f"{path} is no table that can be read; save it as one of {', '.join(READERS)}")
    raw = _bytes_of(path)
    if encoding and path.suffix.lower() not in (".parquet", ".xlsx", ".xlsm", *XML_SUFFIXES):
        raw = _named_encoding(path, raw, encoding)
    try:
        return read(path, raw)
    except _TooLargeError as error:
        raise CollectionError(f"{path}: {error}") from None


def _bytes_of(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise CollectionError(
            f"{path} cannot be read ({error.strerror}); check that it is a file you may open"
        ) from error


def _unfolded(table: Table) -> Table:
    """The table with objects and lists that stand in its cells read as those of JSON are.

    Plain lists of keywords stay, since their values may hold commas (see `split_keywords`).
    """
    of_keywords = set(candidates(table.columns)["keywords"])

    def holds(place: int) -> bool:
        found = filter(None, map(written, table.sample(place)))
        return any(isinstance(value, dict) or place not in of_keywords or dict in map(type, value) for value in found)

    if not (places := {place for place in range(len(table.columns)) if holds(place)}):
        return table

    def record(cells: Sequence[str]) -> dict[str, Any]:
        named = enumerate(zip(table.columns, cells, strict=True))
        return {name: (place in places and written(cell)) or cell for place, (name, cell) in named}

    whole = _from_records(((row, record(cells)) for row, cells in table.rows), table.problems, table.encoding)
    return replace(whole, separator=table.separator, remarks=table.remarks)


def _named_encoding(path: Path, raw: bytes, encoding: str) -> bytes:
    """The bytes as UTF-8, from the encoding that a person has named."""
    codec = known_codec(encoding)
    if codec is None:
        raise CollectionError(f"there is no encoding {encoding!r}; name one such as cp1252, cp1250, mac_roman, cp932")
    try:
        return raw.decode(codec).encode()
    except UnicodeError as error:
        place = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise CollectionError(
            f"{path} is not in {encoding}: line {place} has bytes that stand for nothing in it; name another encoding, "
            f"or leave --encoding out and one is guessed"
        ) from error


def read_json(path: Path, raw: bytes) -> Table:
    """Read a list of objects, or an object that holds one such list.

    Raises:
        CollectionError: the file is not JSON, or holds no list of objects.
    """
    content, encoding = load_json(path, raw)
    if kind := iiif_kind(content):
        raise CollectionError(refusal(path, kind))
    if isinstance(content, dict):
        content = _only_list(content)
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise CollectionError(f"{path} holds no list of objects; write a list with one object for each work")
    return _from_records(enumerate(content, start=1), (), encoding)


def load_json(path: Path, raw: bytes) -> tuple[Any, str]:
    """The values of a JSON file, and its encoding. Raises CollectionError: it is none, or too large."""
    limit_json(raw)
    text, encoding = decode(path, raw)
    try:
        return json.loads(text), encoding
    except (ValueError, RecursionError) as error:
        raise CollectionError(f"{path} is not JSON ({error}); write a list with one object for each work") from error


def _only_list(content: Mapping[str, Any], depth: int = 3) -> list[Any] | None:
    """The one list of objects that an object holds, itself or in objects within it; None where there are several."""
    lists = [value for value in content.values() if isinstance(value, list) and value]
    if len(lists) == 1:
        return lists[0]
    inner = [value for value in content.values() if isinstance(value, dict)] if depth and not lists else []
    found = [each for value in inner if (each := _only_list(value, depth - 1))]
    return found[0] if len(found) == 1 else None


def read_json_lines(path: Path, raw: bytes) -> Table:
    """Read one object in each line; a line that is no object is a problem of its own, named by its number."""
    return _from_records(*load_json_lines(path, raw))


def load_json_lines(path: Path, raw: bytes) -> tuple[list[tuple[int, dict[str, Any]]], list[Problem], str]:
    """The objects of a file's lines by their numbers, what is wrong with other lines, and the encoding."""
    limit_json(raw)
    text, encoding = decode(path, raw)
    records: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            fault = "" if isinstance(record, dict) else "is JSON, but not an object with names and values"
        except (ValueError, RecursionError) as error:
            record, fault = None, f"is not JSON ({error})"
        if fault:
            problems.append(Problem("damaged row", number, "", "", fault, "write one JSON object in each line"))
        else:
            records.append((number, record))
    return records, problems, encoding


def _from_records(
    records: Iterable[tuple[int, Mapping[str, Any]]], problems: Sequence[Problem], encoding: str
) -> Table:
    """A table of records that name their own cells; the columns stand in the order in which they are met."""
    kept: list[tuple[int, dict[str, str]]] = []
    named: dict[str, None] = {}
    for number, record in records:
        cells = {clean_cell(name) or "column": cell for name, cell in unfolded(record, as_cell).items()}
        kept.append((number, cells))
        named.update(dict.fromkeys(cells))
        _limit("the table", len(named), MOST_COLUMNS, "columns")
        _limit("the table", len(named) * len(kept), MOST_CELLS, "cells")
    columns = tuple(named)
    rows = ((number, [cells.get(name, "") for name in columns]) for number, cells in kept)
    return Table(columns, Rows(rows, len(columns)), encoding=encoding, problems=tuple(problems))


def xml_files(folder: Path) -> list[Path]:
    """The XML files anywhere below a folder, sorted by their paths; hidden ones are passed over."""
    found = (each for each in folder.rglob("*") if each.suffix.lower() in XML_SUFFIXES and each.is_file())
    return sorted(each for each in found if "/." not in f"/{each.relative_to(folder).as_posix()}")


def read_xml_files(files: Sequence[Path], root: Path) -> Table:
    """Read the records of several XML files; of those that OAI-PMH gives the last of each identifier counts.

    A file that is not well-formed is a problem of its own, and none of its records is read.

    Raises:
        CollectionError: no file can be read.
    """
    problems: list[Problem] = []
    records: dict[str | int, Fields] = {}
    numbers = count()
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            for record in list(xml_records(_bytes_of(file))):
                if record.cells is None:
                    records.pop(record.identifier, None)
                else:
                    records[record.identifier or next(numbers)] = record.cells
        except (XmlError, CollectionError) as error:
            told = str(error).removeprefix(f"{file} ")
            problems.append(
                Problem("damaged row", None, name, name, f"{name} {told}", "export it again, or take it out")
            )
    if not records and problems:
        raise CollectionError(f"{root} cannot be read: {problems[0].line()}")
    remark = f"{len(files)} XML {'file' if len(files) == 1 else 'files'} with {len(records)} records"
    return replace(_from_records(enumerate(records.values(), start=1), problems, ""), remarks=(remark,))


def read_xml(path: Path, raw: bytes) -> Table:
    """Read the records of one XML file. Raises CollectionError: it is not well-formed, or of a format not read."""
    if (kind := format_of_bytes(raw)) not in ("", "XML", *READ):
        raise CollectionError(refusal(path, kind))
    try:
        cells = [record.cells for record in xml_records(raw) if record.cells is not None]
    except XmlError as error:
        raise CollectionError(
            f"{path} {error}; export the works as LIDO, MARC 21, EDM, Dublin Core or a table"
        ) from error
    return _from_records(enumerate(cells, start=1), (), "")


def table_of(name: str, records: Iterable[Mapping[str, Any]]) -> Table:
    """A table of records by the names of their columns, numbered from 1. Raises CollectionError: it is too large."""
    try:
        return _from_records(enumerate(records, start=1), (), "")
    except _TooLargeError as error:
        raise CollectionError(f"{name}: {error}") from None


def read_parquet(path: Path, raw: bytes) -> Table:
    """Read a Parquet file; columns of bytes are left out, which the table's remarks say.

    Raises:
        CollectionError: the file is no Parquet file or is damaged.
    """
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(raw))
        _limit("the table", file.metadata.num_columns, MOST_COLUMNS, "columns")
        _limit("the table", file.metadata.num_rows * file.metadata.num_columns, MOST_CELLS, "cells")
        groups = range(file.metadata.num_row_groups)
        told = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        _limit("the table", told, MOST_BYTES, "bytes when unpacked")
        batches, held = [], 0
        for batch in file.iter_batches(1024, use_threads=False):
            held += batch.nbytes
            _limit("the table", held, MOST_BYTES, "bytes when unpacked")
            batches.append(batch)
        content = pa.Table.from_batches(batches, file.schema_arrow)
        binary = [field.name for field in content.schema if _holds_bytes(field.type)]
        kept = [place for place, field in enumerate(content.schema) if not _holds_bytes(field.type)]
        columns = [content.schema.field(place).name for place in kept]
        values = [_values(content.column(place)) for place in kept]
        nested = content.num_rows > 0 and any(pa.types.is_nested(content.schema.field(place).type) for place in kept)
        cells = [] if nested else [list(map(as_cell, column)) for column in values]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CollectionError(f"{path} cannot be read as Parquet ({first_line(error)}); export it again") from error
    remarks = tuple(
        f"column {name} holds bytes and was left out: pictures are read from files, named in a column file_name"
        for name in binary
    )
    if nested:
        names = unique_columns(columns)
        whole = enumerate(zip(*values, strict=True), start=1)
        records = ((number, dict(zip(names, row, strict=True))) for number, row in whole if any(map(as_cell, row)))
        return replace(_from_records(records, (), ""), remarks=remarks)
    rows = ((number, row) for number, row in enumerate(zip(*cells, strict=True), start=1) if any(row))
    return Table(unique_columns(columns), Rows(rows, len(columns)), remarks=remarks)


@quiet("openpyxl")  # of styles and validations that it does not know; only the cells' values are read here
def read_excel(path: Path, raw: bytes) -> Table:
    """Read the first sheet of an Excel file; its header is looked for in the first ten filled rows.

    Raises:
        CollectionError: the file is no .xlsx file, is damaged, or its first sheet is empty.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        _limit("the file", unpacked, max(_UNPACKED, _MOST_RATIO * len(raw)), "bytes when unpacked, from a small file")
        sheet = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()
        sheet_rows, cells, letters = [], 0, 0
        for row in sheet.iter_rows(values_only=True):
            sheet_rows.append([as_cell(value) for value in row])
            cells, letters = cells + len(row), letters + sum(map(len, sheet_rows[-1]))
            _limit("the table", cells, MOST_CELLS, "cells")
            _limit("the table", letters, MOST_BYTES, "letters")
    except CollectionError:
        raise
    except Exception as error:
        # openpyxl lets through whatever its zip, XML and style readers raise on damaged files.
        raise CollectionError(
            f"{path} cannot be read as an Excel file ({first_line(error)}); save it again as .xlsx or as CSV"
        ) from error
    filled = [(row, cells) for row, cells in enumerate(sheet_rows, start=1) if any(cells)]
    if not filled:
        raise CollectionError(
            f"the first sheet of {path} is empty; put the header row and the works on the first sheet"
        )
    width = max(_width(cells) for _, cells in filled)
    whole = [(number, [*cells, *[""] * width][:width]) for number, cells in filled]
    place = _header_place([cells for _, cells in whole[:30]])
    remarks = (f"row {whole[place][0]} is taken for the header; what stands above it is left out",) if place else ()
    return Table(unique_columns(whole[place][1]), Rows(whole[place + 1 :], width), remarks=remarks)


MOST_CELLS = 50_000_000
MOST_BYTES = 2**30
_UNPACKED = 64 * 2**20
_MOST_RATIO = 50
"""What a packed table may unpack to: 64 MiB, or 50 times its size; tables of works come to 5 to 20 times."""
MOST_COLUMNS = 16_384
"""As many as Excel has; the widest of forty museums' exports has some hundred."""
MOST_LETTERS = 2**20
_LONGEST_LINE = 2**24  # letters; a file without line ends is no table


class _TooLargeError(CollectionError):
    """A table that would fill the memory; its file is named by `read_table`."""


def _limit(thing: str, found: int, most: int, what: str) -> None:
    if found > most:
        raise _TooLargeError(f"{thing} has {found:,} {what}, and at most {most:,} are read; split the table into parts")


def limit_json(raw: bytes) -> None:
    """Of ``[[],[],…`` every three bytes become seventy."""
    _limit("the file", raw.count(b"{") + raw.count(b"["), MOST_CELLS // 5, "objects and lists")
    _limit("the file", raw.count(b","), 2 * MOST_CELLS, "values")


def as_cell(value: Any) -> str:
    """A typed value as the text that a person would write: whole numbers without ``.0``, midnight without the time.

    Lists are joined, and of nested values the words are taken, see `words`.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        _limit("a cell", len(value), MOST_LETTERS, "letters")
        cell = clean_cell(value)
        return "" if cell in _EXCEL_ERRORS else cell
    if isinstance(value, dict | list | tuple):
        return clean_cell(words(value, as_cell))
    return clean_cell(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return str(value.date()) if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value)


def _values(column: Any) -> list[Any]:
    """Python values of an Arrow column; times to the microsecond, which is as far as Python's reach."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_map(column.type):
        return [value and dict(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def _holds_bytes(kind: Any) -> bool:
    """Whether an Arrow type is bytes or holds bytes somewhere inside."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return any(_holds_bytes(kind.field(place).type) for place in range(kind.num_fields))


SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

_SAMPLE_LINES = 200
_HEADER_WITHIN = 10  # lines: museums put a title, a date and a blank line above the header
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?\r?\n?$', re.IGNORECASE)

Cells = list[str]
"""The cells of one row as they stand in the file."""


@long_fields
def read_delimited(path: Path, raw: bytes) -> Table:
    """Read a table whose cells are separated by commas, semicolons, tabs or vertical bars; the first row is the header.

    Rows are numbered as a spreadsheet shows them: the header is 1, blank lines count. Quoted cells may hold line ends.

    Raises:
        CollectionError: the bytes are no text, or hold no header.
    """
    text, encoding = decode(path, raw)
    if "\n" not in text and "\r" not in text:
        text = re.sub("[\x85\u2028\u2029]", "\n", text)  # line ends of mainframes and of Unicode
    _limit("the table", max(text.count("\n"), text.count("\r")), MOST_CELLS // 5, "lines")
    lines = list(io.StringIO(text, newline=""))
    _limit("a line of the table", max(map(len, lines), default=0), _LONGEST_LINE, "letters")
    widest = max((line.count(sign) for line in lines[:_HEADER_WITHIN] for sign in SEPARATORS), default=0)
    _limit("the table", widest, MOST_COLUMNS, "columns")
    announced = _SEPARATOR_LINE.match(lines[0]) if lines else None
    separator = announced[1] if announced else find_separator(lines)
    first = 1 if announced else 0
    escaped = _escapes_quotes(lines[first:], separator)
    first += _lines_above(lines[first:], separator)
    records = _records(lines[first:], separator, first + 1, escaped=escaped)
    header_row, header = next(records, (0, None))
    if header is None:
        raise CollectionError(
            f"{path} has no header that can be read; write a row with the columns' names and one row for each work"
        )
    if _width(header) < len(header):
        # Nameless columns at the end count where a row fills them, which only all rows tell.
        rest = list(records)
        filled = max((_width(cells) for _, cells in rest if cells), default=0)
        header, records = header[: max(_width(header), min(len(header), filled))], iter(rest)
    columns = unique_columns(header)
    problems: list[Problem] = []

    def sound() -> Iterator[tuple[int, list[str]]]:
        for row, cells in records:
            if fault := _fault(row, cells, len(columns)):
                problems.append(fault)
            elif cells is not None:
                trimmed = cells[: len(columns)]
                # Seen of a whole row at once: most have nothing to clean but blanks.
                yield row, list(map(str.strip if "".join(trimmed).isprintable() else clean_cell, trimmed))

    rows = Rows(sound(), len(columns))
    mended = _changed_cells(encoding, rows)
    odd = f"none of the columns' names is known; is row {header_row} the header?"
    above = (f"row {header_row} is taken for the header; what stands above it is left out",) if header_row > 1 else ()
    remarks = (*mended, *(() if recognised(columns) else (odd,)), *(above if not announced else ()))
    name = SEPARATORS.get(separator, repr(separator)) if len(columns) > 1 else ""
    return Table(columns, rows, encoding, name, tuple(problems), remarks)


def _lines_above(lines: Sequence[str], separator: str) -> int:
    """How many lines stand above the header."""
    rows = [(number, cells) for number, cells in islice(_records(lines[:_SAMPLE_LINES], separator, 0), 30) if cells]
    return rows[place][0] if (place := _header_place([cells for _, cells in rows])) else 0


def _header_place(rows: Sequence[Cells]) -> int:
    """The place of the header: of the first ten rows the one with the most known names, the first if in doubt.

    A later row must have two known names or more, twice as many as the first, and as many cells as the rows below it.
    """
    known = [recognised([cell for cell in cells if cell.strip()]) for cells in rows[:_HEADER_WITHIN]] or [0]
    best = known.index(max(known))
    below = sorted(_width(cells) for cells in rows[best + 1 :])
    whole = not below or _width(rows[best]) >= below[len(below) // 2]
    return best if known[best] >= max(2, 2 * known[0]) and whole else 0


def _escapes_quotes(lines: Sequence[str], separator: str) -> bool:
    r"""Whether quotation marks within cells are written ``\"``: where that gives more whole rows, as of MySQL."""
    odd = [line for line in lines if '\\"' in line][:_SAMPLE_LINES]
    sample = [*lines[:1], *odd]
    return bool(odd) and _whole(sample, separator, escaped=True) > _whole(sample, separator, escaped=False)


def _whole(lines: Sequence[str], separator: str, *, escaped: bool) -> tuple[int, int]:
    """How many rows have as many cells as the header, and how few cells are left with a mark after a backslash."""
    rows = [cells or [] for _, cells in _records(lines, separator, 1, escaped=escaped)]
    width = len(rows[0]) if rows else 0
    stray = sum(cell.endswith("\\") or '\\"' in cell or cell.count('"') % 2 for cells in rows for cell in cells)
    return sum(len(cells) == width for cells in rows), -stray


def _changed_cells(encoding: str, rows: Rows) -> tuple[str, ...]:
    """Three cells that hang on a guessed encoding, and how to name another."""
    if "not UTF-8" not in encoding and "but for" not in encoding:
        return ()
    odd = (cell for _, cells in rows for cell in cells if not cell.isascii())
    shown = "; ".join(
        cell if len(cell) <= 60 else f"{cell[:59]}…" for cell in islice(dict.fromkeys(islice(odd, 50)), 3)
    )
    return (f"cells that hang on the encoding, such as {shown}: name another with --encoding if they look wrong",)


@long_fields
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
    known = [recognised(cells) for cells in filled[:_HEADER_WITHIN]]
    place = known.index(max(known)) if max(known) >= max(2, 2 * known[0]) else 0
    header, rows = filled[place], filled[place + 1 :] if whole else filled[place + 1 : -1]
    agreeing = sum(len(header) in {len(cells), _width(cells)} for cells in rows) / len(rows) if rows else 1.0
    return len(header) > 1, agreeing * (1 + known[place]), len(header)


def _records(
    lines: Sequence[str], separator: str, first: int, *, escaped: bool = False
) -> Iterator[tuple[int, Cells | None]]:
    """Number and cells of every row that holds anything; None in place of cells behind a stray quotation mark.

    Where an opening quotation mark lacks its partner, the rows after it would vanish into one cell up to the next
    mark. Such a row is given up alone, and reading goes on with the line after its first. ``escaped``: marks within
    cells stand behind backslashes.
    """
    escape = "\\" if escaped else None
    place = start = 0

    def feed() -> Iterator[str]:
        nonlocal place
        while place < len(lines):
            place += 1
            yield lines[place - 1]

    number = first
    while place < len(lines):
        try:
            for cells in csv.reader(feed(), delimiter=separator, skipinitialspace=True, strict=True, escapechar=escape):
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
    if cells is not None and len(cells) == width:
        return None
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


def _width(cells: Cells) -> int:
    """How many cells there are up to the last that holds anything."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


_FOREIGN = {
    b"PK\x03\x04": "an Excel file or a ZIP archive under another name",
    b"\xd0\xcf\x11\xe0": "an old Excel file under another name",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file under another name",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_EXPORT = "export the table anew as CSV in UTF-8 or as .xlsx"

# Tabs, line and page ends and the separators of databases (1C to 1F) stand in texts; of random bytes, 9 % are others.
_STRANGE = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_SAMPLE = 100_000
_MOST_STRANGE = 0.03  # of the letters; above it, the file is a program or packed, and no text
_FEWEST_STRANGE = 4  # a few control characters are left by old programs
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)


def decode(path: Path, raw: bytes) -> tuple[str, str]:
    """The text of a file and the name of its encoding: by its byte-order mark, else UTF-8, else by `decode_unknown`.

    A few wrong bytes among many UTF-8 letters, as pasting between programs leaves them, are read as Windows-1252 each.

    Raises:
        CollectionError: the bytes are those of another kind of file, or of no text at all.
    """
    text, encoding = _decoded(path, raw)
    strange = len(_STRANGE.findall(text, 0, _SAMPLE))
    if strange >= _FEWEST_STRANGE and strange > _MOST_STRANGE * min(len(text), _SAMPLE):
        raise CollectionError(
            f"{path} is no text: {strange} of its first {min(len(text), _SAMPLE)} characters are control characters, "
            f"as in programs or packed files; {_EXPORT}"
        )
    return text, encoding


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    kind = next((kind for mark, kind in _FOREIGN.items() if raw.startswith(mark)), None)
    kind = "a web page" if _WEB_PAGE.match(raw) else kind
    if kind:
        raise CollectionError(f"{path} is {kind}, not a text file; {_EXPORT}")
    if raw.startswith(b"\xef\xbb\xbf"):
        text, name = _utf8(raw[3:])
        return text, f"{name}, with a byte-order mark"
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return raw.decode("utf-32", "replace"), "UTF-32"
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            return raw[2:].decode(codec, "replace"), "UTF-16"
    if unmarked := _utf16_without_mark(raw):
        return raw.decode(unmarked, "replace"), "UTF-16, without a byte-order mark"
    return _utf8(raw)


def _utf8(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        text = raw.decode(errors="surrogateescape")
    wrong = sum("\udc80" <= letter <= "\udcff" for letter in text)
    right = sum(letter > "\x7f" for letter in text) - wrong
    if right <= wrong:
        found = decode_unknown(raw)
        unsure = f" (not sure: it may be {' or '.join(map(shown_name, found.rivals))})" if found.rivals else ""
        return found.text, f"{shown_name(found.codec)}, for it is not UTF-8{unsure}"
    lines = text.splitlines(keepends=True)
    foreign = {place for place, line in enumerate(lines) if _ALIEN.search(line) and not _LETTERS_BEYOND.search(line)}
    found = decode_unknown(b"".join(lines[place].encode(errors="surrogateescape") for place in sorted(foreign)))
    for place in foreign:  # lines pasted from another file, whole
        lines[place] = lines[place].encode(errors="surrogateescape").decode(found.codec, "replace")
    mended = _ALIEN.sub(lambda match: decode_western(match[0].encode(errors="surrogateescape")).text, "".join(lines))
    codecs = {*([shown_name(found.codec)] if foreign else []), *([] if "".join(lines) == mended else ["Windows-1252"])}
    return mended, f"UTF-8, but for {wrong} {'byte' if wrong == 1 else 'bytes'} read as {' and '.join(sorted(codecs))}"


_ALIEN = re.compile("[\udc80-\udcff]+")
_LETTERS_BEYOND = re.compile("[^\x00-\x7f\udc80-\udcff]")


def _utf16_without_mark(raw: bytes) -> str | None:
    """UTF-16 has zeros in half of its bytes: as often as letters are Latin, digits, separators or line ends."""
    start = raw[:2000]
    half = len(start) // 2
    zeros = start[::2].count(0), start[1::2].count(0)
    for codec, (few, many) in (("utf-16-le", zeros), ("utf-16-be", zeros[::-1])):
        if half >= 4 and many > 0.03 * half and few < 0.1 * many:
            text = start[: 2 * half].decode(codec, "ignore")
            return codec if sum(sign in text for sign in ',;|:"{\t\r\n') > 1 else None  # no stray zeros
    return None


READERS: Mapping[str, Callable[[Path, bytes], Table]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab"), read_delimited),
    **dict.fromkeys((".jsonl", ".ndjson"), read_json_lines),
    ".json": read_json,
    ".parquet": read_parquet,
    **dict.fromkeys((".xlsx", ".xlsm"), read_excel),
    **dict.fromkeys(XML_SUFFIXES, read_xml),
}
"""How a file of each suffix is read."""
