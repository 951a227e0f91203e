"""The true best rows for a query: approximate scores with a proven error, then double precision for what remains."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.catalog.ids import Ids
from vernissage.rankings import alphabetical, nth_largest
from vernissage.search.scan import Mask, Query, Rows, Segment, one_thread
from vernissage.values import Ranking, Vectors

Names = npt.NDArray[np.object_]
"""The id of each row, as an array."""
Single = npt.NDArray[np.float32]

_SPARSE = 8
"""One row in so many is allowed: reading these alone is cheaper than a byte scan of all."""
_LONG = 2
"""One allowed row in so many is asked for: all in double precision cost less than approximate scores and then these."""
_ALONE = 4
"""Queries of a batch that so many byte scans answer sooner than a matrix product, which reads four times as much."""
_TOGETHER = 256
"""Queries of a batch that share a matrix product."""
_AT_ONCE = 33_554_432
"""Precise scores that a batch holds at once."""
_PRODUCT = 8_388_608
"""Numbers of rows in one matrix product."""
_FEW_COLUMNS = 32
_IN_CACHE = 65_536
"""Numbers that are widened at once: as doubles half a megabyte, which a core's own cache holds until they are read."""
_FEW = 64
"""Excluded rows that are cheaper to drop from what a byte scan found than to pass over within it."""
_WORTH = 12
"""A byte scan that brings more than one row in so many costs more than float32 scores of all."""
_FIRST_REACH = 0.6
"""The first byte scan brings n to this power of rows, and some: enough, in most cases, to settle a list of ten."""
_SHORT = 8
"""One in so many of these rows is asked for: the first byte scan settles that without a guess at how many it takes."""
_MARGIN = 1.5
"""How many times the rows that are expected to be in question are brought: one costs little, a second scan much."""
_DEEPEST = 32
"""A second byte scan brings at most one row in so many; beyond that float32 scores of all cost less."""

_inner_products_by_row: Any = vars(faiss)["fvec_inner_products_by_idx"]


class ScaledQuery(NamedTuple):
    """A query times a power of two, so that its largest number lies between ½ and 1.

    Scaling by a power of two changes the exponents of scores and no other bit, and float32 can hold what comes of it:
    of queries far from 1 it would make infinities or zeros.

    Attributes:
        double: the scaled query, float64 (dim,).
        single: the same, rounded to float32.
        length: its norm.
        exponent: the query is ``double`` times two to this power.
    """

    double: Query
    single: Single
    length: float
    exponent: int


def scaled(query: Query) -> ScaledQuery:
    """Scale a query of finite numbers; zeros stay zeros."""
    exponent = int(np.frexp(np.abs(query).max(initial=0.0))[1])
    double = np.ldexp(query, -exponent)
    return ScaledQuery(double, double.astype(np.float32), math.sqrt(double @ double), exponent)


class ApproximateScores(NamedTuple):
    """Rows of a segment with approximate scores float64, each off by at most ``error``.

    No row of the segment that is allowed and left out scores above ``unseen`` + ``error``; -inf where none that could
    be among the best was left out.
    """

    rows: Rows
    scores: Query
    error: float
    unseen: float

    @property
    def least(self) -> Query:
        """What each row scores at least."""
        return self.scores - self.error

    def may_lack(self, threshold: float) -> bool:
        """Whether a row that was left out could reach the threshold."""
        return self.unseen > -math.inf and self.unseen + self.error >= threshold

    def reaching(self, threshold: float) -> Rows:
        """The rows that could reach the threshold."""
        return self.rows[self.scores + self.error >= threshold]


@dataclass(frozen=True, eq=False)
class NearestRows:
    """Inner-product search over float32 (n, dim) rows that returns the true best k, in a fixed order.

    Approximate scores keep each row whose score could still be among the best k, given their error bound; these few are
    scored in double precision and sorted by score, then id. So the answer depends on the allowed rows alone: not on how
    approximate scores were found, on other rows, or on their order; single queries and batches agree to the last bit,
    and n + 1 results always extend n. Approximate scores come from byte scans where there are some, from one float32
    matrix-vector product for segments without one, from the allowed rows alone where they are few, and from matrix
    products for batches. Excluded rows are passed over within each.

    What a byte scan leaves in question: let its scores be off by at most e, and let k allowed rows surely score T or
    more. A row with a + e < T, where a is its approximate score or, if it was left out, the lowest that was not,
    scores below k others: it is not among the best. The scan itself vouches for T = (its k-th best) − e. Float32
    scores of its best k rows, off by at most f, vouch for T = (the lowest of these) − f as well; f is far below e, and
    scans are off by far less than e, which Cauchy–Schwarz allows for. The higher T leaves rows within about e of the
    k-th in question instead of 2e, and so settles in one scan what else took two.

    Attributes:
        vectors: float32 (n, dim) in C order, which may be mapped from a file.
        ids: at least n; those after the n-th are not looked at.
        segments: runs that together are all rows, with or without byte scans.
        error: `float32_error` of the vectors, or more.
    """

    vectors: Vectors
    ids: Sequence[str]
    segments: tuple[Segment, ...]
    error: float

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, queries: Sequence[ScaledQuery], k: int, excluded: Mask) -> list[Ranking]:
        """For each query the ``k`` best rows of those where ``excluded`` bool (n,) is false; ties by id."""
        allowed = len(self) - int(np.count_nonzero(excluded))
        k = min(k, allowed)
        if k == 0:
            return [Ranking((), np.empty(0)) for _ in queries]
        scanned = any(segment.scan is not None for segment in self.segments)
        if len(queries) == 1 or (scanned and len(queries) <= _ALONE):
            return [self._best(query, k, excluded, allowed) for query in queries]
        if _LONG * k >= allowed:
            rows = np.flatnonzero(~excluded)
            step = max(1, _AT_ONCE // allowed)
            parts = [queries[start : start + step] for start in range(0, len(queries), step)]
            return [one for part in parts for one in self._all_of_many(part, k, rows)]
        parts = [queries[start : start + _TOGETHER] for start in range(0, len(queries), _TOGETHER)]
        return [one for part in parts for one in self._best_of_many(part, k, excluded)]

    def _best(self, query: ScaledQuery, k: int, excluded: Mask, allowed: int) -> Ranking:
        if _LONG * k >= allowed:
            rows = np.flatnonzero(~excluded)
        elif allowed * _SPARSE <= len(self):
            rows = self._of_rows(query, k, np.flatnonzero(~excluded)).rows
        else:
            rows = self._rows_in_question(query, k, excluded, allowed)
        return self.best_of(query, rows, k)

    def _best_of_many(self, queries: Sequence[ScaledQuery], k: int, excluded: Mask) -> list[Ranking]:
        """The best ``k`` for each query, from approximate scores by matrix products."""
        single = np.stack([query.single for query in queries])
        found: list[list[ApproximateScores]] = [[] for _ in queries]
        for rows, vectors, minus in self._runs(excluded):
            products = _products(single, vectors)
            if minus is not None:
                products += minus
            for each, query, scores in zip(found, queries, products, strict=True):
                each.append(self._pruned(query, k, rows, scores))
        answers = []
        for query, runs in zip(queries, found, strict=True):
            threshold = surely_reached(runs, k)
            answers.append(self.best_of(query, np.concatenate([run.reaching(threshold) for run in runs]), k))
        return answers

    def _all_of_many(self, queries: Sequence[ScaledQuery], k: int, rows: Rows) -> list[Ranking]:
        """The best ``k`` of chosen rows for each query, all scored in double precision."""
        scores = precise_scores(self.vectors, rows, [query.double for query in queries])
        return [
            in_order(rows, np.ldexp(own, query.exponent), k, self._names)
            for query, own in zip(queries, scores, strict=True)
        ]

    def best_of(self, query: ScaledQuery, rows: Rows, k: int) -> Ranking:
        """The best ``k`` of some rows, ascending, in the order of their precise scores."""
        if len(rows) > 2 * k:
            rows = self._of_rows(query, k, rows).rows
        scores = precise_scores(self.vectors, rows, [query.double])[0]
        return in_order(rows, np.ldexp(scores, query.exponent), k, self._names if _LONG * k >= len(self) else self.ids)

    @cached_property
    def _names(self) -> Names:
        """Every id, as an array: of so many, it takes half the time to bring them into order."""
        return np.array(self.ids[: len(self)], dtype=object)

    # Float32

    def _single_scores(self, query: ScaledQuery, rows: Rows) -> Single:
        """Scores of chosen rows, read where they lie: gathering them first would cost several times as much."""
        scores = np.empty(len(rows), dtype=np.float32)
        places = [faiss.swig_ptr(each) for each in (scores, query.single, self.vectors, rows)]
        with one_thread():
            _inner_products_by_row(*places, self.vectors.shape[1], 1, len(rows))
        return scores

    def _of_rows(self, query: ScaledQuery, k: int, rows: Rows) -> ApproximateScores:
        return self._pruned(query, k, rows, self._single_scores(query, rows))

    def _of_run(self, query: ScaledQuery, k: int, start: int, stop: int, excluded: Mask) -> ApproximateScores:
        """Scores of the rows from ``start`` to ``stop``, but for excluded ones."""
        inside = excluded[start:stop]
        if 2 * np.count_nonzero(inside) >= stop - start:
            return self._of_rows(query, k, np.flatnonzero(~inside) + start)
        scores = self.vectors[start:stop] @ query.single
        scores[inside] = -np.inf
        return self._pruned(query, k, np.arange(start, stop), scores)

    def _runs(self, excluded: Mask) -> Iterator[tuple[Rows, Vectors, Single | None]]:
        """Runs of rows, their vectors, and, where some are excluded, what to add: 0, or -inf for an excluded one.

        Where half of the rows or more are excluded, the others are gathered.
        """
        step = max(1, _PRODUCT // self.vectors.shape[1])
        sparse = 2 * np.count_nonzero(excluded) >= len(excluded)
        rows = np.flatnonzero(~excluded) if sparse else np.arange(len(excluded))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            if sparse:
                yield some, self.vectors[some], None
            else:
                inside = excluded[start : start + step]
                minus = np.where(inside, np.float32(-np.inf), np.float32(0)) if inside.any() else None
                yield some, self.vectors[start : start + step], minus

    def _pruned(self, query: ScaledQuery, k: int, rows: Rows, scores: Single) -> ApproximateScores:
        """The rows that can be among the best ``k`` of these alone, and so of all; -inf marks excluded ones."""
        error = self.error * query.length
        kth = nth_largest(scores, k)
        kept = np.flatnonzero(scores >= max(kth - 2 * error, float(np.finfo(np.float32).min)))
        return ApproximateScores(rows[kept], scores[kept].astype(np.float64), error, -math.inf)

    # Byte scans

    def _rows_in_question(self, query: ScaledQuery, k: int, excluded: Mask, allowed: int) -> Rows:
        """Every row that can be among the best ``k``, of which there are so many."""
        reaches = self._first_reaches(query, k, excluded, allowed)
        found = [self._of_segment(query, k, excluded, *each) for each in zip(self.segments, reaches, strict=True)]
        while True:
            threshold = self._surely_reached(query, found, k)
            unsettled = [place for place, each in enumerate(found) if each.may_lack(threshold)]
            if not unsettled:
                return np.sort(np.concatenate([each.reaching(threshold) for each in found]))
            for place in unsettled:
                segment = self.segments[place]
                reaches[place] = deeper_reach(found[place], threshold, reaches[place], len(segment))
                found[place] = self._of_segment(query, k, excluded, segment, reaches[place])

    def _first_reaches(self, query: ScaledQuery, k: int, excluded: Mask, allowed: int) -> list[int]:
        """How many rows each byte scan should bring, so that in most cases none must be made twice."""
        reaches = [first_reach(k * len(segment) // len(self) + 1, len(segment)) for segment in self.segments]
        scans = [segment.scan for segment in self.segments]
        if not any(scans) or k <= int(len(self) ** _FIRST_REACH) // _SHORT:
            return reaches
        spread = self._spread(query, excluded)
        for place, scan in enumerate(scans):
            if scan is not None:
                share = share_in_question(k / allowed, scan.error(query.double), spread)
                reaches[place] = max(reaches[place], int(len(scan) * share))
        return reaches

    def _spread(self, query: ScaledQuery, excluded: Mask) -> float:
        """The standard deviation of scores, by a sample of rows that are not excluded; 0 where it holds none."""
        sample = np.arange(0, len(self), math.isqrt(len(self)))
        sample = sample[~excluded[sample]]
        return float(self._single_scores(query, sample).std()) if len(sample) else 0.0

    def _of_segment(
        self, query: ScaledQuery, k: int, excluded: Mask, segment: Segment, reach: int
    ) -> ApproximateScores:
        """The best ``reach`` rows of a byte scan, or float32 scores where there is none or reading it would not pay."""
        if segment.scan is None or _WORTH * reach >= len(segment):
            return self._of_run(query, k, segment.start, segment.stop, excluded)
        inside = excluded[segment.start : segment.stop]
        count = int(np.count_nonzero(inside))
        dropping = count <= _FEW
        wanted = reach + count if dropping else reach
        scores, rows, error = segment.scan.search(query.double, wanted, None if dropping else inside)
        unseen = float(scores[-1]) if len(rows) == wanted else -math.inf
        if dropping and count:
            kept = ~inside[rows]
            scores, rows = scores[kept], rows[kept]
        return ApproximateScores(rows + segment.start, scores, error, unseen)

    def _surely_reached(self, query: ScaledQuery, found: Sequence[ApproximateScores], k: int) -> float:
        """What the k-th best precise score is at least, also by float32 scores of the most promising ``k`` rows."""
        threshold, error = surely_reached(found, k), self.error * query.length
        if threshold == -math.inf or all(each.error <= error for each in found):
            return threshold
        lowest = float(self._single_scores(query, most_promising(found, k)).min())
        return max(threshold, lowest - error)


def surely_reached(found: Sequence[ApproximateScores], k: int) -> float:
    """What the k-th best precise score is at least; -inf where fewer than k rows were found."""
    return nth_largest(np.concatenate([each.least for each in found]), k)


def most_promising(found: Sequence[ApproximateScores], k: int) -> Rows:
    """The ``k`` rows that score most at least, in any order; fewer where fewer were found."""
    rows, least = np.concatenate([each.rows for each in found]), np.concatenate([each.least for each in found])
    best: Rows = rows[np.argpartition(least, len(least) - k)[len(least) - k :]] if k < len(rows) else rows
    return best


def first_reach(k: int, size: int) -> int:
    """How many rows the first byte scan of so many brings for a list of ``k``."""
    return int(size**_FIRST_REACH) + 2 * k


def share_in_question(share: float, error: float, spread: float) -> float:
    """The share of rows that scores off by ``error`` are expected not to tell from the best ``share``, with a margin.

    Where scores are spread normally with deviation s, the best share p begins z = Φ⁻¹(1 − p) deviations above their
    mean, and 1 − Φ(z − error/s) of them are not surely below that. Time alone hangs on this guess.
    """
    if error <= 0:
        return share
    normal = NormalDist()
    apart = error / spread if spread > 0 else math.inf
    return min(1.0, _MARGIN * (1 - normal.cdf(normal.inv_cdf(1 - share) - apart)))


def deeper_reach(found: ApproximateScores, threshold: float, reach: int, size: int) -> int:
    """How many rows of a byte scan would settle it, judged by how close the last half of its scores lie.

    All of them, which means float32 scores, where that is more than a second scan would save.
    """
    middle = float(found.scores[len(found.scores) // 2]) if len(found.scores) else found.unseen
    apart, missing = middle - found.unseen, found.unseen + found.error - threshold
    if 2 * missing * reach >= apart * (size // _DEEPEST):
        return size
    return max(2 * reach, int(2 * reach * missing / apart))


def precise_scores(vectors: Vectors, rows: Rows, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
    """Inner products in double precision of queries (dim,) with chosen ``rows``, ascending: float64 (queries, rows).

    Each is the same sum in the same order wherever its row stands and whatever is scored beside it, so that answers
    agree to the last bit. A matrix product would not do: the order of its sums depends on its shape.
    """
    scores = np.empty((len(queries), len(rows)))
    step = min(max(1, _IN_CACHE // vectors.shape[1]), len(rows))
    room = np.empty((step, vectors.shape[1]))
    for start in range(0, len(rows), max(1, step)):
        some = rows[start : start + step]
        wide = room[: len(some)]
        wide[...] = _chosen(vectors, some)
        for query, own in zip(queries, scores, strict=True):
            np.einsum("ij,j->i", wide, query, out=own[start : start + step])
    return scores


def in_order(rows: Rows, scores: Query, k: int, ids: Sequence[str] | Names) -> Ranking:
    """The ``k`` best of some rows by their scores float64 (rows,); equal ones by id."""
    order = np.argsort(-scores)
    best = scores[order]
    order = order[: k + np.count_nonzero(best[k:] == best[k - 1])]
    same = best[1 : len(order)] == best[: len(order) - 1]
    if same.any():  # ids are compared of equal ones alone
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rivals = order[tied]
        order[tied] = rivals[np.lexsort((alphabetical(_at(ids, rows[rivals])), -best[tied]))]
    order = order[:k]
    return Ranking(_at(ids, rows[order]), scores[order])


def _products(queries: Single, vectors: Vectors) -> Single:
    """Inner products of few queries with many rows, float32 (queries, rows).

    With few columns, the library's matrix product is up to a third faster the other way round, result included.
    """
    if len(queries) > _FEW_COLUMNS:
        return queries @ vectors.T
    return np.ascontiguousarray((vectors @ queries.T).T)


def _chosen(vectors: Vectors, rows: Rows) -> Vectors:
    """Some rows, ascending; where none between them is left out, where they lie."""
    first, last = rows[0], rows[-1]
    chosen: Vectors = vectors[first : last + 1] if last - first + 1 == len(rows) else vectors[rows]
    return chosen


def _at(ids: Sequence[str] | Names, rows: Rows) -> tuple[str, ...]:
    if isinstance(ids, Ids):
        return tuple(ids.take(rows))
    return tuple(ids[rows].tolist() if isinstance(ids, np.ndarray) else [ids[row] for row in rows.tolist()])
