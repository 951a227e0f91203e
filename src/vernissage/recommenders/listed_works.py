"""Works by id, for recommenders that compare something else than the vectors of an index."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError, UnknownItemError
from vernissage.rankings import alphabetical, best_rows
from vernissage.values import EVERYTHING, Allow, Columns, Modality, Ranking, Scores


@dataclass(frozen=True, eq=False)
class ListedWorks:
    """Works that can be recommended, ``item_ids`` (n,), and the columns from which owners and conditions are read."""

    item_ids: Sequence[str]
    columns: Columns | None = None

    def __len__(self) -> int:
        return len(self.item_ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.row_of

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The place of each work."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    def rows(self, item_ids: Sequence[str]) -> list[int]:
        """The places of works.

        Raises:
            UnknownItemError: one of them is not there.
        """
        missing = [item_id for item_id in item_ids if item_id not in self.row_of]
        if missing:
            raise UnknownItemError(f"{', '.join(missing[:5])}: no such work is there; choose one that is")
        return [self.row_of[item_id] for item_id in item_ids]

    @cached_property
    def alphabetical(self) -> npt.NDArray[np.int64]:
        """What decides between equal scores, int64 (n,)."""
        return alphabetical(self.item_ids)

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
        if self.columns is None and (allow.conditions or allow.not_owner is not None):
            raise RequestError("owners and columns of these works are not known; ask without conditions or owners")
        mask = np.full(len(self), allow.only is None)
        mask[self._rows(allow.only or ())] = True
        mask[self._rows(allow.exclude)] = False
        if self.columns is not None and (allow.conditions or allow.not_owner is not None):
            rows = np.flatnonzero(mask)
            ids = [self.item_ids[row] for row in rows.tolist()]
            mask[rows] = self.columns.fulfilling(allow.conditions, ids)
            if allow.not_owner is not None:
                mask[rows] &= np.array([owner != allow.not_owner for owner in self.columns.owners(ids)], dtype=bool)
        return mask

    def best(self, scores: Scores, k: int, allow: Allow = EVERYTHING) -> Ranking:
        """The ``k`` allowed works with the highest of ``scores`` (n,); ties by id."""
        rows = best_rows(np.where(self.allowed(allow), scores, -np.inf), k, self.alphabetical)
        return Ranking(tuple(self.item_ids[row] for row in rows.tolist()), scores[rows])

    def _rows(self, item_ids: Collection[str]) -> list[int]:
        return [self.row_of[item_id] for item_id in item_ids if item_id in self.row_of]


def require_works(works: Mapping[Modality, ListedWorks], target: Modality) -> ListedWorks:
    """The works of a modality.

    Raises:
        RequestError: there are none.
    """
    if target not in works:
        raise RequestError(
            f"there are no works of modality {target}, only of {', '.join(works) or 'none'}; ask for one that is there"
        )
    return works[target]
