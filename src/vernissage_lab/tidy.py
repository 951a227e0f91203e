"""Tidy tables: one measured value a row, their means with standard errors, and differences of the same people."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from vernissage.analysis.multiple_comparisons import SMALLEST_P
from vernissage.analysis.paired import PairedDifference, holm, mean_with_error, paired_difference
from vernissage.errors import RequestError
from vernissage.files import writing

Value = str | int | float
Row = Mapping[str, Value]
"""Column → value; all rows of a table have the same columns in the same order."""

_TABLE = "table"
_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def means(rows: Sequence[Row], by: Sequence[str], measures: Sequence[str]) -> list[Row]:
    """Mean and standard error s/√n of each measure in each group of rows with equal ``by``, in the order of rows.

    A group of a single row has the standard error NaN; rows whose measure is NaN are left out of it.
    """
    found: list[Row] = []
    for key, group in _groups(rows, by).items():
        for measure in measures:
            values = [value for row in group if not math.isnan(value := float(row[measure]))]
            named = dict(zip(by, key, strict=True)) | {"measure": measure}
            if len(values) > 1:
                estimate = mean_with_error(values)
                found.append(named | {"mean": estimate.mean, "se": estimate.se, "n": estimate.n})
            elif values:
                found.append(named | {"mean": values[0], "se": math.nan, "n": 1})
    return found


def differences(
    rows: Sequence[Row], by: Sequence[str], of: Sequence[str], reference: Sequence[Value], measure: str, pair: str
) -> list[Row]:
    """Every configuration minus the reference within each group of equal ``by``, paired by the column ``pair``.

    Args:
        rows: one for each group, configuration and person.
        by: columns whose values make a group.
        of: columns whose values make a configuration.
        reference: the configuration that others are compared with; groups without it have no differences.
        measure: the column that is compared.
        pair: the column that says which rows of two configurations belong together.

    Returns:
        Difference, its standard error and 95 % interval, t, p and Holm's p over the group. A p of 1e-300 stands for
        that or less.
    """
    found: list[Row] = []
    base = tuple(reference)
    for key, group in _groups(rows, by).items():
        sides = {name: _by_pair(some, measure, pair) for name, some in _groups(group, of).items()}
        others = [
            name for name in sides if name != base and base in sides and len(sides[name].keys() & sides[base]) > 1
        ]
        tests = [_paired(sides[name], sides[base]) for name in others]
        adjusted = holm([test.p for test in tests]) if tests else ()
        for name, test, p_holm in zip(others, tests, adjusted, strict=True):
            found.append(
                dict(zip(by, key, strict=True))
                | dict(zip(of, name, strict=True))
                | {"reference": " ".join(map(str, base)), "measure": measure, "difference": test.mean, "se": test.se}
                | {"low": test.low, "high": test.high, "t": test.t, "p": max(test.p, SMALLEST_P)}
                | {"p_holm": max(p_holm, SMALLEST_P), "n": test.n}
            )
    return found


def write_table(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Write ``name``.csv and ``name``.parquet into ``folder``; equal rows give equal bytes.

    Raises:
        WorkspaceError: the folder cannot be written.
    """
    columns = list(rows[0]) if rows else []
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    with writing(folder / f"{name}.csv") as file:
        file.write(text.getvalue().encode())
    with writing(folder / f"{name}.parquet") as file:
        parquet.write_table(pa.table({column: [row[column] for row in rows] for column in columns}), file)


def read_table(folder: Path, name: str) -> list[Row]:
    """Read what `write_table` wrote.

    Raises:
        RequestError: the file is missing or damaged.
    """
    path = folder / f"{name}.parquet"
    try:
        rows: list[Row] = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise RequestError(f"{path} is missing or damaged ({error}); run the experiment again") from error
    return rows


def where(rows: Sequence[Row], **wanted: Value) -> list[Row]:
    """The rows that have these values."""
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def distinct(rows: Sequence[Row], column: str) -> list[Value]:
    """The values of a column, each once, in the order in which they are met."""
    return list(dict.fromkeys(row[column] for row in rows))


def in_table(table: str, row: Row) -> Row:
    """The row, with the name of the table that it belongs to: one cell holds rows of several."""
    return {_TABLE: table, **row}


def by_table(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of several tables (see `in_table`) by the table's name, without that name."""
    tables: dict[str, list[Row]] = {}
    for row in rows:
        rest = {column: value for column, value in row.items() if column != _TABLE}
        tables.setdefault(str(row[_TABLE]), []).append(rest)
    return tables


def _groups(rows: Sequence[Row], by: Sequence[str]) -> dict[tuple[Value, ...], list[Row]]:
    groups: dict[tuple[Value, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in by), []).append(row)
    return groups


def _by_pair(rows: Sequence[Row], measure: str, pair: str) -> dict[Value, float]:
    values = {row[pair]: float(row[measure]) for row in rows}
    if len(values) < len(rows):
        raise RequestError(f"two rows of one configuration have the same {pair}, so {measure} cannot be paired")
    return values


def _paired(first: Mapping[Value, float], second: Mapping[Value, float]) -> PairedDifference:
    both = [name for name in first if name in second]
    return paired_difference([first[name] for name in both], [second[name] for name in both])


def _cell(value: Value) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_RISKY) else text
