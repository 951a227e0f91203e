"""The log of changes of uploads and ratings, by which a process that holds them in memory keeps up with others."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from vernissage.storage.schema import CHANGES, STATE

ChangeKind = Literal["added", "encoded", "removed", "rated"]

KEPT_CHANGES = 10_000
"""A reader that is further behind reads everything anew."""


@dataclass(frozen=True)
class Changes:
    """What became of uploads and ratings since a version; apply ``removed`` before ``added``.

    Attributes:
        version: the number of the latest change in it.
        added: ids that are there now and were not, or were removed and uploaded anew.
        removed: ids that were there and are not, or were uploaded anew.
        encoded: ids that were and are there, and got vectors of a further encoder.
        rated: works and uploads that somebody rated, or took a rating of back; the log does not say who.
    """

    version: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    encoded: tuple[str, ...]
    rated: tuple[str, ...] = ()


def changes_since(connection: Connection, version: int) -> Changes | None:
    """What became of uploads and ratings after the change of that number, without what cancels out; in order of id.

    None says that the log does not reach back so far, or that the database is an older copy than the one that the
    number is from: then read all uploads anew.
    """
    state = connection.execute(select(STATE.c.version, STATE.c.kept_from)).one()
    if not state.kept_from <= version <= state.version:
        return None
    query = select(CHANGES.c.upload, CHANGES.c.kind).where(CHANGES.c.version > version)
    log = connection.execute(query.order_by(CHANGES.c.upload, CHANGES.c.version))
    added, removed, encoded, rated = [], [], [], []
    for upload, entries in groupby(log, key=itemgetter(0)):
        logged = [kind for _, kind in entries]
        if "rated" in logged:
            rated.append(upload)
        kinds = [kind for kind in logged if kind != "rated"]
        if not kinds:
            continue
        was_there, is_there, left = kinds[0] != "added", kinds[-1] != "removed", "removed" in kinds
        if was_there and left:
            removed.append(upload)
        if is_there and (left or not was_there):
            added.append(upload)
        if was_there and not left:
            encoded.append(upload)
    return Changes(state.version, tuple(added), tuple(removed), tuple(encoded), tuple(rated))


def current_version(connection: Connection) -> int:
    """The number of the latest change, as this transaction sees it."""
    version: int = connection.execute(select(STATE.c.version)).scalar_one()
    return version


def log_changes(connection: Connection, ids: Iterable[str], kind: ChangeKind) -> int:
    """Count one more change and note it for each of ``ids``; returns its number.

    The writer's lock makes the order of numbers that of commits. What is older than the last 10,000 is forgotten.
    """
    version = _next_version(connection)
    connection.execute(insert(CHANGES), [{"version": version, "upload": name, "kind": kind} for name in ids])
    _forget_until(connection, version - KEPT_CHANGES)
    return version


def count_change(connection: Connection) -> int:
    """Count one more change without noting what it was of: readers ask anew for what depends on no index."""
    return _next_version(connection)


def forget_changes(connection: Connection) -> int:
    """Count one more change, and forget all there were: every reader reads everything anew."""
    version = _next_version(connection)
    _forget_until(connection, version)
    return version


def _next_version(connection: Connection) -> int:
    counted = update(STATE).values(version=STATE.c.version + 1).returning(STATE.c.version)
    version: int = connection.execute(counted).scalar_one()
    return version


def _forget_until(connection: Connection, version: int) -> None:
    if version <= 0:
        return
    connection.execute(delete(CHANGES).where(CHANGES.c.version <= version))
    connection.execute(update(STATE).where(STATE.c.kept_from < version).values(kept_from=version))
