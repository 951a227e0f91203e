"""Trees, houses, people and boats: what scenes share."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, box, limb, lump, oval
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.view import Ramps


def paint_leafy(
    c: Canvas,
    p: Ramps,
    x: float,
    y: float,
    height: float,
    rng: Rng,
    *,
    crown: Array | None = None,
    tone: float = 0.45,
    depth: float = 0.0,
    shadow: bool = True,
) -> None:
    """A tree in leaf that stands at (x, y): shadow on the ground, trunk, and clumps from dark to lit."""
    leaves = p["growth"] if crown is None else crown
    spread, middle = height * 0.36, y - height * 0.62
    if shadow:
        reach = -c.sun[0] * height * 0.3
        c.shape(oval(x + reach, y, spread * 1.1, height * 0.07), p["dark"], 0.25, alpha=0.4, soft=2, angle=0.0)
    trunk = bend(x, y + 1, x + rng.normal() * height * 0.04, middle, rng.normal() * 0.08)
    c.shape(limb(trunk, height * 0.08, height * 0.03), p["dark"], 0.28, light=0.15, depth=depth, angle=1.5)
    size = spread * 0.5
    for stage, (share, lift) in enumerate(((1.0, -0.17), (0.85, -0.02), (0.6, 0.14), (0.38, 0.27))):
        for _ in range(9 if stage < 3 else 7):
            around, out = rng.uniform(0, 2 * np.pi), spread * share * np.sqrt(rng.random())
            cx = x + out * np.cos(around) + c.sun[0] * stage * spread * 0.13
            cy = middle + 0.85 * out * np.sin(around) + min(c.sun[1], -0.3) * stage * spread * 0.13
            clump = lump(rng, cx, cy, size * (1 - 0.17 * stage), size * 0.72 * (1 - 0.17 * stage), rough=0.3)
            c.shape(
                clump, leaves, tone + lift + rng.normal() * 0.03, light=0.07, depth=depth,
                angle=rng.uniform(-1.2, 1.2), detail=0.55, alpha=0.9, soft=0.6,
            )  # fmt: skip


def paint_bare(
    c: Canvas, p: Ramps, x: float, y: float, height: float, rng: Rng, *, tone: float = 0.14, depth: float = 0.0
) -> None:
    """A leafless tree at (x, y)."""

    def grow(x0: float, y0: float, length: float, turn: float, width: float, level: int) -> None:
        x1, y1 = x0 + length * np.sin(turn), y0 - length * np.cos(turn)
        path = bend(x0, y0, x1, y1, rng.normal() * 0.07, 5)
        c.shape(
            limb(path, width, width * 0.62), p["dark"], tone, depth=depth, angle=np.pi / 2 - turn, detail=0.9,
            texture=0.05,
        )  # fmt: skip
        if level == 0 or length < c.unit * 0.8:
            return
        for side in (-1, 1):
            grow(
                x1, y1, length * rng.uniform(0.62, 0.84), turn + side * rng.uniform(0.18, 0.55), width * 0.62, level - 1
            )
        if level > 2 and rng.random() < 0.6:
            grow((x0 + x1) / 2, (y0 + y1) / 2, length * 0.6, turn + rng.choice((-1, 1)) * 0.8, width * 0.4, level - 2)

    grow(x, y + 1, height * 0.28, rng.normal() * 0.06, max(height * 0.05, 1.2), 5)


def paint_pine(
    c: Canvas,
    p: Ramps,
    x: float,
    y: float,
    height: float,
    rng: Rng,
    *,
    tone: float = 0.3,
    depth: float = 0.0,
    snow: float = 0.0,
) -> None:
    """A fir at (x, y) in drooping tiers; ``snow`` is the share of the tiers that carry some."""
    c.shape(box(x - height * 0.02, y - height * 0.2, x + height * 0.02, y + 1), p["dark"], 0.2, depth=depth)
    tiers = 7
    for tier in range(tiers):
        share = tier / tiers
        low, wide = y - height * (0.1 + 0.8 * share), height * 0.21 * (1 - share) + height * 0.025
        high = low - height * 0.24
        teeth = np.linspace(-1, 1, 9)
        skirt = [[x + t * wide, low - (1 - abs(t)) * wide * 0.25 + rng.uniform(0, height * 0.03)] for t in teeth]
        c.shape([[x, high], *reversed(skirt)], p["growth"], tone + 0.06 * share, light=0.14, depth=depth, angle=1.2)
        if rng.random() < snow:
            cap = [
                [x, high],
                [x + wide * 0.75, low - height * 0.05],
                [x, low - height * 0.1],
                [x - wide * 0.75, low - height * 0.05],
            ]
            c.shape(cap, p["light"], 0.84, light=0.1, depth=depth, alpha=0.85, soft=0.5)


def paint_house(
    c: Canvas,
    p: Ramps,
    x: float,
    y: float,
    size: float,
    rng: Rng,
    *,
    wall: Array,
    roof: Array,
    tone: float = 0.6,
    roof_tone: float = 0.4,
    lit: float = 0.0,
    depth: float = 0.0,
) -> None:
    """A gabled house whose front foot is centred on (x, y); ``lit`` is the share of windows with light in them."""
    wide, high, long = size * 0.42, size * 0.55, size * rng.uniform(0.4, 0.75)
    side = 1 if rng.random() < 0.5 else -1
    peak = high + size * 0.36
    front_tone = tone + 0.1 * (1 if -side * c.sun[0] > 0 else -1)
    edge = x + side * wide
    far, slant = edge + side * long, size * 0.05
    c.shape(
        [[edge, y], [edge, y - high], [far, y - high - slant], [far, y - slant]],
        wall,
        2 * tone - front_tone - 0.02,
        depth=depth,
        angle=0.0,
    )
    front = [[x - wide, y], [x - wide, y - high], [x, y - peak], [x + wide, y - high], [x + wide, y]]
    c.shape(front, wall, front_tone, light=0.04, depth=depth, angle=1.57)
    over = size * 0.06
    ridge_far = x + side * (long + over)
    roof_side = [
        [x, y - peak - over],
        [edge + side * over, y - high + over],
        [far + side * over, y - high - slant + over],
        [ridge_far, y - peak - slant - over],
    ]
    c.shape(roof_side, roof, roof_tone, light=0.1, depth=depth, angle=0.9 * side)
    away = [
        [x, y - peak - over],
        [x - side * (wide + over), y - high + over],
        [x - side * (wide + over), y - high + 2 * over],
        [x, y - peak + over * 0.6],
    ]
    c.shape(away, roof, roof_tone - 0.08, depth=depth)
    if rng.random() < 0.8:
        cx = x + side * long * rng.uniform(0.35, 0.7)
        c.shape(
            box(cx - size * 0.06, y - peak - size * 0.2, cx + size * 0.06, y - peak + size * 0.08),
            wall,
            tone - 0.25,
            depth=depth,
        )
    _paint_windows(c, p, (x, y, size, wide, high, side, long), rng, lit, depth)


def _paint_windows(
    c: Canvas, p: Ramps, plan: tuple[float, float, float, float, float, int, float], rng: Rng, lit: float, depth: float
) -> None:
    x, y, size, wide, high, side, long = plan
    spots = [(x - wide * 0.5, 0.62), (x + wide * 0.45, 0.62), (x, 1.12)]
    spots += [(x + side * (wide + long * share), 0.62) for share in (0.3, 0.72)]
    for wx, share in spots:
        glowing = rng.random() < lit
        ramp, tone = (p["accent"], 0.68) if glowing else (p["dark"], 0.3)
        half, tall = size * 0.065, size * 0.19
        top = y - high * share - tall / 2
        c.shape(box(wx - half, top, wx + half, top + tall), ramp, tone, texture=0.02, depth=depth * 0.5, detail=0.9)
        if glowing and size > c.unit * 5:
            c.shine(wx, top + tall / 2, size * 0.22, p["accent"][90], 0.4)
    c.shape(box(x - size * 0.08, y - size * 0.27, x + size * 0.06, y), p["dark"], 0.25, depth=depth, detail=0.8)


def paint_person(
    c: Canvas,
    p: Ramps,
    x: float,
    y: float,
    height: float,
    rng: Rng,
    *,
    coat: Array,
    tone: float = 0.35,
    umbrella: bool = False,
) -> None:
    """A small standing figure with its feet at (x, y)."""
    h, lean = height, rng.normal() * 0.05
    c.shape(oval(x - c.sun[0] * h * 0.25, y, h * 0.3, h * 0.05), p["dark"], 0.2, alpha=0.4, soft=1, angle=0.0)
    for step in (-1, 1):
        c.shape(
            limb(bend(x, y - h * 0.45, x + step * h * 0.09, y), h * 0.11, h * 0.07),
            p["dark"],
            0.18,
            detail=1,
            angle=1.5,
        )
    body = np.array(
        [[-0.17, -0.22], [-0.14, -0.55], [-0.13, -0.78], [0, -0.84], [0.13, -0.78], [0.14, -0.55], [0.18, -0.22]]
    )
    body[:, 0] -= lean * body[:, 1]
    c.shape(body * h + [x, y], coat, tone, light=0.14, detail=1, angle=1.5)
    head = x + lean * h * 0.9
    c.shape(oval(head, y - h * 0.91, h * 0.075, h * 0.09), p["skin"], 0.5, light=0.15, detail=1)
    c.shape(oval(head, y - h * 0.975, h * 0.1, h * 0.045), p["dark"], 0.2, detail=1)
    if umbrella:
        dome = [
            [head - 0.42 * h, y - 0.98 * h],
            [head - 0.3 * h, y - 1.17 * h],
            [head, y - 1.28 * h],
            [head + 0.3 * h, y - 1.17 * h],
            [head + 0.42 * h, y - 0.98 * h],
            [head, y - 1.05 * h],
        ]
        c.shape(dome, coat, tone - 0.1, light=0.2, detail=1)


def paint_boat(
    c: Canvas,
    p: Ramps,
    x: float,
    y: float,
    size: float,
    rng: Rng,
    *,
    hull: Array,
    sails: bool,
    turn: int = 1,
    tone: float = 0.4,
) -> None:
    """A boat that floats at (x, y) with its reflection; ``turn`` is 1 or -1, the side its bow points to."""
    tilt = rng.normal() * 0.03
    body = np.array(
        [
            [-1, -0.26],
            [-0.9, 0.02],
            [-0.55, 0.13],
            [0.5, 0.13],
            [0.9, -0.08],
            [1.16, -0.42],
            [0.5, -0.24],
            [-0.4, -0.22],
        ]
    )
    rim = np.array(
        [
            [-1, -0.26],
            [-0.4, -0.22],
            [0.5, -0.24],
            [1.16, -0.42],
            [1.1, -0.33],
            [0.5, -0.15],
            [-0.4, -0.13],
            [-0.97, -0.16],
        ]
    )
    parts: list[tuple[np.ndarray, Array, float]] = []
    mast = rng.uniform(1.5, 2.1)
    parts.append((limb(bend(0.1, -0.2, 0.1 + tilt, -mast), 0.07, 0.04), p["dark"], 0.25))
    if sails:
        belly = rng.uniform(0.1, 0.2)
        main = [[0.04, -0.42], [0.06, -mast * 0.55], [0.1, -mast * 0.97], [-0.35 - belly, -mast * 0.62], [-0.95, -0.46]]
        jib = [[0.18, -mast * 0.9], [0.5 + belly, -mast * 0.5], [1.08, -0.44], [0.2, -0.42]]
        parts += [(np.array(main), p["light"], 0.74), (np.array(jib), p["glow"], 0.66)]
    else:
        furled = bend(-0.85, -0.55, 0.08, -0.5, -0.06)
        parts += [
            (limb(furled, 0.1, 0.14), p["wall"], 0.5),
            (np.array([[-0.35, -0.2], [-0.33, -0.52], [-0.02, -0.52], [0.0, -0.2]]), p["light"], 0.6),
        ]
    parts += [(body, hull, tone), (rim, p["light"], 0.72)]
    scale = np.array([size * turn, size])
    for outline, ramp, shade in parts:
        mirrored = outline * scale * [1, -0.75] + [x, y + size * 0.2]
        c.shape(mirrored, ramp, shade - 0.16, alpha=0.4, soft=size * 0.03 + 0.5, angle=0.0, detail=0.4)
    for outline, ramp, shade in parts:
        c.shape(outline * scale + [x, y], ramp, shade, light=0.1, detail=0.95, angle=0.05)
