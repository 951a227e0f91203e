"""Still life: fruit on a table, in a bowl, with a jug."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Points
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, limb, lump, oval, placed
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.scenes.room import mirrored, paint_room
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_fruit(rng: Rng, _view: View) -> Facts:
    kinds = rng.permutation(3)
    counts = {"apples": 0, "lemons": 0, "pears": 0}
    names = list(counts)
    for kind in kinds[: int(rng.integers(1, 3))]:
        counts[names[kind]] = int(rng.integers(2, 5))
    return {
        **counts,
        "grapes": int(rng.random() < 0.4),
        "jug": int(rng.random() < 0.6),
        "bowl": int(rng.random() < 0.55),
        "window": int(rng.random() < 0.35),
    }


def paint_fruit(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """Fruit, loose or in a bowl, on a cloth; perhaps a jug and grapes."""
    edge = paint_room(c, p, view, rng, window=bool(facts["window"]))
    size = min(c.unit * 9.6, (c.height - edge) * 0.34)
    cx, y = view.focus * c.width, edge + (c.height - edge) * 0.44
    side = 1 if view.focus < 0.5 else -1
    ground = view.slope * 0.6
    if facts["jug"]:
        jx = cx - side * size * 3.0
        _paint_jug(c, p, jx, y - size * 0.5 + ground * (jx - cx), size * 1.25, rng)
    basket = [kind for kind in ("apples", "lemons", "pears") for _ in range(facts[kind])]
    rng.shuffle(basket)
    inside = min(len(basket), 4) if facts["bowl"] else 0
    if inside:
        _paint_bowl(c, p, cx, y, size, basket[:inside], rng)
    rest = basket[inside:]
    places = sorted((rng.permutation(len(rest)) - (len(rest) - 1) / 2).tolist())
    order = rng.permutation(len(rest))
    step = min(size * (2.3 if inside else 1.55), 0.84 * c.width / max(len(rest), 1))
    reach = step * (len(rest) - 1) / 2 + size * 1.1  # every fruit that is told of stays inside the picture
    middle = float(np.clip(cx, min(reach, c.width / 2), max(c.width - reach, c.width / 2)))
    for k in order:
        fx = middle + places[k] * step + rng.normal() * size * 0.08
        fy = y + size * (1.5 if inside else 0.55) + (k % 2) * size * 0.75 + ground * (fx - cx)
        paint_piece(c, p, rest[k], fx, min(fy, c.height - size * 0.2), size, rng)
    if facts["grapes"]:  # last, so that no other fruit hides them
        low = y + size * (0.6 if inside else 1.9)
        _paint_grapes(c, p, cx + side * size * (2.9 if inside else 1.2), min(low, c.height - size * 0.3), size, rng)


def paint_piece(
    c: Canvas, p: Ramps, kind: str, x: float, y: float, size: float, rng: Rng, *, shadow: bool = True
) -> None:
    """One fruit that rests on (x, y): shadow, body, reflected light, highlight, stalk."""
    if shadow:
        c.shape(
            oval(x - c.sun[0] * size * 0.75, y - size * 0.08, size * 1.05, size * 0.25),
            p["dark"],
            0.3,
            alpha=0.5,
            soft=size * 0.07,
            angle=0.0,
        )
    ramp, outline, tone, turn = _fruit(p, kind, rng)
    body = placed(outline, x, y - size * 0.72, turn, size * 0.82)
    c.shape(body, ramp, tone, light=0.2, texture=0.03, angle=1.0, detail=0.6)
    low = placed(outline, x - c.sun[0] * size * 0.2, y - size * 0.72 + size * 0.22, turn, size * 0.6)
    c.shape(low, ramp, tone - 0.13, alpha=0.5, soft=size * 0.17, angle=0.6, light=0.05)
    flush = placed(outline, x + c.sun[0] * size * 0.2, y - size * 0.72 + c.sun[1] * size * 0.16, turn, size * 0.48)
    c.shape(flush, ramp, tone + 0.22, alpha=0.6, soft=size * 0.15, angle=2.0)
    c.shape(
        lump(rng, x + c.sun[0] * size * 0.33, y - size * 1.02, size * 0.11, size * 0.15, rough=0.2, turn=0.5),
        p["light"],
        0.95,
        alpha=0.85,
        soft=size * 0.04,
        detail=0.9,
    )
    if kind != "lemons":
        tip = body[np.argmin(body[:, 1])]
        dip = 0.1 if kind == "apples" else 0.0
        c.shape(
            limb(
                bend(x + (tip[0] - x) * 0.5, tip[1] + size * (0.08 + dip), x + size * 0.16, tip[1] - size * 0.28, 0.15),
                size * 0.1,
                size * 0.06,
            ),
            p["dark"],
            0.25,
            detail=1,
        )


def _fruit(p: Ramps, kind: str, rng: Rng) -> tuple[Array, Points, float, float]:
    if kind == "apples":
        half = np.array([[0, -0.78], [0.34, -0.93], [0.8, -0.7], [1.0, -0.1], [0.84, 0.5], [0.45, 0.88], [0.12, 0.86]])
        return p["accent"] if rng.random() < 0.65 else p["growth"], mirrored(half), 0.44, rng.normal() * 0.12
    if kind == "pears":
        half = np.array(
            [[0, -1.5], [0.3, -1.42], [0.45, -1.0], [0.55, -0.55], [0.9, -0.05], [0.98, 0.4], [0.62, 0.86], [0.2, 0.92]]
        )
        return p["growth"] if rng.random() < 0.6 else p["glow"], mirrored(half), 0.52, rng.normal() * 0.14
    half = np.array([[0, -1.12], [0.16, -0.98], [0.55, -0.72], [0.78, -0.1], [0.6, 0.6], [0.2, 0.98]])
    return p["glow"], mirrored(half), 0.62, 1.57 + rng.normal() * 0.3


def _paint_bowl(c: Canvas, p: Ramps, x: float, y: float, size: float, fruit: list[str], rng: Rng) -> None:
    c.shape(
        oval(x - c.sun[0] * size * 1.1, y + size * 0.75, size * 2.5, size * 0.4),
        p["dark"],
        0.3,
        alpha=0.5,
        soft=size * 0.12,
        angle=0.0,
    )
    c.shape(oval(x, y - size * 0.55, size * 2.2, size * 0.5), p["dark"], 0.34, light=-0.1)
    spots = np.linspace(-1.2, 1.2, len(fruit)) if len(fruit) > 1 else np.zeros(1)
    for k in sorted(range(len(fruit)), key=lambda k: -abs(spots[k])):
        paint_piece(
            c,
            p,
            fruit[k],
            x + spots[k] * size,
            y - size * (0.0 if abs(spots[k]) > 0.8 else 0.22),
            size * 0.95,
            rng,
            shadow=False,
        )
    half = np.array([[2.2, -0.55], [2.0, 0.0], [1.45, 0.5], [0.75, 0.72], [0.7, 0.86]])
    rim = np.column_stack([np.linspace(-2.2, 2.2, 17), -0.55 + 0.5 * np.sqrt(1 - np.linspace(-1, 1, 17) ** 2)])
    front = np.concatenate([rim, half[1:], half[::-1][:-1] * [-1, 1]])
    c.shape(front * size + [x, y], p["sky"], 0.52, light=0.2, angle=0.1, detail=0.6)
    band = np.concatenate([placed(rim, 0, 0.14), placed(rim, 0, 0.24)[::-1]])
    c.shape(band * [size * 0.95, size] + [x, y], p["light"], 0.78, light=0.12, alpha=0.8, detail=0.9)


def _paint_jug(c: Canvas, p: Ramps, x: float, y: float, size: float, rng: Rng) -> None:
    c.shape(
        oval(x - c.sun[0] * size, y + size * 0.85, size * 1.3, size * 0.25),
        p["dark"],
        0.28,
        alpha=0.5,
        soft=size * 0.08,
        angle=0.0,
    )
    side = -1 if c.sun[0] > 0 else 1
    handle = bend(x + side * size * 0.5, y - size * 1.6, x + side * size * 0.75, y - size * 0.1, -0.42 * side, 14)
    c.shape(limb(handle, size * 0.2, size * 0.16), p["sky"], 0.46, light=0.15)
    half = np.array(
        [
            [0, -2.0],
            [0.5, -2.0],
            [0.46, -1.7],
            [0.5, -1.35],
            [0.85, -0.75],
            [0.95, -0.15],
            [0.8, 0.5],
            [0.58, 0.85],
            [0, 0.9],
        ]
    )
    ramp = p["sky"] if rng.random() < 0.5 else p["wall"]
    body = placed(mirrored(half), x, y, 0, size)
    c.shape(body, ramp, 0.5, light=0.24, angle=1.5, detail=0.5)
    c.shape(oval(x, y - size * 1.98, size * 0.5, size * 0.13), p["dark"], 0.25, detail=0.9)
    c.shape(
        limb(
            bend(x + c.sun[0] * size * 0.55, y - size * 0.9, x + c.sun[0] * size * 0.62, y + size * 0.2, 0.1),
            size * 0.1,
            size * 0.16,
        ),
        p["light"],
        0.92,
        alpha=0.75,
        soft=size * 0.04,
    )


def _paint_grapes(c: Canvas, p: Ramps, x: float, y: float, size: float, rng: Rng) -> None:
    c.shape(
        oval(x - c.sun[0] * size * 0.4, y, size * 1.5, size * 0.25),
        p["dark"],
        0.3,
        alpha=0.45,
        soft=size * 0.08,
        angle=0.0,
    )
    for row, many in enumerate((5, 4, 4, 3, 2)):
        for k in range(many):
            gx = x + (k - (many - 1) / 2) * size * 0.52 + rng.normal() * size * 0.06
            gy = y - size * (0.25 + 0.33 * row)
            c.shape(
                oval(gx, gy, size * 0.31, size * 0.31), p["water"], 0.36 + rng.normal() * 0.03, light=0.24, detail=0.8
            )
            c.shape(
                oval(gx + c.sun[0] * size * 0.1, gy - size * 0.1, size * 0.06, size * 0.06),
                p["light"],
                0.88,
                alpha=0.8,
                detail=0.9,
            )
