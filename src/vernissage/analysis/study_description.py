"""A study's answers before any model: who counts, how answers spread, how well people agree with themselves."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.analysis.long_table import HIGHEST, LOWEST, LongTable

FloatArray = npt.NDArray[np.float64]

LEAST_VIOLATION = 2
"""Answers to the two showings of one list that lie this far apart, on the scale of 1 to 5, break the rule."""


@dataclass(frozen=True)
class Exclusion:
    """How a participant answered the second showings.

    Attributes:
        participant: who.
        comparisons: how many pairs of an engine and a variable have both showings answered; 0: unchecked, and kept.
        violations: how many of them differ by 2 or more.
        excluded: whether the participant is left out of the analysis.
    """

    participant: str
    comparisons: int
    violations: int
    excluded: bool


@dataclass(frozen=True)
class Distribution:
    """How often one engine got each rating for one variable; every answer counts once.

    Attributes:
        answers: how many there are.
        ones, twos, threes, fours, fives: how many are that rating.
        mean, sd: of these answers, NaN without any; the deviation over n − 1.
    """

    variable: str
    engine: str
    answers: int
    ones: int
    twos: int
    threes: int
    fours: int
    fives: int
    mean: float
    sd: float

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of answers 1 to 5."""
        return self.ones, self.twos, self.threes, self.fours, self.fives


@dataclass(frozen=True)
class Agreement:
    """How alike the answers to both showings of one list are, for one variable.

    Attributes:
        pairs: how many pairs of answers there are.
        identical, within_one: the shares of pairs that are equal, and at most one point apart.
        shift: the mean of second minus first answer.
        correlation: Pearson's; NaN where one side does not vary.
    """

    variable: str
    pairs: int
    identical: float
    within_one: float
    shift: float
    correlation: float


@dataclass(frozen=True)
class Violation:
    """Two answers of one participant about one list that lie 2 or more apart."""

    participant: str
    variable: str
    engine: str
    first: int
    second: int


def exclusions(table: LongTable, *, exclude: bool = True) -> tuple[Exclusion, ...]:
    """One for each participant, by name; with ``exclude`` false violations are counted, and nobody is left out."""
    comparisons = dict.fromkeys(sorted(set(table.participants)), 0)
    violations = dict.fromkeys(comparisons, 0)
    pairs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(table.participants, table.engines, strict=True)):
        pairs[key].append(place)
    for (participant, _), places in pairs.items():
        if len(places) < 2:
            continue
        gaps = np.array([abs(column[places[0]] - column[places[1]]) for column in table.values.values()])
        comparisons[participant] += int(np.sum(~np.isnan(gaps)))
        violations[participant] += int(np.sum(gaps >= LEAST_VIOLATION))
    return tuple(
        Exclusion(participant, count, violations[participant], exclude and violations[participant] > 0)
        for participant, count in comparisons.items()
    )


def distributions(
    table: LongTable, *, first_only: bool = False, excluded: Collection[str] = ()
) -> tuple[Distribution, ...]:
    """The answers of everyone but ``excluded``, or their first showings alone, by variable, then engine."""
    kept = np.array([name not in excluded for name in table.participants], dtype=bool)
    if first_only:
        kept &= np.asarray(table.repetitions, dtype=np.int64) == 1
    engines = np.array(table.engines, dtype=object)
    return tuple(
        _distribution(variable, engine, column[kept & (engines == engine) & ~np.isnan(column)])
        for variable, column in table.values.items()
        for engine in sorted(set(table.engines))
    )


def agreements(table: LongTable, *, excluded: Collection[str] = ()) -> tuple[Agreement, ...]:
    """How well everyone but ``excluded`` agrees with themselves, by variable; none where no list was shown twice."""
    pairs: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for participant, variable, _, first, second in _answered_twice(table):
        if participant not in excluded:
            pairs[variable].append((first, second))
    return tuple(_agreement(variable, np.array(pairs[variable])) for variable in table.variables if pairs[variable])


def violations(table: LongTable) -> tuple[Violation, ...]:
    """Every pair of answers that breaks the rule of repeated showings, by participant, variable and engine."""
    found = [
        Violation(participant, variable, engine, int(first), int(second))
        for participant, variable, engine, first, second in _answered_twice(table)
        if abs(first - second) >= LEAST_VIOLATION
    ]
    order = {variable: place for place, variable in enumerate(table.variables)}
    return tuple(sorted(found, key=lambda each: (each.participant, order[each.variable], each.engine)))


def _answered_twice(table: LongTable) -> Iterator[tuple[str, str, str, float, float]]:
    """Participant, variable, engine and both answers, wherever both are there."""
    places = {
        key: place for place, key in enumerate(zip(table.participants, table.engines, table.repetitions, strict=True))
    }
    seconds = [(places.get((who, engine, 1)), place) for (who, engine, shown), place in places.items() if shown == 2]
    for (first, second), (variable, column) in itertools.product(seconds, table.values.items()):
        if first is not None and not np.isnan(column[[first, second]]).any():
            yield table.participants[first], variable, table.engines[first], float(column[first]), float(column[second])


def _distribution(variable: str, engine: str, answers: FloatArray) -> Distribution:
    ones, twos, threes, fours, fives = (int(np.sum(answers == rating)) for rating in range(LOWEST, HIGHEST + 1))
    mean = float(answers.mean()) if len(answers) else float("nan")
    sd = float(answers.std(ddof=1)) if len(answers) > 1 else float("nan")
    return Distribution(variable, engine, len(answers), ones, twos, threes, fours, fives, mean, sd)


def _agreement(variable: str, pairs: FloatArray) -> Agreement:
    first, second = pairs.T
    gaps = np.abs(second - first)
    varies = np.ptp(first) > 0 and np.ptp(second) > 0
    correlation = float(np.corrcoef(first, second)[0, 1]) if varies else float("nan")
    shares = float(np.mean(gaps == 0)), float(np.mean(gaps <= 1))
    return Agreement(variable, len(pairs), *shares, float(np.mean(second - first)), correlation)
