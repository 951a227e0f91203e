"""Cuts of Ward's tree: at a distance (``ward``), or where clusters are told apart best (``silhouette``)."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.directions import unit
from vernissage.profiles.reduction import Projection
from vernissage.profiles.ward import ward_merges
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ward:
    """Ward's clusters of the vectors as they are given, cut at a distance: D'Asaro et al. 2024, section 3.

    Merges lower than ``threshold`` are made, those of this height and more are not, as in scikit-learn's
    ``AgglomerativeClustering(distance_threshold=…)``. Heights grow with the vectors' lengths and with the number of
    uploads; the paper's 5 makes a single area of a few hundred unit vectors.

    Raises:
        RequestError: the threshold is not a positive number.
    """

    threshold: float
    by_direction = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise RequestError(f"Ward's tree cannot be cut at {self.threshold:g}; give a distance above 0, such as 5")

    def labels(
        self,
        vectors: npt.NDArray[np.floating],
        projection: Projection,
        *,
        background: Floats | None,
        seed: int,
        progress: Progress,
    ) -> Rows:
        seen = projection.apply(vectors.astype(np.float64), seed=seed, progress=progress)
        return ward_merges(seen, below=self.threshold, progress=progress).below(self.threshold)


@dataclass(frozen=True)
class Silhouette:
    """Ward's clusters of unit vectors, as many as have the largest mean silhouette.

    Tried are 2 to ``most`` clusters, and fewer than there are uploads; equal silhouettes: the fewest. One area where
    none is above 0. Silhouettes (Rousseeuw 1987, doi 10.1016/0377-0427(87)90125-7) are of cosine distances between the
    unit vectors, before any projection.
    """

    most: int = 25
    by_direction = True

    def labels(
        self,
        vectors: npt.NDArray[np.floating],
        projection: Projection,
        *,
        background: Floats | None,
        seed: int,
        progress: Progress,
    ) -> Rows:
        directions = unit(vectors)
        merges = ward_merges(projection.apply(directions, seed=seed, progress=progress), progress=progress)
        best, chosen = 0.0, np.zeros(len(vectors), dtype=np.int64)
        numbers = range(2, min(self.most, len(vectors) - 1) + 1)
        for number in numbers:
            labels = merges.into(number)
            score = mean_silhouette(directions, labels)
            if score > best + _EQUAL:
                best, chosen = score, labels
            progress("Judging numbers of areas", number, numbers[-1])
        return chosen


_EQUAL = 1e-9


def mean_silhouette(directions: Floats, labels: Rows) -> float:
    """The mean silhouette by cosine distance of unit rows (n, dim) in at least two clusters.

    The mean distance of a row x to a cluster of m rows is 1 − ⟨x, Σ rows⟩/m, so no distances between rows are needed.
    """
    count = int(labels.max()) + 1
    sizes = np.bincount(labels, minlength=count).astype(np.float64)
    sums = np.stack([directions[labels == label].sum(axis=0) for label in range(count)])
    apart = 1 - directions @ sums.T / sizes
    here = np.arange(len(labels))
    own_size = sizes[labels]
    own = apart[here, labels] * own_size / np.maximum(own_size - 1, 1)
    apart[here, labels] = np.inf
    nearest = apart.min(axis=1)
    largest = np.maximum(own, nearest)
    scores = np.divide(nearest - own, largest, out=np.zeros_like(own), where=(own_size > 1) & (largest > _EQUAL))
    return float(scores.mean())
