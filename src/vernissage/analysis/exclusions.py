"""Who answered the same question about the same list too differently to be counted."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from vernissage.analysis.long_table import LongTable

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
