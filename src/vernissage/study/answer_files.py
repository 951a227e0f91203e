"""A study's answers, lists and participants, read from CSV files."""

import csv
import io
import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from vernissage.analysis.long_table import KEYS, NO_RATINGS, LongTable
from vernissage.errors import RequestError
from vernissage.files import read_regular

RANKING_COLUMNS = ("participant", "engine", "rank", "item")
PEOPLE_COLUMNS = ("participant", "status", "page", "age", "gender")
HASTY = 5
"""Seconds; four statements about nine works cannot be thought over in less."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?")


@dataclass(frozen=True)
class Row:
    """A row of a table, its number from 1: its cells as text, by the header's names in lower case."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells[name]

    def error(self, what: str) -> RequestError:
        """An error about this row."""
        return RequestError(f"{self.path}, row {self.number}{what}")

    def measure(self, name: str, otherwise: str = "write a number") -> float:
        """The number in a cell. Raises RequestError: it is none; ``otherwise`` says what to do."""
        if not _NUMBER.fullmatch(self[name]):
            found = repr(self[name]) if self[name] else "blank"
            raise self.error(f": {name} is {found}, which is no number; {otherwise}")
        return float(self[name])


@dataclass(frozen=True)
class People:
    """Who took part.

    Attributes:
        course: how many came how far, (step, people) in the order of the study.
        sentences: on who those are who finished.
        minutes: how long each of them took, from consent to the last answer.
    """

    course: tuple[tuple[str, int], ...] = ()
    sentences: tuple[str, ...] = ()
    minutes: tuple[float, ...] = ()


def read_long_table(path: Path, variables: Sequence[str] = ()) -> LongTable:
    """Read a study's answers: participant, engine, repetition, and a column of ratings for each variable.

    Without ``variables`` all columns are ratings but the keys and `NO_RATINGS`. Blank ratings become NaN. What the
    cells say is checked by `analyse`.

    Raises:
        RequestError: the file cannot be read, lacks a column, or has a cell that should be a number and is none.
    """
    columns, rows = read_sheet(path, KEYS)
    wanted = tuple(name.strip().lower() for name in variables)
    if missing := [name for name in wanted if name not in columns]:
        raise RequestError(f"{path} has no column {missing[0]}; its columns are {', '.join(columns)}")
    names = wanted or tuple(name for name in columns if name and name not in NO_RATINGS.union(KEYS))
    if not names:
        raise RequestError(f"{path} has no column of ratings beside {', '.join(KEYS)}; add one for each statement")
    unless = "leave it blank, or name the ratings with --variable"
    return LongTable(
        [row["participant"] for row in rows],
        [row["engine"] for row in rows],
        [_repetition(row) for row in rows],
        {name: np.array([row.measure(name, unless) if row[name] else math.nan for row in rows]) for name in names},
        [row.number for row in rows],
    )


def read_rankings(path: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Read one list for each participant and engine, best first: columns participant, engine, rank (from 1) and item.

    Raises:
        RequestError: the file cannot be read or lacks a column; a cell is blank; a rank is no whole number from 1, or
            is missing or twice in a list; an item is twice in a list.
    """
    ranked: dict[tuple[str, str], dict[int, str]] = {}
    for row in read_sheet(path, RANKING_COLUMNS)[1]:
        rank, item = row.measure("rank"), row["item"]
        if not (row["participant"] and row["engine"] and item):
            raise row.error(": participant, engine or item is blank; fill it, or take the row out")
        if rank < 1 or rank != int(rank):
            raise row.error(f": the rank is {rank:g}; ranks are whole numbers from 1")
        places = ranked.setdefault((row["participant"], row["engine"]), {})
        if int(rank) in places or item in places.values():
            twice = f"rank {int(rank)}" if int(rank) in places else f"item {item!r}"
            raise row.error(f": {twice} is twice in the list of {row['participant']!r} by {row['engine']!r}")
        places[int(rank)] = item
    for (participant, engine), places in ranked.items():
        if missing := set(range(1, len(places) + 1)).difference(places):
            raise RequestError(
                f"{path}: the list of {participant!r} by {engine!r} has no rank {min(missing)}; ranks go from 1 on"
            )
    return {key: tuple(item for _, item in sorted(places.items())) for key, places in ranked.items()}


def read_people(path: Path) -> People:
    """Count the people of an export.

    Raises:
        RequestError: the file cannot be read, lacks a column, or has an age or a time that is none.
    """
    rows = read_sheet(path, PEOPLE_COLUMNS)[1]
    finished = [row for row in rows if row["status"] == "finished"]
    left = Counter((row["status"], row["page"]) for row in rows if row["status"] != "finished")
    course = [(f"{word} at {page}", left[word, page]) for word, page in sorted(left, key=_place)]
    sentences = []
    ages = [_age(row) for row in finished if row["age"]]
    if len(ages) > 1:
        who = f"the {len(finished)}" if len(ages) == len(finished) else f"{len(ages)} of the {len(finished)}"
        sentences.append(
            f"Age of {who} who finished: mean {statistics.fmean(ages):.1f}, standard deviation "
            f"{statistics.stdev(ages):.1f}, {min(ages)} to {max(ages)}."
        )
    genders = Counter(row["gender"] or "not told" for row in finished)
    if set(genders) - {"not told"}:
        sentences.append("Gender: " + ", ".join(f"{gender} {count}" for gender, count in genders.most_common()) + ".")
    minutes = tuple(_minutes(row) for row in finished if row.cells.get("consented") and row.cells.get("finished"))
    if len(minutes) > 1:
        sentences.append(
            f"Whole duration of the {len(minutes)} who finished, from consent to the last answer: mean "
            f"{statistics.fmean(minutes):.1f} minutes, standard deviation {statistics.stdev(minutes):.1f}, median "
            f"{statistics.median(minutes):.1f}, {min(minutes):.1f} to {max(minutes):.1f}."
        )
    return People((("began", len(rows)), *course, ("finished", len(finished))), tuple(sentences), minutes)


def pace_sentences(path: Path) -> tuple[str, ...]:
    """How long people looked at a list before they answered, by showing; none where the answers have no ``seconds``.

    Raises:
        RequestError: the file cannot be read, or a time is no number.
    """
    columns, rows = read_sheet(path, ("repetition",))
    if "seconds" not in columns:
        return ()
    times: dict[str, list[float]] = {}
    for row in rows:
        if row["seconds"]:
            seconds = row.measure("seconds", "write a number, or leave it blank")
            times.setdefault(row["repetition"], []).append(seconds)
    told = []
    for showing, name in (("1", "first"), ("2", "second")):
        if len(mine := times.get(showing, [])) > 1:
            low, middle, high = statistics.quantiles(mine, n=4, method="inclusive")
            told.append(
                f"{name} showings: median {middle:.1f}, middle half {low:.1f} to {high:.1f}, "
                f"{sum(seconds < HASTY for seconds in mine)} of {len(mine)} below {HASTY}"
            )
    if not told:
        return ()
    return (f"Seconds from a list's appearance to its answers, {'; '.join(told)}. Nobody is excluded for pace.",)


def read_sheet(path: Path, needed: Sequence[str]) -> tuple[tuple[str, ...], list[Row]]:
    """Read a table with a header, separated by commas, semicolons or tabs, in UTF-8: its columns and its filled rows.

    Raises:
        RequestError: the file cannot be read, is no table, or lacks one of the ``needed`` columns.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not in UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}; give the path of a CSV file") from error
    header = text.partition("\n")[0]
    heads = {sign: {name.strip().strip('"').lower() for name in header.split(sign)} for sign in ",;\t"}
    separator = max(heads, key=lambda sign: len(heads[sign].intersection(needed)))
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
    stripped = ([cell.strip() for cell in cells] for cells in records[1:])
    rows = []
    for number, cells in enumerate(stripped, start=2):
        row = Row(path, number, dict(zip(columns, cells, strict=False)))
        if any(cells) and (len(cells) < len(columns) or any(cells[len(columns) :])):
            raise row.error(f" has {len(cells)} cells, but the header has {len(columns)}; correct that row")
        rows += [row] if any(cells) else []
    return columns, rows


def _repetition(row: Row) -> int:
    number = row.measure("repetition")
    if number != int(number):
        raise row.error(f": the repetition is {number:g}; write 1 or 2")
    return int(number)


def _age(row: Row) -> int:
    if not row["age"].isdecimal():
        raise row.error(f": the age is {row['age']!r}; write a whole number, or leave it blank")
    return int(row["age"])


def _minutes(row: Row) -> float:
    try:
        began, ended = (datetime.fromisoformat(row[name]) for name in ("consented", "finished"))
        return (ended - began).total_seconds() / 60
    except (ValueError, TypeError):  # a TypeError where only one of both says its time zone
        raise row.error(": consented or finished is no time; write times as the export does") from None


def _place(step: tuple[str, str]) -> tuple[bool, str, bool, int, str]:
    """Dropouts first, then by page: welcome, elicitation, assessments by number."""
    word, page = step
    number = next((int(part) for part in page.split() if part.isdecimal()), 0)
    return word != "dropped", word, page != "welcome", number, page
