"""The report of a study as one page: what was found, among whom, by which method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeVar

from vernissage.analysis.mixed_effects import Contrast, ContrastInterval, MarginalMean
from vernissage.analysis.study_answers import ANSWERS, REMARKS, Distribution, StudyNumbers
from vernissage.pages import study_tables as tables
from vernissage.pages.figures import embedded
from vernissage.pages.study_figures import contrast_figure, distribution_figure
from vernissage.pages.study_tables import SIGNIFICANT, DataTable, p_in_words, signed, strength
from vernissage.pages.visitor.frame import report

_Row = TypeVar("_Row", Contrast, ContrastInterval, Distribution, MarginalMean)


@dataclass(frozen=True)
class StudyFacts:
    """What a report knows beside the answers; all of it may be missing.

    Attributes:
        statements: variable → the sentence that participants judged.
        scale: the words for 1 to 5; empty where unknown.
        course: how many people came how far, in the order of the study, before the analysis.
        people: sentences on who they are: age, gender.
        provenance: (what, value): versions, fingerprints, seeds, digests of files.
        notes: what readers must know before the numbers.
        files: the tables that were written beside the page.
        published: what each published value measures, and the value beside ours; ``published_by`` says whose.
        pseudonyms: participant → what the page calls them; who is not there goes by their name.
    """

    statements: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[str, ...] = ()
    course: tuple[tuple[str, int], ...] = ()
    people: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    published: tuple[tuple[str, Any], ...] = ()
    published_by: str = ""


def study_report(numbers: StudyNumbers, facts: StudyFacts, *, title: str) -> str:
    """One HTML document, complete in itself, with every number of a study; equal input gives equal bytes."""
    everyone, excluded = len(numbers.analysis.exclusions), len(numbers.analysis.excluded)
    engines, statements = len(set(numbers.table.engines)), _counted(len(numbers.table.variables), "statement")
    lists = f"{engines} engines" if engines != 1 else "one engine"
    who = f"{everyone} participants judged lists of works by {lists} on {statements}"
    sections = _sections(numbers, facts)
    return report(
        "study_report.html",
        title,
        contents=[("findings", "Findings"), *(each[:2] for each in sections), ("methods", "Methods")],
        lead=f"{who}; {everyone - excluded} are in the analysis, {excluded} are excluded.",
        notes=[*numbers.analysis.warnings, *facts.notes],
        variables=[_variable(numbers, facts, variable) for variable in numbers.table.variables],
        sections=sections,
        people=facts.people,
        numbers=numbers,
        engines=engines,
        answers=ANSWERS[numbers.analysis.showings],
        record=facts.provenance,
        files=facts.files,
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _variable(numbers: StudyNumbers, facts: StudyFacts, variable: str) -> dict[str, Any]:
    """One variable's figures and what they say; there are no contrasts with fewer than two engines."""
    means, contrasts = _of(variable, numbers.analysis.emmeans), _of(variable, numbers.analysis.contrasts)
    intervals = _of(variable, numbers.intervals)
    told = "; ".join(f"{each.engine} {signed(each.emmean)}" for each in means if isfinite(each.emmean))
    differences = f"Differences of engines in {variable}, with 95 % intervals"
    told_pairs = "; ".join(f"{each.engine_a} minus {each.engine_b} {signed(each.estimate)}" for each in contrasts)
    return {
        "name": variable,
        "statement": facts.statements.get(variable, ""),
        "findings": _findings(numbers, variable, list(zip(contrasts, intervals, strict=True))),
        "spread": embedded(
            distribution_figure(_of(variable, numbers.distributions), means, facts.scale),
            f"Answers about {variable} for each engine as bars from 1 to 5, with marginal means: {told or 'none'}.",
        ),
        "contrasts": contrasts and embedded(contrast_figure(contrasts, intervals), f"{differences}: {told_pairs}."),
    }


def _of(variable: str, rows: Sequence[_Row]) -> list[_Row]:
    return [each for each in rows if each.variable == variable]


def _findings(numbers: StudyNumbers, variable: str, pairs: Sequence[tuple[Contrast, ContrastInterval]]) -> list[str]:
    """Which engines differ, the largest difference first, each from the better engine's side."""
    model = next(each for each in numbers.analysis.varcomp if each.variable == variable)
    if model.status not in ("ok", "singular"):
        return [f"No test: {REMARKS[model.status]}."]
    found = [(each, interval) for each, interval in pairs if each.p_holm < SIGNIFICANT]
    if not found:
        least = min((each.p_holm for each, _ in pairs if isfinite(each.p_holm)), default=None)
        return [] if least is None else [f"No two engines differ significantly (smallest p Holm {p_in_words(least)})."]
    sentences = []
    for each, interval in sorted(found, key=lambda pair: -abs(pair[0].estimate)):
        better, other = (each.engine_a, each.engine_b) if each.estimate > 0 else (each.engine_b, each.engine_a)
        low, high = sorted((abs(interval.lower95), abs(interval.upper95)))  # neither contains 0 where p is below .05
        effect = f"|r|\u00a0=\u00a0{signed(abs(each.r))}, {strength(each.r)}"
        sentences.append(
            f"{better} above {other} by {signed(abs(each.estimate))} points (95 % interval {signed(low)} to "
            f"{signed(high)}, p Holm {p_in_words(each.p_holm)}, {effect})"
        )
    rest = len(pairs) - len(found)
    others = "pair does" if rest == 1 else f"{rest} pairs do"
    return sentences + ([f"The other {others} not differ significantly."] if rest else [])


def _sections(numbers: StudyNumbers, facts: StudyFacts) -> list[tuple[str, str, list[DataTable]]]:
    """(Anchor, heading, tables) of each part of the page after the variables."""
    within, between = numbers.overlaps or ((), ())
    agreement = [tables.agreement_table(numbers)] if numbers.agreements else []
    overlaps = ([tables.within_table(within)] if within else []) + ([tables.between_table(between)] if between else [])
    published = [tables.published_table(facts.published, facts.published_by)] if facts.published else []
    people = [tables.course_table(facts.course, _course(numbers)), tables.exclusion_table(numbers, facts.pseudonyms)]
    statistics = [table(numbers.analysis) for table in (tables.mean_table, tables.contrast_table, tables.model_table)]
    parts = [
        ("statistics", "Statistics", statistics),
        ("answers", "Answers", [tables.distribution_table(numbers), *agreement]),
        ("firmness", "How firm this is", [tables.robustness_table(numbers)] if numbers.others else []),
        ("lists", "Overlap of lists", overlaps),
        ("published", "Published values", published),
        ("people", "Participants", people),
    ]
    return [part for part in parts if part[2]]


def _course(numbers: StudyNumbers) -> list[tuple[str, int]]:
    """How many came how far by the answers alone."""
    table, exclusions = numbers.table, numbers.analysis.exclusions
    lists = len(set(zip(table.engines, table.repetitions, strict=True)))
    answered = dict.fromkeys(table.participants, 0)
    for place, name in enumerate(table.participants):
        answered[name] += all(column[place] == column[place] for column in table.values.values())
    complete = sum(count == lists for count in answered.values())
    return [
        ("with answers", len(exclusions)),
        ("with every answer", complete),
        ("with answers missing", len(exclusions) - complete),
        ("excluded: two answers about one list 2 or more apart", len(numbers.analysis.excluded)),
        ("unchecked: no list answered twice, kept", sum(not each.comparisons for each in exclusions)),
        ("in the analysis", len(exclusions) - len(numbers.analysis.excluded)),
    ]
