"""The harbour and the open sea."""

from itertools import pairwise

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds, grid
from vernissage_lab.sample.outlines import bend, box, limb, lump, oval, placed
from vernissage_lab.sample.scenes.air import Body, paint_birds, paint_land, paint_rain, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_boat, paint_house
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_harbour(rng: Rng, _view: View) -> Facts:
    return {"boats": int(rng.integers(1, 5)), "gulls": int(rng.random() < 0.5), "lighthouse": int(rng.random() < 0.35)}


def paint_harbour(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Houses along a quay, mirrored in still water with boats at rest."""
    body = paint_sky(c, p, view, rng)
    line = view.horizon * c.height
    side = -1 if view.focus >= 0.5 else 1
    paint_land(c, p["growth"], rolling(c, rng, line - c.unit * 5, c.unit * 2.5), 0.45, depth=0.7)
    if facts["lighthouse"]:
        paint_lighthouse(c, p, (view.focus + side * 0.36) * c.width, line, c.unit * 19, view)
    shore = np.full(c.width, line - c.unit * 0.2)
    paint_land(c, p["wall"], shore - c.unit * 0.8, 0.3)
    lit = 0.7 if view.sky in {"moon", "dusk"} else 0.12
    _paint_row(c, p, line, side, lit, rng)
    paint_water(c, p, line, rng, body=body, rough={"stormy": 0.75, "calm": 0.18}.get(view.mood, 0.32), own=0.3)
    if facts["gulls"]:
        paint_birds(c, p, rng, 5, view.focus * c.width, line * 0.5, 0.75 if view.sky in {"storm", "rain"} else 0.2)
    _paint_fleet(c, p, view, facts["boats"], line, rng)
    if view.composition in {"high horizon", "diagonal"}:
        _paint_quay(c, p, side, rng)
    if view.sky == "rain":
        paint_rain(c, p, rng)


def _paint_row(c: Canvas, p: Ramps, line: float, side: int, lit: float, rng: Rng) -> None:
    colours = (p["wall"], p["light"], p["skin"], p["glow"], p["wall"])
    x = c.width * (0.5 + side * 0.02)
    while -c.unit * 8 < x < c.width + c.unit * 8:
        size = c.unit * rng.uniform(7.5, 12.5)
        wall = colours[rng.integers(len(colours))]
        roof = p["land"] if rng.random() < 0.6 else p["accent"]
        paint_house(
            c, p, x, line - c.unit * 0.3, size, rng, wall=wall, roof=roof, tone=rng.uniform(0.42, 0.6), roof_tone=0.36,
            lit=lit, depth=0.25,
        )  # fmt: skip
        x += -side * size * rng.uniform(0.85, 1.15)


def _paint_fleet(c: Canvas, p: Ramps, view: View, boats: int, line: float, rng: Rng) -> None:
    room = c.height - line
    places = np.linspace(0, 1, boats) if boats > 1 else np.array([0.5])
    hulls = (p["accent"], p["growth"], p["sky"], p["wall"])
    first = int(rng.integers(4))
    for k, share in enumerate(places):
        near = 0.18 + 0.52 * share if boats > 1 else 0.42
        swing = 0.27 * (-1) ** k * (0.35 + 0.65 * share) if boats > 1 else 0.0
        x = (view.focus + swing + view.slope * (share - 0.5) * 1.6 + rng.normal() * 0.02) * c.width
        x = float(np.clip(x, 0.15 * c.width, 0.85 * c.width))
        size = c.unit * (8.0 + 10.5 * near) * min(1.0, 0.55 + room / c.height)
        turn = 1 if rng.random() < 0.5 else -1
        paint_boat(
            c, p, x, line + near * room, size, rng, hull=hulls[(first + k) % 4], sails=False, turn=turn, tone=0.42
        )


def _paint_quay(c: Canvas, p: Ramps, side: int, rng: Rng) -> None:
    """A stone quay that cuts across the lower corner, with a bollard and a coil of rope."""
    edge = 0 if side < 0 else c.width
    inner = c.width * (0.62 if side < 0 else 0.38)
    wall = [[edge, c.height * 0.80], [inner, c.height * 1.02], [edge, c.height * 1.02]]
    c.shape(placed(wall, 0, c.unit * 2.2), p["dark"], 0.3, angle=0.3 * -side)
    c.shape(wall, p["land"], 0.58, texture=0.07, angle=0.3 * -side, detail=0.4)
    x, y = edge - side * c.width * 0.13, c.height * 0.91
    c.shape(box(x - c.unit * 1.1, y - c.unit * 4, x + c.unit * 1.1, y), p["dark"], 0.25, light=0.2)
    c.shape(oval(x, y - c.unit * 4, c.unit * 1.8, c.unit * 0.8), p["dark"], 0.4, light=0.2)
    for _ in range(4):
        rope = bend(x, y - c.unit * 2, edge - side * c.width * 0.42, c.height * 1.01, rng.uniform(0.03, 0.1))
        c.shape(limb(rope, c.unit * 0.3, c.unit * 0.3), p["glow"], 0.5, detail=1, alpha=0.6)


def paint_lighthouse(c: Canvas, p: Ramps, x: float, y: float, height: float, view: View) -> None:
    """A banded tower on a rock, lit at night."""
    c.shape(lump(np.random.default_rng(5), x, y + 1, height * 0.6, height * 0.13, rough=0.3), p["land"], 0.3, depth=0.2)
    levels = np.linspace(0, 0.82, 6)
    for k, (low, high) in enumerate(pairwise(levels)):
        a, b = height * (0.12 - 0.05 * low), height * (0.12 - 0.05 * high)
        band = [
            [x - a, y - height * low],
            [x - b, y - height * high],
            [x + b, y - height * high],
            [x + a, y - height * low],
        ]
        c.shape(
            band,
            p["accent"] if k % 2 else p["light"],
            0.5 if k % 2 else 0.76,
            light=0.14,
            depth=0.2,
            detail=0.9,
            angle=1.5,
        )
    top = y - height * 0.82
    c.shape(box(x - height * 0.1, top - height * 0.03, x + height * 0.1, top), p["dark"], 0.3, detail=0.9)
    c.shape(
        box(x - height * 0.05, top - height * 0.13, x + height * 0.05, top - height * 0.03), p["glow"], 0.9, detail=0.9
    )
    c.shape(
        [[x - height * 0.08, top - height * 0.13], [x, top - height * 0.22], [x + height * 0.08, top - height * 0.13]],
        p["dark"],
        0.3,
    )
    if view.sky in {"moon", "dusk", "storm", "mist", "rain"}:
        c.shine(x, top - height * 0.08, height * 0.5, p["accent"][100], 0.7)


def imagine_sea(rng: Rng, _view: View) -> Facts:
    return {"sails": int(rng.integers(1, 4)), "gulls": int(rng.random() < 0.45), "lighthouse": int(rng.random() < 0.35)}


def paint_sea(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Sails on open water, waves that grow towards the viewer, perhaps a lighthouse."""
    body = paint_sky(c, p, view, rng)
    line = view.horizon * c.height
    side = -1 if view.focus >= 0.5 else 1
    wild = {"stormy": 1.0, "joyful": 0.5, "calm": 0.22, "wistful": 0.3}.get(view.mood, 0.3)
    if facts["lighthouse"]:
        x = (0.5 + side * 0.33) * c.width
        cape = (
            line
            + c.unit * 4
            - c.unit * 9 * np.clip(1.25 - np.abs(np.arange(c.width) - x) / (c.width * 0.24), 0, 1) ** 0.7
        )
        paint_land(c, p["land"], cape + rolling(c, rng, 0, c.unit * 0.7, cell=7), 0.42, depth=0.4, texture=0.09)
        paint_lighthouse(c, p, x, line - c.unit * 4.2, c.unit * 17, view)
    paint_water(c, p, line, rng, body=body, rough=0.35 + 0.6 * wild, own=0.5)
    _paint_waves(c, p, line, wild, view, rng)
    for k in range(facts["sails"]):
        near = (0.07, 0.2, 0.36)[k] if facts["sails"] > 1 else 0.25
        swing = (0.0, 0.2, -0.1)[k] * side if facts["sails"] > 1 else 0.0
        x = float(np.clip(view.focus - side * 0.04 + swing, 0.18, 0.82)) * c.width
        size = c.unit * (4.2 + 23 * near)
        lean = [p["accent"], p["wall"], p["dark"]][k]
        paint_boat(c, p, x, line + near * (c.height - line), size, rng, hull=lean, sails=True, turn=side, tone=0.4)
    if facts["gulls"]:
        paint_birds(
            c, p, rng, 6, (1 - view.focus) * c.width, line * 0.55, 0.8 if view.sky in {"storm", "rain"} else 0.2
        )
    if view.sky == "rain":
        paint_rain(c, p, rng)


def _paint_waves(c: Canvas, p: Ramps, line: float, wild: float, view: View, rng: Rng) -> None:
    """Rows of swell, each lit on its crest and dark in its trough, with foam where it is rough."""
    depth = c.height - line
    x, _ = grid((1, c.width))
    rows = 9
    for row in range(1, rows + 1):
        near = (row / rows) ** 1.7
        height = c.unit * (0.4 + 5.5 * near) * wild
        cell = c.unit * (7 + 22 * near)
        crest = line + depth * near * 0.97 + view.slope * 0.4 * near * (x[0] - c.width / 2)
        swell = clouds(rng, (1, c.width), cell, octaves=3)[0]
        crest = crest - height * (np.abs(swell) ** 1.3 * 0.8)
        first = int(max(crest.min() - 2, 0))
        if first >= c.height - 1:
            continue
        _, y = grid((c.height - first, c.width))
        under = y + first - crest[None, :]
        fall = np.exp(-np.clip(under, 0, None) / (c.unit * (0.8 + 4.5 * near) * (0.5 + wild)))
        mask = np.clip(under + 0.5, 0, 1) * fall * (0.45 + 0.35 * wild)
        tone = 0.62 - 0.3 * np.clip(under / (c.unit * (1 + 5 * near)), 0, 1) + 0.04 * c.grain[first:]
        tilt = np.arctan(np.gradient(crest)).astype(np.float32)[None, :]
        c.field(mask, p["water"], tone, angle=np.broadcast_to(tilt, mask.shape), detail=0.45, top=first)
        foam = np.clip(1.2 - np.abs(under - c.unit * 0.4 * near) / (c.unit * (0.2 + 0.9 * near)), 0, 1)
        broken = np.clip(swell**2 * 0.7 - 0.75 + 0.35 * c.grain[first:] + 0.5 * (wild - 0.5), 0, 1)
        c.field(foam * broken, p["light"], np.full_like(mask, 0.88), angle=tilt, detail=0.7, top=first)


__all__ = ["Body", "imagine_harbour", "imagine_sea", "paint_harbour", "paint_sea"]
