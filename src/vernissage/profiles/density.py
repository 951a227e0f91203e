"""The rule ``hdbscan``: dense regions of unit vectors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.directions import unit
from vernissage.profiles.reduction import Projection
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Hdbscan:
    """HDBSCAN (Campello et al. 2013, doi 10.1007/978-3-642-37456-2_14) over unit vectors, with a place for all.

    What HDBSCAN calls noise joins the area whose mean direction is nearest, because every upload belongs to an area;
    where everything is noise, or there are fewer uploads than ``smallest``, all are one area. HDBSCAN holds all
    pairs of distances, so above ``sample`` uploads it sees that many, drawn by the seed, and the rest count as noise.
    Equal distances, which are common in it, are decided by the order of rows.

    Raises:
        RequestError: ``smallest`` is below 2.
    """

    smallest: int = 5
    sample: int = 4_000
    by_direction = True

    def __post_init__(self) -> None:
        if self.smallest < 2:
            raise RequestError(f"the smallest area cannot be {self.smallest}; HDBSCAN needs at least 2")

    def labels(
        self,
        vectors: npt.NDArray[np.floating],
        projection: Projection,
        *,
        background: Floats | None,
        seed: int,
        progress: Progress,
    ) -> Rows:
        from sklearn.cluster import HDBSCAN

        directions = unit(vectors)
        labels = np.full(len(vectors), -1, dtype=np.int64)
        if len(vectors) >= self.smallest:
            seen = projection.apply(directions, seed=seed, progress=progress)
            drawn = np.random.default_rng(seed).permutation(len(seen))[: self.sample]
            drawn.sort()
            progress("Looking for dense regions", 0, 1)
            labels[drawn] = HDBSCAN(self.smallest, algorithm="brute", copy=False).fit_predict(seen[drawn])
            progress("Looking for dense regions", 1, 1)
        return _noise_placed(directions, labels)


def _noise_placed(directions: Floats, labels: Rows) -> Rows:
    """Give rows labelled −1 the label of the nearest mean direction; 0 where there is no other label."""
    count = int(labels.max()) + 1
    if count == 0:
        return np.zeros_like(labels)
    means = unit(np.stack([directions[labels == label].mean(axis=0) for label in range(count)]))
    noise = labels < 0
    placed = labels.copy()
    placed[noise] = (directions[noise] @ means.T).argmax(axis=1)
    return placed
