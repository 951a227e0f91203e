"""Which picture is what: story groups, and factors crossed so that none gives another away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vernissage_lab.sample.painting import SUBJECTS, TECHNIQUES
from vernissage_lab.sample.palettes import PALETTES
from vernissage_lab.sample.view import COMPOSITIONS, MOODS

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "The Sea and Its People": ("harbour", "open sea"),
        "City after Dark": ("night street", "rooftops"),
        "The Turning Year": ("orchard", "harvest"),
        "The High Country": ("mountains",),
        "A Table by the Window": ("fruit", "flowers"),
        "Faces We Half Know": ("portrait",),
        "The Long Winter": ("winter village",),
        "Under the Trees": ("forest",),
    }
)


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


def plan_gallery(count: int, seed: int) -> tuple[Plan, ...]:
    """Plan ``count`` pictures: groups take turns, and within a subject each factor goes evenly through its levels.

    The order of the levels is drawn anew for every subject, factor and round, so that factors are crossed. The
    first n pictures are the same for every ``count``.
    """
    levels: dict[str, Sequence[str]] = {
        "palette": tuple(PALETTES), "composition": COMPOSITIONS, "technique": tuple(TECHNIQUES), "mood": tuple(MOODS)
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
