"""What the analysis of a study prints for a person to read."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from vernissage.cli.output import print_table, say

if TYPE_CHECKING:
    from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
    from vernissage.analysis.study_answers import StudyAnalysis, VarianceComponents

_SHOWN_NAMES = 8
_ANSWERS = {
    "mean": "each participant's mean of both showings",
    "first": "first showings alone",
    "all": "both showings, each for itself",
}
_REMARKS = {
    "singular": "the participants' variance is 0, the boundary: ordinary least squares",
    "degenerate": "degenerate: no residual is left, so that there are estimates, but no errors and no p values",
    "not estimable": "not estimable: the answers cannot tell the two variances apart; plain means",
    "one engine": "one engine: its mean alone",
    "no data": "no data",
}


def print_summary(
    results: "StudyAnalysis",
    overlaps: "tuple[Sequence[OverlapWithin], Sequence[OverlapBetween]] | None",
) -> None:
    """Print who counts, the method, warnings, each variable's model, means and contrasts, and the tables of overlap."""
    from vernissage.analysis.study_answers import METHOD

    _print_participants(results)
    say(f"Model      {METHOD}")
    for warning in results.warnings:
        say(f"Warning    {warning}")
    for components in results.varcomp:
        say("")
        _print_variable(results, components)
    if overlaps is not None:
        _print_overlap(*overlaps)


def _print_participants(results: "StudyAnalysis") -> None:
    everyone = results.exclusions
    unchecked = [each.participant for each in everyone if not each.comparisons]
    say(f"People     {len(everyone)}{_named('excluded', results.excluded)}{_named('unchecked', unchecked)}")
    broke = [each.participant for each in everyone if each.violations and not each.excluded]
    if broke:
        say(f"           kept although two showings differ by 2 or more: {_some(broke)}")
    say(f"Answers    {_ANSWERS[results.showings]}")


def _print_variable(results: "StudyAnalysis", components: "VarianceComponents") -> None:
    name = components.variable
    say(f"{name}: {components.nobs} rows of {components.n_participants} participants")
    if not math.isnan(components.var_residual):
        say(
            f"  variance between participants {components.var_participant:.4f}, "
            f"residual {components.var_residual:.4f}, ICC {_number(components.icc)}, "
            f"REML log-likelihood {_likelihood(components.reml_loglik)}"
        )
    if components.status in _REMARKS:
        say(f"  {_REMARKS[components.status]}")
    means = [each for each in results.emmeans if each.variable == name]
    _print_numbers(
        ("engine", "mean", "SE", "df", "lower 95 %", "upper 95 %"),
        [(each.engine, each.emmean, each.se, each.df, each.lower95, each.upper95) for each in means],
    )
    contrasts = [each for each in results.contrasts if each.variable == name]
    if not contrasts:
        return
    print_table(
        ("contrast", "estimate", "SE", "df", "t", "p", "p Holm", "r"),
        [
            (
                f"{each.engine_a} − {each.engine_b}",
                *(_number(value) for value in (each.estimate, each.se, each.df, each.statistic)),
                *(_p(value) for value in (each.p_raw, each.p_holm)),
                _number(each.r),
            )
            for each in contrasts
        ],
        numbers=("estimate", "SE", "df", "t", "p", "p Holm", "r"),
    )


def _print_overlap(within: "Sequence[OverlapWithin]", between: "Sequence[OverlapBetween]") -> None:
    say("")
    say("Overlap of one engine's lists between participants (mean ± SD)")
    engines = list(dict.fromkeys(each.engine for each in within))
    cells = {(each.engine, each.metric): _overlap(each.mean, each.sd) for each in within}
    pairs = {each.engine: str(each.n_pairs) for each in within}
    rows = [(engine, cells[engine, "IoU"], cells[engine, "RBO"], pairs[engine]) for engine in engines]
    print_table(("engine", "IoU", "RBO", "pairs"), rows, numbers=("IoU", "RBO", "pairs"))
    if between:
        say("")
        say(f"Overlap between engines, {between[0].pairing}: IoU above the diagonal, RBO below")
        print_table(("", *engines), _matrix(engines, between), numbers=engines)


def _matrix(engines: Sequence[str], between: "Sequence[OverlapBetween]") -> list[tuple[str, ...]]:
    cells = {(each.engine_a, each.engine_b, each.metric): _overlap(each.mean, each.sd) for each in between}

    def cell(row: int, column: int) -> str:
        if row == column:
            return ""
        a, b = engines[min(row, column)], engines[max(row, column)]
        return cells[a, b, "IoU" if row < column else "RBO"]

    places = range(len(engines))
    return [(engine, *(cell(row, column) for column in places)) for row, engine in enumerate(engines)]


def _print_numbers(columns: Sequence[str], rows: Iterable[tuple[str, *tuple[float, ...]]]) -> None:
    print_table(columns, [(name, *map(_number, numbers)) for name, *numbers in rows], numbers=columns[1:])


def _number(value: float) -> str:
    return _unless_missing(value, lambda number: f"{number:.1f}" if abs(number) >= 100 else f"{number:.3f}")


def _likelihood(value: float) -> str:
    return _unless_missing(value, lambda number: f"{number:.3f}")


def _p(value: float) -> str:
    from vernissage.analysis.paired import format_p

    return _unless_missing(value, format_p)


def _overlap(mean: float, sd: float) -> str:
    return _unless_missing(mean, lambda number: f"{number:.3f} ± {_number(sd)}")


def _unless_missing(value: float, as_text: Callable[[float], str]) -> str:
    return "–" if math.isnan(value) else as_text(value)


def _named(what: str, names: Sequence[str]) -> str:
    return f", {len(names)} {what} ({_some(names)})" if names else f", none {what}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN_NAMES]) + (
        f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    )
