"""One picture: a subject laid out, painted as a study, and carried out in a technique."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.palettes import Array, ramps
from vernissage_lab.sample.scenes import city, indoors, land, sea
from vernissage_lab.sample.techniques import (
    paint_gouache,
    paint_ink,
    paint_linocut,
    paint_oil,
    paint_points,
    paint_watercolour,
)
from vernissage_lab.sample.view import MOODS, Facts, View

LONG_SIDE = 580


@dataclass(frozen=True)
class Subject:
    """What can be painted: how it is imagined and painted, at night or upright, without which skies."""

    imagine: Callable[[Rng, View], Facts]
    paint: Callable[[Canvas, View, Facts], None]
    night: bool = False
    upright: bool = False
    without: tuple[str, ...] = ()


SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {
        "harbour": Subject(sea.imagine_harbour, sea.paint_harbour),
        "open sea": Subject(sea.imagine_sea, sea.paint_sea),
        "night street": Subject(city.imagine_street, city.paint_street, night=True),
        "rooftops": Subject(city.imagine_rooftops, city.paint_rooftops, night=True),
        "orchard": Subject(land.imagine_orchard, land.paint_orchard),
        "harvest": Subject(land.imagine_harvest, land.paint_harvest),
        "mountains": Subject(land.imagine_mountains, land.paint_mountains),
        "fruit": Subject(indoors.imagine_fruit, indoors.paint_fruit),
        "flowers": Subject(indoors.imagine_flowers, indoors.paint_flowers),
        "portrait": Subject(indoors.imagine_portrait, indoors.paint_portrait, upright=True),
        "winter village": Subject(land.imagine_winter, land.paint_winter, without=("rain",)),
        "forest": Subject(land.imagine_forest, land.paint_forest, without=("low sun", "moon")),
    }
)

TECHNIQUES: Mapping[str, Callable[[Canvas], Array]] = MappingProxyType(
    {
        "oil": paint_oil,
        "watercolour": paint_watercolour,
        "linocut": paint_linocut,
        "ink": paint_ink,
        "pointillism": paint_points,
        "gouache": paint_gouache,
    }
)


def paint_picture(subject: str, palette: str, technique: str, view: View, facts: Facts, seed: tuple[int, ...]) -> Array:
    """Paint one picture: float32 (height, width, 3), sRGB from 0 to 1, the longer side `LONG_SIDE` pixels."""
    rng = np.random.default_rng(seed)
    wide = LONG_SIDE if view.aspect >= 1 else round(LONG_SIDE * view.aspect)
    high = LONG_SIDE if view.aspect < 1 else round(LONG_SIDE / view.aspect)
    canvas = Canvas(high, wide, rng, ramps(palette, MOODS[view.mood]))
    SUBJECTS[subject].paint(canvas, view, facts)
    return TECHNIQUES[technique](canvas)
