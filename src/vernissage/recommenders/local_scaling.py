"""`csls`: works that resemble a few single uploads more than they resemble other works."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vernissage.recommenders.fused import Fused
from vernissage.recommenders.nearest_z_scores import nearest_z_scores
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.voices import Voices
from vernissage.search.live import LiveIndex
from vernissage.values import Scores, Vectors

NEAREST = 2
NEIGHBOURS = 10
_QUERIES_AT_ONCE = 1_024
_ROUNDING = 3 * 2.0**-24
_crowding_of: WeakKeyDictionary[LiveIndex, npt.NDArray[np.float64]] = WeakKeyDictionary()


def csls(voices: Voices, pool: Pool) -> Fused:
    """The mean of a work's two highest weighted z-scores, as `knn3z`, but over similarities that are locally scaled.

    The scaled similarity is cosine − r / 2, r being the work's mean cosine to its ten nearest works (`crowding`). A
    work in a crowd is near to everybody's uploads, and a work that few resemble has to be really meant: cross-domain
    similarity local scaling (Conneau et al., ICLR 2018, arXiv:1710.04087, with their ten neighbours); its other half,
    the crowd around the upload, is the same for all works and drops out of z.

    Looks at all pairs of works once for each state of the index: one or two seconds for ten thousand works, minutes for
    a hundred thousand. Meant for whole collections: in a sample of works what is crowded depends on the sample. The
    answer tells no z-scores, which would be of other similarities than it shows.
    """
    return replace(nearest_z_scores(voices, _ScaledPool(pool), NEAREST), standard=None)


def crowding(index: LiveIndex) -> npt.NDArray[np.float64]:
    """The mean cosine of each row to the ten nearest other works, float64 (rows,); 0 for removed rows.

    The person's own works count like all others, so this is worked out once for each snapshot and kept with it.
    """
    if index not in _crowding_of:
        _crowding_of[index] = _crowding(index)
    return _crowding_of[index]


def _crowding(index: LiveIndex) -> npt.NDArray[np.float64]:
    there = np.flatnonzero(~index.barred())
    found = np.zeros(len(index.vectors))
    for start in range(0, len(there), _QUERIES_AT_ONCE):
        rows = there[start : start + _QUERIES_AT_ONCE]
        for row, ranking in zip(rows, index.search_batch(index.vectors[rows], NEIGHBOURS + 1), strict=True):
            others = ranking.scores[1:]  # the first is the work itself, or one that is the same
            found[row] = others.mean() if len(others) else 0.0
    return found


class _ScaledPool(Pool):
    """A pool that tells scaled similarities in the place of cosines."""

    def __init__(self, pool: Pool) -> None:
        self.index, self._filter, self._rows = pool.index, pool._filter, pool._rows
        self._halves = crowding(pool.index)[self._rows] / 2

    @cached_property
    def error(self) -> float:
        return super().error + _ROUNDING

    def blocks(self, vectors: Vectors) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
        halves = self._halves.astype(np.float32)
        for rows, cosines in super().blocks(vectors):
            np.subtract(cosines, halves, out=cosines)
            yield rows, cosines

    def precise(self, vectors: Vectors, places: Places) -> Scores:
        scaled: Scores = super().precise(vectors, places) - self._halves[places][:, None]
        return scaled
