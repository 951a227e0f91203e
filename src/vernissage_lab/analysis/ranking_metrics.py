"""How good a list of works is: for its reader, within itself, and for the collection.

Works are rows 0 … n−1 of the candidates. A list is their row numbers, best first, each at most once; lists shorter than
``depth`` are taken as they are, and every place they leave empty counts as a miss.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def ndcg(ranked: Rows, gains: Numbers, depth: int) -> float:
    """Normalised discounted cumulative gain of the first ``depth`` works, in [0, 1].

    DCG = Σ_i g_i / log2(i + 1) over the places i = 1 … depth, with the gain itself as gain function, divided by the
    DCG of the best order of **all** candidates: Järvelin & Kekäläinen, TOIS 2002, doi 10.1145/582415.582418.
    ``gains`` are what each candidate is worth to the reader, 0 or more and not all 0, (n,).
    """
    best = np.sort(gains)[::-1][:depth]
    return min(1.0, _dcg(gains[ranked[:depth]]) / _dcg(best))


def recall(ranked: Rows, relevant: npt.NDArray[np.bool_], depth: int) -> float:
    """The share of the relevant works (bool (n,), one or more) that stand among the first ``depth``, in [0, 1].

    |shown ∩ relevant| / |relevant| (Manning, Raghavan & Schütze, Introduction to Information Retrieval, 2008, 8.3).
    With more relevant works than places the highest that can be reached is depth / |relevant|.
    """
    return float(relevant[ranked[:depth]].sum() / relevant.sum())


def precision(ranked: Rows, relevant: npt.NDArray[np.bool_], depth: int) -> float:
    """The share of ``depth`` places that hold a relevant work, in [0, 1]; |shown ∩ relevant| / depth (see `recall`)."""
    return float(relevant[ranked[:depth]].sum() / depth)


def intra_list_diversity(distances: Numbers) -> float:
    """The mean distance between two works of one list, in the range of the distances.

    Σ_{i<j} d(i, j) / (k(k−1)/2) over symmetric distances (k, k) of 2 works or more: Smyth & McClave, ICCBR 2001, doi
    10.1007/3-540-44593-5_25.
    """
    return float(distances[np.triu_indices(len(distances), k=1)].mean())


def novelty(distances: Numbers, weights: Numbers) -> float:
    """How far a list lies from what its reader is known to like, in the range of the distances.

    The mean over the list's works i of Σ_j w_j d(i, j) / Σ_j w_j over the reader's works j: the distance-based
    novelty of Vargas & Castells, RecSys 2011, doi 10.1145/2043932.2043955, with ``weights`` as liking. A list of the
    reader's own kind has 0; random works have what the collection gives, so read it against the random baseline.

    Args:
        distances: from each work of the list to each of the reader's, (k, r), 0 or more.
        weights: how much each of the reader's works is liked, 0 or more, not all 0, (r,).
    """
    return float((distances @ (weights / weights.sum())).mean())


def coverage_by_list(lists: Sequence[Rows], candidates: int) -> Numbers:
    """One value for each of m ≥ 2 lists whose mean is their coverage, and whose spread is its uncertainty; (m,).

    Coverage is the share of the candidates that stand in at least one list: |∪ lists| / n: Ge, Delgado & Jannach,
    RecSys 2010, doi 10.1145/1864708.1864761. It grows with the number of lists, so compare engines over the same
    readers only. It belongs to all lists together; centred jackknife pseudo-values (Tukey 1958; Efron & Stein, Annals
    of Statistics 1981, doi 10.1214/aos/1176345462) give each list its part: θ + (m−1)(mean θ₋ᵢ − θ₋ᵢ), θ₋ᵢ being the
    coverage without list i. Their standard error is the jackknife's, and differences between engines can be paired.
    """
    seen = np.bincount(np.concatenate(lists), minlength=candidates)
    lost = np.array([(seen[rows] == 1).sum() for rows in lists]) / candidates
    values: Numbers = (seen > 0).mean() + (len(lists) - 1) * (lost - lost.mean())
    return values


def _dcg(gains: Numbers) -> float:
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())
