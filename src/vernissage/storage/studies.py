"""Studies in the database: what each rests on, who takes part, what they are shown, and what they answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from vernissage.storage.schema import (
    STUDIES,
    STUDY_ANSWERS,
    STUDY_ELICITATION,
    STUDY_LISTS,
    STUDY_PARTICIPANTS,
    STUDY_PROVENANCES,
    STUDY_SCREENS,
)
from vernissage.storage.validation import checked_name, in_batches

Clock = Literal["monotonic", "utc", "clamped"]
DroppedBy = Literal["", "experimenter", "inactivity"]
Flag = Literal["participant", "preview", "robot"]


@dataclass(frozen=True)
class Provenance:
    """What answers depend on.

    Attributes:
        definition: the digest of the study's definition, whose values are ``content``.
        collection: the collection's fingerprint.
        encoders: encoder name → its fingerprint.
        software: the version of Vernissage; another one does not make it another study.
        content: empty where only the digest was read.
    """

    definition: str
    collection: str
    encoders: Mapping[str, str]
    software: str
    content: Mapping[str, Any] = field(compare=False)

    def same_as(self, other: "Provenance") -> bool:
        """Whether both are one study over one workspace."""
        mine, theirs = (self.definition, self.collection), (other.definition, other.collection)
        return mine == theirs and dict(self.encoders) == dict(other.encoders)


@dataclass(frozen=True)
class StudyState:
    """What every page of a study depends on.

    Attributes:
        provenances: by number, without their content.
        frozen: the number of the one that the first real participant made the one that holds; None before.
        since: when that was.
    """

    paused: bool
    provenances: Mapping[int, Provenance]
    frozen: int | None
    since: datetime | None

    def number_of(self, provenance: Provenance) -> int | None:
        """The number of that provenance; None where the study has none like it."""
        return next((number for number, each in self.provenances.items() if each == provenance), None)


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
class Participant(NewParticipant):
    """Somebody who takes part.

    Attributes:
        number: other tables refer to them by it.
        square_row: the row of the counterbalancing square.
        page: 0 welcome, 1 elicitation, then a page for each screen, then thanks.
        page_since: when that became their page.
        equal_weights: whether the lists are from equal weights, because every rating was the lowest.
        dropped: when they were counted as dropped out, by whom or what; None otherwise.
        first_visits: how many browsers came with their id for the first time; None where that was not counted.
    """

    number: int
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
    first_visits: int | None


@dataclass(frozen=True)
class Screen:
    """One showing of an engine's list: ``position`` from 1 among a participant's screens."""

    position: int
    engine: str
    repetition: int


@dataclass(frozen=True)
class Answer(Screen):
    """What a participant thinks of one showing.

    Attributes:
        ratings: statement → 1 to 5.
        seconds: from when the page became theirs until they answered.
        clock: by what those were measured; ``clamped`` when clocks gave no number that can be.
        provenance: the number of what the answer depends on.
    """

    ratings: Mapping[str, int]
    seconds: float
    clock: Clock
    time: datetime
    provenance: int


def study_ids(connection: Connection) -> tuple[str, ...]:
    """All studies of which something is kept, by id."""
    return tuple(connection.scalars(select(STUDIES.c.id).order_by(STUDIES.c.id)))


def enter_study(connection: Connection, study: str) -> None:
    """Make a study's row where there is none.

    Raises:
        StorageError: the id is empty, too long, or holds control characters.
    """
    if connection.scalar(select(STUDIES.c.id).where(STUDIES.c.id == study)) is None:
        connection.execute(insert(STUDIES).values(id=checked_name("id of a study", study), paused=False))


def set_paused(connection: Connection, study: str, paused: bool) -> None:
    """Pause a study, or let it go on."""
    enter_study(connection, study)
    connection.execute(update(STUDIES).where(STUDIES.c.id == study).values(paused=paused))


def state_of(connection: Connection, study: str) -> StudyState:
    """What every page of a study depends on, by one statement; nothing where nothing is kept of it."""
    table = STUDY_PROVENANCES
    columns = [table.c[name] for name in ("id", "definition", "collection", "encoders", "software", "frozen")]
    joined = STUDIES.outerjoin(table, table.c.study == STUDIES.c.id)
    query = select(STUDIES.c.paused, *columns).select_from(joined).where(STUDIES.c.id == study).order_by(table.c.id)
    rows = connection.execute(query).all()
    numbered = [row for row in rows if row.id is not None]
    provenances = {
        row.id: Provenance(row.definition, row.collection, row.encoders, row.software, {}) for row in numbered
    }
    frozen = next((row for row in numbered if row.frozen is not None), None)
    since = (frozen.id, frozen.frozen) if frozen is not None else (None, None)
    return StudyState(bool(rows and rows[0].paused), provenances, *since)


def add_provenance(connection: Connection, study: str, provenance: Provenance) -> int:
    """Keep a provenance; returns the number by which other tables refer to it."""
    values = {
        "study": study, "definition": provenance.definition, "collection": provenance.collection,
        "encoders": dict(provenance.encoders), "software": provenance.software, "content": dict(provenance.content),
    }  # fmt: skip
    added = insert(STUDY_PROVENANCES).values(values).returning(STUDY_PROVENANCES.c.id)
    number: int = connection.execute(added).scalar_one()
    return number


def freeze(connection: Connection, provenance: int, time: datetime) -> None:
    """Make a provenance the one that holds."""
    connection.execute(update(STUDY_PROVENANCES).where(STUDY_PROVENANCES.c.id == provenance).values(frozen=time))


def content_of(connection: Connection, provenance: int) -> Mapping[str, Any]:
    """The values of the definition that a provenance is about."""
    query = select(STUDY_PROVENANCES.c.content).where(STUDY_PROVENANCES.c.id == provenance)
    content: Mapping[str, Any] = connection.execute(query).scalar_one()
    return content


def add_participant(connection: Connection, new: NewParticipant, time: datetime) -> Participant:
    """Enter a participant at the first page. Raises StorageError: an id cannot be stored."""
    checked_name("participant's id", new.external_id)
    for kind, name in (("study id", new.recruitment_study), ("session id", new.recruitment_session)):
        if name:
            checked_name(kind, name)
    values: dict[str, Any] = {
        **vars(new), "page": 0, "page_since": time, "registered": time, "consented": None, "age": None, "gender": "",
        "equal_weights": False, "finished": None, "dropped": None, "dropped_by": "",
        "first_visits": 1,
    }  # fmt: skip
    table = STUDY_PARTICIPANTS
    return Participant(
        number=connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one(), **values
    )


def change_participant(connection: Connection, number: int, **values: Any) -> None:
    """Set columns of a participant's row."""
    connection.execute(update(STUDY_PARTICIPANTS).where(STUDY_PARTICIPANTS.c.id == number).values(values))


def count_visit(connection: Connection, number: int) -> None:
    """Count one more browser that came with a participant's id for the first time."""
    table = STUDY_PARTICIPANTS
    visits = func.coalesce(table.c.first_visits, 1) + 1
    connection.execute(update(table).where(table.c.id == number).values(first_visits=visits))


def participant_of_key(connection: Connection, study: str, key: str) -> Participant | None:
    """The participant whose secret key that is; None where there is none in this study."""
    return _participant(connection, study, STUDY_PARTICIPANTS.c.key == key)


def participant_of_id(connection: Connection, study: str, flag: Flag, external_id: str) -> Participant | None:
    """The participant of that external id; None where there is none."""
    table = STUDY_PARTICIPANTS
    return _participant(connection, study, table.c.flag == flag, table.c.external_id == external_id)


def participants_of(connection: Connection, study: str, flag: Flag | None = None) -> tuple[Participant, ...]:
    """Everyone in a study, or all of one flag, in the order in which they came."""
    table = STUDY_PARTICIPANTS
    query = select(table).where(table.c.study == study).order_by(table.c.id)
    return tuple(map(_read, connection.execute(query if flag is None else query.where(table.c.flag == flag))))


def count_started(connection: Connection, study: str) -> int:
    """How many real participants began."""
    table = STUDY_PARTICIPANTS
    query = select(func.count()).where(table.c.study == study, table.c.flag == "participant")
    return connection.execute(query).scalar_one()


def square_rows_held(connection: Connection, study: str, flag: Flag) -> dict[int, int]:
    """How many hold each row of the square; who dropped out holds none."""
    table = STUDY_PARTICIPANTS
    query = select(table.c.square_row, func.count()).where(
        table.c.study == study, table.c.flag == flag, table.c.dropped.is_(None)
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.square_row))}


def drop_inactive(connection: Connection, study: str, before: datetime, time: datetime) -> int:
    """Count those as dropped out who did not finish and were inactive since ``before``; returns how many."""
    table = STUDY_PARTICIPANTS
    inactive = update(table).where(
        table.c.study == study, table.c.finished.is_(None), table.c.dropped.is_(None), table.c.page_since < before
    )
    return connection.execute(inactive.values(dropped=time, dropped_by="inactivity")).rowcount


def delete_participants(connection: Connection, study: str, external_id: str, flag: Flag | None = None) -> int:
    """Delete everyone of that external id, or of one flag, with all that they answered; returns how many."""
    table = STUDY_PARTICIPANTS
    query = delete(table).where(table.c.study == study, table.c.external_id == external_id)
    return connection.execute(query if flag is None else query.where(table.c.flag == flag)).rowcount


def add_elicitation(connection: Connection, participant: int, items: Sequence[str]) -> None:
    """Keep which works a participant is asked to rate, in that order."""
    rows = [
        {"participant": participant, "position": position, "item": item} for position, item in enumerate(items, start=1)
    ]
    connection.execute(insert(STUDY_ELICITATION), rows)


def elicitation_items(connection: Connection, participant: int) -> tuple[str, ...]:
    """The works that a participant is asked to rate, in order."""
    query = select(STUDY_ELICITATION.c.item).where(STUDY_ELICITATION.c.participant == participant)
    return tuple(connection.scalars(query.order_by(STUDY_ELICITATION.c.position)))


def rate_elicitation(connection: Connection, participant: int, ratings: Mapping[str, int], provenance: int) -> None:
    """Keep a participant's ratings of the works that they were asked about."""
    table = STUDY_ELICITATION
    rated = update(table).where(table.c.participant == participant, table.c.item == bindparam("work"))
    values = [{"work": item, "given": rating} for item, rating in ratings.items()]
    connection.execute(rated.values(rating=bindparam("given"), provenance=provenance), values)


def add_lists(connection: Connection, participant: int, lists: Mapping[str, Sequence[str]]) -> None:
    """Keep each engine's list for a participant, best first."""
    rows = [
        {"participant": participant, "engine": engine, "rank": rank, "item": item}
        for engine, items in lists.items()
        for rank, item in enumerate(items, start=1)
    ]
    for batch in in_batches(rows):
        connection.execute(insert(STUDY_LISTS), batch)


def add_screens(connection: Connection, participant: int, screens: Sequence[Screen]) -> None:
    """Keep which list a participant sees on which screen."""
    connection.execute(insert(STUDY_SCREENS), [vars(screen) | {"participant": participant} for screen in screens])


def shown_at(
    connection: Connection, participant: int, positions: Collection[int]
) -> dict[int, tuple[Screen, tuple[str, ...]]]:
    """The screens at some positions, from 1, each with its list, best first, by one statement."""
    screens, lists = STUDY_SCREENS, STUDY_LISTS
    same = (lists.c.participant == screens.c.participant) & (lists.c.engine == screens.c.engine)
    query = select(screens, lists.c.item).join(lists, same)
    query = query.where(screens.c.participant == participant, screens.c.position.in_(positions))
    shown: dict[int, tuple[Screen, tuple[str, ...]]] = {}
    for row in connection.execute(query.order_by(screens.c.position, lists.c.rank)):
        screen, works = shown.get(row.position, (Screen(row.position, row.engine, row.repetition), ()))
        shown[row.position] = (screen, (*works, row.item))
    return shown


def add_answer(connection: Connection, participant: int, answer: Answer) -> None:
    """Keep an answer; a second one for the same engine and repetition is an error of the database."""
    values = {name: value for name, value in vars(answer).items() if name != "position"}
    values |= {"participant": participant, "ratings": dict(answer.ratings)}
    connection.execute(insert(STUDY_ANSWERS).values(values))


def answers_of_study(connection: Connection, study: str, flag: Flag = "participant") -> dict[int, tuple[Answer, ...]]:
    """Every answer in a study by participant's number, in the order of the screens."""
    table, screens = STUDY_ANSWERS, STUDY_SCREENS
    same = (
        (screens.c.participant == table.c.participant)
        & (screens.c.engine == table.c.engine)
        & (screens.c.repetition == table.c.repetition)
    )
    query = _of_study(select(table, screens.c.position).join(screens, same), table.c.participant, study, flag)
    answers: dict[int, tuple[Answer, ...]] = {}
    for row in connection.execute(query.order_by(table.c.participant, screens.c.position)):
        values = dict(row._mapping)
        number = values.pop("participant")
        answers[number] = (*answers.get(number, ()), Answer(**values))
    return answers


def lists_of_study(connection: Connection, study: str, flag: Flag = "participant") -> list[tuple[int, str, int, str]]:
    """Every list in a study as (participant's number, engine, rank, item), in that order."""
    table = STUDY_LISTS
    query = _of_study(select(table), table.c.participant, study, flag)
    rows = connection.execute(query.order_by(table.c.participant, table.c.engine, table.c.rank))
    return [(row.participant, row.engine, row.rank, row.item) for row in rows]


def elicitation_of_study(
    connection: Connection, study: str, flag: Flag = "participant"
) -> list[tuple[int, int, str, int]]:
    """Every elicitation rating in a study as (participant's number, position, item, rating), in that order."""
    table = STUDY_ELICITATION
    query = _of_study(select(table).where(table.c.rating.is_not(None)), table.c.participant, study, flag)
    rows = connection.execute(query.order_by(table.c.participant, table.c.position))
    return [(row.participant, row.position, row.item, row.rating) for row in rows]


def _of_study(query: Select[Any], participant: Any, study: str, flag: Flag) -> Select[Any]:
    people = STUDY_PARTICIPANTS
    return query.join(people, people.c.id == participant).where(people.c.study == study, people.c.flag == flag)


def _participant(connection: Connection, study: str, *where: Any) -> Participant | None:
    query = select(STUDY_PARTICIPANTS).where(STUDY_PARTICIPANTS.c.study == study, *where)
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Participant:
    values = dict(row._mapping)
    return Participant(number=values.pop("id"), **values)
