"""The portrait: head and shoulders before a wall or a window."""

import numpy as np

from vernissage.sample.canvas import Canvas
from vernissage.sample.noise import Rng, clouds, grid
from vernissage.sample.outlines import bend, limb, lump, oval, placed, smooth
from vernissage.sample.palettes import Array
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
    _paint_backdrop(c, p, view, rng)
    size, x, y, turn = _pose(c, view, side)
    coat = p[("growth", "sky", "accent", "water")[rng.integers(4)]]
    hair_tone = 0.62 if facts["kind"] == 2 else float(rng.choice((0.16, 0.24, 0.36)))
    hair = p["light"] if facts["kind"] == 2 else p[("dark", "land", "glow")[rng.integers(3)]]
    _paint_body(c, p, x, y, size, coat, facts, rng)
    if facts["kind"] == 0:
        _part(
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
    _paint_face(c, p, x, y, size, turn, side, rng)
    _paint_hair(c, p, x, y, size, turn, facts, hair, hair_tone)
    if facts["hat"]:
        _paint_hat(c, p, x, y, size, turn, facts["kind"], coat)
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


def _paint_backdrop(c: Canvas, p: Ramps, view: View, rng: Rng) -> None:
    x, y = grid((c.height, c.width))
    mottle = clouds(rng, (c.height, c.width), c.unit * 20, octaves=4)
    dim = {"mysterious": 0.24, "stormy": 0.27, "wistful": 0.44, "calm": 0.5, "joyful": 0.6}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.45 * c.sun[0], y / c.height - 0.3)
    wall = p[("wall", "sky", "growth", "water")[rng.integers(4)]]
    c.field(
        1.0, wall, (dim - 0.14 + 0.22 * fall + 0.04 * mottle).astype(np.float32), angle=1.1 + 0.7 * mottle, detail=0.1
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


def _part(
    c: Canvas,
    outline: list[list[float]],
    x: float,
    y: float,
    size: float,
    turn: float,
    ramp: Array,
    tone: float,
    light: float,
    soft: float = 0.0,
    alpha: float = 1.0,
    angle: float = 1.3,
) -> None:
    c.shape(
        placed(smooth(outline, 6), x, y, turn, size),
        ramp,
        tone,
        light=light,
        soft=soft,
        alpha=alpha,
        angle=angle,
        detail=0.6,
    )


def _paint_body(c: Canvas, p: Ramps, x: float, y: float, size: float, coat: Array, facts: Facts, rng: Rng) -> None:
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
    _part(c, trunk, x, y, size, 0.0, coat, 0.36, 0.14, angle=1.1)
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
    _part(c, throat, x, y, size, 0.0, p["skin"], 0.46, 0.12)
    _part(
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
        _part(
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
        _part(c, [[0.1, 2.3], [0.6, 2.3], [0.75, 3.7], [0.3, 3.8]], x, y, size, 0.05, p["accent"], 0.44, 0.12)
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


def _paint_face(c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, side: int, rng: Rng) -> None:
    skin = p["skin"]
    face = [
        [0, -1.32],
        [0.62, -1.15],
        [0.88, -0.5],
        [0.86, 0.15],
        [0.62, 0.85],
        [0.24, 1.24],
        [-0.24, 1.24],
        [-0.62, 0.85],
        [-0.86, 0.15],
        [-0.88, -0.5],
        [-0.62, -1.15],
    ]
    _part(c, face, x, y, size, turn, skin, 0.56, 0.2)
    shade = [
        [-side * 0.3, -1.2],
        [-side * 0.86, -0.5],
        [-side * 0.84, 0.2],
        [-side * 0.55, 0.92],
        [-side * 0.14, 1.22],
        [-side * 0.36, 0.4],
        [-side * 0.42, -0.3],
    ]
    _part(c, shade, x, y, size, turn, skin, 0.34, 0.04, soft=size * 0.11, alpha=0.75)
    _part(
        c,
        [[side * 0.2, -1.05], [side * 0.62, -0.8], [side * 0.6, -0.45], [side * 0.15, -0.6]],
        x,
        y,
        size,
        turn,
        skin,
        0.82,
        0.05,
        soft=size * 0.12,
        alpha=0.7,
    )
    _part(
        c,
        [[side * 0.38, 0.12], [side * 0.7, 0.1], [side * 0.6, 0.5], [side * 0.36, 0.46]],
        x,
        y,
        size,
        turn,
        p["accent"],
        0.62,
        0.05,
        soft=size * 0.13,
        alpha=0.32,
    )
    gaze = -side * 0.05
    for eye in (-1, 1):
        socket = [[eye * 0.14, -0.2], [eye * 0.4, -0.34], [eye * 0.68, -0.2], [eye * 0.42, -0.02]]
        _part(c, socket, x, y, size, turn, skin, 0.32, 0.0, soft=size * 0.07, alpha=0.6)
        almond = [[eye * 0.2, -0.12], [eye * 0.4, -0.24], [eye * 0.62, -0.13], [eye * 0.4, -0.04]]
        _part(c, almond, x, y, size, turn, p["light"], 0.7, 0.05)
        iris = placed([[eye * 0.4 + gaze, -0.135]], x, y, turn, size)[0]
        c.shape(oval(iris[0], iris[1], size * 0.1, size * 0.105), p["dark"], 0.22, detail=1)
        c.shape(
            oval(iris[0] + side * size * 0.035, iris[1] - size * 0.04, size * 0.025, size * 0.025),
            p["light"],
            0.95,
            detail=1,
        )
        lid = placed(bend(eye * 0.17, -0.12, eye * 0.66, -0.13, -0.24 * eye, 9), x, y, turn, size)
        c.shape(limb(lid, size * 0.06, size * 0.03), p["dark"], 0.24, detail=1)
        brow = placed(bend(eye * 0.14, -0.4, eye * 0.72, -0.38, -0.2 * eye, 9), x, y, turn, size)
        c.shape(limb(brow, size * 0.09, size * 0.035), p["dark"], 0.26, detail=1, alpha=0.85)
    _part(
        c,
        [[-side * 0.04, -0.3], [-side * 0.2, 0.34], [-side * 0.17, 0.46], [0.0, 0.47], [side * 0.02, 0.0]],
        x,
        y,
        size,
        turn,
        skin,
        0.36,
        0.0,
        soft=size * 0.03,
        alpha=0.75,
    )
    _part(
        c,
        [[side * 0.03, -0.3], [side * 0.09, 0.3], [side * 0.14, 0.42], [0.0, 0.4], [-side * 0.03, -0.1]],
        x,
        y,
        size,
        turn,
        skin,
        0.8,
        0.0,
        soft=size * 0.03,
        alpha=0.7,
    )
    for wing in (-1, 1):
        spot = placed([[wing * 0.11, 0.455]], x, y, turn, size)[0]
        c.shape(oval(spot[0], spot[1], size * 0.045, size * 0.025), p["dark"], 0.3, detail=1, alpha=0.8)
    lips = p["accent"]
    _part(
        c,
        [[-0.29, 0.77], [-0.09, 0.69], [0.0, 0.72], [0.09, 0.69], [0.29, 0.77], [0.0, 0.8]],
        x,
        y,
        size,
        turn,
        lips,
        0.36,
        0.05,
    )
    _part(c, [[-0.27, 0.78], [0.0, 0.8], [0.27, 0.78], [0.12, 0.9], [-0.12, 0.9]], x, y, size, turn, lips, 0.48, 0.1)
    _part(c, [[-0.16, 0.97], [0.16, 0.97], [0.0, 1.03]], x, y, size, turn, skin, 0.38, 0.0, soft=size * 0.04, alpha=0.6)


def _paint_hair(
    c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, facts: Facts, hair: Array, tone: float
) -> None:
    parting = 0.25
    if facts["kind"] == 0:
        for side in (-1, 1):
            lock = [
                [parting, -1.42],
                [side * 0.7, -1.28],
                [side * 1.0, -0.6],
                [side * 1.02, 0.3],
                [side * 0.86, 0.55],
                [side * 0.82, -0.2],
                [side * 0.6, -0.72],
                [side * 0.2, -1.0],
            ]
            _part(c, lock, x, y, size, turn, hair, tone + 0.04, 0.16)
        if not facts["hat"]:
            c.shape(placed(oval(0.1, -1.66, 0.46, 0.34), x, y, turn, size), hair, tone + 0.04, light=0.2)
    else:
        cap = [
            [-0.93, -0.35],
            [-0.98, -0.9],
            [-0.6, -1.45],
            [0.1, -1.58],
            [0.72, -1.38],
            [1.0, -0.85],
            [0.93, -0.35],
            [0.76, -0.7],
            [0.5, -1.0],
            [-0.3, -1.04],
            [-0.74, -0.72],
        ]
        _part(c, cap, x, y, size, turn, hair, tone, 0.16)
    for k in range(7):
        start = placed([[parting - 0.1 + 0.05 * k, -1.36], [(-0.75 + 0.25 * k), -0.92]], x, y, turn, size)
        c.shape(
            limb(bend(start[0, 0], start[0, 1], start[1, 0], start[1, 1], 0.1), size * 0.05, size * 0.02),
            hair,
            tone + 0.2,
            alpha=0.5,
            soft=0.6,
        )
    if facts["kind"] == 2:
        beard = [
            [-0.8, 0.1],
            [-0.6, 0.58],
            [-0.3, 0.62],
            [0.0, 0.56],
            [0.3, 0.62],
            [0.6, 0.58],
            [0.8, 0.1],
            [0.86, 0.75],
            [0.5, 1.6],
            [0.0, 1.95],
            [-0.5, 1.6],
            [-0.86, 0.75],
        ]
        _part(c, beard, x, y, size, turn, hair, tone, 0.18)
        for k in range(11):
            sx = -0.6 + 0.12 * k
            thread = placed(bend(sx, 0.7, sx * 0.6, 1.65 - abs(sx) * 0.5, 0.1), x, y, turn, size)
            c.shape(limb(thread, size * 0.05, size * 0.02), hair, tone + (0.18 if k % 2 else -0.18), alpha=0.55)
        mouth = placed(bend(-0.2, 0.8, 0.2, 0.8, 0.1), x, y, turn, size)
        c.shape(limb(mouth, size * 0.07, size * 0.07), p["accent"], 0.36, detail=1)


def _paint_hat(c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, kind: int, coat: Array) -> None:
    if kind == 0:
        ramp, band, brim = p["glow"], p["accent"], 1.75
    else:
        ramp, band, brim = p["dark"], coat, 1.3
    tone = 0.58 if kind == 0 else 0.3
    _part(
        c,
        [[-0.85, -0.92], [-0.8, -1.7], [-0.3, -1.95], [0.35, -1.95], [0.82, -1.7], [0.85, -0.92]],
        x,
        y,
        size,
        turn,
        ramp,
        tone,
        0.2,
    )
    _part(
        c,
        [[-0.87, -1.2], [0, -1.06], [0.87, -1.2], [0.87, -0.92], [0, -0.8], [-0.87, -0.92]],
        x,
        y,
        size,
        turn,
        band,
        0.4,
        0.16,
    )
    _part(
        c,
        [
            [-brim, -0.84],
            [-0.7, -1.04],
            [0, -0.92],
            [0.7, -1.04],
            [brim, -0.84],
            [0.8, -0.72],
            [0, -0.66],
            [-0.8, -0.72],
        ],
        x,
        y,
        size,
        turn,
        ramp,
        tone + 0.02,
        0.2,
        angle=0.1,
    )
