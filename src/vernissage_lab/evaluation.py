"""Which engine serves simulated visitors best, with standard errors and paired differences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Container
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile, WeightingRule, default_rule, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Recommender
from vernissage.values import EVERYTHING, Allow
from vernissage_lab.analysis.paired import mean_with_error
from vernissage_lab.analysis.ranking_metrics import (
    Numbers,
    coverage_by_list,
    intra_list_diversity,
    ndcg,
    novelty,
    precision,
    recall,
)
from vernissage_lab.lists import reads_texts
from vernissage_lab.recipe import MEASURED, versions
from vernissage_lab.tables import Row, paired_tests
from vernissage_lab.tastes import UNKNOWN, Labels
from vernissage_lab.visitors import (
    CATEGORY_CONCENTRATION,
    FACET_CONCENTRATION,
    NOISE_SD,
    RELEVANT_SHARE,
    Elicitation,
    Visitor,
    elicitation,
    relevant,
    simulate_visitors,
)

STEP = "Asking every engine for each visitor"
FEWEST_VISITORS = 2

ShownRows = npt.NDArray[np.int64]
"""Rows of the candidates in one list, best first."""

METRICS: Mapping[str, str] = MEASURED["evaluate"]["metrics"]
"""What is measured, in the order of the table."""


@dataclass(frozen=True, eq=False)
class EngineLists:
    """What one engine showed: for every visitor the list and what it is worth, or None where it could not answer."""

    lists: tuple[ShownRows | None, ...]
    metrics: tuple[Mapping[str, float] | None, ...]

    @property
    def answered(self) -> frozenset[int]:
        """The numbers of the visitors who got an answer."""
        return frozenset(number for number, shown in enumerate(self.lists) if shown is not None)

    def values(self, metric: str, visitors: Sequence[int], candidates: int) -> Numbers:
        """The metric for these visitors, float64 (m,); coverage as its jackknife values, whose mean it is."""
        if metric == "coverage":
            lists = [shown for number in visitors if (shown := self.lists[number]) is not None]
            return coverage_by_list(lists, candidates)
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
        """The mean of every metric over the visitors whom an engine could answer, with its standard error.

        An engine that answered fewer than 2 visitors has no row.
        """
        found: list[Row] = []
        for engine in self._usable:
            answered = self._common(engine, engine)
            for metric in METRICS:
                estimate = mean_with_error(self._values(engine, metric, answered))
                row = {"engine": engine, "metric": metric, "mean": estimate.mean, "se": estimate.se}
                found.append(row | {"visitors": estimate.n})
        return found

    def best(self) -> str:
        """The engine with the highest mean nDCG, the first of equals; a reference only where nothing else answered."""
        means = {row["engine"]: row["mean"] for row in self.rows() if row["metric"] == "ndcg"}
        found: str = max(means, key=lambda engine: (engine not in self.references, means[engine]))
        return found

    def with_best_of(self, families: Iterable[Container[str]]) -> "Evaluation":
        """The same with one engine of each family: the one with the highest mean nDCG on these very visitors."""
        means = {row["engine"]: row["mean"] for row in self.rows() if row["metric"] == "ndcg"}
        out: set[str] = set()
        for names in families:
            there = [name for name in self.engines if name in names]
            out |= set(there) - {max(there, key=lambda name: means.get(name, -1.0), default="")}
        return replace(self, engines={name: shown for name, shown in self.engines.items() if name not in out})

    def sentences(self) -> list[str]:
        """Which engines read what tastes are made of, for each facet."""
        told = []
        for facet in self.protocol["facets"]:
            stated = f"{facet['works_whose_text_states_it']} of {facet['works_known']} texts state it"
            readers = ", ".join(facet["read_by"])
            told.append(
                f"{facet['name']} is read by {readers} ({stated}): they see this part of a taste"
                if readers
                else f"{facet['name']} is read by no engine ({stated})"
            )
        return told

    def differences(self, reference: str | None = None) -> list[Row]:
        """Every other engine minus ``reference`` in every metric, paired by visitor; the `best` if none is named.

        Holm's correction is over all engines that are compared with the reference in a metric. The best was chosen on
        these very visitors, which flatters it a little; to test a claim, name the reference.

        Raises:
            RequestError: no engine of that name answered.
        """
        base = reference if reference is not None else self.best()
        if base not in self._usable:
            raise RequestError(f"no engine {base!r} answered; choose one of {', '.join(self._usable)}")
        found: list[Row] = []
        both = {engine: self._common(engine, base) for engine in self._usable if engine != base}
        for metric in METRICS:
            pairs = {
                engine: (self._values(engine, metric, some), self._values(base, metric, some))
                for engine, some in both.items()
                if len(some) > 1
            }
            for engine, test, p_holm in paired_tests(pairs):
                found.append({"engine": engine, "reference": base, "metric": metric, **vars(test), "p_holm": p_holm})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Protocol, table and differences from the best engine as JSON values."""
        return {
            "protocol": dict(self.protocol),
            "metrics": dict(METRICS),
            "failures": dict(self.failures),
            "references": sorted(self.references),
            "rows": self.rows(),
            "differences": [finite(row) for row in self.differences()],
        }

    @property
    def _usable(self) -> list[str]:
        return [engine for engine, shown in self.engines.items() if len(shown.answered) >= FEWEST_VISITORS]

    def _common(self, engine: str, other: str) -> list[int]:
        return sorted(self.engines[engine].answered & self.engines[other].answered)

    def _values(self, engine: str, metric: str, visitors: Sequence[int]) -> Numbers:
        return self.engines[engine].values(metric, visitors, len(self.candidates))


def evaluate(
    engines: Mapping[str, Recommender],
    labels: Labels,
    collection: Collection,
    *,
    visitors: int = 200,
    n: int = 9,
    seed: int = 0,
    rule: WeightingRule | None = None,
    choose: Callable[[Sequence[str]], Elicitation] | None = None,
    references: Container[str] = (),
    progress: Progress = silent,
) -> Evaluation:
    """Ask every engine for ``n`` works for each of ``visitors`` simulated people, and judge the lists by their taste.

    The works that are ranked are the same for all engines: those that have a label and that at least one engine
    knows. Works that an engine cannot see count as not found, so reading pictures or texts alone is no advantage.
    Rated works are among them, and count neither as found nor as missed. ``choose`` says of the works which ones
    visitors rate, by default one of each group (see `elicitation`). How visitors come to be:
    `simulate_visitors`. Where ``rule`` is None, ratings weigh as is usual with each engine. Engines named in
    ``references`` are judged alike, but cannot be the best. Equal arguments give equal results.

    Raises:
        RequestError: no engine, too few works or visitors, or no engine that could answer 2 visitors.
    """
    if not engines or visitors < FEWEST_VISITORS or n < 1:
        raise RequestError(
            f"{len(engines)} engines, {visitors} visitors and lists of {n} works were asked for; "
            f"give 1 engine, {FEWEST_VISITORS} visitors and 1 work or more"
        )
    labelled = [item_id for item_id in collection.ids if item_id in labels.labelled]
    candidates = tuple(item_id for item_id in labelled if any(item_id in engine for engine in engines.values()))
    known = labels.of(candidates)
    chosen = choose(candidates) if choose else elicitation([collection[item_id].group for item_id in candidates])
    if len(candidates) < len(chosen.strata) + n:
        raise RequestError(
            f"{len(candidates)} works have labels, too few to rate {len(chosen.strata)} and rank {n} of the rest"
        )
    people = simulate_visitors(known, chosen, visitors, seed=seed)
    allow = Allow(only=frozenset(candidates)) if len(candidates) < len(collection) else EVERYTHING
    lists: dict[str, list[ShownRows | None]] = {name: [] for name in engines}
    metrics: dict[str, list[Mapping[str, float] | None]] = {name: [] for name in engines}
    rules = {name: rule or default_rule(name) for name in engines}
    progress(STEP, 0, len(people))
    for done, visitor in enumerate(people, start=1):
        judge = _Judge(visitor, known, n)
        for name, engine in engines.items():
            profile = profile_from_ratings(visitor.ratings, rules[name])
            shown = _ask(engine, profile, n, allow, known)
            lists[name].append(shown)
            metrics[name].append(None if shown is None else judge.worth(shown))
        progress(STEP, done, len(people))
    asked = {name: EngineLists(tuple(lists[name]), tuple(metrics[name])) for name in engines}
    if not any(len(shown.answered) >= FEWEST_VISITORS for shown in asked.values()):
        raise RequestError(f"none of {', '.join(engines)} knows any of the rated works; build vectors for these works")
    readers = [name for name, engine in engines.items() if name not in references and reads_texts(engine)]
    works_of = {name: {"works": sum(each in engine for each in collection.ids)} for name, engine in engines.items()}
    settings = {"seed": seed, "n": n, "rules": rules, "copies_left_out": len(collection) - len(labels.item_ids)}
    facets = [_facet(known, collection, number, readers) for number in range(len(known.facets))]
    return Evaluation(
        engines=MappingProxyType(asked),
        candidates=candidates,
        visitors=tuple(people),
        failures=MappingProxyType({name: visitors - len(shown.answered) for name, shown in asked.items()}),
        references=frozenset(references) & engines.keys(),
        protocol=MappingProxyType(
            _protocol(works_of, known, collection, chosen, people, settings | {"facets": facets})
        ),
    )


def finite(row: Row) -> dict[str, Any]:
    """The row as JSON values, which have no infinite t."""
    return {name: None if name == "t" and np.isinf(value) else value for name, value in row.items()}


def _ask(engine: Recommender, profile: Profile, n: int, allow: Allow, labels: Labels) -> ShownRows | None:
    try:
        ranking = engine.recommend(profile, n, allow).ranking
    except (RequestError, RatingsError):
        return None  # it knows none of the rated works, or these weigh 0: counted as a failure
    return np.array([labels.row_of[item_id] for item_id in ranking.item_ids], dtype=np.int64)


class _Judge:
    """How any list is judged for one visitor.

    Gains are the true affinities and the relevant works the best tenth by them, both among the works that were not
    rated. Diversity and novelty use the labels, which are the same for every engine. A list of one work has
    diversity 0, an empty one 0 in everything.
    """

    def __init__(self, visitor: Visitor, labels: Labels, n: int) -> None:
        self.labels, self.n = labels, n
        self.rated = np.array([labels.row_of[item_id] for item_id in visitor.ratings], dtype=np.int64)
        free = np.ones(len(labels.item_ids), dtype=bool)
        free[self.rated] = False
        self.gains = np.where(free, visitor.affinities, 0.0)
        self.wanted = np.zeros(len(free), dtype=bool)
        self.wanted[free] = relevant(visitor.affinities[free])
        self.liking = np.array([(rating - 1) / 4 for rating in visitor.ratings.values()])

    def worth(self, shown: ShownRows) -> dict[str, float]:
        """Every metric but coverage."""
        distances = self.labels.distances
        return {
            "ndcg": ndcg(shown, self.gains, self.n),
            "recall": recall(shown, self.wanted, self.n),
            "precision": precision(shown, self.wanted, self.n),
            "diversity": intra_list_diversity(distances(shown, shown)) if len(shown) > 1 else 0.0,
            "novelty": novelty(distances(shown, self.rated), self.liking) if len(shown) else 0.0,
        }


def _protocol(
    engines: Mapping[str, Mapping[str, int]],
    labels: Labels,
    collection: Collection,
    chosen: Elicitation,
    people: Sequence[Visitor],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Every number, definition and version that a rerun needs, as JSON values; ``labels`` of the candidates."""
    return {
        "visitors": len(people),
        "visitors_redrawn_for_equal_ratings": sum(visitor.redrawn for visitor in people),
        **settings,
        "ratings_each": len(chosen.strata),
        "rated_works": f"one at random from {chosen.words}",
        "works": len(collection),
        "candidates": len(labels.item_ids),
        "engines": dict(engines),
        "facets_left_out": dict(labels.left_out),
        "facet_concentration": FACET_CONCENTRATION,
        "category_concentration": CATEGORY_CONCENTRATION,
        "rating_noise_sd": NOISE_SD,
        "relevant_share": RELEVANT_SHARE,
        **MEASURED["evaluate"]["protocol"],
        "collection": collection.fingerprint,
        "versions": {name: versions()[name] for name in ("vernissage", "python", "numpy", "scipy")},
    }


def _facet(labels: Labels, collection: Collection, number: int, readers: Sequence[str]) -> dict[str, Any]:
    """One facet, in how many works its category stands in the text, and the engines that read it there.

    A column that feeds the texts stands in all of them; a label that a text mentions now and then is not read.
    """
    facet, codes = labels.facets[number], labels.codes[:, number]
    known = [(item_id, code) for item_id, code in zip(labels.item_ids, codes.tolist(), strict=True) if code != UNKNOWN]
    names = labels.categories[facet]
    stated = sum(names[code].casefold() in collection[item_id].text.casefold() for item_id, code in known)
    return {
        "name": facet,
        "categories": len({code for _, code in known}),
        "works_known": len(known),
        "works_whose_text_states_it": stated,
        "read_by": list(readers) if 2 * stated >= len(known) > 0 else [],
    }
