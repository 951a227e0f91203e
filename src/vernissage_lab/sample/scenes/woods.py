"""The forest: trunks that recede into light."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, limb, lump, smooth
from vernissage_lab.sample.scenes.air import paint_land, paint_rain, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_person
from vernissage_lab.sample.view import Facts, View


def imagine_forest(rng: Rng, _view: View) -> Facts:
    chances = {"brook": 0.4, "birches": 0.4, "people": 0.45, "deer": 0.3}
    return {name: int(rng.random() < chance) for name, chance in chances.items()}


def paint_forest(c: Canvas, view: View, facts: Facts) -> None:
    """Ranks of trunks, leaves overhead, a path or a brook, and the light beyond."""
    paint_sky(c, view)
    line, tilt, vx = (0.3 + 0.45 * view.horizon) * c.height, view.slope * 0.6, view.focus * c.width
    bark = ("light", 0.6, 0.58) if facts["birches"] else ("dark", 0.3, 0.22)
    c.shine(vx, line - c.unit * 14, c.unit * 26, "glow", 0.82, 0.75)
    c.haze = max(c.haze, 0.75)
    c.air = c.colours("glow", 0.63) * 0.6 + c.air * 0.4
    for rank, away in enumerate((0.95, 0.75, 0.5)):
        _paint_mass(c, line, away)
        _paint_rank(c, line + c.unit * 2.2 * rank, away, 15 - 3 * rank, tilt, vx, bark[:2])
    floor = c.clouds(8, stretch=3.5)
    ground = rolling(c, line + c.unit * 3, c.unit * 0.9, slope=tilt)
    paint_land(c, "land", ground, 0.58, fall=-0.26, texture=0.08, grain=floor, angle=0.3 * floor)
    _paint_bushes(c, line + c.unit * 3, tilt)
    if facts["brook"]:
        _paint_brook(c, vx, line)
    else:
        _paint_track(c, vx, line)
    _paint_litter(c, line)
    if view.mood != "stormy":
        _paint_rays(c, vx, line)
    if facts["deer"]:
        _paint_deer(Figure(c, vx + c.unit * 13, line + (c.height - line) * 0.26, c.unit * 7))
    if facts["people"]:
        y = line + (c.height - line) * 0.34
        paint_person(c, vx - c.unit * 2, y, c.unit * 10, coat="accent", tone=0.42)
    _paint_near(c, view.away, (bark[0], bark[2]))
    if view.sky == "rain":
        paint_rain(c, 150)


def _paint_bushes(c: Canvas, line: float, tilt: float) -> None:
    """Undergrowth that softens the edge of the forest floor."""
    for x in np.linspace(0, c.width, 34):
        size = c.unit * c.rng.uniform(1.2, 3.2)
        y = line + tilt * (x - c.width / 2) + c.unit * c.rng.uniform(-0.5, 1.5)
        bush = lump(c.rng, x, y, size * 1.6, size, rough=0.3)
        tone = c.rng.uniform(0.36, 0.56)
        c.shape(bush, "growth", tone, depth=0.6, alpha=0.85, detail=0.4, soft=0.8)


def _paint_mass(c: Canvas, line: float, away: float) -> None:
    """Foliage behind the trunks, open round the light."""
    x, y = c.grid()
    mass = c.clouds(13, octaves=5)
    gap = np.exp(-(((x - c.width * 0.5) / (c.width * 0.42)) ** 2) - ((y - line * 0.7) / (line * 0.55)) ** 2)
    above = np.clip((line + c.unit * 4 - y) / c.unit / 3, 0, 1)
    leaf = np.clip((mass - 0.05 + 0.55 * (line * 0.6 - y) / line - 1.0 * gap) * 1.8, 0, 1) * above
    tone = 0.44 + 0.09 * mass + 0.1 * (1 - y / c.height)
    c.field(leaf * 0.85, "growth", tone, angle=mass, detail=0.35, depth=away)


def _paint_rank(
    c: Canvas, line: float, away: float, count: int, tilt: float, vx: float, bark: tuple[str, float]
) -> None:
    for k in range(count):
        x = (k + c.rng.uniform(0.1, 0.9)) / count * c.width
        if abs(x - vx) < c.unit * 5 * (1.3 - away):
            continue
        foot = line + c.unit * c.rng.uniform(1, 4) * (1.3 - away) + tilt * (x - c.width / 2)
        wide = c.unit * (0.8 + 2.2 * (1 - away)) * c.rng.uniform(0.7, 1.3)
        trunk = bend(x, foot, x + c.rng.normal() * c.unit * 2, -c.unit * 2, c.rng.normal() * 0.012, 12)
        c.band(trunk, wide, wide * 0.6, *bark, light=0.12, texture=0.06, depth=away, angle=1.57, detail=0.5)


def _paint_brook(c: Canvas, vx: float, line: float) -> None:
    rgb, angle, detail = c.rgb.copy(), c.angle.copy(), c.detail.copy()
    paint_water(c, line + c.unit * 3, rough=0.3, own=0.3)
    x, y = c.grid()
    near = np.clip((y - line - c.unit * 3) / (c.height - line), 0, 1)
    middle = vx + c.width * 0.1 * np.sin(near * 6) * near
    edge = c.unit * (0.8 + 15 * near) - np.abs(x - middle) + c.grain * c.unit * 0.8 * near
    wet = np.clip(edge, 0, 1) * (near > 0)
    c.rgb = rgb + wet[..., None].astype(np.float32) * (c.rgb - rgb)
    c.angle, c.detail = np.where(wet > 0.5, c.angle, angle), np.where(wet > 0.5, c.detail, detail)


def _paint_track(c: Canvas, vx: float, line: float) -> None:
    steps = np.linspace(0.02, 1.08, 24)
    middle = [[vx + c.width * 0.07 * np.sin(t * 5) * t, line + c.unit * 3 + (c.height - line) * t] for t in steps]
    track = smooth(limb(middle, c.unit * 1.5, c.unit * 24)[::2], 3)
    c.shape(track, "glow", 0.56, light=-0.1, texture=0.07, alpha=0.75, soft=c.unit * 0.8, angle=0.1, detail=0.3)


def _paint_litter(c: Canvas, line: float) -> None:
    for _ in range(220):
        near = c.rng.random() ** 0.8
        x, y = c.rng.uniform(0, c.width), line + c.unit * 4 + (c.height - line) * near
        size = c.unit * (0.25 + 0.8 * near)
        ink = ("accent", "glow", "growth", "dark")[c.rng.choice(4, p=(0.15, 0.3, 0.35, 0.2))]
        leaf = lump(c.rng, x, y, size, size * 0.4, rough=0.2, n=10)
        c.shape(leaf, ink, c.rng.uniform(0.35, 0.65), alpha=0.7, detail=0.5, angle=0.0)


def _paint_rays(c: Canvas, vx: float, line: float) -> None:
    for k in range(-2, 3):
        top, x, low = vx + k * c.unit * 3, vx + k * c.width * 0.1, line + c.unit * 16
        ray = [[top, -5], [top + c.unit * 4, -5], [x + c.unit * 13, low], [x + c.unit * 3, low]]
        c.shape(ray, "glow", 0.82, light=0, texture=0, alpha=0.14, soft=c.unit * 1.6, detail=0.2)


def _paint_deer(deer: Figure) -> None:
    """A deer that stands side-on with its head raised."""
    for leg in (-0.5, -0.38, 0.34, 0.46):
        deer.band(bend(leg, -0.55, leg * 1.05, 0, 0.04), 0.12, 0.05, "dark", 0.24, detail=1)
    body = [[-0.62, -0.75], [-0.2, -0.86], [0.35, -0.84], [0.6, -0.72], [0.5, -0.48], [0.0, -0.42], [-0.5, -0.46]]
    deer.shape(smooth(body, 5), "land", 0.36, light=0.14, detail=0.9)
    deer.band(bend(0.45, -0.7, 0.68, -1.2, 0.1), 0.26, 0.14, "land", 0.36, light=0.1, detail=0.9)
    head = [[0.58, -1.32], [0.74, -1.34], [0.98, -1.18], [0.94, -1.12], [0.66, -1.12]]
    deer.shape(smooth(head, 4), "land", 0.36, detail=1)
    for side in (-1, 1):
        deer.band(bend(0.66, -1.3, 0.6 + side * 0.18, -1.75, side * 0.25), 0.05, 0.025, "dark", 0.24, detail=1)


def _paint_near(c: Canvas, side: int, bark: tuple[str, float]) -> None:
    """The foremost trunks, which frame the view, with bark and a fork, and leaves above them."""
    rng, birch = c.rng, bark[0] == "light"
    for share, thickness in ((0.5 + side * 0.36, 7.0), (0.5 - side * 0.43, 5.0), (0.5 + side * 0.17, 3.0)):
        x, foot, wide = share * c.width, c.height * (1.05 if thickness > 4 else 0.86), c.unit * thickness
        trunk = bend(x, foot, x + rng.normal() * c.unit * 3, -c.unit * 3, rng.normal() * 0.02, 14)
        c.band(trunk, wide * 1.15, wide * 0.7, *bark, light=0.16, texture=0.07, angle=1.57, detail=0.5)
        fork = bend(x, foot * 0.42, x + side * -c.unit * 12, -c.unit * 2, 0.12)
        c.band(fork, wide * 0.4, wide * 0.2, *bark, light=0.14, angle=1.1)
        for _ in range(int(thickness * 4)):
            mx, my = trunk[int(rng.random() * 13)]
            if birch:
                mark = lump(rng, mx + rng.normal() * wide * 0.28, my, wide * 0.16, c.unit * 0.4, rough=0.3, n=10)
            else:
                crack = bend(mx + rng.normal() * wide * 0.25, my, mx + rng.normal() * wide * 0.25, my + c.unit * 5)
                mark = limb(crack, c.unit * 0.2, c.unit * 0.5)
            c.shape(mark, "dark", 0.2 if birch else rng.choice((0.1, 0.42)), alpha=0.6, detail=0.8)
    for _ in range(46):
        x = c.width * (0.5 + side * 0.5 - side * 0.42 * rng.random() ** 1.5)
        y = c.height * 0.16 * rng.random() ** 1.4
        rx, ry = c.unit * rng.uniform(1.5, 4), c.unit * rng.uniform(1, 2.4)
        leaves, tone = lump(rng, x, y, rx, ry, rough=0.35, turn=rng.normal()), rng.uniform(0.24, 0.5)
        c.shape(leaves, "growth", tone, light=0.1, alpha=0.85, angle=rng.uniform(-1, 1), detail=0.6)
