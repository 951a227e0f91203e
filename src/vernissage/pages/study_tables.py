"""The tables of a study's report."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
from vernissage.analysis.study_answers import OtherChoice, Showings, StudyNumbers
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


Field = tuple[Column, Callable[[Any], Cell]]
"""A column, and what makes its cell from a row."""


def course_table(study: Sequence[tuple[str, int]], answers: Sequence[tuple[str, int]]) -> DataTable:
    """How many people came how far, by the study's own count and by the answers."""
    parts = [("In the study", study), ("In the table of answers", answers)]
    rows = [(heading, step, count) for heading, steps in parts for step, count in steps]
    fields = (_words("Step", lambda row: row[1]), _whole("People", lambda row: row[2]))
    return _table(
        "course", "Participants, from the first page to the analysis", fields, rows, group=lambda row: str(row[0])
    )


def exclusion_table(numbers: StudyNumbers, pseudonym: Callable[[str], str]) -> DataTable:
    """Who answered two showings of one list 2 or more apart, where, and what follows."""
    reasons: dict[str, list[str]] = {}
    for each in numbers.violations:
        reasons.setdefault(each.participant, []).append(
            f"{each.variable} of {each.engine}: {each.first}, then {each.second}"
        )
    rows = [each for each in numbers.analysis.exclusions if each.violations or not each.comparisons]
    fields = (
        _words("Participant", lambda row: pseudonym(row.participant)),
        _whole("Violations", "violations", "pairs of answers 2 or more apart"),
        _whole("Of pairs", "comparisons", "pairs of answers to both showings of one list"),
        _words("Decision", lambda row: "excluded" if row.excluded else "kept" if row.violations else "kept, unchecked"),
        _words(
            "Answers",
            lambda row: "; ".join(reasons.get(row.participant, ["no list was answered twice"])),
            "first showing, then second",
        ),
    )
    caption = (
        f"Participants whose two answers about one list lie 2 or more points apart, or cannot be compared; "
        f"{len(rows)} of {len(numbers.analysis.exclusions)}"
    )
    return _table("exclusions", caption, fields, rows)


def agreement_table(numbers: StudyNumbers) -> DataTable:
    """How well people agree with themselves."""
    fields = (
        _words("Variable", "variable"),
        _whole("Pairs", "pairs"),
        _number("Identical, %", lambda row: 100 * row.identical, 1),
        _number("Within 1, %", lambda row: 100 * row.within_one, 1),
        _number("Shift", "shift", about="mean of second minus first answer"),
        _number("Correlation", "correlation", about="Pearson's, of first and second answer"),
    )
    return _table(
        "agreement",
        "Agreement of the answers to the two showings of one list; participants in the analysis",
        fields,
        numbers.agreements,
        note="The rule of exclusion takes out the largest disagreements, so that these are favourable numbers.",
    )


def distribution_table(numbers: StudyNumbers) -> DataTable:
    """How often each rating was given."""
    fields = (
        _words("Engine", "engine"),
        _whole("Answers", "answers"),
        *map(_whole, "12345", ("ones", "twos", "threes", "fours", "fives")),
        _number("Mean", "mean"),
        _number("SD", "sd", about="standard deviation of single answers"),
    )
    caption = "Answers by engine, from 1 (lowest) to 5 (highest); participants in the analysis, every answer counted"
    return _table("distributions", caption, fields, numbers.distributions, group=attrgetter("variable"))


def mean_table(numbers: StudyNumbers) -> DataTable:
    """Estimated marginal means."""
    fields = (
        _words("Engine", "engine"),
        _number("Mean", "emmean", about="estimated marginal mean"),
        _number("SE", "se", 3, "standard error"),
        _number("df", "df", 1, "Satterthwaite's degrees of freedom"),
        _number(f"{_INTERVAL}, from", "lower95"),
        _number("to", "upper95"),
    )
    caption = "Estimated marginal means of the mixed-effects model, with unadjusted 95 % intervals"
    return _table("means", caption, fields, numbers.analysis.emmeans, group=attrgetter("variable"))


def contrast_table(numbers: StudyNumbers) -> DataTable:
    """All pairs of engines."""
    intervals = dict(zip(numbers.analysis.contrasts, numbers.intervals, strict=True))
    fields = (
        _pair(),
        _number("Estimate", "estimate", 3, "difference of marginal means, in points of the scale"),
        _number("SE", "se", 3, "standard error"),
        _number("df", "df", 1, "Satterthwaite's degrees of freedom"),
        _number("t", "statistic"),
        (Column("p", "raw"), lambda row: p_value(row.p_raw)),
        (Column("p Holm", "adjusted by Holm's method within the variable"), _holm),
        _number("r", "r", about="effect size"),
        _words("Size", lambda row: strength(row.r) or row.status, "Cohen's words for r"),
        _number(f"{_INTERVAL}, from", lambda row: intervals[row].lower95, 3, "unadjusted"),
        _number("to", lambda row: intervals[row].upper95, 3),
    )
    return _table(
        "contrasts",
        "Contrasts of all pairs of engines, each first engine minus second",
        fields,
        numbers.analysis.contrasts,
        group=attrgetter("variable"),
        note="p is two-sided; p Holm is adjusted for all contrasts of the same variable; intervals are not adjusted. "
        "p Holm below .05 is set in bold. r = sign(t)·√(t²/(t² + df)): small from .1, medium from .3, large from .5 "
        "(Cohen 1988).",
    )


def model_table(numbers: StudyNumbers) -> DataTable:
    """The model of each variable as a whole."""
    fields = (
        _words("Variable", "variable"),
        _whole("Rows", "nobs"),
        _whole("Participants", "n_participants"),
        _number("Variance, participants", "var_participant", 3),
        _number("Variance, residual", "var_residual", 3),
        _number("ICC", "icc", about="intraclass correlation"),
        _number("REML log-likelihood", "reml_loglik"),
        _words("Status", "status"),
    )
    met = dict.fromkeys(each.status for each in numbers.analysis.varcomp)
    note = "; ".join(f"{status}: {REMARKS[status]}" for status in met if status != "ok")
    caption = f"The models: {ANSWERS[numbers.analysis.showings]}"
    return _table("models", caption, fields, numbers.analysis.varcomp, note=f"Status {note}." if note else "")


def robustness_table(numbers: StudyNumbers) -> DataTable:
    """The contrasts by other reasonable choices, beside those of the primary analysis."""
    found = {
        (each.variable, each.engine_a, each.engine_b, each.showings, each.exclusion): each for each in numbers.others
    }
    fields: list[Field] = [
        _pair(), _number("Estimate", "estimate", 3, "primary"), (Column("p Holm", "primary"), _holm),
    ]  # fmt: skip

    def of_choice(showings: Showings, rule: bool) -> list[Field]:
        answers = {"mean": "mean of showings", "first": "first showings", "all": "all showings"}[showings]
        head = f"{answers}, {'rule applied' if rule else 'nobody excluded'}"

        def other(row: Any) -> OtherChoice:
            return found[row.variable, row.engine_a, row.engine_b, showings, rule]

        estimate = _number("Estimate", lambda row: other(row).estimate, 3, head)
        return [estimate, (Column("p Holm", head), lambda row: _holm(other(row)))]

    for choice in dict.fromkeys((each.showings, each.exclusion) for each in numbers.others):
        fields += of_choice(*choice)
    return _table(
        "robustness",
        "The same contrasts by other choices of answers and exclusion",
        fields,
        numbers.analysis.contrasts,
        group=attrgetter("variable"),
        note="These are no further tests to choose from: they show what the primary result depends on.",
    )


def within_table(within: Sequence[OverlapWithin]) -> DataTable:
    """Table 1: overlap of one engine's lists between participants."""
    fields = (
        _words("Engine", lambda pair: pair[0].engine),
        (Column("IoU"), lambda pair: mean_and_sd(pair[0].mean, pair[0].sd)),
        (Column("RBO"), lambda pair: mean_and_sd(pair[1].mean, pair[1].sd)),
        _whole("Pairs", lambda pair: pair[0].n_pairs),
    )
    return _table(
        "table1",
        "Overlap of one engine's lists between participants, mean ± SD over all pairs of participants in the analysis",
        fields,
        list(zip(within[::2], within[1::2], strict=True)),
        note="IoU: works in both lists of those in either. RBO: rank-biased overlap at p = .9, extrapolated (Webber et "
        "al. 2010). 0 means that participants are shown different works, 1 the same in the same order. Pairs share "
        "lists, so that no standard error follows from the SD.",
    )


def between_table(between: Sequence[OverlapBetween]) -> DataTable:
    """Table 2: overlap between engines, IoU above the diagonal and RBO below."""
    engines = sorted({each.engine_a for each in between} | {each.engine_b for each in between})
    found = {(each.engine_a, each.engine_b, each.metric): each for each in between}

    def cell(column: str, row: str) -> Cell:
        if row == column:
            return Cell("")
        each = found[min(row, column), max(row, column), "IoU" if row < column else "RBO"]
        return mean_and_sd(each.mean, each.sd)

    counts = sorted({each.n_pairs for each in between})
    over = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    fields: list[Field] = [_words("Engine", str)]
    fields += [(Column(engine), partial(cell, engine)) for engine in engines]
    caption = (
        f"Overlap of two engines' lists ({between[0].pairing}, {over} pairs), mean ± SD: IoU above the diagonal, RBO "
        f"below"
    )
    return _table("table2", caption, fields, engines)


def _table(
    anchor: str,
    caption: str,
    fields: Sequence[Field],
    rows: Iterable[Any],
    *,
    group: Callable[[Any], str] | None = None,
    note: str = "",
) -> DataTable:
    """A table of ``rows``; with ``group``, neighbours of one name have that as their heading."""
    groups = itertools.groupby(rows, key=group) if group is not None else [("", rows)]
    cells = tuple(
        RowGroup(heading, tuple(tuple(cell(row) for _, cell in fields) for row in members))
        for heading, members in groups
    )
    return DataTable(anchor, caption, tuple(column for column, _ in fields), cells, note)


def _value(of: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    return attrgetter(of) if isinstance(of, str) else of


def _words(head: str, of: str | Callable[[Any], str], about: str = "") -> Field:
    value = _value(of)
    return Column(head, about, numeric=False), lambda row: words(value(row))


def _whole(head: str, of: str | Callable[[Any], int], about: str = "") -> Field:
    value = _value(of)
    return Column(head, about), lambda row: whole(value(row))


def _number(head: str, of: str | Callable[[Any], float], digits: int = 2, about: str = "") -> Field:
    value = _value(of)
    return Column(head, about), lambda row: number(value(row), digits)


def _pair() -> Field:
    return _words("Contrast", lambda row: f"{row.engine_a} − {row.engine_b}")


def _holm(row: Any) -> Cell:
    return p_value(row.p_holm, strong=True)
