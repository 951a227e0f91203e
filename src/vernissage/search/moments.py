"""Count, mean and second moment of vectors, in double precision, and how they are kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import read_arrays, write_arrays
from vernissage.values import Moments, Vectors

_BLOCK = 4_096
_COARSE, _FINE = 2.0**18, 2.0**34


@dataclass(frozen=True, eq=False)
class Sums:
    """What moments are made of, the same to the last bit in whichever order unit vectors come and go.

    A vector x is taken as h + l, multiples of 2⁻¹⁸ and of 2⁻³⁴. Their products have so few digits that double precision
    holds the sums of hundreds of thousands exactly; what is left out (llᵀ, and x − h − l) is below 10⁻¹⁰.

    Attributes:
        count: how many vectors.
        first: Σ h + l, float64 (dim,).
        second: Σ hhᵀ, float64 (dim, dim).
        cross: Σ hlᵀ, float64 (dim, dim).
    """

    count: int
    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    cross: npt.NDArray[np.float64]

    @classmethod
    def of(cls, moments: Moments) -> "Sums":
        """Of the vectors whose moments these are."""
        first, second = moments.count * moments.mean, moments.count * moments.second
        return cls(moments.count, first, second, np.zeros_like(second))

    @classmethod
    def zero(cls, dim: int) -> "Sums":
        """Of no vectors."""
        return cls(0, np.zeros(dim), np.zeros((dim, dim)), np.zeros((dim, dim)))

    def plus(self, vectors: Vectors) -> "Sums":
        """With more vectors (n, dim), of which a block at a time is widened."""
        first, second, cross = self.first.copy(), self.second.copy(), self.cross.copy()
        for start in range(0, len(vectors), _BLOCK):
            wide = vectors[start : start + _BLOCK].astype(np.float64)
            high = np.rint(wide * _COARSE) / _COARSE
            low = np.rint((wide - high) * _FINE) / _FINE
            first += (high + low).sum(axis=0)
            second += high.T @ high
            cross += high.T @ low
        return Sums(self.count + len(vectors), first, second, cross)

    def __add__(self, other: "Sums") -> "Sums":
        parts = (self.first + other.first, self.second + other.second, self.cross + other.cross)
        return Sums(self.count + other.count, *parts)

    def __sub__(self, other: "Sums") -> "Sums":
        parts = (self.first - other.first, self.second - other.second, self.cross - other.cross)
        return Sums(self.count - other.count, *parts)

    @property
    def moments(self) -> Moments:
        """Zeros where there are no vectors."""
        divisor = max(1, self.count)
        return Moments(self.count, self.first / divisor, (self.second + self.cross + self.cross.T) / divisor)


def moments_of(vectors: Vectors) -> Moments:
    """The moments of vectors (n, dim) that stay: sums in double precision, a third of the work of `Sums`."""
    first, second = np.zeros(vectors.shape[1]), np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(vectors), _BLOCK):
        wide = vectors[start : start + _BLOCK].astype(np.float64)
        first += wide.sum(axis=0)
        second += wide.T @ wide
    divisor = max(1, len(vectors))
    return Moments(len(vectors), first / divisor, second / divisor)


def save_moments(path: Path, moments: Moments, source: str) -> None:
    """Write moments as arrays; ``source`` is the digest of the vectors."""
    arrays = {"count": np.array(moments.count), "mean": moments.mean, "second": moments.second}
    write_arrays(path, {**arrays, "source": np.array(source)})


def load_moments(path: Path, dim: int, source: str) -> Moments:
    """Read what `save_moments` wrote for exactly these vectors.

    Raises:
        ProvenanceError: the file is missing, damaged, or belongs to other vectors; compute them anew.
    """
    arrays = read_arrays(path)
    mean, second = arrays.get("mean", np.empty(0)), arrays.get("second", np.empty(0))
    if (mean.shape, second.shape) != ((dim,), (dim, dim)) or str(arrays.get("source")) != source:
        raise ProvenanceError(f"the moments in {path} belong to other vectors; delete them and they are computed anew")
    return Moments(int(arrays["count"]), mean, second)
