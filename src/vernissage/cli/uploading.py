"""Commands that add and remove what people upload: upload, remove."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, print_json, progress_bars, say
from vernissage.cli.recommending import AsJson, WorkspacePath
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.storage.uploads import Upload


def upload(
    workspace: WorkspacePath,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Pictures, .txt files, or tables of uploads.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", "-o", help="Whose they are.")] = "",
    title: Annotated[str, typer.Option(help="The title of the only file, or of --text.")] = "",
    text: Annotated[str, typer.Option(help="Words about the only file, or a text by itself.")] = "",
    keywords: Annotated[str, typer.Option(help="Keywords of the only upload, with commas between them.")] = "",
    item_id: Annotated[str, typer.Option("--id", help="The id of the only upload; default: drawn at random.")] = "",
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Upload a person's pictures and texts: all of them at once, or, if anything is wrong with one, none.

    A table (.csv, .json, .xlsx …) has an upload in each row, in columns id, picture, title, text, keywords and time.
    The same picture with the same words is kept once for each person, so a script may be run twice.

    \b
    Examples:
      vernissage upload workspace --owner ann boat.jpg cat.png poem.txt
      vernissage upload workspace --owner ann boat.jpg --title "A boat" --keywords "sea, boat"
      vernissage upload workspace --owner ann --text "Fog over the harbour before sunrise"
      vernissage upload workspace --owner ann uploads.csv --json
    """
    from vernissage.cli.upload_files import Words, submissions_from
    from vernissage.workspace.holdings import open_holdings

    if not owner.strip():
        raise RequestError("whose uploads are these? name the person with --owner NAME")
    submissions, remarks = submissions_from(files or (), Words(item_id, title, text, keywords))
    holdings = open_holdings(workspace, database, writing=True)
    try:
        before = set(holdings.upload_times(owner))
        with progress_bars() as progress:
            kept = holdings.upload(owner, submissions, progress=progress)
    finally:
        holdings.close()
    new = {each.id for each in kept} - before
    for line in remarks:
        note(f"note: {line}")
    if repeated := len(kept) - len(new):
        note(f"note: {_uploads(repeated)} of {owner} {_were(repeated)} there already, with the same content")
    if as_json:
        print_json({"owner": owner, "uploads": [_as_json(each, new) for each in kept]})
        return
    for each in kept:
        say(each.id)


def remove(
    workspace: WorkspacePath,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Uploads.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", "-o", help="Remove only what is this person's.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="Remove everything of this person: uploads, ratings, edits.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before everything of a person goes.")] = False,
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Remove uploads, or everything of a person: rows, picture files and vectors. Nothing of it can be brought back.

    \b
    Examples:
      vernissage remove workspace 5f2a9c01d3b47e68 --owner ann
      vernissage remove workspace --person ann
    """
    from vernissage.workspace.holdings import open_holdings

    if bool(ids) == bool(person):
        raise RequestError("name the uploads to remove, or with --person NAME somebody of whom everything goes")
    if person and owner:
        raise RequestError("--owner goes with the ids of uploads; for everything of a person --person is enough")
    holdings = open_holdings(workspace, database)
    try:
        if person is None:
            removal = holdings.remove(ids or (), owner=owner)
        else:
            _confirm(person, len(holdings.upload_times(person)), yes=yes)
            removal = holdings.remove_person(person)
        works = sum(name == person for name in holdings.collection_owners.values())
    finally:
        holdings.close()
    if works:
        note(f"note: the collection's table names {person} as owner of {works} works; these stay until it is changed")
    if as_json:
        print_json({"removed": list(removal.ids), "pictures": len(removal.pictures)})
        return
    whole = f"Everything kept of {person} was removed: " if person else "Removed "
    say(f"{whole}{_uploads(len(removal.ids))}, {len(removal.pictures)} of them with a picture.")


def bring_uploads_up_to_date(workspace: Path, database: str | None) -> dict[str, int] | None:
    """Encode uploads that lack vectors of the workspace's encoders, and delete pictures that no upload names.

    Returns how many people, uploads, vectors made and pictures deleted there are; None where nothing was uploaded.
    """
    from vernissage.workspace.holdings import open_holdings

    holdings = open_holdings(workspace, database)
    try:
        people = holdings.uploaders()
        if not people:
            return None
        with progress_bars() as progress:
            made = holdings.encode_missing(progress)
        swept = holdings.sweep()
    finally:
        holdings.close()
    return {"people": len(people), "uploads": sum(people.values()), "vectors": made, "swept": len(swept)}


def _confirm(person: str, uploads: int, *, yes: bool) -> None:
    """Ask whether everything of a person shall go.

    Raises:
        RequestError: there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise RequestError(f"{_uploads(uploads)} of {person} and all that is kept of them would go; add --yes to agree")
    typer.confirm(f"Remove {_uploads(uploads)} and everything else kept of {person}, for good?", abort=True, err=True)


def _as_json(upload: "Upload", new: set[str]) -> dict[str, Any]:
    return {
        "id": upload.id,
        "modality": upload.modality,
        "title": upload.title,
        "time": upload.time.isoformat(),
        "new": upload.id in new,
    }


def _uploads(number: int) -> str:
    return f"{number} upload{'s' * (number != 1)}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(upload)
    app.command()(remove)
