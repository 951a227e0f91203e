"""What a person uploaded, modality by modality, in areas of interest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.area import Area
from vernissage.values import MODALITIES, Modality, Vectors


@dataclass(frozen=True, eq=False)
class UploadedSide:
    """A person's uploads of one modality; `uploaded_side` makes one with the usual weights and checks it.

    Attributes:
        item_ids: the uploads, (n,).
        vectors: float32 (n, dim), unit rows in the same order; a row of zeros where an encoder found nothing.
        areas: disjoint, together they hold every row.
        weights: float64 (areas,), the importance of each area: its share of the uploads times what recency and the
            person's own wish make of it; 0 mutes it.
        names: one for each area, in the person's words or distinctive ones of the area; may be empty strings.
    """

    item_ids: tuple[str, ...]
    vectors: Vectors
    areas: tuple[Area, ...]
    weights: npt.NDArray[np.float64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def area_of(self) -> npt.NDArray[np.int64]:
        """The number of each upload's area, int64 (n,)."""
        numbers = np.full(len(self), -1, dtype=np.int64)
        for number, area in enumerate(self.areas):
            numbers[list(area.members)] = number
        return numbers

    @property
    def unmuted(self) -> tuple[int, ...]:
        """The numbers of the areas that are heard, those of the highest importance first, then the smaller number."""
        numbers = sorted(range(len(self.areas)), key=lambda number: (-float(self.weights[number]), number))
        return tuple(number for number in numbers if self.weights[number] > 0)

    @property
    def emphasis(self) -> npt.NDArray[np.float64]:
        """How much each area counts beside what its size makes of it: importance / share of uploads, float64 (areas,).

        1 where nothing but the number of uploads speaks, 0 where the area is muted. Rules that listen to every upload
        hear a large area often already, so this is what they multiply by.
        """
        shares = np.array([len(area) for area in self.areas], dtype=np.float64) / len(self)
        emphasis: npt.NDArray[np.float64] = self.weights / shares
        return emphasis


@dataclass(frozen=True, eq=False)
class UploadProfile:
    """A person and what they uploaded; a modality of which there is nothing is absent from ``sides``."""

    owner: str
    sides: Mapping[Modality, UploadedSide]

    @cached_property
    def item_ids(self) -> frozenset[str]:
        """Every upload, whatever its modality."""
        return frozenset(item_id for side in self.sides.values() for item_id in side.item_ids)

    @property
    def sources(self) -> tuple[Modality, ...]:
        """The modalities that are there, pictures first."""
        return tuple(modality for modality in MODALITIES if modality in self.sides)


def uploaded_side(
    item_ids: Sequence[str],
    vectors: Vectors,
    areas: Sequence[Area],
    *,
    weights: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> UploadedSide:
    """Join uploads with their areas; without ``weights`` each area counts by its share of the uploads.

    Raises:
        RequestError: nothing was uploaded, the parts differ in length, a weight is negative or not finite, or the
            areas do not hold each upload exactly once.
    """
    if not len(item_ids):
        raise RequestError("a side of a profile needs at least one upload; leave the modality out where there is none")
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    shares = np.array([len(area) for area in areas], dtype=np.float64) / len(item_ids)
    importance = shares if weights is None else np.asarray(weights, dtype=np.float64)
    words = tuple(names) if names is not None else ("",) * len(areas)
    _check(item_ids, rows, areas, importance, words)
    return UploadedSide(tuple(item_ids), rows, tuple(areas), importance, words)


def _check(
    item_ids: Sequence[str],
    vectors: Vectors,
    areas: Sequence[Area],
    weights: npt.NDArray[np.float64],
    names: Sequence[str],
) -> None:
    if vectors.ndim != 2 or len(vectors) != len(item_ids) or len(set(item_ids)) != len(item_ids):
        raise RequestError(
            f"{len(set(item_ids))} different uploads were given with vectors of shape {vectors.shape}; "
            f"give each upload once, with one row of numbers"
        )
    if sorted(row for area in areas for row in area.members) != list(range(len(item_ids))):
        raise RequestError(f"the areas do not hold each of the {len(item_ids)} uploads exactly once; find them anew")
    if weights.shape != (len(areas),) or len(names) != len(areas):
        raise RequestError(f"{len(areas)} areas need as many weights and names, not {weights.size} and {len(names)}")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise RequestError(f"the weight of an area must be 0 (muted) or more, but the weights are {weights.tolist()}")
