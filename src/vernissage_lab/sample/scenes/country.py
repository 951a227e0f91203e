"""The orchard and the harvest field."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, lump, oval
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_rain, paint_sky, rolling
from vernissage_lab.sample.scenes.props import paint_house, paint_leafy, paint_person
from vernissage_lab.sample.view import Facts, View


def imagine_orchard(rng: Rng, _view: View) -> Facts:
    return {"blossom": int(rng.random() < 0.5), "people": int(rng.integers(0, 3)), "ladder": int(rng.random() < 0.5)}


def paint_orchard(c: Canvas, view: View, facts: Facts) -> None:
    """Rows of fruit trees, in blossom or laden, that run towards the hills."""
    paint_sky(c, view)
    line, tilt, blossom = view.horizon * c.height, view.slope, bool(facts["blossom"])
    paint_land(c, "sky", rolling(c, line - c.unit * 5, c.unit * 2.5, slope=tilt), 0.5, depth=0.75)
    paint_land(c, "growth", rolling(c, line - c.unit * 1.5, c.unit * 1.2, slope=tilt), 0.52, depth=0.5)
    _paint_meadow(c, line, tilt)
    crown, tone = ("light", 0.66) if blossom else ("growth", 0.46)
    for near, x in _rows(view, c.rng):
        y = line + (c.height * 1.02 - line) * near + tilt * (x - 0.5) * c.width
        height = c.unit * (7 + 34 * near) * (1.25 if view.composition == "low horizon" else 1.0)
        paint_leafy(c, x * c.width, y, height, crown=crown, tone=tone, depth=0.6 * (1 - near) ** 2)
        _paint_fruit(Figure(c, x * c.width, y - height * 0.62, height), blossom=blossom)
    if facts["ladder"]:
        y = line + (c.height - line) * 0.62 + tilt * (view.focus - 0.5) * c.width
        _paint_ladder(Figure(c, (view.focus + 0.03) * c.width, y, c.unit * 16))
    for k in range(facts["people"]):
        x = view.focus + (-0.13, 0.12)[k]
        y = line + (c.height - line) * (0.5 + 0.16 * k) + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (10 + 3 * k), coat=("accent", "sky")[k], tone=0.44)
    if view.sky == "rain":
        paint_rain(c)


def _rows(view: View, rng: Rng) -> list[tuple[float, float]]:
    """Places of trees, far first: (nearness, x as a share of the width), two rows that open towards us."""
    places = []
    for near in (0.06, 0.12, 0.2, 0.31, 0.46):
        for lane in (-1.5, -0.5, 0.5, 1.5):
            x = view.focus + lane * (0.13 + 0.8 * near) + rng.normal() * 0.01
            if -0.15 < x < 1.15:
                places.append((near + rng.normal() * 0.006, x))
    return places


def _paint_meadow(c: Canvas, line: float, tilt: float) -> None:
    tall = c.clouds(7, stretch=4)
    edge = line + tilt * (np.arange(c.width) - c.width / 2)
    angle = 0.25 * tall + np.float32(np.arctan(tilt))
    paint_land(c, "growth", edge, 0.62, fall=-0.16, texture=0.08, grain=tall, angle=angle)
    for _ in range(170):
        near = c.rng.random() ** 0.7
        x = c.rng.uniform(0, c.width)
        y = line + tilt * (x - c.width / 2) + (c.height - line) * near
        size = c.unit * (0.15 + 0.5 * near)
        ink, tone = (("light", 0.82), ("glow", 0.7), ("accent", 0.55))[c.rng.choice(3, p=(0.45, 0.4, 0.15))]
        c.shape(oval(x, y, size, size * 0.7), ink, tone, detail=0.6, alpha=0.8)


def _paint_fruit(crown: Figure, *, blossom: bool) -> None:
    rng = crown.canvas.rng
    ink, size, many = ("skin", 0.02, 26) if blossom else ("accent", 0.028, 17)
    for _ in range(many):
        around, out = rng.uniform(0, 2 * np.pi), 0.36 * np.sqrt(rng.random())
        x, y = out * np.cos(around), 0.8 * out * np.sin(around)
        crown.oval(x, y, size, size, ink, 0.55 + rng.normal() * 0.06, light=0.18, detail=0.8)


def _paint_ladder(ladder: Figure) -> None:
    for side in (-1, 1):
        rail = bend(side * 0.14, 0, 0.16 + side * 0.06, -1)
        ladder.band(rail, 0.045, 0.035, "light", 0.62, light=0.2, detail=1, angle=1.3)
    for share in np.linspace(0.1, 0.92, 8):
        half, middle = 0.14 - 0.08 * share, 0.16 * share
        ladder.band(bend(middle - half, -share, middle + half, -share), 0.03, 0.03, "light", 0.55, detail=1)


def imagine_harvest(rng: Rng, _view: View) -> Facts:
    stacks, people = int(rng.integers(2, 6)), int(rng.integers(0, 4))
    return {"stacks": stacks, "people": people, "farm": int(rng.random() < 0.45), "birds": int(rng.random() < 0.5)}


def paint_harvest(c: Canvas, view: View, facts: Facts) -> None:
    """A mown field with stacks of corn, furrows that converge, perhaps reapers and a farm."""
    paint_sky(c, view)
    line, tilt = view.horizon * c.height, view.slope
    side = 1 if view.focus < 0.5 else -1
    paint_land(c, "sky", rolling(c, line - c.unit * 4, c.unit * 2.2, slope=tilt), 0.48, depth=0.8)
    if facts["farm"]:
        fx = view.focus + side * 0.24
        fy = line + tilt * (fx - 0.5) * c.width
        for k in range(3):
            paint_leafy(c, (fx + 0.05 * k - 0.12) * c.width, fy, c.unit * 8, depth=0.35, shadow=False)
        paint_house(c, fx * c.width, fy + 1, c.unit * 7, wall="light", roof="accent", tone=0.62, depth=0.3)
    _paint_stubble(c, rolling(c, line, c.unit * 0.4, slope=tilt), line, view)
    _paint_hedge(c, line, tilt)
    for k in range(facts["stacks"]):
        near, x = (0.62, 0.34, 0.2, 0.12, 0.08)[k], view.focus + (0.0, 0.26, -0.24, 0.1, -0.1)[k] * side
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        _paint_stack(Figure(c, x * c.width, y, c.unit * (6 + 25 * near)), 0.5 * (1 - near) ** 2)
    for k in range(facts["people"]):
        near, x = 0.3 + 0.12 * k, view.focus + (-0.14, -0.26, 0.17)[k] * side
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (6 + 9 * near), coat=("light", "sky", "accent")[k], tone=0.52)
    if facts["birds"]:
        paint_birds(c, 7, (1 - view.focus) * c.width, line * 0.55, 0.14)
    if view.sky == "rain":
        paint_rain(c)


def _paint_stubble(c: Canvas, edge: np.ndarray, line: float, view: View) -> None:
    """Furrows that meet at one point on the horizon."""
    x, y = c.grid()
    away, across = np.maximum(y - line + c.unit * 2.5, 1), x - view.focus * c.width
    wander = c.clouds(10, stretch=3)
    furrow = np.sin(across / away * 15 + 0.35 * wander) * np.clip(away / (c.unit * 14), 0, 1)
    grain, angle = 0.75 * furrow + 0.6 * wander, np.arctan2(away, across)
    paint_land(c, "glow", edge, 0.58, fall=-0.1, texture=0.065, grain=grain, angle=angle, detail=0.3)
    front = edge + c.height * 0.3 + c.unit * 3 * np.sin(np.arange(c.width) / (c.unit * 11))
    paint_land(c, "land", front, 0.55, fall=-0.1, texture=0.07, grain=grain, angle=0.2, detail=0.3)


def _paint_hedge(c: Canvas, line: float, tilt: float) -> None:
    for x in np.arange(0, c.width, c.unit * 2.2):
        size = c.unit * c.rng.uniform(0.9, 1.9)
        bush = lump(c.rng, x, line + tilt * (x - c.width / 2) - size * 0.4, c.unit * 2, size, rough=0.25)
        c.shape(bush, "growth", 0.34 + c.rng.normal() * 0.03, light=0.12, depth=0.4, detail=0.5)


def _paint_stack(stack: Figure, depth: float) -> None:
    """A round stack with a thatched top and its shadow."""
    rng, sun = stack.canvas.rng, stack.canvas.sun[0]
    shadow = lump(rng, -sun * 0.72, 0.03, 0.95, 0.16, rough=0.1)
    stack.shape(shadow, "dark", 0.3, alpha=0.5, soft=2 / stack.size, angle=0.0)
    wall = [[-0.5, 0.02], [-0.56, -0.4], [-0.5, -0.56], [0.5, -0.56], [0.56, -0.4], [0.5, 0.02], [0, 0.08]]
    stack.shape(wall, "glow", 0.46, light=0.24, texture=0.06, depth=depth, angle=1.45)
    cap = [[-0.66, -0.5], [-0.42, -0.82], [-0.1, -1.1], [0.05, -1.14], [0.4, -0.84], [0.66, -0.5], [0, -0.42]]
    stack.shape(cap, "land", 0.52, light=0.26, texture=0.06, depth=depth, angle=0.8)
    for _ in range(16):
        x, y = rng.uniform(-0.48, 0.48), rng.uniform(-0.5, -0.05)
        tone = 0.62 + 0.2 * np.sign(x * sun) if abs(x) > 0.1 else 0.6
        straw = bend(x, y, x + rng.normal() * 0.03, y + 0.13)
        stack.band(straw, 0.025, 0.01, "light", tone, alpha=0.5, depth=depth)
