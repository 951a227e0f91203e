"""Dense RootSIFT descriptors of a picture, gathered as VLAD around the centres of a codebook."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float32]

ORIENTATIONS = 8
BLOCK = 4
"""Cells along one side of a descriptor, as in SIFT."""

DESCRIPTOR_DIM = BLOCK * BLOCK * ORIENTATIONS
FLAT = 2.0
"""Gradient in L* units per pixel, summed over a patch's 16 cells, below which there is nothing to describe."""


def dense_rootsift(lightness: Floats, cell: int = 4) -> Floats:
    """RootSIFT of overlapping upright square patches, one every ``cell`` pixels: float32 (patches, 128), unit rows.

    A patch is 4 × 4 cells of ``cell`` × ``cell`` pixels with 8 orientations each. Patches without contrast are left
    out. Source: Lowe, IJCV 60(2), 2004; the root: Arandjelović & Zisserman, CVPR 2012.
    """
    histograms = orientation_cells(lightness, cell)
    rows, columns = histograms.shape[:2]
    if rows < BLOCK or columns < BLOCK:
        return np.zeros((0, DESCRIPTOR_DIM), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(histograms, (BLOCK, BLOCK), axis=(0, 1))
    patches = windows.transpose(0, 1, 3, 4, 2).reshape(-1, DESCRIPTOR_DIM)
    total = patches.sum(axis=1)
    textured = total > FLAT
    rooted: Floats = np.sqrt(patches[textured] / total[textured, None])
    return rooted


def orientation_cells(lightness: Floats, cell: int) -> Floats:
    """Gradient histograms of square cells: float32 (rows, columns, 8), mean gradient in L* units per pixel.

    Every pixel votes with its gradient's size, linearly between the two nearest of 8 orientations (0° to 360°).
    """
    across = cv2.Sobel(lightness, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(lightness, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    size, angle = cv2.cartToPolar(across, down)
    position = angle * np.float32(ORIENTATIONS / (2 * np.pi))
    lower = np.floor(position)
    share = position - lower
    height, width = lightness.shape
    votes = np.zeros((height * width, ORIENTATIONS), dtype=np.float32)
    pixel = np.arange(height * width)
    first = lower.astype(np.intp).ravel() % ORIENTATIONS
    votes[pixel, first] = (size * (1 - share)).ravel()
    votes[pixel, (first + 1) % ORIENTATIONS] += (size * share).ravel()
    rows, columns = height // cell, width // cell
    whole = votes.reshape(height, width, ORIENTATIONS)[: rows * cell, : columns * cell]
    means: Floats = whole.reshape(rows, cell, columns, cell, ORIENTATIONS).mean(axis=(1, 3), dtype=np.float32)
    return means


@dataclass(frozen=True)
class Codebook:
    """A rotation of descriptors and the centres that their residuals are taken from.

    Attributes:
        mean: float32 (128,), subtracted before the projection.
        axes: float32 (reduced, 128), orthonormal rows.
        centres: float32 (n_centres, reduced).
    """

    mean: Floats
    axes: Floats
    centres: Floats

    @property
    def dim(self) -> int:
        return int(self.centres.size)

    def vlad(self, descriptors: Floats) -> Floats:
        """Sums of the residuals to the nearest centre, power- and L2-normalised: float32 (n_centres · reduced,).

        Every residual has unit length; the sums are square-rooted with their signs kept, then scaled to unit
        length. Without descriptors all zero. Source: Jégou et al., CVPR 2010; Delhumeau et al., ACM MM 2013.
        """
        return vlad((descriptors - self.mean) @ self.axes.T, self.centres)


def vlad(points: npt.NDArray[np.floating], centres: Floats) -> Floats:
    """VLAD of ``points`` (n, dim) around ``centres`` (k, dim); see `Codebook.vlad`."""
    distances = (centres**2).sum(axis=1) - 2 * (points @ centres.T)
    nearest = distances.argmin(axis=1)
    residuals = (points - centres[nearest]).astype(np.float64)
    lengths = np.linalg.norm(residuals, axis=1, keepdims=True)
    residuals = np.divide(residuals, lengths, out=np.zeros_like(residuals), where=lengths > 0)
    sums = np.zeros(centres.shape)
    np.add.at(sums, nearest, residuals)
    rooted = np.sign(sums) * np.sqrt(np.abs(sums))
    length = np.linalg.norm(rooted)
    return (rooted / length if length > 0 else rooted).astype(np.float32).ravel()


def fit_codebook(descriptors: Floats, *, n_centres: int, reduced: int, seed: int) -> Codebook:
    """PCA of the descriptors, then k-means on the reduced ones; one thread, so that the bits repeat."""
    with threadpool_limits(1):
        mean = descriptors.mean(axis=0, dtype=np.float64)
        centred = descriptors - mean.astype(np.float32)
        covariance = (centred.T @ centred).astype(np.float64)
        axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :reduced].T.astype(np.float32)
        clusters = KMeans(n_centres, n_init=1, max_iter=50, random_state=seed).fit(centred @ axes.T)
    return Codebook(mean.astype(np.float32), np.ascontiguousarray(axes), clusters.cluster_centers_.astype(np.float32))
