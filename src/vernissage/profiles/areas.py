"""Areas of interest: which of a person's uploads belong together, and what stands for each group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import AreaRule, Coherence, Given, particular_directions
from vernissage.profiles.directions import unit
from vernissage.profiles.reduction import NoProjection, Projection
from vernissage.progress import Progress, silent
from vernissage.values import EVERYTHING, Allow, Index, Vectors

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_TIED = 1e-9  # mean cosines that differ by less are equal
_SURROUNDING = 60
"""Works around an upload: 20 to 120 serve alike in two thousand works, fewer serve worse (docs/areas.md)."""
_SHARE = 30
"""Of a small collection no more than one work in so many: a fifth of all works is near to everything."""
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Area:
    """Uploads of one modality that belong together, and what stands for them in a search.

    Attributes:
        members: rows of the uploads' vectors, ascending.
        medoid: the member row with the highest mean cosine to the members, which is the one nearest to the centroid of
            their unit vectors; ties go to the smallest row.
        centroid: float32 (dim,), the mean of the members' vectors as they were given, not scaled to unit length.
    """

    members: tuple[int, ...]
    medoid: int
    centroid: Vectors

    def __len__(self) -> int:
        return len(self.members)


def areas_of_interest(
    vectors: npt.NDArray[np.floating],
    *,
    background: npt.NDArray[np.floating] | None,
    rule: AreaRule = Coherence(),  # noqa: B008
    projection: Projection = NoProjection(),  # noqa: B008
    surroundings: npt.NDArray[np.floating] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Area, ...]:
    """Group uploads into areas of interest, as D'Asaro et al. (2024, doi 10.1016/j.eswa.2024.125108) do.

    ``vectors`` (n, dim): one encoder's vectors of a person's uploads of one modality. ``background`` (dim,): the mean
    of the unit vectors that will be searched; only `Coherence` needs it, and only it sees ``surroundings`` (n, dim),
    as `surroundings_of` makes them. Areas are disjoint, cover every row, and are
    ordered by size, the largest first, then by the smallest member. No rows: no areas; rows that are all the same: one.

    Vectors of zeros, which encoders give to what they find nothing in, have no direction: under a rule that goes by
    directions they are left out of it and make an area of their own.

    Raises:
        RequestError: the vectors are no finite table, the background has another dimension, or the rule needs a
            background and has none.
    """
    table = _checked(vectors)
    mean = None if background is None else _checked_background(background, table.shape[1])
    with threadpool_limits(1):  # equal input, equal bits
        near = None if surroundings is None else surroundings.astype(np.float64)
        labels = _labels(table, rule, Given(mean, projection, seed, progress, near))
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        groups.sort(key=lambda members: (-len(members), members[0]))
        return tuple(area_of(table, members) for members in groups)


def area_of(vectors: npt.NDArray[np.floating], members: Sequence[int] | Rows) -> Area:
    """The area that these rows (at least one) of the vectors (n, dim) make, with its medoid and centroid."""
    chosen = np.sort(np.asarray(members, dtype=np.int64))
    rows = vectors[chosen].astype(np.float64)
    directions = unit(rows)
    closeness = (directions * directions.mean(axis=0)).sum(axis=1)
    medoid = chosen[np.flatnonzero(closeness >= closeness.max() - _TIED)[0]]
    return Area(tuple(chosen.tolist()), int(medoid), rows.mean(axis=0).astype(np.float32))


def _labels(table: npt.NDArray[np.floating], rule: AreaRule, given: Given) -> Rows:
    labels = np.zeros(len(table), dtype=np.int64)
    placed = np.flatnonzero(table.any(axis=1)) if rule.by_direction else np.arange(len(table))
    if len(placed) == 0 or (table[placed] == table[placed[0]]).all():
        labels[placed] = 1
        return labels
    rows = table if len(placed) == len(table) else table[placed]
    if given.surroundings is not None:
        given = replace(given, surroundings=given.surroundings[placed])
    labels[placed] = 1 + rule.labels(rows, given)
    return labels


def surroundings_of(vectors: Vectors, index: Index, allow: Allow = EVERYTHING) -> Floats:
    """What the works around each of ``vectors`` (n, dim) have in particular, float64 (n, dim) of length 1 or zero.

    With μ the mean of ``index``, it is the direction of Σ unit(x − μ) over the sixty works x nearest to the vector,
    and no more than a thirtieth of those allowed. Around pictures, take the texts, and around texts the pictures: what
    one modality tells apart badly the other may tell. Zero for a vector of zeros and where no work is allowed.
    """
    found = np.zeros(vectors.shape)
    known, count = np.flatnonzero(vectors.any(axis=1)), index.count(allow)
    if not count or not len(known):
        return found
    background = index.moments().mean.astype(np.float64)
    most = min(_SURROUNDING, max(1, count // _SHARE))
    for start in range(0, len(known), _AT_ONCE):
        rows = known[start : start + _AT_ONCE]
        for row, near in zip(rows.tolist(), index.search(vectors[rows], most, allow), strict=True):
            found[row] = particular_directions(index.vectors_of(near.item_ids), background).sum(axis=0)
    return unit(found)


def _checked(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    if vectors.ndim != 2 or vectors.shape[1] == 0 or vectors.dtype.kind not in "fiu":
        raise RequestError(
            f"the vectors are an array of shape {vectors.shape} and type {vectors.dtype}; give numbers, one row for "
            f"each upload and one column for each dimension"
        )
    if wrong := int((~_usable(vectors)).any(axis=1).sum()):
        raise RequestError(
            f"{wrong} of {len(vectors)} vectors hold values that are not numbers, infinite or too large; encode those "
            f"uploads again or leave them out"
        )
    return vectors if vectors.dtype in {np.dtype(np.float32), np.dtype(np.float64)} else vectors.astype(np.float64)


def _checked_background(background: npt.NDArray[np.floating], dim: int) -> Floats:
    if background.shape != (dim,) or background.dtype.kind not in "fiu":
        raise RequestError(
            f"the background has shape {background.shape} and type {background.dtype}, and the vectors have {dim} "
            f"dimensions; give the mean of the search space's unit vectors, of the same encoder"
        )
    if not _usable(background).all() or np.linalg.norm(background) > 1 + 1e-3:
        raise RequestError(
            "the background is no mean of unit vectors: its values are not finite, or it is longer than 1; give the "
            "mean of the search space's unit vectors"
        )
    return background.astype(np.float64)


def _usable(values: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Finite, and small enough for float32."""
    usable: npt.NDArray[np.bool_] = np.abs(values) <= np.finfo(np.float32).max
    return usable
