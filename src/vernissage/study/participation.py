"""A participant's way through a study: welcome, elicitation, assessments, thanks; the server keeps the position."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from vernissage.errors import StudyError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.storage.database import Database
from vernissage.storage.studies import enter_provenance, enter_study, is_paused
from vernissage.storage.study_answers import (
    Answer,
    add_answer,
    add_elicitation,
    add_lists,
    add_screens,
    elicitation_items,
    list_of,
    rate_elicitation,
    screen_at,
)
from vernissage.storage.study_participants import (
    Flag,
    NewParticipant,
    Participant,
    add_participant,
    change_participant,
    delete_numbered,
    drop_inactive,
    participant_of_id,
    participant_of_key,
    square_rows_held,
)
from vernissage.storage.words import checked_name
from vernissage.study.conditions import drawn_works, next_row, screens_of_row
from vernissage.study.definition import PAGES_BEFORE_SCREENS, Definition
from vernissage.study.freezing import check_unchanged, hold_to
from vernissage.study.pages import Assessment, Closed, Elicitation, Page, Paused, Thanks, Welcome
from vernissage.study.plan import Plan, Recommend
from vernissage.study.records import StudyRecords
from vernissage.study.submissions import check_list, check_person, check_ratings
from vernissage.study.timing import Clocks, Stopwatch

WELCOME, ELICITATION = 0, 1


class UnknownParticipantError(StudyError):
    """A key that belongs to nobody in this study: made up, or of somebody whose data were deleted."""


@dataclass(frozen=True)
class Participation:
    """Somebody's way into a study.

    Attributes:
        key: what the server knows them by from now on, 256 random bits; None where a paused study takes nobody new.
        page: where they are.
    """

    key: str | None
    page: Page


class Study:
    """The protocol of a study: every call is one transaction, and answers with the page that is current after it.

    Everything that is submitted names the page (`Welcome.number` and so on) that it comes from. If the participant is
    no longer there (a second click, the back button, another tab, a replay), nothing is stored.
    Safe to share among threads, and to run in several processes over one database.
    """

    def __init__(self, plan: Plan, database: Database, recommend: Recommend, clocks: Clocks | None = None) -> None:
        """Open a study; `records` holds what its experimenter does.

        Raises:
            StudyError: somebody has taken part, and the definition or the workspace has changed since.
        """
        self.plan = plan
        self.database = database
        self.records = StudyRecords(database, plan.definition, clocks)
        self._recommend = recommend
        self._clocks = clocks or Clocks()
        self._stopwatch = Stopwatch(self._clocks)
        with database.writing() as connection:
            enter_study(connection, plan.definition.id)
            check_unchanged(connection, plan.definition.id, plan.provenance)

    @property
    def definition(self) -> Definition:
        """What the study is."""
        return self.plan.definition

    def register(
        self, external_id: str | None = None, *, study_id: str = "", session_id: str = "", flag: Flag = "participant"
    ) -> Participation:
        """Begin a participation, or go on with the one of that external id; without an id a random one is made.

        The condition is assigned in the same transaction. The first real participant freezes the study.

        Raises:
            StudyError: the definition or the workspace has changed since the first participant.
            StorageError: an id is empty, too long, or holds control characters.
        """
        if external_id:
            checked_name("participant's id", external_id)
        with self.database.writing() as connection:
            now = self._clocks.utc()
            self._drop_inactive(connection, now)
            known = external_id and participant_of_id(connection, self.definition.id, flag, external_id)
            if known and self._is_current(connection, known):
                known = self._heard_of(connection, known)
                return Participation(known.key, self._page(connection, known))
            if known and flag != "participant":
                delete_numbered(connection, [known.number])
            if flag == "participant" and is_paused(connection, self.definition.id):
                return Participation(None, Paused())
            person = self._enter(connection, external_id or secrets.token_hex(12), (study_id, session_id), flag, now)
            page = self._page(connection, person)
        self._stopwatch.start(person.key, person.page)
        return Participation(person.key, page)

    def where(self, key: str) -> Page:
        """The participant's current page; stores nothing.

        Raises:
            UnknownParticipantError: the key belongs to nobody in this study.
            StudyError: the definition or the workspace has changed since the first participant.
        """
        with self.database.reading() as connection:
            return self._page(connection, self._participant(connection, key))

    def consent(self, key: str, page: int, *, age: int | None = None, gender: str = "") -> Page:
        """Store that the participant consents, now, with age and gender where they are told.

        Raises:
            StudyError: the age is none or below the lowest that may take part, or the gender is not among the choices.
            UnknownParticipantError: as in `where`.
        """
        with self.database.writing() as connection:
            person = self._participant(connection, key)
            if not self._stands_at(connection, person, page, WELCOME):
                return self._page(connection, person)
            check_person(self.definition, age, gender)
            values = {"consented": self._clocks.utc(), "age": age, "gender": gender}
            return self._advance(connection, person, **values)

    def rate(self, key: str, page: int, ratings: Mapping[str, int]) -> Page:
        """Store the ratings of the elicitation together with the lists that follow from them.

        The lists are computed before the transaction, so that others do not wait for them; of two calls at once, one
        stores its own and the other nothing.

        Raises:
            StudyError: a work is not rated from 1 to 5, or is none of those that were asked about; or an engine gives
                a list that cannot be shown.
            RequestError, RatingsError: an engine cannot answer; nothing was stored.
            UnknownParticipantError: as in `where`.
        """
        with self.database.reading() as connection:
            person = self._participant(connection, key)
            if not self._stands_at(connection, person, page, ELICITATION):
                return self._page(connection, person)
            asked = elicitation_items(connection, person.number)
        check_ratings(ratings, asked, "work")
        equal = all(rating == LOWEST for rating in ratings.values())
        lists = self._lists({item: HIGHEST if equal else ratings[item] for item in asked})
        with self.database.writing() as connection:
            person = self._participant(connection, key)
            if not self._stands_at(connection, person, page, ELICITATION):
                return self._page(connection, person)
            provenance = enter_provenance(connection, self.definition.id, self.plan.provenance)
            person = self._heard_of(connection, person)
            rate_elicitation(connection, person.number, ratings, provenance)
            add_lists(connection, person.number, lists)
            add_screens(connection, person.number, screens_of_row(self.definition, person.square_row))
            return self._advance(connection, person, equal_weights=equal)

    def answer(self, key: str, page: int, ratings: Mapping[str, int]) -> Page:
        """Store what the participant thinks of the list on that page, with the time that they took.

        Raises:
            StudyError: a statement is not answered from 1 to 5, or is none of the study's.
            UnknownParticipantError: as in `where`.
        """
        with self.database.writing() as connection:
            person = self._participant(connection, key)
            assessing = PAGES_BEFORE_SCREENS <= person.page < self.definition.last_page
            if not assessing or not self._stands_at(connection, person, page, person.page):
                return self._page(connection, person)
            check_ratings(ratings, [statement.name for statement in self.definition.statements], "statement")
            screen = screen_at(connection, person.number, page - PAGES_BEFORE_SCREENS + 1)
            seconds, clock = self._stopwatch.read(key, page, person.page_since)
            answer = Answer(screen.engine, screen.repetition, ratings, seconds, clock, self._clocks.utc())
            provenance = enter_provenance(connection, self.definition.id, self.plan.provenance)
            add_answer(connection, person.number, answer, provenance)
            return self._advance(connection, person)

    def _enter(
        self, connection: Connection, external_id: str, recruitment: tuple[str, str], flag: Flag, now: datetime
    ) -> Participant:
        provenance = hold_to(connection, self.definition.id, self.plan.provenance, flag, now)
        row = next_row(self.plan.orders, square_rows_held(connection, self.definition.id, flag))
        new = NewParticipant(
            self.definition.id, flag, external_id, secrets.token_urlsafe(32), *recruitment, provenance, row
        )
        number = add_participant(connection, new, now)
        works = drawn_works(self.plan.slots, self.definition.seed, f"{flag}/{external_id}")
        add_elicitation(connection, number, works)
        return self._participant(connection, new.key)

    def _participant(self, connection: Connection, key: str) -> Participant:
        person = participant_of_key(connection, self.definition.id, key)
        if person is None:
            raise UnknownParticipantError("nobody in this study has that key; begin again at the study's address")
        return person

    def _stands_at(self, connection: Connection, person: Participant, submitted: int, page: int) -> bool:
        """Whether what was submitted belongs to the current page, and may be stored now."""
        return submitted == person.page == page and self._held_up(connection, person) is None

    def _held_up(self, connection: Connection, person: Participant) -> Page | None:
        if person.dropped_by == "experimenter" or not self._is_current(connection, person):
            return Closed()
        if person.flag == "participant" and not person.finished and is_paused(connection, self.definition.id):
            return Paused()
        return None

    def _is_current(self, connection: Connection, person: Participant) -> bool:
        """Whether the participation belongs to this plan; a real one does, or is refused with the reason."""
        if person.flag == "participant":
            check_unchanged(connection, self.definition.id, self.plan.provenance)
            return True
        return self.records.provenance(connection, person).same_as(self.plan.provenance)

    def _page(self, connection: Connection, person: Participant) -> Page:
        held_up = self._held_up(connection, person)
        if held_up is not None:
            return held_up
        if person.page == WELCOME:
            return Welcome(WELCOME)
        if person.page == ELICITATION:
            return Elicitation(ELICITATION, elicitation_items(connection, person.number))
        if person.page == self.definition.last_page:
            return Thanks(person.page, self.definition.completion.code, self.definition.completion.return_url)
        screen = screen_at(connection, person.number, person.page - PAGES_BEFORE_SCREENS + 1)
        works = list_of(connection, person.number, screen.engine)
        return Assessment(person.page, screen.position, self.definition.screens, works)

    def _advance(self, connection: Connection, person: Participant, **values: object) -> Page:
        """Make the next page the current one."""
        self._heard_of(connection, person)
        now, page = self._clocks.utc(), person.page + 1
        if page == self.definition.last_page:
            values["finished"] = now
        change_participant(connection, person.number, page=page, page_since=now, **values)
        self._stopwatch.forget(person.key, person.page)
        self._stopwatch.start(person.key, page)
        return self._page(connection, self._participant(connection, person.key))

    def _heard_of(self, connection: Connection, person: Participant) -> Participant:
        """Take back somebody who counted as dropped out for want of a sign of life.

        Who has not seen a list yet gets the row that is due now, since their former one may be given away.
        """
        if person.dropped_by != "inactivity":
            return person
        row = person.square_row
        if person.page < PAGES_BEFORE_SCREENS:
            row = next_row(self.plan.orders, square_rows_held(connection, self.definition.id, person.flag))
        change_participant(
            connection, person.number, dropped=None, dropped_by="", square_row=row, page_since=self._clocks.utc()
        )
        return self._participant(connection, person.key)

    def _drop_inactive(self, connection: Connection, now: datetime) -> None:
        limit = now - timedelta(minutes=self.definition.inactivity_minutes)
        drop_inactive(connection, self.definition.id, limit, now)

    def _lists(self, ratings: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
        lists = {}
        for engine in self.definition.engines:
            items = self._recommend(engine, ratings, self.definition.works).item_ids
            check_list(engine, items, ratings, self.definition.works)
            lists[engine] = items
        return lists
