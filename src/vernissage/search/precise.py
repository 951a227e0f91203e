"""Scores in double precision, and the one order of answers that they decide."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vernissage.rankings import alphabetical, best_rows
from vernissage.values import Ranking, Vectors

_IN_CACHE = 65_536
"""Numbers that are widened at once: as doubles half a megabyte, which a core's own cache holds until they are read."""

Query = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Names = npt.NDArray[np.object_]
"""The id of each row, as an array."""


def precise_scores(vectors: Vectors, rows: Rows, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
    """Inner products in double precision of queries (dim,) with chosen ``rows``, ascending: float64 (queries, rows).

    Each is the same sum in the same order wherever its row stands and whatever is scored beside it, so that answers
    agree to the last bit. A matrix product would not do: the order of its sums depends on its shape.
    """
    scores = np.empty((len(queries), len(rows)))
    step = min(max(1, _IN_CACHE // vectors.shape[1]), len(rows))
    room = np.empty((step, vectors.shape[1]))
    for start in range(0, len(rows), max(1, step)):
        some = rows[start : start + step]
        wide = room[: len(some)]
        wide[...] = _chosen(vectors, some)
        for query, its in zip(queries, scores, strict=True):
            np.einsum("ij,j->i", wide, query, out=its[start : start + step])
    return scores


def in_order(rows: Rows, scores: Query, k: int, ids: Sequence[str] | Names) -> Ranking:
    """The ``k`` best of some rows by their scores float64 (rows,); equal ones by id."""
    order = np.argsort(-scores)
    best = scores[order[: k + 1]]
    if (best[1:] == best[:-1]).any():
        order = best_rows(scores, k, _places(rows, scores, ids))
    order = order[:k]
    return Ranking(_at(ids, rows[order]), scores[order])


def _chosen(vectors: Vectors, rows: Rows) -> Vectors:
    """Some rows, ascending; where none between them is left out, where they lie."""
    first, last = rows[0], rows[-1]
    chosen: Vectors = vectors[first : last + 1] if last - first + 1 == len(rows) else vectors[rows]
    return chosen


def _at(ids: Sequence[str] | Names, rows: Rows) -> tuple[str, ...]:
    return tuple(ids[rows].tolist() if isinstance(ids, np.ndarray) else [ids[row] for row in rows.tolist()])


def _places(rows: Rows, scores: Query, ids: Sequence[str] | Names) -> Rows:
    """What decides between rows of equal scores: the order of their ids, sought only where scores are equal."""
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    tied = np.flatnonzero(size[group] > 1)
    places = np.zeros(len(rows), dtype=np.int64)
    places[tied] = alphabetical(_at(ids, rows[tied]))
    return places
