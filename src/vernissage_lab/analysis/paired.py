"""Means with standard errors, and whether one engine beats another for the same people."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from vernissage.errors import RequestError


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` people and its standard error s/√n."""

    mean: float
    se: float
    n: int


@dataclass(frozen=True)
class PairedDifference(Estimate):
    """The mean of a − b over the same ``n`` people.

    Attributes:
        se: its standard error, s/√n of the single differences.
        low, high: the 95 % interval from Student's t with n − 1 degrees of freedom.
        t: mean/se; infinite where every difference is the same but not 0, and 0 where all are 0.
        p: two-sided, 2·P(T > |t|) by the survival function, which keeps small values that 1 − cdf would round to 0.
    """

    low: float
    high: float
    t: float
    p: float


def mean_with_error(values: npt.ArrayLike) -> Estimate:
    """The mean and its standard error, s/√n with s over n − 1.

    Raises:
        RequestError: fewer than 2 values, or values that are not finite.
    """
    checked = _checked(values)
    return Estimate(float(checked.mean()), float(checked.std(ddof=1) / math.sqrt(len(checked))), len(checked))


def paired_difference(a: npt.ArrayLike, b: npt.ArrayLike) -> PairedDifference:
    """The paired t-test of a against b, the values of the same people in the same order, (n,) each.

    Raises:
        RequestError: unequal lengths, fewer than 2 values, or values that are not finite.
    """
    first, second = _checked(a), _checked(b)
    if len(first) != len(second):
        raise RequestError(f"a paired difference needs the same people twice, but got {len(first)} and {len(second)}")
    estimate = mean_with_error(first - second)
    freedom = estimate.n - 1
    half = float(stats.t.ppf(0.975, freedom)) * estimate.se
    t = _ratio(estimate.mean, estimate.se)
    p = min(1.0, 2 * float(stats.t.sf(abs(t), freedom)))
    return PairedDifference(estimate.mean, estimate.se, estimate.n, estimate.mean - half, estimate.mean + half, t, p)


def _ratio(mean: float, se: float) -> float:
    if se > 0:
        return mean / se
    return math.copysign(math.inf, mean) if mean else 0.0


def _checked(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    flat = np.asarray(values, dtype=np.float64)
    if flat.ndim != 1 or len(flat) < 2 or not np.isfinite(flat).all():
        raise RequestError(f"a standard error needs 2 finite values or more, but got shape {flat.shape}")
    return flat
