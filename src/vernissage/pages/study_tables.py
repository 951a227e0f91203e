"""The tables of a study's report, whose cells carry every digit and show those that a person reads."""

import itertools
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from operator import attrgetter
from typing import Any

from vernissage.analysis.mixed_effects import contrast_intervals
from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
from vernissage.analysis.study_answers import ANSWERS, REMARKS, OtherChoice, Showings, StudyAnalysis, StudyNumbers
from vernissage.pages.templating import plain

MISSING = "–"
SIGNIFICANT = 0.05
"""Of p values adjusted for their family: below it a contrast counts as found."""

_INTERVAL = "95 % interval"


@dataclass(frozen=True)
class Cell:
    """What a cell shows; ``value`` is the number behind it with all its digits, empty for words."""

    text: str
    value: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Field:
    """A column: its head, what makes its cell from a row, and what spells out an abbreviation."""

    head: str
    cell: Callable[[Any], Cell]
    about: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class DataTable:
    """A table; the first cell of each row is its head.

    Attributes:
        anchor: its id in the page.
        caption: what it shows, of whom; ``note`` says how to read it.
        group: the attribute whose value is the heading of neighbouring rows that share it; empty for none.
    """

    anchor: str
    caption: str
    fields: Sequence[Field]
    rows: Sequence[Any]
    group: str = ""
    note: str = ""

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """Headings, and the rows under each."""
        if not self.group:
            return [("", list(self.rows))]
        return [(heading, list(rows)) for heading, rows in itertools.groupby(self.rows, attrgetter(self.group))]


def number(value: float, digits: int = 2) -> Cell:
    """A cell with a number of that many decimals; a dash for NaN."""
    return _unless_missing(value, lambda known: signed(known, digits))


def p_value(value: float, *, strong: bool = False) -> Cell:
    """A cell with a p value; with ``strong``, one below .05 stands out."""
    cell = _unless_missing(value, lambda known: p_in_words(known).removeprefix("= "))
    return replace(cell, strong=strong and value < SIGNIFICANT)


def mean_and_sd(mean: float, sd: float) -> Cell:
    """A cell ``mean ± SD``; its value is the mean and, behind a blank, the deviation."""
    if math.isnan(mean):
        return Cell(MISSING, "NaN NaN")
    return Cell(f"{mean:.3f} ± {MISSING if math.isnan(sd) else f'{sd:.3f}'}", f"{_digits(mean)} {_digits(sd)}")


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign, and no sign before a rounded 0."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")


def p_in_words(value: float) -> str:
    """A p value with its relation, as in ``= 0.031`` or ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def strength(r: float) -> str:
    """Cohen's words (1988) for an effect size r: small from .1, medium from .3, large from .5."""
    size = abs(r)
    steps = ((0.5, "large"), (0.3, "medium"), (0.1, "small"), (0.0, "negligible"))
    return next((name for least, name in steps if size >= least), "")


@dataclass(frozen=True)
class _Step:
    part: str
    step: str
    people: int


def course_table(study: Sequence[tuple[str, int]], answers: Sequence[tuple[str, int]]) -> DataTable:
    """How many people came how far, by the study's own count and by the answers."""
    parts = [("In the study", study), ("In the table of answers", answers)]
    rows = [_Step(part, step, count) for part, steps in parts for step, count in steps]
    fields = (_words("Step", "step"), _whole("People", "people"))
    return DataTable("course", "Participants, from the first page to the analysis", fields, rows, "part")


def exclusion_table(numbers: StudyNumbers, pseudonyms: Mapping[str, str]) -> DataTable:
    """Who answered two showings of one list 2 or more apart, where, and what follows."""
    reasons: dict[str, list[str]] = {}
    for each in numbers.violations:
        reasons.setdefault(each.participant, []).append(
            f"{each.variable} of {each.engine}: {each.first}, then {each.second}"
        )
    rows = [each for each in numbers.analysis.exclusions if each.violations or not each.comparisons]
    fields = (
        _words("Participant", lambda row: pseudonyms.get(row.participant, row.participant)),
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
    return DataTable("exclusions", caption, fields, rows)


def agreement_table(numbers: StudyNumbers) -> DataTable:
    """How well people agree with themselves."""
    return _listed("agreement", numbers.agreements)


def distribution_table(numbers: StudyNumbers) -> DataTable:
    """How often each rating was given."""
    return _listed("distributions", numbers.distributions)


def mean_table(analysis: StudyAnalysis) -> DataTable:
    """Estimated marginal means."""
    return _listed("means", analysis.emmeans)


def contrast_table(analysis: StudyAnalysis) -> DataTable:
    """All pairs of engines."""
    intervals = dict(zip(analysis.contrasts, contrast_intervals(analysis.contrasts), strict=True))
    fields = (
        _pair(),
        _number("Estimate", "estimate", 3, "difference of marginal means, in points of the scale"),
        _number("SE", "se", 3, "standard error"),
        _number("df", "df", 1, "Satterthwaite's degrees of freedom"),
        _number("t", "statistic"),
        Field("p", lambda row: p_value(row.p_raw), "raw"),
        Field("p Holm", _holm, "adjusted by Holm's method within the variable"),
        _number("r", "r", about="effect size"),
        _words("Size", lambda row: strength(row.r) or row.status, "Cohen's words for r"),
        _number(f"{_INTERVAL}, from", lambda row: intervals[row].lower95, 3, "unadjusted"),
        _number("to", lambda row: intervals[row].upper95, 3),
    )
    return DataTable(
        "contrasts",
        "Contrasts of all pairs of engines, each first engine minus second",
        fields,
        analysis.contrasts,
        "variable",
        note="p is two-sided; p Holm is adjusted for all contrasts of the same variable; intervals are not adjusted. "
        "p Holm below .05 is set in bold. r = sign(t)·√(t²/(t² + df)): small from .1, medium from .3, large from .5 "
        "(Cohen 1988).",
    )


def model_table(analysis: StudyAnalysis) -> DataTable:
    """The model of each variable as a whole."""
    met = dict.fromkeys(each.status for each in analysis.varcomp)
    note = "; ".join(f"{status}: {REMARKS[status]}" for status in met if status != "ok")
    caption = f"The models: {ANSWERS[analysis.showings]}"
    return _listed("models", analysis.varcomp, caption=caption, note=f"Status {note}." if note else "")


def robustness_table(numbers: StudyNumbers) -> DataTable:
    """The contrasts by other reasonable choices, beside those of the primary analysis."""
    found = {
        (each.variable, each.engine_a, each.engine_b, each.showings, each.exclusion): each for each in numbers.others
    }
    fields: list[Field] = [
        _pair(), _number("Estimate", "estimate", 3, "primary"), Field("p Holm", _holm, "primary"),
    ]  # fmt: skip

    def of_choice(showings: Showings, rule: bool) -> list[Field]:
        answers = {"mean": "mean of showings", "first": "first showings", "all": "all showings"}[showings]
        head = f"{answers}, {'rule applied' if rule else 'nobody excluded'}"

        def other(row: Any) -> OtherChoice:
            return found[row.variable, row.engine_a, row.engine_b, showings, rule]

        estimate = _number("Estimate", lambda row: other(row).estimate, 3, head)
        return [estimate, Field("p Holm", lambda row: _holm(other(row)), head)]

    for choice in dict.fromkeys((each.showings, each.exclusion) for each in numbers.others):
        fields += of_choice(*choice)
    return DataTable(
        "robustness",
        "The same contrasts by other choices of answers and exclusion",
        fields,
        numbers.analysis.contrasts,
        "variable",
        note="These are no further tests to choose from: they show what the primary result depends on.",
    )


def within_table(within: Sequence[OverlapWithin]) -> DataTable:
    """Table 1: overlap of one engine's lists between participants."""
    fields = (
        _words("Engine", lambda pair: pair[0].engine),
        Field("IoU", lambda pair: mean_and_sd(pair[0].mean, pair[0].sd)),
        Field("RBO", lambda pair: mean_and_sd(pair[1].mean, pair[1].sd)),
        _whole("Pairs", lambda pair: pair[0].n_pairs),
    )
    return DataTable(
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
    fields += [Field(engine, partial(cell, engine)) for engine in engines]
    caption = (
        f"Overlap of two engines' lists ({between[0].pairing}, {over} pairs), mean ± SD: IoU above the diagonal, RBO "
        f"below"
    )
    return DataTable("table2", caption, fields, engines)


def published_table(published: Sequence[tuple[str, Any]], whose: str) -> DataTable:
    """Published values as they were printed, beside ours: (what is measured, the value beside ours)."""

    def ours(row: tuple[str, Any]) -> Cell:
        low, high = row[1].low, row[1].high
        if low is None:
            return Cell(MISSING, "NaN")
        shown = [f"{end:,}" if isinstance(end, int) else signed(end) for end in dict.fromkeys((low, high))]
        return Cell(" to ".join(shown), _digits(low) if low == high else "")

    def named(row: tuple[str, Any]) -> str:
        between = " − " if row[1].measure in ("p", "r") else " and "
        pair = between.join(name for name in (row[1].engine, row[1].other) if name)
        return ", ".join(words for words in (row[0], row[1].variable, pair) if words)

    fields = (_words("Measure", named), Field("Here", ours), Field("Published", lambda row: Cell(row[1].published)))
    return DataTable(
        "published-values",
        f"What this study found beside published values: {whose}",
        fields,
        published,
        note="Other people judged other works there. Where a row names no variable or engines, all that there are here "
        "count, from the least to the greatest, effect sizes without their sign.",
    )


def _listed(name: str, rows: Sequence[Any], **more: str) -> DataTable:
    """A table of ``study_tables.toml``, whose columns are attributes of its rows."""
    made: dict[str, Callable[..., Field]] = {"words": _words, "whole": _whole, "number": _number, "percent": _percent}
    told = {**_TABLES[name], **more}
    fields = [made[kind](*column) for kind, *column in told.pop("columns")]
    return DataTable(name, fields=fields, rows=rows, **told)


_TABLES: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("study_tables.toml").read_text(encoding="utf-8"))


def _words(head: str, of: str | Callable[[Any], str], about: str = "") -> Field:
    value = _value(of)
    return Field(head, lambda row: Cell(plain(value(row))), about, numeric=False)


def _whole(head: str, of: str | Callable[[Any], int], about: str = "") -> Field:
    value = _value(of)
    return Field(head, lambda row: Cell(f"{value(row):,}", str(value(row))), about)


def _number(head: str, of: str | Callable[[Any], float], digits: int = 2, about: str = "") -> Field:
    value = _value(of)
    return Field(head, lambda row: number(value(row), digits), about)


def _percent(head: str, share: str, about: str = "") -> Field:
    value = attrgetter(share)
    return _number(head, lambda row: 100 * value(row), 1, about)


def _value(of: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    return attrgetter(of) if isinstance(of, str) else of


def _pair() -> Field:
    return _words("Contrast", lambda row: f"{row.engine_a} − {row.engine_b}")


def _holm(row: Any) -> Cell:
    return p_value(row.p_holm, strong=True)


def _unless_missing(value: float, shown: Callable[[float], str]) -> Cell:
    return Cell(MISSING, "NaN") if math.isnan(value) else Cell(shown(value), _digits(value))


def _digits(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(float(value))
