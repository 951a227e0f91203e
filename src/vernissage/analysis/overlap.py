"""How alike the lists are that participants got from one engine, and from two."""

import itertools
import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from vernissage.errors import RequestError
from vernissage.rankings import iou, rbo

Metric = Literal["IoU", "RBO"]
Pairing = Literal["same participant", "all pairs"]

PAIRINGS: tuple[Pairing, ...] = get_args(Pairing)

_METRICS: Mapping[Metric, Callable[[Sequence[str], Sequence[str]], float]] = {"IoU": iou, "RBO": rbo}

Lists = Mapping[tuple[str, str], Sequence[str]]
"""One list of item ids, best first, by participant and engine."""


@dataclass(frozen=True)
class OverlapWithin:
    """A row of Table 1: overlap of one engine's lists over all pairs of different participants.

    Attributes:
        mean: NaN without any pair.
        sd: the standard deviation over n − 1; NaN with fewer than two pairs. Pairs share lists, so no standard
            error follows from it.
    """

    engine: str
    metric: Metric
    n_pairs: int
    mean: float
    sd: float


@dataclass(frozen=True)
class OverlapBetween:
    """A row of Table 2: overlap of two engines' lists, mean and deviation as in `OverlapWithin`.

    Attributes:
        pairing: ``same participant`` compares what each participant got from both; ``all pairs`` every list of one
            engine with every list of the other, those of the same participant among them.
    """

    engine_a: str
    engine_b: str
    pairing: Pairing
    metric: Metric
    n_pairs: int
    mean: float
    sd: float


Overlaps = tuple[tuple[OverlapWithin, ...], tuple[OverlapBetween, ...]]


def overlap_tables(lists: Lists, *, pairing: Pairing = "same participant", excluded: Collection[str] = ()) -> Overlaps:
    """Tables 1 and 2 of Yilma and Leiva 2023: overlap within engines and between them, by IoU and by RBO (p = .9).

    Engines, by name, are those of all ``lists``; the lists of ``excluded`` participants are not compared.

    Raises:
        RequestError: an item twice in one list, or an unknown ``pairing``.
    """
    if pairing not in PAIRINGS:
        raise RequestError(f"lists are paired as {' or '.join(PAIRINGS)}, but {pairing!r} was asked for")
    by_engine: dict[str, dict[str, Sequence[str]]] = {engine: {} for engine in sorted({engine for _, engine in lists})}
    for participant, engine in sorted(lists):
        if participant not in excluded:
            by_engine[engine][participant] = lists[participant, engine]
    within = [
        OverlapWithin(engine, metric, *_summary(metric, itertools.combinations(own.values(), 2)))
        for engine, own in by_engine.items()
        for metric in _METRICS
    ]
    between = [
        OverlapBetween(a, b, pairing, metric, *_summary(metric, _pairs(by_engine[a], by_engine[b], pairing)))
        for a, b in itertools.combinations(by_engine, 2)
        for metric in _METRICS
    ]
    return tuple(within), tuple(between)


def _pairs(
    first: Mapping[str, Sequence[str]], second: Mapping[str, Sequence[str]], pairing: Pairing
) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    if pairing == "all pairs":
        return itertools.product(first.values(), second.values())
    return [(own, second[participant]) for participant, own in first.items() if participant in second]


def _summary(metric: Metric, pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> tuple[int, float, float]:
    values = [_METRICS[metric](first, second) for first, second in pairs]
    mean = statistics.fmean(values) if values else float("nan")
    return len(values), mean, statistics.stdev(values, xbar=mean) if len(values) > 1 else float("nan")
