"""Simulated participants take part in a study by the same protocol as real ones, so that a study can be rehearsed."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.errors import Kind, RequestError, StudyError
from vernissage.files import write_json
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.progress import Progress, silent
from vernissage.storage.studies import Participant, participants_of
from vernissage.study.export import write_export
from vernissage.study.participation import Answers, Assessment, Consent, Elicitation, Study, Thanks, Welcome
from vernissage.study.timing import Clocks

PREFIX = "simulated-"
"""What the ids of simulated participants begin with, in whatever database and file."""

REHEARSAL_START = datetime(2000, 1, 1, 9, tzinfo=UTC)
"""When rehearsals take place by their own clock: no study was run in Vernissage then."""

_MEAN = 3.0
MEDIAN_SECONDS = 25.0
"""At a page, by the rehearsal's own clock; the logarithm has a standard deviation of .5."""


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
class SimulationOptions:
    """Whom a simulation is about, and how they behave.

    Attributes:
        by: labels of works that tastes are about; empty for those that the collection has.
        effects: engine → points; with any, people answer by effects instead of tastes.
        participant_sd, residual_sd, showing_sd: in points, of people's levels, of impressions, of single answers.
        known: the share of works that a person knows before; with tastes.
        careless: the share who click anything.
        dropouts: the share who leave at some page and do not come back.

    Raises:
        StudyError: fewer than one participant, or a share that is none.
    """

    participants: int = 100
    seed: int = 0
    by: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    participant_sd: float = 0.5
    residual_sd: float = 0.5
    showing_sd: float = 0.3
    known: float = 0.25
    careless: float = 0.05
    dropouts: float = 0.05

    def __post_init__(self) -> None:
        if not 1 <= self.participants <= 100_000:
            raise StudyError(f"{self.participants} simulated participants were asked for; give 1 to 100,000")
        for name in ("careless", "dropouts"):
            if not 0 <= getattr(self, name) <= 1:
                raise StudyError(
                    f"the share of {name} is {getattr(self, name):g}; give a share from 0 to 1, such as .05"
                )

    @property
    def record(self) -> dict[str, Any]:
        """What a rehearsal was made with, as JSON values."""
        return asdict(self) | {"clock_starts": REHEARSAL_START.isoformat()}


@dataclass
class RehearsalClock:
    """A clock of its own, which simulated people move on: rehearsals take no time, and equal seeds give equal files."""

    now: datetime = field(default=REHEARSAL_START)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=round(seconds, 3))

    @property
    def clocks(self) -> Clocks:
        """What a `Study` reads."""
        return Clocks(lambda: self.now, lambda: timedelta.total_seconds(self.now - REHEARSAL_START))


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
    options: SimulationOptions,
    *,
    clock: RehearsalClock | None = None,
    progress: Progress = silent,
) -> Simulated:
    """Let simulated people take part, one after the other; each has a random stream of their own.

    Whoever has finished under the same id stays as they are, and whoever was interrupted goes on. They are robots,
    unless this is a rehearsal: with ``clock``, the one that the study was opened with, they are participants, and pages
    take simulated time.

    Raises:
        StudyError: real people take part in the study that is to be rehearsed, or it is paused.
    """
    if clock is not None and (
        real := [each.external_id for each in _participants(study) if not each.external_id.startswith(PREFIX)]
    ):
        raise StudyError(
            f"{len(real)} real people take part in {study.definition.id!r} in {study.database.place}; rehearse in a "
            f"database of its own, or let robots take part, which no export holds",
            kind=Kind.CONFLICT,
        )
    endings: dict[str, str] = {}
    careless = 0
    width = len(str(options.participants))
    for number in range(1, options.participants + 1):
        name = f"{PREFIX}{options.seed}-{number:0{width}}"
        random = np.random.default_rng([options.seed, number])
        endings[name], carelessly = _take_part(study, name, random, make_person, options, clock)
        careless += carelessly
        progress("simulated participants", number, options.participants)
    if clock is not None:
        # Time has not counted the last ones as dropped out yet, as an experimenter does in the end.
        for person in _participants(study):
            if endings.get(person.external_id) == "left" and person.dropped is None:
                study.records.mark_dropped(person.external_id)
    counts = Counter(endings.values())
    return Simulated(counts["finished"], counts["left"], careless, counts["before"])


def write_rehearsal(study: Study, folder: Path, options: SimulationOptions) -> tuple[Path, ...]:
    """Export a rehearsal into a folder, with ``simulation.json``, which says what it was made with.

    Raises:
        StudyError, WorkspaceError: as in `write_export`.
    """
    written = write_export(study.records, folder)
    write_json(folder / "simulation.json", options.record)
    return (*written, folder / "simulation.json")


def _take_part(
    study: Study,
    name: str,
    random: np.random.Generator,
    make_person: MakePerson,
    options: SimulationOptions,
    clock: RehearsalClock | None,
) -> tuple[str, bool]:
    """Let one person answer page after page; returns how it ended, and whether they clicked anything.

    All that is decided about them beforehand is drawn before their first answer.
    """
    careless, leaves = (bool(random.random() < share) for share in (options.careless, options.dropouts))
    last_page = int(random.integers(study.definition.last_page))
    person = make_person(random)
    begun = study.register(name, study_id="simulation", flag="robot" if clock is None else "participant")
    if begun.key is None:
        raise StudyError(
            f"the study {study.definition.id!r} is paused and takes nobody new; resume it first", kind=Kind.CONFLICT
        )
    page = begun.page
    if isinstance(page, Thanks):
        return "before", False
    while not isinstance(page, Thanks):
        if not isinstance(page, Welcome | Elicitation | Assessment):
            raise StudyError(
                "the study was paused or changed during the simulation; run the simulation again", kind=Kind.CONFLICT
            )
        if leaves and page.number == last_page:
            return "left", careless
        if clock is not None:
            clock.wait(MEDIAN_SECONDS * float(random.lognormal(0, 0.5)))
        page = study.submit(begun.key, page.number, _answers(study, begun.key, page, person, careless, random))
    return "finished", careless


def _answers(
    study: Study,
    key: str,
    page: Welcome | Elicitation | Assessment,
    person: SimulatedPerson,
    careless: bool,
    random: np.random.Generator,
) -> Answers:
    definition = study.definition
    if isinstance(page, Welcome):
        age = int(random.integers(max(18, definition.youngest), 80))
        genders = definition.genders
        return Consent(age, genders[int(random.integers(len(genders)))] if genders else "")
    if isinstance(page, Elicitation):
        return person.rate(page.works)
    names = [statement.name for statement in definition.statements]
    if careless:
        return _clicked(names, random)
    screen = study.showing(key)
    judged = person.judge(Showing(page.works, screen.engine, screen.repetition))
    return {name: judged[name] for name in names}


class EffectsPerson:
    """Somebody whose answers are mean + engine + participant + impression + showing, as in `study.power`.

    ``effects`` says by how many points an engine is above or below the mean, 0 for others; each of the ``statements``
    has draws of its own, and ``options`` has their standard deviations.
    """

    def __init__(
        self,
        effects: Mapping[str, float],
        statements: Sequence[str],
        options: SimulationOptions,
        random: np.random.Generator,
    ) -> None:
        self._effects, self._statements, self._options, self._random = effects, statements, options, random
        self._level = self._drawn(options.participant_sd)
        self._impressions: dict[str, npt.NDArray[np.float64]] = {}

    def rate(self, works: Sequence[str]) -> Mapping[str, int]:
        return _clicked(works, self._random)

    def judge(self, showing: Showing) -> Mapping[str, int]:
        if showing.engine not in self._impressions:
            self._impressions[showing.engine] = self._drawn(self._options.residual_sd)
        centre = _MEAN + self._effects.get(showing.engine, 0.0)
        own = centre + self._level + self._impressions[showing.engine]
        points = own + self._drawn(self._options.showing_sd)
        return dict(zip(self._statements, map(on_scale, points.tolist()), strict=True))

    def _drawn(self, deviation: float) -> npt.NDArray[np.float64]:
        """A normal number for each statement."""
        return deviation * self._random.standard_normal(len(self._statements))


def simulated_people(
    study: Study, collection: Collection, options: SimulationOptions
) -> tuple[MakePerson, tuple[str, ...]]:
    """What makes the people of a simulation, and what their tastes are about; nothing where they go by effects.

    People with tastes come from the entry-point group ``vernissage.simulated_people``.

    Raises:
        RequestError: effects that are not ENGINE=POINTS, or given beside ``by``; or no package has people with tastes.
    """
    statements = tuple(statement.name for statement in study.definition.statements)
    if options.effects:
        if options.by:
            raise RequestError("simulated people answer either by tastes, --by, or by --effect; give one of them")
        return partial(EffectsPerson, _effects(options.effects, study.definition.engines), statements, options), ()
    models = entry_points(group="vernissage.simulated_people")
    if not models:
        raise RequestError(
            "no package here simulates people with tastes; install vernissage with its laboratory, or give --effect "
            "ENGINE=POINTS"
        )
    make = next(iter(models)).load()
    parameters = {name: getattr(options, name) for name in ("participant_sd", "residual_sd", "showing_sd", "known")}
    people, facets = make(collection, options.by or None, statements, parameters)
    made: MakePerson = people
    return made, tuple(facets)


def _effects(given: Sequence[str], engines: Sequence[str]) -> dict[str, float]:
    effects: dict[str, float] = {}
    for word in given:
        engine, sign, points = word.rpartition("=")
        try:
            effects[engine] = float(points)
        except ValueError:
            sign = ""
        if not sign or engine not in engines:
            raise RequestError(f"the effect {word!r} is not ENGINE=POINTS; engines are {', '.join(engines)}")
    return effects


def on_scale(value: float) -> int:
    """The nearest answer from 1 to 5."""
    return min(max(math.floor(value + 0.5), LOWEST), HIGHEST)


def _clicked(names: Sequence[str], random: np.random.Generator) -> dict[str, int]:
    return {name: int(random.integers(LOWEST, HIGHEST + 1)) for name in names}


def _participants(study: Study) -> tuple[Participant, ...]:
    with study.database.reading() as connection:
        return participants_of(connection, study.definition.id, "participant")
