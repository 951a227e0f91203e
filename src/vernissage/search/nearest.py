"""The true best rows for a query: a cheap look whose error is bounded, then double precision for what remains."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import Vectors
from vernissage.errors import RequestError
from vernissage.rankings import Ranking, alphabetical, best_rows
from vernissage.search.scan import matrix_products, one_thread
from vernissage.search.segments import Segment, covered

_MOST_AT_ONCE = 8_192
_SPARE = 32
_FEW = 64
"""Barred rows that are cheaper to drop from what a scan found than to pass over within it."""
_FEW_IN_A_BATCH = 256
_FIRST_LOOK = 0.6
"""The first byte scan brings n to this power of rows: enough, in most cases, to settle a list of ten."""
_DEEPEST = 32
"""A second byte scan brings at most one row in so many; beyond that float32 scores of all cost less."""
_SPARSE = 8
"""One row in so many is allowed: reading these alone is cheaper than a byte scan of all; measured at 512 numbers."""

_inner_products_by_row: Any = vars(faiss)["fvec_inner_products_by_idx"]

Query = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Look(NamedTuple):
    """Rows of a run with approximate scores float64, each off by at most ``error``.

    No row of the run that is allowed and left out scores above ``unseen`` + ``error``; -inf where none that could be
    among the best was left out.
    """

    rows: Rows
    scores: Query
    error: float
    unseen: float

    def may_lack(self, threshold: float) -> bool:
        """Whether a row that was left out could reach the threshold."""
        return self.unseen > -math.inf and self.unseen + self.error >= threshold

    def without(self, barred: Mask) -> "Look":
        """The look without barred rows."""
        free = ~barred[self.rows]
        return self._replace(rows=self.rows[free], scores=self.scores[free])


class NearestRows:
    """Inner-product search over float32 (n, dim) rows that returns the true best k, in a fixed order.

    Every search has two steps. A look in low precision keeps each row whose score could still be among the best k
    given the look's error bound; these few are scored in double precision and sorted by score, then id. So the
    answer depends on the allowed rows alone: not on which look was used, on other rows, or on their order; single
    queries and batches agree to the last bit, and n + 1 results always extend n. Looks: byte scans where there are
    some, float32 by one matrix-vector product for rows without one, the allowed rows alone where they are few, and
    for batches FAISS's matrix products. Barred rows are passed over inside each look.
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
        self.error = error
        self._ids = ids

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, query: npt.NDArray[Any], k: int, barred: Mask) -> Ranking:
        """The ``k`` best rows of those where ``barred`` bool (n,) is false; ties by id.

        Raises:
            RequestError: k is below 1, or the query has another dimension or is not finite.
        """
        return self._search(self.checked(query), checked_count(k), barred)

    def search_batch(
        self, queries: npt.NDArray[Any], k: int, barred: Mask, also: Sequence[Rows] | None = None
    ) -> list[Ranking]:
        """`search` for each of ``queries`` (m, dim), by matrix products; ``also`` names more barred rows for each.

        Raises:
            RequestError: as in `search`.
        """
        wide = np.atleast_2d(np.asarray(queries, dtype=np.float64))
        k = checked_count(k)
        for query in wide:
            self.checked(query)
        own = also if also is not None else [np.empty(0, dtype=np.int64)] * len(wide)
        if not len(wide) or barred.all():
            return [Ranking((), np.empty(0)) for _ in wide]
        looks = self._batch_looks(wide, k + max(len(rows) for rows in own), barred)
        return [
            self._settled(query, k, barred, rows, [each[number] for each in looks])
            for number, (query, rows) in enumerate(zip(wide, own, strict=True))
        ]

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

    def _search(self, query: Query, k: int, barred: Mask) -> Ranking:
        allowed = len(self) - int(np.count_nonzero(barred))
        k = min(k, allowed)
        if k == 0:
            return Ranking((), np.empty(0))
        if allowed * _SPARSE <= len(self):
            rows = self._look_at_rows(query, k, np.flatnonzero(~barred)).rows
        else:
            rows = self._scanned(query, k, barred)
        return self._sorted(query, rows, k)

    def _scanned(self, query: Query, k: int, barred: Mask) -> Rows:
        """Every row that can be among the best ``k``, of which there are so many, from looks at each run of rows."""
        reaches = [int(len(segment.scan) ** _FIRST_LOOK) + 2 * k for segment in self.segments]
        looks = [self._look(query, k, barred, *run) for run in zip(self.segments, reaches, strict=True)]
        if covered(self.segments) < len(self):
            looks.append(self._look_at_run(query, k, covered(self.segments), len(self), barred))
        while True:
            threshold = _surely_reached(looks, k)
            unsettled = [run for run, look in enumerate(looks) if look.may_lack(threshold)]
            if not unsettled:
                break
            for run in unsettled:
                reaches[run] = _deeper(looks[run], threshold, reaches[run], len(self.segments[run].scan))
                looks[run] = self._look(query, k, barred, self.segments[run], reaches[run])
        return np.concatenate([look.rows[look.scores + look.error >= threshold] for look in looks])

    def _look(self, query: Query, k: int, barred: Mask, segment: Segment, reach: int) -> Look:
        """The best ``reach`` rows of a byte scan, or float32 scores of its rows where reading bytes would not pay."""
        inside = barred[segment.start : segment.stop]
        if reach > len(segment.scan) // 4:
            return self._look_at_run(query, k, segment.start, segment.stop, barred)
        count = int(np.count_nonzero(inside))
        dropping = count <= _FEW
        wanted = reach + count if dropping else reach
        scores, rows, error = segment.scan.search(query, wanted, None if dropping else inside)
        unseen = float(scores[-1]) if len(rows) == wanted else -math.inf
        if dropping and count:
            kept = ~inside[rows]
            scores, rows = scores[kept], rows[kept]
        return Look(rows + segment.start, scores, error, unseen)

    def _look_at_run(self, query: Query, k: int, start: int, stop: int, barred: Mask) -> Look:
        inside = barred[start:stop]
        if 2 * np.count_nonzero(inside) >= stop - start:
            return self._look_at_rows(query, k, np.flatnonzero(~inside) + start)
        scores = self.vectors[start:stop] @ query.astype(np.float32)
        scores[inside] = -np.inf
        return self._pruned(query, k, np.arange(start, stop), scores)

    def _look_at_rows(self, query: Query, k: int, rows: Rows) -> Look:
        """Float32 scores of chosen rows, read where they lie: gathering them first would cost several times as much."""
        scores = np.empty(len(rows), dtype=np.float32)
        narrow = query.astype(np.float32)
        places = [faiss.swig_ptr(each) for each in (scores, narrow, self.vectors, rows)]
        with one_thread():
            _inner_products_by_row(*places, self.vectors.shape[1], 1, len(rows))
        return self._pruned(query, k, rows, scores)

    def _pruned(self, query: Query, k: int, rows: Rows, scores: npt.NDArray[np.float32]) -> Look:
        """The rows that can be among the best ``k`` of these alone, and so of all; -inf marks barred ones."""
        error = self._error_for(query)
        kth = _kth_highest(scores, k)
        kept = np.flatnonzero(scores >= max(kth - 2 * error, float(np.finfo(np.float32).min)))
        return Look(rows[kept], scores[kept].astype(np.float64), error, -math.inf)

    def _error_for(self, query: Query) -> float:
        return self.error * math.sqrt(query @ query)

    def _sorted(self, query: Query, rows: Rows, k: int) -> Ranking:
        if len(rows) > 2 * k:
            rows = self._look_at_rows(query, k, rows).rows
        precise = np.empty(len(rows))
        for start in range(0, len(rows), _MOST_AT_ONCE):
            some = slice(start, start + _MOST_AT_ONCE)
            precise[some] = np.einsum("ij,j->i", self.vectors[rows[some]].astype(np.float64), query)
        best = best_rows(precise, k, self._places(rows, precise))
        return Ranking(tuple(self._ids[row] for row in rows[best].tolist()), precise[best])

    def _places(self, rows: Rows, scores: Query) -> Rows:
        """What decides between rows of equal scores: the order of their ids, sought only where scores are equal."""
        places = np.zeros(len(rows), dtype=np.int64)
        ordered = np.sort(scores)
        if (ordered[1:] > ordered[:-1]).all():
            return places
        _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
        tied = np.flatnonzero(size[group] > 1)
        places[tied] = alphabetical([self._ids[row] for row in rows[tied].tolist()])
        return places

    def _batch_looks(self, queries: Query, k: int, barred: Mask) -> list[list[Look]]:
        """For each run of rows, a look of each query at its best ``k`` and some more."""
        narrow = queries.astype(np.float32)
        errors = [self._error_for(query) for query in queries]
        count = int(np.count_nonzero(barred))
        if count <= _FEW_IN_A_BATCH:
            runs: list[Rows | None] = [None]
            k += count
        else:
            allowed = np.flatnonzero(~barred)
            runs = [allowed[start : start + _MOST_AT_ONCE] for start in range(0, len(allowed), _MOST_AT_ONCE)]
        looks = []
        for run in runs:
            vectors = self.vectors if run is None else self.vectors[run]
            reach = min(len(vectors), k + _SPARE)
            with matrix_products():
                scores, found = faiss.knn(narrow, vectors, reach, metric=faiss.METRIC_INNER_PRODUCT)
            rows = found if run is None else run[found]
            unseen = scores[:, -1].tolist() if reach < len(vectors) else [-math.inf] * len(narrow)
            each = zip(rows, scores.astype(np.float64), errors, unseen, strict=True)
            looks.append([Look(*parts) for parts in each])
        return looks

    def _settled(self, query: Query, k: int, barred: Mask, own: Rows, looks: Sequence[Look]) -> Ranking:
        """Finish one query of a batch from its candidates, or search it alone if they may lack one."""
        if len(own):
            barred = barred.copy()
            barred[own] = True
        k = min(k, len(self) - int(np.count_nonzero(barred)))
        if k == 0:
            return Ranking((), np.empty(0))
        kept = [look.without(barred) for look in looks]
        threshold = _surely_reached(kept, k)
        if any(look.may_lack(threshold) for look in kept):
            return self._search(query, k, barred)
        return self._sorted(query, np.concatenate([look.rows for look in kept]), k)


def _deeper(look: Look, threshold: float, reach: int, size: int) -> int:
    """How many rows of a byte scan would settle a look, judged by how close the last half of its scores lie.

    All of them, which means float32 scores, where that is more than a second scan would save.
    """
    middle = float(look.scores[len(look.scores) // 2]) if len(look.scores) else look.unseen
    apart, missing = middle - look.unseen, look.unseen + look.error - threshold
    if 2 * missing * reach >= apart * (size // _DEEPEST):
        return size
    return max(2 * reach, int(2 * reach * missing / apart))


def _kth_highest(scores: npt.NDArray[Any], k: int) -> float:
    """The k-th highest of some scores, -inf where there are fewer."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if k <= len(scores) else -math.inf


def _surely_reached(looks: Sequence[Look], k: int) -> float:
    """What the k-th best precise score is at least; -inf where the looks have fewer than k rows."""
    return _kth_highest(np.concatenate([look.scores - look.error for look in looks]), k)


def checked_count(k: int) -> int:
    """How many works were asked for.

    Raises:
        RequestError: fewer than 1.
    """
    if k < 1:
        raise RequestError(f"{k} works were asked for; ask for 1 or more")
    return int(k)
