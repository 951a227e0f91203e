"""The commands about what a study finds: vernissage study power, analyse, report."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.csv_folder import write_tables
from vernissage.cli.options import AsJson, DatabasePlace
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
    from vernissage.analysis.study_answers import StudyAnalysis, VarianceComponents
    from vernissage.study.power import Population, Power
    from vernissage.study.results import ReportSource, Results

PAGE = "report.html"
_USUAL = 95
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


def power(
    participants: Annotated[
        int | None, typer.Option("--participants", "-p", help=f"Left after exclusions; default {_USUAL}.")
    ] = None,
    find: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Find the fewest participants that reach this, such as .8.")
    ] = None,
    engines: Annotated[int | None, typer.Option(help="How many engines, with --effect-size; default 4.")] = None,
    effects: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="How far each engine is above the mean, in points: 0,0,.2,.4."),
    ] = None,
    effect_size: Annotated[
        float | None, typer.Option(metavar="R", help="Instead: one engine above all others by this r; default .28.")
    ] = None,
    mean: Annotated[float, typer.Option(help="The mean of an engine without effect, on the scale of 1 to 5.")] = 3.0,
    participant_sd: Annotated[float, typer.Option(help="Between people, in points.")] = 0.6,
    residual_sd: Annotated[float, typer.Option(help="Of a person's impression of one list, in points.")] = 0.6,
    showing_sd: Annotated[float, typer.Option(help="Between two answers about one list, in points.")] = 0.3,
    showings: Annotated[int, typer.Option(help="How often each list is judged, 1 or 2; means are analysed.")] = 2,
    rounding: Annotated[bool, typer.Option("--rounding/--no-rounding", help="Round answers to 1 to 5.")] = True,
    simulations: Annotated[int, typer.Option(help="How many studies are simulated.")] = 1000,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal results.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="CSV", help="Write the table here.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw shares by participants here: .png, .svg, .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """How often a study finds differences of engines: studies are simulated, and analysed as `study analyse` does.

    An r stands for the difference d = σ·√(2(k − 1))·r/√(1 − r²) of k engines, because r² = t²/(t² + df) with
    t = d/√(2σ²/n) and df = (n − 1)(k − 1); σ² = residual_sd² + showing_sd²/showings, before rounding.

    \b
    Examples:
      vernissage study power --participants 95 --effect-size .28
      vernissage study power --find .8 --effects 0,.1,.2,.4 --figure power.png
    """
    from vernissage.study.power import Population, PowerRow, find_participants, power_points, power_rows, with_effects
    from vernissage.study.power import power as simulate_power

    if find is not None and participants is not None:
        raise RequestError("either --participants are given or --find finds them; leave one out")
    people = Population((0.0, 0.0), mean, participant_sd, residual_sd, showing_sd, showings, rounding)
    people = with_effects(people, _points(effects), effect_size, engines)
    with progress_bars() as progress:
        tried: tuple[Power, ...] = ()
        if find is None:
            size = _USUAL if participants is None else participants
            found = simulate_power(people, size, simulations=simulations, seed=seed, progress=progress)
        else:
            found, tried = find_participants(people, find, simulations=simulations, seed=seed, progress=progress)
        if figure is not None:
            from vernissage.pages.figures import save_figure
            from vernissage.pages.study_figures import power_figure

            points = power_points(people, found, tried, seed=seed, progress=progress)
            save_figure(power_figure(points, marked=found.participants), figure)
    if out is not None:
        write_tables(out.parent, {out.name: (PowerRow, power_rows(tried or (found,)))})
    if as_json:
        print_json(_power_values(people, found, tried, seed))
    else:
        _print_power(people, found, find, seed)
    for path in (out, figure):
        if path is not None:
            note(f"wrote {path}")


def analyse(
    long: Annotated[
        Path,
        typer.Argument(metavar="LONG.csv", help="Answers: participant, engine, repetition, and a column a variable."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder for the tables.")],
    rankings: Annotated[
        Path | None,
        typer.Option(metavar="RANKINGS.csv", help="Lists: participant, engine, rank, item; adds the overlap tables."),
    ] = None,
    showings: Annotated[
        str,
        typer.Option(
            metavar="mean|first|all",
            help="Which answers count: the mean of both showings of a list, the first, or each for itself.",
        ),
    ] = "mean",
    exclude: Annotated[
        bool,
        typer.Option(
            "--exclude/--no-exclude", help="Leave out who answered two showings of one list 2 or more points apart."
        ),
    ] = True,
    variable: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A column of ratings; repeat. Default: all but known others."),
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Refuse rows of engines that are not named here; repeat.")
    ] = None,
    pairing: Annotated[
        str,
        typer.Option(
            metavar="same-participant|all-pairs", help="Which lists of two engines are compared, with --rankings."
        ),
    ] = "same-participant",
    as_json: AsJson = False,
) -> None:
    """The statistics of a study: mixed-effects models of the ratings, contrasts of engines, overlap of their lists.

    Writes contrasts.csv, emmeans.csv, varcomp.csv and exclusions.csv into DIR; with rankings also table1.csv, overlap
    within engines, and table2.csv, overlap between them.

    \b
    Examples:
      vernissage study analyse long.csv --out results
      vernissage study analyse long.csv --out results --rankings rankings.csv --json
      vernissage study analyse long.csv --out results --showings first --no-exclude
    """
    from vernissage.study.results import Choices, analyse_files

    results = analyse_files(long, rankings, variable or (), Choices(showings, exclude, pairing, engine))
    write_tables(out, results.tables)
    for remark in results.remarks(out):
        note(f"warning: {remark}")
    if as_json:
        print_json(results.values)
    else:
        _print_results(results)
        note(f"wrote {', '.join(results.tables)} to {out}")


def report(
    long: Annotated[
        Path | None, typer.Argument(metavar="[LONG.csv]", help="Answers, as `study export` writes them; or --study.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder for page and tables.")] = Path(
        "report"
    ),
    rankings: Annotated[
        Path | None, typer.Option(metavar="RANKINGS.csv", help="Lists: participant, engine, rank, item.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY.toml", help="Report on this study's database, not on files.")
    ] = None,
    workspace: Annotated[Path | None, typer.Option("--workspace", "-w", help="The workspace, with --study.")] = None,
    showings: Annotated[
        str, typer.Option(metavar="mean|first|all", help="Which answers count, as in `study analyse`.")
    ] = "mean",
    exclude: Annotated[
        bool | None,
        typer.Option(
            "--exclude/--no-exclude",
            help="Leave out who broke the rule of repeated showings. Default: as the study's attention says.",
            show_default=False,
        ),
    ] = None,
    pairing: Annotated[
        str, typer.Option(metavar="same-participant|all-pairs", help="Which lists of two engines are compared.")
    ] = "same-participant",
    variable: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column of ratings; repeat.")] = None,
    title: Annotated[str | None, typer.Option(help="The page's title; default: the study's.")] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms/--ids", help="Call participants P1, P2 …, or by their ids.")
    ] = True,
    database: DatabasePlace = None,
) -> None:
    """Write a page with every result of a study, and the same numbers as CSV.

    \b
    Examples:
      vernissage study report export/long.csv --rankings export/rankings.csv --out report
      vernissage study report --study study.toml --workspace workspace --out report
    """
    from vernissage.files import write_bytes
    from vernissage.study.results import Choices, make_report

    source = _report_source(long, rankings, variable or (), study, workspace, database)
    made = make_report(source, Choices(showings, exclude, pairing), title=title, pseudonyms=pseudonyms)
    write_tables(out, made.tables)
    write_bytes(out / PAGE, made.page.encode())
    for warning in made.warnings:
        note(f"warning: {warning}")
    say(f"Written to {out}: {', '.join([PAGE, *made.tables])}")


def _report_source(
    long: Path | None,
    rankings: Path | None,
    variables: Sequence[str],
    study: Path | None,
    workspace: Path | None,
    database: str | None,
) -> "ReportSource":
    from vernissage.study.opening import open_records
    from vernissage.study.results import source_of_files, source_of_records

    if long is not None and study is None:
        return source_of_files(long, rankings, variables)
    if study is None or long is not None:
        raise RequestError("a report is made from LONG.csv or from --study STUDY.toml; give one of them")
    if workspace is None or rankings is not None or variables:
        raise RequestError("with --study, name its --workspace; --rankings and --variable are for LONG.csv")
    with open_records(study, workspace, database) as records:
        return source_of_records(records)


def _points(effects: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in effects.split(",")) if effects is not None else ()
    except ValueError:
        raise RequestError(
            f"the effects {effects!r} are not numbers with commas between; write them as 0,0,.2,.4"
        ) from None


def _print_power(people: "Population", found: "Power", wanted: float | None, seed: int) -> None:
    say(
        f"{found.simulations:,} simulated studies of {found.participants} participants and {len(people.effects)} "
        f"engines, {people.repetitions} showing{'s' * (people.repetitions > 1)} of each list, seed {seed}"
    )
    rounded = "rounded to 1 to 5" if people.rounded else "not rounded"
    say(
        f"Answers {rounded}; mean {people.mean:g}, SD between people {people.participant_sd:g}, of impressions "
        f"{people.residual_sd:g}, of showings {people.showing_sd:g}"
    )
    say("Analysed by REML, Satterthwaite's degrees of freedom and Holm's method, on means over showings")
    say("")
    heads = ("contrast", "true difference", "its r", "mean estimate", "mean r", "found", "± SE")
    rows = [
        (f"{each.engine_a} − {each.engine_b}", f"{each.difference:+.3f}", f"{each.expected_r:+.2f}")
        + (f"{each.estimate:+.3f}", f"{each.mean_r:+.2f}", f"{each.found:.3f}", f"{each.se:.3f}")
        for each in found.contrasts
    ]
    print_table(heads, rows, numbers=heads[1:])
    say("found: the share of studies with Holm's p < .05 and the right sign; where nothing differs, false alarms")
    say(f"any contrast found: {found.any_found:.3f} ± {found.any_se:.3f}")
    if wanted is not None:
        say(
            f"{found.participants} participants are the fewest that find every true difference with {wanted:g} or "
            f"more; add those whom you expect to exclude or to leave"
        )


def _power_values(people: "Population", found: "Power", tried: "Sequence[Power]", seed: int) -> dict[str, Any]:
    from dataclasses import asdict

    content = {"population": asdict(people), "seed": seed, "result": asdict(found)}
    return content | ({"tried": [asdict(each) for each in tried]} if tried else {})


def _print_results(results: "Results") -> None:
    """Print who counts, the method, warnings, each variable's model, means and contrasts, and the tables of overlap."""
    from vernissage.analysis.study_answers import METHOD

    analysis = results.analysis
    _print_participants(analysis)
    say(f"Model      {METHOD}")
    for warning in analysis.warnings:
        say(f"Warning    {warning}")
    for components in analysis.varcomp:
        say("")
        _print_variable(analysis, components)
    if results.overlaps is not None:
        _print_overlap(*results.overlaps)


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
