"""How far apart an encoder keeps two modalities, what that does to finding works, and what closing the gap brings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from vernissage.encoders.centring import Mean, mean_of_units, without_mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.progress import Progress, silent
from vernissage.values import Vectors
from vernissage_lab.analysis.paired import Estimate, mean_with_error

FEWEST_MEASURED = 10
POOL = 1000

Method = Literal["raw", "means", "zscore"]
DEPTHS = (1, 5, 10)
TOP = 10

_ROUNDING = 1e-12
"""Equal vectors at different places of a matrix product differ by less than this, and nobody is better by so little."""

Scores = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]
BINS = 100
"""Bins between −1 and 1."""
QUANTILES = {"p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95}
FOLDS = 5


@dataclass(frozen=True, eq=False)
class CosineDistribution:
    """Cosines as a histogram of 100 equal bins from −1 to 1.

    Attributes:
        n: how many pairs.
        mean, sd: of their cosines.
        quantiles: `QUANTILES` of them, ascending.
        counts: int64 (100,).
    """

    n: int
    mean: float
    sd: float
    quantiles: tuple[float, ...]
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
    quantiles = tuple(np.quantile(cosines, list(QUANTILES.values())).tolist())
    told = float(cosines.mean()), float(cosines.std()), quantiles
    return CosineDistribution(len(cosines), *told, counts.astype(np.int64))


def _nearer(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left") + np.searchsorted(ordered, positive, side="right")
    return float(below.mean() / (2 * len(ordered)))


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
    modalities: Sequence[Scores] = (own, other)
    return np.array([(each > threshold).sum(axis=1) for each in modalities], dtype=np.float64)


def separability(first: Vectors, second: Vectors, *, closed: bool, seed: int = 0) -> Estimate:
    """How often a logistic regression tells for an unseen vector which modality it is of: .5 by guessing, 1 always.

    Five seeded folds; both vectors of a pair are in one fold, so that no pair is half learnt. With ``closed`` the mean
    of each modality is taken off, *fitted on the training folds alone*: a mean that has seen the held-out rows pushes
    them away from their own kind, and the accuracy falls below chance. scikit-learn's logistic regression with L2
    penalty, C = 1, on the coordinates as they are.

    Args:
        first: float32 (n, dim), unit rows of one modality.
        second: float32 (n, dim), the other modality's vectors of the same works.
        closed: whether each modality's mean is taken off.
        seed: of the folds.

    Returns:
        The accuracy, with its standard error over pairs.

    Raises:
        RequestError: fewer than 5 pairs, or not one vector of each modality for each.
    """
    if first.shape != second.shape or len(first) < FOLDS:
        raise RequestError(
            f"separability needs {FOLDS} pairs or more of one space, but the two have the shapes {first.shape} "
            f"and {second.shape}"
        )
    fold_of = np.random.default_rng(seed).permutation(len(first)) % FOLDS
    right = np.empty(len(first))
    with threadpool_limits(1):
        for fold in range(FOLDS):
            held = fold_of == fold
            right[held] = _told_apart((first, second), held, closed=closed)
    return mean_with_error(right)


def _told_apart(both: Sequence[Vectors], held: npt.NDArray[np.bool_], *, closed: bool) -> npt.NDArray[np.float64]:
    """For each held-out pair the share of its two vectors whose modality is told rightly: 0, .5 or 1."""
    trained, tested = [each[~held] for each in both], [each[held] for each in both]
    if closed:
        means = [mean_of_units(rows) for rows in trained]
        trained, tested = ([*map(without_mean, some, means)] for some in (trained, tested))
    model = LogisticRegression(max_iter=1000)
    model.fit(np.concatenate(trained).astype(np.float64), np.repeat([0, 1], len(trained[0])))
    told = [model.predict(each.astype(np.float64)) == label for label, each in enumerate(tested)]
    share: npt.NDArray[np.float64] = (told[0].astype(np.float64) + told[1]) / 2
    return share


def modality_gap(pictures: npt.NDArray[np.float32], texts: npt.NDArray[np.float32]) -> float:
    """‖mean unit picture − mean unit text‖, from 0 (one cloud) to 2 (opposite points).

    Liang et al., *Mind the Gap*, NeurIPS 2022, arXiv 2203.02053, section 2. ``pictures`` (n, dim) and ``texts``
    (m, dim) are unit rows of one encoder.

    Raises:
        RequestError: one of them is empty, or the dimensions differ.
    """
    if not len(pictures) or not len(texts):
        raise RequestError(
            f"the gap needs both, but there are {len(pictures)} pictures and {len(texts)} texts; choose another encoder"
        )
    if pictures.shape[1] != texts.shape[1]:
        raise RequestError(
            f"pictures have {pictures.shape[1]} dimensions and texts {texts.shape[1]}; the gap needs one space"
        )
    difference = pictures.mean(axis=0, dtype=np.float64) - texts.mean(axis=0, dtype=np.float64)
    return float(np.linalg.norm(difference))


@dataclass(frozen=True)
class GapMeasures:
    """What was measured with one way to bring two modalities into one index; pairs of values are by query modality.

    Attributes:
        gap: `modality_gap`; None for ``zscore``, which leaves vectors where they are.
        separability: how often a straight line tells the modalities apart; None for ``zscore``.
        unimodal: how works find their other half in an index of the other modality alone.
        mixed: the same in one index of both, without the query itself.
        cosines: of pairs that belong together and pairs that do not; None for ``zscore``.
    """

    gap: float | None
    separability: Estimate | None
    unimodal: tuple[Retrieval, Retrieval]
    mixed: tuple[Retrieval, Retrieval]
    cosines: PairCosines | None


@dataclass(frozen=True, eq=False)
class GapReport:
    """`GapMeasures` before (``raw``) and after closing the gap by two methods, all on works that no mean has seen.

    Attributes:
        means: of each modality, float64 (dim,), fitted on ``fitted`` pairs.
        fitted: how many pairs the means were fitted on.
        measured: rows of the other pairs that everything was measured on, int64, at most ``pool``.
        mixed: how many of them, the first, were in the mixed index.
        level: the gap that sampling alone leaves when there is none: see `sampling_gap`.
        methods: method → what was measured.
    """

    means: tuple[Mean, Mean]
    fitted: int
    measured: npt.NDArray[np.int64]
    mixed: int
    level: float
    methods: Mapping[Method, GapMeasures]


def gap_report(
    first: Vectors,
    second: Vectors,
    fitting: npt.NDArray[np.bool_],
    *,
    pool: int = POOL,
    seed: int = 0,
    progress: Progress = silent,
) -> GapReport:
    """Measure two modalities before and after closing their gap.

    ``means`` is x' = unit(unit(x) − mean of its modality), with means of the ``fitting`` rows; ``zscore`` brings each
    query's scores to mean 0 and deviation 1 within each modality. Everything is measured on the other rows: at most
    ``pool`` pairs drawn with ``seed``, and in the mixed index half of the pool, so that both pools hold as many
    vectors (second paper, Tables 3 and 4, doi 10.1016/j.eswa.2024.125108: 1,000 pairs, and 500 pairs as 1,000 works).

    Args:
        first: float32 (n, dim), the first modality's vectors, such as pictures.
        second: float32 (n, dim), the second modality's vectors of the same works.
        fitting: which rows the means are fitted on, (n,).
        pool: the most pairs to measure.
        seed: of the pool and the folds of separability.

    Raises:
        RequestError: not one vector of each modality for each work; no fitting row, or fewer than 10 others.
    """
    _check(first, second, fitting)
    modalities = unit_rows(first), unit_rows(second)
    means = mean_of_units(modalities[0][fitting]), mean_of_units(modalities[1][fitting])
    measured = np.random.default_rng(seed).permutation(np.flatnonzero(~fitting))[:pool]
    mixed = min(len(measured), max(FEWEST_MEASURED, pool // 2))
    raw = modalities[0][measured], modalities[1][measured]
    closed = without_mean(raw[0], means[0]), without_mean(raw[1], means[1])
    step = f"Measuring {len(measured)} pairs"
    methods: dict[Method, GapMeasures] = {}
    progress(step, 0, 3)
    methods["raw"] = _measures(raw, mixed, closed=False, seed=seed)
    progress(step, 1, 3)
    methods["means"] = _measures(closed, mixed, closed=True, seed=seed, unclosed=raw)
    progress(step, 2, 3)
    unimodal = methods["raw"].unimodal  # one query's scores in one modality keep their order when standardised
    methods["zscore"] = GapMeasures(None, None, unimodal, _mixed(raw, mixed, standardised=True), None)
    progress(step, 3, 3)
    level = sampling_gap(
        without_mean(modalities[0][fitting], means[0]), without_mean(modalities[1][fitting], means[1]), len(measured)
    )
    return GapReport(means, int(fitting.sum()), measured, mixed, level, methods)


def sampling_gap(first: Vectors, second: Vectors, measured: int) -> float:
    """The gap to expect on ``measured`` pairs after closing where nothing but sampling moves their means.

    √(tr Cov(a − b)·(1/n + 1/measured)) over the n closed fitting pairs (a, b), float32 (n, dim) each: pairs are alike,
    so what moves one mean moves the other. A gap of this size after closing is none.
    """
    differences = first.astype(np.float64) - second
    variance = float(differences.var(axis=0).sum())
    return float(np.sqrt(variance * (1 / len(first) + 1 / measured)))


def _measures(
    modalities: tuple[Vectors, Vectors],
    mixed: int,
    *,
    closed: bool,
    seed: int,
    unclosed: tuple[Vectors, Vectors] | None = None,
) -> GapMeasures:
    """Measure vectors as they are indexed; separability closes the ``unclosed`` ones by its own training folds."""
    return GapMeasures(
        modality_gap(*modalities),
        separability(*(unclosed or modalities), closed=closed, seed=seed),
        (across(*modalities), across(modalities[1], modalities[0])),
        _mixed(modalities, mixed, standardised=False),
        pair_cosines(*modalities),
    )


def _mixed(modalities: tuple[Vectors, Vectors], count: int, *, standardised: bool) -> tuple[Retrieval, Retrieval]:
    first, second = modalities[0][:count], modalities[1][:count]
    return (among_both(first, second, standardised=standardised), among_both(second, first, standardised=standardised))


def _check(first: Vectors, second: Vectors, fitting: npt.NDArray[np.bool_]) -> None:
    if first.shape != second.shape or first.ndim != 2 or fitting.shape != (len(first),) or fitting.dtype != np.bool_:
        raise RequestError(
            f"the report needs two vectors of one space for each work and a choice of rows, but they have the "
            f"shapes {first.shape} and {second.shape} and the choice {fitting.shape}"
        )
    if not fitting.any() or len(first) - fitting.sum() < FEWEST_MEASURED:
        raise RequestError(
            f"of {len(first)} pairs {fitting.sum()} are for fitting the means; the report needs 1 or more for that and "
            f"{FEWEST_MEASURED} or more others to measure; add works that have both"
        )
