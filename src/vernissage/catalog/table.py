"""A table as it stands in its file: columns, rows of text, and rows that are damaged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from vernissage.catalog.markup import clean_cell
from vernissage.catalog.report import Problem


@dataclass(frozen=True)
class Table:
    """Columns with unique names, and rows of as many trimmed cells, each with its number in the file.

    Attributes:
        encoding: how the bytes were read, in words; empty where the format fixes it.
        separator: what separates the cells, in words; empty where the format fixes it.
        problems: rows that could not be read as rows.
        remarks: what was decided on the way.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    encoding: str = ""
    separator: str = ""
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()

    def column(self, position: int) -> tuple[str, ...]:
        """All cells of one column."""
        return self._by_column[position] if self.rows else ()

    @cached_property
    def filled(self) -> frozenset[int]:
        """The columns that hold anything in any row."""
        return frozenset(place for place in range(len(self.columns)) if any(self.column(place)))

    @cached_property
    def _by_column(self) -> tuple[tuple[str, ...], ...]:
        return tuple(zip(*(cells for _, cells in self.rows), strict=True))


def unique_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Trimmed names; a column without one is called by its place, a name met again gets a number."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = base = " ".join(clean_cell(cell).split()) or f"column {place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base} {count}"
        names.append(name)
    return tuple(names)


def from_records(records: Iterable[tuple[int, dict[str, str]]], problems: Sequence[Problem], encoding: str) -> Table:
    """A table of records that name their own cells; the columns stand in the order in which they are met."""
    kept = list(records)
    columns = tuple(dict.fromkeys(name for _, record in kept for name in record))
    rows = tuple((number, tuple(record.get(name, "") for name in columns)) for number, record in kept)
    return Table(columns, rows, encoding=encoding, problems=tuple(problems))
