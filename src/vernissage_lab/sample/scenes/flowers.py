"""Still life: flowers in a vase."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, limb, lump, oval, placed, smooth
from vernissage_lab.sample.scenes.fruit import paint_piece
from vernissage_lab.sample.scenes.room import mirrored, paint_room
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_flowers(rng: Rng, _view: View) -> Facts:
    return {
        "kind": int(rng.integers(3)),
        "fallen": int(rng.integers(0, 4)),
        "window": int(rng.random() < 0.35),
        "lemon": int(rng.random() < 0.3),
    }


def paint_flowers(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """A loose bunch in a vase: roses, daisies or tulips, and petals that have dropped."""
    edge = paint_room(c, p, view, rng, window=bool(facts["window"]))
    size = c.unit * (8.6 if c.height >= c.width * 0.85 else 6.9)
    x, y = view.focus * c.width, edge + (c.height - edge) * 0.4
    y = max(y, size * 8.5)
    y = min(y, c.height - size * 0.8)
    top = y - size * 2.6
    heads = _heads(x, top, size, view, rng)
    for hx, hy in heads:
        c.shape(
            limb(
                bend(x + rng.normal() * size * 0.2, top + size * 0.5, hx, hy, rng.normal() * 0.08),
                size * 0.1,
                size * 0.08,
            ),
            p["growth"],
            0.34,
            detail=0.9,
        )
    for _ in range(17):
        around, out = rng.uniform(0.1, np.pi - 0.1), size * rng.uniform(0.8, 2.5)
        _paint_leaf(
            c,
            p,
            x + out * np.cos(around) * 1.2,
            top - out * np.sin(around) * 0.8 + size * 0.3,
            size * rng.uniform(0.55, 0.95),
            rng,
        )
    _paint_vase(c, p, x, y, size, rng)
    for hx, hy in heads:
        _paint_bloom(c, p, hx, hy, size * rng.uniform(0.62, 0.92), facts["kind"], rng)
    for k in range(facts["fallen"]):
        fx = x + (-1) ** k * size * (1.6 + 0.7 * k)
        c.shape(
            lump(
                rng, fx, y + size * rng.uniform(0.5, 0.9), size * 0.3, size * 0.14, rough=0.2, turn=rng.normal() * 0.4
            ),
            p["accent"],
            0.6,
            light=0.15,
        )
    if facts["lemon"]:
        paint_piece(c, p, "lemons", x + (2.5 if view.focus < 0.5 else -2.5) * size, y + size * 0.7, size * 0.8, rng)


def _heads(x: float, top: float, size: float, view: View, rng: Rng) -> list[tuple[float, float]]:
    """Where the flower heads stand: spread over a fan, those in front lower."""
    heads = []
    for ring, many in ((2.7, 5), (1.9, 5), (0.95, 4)):
        for k in range(many):
            around = np.pi * (0.08 + 0.84 * (k + 0.5) / many) + rng.normal() * 0.1
            lean = view.slope * 2 * size
            heads.append(
                (
                    x + 1.12 * ring * size * np.cos(around) + lean,
                    top - ring * size * (0.35 + 0.75 * np.sin(around)) * 0.85,
                )
            )
    return heads


def _paint_leaf(c: Canvas, p: Ramps, x: float, y: float, size: float, rng: Rng) -> None:
    turn = rng.uniform(-2.6, -0.5)
    blade = smooth([[0.0, 0.0], [0.5, -0.24], [1.2, 0.0], [0.5, 0.26]], 5)
    c.shape(placed(blade, x, y, turn, size), p["growth"], rng.uniform(0.36, 0.66), light=0.14, angle=turn, detail=0.6)


def _paint_vase(c: Canvas, p: Ramps, x: float, y: float, size: float, rng: Rng) -> None:
    c.shape(
        oval(x - c.sun[0] * size * 1.3, y + size * 0.55, size * 1.8, size * 0.3),
        p["dark"],
        0.3,
        alpha=0.5,
        soft=size * 0.12,
        angle=0.0,
    )
    halves = (
        [[0, -2.6], [0.62, -2.6], [0.5, -2.2], [0.62, -1.6], [1.1, -0.8], [1.1, -0.1], [0.7, 0.5], [0, 0.62]],
        [[0, -2.6], [0.8, -2.6], [0.72, -1.8], [0.66, -0.8], [0.62, 0.4], [0.5, 0.6], [0, 0.62]],
        [[0, -2.6], [0.5, -2.6], [0.42, -1.9], [0.95, -1.2], [1.25, -0.4], [0.95, 0.35], [0, 0.62]],
    )
    body = placed(mirrored(np.array(halves[rng.integers(3)])), x, y, 0, size)
    c.shape(
        body, (p["sky"], p["wall"], p["light"], p["water"])[rng.integers(4)], 0.52, light=0.24, angle=1.5, detail=0.5
    )
    c.shape(
        limb(
            bend(x + c.sun[0] * size * 0.55, y - size * 1.3, x + c.sun[0] * size * 0.62, y - size * 0.2, 0.08),
            size * 0.1,
            size * 0.2,
        ),
        p["light"],
        0.9,
        alpha=0.7,
        soft=size * 0.05,
    )


def _paint_bloom(c: Canvas, p: Ramps, x: float, y: float, size: float, kind: int, rng: Rng) -> None:
    """One flower head: 0 rose, 1 daisy, 2 tulip."""
    ramp = (p["accent"], p["light"], p["glow"], p["skin"])[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]
    if kind == 0:
        for ring, (radius, tone) in enumerate(((1.0, 0.42), (0.78, 0.52), (0.55, 0.62), (0.32, 0.46))):
            off = size * 0.1 * ring
            c.shape(
                lump(rng, x + c.sun[0] * off, y + c.sun[1] * off, size * radius, size * radius * 0.9, rough=0.16),
                ramp,
                tone,
                light=0.16,
                angle=rng.uniform(0, 3),
                detail=0.7,
            )
        swirl = [
            [x + size * 0.3 * np.cos(t) * t / 6, y + size * 0.3 * np.sin(t) * t / 6] for t in np.linspace(1, 6, 14)
        ]
        c.shape(limb(swirl, size * 0.08, size * 0.05), ramp, 0.25, detail=0.9)
    elif kind == 1:
        ramp = p["light"] if rng.random() < 0.6 else ramp
        for around in np.arange(13) / 13 * 2 * np.pi:
            petal = smooth([[0.2, 0.0], [0.65, -0.19], [1.1, 0.0], [0.65, 0.19]], 4)
            blade = placed(petal, 0, 0, around, size * 1.05) * [1, 0.85] + [x, y]
            c.shape(
                blade,
                ramp,
                0.72 + 0.1 * rng.random() + 0.1 * (np.cos(around) * c.sun[0] > 0),
                light=0.08,
                angle=around,
                detail=0.8,
            )
        c.shape(lump(rng, x, y, size * 0.32, size * 0.28), p["accent"], 0.52, light=0.2, detail=0.9)
    else:
        turn = rng.normal() * 0.3
        for shift, tone in ((-0.3, 0.4), (0.3, 0.46), (0.0, 0.56)):
            petal = smooth([[0, 0.8], [0.5, 0.35], [0.42, -0.5], [0.05, -1.05], [-0.4, -0.5], [-0.5, 0.35]], 5)
            c.shape(placed(placed(petal, shift, 0), x, y, turn, size), ramp, tone, light=0.18, angle=1.4, detail=0.7)
