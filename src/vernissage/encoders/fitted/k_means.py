"""K-means as scikit-learn computes it, whose import takes longer than loading the encoders of a whole collection."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Matrix = npt.NDArray[Any]

_LEAST_SHIFT = 1e-4
"""Of the mean variance of the columns: what the centres move by, squared and summed, when all is said to stay."""


def k_means(points: Matrix, clusters: int, *, seed: int, most_rounds: int = 300) -> tuple[npt.NDArray[np.intp], Matrix]:
    """The cluster of each of ``points`` (n, columns), and the centres (clusters, columns), as precise as those.

    Lloyd's rounds from one greedy k-means++ start (Arthur & Vassilvitskii, SODA 2007). Labels and centres are those of
    ``sklearn.cluster.KMeans(clusters, n_init=1, random_state=seed)`` up to rounding. n is at least ``clusters``.
    """
    mean = points.mean(axis=0)
    rows = points - mean
    squares = np.einsum("nd,nd->n", rows, rows)
    least = _LEAST_SHIFT * rows.var(axis=0).mean()
    centres = rows[_first_centres(rows, squares, clusters, np.random.RandomState(seed))]
    labels = np.full(len(rows), -1, dtype=np.intp)
    for _ in range(most_rounds):
        before, labels = labels, _nearest(rows, centres)
        moved = _means(rows, labels, centres)
        shift = ((moved - centres) ** 2).sum()
        centres = moved
        if np.array_equal(labels, before):
            return labels, centres + mean
        if shift <= least:
            break
    return _nearest(rows, centres), centres + mean


def _first_centres(rows: Matrix, squares: Matrix, clusters: int, random: np.random.RandomState) -> list[int]:
    """Rows drawn in proportion to their squared distance from those before; of a few draws the best each time."""
    chosen = [int(random.choice(len(rows), p=np.full(len(rows), 1 / len(rows))))]
    nearest = _squared_distances(rows, squares, chosen)[0]
    for _ in range(1, clusters):
        draws = random.uniform(size=2 + int(np.log(clusters))) * nearest.sum()
        drawn = np.searchsorted(np.cumsum(nearest), draws).clip(max=len(rows) - 1)
        distances = np.minimum(nearest, _squared_distances(rows, squares, drawn))
        best = int(distances.sum(axis=1).argmin())
        nearest = distances[best]
        chosen.append(int(drawn[best]))
    return chosen


def _squared_distances(rows: Matrix, squares: Matrix, chosen: Sequence[int] | npt.NDArray[np.intp]) -> Matrix:
    places = np.asarray(chosen)
    distances: Matrix = squares[places][:, None] - 2 * rows[places] @ rows.T + squares
    distances[np.arange(len(places)), places] = 0
    return np.maximum(distances, 0, out=distances)


def _nearest(rows: Matrix, centres: Matrix) -> npt.NDArray[np.intp]:
    distances = rows @ (-2 * centres).T  # less each row's own square
    distances += (centres**2).sum(axis=1)
    return np.asarray(distances.argmin(axis=1))


def _means(rows: Matrix, labels: npt.NDArray[np.intp], centres: Matrix) -> Matrix:
    """The mean of each cluster's rows; an empty one takes the row that is farthest from its centre."""
    counts = np.bincount(labels, minlength=len(centres)).astype(rows.dtype)
    member = sparse.csr_array(
        (np.ones(len(rows), rows.dtype), labels, np.arange(len(rows) + 1)), (len(rows), len(centres))
    )
    sums: Matrix = member.T @ rows
    if (empty := np.flatnonzero(counts == 0)).size:
        distances = ((rows - centres[labels]) ** 2).sum(axis=1)
        for cluster, row in zip(empty, np.argsort(-distances, kind="stable"), strict=False):
            if distances[row] > 0:
                sums[labels[row]] -= rows[row]
                counts[labels[row]] -= 1
                sums[cluster], counts[cluster] = rows[row], 1
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
