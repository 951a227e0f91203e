"""Which uploads of an area resemble what the area found."""

from collections.abc import Sequence

import numpy as np

from vernissage.profiles.uploads import UploadedSide
from vernissage.search.live import LiveIndex

Resemblance = tuple[str, float]
"""An upload and its cosine to a work."""


def resembling_uploads(
    side: UploadedSide, area: int, index: LiveIndex, item_ids: Sequence[str], *, most: int = 2
) -> tuple[tuple[Resemblance, ...], ...]:
    """For each of ``item_ids``, works of ``index``, the area's uploads that are most similar to it; ties by id."""
    if not item_ids:
        return ()
    members = sorted(side.areas[area].members, key=side.item_ids.__getitem__)
    own = side.vectors[members].astype(np.float64)
    found = []
    for vector in index.vectors_of(item_ids).astype(np.float64):
        cosines = (own * vector).sum(axis=1)
        order = np.argsort(-cosines, kind="stable")[:most].tolist()
        found.append(tuple((side.item_ids[members[at]], float(cosines[at])) for at in order))
    return tuple(found)
