"""The analysis of a study's answers: who counts, the model of each variable, and what it says about the engines."""

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from vernissage.analysis.exclusions import Exclusion, exclusions
from vernissage.analysis.long_table import LongTable, check_long_table, sorted_table
from vernissage.analysis.marginal_means import Contrast, MarginalMean, Status, marginal_means, pairwise_contrasts
from vernissage.analysis.mixed_effects import fit_mixed_effects
from vernissage.analysis.showings import DEPENDENCE, SHOWINGS, Showings, cells_by_name
from vernissage.errors import RequestError

METHOD = (
    "rating ~ engine + (1 | participant) by REML; Satterthwaite's degrees of freedom; Holm's method within each "
    "variable; 95 % intervals unadjusted"
)


@dataclass(frozen=True)
class VarianceComponents:
    """The model of one variable as a whole; NaN where a number is undefined.

    Attributes:
        var_participant, var_residual: the variances between and within participants.
        reml_loglik: the REML log-likelihood.
        nobs, n_participants: the rows that the model saw, and the people in them.
        singular: whether the participants' variance is 0.
        status: see docs/study-analysis.md.
    """

    variable: str
    var_participant: float
    var_residual: float
    reml_loglik: float
    nobs: int
    n_participants: int
    singular: bool
    status: Status

    @property
    def icc(self) -> float:
        """The intraclass correlation: the participants' share of both variances; NaN where undefined."""
        total = self.var_participant + self.var_residual
        return self.var_participant / total if total > 0 else math.nan


@dataclass(frozen=True)
class StudyAnalysis:
    """What a study says; contrasts, means and variances are by variable in the table's order, then by engine.

    Attributes:
        exclusions: one for each participant, kept or not.
        showings: which answers the models saw.
        warnings: what a reader must know before the numbers.
    """

    contrasts: tuple[Contrast, ...]
    emmeans: tuple[MarginalMean, ...]
    varcomp: tuple[VarianceComponents, ...]
    exclusions: tuple[Exclusion, ...]
    showings: Showings
    warnings: tuple[str, ...]

    @property
    def excluded(self) -> tuple[str, ...]:
        """The participants who were left out."""
        return tuple(each.participant for each in self.exclusions if each.excluded)


def analyse(
    table: LongTable,
    *,
    showings: Showings = "mean",
    exclude: bool = True,
    engines: Collection[str] | None = None,
) -> StudyAnalysis:
    """Analyse a study's answers; equal rows in any order give equal bits.

    ``showings`` says which answers count, see `cells_by_name`; ``exclude`` leaves out who broke the rule of repeated
    showings; ``engines``, where given, are all that a row may name.

    Raises:
        RequestError: the table cannot be what a study gave (see `check_long_table`), or ``showings`` is unknown.
    """
    if showings not in SHOWINGS:
        raise RequestError(f"showings are {', '.join(SHOWINGS)}, but {showings!r} was asked for")
    check_long_table(table, engines=engines)
    ordered = sorted_table(table)
    checked = exclusions(ordered, exclude=exclude)
    excluded = {each.participant for each in checked if each.excluded}
    with threadpool_limits(1):
        parts = [_analyse_variable(ordered, variable, showings, excluded) for variable in ordered.variables]
    return StudyAnalysis(
        tuple(itertools.chain.from_iterable(contrasts for contrasts, _, _ in parts)),
        tuple(itertools.chain.from_iterable(means for _, means, _ in parts)),
        tuple(components for _, _, components in parts),
        checked,
        showings,
        (DEPENDENCE,) if showings == "all" else (),
    )


def _analyse_variable(
    table: LongTable, variable: str, showings: Showings, excluded: Collection[str]
) -> tuple[tuple[Contrast, ...], tuple[MarginalMean, ...], VarianceComponents]:
    """Contrasts, means and variances; engines of the table that nobody rated have rows without numbers."""
    every = tuple(sorted(set(table.engines)))
    cells, people, engines = cells_by_name(table, variable, showings, excluded)
    if not people:
        nothing = VarianceComponents(variable, math.nan, math.nan, math.nan, 0, 0, False, "no data")
        return _no_contrasts(variable, every, {}), tuple(_no_mean(variable, engine) for engine in every), nothing
    fit = fit_mixed_effects(cells)
    found = {(each.engine_a, each.engine_b): each for each in pairwise_contrasts(variable, engines, fit)}
    means = {each.engine: each for each in marginal_means(variable, engines, fit)}
    components = VarianceComponents(
        variable,
        fit.var_participant,
        fit.var_residual,
        fit.reml_loglik,
        cells.nobs,
        len(people),
        fit.singular,
        fit.status,
    )
    return (
        _no_contrasts(variable, every, found),
        tuple(means.get(engine) or _no_mean(variable, engine) for engine in every),
        components,
    )


def _no_contrasts(
    variable: str, engines: tuple[str, ...], found: dict[tuple[str, str], Contrast]
) -> tuple[Contrast, ...]:
    """All pairs of ``engines``: as ``found``, or else with the status ``no data``."""
    none = math.nan
    return tuple(
        found.get((a, b)) or Contrast(variable, a, b, none, none, none, none, none, none, none, "no data")
        for a, b in itertools.combinations(engines, 2)
    )


def _no_mean(variable: str, engine: str) -> MarginalMean:
    return MarginalMean(variable, engine, math.nan, math.nan, math.nan, math.nan, math.nan)
