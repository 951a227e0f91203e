"""Vectors that look like embeddings: clusters of intrinsic dimension 30, noise, a common direction, unit length."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]

INTRINSIC, SPACES = 30, 64
COMMON, CENTRE, WITHIN, NOISE = 0.40, 0.30, 0.25, 0.05
"""Shares of a row's squared length: of the mean direction, its cluster's centre, its place in the cluster, noise."""
_BLOCK = 65_536


class Embeddings:
    """A distribution of unit vectors (``dim``,): ``rows`` draws from it, always the same for the same ``seed``.

    A row lies in one of ``clusters``, whose sizes follow Zipf's law with exponent ½, and within it in one of 64 spaces
    of 30 dimensions. Any two rows have a cosine of about .4, those of one cluster of .7 and more.
    """

    def __init__(self, dim: int = 512, clusters: int = 4_096, seed: int = 0) -> None:
        random = np.random.default_rng([seed, dim])
        self.dim = dim
        self._common = _directions(random, 1, dim) * np.float32(COMMON**0.5)
        self._centres = _directions(random, clusters, dim) * np.float32(CENTRE**0.5)
        self._spaces = random.standard_normal((SPACES, INTRINSIC, dim), dtype=np.float32)
        self._spaces *= np.float32((WITHIN / INTRINSIC / dim) ** 0.5)
        shares = 1 / np.sqrt(np.arange(1, clusters + 1))
        self._ends = np.cumsum(shares / shares.sum())

    def rows(self, count: int, seed: int) -> Rows:
        """So many unit vectors, float32 (count, dim)."""
        random = np.random.default_rng([seed, count])
        cluster = np.searchsorted(self._ends, random.random(count)).clip(max=len(self._centres) - 1)
        found = random.standard_normal((count, self.dim), dtype=np.float32)
        found *= np.float32((NOISE / self.dim) ** 0.5)
        found += self._common
        places = random.standard_normal((count, INTRINSIC), dtype=np.float32)
        order = np.argsort(cluster % SPACES, kind="stable")
        for space, own in enumerate(np.split(order, np.bincount(cluster % SPACES, minlength=SPACES).cumsum()[:-1])):
            found[own] += self._centres[cluster[own]] + places[own] @ self._spaces[space]
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def fill(self, out: Rows, seed: int = 1) -> None:
        """Draw the rows of an array, which may be mapped from a file, some at a time."""
        for start in range(0, len(out), _BLOCK):
            some = out[start : start + _BLOCK]
            some[...] = self.rows(len(some), seed + start)


def _directions(random: np.random.Generator, count: int, dim: int) -> Rows:
    found = random.standard_normal((count, dim), dtype=np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found
