"""What a fusion rule is: from uploads that are heard and a pool of works to scores with their parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vernissage.rankings import best_rows, total
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.voices import Voices
from vernissage.values import Scores

_WORKS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and deviation over the pool of each upload's cosines, float64 (m,); a deviation of 0 stands for none."""

    means: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]

    def z_scores(self, cosines: Scores) -> Scores:
        """(cosine − mean) / deviation of float64 (p, m); 0 for an upload to which all works are equally similar."""
        z: Scores = np.zeros_like(cosines)
        np.divide(cosines - self.means, self.deviations, out=z, where=self.deviations > 0)
        return z


@dataclass(frozen=True, eq=False)
class Fused:
    """The answer of a fusion rule.

    Attributes:
        scores: float64 (n,), a score for each work of the pool; higher is better.
        parts: what each upload adds to the scores of some works: from places (p,) to float64 (p, m). Their sum over
            the uploads is the precise score, the same for works with the same vector.
        tolerance: how far ``scores`` can be from the precise ones.
        standard: what z-scores were taken with, if any were.
    """

    scores: Scores
    parts: Callable[[Places], Scores]
    tolerance: float = 0.0
    standard: Standard | None = None

    def at(self, places: Places) -> Scores:
        """The precise scores of the works at ``places``, float64 (p,): sums of parts, in a fixed order of size."""
        if not self.tolerance:
            return self.scores[places]
        precise = np.empty(len(places))
        for start in range(0, len(places), _WORKS_AT_ONCE):
            some = slice(start, start + _WORKS_AT_ONCE)
            precise[some] = total(self.parts(places[some]).T)
        return precise


class FusionRule(Protocol):
    """A fusion rule is one function: what the uploads that are heard make of every work of a pool.

    `best` then picks the works, so a rule need not sort, break ties or leave anything out.
    """

    def __call__(self, voices: Voices, pool: Pool) -> Fused: ...


def best(fused: Fused, pool: Pool, n: int) -> tuple[Places, Scores]:
    """The places of the ``n`` best works and their precise scores, best first; ties by id.

    Every work whose score could be among the best given the tolerance is scored again by the sum of its parts.
    """
    n = min(n, len(pool))
    if n == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    kth = np.partition(fused.scores, len(pool) - n)[len(pool) - n]
    near = np.flatnonzero(fused.scores >= kth - 2 * fused.tolerance)
    scores = fused.at(near)
    order = best_rows(scores, n, pool.alphabetical[near])
    return near[order], scores[order]
