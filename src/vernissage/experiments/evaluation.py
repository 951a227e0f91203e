"""Which engine serves simulated visitors best, with standard errors and paired differences."""

import platform
from collections.abc import Collection as Container
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import scipy

import vernissage
from vernissage.analysis.paired import PairedDifference, holm, mean_with_error, paired_difference
from vernissage.analysis.ranking_metrics import Numbers, coverage_by_list
from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.experiments.labels import UNKNOWN, Labels
from vernissage.experiments.measures import METRICS, ShownRows, judge_of
from vernissage.experiments.visitors import (
    CATEGORY_CONCENTRATION,
    FACET_CONCENTRATION,
    NOISE_SD,
    RELEVANT_SHARE,
    Elicitation,
    Visitor,
    elicitation,
    simulate_visitors,
)
from vernissage.profiles import Profile, WeightingRule, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.rankings import Ranking

FEWEST_VISITORS = 2
STEP = "Asking every engine for each visitor"


class Ranker(Protocol):
    """What is evaluated: anything that ranks works for a profile, every `Recommender` and the baselines too."""

    @property
    def item_ids(self) -> Sequence[str]: ...

    def recommend(self, profile: Profile, n: int, *, among: Container[str] | None = None) -> Ranking: ...


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
        protocol: seed, numbers, definitions, versions; JSON values.
    """

    engines: Mapping[str, EngineLists]
    candidates: tuple[str, ...]
    visitors: tuple[Visitor, ...]
    failures: Mapping[str, int]
    protocol: Mapping[str, Any]

    def rows(self) -> list[Row]:
        """Every engine and metric, tidy; an engine that answered fewer than 2 visitors has no row."""
        return [self._row(engine, metric) for engine in self._usable for metric in METRICS]

    def best(self) -> str:
        """The engine with the highest mean nDCG; the first of equal ones."""
        means = {row.engine: row.mean for row in self.rows() if row.metric == "ndcg"}
        return max(means, key=means.__getitem__)

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


def evaluate(
    engines: Mapping[str, Ranker],
    labels: Labels,
    collection: Collection,
    *,
    visitors: int = 200,
    n: int = 9,
    seed: int = 0,
    rule: WeightingRule = "linear",
    progress: Progress = silent,
) -> Evaluation:
    """Ask every engine for ``n`` works for each of ``visitors`` simulated people, and judge the lists by their taste.

    The works that are ranked are the same for all engines: those that have a label and that at least one engine
    knows. Works that an engine cannot see count as not found, so reading pictures or texts alone is no advantage.
    Rated works are among them, and count neither as found nor as missed. How visitors come to be:
    `simulate_visitors`. Equal arguments give equal results.

    Raises:
        RequestError: no engine, too few works or visitors, or no engine that could answer 2 visitors.
    """
    if not engines or visitors < FEWEST_VISITORS or n < 1:
        raise RequestError(
            f"{len(engines)} engines, {visitors} visitors and lists of {n} works were asked for; "
            f"give 1 engine, {FEWEST_VISITORS} visitors and 1 work or more"
        )
    candidates = _candidates(engines, labels, collection)
    known = labels.of(candidates)
    chosen = elicitation([collection[item_id].group for item_id in candidates])
    if len(candidates) < len(chosen.strata) + n:
        raise RequestError(
            f"{len(candidates)} works have labels, too few to rate {len(chosen.strata)} and rank {n} of the rest"
        )
    people = simulate_visitors(known, chosen, visitors, seed=seed)
    asked = _ask_all(engines, known, people, n, rule, progress)
    result = Evaluation(
        engines=MappingProxyType(asked),
        candidates=candidates,
        visitors=tuple(people),
        failures=MappingProxyType({name: visitors - len(shown.answered) for name, shown in asked.items()}),
        protocol=MappingProxyType(_protocol(engines, known, collection, chosen, people, n, seed, rule)),
    )
    if not any(len(shown.answered) >= FEWEST_VISITORS for shown in asked.values()):
        raise RequestError(f"none of {', '.join(engines)} knows any of the rated works; build vectors for these works")
    return result


def _candidates(engines: Mapping[str, Ranker], labels: Labels, collection: Collection) -> tuple[str, ...]:
    known: set[str] = set().union(*(engine.item_ids for engine in engines.values()))
    return tuple(item_id for item_id in collection.ids if item_id in known and item_id in labels.labelled)


def _ask_all(
    engines: Mapping[str, Ranker],
    labels: Labels,
    people: Sequence[Visitor],
    n: int,
    rule: WeightingRule,
    progress: Progress,
) -> dict[str, EngineLists]:
    universe = frozenset(labels.item_ids)
    among = {name: None if universe.issuperset(engine.item_ids) else universe for name, engine in engines.items()}
    lists: dict[str, list[ShownRows | None]] = {name: [] for name in engines}
    metrics: dict[str, list[Mapping[str, float] | None]] = {name: [] for name in engines}
    progress(STEP, 0, len(people))
    for done, visitor in enumerate(people, start=1):
        profile = profile_from_ratings(visitor.ratings, rule)
        judge = judge_of(visitor, labels, n)
        for name, engine in engines.items():
            shown = _ask(engine, profile, n, among[name], labels)
            lists[name].append(shown)
            metrics[name].append(None if shown is None else judge(shown))
        progress(STEP, done, len(people))
    return {name: EngineLists(tuple(lists[name]), tuple(metrics[name])) for name in engines}


def _ask(engine: Ranker, profile: Profile, n: int, among: Container[str] | None, labels: Labels) -> ShownRows | None:
    try:
        ranking = engine.recommend(profile, n, among=among)
    except RequestError:
        return None  # it knows none of the rated works: counted as a failure
    return np.array([labels.row_of[item_id] for item_id in ranking.item_ids], dtype=np.int64)


def _protocol(
    engines: Mapping[str, Ranker],
    labels: Labels,
    collection: Collection,
    chosen: Elicitation,
    people: Sequence[Visitor],
    n: int,
    seed: int,
    rule: WeightingRule,
) -> dict[str, Any]:
    return {
        "visitors": len(people),
        "visitors_redrawn_for_equal_ratings": sum(visitor.redrawn for visitor in people),
        "seed": seed,
        "n": n,
        "rule": rule,
        "ratings_each": len(chosen.strata),
        "rated_works": "one at random from each group" if chosen.by_group else "one at random from each ninth",
        "works": len(collection),
        "candidates": len(labels.item_ids),
        "candidates_are": "works with a label that at least one engine knows; the rated ones are not judged",
        "engines": {name: {"works": len(engine.item_ids)} for name, engine in engines.items()},
        "facets": [_facet(labels, collection, number) for number in range(len(labels.facets))],
        "facets_left_out": dict(labels.left_out),
        "facet_concentration": FACET_CONCENTRATION,
        "category_concentration": CATEGORY_CONCENTRATION,
        "rating_noise_sd": NOISE_SD,
        "relevant_share": RELEVANT_SHARE,
        "gain": "affinity in [0, 1], linear; discount log2(place + 1); ideal over all candidates",
        "collection": collection.fingerprint,
        "versions": {
            "vernissage": vernissage.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def _facet(labels: Labels, collection: Collection, number: int) -> dict[str, Any]:
    """One facet, and in how many works its category stands literally in the text, where text engines can read it."""
    facet, codes = labels.facets[number], labels.codes[:, number]
    known = [(item_id, code) for item_id, code in zip(labels.item_ids, codes.tolist(), strict=True) if code != UNKNOWN]
    names = labels.categories[facet]
    stated = sum(names[code].casefold() in collection[item_id].text.casefold() for item_id, code in known)
    return {
        "name": facet,
        "categories": len({code for _, code in known}),
        "works_known": len(known),
        "works_whose_text_states_it": stated,
    }


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
