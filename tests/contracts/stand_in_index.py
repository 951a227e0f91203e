"""The contract `Index` in the plainest way: every work scored in double precision and sorted; slow, and easily right."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError, UnknownItemError
from vernissage.values import EVERYTHING, Allow, Condition, Density, IndexCard, Moments, Ranking, Scores, Vectors

_NUMERIC = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class StandInColumns:
    """Columns as dictionaries: owners by id, and by field the value of each id that has one."""

    owner_of: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        return [self.owner_of.get(item_id, "") for item_id in item_ids]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        missing = [each.field for each in conditions if each.field not in self.values]
        if missing:
            raise RequestError(f"no work has {', '.join(missing)}; choose one of {', '.join(self.values)}")
        return np.array([all(self._fulfils(each, item_id) for each in conditions) for item_id in item_ids], dtype=bool)

    def _fulfils(self, condition: Condition, item_id: str) -> bool:
        found, wanted = self.values[condition.field].get(item_id, ""), condition.value
        if condition.operator in _NUMERIC:
            return found != "" and bool(_NUMERIC[condition.operator](float(found), float(wanted)))
        if condition.operator == "~":
            return wanted.casefold() in found.casefold()
        return (found.casefold() == wanted.casefold()) == (condition.operator == "=")


@dataclass(frozen=True, eq=False)
class StandInIndex:
    """A writable index over float32 (n, dim) vectors; every answer is computed anew from all of them."""

    item_ids: tuple[str, ...]
    vectors: Vectors
    columns: StandInColumns = field(default_factory=StandInColumns)
    encoder: str = "toy"

    def __len__(self) -> int:
        return len(self.item_ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.item_ids

    @property
    def card(self) -> IndexCard:
        return IndexCard(self.encoder, "f", "image", self.vectors.shape[1], kind="stand-in")

    def owner_of(self, item_id: str) -> str:
        self.vectors_of([item_id])
        return self.columns.owners([item_id])[0]

    def search(self, queries: npt.NDArray[Any], k: int, allow: Allow = EVERYTHING) -> list[Ranking]:
        wide = np.atleast_2d(np.asarray(queries, dtype=np.float64))
        if k < 1 or wide.shape[1:] != self.vectors.shape[1:] or not np.isfinite(wide).all():
            raise RequestError(f"{k} works for queries of shape {wide.shape}; ask for 1 or more by finite vectors")
        rows = np.flatnonzero(self._allowed(allow))
        return [self._best(rows, np.einsum("ij,j->i", self.vectors[rows].astype(np.float64), q), k) for q in wide]

    def _best(self, rows: npt.NDArray[np.int64], scores: Scores, k: int) -> Ranking:
        order = sorted(range(len(rows)), key=lambda place: (-scores[place], self.item_ids[rows[place]]))[:k]
        return Ranking(tuple(self.item_ids[rows[place]] for place in order), scores[order])

    def _allowed(self, allow: Allow) -> npt.NDArray[np.bool_]:
        if allow.not_owner == "":
            raise RequestError("the owner to leave out has an empty name; give a person's name, or None for nobody")
        allowed = np.array([item_id not in allow.exclude for item_id in self.item_ids], dtype=bool)
        if allow.only is not None:
            allowed &= np.array([item_id in allow.only for item_id in self.item_ids], dtype=bool)
        if allow.not_owner is not None:
            allowed &= np.array([owner != allow.not_owner for owner in self.columns.owners(self.item_ids)], dtype=bool)
        return allowed & self.columns.fulfilling(allow.conditions, self.item_ids)

    def vectors_of(self, item_ids: Sequence[str]) -> Vectors:
        missing = [item_id for item_id in item_ids if item_id not in self]
        if missing:
            raise UnknownItemError(f"{', '.join(missing[:5])}: no such work is in the index; choose one that is")
        rows = np.array([self.item_ids.index(item_id) for item_id in item_ids], dtype=np.int64)
        found: Vectors = self.vectors[rows]
        return found

    def moments(self) -> Moments:
        wide, count = self.vectors.astype(np.float64), max(1, len(self))
        return Moments(len(self), wide.sum(axis=0) / count, wide.T @ wide / count)

    def count(self, allow: Allow = EVERYTHING) -> int:
        return int(self._allowed(allow).sum())

    def density(self) -> Density:
        rows, wide = np.arange(len(self)), self.vectors.astype(np.float64)
        others = [np.sort(np.delete(wide @ wide[row], row))[::-1][:10] for row in rows]
        found = np.array([each.mean() if len(each) else 0.0 for each in others])
        by_id = dict(zip(self.item_ids, found.tolist(), strict=True))
        if not len(found):
            return Density(0.0, 0.0, 0.0, np.zeros(self.vectors.shape[1]), lambda ids: np.empty(len(ids)))
        weighted = found @ wide / len(self)
        return Density(
            float(found.mean()),
            float(found.var()),
            float(found.min()),
            weighted,
            lambda ids: np.array([by_id[item_id] for item_id in ids]),
        )

    def add(self, item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> "StandInIndex":
        if any(item_id in self for item_id in item_ids) or not len(set(item_ids)) == len(vectors) == len(owners):
            raise RequestError(f"{len(item_ids)} works, {len(vectors)} vectors, {len(owners)} owners; give new works")
        columns = replace(self.columns, owner_of={**self.columns.owner_of, **dict(zip(item_ids, owners, strict=True))})
        together = np.concatenate([self.vectors, np.asarray(vectors, dtype=np.float32)])
        return replace(self, item_ids=(*self.item_ids, *item_ids), vectors=together, columns=columns)

    def remove(self, item_ids: Sequence[str]) -> "StandInIndex":
        self.vectors_of(item_ids)
        kept = [row for row, item_id in enumerate(self.item_ids) if item_id not in item_ids]
        return replace(self, item_ids=tuple(self.item_ids[row] for row in kept), vectors=self.vectors[kept])
