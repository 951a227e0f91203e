"""Tables of a page whose cells carry every digit, and show those that a person reads."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vernissage.pages.templating import plain

MISSING = "–"
SIGNIFICANT = 0.05
"""Of p values adjusted for their family: below it a contrast counts as found."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows; ``value`` is the number behind it with all its digits, empty for words."""

    text: str
    value: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """A column's head; ``about`` spells out an abbreviation."""

    head: str
    about: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading; an empty heading is not shown. The first cell of each row is its head."""

    heading: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class DataTable:
    """A table.

    Attributes:
        anchor: its id in the page.
        caption: what it shows, of whom; ``note`` says how to read it.
    """

    anchor: str
    caption: str
    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    note: str = ""


def words(text: str) -> Cell:
    """A cell of words, on one line."""
    return Cell(plain(text))


def whole(value: int) -> Cell:
    """A cell with a count."""
    return Cell(f"{value:,}", str(value))


def number(value: float, digits: int = 2) -> Cell:
    """A cell with a number of that many decimals; a dash for NaN."""
    return _unless_missing(value, lambda known: signed(known, digits))


def p_value(value: float, *, strong: bool = False) -> Cell:
    """A cell with a p value; with ``strong``, one below .05 stands out."""
    cell = _unless_missing(value, lambda known: p_in_words(known).removeprefix("= "))
    return replace(cell, strong=strong and value < SIGNIFICANT)


def mean_and_sd(mean: float, sd: float) -> Cell:
    """A cell ``mean ± SD``; its value is the mean and, behind a blank, the deviation."""
    if math.isnan(mean):
        return Cell(MISSING, "NaN NaN")
    return Cell(f"{mean:.3f} ± {MISSING if math.isnan(sd) else f'{sd:.3f}'}", f"{_digits(mean)} {_digits(sd)}")


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign, and no sign before a rounded 0."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")


def p_in_words(value: float) -> str:
    """A p value with its relation, as in ``= 0.031`` or ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def labelled(columns: Sequence[Column], row: Sequence[Cell]) -> list[tuple[Column, Cell]]:
    """Cells with their columns."""
    return list(zip(columns, row, strict=True))


def _unless_missing(value: float, shown: Callable[[float], str]) -> Cell:
    return Cell(MISSING, "NaN") if math.isnan(value) else Cell(shown(value), _digits(value))


def _digits(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(float(value))
