"""The commands of whoever runs the service: ``vernissage admin …``."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, Place, option
from vernissage.cli.output import note, print_json, print_table, say

admin = Group("admin", "What whoever runs the service does: keys of the REST API.", no_args_is_help=True)


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

    with place.gallery() as gallery:
        database = gallery.repository.existing_database
        with database.reading() if database else nullcontext() as connection:
            found = storage.keys.all_keys(connection) if connection else ()
    rows: list[dict[str, Any]] = [
        {"key": each.number, "name": each.name, "scopes": sorted(each.scopes), "origins": sorted(each.origins)}
        | {"created": each.created.isoformat(timespec="seconds")}
        | {"revoked": each.revoked and each.revoked.isoformat(timespec="seconds")}
        for each in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        cells = [[", ".join(cell) if isinstance(cell, list) else cell or "" for cell in row.values()] for row in rows]
        print_table(list(rows[0]), cells, numbers=["key"])
    else:
        note("There are no keys; make one with `vernissage admin make-key`.")


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
