"""The model against its definition: dense matrices, and derivatives by differences."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vernissage.analysis.mixed_effects import (
    Cells,
    MixedEffectsFit,
    cells_of,
    fit_mixed_effects,
    observed_information,
    pairwise_contrasts,
    satterthwaite_df,
)

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def unbalanced(seed: int, n: int = 9, k: int = 4, participant_sd: float = 0.8) -> Rows:
    """Participants, engines and values with 0 to 3 answers in each cell, every participant and engine present."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, size=(n, k))
    counts[np.arange(n), np.arange(n) % k] += 1
    people, engines = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices((n, k)))
    effects = participant_sd * random.normal(size=n)
    return people, engines, 3 + 0.4 * engines + effects[people] + random.normal(size=len(people))


class Dense:
    """The model with every matrix written out."""

    def __init__(self, rows: Rows) -> None:
        people, engines, self.y = rows
        self.z, self.x = np.eye(people.max() + 1)[people], np.eye(engines.max() + 1)[engines]
        self.parts = [self.z @ self.z.T, np.eye(len(self.y))]

    def covariance(self, variances: np.ndarray) -> np.ndarray:
        """(X'V⁻¹X)⁻¹."""
        inverse = np.linalg.inv(np.tensordot(variances, self.parts, 1))
        return np.linalg.inv(self.x.T @ inverse @ self.x)

    def variance(self, comparison: np.ndarray, variances: np.ndarray) -> float:
        """Of a comparison of the engines' means."""
        return float(comparison @ self.covariance(variances) @ comparison)

    def projection(self, variances: np.ndarray) -> np.ndarray:
        """P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹."""
        inverse = np.linalg.inv(np.tensordot(variances, self.parts, 1))
        return inverse - inverse @ self.x @ self.covariance(variances) @ self.x.T @ inverse

    def loglik(self, variances: np.ndarray) -> float:
        """−½(log|V| + log|X'V⁻¹X| + y'Py + (N − k)·log 2π)."""
        v = np.tensordot(variances, self.parts, 1)
        logs = np.linalg.slogdet(v)[1] - np.linalg.slogdet(self.covariance(variances))[1]
        freedom = self.x.shape[0] - self.x.shape[1]
        return -0.5 * float(logs + self.y @ self.projection(variances) @ self.y + freedom * np.log(2 * np.pi))

    def information(self, variances: np.ndarray) -> np.ndarray:
        """½(−tr(P V_i P V_j) + 2 y'P V_i P V_j P y)."""
        p, y = self.projection(variances), self.y
        return np.array(
            [[0.5 * (-np.trace(p @ a @ p @ b) + 2 * y @ p @ a @ p @ b @ p @ y) for b in self.parts] for a in self.parts]
        )


def slopes(function, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """The derivatives of ``function`` by central differences."""
    moves = step * at * np.eye(len(at))
    return np.array([(function(at + move) - function(at - move)) / (2 * move.sum()) for move in moves])


def variances_of(fit: MixedEffectsFit) -> np.ndarray:
    return np.array([fit.var_participant, fit.var_residual])


@pytest.mark.parametrize("seed", range(12))
def test_estimates_are_those_of_the_dense_formulas(seed: int) -> None:
    rows = unbalanced(seed)
    fit, dense = fit_mixed_effects(cells_of(*rows)), Dense(rows)
    variances = variances_of(fit)
    covariance = dense.covariance(variances)
    inverse = np.linalg.inv(np.tensordot(variances, dense.parts, 1))
    assert fit.beta == pytest.approx(covariance @ dense.x.T @ inverse @ dense.y, rel=1e-10)
    assert fit.covariance == pytest.approx(covariance, rel=1e-9)
    assert fit.reml_loglik == pytest.approx(dense.loglik(variances), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("participant_sd", [0.0, 0.8, 5.0])
def test_no_other_variances_are_likelier(seed: int, participant_sd: float) -> None:
    rows = unbalanced(seed, participant_sd=participant_sd)
    fit, dense = fit_mixed_effects(cells_of(*rows)), Dense(rows)
    if fit.status == "ok":
        assert slopes(dense.loglik, variances_of(fit)) == pytest.approx([0, 0], abs=1e-5)
    else:
        assert (fit.status, fit.var_participant) == ("singular", 0)
    for ratio in np.logspace(-4, 3, 30):
        for residual in fit.var_residual * np.array([0.5, 0.9, 1.0, 1.1, 2.0]):
            assert dense.loglik(np.array([ratio * residual, residual])) <= fit.reml_loglik + 1e-9


def test_both_kinds_of_estimates_are_met_above() -> None:
    found = {fit_mixed_effects(cells_of(*unbalanced(seed, participant_sd=0.0))).status for seed in range(12)}
    assert found == {"ok", "singular"}


@pytest.mark.parametrize("seed", range(12))
def test_degrees_of_freedom_are_those_of_the_definition(seed: int) -> None:
    rows = unbalanced(seed, participant_sd=1.0)
    fit, dense = fit_mixed_effects(cells_of(*rows)), Dense(rows)
    assert fit.status == "ok"
    variances = variances_of(fit)
    information = dense.information(variances)
    assert observed_information(fit) == pytest.approx(information, rel=1e-8)
    numerical = -slopes(lambda at: slopes(dense.loglik, at, 1e-4), variances, 1e-4)
    assert information == pytest.approx(numerical, rel=1e-3, abs=1e-3)

    comparisons = np.array([[1.0, -1, 0, 0], [0, 1, 0, -1], [0, 0, 1, 0], [0.5, 0.5, -0.5, -0.5]])
    found = satterthwaite_df(fit, comparisons)
    for comparison, df in zip(comparisons, found, strict=True):
        variance = partial(dense.variance, comparison)
        slope = slopes(variance, variances)
        assert df == pytest.approx(
            2 * variance(variances) ** 2 / (slope @ np.linalg.inv(information) @ slope), rel=1e-6
        )


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_names_and_order_do_not_matter(seed: int) -> None:
    people, engines, values = unbalanced(seed, n=6, k=3)
    shuffle = np.random.default_rng(seed).permutation(len(values))
    other_names = np.random.default_rng(seed + 1).permutation(6)
    first = fit_mixed_effects(cells_of(people, engines, values))
    second = fit_mixed_effects(cells_of(other_names[people][shuffle], 2 - engines[shuffle], values[shuffle]))
    assert second.status == first.status
    assert second.beta[::-1] == pytest.approx(first.beta, rel=1e-7)
    assert variances_of(second) == pytest.approx(variances_of(first), rel=1e-6, abs=1e-9)


@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 20))
@settings(deadline=None, max_examples=30)
def test_shifting_and_stretching_ratings_shifts_and_stretches_means(seed: int, shift: float, factor: float) -> None:
    people, engines, values = unbalanced(seed, n=6, k=3)
    first = fit_mixed_effects(cells_of(people, engines, values))
    second = fit_mixed_effects(cells_of(people, engines, shift + factor * values))
    assert second.status == first.status
    assert second.beta == pytest.approx(shift + factor * first.beta, rel=1e-6, abs=1e-6)
    assert variances_of(second) == pytest.approx(factor**2 * variances_of(first), rel=1e-5, abs=1e-7)
    if first.status == "ok":
        unit = np.eye(3)
        assert satterthwaite_df(second, unit) == pytest.approx(satterthwaite_df(first, unit), rel=1e-4)


def table(answers: list[list[float | None]]) -> Cells:
    """Cells of one answer at most: a row for each participant, None where there is none."""
    rows = [
        (person, engine, value)
        for person, row in enumerate(answers)
        for engine, value in enumerate(row)
        if value is not None
    ]
    people, engines, values = zip(*rows, strict=True)
    return cells_of(np.array(people), np.array(engines), np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("answers", "status", "beta"),
    [
        pytest.param([[3, 3], [3, 3], [3, 3]], "degenerate", [3, 3], id="constant"),
        pytest.param([[2, 4], [2, 4], [2, 4]], "degenerate", [2, 4], id="engines explain everything"),
        pytest.param([[1, 2], [2, 3], [4, 5]], "degenerate", [7 / 3, 10 / 3], id="engines and participants do"),
        pytest.param(
            [[1, 2, None], [2, 3, 5], [4, None, 7]], "degenerate", [7 / 3, 10 / 3, 16 / 3], id="the same with gaps"
        ),
        pytest.param(
            [[4, 3, None], [None, None, 3], [None, 4, None], [None, 3, 3]],
            "degenerate",
            [17 / 4, 13 / 4, 13 / 4],
            id="saturated",
        ),
        pytest.param([[1, 2, 4]], "not estimable", [1, 2, 4], id="one participant"),
        pytest.param([[1, None], [2, None], [None, 4]], "not estimable", [1.5, 4], id="one row of each participant"),
        pytest.param([[1, 2], [2, None]], "not estimable", [1.5, 2], id="one row more than engines"),
        pytest.param([[1]], "not estimable", [1], id="one answer"),
        pytest.param([[1], [2], [4]], "one engine", [7 / 3], id="one engine"),
        pytest.param([[2], [2]], "degenerate", [2], id="one engine, constant"),
    ],
)
def test_studies_at_the_edge_have_a_status_and_means(
    answers: list[list[float | None]], status: str, beta: list[float]
) -> None:
    fit = fit_mixed_effects(table(answers))
    assert fit.status == status
    assert fit.beta == pytest.approx(beta, abs=1e-12)
    assert np.isnan(fit.reml_loglik)
    if status == "one engine":
        assert fit.covariance == pytest.approx(np.var([1, 2, 4], ddof=1) / 3)
        assert satterthwaite_df(fit, np.eye(1)).tolist() == [2]
    else:
        assert np.isnan(fit.covariance).all()
        assert np.isnan(satterthwaite_df(fit, np.eye(len(beta)))).all()


def test_without_residuals_the_participants_variance_is_that_of_their_effects() -> None:
    fit = fit_mixed_effects(table([[1, 2, None], [2, 3, 5], [4, None, 7]]))
    assert fit.var_residual == 0
    assert fit.var_participant == pytest.approx(np.var([1, 2, 4], ddof=1))


def test_the_limit_without_residuals_is_where_estimates_go_as_residuals_vanish() -> None:
    random = np.random.default_rng(3)
    people, engines, values = unbalanced(3)
    exact = 3 + 0.4 * engines + random.normal(size=people.max() + 1)[people]
    limit = fit_mixed_effects(cells_of(people, engines, exact))
    near = fit_mixed_effects(cells_of(people, engines, exact + 1e-4 * (values - values.mean())))
    assert (limit.status, near.status) == ("degenerate", "ok")
    assert limit.beta == pytest.approx(near.beta, abs=1e-3)
    assert limit.var_participant == pytest.approx(near.var_participant, rel=1e-3)


def test_engines_with_participants_of_their_own_leave_the_variances_unknown() -> None:
    answers = cells_of(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1]), np.array([1.0, 2, 4, 3, 3, 5]))
    fit = fit_mixed_effects(answers)
    assert fit.status == "not estimable"
    assert fit.beta == pytest.approx([7 / 3, 11 / 3])


def test_two_engines_are_the_paired_t_test() -> None:
    random = np.random.default_rng(5)
    people = random.normal(size=20)
    a, b = people + random.normal(size=20), people + 0.5 + random.normal(size=20)
    (contrast,) = pairwise_contrasts("v", ("a", "b"), fit_mixed_effects(table(np.column_stack([a, b]).tolist())))
    expected = stats.ttest_rel(a, b)
    assert contrast.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert contrast.df == pytest.approx(19, rel=1e-9)
    assert contrast.p_raw == pytest.approx(expected.pvalue, rel=1e-8)
    assert contrast.p_holm == contrast.p_raw


def test_thousands_of_participants_need_no_square_matrix() -> None:
    rows = unbalanced(1, n=20_000, k=4)
    fit = fit_mixed_effects(cells_of(*rows))
    assert variances_of(fit) == pytest.approx([0.64, 1.0], rel=0.05)
    assert np.diff(fit.beta) == pytest.approx([0.4] * 3, abs=0.05)
