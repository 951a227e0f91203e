"""Ordered answers, how several become one, and how alike two are."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.values import Ranking, Scores

Normalisation = Literal["minmax", "zscore"]


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


def places(order: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """Ranks from 1 of ``length`` rows whose best-first order is ``order``; 0 for rows that are not in it."""
    ranks = np.zeros(length, dtype=np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def reciprocal_rank_shares(ranks: npt.NDArray[np.int64], weights: Scores, k: float) -> Scores:
    """What each ranking gives to each work: ``weight_m / (k + rank_m)``, float64 (m, n).

    The sum over m is the reciprocal-rank fusion score of Cormack, Clarke and Büttcher (SIGIR 2009, doi
    10.1145/1571941.1572114). ``ranks`` is int64 (m, n) from 1, with 0 where a ranking lacks the work, which then
    gets nothing from it. ``k`` = 60 is the literature's constant, 0 that of the first paper's engines.
    """
    present = ranks > 0
    divisor = np.where(present, ranks + k, 1.0)
    return np.where(present, weights[:, None] / divisor, 0.0)


def convex_shares(scores: Scores, weights: Scores, normalisation: Normalisation) -> Scores:
    """What each engine gives to each work in a weighted mean of normalised scores, float64 (m, n).

    Scores (m, n) are brought to one scale row by row over the works that have one (others are NaN and get
    nothing): ``minmax`` to [0, 1], ``zscore`` to mean 0 and deviation 1. A row of equal scores becomes zeros.
    Source: Bruch, Gai and Ingber, TOIS 42 (2023), doi 10.1145/3596512.
    """
    shares = np.zeros_like(scores)
    for row, weight in enumerate(weights / weights.sum()):
        known = ~np.isnan(scores[row])
        if known.any():
            shares[row, known] = weight * _normalised(scores[row, known], normalisation)
    return shares


def reciprocal_rank_fusion(
    rankings: Sequence[Ranking], *, k: float = 60, weights: Sequence[float] | None = None, depth: int | None = None
) -> Ranking:
    """One ranking from several by the sum of ``weight / (k + rank)`` over their first ``depth`` works.

    Ties go to the work with the best single rank, then to the smaller id. The order of ``rankings`` does not matter.

    Raises:
        RequestError: no ranking, a negative k or weight, weights that are all zero or not one for each ranking.
    """
    weighing = fusion_weights(weights, len(rankings), k=k, depth=depth)
    heads = [ranking.head(depth) if depth is not None else ranking for ranking in rankings]
    used = [head for head, weight in zip(heads, weighing, strict=True) if weight > 0]
    ids = tuple(sorted({item_id for head in used for item_id in head.item_ids}))
    row = {item_id: number for number, item_id in enumerate(ids)}
    ranks = np.zeros((len(used), len(ids)), dtype=np.int64)
    for number, head in enumerate(used):
        ranks[number, [row[item_id] for item_id in head.item_ids]] = np.arange(1, len(head) + 1)
    fused = total(reciprocal_rank_shares(ranks, weighing[weighing > 0], k))
    order = best_rows(fused, len(ids), best_single_rank(ranks), np.arange(len(ids)))
    return Ranking(tuple(ids[number] for number in order), fused[order])


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


def best_single_rank(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The best rank that any ranking gives, int64 (n,), from ranks (m, n) in which 0 means absent."""
    absent = np.iinfo(np.int64).max
    best: npt.NDArray[np.int64] = np.where(ranks > 0, ranks, absent).min(axis=0, initial=absent)
    return best


def fusion_weights(weights: Sequence[float] | None, count: int, *, k: float = 0, depth: int | None = None) -> Scores:
    """The weights of a fusion as float64 (count,), after checking them together with ``k`` and ``depth``.

    Raises:
        RequestError: as in `reciprocal_rank_fusion`.
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


def _normalised(values: Scores, normalisation: Normalisation) -> Scores:
    low, spread = (values.min(), np.ptp(values)) if normalisation == "minmax" else (values.mean(), values.std())
    if spread <= np.finfo(np.float64).eps * max(1.0, float(np.abs(values).max())):
        return np.zeros_like(values)
    result: Scores = (values - low) / spread
    return result
