"""The commands about what a study finds: vernissage study power, analyse, report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson, DatabasePlace, argument, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.pages.study_tables import DataTable
    from vernissage.study.power import Population, Power
    from vernissage.study.results import Results

PAGE = "report.html"
_USUAL = 95
_SHOWN_NAMES = 8


@dataclass(frozen=True)
class AnalysisOptions:
    """Which answers and lists are analysed."""

    rankings: Path | None = option(
        None, "Lists: participant, engine, rank, item; adds the overlap tables.", metavar="RANKINGS.csv"
    )
    showings: str = option(
        "mean",
        "Which answers count: the mean of both showings of a list, the first, or each for itself.",
        metavar="mean|first|all",
    )
    variable: list[str] | None = option(
        None, "A column of ratings; repeat. Default: all but known others.", metavar="NAME"
    )
    pairing: str = option(
        "same-participant",
        "Which lists of two engines are compared, with --rankings.",
        metavar="same-participant|all-pairs",
    )


def write_tables(folder: Path, tables: Mapping[str, tuple[type, Sequence[Any]]]) -> None:
    """Write tables as CSV files into ``folder``, all or none: name → (row class, rows); fields are the columns.

    Raises:
        WorkspaceError: the folder cannot be written.
        RequestError: a folder stands where a file belongs.
    """
    from vernissage.files import csv_bytes, write_together

    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} is a file, but the tables need a folder; choose another with --out")
    for name in tables:
        if (folder / name).is_dir():
            raise RequestError(f"{folder / name} is a folder; move it away, or choose another folder with --out")
    files = {}
    for name, (kind, rows) in tables.items():
        columns = [field.name for field in fields(kind)]
        files[folder / name] = csv_bytes(columns, ([getattr(row, column) for column in columns] for row in rows))
    write_together(files)


@dataclass(frozen=True)
class PowerWords:
    """Which studies are simulated, how many, and what is written of them."""

    participants: int | None = option(None, f"Left after exclusions; default {_USUAL}.", "--participants", "-p")
    find: float | None = option(None, "Find the fewest participants that reach this, such as .8.", metavar="SHARE")
    engines: int | None = option(None, "How many engines, with --effect-size; default 4.")
    effects: str | None = option(None, "How far each engine is above the mean, in points: 0,0,.2,.4.", metavar="A,B,…")
    effect_size: float | None = option(
        None, "Instead: one engine above all others by this r; default .28.", metavar="R"
    )
    mean: float = option(3.0, "The mean of an engine without effect, on the scale of 1 to 5.")
    participant_sd: float = option(0.6, "Between people, in points.")
    residual_sd: float = option(0.6, "Of a person's impression of one list, in points.")
    showing_sd: float = option(0.3, "Between two answers about one list, in points.")
    showings: int = option(2, "How often each list is judged, 1 or 2; means are analysed.")
    rounding: bool = option(True, "Round answers to 1 to 5.", "--rounding/--no-rounding")
    simulations: int = option(1000, "How many studies are simulated.")
    seed: int = option(0, "Equal seeds give equal results.")
    out: Path | None = option(None, "Write the table here.", "--out", "-o", metavar="CSV")
    figure: Path | None = option(None, "Draw shares by participants here: .png, .svg, .pdf.")
    as_json: AsJson = False

    def population(self) -> "Population":
        """Whom the simulated studies are about."""
        from vernissage.study.power import Population, with_effects

        sds = self.participant_sd, self.residual_sd, self.showing_sd
        people = Population((0.0, 0.0), self.mean, *sds, self.showings, self.rounding)
        return with_effects(people, _points(self.effects), self.effect_size, self.engines)


def power(said: PowerWords) -> None:
    """How often a study finds differences of engines: studies are simulated, and analysed as `study analyse` does.

    An r stands for the difference d = σ·√(2(k − 1))·r/√(1 − r²) of k engines, because r² = t²/(t² + df) with
    t = d/√(2σ²/n) and df = (n − 1)(k − 1); σ² = residual_sd² + showing_sd²/showings, before rounding.

    \b
    Examples:
      vernissage study power --participants 95 --effect-size .28
      vernissage study power --find .8 --effects 0,.1,.2,.4 --figure power.png
    """
    from vernissage.study.power import PowerRow, find_participants, power_points, power_rows
    from vernissage.study.power import power as simulate_power

    find, out, figure = said.find, said.out, said.figure
    if find is not None and said.participants is not None:
        raise RequestError("either --participants are given or --find finds them; leave one out")
    if figure is not None:
        from vernissage.pages.figures import require_figure, save_figure
        from vernissage.pages.study_figures import power_figure

        require_figure(figure)
    people, seed = said.population(), said.seed
    how: Any = {"simulations": said.simulations, "seed": seed}
    with progress_bars() as progress:
        tried: tuple[Power, ...] = ()
        if find is None:
            size = _USUAL if said.participants is None else said.participants
            found = simulate_power(people, size, **how, progress=progress)
        else:
            found, tried = find_participants(people, find, **how, progress=progress)
        if figure is not None:
            points = power_points(people, found, tried, seed=seed, progress=progress)
            save_figure(power_figure(points, marked=found.participants), figure)
    if out is not None:
        write_tables(out.parent, {out.name: (PowerRow, power_rows(tried or (found,)))})
    if said.as_json:
        content = {"population": asdict(people), "seed": seed, "result": asdict(found)}
        print_json(content | ({"tried": [asdict(each) for each in tried]} if tried else {}))
    else:
        _print_power(people, found, find, seed)
    note(*[f"wrote {path}" for path in (out, figure) if path is not None])


def analyse(
    long: Annotated[
        Path,
        typer.Argument(metavar="LONG.csv", help="Answers: participant, engine, repetition, and a column a variable."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder for the tables.")],
    asked: AnalysisOptions,
    exclude: bool = option(
        True, "Leave out who answered two showings of one list 2 or more points apart.", "--exclude/--no-exclude"
    ),
    engine: list[str] | None = option(None, "Refuse rows of engines that are not named here; repeat.", metavar="NAME"),
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

    choices = Choices(asked.showings, exclude, asked.pairing, engine)
    results = analyse_files(long, asked.rankings, asked.variable or (), choices)
    write_tables(out, results.tables)
    note(*results.remarks(out), kind="warning")
    if as_json:
        print_json(results.values)
    else:
        _print_results(results)
        note(f"wrote {', '.join(results.tables)} to {out}")


@dataclass(frozen=True)
class Recorded:
    """The study in whose database the answers are."""

    study: Path | None = option(None, "Report on this study's database, not on files.", metavar="STUDY.toml")
    workspace: Path | None = option(None, "The workspace, with --study.", "--workspace", "-w")
    database: DatabasePlace = None


def report(
    asked: AnalysisOptions,
    recorded: Recorded,
    long: Path | None = argument(None, "Answers, as `study export` writes them; or --study.", metavar="[LONG.csv]"),
    out: Path = option(Path("report"), "The folder for page and tables.", "--out", "-o", metavar="DIR"),
    exclude: bool | None = option(
        None,
        "Leave out who broke the rule of repeated showings. Default: as the study's attention says.",
        "--exclude/--no-exclude",
        show_default=False,
    ),
    title: str | None = option(None, "The page's title; default: the study's."),
    pseudonyms: bool = option(True, "Call participants P1, P2 …, or by their ids.", "--pseudonyms/--ids"),
    published: str | None = option(
        None, "Values to set beside: yilma-leiva-2023, or your own file (docs/study-report.md).", metavar="NAME|CSV"
    ),
) -> None:
    """Write a page with every result of a study, and the same numbers as CSV.

    \b
    Examples:
      vernissage study report export/long.csv --rankings export/rankings.csv --out report
      vernissage study report --study study.toml --workspace workspace --out report
      vernissage study report export/long.csv --published yilma-leiva-2023
    """
    from vernissage.files import write_bytes
    from vernissage.study.opening import open_records
    from vernissage.study.results import Choices, make_report, source_of_files, source_of_records

    study, workspace = recorded.study, recorded.workspace
    if (study is None) == (long is None):
        raise RequestError("a report is made from LONG.csv or from --study STUDY.toml; give one of them")
    if long is not None:
        source = source_of_files(long, asked.rankings, asked.variable or ())
    elif study is None or workspace is None or asked.rankings is not None or asked.variable:
        raise RequestError("with --study, name its --workspace; --rankings and --variable are for LONG.csv")
    else:
        with open_records(study, workspace, recorded.database) as records:
            source = source_of_records(records)
    choices = Choices(asked.showings, exclude, asked.pairing)
    made = make_report(source, choices, title=title, pseudonyms=pseudonyms, published=published)
    write_tables(out, made.tables)
    write_bytes(out / PAGE, made.page.encode())
    note(*made.warnings, kind="warning")
    say(f"Written to {out}: {', '.join([PAGE, *made.tables])}")


def _points(effects: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in effects.split(",")) if effects is not None else ()
    except ValueError:
        raise RequestError(
            f"the effects {effects!r} are not numbers with commas between; write them as 0,0,.2,.4"
        ) from None


def _print_power(people: "Population", found: "Power", wanted: float | None, seed: int) -> None:
    rounded = "rounded to 1 to 5" if people.rounded else "not rounded"
    say(
        f"{found.simulations:,} simulated studies of {found.participants} participants and {len(people.effects)} "
        f"engines, {people.repetitions} showing{'s' * (people.repetitions > 1)} of each list, seed {seed}",
        f"Answers {rounded}; mean {people.mean:g}, SD between people {people.participant_sd:g}, of impressions "
        f"{people.residual_sd:g}, of showings {people.showing_sd:g}",
        "Analysed by REML, Satterthwaite's degrees of freedom and Holm's method, on means over showings",
        "",
    )
    heads = ("contrast", "true difference", "its r", "mean estimate", "mean r", "found", "± SE")
    rows = [
        (f"{each.engine_a} − {each.engine_b}", f"{each.difference:+.3f}", f"{each.expected_r:+.2f}")
        + (f"{each.estimate:+.3f}", f"{each.mean_r:+.2f}", f"{each.found:.3f}", f"{each.se:.3f}")
        for each in found.contrasts
    ]
    print_table(heads, rows, numbers=heads[1:])
    say(
        "found: the share of studies with Holm's p < .05 and the right sign; where nothing differs, false alarms",
        f"any contrast found: {found.any_found:.3f} ± {found.any_se:.3f}",
    )
    if wanted is not None:
        say(
            f"{found.participants} participants are the fewest that find every true difference with {wanted:g} or "
            f"more; add those whom you expect to exclude or to leave"
        )


def _print_results(results: "Results") -> None:
    """Print who counts, the method, warnings, and the report's tables of models, means, contrasts and overlap."""
    from vernissage.analysis.study_answers import ANSWERS, METHOD
    from vernissage.pages import study_tables as tables

    analysis = results.analysis
    everyone = analysis.exclusions
    unchecked = [each.participant for each in everyone if not each.comparisons]
    say(f"People     {len(everyone)}{_named('excluded', analysis.excluded)}{_named('unchecked', unchecked)}")
    if broke := [each.participant for each in everyone if each.violations and not each.excluded]:
        say(f"           kept although two showings differ by 2 or more: {_some(broke)}")
    say(f"Answers    {ANSWERS[analysis.showings]}", f"Model      {METHOD}")
    say(*[f"Warning    {warning}" for warning in analysis.warnings])
    models = tables.model_table(analysis)
    print_data_table(models)
    say(*[models.note] if models.note else [])
    print_data_table(tables.mean_table(analysis))
    print_data_table(tables.contrast_table(analysis), columns=8)
    within, between = results.overlaps or ((), ())
    if within:
        print_data_table(tables.within_table(within))
    if between:
        print_data_table(tables.between_table(between))


def print_data_table(table: "DataTable", columns: int | None = None) -> None:
    """Print a table of the report, or the first columns of one that is wider than a terminal."""
    fields = table.fields[:columns]
    numbers = [each.head for each in fields if each.numeric]
    for place, (heading, rows) in enumerate(table.groups):
        say(*[] if place else ["", table.caption], *[heading] if heading else [])
        print_table(
            [each.head for each in fields], [[each.cell(row).text for each in fields] for row in rows], numbers=numbers
        )


def _named(what: str, names: Sequence[str]) -> str:
    return f", {len(names)} {what} ({_some(names)})" if names else f", none {what}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN_NAMES]) + (
        f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    )
