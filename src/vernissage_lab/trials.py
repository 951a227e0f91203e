"""One trial of a hold-out: the works with some of them in other hands, and the profile of what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.profiles.area_rules import AreaRule, Coherence
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality, uploads_of_modality
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.search.exact import ExactIndex
from vernissage.values import Allow, Condition, Modality
from vernissage_lab.splits import Split

Backgrounds = Mapping[Modality, npt.NDArray[np.float64]]
"""The mean (dim,) of the unit vectors of each modality."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What recommenders see while some works of one person are hidden.

    Attributes:
        split: which works are hidden.
        indexes: all works; the hidden ones belong to somebody else, so they may come back. The kept ones are still
            their owner's, so they may not, whatever modality speaks.
        sides: what the person uploaded, made of the kept works alone; a modality without any is absent.
    """

    split: Split
    indexes: Mapping[Modality, ExactIndex]
    sides: Mapping[Modality, UploadsOfModality]

    def profile(self, sources: Sequence[Modality]) -> UploadProfile:
        """The person, known by the uploads of some modalities only."""
        return UploadProfile(self.split.owner, {each: self.sides[each] for each in sources if each in self.sides})

    @property
    def works(self) -> Mapping[Modality, ListedWorks]:
        """All works with their owners, for recommenders that compare no vectors."""
        return listed_works(self.indexes)


def make_trial(
    indexes: Mapping[Modality, ExactIndex], backgrounds: Backgrounds, split: Split, *, rule: AreaRule | None = None
) -> Trial:
    """Take the hidden works from their owner and find areas of interest in the others.

    ``indexes`` stay as they are: the next snapshots differ by the hidden works alone, and share their vectors.
    """
    sides = {}
    for modality, index in indexes.items():
        ids = [item_id for item_id in split.kept if item_id in index]
        if ids:
            vectors = index.vectors_of(ids)
            areas = areas_of_interest(vectors, background=backgrounds[modality], rule=rule or Coherence())
            sides[modality] = uploads_of_modality(ids, vectors, areas)
    return Trial(split, hidden_given_away(indexes, split), sides)


@dataclass(frozen=True)
class _Owners:
    """Columns that know the owners of an index's works, and nothing else."""

    index: ExactIndex

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        return [self.index.owner_of(item_id) for item_id in item_ids]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        return np.full(len(item_ids), not conditions)


def listed_works(indexes: Mapping[Modality, ExactIndex]) -> Mapping[Modality, ListedWorks]:
    """The works of indexes with their owners."""
    return {modality: ListedWorks(index.item_ids, _Owners(index)) for modality, index in indexes.items()}


def backgrounds_of(indexes: Mapping[Modality, ExactIndex]) -> Backgrounds:
    """What is common to all works of a modality."""
    return {modality: index.moments().mean for modality, index in indexes.items()}


def hidden_given_away(indexes: Mapping[Modality, ExactIndex], split: Split) -> dict[Modality, ExactIndex]:
    """The next snapshots, in which the hidden works are one other person's."""
    name = _other_than(split.owner, indexes)
    return {modality: _given_away(index, split.hidden, name) for modality, index in indexes.items()}


def _given_away(index: ExactIndex, item_ids: Sequence[str], owner: str) -> ExactIndex:
    there = [item_id for item_id in item_ids if item_id in index]
    return index.remove(there).add(there, index.vectors_of(there), [owner] * len(there)) if there else index


def _other_than(owner: str, indexes: Mapping[Modality, ExactIndex]) -> str:
    """A name that nobody has."""
    name = f"not {owner}"
    while any(index.count(Allow(not_owner=name)) < len(index) for index in indexes.values()):
        name = f"not {name}"
    return name
