"""Simulated participants walk through a study by the same protocol as real ones, so that a study can be rehearsed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from vernissage.errors import StudyError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.progress import Progress, silent
from vernissage.storage.study_answers import screen_at
from vernissage.storage.study_participants import Flag, participant_of_key, participants_of
from vernissage.study.definition import PAGES_BEFORE_SCREENS
from vernissage.study.pages import Assessment, Elicitation, Page, Thanks, Welcome
from vernissage.study.participation import Study
from vernissage.study.timing import Clocks

PREFIX = "simulated-"
"""What the ids of simulated participants begin with, in whatever database and file."""

REHEARSAL_START = datetime(2000, 1, 1, 9, tzinfo=UTC)
"""When rehearsals take place by their own clock: no study was run in Vernissage then."""


@dataclass(frozen=True)
class Showing:
    """A list to be judged; the engine's name is for people whose answers are drawn from engines' effects."""

    works: tuple[str, ...]
    engine: str
    repetition: int


class SimulatedPerson(Protocol):
    """Somebody who can answer both kinds of page."""

    def rate(self, works: Sequence[str]) -> Mapping[str, int]:
        """1 to 5 for each work of the elicitation."""

    def judge(self, showing: Showing) -> Mapping[str, int]:
        """1 to 5 for each statement about a list."""


MakePerson = Callable[[np.random.Generator], SimulatedPerson]
"""Makes somebody new, whose every draw is from that stream."""


@dataclass(frozen=True)
class Behaviour:
    """How simulated people behave beside what they like.

    Attributes:
        careless: the share who click anything.
        dropouts: the share who leave at some page and do not come back.
        seconds: the median time at a page, by the rehearsal's own clock.
    """

    careless: float = 0.05
    dropouts: float = 0.05
    seconds: float = 25.0

    def __post_init__(self) -> None:
        for name in ("careless", "dropouts"):
            if not 0 <= getattr(self, name) <= 1:
                raise StudyError(
                    f"the share of {name} is {getattr(self, name):g}; give a share from 0 to 1, such as .05"
                )
        if not 0 < self.seconds < 3600:
            raise StudyError(f"{self.seconds:g} seconds at a page were asked for; give more than 0 and less than 3600")


@dataclass
class RehearsalClock:
    """A clock of its own, which simulated people move on: rehearsals take no time, and equal seeds give equal files."""

    now: datetime = field(default=REHEARSAL_START)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=round(seconds, 3))

    def _elapsed(self) -> float:
        return (self.now - REHEARSAL_START).total_seconds()

    @property
    def clocks(self) -> Clocks:
        """What a `Study` reads."""
        return Clocks(lambda: self.now, self._elapsed)


@dataclass(frozen=True)
class Simulated:
    """What came of a simulation: how many finished, left, clicked anything, and had finished in a run before."""

    finished: int
    left: int
    careless: int
    before: int


def simulate(
    study: Study,
    make_person: MakePerson,
    participants: int,
    *,
    flag: Flag = "robot",
    seed: int = 0,
    behaviour: Behaviour | None = None,
    clock: RehearsalClock | None = None,
    progress: Progress = silent,
) -> Simulated:
    """Let simulated people take part, one after the other; each has a random stream of their own.

    Whoever has finished under the same id stays as they are, and whoever was interrupted goes on. With ``clock``, the
    one that the study was opened with, pages take simulated time.

    Raises:
        StudyError: fewer than one participant, or a study with ``flag`` participant that real people take part in.
    """
    if not 1 <= participants <= 100_000:
        raise StudyError(f"{participants} simulated participants were asked for; give 1 to 100,000")
    if flag == "participant":
        _check_rehearsal(study)
    how = behaviour or Behaviour()
    walks: dict[str, str] = {}
    counts = {"finished": 0, "left": 0, "careless": 0, "before": 0}
    width = len(str(participants))
    for number in range(1, participants + 1):
        name = f"{PREFIX}{seed}-{number:0{width}}"
        walk = _Walk(study, name, flag, np.random.default_rng([seed, number]), how, clock)
        walks[name] = walk.go(make_person)
        counts[walks[name]] += 1
        counts["careless"] += walk.careless
        progress("simulated participants", number, participants)
    if clock is not None:
        _close(study, [name for name, ending in walks.items() if ending == "left"])
    return Simulated(**counts)


class _Walk:
    """One person's way; all that is decided about them beforehand is drawn before their first answer."""

    def __init__(
        self,
        study: Study,
        name: str,
        flag: Flag,
        random: np.random.Generator,
        how: Behaviour,
        clock: RehearsalClock | None,
    ) -> None:
        self._study, self._name, self._flag, self._random = study, name, flag, random
        self._clock, self._seconds = clock, how.seconds
        self.careless = bool(random.random() < how.careless)
        leaves = bool(random.random() < how.dropouts)
        page = int(random.integers(study.definition.last_page))
        self._last_page = page if leaves else None

    def go(self, make_person: MakePerson) -> str:
        """Answer page after page; tells how it ended."""
        person = make_person(self._random)
        begun = self._study.register(self._name, study_id="simulation", flag=self._flag)
        if begun.key is None:
            raise StudyError(f"the study {self._study.definition.id!r} is paused and takes nobody new; resume it first")
        page = begun.page
        if isinstance(page, Thanks):
            self.careless = False
            return "before"
        while not isinstance(page, Thanks):
            if not isinstance(page, Welcome | Elicitation | Assessment):
                raise StudyError("the study was paused or changed during the simulation; run the simulation again")
            if page.number == self._last_page:
                return "left"
            if self._clock is not None:
                self._clock.wait(self._seconds * float(self._random.lognormal(0, 0.5)))
            page = self._answer(begun.key, page, person)
        return "finished"

    def _answer(self, key: str, page: Welcome | Elicitation | Assessment, person: SimulatedPerson) -> Page:
        study = self._study
        if isinstance(page, Welcome):
            age = int(self._random.integers(max(18, study.definition.youngest), 80))
            genders = study.definition.genders
            gender = genders[int(self._random.integers(len(genders)))] if genders else ""
            return study.consent(key, page.number, age=age, gender=gender)
        if isinstance(page, Elicitation):
            return study.rate(key, page.number, dict(person.rate(page.works)))
        names = [statement.name for statement in study.definition.statements]
        if self.careless:
            return study.answer(
                key, page.number, {name: int(self._random.integers(LOWEST, HIGHEST + 1)) for name in names}
            )
        judged = person.judge(self._showing(key, page))
        return study.answer(key, page.number, {name: judged[name] for name in names})

    def _showing(self, key: str, page: Assessment) -> Showing:
        """What a page shows, with the engine that no participant is told."""
        with self._study.database.reading() as connection:
            person = participant_of_key(connection, self._study.definition.id, key)
            if person is None:
                raise StudyError(f"{self._name!r} was deleted during the simulation; run the simulation again")
            screen = screen_at(connection, person.number, page.number - PAGES_BEFORE_SCREENS + 1)
        return Showing(page.works, screen.engine, screen.repetition)


@dataclass(frozen=True)
class EngineEffects:
    """People whose answers are mean + engine + participant + impression + showing, as in `study.power`.

    Attributes:
        effects: engine → by how much it is above or below the mean, in points; 0 for others.
        statements: what they answer; each statement has draws of its own.
        mean, participant_sd, residual_sd, showing_sd: as in `Population`.
    """

    effects: Mapping[str, float]
    statements: tuple[str, ...]
    mean: float = 3.0
    participant_sd: float = 0.6
    residual_sd: float = 0.6
    showing_sd: float = 0.3

    def __call__(self, random: np.random.Generator) -> SimulatedPerson:
        """Somebody new."""
        return _EffectsPerson(self, random)


class _EffectsPerson:
    def __init__(self, of: EngineEffects, random: np.random.Generator) -> None:
        self._of, self._random = of, random
        self._level = {name: of.participant_sd * float(random.standard_normal()) for name in of.statements}
        self._impressions: dict[str, dict[str, float]] = {}

    def rate(self, works: Sequence[str]) -> Mapping[str, int]:
        return {work: int(self._random.integers(LOWEST, HIGHEST + 1)) for work in works}

    def judge(self, showing: Showing) -> Mapping[str, int]:
        of = self._of
        if showing.engine not in self._impressions:
            self._impressions[showing.engine] = {
                name: of.residual_sd * float(self._random.standard_normal()) for name in of.statements
            }
        impression = self._impressions[showing.engine]
        centre = of.mean + of.effects.get(showing.engine, 0.0)
        return {
            name: on_scale(
                centre + self._level[name] + impression[name] + of.showing_sd * float(self._random.standard_normal())
            )
            for name in of.statements
        }


def on_scale(value: float) -> int:
    """The nearest answer from 1 to 5."""
    return min(max(math.floor(value + 0.5), LOWEST), HIGHEST)


def _close(study: Study, left: Sequence[str]) -> None:
    """Count those as dropped out whom time has not counted yet, as an experimenter does in the end."""
    with study.database.reading() as connection:
        everyone = participants_of(connection, study.definition.id, "participant")
    for person in everyone:
        if person.external_id in left and person.dropped is None:
            study.records.mark_dropped(person.external_id)


def _check_rehearsal(study: Study) -> None:
    """Refuse to put simulated people among real ones."""
    with study.database.reading() as connection:
        people = participants_of(connection, study.definition.id, "participant")
    real = [each.external_id for each in people if not each.external_id.startswith(PREFIX)]
    if real:
        raise StudyError(
            f"{len(real)} real people take part in {study.definition.id!r} in {study.database.place}; rehearse in a "
            f"database of its own, or let robots take part, which no export holds"
        )
