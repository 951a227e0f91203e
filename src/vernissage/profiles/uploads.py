"""What a person uploaded, modality by modality, in areas of interest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.areas import Area
from vernissage.profiles.ratings import RatedVectors
from vernissage.values import MODALITIES, Modality, Vectors

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UploadsOfModality:
    """A person's uploads of one modality; `uploads_of_modality` makes it with the usual weights and checks it.

    Attributes:
        item_ids: the uploads, (n,); works that the person rated highly may be among them.
        vectors: float32 (n, dim), unit rows in the same order; a row of zeros where an encoder found nothing.
        areas: disjoint, together they hold every row.
        weights: float64 (areas,), the importance of each area: its share of the uploads times what recency and the
            person's own edits make of it; 0 mutes it.
        names: one for each area, in the person's words or distinctive ones of the area; may be empty strings.
        counts: float64 (n,), above 0: how much each counts beside an upload, which counts 1.
    """

    item_ids: tuple[str, ...]
    vectors: Vectors
    areas: tuple[Area, ...]
    weights: Floats
    names: tuple[str, ...]
    counts: Floats

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def area_of(self) -> npt.NDArray[np.int64]:
        """The number of each upload's area, int64 (n,)."""
        numbers = np.full(len(self), -1, dtype=np.int64)
        for number, area in enumerate(self.areas):
            numbers[list(area.members)] = number
        return numbers

    @cached_property
    def unmuted(self) -> tuple[int, ...]:
        """The numbers of the areas with a weight, those of the highest importance first, then the smaller number."""
        numbers = sorted(range(len(self.areas)), key=lambda number: (-float(self.weights[number]), number))
        return tuple(number for number in numbers if self.weights[number] > 0)

    @cached_property
    def emphasis(self) -> Floats:
        """How much each area counts beside what its size makes of it: importance / share, float64 (areas,).

        1 where nothing but the number of uploads decides, 0 where the area is muted. Rules over single uploads count
        a large area often already, so this, and not the importance, is what they multiply by.
        """
        sums = np.array([self.counts[list(area.members)].sum() for area in self.areas])
        emphasis: Floats = self.weights / (sums / self.counts.sum())
        return emphasis


@dataclass(frozen=True, eq=False)
class UploadProfile:
    """A person and what they uploaded.

    Attributes:
        by_modality: the uploads; a modality of which there is nothing is absent.
        disliked: works rated low, of the modalities that are searched with them; see `liked_and_disliked`.
    """

    owner: str
    by_modality: Mapping[Modality, UploadsOfModality]
    disliked: Mapping[Modality, RatedVectors] = field(default_factory=dict)

    @cached_property
    def item_ids(self) -> frozenset[str]:
        """Every upload and every disliked work, whatever the modality: none of them is recommended."""
        uploaded = [uploads.item_ids for uploads in self.by_modality.values()]
        return frozenset().union(*uploaded, *(works.item_ids for works in self.disliked.values()))

    @property
    def sources(self) -> tuple[Modality, ...]:
        """The modalities that were uploaded, pictures first."""
        return tuple(modality for modality in MODALITIES if modality in self.by_modality)


def uploads_of_modality(
    item_ids: Sequence[str],
    vectors: Vectors,
    areas: Sequence[Area],
    *,
    weights: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    counts: npt.ArrayLike | None = None,
) -> UploadsOfModality:
    """Join uploads with their areas; unless told otherwise each upload counts 1, and each area by its share.

    Raises:
        RequestError: nothing was uploaded, the parts differ in length, a weight or count is negative or not finite, or
            the areas do not hold each upload exactly once.
    """
    count = len(item_ids)
    if not count:
        raise RequestError("a modality of a profile needs at least one upload; leave it out where there is none")
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    require_each_once(item_ids, rows, areas)
    each = np.ones(count) if counts is None else np.asarray(counts, dtype=np.float64)
    if each.shape != (count,) or not (np.isfinite(each).all() and (each > 0).all()):
        raise RequestError(f"{count} uploads need as many counts above 0, but {each.tolist()} were given")
    shares = np.array([each[list(area.members)].sum() for area in areas]) / each.sum()
    importance = shares if weights is None else np.asarray(weights, dtype=np.float64)
    words = tuple(names) if names is not None else ("",) * len(areas)
    if importance.shape != (len(areas),) or len(words) != len(areas):
        raise RequestError(f"{len(areas)} areas need as many weights and names, not {importance.size} and {len(words)}")
    if not (np.isfinite(importance).all() and (importance >= 0).all()):
        raise RequestError(f"the weight of an area must be 0 (muted) or more, but weights are {importance.tolist()}")
    return UploadsOfModality(tuple(item_ids), rows, tuple(areas), importance, words, each)


def require_each_once(item_ids: Sequence[str], vectors: npt.NDArray[np.floating], areas: Sequence[Area]) -> None:
    """Refuse, by a `RequestError`, uploads without one row of ``vectors`` and one place in ``areas`` each."""
    count = len(item_ids)
    if vectors.ndim != 2 or len(vectors) != count or len(set(item_ids)) != count:
        raise RequestError(
            f"{len(set(item_ids))} different uploads were given with vectors of shape {vectors.shape}; "
            f"give each upload once, with one row of numbers"
        )
    if sorted(row for area in areas for row in area.members) != list(range(count)):
        raise RequestError(f"the areas do not hold each of the {count} uploads exactly once; find them anew")
