"""The exact nearest neighbours of a query, found by a cheap scan whose error is bounded and then scored precisely."""

import math
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.rankings import Ranking, alphabetical, best_rows
from vernissage.search.scan import ByteScan, float32_error, matrix_products
from vernissage.search.vectors import VectorTable

_MOST_AT_ONCE = 8_192
_SPARE = 32
_FEW = 32
_FIRST_LOOK = 0.6
"""The first byte scan brings n to this power of rows: enough, in most cases, to settle a list of ten."""


Query = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class ExactIndex:
    """Inner-product search over a vector table that returns the true best k, in a fixed order.

    Every search has two steps. A scan in low precision keeps each row whose score could still be among the best k
    given the scan's error bound; these few are scored in double precision and sorted by score, then id. So the
    answer does not depend on which scan was used, single queries and batches agree to the last bit, and n + 1
    results always extend n. Scans: bytes (`ByteScan`, if given), float32 by one matrix-vector product, and for
    batches FAISS's matrix products.
    """

    def __init__(self, table: VectorTable, scan: ByteScan | None = None) -> None:
        self.table = table
        self._scan = scan

    def __len__(self) -> int:
        return len(self.table)

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.table.item_ids

    @cached_property
    def alphabetical(self) -> Rows:
        """The place of each row's id in alphabetical order, int64 (n,)."""
        return alphabetical(self.item_ids)

    @cached_property
    def _error(self) -> float:
        return float32_error(self.table.vectors)

    def scores(self, query: npt.NDArray[Any]) -> Query:
        """The inner product of every row with ``query`` (dim,), as float64 (n,) of float32 precision."""
        scores: Query = (self.table.vectors @ self._checked(query).astype(np.float32)).astype(np.float64)
        return scores

    def search(
        self,
        query: npt.NDArray[Any],
        k: int,
        *,
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
    ) -> Ranking:
        """The ``k`` works with the highest inner product with ``query`` (dim,); ties by id.

        Exactly ``k`` come back where so many exist beside ``exclude`` and, if given, inside ``among``; ids that the
        table lacks are ignored in both.

        Raises:
            RequestError: k is below 1, or the query has another dimension or is not finite.
        """
        wide = self._checked(query)
        k = _checked_count(k)
        barred = self._barred(exclude, among)
        k = min(k, len(self) - len(barred))
        if k == 0:
            return Ranking((), np.empty(0))
        rows = self._byte_candidates(wide, k, barred) if self._scan is not None else None
        if rows is None:
            rows = self._float_candidates(wide, k, barred)
        return self._sorted(wide, rows, k)

    def search_batch(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[Ranking]:
        """`search` for each row of ``queries`` (m, dim), by matrix products; ``exclude`` names ids for each query.

        Raises:
            RequestError: as in `search`, or ``exclude`` does not have one entry for each query.
        """
        wide = np.atleast_2d(np.asarray(queries, dtype=np.float64))
        k = _checked_count(k)
        barring = exclude if exclude is not None else [()] * len(wide)
        if len(barring) != len(wide):
            raise RequestError(f"{len(barring)} exclusions were given for {len(wide)} queries; give one for each")
        for query in wide:
            self._checked(query)
        if not len(wide) or not len(self):
            return [Ranking((), np.empty(0)) for _ in wide]
        reach = min(len(self), k + max(len(ids) for ids in barring) + _SPARE)
        with matrix_products():
            scores, rows = faiss.knn(
                wide.astype(np.float32), self.table.vectors, reach, metric=faiss.METRIC_INNER_PRODUCT
            )
        return [
            self._settled(query, k, ids, found, close.astype(np.float64))
            for query, ids, found, close in zip(wide, barring, rows, scores, strict=True)
        ]

    def _settled(self, query: Query, k: int, exclude: Collection[str], rows: Rows, approximate: Query) -> Ranking:
        """Finish one query of a batch from its candidates, or search it alone if they may lack one."""
        barred = self._rows_of(exclude)
        kept = ~_among(rows, barred)
        wanted = min(k, len(self) - len(barred))
        if wanted == 0:
            return Ranking((), np.empty(0))
        margin = 2 * self._error * math.sqrt(query @ query)
        complete = len(rows) == len(self) or approximate[-1] < approximate[kept][wanted - 1] - margin
        if not complete:
            return self.search(query, k, exclude=exclude)
        return self._sorted(query, rows[kept], wanted)

    def _byte_candidates(self, query: Query, k: int, barred: Rows) -> Rows | None:
        """Every row that can be among the best k, or None where reading bytes would not pay."""
        if self._scan is None:
            return None
        reach = int(len(self) ** _FIRST_LOOK) + 2 * k + len(barred)
        while reach <= len(self) // 4:
            scores, rows, error = self._scan.search(query, reach)
            unseen = scores[-1]
            if len(barred):
                kept = ~_among(rows, barred)
                scores, rows = scores[kept], rows[kept]
            threshold = scores[k - 1] - 2 * error
            if unseen < threshold:
                candidates: Rows = rows[: int(np.searchsorted(-scores, -threshold, side="right"))]
                return candidates
            reach *= 4
        return None

    def _float_candidates(self, query: Query, k: int, barred: Rows) -> Rows:
        scores = self.table.vectors @ query.astype(np.float32)
        scores[barred] = -np.inf
        return np.flatnonzero(scores >= self._threshold(scores, query, k))

    def _threshold(self, scores: npt.NDArray[np.float32], query: Query, k: int) -> float:
        """What a float32 score must reach so that the precise one can be among the best k."""
        kth = float(np.partition(scores, len(scores) - k)[len(scores) - k])
        return max(kth - 2 * self._error * math.sqrt(query @ query), float(np.finfo(np.float32).min))

    def _sorted(self, query: Query, rows: Rows, k: int) -> Ranking:
        if len(rows) > 2 * k:
            near = self.table.vectors[rows] @ query.astype(np.float32)
            rows = rows[near >= self._threshold(near, query, k)]
        precise = np.empty(len(rows))
        for start in range(0, len(rows), _MOST_AT_ONCE):
            some = slice(start, start + _MOST_AT_ONCE)
            precise[some] = np.einsum("ij,j->i", self.table.vectors[rows[some]].astype(np.float64), query)
        best = best_rows(precise, k, self.alphabetical[rows])
        return Ranking(tuple(self.item_ids[row] for row in rows[best].tolist()), precise[best])

    def _barred(self, exclude: Collection[str], among: Collection[str] | None) -> Rows:
        """The rows that must not come back, in order."""
        if among is None:
            return self._rows_of(exclude)
        barred = np.ones(len(self), dtype=bool)
        barred[self._rows_of(among)] = False
        barred[self._rows_of(exclude)] = True
        return np.flatnonzero(barred)

    def _rows_of(self, item_ids: Collection[str]) -> Rows:
        row_of = self.table.row_of
        return np.array(sorted({row_of[item_id] for item_id in item_ids if item_id in row_of}), dtype=np.int64)

    def _checked(self, query: npt.NDArray[Any]) -> Query:
        wide = np.asarray(query, dtype=np.float64)
        if wide.shape != (self.table.dim,):
            raise RequestError(f"the query has shape {wide.shape}, but the vectors have {self.table.dim} dimensions")
        if not np.isfinite(wide).all():
            raise RequestError("the query holds numbers that are not finite; give a vector of finite numbers")
        return wide


def _among(rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """Which of ``rows`` are among ``others``; for the few that a person rated, faster than sorting both."""
    if len(others) <= _FEW:
        found: npt.NDArray[np.bool_] = (rows[:, None] == others).any(axis=1)
        return found
    return np.isin(rows, others)


def _checked_count(k: int) -> int:
    if k < 1:
        raise RequestError(f"{k} works were asked for; ask for 1 or more")
    return int(k)
