"""Who took part in a study and how far they came, from an export's demographics.csv."""

import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from vernissage.cli.study_tables import read_sheet
from vernissage.errors import RequestError

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


def _age(path: Path, row: int, cell: str) -> int:
    if not cell.isdecimal():
        raise RequestError(f"{path}, row {row}: the age is {cell!r}; write a whole number, or leave it blank")
    return int(cell)
