"""People, found or entered by name."""

from sqlalchemy import Connection, insert, select

from vernissage.storage.schema import PEOPLE
from vernissage.storage.words import checked_name


def people(connection: Connection) -> tuple[str, ...]:
    """Everyone of whom something is kept, by name."""
    return tuple(connection.scalars(select(PEOPLE.c.name).order_by(PEOPLE.c.name)))


def person_key(connection: Connection, name: str) -> int | None:
    """The number that stands for a person in other tables; None where nothing is kept of them."""
    return connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.name == name))


def enter_person(connection: Connection, name: str) -> int:
    """The number that stands for a person, given to them where they have none.

    Raises:
        StorageError: the name is empty, too long, or holds control characters.
    """
    known = person_key(connection, name)
    if known is not None:
        return known
    entered = insert(PEOPLE).values(name=checked_name("name of a person", name)).returning(PEOPLE.c.id)
    key: int = connection.execute(entered).scalar_one()
    return key
