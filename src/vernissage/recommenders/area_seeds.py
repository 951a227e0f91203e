"""Each area of interest searches for itself: one ranking for every area and task."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadedSide, UploadProfile
from vernissage.search.live import LiveIndex
from vernissage.values import MODALITIES, Modality, Ranking, Vectors

Seed = Literal["centroid", "medoid"]
SEEDS: tuple[Seed, ...] = ("centroid", "medoid")


@dataclass(frozen=True, eq=False)
class AreaRanking:
    """What one area finds in one modality: the area's number on its side, the task, and the works, best first."""

    area: int
    source: Modality
    target: Modality
    ranking: Ranking


class AreaSeeds:
    """Searches the index of each modality with the seed of each area: section 3 of D'Asaro et al., ESWA 258 (2024).

    The four tasks are text→image, text→text, image→image and image→text (ZCCR, doi 10.1016/j.eswa.2024.125108). The
    seed is the centroid of the area's vectors, or the medoid, the upload nearest to it; a work's score is its cosine
    to the seed. The person's own works are filtered out inside the search, so that exactly k come back. Muted areas
    are silent, and so is an area in which the encoder found nothing, whose seed is zero.
    """

    def __init__(self, indexes: Mapping[Modality, LiveIndex], *, seed: Seed = "centroid") -> None:
        """Search ``indexes``, all of one encoder, whose vectors lie in one space.

        Raises:
            RequestError: there is no such seed.
        """
        if seed not in SEEDS:
            raise RequestError(f"there is no seed {seed!r} of an area; choose {' or '.join(SEEDS)}")
        self.indexes = indexes
        self.seed: Seed = seed

    def per_area(
        self, profile: UploadProfile, k: int, *, among: Collection[str] | None = None
    ) -> tuple[AreaRanking, ...]:
        """``k`` works for each area and task: pictures as source first, then as target, then the weightiest area.

        Fewer than ``k`` come back only where fewer works of other people are there (inside ``among``, if given). A
        modality of which the person has nothing, or which has no index, has no tasks.

        Raises:
            RequestError: nothing was uploaded, k is below 1, or uploads and works lie in different spaces.
        """
        require_uploads(profile)
        return tuple(
            answer
            for source in profile.sources
            for target in MODALITIES
            if target in self.indexes
            for answer in self._task(profile, source, target, k, among)
        )

    def _task(
        self, profile: UploadProfile, source: Modality, target: Modality, k: int, among: Collection[str] | None
    ) -> list[AreaRanking]:
        index = self.indexes[target]
        side = profile.sides[source]
        require_one_space(index, target, side.vectors, source)
        seeds = area_seeds(side, self.seed)
        heard = [number for number in side.unmuted if seeds[number].any()]
        found = index.search_batch(seeds[heard], k, **others_works(profile, among)) if heard else []
        return [AreaRanking(number, source, target, ranking) for number, ranking in zip(heard, found, strict=True)]


def area_seeds(side: UploadedSide, seed: Seed) -> Vectors:
    """The seed of each area, scaled to unit length, float32 (areas, dim)."""
    if seed == "medoid":
        return unit_rows(side.vectors[[area.medoid for area in side.areas]])
    return unit_rows(np.stack([area.centroid for area in side.areas]))


class Filter(TypedDict):
    """What a search leaves out, as `LiveIndex.search` takes it."""

    exclude: Collection[str]
    among: Collection[str] | None
    exclude_owner: str | None


def others_works(profile: UploadProfile, among: Collection[str] | None = None) -> Filter:
    """Leave out the person's works: what was uploaded, and everything else that the index knows to be theirs."""
    return Filter(exclude=profile.item_ids, among=among, exclude_owner=profile.owner or None)


def require_uploads(profile: UploadProfile) -> None:
    """Refuse a profile without uploads.

    Raises:
        RequestError: there are none.
    """
    if not profile.sides:
        raise RequestError(
            f"{profile.owner or 'this person'} has uploaded nothing, so there are no areas of interest; "
            f"upload a picture or a text first"
        )


def require_one_space(index: LiveIndex, target: Modality, vectors: Vectors, source: Modality) -> None:
    """Refuse uploads and works whose vectors cannot be compared.

    Raises:
        RequestError: their dimensions differ.
    """
    if vectors.shape[1] != index.dim:
        raise RequestError(
            f"uploads of modality {source} have {vectors.shape[1]} dimensions, but works of modality {target} have "
            f"{index.dim}: they were read by different encoders; use one encoder that reads both"
        )
