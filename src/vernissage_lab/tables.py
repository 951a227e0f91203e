"""Tables: rows of named values, their means and paired differences, and one rendering to each form.

Recipes compute rows (column → value, tidy: one measured value a row). A `Table` is what is written or read: columns and
rows with a caption. `as_csv` and `print_table` render it; templates of pages have a macro for it.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli import output
from vernissage.errors import RequestError
from vernissage.files import csv_bytes, write_bytes, writing

if TYPE_CHECKING:
    import numpy.typing as npt

    from vernissage_lab.analysis.paired import PairedDifference

# SciPy and pyarrow are imported by what needs them: a list of experiments is printed in a fraction of their second.

Row = Mapping[str, Any]
"""Column → text or number; all rows of a table have the same columns in the same order."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it holds words (flush left) or numbers, and how a value is shown."""

    name: str
    words: bool = False
    show: Callable[[Any], str] = str


@dataclass(frozen=True)
class Table:
    """Columns and rows of values, with a caption above and a note below."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""

    @property
    def heads(self) -> tuple[str, ...]:
        """The headings."""
        return tuple(column.name for column in self.columns)

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """The rows as they are shown."""
        shows = [column.show for column in self.columns]
        return tuple(tuple(show(value) for show, value in zip(shows, row, strict=True)) for row in self.rows)


@dataclass(frozen=True)
class Told:
    """What a command tells: JSON for scripts; lines and tables for people; remarks, which go to standard error."""

    content: Any
    shown: Sequence[str | Table]
    remarks: Sequence[str] = ()


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "", *, words: int = 1
) -> Table:
    """A table whose first ``words`` columns hold words and whose values are shown as they are."""
    columns = tuple(Column(head, place < words) for place, head in enumerate(heads))
    return Table(caption, columns, tuple(tuple(row) for row in rows), note)


def tidy(rows: Sequence[Row]) -> Table:
    """Rows with the columns that they have."""
    columns = list(rows[0]) if rows else []
    return table("", columns, ([row[column] for column in columns] for row in rows))


def as_csv(found: Table) -> bytes:
    """Comma-separated values in UTF-8: numbers with every digit, NaN by name, no text that begins a formula."""
    return csv_bytes(found.heads, found.rows)


def print_table(found: Table) -> None:
    """Print caption, columns and note to the terminal."""
    if found.caption:
        output.say(found.caption)
    numbers = [column.name for column in found.columns if not column.words]
    output.print_table(found.heads, found.cells, numbers=numbers)
    if found.note:
        output.say(found.note)


def write_table(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Write ``name``.csv and ``name``.parquet into ``folder``; equal rows give equal bytes.

    Raises:
        WorkspaceError: the folder cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    found = tidy(rows)
    write_bytes(folder / f"{name}.csv", as_csv(found))
    with writing(folder / f"{name}.parquet") as file:
        parquet.write_table(pa.table({column: [row[column] for row in rows] for column in found.heads}), file)


def read_table(folder: Path, name: str) -> list[Row]:
    """Read what `write_table` wrote. Raises RequestError: the file is missing or damaged."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / f"{name}.parquet"
    try:
        rows: list[Row] = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise RequestError(f"{path} is missing or damaged ({error}); run the experiment again") from error
    return rows


def means(rows: Sequence[Row], by: Sequence[str], measures: Sequence[str]) -> list[Row]:
    """Mean and standard error s/√n of each measure in each group of rows with equal ``by``, in the order of rows.

    A group of a single row has the standard error NaN; rows whose measure is NaN are left out of it.
    """
    from vernissage_lab.analysis.paired import mean_with_error

    found: list[Row] = []
    for key, group in parts(rows, *by):
        for measure in measures:
            values = [value for row in group if not math.isnan(value := float(row[measure]))]
            named = dict(zip(by, key, strict=True)) | {"measure": measure}
            if len(values) > 1:
                found.append(named | vars(mean_with_error(values)))
            elif values:
                found.append(named | {"mean": values[0], "se": math.nan, "n": 1})
    return found


def differences(
    rows: Sequence[Row], by: Sequence[str], of: Sequence[str], base: tuple[Any, ...], measures: Sequence[str], pair: str
) -> list[Row]:
    """Every configuration minus ``base`` within each group of equal ``by``, paired by the column ``pair``.

    Args:
        rows: one for each group, configuration and person.
        by: columns whose values make a group.
        of: columns whose values make a configuration.
        base: the configuration that others are compared with; groups without it have no differences.
        pair: the column that says which rows of two configurations belong together.

    Returns:
        Difference, its standard error and 95 % interval, t, p and Holm's p over the group. A p of 1e-300 stands for
        that or less.
    """
    from vernissage.analysis.multiple_comparisons import SMALLEST_P

    found: list[Row] = []
    for measure, (key, group) in product(measures, list(parts(rows, *by))):
        values = {name: _by_pair(some, measure, pair) for name, some in parts(group, *of)}
        if base not in values:
            continue
        both = {name: [each for each in own if each in values[base]] for name, own in values.items() if name != base}
        pairs = {
            name: ([values[name][each] for each in some], [values[base][each] for each in some])
            for name, some in both.items()
            if len(some) > 1
        }
        for name, test, p_holm in paired_tests(pairs):
            found.append(
                dict(zip((*by, *of), (*key, *name), strict=True))
                | {"reference": " ".join(map(str, base)), "measure": measure, "difference": test.mean, "se": test.se}
                | {"low": test.low, "high": test.high, "t": test.t, "p": max(test.p, SMALLEST_P)}
                | {"p_holm": max(p_holm, SMALLEST_P), "n": test.n}
            )
    return found


def paired_tests(
    pairs: "Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]]",
) -> "Iterator[tuple[Any, PairedDifference, float]]":
    """The paired test of each first against each second, with its p after Holm's correction over all of them."""
    from vernissage.analysis.multiple_comparisons import holm_adjusted
    from vernissage_lab.analysis.paired import paired_difference

    tests = {name: paired_difference(*values) for name, values in pairs.items()}
    adjusted = holm_adjusted([test.p for test in tests.values()]).tolist()
    yield from zip(tests, tests.values(), adjusted, strict=True)


def parts(rows: Sequence[Row], *by: str) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    """The rows of equal values in the columns ``by``, with these values, in the order in which they are met."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in by), []).append(row)
    yield from groups.items()


def where(rows: Sequence[Row], **wanted: Any) -> list[Row]:
    """The rows that have these values."""
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def only(rows: Sequence[Row], **wanted: Any) -> Row:
    """The one row that has these values."""
    (row,) = where(rows, **wanted)
    return row


def distinct(rows: Sequence[Row], column: str) -> list[Any]:
    """The values of a column, each once, in the order in which they are met."""
    return list(dict.fromkeys(row[column] for row in rows))


def by_measure(rows: Sequence[Row]) -> dict[str, Row]:
    """Rows of means by what they measure."""
    return {row["measure"]: row for row in rows}


def in_table(name: str, row: Row) -> Row:
    """The row, with the name of the table that it belongs to: one cell of a run holds rows of several."""
    return {"table": name, **row}


def by_table(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of several tables (see `in_table`) by the table's name, without that name."""
    tables: dict[str, list[Row]] = {}
    for row in rows:
        rest = dict(row)
        tables.setdefault(rest.pop("table"), []).append(rest)
    return tables


def pivot(
    rows: Sequence[Row],
    caption: str,
    down: Sequence[str],
    across: str,
    cell: Callable[[list[Row]], str],
    *,
    head: Callable[[Any], str] = str,
    note: str = "",
) -> Table:
    """A line for each combination of ``down``, a column for each value of ``across``; empty where there are no rows."""
    columns = distinct(rows, across)
    body = []
    for key, line in parts(rows, *down):
        found = (where(line, **{across: value}) for value in columns)
        body.append((*key, *(cell(some) if some else "" for some in found)))
    return table(caption, (*down, *map(head, columns)), body, note, words=len(down))


def short(value: float, digits: int = 3) -> str:
    """A number with its decimals and without the zero before the point, as in ``.630``."""
    return re.sub(r"\b0\.", ".", f"{value:.{digits}f}")


def signed(value: float, digits: int = 3) -> str:
    """The same with its sign, as in ``+.042``."""
    return re.sub(r"\b0\.", ".", f"{value:+.{digits}f}")


def estimate(row: Row, digits: int = 3) -> str:
    """Mean and standard error of a row of means, as in ``.630 ±.049``."""
    return f"{short(row['mean'], digits)} ±{short(row['se'], digits)}"


def difference(rows: Sequence[Row]) -> str:
    """A paired difference with its standard error and Holm's p; empty where there is none."""
    if not rows:
        return ""
    from vernissage.analysis.multiple_comparisons import format_p

    p = format_p(rows[0]["p_holm"])
    told = f"{signed(rows[0]['difference'])} ±{short(rows[0]['se'])}"
    return f"{told}, p {p if p.startswith('<') else f'= {p}'}"


def counted(count: int, noun: str = "class") -> str:
    """``1 class``, ``5 classes``, ``2 pictures``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


interests = partial(counted, noun="interest")
"""``1 interest``, ``5 interests``."""


def arrow(task: str) -> str:
    """``text → image`` for ``text-to-image``."""
    return task.replace("-to-", " → ")


def _by_pair(rows: Sequence[Row], measure: str, pair: str) -> dict[Any, float]:
    values = {row[pair]: float(row[measure]) for row in rows}
    if len(values) < len(rows):
        raise RequestError(f"two rows of one configuration have the same {pair}, so {measure} cannot be paired")
    return values
