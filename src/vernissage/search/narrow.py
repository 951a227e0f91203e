"""What float32 sees: scores of all rows, of some, or of many queries at once, and how far off they can be."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.search.looks import Look, kth_highest
from vernissage.search.precise import Query, Rows
from vernissage.search.scan import one_thread
from vernissage.values import Vectors

_PRODUCT = 8_388_608
"""Numbers of rows in one matrix product."""
_FEW_COLUMNS = 32

Mask = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]

_inner_products_by_row: Any = vars(faiss)["fvec_inner_products_by_idx"]


class Asked(NamedTuple):
    """A query times a power of two, so that its largest number lies between ½ and 1.

    Scaling by a power of two changes the exponents of scores and no other bit, and float32 can hold what comes of it:
    of queries far from 1 it would make infinities or zeros.

    Attributes:
        wide: the scaled query, float64 (dim,).
        narrow: the same, rounded to float32.
        length: its norm.
        exponent: the query is ``wide`` times two to this power.
    """

    wide: Query
    narrow: Scores
    length: float
    exponent: int


def asked(query: Query) -> Asked:
    """Scale a query of finite numbers; zeros stay zeros."""
    exponent = int(np.frexp(np.abs(query).max(initial=0.0))[1])
    wide = np.ldexp(query, -exponent)
    return Asked(wide, wide.astype(np.float32), math.sqrt(wide @ wide), exponent)


class NarrowRows:
    """Float32 (n, dim) rows of which every look keeps all that can be among the best k, given its error."""

    def __init__(self, vectors: Vectors, error: float) -> None:
        """``error`` is `float32_error` of the vectors, or more."""
        self.vectors = vectors
        self._error = error

    def error(self, query: Asked) -> float:
        """How far off a score can be."""
        return self._error * query.length

    def scores(self, query: Asked, rows: Rows) -> Scores:
        """Scores of chosen rows, read where they lie: gathering them first would cost several times as much."""
        scores = np.empty(len(rows), dtype=np.float32)
        places = [faiss.swig_ptr(each) for each in (scores, query.narrow, self.vectors, rows)]
        with one_thread():
            _inner_products_by_row(*places, self.vectors.shape[1], 1, len(rows))
        return scores

    def look_at_rows(self, query: Asked, k: int, rows: Rows) -> Look:
        """A look at chosen rows."""
        return self._pruned(query, k, rows, self.scores(query, rows))

    def look_at_run(self, query: Asked, k: int, start: int, stop: int, barred: Mask) -> Look:
        """A look at the rows from ``start`` to ``stop``, but for those where ``barred`` bool (n,) is true."""
        inside = barred[start:stop]
        if 2 * np.count_nonzero(inside) >= stop - start:
            return self.look_at_rows(query, k, np.flatnonzero(~inside) + start)
        scores = self.vectors[start:stop] @ query.narrow
        scores[inside] = -np.inf
        return self._pruned(query, k, np.arange(start, stop), scores)

    def looks_of_many(self, queries: Sequence[Asked], k: int, barred: Mask, own: Sequence[Rows]) -> list[list[Look]]:
        """For each query its looks at runs of rows, by matrix products; ``own`` names more barred rows for each."""
        narrow = np.stack([query.narrow for query in queries])
        looks: list[list[Look]] = [[] for _ in queries]
        for rows, vectors, allowed in self._runs(barred):
            products = _products(narrow, vectors)
            if allowed is not None:
                products += allowed
            for number, (query, scores) in enumerate(zip(queries, products, strict=True)):
                scores[_places(rows, own[number])] = -np.inf
                looks[number].append(self._pruned(query, k, rows, scores))
        return looks

    def _runs(self, barred: Mask) -> Iterator[tuple[Rows, Vectors, Scores | None]]:
        """Runs of rows, their vectors, and, where some are barred, what to add: 0, or -inf for a barred one.

        Where half of the rows or more are barred, the others are gathered.
        """
        step = max(1, _PRODUCT // self.vectors.shape[1])
        sparse = 2 * np.count_nonzero(barred) >= len(barred)
        rows = np.flatnonzero(~barred) if sparse else np.arange(len(barred))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            if sparse:
                yield some, self.vectors[some], None
            else:
                inside = barred[start : start + step]
                minus = np.where(inside, np.float32(-np.inf), np.float32(0)) if inside.any() else None
                yield some, self.vectors[start : start + step], minus

    def _pruned(self, query: Asked, k: int, rows: Rows, scores: Scores) -> Look:
        """The rows that can be among the best ``k`` of these alone, and so of all; -inf marks barred ones."""
        error = self.error(query)
        kth = kth_highest(scores, k)
        kept = np.flatnonzero(scores >= max(kth - 2 * error, float(np.finfo(np.float32).min)))
        return Look(rows[kept], scores[kept].astype(np.float64), error, -math.inf)


def _products(queries: Scores, vectors: Vectors) -> Scores:
    """Inner products of few queries with many rows, float32 (queries, rows).

    With few columns, the library's matrix product is up to a third faster the other way round, result included.
    """
    if len(queries) > _FEW_COLUMNS:
        return queries @ vectors.T
    return np.ascontiguousarray((vectors @ queries.T).T)


def _places(rows: Rows, wanted: Rows) -> Rows:
    """Where wanted rows stand among rows, ascending, that may lack some of them."""
    if not len(wanted):
        return wanted
    places = np.searchsorted(rows, wanted)
    inside = places < len(rows)
    there: Rows = places[inside][rows[places[inside]] == wanted[inside]]
    return there
