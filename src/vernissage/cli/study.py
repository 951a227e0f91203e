"""The commands that run a user study: vernissage study …"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli import study_results
from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, DatabasePlace, WorkspacePath, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vernissage.study.records import StudyRecords
    from vernissage.study.simulation import SimulationOptions

ParticipantId = Annotated[str, typer.Argument(metavar="ID", help="The participant's id, as the export shows it.")]

study = Group("study", "A user study of engines, from consent to the statistics.", no_args_is_help=True)


@dataclass(frozen=True)
class StudyPlace:
    """A study, and where it is kept."""

    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study's definition.")]
    workspace: WorkspacePath
    database: DatabasePlace = None

    def records(self) -> "AbstractContextManager[StudyRecords]":
        """What is kept of the study."""
        from vernissage.study.opening import open_records

        return open_records(self.file, self.workspace, self.database)


@study.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The file to write.")],
    workspace: Path | None = option(None, "A workspace whose engines and groups to fill in.", "--workspace", "-w"),
) -> None:
    """Write a study's definition to begin with: complete, with a comment on every key.

    Its engines are those of the first paper's study that the workspace has, late-partial, late-total, clip and blip, or
    what comes nearest to them.

    \b
    Example:
      vernissage study new study.toml --workspace workspace
    """
    from vernissage.gallery.engines import STUDIED, study_engines
    from vernissage.study.definition import USUAL_ENGINES, write_template
    from vernissage.workspace.workspace import open_workspace

    opened = None if workspace is None else open_workspace(workspace)
    engines = USUAL_ENGINES if opened is None else study_engines(opened)
    write_template(file, engines, None if opened is None else opened.collection)
    say(f"Written: {file}. Fill in your texts, then run `vernissage study check {file} {workspace or 'WORKSPACE'}`.")
    say(f"Engines: {', '.join(engines)}.")
    if lacking := [word for word in STUDIED if word not in {name.removesuffix("-itc") for name in engines}]:
        note(f"the paper's study also has {', '.join(lacking)}, of which there are no vectors here", kind="note")


@study.command()
def check(place: StudyPlace, as_json: AsJson = False) -> None:
    """Check a study's definition against a workspace, and against what has begun; say what will happen.

    \b
    Example:
      vernissage study check study.toml workspace
    """
    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import check_against_database, plan_of_file
    from vernissage.study.plan import plan_notes, plan_sentences
    from vernissage.workspace.workspace import open_workspace

    plan, _ = plan_of_file(place.file, open_workspace(place.workspace), make_engine)
    check_against_database(plan, place.workspace, place.database)
    if as_json:
        slots = [{"of": name, "works": len(slot)} for name, slot in plan.slots.items()]
        content = {"definition": plan.definition.content, "digest": plan.provenance.definition}
        print_json(content | {"elicitation_slots": slots, "orders": plan.orders, "notes": plan_notes(plan)})
        return
    say(f"{place.file} can run on {place.workspace}.", *plan_sentences(plan))
    note(*plan_notes(plan), kind="note")


@study.command()
def status(place: StudyPlace, as_json: AsJson = False) -> None:
    """How far a study has come: started, at which page, finished, dropped, failing the attention rule.

    \b
    Example:
      vernissage study status study.toml workspace
    """
    with place.records() as records:
        found = records.overview()
    if as_json:
        print_json(asdict(found) | {"frozen": found.frozen.isoformat() if found.frozen else None})
        return
    numbers = {"started": found.started, "finished": found.finished}
    numbers |= {f"at {page}": count for page, count in found.under_way.items()}
    numbers |= {"dropped out": found.dropped, "failing the attention rule": found.failed}
    numbers |= {"lists from equal weights": found.equal_weights} if found.equal_weights else {}
    numbers |= {f"beginning with {engine}": count for engine, count in found.first_engines.items()}
    numbers |= {"previews": found.previews, "robots": found.robots}
    print_table(["participants", "number"], numbers.items(), numbers=["number"])
    began = f"began {found.frozen:%Y-%m-%d %H:%M} UTC" if found.frozen else "nobody has begun"
    say(f"{'paused' if found.paused else 'running'}; {began}")
    for participant, visits in found.often_visited.items():
        note(f"{participant} was opened for the first time in {visits} browsers; is it one person?", kind="warning")


@study.command()
def pause(place: StudyPlace) -> None:
    """Take nobody new, and hold everyone where they are, until `resume`."""
    with place.records() as records:
        records.pause()
    say("Paused: participants see a page that says so, and go on where they were after `vernissage study resume`.")


@study.command()
def resume(place: StudyPlace) -> None:
    """Let a paused study go on."""
    with place.records() as records:
        records.resume()
    say("Running.")


@study.command()
def mark_dropped(place: StudyPlace, participant: ParticipantId) -> None:
    """Count a participant as dropped out: their pages close, and their place in the square is given to the next."""
    with place.records() as records:
        records.mark_dropped(participant)
    say(f"Marked as dropped: {participant}. What they answered stays, until it is deleted.")


@study.command()
def delete_participant(place: StudyPlace, participant: ParticipantId) -> None:
    """Delete a participant: every answer and id, down to the bytes of the database's file.

    \b
    Example:
      vernissage study delete-participant study.toml workspace 5f0c1e2d3b4a596877665544
    """
    with place.records() as records:
        records.delete(participant)
    say(f"Deleted: {participant}. Delete them from former exports and backups too.")


@study.command()
def export(
    place: StudyPlace,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    finished: bool = option(False, "Only those who finished.", "--finished"),
) -> None:
    """Write a study's answers as CSV and Parquet: long, wide, rankings, elicitation, demographics and screens.

    Previews and robots are left out. `vernissage study analyse` reads long.csv and rankings.csv.

    \b
    Example:
      vernissage study export study.toml workspace --out export
      vernissage study analyse export/long.csv --rankings export/rankings.csv --out analysis
    """
    from vernissage.study.export import write_export

    with place.records() as records:
        written = write_export(records, out, finished_only=finished)
    say(f"Written to {out}: {', '.join(path.name for path in written)}")


@study.command()
def password(
    workspace: WorkspacePath,
    password_file: Path | None = option(None, "Read it from the first line of this file instead of asking."),
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
def invite(
    place: StudyPlace,
    participants: Annotated[list[str], typer.Argument(metavar="ID...", help="Participants' ids.")],
    address: str = option("http://127.0.0.1:8000/study", "Where the study is served."),
) -> None:
    """Print signed links, one a line, each for one participant: nobody else can make or change one.

    \b
    Example:
      vernissage study invite study.toml workspace ann bob --address https://study.example.org/study
    """
    from urllib.parse import urlencode

    from vernissage.errors import RequestError
    from vernissage.study.definition import read_definition
    from vernissage.study.participation import is_placeholder
    from vernissage.web.credentials import load_or_make_secret
    from vernissage.web.study.served import ID, INVITATION, Sessions
    from vernissage.workspace.workspace import open_workspace

    if unfilled := [each for each in participants if not each.strip() or is_placeholder(each)]:
        raise RequestError(f"{unfilled[0]!r} is no participant's id; give ids as they are to stand in the export")
    open_workspace(place.workspace)
    sessions = Sessions(load_or_make_secret(place.workspace), read_definition(place.file).id, None)
    for each in map(str.strip, participants):
        say(f"{address}?{urlencode({ID: each, INVITATION: sessions.invitation_code(each)})}")


@dataclass(frozen=True)
class SimulationWords:
    """Whom a simulation is about, how they behave, and where it is kept."""

    participants: int = option(100, "How many simulated people.", "--participants", "-p")
    seed: int = option(0, "Equal seeds simulate equal people.")
    out: Path | None = option(
        None,
        "Rehearse in a database of its own in this folder, whatever --database says, and export there.",
        "--out",
        "-o",
        metavar="DIR",
    )
    by: list[str] | None = option(None, "Tastes over these labels of works: group, artist …; repeat.")
    effect: list[str] | None = option(
        None, "Instead of tastes: how far an engine is above others; repeat.", metavar="ENGINE=POINTS"
    )
    participant_sd: float = option(0.5, "Of people's levels, in points.")
    residual_sd: float = option(0.5, "Of the impression of a list, in points.")
    showing_sd: float = option(0.3, "Of single answers, in points.")
    known: float = option(0.25, "The share of works that a person knows before; with tastes.")
    careless: float = option(0.05, "The share of people who click anything.")
    dropouts: float = option(0.05, "The share of people who leave before the end.")

    def options(self) -> "SimulationOptions":
        """What is said of people, without the place."""
        from vernissage.study.simulation import SimulationOptions

        said = {name: value for name, value in vars(self).items() if name not in ("out", "by", "effect")}
        return SimulationOptions(by=tuple(self.by or ()), effects=tuple(self.effect or ()), **said)


@study.command()
def simulate(place: StudyPlace, said: SimulationWords) -> None:
    """Let simulated people walk through a study: as robots, whom no export holds, or with --out as a rehearsal.

    \b
    Examples:
      vernissage study simulate study.toml workspace --participants 20
      vernissage study simulate study.toml workspace --out rehearsal --seed 1
      vernissage study report rehearsal/long.csv --rankings rehearsal/rankings.csv --out report
    """
    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import REHEARSAL, open_rehearsal, open_study
    from vernissage.study.simulation import RehearsalClock, simulated_people, write_rehearsal
    from vernissage.study.simulation import simulate as run_simulation
    from vernissage.workspace.workspace import open_workspace

    options, out = said.options(), said.out
    opened = open_workspace(place.workspace)
    clock = None if out is None else RehearsalClock()
    if out is None or clock is None:
        opening = open_study(place.file, opened, make_engine, place.database)
    else:
        opening = open_rehearsal(place.file, opened, make_engine, out, clock)
    with opening as running:
        people, facets = simulated_people(running, opened.collection, options)
        if facets:
            note(f"tastes over {', '.join(facets)}")
        with progress_bars() as progress:
            done = run_simulation(running, people, options, clock=clock, progress=progress)
        before = f", {done.before} had finished before" if done.before else ""
        say(
            f"{options.participants} simulated people: {done.finished} finished, {done.left} left, {done.careless} "
            f"clicked anything{before}."
        )
        if out is None:
            say("They are flagged as robots: `vernissage study status` counts them apart, and no export holds them.")
        else:
            written = write_rehearsal(running, out, options)
            say(f"Written to {out}: {', '.join([*(path.name for path in written), REHEARSAL])}")


for _command in (study_results.power, study_results.analyse, study_results.report):
    study.command()(_command)
