"""Rows that are only ever added to, so that many readers can share them with one writer."""

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from vernissage.values import Vectors

_LEAST_ROOM = 256


class Shelf:
    """Vectors, ids and owners of rows in the order in which they came; nothing that was put here ever changes.

    A snapshot sees the first so many rows and nothing behind them. Arrays have room for twice their rows, and a full
    one is copied into one of twice the size, so adding costs a constant time for each row over the long run; memory
    beyond the rows is not touched before it is needed. Snapshots keep the array that they have seen.
    """

    def __init__(self, ids: Iterable[str], vectors: Vectors, owners: Iterable[str]) -> None:
        self.ids: list[str] = []
        self._rows_of: dict[str, int | tuple[int, ...]] = {}
        self._code_of: dict[str, int] = {}
        self._names: list[str] = []
        self._vectors: Vectors = np.empty((0, vectors.shape[1]), dtype=np.float32)
        self._codes = np.empty(0, dtype=np.int32)
        self._grouped = Groups(self._codes)
        self._writing = threading.Lock()
        self.put(0, list(ids), vectors, list(owners))

    def put(self, size: int, ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> bool:
        """Add rows behind the first ``size``; False, and nothing done, where others stand there already."""
        with self._writing:
            if size != len(self.ids):
                return False
            stop = size + len(ids)
            if stop > len(self._vectors):
                self._make_room(size, stop)
            self._vectors[size:stop] = vectors
            self._codes[size:stop] = [self._code(owner) for owner in owners]
            for row, item_id in enumerate(ids, start=size):
                earlier = self._rows_of.get(item_id, ())
                more = (earlier,) if isinstance(earlier, int) else earlier
                self._rows_of[item_id] = (row, *more) if more else row
            self.ids.extend(ids)
            if stop > 2 * self._grouped.size:
                self._grouped = Groups(self._codes[:stop])
            return True

    def vectors(self, size: int) -> Vectors:
        """The first ``size`` vectors, a view that cannot be written to."""
        rows = self._vectors[:size]
        rows.flags.writeable = False
        return rows

    def rows_of(self, item_id: str) -> tuple[int, ...]:
        """Every row that ever held this id, latest first."""
        rows = self._rows_of.get(item_id, ())
        return (rows,) if isinstance(rows, int) else rows

    def owner(self, row: int) -> str:
        """Whose that row is; "" where nobody is known."""
        return self._names[int(self._codes[row])]

    def owners(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """`owner` of several rows."""
        return [self._names[code] for code in self._codes[rows].tolist()]

    def rows_of_owner(self, owner: str, size: int) -> npt.NDArray[np.int64]:
        """The rows of that owner among the first ``size``, ascending."""
        code = self._code_of.get(owner)
        if code is None:
            return np.empty(0, dtype=np.int64)
        grouped, codes = self._grouped, self._codes
        early = grouped.rows(code)
        late = np.flatnonzero(codes[grouped.size : size] == code) + grouped.size
        return np.concatenate([early[: np.searchsorted(early, size)], late])

    def _code(self, owner: str) -> int:
        if owner not in self._code_of:
            self._names.append(owner)
            self._code_of[owner] = len(self._names) - 1
        return self._code_of[owner]

    def _make_room(self, size: int, stop: int) -> None:
        """Move the first ``size`` rows into larger arrays; whoever reads the old ones is not disturbed."""
        room = max(2 * stop, _LEAST_ROOM)
        vectors = np.empty((room, self._vectors.shape[1]), dtype=np.float32)
        codes = np.zeros(room, dtype=np.int32)
        vectors[:size], codes[:size] = self._vectors[:size], self._codes[:size]
        self._vectors, self._codes = vectors, codes


class Groups:
    """The rows of each owner, found in time proportional to their number; immutable."""

    def __init__(self, codes: npt.NDArray[np.int32]) -> None:
        """Group rows by ``codes`` int32 (size,), which count owners from 0."""
        self.size = len(codes)
        self._order: npt.NDArray[np.int64] = np.argsort(codes, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])

    def rows(self, code: int) -> npt.NDArray[np.int64]:
        """The rows with that code, ascending; empty for an owner who came later."""
        if code + 1 >= len(self._starts):
            return np.empty(0, dtype=np.int64)
        return self._order[self._starts[code] : self._starts[code + 1]]
