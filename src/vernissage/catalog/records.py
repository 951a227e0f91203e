"""Reading JSON, JSON Lines, Parquet and Excel: formats that know the types of their cells."""

import datetime
import io
import json
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from vernissage.catalog.decoding import decode
from vernissage.catalog.delimited import read_delimited
from vernissage.catalog.markup import clean_cell
from vernissage.catalog.report import Problem
from vernissage.catalog.table import Table, from_records, unique_columns
from vernissage.errors import CollectionError

BETWEEN_VALUES = " | "
"""What stands between the values of a list when it becomes one cell."""

_EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})


def read_table(path: Path) -> Table:
    """Read a table of any known format, told by the file's suffix.

    Raises:
        CollectionError: an unknown suffix, a file that cannot be opened, or one that is damaged as a whole.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise CollectionError(f"{path} is no table that can be read; save it as one of {', '.join(READERS)}")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CollectionError(
            f"{path} cannot be read ({error.strerror}); check that it is a file you may open"
        ) from error
    return reader(path, raw)


def read_json(path: Path, raw: bytes) -> Table:
    """Read a list of objects, or an object that holds one such list.

    Raises:
        CollectionError: the file is not JSON, or holds no list of objects.
    """
    text, encoding = decode(path, raw)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CollectionError(f"{path} is not JSON ({error}); write a list with one object for each work") from error
    records = _list_of_objects(content)
    if records is None:
        raise CollectionError(f"{path} holds no list of objects; write a list with one object for each work")
    return from_records(((row, _cells(record)) for row, record in enumerate(records, start=1)), (), encoding)


def read_json_lines(path: Path, raw: bytes) -> Table:
    """Read one object in each line; a line that is no object is a problem of its own, named by its number."""
    text, encoding = decode(path, raw)
    records, problems = [], []
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(_damaged_line(number, f"is not JSON ({error})"))
            continue
        if isinstance(record, dict):
            records.append((number, _cells(record)))
        else:
            problems.append(_damaged_line(number, "is JSON, but not an object with names and values"))
    return from_records(records, problems, encoding)


def read_parquet(path: Path, raw: bytes) -> Table:
    """Read a Parquet file; columns of bytes are left out, which the table's remarks say.

    Raises:
        CollectionError: the file is no Parquet file or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = pq.read_table(io.BytesIO(raw), use_threads=False)
        binary = [field.name for field in content.schema if _holds_bytes(field.type)]
        kept = [place for place, field in enumerate(content.schema) if not _holds_bytes(field.type)]
        cells = [[as_cell(value) for value in _values(content.column(place))] for place in kept]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CollectionError(f"{path} cannot be read as Parquet ({_first_line(error)}); export it again") from error
    columns = [content.schema.field(place).name for place in kept]
    rows = tuple((number, row) for number, row in enumerate(zip(*cells, strict=True), start=1) if any(row))
    remarks = tuple(
        f"column {name} holds bytes and was left out: pictures are read from files, named in a column file_name"
        for name in binary
    )
    return Table(unique_columns(columns), rows, remarks=remarks)


def read_excel(path: Path, raw: bytes) -> Table:
    """Read the first sheet of an Excel file; its first filled row is the header.

    Raises:
        CollectionError: the file is no .xlsx file, is damaged, or its first sheet is empty.
    """
    import openpyxl

    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and validations that it does not know; only the cells' values are read here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            sheet_rows = [[as_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:
        # openpyxl lets through whatever its zip, XML and style readers raise on damaged files.
        raise CollectionError(
            f"{path} cannot be read as an Excel file ({_first_line(error)}); save it again as .xlsx or as CSV"
        ) from error
    return _sheet_table(path, [(row, cells) for row, cells in enumerate(sheet_rows, start=1) if any(cells)])


def as_cell(value: Any) -> str:
    """A typed value as the text that a person would write: whole numbers without ``.0``, midnight without the time.

    Lists of plain values are joined; other nested values stay as JSON.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        cell = clean_cell(value)
        return "" if cell in _EXCEL_ERRORS else cell
    if isinstance(value, dict | list | tuple):
        return _nested(value)
    return clean_cell(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return str(value.date()) if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value)


def _nested(value: Any) -> str:
    if not value:
        return ""
    if isinstance(value, dict) or any(isinstance(part, dict | list | tuple) for part in value):
        return clean_cell(json.dumps(value, ensure_ascii=False, default=str))
    return BETWEEN_VALUES.join(part for part in map(as_cell, value) if part)


def _cells(record: Mapping[str, Any]) -> dict[str, str]:
    return {clean_cell(name) or "column": as_cell(value) for name, value in record.items()}


def _list_of_objects(content: Any) -> list[dict[str, Any]] | None:
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list) and value]
        content = lists[0] if len(lists) == 1 else None
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        return content
    return None


def _sheet_table(path: Path, filled: list[tuple[int, list[str]]]) -> Table:
    if not filled:
        raise CollectionError(
            f"the first sheet of {path} is empty; put the header row and the works on the first sheet"
        )
    width = max(_width(cells) for _, cells in filled)
    columns = unique_columns([*filled[0][1], *[""] * width][:width])
    rows = tuple((number, tuple([*cells, *[""] * width][:width])) for number, cells in filled[1:])
    return Table(columns, rows)


def _width(cells: Iterable[str]) -> int:
    return max((place for place, cell in enumerate(cells, start=1) if cell), default=0)


def _values(column: Any) -> list[Any]:
    """Python values of an Arrow column; times to the microsecond, which is as far as Python's reach."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return list(column.to_pylist())


def _holds_bytes(kind: Any) -> bool:
    """Whether an Arrow type is bytes or holds bytes somewhere inside."""
    import pyarrow as pa

    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return any(_holds_bytes(kind.field(place).type) for place in range(kind.num_fields))


def _damaged_line(number: int, what: str) -> Problem:
    return Problem("damaged row", number, "", "", what, "write one JSON object in each line")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


READERS: Mapping[str, Callable[[Path, bytes], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
}
"""How a file of each suffix is read."""
