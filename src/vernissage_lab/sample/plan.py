"""Pictures before they are painted: factors crossed so that none gives another away, layouts, skies and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.palettes import PALETTES, SCENERY, Key

Facts = Mapping[str, int]
"""What is to be seen, and how many of each: the picture is painted and the description written from the same."""

SUBJECTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(SCENERY["subjects"])
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        group: tuple(name for name, subject in SUBJECTS.items() if subject["group"] == group)
        for group in dict.fromkeys(subject["group"] for subject in SUBJECTS.values())
    }
)
"""The subjects of each story group."""

MOODS: Mapping[str, Key] = MappingProxyType({name: Key(**mood["key"]) for name, mood in SCENERY["moods"].items()})


@dataclass(frozen=True)
class Plan:
    """The hidden factors of one picture, and the seed that everything else about it is drawn from."""

    number: int
    group: str
    subject: str
    palette: str
    composition: str
    technique: str
    mood: str
    seed: tuple[int, ...]

    @property
    def id(self) -> str:
        """The work's id, such as ``v001``."""
        return f"v{self.number:03d}"


@dataclass(frozen=True)
class View:
    """Where the eye is led, in shares of height and width, and which sky hangs over it.

    Attributes:
        horizon: the horizon's (or the table edge's) distance from the top.
        focus: the main motif's distance from the left.
        slope: how steeply the ground falls to the right, as height over width; 0 where it is level.
        aspect: width over height.
    """

    composition: str
    mood: str
    sky: str
    horizon: float
    focus: float
    slope: float
    aspect: float

    @property
    def away(self) -> int:
        """The side that the main motif leaves free: -1 is the left, 1 the right."""
        return -1 if self.focus >= 0.5 else 1


def plan_gallery(count: int, seed: int) -> tuple[Plan, ...]:
    """Plan ``count`` pictures: groups take turns, and within a subject each factor goes evenly through its levels.

    The order of the levels is drawn anew for every subject, factor and round, so that factors are crossed. The
    first n pictures are the same for every ``count``.
    """
    levels: dict[str, Sequence[str]] = {
        "palette": tuple(PALETTES), "composition": tuple(SCENERY["compositions"]),
        "technique": tuple(SCENERY["techniques"]), "mood": tuple(MOODS),
    }  # fmt: skip
    names = list(GROUPS)
    plans = []
    for k in range(count):
        group, turn = names[k % len(names)], k // len(names)
        subjects = GROUPS[group]
        subject, place = subjects[turn % len(subjects)], turn // len(subjects)
        drawn = {
            factor: _level(options, place, (seed, list(SUBJECTS).index(subject), axis))
            for axis, (factor, options) in enumerate(levels.items())
        }
        plans.append(Plan(k + 1, group, subject, seed=(seed, k), **drawn))
    return tuple(plans)


def _level(options: Sequence[str], place: int, seed: tuple[int, int, int]) -> str:
    """The level at ``place`` of an endless sequence of shuffled rounds."""
    turn, within = divmod(place, len(options))
    return options[int(np.random.default_rng([*seed, turn]).permutation(len(options))[within])]


def choose_view(rng: Rng, plan: Plan) -> View:
    """Draw a layout of the planned composition and a sky of its mood, as far as the subject can have them."""
    subject, layout = SUBJECTS[plan.subject], SCENERY["compositions"][plan.composition]
    side = 1 if rng.random() < 0.5 else -1
    slope = side * float(rng.uniform(0.13, 0.2)) if plan.composition == "diagonal" else 0.0
    possible = SCENERY["moods"][plan.mood]["night" if subject.get("night") else "day"]
    skies = [sky for sky in possible if sky not in subject.get("without", ())]
    sky = skies[int(rng.integers(len(skies)))]
    aspect = float(rng.choice((0.75, 0.8, 0.88, 1.0) if subject.get("upright") else layout["formats"]))
    horizon = float(rng.uniform(*layout["horizon"]))
    return View(plan.composition, plan.mood, sky, horizon, 0.5 + side * layout["aside"], slope, aspect)


def imagine(rng: Rng, name: str, view: View) -> Facts:
    """Draw what is to be seen of a subject."""
    subject = SUBJECTS[name]
    kinds = subject.get("kinds", [])
    found = dict.fromkeys(kinds, 0)
    if kinds:
        order = rng.permutation(len(kinds))
        for kind in order[: int(rng.integers(1, 3))]:
            found[kinds[kind]] = int(rng.integers(2, 5))
    return found | {fact: _drawn(rng, rule, view.sky) for fact, rule in subject["facts"].items()}


def _drawn(rng: Rng, rule: Any, sky: str) -> int:
    """How many of one thing there are; see ``gallery.toml`` for the rules."""
    match rule:
        case float():
            return int(rng.random() < rule)
        case [int(fewest), int(beyond)]:
            return int(rng.integers(fewest, beyond))
        case [str(), *_]:
            return int(sky in rule)
        case [list(skies), float(chance)]:
            return int(sky in skies or rng.random() < chance)
        case _:
            return int(np.prod([rng.integers(*pair) for pair in rule]))
