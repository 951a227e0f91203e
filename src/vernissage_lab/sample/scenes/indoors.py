"""Still life on a table, and the portrait."""

from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.canvas import Canvas, Figure, How, Ink
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import (
    OUTLINES,
    Points,
    bend,
    box,
    limb,
    lump,
    mirrored,
    oval,
    placed,
    smooth,
    symmetrical,
)
from vernissage_lab.sample.plan import Facts, View
from vernissage_lab.sample.scenes.air import paint_land

# Still life: fruit or flowers on a table with a cloth, before a wall with light across it.


def paint_fruit(c: Canvas, view: View, facts: Facts) -> None:
    """Fruit, loose or in a bowl, on a cloth; perhaps a jug and grapes."""
    edge, rng = _paint_room(c, view, window=bool(facts["window"])), c.rng
    size = min(c.unit * 9.6, (c.height - edge) * 0.34)
    cx, y = view.focus * c.width, edge + (c.height - edge) * 0.44
    side, ground = view.away, view.slope * 0.6
    if facts["jug"]:
        jx = cx - side * size * 3.0
        _paint_jug(Figure(c, jx, y - size * 0.5 + ground * (jx - cx), size * 1.25))
    basket = [kind for kind in ("apples", "lemons", "pears") for _ in range(facts[kind])]
    rng.shuffle(basket)
    inside = min(len(basket), 4) if facts["bowl"] else 0
    if inside:
        _paint_bowl(Figure(c, cx, y, size), basket[:inside])
    rest = basket[inside:]
    places = sorted((rng.permutation(len(rest)) - (len(rest) - 1) / 2).tolist())
    order = rng.permutation(len(rest))
    step = min(size * (2.3 if inside else 1.55), 0.84 * c.width / max(len(rest), 1))
    reach = step * (len(rest) - 1) / 2 + size * 1.1  # every fruit that is told of stays inside the picture
    middle = float(np.clip(cx, min(reach, c.width / 2), max(c.width - reach, c.width / 2)))
    for k in order:
        fx = middle + places[k] * step + rng.normal() * size * 0.08
        fy = y + size * (1.5 if inside else 0.55) + (k % 2) * size * 0.75 + ground * (fx - cx)
        _paint_piece(Figure(c, fx, min(fy, c.height - size * 0.2), size), rest[k])
    if facts["grapes"]:  # last, so that no other fruit hides them
        low, gx = y + size * (0.6 if inside else 1.9), cx + side * size * (2.9 if inside else 1.2)
        _paint_grapes(Figure(c, gx, min(low, c.height - size * 0.3), size))


def paint_flowers(c: Canvas, view: View, facts: Facts) -> None:
    """A loose bunch in a vase: roses, daisies or tulips, and petals that have dropped."""
    edge, rng = _paint_room(c, view, window=bool(facts["window"])), c.rng
    size = c.unit * (8.6 if c.height >= c.width * 0.85 else 6.9)
    x, y = view.focus * c.width, edge + (c.height - edge) * 0.4
    y = min(max(y, size * 8.5), c.height - size * 0.8)
    bunch, vase = Figure(c, x, y - size * 2.6, size), Figure(c, x, y, size)
    heads = _heads(view, rng)
    for hx, hy in heads:
        bunch.band(bend(rng.normal() * 0.2, 0.5, hx, hy, rng.normal() * 0.08), 0.1, 0.08, "growth", 0.34, detail=0.9)
    for _ in range(17):
        around, out = rng.uniform(0.1, np.pi - 0.1), rng.uniform(0.8, 2.5)
        lx, ly, long = out * np.cos(around) * 1.2, 0.3 - out * np.sin(around) * 0.8, rng.uniform(0.55, 0.95)
        turn = rng.uniform(-2.6, -0.5)
        tone = rng.uniform(0.36, 0.66)
        bunch.shape(placed(smooth(OUTLINES["leaf"], 5), lx, ly, turn, long), "growth", tone, light=0.14, angle=turn)
    _paint_vase(vase)
    for hx, hy in heads:
        head = Figure(c, x + hx * size, bunch.y + hy * size, size * rng.uniform(0.62, 0.92))
        (_paint_rose, _paint_daisy, _paint_tulip)[facts["kind"]](head)
    for k in range(facts["fallen"]):
        down = rng.uniform(0.5, 0.9)
        petal = lump(rng, (-1) ** k * (1.6 + 0.7 * k), down, 0.3, 0.14, rough=0.2, turn=rng.normal() * 0.4)
        vase.shape(petal, "accent", 0.6, light=0.15)
    if facts["lemon"]:
        _paint_piece(Figure(c, x + (2.5 if view.focus < 0.5 else -2.5) * size, y + size * 0.7, size * 0.8), "lemons")


def _paint_room(c: Canvas, view: View, *, window: bool) -> float:
    """A wall with light falling across it and a table with a cloth; returns the y of the table's far edge."""
    c.sun = (view.away * 0.8, -0.6)
    x, y = c.grid()
    dim = {"mysterious": 0.26, "stormy": 0.28, "wistful": 0.46, "calm": 0.54, "joyful": 0.62}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.5 * view.away, y / c.height - 0.15)
    mottle = c.clouds(18)
    wall = ("wall", "sky", "growth")[c.rng.integers(3)]
    c.field(1.0, wall, dim - 0.16 + 0.26 * fall + 0.035 * mottle, angle=0.8 + 0.5 * mottle, detail=0.1)
    c.air, c.haze = c.rgb.mean(axis=(0, 1)), 0.3
    if window:
        _paint_window(c, view)
    edge = (0.36 + 0.36 * view.horizon) * c.height
    line = edge + view.slope * (np.arange(c.width) - c.width / 2)
    paint_land(c, "land", line, 0.44, fall=-0.05, texture=0.03, angle=0.05)
    _paint_cloth(c, view, edge)
    return float(edge)


def _paint_window(c: Canvas, view: View) -> None:
    left = 0.06 if view.away < 0 else 0.66
    x0, x1, y0, y1 = left * c.width, (left + 0.28) * c.width, 0.05 * c.height, 0.42 * c.height
    unit, x, y, night = c.unit, (x0 + x1) / 2, (y0 + y1) / 2, view.mood == "mysterious"
    c.shape(box(x0 - unit, y0 - unit, x1 + unit, y1 + unit), "light", 0.52, light=0)
    c.shape(box(x0, y0, x1, y1), "sky", 0.24 if night else 0.72, light=0.1, detail=0.2, texture=0.06)
    bush = lump(np.random.default_rng(9), x, y1 - unit * 1.5, (x1 - x0) * 0.48, unit * 3.5, rough=0.2)
    c.shape(bush, "growth", 0.3 if night else 0.52, alpha=0.9)
    c.shape(box(x - unit * 0.5, y0, x + unit * 0.5, y1), "light", 0.52)
    c.shape(box(x0, y - unit * 0.5, x1, y + unit * 0.5), "light", 0.52)
    c.shape(box(x0 - unit * 2, y1 + unit, x1 + unit * 2, y1 + unit * 2.4), "light", 0.6)


def _paint_cloth(c: Canvas, view: View, edge: float) -> None:
    """A white cloth laid askew, with folds."""
    w, h, cx, rng = c.width, c.height, view.focus * c.width, c.rng
    drop = edge + (h - edge) * 0.14 + view.slope * 0.5 * (cx - w / 2)
    corners = ((-0.42, drop + c.unit * 3), (0.34 * -view.away, drop - c.unit * 2), (0.5, drop + c.unit * 9))
    cloth = [[cx + x * w, y] for x, y in (*corners, (0.3, h * 1.05), (-0.38, h * 1.05))]
    c.shape(cloth, "light", 0.68, light=0.1, texture=0.03, angle=0.4, detail=0.3)
    for _ in range(9):
        x0 = cx + rng.uniform(-0.34, 0.36) * w
        top, low = drop + c.unit * rng.uniform(4, 9), x0 + rng.normal() * w * 0.07
        fold = limb(bend(x0, top, low, h * 1.04, rng.normal() * 0.12, 12), c.unit * 0.6, c.unit * 3.2)
        tone = rng.choice((0.5, 0.56, 0.84))
        c.shape(fold, "light", tone, alpha=0.55, soft=c.unit * 0.5, angle=1.3, detail=0.4)


def _paint_piece(piece: Figure, kind: str, *, shadow: bool = True) -> None:
    """One fruit that rests on its place: shadow, body, reflected light, highlight, stalk."""
    rng, sun, (ink, outline, tone, turn) = piece.canvas.rng, piece.canvas.sun, _fruit(kind, piece.canvas.rng)
    if shadow:
        piece.shadow(0.75, -0.08, 1.05, 0.25, soft=0.07)
    body = placed(outline, 0, -0.72, turn, 0.82)
    piece.shape(body, ink, tone, light=0.2, angle=1.0)
    low = placed(outline, -sun[0] * 0.2, -0.5, turn, 0.6)
    piece.shape(low, ink, tone - 0.13, alpha=0.5, soft=0.17, angle=0.6, light=0.05)
    flush = placed(outline, sun[0] * 0.2, -0.72 + sun[1] * 0.16, turn, 0.48)
    piece.shape(flush, ink, tone + 0.22, alpha=0.6, soft=0.15, angle=2.0)
    highlight = lump(rng, sun[0] * 0.33, -1.02, 0.11, 0.15, rough=0.2, turn=0.5)
    piece.shape(highlight, "light", 0.95, alpha=0.85, soft=0.04, detail=0.9)
    if kind != "lemons":
        x, y = body[np.argmin(body[:, 1])]
        stalk = bend(x * 0.5, y + (0.18 if kind == "apples" else 0.08), 0.16, y - 0.28, 0.15)
        piece.band(stalk, 0.1, 0.06, "dark", 0.25, detail=1)


def _fruit(kind: str, rng: Rng) -> tuple[str, Points, float, float]:
    """Colour role, outline, tone and tilt."""
    if kind == "apples":
        return "accent" if rng.random() < 0.65 else "growth", symmetrical(OUTLINES["apple"]), 0.44, rng.normal() * 0.12
    if kind == "pears":
        return "growth" if rng.random() < 0.6 else "glow", symmetrical(OUTLINES["pear"]), 0.52, rng.normal() * 0.14
    return "glow", symmetrical(OUTLINES["lemon"]), 0.62, 1.57 + rng.normal() * 0.3


def _paint_bowl(bowl: Figure, fruit: list[str]) -> None:
    bowl.shadow(1.1, 0.75, 2.5, 0.4, soft=0.12)
    bowl.oval(0, -0.55, 2.2, 0.5, "dark", 0.34, light=-0.1)
    spots = np.linspace(-1.2, 1.2, len(fruit)) if len(fruit) > 1 else np.zeros(1)
    for k in sorted(range(len(fruit)), key=lambda k: -abs(spots[k])):
        y = bowl.y - bowl.size * (0.0 if abs(spots[k]) > 0.8 else 0.22)
        _paint_piece(Figure(bowl.canvas, bowl.x + spots[k] * bowl.size, y, bowl.size * 0.95), fruit[k], shadow=False)
    rim = np.column_stack([np.linspace(-2.2, 2.2, 17), -0.55 + 0.5 * np.sqrt(1 - np.linspace(-1, 1, 17) ** 2)])
    front = np.concatenate([rim, OUTLINES["bowl"][1:], OUTLINES["bowl"][::-1][:-1] * [-1, 1]])
    bowl.shape(front, "sky", 0.52, light=0.2, angle=0.1)
    band = np.concatenate([placed(rim, 0, 0.14), placed(rim, 0, 0.24)[::-1]]) * [0.95, 1]
    bowl.shape(band, "light", 0.78, light=0.12, alpha=0.8, detail=0.9)


def _paint_jug(jug: Figure) -> None:
    sun = jug.canvas.sun[0]
    side = -1 if sun > 0 else 1
    jug.shadow(1, 0.85, 1.3, 0.25, tone=0.28, soft=0.08)
    jug.band(bend(side * 0.5, -1.6, side * 0.75, -0.1, -0.42 * side, 14), 0.2, 0.16, "sky", 0.46, light=0.15)
    ink = "sky" if jug.canvas.rng.random() < 0.5 else "wall"
    jug.shape(symmetrical(OUTLINES["jug"]), ink, 0.5, light=0.24, angle=1.5, detail=0.5)
    jug.oval(0, -1.98, 0.5, 0.13, "dark", 0.25, detail=0.9)
    jug.band(bend(sun * 0.55, -0.9, sun * 0.62, 0.2, 0.1), 0.1, 0.16, "light", 0.92, alpha=0.75, soft=0.04)


def _paint_grapes(grapes: Figure) -> None:
    rng, sun = grapes.canvas.rng, grapes.canvas.sun[0]
    grapes.shadow(0.4, 0, 1.5, 0.25, alpha=0.45, soft=0.08)
    for row, many in enumerate((5, 4, 4, 3, 2)):
        for k in range(many):
            x, y = (k - (many - 1) / 2) * 0.52 + rng.normal() * 0.06, -0.25 - 0.33 * row
            grapes.oval(x, y, 0.31, 0.31, "water", 0.36 + rng.normal() * 0.03, light=0.24, detail=0.8)
            grapes.oval(x + sun * 0.1, y - 0.1, 0.06, 0.06, "light", 0.88, alpha=0.8, detail=0.9)


def _paint_vase(vase: Figure) -> None:
    rng, sun = vase.canvas.rng, vase.canvas.sun[0]
    vase.shadow(1.3, 0.55, 1.8, 0.3, soft=0.12)
    body = symmetrical(OUTLINES[f"vase_{rng.integers(3)}"])
    vase.shape(body, ("sky", "wall", "light", "water")[rng.integers(4)], 0.52, light=0.24, angle=1.5, detail=0.5)
    vase.band(bend(sun * 0.55, -1.3, sun * 0.62, -0.2, 0.08), 0.1, 0.2, "light", 0.9, alpha=0.7, soft=0.05)


def _heads(view: View, rng: Rng) -> list[tuple[float, float]]:
    """Where the flower heads stand above the vase: spread over a fan, those in front lower."""
    heads = []
    for ring, many in ((2.7, 5), (1.9, 5), (0.95, 4)):
        for k in range(many):
            around = np.pi * (0.08 + 0.84 * (k + 0.5) / many) + rng.normal() * 0.1
            x = 1.12 * ring * np.cos(around) + view.slope * 2
            heads.append((x, -ring * (0.35 + 0.75 * np.sin(around)) * 0.85))
    return heads


def _bloom_ink(rng: Rng) -> str:
    return ("accent", "light", "glow", "skin")[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]


def _paint_rose(head: Figure) -> None:
    rng, (sx, sy) = head.canvas.rng, head.canvas.sun
    ink = _bloom_ink(rng)
    for ring, (radius, tone) in enumerate(((1.0, 0.42), (0.78, 0.52), (0.55, 0.62), (0.32, 0.46))):
        petals = lump(rng, sx * 0.1 * ring, sy * 0.1 * ring, radius, radius * 0.9, rough=0.16)
        head.shape(petals, ink, tone, light=0.16, angle=rng.uniform(0, 3), detail=0.7)
    swirl = [[0.3 * np.cos(t) * t / 6, 0.3 * np.sin(t) * t / 6] for t in np.linspace(1, 6, 14)]
    head.band(swirl, 0.08, 0.05, ink, 0.25, detail=0.9)


def _paint_daisy(head: Figure) -> None:
    rng, ink = head.canvas.rng, _bloom_ink(head.canvas.rng)
    ink = "light" if rng.random() < 0.6 else ink
    for around in np.arange(13) / 13 * 2 * np.pi:
        petal = placed(smooth(OUTLINES["petal"], 4), 0, 0, around, 1.05) * [1, 0.85]
        tone = 0.72 + 0.1 * rng.random() + 0.1 * (np.cos(around) * head.canvas.sun[0] > 0)
        head.shape(petal, ink, tone, light=0.08, angle=around, detail=0.8)
    head.shape(lump(rng, 0, 0, 0.32, 0.28), "accent", 0.52, light=0.2, detail=0.9)


def _paint_tulip(head: Figure) -> None:
    ink = _bloom_ink(head.canvas.rng)
    turn = head.canvas.rng.normal() * 0.3
    for shift, tone in ((-0.3, 0.4), (0.3, 0.46), (0.0, 0.56)):
        petal = placed(placed(smooth(OUTLINES["tulip"], 5), shift, 0), 0, 0, turn)
        head.shape(petal, ink, tone, light=0.18, angle=1.4, detail=0.7)


# The portrait: head and shoulders before a wall or a window.


_PARTING = 0.25


@dataclass(frozen=True)
class Sitter(Figure):
    """A head: its middle, half its height as the size, its tilt, and the side of the light (-1 left, 1 right)."""

    side: int = 1

    def part(
        self, outline: npt.ArrayLike, ink: Ink, tone: float, rise: float, *, side: int = 1, **how: Unpack[How]
    ) -> None:
        """Paint a rounded shape, lighter by ``rise`` towards the sun, or with ``side`` -1 its mirror image."""
        rounded = smooth(mirrored(outline, side), 6)
        how = {"light": rise, "angle": 1.3, **how}
        self.shape(rounded, ink, tone, **how)


def paint_portrait(c: Canvas, view: View, facts: Facts) -> None:
    """A sitter turned a little aside, in the long-necked manner of the 1910s: woman, man or bearded elder."""
    rng, kind = c.rng, facts["kind"]
    side = -1 if rng.random() < 0.5 else 1
    c.sun = (side * 0.85, -0.5)
    wall = _paint_backdrop(c, view)
    head = _place_head(c, view, side)
    # A coat in the colour of the wall would dissolve into it.
    coat = (("growth", "sky", "water") if wall == "wall" else ("accent", "land", "wall"))[rng.integers(3)]
    tone = 0.62 if kind == 2 else float(rng.choice((0.16, 0.24, 0.36)))
    hair = "light" if kind == 2 else ("dark", "land", "glow")[rng.integers(3)]
    _paint_body(replace(head, turn=0.0), coat, facts)
    if kind == 0:
        head.part(OUTLINES["falling"], hair, tone, 0.12)
    _paint_face(head)
    _paint_hair(head, facts, hair, tone)
    if facts["hat"]:
        _paint_hat(head, kind, coat)
    if facts["flower"]:
        _paint_flower(head)


def _place_head(c: Canvas, view: View, side: int) -> Sitter:
    """The head's size, middle and tilt, from the layout."""
    sizes = {"high horizon": (0.19, 0.36), "low horizon": (0.115, 0.5), "centred": (0.15, 0.37)}
    size, y = sizes.get(view.composition, (0.142, 0.38))
    turn = side * -0.06 + 0.9 * view.slope
    return Sitter(c, view.focus * c.width, y * c.height, float(min(size * c.height, c.width * 0.2)), turn, side)


def _paint_backdrop(c: Canvas, view: View) -> str:
    """A wall, perhaps with a curtain or a picture on it; returns the wall's colour role."""
    x, y = c.grid()
    mottle = c.clouds(20)
    dim = {"mysterious": 0.24, "stormy": 0.27, "wistful": 0.44, "calm": 0.5, "joyful": 0.6}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.45 * c.sun[0], y / c.height - 0.3)
    role = ("wall", "sky", "growth", "water")[c.rng.integers(4)]
    c.field(1.0, role, dim - 0.14 + 0.22 * fall + 0.04 * mottle, angle=1.1 + 0.7 * mottle, detail=0.1)
    kind = c.rng.integers(3)
    if kind == 0:
        for k in range(5):
            top, low, sag = (0.04 + 0.07 * k) * c.width, (0.02 + 0.08 * k) * c.width, c.rng.normal() * 0.02
            c.band(
                bend(top, 0, low, c.height, sag, 12), c.unit * 5, c.unit * 8, "accent", (0.3, 0.42)[k % 2], light=0.1,
                alpha=0.9, soft=c.unit, angle=1.57, detail=0.2,
            )  # fmt: skip
    elif kind == 1:
        left = 0.62 if view.focus < 0.5 else 0.06
        frame = np.array([[left, 0.06], [left + 0.32, 0.06], [left + 0.32, 0.34], [left, 0.34]]) * [c.width, c.height]
        c.shape(frame + np.sign(frame - frame.mean(axis=0)) * c.unit * 1.2, "land", 0.34, light=0.15)
        c.shape(frame, "glow", 0.52, texture=0.08)
        hill = lump(c.rng, frame[:, 0].mean(), frame[2, 1] - c.unit * 3, c.width * 0.13, c.unit * 4, rough=0.1)
        c.shape(hill, "growth", 0.42)
    c.air, c.haze = c.rgb.mean(axis=(0, 1)), 0.2
    return role


def _paint_body(body: Sitter, coat: Ink, facts: Facts) -> None:
    """Shoulders and trunk down to the canvas's edge, upright however the head is tilted."""
    wide, neck = (2.0, 0.36) if facts["kind"] == 0 else (2.45, 0.5)
    fall = max((body.canvas.height - body.y) / body.size + 1, 5)
    half = np.array([(neck, 1.75), (1.2, 2.15), (wide, 2.75), (wide * 1.18, 4.2), (wide * 1.22, fall)])
    body.part(np.concatenate([mirrored(half), half[::-1]]), coat, 0.36, 0.14, angle=1.1)
    for side in (-1, 1):
        sleeve = bend(side * wide * 0.78, 3.2, side * wide * 0.86, fall, 0.06 * side, 10)
        body.band(sleeve, 0.1, 0.3, coat, 0.2, alpha=0.6, soft=0.08)
        fold = bend(side * 0.5, 2.4, side * 0.9, 4.6, 0.05 * side, 10)
        body.band(fold, 0.08, 0.22, coat, 0.5 if side * body.canvas.sun[0] > 0 else 0.26, alpha=0.55, soft=0.08)
    throat = [(-neck, 0.6), (-neck, 1.7), (-0.62, 2.05), (0, 2.6), (0.62, 2.05), (neck, 1.7), (neck, 0.6)]
    body.part(throat, "skin", 0.46, 0.12)
    shade = [(-neck, 0.7), (0, 1.2), (neck, 0.7), (neck, 1.15), (0, 1.62), (-neck, 1.15)]
    body.part(shade, "skin", 0.28, 0.0, soft=0.08, alpha=0.7)
    if facts["scarf"]:
        body.part(OUTLINES["wrap"], "accent", 0.5, 0.16, angle=0.2)
        replace(body, turn=0.05).part(OUTLINES["tail"], "accent", 0.44, 0.12)
        for down in (1.85, 2.02, 2.19):
            body.band(bend(-0.8, down, 0.8, down, -0.08), 0.04, 0.06, "accent", 0.34, alpha=0.7, soft=1 / body.size)
    elif facts["kind"]:
        for side in (-1, 1):
            body.shape(mirrored(OUTLINES["collar"], side), "light", 0.74, light=0.1)


def _paint_flower(head: Sitter) -> None:
    """A flower of six petals at the breast, on the side of the light."""
    flower = Figure(head.canvas, head.x + head.side * head.size, head.y + head.size * 2.95, head.size)
    for around in np.arange(6) * np.pi / 3:
        petal = oval(0.17 * np.cos(around), 0.17 * np.sin(around), 0.14, 0.11, around)
        flower.shape(petal, "light", 0.82, light=0.1, detail=0.9)
    flower.oval(0, 0, 0.1, 0.1, "accent", 0.6, detail=0.9)


def _paint_face(head: Sitter) -> None:
    """A long oval face, light on one side, with almond eyes that look a little away from the light."""
    side = head.side
    head.part(OUTLINES["face"], "skin", 0.56, 0.2)
    head.part(OUTLINES["shade"], "skin", 0.34, 0.04, side=side, soft=0.11, alpha=0.75)
    head.part(OUTLINES["forehead"], "skin", 0.82, 0.05, side=side, soft=0.12, alpha=0.7)
    head.part(OUTLINES["cheek"], "accent", 0.62, 0.05, side=side, soft=0.13, alpha=0.32)
    for eye in (-1, 1):
        head.part(OUTLINES["socket"], "skin", 0.32, 0.0, side=eye, soft=0.07, alpha=0.6)
        head.part(OUTLINES["almond"], "light", 0.7, 0.05, side=eye)
        x, y = head.place([[eye * 0.4 - side * 0.05, -0.135]])[0]
        iris = Figure(head.canvas, x, y, head.size)
        iris.oval(0, 0, 0.1, 0.105, "dark", 0.22, detail=1)
        iris.oval(side * 0.035, -0.04, 0.025, 0.025, "light", 0.95, detail=1)
        head.band(bend(eye * 0.17, -0.12, eye * 0.66, -0.13, -0.24 * eye, 9), 0.06, 0.03, "dark", 0.24, detail=1)
        brow = bend(eye * 0.14, -0.4, eye * 0.72, -0.38, -0.2 * eye, 9)
        head.band(brow, 0.09, 0.035, "dark", 0.26, alpha=0.85, detail=1)
    head.part(OUTLINES["nose_shade"], "skin", 0.36, 0.0, side=side, soft=0.03, alpha=0.75)
    head.part(OUTLINES["nose_light"], "skin", 0.8, 0.0, side=side, soft=0.03, alpha=0.7)
    for wing in (-0.11, 0.11):
        head.oval(wing, 0.455, 0.045, 0.025, "dark", 0.3, detail=1, alpha=0.8)
    ramps = head.canvas.ramps
    lips = 0.35 * ramps["accent"] + 0.35 * ramps["skin"] + 0.3 * ramps["wall"]
    head.part(OUTLINES["upper_lip"], lips, 0.36, 0.05)
    head.part(OUTLINES["lower_lip"], lips, 0.48, 0.1)
    head.part(OUTLINES["under_lip"], "skin", 0.38, 0.0, soft=0.04, alpha=0.6)


def _paint_hair(head: Sitter, facts: Facts, hair: Ink, tone: float) -> None:
    """The hair before and above the face: parted and long with a knot, or cut short; an elder's beard with it."""
    if facts["kind"] == 0:
        for side in (-1, 1):
            lock = [
                (_PARTING, -1.42), (side * 0.7, -1.28), (side * 1.0, -0.6), (side * 1.02, 0.3),
                (side * 0.86, 0.55), (side * 0.82, -0.2), (side * 0.6, -0.72), (side * 0.2, -1.0),
            ]  # fmt: skip
            head.part(lock, hair, tone + 0.04, 0.16)
        if not facts["hat"]:
            head.shape(oval(0.1, -1.66, 0.46, 0.34), hair, tone + 0.04, light=0.2)
    else:
        head.part(OUTLINES["cut"], hair, tone, 0.16)
    for k in range(7):  # thin lights from the parting to the brow
        strand = bend(_PARTING - 0.1 + 0.05 * k, -1.36, -0.75 + 0.25 * k, -0.92, 0.1)
        head.band(strand, 0.05, 0.02, hair, tone + 0.2, alpha=0.5, soft=0.6 / head.size)
    if facts["kind"] == 2:
        head.part(OUTLINES["beard"], hair, tone, 0.18)
        for k, x in enumerate(-0.6 + 0.12 * np.arange(11)):
            thread = bend(x, 0.7, x * 0.6, 1.65 - abs(x) * 0.5, 0.1)
            head.band(thread, 0.05, 0.02, hair, tone + (0.18 if k % 2 else -0.18), alpha=0.55)
        head.band(bend(-0.2, 0.8, 0.2, 0.8, 0.1), 0.07, 0.07, "accent", 0.36, detail=1)


def _paint_hat(head: Sitter, kind: int, coat: Ink) -> None:
    """A woman's straw hat with a wide brim, or a dark hat with a band of the coat's colour."""
    felt, band, brim, tone = ("glow", "accent", 1.75, 0.58) if kind == 0 else ("dark", coat, 1.3, 0.3)
    head.part(OUTLINES["crown"], felt, tone, 0.2)
    head.part(OUTLINES["band"], band, 0.4, 0.16)
    rim = [
        (-brim, -0.84), (-0.7, -1.04), (0, -0.92), (0.7, -1.04), (brim, -0.84), (0.8, -0.72), (0, -0.66), (-0.8, -0.72),
    ]  # fmt: skip
    head.part(rim, felt, tone + 0.02, 0.2, angle=0.1)
