"""Commands around a running study: new, check, status, pause, resume, mark-dropped, delete-participant, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, print_json, print_table, say
from vernissage.cli.recommending import AsJson, WorkspacePath
from vernissage.cli.study_opening import StudyFile, check_against_database, opened_records, planned
from vernissage.errors import StudyError

if TYPE_CHECKING:
    from vernissage.study.records import Overview

_USUAL_ENGINES = ("late-zscore", "lda", "colour-texture")
_MOST_ENGINES = 4
ParticipantId = Annotated[str, typer.Argument(metavar="ID", help="The participant's id, as the export shows it.")]


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
    from vernissage.files import write_bytes
    from vernissage.study.template import definition_template

    if file.exists():
        raise StudyError(f"{file} is there already; choose another name, or delete it first")
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem).strip("-")
    found = _found_in(workspace) if workspace is not None else {"engines": _USUAL_ENGINES}
    write_bytes(file, definition_template(file.name, name=name or "study", **found).encode())
    say(f"Written: {file}. Fill in your texts, then run `vernissage study check {file} {workspace or 'WORKSPACE'}`.")


def _found_in(workspace: Path) -> dict[str, Any]:
    """Engines, groups and numbers of works that suit a workspace."""
    from vernissage.cli.engines import available_engines
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    engines = available_engines(opened)
    # Fusions stand last, and are what a study is most likely about.
    chosen = engines if len(engines) <= _MOST_ENGINES else [*engines[:2], *engines[-2:]]
    groups = list(opened.collection.groups)[:9]
    spare = max(1, len(opened.collection) // 4)
    return {
        "engines": chosen,
        "groups": groups if len(groups) > 1 else (),
        "works": min(9, spare),
        "asked": min(9, spare),
    }


def check(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Check a study's definition against a workspace, and against what has begun; say what will happen.

    \b
    Example:
      vernissage study check study.toml workspace
    """
    from vernissage.study.description import plan_notes, plan_sentences

    plan, _ = planned(file, workspace)
    check_against_database(plan, workspace, database)
    if as_json:
        slots = [{"of": name, "works": len(slot)} for name, slot in zip(plan.slot_names, plan.slots, strict=True)]
        content = {"definition": plan.definition.content, "digest": plan.provenance.definition}
        print_json(content | {"elicitation_slots": slots, "orders": plan.orders, "notes": plan_notes(plan)})
        return
    say(f"{file} can run on {workspace}.")
    for line in plan_sentences(plan):
        say(line)
    for line in plan_notes(plan):
        note(f"note: {line}")


def status(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """How far a study has come: started, at which page, finished, dropped, failing the attention rule.

    \b
    Example:
      vernissage study status study.toml workspace
    """
    with opened_records(file, workspace, database) as records:
        overview = records.overview()
    if as_json:
        from dataclasses import asdict

        began = overview.frozen.isoformat() if overview.frozen else None
        print_json(asdict(overview) | {"frozen": began})
        return
    _print_overview(overview)


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


def pause(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None) -> None:
    """Take nobody new, and hold everyone where they are, until `resume`."""
    with opened_records(file, workspace, database) as records:
        records.pause()
    say("Paused: participants see a page that says so, and go on where they were after `vernissage study resume`.")


def resume(file: StudyFile, workspace: WorkspacePath, database: DatabasePlace = None) -> None:
    """Let a paused study go on."""
    with opened_records(file, workspace, database) as records:
        records.resume()
    say("Running.")


def mark_dropped(
    file: StudyFile, workspace: WorkspacePath, participant: ParticipantId, database: DatabasePlace = None
) -> None:
    """Count a participant as dropped out: their pages close, and their place in the square is given to the next."""
    with opened_records(file, workspace, database) as records:
        records.mark_dropped(participant)
    say(f"Marked as dropped: {participant}. What they answered stays, until it is deleted.")


def delete_participant(
    file: StudyFile, workspace: WorkspacePath, participant: ParticipantId, database: DatabasePlace = None
) -> None:
    """Delete a participant: every answer and id, down to the bytes of the database's file.

    \b
    Example:
      vernissage study delete-participant study.toml workspace 5f0c1e2d3b4a596877665544
    """
    with opened_records(file, workspace, database) as records:
        records.delete(participant)
    say(f"Deleted: {participant}. Delete them from former exports and backups too.")


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

    with opened_records(file, workspace, database) as records:
        written = write_export(records, out, finished_only=finished)
    say(f"Written to {out}: {', '.join(path.name for path in written)}")


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (new, check, status, pause, resume, mark_dropped, delete_participant, export):
        app.command()(command)
