"""What each engine is rated by the model, and how engines differ, with errors, intervals and p values."""

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from vernissage.analysis.mixed_effects import FitStatus, MixedEffectsFit, satterthwaite_df
from vernissage.analysis.multiple_comparisons import effect_size, holm_adjusted, two_sided_p

FloatArray = npt.NDArray[np.float64]

Status = Literal[FitStatus, "no data"]


@dataclass(frozen=True)
class MarginalMean:
    """The estimated marginal mean of one engine for one variable; NaN where there is none.

    Attributes:
        se: its standard error, the root of (X'V⁻¹X)⁻¹'s diagonal.
        df: Satterthwaite's degrees of freedom.
        lower95, upper95: the 95 % interval of Student's t, not adjusted for the number of engines.
    """

    variable: str
    engine: str
    emmean: float = math.nan
    se: float = math.nan
    df: float = math.nan
    lower95: float = math.nan
    upper95: float = math.nan


@dataclass(frozen=True)
class Contrast:
    """How one engine's mean differs from another's for one variable; NaN where that cannot be said.

    Attributes:
        estimate: the mean of ``engine_a`` minus that of ``engine_b``.
        se, df: its standard error, and Satterthwaite's degrees of freedom.
        statistic: t = estimate/se.
        p_raw: two-sided; never 0.
        p_holm: adjusted by Holm's method for all contrasts of this variable.
        r: the effect size sign(t)·√(t²/(t² + df)).
        status: that of the model.
    """

    variable: str
    engine_a: str
    engine_b: str
    estimate: float = math.nan
    se: float = math.nan
    df: float = math.nan
    statistic: float = math.nan
    p_raw: float = math.nan
    p_holm: float = math.nan
    r: float = math.nan
    status: Status = "no data"


@dataclass(frozen=True)
class ContrastInterval:
    """The 95 % interval of a contrast's estimate by Student's t, not adjusted for the number of contrasts."""

    variable: str
    engine_a: str
    engine_b: str
    lower95: float
    upper95: float


def marginal_means(variable: str, engines: tuple[str, ...], fit: MixedEffectsFit) -> tuple[MarginalMean, ...]:
    """The mean of each of ``engines``, the names of the fit's columns."""
    errors = np.sqrt(np.diag(fit.covariance))
    df = satterthwaite_df(fit, np.eye(len(engines)))
    half = special.stdtrit(df, 0.975) * errors
    columns = (fit.beta, errors, df, fit.beta - half, fit.beta + half)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(MarginalMean(variable, engine, *row) for engine, row in zip(engines, rows, strict=True))


def pairwise_contrasts(variable: str, engines: tuple[str, ...], fit: MixedEffectsFit) -> tuple[Contrast, ...]:
    """All pairs of ``engines``, the names of the fit's columns, each in the order given."""
    pairs = list(itertools.combinations(range(len(engines)), 2))
    if not pairs:
        return ()
    comparisons = np.eye(len(engines))[[a for a, _ in pairs]] - np.eye(len(engines))[[b for _, b in pairs]]
    estimates = comparisons @ fit.beta
    errors = np.sqrt(np.einsum("mj,jk,mk->m", comparisons, fit.covariance, comparisons))
    df = satterthwaite_df(fit, comparisons)
    t = estimates / errors
    p = two_sided_p(t, df)
    columns = (estimates, errors, df, t, p, holm_adjusted(p), effect_size(t, df))
    rows = zip(*(column.tolist() for column in columns), [fit.status] * len(pairs), strict=True)
    return tuple(Contrast(variable, engines[a], engines[b], *row) for (a, b), row in zip(pairs, rows, strict=True))


def contrast_intervals(contrasts: Collection[Contrast]) -> tuple[ContrastInterval, ...]:
    """The interval of each contrast; NaN where it has no error."""
    return tuple(
        ContrastInterval(each.variable, each.engine_a, each.engine_b, each.estimate - half, each.estimate + half)
        for each in contrasts
        for half in [float(special.stdtrit(each.df, 0.975)) * each.se]
    )
