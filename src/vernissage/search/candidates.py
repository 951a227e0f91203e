"""Nearest rows by candidates of another index, in which our own arithmetic settles scores and order."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from vernissage.rankings import nth_largest
from vernissage.search.nearest import NearestRows, ScaledQuery, in_order, precise_scores
from vernissage.search.scan import Mask, Rows
from vernissage.values import Ranking

LISTED = 100
"""Rows to leave out that a request names one by one; where more are left out, more candidates are asked for."""

_SPARSE = 8
"""One row in so many is allowed: reading these alone costs less than candidates of which most are dropped."""
_MARGIN = 16
"""Candidates beyond a list's length: enough to tell the last of it from the next, but for ties."""
_GROWTH = 4


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
    """

    kind: str
    exact: bool
    settings: Mapping[str, Any]
    most: int

    def nearest(self, queries: Sequence[ScaledQuery], reach: int, but: Rows) -> list[Found]:
        """For each query about the ``reach`` nearest rows, and none of ``but``, which are `LISTED` at most."""
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
        if isinstance(self.source, SelectiveCandidates):
            return self._among(self.source, queries, k, few, excluded)
        size, out = len(self.rows), _NO_ROWS if few is None else few
        mask = excluded() if few is None else None
        allowed = size - (len(out) if mask is None else int(np.count_nonzero(mask)))
        if allowed * _SPARSE <= size:
            return self.rows.search(queries, k, excluded())
        listed = out if len(out) <= LISTED else _NO_ROWS
        wanted = math.ceil((k + _MARGIN) * size / allowed)
        answers: dict[int, Ranking] = {}
        waiting = list(range(len(queries)))
        while waiting and wanted <= self.source.most and 2 * wanted < size:
            found = self.source.nearest([queries[place] for place in waiting], wanted, listed)
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
        scores = precise_scores(self.rows.vectors, found.rows, [query.double])[0]
        # Twice the error: theirs is of another order of sums, and their scores are rounded once more.
        surely = nth_largest(scores, k) - 2 * self.rows.error * query.length > found.unseen
        if exact and not (whole or surely):
            return None
        return in_order(found.rows, np.ldexp(scores, query.exponent), k, self.rows.ids)


_NO_ROWS: Rows = np.empty(0, dtype=np.int64)
