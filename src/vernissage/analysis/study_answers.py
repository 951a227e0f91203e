"""A study's answers: who counts, how answers spread, the model of each variable, and what it says about engines."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.analysis.long_table import HIGHEST, LEAST_VIOLATION, LOWEST, LongTable, check_long_table, sorted_table
from vernissage.analysis.mixed_effects import (
    Cells,
    Contrast,
    ContrastInterval,
    MarginalMean,
    Status,
    cells_of,
    contrast_intervals,
    fit_mixed_effects,
    marginal_means,
    pairwise_contrasts,
)
from vernissage.analysis.overlap import Lists, Overlaps, Pairing, overlap_tables
from vernissage.errors import RequestError

FloatArray = npt.NDArray[np.float64]
Showings = Literal["mean", "first", "all"]

SHOWINGS: tuple[Showings, ...] = get_args(Showings)

ANSWERS: dict[Showings, str] = {
    "mean": "each participant's mean of both showings of a list",
    "first": "first showings alone",
    "all": "both showings of a list, each for itself",
}
REMARKS = {
    "ok": "as usual",
    "singular": "the participants' variance is 0, so that the model is ordinary least squares",
    "degenerate": "no residual is left: estimates alone, without errors and p values",
    "not estimable": "the answers cannot tell the two variances apart: plain means alone",
    "one engine": "one engine: its mean alone",
    "no data": "no answers",
}
"""What each status of a model means."""

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
class Exclusion:
    """How a participant answered the second showings.

    Attributes:
        participant: who.
        comparisons: how many pairs of an engine and a variable have both showings answered; 0: unchecked, and kept.
        violations: how many of them differ by 2 or more.
        excluded: whether the participant is left out of the analysis.
    """

    participant: str
    comparisons: int
    violations: int
    excluded: bool


@dataclass(frozen=True)
class Distribution:
    """How often one engine got each rating for one variable; every answer counts once.

    Attributes:
        answers: how many there are.
        ones, twos, threes, fours, fives: how many are that rating.
        mean, sd: of these answers, NaN without any; the deviation over n − 1.
    """

    variable: str
    engine: str
    answers: int
    ones: int
    twos: int
    threes: int
    fours: int
    fives: int
    mean: float
    sd: float

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of answers 1 to 5."""
        return self.ones, self.twos, self.threes, self.fours, self.fives


@dataclass(frozen=True)
class Agreement:
    """How alike the answers to both showings of one list are, for one variable.

    Attributes:
        pairs: how many pairs of answers there are.
        identical, within_one: the shares of pairs that are equal, and at most one point apart.
        shift: the mean of second minus first answer.
        correlation: Pearson's; NaN where one side does not vary.
    """

    variable: str
    pairs: int
    identical: float
    within_one: float
    shift: float
    correlation: float


@dataclass(frozen=True)
class Violation:
    """Two answers of one participant about one list that lie 2 or more apart."""

    participant: str
    variable: str
    engine: str
    first: int
    second: int


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
    table: LongTable, *, showings: Showings = "mean", exclude: bool = True, engines: Collection[str] | None = None
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
) -> StudyNumbers:
    """Analyse and describe a study; arguments as in `analyse` and `overlap_tables`.

    Raises:
        RequestError: as in `analyse` and `overlap_tables`.
    """
    analysis = analyse(table, showings=showings, exclude=exclude)
    return StudyNumbers(
        table,
        analysis,
        contrast_intervals(analysis.contrasts),
        distributions(table, first_only=showings == "first", excluded=analysis.excluded),
        agreements(table, excluded=analysis.excluded),
        violations(table),
        _others(table, analysis, exclude=exclude),
        None if lists is None else overlap_tables(lists, pairing=pairing, excluded=analysis.excluded),
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
    people, participants = np.unique(np.array(table.participants, dtype=object)[places], return_inverse=True)
    names, engines = np.unique(np.array(table.engines, dtype=object)[places], return_inverse=True)
    cells = cells_of(participants, engines, values[places])
    if showings == "mean":
        filled = np.nonzero(cells.counts)
        cells = cells_of(filled[0], filled[1], cells.means[filled])
    return cells, tuple(people.tolist()), tuple(names.tolist())


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


def _others(table: LongTable, primary: StudyAnalysis, *, exclude: bool) -> tuple[OtherChoice, ...]:
    """Every contrast by other choices, as far as those see other answers than the primary one."""
    repeated, violated = 2 in table.repetitions, any(each.violations for each in primary.exclusions)
    others, tried = list[OtherChoice](), tuple[Showings, ...](("mean", "first"))
    for showings, rule in itertools.product(tried, (True, False)):
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


def exclusions(table: LongTable, *, exclude: bool = True) -> tuple[Exclusion, ...]:
    """One for each participant, by name; with ``exclude`` false violations are counted, and nobody is left out."""
    compared, broken = Counter[str](), Counter[str]()
    for participant, _, _, first, second in _answered_twice(table):
        compared[participant] += 1
        broken[participant] += abs(first - second) >= LEAST_VIOLATION
    return tuple(
        Exclusion(name, compared[name], broken[name], exclude and broken[name] > 0)
        for name in sorted(set(table.participants))
    )


def distributions(
    table: LongTable, *, first_only: bool = False, excluded: Collection[str] = ()
) -> tuple[Distribution, ...]:
    """The answers of everyone but ``excluded``, or their first showings alone, by variable, then engine."""
    kept = np.array([name not in excluded for name in table.participants], dtype=bool)
    if first_only:
        kept &= np.asarray(table.repetitions, dtype=np.int64) == 1
    engines = np.array(table.engines, dtype=object)
    return tuple(
        _distribution(variable, engine, column[kept & (engines == engine) & ~np.isnan(column)])
        for variable, column in table.values.items()
        for engine in sorted(set(table.engines))
    )


def agreements(table: LongTable, *, excluded: Collection[str] = ()) -> tuple[Agreement, ...]:
    """How well everyone but ``excluded`` agrees with themselves, by variable; none where no list was shown twice."""
    pairs: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for participant, variable, _, first, second in _answered_twice(table):
        if participant not in excluded:
            pairs[variable].append((first, second))
    return tuple(_agreement(variable, np.array(pairs[variable])) for variable in table.variables if pairs[variable])


def violations(table: LongTable) -> tuple[Violation, ...]:
    """Every pair of answers that breaks the rule of repeated showings, by participant, variable and engine."""
    found = [
        Violation(participant, variable, engine, int(first), int(second))
        for participant, variable, engine, first, second in _answered_twice(table)
        if abs(first - second) >= LEAST_VIOLATION
    ]
    order = {variable: place for place, variable in enumerate(table.variables)}
    return tuple(sorted(found, key=lambda each: (each.participant, order[each.variable], each.engine)))


def _answered_twice(table: LongTable) -> Iterator[tuple[str, str, str, float, float]]:
    """Participant, variable, engine and both answers, wherever both are there."""
    places = {
        key: place for place, key in enumerate(zip(table.participants, table.engines, table.repetitions, strict=True))
    }
    seconds = [(places.get((who, engine, 1)), place) for (who, engine, shown), place in places.items() if shown == 2]
    for (first, second), (variable, column) in itertools.product(seconds, table.values.items()):
        if first is not None and not np.isnan(column[[first, second]]).any():
            yield table.participants[first], variable, table.engines[first], float(column[first]), float(column[second])


def _distribution(variable: str, engine: str, answers: FloatArray) -> Distribution:
    ones, twos, threes, fours, fives = (int(np.sum(answers == rating)) for rating in range(LOWEST, HIGHEST + 1))
    mean = float(answers.mean()) if len(answers) else float("nan")
    sd = float(answers.std(ddof=1)) if len(answers) > 1 else float("nan")
    return Distribution(variable, engine, len(answers), ones, twos, threes, fours, fives, mean, sd)


def _agreement(variable: str, pairs: FloatArray) -> Agreement:
    first, second = pairs.T
    gaps = np.abs(second - first)
    varies = np.ptp(first) > 0 and np.ptp(second) > 0
    correlation = float(np.corrcoef(first, second)[0, 1]) if varies else float("nan")
    shares = float(np.mean(gaps == 0)), float(np.mean(gaps <= 1))
    return Agreement(variable, len(pairs), *shares, float(np.mean(second - first)), correlation)
