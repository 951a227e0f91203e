"""Published values of a study beside those of another: of the first paper, or from a file of one's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from math import isfinite
from pathlib import Path
from statistics import fmean, stdev

from vernissage.analysis.study_answers import StudyNumbers
from vernissage.study.answer_files import People, read_sheet

FIRST_PAPER = "yilma-leiva-2023"
"""What names the values of the first paper that are at hand: few of its tables' are."""

CITATION = "Yilma & Leiva, UMAP 2023, doi 10.1145/3565472.3592964"

MEASURES = {
    "participants": "participants in the analysis",
    "excluded": "participants excluded",
    "minutes": "whole duration in minutes, mean",
    "minutes_sd": "whole duration in minutes, standard deviation",
    "mean": "marginal mean",
    "p": "p Holm",
    "r": "effect size r",
    "IoU": "overlap of lists, IoU",
    "IoU_sd": "overlap of lists, standard deviation of IoU",
    "RBO": "overlap of lists, RBO",
    "RBO_sd": "overlap of lists, standard deviation of RBO",
}
"""What may be compared, and its name in the report."""

_Value = tuple[str, str, tuple[str, ...], float]
"""Measure, variable, engines, value."""


@dataclass(frozen=True)
class PublishedValue:
    """A published value as it was printed, and ours.

    Attributes:
        measure: a key of `MEASURES`.
        variable, engine, other: what it is of; blank stands for any.
        low, high: the least and the greatest of our values that it corresponds to, without a sign where it names no
            two engines; None where there is none.
    """

    measure: str
    variable: str
    engine: str
    other: str
    published: str
    low: float | None
    high: float | None


def published_beside(named: str, numbers: StudyNumbers, people: People) -> tuple[PublishedValue, ...]:
    """The values of `FIRST_PAPER`, or of a CSV file with the columns measure, variable, engine, other, published.

    Raises:
        RequestError: the file cannot be read, or a row has an unknown measure or nothing published.
    """
    there = list(_values(numbers, people))
    rows = []
    with as_file(files("vernissage.study") / f"{FIRST_PAPER}.csv") as ours:
        path = ours if named == FIRST_PAPER else Path(named)
        sheet = read_sheet(path, ("measure", "variable", "engine", "other", "published"))[1]
    for row in sheet:
        measure, variable, engine, other = (row[name] for name in ("measure", "variable", "engine", "other"))
        if measure not in MEASURES:
            raise row.error(f": the measure is {measure!r}; choose one of {', '.join(MEASURES)}")
        if not row["published"]:
            raise row.error(": nothing is published; write the value as it was printed, or take the row out")
        wanted = {engine, other} - {""}
        found = [
            value if measure != "r" or engines == (engine, other) else -value if len(wanted) == 2 else abs(value)
            for kind, what, engines, value in there
            if kind == measure and variable in ("", what) and (wanted == set(engines) if wanted else True)
        ]
        ends = (min(found), max(found)) if found else (None, None)
        rows.append(PublishedValue(measure, variable, engine, other, row["published"], *ends))
    return tuple(rows)


def _values(numbers: StudyNumbers, people: People) -> Iterator[_Value]:
    """All that was found; what is not known is left out."""
    analysis, (within, between) = numbers.analysis, numbers.overlaps or ((), ())
    yield "participants", "", (), len(analysis.exclusions) - len(analysis.excluded)
    yield "excluded", "", (), len(analysis.excluded)
    if len(people.minutes) > 1:
        yield "minutes", "", (), fmean(people.minutes)
        yield "minutes_sd", "", (), stdev(people.minutes)
    found: list[_Value] = [("mean", each.variable, (each.engine,), each.emmean) for each in analysis.emmeans]
    for each in analysis.contrasts:
        pair = (each.engine_a, each.engine_b)
        found += [("p", each.variable, pair, each.p_holm), ("r", each.variable, pair, each.r)]
    overlaps = [((one.engine,), one) for one in within] + [((two.engine_a, two.engine_b), two) for two in between]
    for engines, overlap in overlaps:
        found += [(overlap.metric, "", engines, overlap.mean), (f"{overlap.metric}_sd", "", engines, overlap.sd)]
    yield from (each for each in found if isfinite(each[-1]))
