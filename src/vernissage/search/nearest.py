"""The true best rows for a query: a cheap look whose error is bounded, then double precision for what remains."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.search.looks import surely_reached
from vernissage.search.narrow import Asked, Mask, NarrowRows, asked
from vernissage.search.precise import Names, Query, Rows, in_order, precise_scores
from vernissage.search.scanned import ScannedRows
from vernissage.search.segments import Segment
from vernissage.values import Ranking, Vectors

_SPARSE = 8
"""One row in so many is allowed: reading these alone is cheaper than a byte scan of all; measured at 512 numbers."""
_LONG = 2
"""One allowed row in so many is asked for: all in double precision cost less than a look and then these."""
_ALONE = 4
"""Queries of a batch that so many byte scans answer sooner than a matrix product, which reads four times as much."""
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
        self._scanned = ScannedRows(self._narrow, segments)
        self._ids = ids

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, query: npt.NDArray[Any], k: int, barred: Mask) -> Ranking:
        """The ``k`` best rows of those where ``barred`` bool (n,) is false; ties by id.

        Raises:
            RequestError: k is below 1, or the query has another dimension or is not finite.
        """
        return self._search(asked(self.checked(query)), checked_count(k), barred)

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
        if self.segments and len(every) <= _ALONE:
            return [self._search(one, k, _also(barred, rows)) for one, rows in zip(every, own, strict=True)]
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

    def _search(self, query: Asked, k: int, barred: Mask) -> Ranking:
        allowed = len(self) - int(np.count_nonzero(barred))
        k = min(k, allowed)
        if k == 0:
            return Ranking((), np.empty(0))
        if _LONG * k >= allowed:
            rows = np.flatnonzero(~barred)
        elif allowed * _SPARSE <= len(self):
            rows = self._narrow.look_at_rows(query, k, np.flatnonzero(~barred)).rows
        else:
            rows = self._scanned.rows_in_question(query, k, barred)
        return self._sorted(query, rows, k)

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


def _also(barred: Mask, rows: Rows) -> Mask:
    """What is barred, and some rows more."""
    if not len(rows):
        return barred
    together = barred.copy()
    together[rows] = True
    return together


def checked_count(k: int) -> int:
    """How many works were asked for.

    Raises:
        RequestError: fewer than 1.
    """
    if k < 1:
        raise RequestError(f"{k} works were asked for; ask for 1 or more")
    return int(k)
