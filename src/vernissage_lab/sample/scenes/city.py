"""The street and the rooftops after dark."""

from itertools import pairwise

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, box, limb, lump, oval
from vernissage_lab.sample.scenes.air import paint_rain, paint_sky, paint_water
from vernissage_lab.sample.scenes.props import paint_person
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_street(rng: Rng, view: View) -> Facts:
    return {
        "people": int(rng.integers(1, 5)),
        "lamps": int(rng.integers(2, 5)),
        "umbrellas": int(view.sky in {"rain", "storm"}),
    }


def paint_street(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """House fronts that recede to one point, lamps, and a road that shines."""
    paint_sky(c, p, view, rng)
    vx, vy = view.focus * c.width, (0.35 + 0.35 * view.horizon) * c.height
    c.shine(vx, vy, c.unit * 16, p["glow"][92], 0.75)
    for side in (-1, 1):
        _paint_fronts(c, p, vx, vy, side, rng)
    _paint_road(c, p, vx, vy, rng, wet=view.sky in {"rain", "storm", "mist"} or view.mood == "calm")
    _paint_lamps(c, p, vx, vy, facts["lamps"], rng)
    _paint_walkers(c, p, vx, vy, facts, rng)
    if view.sky in {"rain", "storm"}:
        paint_rain(c, p, rng)


def _paint_fronts(c: Canvas, p: Ramps, vx: float, vy: float, side: int, rng: Rng) -> None:
    """One side of the street, from far to near; a share t of 1 is at the picture's edge, 0 at the vanishing point."""
    edge = -c.width * 0.02 if side < 0 else c.width * 1.02
    cuts = [0.16, 0.24, 0.35, 0.5, 0.7, 1.02]
    top = -c.height * rng.uniform(0.1, 0.3)
    walls = (p["wall"], p["land"], p["skin"], p["sky"])
    for far, near in pairwise(cuts):
        eave = top + c.height * rng.uniform(-0.12, 0.16)
        wall, tone = walls[rng.integers(4)], rng.uniform(0.26, 0.4)

        def at(t: float, y: float) -> list[float]:
            return [vx + (edge - vx) * t, vy + (y - vy) * t]

        ground = c.height * 1.12
        c.shape(
            [at(far, eave), at(near, eave), at(near, ground), at(far, ground)],
            wall,
            tone,
            light=0.06,
            texture=0.05,
            depth=0.75 * (1 - near),
            angle=1.5,
            detail=0.4,
        )
        c.shape(
            [
                at(far, eave - 20),
                at(near, eave - 20),
                at(near, eave + c.height * 0.05),
                at(far, eave + c.height * 0.05),
            ],
            p["dark"],
            0.22,
            depth=0.7 * (1 - near),
        )
        rows = np.linspace(eave + c.height * 0.16, c.height * 0.72, 5)
        for column in np.linspace(far, near, 4)[:-1]:
            step = (near - far) / 3
            for low in rows:
                lit = rng.random() < 0.42
                a, b = column + step * 0.25, column + step * 0.72
                pane = [at(a, low), at(b, low), at(b, low + c.height * 0.105), at(a, low + c.height * 0.105)]
                c.shape(
                    pane,
                    p["accent"] if lit else p["dark"],
                    rng.uniform(0.52, 0.78) if lit else 0.18,
                    texture=0.02,
                    depth=0.4 * (1 - near),
                    detail=0.8,
                )
        shop = [
            at(far + 0.01, c.height * 0.86),
            at(near - 0.02, c.height * 0.86),
            at(near - 0.02, ground),
            at(far + 0.01, ground),
        ]
        if rng.random() < 0.6:
            c.shape(shop, p["glow"], 0.66, light=0.1, depth=0.4 * (1 - near), detail=0.6)
            awning = [
                at(far, c.height * 0.8),
                at(near, c.height * 0.8),
                at(near - 0.01, c.height * 0.88),
                at(far, c.height * 0.88),
            ]
            c.shape(awning, p["accent"] if rng.random() < 0.4 else p["growth"], 0.42, depth=0.4 * (1 - near))


def _paint_road(c: Canvas, p: Ramps, vx: float, vy: float, rng: Rng, *, wet: bool) -> None:
    foot = vy + (c.height * 1.12 - vy) * 0.13
    dry = [
        [vx - c.width * 0.07, foot],
        [vx + c.width * 0.07, foot],
        [c.width * 1.05, c.height * 1.1],
        [-c.width * 0.05, c.height * 1.1],
    ]
    before = c.rgb.copy()
    if wet:
        paint_water(c, p, foot, rng, rough=0.55, own=0.22)
    wet_road = c.rgb.copy()
    c.rgb[:] = before
    c.shape(dry, p["land"], 0.3, light=-0.12, texture=0.06, angle=0.0, detail=0.3)
    if wet:
        first = int(foot)
        inside = np.abs(c.rgb[first:] - before[first:]).sum(axis=2, keepdims=True) > 0.004
        c.rgb[first:] += 0.72 * inside * (wet_road[first:] - c.rgb[first:])
    for t in (-0.62, 0.62):
        kerb = [
            [vx + t * c.width * 0.1, foot],
            [vx + t * c.width * 1.5, c.height * 1.1],
            [vx + t * c.width * 1.58, c.height * 1.1],
            [vx + t * c.width * 0.106, foot],
        ]
        c.shape(kerb, p["light"], 0.5, alpha=0.35)


def _paint_lamps(c: Canvas, p: Ramps, vx: float, vy: float, lamps: int, rng: Rng) -> None:
    first = 1 if rng.random() < 0.5 else -1
    for k in range(lamps):
        t = 0.26 + 0.5 * (k / max(lamps - 1, 1)) ** 1.2
        side = first * (-1) ** k
        x, foot = vx + side * c.width * 0.62 * t, vy + (c.height * 1.1 - vy) * t * 0.92
        x = float(np.clip(x, c.unit * 4, c.width - c.unit * 4))
        tall = c.height * 0.62 * t
        c.shape(
            limb(bend(x, foot, x, foot - tall), c.unit * (0.5 + 1.1 * t), c.unit * (0.3 + 0.6 * t)),
            p["dark"],
            0.16,
            detail=1,
            angle=1.57,
        )
        size = c.unit * (0.9 + 2.0 * t)
        c.shine(x, foot - tall - size, size * 5.5, p["accent"][104], 0.85)
        c.shape(
            [
                [x - size * 0.6, foot - tall],
                [x + size * 0.6, foot - tall],
                [x + size, foot - tall - size * 2],
                [x - size, foot - tall - size * 2],
            ],
            p["light"],
            0.95,
            detail=1,
        )
        c.shape(
            [
                [x - size * 1.2, foot - tall - size * 2],
                [x, foot - tall - size * 3],
                [x + size * 1.2, foot - tall - size * 2],
            ],
            p["dark"],
            0.2,
            detail=1,
        )
        c.shape(
            oval(x, foot + c.unit * 2, c.unit * 6 * t, c.unit * 1.6 * t),
            p["accent"],
            0.7,
            alpha=0.3,
            soft=c.unit * t,
            angle=0.0,
        )


def _paint_walkers(c: Canvas, p: Ramps, vx: float, vy: float, facts: Facts, rng: Rng) -> None:
    count = facts["people"]
    for k in range(count):
        t = 0.24 + 0.42 * (k / max(count - 1, 1)) if count > 1 else 0.45
        x = vx + ((-1) ** k * 0.22 * t + 0.05 * rng.normal() * t) * c.width
        foot = vy + (c.height * 1.1 - vy) * t * 0.95
        coat = (p["dark"], p["accent"], p["sky"], p["growth"])[(k + int(rng.integers(2))) % 4]
        paint_person(c, p, x, foot, c.height * 0.5 * t, rng, coat=coat, tone=0.32, umbrella=bool(facts["umbrellas"]))


def imagine_rooftops(rng: Rng, _view: View) -> Facts:
    return {"steeple": int(rng.random() < 0.55), "smoke": int(rng.integers(0, 3)), "cat": int(rng.random() < 0.45)}


def paint_rooftops(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Roof behind roof under the night sky, windows alight, chimneys, perhaps a cat on the ridge."""
    paint_sky(c, p, view, rng)
    line = view.horizon * c.height
    _paint_skyline(c, p, line, rng)
    if facts["steeple"]:
        _paint_steeple(c, p, float(np.clip(view.focus + (0.2 if view.focus < 0.5 else -0.2), 0.2, 0.8)) * c.width, line)
    chimneys: list[tuple[float, float]] = []
    rows = 4
    for row in range(rows):
        near = (row + 0.5) / rows
        base = line + (c.height - line) * (0.12 + 0.8 * near)
        size = c.unit * (8 + 13 * near)
        x = -size * rng.random()
        while x < c.width + size:
            y = base + view.slope * (x - c.width / 2) + rng.normal() * c.unit * 1.5
            chimneys += _paint_roof(c, p, x, y, size * rng.uniform(0.9, 1.35), 1 - near, rng)
            x += size * rng.uniform(1.1, 1.6)
    inside = [spot for spot in chimneys if 0.1 * c.width < spot[0] < 0.9 * c.width and spot[1] > 0.15 * c.height]
    rng.shuffle(inside)
    for x, y in inside[: facts["smoke"]]:
        _paint_smoke(c, p, x, y, rng)
    if facts["cat"]:
        spot = min(inside, key=lambda s: abs(s[0] - view.focus * c.width) + abs(s[1] - 0.7 * c.height))
        _paint_cat(c, p, spot[0] - c.unit * 6, spot[1] + c.unit * 4.6, c.unit * 4)
    if view.sky in {"rain", "storm"}:
        paint_rain(c, p, rng)


def _paint_skyline(c: Canvas, p: Ramps, line: float, rng: Rng) -> None:
    x = -c.unit * 3
    while x < c.width:
        wide, high = c.unit * rng.uniform(4, 9), c.unit * rng.uniform(1, 7)
        c.shape(box(x, line - high, x + wide, c.height), p["wall"], 0.32, depth=0.65, angle=1.57, detail=0.3)
        for _ in range(3):
            wx, wy = x + wide * rng.uniform(0.15, 0.8), line - high * rng.uniform(-0.6, 0.75)
            c.shape(box(wx, wy, wx + c.unit * 0.6, wy + c.unit * 0.9), p["accent"], 0.65, detail=0.9)
        x += wide * rng.uniform(0.8, 1.1)


def _paint_steeple(c: Canvas, p: Ramps, x: float, line: float) -> None:
    u = c.unit
    c.shape(box(x - u * 2.4, line - u * 10, x + u * 2.4, line + u * 9), p["wall"], 0.34, light=0.1, depth=0.4)
    c.shape(
        [[x - u * 3, line - u * 10], [x, line - u * 23], [x + u * 3, line - u * 10]],
        p["land"],
        0.28,
        light=0.14,
        depth=0.4,
        angle=1.4,
    )
    c.shape(oval(x, line - u * 6.5, u * 1.1, u * 1.1), p["accent"], 0.74, detail=0.9)


def _paint_roof(
    c: Canvas, p: Ramps, x: float, y: float, size: float, away: float, rng: Rng
) -> list[tuple[float, float]]:
    depth = 0.55 * away
    wall = (p["wall"], p["skin"], p["land"])[rng.integers(3)]
    roof = (p["land"], p["sky"], p["accent"], p["wall"])[rng.choice(4, p=(0.4, 0.35, 0.1, 0.15))]
    tone = rng.uniform(0.26, 0.4)
    high = size * rng.uniform(0.4, 0.6)
    c.shape(
        [[x - size * 0.7, y], [x - size * 0.45, y - high], [x + size * 0.5, y - high], [x + size * 0.78, y]],
        roof,
        tone + 0.05,
        light=0.14,
        depth=depth,
        texture=0.07,
        angle=1.2,
    )
    c.shape(
        box(x - size * 0.64, y - 1, x + size * 0.7, c.height + 2),
        wall,
        tone,
        light=0.02,
        depth=depth,
        angle=1.57,
        detail=0.3,
    )
    c.shape(box(x - size * 0.72, y - size * 0.03, x + size * 0.8, y + size * 0.035), p["dark"], 0.2, depth=depth)
    for wx in np.linspace(x - size * 0.45, x + size * 0.45, 4):
        lit = rng.random() < 0.5
        top = y + size * 0.14
        c.shape(
            box(wx - size * 0.065, top, wx + size * 0.065, top + size * 0.24),
            p["accent"] if lit else p["dark"],
            rng.uniform(0.55, 0.8) if lit else 0.15,
            depth=depth * 0.5,
            detail=0.9,
        )
    cx = x + size * rng.uniform(-0.3, 0.35)
    top = y - high - size * 0.22
    c.shape(box(cx - size * 0.07, top, cx + size * 0.07, y - high * 0.7), wall, tone - 0.08, light=0.12, depth=depth)
    c.shape(box(cx - size * 0.09, top, cx + size * 0.09, top + size * 0.05), p["dark"], 0.22, depth=depth)
    return [(cx, top)]


def _paint_smoke(c: Canvas, p: Ramps, x: float, y: float, rng: Rng) -> None:
    for k in range(12):
        rise = k / 11
        puff = lump(
            rng,
            x + c.unit * (7 * rise**1.4 + rng.normal() * 0.5),
            y - c.unit * (1 + 12 * rise),
            c.unit * (0.8 + 2.4 * rise),
            c.unit * (0.7 + 1.6 * rise),
            rough=0.25,
        )
        c.shape(puff, p["glow"], 0.66, light=0.1, alpha=0.42 * (1 - 0.75 * rise), soft=c.unit * 0.6, angle=-0.9)


def _paint_cat(c: Canvas, p: Ramps, x: float, y: float, size: float) -> None:
    """A cat that sits and looks at us."""
    c.shape(limb(bend(x - size * 2.4, y, x + size * 1.6, y, 0.0), size * 0.16, size * 0.16), p["dark"], 0.12)
    c.shape(
        lump(np.random.default_rng(3), x, y - size * 0.55, size * 0.42, size * 0.6, rough=0.05),
        p["dark"],
        0.1,
        detail=1,
    )
    c.shape(oval(x, y - size * 1.28, size * 0.33, size * 0.3), p["dark"], 0.1, detail=1)
    for side in (-1, 1):
        ear = [
            [x + side * size * 0.08, y - size * 1.5],
            [x + side * size * 0.26, y - size * 1.8],
            [x + side * size * 0.33, y - size * 1.35],
        ]
        c.shape(ear, p["dark"], 0.1, detail=1)
        c.shape(oval(x + side * size * 0.13, y - size * 1.3, size * 0.07, size * 0.07), p["accent"], 0.8, detail=1)
    c.shape(
        limb(bend(x + size * 0.3, y - size * 0.1, x + size * 1.1, y + size * 0.3, -0.3), size * 0.18, size * 0.08),
        p["dark"],
        0.1,
        detail=1,
    )
