"""The commands that run a user study: vernissage study …"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli import study_results
from vernissage.cli.options import AsJson, DatabasePlace, WorkspacePath
from vernissage.cli.output import note, print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from vernissage.study.records import Overview

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study's definition.")]
ParticipantId = Annotated[str, typer.Argument(metavar="ID", help="The participant's id, as the export shows it.")]

study = typer.Typer(
    name="study",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A user study of engines, from consent to the statistics.",
)


@study.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The file to write.")],
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="A workspace whose engines and groups to fill in.")
    ] = None,
) -> None:
    """Write a study's definition to begin with: complete, with a comment on every key.

    \b
    Example:
      vernissage study new study.toml --workspace workspace
    """
    from vernissage.gallery.engines import available_engines
    from vernissage.study.definition import write_template
    from vernissage.workspace.workspace import open_workspace

    if workspace is None:
        write_template(file)
    else:
        opened = open_workspace(workspace)
        write_template(file, available_engines(opened), opened.collection)
    say(f"Written: {file}. Fill in your texts, then run `vernissage study check {file} {workspace or 'WORKSPACE'}`.")


@study.command()
def check(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Check a study's definition against a workspace, and against what has begun; say what will happen.

    \b
    Example:
      vernissage study check study.toml workspace
    """
    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import check_against_database, plan_of_file
    from vernissage.study.plan import plan_notes, plan_sentences
    from vernissage.workspace.workspace import open_workspace

    plan, _ = plan_of_file(file, open_workspace(workspace), make_engine)
    check_against_database(plan, workspace, database)
    if as_json:
        slots = [{"of": name, "works": len(slot)} for name, slot in plan.slots.items()]
        content = {"definition": plan.definition.content, "digest": plan.provenance.definition}
        print_json(content | {"elicitation_slots": slots, "orders": plan.orders, "notes": plan_notes(plan)})
        return
    say(f"{file} can run on {workspace}.")
    for line in plan_sentences(plan):
        say(line)
    for line in plan_notes(plan):
        note(f"note: {line}")


@study.command()
def status(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """How far a study has come: started, at which page, finished, dropped, failing the attention rule.

    \b
    Example:
      vernissage study status study.toml workspace
    """
    from dataclasses import asdict

    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        overview = records.overview()
    if as_json:
        print_json(asdict(overview) | {"frozen": overview.frozen.isoformat() if overview.frozen else None})
    else:
        _print_overview(overview)


@study.command()
def pause(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None) -> None:
    """Take nobody new, and hold everyone where they are, until `resume`."""
    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        records.pause()
    say("Paused: participants see a page that says so, and go on where they were after `vernissage study resume`.")


@study.command()
def resume(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None) -> None:
    """Let a paused study go on."""
    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        records.resume()
    say("Running.")


@study.command()
def mark_dropped(
    file: StudyFile, workspace: WorkspacePath, participant: ParticipantId, database: DatabasePlace = None
) -> None:
    """Count a participant as dropped out: their pages close, and their place in the square is given to the next."""
    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        records.mark_dropped(participant)
    say(f"Marked as dropped: {participant}. What they answered stays, until it is deleted.")


@study.command()
def delete_participant(
    file: StudyFile, workspace: WorkspacePath, participant: ParticipantId, database: DatabasePlace = None
) -> None:
    """Delete a participant: every answer and id, down to the bytes of the database's file.

    \b
    Example:
      vernissage study delete-participant study.toml workspace 5f0c1e2d3b4a596877665544
    """
    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        records.delete(participant)
    say(f"Deleted: {participant}. Delete them from former exports and backups too.")


@study.command()
def export(
    file: StudyFile,
    workspace: WorkspacePath,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    finished: Annotated[bool, typer.Option("--finished", help="Only those who finished.")] = False,
    database: DatabasePlace = None,
) -> None:
    """Write a study's answers as CSV and Parquet: long, wide, rankings, elicitation, demographics and screens.

    Previews and robots are left out. `vernissage study analyse` reads long.csv and rankings.csv.

    \b
    Example:
      vernissage study export study.toml workspace --out export
      vernissage study analyse export/long.csv --rankings export/rankings.csv --out analysis
    """
    from vernissage.study.export import write_export
    from vernissage.study.opening import open_records

    with open_records(file, workspace, database) as records:
        written = write_export(records, out, finished_only=finished)
    say(f"Written to {out}: {', '.join(path.name for path in written)}")


@study.command()
def password(
    workspace: WorkspacePath,
    password_file: Annotated[
        Path | None, typer.Option(help="Read it from the first line of this file instead of asking.")
    ] = None,
) -> None:
    """Set the password of the experimenter's pages; only its hash is kept, in a file that nobody else can read.

    A server that runs takes it in when it is started again; sessions begun before end then.

    \b
    Examples:
      vernissage study password workspace
      vernissage study password workspace --password-file secret.txt
    """
    from vernissage.web.credentials import read_password, set_password
    from vernissage.workspace.workspace import open_workspace

    open_workspace(workspace)
    given = (
        read_password(password_file)
        if password_file is not None
        else typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    )
    set_password(workspace, given)
    say("Password set.")


@study.command()
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
    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import REHEARSAL, open_rehearsal, open_study
    from vernissage.study.simulation import RehearsalClock, SimulationOptions, simulated_people, write_rehearsal
    from vernissage.study.simulation import simulate as run_simulation
    from vernissage.workspace.workspace import open_workspace

    options = SimulationOptions(
        participants, seed, tuple(by or ()), tuple(effect or ()), participant_sd, residual_sd, showing_sd, known,
        careless, dropouts,
    )  # fmt: skip
    opened = open_workspace(workspace)
    clock = RehearsalClock() if out is not None else None
    if out is None or clock is None:
        opening = open_study(file, opened, make_engine, database)
    else:
        opening = open_rehearsal(file, opened, make_engine, out, clock)
    with opening as running:
        people, facets = simulated_people(running, opened.collection, options)
        if facets:
            note(f"tastes over {', '.join(facets)}")
        with progress_bars() as progress:
            done = run_simulation(running, people, options, clock=clock, progress=progress)
        before = f", {done.before} had finished before" if done.before else ""
        say(
            f"{participants} simulated people: {done.finished} finished, {done.left} left, {done.careless} clicked "
            f"anything{before}."
        )
        if out is None:
            say("They are flagged as robots: `vernissage study status` counts them apart, and no export holds them.")
        else:
            written = write_rehearsal(running, out, options)
            say(f"Written to {out}: {', '.join([*(path.name for path in written), REHEARSAL])}")


for _command in (study_results.power, study_results.analyse, study_results.report):
    study.command()(_command)


def _print_overview(overview: "Overview") -> None:
    rows = [["started", overview.started], ["finished", overview.finished]]
    rows += [[f"at {page}", count] for page, count in overview.under_way.items()]
    rows += [["dropped out", overview.dropped], ["failing the attention rule", overview.failed]]
    rows += [["lists from equal weights", overview.equal_weights]] if overview.equal_weights else []
    rows += [[f"beginning with {engine}", count] for engine, count in overview.first_engines.items()]
    rows += [["previews", overview.previews], ["robots", overview.robots]]
    print_table(["participants", "number"], [[str(name), str(count)] for name, count in rows], numbers=["number"])
    began = f"began {overview.frozen:%Y-%m-%d %H:%M} UTC" if overview.frozen else "nobody has begun"
    say(f"{'paused' if overview.paused else 'running'}; {began}")
