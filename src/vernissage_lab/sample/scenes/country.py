"""The orchard and the harvest field."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds, grid
from vernissage_lab.sample.outlines import bend, limb, lump, oval
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_rain, paint_sky, rolling
from vernissage_lab.sample.scenes.props import paint_house, paint_leafy, paint_person
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_orchard(rng: Rng, _view: View) -> Facts:
    return {"blossom": int(rng.random() < 0.5), "people": int(rng.integers(0, 3)), "ladder": int(rng.random() < 0.5)}


def paint_orchard(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Rows of fruit trees, in blossom or laden, that run towards the hills."""
    paint_sky(c, p, view, rng)
    line = view.horizon * c.height
    tilt = view.slope
    paint_land(c, p["sky"], rolling(c, rng, line - c.unit * 5, c.unit * 2.5, slope=tilt), 0.5, depth=0.75)
    paint_land(c, p["growth"], rolling(c, rng, line - c.unit * 1.5, c.unit * 1.2, slope=tilt), 0.52, depth=0.5)
    _paint_meadow(c, p, line, tilt, rng)
    crown = p["light"] if facts["blossom"] else p["growth"]
    blush = p["accent"]
    for near, x in _rows(view, rng):
        y = line + (c.height * 1.02 - line) * near + tilt * (x - 0.5) * c.width
        height = c.unit * (7 + 34 * near) * (1.25 if view.composition == "low horizon" else 1.0)
        tone = 0.66 if facts["blossom"] else 0.46
        paint_leafy(c, p, x * c.width, y, height, rng, crown=crown, tone=tone, depth=0.6 * (1 - near) ** 2)
        _paint_fruit(
            c, x * c.width, y, height, p["skin"] if facts["blossom"] else blush, rng, small=bool(facts["blossom"])
        )
    if facts["ladder"]:
        _paint_ladder(
            c,
            p,
            (view.focus + 0.03) * c.width,
            line + (c.height - line) * 0.62 + tilt * (view.focus - 0.5) * c.width,
            c.unit * 16,
        )
    for k in range(facts["people"]):
        x = view.focus + (-0.13, 0.12)[k]
        y = line + (c.height - line) * (0.5 + 0.16 * k) + tilt * (x - 0.5) * c.width
        paint_person(c, p, x * c.width, y, c.unit * (10 + 3 * k), rng, coat=(p["accent"], p["sky"])[k], tone=0.44)
    if view.sky == "rain":
        paint_rain(c, p, rng)


def _rows(view: View, rng: Rng) -> list[tuple[float, float]]:
    """Places of trees, far first: (nearness, x as a share of the width), two rows that open towards us."""
    places = []
    for near in (0.06, 0.12, 0.2, 0.31, 0.46):
        for lane in (-1.5, -0.5, 0.5, 1.5):
            x = view.focus + lane * (0.13 + 0.8 * near) + rng.normal() * 0.01
            if -0.15 < x < 1.15:
                places.append((near + rng.normal() * 0.006, x))
    return places


def _paint_meadow(c: Canvas, p: Ramps, line: float, tilt: float, rng: Rng) -> None:
    tall = clouds(rng, (c.height, c.width), c.unit * 7, stretch=4, octaves=4)
    edge = line + tilt * (np.arange(c.width) - c.width / 2)
    paint_land(
        c,
        p["growth"],
        edge,
        0.62,
        fall=-0.16,
        texture=0.08,
        grain=tall,
        angle=0.25 * tall + np.float32(np.arctan(tilt)),
    )
    for _ in range(170):
        near = rng.random() ** 0.7
        x = rng.uniform(0, c.width)
        y = line + tilt * (x - c.width / 2) + (c.height - line) * near
        size = c.unit * (0.15 + 0.5 * near)
        ramp, tone = ((p["light"], 0.82), (p["glow"], 0.7), (p["accent"], 0.55))[rng.choice(3, p=(0.45, 0.4, 0.15))]
        c.shape(oval(x, y, size, size * 0.7), ramp, tone, detail=0.6, alpha=0.8)


def _paint_fruit(c: Canvas, x: float, y: float, height: float, ramp: np.ndarray, rng: Rng, *, small: bool) -> None:
    size = height * (0.02 if small else 0.028)
    for _ in range(26 if small else 17):
        around, out = rng.uniform(0, 2 * np.pi), 0.36 * height * np.sqrt(rng.random())
        spot = oval(x + out * np.cos(around), y - height * 0.62 + 0.8 * out * np.sin(around), size, size)
        c.shape(spot, ramp, 0.55 + rng.normal() * 0.06, light=0.18, detail=0.8)


def _paint_ladder(c: Canvas, p: Ramps, x: float, y: float, height: float) -> None:
    for side in (-1, 1):
        rail = bend(x + side * height * 0.14, y, x + height * 0.16 + side * height * 0.06, y - height)
        c.shape(limb(rail, height * 0.045, height * 0.035), p["light"], 0.62, light=0.2, detail=1, angle=1.3)
    for share in np.linspace(0.1, 0.92, 8):
        half = height * (0.14 - 0.08 * share)
        cx = x + height * 0.16 * share
        c.shape(
            limb(bend(cx - half, y - height * share, cx + half, y - height * share), height * 0.03, height * 0.03),
            p["light"],
            0.55,
            detail=1,
        )


def imagine_harvest(rng: Rng, _view: View) -> Facts:
    return {
        "stacks": int(rng.integers(2, 6)),
        "people": int(rng.integers(0, 4)),
        "farm": int(rng.random() < 0.45),
        "birds": int(rng.random() < 0.5),
    }


def paint_harvest(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """A mown field with stacks of corn, furrows that converge, perhaps reapers and a farm."""
    paint_sky(c, p, view, rng)
    line, tilt = view.horizon * c.height, view.slope
    paint_land(c, p["sky"], rolling(c, rng, line - c.unit * 4, c.unit * 2.2, slope=tilt), 0.48, depth=0.8)
    if facts["farm"]:
        fx = view.focus + (0.24 if view.focus < 0.5 else -0.24)
        fy = line + tilt * (fx - 0.5) * c.width
        for k in range(3):
            paint_leafy(c, p, (fx + 0.05 * k - 0.12) * c.width, fy, c.unit * 8, rng, depth=0.35, shadow=False)
        paint_house(
            c, p, fx * c.width, fy + 1, c.unit * 7, rng, wall=p["light"], roof=p["accent"], tone=0.62, depth=0.3
        )
    edge = rolling(c, rng, line, c.unit * 0.4, slope=tilt)
    _paint_stubble(c, p, edge, line, view, rng)
    _paint_hedge(c, p, line, tilt, rng)
    for k in range(facts["stacks"]):
        near = (0.62, 0.34, 0.2, 0.12, 0.08)[k]
        x = view.focus + (0.0, 0.26, -0.24, 0.1, -0.1)[k] * (1 if view.focus < 0.5 else -1)
        _paint_stack(
            c,
            p,
            x * c.width,
            line + (c.height - line) * near + tilt * (x - 0.5) * c.width,
            c.unit * (6 + 25 * near),
            0.5 * (1 - near) ** 2,
            rng,
        )
    for k in range(facts["people"]):
        near, x = 0.3 + 0.12 * k, view.focus + (-0.14, -0.26, 0.17)[k] * (1 if view.focus < 0.5 else -1)
        coat = (p["light"], p["sky"], p["accent"])[k]
        paint_person(
            c,
            p,
            x * c.width,
            line + (c.height - line) * near + tilt * (x - 0.5) * c.width,
            c.unit * (6 + 9 * near),
            rng,
            coat=coat,
            tone=0.52,
        )
    if facts["birds"]:
        paint_birds(c, p, rng, 7, (1 - view.focus) * c.width, line * 0.55, 0.14)
    if view.sky == "rain":
        paint_rain(c, p, rng)


def _paint_stubble(c: Canvas, p: Ramps, edge: np.ndarray, line: float, view: View, rng: Rng) -> None:
    """Furrows that meet at one point on the horizon."""
    x, y = grid((c.height, c.width))
    away = np.maximum(y - line + c.unit * 2.5, 1)
    across = (x - view.focus * c.width) / away
    wander = clouds(rng, (c.height, c.width), c.unit * 10, stretch=3)
    furrow = np.sin(across * 15 + 0.35 * wander) * np.clip(away / (c.unit * 14), 0, 1)
    angle = np.arctan2(away, x - view.focus * c.width)
    grain = (0.75 * furrow + 0.6 * wander).astype(np.float32)
    paint_land(
        c, p["glow"], edge, 0.58, fall=-0.1, texture=0.065, grain=grain, angle=angle.astype(np.float32), detail=0.3
    )
    paint_land(
        c,
        p["land"],
        edge + c.height * 0.3 + c.unit * 3 * np.sin(np.arange(c.width) / (c.unit * 11)),
        0.55,
        fall=-0.1,
        texture=0.07,
        grain=grain,
        angle=0.2,
        detail=0.3,
    )


def _paint_hedge(c: Canvas, p: Ramps, line: float, tilt: float, rng: Rng) -> None:
    for x in np.arange(0, c.width, c.unit * 2.2):
        y = line + tilt * (x - c.width / 2)
        size = c.unit * rng.uniform(0.9, 1.9)
        c.shape(
            lump(rng, x, y - size * 0.4, c.unit * 2, size, rough=0.25),
            p["growth"],
            0.34 + rng.normal() * 0.03,
            light=0.12,
            depth=0.4,
            detail=0.5,
        )


def _paint_stack(c: Canvas, p: Ramps, x: float, y: float, size: float, depth: float, rng: Rng) -> None:
    """A round stack with a thatched top and its shadow."""
    reach = -c.sun[0] * size * 0.9
    c.shape(
        lump(rng, x + reach * 0.8, y + size * 0.03, size * 0.95, size * 0.16, rough=0.1),
        p["dark"],
        0.3,
        alpha=0.5,
        soft=2,
        angle=0.0,
    )
    wall = [[-0.5, 0.02], [-0.56, -0.4], [-0.5, -0.56], [0.5, -0.56], [0.56, -0.4], [0.5, 0.02], [0, 0.08]]
    c.shape(np.array(wall) * size + [x, y], p["glow"], 0.46, light=0.24, texture=0.06, depth=depth, angle=1.45)
    cap = [[-0.66, -0.5], [-0.42, -0.82], [-0.1, -1.1], [0.05, -1.14], [0.4, -0.84], [0.66, -0.5], [0, -0.42]]
    c.shape(np.array(cap) * size + [x, y], p["land"], 0.52, light=0.26, texture=0.06, depth=depth, angle=0.8)
    for _ in range(16):
        sx, sy = rng.uniform(-0.48, 0.48), rng.uniform(-0.5, -0.05)
        lit = 0.62 + 0.2 * np.sign(sx * c.sun[0]) if abs(sx) > 0.1 else 0.6
        c.shape(
            limb(
                bend(x + sx * size, y + sy * size, x + sx * size + rng.normal() * size * 0.03, y + (sy + 0.13) * size),
                size * 0.025,
                size * 0.01,
            ),
            p["light"],
            lit,
            alpha=0.5,
            depth=depth,
        )
