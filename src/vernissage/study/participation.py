"""The protocol of taking part: welcome, elicitation, assessments, thanks; the server keeps the position.

A participant sees one page at a time, and no page names an engine.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection

from vernissage.errors import Kind, StudyError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.storage import studies as stored
from vernissage.storage.database import Database
from vernissage.storage.studies import Answer, Flag, NewParticipant, Participant, Screen, StudyState
from vernissage.storage.validation import checked_name
from vernissage.study.counterbalancing import drawn_works, next_row, screens_of_row
from vernissage.study.definition import OLDEST, PAGES_BEFORE_SCREENS, Definition, changed_keys
from vernissage.study.plan import Plan, Recommend
from vernissage.study.records import StudyRecords
from vernissage.study.timing import Clocks, Stopwatch

WELCOME, ELICITATION = 0, 1

_PLACEHOLDER = re.compile(
    r"[\[\]{}<>«»|]|\$\w|%[^%]+%|^[@_#:%]\w+[@_#:%]*$|^(prolific_pid|(participant|worker|user)_?id|undefined|null|none|nan)$",
    re.IGNORECASE,
)
"""What stands in an address that nobody filled in: a name in brackets, ``${…}``, ``%…%``, ``__…__``, or no value."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at a study's address, of whom nothing is stored before they consent.

    Attributes:
        external_id: from the recruitment service, or drawn at random.
        recruitment_study: the study's id at the recruitment service, if any; likewise ``recruitment_session``.
    """

    flag: Flag
    external_id: str
    recruitment_study: str = ""
    recruitment_session: str = ""


def is_placeholder(external_id: str) -> bool:
    """Whether an id is a placeholder of an invitation's address, under which everybody would be one person."""
    return _PLACEHOLDER.search(unquote(external_id).strip()) is not None


@dataclass(frozen=True)
class Welcome:
    """Purpose, data policy and consent; the first page. Its number is refused once the participant is further."""

    number: int


@dataclass(frozen=True)
class Elicitation:
    """Works to be rated from 1 to 5, all of them."""

    number: int
    works: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """A list to be judged, best work first: screen ``position`` of ``of``, from 1."""

    number: int
    position: int
    of: int
    works: tuple[str, ...]


@dataclass(frozen=True)
class Thanks:
    """The end: every answer is stored. ``code`` and ``return_url`` are empty where the study has none."""

    number: int
    code: str
    return_url: str


@dataclass(frozen=True)
class Paused:
    """The study is paused; the participant goes on later where they were."""


@dataclass(frozen=True)
class Closed:
    """The participation was ended by the experimenter, or is a preview of a former definition."""


@dataclass(frozen=True)
class Full:
    """As many have begun as may; those go on, and nobody new is taken."""


Page = Welcome | Elicitation | Assessment | Thanks | Paused | Closed | Full


@dataclass(frozen=True)
class Consent:
    """What is sent from the first page: that the participant consents, with age and gender where they are told."""

    age: int | None = None
    gender: str = ""


Answers = Consent | Mapping[str, int]
"""What is sent from a page: consent, or 1 to 5 for each work of an elicitation or each statement about a list."""

ReadAnswers = Callable[[Page], Answers | None]
"""Reads answers for the page that is current when they are stored; None stores nothing."""


def page_number(page: Page) -> int | None:
    """The number of a page that is part of the study's course; None of one that is not."""
    return None if isinstance(page, Paused | Closed | Full) else page.number


class UnknownParticipantError(StudyError):
    """A key that belongs to nobody in this study: made up, or of somebody whose data were deleted."""

    kind = Kind.NOT_FOUND


@dataclass(frozen=True)
class Participation:
    """The beginning of somebody's participation.

    Attributes:
        key: what the server knows them by from now on, 256 random bits; None where a paused or full study takes
            nobody new.
        page: where they are.
    """

    key: str | None
    page: Page


@dataclass(frozen=True)
class _Position:
    """Where somebody is, as one transaction sees it: ``shown`` has the screen of an assessment and the next one."""

    person: Participant | None
    page: Page
    state: StudyState
    shown: Mapping[int, tuple[Screen, tuple[str, ...]]]


class Study:
    """The protocol of a study: `page` reads the current page, `submit` stores what is sent from it in one transaction.

    A participant is named by their key, or by the `Visitor` that they came as. Everything that is submitted names the
    page (`Welcome.number` and so on) that it comes from. If the participant is no longer there (a second click, the
    back button, another tab, a replay), nothing is stored.
    Safe to share among threads, and to run in several processes over one database.
    """

    def __init__(
        self,
        plan: Plan,
        database: Database,
        recommend: Recommend,
        clocks: Clocks | None = None,
        *,
        most_starts: int | None = None,
    ) -> None:
        """Open a study; `records` holds what its experimenter does, and at most ``most_starts`` real people may begin.

        Raises:
            StudyError: somebody has taken part, and the definition or the workspace has changed since.
        """
        self.plan = plan
        self.database = database
        self.records = StudyRecords(database, plan.definition, clocks)
        self._recommend = recommend
        self._most_starts = most_starts
        self._clocks = clocks or Clocks()
        self._stopwatch = Stopwatch(self._clocks)
        with database.writing() as connection:
            stored.enter_study(connection, plan.definition.id)
            check_unchanged(connection, plan, stored.state_of(connection, plan.definition.id))

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
            StudyError: the definition or the workspace has changed since the first participant, or the id is a
                placeholder.
            StorageError: an id is empty, too long, or holds control characters.
        """
        if external_id:
            checked_name("participant's id", external_id)
            if is_placeholder(external_id):
                raise StudyError(f"{external_id!r} is a placeholder that was not filled in; give the participant's id")
        visitor = Visitor(flag, external_id or secrets.token_hex(12), study_id, session_id)
        with self.database.writing() as connection:
            self._drop_inactive(connection)
            here = self._position(connection, visitor)
            if here.person is not None and self._is_current(connection, here.person, here.state):
                if values := self._values_of_return(connection, here.person):
                    now = self._clocks.utc()
                    stored.change_participant(connection, here.person.number, page_since=now, **values)
                return Participation(here.person.key, here.page)
            if isinstance(here.page, Paused | Full):
                return Participation(None, here.page)
            person, _ = self._enter(connection, visitor, here)
        self._stopwatch.start(person.key, WELCOME)
        return Participation(person.key, Welcome(WELCOME))

    def page(self, who: str | Visitor) -> Page:
        """The current page of a participant's key or of a visitor; stores nothing.

        Raises:
            UnknownParticipantError: the key belongs to nobody in this study.
            StudyError: the definition or the workspace has changed since the first participant.
        """
        with self.database.reading() as connection:
            return self._position(connection, who).page

    def count_visit(self, visitor: Visitor) -> None:
        """Count that a browser came with a participant's id for the first time; of nobody who has not consented."""
        with self.database.reading() as connection:
            person = stored.participant_of_id(connection, self.definition.id, visitor.flag, visitor.external_id)
        if person is None:
            return
        with self.database.writing() as connection:
            stored.count_visit(connection, person.number)

    def showing(self, key: str) -> Screen:
        """Which engine's list a participant is to judge now; for simulated people alone.

        Raises:
            UnknownParticipantError: as in `page`.
            StudyError: they are at no list.
        """
        with self.database.reading() as connection:
            here = self._position(connection, key)
        if not isinstance(here.page, Assessment):
            raise StudyError("this participant is at no list that is to be judged", kind=Kind.CONFLICT)
        return here.shown[here.page.position][0]

    def submit(self, who: str | Visitor, number: int, answers: Answers | ReadAnswers) -> Page:
        """Store what was sent from the page of that number; returns the page that is current then.

        A visitor who consents is registered in the same transaction. What comes from another page than the current
        one, or does not belong to it, stores nothing. An answer and the step to the next page are one transaction. The
        lists that follow from an elicitation are computed before it, so that others do not wait for them; of two calls
        at once, one stores its own and the other nothing.

        Args:
            who: the participant's key, or a visitor.
            number: of the page that the answers come from.
            answers: what was sent, or a function that reads it once it is known to come from the current page.

        Raises:
            StudyError: the age is below the lowest that may take part, or the gender not among the choices; something
                that was asked about is not answered from 1 to 5, or something else is; an engine gives a list that
                cannot be shown; or as in `page`.
            RequestError, RatingsError: an engine cannot answer; nothing was stored.
            UnknownParticipantError: as in `page`.
        """
        read = answers if callable(answers) else lambda _: answers
        if number == ELICITATION:
            return self._submit_elicitation(who, read)
        with self.database.writing() as connection:
            here = self._position(connection, who)
            given = read(here.page) if page_number(here.page) == number else None
            if isinstance(here.page, Welcome) and isinstance(given, Consent):
                return self._consent(connection, who, here, given)
            if here.person is not None and isinstance(here.page, Assessment) and isinstance(given, Mapping):
                return self._judge(connection, here.person, here, given)
            return here.page

    def _submit_elicitation(self, who: str | Visitor, read: ReadAnswers) -> Page:
        with self.database.reading() as connection:
            page = self._position(connection, who).page
        given = read(page) if isinstance(page, Elicitation) else None
        if not isinstance(page, Elicitation) or not isinstance(given, Mapping):
            return page
        _check_ratings(given, page.works, "work")
        equal = all(rating == LOWEST for rating in given.values())
        lists = self._lists({item: HIGHEST if equal else given[item] for item in page.works})
        with self.database.writing() as connection:
            here = self._position(connection, who)
            if here.person is None or not isinstance(here.page, Elicitation):
                return here.page
            stored.rate_elicitation(connection, here.person.number, given, self._provenance(connection, here.state))
            stored.add_lists(connection, here.person.number, lists)
            values = self._values_of_return(connection, here.person) | {"equal_weights": equal}
            screens = screens_of_row(self.definition, values.get("square_row", here.person.square_row))
            stored.add_screens(connection, here.person.number, screens)
            first = Assessment(PAGES_BEFORE_SCREENS, 1, self.definition.screens, lists[screens[0].engine])
            return self._advance(connection, here.person, first, values)

    def _consent(self, connection: Connection, who: str | Visitor, here: _Position, given: Consent) -> Page:
        _check_person(self.definition, given)
        if here.person is not None:
            person, works = here.person, stored.elicitation_items(connection, here.person.number)
        else:
            self._drop_inactive(connection)
            person, works = self._enter(connection, who, here)  # type: ignore[arg-type]  # keys are of somebody
        values = self._values_of_return(connection, person)
        values |= {"consented": self._clocks.utc(), "age": given.age, "gender": given.gender}
        return self._advance(connection, person, Elicitation(ELICITATION, works), values)

    def _judge(self, connection: Connection, person: Participant, here: _Position, given: Mapping[str, int]) -> Page:
        _check_ratings(given, [statement.name for statement in self.definition.statements], "statement")
        position = person.page - PAGES_BEFORE_SCREENS + 1
        screen, _ = here.shown[position]
        seconds, clock = self._stopwatch.read(person.key, person.page, person.page_since)
        provenance = self._provenance(connection, here.state)
        answer = Answer(
            position, screen.engine, screen.repetition, dict(given), seconds, clock, self._clocks.utc(), provenance
        )
        stored.add_answer(connection, person.number, answer)
        values = self._values_of_return(connection, person)
        return self._advance(connection, person, self._page_of(person.page + 1, here.shown), values)

    def _enter(self, connection: Connection, visitor: Visitor, here: _Position) -> tuple[Participant, tuple[str, ...]]:
        """Register a visitor, in place of a preview of a former definition; returns also the works that are drawn."""
        definition, now = self.definition, self._clocks.utc()
        if here.person is not None:
            stored.delete_participants(connection, definition.id, visitor.external_id, visitor.flag)
        if visitor.flag == "participant":
            check_unchanged(connection, self.plan, here.state)
        provenance = self._provenance(connection, here.state)
        if visitor.flag == "participant" and here.state.frozen is None:
            stored.freeze(connection, provenance, now)
        row = next_row(self.plan.orders, stored.square_rows_held(connection, definition.id, visitor.flag))
        new = NewParticipant(
            definition.id, visitor.flag, visitor.external_id, secrets.token_urlsafe(32), visitor.recruitment_study,
            visitor.recruitment_session, provenance, row,
        )  # fmt: skip
        person = stored.add_participant(connection, new, now)
        works = drawn_works(tuple(self.plan.slots.values()), definition.seed, f"{visitor.flag}/{visitor.external_id}")
        stored.add_elicitation(connection, person.number, works)
        return person, works

    def _position(self, connection: Connection, who: str | Visitor) -> _Position:
        study = self.definition.id
        if isinstance(who, Visitor):
            person = stored.participant_of_id(connection, study, who.flag, who.external_id)
        else:
            person = stored.participant_of_key(connection, study, who)
            if person is None:
                raise UnknownParticipantError("nobody in this study has that key; begin again at the study's address")
        state, nothing = stored.state_of(connection, study), dict[int, tuple[Screen, tuple[str, ...]]]()
        if person is None:
            real = isinstance(who, Visitor) and who.flag == "participant"
            return _Position(None, self._door(connection, state) if real else Welcome(WELCOME), state, nothing)
        if person.dropped_by == "experimenter" or not self._is_current(connection, person, state):
            return _Position(person, Closed(), state, nothing)
        if person.flag == "participant" and not person.finished and state.paused:
            return _Position(person, Paused(), state, nothing)
        if person.page == WELCOME:
            return _Position(person, Welcome(WELCOME), state, nothing)
        if person.page == ELICITATION:
            page = Elicitation(ELICITATION, stored.elicitation_items(connection, person.number))
            return _Position(person, page, state, nothing)
        position = person.page - PAGES_BEFORE_SCREENS + 1
        shown = nothing if person.finished else stored.shown_at(connection, person.number, (position, position + 1))
        return _Position(person, self._page_of(person.page, shown), state, shown)

    def _door(self, connection: Connection, state: StudyState) -> Page:
        """The first page of somebody new."""
        if state.paused:
            return Paused()
        most = self._most_starts
        full = most is not None and stored.count_started(connection, self.definition.id) >= most
        return Full() if full else Welcome(WELCOME)

    def _page_of(self, number: int, shown: Mapping[int, tuple[Screen, tuple[str, ...]]]) -> Page:
        """The page of that number after the elicitation."""
        if number == self.definition.last_page:
            return Thanks(number, self.definition.completion.code, self.definition.completion.return_url)
        position = number - PAGES_BEFORE_SCREENS + 1
        return Assessment(number, position, self.definition.screens, shown[position][1])

    def _is_current(self, connection: Connection, person: Participant, state: StudyState) -> bool:
        """Whether the participation belongs to this plan; a real one does, or is refused with the reason."""
        if person.flag == "participant":
            check_unchanged(connection, self.plan, state)
            return True
        return state.provenances[person.provenance].same_as(self.plan.provenance)

    def _provenance(self, connection: Connection, state: StudyState) -> int:
        """The number of what answers depend on now."""
        known = state.number_of(self.plan.provenance)
        return stored.add_provenance(connection, self.definition.id, self.plan.provenance) if known is None else known

    def _advance(self, connection: Connection, person: Participant, page: Page, values: Mapping[str, Any]) -> Page:
        """Make the next page the current one."""
        now, number = self._clocks.utc(), person.page + 1
        finished = {"finished": now} if isinstance(page, Thanks) else {}
        stored.change_participant(connection, person.number, page=number, page_since=now, **values, **finished)
        self._stopwatch.forget(person.key, person.page)
        self._stopwatch.start(person.key, number)
        return page

    def _values_of_return(self, connection: Connection, person: Participant) -> dict[str, Any]:
        """What changes in the row of somebody who counted as dropped out for inactivity; nothing for others.

        Who has not seen a list yet gets the row that is due now, since their former one may be given away.
        """
        if person.dropped_by != "inactivity":
            return {}
        row = person.square_row
        if person.page < PAGES_BEFORE_SCREENS:
            row = next_row(self.plan.orders, stored.square_rows_held(connection, self.definition.id, person.flag))
        return {"dropped": None, "dropped_by": "", "square_row": row}

    def _drop_inactive(self, connection: Connection) -> None:
        now = self._clocks.utc()
        limit = now - timedelta(minutes=self.definition.inactivity_minutes)
        stored.drop_inactive(connection, self.definition.id, limit, now)

    def _lists(self, ratings: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
        lists: dict[str, tuple[str, ...]] = {}
        for engine in self.definition.engines:
            works = self.definition.works
            items = lists[engine] = self._recommend(engine, ratings, works).item_ids
            if len(items) != works or len({*items, *ratings}) != len(items) + len(ratings):
                raise StudyError(
                    f"{engine} recommends {len(items)} works where {works} are to be shown, all different and none "
                    f"that was rated; run `vernissage study check` and choose another engine"
                )
        return lists


def check_unchanged(connection: Connection, plan: Plan, state: StudyState) -> None:
    """Check that a study may go on as planned: with the definition and workspace of its first real participant.

    Raises:
        StudyError: real participants took part with others; the message says what differs.
    """
    if state.frozen is None or state.since is None or state.provenances[state.frozen].same_as(plan.provenance):
        return
    study, before, after = plan.definition.id, state.provenances[state.frozen], plan.provenance
    changed = []
    if before.definition != after.definition:
        keys = ", ".join(changed_keys(stored.content_of(connection, state.frozen), after.content)[:5])
        changed.append(f"the definition ({keys or 'what later versions added'})")
    if before.collection != after.collection:
        changed.append("the collection")
    encoders = {name for name, _ in set(before.encoders.items()) ^ set(after.encoders.items())}
    if encoders:
        changed.append(f"the workspace's encoders ({', '.join(sorted(encoders))})")
    raise StudyError(
        f"the study {study!r} began on {state.since:%Y-%m-%d %H:%M} UTC, and since then {' and '.join(changed)} "
        f"changed; put that back, or give the definition another id to start anew (the answers so far stay under "
        f"{study!r})",
        kind=Kind.CONFLICT,
    )


def _check_person(definition: Definition, given: Consent) -> None:
    if definition.demographics == "required" and (given.age is None or (definition.genders and not given.gender)):
        raise StudyError("age or gender is not told, but this study requires both; send them with the consent")
    if given.age is not None and not definition.youngest <= given.age <= OLDEST:
        raise StudyError(f"the age {given.age} cannot take part; it goes from {definition.youngest} to {OLDEST}")
    if given.gender and given.gender not in definition.genders:
        choices = ", ".join(definition.genders) or "what is asked"
        raise StudyError(f"the gender {given.gender[:60]!r} is not among {choices}")


def _check_ratings(ratings: Mapping[str, int], asked: Sequence[str], kind: str) -> None:
    """Check that everything that was asked about, and nothing else, is rated from 1 to 5; ``kind`` is its word."""
    missing = [name for name in asked if name not in ratings]
    unknown = [name for name in ratings if name not in asked]
    wrong = [name for name, value in ratings.items() if type(value) is not int or not LOWEST <= value <= HIGHEST]
    if missing:
        raise StudyError(f"{len(missing)} of {len(asked)} have no answer yet; answer every {kind} from 1 to 5")
    if unknown or wrong:
        raise StudyError(f"an answer to {(unknown or wrong)[0][:60]!r} is not one from 1 to 5 to a {kind} of this page")
