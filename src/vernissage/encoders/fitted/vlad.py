"""VLAD: the local descriptors of a picture, gathered around the centres of a codebook."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Codebook:
    """A projection of descriptors and the centres that their residuals are taken from.

    Attributes:
        mean: float32 (descriptor_dim,), subtracted before the projection.
        axes: float32 (reduced, descriptor_dim), orthonormal rows.
        centres: float32 (n_centres, reduced).
    """

    mean: Floats
    axes: Floats
    centres: Floats

    @property
    def dim(self) -> int:
        return int(self.centres.size)

    def vlad(self, descriptors: Floats) -> Floats:
        """VLAD of descriptors (n, descriptor_dim): float32 (n_centres · reduced,); see the function `vlad`."""
        # einsum, not @: BLAS would spread each small product over all cores, which is slower inside a thread pool,
        # and the order of its additions, hence the last bit, may depend on how many there are.
        return vlad(np.einsum("nd,rd->nr", descriptors - self.mean, self.axes), self.centres)


def vlad(points: Floats, centres: Floats) -> Floats:
    """Sums of the points' residuals to their nearest centres, normalised: float32 (n_centres · dim,).

    Every residual is scaled to unit length, so that no descriptor counts for more than another; of the sums, roots
    are taken with the signs kept; then the whole is scaled to unit length. Without points it is all zero.
    Source: Jégou et al., CVPR 2010, doi 10.1109/CVPR.2010.5540039; unit residuals: Delhumeau et al., ACM MM 2013.

    Args:
        points: (n, dim).
        centres: (n_centres, dim).
    """
    distances = (centres**2).sum(axis=1) - 2 * np.einsum("nd,kd->nk", points, centres)
    nearest = distances.argmin(axis=1)
    residuals = points.astype(np.float64) - centres[nearest]
    lengths = np.linalg.norm(residuals, axis=1, keepdims=True)
    directions = np.divide(residuals, lengths, out=np.zeros_like(residuals), where=lengths > 0)
    place = nearest[:, None] * centres.shape[1] + np.arange(centres.shape[1])
    sums = np.bincount(place.ravel(), directions.ravel(), minlength=centres.size).reshape(centres.shape)
    rooted = np.sign(sums) * np.sqrt(np.abs(sums))
    length = np.linalg.norm(rooted)
    gathered: Floats = (rooted / length if length > 0 else rooted).astype(np.float32).ravel()
    return gathered


def fit_codebook(descriptors: Floats, *, n_centres: int, reduced: int, seed: int) -> Codebook:
    """Principal axes of the descriptors, then k-means on what they leave; on one thread, so that the bits repeat.

    Args:
        descriptors: float32 (n, descriptor_dim), n at least ``n_centres``.
        n_centres: how many centres.
        reduced: how many principal axes are kept.
        seed: of k-means.
    """
    with threadpool_limits(1):
        mean = descriptors.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = descriptors - mean
        covariance = (centred.T @ centred).astype(np.float64)
        axes = np.ascontiguousarray(np.linalg.eigh(covariance)[1][:, ::-1][:, :reduced].T, dtype=np.float32)
        clusters = KMeans(n_centres, n_init=1, max_iter=50, random_state=seed).fit(centred @ axes.T)
    return Codebook(mean, axes, clusters.cluster_centers_.astype(np.float32))
