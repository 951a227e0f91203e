"""What participants of a study are shown, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, insert, select, update

from vernissage.storage.schema import (
    STUDY_ANSWERS,
    STUDY_ELICITATION,
    STUDY_LISTS,
    STUDY_PARTICIPANTS,
    STUDY_SCREENS,
)
from vernissage.storage.study_participants import Flag
from vernissage.storage.words import in_batches

Clock = Literal["monotonic", "utc", "clamped"]


@dataclass(frozen=True)
class Screen:
    """One showing of an engine's list: ``position`` from 1 among a participant's screens."""

    position: int
    engine: str
    repetition: int


@dataclass(frozen=True)
class Answer:
    """What a participant thinks of one showing.

    Attributes:
        ratings: statement → 1 to 5.
        seconds: from when the page became theirs until they answered.
        clock: by what those were measured; ``clamped`` when clocks gave no number that can be.
    """

    engine: str
    repetition: int
    ratings: Mapping[str, int]
    seconds: float
    clock: Clock
    time: datetime


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
    for item, rating in ratings.items():
        where = (table.c.participant == participant, table.c.item == item)
        connection.execute(update(table).where(*where).values(rating=rating, provenance=provenance))


def add_lists(connection: Connection, participant: int, lists: Mapping[str, Sequence[str]]) -> None:
    """Keep each engine's list for a participant, best first."""
    rows = [
        {"participant": participant, "engine": engine, "rank": rank, "item": item}
        for engine, items in lists.items()
        for rank, item in enumerate(items, start=1)
    ]
    for batch in in_batches(rows):
        connection.execute(insert(STUDY_LISTS), batch)


def list_of(connection: Connection, participant: int, engine: str) -> tuple[str, ...]:
    """An engine's list for a participant, best first; empty before the elicitation is answered."""
    table = STUDY_LISTS
    query = select(table.c.item).where(table.c.participant == participant, table.c.engine == engine)
    return tuple(connection.scalars(query.order_by(table.c.rank)))


def add_screens(connection: Connection, participant: int, screens: Sequence[Screen]) -> None:
    """Keep which list a participant sees on which screen."""
    rows = [
        {"participant": participant, "position": screen.position, "engine": screen.engine}
        | {"repetition": screen.repetition}
        for screen in screens
    ]
    connection.execute(insert(STUDY_SCREENS), rows)


def screen_at(connection: Connection, participant: int, position: int) -> Screen:
    """What a participant sees on one screen, from 1."""
    table = STUDY_SCREENS
    where = (table.c.participant == participant, table.c.position == position)
    row = connection.execute(select(table).where(*where)).one()
    return Screen(row.position, row.engine, row.repetition)


def add_answer(connection: Connection, participant: int, answer: Answer, provenance: int) -> None:
    """Keep an answer; a second one for the same engine and repetition is an error of the database."""
    values = {
        "participant": participant, "engine": answer.engine, "repetition": answer.repetition,
        "ratings": dict(answer.ratings), "seconds": answer.seconds, "clock": answer.clock, "time": answer.time,
        "provenance": provenance,
    }  # fmt: skip
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
    answers: dict[int, list[Answer]] = {}
    for row in connection.execute(query.order_by(table.c.participant, screens.c.position)):
        answer = Answer(row.engine, row.repetition, row.ratings, row.seconds, row.clock, row.time)
        answers.setdefault(row.participant, []).append(answer)
    return {number: tuple(theirs) for number, theirs in answers.items()}


def screens_of_study(connection: Connection, study: str, flag: Flag = "participant") -> dict[int, tuple[Screen, ...]]:
    """Every planned screen in a study by participant's number, in order."""
    table = STUDY_SCREENS
    query = _of_study(select(table), table.c.participant, study, flag)
    screens: dict[int, list[Screen]] = {}
    for row in connection.execute(query.order_by(table.c.participant, table.c.position)):
        screens.setdefault(row.participant, []).append(Screen(row.position, row.engine, row.repetition))
    return {number: tuple(theirs) for number, theirs in screens.items()}


def answer_provenances(connection: Connection, study: str) -> dict[tuple[int, str, int], int]:
    """The provenance's number of every answer in a study, by participant's number, engine and repetition."""
    table = STUDY_ANSWERS
    query = _of_study(select(table), table.c.participant, study, "participant")
    return {(row.participant, row.engine, row.repetition): row.provenance for row in connection.execute(query)}


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
