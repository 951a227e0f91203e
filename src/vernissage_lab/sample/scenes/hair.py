"""What is on a sitter's head: long hair, a short cut, a beard, a hat."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.outlines import bend, limb, oval
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.scenes.sitter import Pose, paint_line, paint_part
from vernissage_lab.sample.view import Facts, Ramps

_PARTING = 0.25

# Outlines in half heads from the middle of the head.
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


def paint_hair_behind(c: Canvas, pose: Pose, hair: Array, tone: float) -> None:
    """Long hair that falls behind the neck; painted before the face."""
    paint_part(c, pose, _FALLING, hair, tone, 0.12)


def paint_hair(c: Canvas, p: Ramps, pose: Pose, facts: Facts, hair: Array, tone: float) -> None:
    """The hair before and above the face: parted and long with a knot, or cut short; an elder's beard with it."""
    if facts["kind"] == 0:
        _paint_locks(c, pose, hair, tone + 0.04, knot=not facts["hat"])
    else:
        paint_part(c, pose, _CUT, hair, tone, 0.16)
    _paint_strands(c, pose, hair, tone + 0.2)
    if facts["kind"] == 2:
        _paint_beard(c, p, pose, hair, tone)


def _paint_locks(c: Canvas, pose: Pose, hair: Array, tone: float, *, knot: bool) -> None:
    for side in (-1, 1):
        lock = [
            (_PARTING, -1.42), (side * 0.7, -1.28), (side * 1.0, -0.6), (side * 1.02, 0.3),
            (side * 0.86, 0.55), (side * 0.82, -0.2), (side * 0.6, -0.72), (side * 0.2, -1.0),
        ]  # fmt: skip
        paint_part(c, pose, lock, hair, tone, 0.16)
    if knot:
        c.shape(pose.place(oval(0.1, -1.66, 0.46, 0.34)), hair, tone, light=0.2)


def _paint_strands(c: Canvas, pose: Pose, hair: Array, tone: float) -> None:
    """Thin lights that run from the parting to the brow."""
    for k in range(7):
        ends = pose.place([[_PARTING - 0.1 + 0.05 * k, -1.36], [-0.75 + 0.25 * k, -0.92]])
        strand = bend(ends[0, 0], ends[0, 1], ends[1, 0], ends[1, 1], 0.1)
        c.shape(limb(strand, pose.size * 0.05, pose.size * 0.02), hair, tone, alpha=0.5, soft=0.6)


def _paint_beard(c: Canvas, p: Ramps, pose: Pose, hair: Array, tone: float) -> None:
    paint_part(c, pose, _BEARD, hair, tone, 0.18)
    for k, x in enumerate(-0.6 + 0.12 * np.arange(11)):
        thread = bend(x, 0.7, x * 0.6, 1.65 - abs(x) * 0.5, 0.1)
        paint_line(c, pose, thread, hair, tone + (0.18 if k % 2 else -0.18), start=0.05, end=0.02, alpha=0.55)
    paint_line(c, pose, bend(-0.2, 0.8, 0.2, 0.8, 0.1), p["accent"], 0.36, start=0.07, end=0.07, detail=1)


def paint_hat(c: Canvas, p: Ramps, pose: Pose, kind: int, coat: Array) -> None:
    """A woman's straw hat with a wide brim, or a dark hat with a band of the coat's colour."""
    felt, band, brim, tone = (p["glow"], p["accent"], 1.75, 0.58) if kind == 0 else (p["dark"], coat, 1.3, 0.3)
    paint_part(c, pose, _CROWN, felt, tone, 0.2)
    paint_part(c, pose, _BAND, band, 0.4, 0.16)
    rim = [
        (-brim, -0.84), (-0.7, -1.04), (0, -0.92), (0.7, -1.04), (brim, -0.84), (0.8, -0.72), (0, -0.66), (-0.8, -0.72),
    ]  # fmt: skip
    paint_part(c, pose, rim, felt, tone + 0.02, 0.2, angle=0.1)
