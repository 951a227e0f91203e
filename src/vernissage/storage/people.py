"""People, their ratings of works and their edits of areas of interest; people are found or entered by name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, delete, func, insert, select

from vernissage.errors import Kind, RatingsError, StorageError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.storage.changes import log_changes
from vernissage.storage.schema import AREA_EDITS, CONSENTS, METADATA, PEOPLE, RATINGS
from vernissage.storage.validation import UnstorableError, checked_name, checked_text

EditKind = Literal["mute", "weight", "merge", "split", "rename"]


@dataclass(frozen=True)
class StoredEdit:
    """One edit: what was done, and to which areas.

    Attributes:
        number: grows with every edit of anyone.
        payload: JSON values; areas are named by ids of uploads in them (``anchors``), because areas are found anew.
    """

    number: int
    kind: EditKind
    payload: Mapping[str, Any]
    time: datetime


@dataclass(frozen=True)
class PeopleRules:
    """What an operator lets be kept of each person; a library or a script on the operator's own machine has no bounds.

    Attributes:
        uploads, picture_bytes, ratings: how much at most; None for any.
        consent: whether something is kept only of those who have consented to `KEEPING`.
    """

    uploads: int | None = None
    picture_bytes: int | None = None
    ratings: int | None = None
    consent: bool = False


KEEPING = "keeping"
"""The purpose of a consent: that uploads, ratings and edits are kept."""


def give_consent(connection: Connection, owner: str, purpose: str, time: datetime) -> None:
    """Record that a person has agreed to a purpose; the first time counts."""
    if purpose not in consents_of(connection, owner):
        row = {"person": enter_person(connection, owner), "purpose": purpose, "given": time}
        connection.execute(insert(CONSENTS).values(row))


def consents_of(connection: Connection, owner: str) -> dict[str, datetime]:
    """What a person has agreed to, and since when."""
    query = select(CONSENTS.c.purpose, CONSENTS.c.given).join(PEOPLE, PEOPLE.c.id == CONSENTS.c.person)
    found = connection.execute(query.where(PEOPLE.c.name == owner).order_by(CONSENTS.c.purpose))
    return {row.purpose: row.given for row in found}


def require_allowed(
    connection: Connection, owner: str, rules: PeopleRules, more: Mapping[Literal["uploads", "ratings"], int]
) -> None:
    """Check, in the transaction that keeps it, that so much more may be kept of a person.

    Raises:
        StorageError: it may not; the message says why, and what to do.
    """
    if rules.consent and KEEPING not in consents_of(connection, owner):
        raise StorageError(
            f"nothing is kept of people who have not consented; record it first: PUT …/consents/{KEEPING}",
            kind=Kind.FORBIDDEN,
        )
    person = person_key(connection, owner)
    for name, number in more.items():
        most, table = getattr(rules, name), METADATA.tables[name]
        kept = connection.scalar(select(func.count()).where(table.c.person == person)) or 0
        if most is not None and number > 0 and kept + number > most:
            raise StorageError(
                f"{kept} {name} are kept of this person, and {most} may be; remove some first", kind=Kind.FORBIDDEN
            )


def people(connection: Connection) -> tuple[str, ...]:
    """Everyone of whom something is kept, by name."""
    return tuple(connection.scalars(select(PEOPLE.c.name).order_by(PEOPLE.c.name)))


def raters(connection: Connection) -> dict[str, int]:
    """Everyone who rated something, and how much, by name."""
    joined = PEOPLE.join(RATINGS, RATINGS.c.person == PEOPLE.c.id)
    counts = select(PEOPLE.c.name, func.count()).select_from(joined).group_by(PEOPLE.c.name)
    return {row[0]: row[1] for row in connection.execute(counts)}


def person_key(connection: Connection, name: str) -> int | None:
    """The number by which other tables refer to a person; None where nothing is kept of them."""
    return connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.name == name))


def known_person(connection: Connection, name: str) -> int:
    """`person_key` of somebody of whom something must be kept. Raises StorageError: nothing is."""
    person = person_key(connection, name)
    if person is None:
        raise StorageError(
            f"nothing is kept of a person named {name!r}; check the name, letter by letter", kind=Kind.NOT_FOUND
        )
    return person


def enter_person(connection: Connection, name: str) -> int:
    """The number by which other tables refer to a person, given to them where they have none.

    Raises:
        StorageError: the name is empty, too long, or holds control characters.
    """
    key = person_key(connection, name)
    if key is None:
        entered = insert(PEOPLE).values(name=checked_name("name of a person", name)).returning(PEOPLE.c.id)
        key = connection.execute(entered).scalar_one()
    return key


def rate(connection: Connection, owner: str, item_id: str, rating: float, time: datetime) -> None:
    """Keep a person's rating of a work, 1 to 5, in place of the former one, and log that the work was rated.

    Raises:
        RatingsError: the rating is outside 1 to 5.
        StorageError: the name or the id cannot be stored.
    """
    if not (math.isfinite(rating) and LOWEST <= rating <= HIGHEST):
        raise RatingsError(f"the rating of {item_id} is {rating:g}; ratings go from {LOWEST} to {HIGHEST}")
    person, item = enter_person(connection, owner), checked_text("id", item_id)
    connection.execute(delete(RATINGS).where(RATINGS.c.person == person, RATINGS.c.item == item))
    connection.execute(insert(RATINGS).values(person=person, item=item, rating=float(rating), time=time))
    log_changes(connection, [item], "rated")


def unrate(connection: Connection, owner: str, item_id: str) -> bool:
    """Take a rating back, and log that; says whether there was one."""
    person = person_key(connection, owner)
    taken = connection.execute(delete(RATINGS).where(RATINGS.c.person == person, RATINGS.c.item == item_id)).rowcount
    if taken:
        log_changes(connection, [item_id], "rated")
    return taken > 0


def ratings_of(connection: Connection, owner: str) -> dict[str, float]:
    """A person's ratings by work, the latest last; none where nothing is kept of them."""
    query = select(RATINGS.c.item, RATINGS.c.rating).join(PEOPLE, PEOPLE.c.id == RATINGS.c.person)
    rows = connection.execute(query.where(PEOPLE.c.name == owner).order_by(RATINGS.c.time, RATINGS.c.item))
    return {row.item: row.rating for row in rows}


def add_edit(connection: Connection, owner: str, kind: EditKind, payload: Mapping[str, Any], time: datetime) -> int:
    """Append an edit to a person's, to be applied again when new uploads arrive; returns its number.

    Raises:
        UnstorableError: there is no such kind, or the payload names no uploads by which to find its areas again.
    """
    if kind not in get_args(EditKind):
        raise UnstorableError(f"areas cannot be edited by {kind!r}; choose one of {', '.join(get_args(EditKind))}")
    anchors = payload.get("anchors")
    if not isinstance(anchors, list) or not anchors or not all(isinstance(anchor, str) for anchor in anchors):
        raise UnstorableError(
            f"the edit {kind!r} needs anchors: a list of ids of uploads in the areas that it is about"
        )
    row = {"person": enter_person(connection, owner), "kind": kind, "payload": dict(payload), "time": time}
    number: int = connection.execute(insert(AREA_EDITS).values(row).returning(AREA_EDITS.c.id)).scalar_one()
    return number


def edits_of(connection: Connection, owner: str) -> tuple[StoredEdit, ...]:
    """A person's edits in the order in which they were made."""
    query = select(AREA_EDITS).join(PEOPLE, PEOPLE.c.id == AREA_EDITS.c.person).where(PEOPLE.c.name == owner)
    rows = connection.execute(query.order_by(AREA_EDITS.c.id))
    return tuple(StoredEdit(row.id, row.kind, row.payload, row.time) for row in rows)


def undo_edit(connection: Connection, owner: str) -> StoredEdit | None:
    """Delete a person's latest edit and return it; None where there is none."""
    last = next(reversed(edits_of(connection, owner)), None)
    if last is not None:
        connection.execute(delete(AREA_EDITS).where(AREA_EDITS.c.id == last.number))
    return last


def everything_of(connection: Connection, owner: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of a person as JSON values, by the name of its table: of all tables that refer to people."""
    person, found = person_key(connection, owner), {}
    for table in METADATA.sorted_tables:
        if "person" not in table.c:
            continue
        rows = connection.execute(select(table).where(table.c.person == person).order_by(*table.primary_key)).mappings()
        found[table.name] = [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
            for row in rows
        ]
    return found
