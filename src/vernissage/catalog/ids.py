"""Ids of works in their order, found by binary search: a million of them without a Python object for each."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from vernissage.files import digest, text_array

_IN_A_DICTIONARY = 150_000  # more ids, some 20 MB of a dictionary, are searched for by halves
_SOUGHT_KEPT = 16_384  # as many as lists for 256 people name; some 2 MB
_LOOKED_UP_ONE_BY_ONE = 20_000  # above, hashing all ids once takes less time than so many binary searches


class Ids(Sequence[str]):
    """Unique ids in the order of their works, immutable.

    Attributes:
        array: the ids as one Arrow string array without nulls.
        order: the rows in alphabetical order of their ids, by code points, int32 (n,).
    """

    def __init__(self, array: Any, order: npt.NDArray[np.int32] | None = None) -> None:
        """Join an Arrow string array with its stored alphabetical order; None sorts."""
        self.array = array
        _, starts, data = array.buffers()
        end = array.offset + len(array) + 1
        self._starts = memoryview(starts).cast("i")[array.offset : end] if len(array) else memoryview(b"")
        self._data = memoryview(data) if data is not None else memoryview(b"")
        if order is None:
            order = np.array(sorted(range(len(array)), key=self._bytes), dtype=np.int32)
        self.order = order
        self._others: tuple[Ids, npt.NDArray[np.int64]] | None = None  # whose rows were looked up last, and which here
        self._order: Sequence[int] = np.ascontiguousarray(order).data

    @classmethod
    def of(cls, ids: Iterable[str]) -> "Ids":
        """Ids of Python strings; `Ids` stay as they are."""
        return ids if isinstance(ids, Ids) else cls(text_array(ids))

    def _bytes(self, row: int) -> bytes:
        return bytes(self._data[self._starts[row] : self._starts[row + 1]])

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            whole = self.array.slice(start, max(0, stop - start)) if step > 0 else self.array
            return tuple(whole.to_pylist()[::step] if step > 0 else whole.to_pylist()[index])
        return self._bytes(range(len(self))[index]).decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())

    def __contains__(self, item_id: object) -> bool:
        return self.row(item_id) is not None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Ids):
            return self is other or bool(self.array.equals(other.array))
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Ids({', '.join(self[:3])}{', …' if len(self) > 3 else ''}; {len(self)})"

    def row(self, item_id: object) -> int | None:
        """The row of one id, or None; O(log n) at most."""
        if not isinstance(item_id, str):
            return None
        if self._dictionary is not None:
            return self._dictionary.get(item_id)
        return self._sought(item_id)

    @cached_property
    def _sought(self) -> Callable[[str], int | None]:
        """The binary search; the last answers are kept: a request, or a block of lists, asks for each a dozen times."""
        return lru_cache(_SOUGHT_KEPT)(self._by_order)

    def _by_order(self, item_id: str) -> int | None:
        wanted = item_id.encode(errors="surrogatepass")
        place = bisect_left(self._order, wanted, key=self._bytes)
        if place == len(self) or self._bytes(row := self._order[place]) != wanted:
            return None
        return int(row)

    def near(self, item_id: str, most: int = 5_000) -> tuple[str, ...]:
        """The ids that stand around one in the alphabet, at most so many: for guesses at what was meant."""
        place = bisect_left(self._order, item_id.encode(errors="surrogatepass"), key=self._bytes)
        start = max(0, min(place - most // 2, len(self) - most))
        return tuple(self[row] for row in self.order[start : start + most].tolist())

    def rows(self, item_ids: "Sequence[str] | ChosenIds") -> npt.NDArray[np.int64]:
        """The row of each id, int64 (m,); -1 where there is none."""
        if isinstance(item_ids, ChosenIds):
            known = self._others  # looked at once: another thread may look up those of other ids meanwhile
            if known is None or known[0] is not item_ids.ids:
                known = self._others = item_ids.ids, self.rows(item_ids.ids)
            return known[1][item_ids.rows]
        if isinstance(item_ids, Ids) and item_ids == self:
            return np.arange(len(self))
        if self._dictionary is not None:
            found_row = self._dictionary.get
            return np.array([found_row(item_id, -1) for item_id in item_ids], dtype=np.int64)
        if len(item_ids) < _LOOKED_UP_ONE_BY_ONE:
            found = [-1 if (row := self.row(item_id)) is None else row for item_id in item_ids]
            return np.array(found, dtype=np.int64)
        import pyarrow.compute as pc  # a twentieth of a second, which small collections need not spend

        wanted = item_ids.array if isinstance(item_ids, Ids) else text_array(item_ids)
        places = pc.index_in(wanted, value_set=self.array)
        rows: npt.NDArray[np.int64] = places.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return rows

    @cached_property
    def _dictionary(self) -> dict[str, int] | None:
        """From id to row, for collections that are small enough to hold a Python object for each id."""
        return dict(zip(self, range(len(self)), strict=True)) if len(self) <= _IN_A_DICTIONARY else None

    def take(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The ids of some rows, in that order."""
        if self._dictionary is not None:
            strings = self._strings
            return [strings[row] for row in rows.tolist()]
        return [self._bytes(row).decode() for row in rows.tolist()]

    @cached_property
    def _strings(self) -> list[str]:
        return list(self)

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """The place of each row's id in alphabetical order, int64 (n,): what decides between equal scores."""
        places = np.empty(len(self), dtype=np.int64)
        places[self.order] = np.arange(len(self))
        return places

    @cached_property
    def repeated(self) -> tuple[str, ...]:
        """Ids that stand more than once, alphabetically."""
        pairs = pairwise(self.order.tolist())
        return tuple(dict.fromkeys(self[row] for row, after in pairs if self._bytes(row) == self._bytes(after)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all ids in their order: two tables of equal digests are of the same works in the same rows."""
        first, last = (self._starts[0], self._starts[-1]) if len(self) else (0, 0)
        lengths = np.diff(np.asarray(self._starts)).astype("<i4") if len(self) else np.empty(0, "<i4")
        return digest(lengths.tobytes(), bytes(self._data[first:last]))


class ChosenIds(Set[str]):
    """The ids of some rows, as a set: of many thousands no string is made before it is asked for."""

    def __init__(self, ids: Ids, rows: npt.NDArray[np.int64]) -> None:
        """Choose ``rows`` int64 (n,) of ``ids``, ascending, each once."""
        self.ids, self.rows = ids, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids.take(self.rows))

    def __contains__(self, item_id: object) -> bool:
        row = self.ids.row(item_id)
        place = len(self.rows) if row is None else int(np.searchsorted(self.rows, row))
        return place < len(self.rows) and self.rows[place] == row

    def __hash__(self) -> int:
        return self._hash()

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> frozenset[Any]:
        return frozenset(it)
