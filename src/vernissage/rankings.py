"""Ordered answers, how several become one, and how alike two are."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.values import Ranking, Scores

PRECISION = 1e-6
"""Scores of unit vectors in float32 that differ by less differ by rounding and not by meaning."""


def alphabetical(item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each id in alphabetical order, int64 (n,): what decides between equal scores."""
    order = sorted(range(len(item_ids)), key=item_ids.__getitem__)
    places = np.empty(len(item_ids), dtype=np.int64)
    places[order] = np.arange(len(item_ids))
    return places


def best_rows(scores: npt.NDArray[Any], k: int, *tie_breaks: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The rows of the ``k`` highest scores, best first; ties by the smallest ``tie_breaks``, in their order.

    A row whose score is -inf is never returned, so fewer than ``k`` may come back. Partial selection in O(n).
    """
    rows = np.flatnonzero(scores > -np.inf)
    if k < len(rows):
        threshold = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
        rows = rows[scores[rows] >= threshold]
    keys = [*(key[rows] for key in reversed(tie_breaks)), -scores[rows]]
    order: npt.NDArray[np.int64] = rows[np.lexsort(keys)][:k]
    return order


def best_of(item_ids: Sequence[str], scores: Scores, k: int) -> Ranking:
    """The ``k`` works of the highest ``scores`` (n,), best first; ties by id."""
    rows = best_rows(scores, k, alphabetical(item_ids))
    return Ranking(tuple(item_ids[row] for row in rows.tolist()), scores[rows])


def nth_largest(values: Sequence[float] | npt.NDArray[np.floating], n: int) -> float:
    """The n-th largest of values; minus infinity where there are fewer."""
    return float(np.partition(values, len(values) - n)[len(values) - n]) if len(values) >= n else -np.inf


def reciprocal_ranks(
    scores: Scores, k: float, *, cut: bool = False, floor: float | None = None
) -> tuple[npt.NDArray[np.int64], Scores]:
    """The rank of each work of a list and 1/(k + rank), from its scores (n,), best first: int64 (n,), float64 (n,).

    Works of equal score are of equal rank, the first of their places from 1, and share the mean of 1/(k + place): no
    id is worth more than another. Works without a rank have 0 and 0: the last group of equal scores where the list is
    ``cut`` and goes on with more of them perhaps; and the last group of a whole list where its scores are no farther
    from 0 than ``floor``, below which differences are rounding.
    """
    levels = np.where(np.abs(scores) <= floor, 0.0, scores) if floor is not None else scores
    starts = np.flatnonzero(np.diff(levels, prepend=np.inf))
    sizes = np.diff(starts, append=len(scores))
    means = np.add.reduceat(1.0 / (k + np.arange(1, len(scores) + 1)), starts) / sizes if len(scores) else np.empty(0)
    ranks = starts + 1
    if len(scores) and (cut or (floor is not None and levels[-1] == 0)):
        ranks[-1], means[-1] = 0, 0.0
    return np.repeat(ranks, sizes), np.repeat(means, sizes)


def iou(first: Sequence[str], second: Sequence[str]) -> float:
    """Intersection over union of two lists as sets, from 0 to 1; two empty lists are the same, 1.

    Raises:
        RequestError: an id twice in one list.
    """
    one, other = _distinct(first), _distinct(second)
    return len(one & other) / len(one | other) if one or other else 1.0


def rbo(first: Sequence[str], second: Sequence[str], p: float = 0.9) -> float:
    """Rank-biased overlap, extrapolated, from 0 (disjoint) to 1 (the same order); lists may differ in length.

    With X_d works shared by the first d of both, s and l the shorter and longer length:
    (1−p)/p·[Σ_{d=1..l} X_d/d·p^d + Σ_{d=s+1..l} X_s(d−s)/(s·d)·p^d] + [(X_l−X_s)/l + X_s/s]·p^l. Two empty lists are
    the same, 1; one empty list shares nothing, 0. Source: Webber, Moffat and Zobel, ACM Transactions on Information
    Systems 28, 2010, doi 10.1145/1852102.1852106, equation 32.

    Raises:
        RequestError: an id twice in one list, or ``p`` not between 0 and 1.
    """
    if not 0 < p < 1:
        raise RequestError(f"the persistence p of rank-biased overlap lies between 0 and 1, but is {p}; usual is 0.9")
    _distinct(first), _distinct(second)
    shorter, longer = sorted((first, second), key=len)
    if not shorter:
        return 0.0 if longer else 1.0
    short, long = len(shorter), len(longer)
    overlaps = _overlaps(shorter, longer)
    shared, finally_shared = overlaps[short - 1], overlaps[long - 1]
    agreements = [
        (overlap + shared * max(0, depth - short) / short) / depth * p**depth
        for depth, overlap in enumerate(overlaps, start=1)
    ]
    beyond = ((finally_shared - shared) / long + shared / short) * p**long
    return min(1.0, (1 - p) / p * math.fsum(agreements) + beyond)


def total(shares: Scores) -> Scores:
    """The sum over the first axis, taken in a fixed order of size, so that it ignores the order of the engines."""
    summed: Scores = np.sort(shares, axis=0).sum(axis=0)
    return summed


def fusion_weights(weights: Sequence[float] | None, count: int, *, k: float = 0, depth: int | None = None) -> Scores:
    """The weights of a fusion as float64 (count,), after checking them together with ``k`` and ``depth``.

    Raises:
        RequestError: no ranking, a negative k or weight, weights that are all zero or not one for each ranking, or a
            depth below 1.
    """
    weighing = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    if count == 0:
        raise RequestError("a fusion needs at least one ranking, but none was given")
    if weighing.shape != (count,):
        raise RequestError(f"{len(weighing)} weights were given for {count} rankings; give one for each")
    if not np.isfinite(weighing).all() or (weighing < 0).any() or not weighing.any():
        raise RequestError(f"fusion weights must be 0 or more and not all 0, but are {weighing.tolist()}")
    if not (np.isfinite(k) and k >= 0):
        raise RequestError(f"the constant k of reciprocal-rank fusion must be 0 or more, but is {k}")
    if depth is not None and depth < 1:
        raise RequestError(f"the depth of a fusion must be 1 or more, or absent for all works, but is {depth}")
    return weighing


def _distinct(items: Sequence[str]) -> set[str]:
    distinct = set(items)
    if len(distinct) < len(items):
        twice = next(item for place, item in enumerate(items) if item in items[:place])
        raise RequestError(f"{twice!r} is in one list twice; overlap is defined for lists of different works")
    return distinct


def _overlaps(shorter: Sequence[str], longer: Sequence[str]) -> list[int]:
    """How many works the first d of both lists share, for d from 1 to the longer length."""
    depth = {item: place for place, item in enumerate(shorter)}
    arrivals = [0] * len(longer)
    for place, item in enumerate(longer):
        if item in depth:
            arrivals[max(place, depth[item])] += 1
    return list(itertools.accumulate(arrivals))
