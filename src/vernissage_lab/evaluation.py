"""Which engine serves simulated visitors best, with standard errors and paired differences."""

from collections.abc import Collection as Container
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile, WeightingRule, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Recommender
from vernissage.values import Allow
from vernissage_lab.labels import Labels
from vernissage_lab.measures import ShownRows, judge_of
from vernissage_lab.protocol import protocol_of
from vernissage_lab.results import FEWEST_VISITORS, Comparison, EngineLists, Evaluation, Row
from vernissage_lab.visitors import Visitor, elicitation, simulate_visitors

__all__ = ["Comparison", "Evaluation", "Row", "evaluate"]

STEP = "Asking every engine for each visitor"


def evaluate(
    engines: Mapping[str, Recommender],
    labels: Labels,
    collection: Collection,
    *,
    visitors: int = 200,
    n: int = 9,
    seed: int = 0,
    rule: WeightingRule = "linear",
    references: Container[str] = (),
    progress: Progress = silent,
) -> Evaluation:
    """Ask every engine for ``n`` works for each of ``visitors`` simulated people, and judge the lists by their taste.

    The works that are ranked are the same for all engines: those that have a label and that at least one engine
    knows. Works that an engine cannot see count as not found, so reading pictures or texts alone is no advantage.
    Rated works are among them, and count neither as found nor as missed. How visitors come to be:
    `simulate_visitors`. Engines named in ``references`` are judged alike, but cannot be the best. Equal arguments
    give equal results.

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
    works_of = {name: sum(each in engine for each in collection.ids) for name, engine in engines.items()}
    result = Evaluation(
        engines=MappingProxyType(asked),
        candidates=candidates,
        visitors=tuple(people),
        failures=MappingProxyType({name: visitors - len(shown.answered) for name, shown in asked.items()}),
        references=frozenset(references) & engines.keys(),
        protocol=MappingProxyType(protocol_of(works_of, known, collection, chosen, people, n, seed, rule)),
    )
    if not any(len(shown.answered) >= FEWEST_VISITORS for shown in asked.values()):
        raise RequestError(f"none of {', '.join(engines)} knows any of the rated works; build vectors for these works")
    return result


def _candidates(engines: Mapping[str, Recommender], labels: Labels, collection: Collection) -> tuple[str, ...]:
    labelled = (item_id for item_id in collection.ids if item_id in labels.labelled)
    return tuple(item_id for item_id in labelled if any(item_id in engine for engine in engines.values()))


def _ask_all(
    engines: Mapping[str, Recommender],
    labels: Labels,
    people: Sequence[Visitor],
    n: int,
    rule: WeightingRule,
    progress: Progress,
) -> dict[str, EngineLists]:
    allow = Allow(only=frozenset(labels.item_ids))
    lists: dict[str, list[ShownRows | None]] = {name: [] for name in engines}
    metrics: dict[str, list[Mapping[str, float] | None]] = {name: [] for name in engines}
    progress(STEP, 0, len(people))
    for done, visitor in enumerate(people, start=1):
        profile = profile_from_ratings(visitor.ratings, rule)
        judge = judge_of(visitor, labels, n)
        for name, engine in engines.items():
            shown = _ask(engine, profile, n, allow, labels)
            lists[name].append(shown)
            metrics[name].append(None if shown is None else judge(shown))
        progress(STEP, done, len(people))
    return {name: EngineLists(tuple(lists[name]), tuple(metrics[name])) for name in engines}


def _ask(engine: Recommender, profile: Profile, n: int, allow: Allow, labels: Labels) -> ShownRows | None:
    try:
        ranking = engine.recommend(profile, n, allow).ranking
    except (RequestError, RatingsError):
        return None  # it knows none of the rated works, or these weigh 0: counted as a failure
    return np.array([labels.row_of[item_id] for item_id in ranking.item_ids], dtype=np.int64)
