"""The harbour and the open sea."""

from itertools import pairwise

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import clouds
from vernissage_lab.sample.outlines import bend, lump, placed
from vernissage_lab.sample.plan import Facts, View
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_boat, paint_house


def paint_harbour(c: Canvas, view: View, facts: Facts) -> None:
    """Houses along a quay, mirrored in still water with boats at rest."""
    body = paint_sky(c, view)
    line, side = view.horizon * c.height, view.away
    paint_land(c, "growth", rolling(c, line - c.unit * 5, c.unit * 2.5), 0.45, depth=0.7)
    if facts["lighthouse"]:
        _paint_lighthouse(c, (view.focus + side * 0.36) * c.width, line, c.unit * 19, view)
    paint_land(c, "wall", np.full(c.width, line - c.unit * 0.2) - c.unit * 0.8, 0.3)
    _paint_row(c, line, side, lit=0.7 if view.sky in {"moon", "dusk"} else 0.12)
    paint_water(c, line, body=body, rough={"stormy": 0.75, "calm": 0.18}.get(view.mood, 0.32), own=0.3)
    if facts["gulls"]:
        paint_birds(c, 5, view.focus * c.width, line * 0.5, 0.75 if view.sky in {"storm", "rain"} else 0.2)
    _paint_fleet(c, view, facts["boats"], line)
    if view.composition in {"high horizon", "diagonal"}:
        _paint_quay(c, side)


def _paint_row(c: Canvas, line: float, side: int, *, lit: float) -> None:
    colours = ("wall", "light", "skin", "glow", "wall")
    x = c.width * (0.5 + side * 0.02)
    while -c.unit * 8 < x < c.width + c.unit * 8:
        size = c.unit * c.rng.uniform(7.5, 12.5)
        wall = colours[c.rng.integers(len(colours))]
        roof = "land" if c.rng.random() < 0.6 else "accent"
        tone = c.rng.uniform(0.42, 0.6)
        y = line - c.unit * 0.3
        paint_house(c, x, y, size, wall=wall, roof=roof, tone=tone, roof_tone=0.36, lit=lit, depth=0.25)
        x += -side * size * c.rng.uniform(0.85, 1.15)


def _paint_fleet(c: Canvas, view: View, boats: int, line: float) -> None:
    room, rng = c.height - line, c.rng
    places = np.linspace(0, 1, boats) if boats > 1 else np.array([0.5])
    hulls = ("accent", "growth", "sky", "wall")
    first = int(rng.integers(4))
    for k, share in enumerate(places):
        near = 0.18 + 0.52 * share if boats > 1 else 0.42
        swing = 0.27 * (-1) ** k * (0.35 + 0.65 * share) if boats > 1 else 0.0
        x = (view.focus + swing + view.slope * (share - 0.5) * 1.6 + rng.normal() * 0.02) * c.width
        x = float(np.clip(x, 0.15 * c.width, 0.85 * c.width))
        size = c.unit * (8.0 + 10.5 * near) * min(1.0, 0.55 + room / c.height)
        turn = 1 if rng.random() < 0.5 else -1
        paint_boat(c, x, line + near * room, size, hull=hulls[(first + k) % 4], sails=False, turn=turn, tone=0.42)


def _paint_quay(c: Canvas, side: int) -> None:
    """A stone quay that cuts across the lower corner, with a bollard and a coil of rope."""
    edge = 0 if side < 0 else c.width
    inner = c.width * (0.62 if side < 0 else 0.38)
    wall = [[edge, c.height * 0.80], [inner, c.height * 1.02], [edge, c.height * 1.02]]
    c.shape(placed(wall, 0, c.unit * 2.2), "dark", 0.3, angle=0.3 * -side)
    c.shape(wall, "land", 0.58, texture=0.07, angle=0.3 * -side, detail=0.4)
    x, y = edge - side * c.width * 0.13, c.height * 0.91
    bollard = Figure(c, x, y, c.unit)
    bollard.box(-1.1, -4, 1.1, 0, "dark", 0.25, light=0.2)
    bollard.oval(0, -4, 1.8, 0.8, "dark", 0.4, light=0.2)
    for _ in range(4):
        rope = bend(x, y - c.unit * 2, edge - side * c.width * 0.42, c.height * 1.01, c.rng.uniform(0.03, 0.1))
        c.band(rope, c.unit * 0.3, c.unit * 0.3, "glow", 0.5, detail=1, alpha=0.6)


def _paint_lighthouse(c: Canvas, x: float, y: float, height: float, view: View) -> None:
    """A banded tower on a rock, lit at night."""
    c.shape(lump(np.random.default_rng(5), x, y + 1, height * 0.6, height * 0.13, rough=0.3), "land", 0.3, depth=0.2)
    tower = Figure(c, x, y, height)
    for k, (low, high) in enumerate(pairwise(np.linspace(0, 0.82, 6))):
        a, b = 0.12 - 0.05 * low, 0.12 - 0.05 * high
        ink, tone = ("accent", 0.5) if k % 2 else ("light", 0.76)
        band = [[-a, -low], [-b, -high], [b, -high], [a, -low]]
        tower.shape(band, ink, tone, light=0.14, depth=0.2, detail=0.9, angle=1.5)
    lantern = Figure(c, x, y - height * 0.82, height)
    lantern.box(-0.1, -0.03, 0.1, 0, "dark", 0.3, detail=0.9)
    lantern.box(-0.05, -0.13, 0.05, -0.03, "glow", 0.9, detail=0.9)
    lantern.shape([[-0.08, -0.13], [0, -0.22], [0.08, -0.13]], "dark", 0.3)
    if view.sky in {"moon", "dusk", "storm", "mist", "rain"}:
        c.shine(x, lantern.y - height * 0.08, height * 0.5, "accent", 0.785, 0.7)


def paint_sea(c: Canvas, view: View, facts: Facts) -> None:
    """Sails on open water, waves that grow towards the viewer, perhaps a lighthouse."""
    body = paint_sky(c, view)
    line, side = view.horizon * c.height, view.away
    wild = {"stormy": 1.0, "joyful": 0.5, "calm": 0.22, "wistful": 0.3}.get(view.mood, 0.3)
    if facts["lighthouse"]:
        x = (0.5 + side * 0.33) * c.width
        bulge = np.clip(1.25 - np.abs(np.arange(c.width) - x) / (c.width * 0.24), 0, 1) ** 0.7
        cape = line + c.unit * 4 - c.unit * 9 * bulge
        paint_land(c, "land", cape + rolling(c, 0, c.unit * 0.7, cell=7), 0.42, depth=0.4, texture=0.09)
        _paint_lighthouse(c, x, line - c.unit * 4.2, c.unit * 17, view)
    paint_water(c, line, body=body, rough=0.35 + 0.6 * wild, own=0.5)
    _paint_waves(c, line, wild, view)
    alone = facts["sails"] == 1
    for k in range(facts["sails"]):
        near, swing = (0.25, 0.0) if alone else ((0.07, 0.2, 0.36)[k], (0.0, 0.2, -0.1)[k] * side)
        x = float(np.clip(view.focus - side * 0.04 + swing, 0.18, 0.82)) * c.width
        hull = ("accent", "wall", "dark")[k]
        paint_boat(c, x, line + near * (c.height - line), c.unit * (4.2 + 23 * near), hull=hull, sails=True, turn=side)
    if facts["gulls"]:
        paint_birds(c, 6, (1 - view.focus) * c.width, line * 0.55, 0.8 if view.sky in {"storm", "rain"} else 0.2)


def _paint_waves(c: Canvas, line: float, wild: float, view: View) -> None:
    """Rows of swell, each lit on its crest and dark in its trough, with foam where it is rough."""
    x = np.arange(c.width, dtype=np.float32)
    rows = 9
    for row in range(1, rows + 1):
        near = (row / rows) ** 1.7
        height = c.unit * (0.4 + 5.5 * near) * wild
        crest = line + (c.height - line) * near * 0.97 + view.slope * 0.4 * near * (x - c.width / 2)
        swell = clouds(c.rng, (1, c.width), c.unit * (7 + 22 * near), octaves=3)[0]
        crest = crest - height * (np.abs(swell) ** 1.3 * 0.8)
        first = int(max(crest.min() - 2, 0))
        if first >= c.height - 1:
            continue
        under = c.grid(first)[1] + first - crest[None, :]
        fall = np.exp(-np.clip(under, 0, None) / (c.unit * (0.8 + 4.5 * near) * (0.5 + wild)))
        mask = np.clip(under + 0.5, 0, 1) * fall * (0.45 + 0.35 * wild)
        tone = 0.62 - 0.3 * np.clip(under / (c.unit * (1 + 5 * near)), 0, 1) + 0.04 * c.grain[first:]
        tilt = np.arctan(np.gradient(crest)).astype(np.float32)[None, :]
        c.field(mask, "water", tone, angle=tilt, detail=0.45, top=first)
        foam = np.clip(1.2 - np.abs(under - c.unit * 0.4 * near) / (c.unit * (0.2 + 0.9 * near)), 0, 1)
        broken = np.clip(swell**2 * 0.7 - 0.75 + 0.35 * c.grain[first:] + 0.5 * (wild - 0.5), 0, 1)
        c.field(foam * broken, "light", np.full_like(mask, 0.88), angle=tilt, detail=0.7, top=first)
