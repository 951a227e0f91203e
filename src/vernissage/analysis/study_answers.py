"""The analysis of a study's answers: who counts, the model of each variable, and what it says about the engines."""

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.analysis.long_table import LongTable, check_long_table, sorted_table
from vernissage.analysis.marginal_means import (
    Contrast,
    ContrastInterval,
    MarginalMean,
    Status,
    contrast_intervals,
    marginal_means,
    pairwise_contrasts,
)
from vernissage.analysis.mixed_effects import Cells, cells_of, fit_mixed_effects
from vernissage.analysis.overlap import Lists, Overlaps, Pairing, overlap_tables
from vernissage.analysis.study_description import (
    Agreement,
    Distribution,
    Exclusion,
    Violation,
    agreements,
    distributions,
    exclusions,
    violations,
)
from vernissage.errors import RequestError

Showings = Literal["mean", "first", "all"]

SHOWINGS: tuple[Showings, ...] = get_args(Showings)

DEPENDENCE = (
    "showings=all counts both answers about one list as independent, which they are not: standard errors are too small "
    "and p values too low; report showings=mean, or first"
)
"""The warning that goes with ``all``."""

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
    var_participant: float = math.nan
    var_residual: float = math.nan
    reml_loglik: float = math.nan
    nobs: int = 0
    n_participants: int = 0
    singular: bool = False
    status: Status = "no data"

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


@dataclass(frozen=True)
class OtherChoice:
    """One contrast as another reasonable analysis of the same answers gives it; names as in `Contrast`.

    Attributes:
        showings: which answers that analysis saw.
        exclusion: whether it left out who broke the rule of repeated showings.
        n_participants: how many people its model saw.
    """

    variable: str
    engine_a: str
    engine_b: str
    showings: Showings
    exclusion: bool
    n_participants: int
    estimate: float
    p_holm: float
    r: float


@dataclass(frozen=True, eq=False)
class StudyNumbers:
    """What a report tells.

    Attributes:
        table: the answers.
        analysis: the primary one.
        intervals: one for each of its contrasts, in their order.
        others: every contrast by other choices of showings and exclusion, as far as those see other answers.
        overlaps: the tables of overlap within and between engines; None without lists.
    """

    table: LongTable
    analysis: StudyAnalysis
    intervals: tuple[ContrastInterval, ...]
    distributions: tuple[Distribution, ...]
    agreements: tuple[Agreement, ...]
    violations: tuple[Violation, ...]
    others: tuple[OtherChoice, ...]
    overlaps: Overlaps | None


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


def study_numbers(
    table: LongTable,
    lists: Lists | None = None,
    *,
    showings: Showings = "mean",
    exclude: bool = True,
    pairing: Pairing = "same participant",
    engines: Collection[str] | None = None,
) -> StudyNumbers:
    """Analyse and describe a study; arguments as in `analyse` and `overlap_tables`.

    Raises:
        RequestError: as in `analyse` and `overlap_tables`.
    """
    analysis = analyse(table, showings=showings, exclude=exclude, engines=engines)
    overlaps = None
    if lists is not None:
        overlaps = overlap_tables(lists, pairing=pairing, excluded=analysis.excluded)
    return StudyNumbers(
        table,
        analysis,
        contrast_intervals(analysis.contrasts),
        distributions(table, first_only=showings == "first", excluded=analysis.excluded),
        agreements(table, excluded=analysis.excluded),
        violations(table),
        _others(table, analysis, exclude=exclude),
        overlaps,
    )


def cells_by_name(
    table: LongTable, variable: str, showings: Showings, excluded: Collection[str]
) -> tuple[Cells, tuple[str, ...], tuple[str, ...]]:
    """The complete cases of ``variable`` without ``excluded`` participants, and the participants and engines in them.

    ``mean`` takes a participant's mean for each engine over the showings that were answered, ``first`` the answers to
    first showings, ``all`` every answer. ``table`` is sorted. Names are sorted, and are those of the rows and columns.
    """
    values = np.asarray(table.values[variable], dtype=np.float64)
    kept = ~np.isnan(values) & np.array([name not in excluded for name in table.participants], dtype=bool)
    if showings == "first":
        kept &= np.asarray(table.repetitions, dtype=np.int64) == 1
    places = np.flatnonzero(kept).tolist()
    people, participants = _numbered([table.participants[place] for place in places])
    names, engines = _numbered([table.engines[place] for place in places])
    cells = cells_of(participants, engines, values[places])
    if showings == "mean":
        filled = np.nonzero(cells.counts)
        cells = cells_of(filled[0], filled[1], cells.means[filled])
    return cells, people, names


def _analyse_variable(
    table: LongTable, variable: str, showings: Showings, excluded: Collection[str]
) -> tuple[tuple[Contrast, ...], tuple[MarginalMean, ...], VarianceComponents]:
    """Contrasts, means and variances; engines of the table that nobody rated have rows without numbers."""
    every = tuple(sorted(set(table.engines)))
    cells, people, engines = cells_by_name(table, variable, showings, excluded)
    components = VarianceComponents(variable)
    contrasts: dict[tuple[str, str], Contrast] = {}
    means: dict[str, MarginalMean] = {}
    if people:
        fit = fit_mixed_effects(cells)
        contrasts = {(each.engine_a, each.engine_b): each for each in pairwise_contrasts(variable, engines, fit)}
        means = {each.engine: each for each in marginal_means(variable, engines, fit)}
        components = VarianceComponents(
            variable, fit.var_participant, fit.var_residual, fit.reml_loglik, cells.nobs, len(people), fit.singular,
            fit.status,
        )  # fmt: skip
    return (
        tuple(contrasts.get(pair) or Contrast(variable, *pair) for pair in itertools.combinations(every, 2)),
        tuple(means.get(engine) or MarginalMean(variable, engine) for engine in every),
        components,
    )


def _numbered(names: list[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    known = tuple(sorted(set(names)))
    number = {name: place for place, name in enumerate(known)}
    return known, np.array([number[name] for name in names], dtype=np.int64)


def _others(table: LongTable, primary: StudyAnalysis, *, exclude: bool) -> tuple[OtherChoice, ...]:
    """Every contrast by other choices, as far as those see other answers than the primary one."""
    repeated, violated = 2 in table.repetitions, any(each.violations for each in primary.exclusions)
    choices: list[tuple[Showings, bool]] = [
        (showings, rule) for showings in ("mean", "first") for rule in (True, False)
    ]
    others: list[OtherChoice] = []
    for showings, rule in choices:
        same_answers = not repeated and showings != primary.showings
        same_people = not violated and rule != exclude
        if (showings, rule) == (primary.showings, exclude) or same_answers or same_people:
            continue
        found = analyse(table, showings=showings, exclude=rule)
        people = {each.variable: each.n_participants for each in found.varcomp}
        others += [
            OtherChoice(
                each.variable, each.engine_a, each.engine_b, showings, rule, people[each.variable], each.estimate,
                each.p_holm, each.r,
            )
            for each in found.contrasts
        ]  # fmt: skip
    return tuple(others)
