"""The closed form of complete studies, spelled out, against the model that is fitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.analysis.balanced import balanced_contrasts
from vernissage.analysis.mixed_effects import (
    MixedEffectsFit,
    cells_of,
    fit_mixed_effects,
    marginal_means,
    pairwise_contrasts,
)
from vernissage.errors import RequestError


def fitted(ratings: np.ndarray) -> MixedEffectsFit:
    """The model of complete ratings (n, k, m)."""
    n, k, m = ratings.shape
    return fit_mixed_effects(
        cells_of(np.repeat(np.arange(n), k * m), np.tile(np.repeat(np.arange(k), m), n), ratings.ravel())
    )


def study(seed: int, n: int, k: int, m: int, participant_sd: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    means = 3 + 0.3 * np.arange(k) + participant_sd * random.normal(size=(n, 1))
    return means[:, :, None] + random.normal(size=(n, k, m))


@pytest.mark.parametrize(("n", "k", "m"), [(12, 3, 1), (7, 5, 2), (2, 2, 3), (30, 4, 2)])
@pytest.mark.parametrize("participant_sd", [0.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_balanced_studies_have_the_two_way_table_of_variances(
    n: int, k: int, m: int, participant_sd: float, seed: int
) -> None:
    ratings = study(seed, n, k, m, participant_sd)
    people, engines, total = ratings.mean(axis=(1, 2)), ratings.mean(axis=(0, 2)), ratings.mean()
    between = k * m * float(np.sum((people - total) ** 2))
    error = float(np.sum((ratings - people[:, None, None] - engines[:, None] + total) ** 2))
    freedom = n * k * m - n - k + 1
    mse, msb = error / freedom, between / (n - 1)
    fit = fitted(ratings)
    first = pairwise_contrasts("v", tuple("abcde"[:k]), fit)[0]
    if msb > mse:
        assert fit.status == "ok"
        assert (fit.var_residual, fit.var_participant) == pytest.approx((mse, (msb - mse) / (k * m)), rel=1e-9)
        assert (first.se, first.df) == pytest.approx((np.sqrt(2 * mse / (n * m)), freedom), rel=1e-8)
    else:
        assert fit.status == "singular"
        assert fit.var_participant == 0
        assert fit.var_residual == pytest.approx((error + between) / (n * k * m - k), rel=1e-12)
        assert first.df == n * k * m - k
        assert first.se == pytest.approx(np.sqrt(2 * fit.var_residual / (n * m)), rel=1e-12)
    assert first.estimate == pytest.approx(engines[0] - engines[1], abs=1e-12)
    means = marginal_means("v", tuple("abcde"[:k]), fit)
    assert [each.emmean for each in means] == pytest.approx(engines.tolist(), abs=1e-12)
    assert means[0].se == pytest.approx(np.sqrt((fit.var_residual / m + fit.var_participant) / n), rel=1e-9)


@given(
    st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(2, 5), st.sampled_from([0.0, 0.3, 1.5]), st.booleans()
)
@settings(deadline=None, max_examples=40)
def test_many_studies_at_once_are_the_fitted_models(
    seed: int, n: int, k: int, participant_sd: float, whole: bool
) -> None:
    studies = np.stack([study(seed + number, n, k, 1, participant_sd)[:, :, 0] for number in range(3)])
    if whole:
        studies = np.clip(np.rint(studies), 1, 5)
    bulk = balanced_contrasts(studies)
    for number, ratings in enumerate(studies):
        fit = fitted(ratings[:, :, None])
        contrasts = pairwise_contrasts("v", tuple("abcde"[:k]), fit)
        if fit.status == "degenerate":
            assert np.isnan(bulk.p_holm[number]).all()
            continue
        margin = bulk.var_participant[number] / bulk.var_residual[number]
        if 0 < margin < 1e-6:  # on the brink, where rounding decides which side it falls
            continue
        assert fit.var_residual == pytest.approx(bulk.var_residual[number], rel=1e-8)
        assert fit.var_participant == pytest.approx(bulk.var_participant[number], rel=1e-6, abs=1e-9)
        for name in ("statistic", "p_raw", "p_holm", "r"):
            ours = [getattr(each, name) for each in contrasts]
            assert ours == pytest.approx(getattr(bulk, name)[number].tolist(), rel=1e-6, abs=1e-9)
        assert [each.estimate for each in contrasts] == pytest.approx(bulk.estimates[number].tolist(), abs=1e-9)
        assert contrasts[0].df == pytest.approx(bulk.df[number], rel=1e-6)


def test_a_stack_of_studies_is_each_study_for_itself() -> None:
    studies = np.stack([study(seed, 9, 4, 1, 1.0)[:, :, 0] for seed in range(6)]).reshape(2, 3, 9, 4)
    bulk = balanced_contrasts(studies)
    assert bulk.p_holm.shape == (2, 3, 6)
    assert bulk.se.shape == (2, 3)
    assert bulk.pairs == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    assert balanced_contrasts(studies[1, 2]).p_holm == pytest.approx(bulk.p_holm[1, 2], rel=1e-12)


def test_a_study_without_residuals_has_estimates_alone() -> None:
    ratings = np.array([[1.0, 2.0, 4.0], [2.0, 3.0, 5.0]])
    bulk = balanced_contrasts(ratings)
    assert bulk.estimates.tolist() == [-1.0, -3.0, -2.0]
    assert np.isnan([bulk.se, bulk.df]).all()
    assert np.isnan([bulk.statistic, bulk.p_raw, bulk.p_holm, bulk.r]).all()


@pytest.mark.parametrize("ratings", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 2.0], [3.0, np.nan]], [1.0, 2.0]])
def test_incomplete_studies_are_refused(ratings: list[list[float]]) -> None:
    with pytest.raises(RequestError, match="complete studies"):
        balanced_contrasts(ratings)
