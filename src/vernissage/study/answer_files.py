"""A study's answers, lists and participants, read from CSV files."""

import csv
import io
import math
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vernissage.analysis.long_table import KEYS, NO_RATINGS, LongTable
from vernissage.errors import RequestError

RANKING_COLUMNS = ("participant", "engine", "rank", "item")
PEOPLE_COLUMNS = ("participant", "status", "page", "age", "gender")
HASTY = 5
"""Seconds; four statements about nine works cannot be thought over in less."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?")


@dataclass(frozen=True)
class Sheet:
    """A table as text: the header's names in lower case, and the cells of each row with its number from 1."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str) -> list[str]:
        """The cells of one column."""
        place = self.columns.index(name)
        return [cells[place] for _, cells in self.rows]


@dataclass(frozen=True)
class People:
    """How many came how far, (step, people) in the order of the study, and sentences on who those are who finished."""

    course: tuple[tuple[str, int], ...]
    sentences: tuple[str, ...]


def read_long_table(path: Path, variables: Sequence[str] = ()) -> LongTable:
    """Read a study's answers: participant, engine, repetition, and a column of ratings for each variable.

    Without ``variables`` all columns are ratings but the keys and `NO_RATINGS`. Blank ratings become NaN. What the
    cells say is checked by `analyse`.

    Raises:
        RequestError: the file cannot be read, lacks a column, or has a cell that should be a number and is none.
    """
    sheet = read_sheet(path, KEYS)
    wanted = tuple(name.strip().lower() for name in variables)
    if missing := [name for name in wanted if name not in sheet.columns]:
        raise RequestError(f"{path} has no column {missing[0]}; its columns are {', '.join(sheet.columns)}")
    names = wanted or tuple(name for name in sheet.columns if name and name not in NO_RATINGS.union(KEYS))
    if not names:
        raise RequestError(f"{path} has no column of ratings beside {', '.join(KEYS)}; add one for each statement")
    return LongTable(
        sheet.column("participant"),
        sheet.column("engine"),
        _repetitions(sheet),
        {name: np.array(_numbers(sheet, name, blank=True), dtype=np.float64) for name in names},
        [row for row, _ in sheet.rows],
    )


def read_rankings(path: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Read one list for each participant and engine, best first: columns participant, engine, rank (from 1) and item.

    Raises:
        RequestError: the file cannot be read or lacks a column; a cell is blank; a rank is no whole number from 1, or
            is missing or twice in a list; an item is twice in a list.
    """
    sheet = read_sheet(path, RANKING_COLUMNS)
    ranked: dict[tuple[str, str], dict[int, str]] = {}
    people, engines, items = (sheet.column(name) for name in ("participant", "engine", "item"))
    rows = zip(sheet.rows, people, engines, _numbers(sheet, "rank"), items, strict=True)
    for (row, _), participant, engine, rank, item in rows:
        if not (participant and engine and item):
            raise RequestError(f"{path}, row {row}: participant, engine or item is blank; fill it, or take the row out")
        if rank < 1 or rank != int(rank):
            raise RequestError(f"{path}, row {row}: the rank is {rank:g}; ranks are whole numbers from 1")
        places = ranked.setdefault((participant, engine), {})
        if int(rank) in places or item in places.values():
            twice = f"rank {int(rank)}" if int(rank) in places else f"item {item!r}"
            raise RequestError(f"{path}, row {row}: {twice} is twice in the list of {participant!r} by {engine!r}")
        places[int(rank)] = item
    return {key: _in_order(path, key, places) for key, places in ranked.items()}


def read_people(path: Path) -> People:
    """Count the people of an export.

    Raises:
        RequestError: the file cannot be read, lacks a column, or has an age that is no number.
    """
    sheet = read_sheet(path, PEOPLE_COLUMNS)
    pages, ages, genders = (sheet.column(name) for name in ("page", "age", "gender"))
    status = sheet.column("status")
    finished = [place for place, word in enumerate(status) if word == "finished"]
    steps = [("began", len(status)), ("finished", len(finished))]
    left = Counter((word, page) for word, page in zip(status, pages, strict=True) if word != "finished")
    steps[1:1] = [(f"{word} at {page}", left[word, page]) for word, page in sorted(left, key=_place)]
    known = [_age(path, sheet.rows[place][0], ages[place]) for place in finished if ages[place]]
    return People(tuple(steps), tuple(_sentences(len(finished), known, [genders[place] for place in finished])))


def pace_sentences(path: Path) -> tuple[str, ...]:
    """How long people looked at a list before they answered, by showing; none where the answers have no ``seconds``.

    Raises:
        RequestError: the file cannot be read, or a time is no number.
    """
    sheet = read_sheet(path, ("repetition",))
    if "seconds" not in sheet.columns:
        return ()
    times: dict[str, list[float]] = {}
    for (row, _), showing, cell in zip(sheet.rows, sheet.column("repetition"), sheet.column("seconds"), strict=True):
        if cell:
            times.setdefault(showing, []).append(_seconds(path, row, cell))
    told = []
    for showing, name in (("1", "first"), ("2", "second")):
        if len(mine := times.get(showing, [])) > 1:
            low, middle, high = statistics.quantiles(mine, n=4, method="inclusive")
            hasty = sum(seconds < HASTY for seconds in mine)
            told.append(
                f"{name} showings: median {middle:.1f}, middle half {low:.1f} to {high:.1f}, {hasty} of {len(mine)} "
                f"below {HASTY}"
            )
    return (
        (f"Seconds from a list's appearance to its answers, {'; '.join(told)}. Nobody is excluded for pace.",)
        if told
        else ()
    )


def read_sheet(path: Path, needed: Sequence[str]) -> Sheet:
    """Read a table with a header, separated by commas, semicolons or tabs, in UTF-8, without its blank rows.

    Raises:
        RequestError: the file cannot be read, is no table, or lacks one of the ``needed`` columns.
    """
    text = _text(path)
    separator = max(",;\t", key=lambda sign: len(set(needed).intersection(_header(text, sign))))
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise RequestError(f"{path} is no table that can be read ({error}); save it as CSV in UTF-8") from error
    columns = tuple(name.strip().lower() for name in (records[0] if records else ()))
    if missing := [name for name in needed if name not in columns]:
        raise RequestError(
            f"{path} needs the columns {', '.join(needed)}, but {', '.join(missing)} is missing; "
            f"its first row has {', '.join(columns) or 'nothing'}"
        )
    if twice := [name for place, name in enumerate(columns) if name and name in columns[:place]]:
        raise RequestError(f"{path} has two columns {twice[0]}; take one out, or rename it")
    rows = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(records[1:], start=2)]
    return Sheet(path, columns, tuple(_sound(path, columns, row, cells) for row, cells in rows if any(cells)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not in UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}; give the path of a CSV file") from error


def _header(text: str, separator: str) -> list[str]:
    first = text.splitlines()[0] if text else ""
    return [name.strip().strip('"').lower() for name in first.split(separator)]


def _sound(path: Path, columns: Sequence[str], row: int, cells: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    if len(cells) < len(columns) or any(cells[len(columns) :]):
        raise RequestError(
            f"{path}, row {row} has {len(cells)} cells, but the header has {len(columns)}; correct that row"
        )
    return row, tuple(cells[: len(columns)])


def _numbers(sheet: Sheet, name: str, *, blank: bool = False) -> list[float]:
    """The cells of a column as numbers; with ``blank``, empty ones as NaN."""
    return list(_each_number(sheet, name, blank))


def _each_number(sheet: Sheet, name: str, blank: bool) -> Iterator[float]:
    for (row, _), cell in zip(sheet.rows, sheet.column(name), strict=True):
        if blank and not cell:
            yield math.nan
        elif _NUMBER.fullmatch(cell):
            yield float(cell)
        else:
            found = "blank" if not cell else repr(cell)
            what_to_do = "leave it blank, or name the ratings with --variable" if blank else "write a number"
            raise RequestError(f"{sheet.path}, row {row}: {name} is {found}, which is no number; {what_to_do}")


def _repetitions(sheet: Sheet) -> list[int]:
    numbers = _numbers(sheet, "repetition")
    for (row, _), number in zip(sheet.rows, numbers, strict=True):
        if number != int(number):
            raise RequestError(f"{sheet.path}, row {row}: the repetition is {number:g}; write 1 or 2")
    return [int(number) for number in numbers]


def _in_order(path: Path, key: tuple[str, str], places: Mapping[int, str]) -> tuple[str, ...]:
    for rank in range(1, len(places) + 1):
        if rank not in places:
            raise RequestError(f"{path}: the list of {key[0]!r} by {key[1]!r} has no rank {rank}; ranks go from 1 on")
    return tuple(places[rank] for rank in range(1, len(places) + 1))


def _sentences(finished: int, ages: list[int], genders: list[str]) -> list[str]:
    sentences = []
    if len(ages) > 1:
        sentences.append(
            f"Age of {len(ages)} of the {finished} who finished: mean {statistics.fmean(ages):.1f}, standard deviation "
            f"{statistics.stdev(ages):.1f}, {min(ages)} to {max(ages)}."
        )
    told = Counter(gender or "not told" for gender in genders)
    if set(told) - {"not told"}:
        sentences.append("Gender: " + ", ".join(f"{gender} {count}" for gender, count in told.most_common()) + ".")
    return sentences


def _place(step: tuple[str, str]) -> tuple[bool, str, bool, int, str]:
    """Dropouts first, then by page: welcome, elicitation, assessments by number."""
    word, page = step
    number = next((int(part) for part in page.split() if part.isdecimal()), 0)
    return word != "dropped", word, page != "welcome", number, page


def _seconds(path: Path, row: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise RequestError(f"{path}, row {row}: seconds is {cell!r}; write a number, or leave it blank") from None


def _age(path: Path, row: int, cell: str) -> int:
    if not cell.isdecimal():
        raise RequestError(f"{path}, row {row}: the age is {cell!r}; write a whole number, or leave it blank")
    return int(cell)
