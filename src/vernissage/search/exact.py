"""The exact nearest neighbours of a query in a table of vectors."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.rankings import alphabetical
from vernissage.search.narrow import Mask
from vernissage.search.nearest import NearestRows
from vernissage.search.precise import Query, Rows
from vernissage.search.scan import ByteScan, float32_error
from vernissage.search.segments import Segment
from vernissage.search.vectors import VectorTable
from vernissage.values import Ranking


class ExactIndex:
    """Inner-product search over a vector table that returns the true best k, in a fixed order (see `NearestRows`)."""

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
    def _nearest(self) -> NearestRows:
        segments = (Segment(0, self._scan),) if self._scan is not None else ()
        return NearestRows(self.table.vectors, self.item_ids, segments, float32_error(self.table.vectors))

    def scores(self, query: npt.NDArray[Any]) -> Query:
        """The inner product of every row with ``query`` (dim,), as float64 (n,) of float32 precision."""
        scores: Query = (self.table.vectors @ self._nearest.checked(query).astype(np.float32)).astype(np.float64)
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
        return self._nearest.search(query, k, self._barred(exclude, among))

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
        count = len(np.atleast_2d(np.asarray(queries)))
        if exclude is not None and len(exclude) != count:
            raise RequestError(f"{len(exclude)} exclusions were given for {count} queries; give one for each")
        own = [self._rows_of(ids) for ids in exclude] if exclude is not None else None
        return self._nearest.search_batch(queries, k, np.zeros(len(self), dtype=bool), own)

    def _barred(self, exclude: Collection[str], among: Collection[str] | None) -> Mask:
        """Which rows must not come back."""
        barred = np.full(len(self), among is not None)
        if among is not None:
            barred[self._rows_of(among)] = False
        barred[self._rows_of(exclude)] = True
        return barred

    def _rows_of(self, item_ids: Collection[str]) -> Rows:
        row_of = self.table.row_of
        return np.array([row_of[item_id] for item_id in item_ids if item_id in row_of], dtype=np.int64)
