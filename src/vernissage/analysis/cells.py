"""Answers summed up for each participant and engine: all that the mixed-effects model needs to know of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts, means and scatter of n participants' answers to k engines.

    Attributes:
        counts: answers in each cell, float64 (n, k), whole numbers of 0 and above; no empty row or column.
        means: their mean, float64 (n, k); 0 in empty cells.
        scatter: the sum of squared deviations from the cells' means.
        squares: the sum of all squared answers, a scale to call deviations 0 by.
    """

    counts: FloatArray
    means: FloatArray
    scatter: float
    squares: float

    @property
    def nobs(self) -> int:
        """How many answers there are, N."""
        return int(self.counts.sum())

    @property
    def sizes(self) -> FloatArray:
        """Answers of each participant, n_i, float64 (n,)."""
        total: FloatArray = self.counts.sum(axis=1)
        return total

    @property
    def engine_means(self) -> FloatArray:
        """The plain mean of each engine's answers, float64 (k,)."""
        means: FloatArray = np.average(self.means, axis=0, weights=self.counts)
        return means

    def residual_sums(self, beta: FloatArray) -> FloatArray:
        """Each participant's sum of (answer − mean of its engine), float64 (..., n), by engines' means (..., k)."""
        total: FloatArray = np.sum(self.counts * (self.means - beta[..., None, :]), axis=-1)
        return total

    def residual_squares(self, beta: FloatArray, participants: FloatArray) -> FloatArray:
        """The sum of squared (answer − mean of its engine − effect of its participant), float64 (...).

        ``beta`` is (..., k) and ``participants``, the effects, (..., n).
        """
        left = self.means - beta[..., None, :] - participants[..., :, None]
        total: FloatArray = self.scatter + np.sum(self.counts * left**2, axis=(-2, -1))
        return total


def cells_of(participants: IntArray, engines: IntArray, values: FloatArray) -> Cells:
    """Sum up answers.

    ``participants`` and ``engines`` are int64 (N,) numbers from 0 without gaps, ``values`` float64 (N,), all finite.
    Two orders of the same rows may differ in the last bit, so sort them first where that matters.
    """
    shape = (int(participants.max(initial=-1)) + 1, int(engines.max(initial=-1)) + 1)
    places = participants * shape[1] + engines
    counts = np.bincount(places, minlength=shape[0] * shape[1]).astype(np.float64)
    sums = np.bincount(places, weights=values, minlength=len(counts))
    means = np.divide(sums, counts, out=np.zeros(len(counts)), where=counts > 0)
    scatter = float(np.sum((values - means[places]) ** 2))
    return Cells(counts.reshape(shape), means.reshape(shape), scatter, float(np.sum(values**2)))
