"""How well works are found across modalities, in an index of one modality and in one of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.analysis.paired import Estimate, mean_with_error
from vernissage.values import Vectors

DEPTHS = (1, 5, 10)
TOP = 10

_ROUNDING = 1e-12
"""Equal vectors at different places of a matrix product differ by less than this, and nobody is better by so little."""

Scores = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Retrieval:
    """How the works of one modality find their other half, as means over queries with standard errors.

    Attributes:
        recall: depth → how often the other half is among so many.
        own_share: for a pool of both modalities, the share of the query's own one among the ten best; else None.
    """

    recall: Mapping[int, Estimate]
    own_share: Estimate | None = None


def across(queries: Vectors, targets: Vectors) -> Retrieval:
    """Row i of ``queries`` looks for row i of ``targets`` among all of them; unit rows (n, dim).

    rank = 1 + how many targets score strictly better: the *unimodal* space of the second paper's Tables 3 and 4 (doi
    10.1016/j.eswa.2024.125108).
    """
    return Retrieval(_recall(ranks_across(queries, targets)))


def ranks_across(queries: Vectors, targets: Vectors) -> Ranks:
    """The rank of each query's other half in `across`, int64 (n,)."""
    return _ranks(_scores(queries, targets))


def ranks_among_both(queries: Vectors, targets: Vectors) -> Ranks:
    """The rank of each query's other half in `among_both` by cosines as they are, int64 (n,)."""
    own = _scores(queries, queries)
    np.fill_diagonal(own, -np.inf)
    return _ranks(_scores(queries, targets), own)


def among_both(queries: Vectors, targets: Vectors, *, standardised: bool) -> Retrieval:
    """Row i of ``queries`` looks for row i of ``targets`` among all queries and targets but itself.

    rank = 1 + how many of the other 2n − 1 score strictly better: the *mixed* space of the same tables. Where works
    tie at the tenth place, they share it.

    Args:
        queries: float32 (n, dim), unit rows of one modality.
        targets: float32 (n, dim), of the other.
        standardised: whether each query's scores are brought to mean 0 and deviation 1 within each modality first.
    """
    own, other = _scores(queries, queries), _scores(queries, targets)
    np.fill_diagonal(own, np.nan)
    if standardised:
        own, other = _standardised(own), _standardised(other)
    np.fill_diagonal(own, -np.inf)
    return Retrieval(_recall(_ranks(other, own)), mean_with_error(_own_share(own, other)))


def _scores(queries: Vectors, targets: Vectors) -> Scores:
    scores: Scores = queries.astype(np.float64) @ targets.T.astype(np.float64)
    return scores


def _standardised(scores: Scores) -> Scores:
    """Each row with mean 0 and deviation 1 over what is not NaN; a row of equal scores becomes zeros."""
    centred = scores - np.nanmean(scores, axis=1, keepdims=True)
    spread = np.nanstd(scores, axis=1, keepdims=True)
    standardised: Scores = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > _ROUNDING)
    return standardised


def _ranks(scores: Scores, *others: Scores) -> Ranks:
    """Of each row's own column (the diagonal), against all columns of ``scores`` and ``others``."""
    wanted = scores.diagonal()[:, None] + _ROUNDING
    ranks: Ranks = 1 + np.sum([(matrix > wanted).sum(axis=1) for matrix in (scores, *others)], axis=0)
    return ranks


def _recall(ranks: Ranks) -> dict[int, Estimate]:
    return {depth: mean_with_error(ranks <= depth) for depth in DEPTHS}


def _own_share(own: Scores, other: Scores) -> npt.NDArray[np.float64]:
    """For each row the share of ``own`` among the ten best of both, (n,)."""
    both = np.concatenate([own, other], axis=1)
    top = min(TOP, both.shape[1] - 1)
    tenth = np.partition(both, -top, axis=1)[:, -top][:, None]
    sure, tied = (_counts(own, other, tenth + _ROUNDING), _counts(own, other, tenth - _ROUNDING))
    places = top - sure.sum(axis=0)
    waiting = tied - sure
    share: npt.NDArray[np.float64] = (sure[0] + places * waiting[0] / waiting.sum(axis=0)) / top
    return share


def _counts(own: Scores, other: Scores, threshold: Scores) -> npt.NDArray[np.float64]:
    """How many of each row lie above its threshold, of ``own`` and ``other``: (2, n)."""
    sides: Sequence[Scores] = (own, other)
    return np.array([(side > threshold).sum(axis=1) for side in sides], dtype=np.float64)
