"""The exact index: works with vectors and owners that come and go, and the true nearest of them to a query."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.ids import ChosenIds, Ids
from vernissage.errors import RequestError, UnknownItemError
from vernissage.rankings import best_of
from vernissage.search.candidates import CandidateRows, Candidates, SelectiveCandidates
from vernissage.search.moments import Sums
from vernissage.search.nearest import NearestRows, ScaledQuery, scaled
from vernissage.search.scan import ByteScan, Mask, Rows, Segment, extended, float32_error
from vernissage.search.vectors import VectorTable
from vernissage.values import (
    EVERYTHING,
    Allow,
    Columns,
    Condition,
    Density,
    IndexCard,
    Moments,
    Ranking,
    Scores,
    Vectors,
)

NEIGHBOURS = 10
"""Works whose mean cosine is a work's local density, as in Conneau et al., ICLR 2018, arXiv:1710.04087."""

_NEIGHBOUR_QUERIES = 1_024  # queries at a time, whose scores are held in memory together
_MASKS_KEPT = 16
_LEAST_ROOM = 256


class ExactIndex:
    """An immutable snapshot of works with vectors and owners; `add` and `remove` return the next one.

    It keeps the contracts `Index` and `WritableIndex`. The works of a table stand in arrays of their own, which may be
    mapped from files and are never copied; added ones stand behind each other in arrays that snapshots share, so the
    next snapshot costs what changes and not what is there. Removed rows are passed over; once more than half of the
    added ones were removed, those left are copied together. Any number of threads may read a snapshot; of two changes
    to one snapshot the second copies the added rows first, so neither sees the other's.

    Rankings and scores are, to the last bit, those of an index over the allowed works alone, whatever came and went
    before (see `NearestRows`). Added and removed rows are summed apart, each once, so moments do not drift.
    """

    def __init__(self, parts: "tuple[_Part, _Part]", card: IndexCard) -> None:
        """Describe a snapshot by its table part and its added part; `exact_index` makes the first."""
        self._table, self._added = self._parts = parts
        self._table_ids = Ids.of(self._table.store.ids)
        self._card = card
        self._anticipated: tuple[Allow, dict[tuple[bytes, int], Ranking]] = EVERYTHING, {}

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __contains__(self, item_id: object) -> bool:
        row = self._table_ids.row(item_id)
        if row is not None and not (len(self._table.removed) and self._table.gone[row]):
            return True
        return isinstance(item_id, str) and bool(self._added.rows_of([item_id])[0] >= 0)

    @property
    def card(self) -> IndexCard:
        return self._card

    @cached_property
    def item_ids(self) -> Sequence[str]:
        """The works that are there: those of the table in its order, then those that were added."""
        if not self._added.size and not len(self._table.removed):
            return self._table_ids
        return tuple(item_id for part in self._parts for item_id in part.present_ids())

    def owner_of(self, item_id: str) -> str:
        """Whose work that is; "" where no owner is known."""
        [table], [added] = (rows.tolist() for rows in self._rows([item_id]))
        return self._table.store.owner(table) if table >= 0 else self._added.store.owner(added)

    def search(self, queries: npt.NDArray[Any], k: int, allow: Allow = EVERYTHING) -> list[Ranking]:
        every = self.checked(queries)
        if k < 1:
            raise RequestError(f"{k} works were asked for; ask for 1 or more")
        known = [self._known(each, k, allow) for each in every]
        asked = [query for query, ranking in zip(every, known, strict=True) if ranking is None]
        found = iter(self._found(asked, int(k), allow) if asked else ())
        return [next(found) if ranking is None else ranking for ranking in known]

    def _found(self, queries: Sequence[ScaledQuery], k: int, allow: Allow) -> list[Ranking]:
        found = [part.search(queries, k, allow) for part in self._parts if part.size]
        if not found:
            return [Ranking((), np.empty(0)) for _ in queries]
        return found[0] if len(found) == 1 else [_merged(each, k) for each in zip(*found, strict=True)]

    def anticipate(self, queries: npt.NDArray[Any], k: int, allow: Allow = EVERYTHING) -> None:
        """Search for many queries (m, dim) together, by matrix products, and keep the best ``k`` of each.

        A search for one of them that allows the same, or leaves out a few works more, finds the same as ever without a
        pass over the vectors. What was anticipated before is forgotten.
        """
        every = self.checked(queries)
        found = self._found(every, k, allow) if every else []
        self._anticipated = allow, {query.key: ranking for query, ranking in zip(every, found, strict=True)}

    def _known(self, query: ScaledQuery, k: int, allow: Allow) -> Ranking | None:
        """The best ``k`` of what was anticipated; None where that does not tell."""
        among, rankings = self._anticipated
        found = rankings.get(query.key) if rankings else None
        if found is None or not allow.exclude >= among.exclude:
            return None
        if allow.conditions != among.conditions or allow.not_owner != among.not_owner or among.only is not None:
            return None
        ids = found.item_ids
        allowed = {each for each in ids if allow.only is None or each in allow.only} - allow.exclude
        if len(allowed) < k and len(found) < self.count(among):
            return None
        some = [place for place, item_id in enumerate(ids) if item_id in allowed][:k]
        return Ranking(tuple([ids[place] for place in some]), found.scores[some])

    def checked(self, queries: npt.NDArray[Any]) -> list[ScaledQuery]:
        """Queries (m, dim) or one (dim,), finite and of the right dimension, in double precision and scaled."""
        wide = np.atleast_2d(np.asarray(queries, dtype=np.float64))
        if wide.ndim != 2 or wide.shape[1] != self._card.dim:
            raise RequestError(f"queries have shape {wide.shape}, but the vectors have {self._card.dim} dimensions")
        if not np.isfinite(wide).all():
            raise RequestError("a query holds numbers that are not finite; give vectors of finite numbers")
        return [scaled(query) for query in wide]

    def vectors_of(self, item_ids: Sequence[str]) -> Vectors:
        found = np.empty((len(item_ids), self._card.dim), dtype=np.float32)
        for part, rows in zip(self._parts, self._rows(item_ids), strict=True):
            own = rows >= 0
            if own.any():
                found[own] = part.vectors[rows[own]]
        return found

    def moments(self) -> Moments:
        return self._moments

    def count(self, allow: Allow = EVERYTHING) -> int:
        # Chosen rows are counted in a mask: taking ids from their set would make a string of each.
        if allow.not_owner is None and not allow.conditions and not isinstance(allow.only, ChosenIds):
            if allow.only is not None:
                return sum(len(part.there(allow.only - allow.exclude)) for part in self._parts)
            return len(self) - sum(len(part.there(allow.exclude)) for part in self._parts)
        return sum(part.size - int(np.count_nonzero(part.excluded(allow))) for part in self._parts if part.size)

    def density(self) -> Density:
        return self._density  # compares all pairs of works

    def add(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> "ExactIndex":
        """The next snapshot, with more works: unit ``vectors`` float32 (n, dim), and for each its owner or ""."""
        rows = self._checked_rows(item_ids, vectors, owners)
        if not len(rows):
            return self
        return ExactIndex((self._table, self._added.extended(item_ids, rows, owners)), self._card)

    def remove(self, item_ids: Sequence[str]) -> "ExactIndex":
        if not len(item_ids):
            return self
        found = self._rows(item_ids)
        table, added = (part.without(rows[rows >= 0]) for part, rows in zip(self._parts, found, strict=True))
        return ExactIndex((table, added.compacted() if 2 * len(added.removed) > added.size else added), self._card)

    @cached_property
    def _moments(self) -> Moments:
        return (self._table.sums + self._added.sums).moments

    @cached_property
    def _density(self) -> Density:
        ids = list(self.item_ids)
        found = np.zeros(len(ids))
        weighted = np.zeros(self._card.dim)
        for start in range(0, len(ids), _NEIGHBOUR_QUERIES):
            some = ids[start : start + _NEIGHBOUR_QUERIES]
            vectors = self.vectors_of(some)
            for row, ranking in enumerate(self.search(vectors, NEIGHBOURS + 1), start):
                others = ranking.scores[1:]  # the first is the work itself, or one that is the same
                found[row] = others.mean() if len(others) else 0.0
            weighted += found[start : start + len(some)] @ vectors.astype(np.float64)
        row_of = {item_id: row for row, item_id in enumerate(ids)}

        def of(item_ids: Sequence[str]) -> Scores:
            self._rows(item_ids)  # raises where one is not there
            return found[[row_of[item_id] for item_id in item_ids]]

        if not ids:
            return Density(0.0, 0.0, 0.0, weighted, of)
        return Density(float(found.mean()), float(found.var()), float(found.min()), weighted / len(ids), of)

    def _rows(self, item_ids: Sequence[str]) -> list[Rows]:
        """The row of each work in each part, int64 (n,), −1 where it is not there; refuses works that are in none."""
        found = [part.rows_of(item_ids) for part in self._parts]
        nowhere = np.flatnonzero((found[0] < 0) & (found[1] < 0)).tolist()
        if nowhere:
            missing = list(dict.fromkeys(item_ids[place] for place in nowhere))
            raise UnknownItemError(
                f"{', '.join(missing[:5])}: no such work is in the index; choose one that is there and has a vector"
            )
        return found

    def _checked_rows(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> Vectors:
        rows = np.asarray(vectors, dtype=np.float32)
        if rows.shape != (len(item_ids), self._card.dim) or len(owners) != len(item_ids):
            raise RequestError(
                f"{len(item_ids)} works came with vectors of shape {rows.shape} and {len(owners)} owners; "
                f"give each one vector of {self._card.dim} numbers and one owner"
            )
        if not np.isfinite(rows).all():
            raise RequestError("vectors to add hold numbers that are not finite; encode these works again")
        there = [
            item_id
            for item_id, *rows in zip(item_ids, *(part.rows_of(item_ids) for part in self._parts), strict=True)
            if max(rows) >= 0
        ]
        if there or len(set(item_ids)) < len(item_ids):
            named = ", ".join(there[:5]) or "a work given twice"
            raise RequestError(f"{named}: already in the index; remove a work before adding it anew")
        return rows


def exact_index(
    table: VectorTable,
    columns: Columns | None = None,
    *,
    owners: Mapping[str, str] | None = None,
    scan: ByteScan | None = None,
    moments: Moments | None = None,
    candidates: Candidates | SelectiveCandidates | None = None,
    shards: int = 1,
) -> ExactIndex:
    """The first snapshot: the works of a table, which is not copied.

    Args:
        table: the vectors.
        columns: who owns works, and which fulfil conditions; without them nobody is known to own anything, and no
            condition can be asked for.
        owners: who owns works, where there are no ``columns``.
        scan: the byte scan of the table; without one all rows are scored in float32.
        moments: of the table's vectors, where they are known; else they are computed when first asked for.
        candidates: another index over the rows of the table, which is asked first, see `CandidateRows`.
        shards: threads that read the byte scan of the table for one query.
    """
    known = columns if columns is not None else _OwnersAlone(owners or {})
    sums = Sums.of(moments) if moments is not None else Sums.zero(table.dim)
    whole = _Part(
        _TableRows(table.item_ids, known, sums),
        known,
        np.ascontiguousarray(table.vectors),
        (Segment(0, len(table), scan),),
        scan.float32_error if scan is not None else float32_error(table.vectors),
        candidates=candidates,
        shards=shards,
    )
    added = _AddedRows(table.dim)
    card = IndexCard(table.card.encoder, table.card.fingerprint, table.card.modality, table.dim)
    if candidates is not None:
        card = replace(card, kind=candidates.kind, exact=candidates.exact, settings=candidates.settings)
    return ExactIndex((whole, _Part(added, known, added.vectors(0), (), 0.0)), card)


@dataclass(frozen=True)
class _OwnersAlone:
    """Columns that know owners and nothing else."""

    owner_of: Mapping[str, str]

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        return [self.owner_of.get(item_id, "") for item_id in item_ids]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> Mask:
        if conditions:
            raise RequestError(f"nothing is known of these works but their owners; leave out {conditions[0]}")
        return np.ones(len(item_ids), dtype=bool)


class _TableRows:
    """The rows of a table; their owners are looked up when somebody is first to be left out.

    Attributes:
        sums: of as many of the first rows as were summed yet: none or all.
    """

    def __init__(self, ids: Ids, columns: Columns, sums: Sums) -> None:
        self.ids, self._columns, self.sums = ids, columns, sums

    @cached_property
    def _coded(self) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
        code_of: dict[str, int] = {}
        names = self._columns.owners(self.ids)
        return code_of, np.array([code_of.setdefault(name, len(code_of)) for name in names], dtype=np.int32)

    def rows(self, item_ids: Sequence[str] | ChosenIds, _size: int) -> Rows:
        return self.ids.rows(item_ids)

    def owner(self, row: int) -> str:
        return self._columns.owners([self.ids[row]])[0]

    def rows_of_owner(self, owner: str, _size: int) -> Rows:
        code_of, codes = self._coded
        return np.flatnonzero(codes == code_of[owner]) if owner in code_of else _NO_ROWS


class _AddedRows:
    """Rows that are only ever added to, so that many snapshots share them with one writer.

    A snapshot sees the first so many rows and nothing behind them. Arrays have room for twice their rows, and a full
    one is copied into one of twice the size, so adding costs a constant time for each row over the long run. Snapshots
    keep the array that they have seen.
    """

    def __init__(self, dim: int) -> None:
        self.ids: list[str] = []
        self._rows_of_id: dict[str, tuple[int, ...]] = {}
        self._code_of: dict[str, int] = {}
        self._names: list[str] = []
        self._vectors: Vectors = np.empty((0, dim), dtype=np.float32)
        self._codes = np.empty(0, dtype=np.int32)
        self._writing = threading.Lock()
        self.sums = Sums.zero(dim)  # of as many of the first rows as were summed yet

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
                self._rows_of_id[item_id] = (row, *self._rows_of_id.get(item_id, ()))
            self.ids.extend(ids)
            return True

    def vectors(self, size: int) -> Vectors:
        """The first ``size`` vectors, a view that cannot be written to."""
        rows = self._vectors[:size]
        rows.flags.writeable = False
        return rows

    def rows(self, item_ids: Collection[str], size: int) -> Rows:
        """The latest row of each work among the first ``size``, int64 (n,), −1 where there is none."""
        if not size:
            return np.full(len(item_ids), -1)
        every = (self._rows_of_id.get(item_id, ()) for item_id in item_ids)
        latest = (next((row for row in rows if row < size), -1) for rows in every)
        return np.fromiter(latest, np.int64, len(item_ids))

    def owner(self, row: int) -> str:
        return self._names[int(self._codes[row])]

    def rows_of_owner(self, owner: str, size: int) -> Rows:
        return np.flatnonzero(self._codes[:size] == self._code_of[owner]) if owner in self._code_of else _NO_ROWS

    def _code(self, owner: str) -> int:
        if owner not in self._code_of:
            self._names.append(owner)
        return self._code_of.setdefault(owner, len(self._names) - 1)

    def _make_room(self, size: int, stop: int) -> None:
        """Move the first ``size`` rows into larger arrays; whoever reads the old ones is not disturbed."""
        room = max(2 * stop, _LEAST_ROOM)
        vectors = np.empty((room, self._vectors.shape[1]), dtype=np.float32)
        codes = np.zeros(room, dtype=np.int32)
        vectors[:size], codes[:size] = self._vectors[:size], self._codes[:size]
        self._vectors, self._codes = vectors, codes


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of one array as a snapshot sees them.

    Attributes:
        store: ids, owners and sums of these rows, those of removed works included, and perhaps of more behind them.
        columns: which works fulfil conditions.
        vectors: float32 (size, dim).
        segments: runs of rows that together are all, with or without byte scans.
        error: `float32_error` of all rows.
        removed: rows, ascending, of works that are no longer there.
        candidates: what is asked first for the nearest rows, if anything.
        shards: threads that read a large byte scan.
    """

    store: _TableRows | _AddedRows
    columns: Columns
    vectors: Vectors
    segments: tuple[Segment, ...]
    error: float
    removed: Rows = field(default_factory=lambda: _NO_ROWS)
    candidates: Candidates | SelectiveCandidates | None = None
    shards: int = 1

    @cached_property
    def size(self) -> int:
        """How many rows are seen."""
        return len(self.vectors)

    def __len__(self) -> int:
        return self.size - len(self.removed)

    @cached_property
    def rows(self) -> NearestRows:
        return NearestRows(self.vectors, self.store.ids, self.segments, self.error, self.shards)

    @cached_property
    def gone(self) -> Mask:
        """Which rows are of removed works, bool (size,)."""
        gone = np.zeros(self.size, dtype=bool)
        gone[self.removed] = True
        return gone

    @cached_property
    def sums(self) -> Sums:
        """Of the rows that are there: of all of them less those of removed ones, or, if these are most, of the rest."""
        nothing = Sums.zero(self.vectors.shape[1])
        if 2 * len(self.removed) > self.size:
            return nothing.plus(self.vectors[~self.gone])
        known = self.store.sums if self.store.sums.count <= self.size else nothing
        if known.count < self.size:
            known = known.plus(self.vectors[known.count :])
            if known.count > self.store.sums.count:  # else an older snapshot would make newer ones sum again
                self.store.sums = known
        return known - nothing.plus(self.vectors[self.removed]) if len(self.removed) else known

    def present_ids(self) -> Iterable[str]:
        if not len(self.removed):
            return self.store.ids[: self.size]
        return [self.store.ids[row] for row in np.flatnonzero(~self.gone).tolist()]

    def rows_of(self, item_ids: Sequence[str] | ChosenIds) -> Rows:
        """The row of each work, int64 (n,), −1 where it is not there."""
        rows = self.store.rows(item_ids, self.size)
        if len(self.removed) and len(rows):
            rows[(rows >= 0) & self.gone[rows]] = -1
        return rows

    def search(self, queries: Sequence[ScaledQuery], k: int, allow: Allow) -> list[Ranking]:
        """For each query the ``k`` best of its rows that are allowed."""
        if self._by_candidates is None:
            return self.rows.search(queries, k, self.excluded(allow))
        return self._by_candidates.search(queries, k, self._left_out(allow), partial(self.excluded, allow))

    @cached_property
    def _by_candidates(self) -> CandidateRows | None:
        return CandidateRows(self.rows, self.candidates) if self.candidates is not None else None

    def _left_out(self, allow: Allow) -> Rows | None:
        """The rows that must not come back, ascending; None where all rows must be looked at for that."""
        if allow.conditions or allow.only is not None or allow.not_owner == "":
            return None
        own = _NO_ROWS if allow.not_owner is None else self.store.rows_of_owner(allow.not_owner, self.size)
        return np.unique(np.concatenate((self.removed, self.there(allow.exclude), own)))

    def excluded(self, allow: Allow) -> Mask:
        """Which rows must not come back, bool (size,): removed works, and what the request leaves out."""
        if allow.not_owner == "":
            raise RequestError("the owner to leave out has an empty name; give a person's name, or None for nobody")
        if allow.only is None:
            excluded = self.gone.copy()
        else:
            excluded = np.ones(self.size, dtype=bool)
            excluded[self.there(allow.only)] = False
        excluded[self.there(allow.exclude)] = True
        if allow.not_owner is not None:
            excluded[self.store.rows_of_owner(allow.not_owner, self.size)] = True
        if allow.conditions:
            excluded |= ~self._fulfilling(allow.conditions)
        return excluded

    def extended(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> "_Part":
        """The same with more rows behind them."""
        store, size = self.store, self.size + len(item_ids)
        if not isinstance(store, _AddedRows) or not store.put(self.size, item_ids, vectors, owners):
            store = self._copied(np.arange(self.size))
            store.put(self.size, item_ids, vectors, owners)
        seen = store.vectors(size)
        error = max(self.error, float32_error(vectors))
        return _Part(store, self.columns, seen, extended(self.segments, seen), error, self.removed)

    def without(self, rows: Rows) -> "_Part":
        """The same without some rows."""
        if not len(rows):
            return self
        return replace(self, removed=np.union1d(self.removed, np.array(rows, dtype=np.int64)))

    def compacted(self) -> "_Part":
        """The same works without the rows of removed ones."""
        store = self._copied(np.flatnonzero(~self.gone))
        seen = store.vectors(len(store.ids))
        return _Part(store, self.columns, seen, extended((), seen) if len(seen) else (), self.error)

    def _copied(self, rows: Rows) -> _AddedRows:
        copy, chosen = _AddedRows(self.vectors.shape[1]), rows.tolist()
        ids, owners = [self.store.ids[row] for row in chosen], [self.store.owner(row) for row in chosen]
        copy.put(0, ids, self.vectors[rows], owners)
        return copy

    def there(self, item_ids: Collection[str]) -> Rows:
        """The rows of those works that are there."""
        rows = self.rows_of(item_ids if isinstance(item_ids, ChosenIds) else list(item_ids)) if item_ids else _NO_ROWS
        return rows[rows >= 0]

    def _fulfilling(self, conditions: tuple[Condition, ...]) -> Mask:
        """Which rows fulfil all conditions; the answers to the last few are kept."""
        if conditions not in self._masks:
            if len(self._masks) >= _MASKS_KEPT:
                self._masks.pop(next(iter(self._masks)), None)
            ids = self.store.ids if len(self.store.ids) == self.size else self.store.ids[: self.size]
            self._masks[conditions] = self.columns.fulfilling(conditions, ids)
        return self._masks[conditions]

    @cached_property
    def _masks(self) -> dict[tuple[Condition, ...], Mask]:
        return {}


_NO_ROWS: Rows = np.empty(0, dtype=np.int64)


def _merged(found: Sequence[Ranking], k: int) -> Ranking:
    ids = [item_id for ranking in found for item_id in ranking.item_ids]
    return best_of(ids, np.concatenate([ranking.scores for ranking in found]), k)
