"""The mixed-effects model in closed form, for many complete studies at once: what a power simulation needs.

Where every participant has one rating of every engine, REML's equations are solved by two mean squares: that of what
participants and engines leave over, MSE, and that of participants, MSB. σ² = MSE and σ²_p = (MSB − MSE)/k if that is
positive, else 0 with both pooled. Source: Searle, Casella and McCulloch, *Variance Components*, 1992, section 4.7.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.analysis.mixed_effects import NEGLIGIBLE, SMALLEST_RATIO
from vernissage.analysis.multiple_comparisons import effect_size, holm_adjusted, two_sided_p
from vernissage.errors import RequestError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BalancedContrasts:
    """All pairs of k engines in each study; shapes begin with that of the studies, written ….

    Attributes:
        pairs: the engines' columns, a before b; m = k(k − 1)/2 of them.
        estimates: the mean of a minus that of b, float64 (…, m).
        se: of every contrast of a study, float64 (…); NaN, as all that follows, where no residual is left.
        df: Satterthwaite's degrees of freedom, here exactly (n − 1)(k − 1), or nk − k on the boundary, float64 (…).
        statistic, p_raw, p_holm, r: as in `Contrast`, float64 (…, m).
        var_participant, var_residual: σ²_p and σ², float64 (…).
    """

    pairs: tuple[tuple[int, int], ...]
    estimates: FloatArray
    se: FloatArray
    df: FloatArray
    statistic: FloatArray
    p_raw: FloatArray
    p_holm: FloatArray
    r: FloatArray
    var_participant: FloatArray
    var_residual: FloatArray


def balanced_contrasts(ratings: npt.ArrayLike) -> BalancedContrasts:
    """The contrasts that `fit_mixed_effects` would give, for studies in which each participant rated each engine.

    ``ratings`` is float64 (…, n, k): one value, such as the mean of two showings, for each of n participants and k
    engines.

    Raises:
        RequestError: fewer than 2 participants or engines, or a rating that is missing.
    """
    values = np.asarray(ratings, dtype=np.float64)
    if values.ndim < 2 or min(values.shape[-2:]) < 2 or not np.isfinite(values).all():
        raise RequestError(
            f"complete studies have a rating of each of 2 engines or more by each of 2 participants or more, but "
            f"shape {values.shape} was given, or a rating is missing; leave incomplete participants out"
        )
    n, k = values.shape[-2:]
    var_participant, var_residual, df = _variances(values)
    pairs = tuple(itertools.combinations(range(k), 2))
    means = values.mean(axis=-2)
    estimates = means[..., [a for a, _ in pairs]] - means[..., [b for _, b in pairs]]
    se = np.sqrt(2 * var_residual / n)
    errors = np.where(se > 0, se, np.nan)
    statistic = estimates / errors[..., None]
    p_raw = two_sided_p(statistic, df[..., None])
    r = effect_size(statistic, df[..., None])
    degrees = np.where(se > 0, df, np.nan)
    return BalancedContrasts(
        pairs, estimates, errors, degrees, statistic, p_raw, holm_adjusted(p_raw), r, var_participant, var_residual
    )


def _variances(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """σ²_p, σ² (0 where nothing is left over) and the contrasts' degrees of freedom."""
    n, k = values.shape[-2:]
    total = values.mean(axis=(-2, -1), keepdims=True)
    people = values.mean(axis=-1, keepdims=True) - total
    left = values - values.mean(axis=-2, keepdims=True) - people
    scatter, between = np.sum(left**2, axis=(-2, -1)), k * np.sum(people**2, axis=(-2, -1))
    error, participants = scatter / ((n - 1) * (k - 1)), between / (n - 1)
    pooled = (scatter + between) / (n * k - k)
    inside = participants - error >= SMALLEST_RATIO * k * error
    nothing = scatter <= NEGLIGIBLE * np.sum(values**2, axis=(-2, -1))
    residual = np.where(nothing, 0.0, np.where(inside, error, pooled))
    return (
        np.where(inside, (participants - error) / k, 0.0),
        residual,
        np.where(inside, float((n - 1) * (k - 1)), float(n * k - k)),
    )
