"""All numbers of a study's report in one value: the analysis, the answers as they are, and how firm results are."""

from collections.abc import Collection
from dataclasses import dataclass

from vernissage.analysis.long_table import LongTable
from vernissage.analysis.overlap import Lists, OverlapBetween, OverlapWithin, Pairing, overlap_tables
from vernissage.analysis.showings import Showings
from vernissage.analysis.study_answers import StudyAnalysis, analyse
from vernissage.analysis.study_description import (
    Agreement,
    ContrastInterval,
    Distribution,
    Violation,
    agreements,
    contrast_intervals,
    distributions,
    violations,
)


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
        within, between: the overlap tables; None without lists.
    """

    table: LongTable
    analysis: StudyAnalysis
    intervals: tuple[ContrastInterval, ...]
    distributions: tuple[Distribution, ...]
    agreements: tuple[Agreement, ...]
    violations: tuple[Violation, ...]
    others: tuple[OtherChoice, ...]
    within: tuple[OverlapWithin, ...] | None
    between: tuple[OverlapBetween, ...] | None


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
    within, between = (None, None)
    if lists is not None:
        within, between = overlap_tables(lists, pairing=pairing, excluded=analysis.excluded)
    return StudyNumbers(
        table,
        analysis,
        contrast_intervals(analysis.contrasts),
        distributions(table, showings=showings, excluded=analysis.excluded),
        agreements(table, excluded=analysis.excluded),
        violations(table),
        _others(table, analysis, exclude=exclude),
        within,
        between,
    )


def _others(table: LongTable, primary: StudyAnalysis, *, exclude: bool) -> tuple[OtherChoice, ...]:
    repeated = 2 in table.repetitions
    violated = any(each.violations for each in primary.exclusions)
    choices: list[tuple[Showings, bool]] = [
        (showings, rule) for showings in ("mean", "first") for rule in (True, False)
    ]
    return tuple(
        other
        for showings, rule in choices
        if (showings, rule) != (primary.showings, exclude)
        and (repeated or showings == primary.showings)
        and (violated or rule == exclude)
        for other in _choice(table, showings, exclusion=rule)
    )


def _choice(table: LongTable, showings: Showings, *, exclusion: bool) -> list[OtherChoice]:
    found = analyse(table, showings=showings, exclude=exclusion)
    people = {each.variable: each.n_participants for each in found.varcomp}
    return [
        OtherChoice(
            each.variable, each.engine_a, each.engine_b, showings, exclusion, people[each.variable], each.estimate,
            each.p_holm, each.r,
        )
        for each in found.contrasts
    ]  # fmt: skip
