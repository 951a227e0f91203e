"""What people changed about their areas of interest, in order, to be applied again when new uploads arrive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, delete, insert, select

from vernissage.storage.people import enter_person, person_key
from vernissage.storage.schema import AREA_EDITS, PEOPLE
from vernissage.storage.validation import UnstorableError

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


def add_edit(connection: Connection, owner: str, kind: EditKind, payload: Mapping[str, Any], time: datetime) -> int:
    """Append an edit to a person's; returns its number.

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
    edits = edits_of(connection, owner)
    if not edits:
        return None
    connection.execute(delete(AREA_EDITS).where(AREA_EDITS.c.id == edits[-1].number))
    return edits[-1]


def clear_edits(connection: Connection, owner: str) -> int:
    """Delete all of a person's edits, so that areas are as they were found; returns how many there were."""
    person = person_key(connection, owner)
    return connection.execute(delete(AREA_EDITS).where(AREA_EDITS.c.person == person)).rowcount
