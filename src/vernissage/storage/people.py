"""People, found or entered by name, and everything that is kept of one of them."""

from typing import Any

from sqlalchemy import Connection, Table, insert, select

from vernissage.errors import Kind, StorageError
from vernissage.storage.schema import AREA_EDITS, PEOPLE, RATINGS, UPLOADS
from vernissage.storage.validation import checked_name


def people(connection: Connection) -> tuple[str, ...]:
    """Everyone of whom something is kept, by name."""
    return tuple(connection.scalars(select(PEOPLE.c.name).order_by(PEOPLE.c.name)))


def person_key(connection: Connection, name: str) -> int | None:
    """The number by which other tables refer to a person; None where nothing is kept of them."""
    return connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.name == name))


def enter_person(connection: Connection, name: str) -> int:
    """The number by which other tables refer to a person, given to them where they have none.

    Raises:
        StorageError: the name is empty, too long, or holds control characters.
    """
    known = person_key(connection, name)
    if known is not None:
        return known
    entered = insert(PEOPLE).values(name=checked_name("name of a person", name)).returning(PEOPLE.c.id)
    key: int = connection.execute(entered).scalar_one()
    return key


def export_person(connection: Connection, name: str) -> dict[str, Any]:
    """Everything that is kept of a person, as JSON values, oldest first: ``uploads``, ``ratings`` and ``area_edits``.

    Left out are vectors and tags, which are computed from uploads. ``picture`` is a file in the folder of uploads.

    Raises:
        StorageError: nothing is kept of a person of that name.
    """
    person = person_key(connection, name)
    if person is None:
        raise nothing_kept(name)
    parts: dict[str, tuple[Table, list[Any]]] = {
        "uploads": (UPLOADS, [UPLOADS.c.time, UPLOADS.c.id]),
        "ratings": (RATINGS, [RATINGS.c.time, RATINGS.c.item]),
        "area_edits": (AREA_EDITS, [AREA_EDITS.c.id]),
    }
    content: dict[str, Any] = {"name": name}
    for part, (table, order) in parts.items():
        rows = connection.execute(select(table).where(table.c.person == person).order_by(*order))
        content[part] = [
            {key: value for key, value in row._mapping.items() if key not in {"person", "version"}}
            | {"time": row.time.isoformat()}
            for row in rows
        ]
    return content


def nothing_kept(name: str) -> StorageError:
    """The error that nothing is kept of a person."""
    return StorageError(
        f"nothing is kept of a person named {name!r}; check the name, letter by letter", kind=Kind.NOT_FOUND
    )
