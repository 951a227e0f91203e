"""Nearest rows by candidates of another index, in which our own arithmetic settles scores and order."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self, cast, runtime_checkable

import numpy as np

from vernissage.files import digest
from vernissage.progress import Progress
from vernissage.rankings import nth_largest
from vernissage.search.nearest import NearestRows, ScaledQuery, in_order, precise_scores
from vernissage.search.scan import Mask, Rows
from vernissage.search.vectors import VectorTable
from vernissage.values import Ranking, Vectors

_SPARSE = 8
"""One row in so many is allowed: reading these alone costs less than candidates of which most are dropped."""
_MARGIN = 16
"""Candidates beyond a list's length: enough to tell the last of it from the next, but for ties."""
_GROWTH = 4
_SAMPLE = 16


class Found(NamedTuple):
    """Rows of a table int64, each once, ascending, and what no other row that was allowed scores more than.

    ``unseen`` is in the units of `ScaledQuery.double`, right to the error of float32; -inf where no row is left.
    """

    rows: Rows
    unseen: float


class Candidates(Protocol):
    """An index kept elsewhere over the rows of one table.

    Attributes:
        kind: its name, see `IndexCard.kind`.
        exact: whether what it brings are the nearest rows, to the error of float32.
        settings: see `IndexCard.settings`.
        most: how many rows it brings at once.
        listed: how many rows to leave out it can be told; where more are, more candidates are asked for.
    """

    kind: str
    exact: bool
    settings: Mapping[str, Any]
    most: int
    listed: int

    def nearest(self, queries: Sequence[ScaledQuery], reach: int, but: Rows) -> list[Found]:
        """For each query about the ``reach`` nearest rows, and none of ``but``, which are ``listed`` at most."""
        ...


@runtime_checkable
class SelectiveCandidates(Protocol):
    """An approximate index over the rows of one table that passes over rows within its search.

    Attributes:
        kind, exact, settings: see `Candidates`; it is not exact.
    """

    kind: str
    exact: bool
    settings: Mapping[str, Any]

    def among(
        self, queries: Sequence[ScaledQuery], k: int, but: Rows | None, excluded: Callable[[], Mask]
    ) -> list[Rows]:
        """For each query rows, ascending, that hold most of the ``k`` nearest of those that are allowed, and no others.

        ``but`` and ``excluded`` are as in `CandidateRows.search`. An empty list where reading the rows would cost less.
        """
        ...


class KeptRows(Candidates, Protocol):
    """Candidates by rows that are kept elsewhere, in a collection or table of their own for each state of a table.

    Attributes:
        name: of that collection.
    """

    name: str

    def fill(self, progress: Progress = ...) -> Self:
        """Bring all rows of the table there that are not there yet, and wait until they are indexed."""
        ...

    def require(self) -> Self:
        """Return these if they are whole and the table's. Raises ProvenanceError: they are not."""
        ...

    def drop_others(self, *keep: str) -> None:
        """Delete what is kept of other states of the table, but for those to ``keep``."""
        ...

    def ids(self) -> Iterator[list[str]]:
        """All ids that are kept, in blocks, as often as each is; one in another's row with the row's number."""
        ...

    def vectors_of(self, ids: Sequence[str]) -> Mapping[str, Vectors]:
        """The vectors of some works, few, as they are kept: float32 (dim,) each."""
        ...


@dataclass(frozen=True)
class KeptPlace:
    """Where a table's rows are kept and how they are searched.

    Attributes:
        url: of what keeps them.
        index: its kind.
        name: what collections of this workspace begin with, so that several share a server.
        generation: how often they were loaded anew; each time goes into a collection of its own.
        build, search: parameters of the index beside the usual ones.
    """

    url: str
    index: str = "HNSW"
    name: str = "vernissage"
    generation: int = 0
    build: Mapping[str, int] = field(default_factory=dict)
    search: Mapping[str, int] = field(default_factory=dict)

    def collection(self, table: VectorTable) -> str:
        """The name of the collection that holds exactly this table, indexed as is said here."""
        card = table.card
        about = (card.encoder, card.fingerprint, card.modality, card.values, table.item_ids.digest, self.index)
        parts = (*about, self.generation, sorted(self.build.items()))
        state = digest(*[str(each).encode() for each in parts])[:16]
        return f"{self.prefix(table)}{state}"

    def prefix(self, table: VectorTable) -> str:
        """What the names of all collections begin with that hold states of this table; letters, digits and _ alone."""
        key = f"{table.card.encoder}.{table.card.modality}"
        return re.sub(r"\W", "_", f"{self.name}_{key[:16]}_{digest(key.encode())[:6]}_", flags=re.ASCII)


def sampled_rows(table: VectorTable) -> Rows:
    """A few rows from all over a table, ascending: what opening an index compares of what is kept elsewhere."""
    return np.unique(np.linspace(0, max(0, len(table) - 1), _SAMPLE, dtype=np.int64))[: len(table)]


def are_rows(table: VectorTable, rows: Rows, kept: Mapping[int, Vectors]) -> bool:
    """Whether vectors that are ``kept`` are, bit for bit, those of these rows of a table, and none is missing."""
    return all(row in kept and np.array_equal(kept[row], table.vectors[row]) for row in rows.tolist())


@dataclass(frozen=True, eq=False)
class CandidateRows:
    """The best rows of a table by candidates; by reading the rows themselves where these do not settle it.

    Where the source is exact, so is this, in the order of `NearestRows`: a list stands once its last row surely scores
    more than every row that was not brought. Else scores and order are exact and what is missing is the source's.
    """

    rows: NearestRows
    source: Candidates | SelectiveCandidates

    def search(
        self, queries: Sequence[ScaledQuery], k: int, few: Rows | None, excluded: Callable[[], Mask]
    ) -> list[Ranking]:
        """For each query the ``k`` best rows that are allowed.

        Args:
            queries: one or more.
            k: at least 1.
            few: every row that must not come back, ascending, where that is known without looking at all rows.
            excluded: all rows that must not come back, bool (n,); asked for where it is needed.
        """
        if (selective := self._selective) is not None:
            return self._among(selective, queries, k, few, excluded)
        source = cast("Candidates", self.source)
        size, out = len(self.rows), _NO_ROWS if few is None else few
        mask = excluded() if few is None else None
        allowed = size - (len(out) if mask is None else int(np.count_nonzero(mask)))
        if allowed * _SPARSE <= size:
            return self.rows.search(queries, k, excluded())
        listed = out if mask is None else np.flatnonzero(mask)
        if len(listed) > source.listed:
            listed = _NO_ROWS
        wanted = math.ceil((k + _MARGIN) * (1 if len(listed) else size / allowed))
        answers: dict[int, Ranking] = {}
        waiting = list(range(len(queries)))
        while waiting and wanted <= source.most and 2 * wanted < size:
            found = source.nearest([queries[place] for place in waiting], wanted, listed)
            for place, (rows, unseen) in zip(waiting, found, strict=True):
                kept = np.setdiff1d(rows, out, assume_unique=True) if mask is None else rows[~mask[rows]]
                if (answer := self._settled(queries[place], k, Found(kept, unseen))) is not None:
                    answers[place] = answer
            waiting = [place for place in waiting if place not in answers]
            wanted *= _GROWTH
        if waiting:
            rest = self.rows.search([queries[place] for place in waiting], k, excluded())
            answers.update(zip(waiting, rest, strict=True))
        return [answers[place] for place in range(len(queries))]

    @cached_property
    def _selective(self) -> SelectiveCandidates | None:
        """The source, if it passes over rows itself; asked once, for the answer costs as much as reading a list."""
        return self.source if isinstance(self.source, SelectiveCandidates) else None

    def _among(
        self,
        source: SelectiveCandidates,
        queries: Sequence[ScaledQuery],
        k: int,
        few: Rows | None,
        excluded: Callable[[], Mask],
    ) -> list[Ranking]:
        """The best of what the source finds; a list that comes short is made of the rows themselves."""
        if not (found := source.among(queries, k, few, excluded)):
            return self.rows.search(queries, k, excluded())
        whole = [len(rows) >= k and query.length > 0 for query, rows in zip(queries, found, strict=True)]
        return [
            self.rows.best_of(query, rows, k) if enough else self.rows.search([query], k, excluded())[0]
            for query, rows, enough in zip(queries, found, whole, strict=True)
        ]

    def _settled(self, query: ScaledQuery, k: int, found: Found) -> Ranking | None:
        exact = self.source.exact
        whole = exact and found.unseen == -math.inf
        if not whole and len(found.rows) < k:
            return None
        if not len(found.rows):
            return Ranking((), np.empty(0))
        k = min(k, len(found.rows))  # all that are allowed, where these are fewer
        scores = precise_scores(self.rows.vectors, found.rows, [query.double])[0]
        # Twice the error: theirs is of another order of sums, and their scores are rounded once more.
        surely = nth_largest(scores, k) - 2 * self.rows.error * query.length > found.unseen
        if exact and not (whole or surely):
            return None
        return in_order(found.rows, np.ldexp(scores, query.exponent), k, self.rows.ids)


_NO_ROWS: Rows = np.empty(0, dtype=np.int64)
