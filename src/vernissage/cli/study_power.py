"""The command that says how many participants a study needs: study power."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.recommending import AsJson
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.progress import Progress
    from vernissage.study.power import Population, Power

_USUAL = 95


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
    from vernissage.study.power import Population, find_participants
    from vernissage.study.power import power as simulate_power

    if find is not None and participants is not None:
        raise RequestError("either --participants are given or --find finds them; leave one out")
    people = Population((0.0, 0.0), mean, participant_sd, residual_sd, showing_sd, showings, rounding)
    people = _with_effects(people, effects, effect_size, engines)
    with progress_bars() as progress:
        tried: tuple[Power, ...] = ()
        if find is None:
            size = _USUAL if participants is None else participants
            found = simulate_power(people, size, simulations=simulations, seed=seed, progress=progress)
        else:
            found, tried = find_participants(people, find, simulations=simulations, seed=seed, progress=progress)
        if figure is not None:
            _draw(figure, people, found, tried, simulations, seed, progress)
    if out is not None:
        _write(out, tried or (found,))
    if as_json:
        print_json(_as_json(people, found, tried, seed))
    else:
        _print(people, found, find, seed)
    for path in (out, figure):
        if path is not None:
            note(f"wrote {path}")


def _with_effects(
    people: "Population", effects: str | None, effect_size: float | None, engines: int | None
) -> "Population":
    from dataclasses import replace

    from vernissage.study.power import with_effect_size

    if effects is None:
        return with_effect_size(people, 0.28 if effect_size is None else effect_size, 4 if engines is None else engines)
    if effect_size is not None:
        raise RequestError("differences come from --effects or from --effect-size; give one of them")
    try:
        points = tuple(float(word) for word in effects.split(","))
    except ValueError:
        raise RequestError(
            f"the effects {effects!r} are not numbers with commas between; write them as 0,0,.2,.4"
        ) from None
    if engines is not None and engines != len(points):
        raise RequestError(f"{len(points)} effects were given for {engines} engines; give one for each engine")
    return replace(people, effects=points)


@dataclass(frozen=True)
class _Row:
    """A row of power.csv."""

    participants: int
    simulations: int
    engine_a: int
    engine_b: int
    difference: float
    expected_r: float
    estimate: float
    mean_r: float
    found: float
    se: float


def _write(path: Path, results: "Sequence[Power]") -> None:
    from vernissage.cli.csv_folder import write_tables

    rows = [_Row(each.participants, each.simulations, **asdict(row)) for each in results for row in each.contrasts]
    write_tables(path.parent, {path.name: (_Row, rows)})


def _print(people: "Population", found: "Power", wanted: float | None, seed: int) -> None:
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


def _as_json(people: "Population", found: "Power", tried: "Sequence[Power]", seed: int) -> dict[str, Any]:
    content = {"population": asdict(people), "seed": seed, "result": asdict(found)}
    return content | ({"tried": [asdict(each) for each in tried]} if tried else {})


def _draw(
    path: Path,
    people: "Population",
    found: "Power",
    tried: "Sequence[Power]",
    simulations: int,
    seed: int,
    progress: "Progress",
) -> None:
    from vernissage.pages.data_tables import signed
    from vernissage.pages.figures import save_figure
    from vernissage.pages.power_figure import PowerPoint, power_figure
    from vernissage.study.power import MOST_PARTICIPANTS, power_curve

    top = min(max(found.participants * 1.6, 20), MOST_PARTICIPANTS)
    sizes = {max(4, round(top * (step / 16) ** 1.5)) for step in range(1, 17)} - {each.participants for each in tried}
    results = {each.participants: each for each in (*tried, found) if each.participants <= top}
    for each in power_curve(people, sorted(sizes), simulations=simulations, seed=seed, progress=progress):
        results[each.participants] = each
    points = [
        PowerPoint(f"{row.engine_a} − {row.engine_b} ({signed(row.difference)})", size, row.found, row.se)
        for size in sorted(results)
        for row in results[size].contrasts
    ]
    save_figure(power_figure(points, marked=found.participants), path)


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(power)
