"""The forest: trunks that recede into light."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds, grid
from vernissage_lab.sample.outlines import bend, limb, lump, smooth
from vernissage_lab.sample.scenes.air import paint_land, paint_rain, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_person
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_forest(rng: Rng, _view: View) -> Facts:
    return {
        "brook": int(rng.random() < 0.4),
        "birches": int(rng.random() < 0.4),
        "people": int(rng.random() < 0.45),
        "deer": int(rng.random() < 0.3),
    }


def paint_forest(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Ranks of trunks, leaves overhead, a path or a brook, and the light beyond."""
    paint_sky(c, p, view, rng)
    line = (0.3 + 0.45 * view.horizon) * c.height
    tilt = view.slope * 0.6
    vx = view.focus * c.width
    c.shine(vx, line - c.unit * 14, c.unit * 26, p["glow"][104], 0.75)
    c.haze = max(c.haze, 0.75)
    c.air = p["glow"][80] * 0.6 + c.air * 0.4
    for rank, away in enumerate((0.95, 0.75, 0.5)):
        _paint_mass(c, p, line, away, rng)
        _paint_rank(c, p, line + c.unit * 2.2 * rank, away, 15 - 3 * rank, tilt, vx, facts, rng)
    floor = clouds(rng, (c.height, c.width), c.unit * 8, stretch=3.5, octaves=4)
    ground = rolling(c, rng, line + c.unit * 3, c.unit * 0.9, slope=tilt)
    paint_land(c, p["land"], ground, 0.58, fall=-0.26, texture=0.08, grain=floor, angle=0.3 * floor)
    _paint_bushes(c, p, line + c.unit * 3, tilt, rng)
    if facts["brook"]:
        _paint_brook(c, p, vx, line, rng)
    else:
        _paint_track(c, p, vx, line)
    _paint_litter(c, p, line, rng)
    _paint_rays(c, p, vx, line, view)
    if facts["deer"]:
        _paint_deer(c, p, vx + c.unit * 13, line + (c.height - line) * 0.26, c.unit * 7)
    if facts["people"]:
        paint_person(
            c, p, vx - c.unit * 2, line + (c.height - line) * 0.34, c.unit * 10, rng, coat=p["accent"], tone=0.42
        )
    _paint_near(c, p, view, facts, rng)
    if view.sky == "rain":
        paint_rain(c, p, rng, 150)


def _paint_bushes(c: Canvas, p: Ramps, line: float, tilt: float, rng: Rng) -> None:
    """Undergrowth that softens the edge of the forest floor."""
    for x in np.linspace(0, c.width, 34):
        size = c.unit * rng.uniform(1.2, 3.2)
        y = line + tilt * (x - c.width / 2) + c.unit * rng.uniform(-0.5, 1.5)
        bush = lump(rng, x, y, size * 1.6, size, rough=0.3)
        c.shape(bush, p["growth"], rng.uniform(0.36, 0.56), light=0.12, depth=0.6, alpha=0.85, detail=0.4, soft=0.8)


def _paint_mass(c: Canvas, p: Ramps, line: float, away: float, rng: Rng) -> None:
    """Foliage behind the trunks, open round the light."""
    x, y = grid((c.height, c.width))
    mass = clouds(rng, (c.height, c.width), c.unit * 13, octaves=5)
    gap = np.exp(-(((x - c.width * 0.5) / (c.width * 0.42)) ** 2) - ((y - line * 0.7) / (line * 0.55)) ** 2)
    leaf = np.clip((mass - 0.05 + 0.55 * (line * 0.6 - y) / line - 1.0 * gap) * 1.8, 0, 1) * np.clip(
        (line + c.unit * 4 - y) / c.unit / 3, 0, 1
    )
    tone = 0.44 + 0.09 * mass + 0.1 * (1 - y / c.height)
    c.field(
        leaf.astype(np.float32) * 0.85,
        p["growth"],
        tone.astype(np.float32),
        angle=mass.astype(np.float32),
        detail=0.35,
        depth=away,
    )


def _paint_rank(
    c: Canvas, p: Ramps, line: float, away: float, count: int, tilt: float, vx: float, facts: Facts, rng: Rng
) -> None:
    for k in range(count):
        x = (k + rng.uniform(0.1, 0.9)) / count * c.width
        if abs(x - vx) < c.unit * 5 * (1.3 - away):
            continue
        foot = line + c.unit * rng.uniform(1, 4) * (1.3 - away) + tilt * (x - c.width / 2)
        wide = c.unit * (0.8 + 2.2 * (1 - away)) * rng.uniform(0.7, 1.3)
        trunk = bend(x, foot, x + rng.normal() * c.unit * 2, -c.unit * 2, rng.normal() * 0.012, 12)
        ramp, tone = (p["light"], 0.6) if facts["birches"] else (p["dark"], 0.3)
        c.shape(limb(trunk, wide, wide * 0.6), ramp, tone, light=0.12, texture=0.06, depth=away, angle=1.57, detail=0.5)


def _paint_brook(c: Canvas, p: Ramps, vx: float, line: float, rng: Rng) -> None:
    before = c.rgb.copy()
    angle, detail = c.angle.copy(), c.detail.copy()
    paint_water(c, p, line + c.unit * 3, rng, rough=0.3, own=0.3)
    x, y = grid((c.height, c.width))
    near = np.clip((y - line - c.unit * 3) / (c.height - line), 0, 1)
    middle = vx + c.width * 0.1 * np.sin(near * 6) * near
    edge = c.unit * (0.8 + 15 * near) - np.abs(x - middle) + c.grain * c.unit * 0.8 * near
    wet = np.clip(edge, 0, 1) * (near > 0)
    c.rgb = before + wet[..., None].astype(np.float32) * (c.rgb - before)
    c.angle, c.detail = np.where(wet > 0.5, c.angle, angle), np.where(wet > 0.5, c.detail, detail)


def _paint_track(c: Canvas, p: Ramps, vx: float, line: float) -> None:
    steps = np.linspace(0.02, 1.08, 24)
    middle = [[vx + c.width * 0.07 * np.sin(t * 5) * t, line + c.unit * 3 + (c.height - line) * t] for t in steps]
    c.shape(
        smooth(limb(middle, c.unit * 1.5, c.unit * 24)[::2], 3),
        p["glow"],
        0.56,
        light=-0.1,
        texture=0.07,
        alpha=0.75,
        soft=c.unit * 0.8,
        angle=0.1,
        detail=0.3,
    )


def _paint_litter(c: Canvas, p: Ramps, line: float, rng: Rng) -> None:
    for _ in range(220):
        near = rng.random() ** 0.8
        x, y = rng.uniform(0, c.width), line + c.unit * 4 + (c.height - line) * near
        size = c.unit * (0.25 + 0.8 * near)
        ramp = (p["accent"], p["glow"], p["growth"], p["dark"])[rng.choice(4, p=(0.15, 0.3, 0.35, 0.2))]
        c.shape(
            lump(rng, x, y, size, size * 0.4, rough=0.2, n=10),
            ramp,
            rng.uniform(0.35, 0.65),
            alpha=0.7,
            detail=0.5,
            angle=0.0,
        )


def _paint_rays(c: Canvas, p: Ramps, vx: float, line: float, view: View) -> None:
    if view.mood == "stormy":
        return
    for k in range(5):
        x = vx + (k - 2) * c.width * 0.1
        ray = [
            [vx + (k - 2) * c.unit * 3, -5],
            [vx + (k - 2) * c.unit * 3 + c.unit * 4, -5],
            [x + c.unit * 13, line + c.unit * 16],
            [x + c.unit * 3, line + c.unit * 16],
        ]
        c.shape(ray, p["glow"], 0.82, light=0, texture=0, angle=None, alpha=0.14, soft=c.unit * 1.6, detail=0.2)


def _paint_deer(c: Canvas, p: Ramps, x: float, y: float, size: float) -> None:
    """A deer that stands side-on with its head raised."""
    for leg in (-0.5, -0.38, 0.34, 0.46):
        c.shape(
            limb(bend(x + leg * size, y - size * 0.55, x + leg * size * 1.05, y, 0.04), size * 0.12, size * 0.05),
            p["dark"],
            0.24,
            detail=1,
        )
    body = smooth(
        [[-0.62, -0.75], [-0.2, -0.86], [0.35, -0.84], [0.6, -0.72], [0.5, -0.48], [0.0, -0.42], [-0.5, -0.46]], 5
    )
    c.shape(body * size + [x, y], p["land"], 0.36, light=0.14, detail=0.9)
    neck = limb(bend(x + size * 0.45, y - size * 0.7, x + size * 0.68, y - size * 1.2, 0.1), size * 0.26, size * 0.14)
    c.shape(neck, p["land"], 0.36, light=0.1, detail=0.9)
    c.shape(
        smooth([[0.58, -1.32], [0.74, -1.34], [0.98, -1.18], [0.94, -1.12], [0.66, -1.12]], 4) * size + [x, y],
        p["land"],
        0.36,
        detail=1,
    )
    for side in (-1, 1):
        horn = bend(x + size * 0.66, y - size * 1.3, x + size * (0.6 + side * 0.18), y - size * 1.75, side * 0.25)
        c.shape(limb(horn, size * 0.05, size * 0.025), p["dark"], 0.24, detail=1)


def _paint_near(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """The foremost trunks, which frame the view, with bark and a fork."""
    side = -1 if view.focus >= 0.5 else 1
    for x, wide in ((0.5 + side * 0.36, 7.0), (0.5 - side * 0.43, 5.0), (0.5 + side * 0.17, 3.0)):
        px, foot = x * c.width, c.height * (1.05 if wide > 4 else 0.86)
        trunk = bend(px, foot, px + rng.normal() * c.unit * 3, -c.unit * 3, rng.normal() * 0.02, 14)
        ramp, tone = (p["light"], 0.58) if facts["birches"] else (p["dark"], 0.22)
        c.shape(
            limb(trunk, c.unit * wide * 1.15, c.unit * wide * 0.7),
            ramp,
            tone,
            light=0.16,
            texture=0.07,
            angle=1.57,
            detail=0.5,
        )
        c.shape(
            limb(
                bend(px, foot * 0.42, px + side * -c.unit * 12, -c.unit * 2, 0.12),
                c.unit * wide * 0.4,
                c.unit * wide * 0.2,
            ),
            ramp,
            tone,
            light=0.14,
            angle=1.1,
        )
        for _ in range(int(wide * 4)):
            t = rng.random()
            row = trunk[int(t * 13)]
            if facts["birches"]:
                mark = lump(
                    rng,
                    row[0] + rng.normal() * c.unit * wide * 0.28,
                    row[1],
                    c.unit * wide * 0.16,
                    c.unit * 0.4,
                    rough=0.3,
                    n=10,
                )
            else:
                mark = limb(
                    bend(
                        row[0] + rng.normal() * c.unit * wide * 0.25,
                        row[1],
                        row[0] + rng.normal() * c.unit * wide * 0.25,
                        row[1] + c.unit * 5,
                    ),
                    c.unit * 0.2,
                    c.unit * 0.5,
                )
            c.shape(mark, p["dark"], 0.2 if facts["birches"] else rng.choice((0.1, 0.42)), alpha=0.6, detail=0.8)
    for _ in range(46):
        x = c.width * (0.5 + side * 0.5 - side * 0.42 * rng.random() ** 1.5)
        blob = lump(
            rng,
            x,
            c.height * 0.16 * rng.random() ** 1.4,
            c.unit * rng.uniform(1.5, 4),
            c.unit * rng.uniform(1, 2.4),
            rough=0.35,
            turn=rng.normal(),
        )
        c.shape(blob, p["growth"], rng.uniform(0.24, 0.5), light=0.1, alpha=0.85, angle=rng.uniform(-1, 1), detail=0.6)
