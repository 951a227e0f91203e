"""Count, mean and second moment of vectors, in double precision, and how they are kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import read_arrays, write_arrays
from vernissage.values import Moments, Vectors

_BLOCK = 16_384


def block_moments(vectors: Vectors, excluded: npt.NDArray[np.bool_], known: dict[int, Moments]) -> Iterator[Moments]:
    """The moments of float32 (n, dim) rows, block by block, without excluded ones.

    ``known`` keeps those of blocks that are whole, by their first row: rows that are only ever added to need not be
    summed again. A block that lost rows is summed anew.
    """
    for start in range(0, len(vectors), _BLOCK):
        kept = ~excluded[start : start + _BLOCK]
        whole = len(kept) == _BLOCK and bool(kept.all())
        if whole and start in known:
            yield known[start]
            continue
        wide = vectors[start : start + _BLOCK][kept].astype(np.float64)
        if len(wide):
            found = Moments(len(wide), wide.mean(axis=0), wide.T @ wide / len(wide))
            if whole:
                known[start] = found
            yield found


def joined(parts: Iterator[Moments] | Sequence[Moments], dim: int) -> Moments:
    """The moments of all rows of several parts together; zeros where there are none."""
    count, total, products = 0, np.zeros(dim), np.zeros((dim, dim))
    for part in parts:
        count += part.count
        total += part.count * part.mean
        products += part.count * part.second
    return Moments(count, total / max(1, count), products / max(1, count))


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
