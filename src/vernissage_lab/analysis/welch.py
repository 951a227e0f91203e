"""Whether two groups of unequal spread have the same mean."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.analysis.multiple_comparisons import two_sided_p
from vernissage.analysis.paired import mean_with_error
from vernissage.errors import RequestError


@dataclass(frozen=True)
class WelchTest:
    """Welch's t-test of two independent groups.

    Attributes:
        difference: the mean of the first less that of the second.
        t: difference / √(se₁² + se₂²).
        df: the degrees of freedom of Welch and Satterthwaite, not rounded.
        p: two-sided, by the survival function; never below 1e-300.
    """

    difference: float
    t: float
    df: float
    p: float


def welch_test(first: npt.ArrayLike, second: npt.ArrayLike) -> WelchTest:
    """Compare the means of two groups, (n,) and (m,), whose variances may differ.

    df = (se₁² + se₂²)² / (se₁⁴/(n − 1) + se₂⁴/(m − 1)). Source: Welch, Biometrika 34, 1947.

    Raises:
        RequestError: fewer than 2 values in a group, values that are not finite, or no spread in either group.
    """
    one, other = mean_with_error(first), mean_with_error(second)
    squares = np.square([one.se, other.se])
    if not squares.sum() > 0:
        raise RequestError("Welch's test needs values that differ within a group, but all are the same; measure more")
    difference = one.mean - other.mean
    t = difference / float(np.sqrt(squares.sum()))
    shares = squares / squares.sum()  # of the variance: the fourth powers of small errors would vanish
    df = 1.0 / float((shares**2 / (np.array([one.n, other.n]) - 1)).sum())
    return WelchTest(difference, t, df, float(two_sided_p(t, df)))
