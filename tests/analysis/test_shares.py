"""Shares over clusters: spelled-out arithmetic, agreement with independent trials, and intervals that hold what they say."""

import math

import numpy as np
import pytest

from vernissage.analysis.shares import clustered_share, share_contrasts


def test_the_variance_of_a_ratio_of_sums_is_that_of_its_residuals() -> None:
    found = clustered_share([2, 0, 1], [4, 2, 4])
    assert found.estimate == pytest.approx(0.3)
    # residuals 2 - 1.2, 0 - 0.6, 1 - 1.2; squares 0.64 + 0.36 + 0.04 = 1.04; 3/2 of them by 10²
    assert found.se == pytest.approx(math.sqrt(1.5 * 1.04 / 100))
    assert 0 <= found.lower95 < 0.3 < found.upper95 <= 1


def test_clusters_of_one_trial_are_independent_trials_with_wilsons_interval() -> None:
    found = clustered_share([1] * 30 + [0] * 70, [1] * 100)
    assert found.se == pytest.approx(math.sqrt(0.3 * 0.7 / 99))
    # Wilson's at 100 trials is 0.2189 to 0.3958; here by t with 99 degrees of freedom and 99 trials
    assert (found.lower95, found.upper95) == pytest.approx((0.2189, 0.3958), abs=0.003)


def test_nothing_opened_has_an_interval_and_one_cluster_has_none() -> None:
    none = clustered_share([0] * 20, [9] * 20)
    assert (none.estimate, none.se, none.lower95) == (0, 0, 0)
    assert 0.1 < none.upper95 < 0.25
    one = clustered_share([1], [9])
    assert one.estimate == pytest.approx(1 / 9)
    assert math.isnan(one.lower95)
    assert math.isnan(clustered_share([], []).estimate)


def test_intervals_hold_the_share_of_visitors_who_differ() -> None:
    chance, held, both = np.random.default_rng(7), 0, 0
    for _ in range(400):
        shares = {}
        for name, mean in (("a", 0.3), ("b", 0.15)):
            own = chance.beta(4 * mean, 4 * (1 - mean), 60)
            trials = 9 * chance.integers(1, 5, 60)
            shares[name] = clustered_share(chance.binomial(trials, own), trials)
        held += shares["a"].lower95 < 0.3 < shares["a"].upper95
        [contrast] = share_contrasts("opened", shares)
        both += abs(contrast.estimate - 0.15) < 2 * contrast.se
    assert 0.91 < held / 400 < 0.98
    assert 0.91 < both / 400 < 0.98


def test_contrasts_are_of_all_pairs_with_welchs_degrees_of_freedom() -> None:
    shares = {"a": clustered_share([3, 5, 4], [9, 9, 9]), "b": clustered_share([1, 1, 2, 0], [9] * 4)}
    shares["c"] = clustered_share([0, 0], [9, 9])
    first, _, last = share_contrasts("opened", shares)
    parts = [shares[name].se ** 2 for name in "ab"]
    assert first.estimate == pytest.approx(12 / 27 - 4 / 36)
    assert first.se == pytest.approx(math.sqrt(sum(parts)))
    assert first.df == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 3))
    assert first.p_raw < first.p_holm < 0.05
    assert (last.engine_a, last.engine_b) == ("b", "c")
    [alone] = share_contrasts("opened", {"c": shares["c"], "d": shares["c"]})
    assert (alone.status, math.isnan(alone.p_holm)) == ("not estimable", True)
    assert share_contrasts("opened", {}) == ()
