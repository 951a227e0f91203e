import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vernissage.errors import RequestError
from vernissage_lab.analysis.welch import welch_test


def test_the_arithmetic_of_a_small_case() -> None:
    """Means 2 and 5; variances 1 and 4 of 3 values each: se² = 1/3 and 4/3, df = (5/3)²/((1/9 + 16/9)/2)."""
    found = welch_test([1, 2, 3], [3, 5, 7])
    assert found.difference == -3
    assert found.t == pytest.approx(-3 / math.sqrt(5 / 3))
    assert found.df == pytest.approx((25 / 9) / (17 / 18))
    assert found.p == pytest.approx(2 * stats.t.sf(3 / math.sqrt(5 / 3), found.df))


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(2, 40), st.floats(0.01, 100))
def test_it_agrees_with_scipy(seed: int, n: int, m: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    first, second = random.normal(0, 1, n), random.normal(0.5, spread, m)
    found, known = welch_test(first, second), stats.ttest_ind(first, second, equal_var=False)
    assert (found.t, found.df, found.p) == pytest.approx((known.statistic, known.df, known.pvalue), rel=1e-7)


def test_p_is_never_zero() -> None:
    random = np.random.default_rng(0)
    found = welch_test(random.normal(0, 1e-3, 4000), random.normal(50, 1e-3, 4000))
    assert stats.ttest_ind(random.normal(0, 1e-3, 4000), random.normal(50, 1e-3, 4000), equal_var=False).pvalue == 0
    assert found.p == 1e-300


def test_groups_without_spread_are_refused() -> None:
    with pytest.raises(RequestError, match="all are the same"):
        welch_test([1, 1, 1], [2, 2])
    with pytest.raises(RequestError, match="2 finite values"):
        welch_test([1], [2, 3])
