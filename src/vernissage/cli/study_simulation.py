"""The command that lets simulated people take part in a study: study simulate."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, progress_bars, say
from vernissage.cli.recommending import WorkspacePath
from vernissage.cli.study_opening import StudyFile, opened_study, planned
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vernissage.study.participation import Study
    from vernissage.study.simulation import MakePerson, RehearsalClock, Simulated

REHEARSAL = "rehearsal.db"


def simulate(
    file: StudyFile,
    workspace: WorkspacePath,
    participants: Annotated[int, typer.Option("--participants", "-p", help="How many simulated people.")] = 100,
    seed: Annotated[int, typer.Option(help="Equal seeds simulate equal people.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Rehearse in a database of its own in this folder, whatever --database says, and export there.",
        ),
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Tastes over these labels of works: group, artist …; repeat.")
    ] = None,
    effect: Annotated[
        list[str] | None,
        typer.Option(metavar="ENGINE=POINTS", help="Instead of tastes: how far an engine is above others; repeat."),
    ] = None,
    participant_sd: Annotated[float, typer.Option(help="Of people's levels, in points.")] = 0.5,
    residual_sd: Annotated[float, typer.Option(help="Of the impression of a list, in points.")] = 0.5,
    showing_sd: Annotated[float, typer.Option(help="Of single answers, in points.")] = 0.3,
    known: Annotated[float, typer.Option(help="The share of works that a person knows before; with tastes.")] = 0.25,
    careless: Annotated[float, typer.Option(help="The share of people who click anything.")] = 0.05,
    dropouts: Annotated[float, typer.Option(help="The share of people who leave before the end.")] = 0.05,
    database: DatabasePlace = None,
) -> None:
    """Let simulated people walk through a study: as robots, whom no export holds, or with --out as a rehearsal.

    \b
    Examples:
      vernissage study simulate study.toml workspace --participants 20
      vernissage study simulate study.toml workspace --out rehearsal --seed 1
      vernissage study report rehearsal/long.csv --rankings rehearsal/rankings.csv --out report
    """
    from vernissage.files import write_json
    from vernissage.study.simulation import REHEARSAL_START, Behaviour, RehearsalClock, simulate

    behaviour = Behaviour(careless, dropouts)
    parameters: dict[str, Any] = {
        "participant_sd": participant_sd, "residual_sd": residual_sd, "showing_sd": showing_sd, "known": known,
    }  # fmt: skip
    clock = RehearsalClock() if out is not None else None
    with _stage(file, workspace, database, out, clock) as study:
        make_person = _people(study, workspace, effect or (), by, parameters)
        with progress_bars() as progress:
            done = simulate(
                study, make_person, participants, flag="robot" if out is None else "participant", seed=seed,
                behaviour=behaviour, clock=clock, progress=progress,
            )  # fmt: skip
        _tell(done, participants)
        if out is None:
            say("They are flagged as robots: `vernissage study status` counts them apart, and no export holds them.")
            return
        from vernissage.study.export import write_export

        written = write_export(study.records, out)
        told = parameters | {"seed": seed, "participants": participants, "by": by or [], "effects": list(effect or ())}
        told |= {"careless": careless, "dropouts": dropouts, "clock_starts": REHEARSAL_START.isoformat()}
        write_json(out / "simulation.json", told)
    say(f"Written to {out}: {', '.join([*(path.name for path in written), 'simulation.json', REHEARSAL])}")


@contextmanager
def _stage(
    file: Path, workspace: Path, database: str | None, out: Path | None, clock: "RehearsalClock | None"
) -> "Iterator[Study]":
    """The study in its own database, or in a new one for a rehearsal."""
    from vernissage.storage.database import open_database
    from vernissage.study.participation import Study
    from vernissage.study.plan import recommend_with

    if out is None or clock is None:
        with opened_study(file, workspace, database) as study:
            yield study
        return
    if (out / REHEARSAL).exists():
        raise RequestError(f"{out / REHEARSAL} is there from an earlier rehearsal; choose another folder, or delete it")
    plan, engines = planned(file, workspace)
    out.mkdir(parents=True, exist_ok=True)
    opened = open_database(out / REHEARSAL)
    try:
        yield Study(plan, opened, recommend_with(engines), clock.clocks)
    finally:
        opened.close()


def _people(
    study: "Study", workspace: Path, effects: "Sequence[str]", by: list[str] | None, parameters: dict[str, Any]
) -> "MakePerson":
    from vernissage.study.simulation import EngineEffects

    statements = tuple(statement.name for statement in study.definition.statements)
    if effects:
        if by:
            raise RequestError("simulated people answer either by tastes, --by, or by --effect; give one of them")
        sds = {name: parameters[name] for name in ("participant_sd", "residual_sd", "showing_sd")}
        return EngineEffects(_effects(effects, study.definition.engines), statements, **sds)
    return _people_with_tastes(workspace, statements, by, parameters)


def _people_with_tastes(
    workspace: Path, statements: tuple[str, ...], by: list[str] | None, parameters: dict[str, Any]
) -> "MakePerson":
    from importlib.metadata import entry_points

    from vernissage.workspace.workspace import open_workspace

    models = entry_points(group="vernissage.simulated_people")
    if not models:
        raise RequestError(
            "no package here simulates people with tastes; install vernissage with its laboratory, or give --effect "
            "ENGINE=POINTS"
        )
    people, facets = next(iter(models)).load()(open_workspace(workspace).collection, by, statements, parameters)
    note(f"tastes over {', '.join(facets)}")
    made: MakePerson = people
    return made


def _effects(given: "Sequence[str]", engines: "Sequence[str]") -> dict[str, float]:
    effects: dict[str, float] = {}
    for word in given:
        engine, sign, points = word.rpartition("=")
        try:
            effects[engine] = float(points)
        except ValueError:
            sign = ""
        if not sign or engine not in engines:
            raise RequestError(f"the effect {word!r} is not ENGINE=POINTS; engines are {', '.join(engines)}")
    return effects


def _tell(done: "Simulated", participants: int) -> None:
    before = f", {done.before} had finished before" if done.before else ""
    say(
        f"{participants} simulated people: {done.finished} finished, {done.left} left, {done.careless} clicked "
        f"anything{before}."
    )


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(simulate)
