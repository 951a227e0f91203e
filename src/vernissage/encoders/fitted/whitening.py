"""Principal axes of vectors, the strong ones damped: what most works share says little about any of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float32]

POWER = 0.25
"""Variances are raised to minus this: 0.5 would whiten fully, 0 would only rotate."""

SHRINKAGE = 0.1
"""This share of the largest variance is added to every one, so that weak and noisy axes are not blown up."""


@dataclass(frozen=True)
class Whitening:
    """A linear map of vectors.

    Attributes:
        mean: float32 (dim,), subtracted first.
        matrix: float32 (dim, reduced).
    """

    mean: Floats
    matrix: Floats

    def apply(self, vector: Floats) -> Floats:
        """The mapped vector: float32 (reduced,); without BLAS, so that the bits repeat on any number of threads."""
        mapped: Floats = np.einsum("d,dr->r", vector - self.mean, self.matrix)
        return mapped


def fit_whitening(rows: Floats, *, most: int) -> Whitening:
    """The principal axes of ``rows`` (n, dim), scaled by (variance + 0.1 · largest)^-1/4; at most ``most`` of them.

    Axes along which the rows do not differ are left out, so that there are fewer than n; there are none when all rows
    are equal. On one thread, so that the bits repeat.
    """
    with threadpool_limits(1):
        mean = rows.mean(axis=0, dtype=np.float64)
        spread, axes = np.linalg.svd(rows - mean, full_matrices=False)[1:]
    variances = spread**2 / len(rows)
    kept = variances[:most] > 1e-9
    scales = (variances[:most][kept] + SHRINKAGE * variances[0]) ** -POWER
    matrix = axes[:most][kept].T * scales
    return Whitening(mean.astype(np.float32), np.ascontiguousarray(matrix, dtype=np.float32))
