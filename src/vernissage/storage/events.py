"""Events of recommended works: shown, opened, kept, hidden; each counts once for a recommendation and a work."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, case, func, insert, select, update

from vernissage.storage.people import enter_person
from vernissage.storage.schema import EVENTS
from vernissage.storage.validation import checked_text, in_batches

EventKind = Literal["shown", "opened", "kept", "hidden"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True)
class Event:
    """What became of one work of a recommendation.

    Attributes:
        recommendation: its name; ``item`` is the work's id, empty for a list without works.
        engine: what made the list; ``position`` is the work's place in it, from 1, or 0 without a work.
        split: how the engine was assigned: ``visitor``, ``session``, or not (empty).
        visitor: a pseudonym of who was shown it; None where the caller named nobody.
    """

    recommendation: str
    item: str
    kind: EventKind
    engine: str
    position: int
    split: str = ""
    visitor: str | None = None


@dataclass(frozen=True)
class Counts:
    """Works at one place of lists of one engine that were shown to one visitor, or within one list; and opened ones.

    Attributes:
        cluster: the visitor's pseudonym, or the recommendation where nobody was named (``named`` is false).
    """

    engine: str
    split: str
    position: int
    cluster: str
    named: bool
    shown: int
    opened: int
    kept: int
    hidden: int


@dataclass(frozen=True)
class Recorded:
    """All events, counted.

    Attributes:
        counts: by engine, place and cluster.
        lists: engine → how many recommendations were shown; ``empty`` → those without works.
        works: engine → work → whether it was opened, of the works that were shown.
        first, last: times of the first event and of the last one.
    """

    counts: tuple[Counts, ...]
    lists: Mapping[str, int]
    empty: Mapping[str, int]
    works: Mapping[str, Mapping[str, bool]]
    first: datetime | None
    last: datetime | None


def add_events(connection: Connection, events: Collection[Event], time: datetime, person: str = "") -> int:
    """Keep events that are not there yet; returns how many of them. Whatever became of a work, it was shown as well.

    ``person`` names whose events they are, so that they are deleted with that person; empty for nobody's.

    Raises:
        StorageError: the person's name, or an id, cannot be stored.
    """
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in events:
        checked_text("id", event.item)
        for kind in dict.fromkeys(("shown", event.kind)):
            rows[event.recommendation, event.item, kind] = asdict(event) | {"kind": kind, "time": time}
    names, known = sorted({each.recommendation for each in events}), set[tuple[str, str, str]]()
    for batch in in_batches(names):
        there = select(EVENTS.c.recommendation, EVENTS.c.item, EVENTS.c.kind)
        known |= {
            (row[0], row[1], row[2]) for row in connection.execute(there.where(EVENTS.c.recommendation.in_(batch)))
        }
    if new := [row for key, row in rows.items() if key not in known]:
        owner = enter_person(connection, person) if person else None
        connection.execute(insert(EVENTS), [row | {"person": owner} for row in new])
    return len({(each.recommendation, each.item, each.kind) for each in events} - known)


def erase_visitors(connection: Connection, before: datetime) -> int:
    """Take pseudonyms out of the events of recommendations with one of an earlier time; returns of how many.

    All events of a recommendation lose it together, and stay as counts.
    """
    old = select(EVENTS.c.recommendation).where(EVENTS.c.visitor.is_not(None), EVENTS.c.time < before)
    return connection.execute(update(EVENTS).where(EVENTS.c.recommendation.in_(old)).values(visitor=None)).rowcount


def recorded(connection: Connection) -> Recorded:
    """All events, counted by the database."""
    of, place = EVENTS.c, (EVENTS.c.engine, EVENTS.c.split, EVENTS.c.position)
    cluster, named = func.coalesce(of.visitor, of.recommendation), of.visitor.is_not(None)
    sums = [func.sum(case((of.kind == kind, 1), else_=0)) for kind in EVENT_KINDS]
    counted = select(*place, cluster, named, *sums).where(of.item != "").group_by(*place, cluster, named)
    counts = [
        Counts(row[0], row[1], row[2], row[3], bool(row[4]), *map(int, row[5:]))
        for row in connection.execute(counted.order_by(*place, cluster, named))
    ]
    shown = of.kind == "shown"
    lists = select(of.engine, func.count(of.recommendation.distinct()), func.sum(case((of.item == "", 1), else_=0)))
    per_engine = connection.execute(lists.where(shown).group_by(of.engine).order_by(of.engine)).all()
    works: dict[str, dict[str, bool]] = {}
    opened = func.max(case((of.kind == "opened", 1), else_=0))
    for row in connection.execute(select(of.engine, of.item, opened).where(of.item != "").group_by(of.engine, of.item)):
        works.setdefault(row[0], {})[row[1]] = bool(row[2])
    first, last = connection.execute(select(func.min(of.time), func.max(of.time))).one()
    return Recorded(
        tuple(counts),
        {row[0]: row[1] for row in per_engine},
        {row[0]: row[2] for row in per_engine},
        works,
        first,
        last,
    )
