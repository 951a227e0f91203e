"""The tables of a study's report."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from vernissage.analysis.showings import Showings
from vernissage.analysis.study_numbers import StudyNumbers
from vernissage.pages.data_tables import (
    Cell,
    Column,
    DataTable,
    RowGroup,
    mean_and_sd,
    number,
    p_value,
    whole,
    words,
)

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

_INTERVAL = "95 % interval"


def strength(r: float) -> str:
    """Cohen's words (1988) for an effect size r: small from .1, medium from .3, large from .5."""
    size = abs(r)
    steps = ((0.5, "large"), (0.3, "medium"), (0.1, "small"), (0.0, "negligible"))
    return next((name for least, name in steps if size >= least), "")


def course_table(study: Sequence[tuple[str, int]], answers: Sequence[tuple[str, int]]) -> DataTable:
    """How many people came how far, by the study's own count and by the answers."""
    parts = [("In the study", study), ("In the table of answers", answers)]
    return DataTable(
        "course",
        "Participants, from the first page to the analysis",
        (Column("Step", numeric=False), Column("People")),
        tuple(
            RowGroup(heading, tuple((words(step), whole(count)) for step, count in steps))
            for heading, steps in parts
            if steps
        ),
    )


def exclusion_table(numbers: StudyNumbers, pseudonym: Callable[[str], str]) -> DataTable:
    """Who answered two showings of one list 2 or more apart, where, and what follows."""
    reasons: dict[str, list[str]] = {}
    for each in numbers.violations:
        reasons.setdefault(each.participant, []).append(
            f"{each.variable} of {each.engine}: {each.first}, then {each.second}"
        )
    rows = [
        (
            words(pseudonym(each.participant)),
            whole(each.violations),
            whole(each.comparisons),
            words("excluded" if each.excluded else "kept" if each.violations else "kept, unchecked"),
            words("; ".join(reasons.get(each.participant, ["no list was answered twice"]))),
        )
        for each in numbers.analysis.exclusions
        if each.violations or not each.comparisons
    ]
    columns = (
        Column("Participant", numeric=False),
        Column("Violations", "pairs of answers 2 or more apart"),
        Column("Of pairs", "pairs of answers to both showings of one list"),
        Column("Decision", numeric=False),
        Column("Answers", "first showing, then second", numeric=False),
    )
    return DataTable(
        "exclusions",
        f"Participants whose two answers about one list lie 2 or more points apart, or cannot be compared; "
        f"{len(rows)} of {len(numbers.analysis.exclusions)}",
        columns,
        (RowGroup("", tuple(rows)),),
    )


def agreement_table(numbers: StudyNumbers) -> DataTable:
    """How well people agree with themselves."""
    rows = [
        (
            words(each.variable), whole(each.pairs), number(100 * each.identical, 1), number(100 * each.within_one, 1),
            number(each.shift), number(each.correlation),
        )
        for each in numbers.agreements
    ]  # fmt: skip
    columns = (
        Column("Variable", numeric=False),
        Column("Pairs"),
        Column("Identical, %"),
        Column("Within 1, %"),
        Column("Shift", "mean of second minus first answer"),
        Column("Correlation", "Pearson's, of first and second answer"),
    )
    return DataTable(
        "agreement",
        "Agreement of the answers to the two showings of one list; participants in the analysis",
        columns,
        (RowGroup("", tuple(rows)),),
        "The rule of exclusion takes out the largest disagreements, so that these are favourable numbers.",
    )


def distribution_table(numbers: StudyNumbers) -> DataTable:
    """How often each rating was given."""
    columns = (
        Column("Engine", numeric=False),
        Column("Answers"),
        *(Column(str(rating)) for rating in range(1, 6)),
        Column("Mean"),
        Column("SD", "standard deviation of single answers"),
    )

    def row(each: Any) -> tuple[Cell, ...]:
        return (words(each.engine), whole(each.answers), *map(whole, each.counts), number(each.mean), number(each.sd))

    return DataTable(
        "distributions",
        "Answers by engine, from 1 (lowest) to 5 (highest); participants in the analysis, every answer counted",
        columns,
        _by_variable(numbers.distributions, row),
    )


def mean_table(numbers: StudyNumbers) -> DataTable:
    """Estimated marginal means."""
    columns = (
        Column("Engine", numeric=False),
        Column("Mean", "estimated marginal mean"),
        Column("SE", "standard error"),
        Column("df", "Satterthwaite's degrees of freedom"),
        Column(_INTERVAL + ", from"),
        Column("to"),
    )

    def row(each: Any) -> tuple[Cell, ...]:
        return (
            words(each.engine), number(each.emmean), number(each.se, 3), number(each.df, 1), number(each.lower95),
            number(each.upper95),
        )  # fmt: skip

    return DataTable(
        "means",
        "Estimated marginal means of the mixed-effects model, with unadjusted 95 % intervals",
        columns,
        _by_variable(numbers.analysis.emmeans, row),
    )


def contrast_table(numbers: StudyNumbers) -> DataTable:
    """All pairs of engines."""
    columns = (
        Column("Contrast", numeric=False),
        Column("Estimate", "difference of marginal means, in points of the scale"),
        Column("SE", "standard error"),
        Column("df", "Satterthwaite's degrees of freedom"),
        Column("t"),
        Column("p", "raw"),
        Column("p Holm", "adjusted by Holm's method within the variable"),
        Column("r", "effect size"),
        Column("Size", "Cohen's words for r", numeric=False),
        Column(_INTERVAL + ", from", "unadjusted"),
        Column("to"),
    )

    def row(pair: Any) -> tuple[Cell, ...]:
        each, interval = pair
        return (
            words(f"{each.engine_a} − {each.engine_b}"), number(each.estimate, 3), number(each.se, 3),
            number(each.df, 1), number(each.statistic), p_value(each.p_raw), p_value(each.p_holm, strong=True),
            number(each.r), words(strength(each.r) or each.status), number(interval.lower95, 3),
            number(interval.upper95, 3),
        )  # fmt: skip

    pairs = list(zip(numbers.analysis.contrasts, numbers.intervals, strict=True))
    return DataTable(
        "contrasts",
        "Contrasts of all pairs of engines, each first engine minus second",
        columns,
        _by_variable(pairs, row, lambda pair: pair[0].variable),
        "p is two-sided; p Holm is adjusted for all contrasts of the same variable; intervals are not adjusted. "
        "p Holm below .05 is set in bold. r = sign(t)·√(t²/(t² + df)): small from .1, medium from .3, large from .5 "
        "(Cohen 1988).",
    )


def model_table(numbers: StudyNumbers) -> DataTable:
    """The model of each variable as a whole."""
    columns = (
        Column("Variable", numeric=False),
        Column("Rows"),
        Column("Participants"),
        Column("Variance, participants"),
        Column("Variance, residual"),
        Column("ICC", "intraclass correlation"),
        Column("REML log-likelihood"),
        Column("Status", numeric=False),
    )
    rows = [
        (
            words(each.variable), whole(each.nobs), whole(each.n_participants), number(each.var_participant, 3),
            number(each.var_residual, 3), number(each.icc), number(each.reml_loglik), words(each.status),
        )
        for each in numbers.analysis.varcomp
    ]  # fmt: skip
    met = dict.fromkeys(each.status for each in numbers.analysis.varcomp)
    note = "; ".join(f"{status}: {REMARKS[status]}" for status in met if status != "ok")
    return DataTable(
        "models",
        f"The models: {ANSWERS[numbers.analysis.showings]}",
        columns,
        (RowGroup("", tuple(rows)),),
        f"Status {note}." if note else "",
    )


def robustness_table(numbers: StudyNumbers) -> DataTable:
    """The contrasts by other reasonable choices, beside those of the primary analysis."""
    choices = list(dict.fromkeys((each.showings, each.exclusion) for each in numbers.others))
    found = {
        (each.variable, each.engine_a, each.engine_b, each.showings, each.exclusion): each for each in numbers.others
    }
    heads = [choice_in_words(showings, exclusion=rule) for showings, rule in choices]
    columns = [Column("Contrast", numeric=False), Column("Estimate", "primary"), Column("p Holm", "primary")]
    for head in heads:
        columns += [Column("Estimate", head), Column("p Holm", head)]

    def row(each: Any) -> tuple[Cell, ...]:
        cells = [
            words(f"{each.engine_a} − {each.engine_b}"),
            number(each.estimate, 3),
            p_value(each.p_holm, strong=True),
        ]
        for choice in choices:
            other = found[each.variable, each.engine_a, each.engine_b, *choice]
            cells += [number(other.estimate, 3), p_value(other.p_holm, strong=True)]
        return tuple(cells)

    return DataTable(
        "robustness",
        "The same contrasts by other choices of answers and exclusion",
        tuple(columns),
        _by_variable(numbers.analysis.contrasts, row),
        "These are no further tests to choose from: they show what the primary result depends on.",
    )


def choice_in_words(showings: Showings, *, exclusion: bool) -> str:
    """An analysis by what it saw."""
    answers = {"mean": "mean of showings", "first": "first showings", "all": "all showings"}[showings]
    return f"{answers}, {'rule applied' if exclusion else 'nobody excluded'}"


def within_table(numbers: StudyNumbers) -> DataTable:
    """Table 1: overlap of one engine's lists between participants."""
    rows = [
        (words(engine), *(mean_and_sd(each.mean, each.sd) for each in pair), whole(pair[0].n_pairs))
        for engine, pair in _grouped(numbers.within or (), lambda each: each.engine)
    ]
    return DataTable(
        "table1",
        "Overlap of one engine's lists between participants, mean ± SD over all pairs of participants in the analysis",
        (Column("Engine", numeric=False), Column("IoU"), Column("RBO"), Column("Pairs")),
        (RowGroup("", tuple(rows)),),
        "IoU: works in both lists of those in either. RBO: rank-biased overlap at p = .9, extrapolated (Webber et al. "
        "2010). 0 means that participants are shown different works, 1 the same in the same order. Pairs share "
        "lists, so that no standard error follows from the SD.",
    )


def between_table(numbers: StudyNumbers) -> DataTable:
    """Table 2: overlap between engines, IoU above the diagonal and RBO below."""
    between = numbers.between or ()
    engines = sorted({each.engine_a for each in between} | {each.engine_b for each in between})
    found = {(each.engine_a, each.engine_b, each.metric): each for each in between}

    def cell(row: int, column: int) -> Cell:
        if row == column:
            return Cell("")
        a, b = engines[min(row, column)], engines[max(row, column)]
        each = found[a, b, "IoU" if row < column else "RBO"]
        return mean_and_sd(each.mean, each.sd)

    places = range(len(engines))
    rows = tuple((words(engine), *(cell(row, column) for column in places)) for row, engine in enumerate(engines))
    paired = between[0].pairing if between else "same participant"
    counts = sorted({each.n_pairs for each in between})
    over = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else "0"
    return DataTable(
        "table2",
        f"Overlap of two engines' lists ({paired}, {over} pairs), mean ± SD: IoU above the diagonal, RBO below",
        (Column("Engine", numeric=False), *(Column(engine) for engine in engines)),
        (RowGroup("", rows),),
    )


def _by_variable(
    rows: Iterable[Any], cells: Callable[[Any], tuple[Cell, ...]], name: Callable[[Any], str] = lambda row: row.variable
) -> tuple[RowGroup, ...]:
    return tuple(RowGroup(variable, tuple(map(cells, each))) for variable, each in _grouped(rows, name))


def _grouped(rows: Iterable[Any], name: Callable[[Any], str]) -> list[tuple[str, list[Any]]]:
    return [(key, list(group)) for key, group in itertools.groupby(rows, key=name)]
