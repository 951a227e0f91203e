"""Tables of frozen dataclasses as CSV files in one folder, all or none."""

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from vernissage.errors import RequestError

_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write_tables(folder: Path, tables: Mapping[str, tuple[type, Sequence[Any]]]) -> None:
    """Write tables as CSV files into ``folder``, all or none: name → (row class, rows); fields are the columns.

    Numbers have all their digits, missing ones are NaN; text that a spreadsheet would run begins with an apostrophe.

    Raises:
        WorkspaceError: the folder cannot be written.
        RequestError: a folder stands where a file belongs.
    """
    from vernissage.files import writing

    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} is a file, but the tables need a folder; choose another with --out")
    for name in tables:
        if (folder / name).is_dir():
            raise RequestError(f"{folder / name} is a folder; move it away, or choose another folder with --out")
    with ExitStack() as stack:
        for name, (kind, rows) in tables.items():
            file = stack.enter_context(writing(folder / name))
            file.write(_as_csv(kind, rows))
            file.flush()
            os.fsync(file.fileno())


def _as_csv(kind: type, rows: Sequence[Any]) -> bytes:
    columns = [field.name for field in fields(kind)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, name)) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_RISKY) else text
