"""How good a list of works is: for its reader, within itself, and for the collection.

Works are rows 0 … n−1 of the candidates. A list is their row numbers, best first; lists shorter than ``depth`` are
taken as they are, and every place they leave empty counts as a miss.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError

Rows = npt.NDArray[np.int64] | Sequence[int]
"""Row numbers of works, best first, each at most once."""

Numbers = npt.NDArray[np.float64]


def ndcg(ranked: Rows, gains: npt.ArrayLike, depth: int) -> float:
    """Normalised discounted cumulative gain of the first ``depth`` works, in [0, 1].

    DCG = Σ_i g_i / log2(i + 1) over the places i = 1 … depth, with the gain itself as gain function, divided by the
    DCG of the best order of **all** candidates: Järvelin & Kekäläinen, TOIS 2002, doi 10.1145/582415.582418.

    Args:
        gains: what each candidate is worth to the reader, 0 or more, (n,).
        depth: how many places count.

    Raises:
        RequestError: a row that is no candidate or stands twice, gains that are negative, not finite or all 0.
    """
    worth = _flat(gains, "gains")
    if (worth < 0).any() or not worth.any():
        raise RequestError("gains must be 0 or more and not all 0; nothing could be ranked well or badly otherwise")
    shown = _shown(ranked, len(worth), depth)
    best = np.sort(worth)[::-1][:depth]
    return min(1.0, _dcg(worth[shown]) / _dcg(best))


def recall(ranked: Rows, relevant: npt.ArrayLike, depth: int) -> float:
    """The share of the relevant works that stand among the first ``depth``, in [0, 1].

    |shown ∩ relevant| / |relevant| (Manning, Raghavan & Schütze, Introduction to Information Retrieval, 2008, 8.3).
    With more relevant works than places the highest that can be reached is depth / |relevant|.

    Raises:
        RequestError: a row that is no candidate or stands twice; no work is relevant.
    """
    wanted = _mask(relevant)
    return float(wanted[_shown(ranked, len(wanted), depth)].sum() / wanted.sum())


def precision(ranked: Rows, relevant: npt.ArrayLike, depth: int) -> float:
    """The share of ``depth`` places that hold a relevant work, in [0, 1]; |shown ∩ relevant| / depth (see `recall`)."""
    wanted = _mask(relevant)
    return float(wanted[_shown(ranked, len(wanted), depth)].sum() / depth)


def intra_list_diversity(distances: npt.ArrayLike) -> float:
    """The mean distance between two works of one list, in the range of the distances.

    Σ_{i<j} d(i, j) / (k(k−1)/2): Smyth & McClave, ICCBR 2001, doi 10.1007/3-540-44593-5_25.

    Args:
        distances: symmetric with a zero diagonal, (k, k), 0 or more.

    Raises:
        RequestError: fewer than 2 works, or no matrix of distances.
    """
    matrix = np.asarray(distances, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise RequestError(f"diversity needs the distances of 2 works or more, k × k, but got shape {matrix.shape}")
    if not np.isfinite(matrix).all() or (matrix < 0).any() or (matrix != matrix.T).any() or matrix.diagonal().any():
        raise RequestError("distances must be symmetric, finite, 0 or more, and 0 from each work to itself")
    return float(matrix[np.triu_indices(len(matrix), k=1)].mean())


def novelty(distances: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """How far a list lies from what its reader is known to like, in the range of the distances.

    The mean over the list's works i of Σ_j w_j d(i, j) / Σ_j w_j over the reader's works j: the distance-based
    novelty of Vargas & Castells, RecSys 2011, doi 10.1145/2043932.2043955, with ``weights`` as liking. A list of the
    reader's own kind has 0; random works have what the collection gives, so read it against the random baseline.

    Args:
        distances: from each work of the list to each of the reader's, (k, r), 0 or more.
        weights: how much each of the reader's works is liked, 0 or more, not all 0, (r,).

    Raises:
        RequestError: shapes that do not fit, or numbers out of range.
    """
    matrix, liking = np.asarray(distances, dtype=np.float64), _flat(weights, "weights")
    if matrix.ndim != 2 or matrix.shape[1] != len(liking) or not len(matrix):
        raise RequestError(f"novelty needs k × {len(liking)} distances for {len(liking)} weights, not {matrix.shape}")
    if not np.isfinite(matrix).all() or (matrix < 0).any() or (liking < 0).any() or not liking.any():
        raise RequestError("distances and weights must be finite and 0 or more, and some weight above 0")
    return float((matrix @ (liking / liking.sum())).mean())


def catalogue_coverage(lists: Sequence[Rows], candidates: int) -> float:
    """The share of the candidates that stand in at least one list, in [0, 1].

    |∪ lists| / n: Ge, Delgado & Jannach, RecSys 2010, doi 10.1145/1864708.1864761. It grows with the number of
    lists, so compare engines over the same readers only.

    Raises:
        RequestError: no candidates or no lists, or a row that is no candidate or stands twice in a list.
    """
    return float((_appearances(lists, candidates) > 0).mean())


def coverage_by_list(lists: Sequence[Rows], candidates: int) -> Numbers:
    """One value for each of m lists whose mean is `catalogue_coverage`, and whose spread is its uncertainty; (m,).

    Coverage belongs to all lists together. Centred jackknife pseudo-values (Tukey 1958; Efron & Stein, Annals of
    Statistics 1981, doi 10.1214/aos/1176345462) give each list its part: θ + (m−1)(mean θ₋ᵢ − θ₋ᵢ), θ₋ᵢ being the
    coverage without list i. Their standard error is the jackknife's, and differences between engines can be paired.

    Raises:
        RequestError: as in `catalogue_coverage`, or fewer than 2 lists.
    """
    if len(lists) < 2:
        raise RequestError(f"the uncertainty of coverage needs 2 lists or more, but got {len(lists)}")
    seen = _appearances(lists, candidates)
    lost = np.array([(seen[np.asarray(rows, dtype=np.int64)] == 1).sum() for rows in lists]) / candidates
    values: Numbers = (seen > 0).mean() + (len(lists) - 1) * (lost - lost.mean())
    return values


def _appearances(lists: Sequence[Rows], candidates: int) -> npt.NDArray[np.int64]:
    if candidates < 1 or not len(lists):
        raise RequestError(f"coverage needs lists and candidates, but got {len(lists)} lists of {candidates} works")
    checked = [_shown(rows, candidates, max(1, len(rows))) for rows in lists]
    return np.bincount(np.concatenate(checked), minlength=candidates)


def _dcg(gains: Numbers) -> float:
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def _shown(ranked: Rows, candidates: int, depth: int) -> npt.NDArray[np.int64]:
    """The first ``depth`` rows, after checking all."""
    if depth < 1:
        raise RequestError(f"a list is judged by its first works, 1 or more, but the depth is {depth}")
    rows = np.asarray(ranked, dtype=np.int64).reshape(-1)
    if len(rows) and (rows.min() < 0 or rows.max() >= candidates):
        raise RequestError(f"rows of works go from 0 to {candidates - 1}, but the list holds {rows.tolist()[:9]}")
    if len(np.unique(rows)) != len(rows):
        raise RequestError(f"a work may stand once in a list, but the list is {rows.tolist()[:9]}")
    return rows[:depth]


def _flat(values: npt.ArrayLike, what: str) -> Numbers:
    flat = np.asarray(values, dtype=np.float64)
    if flat.ndim != 1 or not len(flat) or not np.isfinite(flat).all():
        raise RequestError(f"{what} must be one finite number for each work, but have shape {flat.shape}")
    return flat


def _mask(relevant: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    mask = np.asarray(relevant)
    if mask.dtype != np.bool_ or mask.ndim != 1 or not mask.any():
        raise RequestError("relevance must be true or false for each work, and true for 1 or more")
    return mask
