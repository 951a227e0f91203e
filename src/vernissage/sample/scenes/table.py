"""Still life: fruit on a table, flowers in a vase."""

import numpy as np

from vernissage.sample.canvas import Canvas, Points
from vernissage.sample.noise import Rng, clouds, grid
from vernissage.sample.outlines import bend, box, limb, lump, oval, placed, smooth
from vernissage.sample.palettes import Array
from vernissage.sample.scenes.air import paint_land
from vernissage.sample.view import Facts, Ramps, View


def paint_room(c: Canvas, p: Ramps, view: View, rng: Rng, *, window: bool) -> float:
    """A wall with light falling across it and a table with a cloth; returns the y of the table's far edge."""
    side = -1 if view.focus >= 0.5 else 1
    c.sun = (side * 0.8, -0.6)
    x, y = grid((c.height, c.width))
    dim = {"mysterious": 0.26, "stormy": 0.28, "wistful": 0.46, "calm": 0.54, "joyful": 0.62}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.5 * side, y / c.height - 0.15)
    mottle = clouds(rng, (c.height, c.width), c.unit * 18, octaves=4)
    wall = p[("wall", "sky", "growth")[rng.integers(3)]]
    c.field(
        1.0, wall, (dim - 0.16 + 0.26 * fall + 0.035 * mottle).astype(np.float32), angle=0.8 + 0.5 * mottle, detail=0.1
    )
    c.air, c.haze = c.rgb.mean(axis=(0, 1)), 0.3
    if window:
        _paint_window(c, p, side, view)
    edge = (0.36 + 0.36 * view.horizon) * c.height
    line = edge + view.slope * (np.arange(c.width) - c.width / 2)
    paint_land(c, p["land"], line, 0.44, fall=-0.05, texture=0.03, angle=0.05)
    _paint_cloth(c, p, view, edge, rng)
    return float(edge)


def _paint_window(c: Canvas, p: Ramps, side: int, view: View) -> None:
    left = 0.06 if side < 0 else 0.66
    x0, x1, y0, y1 = left * c.width, (left + 0.28) * c.width, 0.05 * c.height, 0.42 * c.height
    night = view.mood == "mysterious"
    c.shape(box(x0 - c.unit, y0 - c.unit, x1 + c.unit, y1 + c.unit), p["light"], 0.52, light=0)
    c.shape(box(x0, y0, x1, y1), p["sky"], 0.24 if night else 0.72, light=0.1, detail=0.2, texture=0.06)
    c.shape(
        lump(np.random.default_rng(9), (x0 + x1) / 2, y1 - c.unit * 1.5, (x1 - x0) * 0.48, c.unit * 3.5, rough=0.2),
        p["growth"],
        0.3 if night else 0.52,
        alpha=0.9,
    )
    middle = (x0 + x1) / 2
    c.shape(box(middle - c.unit * 0.5, y0, middle + c.unit * 0.5, y1), p["light"], 0.52)
    c.shape(box(x0, (y0 + y1) / 2 - c.unit * 0.5, x1, (y0 + y1) / 2 + c.unit * 0.5), p["light"], 0.52)
    c.shape(box(x0 - c.unit * 2, y1 + c.unit, x1 + c.unit * 2, y1 + c.unit * 2.4), p["light"], 0.6)


def _paint_cloth(c: Canvas, p: Ramps, view: View, edge: float, rng: Rng) -> None:
    """A white cloth laid askew, with folds."""
    w, h = c.width, c.height
    side = 1 if view.focus >= 0.5 else -1
    cx = view.focus * w
    drop = edge + (h - edge) * 0.14 + view.slope * 0.5 * (cx - w / 2)
    cloth = [
        [cx - 0.42 * w, drop + c.unit * 3],
        [cx + 0.34 * w * side, drop - c.unit * 2],
        [cx + 0.5 * w, drop + c.unit * 9],
        [cx + 0.3 * w, h * 1.05],
        [cx - 0.38 * w, h * 1.05],
    ]
    c.shape(cloth, p["light"], 0.68, light=0.1, texture=0.03, angle=0.4, detail=0.3)
    for _ in range(9):
        x0 = cx + rng.uniform(-0.34, 0.36) * w
        fold = bend(
            x0, drop + c.unit * rng.uniform(4, 9), x0 + rng.normal() * w * 0.07, h * 1.04, rng.normal() * 0.12, 12
        )
        c.shape(
            limb(fold, c.unit * 0.6, c.unit * 3.2),
            p["light"],
            rng.choice((0.5, 0.56, 0.84)),
            alpha=0.55,
            soft=c.unit * 0.5,
            angle=1.3,
            detail=0.4,
        )


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
    size = min(c.unit * 7.2, (c.height - edge) * 0.30)
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
    if facts["grapes"]:
        _paint_grapes(c, p, cx + side * size * 2.9, y + size * 0.6, size, rng)
    rest = basket[inside:]
    places = sorted((rng.permutation(len(rest)) - (len(rest) - 1) / 2).tolist())
    order = rng.permutation(len(rest))
    for k in order:
        fx = cx + places[k] * size * (1.55 if not inside else 2.3) + rng.normal() * size * 0.08
        fy = y + size * (1.5 if inside else 0.55) + (k % 2) * size * 0.75 + ground * (fx - cx)
        _paint_piece(c, p, rest[k], fx, min(fy, c.height - size * 0.2), size, rng)


def _paint_piece(
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
        return p["accent"] if rng.random() < 0.65 else p["growth"], _mirrored(half), 0.44, rng.normal() * 0.12
    if kind == "pears":
        half = np.array(
            [[0, -1.5], [0.3, -1.42], [0.45, -1.0], [0.55, -0.55], [0.9, -0.05], [0.98, 0.4], [0.62, 0.86], [0.2, 0.92]]
        )
        return p["growth"] if rng.random() < 0.6 else p["glow"], _mirrored(half), 0.52, rng.normal() * 0.14
    half = np.array([[0, -1.12], [0.16, -0.98], [0.55, -0.72], [0.78, -0.1], [0.6, 0.6], [0.2, 0.98]])
    return p["glow"], _mirrored(half), 0.62, 1.57 + rng.normal() * 0.3


def _mirrored(half: Points) -> Points:
    """Close a right half into a smooth symmetrical outline."""
    left = half[::-1] * [-1, 1]
    return smooth(np.concatenate([half, left[half[::-1][:, 0] > 0.01]]), 5)


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
        _paint_piece(
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
    body = placed(_mirrored(half), x, y, 0, size)
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
    size = c.unit * (6.6 if c.height >= c.width * 0.85 else 5.2)
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
        _paint_piece(c, p, "lemons", x + (2.5 if view.focus < 0.5 else -2.5) * size, y + size * 0.7, size * 0.8, rng)


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
    c.shape(placed(blade, x, y, turn, size), p["growth"], rng.uniform(0.28, 0.56), light=0.14, angle=turn, detail=0.6)


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
    body = placed(_mirrored(np.array(halves[rng.integers(3)])), x, y, 0, size)
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
