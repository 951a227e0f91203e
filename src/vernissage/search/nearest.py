"""The true best rows for a query: a cheap look whose error is bounded, then double precision for what remains."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import Vectors
from vernissage.errors import RequestError
from vernissage.rankings import Ranking
from vernissage.search.looks import (
    Look,
    deeper_reach,
    first_reach,
    most_promising,
    share_in_question,
    short,
    surely_reached,
)
from vernissage.search.narrow import Asked, Mask, NarrowRows, asked
from vernissage.search.precise import Names, Query, Rows, in_order, precise_scores
from vernissage.search.segments import Segment, covered

_FEW = 64
"""Barred rows that are cheaper to drop from what a scan found than to pass over within it."""
_SPARSE = 8
"""One row in so many is allowed: reading these alone is cheaper than a byte scan of all; measured at 512 numbers."""
_LONG = 2
"""One allowed row in so many is asked for: all in double precision cost less than a look and then these."""
_WORTH = 12
"""A byte scan that brings more than one row in so many costs more than float32 scores of all."""
_TOGETHER = 256
"""Queries of a batch that share a matrix product."""
_AT_ONCE = 33_554_432
"""Precise scores that a batch holds at once."""


class NearestRows:
    """Inner-product search over float32 (n, dim) rows that returns the true best k, in a fixed order.

    A look in low precision keeps each row whose score could still be among the best k given the look's error bound;
    these few are scored in double precision and sorted by score, then id. So the answer depends on the allowed rows
    alone: not on which look was used, on other rows, or on their order; single queries and batches agree to the last
    bit, and n + 1 results always extend n. Looks: byte scans where there are some, float32 by one matrix-vector
    product for rows without one, the allowed rows alone where they are few, and matrix products for batches. Barred
    rows are passed over inside each look. Where half of the allowed rows or more are asked for, no look is worth it.

    What a byte scan leaves in question: let its scores be off by at most e, and let k allowed rows surely score T or
    more. A row with a + e < T, where a is its approximate score or, if it was left out, the lowest that was not,
    scores below k others: it is not among the best. The scan itself vouches for T = (its k-th best) − e. Float32
    scores of its best k rows, off by at most f, vouch for T = (the lowest of these) − f as well; f is far below e, and
    scans are off by far less than e, which Cauchy–Schwarz allows for. The higher T leaves rows within about e of the
    k-th in question instead of 2e, and so settles in one scan what else took two.
    """

    def __init__(self, vectors: Vectors, ids: Sequence[str], segments: tuple[Segment, ...], error: float) -> None:
        """Describe the rows.

        Args:
            vectors: float32 (n, dim).
            ids: at least n; those after the n-th are not looked at.
            segments: byte scans of the first rows, or none.
            error: `float32_error` of the vectors, or more.
        """
        self.vectors = np.ascontiguousarray(vectors)
        self.segments = segments
        self._narrow = NarrowRows(self.vectors, error)
        self._ids = ids

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, query: npt.NDArray[Any], k: int, barred: Mask) -> Ranking:
        """The ``k`` best rows of those where ``barred`` bool (n,) is false; ties by id.

        Raises:
            RequestError: k is below 1, or the query has another dimension or is not finite.
        """
        one = asked(self.checked(query))
        allowed = len(self) - int(np.count_nonzero(barred))
        k = min(checked_count(k), allowed)
        if k == 0:
            return Ranking((), np.empty(0))
        if _LONG * k >= allowed:
            rows = np.flatnonzero(~barred)
        elif allowed * _SPARSE <= len(self):
            rows = self._narrow.look_at_rows(one, k, np.flatnonzero(~barred)).rows
        else:
            rows = self._scanned(one, k, barred)
        return self._sorted(one, rows, k)

    def search_batch(
        self, queries: npt.NDArray[Any], k: int, barred: Mask, also: Sequence[Rows] | None = None
    ) -> list[Ranking]:
        """`search` for each of ``queries`` (m, dim), by matrix products; ``also`` names more barred rows for each.

        Raises:
            RequestError: as in `search`.
        """
        every = [asked(self.checked(query)) for query in np.atleast_2d(np.asarray(queries, dtype=np.float64))]
        k = checked_count(k)
        own = also if also is not None else [np.empty(0, dtype=np.int64)] * len(every)
        allowed = np.flatnonzero(~barred)
        if _LONG * k >= len(allowed):
            step = max(1, _AT_ONCE // max(1, len(allowed)))
            parts = [slice(start, start + step) for start in range(0, len(every), step)]
            return [one for part in parts for one in self._all_of_many(every[part], k, allowed, own[part])]
        parts = [slice(start, start + _TOGETHER) for start in range(0, len(every), _TOGETHER)]
        return [one for part in parts for one in self._best_of_many(every[part], k, barred, own[part])]

    def checked(self, query: npt.NDArray[Any]) -> Query:
        """The query in double precision.

        Raises:
            RequestError: it has another dimension or is not finite.
        """
        wide = np.asarray(query, dtype=np.float64)
        dim = self.vectors.shape[1]
        if wide.shape != (dim,):
            raise RequestError(f"the query has shape {wide.shape}, but the vectors have {dim} dimensions")
        if not np.isfinite(wide).all():
            raise RequestError("the query holds numbers that are not finite; give a vector of finite numbers")
        return wide

    def _scanned(self, query: Asked, k: int, barred: Mask) -> Rows:
        """Every row that can be among the best ``k``, of which there are so many, from looks at each run of rows."""
        reaches = self._first_reaches(query, k, barred)
        looks = [self._look(query, k, barred, *run) for run in zip(self.segments, reaches, strict=True)]
        if covered(self.segments) < len(self):
            looks.append(self._narrow.look_at_run(query, k, covered(self.segments), len(self), barred))
        while True:
            threshold = self._surely_reached(query, looks, k)
            unsettled = [run for run, look in enumerate(looks) if look.may_lack(threshold)]
            if not unsettled:
                return np.sort(np.concatenate([look.reaching(threshold) for look in looks]))
            for run in unsettled:
                reaches[run] = deeper_reach(looks[run], threshold, reaches[run], len(self.segments[run].scan))
                looks[run] = self._look(query, k, barred, self.segments[run], reaches[run])

    def _first_reaches(self, query: Asked, k: int, barred: Mask) -> list[int]:
        """How many rows each byte scan should bring, so that in most cases none must be made twice."""
        sizes = [len(segment.scan) for segment in self.segments]
        reaches = [first_reach(k * size // len(self) + 1, size) for size in sizes]
        if not sizes or short(k, len(self)):
            return reaches
        share, spread = k / (len(self) - np.count_nonzero(barred)), self._spread(query, barred)
        errors = [segment.scan.error(query.wide) for segment in self.segments]
        guesses = [int(size * share_in_question(share, error, spread)) for size, error in zip(sizes, errors, strict=True)]
        return [max(pair) for pair in zip(reaches, guesses, strict=True)]

    def _spread(self, query: Asked, barred: Mask) -> float:
        """The standard deviation of scores, by a sample of rows that are not barred; 0 where it holds none."""
        sample = np.arange(0, len(self), math.isqrt(len(self)))
        sample = sample[~barred[sample]]
        return float(self._narrow.scores(query, sample).std()) if len(sample) else 0.0

    def _look(self, query: Asked, k: int, barred: Mask, segment: Segment, reach: int) -> Look:
        """The best ``reach`` rows of a byte scan, or float32 scores of its rows where reading bytes would not pay."""
        inside = barred[segment.start : segment.stop]
        if _WORTH * reach > len(segment.scan):
            return self._narrow.look_at_run(query, k, segment.start, segment.stop, barred)
        count = int(np.count_nonzero(inside))
        dropping = count <= _FEW
        wanted = reach + count if dropping else reach
        scores, rows, error = segment.scan.search(query.wide, wanted, None if dropping else inside)
        unseen = float(scores[-1]) if len(rows) == wanted else -math.inf
        if dropping and count:
            kept = ~inside[rows]
            scores, rows = scores[kept], rows[kept]
        return Look(rows + segment.start, scores, error, unseen)

    def _surely_reached(self, query: Asked, looks: Sequence[Look], k: int) -> float:
        """What the k-th best precise score is at least, by the looks and by float32 scores of their best ``k`` rows."""
        threshold, error = surely_reached(looks, k), self._narrow.error(query)
        if threshold == -math.inf or all(look.error <= error for look in looks):
            return threshold
        lowest = float(self._narrow.scores(query, most_promising(looks, k)).min())
        return max(threshold, lowest - error)

    def _best_of_many(self, queries: Sequence[Asked], k: int, barred: Mask, own: Sequence[Rows]) -> list[Ranking]:
        """The best ``k`` for each query, from looks by matrix products."""
        answers = []
        for query, looks in zip(queries, self._narrow.looks_of_many(queries, k, barred, own), strict=True):
            threshold = surely_reached(looks, k)
            answers.append(self._sorted(query, np.concatenate([look.reaching(threshold) for look in looks]), k))
        return answers

    def _all_of_many(self, queries: Sequence[Asked], k: int, rows: Rows, own: Sequence[Rows]) -> list[Ranking]:
        """The best ``k`` of chosen rows for each query, all scored in double precision."""
        scores = precise_scores(self.vectors, rows, [query.wide for query in queries])
        answers = []
        for query, its, barred in zip(queries, scores, own, strict=True):
            kept = ~np.isin(rows, barred)
            answers.append(in_order(rows[kept], np.ldexp(its[kept], query.exponent), k, self._names))
        return answers

    def _sorted(self, query: Asked, rows: Rows, k: int) -> Ranking:
        """The best ``k`` of some rows, ascending, in the order of their precise scores."""
        if len(rows) > 2 * k:
            rows = self._narrow.look_at_rows(query, k, rows).rows
        scores = precise_scores(self.vectors, rows, [query.wide])[0]
        return in_order(rows, np.ldexp(scores, query.exponent), k, self._names if _LONG * k >= len(self) else self._ids)

    @cached_property
    def _names(self) -> Names:
        """Every id, as an array: of so many, it takes half the time to bring them into order."""
        return np.array(self._ids[: len(self)], dtype=object)


def checked_count(k: int) -> int:
    """How many works were asked for.

    Raises:
        RequestError: fewer than 1.
    """
    if k < 1:
        raise RequestError(f"{k} works were asked for; ask for 1 or more")
    return int(k)
