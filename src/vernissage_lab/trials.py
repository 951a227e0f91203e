"""One trial of a hold-out: the works with some of them in other hands, and the profile of what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.profiles.areas import AreaRule, areas_of_interest
from vernissage.profiles.coherence import Coherence
from vernissage.profiles.directions import mean_direction
from vernissage.profiles.uploads import UploadedSide, UploadProfile, uploaded_side
from vernissage.search.live import LiveIndex
from vernissage.values import Modality
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
    indexes: Mapping[Modality, LiveIndex]
    sides: Mapping[Modality, UploadedSide]

    def profile(self, sources: Sequence[Modality]) -> UploadProfile:
        """The person, known by the uploads of some modalities only."""
        return UploadProfile(self.split.owner, {each: self.sides[each] for each in sources if each in self.sides})


def make_trial(
    indexes: Mapping[Modality, LiveIndex], backgrounds: Backgrounds, split: Split, *, rule: AreaRule | None = None
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
            sides[modality] = uploaded_side(ids, vectors, areas)
    return Trial(split, hidden_given_away(indexes, split), sides)


def backgrounds_of(indexes: Mapping[Modality, LiveIndex]) -> Backgrounds:
    """What is common to all works of a modality."""
    return {modality: mean_direction(index.vectors[~index.barred()]) for modality, index in indexes.items()}


def hidden_given_away(indexes: Mapping[Modality, LiveIndex], split: Split) -> dict[Modality, LiveIndex]:
    """The next snapshots, in which the hidden works are one other person's."""
    name = _other_than(split.owner, indexes)
    return {modality: _given_away(index, split.hidden, name) for modality, index in indexes.items()}


def _given_away(index: LiveIndex, item_ids: Sequence[str], owner: str) -> LiveIndex:
    there = [item_id for item_id in item_ids if item_id in index]
    return index.removing(there).adding(there, index.vectors_of(there), [owner] * len(there)) if there else index


def _other_than(owner: str, indexes: Mapping[Modality, LiveIndex]) -> str:
    """A name that nobody has."""
    name = f"not {owner}"
    while any(len(index.rows_of_owner(name)) for index in indexes.values()):
        name = f"not {name}"
    return name
