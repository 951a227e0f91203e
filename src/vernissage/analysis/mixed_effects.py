"""The mixed-effects model ``rating ~ engine + (1 | participant)`` by restricted maximum likelihood (REML).

Answer = mean of the engine + effect of the participant + residual: y = Xβ + Zu + e, u ~ N(0, σ²_p), e ~ N(0, σ²).
V = σ²(I + λZZ') with λ = σ²_p/σ² ≥ 0 is block-diagonal, each block the identity plus a matrix of rank one, so all that
is needed are sums over participants (Sherman and Morrison 1950); no n × n matrix is ever made. β and σ² have closed
forms given λ, which leaves a function of λ alone, minimised at the roots of its derivative. Source: Bates et al.,
*Fitting linear mixed-effects models using lme4*, Journal of Statistical Software 67, 2015, doi 10.18637/jss.v067.i01.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize

from vernissage.analysis.cells import Cells
from vernissage.analysis.variance_limits import limit_fit, separable, within_scatter

FloatArray = npt.NDArray[np.float64]

FitStatus = Literal["ok", "singular", "degenerate", "not estimable", "one engine"]

NEGLIGIBLE = 1e-12
"""Sums of squared residuals below this share of the sum of squared answers are 0 but for rounding."""

SMALLEST_RATIO = 1e-8
"""Variance ratios below this are the boundary 0: √λ < 1e-4, as lme4 calls a fit singular."""

_RATIOS = np.concatenate([[0.0], np.logspace(-6, 10, 33)])
# Where additive effects explain all answers for want of degrees of freedom, the score's leading terms cancel, and
# beyond this only rounding is left of it.
_LARGEST_WHEN_SATURATED = 1e4
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class MixedEffectsFit:
    """The model of one variable, for n participants and k engines.

    Attributes:
        status: ``ok``; ``singular``, the participants' variance is 0; ``degenerate``, no residual is left, so that only
            estimates mean something; ``not estimable``, the two variances cannot be told apart, ``beta`` are plain
            means; ``one engine``, the same with one engine, whose mean has an error nevertheless.
        beta: the engines' marginal means, float64 (k,).
        covariance: of ``beta``, (X'V⁻¹X)⁻¹, float64 (k, k); NaN unless ok, singular or one engine.
        var_participant, var_residual: σ²_p and σ²; NaN where not estimable.
        reml_loglik: the REML log-likelihood, with its constants, as lme4 reports it; NaN where undefined.
        cells: what the model was fitted to.
    """

    status: FitStatus
    beta: FloatArray
    covariance: FloatArray
    var_participant: float
    var_residual: float
    reml_loglik: float
    cells: Cells

    @property
    def singular(self) -> bool:
        """Whether the participants' variance was estimated as 0, the boundary."""
        return self.status == "singular"


def fit_mixed_effects(cells: Cells) -> MixedEffectsFit:
    """Fit the model to what `cells_of` summed up; at least one answer. Never fails: see the statuses."""
    n, k = cells.counts.shape
    if not separable(cells):
        return _one_engine(cells) if k == 1 and n == cells.nobs > 1 else _plain_means(cells)
    without = cells.residual_squares(cells.engine_means, np.zeros(n))
    within, freedom = within_scatter(cells)
    if without <= NEGLIGIBLE * cells.squares or (freedom and within <= NEGLIGIBLE * cells.squares):
        return _degenerate(cells)
    ratio = _best_ratio(cells, _RATIOS if freedom else _RATIOS[_RATIOS <= _LARGEST_WHEN_SATURATED])
    return _degenerate(cells) if ratio is None else _fit_at(cells, ratio)


def _best_ratio(cells: Cells, ratios: FloatArray) -> float | None:
    """The λ ≥ 0 of the highest likelihood, bracketed by ``ratios``; None where it lies beyond them all."""
    scores = _score(cells, ratios)
    rising = np.flatnonzero((scores[:-1] < 0) & (scores[1:] >= 0))
    candidates = [0.0] if scores[0] >= 0 else []
    candidates += [
        optimize.brentq(
            lambda ratio: float(_score(cells, np.array(ratio))), *ratios[[low, low + 1]], xtol=1e-300, rtol=1e-14
        )
        for low in rising
    ]
    if scores[-1] < 0:
        candidates.append(np.inf)
    best = min(candidates, key=lambda ratio: _deviance(cells, min(ratio, ratios[-1])))
    if np.isinf(best):
        return None
    return best if best >= SMALLEST_RATIO else 0.0


def _fit_at(cells: Cells, ratio: float) -> MixedEffectsFit:
    information, beta = _solved(cells, np.array(ratio))
    freedom = cells.nobs - len(beta)
    residual = float(_weighted_squares(cells, np.array(ratio), beta)) / freedom
    covariance = residual * np.linalg.inv(information)
    return MixedEffectsFit(
        "ok" if ratio > 0 else "singular",
        beta,
        (covariance + covariance.T) / 2,
        ratio * residual,
        residual,
        -_deviance(cells, ratio) / 2,
        cells,
    )


def _solved(cells: Cells, ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A = σ²·X'V⁻¹X, float64 (..., k, k), and β (..., k) that solves the normal equations, for each of ``ratios``."""
    lam = ratios[..., None]
    shrinkage = lam / (1 + cells.sizes * lam)
    counts, sums = cells.counts, cells.counts * cells.means
    information: FloatArray = np.diag(counts.sum(axis=0)) - counts.T @ (shrinkage[..., None] * counts)
    right = sums.sum(axis=0) - (shrinkage * sums.sum(axis=1)) @ counts
    return information, np.linalg.solve(information, right[..., None])[..., 0]


def _weighted_squares(cells: Cells, ratios: FloatArray, beta: FloatArray) -> FloatArray:
    """RSS = (y − Xβ)'(I + λZZ')⁻¹(y − Xβ), which is (N − k)·σ² at the best σ², float64 (...).

    The block of a participant with residuals r is Σ(r − r̄)² + n·r̄²/(1 + nλ): no difference of large numbers.
    """
    means = cells.residual_sums(beta) / cells.sizes
    between = np.sum(cells.sizes * means**2 / (1 + cells.sizes * ratios[..., None]), axis=-1)
    total: FloatArray = cells.residual_squares(beta, means) + between
    return total


def _deviance(cells: Cells, ratio: float) -> float:
    """−2·REML log-likelihood at the best β and σ² for λ = ``ratio``."""
    information, beta = _solved(cells, np.array(ratio))
    freedom = cells.nobs - len(beta)
    residual = float(_weighted_squares(cells, np.array(ratio), beta)) / freedom
    determinants = float(np.sum(np.log1p(cells.sizes * ratio))) + float(np.linalg.slogdet(information)[1])
    return determinants + freedom * (1 + _LOG_2PI + float(np.log(residual)))


def _score(cells: Cells, ratios: FloatArray) -> FloatArray:
    """The derivative of `_deviance` in λ: Σ n_i g_i − Σ g_i² c_i'A⁻¹c_i − (N − k)·Σ g_i² R_i²/RSS, g_i = 1/(1 + n_iλ).

    c_i are a participant's counts, R_i the sum of the participant's residuals; β's own movement drops out, because β
    is where RSS is least. float64 (...), for each of ``ratios``.
    """
    information, beta = _solved(cells, ratios)
    decay = 1 / (1 + cells.sizes * ratios[..., None])
    weighted = decay[..., None] * cells.counts
    leverage = np.sum((weighted @ np.linalg.inv(information)) * weighted, axis=(-2, -1))
    pull = np.sum((decay * cells.residual_sums(beta)) ** 2, axis=-1) / _weighted_squares(cells, ratios, beta)
    slope: FloatArray = np.sum(cells.sizes * decay, axis=-1) - leverage - (cells.nobs - beta.shape[-1]) * pull
    return slope


def _plain_means(cells: Cells) -> MixedEffectsFit:
    k = cells.counts.shape[1]
    return MixedEffectsFit("not estimable", cells.engine_means, np.full((k, k), np.nan), np.nan, np.nan, np.nan, cells)


def _one_engine(cells: Cells) -> MixedEffectsFit:
    """The mean of one answer from each participant, whose error s²/n needs only the sum of the two variances."""
    answers = cells.means[:, 0]
    if cells.residual_squares(cells.engine_means, np.zeros(len(answers))) <= NEGLIGIBLE * cells.squares:
        return _degenerate(cells)
    variance = np.array([[answers.var(ddof=1) / len(answers)]])
    return MixedEffectsFit("one engine", np.array([answers.mean()]), variance, np.nan, np.nan, np.nan, cells)


def _degenerate(cells: Cells) -> MixedEffectsFit:
    beta, var_participant = limit_fit(cells)
    k = len(beta)
    return MixedEffectsFit("degenerate", beta, np.full((k, k), np.nan), var_participant, 0.0, np.nan, cells)
