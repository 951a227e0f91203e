"""The street and the rooftops after dark."""

from itertools import pairwise

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.outlines import bend, box, lump, oval
from vernissage_lab.sample.plan import Facts, View
from vernissage_lab.sample.scenes.air import paint_sky, paint_water
from vernissage_lab.sample.scenes.props import paint_person


def paint_street(c: Canvas, view: View, facts: Facts) -> None:
    """House fronts that recede to one point, lamps, and a road that shines."""
    paint_sky(c, view)
    vx, vy = view.focus * c.width, (0.35 + 0.35 * view.horizon) * c.height
    c.shine(vx, vy, c.unit * 16, "glow", 0.72, 0.75)
    for side in (-1, 1):
        _paint_fronts(c, vx, vy, side)
    _paint_road(c, vx, vy, wet=view.sky in {"rain", "storm", "mist"} or view.mood == "calm")
    _paint_lamps(c, vx, vy, facts["lamps"])
    _paint_walkers(c, vx, vy, facts)


def _paint_fronts(c: Canvas, vx: float, vy: float, side: int) -> None:
    """One side of the street, from far to near; a share t of 1 is at the picture's edge, 0 at the vanishing point."""
    rng, edge = c.rng, -c.width * 0.02 if side < 0 else c.width * 1.02
    top, ground = -c.height * rng.uniform(0.1, 0.3), c.height * 1.12

    def plane(far: float, near: float, high: float, low: float) -> list[list[float]]:
        """A rectangle of the wall from a far to a near share, between two heights at the picture's edge, in pixels."""
        corners = ((far, high), (near, high), (near, low), (far, low))
        return [[vx + (edge - vx) * t, vy + (y - vy) * t] for t, y in corners]

    for far, near in pairwise((0.16, 0.24, 0.35, 0.5, 0.7, 1.02)):
        eave = top + c.height * rng.uniform(-0.12, 0.16)
        wall, tone = ("wall", "land", "skin", "sky")[rng.integers(4)], rng.uniform(0.26, 0.4)
        depth, step = 1 - near, (near - far) / 3
        front = plane(far, near, eave, ground)
        c.shape(front, wall, tone, light=0.06, texture=0.05, depth=0.75 * depth, angle=1.5, detail=0.4)
        c.shape(plane(far, near, eave - 20, eave + c.height * 0.05), "dark", 0.22, depth=0.7 * depth)
        for column in np.linspace(far, near, 4)[:-1]:
            for low in np.linspace(eave + c.height * 0.16, c.height * 0.72, 5):
                lit = rng.random() < 0.42
                pane = plane(column + step * 0.25, column + step * 0.72, low, low + c.height * 0.105)
                ink, shade = ("accent", rng.uniform(0.52, 0.78)) if lit else ("dark", 0.18)
                c.shape(pane, ink, shade, texture=0.02, depth=0.4 * depth, detail=0.8)
        if rng.random() < 0.6:
            shop = plane(far + 0.01, near - 0.02, c.height * 0.86, ground)
            c.shape(shop, "glow", 0.66, light=0.1, depth=0.4 * depth, detail=0.6)
            upper, lower = plane(far, near, c.height * 0.8, 0)[:2], plane(far, near - 0.01, 0, c.height * 0.88)[2:]
            ink = "accent" if rng.random() < 0.4 else "growth"
            c.shape([*upper, *lower], ink, 0.42, depth=0.4 * depth)


def _paint_road(c: Canvas, vx: float, vy: float, *, wet: bool) -> None:
    foot, low = vy + (c.height * 1.12 - vy) * 0.13, c.height * 1.1
    before = c.rgb.copy()
    if wet:
        paint_water(c, foot, rough=0.55, own=0.22)
    wet_road = c.rgb.copy()
    c.rgb[:] = before
    dry = [[vx - c.width * 0.07, foot], [vx + c.width * 0.07, foot], [c.width * 1.05, low], [-c.width * 0.05, low]]
    c.shape(dry, "land", 0.3, light=-0.12, texture=0.06, angle=0.0, detail=0.3)
    if wet:
        first = int(foot)
        inside = np.abs(c.rgb[first:] - before[first:]).sum(axis=2, keepdims=True) > 0.004
        c.rgb[first:] += 0.72 * inside * (wet_road[first:] - c.rgb[first:])
    for t in (-0.62, 0.62):
        ends = ((0.1, foot), (1.5, low), (1.58, low), (0.106, foot))
        c.shape([[vx + t * c.width * share, y] for share, y in ends], "light", 0.5, alpha=0.35)


def _paint_lamps(c: Canvas, vx: float, vy: float, lamps: int) -> None:
    first = 1 if c.rng.random() < 0.5 else -1
    for k in range(lamps):
        t = 0.26 + 0.5 * (k / max(lamps - 1, 1)) ** 1.2
        x, foot = vx + first * (-1) ** k * c.width * 0.62 * t, vy + (c.height * 1.1 - vy) * t * 0.92
        x = float(np.clip(x, c.unit * 4, c.width - c.unit * 4))
        top, size = foot - c.height * 0.62 * t, c.unit * (0.9 + 2.0 * t)
        pole = bend(x, foot, x, top)
        c.band(pole, c.unit * (0.5 + 1.1 * t), c.unit * (0.3 + 0.6 * t), "dark", 0.16, detail=1, angle=1.57)
        c.shine(x, top - size, size * 5.5, "accent", 0.82, 0.85)
        lamp = Figure(c, x, top, size)
        lamp.shape([[-0.6, 0.0], [0.6, 0.0], [1.0, -2.0], [-1.0, -2.0]], "light", 0.95, detail=1)
        lamp.shape([[-1.2, -2.0], [0.0, -3.0], [1.2, -2.0]], "dark", 0.2, detail=1)
        pool = oval(x, foot + c.unit * 2, c.unit * 6 * t, c.unit * 1.6 * t)
        c.shape(pool, "accent", 0.7, alpha=0.3, soft=c.unit * t, angle=0.0)


def _paint_walkers(c: Canvas, vx: float, vy: float, facts: Facts) -> None:
    count = facts["people"]
    for k in range(count):
        t = 0.24 + 0.42 * (k / max(count - 1, 1)) if count > 1 else 0.45
        x = vx + ((-1) ** k * 0.22 * t + 0.05 * c.rng.normal() * t) * c.width
        foot = vy + (c.height * 1.1 - vy) * t * 0.95
        coat = ("dark", "accent", "sky", "growth")[(k + int(c.rng.integers(2))) % 4]
        paint_person(c, x, foot, c.height * 0.5 * t, coat=coat, tone=0.32, umbrella=bool(facts["umbrellas"]))


def paint_rooftops(c: Canvas, view: View, facts: Facts) -> None:
    """Roof behind roof under the night sky, windows alight, chimneys, perhaps a cat on the ridge."""
    paint_sky(c, view)
    line, rng = view.horizon * c.height, c.rng
    _paint_skyline(c, line)
    if facts["steeple"]:
        x = float(np.clip(view.focus + (0.2 if view.focus < 0.5 else -0.2), 0.2, 0.8)) * c.width
        steeple = Figure(c, x, line, c.unit)
        steeple.box(-2.4, -10, 2.4, 9, "wall", 0.34, light=0.1, depth=0.4)
        steeple.shape([[-3, -10], [0, -23], [3, -10]], "land", 0.28, light=0.14, depth=0.4, angle=1.4)
        steeple.oval(0, -6.5, 1.1, 1.1, "accent", 0.74, detail=0.9)
    chimneys = []
    for near in (0.125, 0.375, 0.625, 0.875):
        base = line + (c.height - line) * (0.12 + 0.8 * near)
        size = c.unit * (8 + 13 * near)
        x = -size * rng.random()
        while x < c.width + size:
            y = base + view.slope * (x - c.width / 2) + rng.normal() * c.unit * 1.5
            chimneys.append(_paint_roof(c, x, y, size * rng.uniform(0.9, 1.35), 1 - near))
            x += size * rng.uniform(1.1, 1.6)
    inside = [spot for spot in chimneys if 0.1 * c.width < spot[0] < 0.9 * c.width and spot[1] > 0.15 * c.height]
    rng.shuffle(inside)
    for x, y in inside[: facts["smoke"]]:
        _paint_smoke(c, x, y)
    if facts["cat"]:
        spot = min(inside, key=lambda s: abs(s[0] - view.focus * c.width) + abs(s[1] - 0.7 * c.height))
        _paint_cat(Figure(c, spot[0] - c.unit * 6, spot[1] + c.unit * 4.6, c.unit * 4))


def _paint_skyline(c: Canvas, line: float) -> None:
    x = -c.unit * 3
    while x < c.width:
        wide, high = c.unit * c.rng.uniform(4, 9), c.unit * c.rng.uniform(1, 7)
        c.shape(box(x, line - high, x + wide, c.height), "wall", 0.32, depth=0.65, angle=1.57, detail=0.3)
        for _ in range(3):
            wx, wy = x + wide * c.rng.uniform(0.15, 0.8), line - high * c.rng.uniform(-0.6, 0.75)
            c.shape(box(wx, wy, wx + c.unit * 0.6, wy + c.unit * 0.9), "accent", 0.65, detail=0.9)
        x += wide * c.rng.uniform(0.8, 1.1)


def _paint_roof(c: Canvas, x: float, y: float, size: float, away: float) -> tuple[float, float]:
    """One house from the eaves upwards and its lit windows below them; returns the top of its chimney."""
    rng, depth, house = c.rng, 0.55 * away, Figure(c, x, y, size)
    wall = ("wall", "skin", "land")[rng.integers(3)]
    roof = ("land", "sky", "accent", "wall")[rng.choice(4, p=(0.4, 0.35, 0.1, 0.15))]
    tone, high = rng.uniform(0.26, 0.4), rng.uniform(0.4, 0.6)
    slope = [[-0.7, 0], [-0.45, -high], [0.5, -high], [0.78, 0]]
    house.shape(slope, roof, tone + 0.05, light=0.14, depth=depth, texture=0.07, angle=1.2)
    front = box(x - size * 0.64, y - 1, x + size * 0.7, c.height + 2)
    c.shape(front, wall, tone, light=0.02, depth=depth, angle=1.57, detail=0.3)
    house.box(-0.72, -0.03, 0.8, 0.035, "dark", 0.2, depth=depth)
    for wx in np.linspace(-0.45, 0.45, 4):
        ink, shade = ("accent", rng.uniform(0.55, 0.8)) if rng.random() < 0.5 else ("dark", 0.15)
        house.box(wx - 0.065, 0.14, wx + 0.065, 0.38, ink, shade, depth=depth * 0.5, detail=0.9)
    chimney, top = rng.uniform(-0.3, 0.35), -high - 0.22
    house.box(chimney - 0.07, top, chimney + 0.07, -high * 0.7, wall, tone - 0.08, light=0.12, depth=depth)
    house.box(chimney - 0.09, top, chimney + 0.09, top + 0.05, "dark", 0.22, depth=depth)
    return x + size * chimney, y + size * top


def _paint_smoke(c: Canvas, x: float, y: float) -> None:
    for rise in np.linspace(0, 1, 12):
        px, py = x + c.unit * (7 * rise**1.4 + c.rng.normal() * 0.5), y - c.unit * (1 + 12 * rise)
        puff = lump(c.rng, px, py, c.unit * (0.8 + 2.4 * rise), c.unit * (0.7 + 1.6 * rise), rough=0.25)
        c.shape(puff, "glow", 0.66, light=0.1, alpha=0.42 * (1 - 0.75 * rise), soft=c.unit * 0.6, angle=-0.9)


def _paint_cat(cat: Figure) -> None:
    """A cat that sits and looks at us."""
    cat.band(bend(-2.4, 0, 1.6, 0), 0.16, 0.16, "dark", 0.12)
    cat.shape(lump(np.random.default_rng(3), 0, -0.55, 0.42, 0.6, rough=0.05), "dark", 0.1, detail=1)
    cat.oval(0, -1.28, 0.33, 0.3, "dark", 0.1, detail=1)
    for side in (-1, 1):
        cat.shape([[side * 0.08, -1.5], [side * 0.26, -1.8], [side * 0.33, -1.35]], "dark", 0.1, detail=1)
        cat.oval(side * 0.13, -1.3, 0.07, 0.07, "accent", 0.8, detail=1)
    cat.band(bend(0.3, -0.1, 1.1, 0.3, -0.3), 0.18, 0.08, "dark", 0.1, detail=1)
