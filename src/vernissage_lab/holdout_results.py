"""What a hold-out found: means with errors over people, paired differences, a table for other programs."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vernissage.analysis.paired import PairedDifference, holm, mean_with_error, paired_difference
from vernissage.errors import RequestError
from vernissage.files import write_bytes
from vernissage_lab.analysis.ranking_metrics import Numbers

POSSIBLE = "possible"
"""Named like a rule: the most that any list of that length could reach."""

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "recall": "share of the hidden works that are shown",
        "group-recall": "share of the hidden works' distinct categories of which a work is shown",
        "group-precision": "share of the places whose work is of one of the hidden works' categories",
    }
)


class Cell(NamedTuple):
    """A task: what speaks and what is shown, each ``image``, ``text`` or ``both``."""

    source: str
    target: str


class Measured(NamedTuple):
    """One metric of one rule's lists of length k in one cell."""

    cell: Cell
    rule: str
    metric: str
    k: int


@dataclass(frozen=True)
class OwnerWorks:
    """A person, the number of their works, and how many of these are hidden at a time."""

    owner: str
    works: int
    hidden: int


@dataclass(frozen=True)
class HoldoutRow:
    """A mean over ``owners`` people with its standard error."""

    source: str
    target: str
    rule: str
    metric: str
    k: int
    mean: float
    se: float
    owners: int


@dataclass(frozen=True)
class HoldoutDifference:
    """A rule minus the reference for the same people; ``p_holm`` is adjusted over the rules of a cell, metric and k."""

    source: str
    target: str
    rule: str
    reference: str
    metric: str
    k: int
    difference: PairedDifference
    p_holm: float


@dataclass(frozen=True, eq=False)
class Holdout:
    """What came out.

    Attributes:
        owners: the people, in alphabetical order.
        values: for each thing measured a value for each of ``owners``, float64 (owners,): the mean over repetitions;
            NaN for people who have nothing of that source or hide nothing of that target.
        rules: in the order of the table.
        references: what is there to compare with, not to recommend by.
        unanswered: lists that a rule could not make, which count as nothing found.
        protocol: how it was measured; JSON values.
    """

    owners: tuple[OwnerWorks, ...]
    values: Mapping[Measured, Numbers]
    rules: tuple[str, ...]
    references: frozenset[str]
    unanswered: Mapping[str, int]
    protocol: Mapping[str, Any]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The tasks that were measured for at least two people."""
        return tuple(dict.fromkeys(Cell(row.source, row.target) for row in self.rows()))

    def rows(self) -> list[HoldoutRow]:
        """Every cell, rule, metric and length, tidy; what fewer than two people have a value for is left out."""
        found = []
        for measured, values in self.values.items():
            known = values[~np.isnan(values)]
            if len(known) > 1:
                what = (*measured.cell, measured.rule, measured.metric, measured.k)
                estimate = mean_with_error(known)
                found.append(HoldoutRow(*what, estimate.mean, estimate.se, len(known)))
        return found

    def differences(self, reference: str = "knn3z") -> list[HoldoutDifference]:
        """Every other rule minus ``reference``, paired by person.

        Raises:
            RequestError: that rule was not measured.
        """
        if reference not in self.rules:
            raise RequestError(f"no rule {reference!r} was measured; choose one of {', '.join(self.rules)}")
        return [
            difference
            for measured in self.values
            if measured.rule == reference
            for difference in self._differences(measured)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Protocol, people, table and differences from knn3z, or the first rule, as JSON values."""
        reference = "knn3z" if "knn3z" in self.rules else self.rules[0]
        return {
            "protocol": dict(self.protocol),
            "metrics": dict(METRICS),
            "owners": [asdict(owner) for owner in self.owners],
            "unanswered": dict(self.unanswered),
            "rows": [asdict(row) for row in self.rows()],
            "differences": [_flat(each) for each in self.differences(reference)],
        }

    def _differences(self, base: Measured) -> list[HoldoutDifference]:
        others = [base._replace(rule=rule) for rule in self.rules if rule != base.rule]
        known = ~np.isnan(self.values[base])
        if known.sum() < 2:
            return []
        pairs = [paired_difference(self.values[other][known], self.values[base][known]) for other in others]
        adjusted = holm([pair.p for pair in pairs])
        return [
            HoldoutDifference(*base.cell, other.rule, base.rule, base.metric, base.k, pair, p)
            for other, pair, p in zip(others, pairs, adjusted, strict=True)
        ]


def write_values(path: Path, found: Mapping[str, Holdout]) -> None:
    """Write every person's values as a tidy CSV, one value a row, for each encoder's hold-out."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["encoder", "owner", "works", "hidden", "source", "target", "rule", "metric", "k", "value"])
    for encoder, result in found.items():
        for measured, values in result.values.items():
            for owner, value in zip(result.owners, values.tolist(), strict=True):
                if not np.isnan(value):
                    place = [*measured.cell, measured.rule, measured.metric, measured.k]
                    writer.writerow([encoder, owner.owner, owner.works, owner.hidden, *place, repr(value)])
    write_bytes(path, text.getvalue().encode())


def _flat(each: HoldoutDifference) -> dict[str, Any]:
    difference = asdict(each.difference)
    if np.isinf(difference["t"]):
        difference["t"] = None  # JSON has no infinity
    place = {"source": each.source, "target": each.target, "rule": each.rule, "reference": each.reference}
    return {**place, "metric": each.metric, "k": each.k, **difference, "p_holm": each.p_holm}
