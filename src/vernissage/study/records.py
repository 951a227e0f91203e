"""What the experimenter sees and does: progress, pausing, dropouts, deletion."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from vernissage.analysis.long_table import LEAST_VIOLATION
from vernissage.errors import Kind, StudyError
from vernissage.storage import studies as stored
from vernissage.storage.database import Database
from vernissage.storage.erasure import finish_erasures, intend_erasure
from vernissage.storage.studies import Answer, StudyState
from vernissage.study.counterbalancing import engine_orders
from vernissage.study.definition import PAGES_BEFORE_SCREENS, Definition, definition_of
from vernissage.study.timing import Clocks

MANY_VISITS = 3
"""Browsers that come with one id for the first time; a person may have two: a phone and a computer."""


@dataclass(frozen=True)
class Overview:
    """How far a study has come; everything but the last two is about real participants.

    Attributes:
        frozen: when the first one began; None before.
        started: how many began.
        under_way: page in words → how many are there, who neither finished nor dropped out, in the order of pages.
        failed: how many of all who answered fail the attention rule so far.
        first_engines: engine → how many begin with it, dropouts not counted.
        equal_weights: how many rated every work 1, so that their lists are from equal weights.
        often_visited: id → how many browsers came with it for the first time, where more did than one person has.
    """

    paused: bool
    frozen: datetime | None
    started: int
    under_way: Mapping[str, int]
    finished: int
    dropped: int
    failed: int
    first_engines: Mapping[str, int]
    equal_weights: int
    previews: int
    robots: int
    often_visited: Mapping[str, int]


class StudyRecords:
    """One study's rows in a database, for its experimenter; needs no workspace."""

    def __init__(self, database: Database, definition: Definition, clocks: Clocks | None = None) -> None:
        self.database = database
        self.definition = definition
        self._clocks = clocks or Clocks()

    @property
    def id(self) -> str:
        """The id of the study in the database."""
        return self.definition.id

    def overview(self) -> Overview:
        """How far the study has come, as of now."""
        with self.database.reading() as connection:
            everyone = stored.participants_of(connection, self.id)
            answers = stored.answers_of_study(connection, self.id)
            state = stored.state_of(connection, self.id)
            definition = self._held(connection, state)
        real = [person for person in everyone if person.flag == "participant"]
        limit = self._clocks.utc() - timedelta(minutes=self.definition.inactivity_minutes)
        here = [each for each in real if not each.dropped and (each.finished or each.page_since >= limit)]
        pages = Counter(each.page for each in here if not each.finished)
        orders = engine_orders(definition)
        firsts = Counter(orders[each.square_row][0] for each in here)
        flags = Counter(person.flag for person in everyone)
        return Overview(
            paused=state.paused,
            frozen=state.since,
            started=len(real),
            under_way={page_in_words(definition, page): count for page, count in sorted(pages.items())},
            finished=sum(each.finished is not None for each in real),
            dropped=len(real) - len(here),
            failed=sum(fails_attention(definition, theirs) for theirs in answers.values()),
            first_engines={engine: firsts[engine] for engine in definition.engines},
            equal_weights=sum(person.equal_weights for person in real),
            previews=flags["preview"],
            robots=flags["robot"],
            often_visited={
                each.external_id: each.first_visits
                for each in real
                if each.first_visits is not None and each.first_visits >= MANY_VISITS
            },
        )

    def pause(self) -> None:
        """Take nobody new, and hold everyone where they are; what they send meanwhile is not stored."""
        self._set_paused(True)

    def resume(self) -> None:
        """Let the study go on."""
        self._set_paused(False)

    def mark_dropped(self, external_id: str) -> None:
        """Count a participant as dropped out: their pages are closed, and their row goes to the next to come.

        Raises:
            StudyError: there is none of that id, or they have finished.
        """
        with self.database.writing() as connection:
            person = stored.participant_of_id(connection, self.id, "participant", external_id)
            if person is None:
                raise self._unknown(external_id)
            if person.finished:
                raise StudyError(
                    f"{external_id!r} has finished and cannot be marked as dropped; delete their data with "
                    f"`vernissage study delete-participant`, or leave them out of the analysis",
                    kind=Kind.CONFLICT,
                )
            stored.change_participant(connection, person.number, dropped=self._clocks.utc(), dropped_by="experimenter")

    def delete(self, external_id: str) -> int:
        """Delete a participant with everything they answered, down to the bytes of the file; returns how many rows.

        Whatever flags they took part under, all go. Their row of the square goes to the next to come.

        Raises:
            StudyError: there is none of that id.
            StorageError: all is deleted, but another process still reads the database's log.
        """
        with self.database.writing() as connection:
            deleted = stored.delete_participants(connection, self.id, external_id)
            if not deleted:
                raise self._unknown(external_id)
            intend_erasure(connection, of_person=True)
        finish_erasures(self.database, None)
        return deleted

    def _held(self, connection: Connection, state: StudyState) -> Definition:
        """The definition that the first real participant froze; before that, the one given."""
        return self.definition if state.frozen is None else definition_of(stored.content_of(connection, state.frozen))

    def _set_paused(self, paused: bool) -> None:
        with self.database.writing() as connection:
            stored.set_paused(connection, self.id, paused)

    def _unknown(self, external_id: str) -> StudyError:
        return StudyError(
            f"the study {self.id!r} has no participant {external_id!r}; ids are in the export, letter by letter",
            kind=Kind.NOT_FOUND,
        )


def fails_attention(definition: Definition, answers: Iterable[Answer]) -> bool:
    """Whether two showings of one list are answered so differently that the study's rule excludes the participant."""
    if definition.attention == "none":
        return False
    seen: dict[tuple[str, str], list[int]] = {}
    for answer in answers:
        for statement, rating in answer.ratings.items():
            seen.setdefault((answer.engine, statement), []).append(rating)
    return any(max(ratings) - min(ratings) >= LEAST_VIOLATION for ratings in seen.values())


def page_in_words(definition: Definition, page: int) -> str:
    """What the experimenter calls a page."""
    if page < PAGES_BEFORE_SCREENS:
        return ("welcome", "elicitation")[page]
    if page == definition.last_page:
        return "thanks"
    return f"assessment {page - PAGES_BEFORE_SCREENS + 1} of {definition.screens}"
