"""The commands of whoever runs the service: ``vernissage admin …``."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, Place, argument, option
from vernissage.cli.output import note, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from vernissage.gallery.gallery import Gallery
    from vernissage.workspace.editorial import EditorialPlace

admin = Group("admin", "What whoever runs the service does: keys, review of uploads, backups.", no_args_is_help=True)


@contextmanager
def _reading(place: Place) -> "Iterator[tuple[Gallery, Connection | None]]":
    """A gallery and its database, read at one moment; None where nothing was stored yet."""
    with place.gallery() as gallery:
        database = gallery.repository.existing_database
        with database.reading() if database else nullcontext() as connection:
            yield gallery, connection


def _list(rows: Sequence[Mapping[str, Any]], nothing: str, *, as_json: bool) -> None:
    """Print rows as JSON or as a table; where there are none, ``nothing`` says so."""
    if as_json:
        print_json(rows)
    elif rows:
        cells = [[", ".join(cell) if isinstance(cell, list) else cell or "" for cell in row.values()] for row in rows]
        print_table(list(rows[0]), cells, numbers=["key"])
    else:
        note(nothing)


@admin.command("make-key")
def make_key(
    place: Place,
    name: str = option(..., "What the key is for, in your own words."),
    scope: list[str] = option(..., "What it may do: read, events, people, write, admin; repeat."),
    origin: list[str] | None = option(None, "A site whose pages may use it: https://museum.example; repeat."),
) -> None:
    """Make a key of the REST API, and print it: it is not kept and cannot be shown again.

    A key with origins is for the widget: every visitor can read it, so it may read and send events alone.

    \b
    Examples:
      vernissage admin make-key workspace --name "the web site's server" --scope read --scope people
      vernissage admin make-key workspace --name widget --scope read --origin https://museum.example
    """
    from vernissage import storage

    with place.gallery(writing=True) as gallery, gallery.repository.database.writing() as connection:
        number, key = storage.keys.create_key(connection, name, scope, origin or (), datetime.now(UTC))
    note(f"Key {number}; keep it now, it cannot be shown again:")
    say(key)


@admin.command("keys")
def keys(place: Place, as_json: AsJson = False) -> None:
    """List all keys: what each may do, and whether it holds."""
    from vernissage import storage

    with _reading(place) as (_, connection):
        found = storage.keys.all_keys(connection) if connection else ()
    rows = [each.to_dict() for each in found]
    _list(rows, "There are no keys; make one with `vernissage admin make-key`.", as_json=as_json)


@admin.command("revoke-key")
def revoke_key(
    place: Place,
    number: Annotated[int, typer.Argument(metavar="KEY", help="The key's number, as `admin keys` lists it.")],
) -> None:
    """Refuse a key from now on; servers that run notice within seconds."""
    from vernissage import storage

    with place.gallery() as gallery, gallery.repository.database.writing() as connection:
        storage.keys.revoke_key(connection, number, datetime.now(UTC))
    say(f"Key {number} is refused from now on.")


_WHO = "the command line"


@admin.command("review")
def review(
    place: Place,
    uploads: list[str] | None = argument(None, "Uploads that others may be shown; without any, what waits is listed."),
    pictures: Path | None = option(None, "Copy the pictures of what waits into this new folder.", metavar="FOLDER"),
    as_json: AsJson = False,
) -> None:
    """List uploads that nobody has reviewed, or let others be shown some of them.

    \b
    Examples:
      vernissage admin review workspace --pictures waiting
      vernissage admin review workspace up-3f2a up-77c1
    """
    from vernissage import storage

    if uploads:
        with place.gallery() as gallery:
            gallery.repository.moderate(uploads, "approve", _WHO)
        say(f"Others may be shown {', '.join(uploads)}.")
        return
    with _reading(place) as (gallery, connection):
        ids = storage.moderation.waiting(connection) if connection else ()
        there = {each.id: each for each in storage.uploads.get_uploads(connection, ids)} if connection else {}
        if pictures is not None:
            pictures.mkdir(mode=0o700)
            for each in filter(lambda each: each.picture, there.values()):
                file = storage.pictures.picture_path(gallery.repository.uploads_folder, each.picture)
                shutil.copyfile(file, pictures / each.picture)
    rows = [
        {"id": each.id, "visibility": each.visibility, "title": each.title, "text": each.text, "picture": each.picture}
        for each in (there[name] for name in ids if name in there)
    ]
    _list(rows, "Nothing waits for a review.", as_json=as_json)


@admin.command("hide")
def hide(place: Place, uploads: Annotated[list[str], typer.Argument(help="Ids of uploads.")]) -> None:
    """Show uploads to nobody but their owner, from the next request on; `admin review` takes that back."""
    with place.gallery() as gallery:
        gallery.repository.moderate(uploads, "hide", _WHO)
    say(f"Hidden: {', '.join(uploads)}.")


@admin.command("take-down")
def take_down(place: Place, uploads: Annotated[list[str], typer.Argument(help="Ids of uploads.")]) -> None:
    """Delete uploads of anybody, with their pictures and vectors."""
    with place.gallery() as gallery:
        gallery.repository.moderate(uploads, "take-down", _WHO)
    say(f"Deleted: {', '.join(uploads)}.")


@admin.command("audit")
def audit(place: Place, as_json: AsJson = False) -> None:
    """List what operators did in the last year, the latest first."""
    from vernissage import storage

    with _reading(place) as (_, connection):
        found = storage.moderation.audit(connection) if connection else ()
    rows = [
        {"time": each.time.isoformat(timespec="seconds"), "who": each.who, "what": each.what, "about": each.about}
        for each in found
    ]
    _list(rows, "Operators have done nothing yet.", as_json=as_json)


Works = Annotated[list[str], typer.Argument(help="Ids of works.")]


@admin.command("pin")
def pin(place: Place, works: Works) -> None:
    """Let works come first in recommendations and among similar works, wherever they may come at all."""
    _place(place, works, "pinned", "First wherever they may come")


@admin.command("ban")
def ban(place: Place, works: Works) -> None:
    """Let works come in no list, page or published site, from the next request on."""
    _place(place, works, "banned", "In no list")


@admin.command("unpin")
def unpin(place: Place, works: Works) -> None:
    """Let works come where they come by themselves."""
    _place(place, works, None, "As all others")


@admin.command("unban")
def unban(place: Place, works: Works) -> None:
    """Let works come in lists again."""
    _place(place, works, None, "As all others")


def _place(place: Place, works: list[str], where: "EditorialPlace | None", told: str) -> None:
    with place.gallery(writing=True) as gallery:
        gallery.repository.place(works, where, _WHO)
    say(f"{told}: {', '.join(works)}.")


@admin.command("backup")
def backup(place: Place, out: Annotated[Path, typer.Argument(help="The archive to write; it must be new.")]) -> None:
    """Write a workspace and its database into one archive, while both are served and written to.

    Keep its digest apart from it: `admin restore --digest` then refuses an archive that somebody has changed.

    \b
    Example:
      vernissage admin backup workspace workspace-monday.tar
    """
    from vernissage.workspace.backups import back_up

    made = back_up(place.workspace, out, place.database)
    say(f"{out}: {made.size:,} bytes, SHA-256 {made.digest}")


@admin.command("restore")
def restore(
    place: Place,
    archive: Annotated[Path, typer.Argument(help="What `admin backup` wrote.")],
    digest: str = option("", "The digest that the backup told: refuse another archive."),
    replace: bool = option(
        False, "Put it in place of the workspace that is there, which stays beside it.", "--replace"
    ),
) -> None:
    """Bring a workspace and its database back, but for what people have deleted since the backup.

    \b
    Examples:
      vernissage admin restore workspace workspace-monday.tar --replace
      vernissage admin restore elsewhere workspace-monday.tar --database postgresql://user@host/database
    """
    from vernissage.workspace import backups

    found = backups.restore(archive, place.workspace, place.database, digest=digest, replace=replace)
    say(f"{place.workspace} is as it was at {found.created.isoformat(timespec='seconds')}.")
    if found.people or found.uploads:
        note(f"Deleted again, as they were since: {found.people} people, {found.uploads} uploads.")
    if found.former:
        note(f"What was there before lies in {found.former}; delete it when all is well.")


@admin.command("upgrade")
def upgrade(
    place: Place, out: Path = option(..., "The backup that is written first; it must be new.", "--backup")
) -> None:
    """Bring a workspace and its database to this version, after a backup that says how to go back.

    \b
    Example:
      vernissage admin upgrade workspace --backup before-upgrade.tar
    """
    from vernissage.storage.schema import REVISION
    from vernissage.workspace.backups import back_up

    made = back_up(place.workspace, out, place.database)
    with place.gallery() as gallery:
        gallery.info()
    former = made.schema or "none"
    say(f"{place.workspace} is of this version; the schema of its database was {former} and is {REVISION}.")
    note(f"To go back, install the former version, empty the folder, and unpack: tar -xf {out} -C {place.workspace}")
