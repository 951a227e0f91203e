"""The portrait: head and shoulders before a wall or a window."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.canvas import Canvas, Figure, Ink
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.outlines import bend, lump, mirrored, oval, smooth
from vernissage_lab.sample.view import Facts, View

# Outlines in half heads from the middle of the head; those of one half are drawn for the right and mirrored.
_FACE = (
    (0, -1.32), (0.62, -1.15), (0.88, -0.5), (0.86, 0.15), (0.62, 0.85), (0.24, 1.24),
    (-0.24, 1.24), (-0.62, 0.85), (-0.86, 0.15), (-0.88, -0.5), (-0.62, -1.15),
)  # fmt: skip
_SHADE = (
    (-0.3, -1.2), (-0.86, -0.5), (-0.84, 0.2), (-0.55, 0.92), (-0.14, 1.22), (-0.36, 0.4), (-0.42, -0.3),
)  # fmt: skip
_FOREHEAD = ((0.2, -1.05), (0.62, -0.8), (0.6, -0.45), (0.15, -0.6))
_CHEEK = ((0.38, 0.12), (0.7, 0.1), (0.6, 0.5), (0.36, 0.46))
_SOCKET = ((0.14, -0.2), (0.4, -0.34), (0.68, -0.2), (0.42, -0.02))
_ALMOND = ((0.2, -0.12), (0.4, -0.24), (0.62, -0.13), (0.4, -0.04))
_NOSE_SHADE = ((-0.04, -0.3), (-0.2, 0.34), (-0.17, 0.46), (0.0, 0.47), (0.02, 0.0))
_NOSE_LIGHT = ((0.03, -0.3), (0.09, 0.3), (0.14, 0.42), (0.0, 0.4), (-0.03, -0.1))
_UPPER_LIP = ((-0.29, 0.77), (-0.09, 0.69), (0.0, 0.72), (0.09, 0.69), (0.29, 0.77), (0.0, 0.8))
_LOWER_LIP = ((-0.27, 0.78), (0.0, 0.8), (0.27, 0.78), (0.12, 0.9), (-0.12, 0.9))
_UNDER_LIP = ((-0.16, 0.97), (0.16, 0.97), (0.0, 1.03))
_FALLING = (
    (-1.05, -0.6), (-0.6, -1.55), (0.5, -1.6), (1.1, -0.7), (1.12, 0.6), (0.8, 1.25), (-0.7, 1.25), (-1.1, 0.5),
)  # fmt: skip
_CUT = (
    (-0.93, -0.35), (-0.98, -0.9), (-0.6, -1.45), (0.1, -1.58), (0.72, -1.38), (1.0, -0.85), (0.93, -0.35),
    (0.76, -0.7), (0.5, -1.0), (-0.3, -1.04), (-0.74, -0.72),
)  # fmt: skip
_BEARD = (
    (-0.8, 0.1), (-0.6, 0.58), (-0.3, 0.62), (0.0, 0.56), (0.3, 0.62), (0.6, 0.58), (0.8, 0.1),
    (0.86, 0.75), (0.5, 1.6), (0.0, 1.95), (-0.5, 1.6), (-0.86, 0.75),
)  # fmt: skip
_CROWN = ((-0.85, -0.92), (-0.8, -1.7), (-0.3, -1.95), (0.35, -1.95), (0.82, -1.7), (0.85, -0.92))
_BAND = ((-0.87, -1.2), (0, -1.06), (0.87, -1.2), (0.87, -0.92), (0, -0.8), (-0.87, -0.92))
_COLLAR = ((0, 2.55), (0.62, 1.72), (0.98, 2.08), (0.3, 2.85))
_WRAP = (
    (-0.85, 1.72), (-0.4, 1.62), (0.4, 1.62), (0.85, 1.72), (0.92, 2.2), (0.4, 2.5), (-0.4, 2.5), (-0.92, 2.2),
)  # fmt: skip
_TAIL = ((0.1, 2.3), (0.6, 2.3), (0.75, 3.7), (0.3, 3.8))
_PARTING = 0.25


@dataclass(frozen=True)
class Sitter(Figure):
    """A head: its middle, half its height as the size, its tilt, and the side of the light (-1 left, 1 right)."""

    side: int = 1

    def part(
        self,
        outline: npt.ArrayLike,
        ink: Ink,
        tone: float,
        light: float,
        *,
        side: int = 1,
        angle: float = 1.3,
        alpha: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Paint a rounded shape, or with ``side`` -1 its mirror image."""
        rounded = smooth(mirrored(outline, side), 6)
        self.shape(rounded, ink, tone, light=light, angle=angle, alpha=alpha, soft=soft)


def imagine_portrait(rng: Rng, _view: View) -> Facts:
    kind, chances = int(rng.integers(3)), {"hat": 0.4, "scarf": 0.5, "flower": 0.3}
    return {"kind": kind, **{name: int(rng.random() < chance) for name, chance in chances.items()}}


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
        head.part(_FALLING, hair, tone, 0.12)
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
        body.part(_WRAP, "accent", 0.5, 0.16, angle=0.2)
        replace(body, turn=0.05).part(_TAIL, "accent", 0.44, 0.12)
        for down in (1.85, 2.02, 2.19):
            body.band(bend(-0.8, down, 0.8, down, -0.08), 0.04, 0.06, "accent", 0.34, alpha=0.7, soft=1 / body.size)
    elif facts["kind"]:
        for side in (-1, 1):
            body.shape(mirrored(_COLLAR, side), "light", 0.74, light=0.1)


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
    head.part(_FACE, "skin", 0.56, 0.2)
    head.part(_SHADE, "skin", 0.34, 0.04, side=side, soft=0.11, alpha=0.75)
    head.part(_FOREHEAD, "skin", 0.82, 0.05, side=side, soft=0.12, alpha=0.7)
    head.part(_CHEEK, "accent", 0.62, 0.05, side=side, soft=0.13, alpha=0.32)
    for eye in (-1, 1):
        head.part(_SOCKET, "skin", 0.32, 0.0, side=eye, soft=0.07, alpha=0.6)
        head.part(_ALMOND, "light", 0.7, 0.05, side=eye)
        x, y = head.place([[eye * 0.4 - side * 0.05, -0.135]])[0]
        iris = Figure(head.canvas, x, y, head.size)
        iris.oval(0, 0, 0.1, 0.105, "dark", 0.22, detail=1)
        iris.oval(side * 0.035, -0.04, 0.025, 0.025, "light", 0.95, detail=1)
        head.band(bend(eye * 0.17, -0.12, eye * 0.66, -0.13, -0.24 * eye, 9), 0.06, 0.03, "dark", 0.24, detail=1)
        brow = bend(eye * 0.14, -0.4, eye * 0.72, -0.38, -0.2 * eye, 9)
        head.band(brow, 0.09, 0.035, "dark", 0.26, alpha=0.85, detail=1)
    head.part(_NOSE_SHADE, "skin", 0.36, 0.0, side=side, soft=0.03, alpha=0.75)
    head.part(_NOSE_LIGHT, "skin", 0.8, 0.0, side=side, soft=0.03, alpha=0.7)
    for wing in (-0.11, 0.11):
        head.oval(wing, 0.455, 0.045, 0.025, "dark", 0.3, detail=1, alpha=0.8)
    ramps = head.canvas.ramps
    lips = 0.35 * ramps["accent"] + 0.35 * ramps["skin"] + 0.3 * ramps["wall"]
    head.part(_UPPER_LIP, lips, 0.36, 0.05)
    head.part(_LOWER_LIP, lips, 0.48, 0.1)
    head.part(_UNDER_LIP, "skin", 0.38, 0.0, soft=0.04, alpha=0.6)


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
        head.part(_CUT, hair, tone, 0.16)
    for k in range(7):  # thin lights from the parting to the brow
        strand = bend(_PARTING - 0.1 + 0.05 * k, -1.36, -0.75 + 0.25 * k, -0.92, 0.1)
        head.band(strand, 0.05, 0.02, hair, tone + 0.2, alpha=0.5, soft=0.6 / head.size)
    if facts["kind"] == 2:
        head.part(_BEARD, hair, tone, 0.18)
        for k, x in enumerate(-0.6 + 0.12 * np.arange(11)):
            thread = bend(x, 0.7, x * 0.6, 1.65 - abs(x) * 0.5, 0.1)
            head.band(thread, 0.05, 0.02, hair, tone + (0.18 if k % 2 else -0.18), alpha=0.55)
        head.band(bend(-0.2, 0.8, 0.2, 0.8, 0.1), 0.07, 0.07, "accent", 0.36, detail=1)


def _paint_hat(head: Sitter, kind: int, coat: Ink) -> None:
    """A woman's straw hat with a wide brim, or a dark hat with a band of the coat's colour."""
    felt, band, brim, tone = ("glow", "accent", 1.75, 0.58) if kind == 0 else ("dark", coat, 1.3, 0.3)
    head.part(_CROWN, felt, tone, 0.2)
    head.part(_BAND, band, 0.4, 0.16)
    rim = [
        (-brim, -0.84), (-0.7, -1.04), (0, -0.92), (0.7, -1.04), (brim, -0.84), (0.8, -0.72), (0, -0.66), (-0.8, -0.72),
    ]  # fmt: skip
    head.part(rim, felt, tone + 0.02, 0.2, angle=0.1)
