"""How the cosines of pairs that belong together lie among those of pairs that do not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.values import Vectors

BINS = 100
"""Bins between −1 and 1."""


@dataclass(frozen=True, eq=False)
class CosineDistribution:
    """Cosines as a histogram of 100 equal bins from −1 to 1.

    Attributes:
        n: how many pairs.
        mean, sd: of their cosines.
        counts: int64 (100,).
    """

    n: int
    mean: float
    sd: float
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairCosines:
    """The cosines of n pairs that belong together, and of the n² − n pairs of the same vectors that do not.

    ``nearer`` is the chance that the first kind has the higher cosine, a tie counting half (the area under the ROC
    curve): .5 where cosines say nothing, 1 where they say all.
    """

    positive: CosineDistribution
    negative: CosineDistribution
    nearer: float


def pair_cosines(first: Vectors, second: Vectors) -> PairCosines:
    """The cosines between two modalities: row i of ``first`` belongs to row i of ``second``; unit rows (n, dim).

    The second paper's Figs. 5 to 7 (doi 10.1016/j.eswa.2024.125108).
    """
    cosines = first.astype(np.float64) @ second.T.astype(np.float64)
    positive = cosines.diagonal()
    negative = cosines[~np.eye(len(cosines), dtype=bool)]
    return PairCosines(_distribution(positive), _distribution(negative), _nearer(positive, negative))


def _distribution(cosines: npt.NDArray[np.float64]) -> CosineDistribution:
    counts, _ = np.histogram(np.clip(cosines, -1, 1), bins=BINS, range=(-1, 1))
    return CosineDistribution(len(cosines), float(cosines.mean()), float(cosines.std()), counts.astype(np.int64))


def _nearer(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left") + np.searchsorted(ordered, positive, side="right")
    return float(below.mean() / (2 * len(ordered)))
