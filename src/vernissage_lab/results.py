"""What an evaluation found: a table, paired differences, and the record that lets it be run again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vernissage.analysis.paired import PairedDifference, holm, mean_with_error, paired_difference
from vernissage.errors import RequestError
from vernissage_lab.analysis.ranking_metrics import Numbers, coverage_by_list
from vernissage_lab.measures import METRICS, ShownRows
from vernissage_lab.visitors import Visitor

FEWEST_VISITORS = 2


@dataclass(frozen=True)
class Row:
    """One cell of the table: the mean of a metric over the visitors whom the engine could answer."""

    engine: str
    metric: str
    mean: float
    se: float
    visitors: int


@dataclass(frozen=True)
class Comparison:
    """One engine against the reference in one metric, over the visitors whom both could answer.

    ``p_holm`` is adjusted over all engines that are compared with the reference in that metric.
    """

    engine: str
    reference: str
    metric: str
    difference: PairedDifference
    p_holm: float


@dataclass(frozen=True, eq=False)
class EngineLists:
    """What one engine showed: for every visitor the rows of the list, or None where it could not answer."""

    lists: tuple[ShownRows | None, ...]
    metrics: tuple[Mapping[str, float] | None, ...]

    @property
    def answered(self) -> frozenset[int]:
        """The numbers of the visitors who got an answer."""
        return frozenset(number for number, shown in enumerate(self.lists) if shown is not None)

    def values(self, metric: str, visitors: Sequence[int], candidates: int) -> Numbers:
        """The metric for these visitors, float64 (m,); coverage as its jackknife values, whose mean it is."""
        if metric == "coverage":
            return coverage_by_list(
                [shown for number in visitors if (shown := self.lists[number]) is not None], candidates
            )
        return np.array([values[metric] for number in visitors if (values := self.metrics[number]) is not None])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came out, and everything that is needed to run it again.

    Attributes:
        engines: what each showed and scored, in the given order.
        candidates: the works that were ranked.
        visitors: the simulated people.
        failures: how many visitors each engine could not answer (none of their rated works is known to it).
        references: engines that are lines to compare with (chance, the labels themselves), never the `best`.
        protocol: seed, numbers, definitions, versions; JSON values.
    """

    engines: Mapping[str, EngineLists]
    candidates: tuple[str, ...]
    visitors: tuple[Visitor, ...]
    failures: Mapping[str, int]
    references: frozenset[str]
    protocol: Mapping[str, Any]

    def rows(self) -> list[Row]:
        """Every engine and metric, tidy; an engine that answered fewer than 2 visitors has no row."""
        return [self._row(engine, metric) for engine in self._usable for metric in METRICS]

    def best(self) -> str:
        """The engine with the highest mean nDCG, the first of equals; a reference only where nothing else answered."""
        means = {row.engine: row.mean for row in self.rows() if row.metric == "ndcg"}
        return max(means, key=lambda engine: (engine not in self.references, means[engine]))

    def differences(self, reference: str | None = None) -> list[Comparison]:
        """Every other engine minus ``reference`` in every metric, paired by visitor; the `best` if none is named.

        The best was chosen on these very visitors, which flatters it a little; to test a claim, name the reference.

        Raises:
            RequestError: no engine of that name answered.
        """
        base = reference if reference is not None else self.best()
        if base not in self._usable:
            raise RequestError(f"no engine {base!r} answered; choose one of {', '.join(self._usable)}")
        others = [engine for engine in self._usable if engine != base and len(self._common(engine, base)) > 1]
        compared: list[Comparison] = []
        for metric in METRICS:
            pairs = [self._difference(engine, base, metric) for engine in others]
            adjusted = holm([pair.p for pair in pairs])
            compared += [
                Comparison(engine, base, metric, pair, p)
                for engine, pair, p in zip(others, pairs, adjusted, strict=True)
            ]
        return compared

    def to_dict(self) -> dict[str, Any]:
        """Protocol, table and differences from the best engine as JSON values."""
        return {
            "protocol": dict(self.protocol),
            "metrics": dict(METRICS),
            "failures": dict(self.failures),
            "references": sorted(self.references),
            "rows": [asdict(row) for row in self.rows()],
            "differences": [_flat(each) for each in self.differences()],
        }

    @property
    def _usable(self) -> list[str]:
        return [engine for engine, shown in self.engines.items() if len(shown.answered) >= FEWEST_VISITORS]

    def _common(self, engine: str, other: str) -> list[int]:
        return sorted(self.engines[engine].answered & self.engines[other].answered)

    def _row(self, engine: str, metric: str) -> Row:
        values = self.engines[engine].values(metric, self._common(engine, engine), len(self.candidates))
        estimate = mean_with_error(values)
        return Row(engine, metric, estimate.mean, estimate.se, estimate.n)

    def _difference(self, engine: str, base: str, metric: str) -> PairedDifference:
        both = self._common(engine, base)
        values = [self.engines[name].values(metric, both, len(self.candidates)) for name in (engine, base)]
        return paired_difference(*values)


def _flat(comparison: Comparison) -> dict[str, Any]:
    difference = asdict(comparison.difference)
    if np.isinf(difference["t"]):
        difference["t"] = None  # JSON has no infinity
    return {
        "engine": comparison.engine,
        "reference": comparison.reference,
        "metric": comparison.metric,
        **difference,
        "p_holm": comparison.p_holm,
    }
