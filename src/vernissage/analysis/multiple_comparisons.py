"""p values of a family of comparisons, and what they are worth when all of them are looked at."""

import numpy as np
import numpy.typing as npt
from scipy import special

from vernissage.errors import RequestError

FloatArray = npt.NDArray[np.float64]

SMALLEST_P = 1e-300
"""The smallest p value that is reported, also for smaller ones: no evidence is absolute, so none is 0."""


def two_sided_p(t: npt.ArrayLike, df: npt.ArrayLike) -> FloatArray:
    """2·P(T_df > |t|), by the tail itself, which keeps small values that 1 − cdf would round to 0.

    Shapes broadcast; NaN where t or df is NaN; never below `SMALLEST_P`.
    """
    tail = 2.0 * special.stdtr(np.asarray(df, dtype=np.float64), -np.abs(np.asarray(t, dtype=np.float64)))
    result: FloatArray = np.where(np.isnan(tail), np.nan, np.clip(tail, SMALLEST_P, 1.0))
    return result


def holm_adjusted(p_values: npt.ArrayLike) -> FloatArray:
    """p values adjusted by Holm's step-down method for the family along the last axis; shape (..., m) stays.

    The i-th smallest of m is multiplied by m − i + 1, none is smaller than one before it, and none exceeds 1. NaN stays
    NaN and does not count as a member. Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    values = np.asarray(p_values, dtype=np.float64)
    members = np.sum(~np.isnan(values), axis=-1, keepdims=True)
    # NaN sorts last, so that the multipliers of the members are those of a family without it.
    order = np.argsort(values, axis=-1, kind="stable")
    multipliers = members - np.arange(values.shape[-1])
    stepped = np.minimum(1.0, np.maximum.accumulate(np.take_along_axis(values, order, -1) * multipliers, axis=-1))
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, stepped, axis=-1)
    return adjusted


def effect_size(t: npt.ArrayLike, df: npt.ArrayLike) -> FloatArray:
    """r = sign(t)·√(t²/(t² + df)), from −1 to 1; NaN where t or df is NaN."""
    value = np.asarray(t, dtype=np.float64)
    square = value**2
    result: FloatArray = np.sign(value) * np.sqrt(square / (square + np.asarray(df, dtype=np.float64)))
    return result


def format_p(p: float) -> str:
    """A p value as it is printed: three decimals, two digits when smaller, "< 1e-300" at the end of the scale."""
    if not 0 <= p <= 1:
        raise RequestError(f"p values lie between 0 and 1, but this one is {p}")
    if p <= SMALLEST_P:
        return f"< {SMALLEST_P:.0e}"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"
