import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vernissage.analysis.multiple_comparisons import format_p, holm_adjusted
from vernissage.errors import RequestError
from vernissage_lab.analysis.paired import mean_with_error, paired_difference


def test_mean_and_error_by_hand() -> None:
    estimate = mean_with_error([1, 2, 3, 6])
    variance = ((1 - 3) ** 2 + (2 - 3) ** 2 + 0 + (6 - 3) ** 2) / 3
    assert (estimate.mean, estimate.n) == (3, 4)
    assert estimate.se == pytest.approx(math.sqrt(variance / 4))


def test_a_paired_difference_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0.3, 1, 40), random.normal(0, 1, 40)
    found, reference = paired_difference(a, b), stats.ttest_rel(a, b)
    assert found.t == pytest.approx(reference.statistic)
    assert found.p == pytest.approx(reference.pvalue)
    interval = reference.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_differences_that_are_all_the_same() -> None:
    nothing = paired_difference([1, 2, 3], [1, 2, 3])
    assert (nothing.mean, nothing.t, nothing.p) == (0, 0, 1)
    constant = paired_difference([2, 3, 4], [1, 2, 3])
    assert (constant.mean, constant.se, constant.t) == (1, 0, math.inf)
    assert format_p(constant.p) == "< 1e-300"


def test_small_p_values_are_kept() -> None:
    a = np.linspace(1, 1.001, 2000)
    found = paired_difference(a, np.zeros(2000))
    assert format_p(found.p) == "< 1e-300"
    assert 0 < paired_difference(a[:40], np.zeros(40)).p < 1e-100


def test_p_values_are_printed_for_people() -> None:
    assert [format_p(p) for p in (1.0, 0.0314, 0.001, 0.00042, 3e-20, 0.0)] == [
        "1.000",
        "0.031",
        "0.001",
        "4.2e-04",
        "3.0e-20",
        "< 1e-300",
    ]


def test_holm_by_hand() -> None:
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.01 * 3, 0.03 * 2, 0.03 * 2, 0.005 * 4))
    assert holm_adjusted([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm_adjusted([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_and_bonferronis_values(raw: list[float]) -> None:
    adjusted = holm_adjusted(raw).tolist()
    for p, q in zip(raw, adjusted, strict=True):
        assert p <= q <= min(1, p * len(raw))
    assert sorted(adjusted) == [q for _, q in sorted(zip(raw, adjusted, strict=True))]


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=30))
def test_turning_the_comparison_turns_the_sign_alone(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert (one.mean, one.se, one.t, one.p) == pytest.approx((-other.mean, other.se, -other.t, other.p))
    assert one.low <= one.mean <= one.high


def test_impossible_input_is_refused() -> None:
    for values in ([1.0], [1.0, math.nan], [[1.0, 2.0]]):
        with pytest.raises(RequestError, match="2 finite values"):
            mean_with_error(values)
    with pytest.raises(RequestError, match="3 and 2"):
        paired_difference([1, 2, 3], [1, 2])
    with pytest.raises(RequestError, match="between 0 and 1"):
        format_p(math.nan)
