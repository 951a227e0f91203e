"""The true best rows for a query: approximate scores with a proven error, then double precision for what remains."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
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
_PRODUCT = 2_097_152
"""Numbers of rows in one matrix product."""
_HEAD = 16
"""Times as many rows as are wanted tell at first what is looked at."""
_IN_CACHE = 65_536
"""Numbers that are widened at once: as doubles half a megabyte, which a core's own cache holds until they are read."""
_FEW = 64
"""Excluded rows that are cheaper to drop from what a byte scan found than to pass over within it."""
_WORTH = 12
"""A byte scan that brings more than one row in so many costs more than float32 scores of all."""
_FIRST_REACH = 0.6
"""The first byte scan brings n to this power of rows, and some: enough, in most cases, to settle a list of ten."""
_STAGED = 32_768
"""Rows from which a byte scan is made in two stages."""
_STRIPS, _SHARE = 16, 16
"""Of the first: from so many places all over the rows, together one row in so many."""
_SPREAD = 4
"""Deviations by which the best of the first stage may be better than those of the second before more are brought."""
_MARGIN = 2
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

    @property
    def key(self) -> tuple[bytes, int]:
        """What no other query has."""
        return self.double.tobytes(), self.exponent


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

    Large scans go in two stages. Strips from all over the rows show about what the k-th best scores; the rest, which
    ``shards`` threads read side by side, brings only what could reach that. Where they misled, T tells, which holds
    for whatever was found; then the rows are scanned once more for what reaches T.

    Attributes:
        vectors: float32 (n, dim) in C order, which may be mapped from a file.
        ids: at least n; those after the n-th are not looked at.
        segments: runs that together are all rows, with or without byte scans.
        error: `float32_error` of the vectors, or more.
        shards: threads that read a large byte scan for one query.
    """

    vectors: Vectors
    ids: Sequence[str]
    segments: tuple[Segment, ...]
    error: float
    shards: int = 1

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
            rows = self._rows_in_question(query, k, excluded)
        return self.best_of(query, rows, k)

    def _best_of_many(self, queries: Sequence[ScaledQuery], k: int, excluded: Mask) -> list[Ranking]:
        """The best ``k`` for each query, from approximate scores by matrix products.

        Of each product only what reaches the k-th best so far is looked at, at first the k-th of some rows. It is found
        anew after the first, second, fourth product and so on, for selecting costs as much as multiplying.
        """
        single = np.stack([query.single for query in queries])
        errors = np.array([self.error * query.length for query in queries])
        floors = np.full(len(queries), np.finfo(np.float32).min)
        found: list[tuple[Rows, Single]] = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))] * len(queries)
        waiting: list[tuple[Rows, Rows, Single]] = []
        room = np.empty((max(1, _PRODUCT // self.vectors.shape[1]), len(queries)), dtype=np.float32)
        runs = list(self._runs(excluded))
        for number, (rows, minus) in enumerate(runs, start=1):
            # This way round the library is up to a third faster than with the queries first.
            products = np.matmul(_chosen(self.vectors, rows), single.T, out=room[: len(rows)])
            if minus is not None:
                products += minus[:, None]
            if number == 1 and len(head := products[: _HEAD * k]) >= k:
                kth = np.partition(head, len(head) - k, axis=0)[len(head) - k]
                floors = np.maximum(floors, _just_below(kth - 2 * errors))
            places = np.flatnonzero(products >= floors)
            waiting.append((rows[places // len(queries)], places % len(queries), products.ravel()[places]))
            if number & (number - 1) and number < len(runs):
                continue
            some, whose, scores = (np.concatenate(each) for each in zip(*waiting, strict=True))
            waiting.clear()
            order = np.argsort(whose.astype(np.uint16), kind="stable")  # by radix
            ends = np.searchsorted(whose[order], np.arange(1, len(queries)))
            for place, own in enumerate(np.split(order, ends)):
                kept = np.concatenate((found[place][0], some[own]))
                its = np.concatenate((found[place][1], scores[own]))
                floors[place] = max(floors[place], _just_below(nth_largest(its, k) - 2 * errors[place]))
                reaching = its >= floors[place]
                found[place] = kept[reaching], its[reaching]
        return [self.best_of(query, rows, k) for query, (rows, _) in zip(queries, found, strict=True)]

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

    def _runs(self, excluded: Mask) -> Iterator[tuple[Rows, Single | None]]:
        """Runs of rows and, where some are excluded, what to add: 0, or -inf for an excluded one.

        Where half of the rows or more are excluded, the others are gathered.
        """
        step = max(1, _PRODUCT // self.vectors.shape[1])
        sparse = 2 * np.count_nonzero(excluded) >= len(excluded)
        rows = np.flatnonzero(~excluded) if sparse else np.arange(len(excluded))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            inside = excluded[start : start + step]
            minus = None if sparse or not inside.any() else np.where(inside, np.float32(-np.inf), np.float32(0))
            yield some, minus

    def _pruned(self, query: ScaledQuery, k: int, rows: Rows, scores: Single) -> ApproximateScores:
        """The rows that can be among the best ``k`` of these alone, and so of all; -inf marks excluded ones."""
        error = self.error * query.length
        kth = nth_largest(scores, k)
        kept = np.flatnonzero(scores >= max(kth - 2 * error, float(np.finfo(np.float32).min)))
        return ApproximateScores(rows[kept], scores[kept].astype(np.float64), error, -math.inf)

    # Byte scans

    def _rows_in_question(self, query: ScaledQuery, k: int, excluded: Mask) -> Rows:
        """Every row that can be among the best ``k``, of which there are so many."""
        shares = [k * len(segment) // len(self) + 1 for segment in self.segments]
        each_own = zip(self.segments, shares, strict=True)
        found = [self._of_segment(query, k, excluded, segment, share) for segment, share in each_own]
        while True:
            threshold = self._surely_reached(query, found, k)
            unsettled = [place for place, each in enumerate(found) if each.may_lack(threshold)]
            if not unsettled:
                return np.sort(np.concatenate([each.reaching(threshold) for each in found]))
            for place in unsettled:
                segment, before = self.segments[place], found[place]
                reach = deeper_reach(before, threshold, len(segment))
                found[place] = (
                    self._of_run(query, k, segment.start, segment.stop, excluded)
                    if _WORTH * reach >= len(segment)
                    else self._scanned(query, excluded, segment, reach, floor=threshold - before.error)
                )

    def _of_segment(self, query: ScaledQuery, k: int, excluded: Mask, segment: Segment, own: int) -> ApproximateScores:
        """The best rows by a byte scan, ``own`` and some, or float32 scores where there is none or it would not pay."""
        size = len(segment)
        if segment.scan is None or _WORTH * own >= size:
            return self._of_run(query, k, segment.start, segment.stop, excluded)
        if size < _STAGED:
            reach = first_reach(own, size)
            if _WORTH * reach >= size:
                return self._of_run(query, k, segment.start, segment.stop, excluded)
            return self._scanned(query, excluded, segment, reach)
        strips, rest = stages(size)
        expected = own / _SHARE
        first = self._scanned(query, excluded, segment, first_reach(math.ceil(expected), size // _SHARE), strips)
        floor = nth_largest(first.scores, math.ceil(expected + _SPREAD * (1 + math.sqrt(expected)))) - first.error
        reach = _SHARE * _MARGIN * int(np.count_nonzero(first.scores >= floor)) + own
        if _WORTH * reach >= size:
            return self._of_run(query, k, segment.start, segment.stop, excluded)
        parts = [rest[shard :: self.shards] for shard in range(self.shards)]
        if self.shards == 1:
            return joined([first, self._scanned(query, excluded, segment, reach, rest, floor)])
        with ThreadPoolExecutor(self.shards) as pool:
            some = pool.map(lambda part: self._scanned(query, excluded, segment, reach, part, floor), parts)
            return joined([first, *some])

    def _scanned(
        self,
        query: ScaledQuery,
        excluded: Mask,
        segment: Segment,
        reach: int,
        runs: Sequence[tuple[int, int]] = (),
        floor: float = -math.inf,
    ) -> ApproximateScores:
        """The best ``reach`` rows of a byte scan, or of runs of it, that score more than ``floor``."""
        if segment.scan is None:
            raise ValueError("these rows have no byte scan")
        inside = excluded[segment.start : segment.stop]
        count = int(np.count_nonzero(inside))
        dropping = count <= _FEW
        wanted = reach + count if dropping else reach
        given = None if dropping else inside
        scores, rows, error = segment.scan.search(query.double, wanted, given, runs=runs, floor=floor)
        unseen = float(scores[-1]) if len(rows) == wanted else floor
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


def _just_below(threshold: Any) -> Any:
    """The float32 number below that one, or below each."""
    return np.nextafter(np.float32(threshold), np.float32(-np.inf))


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


def stages(size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Strips from all over so many rows, one row in `_SHARE`, and what lies between them, as starts and ends."""
    step = size // _STRIPS
    strip = step // _SHARE
    starts = [number * step for number in range(_STRIPS)]
    ends = [*starts[1:], size]
    strips = [(start, start + strip) for start in starts]
    return strips, [(start + strip, end) for start, end in zip(starts, ends, strict=True)]


def joined(parts: Sequence[ApproximateScores]) -> ApproximateScores:
    """What scans of parts of a segment have found together."""
    rows, scores = np.concatenate([each.rows for each in parts]), np.concatenate([each.scores for each in parts])
    return ApproximateScores(rows, scores, parts[0].error, max(each.unseen for each in parts))


def deeper_reach(found: ApproximateScores, threshold: float, size: int) -> int:
    """How many rows of a byte scan would settle it, judged by how close the lower half of its scores lie.

    All of them, which means float32 scores, where that is more than a second scan would save.
    """
    reach = len(found.scores)
    apart = float(np.median(found.scores)) - found.unseen if reach else 0.0
    missing = found.unseen + found.error - threshold
    if not reach or 2 * missing * reach >= apart * (size // _DEEPEST):
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


def _chosen(vectors: Vectors, rows: Rows) -> Vectors:
    """Some rows, ascending; where none between them is left out, where they lie."""
    first, last = rows[0], rows[-1]
    chosen: Vectors = vectors[first : last + 1] if last - first + 1 == len(rows) else vectors[rows]
    return chosen


def _at(ids: Sequence[str] | Names, rows: Rows) -> tuple[str, ...]:
    if isinstance(ids, Ids):
        return tuple(ids.take(rows))
    return tuple(ids[rows].tolist() if isinstance(ids, np.ndarray) else [ids[row] for row in rows.tolist()])
