"""Moderation: which uploads others may be shown, what waits for a review, and what operators did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import Connection, delete, insert, or_, select, update

from vernissage.errors import UnknownItemError
from vernissage.storage.changes import count_change
from vernissage.storage.schema import AUDIT, UPLOADS, Visibility
from vernissage.storage.validation import UnstorableError, in_batches

AUDIT_DAYS = 365
"""For how long it is kept what operators did."""

_LONGEST = 200


@dataclass(frozen=True)
class AuditEntry:
    """One thing that an operator did; ``about`` is empty where what it was about is a person's who was removed."""

    time: datetime
    who: str
    what: str
    about: str


def withheld(connection: Connection) -> frozenset[str]:
    """Ids of all uploads that nobody but their owner may be shown."""
    shown = UPLOADS.c.visibility == "shared"
    return frozenset(connection.scalars(select(UPLOADS.c.id).where(or_(~shown, UPLOADS.c.visibility.is_(None)))))


def waiting(connection: Connection) -> tuple[str, ...]:
    """Ids of uploads that are shown, or are to be, and that no operator has reviewed; the oldest first."""
    asked = UPLOADS.c.visibility.in_(("waiting", "shared")) & UPLOADS.c.reviewed.is_(None)
    return tuple(connection.scalars(select(UPLOADS.c.id).where(asked).order_by(UPLOADS.c.time, UPLOADS.c.id)))


def set_visibility(
    connection: Connection, ids: Iterable[str], visibility: Visibility, reviewed: datetime | None = None
) -> None:
    """Say who may be shown uploads; what is not shared is shown to nobody else once this is committed.

    ``reviewed`` is given where an operator decides.

    Raises:
        UnknownItemError: there is no such upload; then none is changed.
        UnstorableError: there is no such visibility.
    """
    if visibility not in get_args(Visibility):
        raise UnstorableError(f"{visibility!r} is no visibility; choose from {', '.join(get_args(Visibility))}")
    wanted = sorted(set(ids))
    there = {
        name
        for batch in in_batches(wanted)
        for name in connection.scalars(select(UPLOADS.c.id).where(UPLOADS.c.id.in_(batch)))
    }
    if missing := [name for name in wanted if name not in there]:
        raise UnknownItemError(f"there is no upload {', '.join(map(repr, missing[:3]))}; nothing was changed")
    for batch in in_batches(wanted):
        changed = update(UPLOADS).where(UPLOADS.c.id.in_(batch))
        connection.execute(changed.values(visibility=visibility, reviewed=reviewed))
    count_change(connection)


def record(connection: Connection, who: str, what: str, about: Iterable[str], time: datetime) -> None:
    """Note what an operator did, in the transaction that does it; what is older than `AUDIT_DAYS` is forgotten."""
    connection.execute(delete(AUDIT).where(AUDIT.c.time < time - timedelta(days=AUDIT_DAYS)))
    rows = [{"time": time, "who": who[:_LONGEST], "what": what, "about": each} for each in about]
    if rows:
        connection.execute(insert(AUDIT), rows)


def audit(connection: Connection, most: int = 1_000) -> tuple[AuditEntry, ...]:
    """What operators did, the latest first."""
    rows = connection.execute(select(AUDIT).order_by(AUDIT.c.id.desc()).limit(most))
    return tuple(AuditEntry(row.time, row.who, row.what, row.about) for row in rows)


def forget_audited(connection: Connection, ids: Iterable[str]) -> None:
    """Strike ids of uploads out of what operators did; that they did something stays."""
    for batch in in_batches(sorted(ids)):
        connection.execute(update(AUDIT).where(AUDIT.c.about.in_(batch)).values(about=""))
