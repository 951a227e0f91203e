"""Jobs: what the service does after it has answered, each held by one worker as long as that gives signs of life.

All of it happens in writing transactions, of which there is one at a time, so no two workers take the same job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, insert, or_, select, update

from vernissage.storage.people import enter_person
from vernissage.storage.schema import JOBS, PEOPLE

JobState = Literal["waiting", "running", "done", "failed"]

LEASE = timedelta(seconds=30)
"""After so long without a sign of life of its worker a job is taken over; hosts' clocks must agree better than that."""

KEPT = timedelta(days=7)
"""How long a job can be asked for after its end."""

MOST_ATTEMPTS = 10
_MOST_TOGETHER, _SOME = 200, 32


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        person: whose it is; empty for one of the collection.
        content: digest of what was sent, by which a repeated request is told from another one.
        attempts: how often it was begun.
        progress: ``{"step", "done", "total"}`` of a running one.
        result, problem: what came of it, JSON values.
    """

    number: int
    id: str
    person: str
    kind: str
    content: str
    payload: Mapping[str, Any]
    state: JobState
    attempts: int
    progress: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    created: datetime
    finished: datetime | None


def add_job(
    connection: Connection,
    name: str,
    kind: str,
    payload: Mapping[str, Any],
    time: datetime,
    *,
    content: str = "",
    owner: str = "",
    result: Mapping[str, Any] | None = None,
    due: datetime | None = None,
) -> Job:
    """Add a waiting job, or find the one of that id; jobs that ended long ago are forgotten."""
    connection.execute(delete(JOBS).where(JOBS.c.finished < time - KEPT))
    if get_job(connection, name) is None:
        row: dict[str, Any] = {
            "id": name,
            "kind": kind,
            "content": content,
            "payload": dict(payload),
            "state": "waiting",
            "worker": "",
        }
        row |= {"person": enter_person(connection, owner) if owner else None, "attempts": 0, "created": time}
        connection.execute(insert(JOBS).values(row | {"result": result, "due": due}))
    return _job(connection.execute(_QUERY.where(JOBS.c.id == name)).one())


def get_job(connection: Connection, name: str) -> Job | None:
    """The job of an id."""
    row = connection.execute(_QUERY.where(JOBS.c.id == name)).one_or_none()
    return None if row is None else _job(row)


def any_ready(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to do, by one look."""
    return connection.scalar(select(JOBS.c.number).where(_OPEN, _free(now)).limit(1)) is not None


def take_jobs(
    connection: Connection, worker: str, now: datetime, in_order: Sequence[str], together: Sequence[str] = ()
) -> tuple[Job, ...]:
    """The next job for a worker; of a kind ``in_order``, all that wait, unless one of that kind is under way; of a kind
    that is quicker done ``together``, some.

    A job whose worker gave no sign of life is taken over; after `MOST_ATTEMPTS` it has failed.
    """
    free = _free(now)
    spent = and_(_OPEN, free, JOBS.c.attempts >= MOST_ATTEMPTS)
    told = {"detail": f"it was begun {MOST_ATTEMPTS} times and never ended; see the server's log, and send it again"}
    connection.execute(update(JOBS).where(spent).values(state="failed", problem=told | {"status": 503}, finished=now))
    rows = connection.execute(_QUERY.where(_OPEN, free).order_by(JOBS.c.number).limit(_MOST_TOGETHER)).all()
    # The oldest that is not done says whether others of its kind may begin: later ones must not overtake it.
    held = set(connection.scalars(select(JOBS.c.kind).where(_OPEN, ~free, JOBS.c.kind.in_(in_order))))
    ready = [row for row in rows if row.kind not in held]
    if not ready:
        return ()
    kind = ready[0].kind
    alike = [row for row in ready if row.kind == kind]
    taken = alike if kind in in_order else alike[: _SOME if kind in together else 1]
    values: dict[str, Any] = {"state": "running", "worker": worker, "due": now + LEASE, "progress": None}
    numbers = [row.number for row in taken]
    values |= {"attempts": JOBS.c.attempts + 1}
    connection.execute(update(JOBS).where(JOBS.c.number.in_(numbers)).values(values))
    return tuple(map(_job, taken))


def keep_jobs(
    connection: Connection, jobs: Sequence[Job], worker: str, now: datetime, progress: Mapping[str, Any] | None
) -> bool:
    """A sign of life of the worker; False where another has taken a job over, or it is gone with its person."""
    values = {"due": now + LEASE, "progress": progress}
    return connection.execute(update(JOBS).where(_held(jobs, worker)).values(values)).rowcount == len(jobs)


def release_jobs(connection: Connection, jobs: Sequence[Job], worker: str, due: datetime | None) -> None:
    """Give jobs back that were not ended; they may be begun again when ``due``, without a time at once."""
    values: dict[str, Any] = {"state": "waiting", "worker": "", "due": due, "progress": None}
    values |= {} if due is not None else {"attempts": JOBS.c.attempts - 1}
    connection.execute(update(JOBS).where(_held(jobs, worker)).values(values))


def end_job(
    connection: Connection,
    job: Job,
    worker: str,
    now: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None,
) -> None:
    """Write down what came of a job; what was sent for it is forgotten."""
    values = {"state": "done" if problem is None else "failed", "problem": problem, "finished": now, "due": None}
    values |= {"payload": {}, "progress": None} | ({} if result is None else {"result": result})
    connection.execute(update(JOBS).where(_held([job], worker)).values(values))


def unfinished(connection: Connection) -> frozenset[str]:
    """The ids of jobs that wait or are under way."""
    return frozenset(connection.scalars(select(JOBS.c.id).where(_OPEN)))


def waiting_uploads(connection: Connection, owner: str) -> frozenset[str]:
    """The ids of a person's uploads that have yet to be encoded."""
    query = select(JOBS.c.payload).join(PEOPLE, PEOPLE.c.id == JOBS.c.person)
    found = connection.scalars(query.where(_OPEN, JOBS.c.kind == "uploads", PEOPLE.c.name == owner))
    return frozenset(item_id for payload in found for item_id in payload["ids"])


def waiting_payloads(connection: Connection, kind: str) -> tuple[Mapping[str, Any], ...]:
    """What was sent with jobs of a kind that wait or are under way, in order."""
    query = select(JOBS.c.payload).where(_OPEN, JOBS.c.kind == kind)
    return tuple(connection.scalars(query.order_by(JOBS.c.number)))


_OPEN = JOBS.c.state.in_(("waiting", "running"))


def _free(now: datetime) -> ColumnElement[bool]:
    """What a worker may begin, or take over."""
    return or_(JOBS.c.due.is_(None), JOBS.c.due <= now)


def _held(jobs: Sequence[Job], worker: str) -> ColumnElement[bool]:
    return and_(JOBS.c.number.in_([job.number for job in jobs]), JOBS.c.worker == worker, JOBS.c.state == "running")


_SHOWN = [name for name in Job.__dataclass_fields__ if name != "person"]
_QUERY: Select[Any] = select(*(JOBS.c[name] for name in _SHOWN), PEOPLE.c.name.label("person")).outerjoin(
    PEOPLE, PEOPLE.c.id == JOBS.c.person
)


def _job(row: Row[Any]) -> Job:
    return Job(**{**row._mapping, "person": row.person or ""})
