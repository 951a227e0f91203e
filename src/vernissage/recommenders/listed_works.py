"""Works by id, for recommenders that compare something else than the vectors of an index."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.catalog.ids import Ids
from vernissage.errors import RequestError, UnknownItemError
from vernissage.rankings import best_rows
from vernissage.values import EVERYTHING, Allow, Columns, Ranking, Scores

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ListedWorks:
    """Works that can be recommended, ``item_ids`` (n,), and the columns from which owners and conditions are read."""

    item_ids: Sequence[str]
    columns: Columns | None = None

    def __len__(self) -> int:
        return len(self.item_ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.ids

    @cached_property
    def ids(self) -> Ids:
        """The same ids, to be looked up; their ``places`` decide between equal scores."""
        return Ids.of(self.item_ids)

    def rows(self, item_ids: Sequence[str]) -> Rows:
        """The places of works, int64 (m,). Raises UnknownItemError: one of them is not there."""
        rows = self.ids.rows(item_ids)
        if missing := [item_ids[place] for place in np.flatnonzero(rows < 0)[:5].tolist()]:
            raise UnknownItemError(f"{', '.join(missing)}: no such work is there; choose one that is")
        return rows

    def owners(self, item_ids: Sequence[str]) -> Sequence[str]:
        """The owner of each work; "" where none is known."""
        return self.columns.owners(item_ids) if self.columns is not None else [""] * len(item_ids)

    def count(self, allow: Allow = EVERYTHING) -> int:
        """How many works may come back."""
        return int(self.allowed(allow).sum())

    def allowed(self, allow: Allow = EVERYTHING) -> npt.NDArray[np.bool_]:
        """Which works may come back, bool (n,), as an index decides it.

        Raises:
            RequestError: the owner to leave out has an empty name, a condition names a column that no work has, or
                there are no columns to read owners and conditions from.
        """
        if allow.not_owner == "":
            raise RequestError("the owner to leave out has an empty name; give a person's name, or None for nobody")
        mask = np.full(len(self), allow.only is None)
        mask[self._there(allow.only or ())] = True
        mask[self._there(allow.exclude)] = False
        if allow.conditions or allow.not_owner is not None:
            if self.columns is None:
                raise RequestError("owners and columns of these works are not known; ask without conditions or owners")
            rows = np.flatnonzero(mask)
            ids = self.ids.take(rows)
            mask[rows] = self.columns.fulfilling(allow.conditions, ids)
            if allow.not_owner is not None:
                mask[rows] &= np.array([owner != allow.not_owner for owner in self.columns.owners(ids)], dtype=bool)
        return mask

    def best(self, scores: Scores, k: int, allow: Allow = EVERYTHING) -> Ranking:
        """The ``k`` allowed works with the highest of ``scores`` (n,); ties by id."""
        rows = best_rows(np.where(self.allowed(allow), scores, -np.inf), k, self.ids.places)
        return Ranking(tuple(self.ids.take(rows)), scores[rows])

    def _there(self, item_ids: Collection[str]) -> Rows:
        rows = self.ids.rows(list(item_ids))
        return rows[rows >= 0]
