"""How far apart an encoder keeps two modalities, what that does to finding works, and what closing the gap brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.analysis.paired import Estimate
from vernissage.encoders.centring import Mean, mean_of_units, without_mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.progress import Progress, silent
from vernissage.values import Vectors
from vernissage_lab.analysis.gap_cosines import PairCosines, pair_cosines
from vernissage_lab.analysis.gap_retrieval import Retrieval, across, among_both
from vernissage_lab.analysis.gap_separability import separability

FEWEST_MEASURED = 10
POOL = 1000

Method = Literal["raw", "means", "zscore"]


def modality_gap(pictures: npt.NDArray[np.float32], texts: npt.NDArray[np.float32]) -> float:
    """‖mean unit picture − mean unit text‖, from 0 (one cloud) to 2 (opposite points).

    Liang et al., *Mind the Gap*, NeurIPS 2022, arXiv 2203.02053, section 2. ``pictures`` (n, dim) and ``texts``
    (m, dim) are unit rows of one encoder.

    Raises:
        RequestError: one side is empty, or the dimensions differ.
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
        progress: told of every step.

    Raises:
        RequestError: not one vector of each modality for each work; no fitting row, or fewer than 10 others.
    """
    _check(first, second, fitting)
    sides = unit_rows(first), unit_rows(second)
    means = mean_of_units(sides[0][fitting]), mean_of_units(sides[1][fitting])
    measured = np.random.default_rng(seed).permutation(np.flatnonzero(~fitting))[:pool]
    mixed = min(len(measured), max(FEWEST_MEASURED, pool // 2))
    raw = sides[0][measured], sides[1][measured]
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
        without_mean(sides[0][fitting], means[0]), without_mean(sides[1][fitting], means[1]), len(measured)
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
    sides: tuple[Vectors, Vectors],
    mixed: int,
    *,
    closed: bool,
    seed: int,
    unclosed: tuple[Vectors, Vectors] | None = None,
) -> GapMeasures:
    """Measure vectors as they are indexed; separability closes the ``unclosed`` ones by its own training folds."""
    return GapMeasures(
        modality_gap(*sides),
        separability(*(unclosed or sides), closed=closed, seed=seed),
        (across(*sides), across(sides[1], sides[0])),
        _mixed(sides, mixed, standardised=False),
        pair_cosines(*sides),
    )


def _mixed(sides: tuple[Vectors, Vectors], count: int, *, standardised: bool) -> tuple[Retrieval, Retrieval]:
    first, second = sides[0][:count], sides[1][:count]
    return (
        among_both(first, second, standardised=standardised),
        among_both(second, first, standardised=standardised),
    )


def _check(first: Vectors, second: Vectors, fitting: npt.NDArray[np.bool_]) -> None:
    if first.shape != second.shape or first.ndim != 2 or fitting.shape != (len(first),) or fitting.dtype != np.bool_:
        raise RequestError(
            f"the report needs two vectors of one space for each work and a choice of rows, but the sides have the "
            f"shapes {first.shape} and {second.shape} and the choice {fitting.shape}"
        )
    if not fitting.any() or len(first) - fitting.sum() < FEWEST_MEASURED:
        raise RequestError(
            f"of {len(first)} pairs {fitting.sum()} are for fitting the means; the report needs 1 or more for that and "
            f"{FEWEST_MEASURED} or more others to measure; add works that have both"
        )
