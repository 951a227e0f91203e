"""The works of one modality that come and go, with their owners, and the exact nearest of them to a query."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError, UnknownItemError
from vernissage.search.narrow import Mask
from vernissage.search.nearest import NearestRows
from vernissage.search.precise import Rows
from vernissage.search.scan import ByteScan, float32_error
from vernissage.search.segments import Segment, extended, subset
from vernissage.search.shelf import Shelf
from vernissage.search.vectors import VectorTable
from vernissage.values import Ranking, Vectors


@dataclass(frozen=True, eq=False)
class _State:
    """What a snapshot is made of.

    Attributes:
        shelf: the rows, shared with other snapshots.
        size: how many rows of the shelf are seen.
        removed: rows, ascending, of works that are no longer there.
        segments: byte scans of the first rows.
        error: `float32_error` of all rows.
        order: every row of some earlier snapshot in the order of its ids, or None; saves sorting them again.
    """

    shelf: Shelf
    size: int
    removed: Rows
    segments: tuple[Segment, ...]
    error: float
    order: Rows | None = None


class LiveIndex:
    """An immutable snapshot of works with vectors and owners; `adding` and `removing` return the next one.

    Snapshots share their rows, so the next one costs what changes and not what is there: added rows stand behind
    the others, removed ones stay where they are and are passed over. Once more than half were removed, those left
    are copied together. A snapshot never changes and any number of threads may read it; of two changes to one
    snapshot the second copies its rows first, so neither sees the other's.

    Rankings and scores are, to the last bit, those of an `ExactIndex` over the allowed works alone, whatever came and
    went before (see `NearestRows`). Row numbers mean something within one snapshot only.
    """

    def __init__(self, state: _State) -> None:
        """Describe a snapshot; `live_index` makes the first and `adding` and `removing` the next ones."""
        self._state = state
        self.vectors: Vectors = state.shelf.vectors(state.size)

    def __len__(self) -> int:
        return self._state.size - len(self._state.removed)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and self._row(item_id) is not None

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def ids(self) -> Sequence[str]:
        """The id of every row, those of removed works included."""
        return tuple(self._state.shelf.ids[: self._state.size])

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """The works that are there, in the order in which they came."""
        if not len(self._state.removed):
            return tuple(self.ids)
        return tuple(self.ids[row] for row in np.flatnonzero(~self._removed).tolist())

    @cached_property
    def alphabetical(self) -> Rows:
        """The place of each row among all rows in the order of ids, int64 (rows,): decides between equal scores."""
        places = np.empty(self._state.size, dtype=np.int64)
        places[self._order] = np.arange(self._state.size)
        return places

    def owner_of(self, item_id: str) -> str:
        """Whose work that is; "" where no owner is known.

        Raises:
            UnknownItemError: there is no such work.
        """
        return self._state.shelf.owner(self._rows([item_id])[0])

    def rows_of_owner(self, owner: str) -> Rows:
        """The rows of that person's works that are there, ascending int64; empty for somebody unknown."""
        rows = self._state.shelf.rows_of_owner(owner, self._state.size)
        return rows[~self._removed[rows]] if len(self._state.removed) else rows

    def barred(
        self, *, exclude: Collection[str] = (), among: Collection[str] | None = None, exclude_owner: str | None = None
    ) -> Mask:
        """Which rows must not come back, bool (rows,): removed works, and what the request leaves out.

        Ids that are not there are ignored in ``exclude`` and ``among``; ``exclude_owner`` may have no works.

        Raises:
            RequestError: ``exclude_owner`` is an empty name.
        """
        if exclude_owner == "":
            raise RequestError("the owner to leave out has an empty name; give a person's name, or None for nobody")
        if among is None:
            barred = self._removed.copy()
        else:
            barred = np.ones(self._state.size, dtype=bool)
            barred[self._known_rows(among)] = False
        barred[self._known_rows(exclude)] = True
        if exclude_owner is not None:
            barred[self._state.shelf.rows_of_owner(exclude_owner, self._state.size)] = True
        return barred

    def vectors_of(self, item_ids: Sequence[str]) -> Vectors:
        """The vectors of works, float32 (n, dim), in that order.

        Raises:
            UnknownItemError: one of the works is not there.
        """
        found: Vectors = self.vectors[self._rows(item_ids)]
        return found

    def search(
        self,
        query: npt.NDArray[Any],
        k: int,
        *,
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        exclude_owner: str | None = None,
    ) -> Ranking:
        """The ``k`` works with the highest inner product with ``query`` (dim,); ties by id.

        What is left out, as in `barred`, is passed over inside the search: exactly ``k`` come back where so many are
        allowed.

        Raises:
            RequestError: k is below 1, the query has another dimension or is not finite, or as in `barred`.
        """
        barred = self.barred(exclude=exclude, among=among, exclude_owner=exclude_owner)
        return self._nearest.search(query, k, barred)

    def search_batch(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        exclude_owner: str | None = None,
    ) -> list[Ranking]:
        """`search` for each row of ``queries`` (m, dim), by matrix products; all leave out the same works.

        Raises:
            RequestError: as in `search`.
        """
        barred = self.barred(exclude=exclude, among=among, exclude_owner=exclude_owner)
        return self._nearest.search_batch(queries, k, barred)

    def adding(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> "LiveIndex":
        """The next snapshot, with more works: unit ``vectors`` float32 (n, dim), and for each its owner or "".

        Raises:
            RequestError: a work is there already or given twice (remove it first to replace it), or ids, vectors and
                owners do not fit together or are not finite.
        """
        rows = self._checked(item_ids, vectors, owners)
        if not len(rows):
            return self
        state = self._state
        shelf = state.shelf
        if not shelf.put(state.size, item_ids, rows, owners):
            everything = np.arange(state.size)
            shelf = Shelf(shelf.ids[: state.size], self.vectors, shelf.owners(everything))
            shelf.put(state.size, item_ids, rows, owners)
        size = state.size + len(rows)
        segments = extended(state.segments, shelf.vectors(size))
        error = max(state.error, float32_error(rows))
        return LiveIndex(_State(shelf, size, state.removed, segments, error, self._last_order))

    def removing(self, item_ids: Sequence[str]) -> "LiveIndex":
        """The next snapshot, without some works.

        Raises:
            UnknownItemError: one of the works is not there.
        """
        rows = np.unique(np.array(self._rows(item_ids), dtype=np.int64))
        if not len(rows):
            return self
        removed = np.union1d(self._state.removed, rows)
        following = LiveIndex(replace(self._state, removed=removed, order=self._last_order))
        return following._compacted() if 2 * len(removed) > self._state.size else following

    def _compacted(self) -> "LiveIndex":
        """The same works without the rows of removed ones."""
        kept = np.flatnonzero(~self._removed)
        shelf = self._state.shelf
        together = Shelf([shelf.ids[row] for row in kept.tolist()], self.vectors[kept], shelf.owners(kept))
        segments = subset(self._state.segments, kept)
        return LiveIndex(_State(together, len(kept), np.empty(0, dtype=np.int64), segments, self._state.error))

    @cached_property
    def _nearest(self) -> NearestRows:
        return NearestRows(self.vectors, self._state.shelf.ids, self._state.segments, self._state.error)

    @cached_property
    def _removed(self) -> Mask:
        removed = np.zeros(self._state.size, dtype=bool)
        removed[self._state.removed] = True
        return removed

    @cached_property
    def _order(self) -> Rows:
        """All rows in the order of their ids: what an earlier snapshot had, and the rows since put into place."""
        known, ids = self._state.order, self._state.shelf.ids
        if known is None:
            return np.array(sorted(range(self._state.size), key=ids.__getitem__), dtype=np.int64)
        more = sorted(range(len(known), self._state.size), key=ids.__getitem__)
        places = [bisect_left(known, ids[row], key=lambda other: ids[other]) for row in more]
        return np.insert(known, places, more)

    @property
    def _last_order(self) -> Rows | None:
        """The newest order of ids that somebody has asked for."""
        return self.__dict__.get("_order", self._state.order)

    def _row(self, item_id: str) -> int | None:
        rows = self._state.shelf.rows_of(item_id)
        return next((row for row in rows if row < self._state.size and not self._removed[row]), None)

    def _known_rows(self, item_ids: Collection[str]) -> list[int]:
        return [row for item_id in item_ids if (row := self._row(item_id)) is not None]

    def _rows(self, item_ids: Sequence[str]) -> list[int]:
        rows = [self._row(item_id) for item_id in item_ids]
        missing = [item_id for item_id, row in zip(item_ids, rows, strict=True) if row is None]
        if missing:
            raise UnknownItemError(
                f"{', '.join(missing[:5])}: no such work is in the index; choose one that is there and has a vector"
            )
        return [row for row in rows if row is not None]

    def _checked(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> Vectors:
        rows = np.asarray(vectors, dtype=np.float32)
        if rows.shape != (len(item_ids), self.dim) or len(owners) != len(item_ids):
            raise RequestError(
                f"{len(item_ids)} works came with vectors of shape {rows.shape} and {len(owners)} owners; "
                f"give each one vector of {self.dim} numbers and one owner"
            )
        if not np.isfinite(rows).all():
            raise RequestError("vectors to add hold numbers that are not finite; encode these works again")
        there = [item_id for item_id in item_ids if item_id in self]
        if there or len(set(item_ids)) < len(item_ids):
            named = ", ".join(there[:5]) or "a work given twice"
            raise RequestError(f"{named}: already in the index; remove a work before adding it anew")
        return rows


def live_index(table: VectorTable, owners: Mapping[str, str], scan: ByteScan | None = None) -> LiveIndex:
    """The first snapshot: the works of a table, and who owns them; works that ``owners`` lacks have no known owner.

    The vectors are copied once, into an array with room for more, so that adding never copies them. Without ``scan``,
    a large table is rounded to bytes here.
    """
    names = [owners.get(item_id, "") for item_id in table.item_ids]
    shelf = Shelf(table.item_ids, table.vectors, names)
    vectors = shelf.vectors(len(table))
    segments = (Segment(0, scan),) if scan is not None else extended((), vectors)
    removed = np.empty(0, dtype=np.int64)
    return LiveIndex(_State(shelf, len(table), removed, segments, float32_error(vectors)))
