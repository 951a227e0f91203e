"""Who takes part in a study, in which condition, and at which page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from vernissage.storage.schema import STUDY_PARTICIPANTS as TABLE
from vernissage.storage.words import checked_name

Flag = Literal["participant", "preview", "robot"]
DroppedBy = Literal["", "experimenter", "inactivity"]


@dataclass(frozen=True)
class NewParticipant:
    """Somebody who begins: ids from the recruitment service, the secret key, and what was drawn for them."""

    study: str
    flag: Flag
    external_id: str
    key: str
    recruitment_study: str
    recruitment_session: str
    provenance: int
    square_row: int


@dataclass(frozen=True)
class Participant:
    """Somebody who takes part.

    Attributes:
        number: stands for them in other tables.
        square_row: the row of the counterbalancing square.
        page: 0 welcome, 1 elicitation, then a page for each screen, then thanks.
        page_since: when that became their page.
        equal_weights: whether the lists are from equal weights, because every rating was the lowest.
        dropped: when they were counted as dropped out, by whom or what; None otherwise.
    """

    number: int
    study: str
    flag: Flag
    external_id: str
    key: str
    recruitment_study: str
    recruitment_session: str
    provenance: int
    square_row: int
    page: int
    page_since: datetime
    registered: datetime
    consented: datetime | None
    age: int | None
    gender: str
    equal_weights: bool
    finished: datetime | None
    dropped: datetime | None
    dropped_by: DroppedBy


def add_participant(connection: Connection, new: NewParticipant, time: datetime) -> int:
    """Enter a participant at the first page; returns their number.

    Raises:
        StorageError: an id cannot be stored.
    """
    values: dict[str, Any] = {
        "study": new.study, "flag": new.flag, "external_id": checked_name("participant's id", new.external_id),
        "key": new.key, "recruitment_study": _checked("study id", new.recruitment_study),
        "recruitment_session": _checked("session id", new.recruitment_session), "provenance": new.provenance,
        "square_row": new.square_row, "page": 0, "page_since": time, "registered": time, "gender": "",
        "equal_weights": False, "dropped_by": "",
    }  # fmt: skip
    number: int = connection.execute(insert(TABLE).values(values).returning(TABLE.c.id)).scalar_one()
    return number


def change_participant(connection: Connection, number: int, **values: Any) -> None:
    """Set columns of a participant's row."""
    connection.execute(update(TABLE).where(TABLE.c.id == number).values(values))


def participant_of_key(connection: Connection, study: str, key: str) -> Participant | None:
    """The participant whose secret key that is; None where there is none in this study."""
    row = connection.execute(select(TABLE).where(TABLE.c.key == key, TABLE.c.study == study)).one_or_none()
    return None if row is None else _participant(row)


def participant_of_id(connection: Connection, study: str, flag: Flag, external_id: str) -> Participant | None:
    """The participant of that external id; None where there is none."""
    query = select(TABLE).where(TABLE.c.study == study, TABLE.c.flag == flag, TABLE.c.external_id == external_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _participant(row)


def participants_of(connection: Connection, study: str, flag: Flag | None = None) -> tuple[Participant, ...]:
    """Everyone in a study, or all of one flag, in the order in which they came."""
    query = select(TABLE).where(TABLE.c.study == study).order_by(TABLE.c.id)
    rows = connection.execute(query if flag is None else query.where(TABLE.c.flag == flag))
    return tuple(map(_participant, rows))


def square_rows_held(connection: Connection, study: str, flag: Flag) -> dict[int, int]:
    """How many hold each row of the square; who dropped out holds none."""
    query = select(TABLE.c.square_row, func.count()).where(
        TABLE.c.study == study, TABLE.c.flag == flag, TABLE.c.dropped.is_(None)
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(TABLE.c.square_row))}


def drop_inactive(connection: Connection, study: str, before: datetime, time: datetime) -> int:
    """Count those as dropped out who did not finish and were not heard of since ``before``; returns how many."""
    unheard = update(TABLE).where(
        TABLE.c.study == study, TABLE.c.finished.is_(None), TABLE.c.dropped.is_(None), TABLE.c.page_since < before
    )
    return connection.execute(unheard.values(dropped=time, dropped_by="inactivity")).rowcount


def delete_participants(connection: Connection, study: str, external_id: str) -> int:
    """Delete everyone of that external id, whatever their flag, with all that they answered; returns how many."""
    where = (TABLE.c.study == study, TABLE.c.external_id == external_id)
    return connection.execute(delete(TABLE).where(*where)).rowcount


def delete_numbered(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete participants by their numbers, with all that they answered."""
    connection.execute(delete(TABLE).where(TABLE.c.id.in_(numbers)))


def _checked(kind: str, name: str) -> str:
    return checked_name(kind, name) if name else ""


def _participant(row: Row[Any]) -> Participant:
    values = dict(row._mapping)
    return Participant(number=values.pop("id"), **values)
