"""Who took part in a study and how far they came, from an export's demographics.csv."""

import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from vernissage.cli.study_tables import read_sheet
from vernissage.errors import RequestError

HASTY = 5
"""Seconds; four statements about nine works cannot be thought over in less."""

COLUMNS = ("participant", "status", "page", "age", "gender")


@dataclass(frozen=True)
class People:
    """How many came how far, (step, people) in the order of the study, and sentences on who those are who finished."""

    course: tuple[tuple[str, int], ...]
    sentences: tuple[str, ...]


def read_people(path: Path) -> People:
    """Count the people of an export.

    Raises:
        RequestError: the file cannot be read, lacks a column, or has an age that is no number.
    """
    sheet = read_sheet(path, COLUMNS)
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
