"""The village in snow."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import limb, oval, smooth
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_sky, rolling
from vernissage_lab.sample.scenes.props import paint_bare, paint_house, paint_person, paint_pine
from vernissage_lab.sample.view import Facts, View


def imagine_winter(rng: Rng, view: View) -> Facts:
    return {
        "houses": int(rng.integers(2, 7)), "church": int(rng.random() < 0.5), "people": int(rng.integers(0, 4)),
        "snowfall": int(view.sky in {"overcast", "storm"} or rng.random() < 0.25), "crows": int(rng.random() < 0.45),
    }  # fmt: skip


def paint_winter(c: Canvas, view: View, facts: Facts) -> None:
    """Snow-laden roofs in a fold of the hills, bare trees, a trodden path, lit windows."""
    paint_sky(c, view)
    line, tilt, side = view.horizon * c.height, view.slope, view.away
    far = rolling(c, line - c.unit * 7, c.unit * 3.5, slope=tilt)
    paint_land(c, "light", far, 0.6, depth=0.75, texture=0.03)
    for share in np.linspace(0.02, 0.98, 22):
        column = int(share * c.width)
        y = float(far[column]) + c.unit * c.rng.uniform(1, 6)
        paint_pine(c, column, y, c.unit * c.rng.uniform(3, 6), depth=0.6, snow=0.4)
    drift = c.clouds(16, stretch=3, octaves=3)
    _lay_snow(c, rolling(c, line, c.unit * 1.6, slope=tilt), drift, 0.74)
    _paint_village(c, view, facts, line)
    _lay_snow(c, rolling(c, line + (c.height - line) * 0.5, c.unit * 2.5, slope=tilt - 0.06 * side), drift, 0.8)
    _paint_path(c, view, line)
    for k in range(facts["people"]):
        near = (0.3, 0.5, 0.66)[k]
        x = view.focus + (0.03, -0.03, 0.06)[k] + _winding(near)
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (4.5 + 8 * near), coat=("accent", "dark", "sky")[k], tone=0.36)
    tall = max(c.height * 0.5, c.unit * 36)
    paint_bare(c, (0.5 + side * 0.38) * c.width, c.height * 0.94, tall)
    if view.composition != "low horizon":
        paint_bare(c, (0.5 + side * 0.24) * c.width, c.height * 0.82, tall * 0.55, tone=0.2, depth=0.15)
    if facts["crows"]:
        paint_birds(c, 6, (0.5 + side * 0.2) * c.width, max(line * 0.4, c.unit * 8), 0.08)
    if facts["snowfall"]:
        for _ in range(260):
            size = c.unit * c.rng.uniform(0.15, 0.5)
            flake = oval(c.rng.uniform(0, c.width), c.rng.uniform(0, c.height), size, size)
            c.shape(flake, "light", 0.96, texture=0, detail=0.7, alpha=c.rng.uniform(0.5, 0.95))


def _lay_snow(c: Canvas, line: np.ndarray, drift: np.ndarray, tone: float) -> None:
    paint_land(c, "light", line, tone, fall=-0.05, texture=0.07, grain=drift, angle=0.12 * drift, detail=0.15)


def _paint_village(c: Canvas, view: View, facts: Facts, line: float) -> None:
    lit = 0.75 if view.sky in {"moon", "dusk", "mist", "overcast", "storm"} else 0.3
    count, side, rng = facts["houses"], view.away, c.rng
    if facts["church"]:
        x = (view.focus - side * 0.1) * c.width
        _paint_church(Figure(c, x, line + c.unit * 4 + view.slope * (x - c.width / 2), c.unit * 10))
    for k in range(count):
        share = (k - (count - 1) / 2) / (count - 1)
        x = view.focus - side * 0.04 + 0.62 * share + rng.normal() * 0.015
        y = line + c.unit * (3.5 + 3.2 * (k % 2)) + view.slope * (x - 0.5) * c.width
        wall = ("wall", "land", "skin", "accent")[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]
        paint_house(
            c, x * c.width, y, c.unit * rng.uniform(7.5, 10.5), wall=wall, roof="light", tone=0.42, roof_tone=0.8,
            lit=lit, depth=0.12,
        )  # fmt: skip


def _paint_church(church: Figure) -> None:
    church.box(-0.3, -1.5, 0.3, 0, "wall", 0.42, light=0.14, depth=0.2, angle=1.57)
    church.shape([[-0.38, -1.5], [0, -2.7], [0.38, -1.5]], "dark", 0.36, light=0.16, depth=0.2)
    church.shape([[-0.38, -1.5], [0, -2.7], [-0.06, -1.75]], "light", 0.8, depth=0.2, alpha=0.9)
    church.oval(0, -1.2, 0.11, 0.13, "dark", 0.25, detail=0.9)


def _winding(near: float) -> float:
    return float(0.1 * np.sin(near * 4.5) * near)


def _paint_path(c: Canvas, view: View, line: float) -> None:
    middle = []
    for t in np.linspace(0.12, 1.05, 26):
        x = view.focus + _winding(t)
        middle.append([x * c.width, line + (c.height - line) * t + view.slope * (x - 0.5) * c.width])
    track = smooth(limb(middle, c.unit * 1.2, c.unit * 13)[::2], 3)
    c.shape(track, "light", 0.56, texture=0.08, alpha=0.75, soft=c.unit * 0.6, angle=1.2, detail=0.3)
    for offset in (-0.25, 0.25):
        rut = [[x + offset * c.unit * (1.2 + 11.8 * k / 25), y] for k, (x, y) in enumerate(middle)]
        c.band(rut, c.unit * 0.3, c.unit * 1.6, "sky", 0.5, alpha=0.45, soft=c.unit * 0.3, angle=1.2)
