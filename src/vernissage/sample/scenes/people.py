"""The portrait: head and shoulders before a wall or a window."""

import numpy as np

from vernissage.sample.canvas import Canvas
from vernissage.sample.noise import Rng, clouds, grid
from vernissage.sample.outlines import bend, limb, lump, oval
from vernissage.sample.palettes import Array
from vernissage.sample.scenes.head import paint_face, paint_hair, paint_hat, paint_part
from vernissage.sample.view import Facts, Ramps, View


def imagine_portrait(rng: Rng, _view: View) -> Facts:
    return {
        "kind": int(rng.integers(3)),
        "hat": int(rng.random() < 0.4),
        "scarf": int(rng.random() < 0.5),
        "flower": int(rng.random() < 0.3),
    }


def paint_portrait(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """A sitter turned a little aside, in the long-necked manner of the 1910s: woman, man or bearded elder."""
    side = -1 if rng.random() < 0.5 else 1
    c.sun = (side * 0.85, -0.5)
    wall = _paint_backdrop(c, p, view, rng)
    size, x, y, turn = _pose(c, view, side)
    # A coat in the colour of the wall would dissolve into it.
    others = ("growth", "sky", "water") if wall == "wall" else ("accent", "land", "wall")
    coat = p[others[rng.integers(3)]]
    hair_tone = 0.62 if facts["kind"] == 2 else float(rng.choice((0.16, 0.24, 0.36)))
    hair = p["light"] if facts["kind"] == 2 else p[("dark", "land", "glow")[rng.integers(3)]]
    _paint_body(c, p, x, y, size, coat, facts)
    if facts["kind"] == 0:
        paint_part(
            c,
            [
                [-1.05, -0.6],
                [-0.6, -1.55],
                [0.5, -1.6],
                [1.1, -0.7],
                [1.12, 0.6],
                [0.8, 1.25],
                [-0.7, 1.25],
                [-1.1, 0.5],
            ],
            x,
            y,
            size,
            turn,
            hair,
            hair_tone,
            0.12,
        )
    paint_face(c, p, x, y, size, turn, side)
    paint_hair(c, p, x, y, size, turn, facts, hair, hair_tone)
    if facts["hat"]:
        paint_hat(c, p, x, y, size, turn, facts["kind"], coat)
    if facts["flower"]:
        for k in range(6):
            around = k * np.pi / 3
            c.shape(
                oval(
                    x + side * size * 1.0 + size * 0.17 * np.cos(around),
                    y + size * 2.95 + size * 0.17 * np.sin(around),
                    size * 0.14,
                    size * 0.11,
                    around,
                ),
                p["light"],
                0.82,
                light=0.1,
                detail=0.9,
            )
        c.shape(oval(x + side * size * 1.0, y + size * 2.95, size * 0.1, size * 0.1), p["accent"], 0.6, detail=0.9)


def _pose(c: Canvas, view: View, side: int) -> tuple[float, float, float, float]:
    """Size of the half head, its centre, and its tilt, from the layout."""
    size = {"high horizon": 0.19, "low horizon": 0.115, "centred": 0.15}.get(view.composition, 0.142) * c.height
    size = min(size, c.width * 0.2)
    y = {"high horizon": 0.36, "low horizon": 0.5, "centred": 0.37}.get(view.composition, 0.38) * c.height
    turn = side * -0.06 + (0.9 * view.slope if view.slope else 0.0)
    return float(size), view.focus * c.width, y, turn


def _paint_backdrop(c: Canvas, p: Ramps, view: View, rng: Rng) -> str:
    """A wall, perhaps with a curtain or a picture on it; returns the wall's colour role."""
    x, y = grid((c.height, c.width))
    mottle = clouds(rng, (c.height, c.width), c.unit * 20, octaves=4)
    dim = {"mysterious": 0.24, "stormy": 0.27, "wistful": 0.44, "calm": 0.5, "joyful": 0.6}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.45 * c.sun[0], y / c.height - 0.3)
    role = ("wall", "sky", "growth", "water")[rng.integers(4)]
    c.field(
        1.0,
        p[role],
        (dim - 0.14 + 0.22 * fall + 0.04 * mottle).astype(np.float32),
        angle=1.1 + 0.7 * mottle,
        detail=0.1,
    )
    kind = rng.integers(3)
    if kind == 0:
        for k in range(5):
            fold = bend((0.04 + 0.07 * k) * c.width, 0, (0.02 + 0.08 * k) * c.width, c.height, rng.normal() * 0.02, 12)
            c.shape(
                limb(fold, c.unit * 5, c.unit * 8),
                p["accent"],
                (0.3, 0.42)[k % 2],
                light=0.1,
                alpha=0.9,
                soft=c.unit,
                angle=1.57,
                detail=0.2,
            )
    elif kind == 1:
        left = 0.62 if view.focus < 0.5 else 0.06
        frame = np.array([[left, 0.06], [left + 0.32, 0.06], [left + 0.32, 0.34], [left, 0.34]]) * [c.width, c.height]
        c.shape(frame + np.sign(frame - frame.mean(axis=0)) * c.unit * 1.2, p["land"], 0.34, light=0.15)
        c.shape(frame, p["glow"], 0.52, texture=0.08)
        hill = lump(rng, frame[:, 0].mean(), frame[2, 1] - c.unit * 3, c.width * 0.13, c.unit * 4, rough=0.1)
        c.shape(hill, p["growth"], 0.42)
    c.air, c.haze = c.rgb.mean(axis=(0, 1)), 0.2
    return role


def _paint_body(c: Canvas, p: Ramps, x: float, y: float, size: float, coat: Array, facts: Facts) -> None:
    wide = 2.0 if facts["kind"] == 0 else 2.45
    neck = 0.36 if facts["kind"] == 0 else 0.5
    fall = max((c.height - y) / size + 1, 5)
    trunk = [
        [-neck, 1.75],
        [-1.2, 2.15],
        [-wide, 2.75],
        [-wide * 1.18, 4.2],
        [-wide * 1.22, fall],
        [wide * 1.22, fall],
        [wide * 1.18, 4.2],
        [wide, 2.75],
        [1.2, 2.15],
        [neck, 1.75],
    ]
    paint_part(c, trunk, x, y, size, 0.0, coat, 0.36, 0.14, angle=1.1)
    for side in (-1, 1):
        sleeve = bend(
            x + side * size * wide * 0.78,
            y + size * 3.2,
            x + side * size * wide * 0.86,
            y + size * fall,
            0.06 * side,
            10,
        )
        c.shape(limb(sleeve, size * 0.1, size * 0.3), coat, 0.2, alpha=0.6, soft=size * 0.08)
        fold = bend(x + side * size * 0.5, y + size * 2.4, x + side * size * 0.9, y + size * 4.6, 0.05 * side, 10)
        c.shape(
            limb(fold, size * 0.08, size * 0.22),
            coat,
            0.5 if side * c.sun[0] > 0 else 0.26,
            alpha=0.55,
            soft=size * 0.08,
        )
    throat = [[-neck, 0.6], [-neck, 1.7], [-0.62, 2.05], [0, 2.6], [0.62, 2.05], [neck, 1.7], [neck, 0.6]]
    paint_part(c, throat, x, y, size, 0.0, p["skin"], 0.46, 0.12)
    paint_part(
        c,
        [[-neck, 0.7], [0, 1.2], [neck, 0.7], [neck, 1.15], [0, 1.62], [-neck, 1.15]],
        x,
        y,
        size,
        0.0,
        p["skin"],
        0.28,
        0.0,
        soft=size * 0.08,
        alpha=0.7,
    )
    if facts["kind"] and not facts["scarf"]:
        for side in (-1, 1):
            collar = np.array([[0, 2.55], [side * 0.62, 1.72], [side * 0.98, 2.08], [side * 0.3, 2.85]])
            c.shape(collar * size + [x, y], p["light"], 0.74, light=0.1)
    if facts["scarf"]:
        paint_part(
            c,
            [
                [-0.85, 1.72],
                [-0.4, 1.62],
                [0.4, 1.62],
                [0.85, 1.72],
                [0.92, 2.2],
                [0.4, 2.5],
                [-0.4, 2.5],
                [-0.92, 2.2],
            ],
            x,
            y,
            size,
            0.0,
            p["accent"],
            0.5,
            0.16,
            angle=0.2,
        )
        paint_part(c, [[0.1, 2.3], [0.6, 2.3], [0.75, 3.7], [0.3, 3.8]], x, y, size, 0.05, p["accent"], 0.44, 0.12)
        for k in range(3):
            c.shape(
                limb(
                    bend(
                        x - size * 0.8,
                        y + size * (1.85 + 0.17 * k),
                        x + size * 0.8,
                        y + size * (1.85 + 0.17 * k),
                        -0.08,
                    ),
                    size * 0.04,
                    size * 0.06,
                ),
                p["accent"],
                0.34,
                alpha=0.7,
                soft=1,
            )
