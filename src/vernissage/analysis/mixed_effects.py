"""The mixed-effects model ``rating ~ engine + (1 | participant)`` by restricted maximum likelihood (REML).

Answer = mean of the engine + effect of the participant + residual: y = Xβ + Zu + e, u ~ N(0, σ²_p), e ~ N(0, σ²).
V = σ²(I + λZZ') with λ = σ²_p/σ² ≥ 0 is block-diagonal, each block the identity plus a matrix of rank one, so all that
is needed are sums over participants (Sherman and Morrison 1950); no n × n matrix is ever made. β and σ² have closed
forms given λ, which leaves a function of λ alone, minimised at the roots of its derivative. Source: Bates et al.,
*Fitting linear mixed-effects models using lme4*, Journal of Statistical Software 67, 2015, doi 10.18637/jss.v067.i01.

Degrees of freedom of comparisons are Satterthwaite's, df = 2v²/var(v) for v = l'(X'V⁻¹X)⁻¹l, where var(v) = g'I⁻¹g by
the gradient g of v in (σ²_p, σ²) and the observed information I of the REML log-likelihood. Sources: Giesbrecht and
Burns, Biometrics 41, 1985; Kuznetsova, Brockhoff and Christensen, *lmerTest*, Journal of Statistical Software 82, 2017,
doi 10.18637/jss.v082.i13.
"""

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from vernissage.analysis.multiple_comparisons import effect_size, holm_adjusted, two_sided_p

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FitStatus = Literal["ok", "singular", "degenerate", "not estimable", "one engine"]
Status = Literal[FitStatus, "no data"]

NEGLIGIBLE = 1e-12
"""Sums of squared residuals below this share of the sum of squared answers are 0 but for rounding."""

SMALLEST_RATIO = 1e-8
"""Variance ratios below this are the boundary 0: √λ < 1e-4, as lme4 calls a fit singular."""

_RATIOS = np.concatenate([[0.0], np.logspace(-6, 10, 33)])
# Where additive effects explain all answers for want of degrees of freedom, the score's leading terms cancel, and
# beyond this only rounding is left of it.
_LARGEST_WHEN_SATURATED = 1e4
_LOG_2PI = float(np.log(2 * np.pi))
_ROUNDING = 1e-10  # below it, a difference of sums of squares is none


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts, means and scatter of n participants' answers to k engines.

    Attributes:
        counts: answers in each cell, float64 (n, k), whole numbers of 0 and above; no empty row or column.
        means: their mean, float64 (n, k); 0 in empty cells.
        scatter: the sum of squared deviations from the cells' means.
        squares: the sum of all squared answers, a scale to call deviations 0 by.
    """

    counts: FloatArray
    means: FloatArray
    scatter: float
    squares: float

    @property
    def nobs(self) -> int:
        """How many answers there are, N."""
        return int(self.counts.sum())

    @property
    def sizes(self) -> FloatArray:
        """Answers of each participant, n_i, float64 (n,)."""
        total: FloatArray = self.counts.sum(axis=1)
        return total

    @property
    def engine_means(self) -> FloatArray:
        """The plain mean of each engine's answers, float64 (k,)."""
        means: FloatArray = np.average(self.means, axis=0, weights=self.counts)
        return means

    def residual_sums(self, beta: FloatArray) -> FloatArray:
        """Each participant's sum of (answer − mean of its engine), float64 (..., n), by engines' means (..., k)."""
        total: FloatArray = np.sum(self.counts * (self.means - beta[..., None, :]), axis=-1)
        return total

    def residual_squares(self, beta: FloatArray, participants: FloatArray) -> FloatArray:
        """The sum of squared (answer − mean of its engine − effect of its participant), float64 (...).

        ``beta`` is (..., k) and ``participants``, the effects, (..., n).
        """
        left = self.means - beta[..., None, :] - participants[..., :, None]
        total: FloatArray = self.scatter + np.sum(self.counts * left**2, axis=(-2, -1))
        return total


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


@dataclass(frozen=True)
class MarginalMean:
    """The estimated marginal mean of one engine for one variable; NaN where there is none.

    Attributes:
        se: its standard error, the root of (X'V⁻¹X)⁻¹'s diagonal.
        df: Satterthwaite's degrees of freedom.
        lower95, upper95: the 95 % interval of Student's t, not adjusted for the number of engines.
    """

    variable: str
    engine: str
    emmean: float = math.nan
    se: float = math.nan
    df: float = math.nan
    lower95: float = math.nan
    upper95: float = math.nan


@dataclass(frozen=True)
class Contrast:
    """How one engine's mean differs from another's for one variable; NaN where that cannot be said.

    Attributes:
        estimate: the mean of ``engine_a`` minus that of ``engine_b``.
        se, df: its standard error, and Satterthwaite's degrees of freedom.
        statistic: t = estimate/se.
        p_raw: two-sided; never 0.
        p_holm: adjusted by Holm's method for all contrasts of this variable.
        r: the effect size sign(t)·√(t²/(t² + df)).
        status: that of the model.
    """

    variable: str
    engine_a: str
    engine_b: str
    estimate: float = math.nan
    se: float = math.nan
    df: float = math.nan
    statistic: float = math.nan
    p_raw: float = math.nan
    p_holm: float = math.nan
    r: float = math.nan
    status: Status = "no data"


@dataclass(frozen=True)
class ContrastInterval:
    """The 95 % interval of a contrast's estimate by Student's t, not adjusted for the number of contrasts."""

    variable: str
    engine_a: str
    engine_b: str
    lower95: float
    upper95: float


def cells_of(participants: IntArray, engines: IntArray, values: FloatArray) -> Cells:
    """Sum up answers.

    ``participants`` and ``engines`` are int64 (N,) numbers from 0 without gaps, ``values`` float64 (N,), all finite.
    Two orders of the same rows may differ in the last bit, so sort them first where that matters.
    """
    shape = (int(participants.max(initial=-1)) + 1, int(engines.max(initial=-1)) + 1)
    places = participants * shape[1] + engines
    counts = np.bincount(places, minlength=shape[0] * shape[1]).astype(np.float64)
    sums = np.bincount(places, weights=values, minlength=len(counts))
    means = np.divide(sums, counts, out=np.zeros(len(counts)), where=counts > 0)
    scatter = float(np.sum((values - means[places]) ** 2))
    return Cells(counts.reshape(shape), means.reshape(shape), scatter, float(np.sum(values**2)))


def fit_mixed_effects(cells: Cells) -> MixedEffectsFit:
    """Fit the model to what `cells_of` summed up; at least one answer. Never fails: see the statuses."""
    n, k = cells.counts.shape
    if not _separable(cells):
        if k == 1 and n == cells.nobs > 1:
            return _one_engine(cells)
        unknown = np.full((k, k), np.nan)
        return MixedEffectsFit("not estimable", cells.engine_means, unknown, np.nan, np.nan, np.nan, cells)
    without = cells.residual_squares(cells.engine_means, np.zeros(n))
    within, freedom = _within_scatter(cells)
    if without <= NEGLIGIBLE * cells.squares or (freedom and within <= NEGLIGIBLE * cells.squares):
        return _degenerate(cells)
    ratio = _best_ratio(cells, _RATIOS if freedom else _RATIOS[_RATIOS <= _LARGEST_WHEN_SATURATED])
    return _degenerate(cells) if ratio is None else _fit_at(cells, ratio)


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


def marginal_means(variable: str, engines: tuple[str, ...], fit: MixedEffectsFit) -> tuple[MarginalMean, ...]:
    """The mean of each of ``engines``, the names of the fit's columns."""
    errors = np.sqrt(np.diag(fit.covariance))
    df = satterthwaite_df(fit, np.eye(len(engines)))
    half = special.stdtrit(df, 0.975) * errors
    columns = (fit.beta, errors, df, fit.beta - half, fit.beta + half)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(MarginalMean(variable, engine, *row) for engine, row in zip(engines, rows, strict=True))


def pairwise_contrasts(variable: str, engines: tuple[str, ...], fit: MixedEffectsFit) -> tuple[Contrast, ...]:
    """All pairs of ``engines``, the names of the fit's columns, each in the order given."""
    pairs = list(itertools.combinations(range(len(engines)), 2))
    if not pairs:
        return ()
    comparisons = np.eye(len(engines))[[a for a, _ in pairs]] - np.eye(len(engines))[[b for _, b in pairs]]
    estimates = comparisons @ fit.beta
    errors = np.sqrt(np.einsum("mj,jk,mk->m", comparisons, fit.covariance, comparisons))
    df = satterthwaite_df(fit, comparisons)
    t = estimates / errors
    p = two_sided_p(t, df)
    columns = (estimates, errors, df, t, p, holm_adjusted(p), effect_size(t, df))
    rows = zip(*(column.tolist() for column in columns), [fit.status] * len(pairs), strict=True)
    return tuple(Contrast(variable, engines[a], engines[b], *row) for (a, b), row in zip(pairs, rows, strict=True))


def contrast_intervals(contrasts: Collection[Contrast]) -> tuple[ContrastInterval, ...]:
    """The interval of each contrast; NaN where it has no error."""
    return tuple(
        ContrastInterval(each.variable, each.engine_a, each.engine_b, each.estimate - half, each.estimate + half)
        for each in contrasts
        for half in [float(special.stdtrit(each.df, 0.975)) * each.se]
    )


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
    information, right = _normal_equations(cells, lam / (1 + cells.sizes * lam))
    return information, np.linalg.solve(information, right[..., None])[..., 0].astype(np.float64, copy=False)


def _normal_equations(cells: Cells, shrinkage: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A (..., k, k) and σ²·X'V⁻¹y (..., k) by each participant's λ/(1 + n_iλ), (..., n): 1/n_i for infinite λ."""
    counts, sums = cells.counts, cells.counts * cells.means
    information: FloatArray = np.diag(counts.sum(axis=0)) - counts.T @ (shrinkage[..., None] * counts)
    right: FloatArray = sums.sum(axis=0) - (shrinkage * sums.sum(axis=1)) @ counts
    return information, right


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


def _one_engine(cells: Cells) -> MixedEffectsFit:
    """The mean of one answer from each participant, whose error s²/n needs only the sum of the two variances."""
    answers = cells.means[:, 0]
    if cells.residual_squares(cells.engine_means, np.zeros(len(answers))) <= NEGLIGIBLE * cells.squares:
        return _degenerate(cells)
    variance = np.array([[answers.var(ddof=1) / len(answers)]])
    return MixedEffectsFit("one engine", np.array([answers.mean()]), variance, np.nan, np.nan, np.nan, cells)


def _degenerate(cells: Cells) -> MixedEffectsFit:
    beta, var_participant = _limit_fit(cells)
    k = len(beta)
    return MixedEffectsFit("degenerate", beta, np.full((k, k), np.nan), var_participant, 0.0, np.nan, cells)


def _separable(cells: Cells) -> bool:
    """Whether the answers' design can tell the participants' variance from the residual one.

    With Q the projection on what engines leave over, the two matrices QZZ'Q and Q of the covariance must not be
    multiples of one another: (N − k)·tr((QZZ')²) > tr(QZZ')², by Cauchy and Schwarz. Not so with one participant, with
    one answer from each, with N − k < 2, or where every engine has a participant of its own.
    """
    counts, sizes = cells.counts, cells.sizes
    shares = counts / counts.sum(axis=0)
    freedom = cells.nobs - counts.shape[1]
    first = cells.nobs - float(np.sum(counts * shares))
    second = float(np.sum(sizes**2) - 2 * np.sum(sizes[:, None] * counts * shares))
    crossed = counts.T @ shares
    second += float(np.sum(crossed * crossed.T))
    return freedom > 1 and bool(freedom * second - first**2 > _ROUNDING * max(1.0, freedom * second))


def _within_scatter(cells: Cells) -> tuple[float, int]:
    """What additive effects of participants and engines leave over: the sum of squares and its degrees of freedom."""
    beta, free = _within(cells)
    effects = cells.residual_sums(beta) / cells.sizes
    freedom = cells.nobs - cells.counts.shape[0] - (len(beta) - free.shape[1])
    return float(cells.residual_squares(beta, effects)), freedom


def _limit_fit(cells: Cells) -> tuple[FloatArray, float]:
    """The engines' means, float64 (k,), and the participants' variance as the residual variance goes to 0.

    The comparisons within participants come first and are met exactly; what they leave open is set so that the
    participants' effects have the least sum of squares, as (X'V⁻¹X)⁻¹X'V⁻¹y does in the limit.
    """
    beta, free = _within(cells)
    design = (cells.counts @ free) / cells.sizes[:, None]
    effects = cells.residual_sums(beta) / cells.sizes
    shift, _, open_rank, _ = np.linalg.lstsq(design, effects, rcond=None)
    left = effects - design @ shift
    freedom = len(left) - int(open_rank)
    return beta + free @ shift, float(left @ left) / freedom if freedom > 0 else np.nan


def _within(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Least-squares means of engines beside participants' effects, of least norm, and what is open, (k, directions)."""
    information, right = _normal_equations(cells, 1 / cells.sizes)
    values, vectors = np.linalg.eigh(information)
    fixed = np.abs(values) > _ROUNDING * max(1, cells.nobs)
    beta: FloatArray = vectors[:, fixed] @ ((vectors[:, fixed].T @ right) / values[fixed])
    return beta, vectors[:, ~fixed]


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
