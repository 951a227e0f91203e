"""The village in snow."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds
from vernissage_lab.sample.outlines import box, limb, oval, smooth
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_sky, rolling
from vernissage_lab.sample.scenes.props import paint_bare, paint_house, paint_person, paint_pine
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_winter(rng: Rng, view: View) -> Facts:
    return {
        "houses": int(rng.integers(2, 7)), "church": int(rng.random() < 0.5), "people": int(rng.integers(0, 4)),
        "snowfall": int(view.sky in {"overcast", "storm"} or rng.random() < 0.25), "crows": int(rng.random() < 0.45),
    }  # fmt: skip


def paint_winter(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Snow-laden roofs in a fold of the hills, bare trees, a trodden path, lit windows."""
    paint_sky(c, p, view, rng)
    line, tilt = view.horizon * c.height, view.slope
    side = -1 if view.focus >= 0.5 else 1
    far = rolling(c, rng, line - c.unit * 7, c.unit * 3.5, slope=tilt)
    paint_land(c, p["light"], far, 0.6, depth=0.75, texture=0.03)
    for x in np.linspace(0.02, 0.98, 22):
        column = int(x * c.width)
        paint_pine(
            c,
            p,
            column,
            float(far[column]) + c.unit * rng.uniform(1, 6),
            c.unit * rng.uniform(3, 6),
            rng,
            depth=0.6,
            snow=0.4,
        )
    drift = clouds(rng, (c.height, c.width), c.unit * 16, stretch=3, octaves=3)
    ground = rolling(c, rng, line, c.unit * 1.6, slope=tilt)
    _lay_snow(c, p, ground, drift, 0.74)
    _paint_village(c, p, view, facts, line, tilt, side, rng)
    front = rolling(c, rng, line + (c.height - line) * 0.5, c.unit * 2.5, slope=tilt - 0.06 * side)
    _lay_snow(c, p, front, drift, 0.8)
    _paint_path(c, p, view, line, tilt)
    for k in range(facts["people"]):
        near = (0.3, 0.5, 0.66)[k]
        x = view.focus + (0.03, -0.03, 0.06)[k] + _winding(near)
        paint_person(
            c,
            p,
            x * c.width,
            line + (c.height - line) * near + tilt * (x - 0.5) * c.width,
            c.unit * (4.5 + 8 * near),
            rng,
            coat=(p["accent"], p["dark"], p["sky"])[k],
            tone=0.36,
        )
    tall = max(c.height * 0.5, c.unit * 36)
    paint_bare(c, p, (0.5 + side * 0.38) * c.width, c.height * 0.94, tall, rng)
    if view.composition != "low horizon":
        paint_bare(c, p, (0.5 + side * 0.24) * c.width, c.height * 0.82, tall * 0.55, rng, tone=0.2, depth=0.15)
    if facts["crows"]:
        paint_birds(c, p, rng, 6, (0.5 + side * 0.2) * c.width, max(line * 0.4, c.unit * 8), 0.08)
    if facts["snowfall"]:
        _paint_flakes(c, p, rng)


def _lay_snow(c: Canvas, p: Ramps, line: np.ndarray, drift: np.ndarray, tone: float) -> None:
    paint_land(c, p["light"], line, tone, fall=-0.05, texture=0.07, grain=drift, angle=0.12 * drift, detail=0.15)


def _paint_village(
    c: Canvas, p: Ramps, view: View, facts: Facts, line: float, tilt: float, side: int, rng: Rng
) -> None:
    lit = 0.75 if view.sky in {"moon", "dusk", "mist", "overcast", "storm"} else 0.3
    count = facts["houses"]
    if facts["church"]:
        x = (view.focus - side * 0.1) * c.width
        _paint_church(c, p, x, line + c.unit * 4 + tilt * (x - c.width / 2), c.unit * 10)
    for k in range(count):
        share = (k - (count - 1) / 2) / max(count - 1, 1) if count > 1 else 0.1
        x = view.focus - side * 0.04 + 0.62 * share + rng.normal() * 0.015
        y = line + c.unit * (3.5 + 3.2 * (k % 2)) + tilt * (x - 0.5) * c.width
        wall = (p["wall"], p["land"], p["skin"], p["accent"])[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]
        paint_house(
            c,
            p,
            x * c.width,
            y,
            c.unit * rng.uniform(7.5, 10.5),
            rng,
            wall=wall,
            roof=p["light"],
            tone=0.42,
            roof_tone=0.8,
            lit=lit,
            depth=0.12,
        )


def _paint_church(c: Canvas, p: Ramps, x: float, y: float, size: float) -> None:
    c.shape(box(x - size * 0.3, y - size * 1.5, x + size * 0.3, y), p["wall"], 0.42, light=0.14, depth=0.2, angle=1.57)
    c.shape(
        [[x - size * 0.38, y - size * 1.5], [x, y - size * 2.7], [x + size * 0.38, y - size * 1.5]],
        p["dark"],
        0.36,
        light=0.16,
        depth=0.2,
    )
    c.shape(
        [[x - size * 0.38, y - size * 1.5], [x, y - size * 2.7], [x - size * 0.06, y - size * 1.75]],
        p["light"],
        0.8,
        depth=0.2,
        alpha=0.9,
    )
    c.shape(oval(x, y - size * 1.2, size * 0.11, size * 0.13), p["dark"], 0.25, detail=0.9)


def _winding(near: float) -> float:
    return float(0.1 * np.sin(near * 4.5) * near)


def _paint_path(c: Canvas, p: Ramps, view: View, line: float, tilt: float) -> None:
    steps = np.linspace(0.12, 1.05, 26)
    middle = [
        [
            (view.focus + _winding(t)) * c.width,
            line + (c.height - line) * t + tilt * (view.focus + _winding(t) - 0.5) * c.width,
        ]
        for t in steps
    ]
    track = limb(middle, c.unit * 1.2, c.unit * 13)
    c.shape(smooth(track[::2], 3), p["light"], 0.56, texture=0.08, alpha=0.75, soft=c.unit * 0.6, angle=1.2, detail=0.3)
    for offset in (-0.25, 0.25):
        rut = [[x + offset * c.unit * (1.2 + 11.8 * k / 25), y] for k, (x, y) in enumerate(middle)]
        c.shape(limb(rut, c.unit * 0.3, c.unit * 1.6), p["sky"], 0.5, alpha=0.45, soft=c.unit * 0.3, angle=1.2)


def _paint_flakes(c: Canvas, p: Ramps, rng: Rng) -> None:
    for _ in range(260):
        size = c.unit * rng.uniform(0.15, 0.5)
        c.shape(
            oval(rng.uniform(0, c.width), rng.uniform(0, c.height), size, size),
            p["light"],
            0.96,
            texture=0,
            detail=0.7,
            alpha=rng.uniform(0.5, 0.95),
            angle=None,
        )
