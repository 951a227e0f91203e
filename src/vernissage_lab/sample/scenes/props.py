"""Trees, houses, people and boats: what scenes share."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure, Ink
from vernissage_lab.sample.outlines import OUTLINES, Points, bend, box, limb, lump, mirrored, placed


def paint_leafy(
    c: Canvas,
    x: float,
    y: float,
    height: float,
    *,
    crown: Ink = "growth",
    tone: float = 0.45,
    depth: float = 0.0,
    shadow: bool = True,
) -> None:
    """A tree in leaf that stands at (x, y): shadow on the ground, trunk, and clumps from dark to lit."""
    rng, spread, middle = c.rng, height * 0.36, y - height * 0.62
    if shadow:
        Figure(c, x, y, height).shadow(0.3, 0, 0.396, 0.07, tone=0.25, alpha=0.4, soft=2 / height)
    trunk = bend(x, y + 1, x + rng.normal() * height * 0.04, middle, rng.normal() * 0.08)
    c.band(trunk, height * 0.08, height * 0.03, "dark", 0.28, light=0.15, depth=depth, angle=1.5)
    for stage, (share, lift) in enumerate(((1.0, -0.17), (0.85, -0.02), (0.6, 0.14), (0.38, 0.27))):
        size = spread * 0.5 * (1 - 0.17 * stage)
        for _ in range(9 if stage < 3 else 7):
            around, out = rng.uniform(0, 2 * np.pi), spread * share * np.sqrt(rng.random())
            cx = x + out * np.cos(around) + c.sun[0] * stage * spread * 0.13
            cy = middle + 0.85 * out * np.sin(around) + min(c.sun[1], -0.3) * stage * spread * 0.13
            c.shape(
                lump(rng, cx, cy, size, size * 0.72, rough=0.3), crown, tone + lift + rng.normal() * 0.03, light=0.07,
                depth=depth, angle=rng.uniform(-1.2, 1.2), detail=0.55, alpha=0.9, soft=0.6,
            )  # fmt: skip


def paint_bare(c: Canvas, x: float, y: float, height: float, *, tone: float = 0.14, depth: float = 0.0) -> None:
    """A leafless tree at (x, y)."""
    rng = c.rng

    def grow(x0: float, y0: float, length: float, turn: float, width: float, level: int) -> None:
        x1, y1 = x0 + length * np.sin(turn), y0 - length * np.cos(turn)
        path = bend(x0, y0, x1, y1, rng.normal() * 0.07, 5)
        c.band(
            path, width, width * 0.62, "dark", tone, depth=depth, angle=np.pi / 2 - turn, detail=0.9, texture=0.05
        )  # fmt: skip
        if level == 0 or length < c.unit * 0.8:
            return
        for side in (-1, 1):
            reach, lean = length * rng.uniform(0.62, 0.84), turn + side * rng.uniform(0.18, 0.55)
            grow(x1, y1, reach, lean, width * 0.62, level - 1)
        if level > 2 and rng.random() < 0.6:
            grow((x0 + x1) / 2, (y0 + y1) / 2, length * 0.6, turn + rng.choice((-1, 1)) * 0.8, width * 0.4, level - 2)

    grow(x, y + 1, height * 0.28, rng.normal() * 0.06, max(height * 0.05, 1.2), 5)


def paint_pine(
    c: Canvas, x: float, y: float, height: float, *, tone: float = 0.3, depth: float = 0.0, snow: float = 0.0
) -> None:
    """A fir at (x, y) in drooping tiers; ``snow`` is the share of the tiers that carry some."""
    c.shape(box(x - height * 0.02, y - height * 0.2, x + height * 0.02, y + 1), "dark", 0.2, depth=depth)
    tiers = 7
    for tier in range(tiers):
        share = tier / tiers
        low, wide = y - height * (0.1 + 0.8 * share), height * 0.21 * (1 - share) + height * 0.025
        high, teeth = low - height * 0.24, np.linspace(-1, 1, 9)
        hang = c.rng.uniform(0, height * 0.03, 9)
        skirt = np.column_stack([x + teeth * wide, low - (1 - np.abs(teeth)) * wide * 0.25 + hang])
        c.shape([[x, high], *skirt[::-1]], "growth", tone + 0.06 * share, light=0.14, depth=depth, angle=1.2)
        if c.rng.random() < snow:
            edge = low - height * 0.05
            cap = [[x, high], [x + wide * 0.75, edge], [x, low - height * 0.1], [x - wide * 0.75, edge]]
            c.shape(cap, "light", 0.84, light=0.1, depth=depth, alpha=0.85, soft=0.5)


def paint_house(
    c: Canvas,
    x: float,
    y: float,
    size: float,
    *,
    wall: Ink,
    roof: Ink,
    tone: float = 0.6,
    roof_tone: float = 0.4,
    lit: float = 0.0,
    depth: float = 0.0,
) -> None:
    """A gabled house whose front foot is centred on (x, y); ``lit`` is the share of windows with light in them."""
    wide, high, peak, over, long = 0.42, 0.55, 0.91, 0.06, c.rng.uniform(0.4, 0.75)
    side = 1 if c.rng.random() < 0.5 else -1
    house = Figure(c, x, y, size)
    front_tone = tone + 0.1 * (1 if -side * c.sun[0] > 0 else -1)
    far = wide + long
    flank = mirrored([[wide, 0], [wide, -high], [far, -high - 0.05], [far, -0.05]], side)
    house.shape(flank, wall, 2 * tone - front_tone - 0.02, depth=depth, angle=0.0)
    front = [[-wide, 0], [-wide, -high], [0, -peak], [wide, -high], [wide, 0]]
    house.shape(front, wall, front_tone, light=0.04, depth=depth, angle=1.57)
    eaves, ridge = over - high, -peak - over
    near = [[0, ridge], [wide + over, eaves], [far + over, eaves - 0.05], [long + over, ridge - 0.05]]
    house.shape(mirrored(near, side), roof, roof_tone, light=0.1, depth=depth, angle=0.9 * side)
    edge = [[0, ridge], [-wide - over, eaves], [-wide - over, eaves + over], [0, over * 0.6 - peak]]
    house.shape(mirrored(edge, side), roof, roof_tone - 0.08, depth=depth)
    if c.rng.random() < 0.8:
        chimney = side * long * c.rng.uniform(0.35, 0.7)
        house.box(chimney - 0.06, -peak - 0.2, chimney + 0.06, 0.08 - peak, wall, tone - 0.25, depth=depth)
    rows = [(-wide * 0.5, 0.62), (wide * 0.45, 0.62), (0.0, 1.12)]
    for wx, storey in [*rows, *((side * (wide + long * share), 0.62) for share in (0.3, 0.72))]:
        glowing = c.rng.random() < lit
        top = -high * storey - 0.095
        ink, shade = ("accent", 0.68) if glowing else ("dark", 0.3)
        house.box(wx - 0.065, top, wx + 0.065, top + 0.19, ink, shade, texture=0.02, depth=depth * 0.5, detail=0.9)
        if glowing and size > c.unit * 5:
            c.shine(x + wx * size, y + (top + 0.095) * size, size * 0.22, "accent", 0.705, 0.4)
    house.box(-0.08, -0.27, 0.06, 0, "dark", 0.25, depth=depth, detail=0.8)


def paint_person(
    c: Canvas, x: float, y: float, height: float, *, coat: Ink, tone: float = 0.35, umbrella: bool = False
) -> None:
    """A small standing figure with its feet at (x, y)."""
    lean, person = c.rng.normal() * 0.05, Figure(c, x, y, height)
    person.shadow(0.25, 0, 0.3, 0.05, tone=0.2, alpha=0.4, soft=1 / height)
    for step in (-0.09, 0.09):
        person.band(bend(0, -0.45, step, 0), 0.11, 0.07, "dark", 0.18, detail=1, angle=1.5)
    body = np.array(
        [[-0.17, -0.22], [-0.14, -0.55], [-0.13, -0.78], [0, -0.84], [0.13, -0.78], [0.14, -0.55], [0.18, -0.22]]
    )
    body[:, 0] -= lean * body[:, 1]
    person.shape(body, coat, tone, light=0.14, detail=1, angle=1.5)
    head = lean * 0.9
    person.oval(head, -0.91, 0.075, 0.09, "skin", 0.5, light=0.15, detail=1)
    person.oval(head, -0.975, 0.1, 0.045, "dark", 0.2, detail=1)
    if umbrella:
        dome = [[-0.42, -0.98], [-0.3, -1.17], [0, -1.28], [0.3, -1.17], [0.42, -0.98], [0, -1.05]]
        person.shape(placed(dome, head, 0), coat, tone - 0.1, light=0.2, detail=1)


def paint_boat(
    c: Canvas, x: float, y: float, size: float, *, hull: Ink, sails: bool, turn: int = 1, tone: float = 0.4
) -> None:
    """A boat that floats at (x, y) with its reflection; ``turn`` is 1 or -1, the side its bow points to."""
    tilt, mast = c.rng.normal() * 0.03, c.rng.uniform(1.5, 2.1)
    parts: list[tuple[Points, Ink, float]] = [(limb(bend(0.1, -0.2, 0.1 + tilt, -mast), 0.07, 0.04), "dark", 0.25)]
    if sails:
        belly = c.rng.uniform(0.1, 0.2)
        main = [[0.04, -0.42], [0.06, -mast * 0.55], [0.1, -mast * 0.97], [-0.35 - belly, -mast * 0.62], [-0.95, -0.46]]
        jib = [[0.18, -mast * 0.9], [0.5 + belly, -mast * 0.5], [1.08, -0.44], [0.2, -0.42]]
        parts += [(np.array(main), "light", 0.74), (np.array(jib), "glow", 0.66)]
    else:
        cabin = np.array([[-0.35, -0.2], [-0.33, -0.52], [-0.02, -0.52], [0.0, -0.2]])
        parts += [(limb(bend(-0.85, -0.55, 0.08, -0.5, -0.06), 0.1, 0.14), "wall", 0.5), (cabin, "light", 0.6)]
    parts += [(OUTLINES["hull"], hull, tone), (OUTLINES["rim"], "light", 0.72)]
    scale = np.array([size * turn, size])
    for outline, ink, shade in parts:
        reflected = outline * scale * [1, -0.75] + [x, y + size * 0.2]
        c.shape(reflected, ink, shade - 0.16, alpha=0.4, soft=size * 0.03 + 0.5, angle=0.0, detail=0.4)
    for outline, ink, shade in parts:
        c.shape(outline * scale + [x, y], ink, shade, light=0.1, detail=0.95, angle=0.05)
