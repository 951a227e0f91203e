"""Degrees of freedom of comparisons in a mixed-effects model, after Satterthwaite.

df = 2v²/var(v) for v = l'(X'V⁻¹X)⁻¹l, where var(v) = g'I⁻¹g by the gradient g of v in (σ²_p, σ²) and the observed
information I of the REML log-likelihood. Sources: Giesbrecht and Burns, Biometrics 41, 1985; Kuznetsova, Brockhoff and
Christensen, *lmerTest*, Journal of Statistical Software 82, 2017, doi 10.18637/jss.v082.i13.
"""

import numpy as np
import numpy.typing as npt

from vernissage.analysis.mixed_effects import MixedEffectsFit

FloatArray = npt.NDArray[np.float64]


def satterthwaite_df(fit: MixedEffectsFit, comparisons: FloatArray) -> FloatArray:
    """Degrees of freedom, float64 (m,), of the linear ``comparisons`` (m, k) of the engines' means.

    N − k where the participants' variance is 0, n − 1 for one engine with one answer from each participant; NaN where
    the fit has no errors.
    """
    nobs, k = fit.cells.nobs, len(fit.beta)
    if fit.status in {"singular", "one engine"}:
        return np.full(len(comparisons), float(nobs - k))
    if fit.status != "ok":
        return np.full(len(comparisons), np.nan)
    slopes = np.einsum("mj,vjk,mk->mv", comparisons, _covariance_slopes(fit), comparisons)
    spread = np.einsum("mv,vw,mw->m", slopes, np.linalg.inv(observed_information(fit)), slopes)
    variances = np.einsum("mj,jk,mk->m", comparisons, fit.covariance, comparisons)
    result: FloatArray = np.where(spread > 0, 2 * variances**2 / np.where(spread > 0, spread, 1.0), np.nan)
    return result


def observed_information(fit: MixedEffectsFit) -> FloatArray:
    """Minus the second derivatives of the REML log-likelihood in (σ²_p, σ²), float64 (2, 2), for an ``ok`` fit.

    ½·(−tr(P V_i P V_j) + 2·y'P V_i P V_j P y) with V_1 = ZZ', V_2 = I and P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹. PVP = P gives
    whatever holds P·I·P from P and PZZ'P, which leaves Z'PZ = diag(n_i a_i) − B(X'V⁻¹X)⁻¹B' with B = Z'V⁻¹X.
    """
    var_p, var_e = fit.var_participant, fit.var_residual
    trace_1, trace_11 = _traces(fit)
    form_1, form_11 = _forms(fit)
    freedom = fit.cells.nobs - len(fit.beta)  # tr(PV) and, at the best variances, y'Py
    trace_12 = (trace_1 - var_p * trace_11) / var_e
    trace_22 = ((freedom - var_p * trace_1) / var_e - var_p * trace_12) / var_e
    form_12 = (form_1 - var_p * form_11) / var_e
    form_22 = ((freedom - var_p * form_1) / var_e - var_p * form_12) / var_e
    mixed = form_12 - trace_12 / 2
    return np.array([[form_11 - trace_11 / 2, mixed], [mixed, form_22 - trace_22 / 2]])


def _traces(fit: MixedEffectsFit) -> tuple[float, float]:
    """tr(PZZ') and tr((PZZ')²)."""
    weights, crossed = _precisions(fit)
    sizes = fit.cells.sizes * weights
    leverages = np.sum((crossed @ fit.covariance) * crossed, axis=1)
    squared = crossed.T @ crossed @ fit.covariance
    first = float(np.sum(sizes - leverages))
    second = float(np.sum(sizes**2) - 2 * np.sum(sizes * leverages) + np.sum(squared * squared.T))
    return first, second


def _forms(fit: MixedEffectsFit) -> tuple[float, float]:
    """y'PZZ'Py and y'P(ZZ'P)²y."""
    weights, crossed = _precisions(fit)
    sums = weights * fit.cells.residual_sums(fit.beta)
    projected = crossed.T @ sums
    second = np.sum(fit.cells.sizes * weights * sums**2) - projected @ fit.covariance @ projected
    return float(sums @ sums), float(second)


def _covariance_slopes(fit: MixedEffectsFit) -> FloatArray:
    """The derivatives of (X'V⁻¹X)⁻¹ in (σ²_p, σ²), float64 (2, k, k)."""
    _, crossed = _precisions(fit)
    by_participant = fit.covariance @ crossed.T @ crossed @ fit.covariance
    by_residual = (fit.covariance - fit.var_participant * by_participant) / fit.var_residual
    return np.stack([by_participant, by_residual])


def _precisions(fit: MixedEffectsFit) -> tuple[FloatArray, FloatArray]:
    """a_i = 1/(σ² + n_iσ²_p), float64 (n,), and B = Z'V⁻¹X, whose rows are a_i times a participant's counts."""
    weights = 1 / (fit.var_residual + fit.cells.sizes * fit.var_participant)
    return weights, weights[:, None] * fit.cells.counts
