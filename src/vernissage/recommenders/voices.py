"""The uploads that are heard when one list is made of all areas."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadedSide, UploadProfile
from vernissage.recommenders.area_seeds import Seed, area_seeds, require_uploads
from vernissage.values import Modality, Vectors


@dataclass(frozen=True, slots=True)
class HeardArea:
    """An area that is not muted: the modality of its uploads, its number on that side, its name and importance."""

    source: Modality
    number: int
    name: str
    weight: float


@dataclass(frozen=True, eq=False)
class Voices:
    """Uploads of both modalities, each with its area and how much it counts.

    They stand in an order of their own (modality, then id), so that no answer depends on the order of uploading. A
    work with a picture and a text has a voice for each. Uploads in which the encoder found nothing have none.

    Attributes:
        item_ids: the uploads, (m,).
        sources: the modality of each vector, (m,).
        vectors: float32 (m, dim), unit rows.
        weights: float64 (m,), above 0; 1 where an upload counts as much as any other (`UploadedSide.emphasis`).
        areas: int64 (m,), the place of each upload's area in ``heard``.
        heard: the areas, those of the highest importance first, then pictures before texts, then the smaller number.
        seeds: float32 (areas, dim), what stands for each of ``heard`` in a search, of unit length.
    """

    item_ids: tuple[str, ...]
    sources: tuple[Modality, ...]
    vectors: Vectors
    weights: npt.NDArray[np.float64]
    areas: npt.NDArray[np.int64]
    heard: tuple[HeardArea, ...]
    seeds: Vectors

    def __len__(self) -> int:
        return len(self.item_ids)


def voices_of(profile: UploadProfile, seed: Seed = "centroid") -> Voices:
    """Gather the uploads of the areas that are not muted.

    Raises:
        RequestError: nothing was uploaded, every area is muted, the encoder found nothing in any upload, or the
            vectors of pictures and texts have different dimensions.
    """
    require_uploads(profile)
    sides = [profile.sides[source] for source in profile.sources]
    if len({side.vectors.shape[1] for side in sides}) > 1:
        raise RequestError(
            "uploaded pictures and texts have vectors of different dimensions, so they cannot speak for the same "
            "works; use one encoder that reads both, or give the pictures or the texts alone"
        )
    heard = _heard(profile)
    rows = [_speaking(side) for side in sides]
    if not sum(map(len, rows)):
        raise RequestError(
            f"every area of {profile.owner or 'this person'} is muted, or the encoder found nothing in its uploads; "
            f"give an area weight again or choose another encoder"
        )
    place = {(area.source, area.number): at for at, area in enumerate(heard)}
    seeds = {source: area_seeds(profile.sides[source], seed) for source in profile.sources}
    return Voices(
        tuple(side.item_ids[row] for side, own in zip(sides, rows, strict=True) for row in own),
        tuple(source for source, own in zip(profile.sources, rows, strict=True) for _ in own),
        np.concatenate([side.vectors[own] for side, own in zip(sides, rows, strict=True)]),
        np.concatenate([side.emphasis[side.area_of[own]] for side, own in zip(sides, rows, strict=True)]),
        np.array(
            [
                place[source, int(profile.sides[source].area_of[row])]
                for source, own in zip(profile.sources, rows, strict=True)
                for row in own
            ]
        ),
        heard,
        np.stack([seeds[area.source][area.number] for area in heard]),
    )


def _heard(profile: UploadProfile) -> tuple[HeardArea, ...]:
    heard = [
        HeardArea(source, number, profile.sides[source].names[number], float(profile.sides[source].weights[number]))
        for source in profile.sources
        for number in profile.sides[source].unmuted
    ]
    return tuple(sorted(heard, key=lambda area: (-area.weight, area.source, area.number)))


def _speaking(side: UploadedSide) -> list[int]:
    """The rows of uploads that have a vector and stand in an unmuted area, in the order of their ids."""
    speaks = side.vectors.any(axis=1) & (side.weights[side.area_of] > 0)
    return sorted(np.flatnonzero(speaks).tolist(), key=side.item_ids.__getitem__)
