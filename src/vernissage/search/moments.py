"""Count, mean and second moment of vectors, in double precision, and how they are kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import read_arrays, write_arrays
from vernissage.values import Moments, Vectors

_BLOCK = 4_096


@dataclass(frozen=True, eq=False)
class Sums:
    """What moments are made of: how many vectors, Σ xᵢ float64 (dim,) and Σ xᵢxᵢᵀ float64 (dim, dim)."""

    count: int
    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]

    @classmethod
    def of(cls, moments: Moments) -> "Sums":
        """Of the vectors whose moments these are."""
        return cls(moments.count, moments.count * moments.mean, moments.count * moments.second)

    @classmethod
    def zero(cls, dim: int) -> "Sums":
        """Of no vectors."""
        return cls(0, np.zeros(dim), np.zeros((dim, dim)))

    def plus(self, vectors: Vectors) -> "Sums":
        """With more vectors (n, dim), of which a block at a time is widened."""
        first, second = self.first.copy(), self.second.copy()
        for start in range(0, len(vectors), _BLOCK):
            wide = vectors[start : start + _BLOCK].astype(np.float64)
            first += wide.sum(axis=0)
            second += wide.T @ wide
        return Sums(self.count + len(vectors), first, second)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.count + other.count, self.first + other.first, self.second + other.second)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.count - other.count, self.first - other.first, self.second - other.second)

    @property
    def moments(self) -> Moments:
        """Zeros where there are no vectors."""
        divisor = max(1, self.count)
        return Moments(self.count, self.first / divisor, self.second / divisor)


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
