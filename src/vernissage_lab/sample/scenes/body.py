"""What a sitter wears: a coat, a collar or a scarf, perhaps a flower."""

from dataclasses import replace

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.outlines import bend, limb, oval
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.scenes.sitter import Pose, mirrored, paint_part
from vernissage_lab.sample.view import Facts, Ramps

# Outlines in half heads from the middle of the head; the collar's right half is mirrored.
_COLLAR = ((0, 2.55), (0.62, 1.72), (0.98, 2.08), (0.3, 2.85))
_WRAP = (
    (-0.85, 1.72), (-0.4, 1.62), (0.4, 1.62), (0.85, 1.72), (0.92, 2.2), (0.4, 2.5), (-0.4, 2.5), (-0.92, 2.2),
)  # fmt: skip
_TAIL = ((0.1, 2.3), (0.6, 2.3), (0.75, 3.7), (0.3, 3.8))


def paint_body(c: Canvas, p: Ramps, pose: Pose, coat: Array, facts: Facts) -> None:
    """Shoulders and trunk down to the canvas's edge, upright however the head is tilted."""
    upright = replace(pose, turn=0.0)
    wide, neck = (2.0, 0.36) if facts["kind"] == 0 else (2.45, 0.5)
    _paint_coat(c, upright, coat, wide, neck)
    _paint_neck(c, p, upright, neck)
    if facts["scarf"]:
        _paint_scarf(c, p, upright)
    elif facts["kind"]:
        for side in (-1, 1):
            c.shape(upright.place(mirrored(_COLLAR, side)), p["light"], 0.74, light=0.1)


def paint_flower(c: Canvas, p: Ramps, pose: Pose) -> None:
    """A flower of six petals at the breast, on the side of the light."""
    x, y, size = pose.x + pose.side * pose.size * 1.0, pose.y + pose.size * 2.95, pose.size
    for around in np.arange(6) * np.pi / 3:
        petal_x, petal_y = x + size * 0.17 * np.cos(around), y + size * 0.17 * np.sin(around)
        petal = oval(petal_x, petal_y, size * 0.14, size * 0.11, around)
        c.shape(petal, p["light"], 0.82, light=0.1, detail=0.9)
    c.shape(oval(x, y, size * 0.1, size * 0.1), p["accent"], 0.6, detail=0.9)


def _paint_coat(c: Canvas, pose: Pose, coat: Array, wide: float, neck: float) -> None:
    fall = max((c.height - pose.y) / pose.size + 1, 5)
    trunk = [
        (-neck, 1.75), (-1.2, 2.15), (-wide, 2.75), (-wide * 1.18, 4.2), (-wide * 1.22, fall),
        (wide * 1.22, fall), (wide * 1.18, 4.2), (wide, 2.75), (1.2, 2.15), (neck, 1.75),
    ]  # fmt: skip
    paint_part(c, pose, trunk, coat, 0.36, 0.14, angle=1.1)
    x, y, size = pose.x, pose.y, pose.size
    for side in (-1, 1):
        top, bottom = (x + side * size * wide * 0.78, y + size * 3.2), (x + side * size * wide * 0.86, y + size * fall)
        sleeve = bend(*top, *bottom, 0.06 * side, 10)
        c.shape(limb(sleeve, size * 0.1, size * 0.3), coat, 0.2, alpha=0.6, soft=size * 0.08)
        fold = bend(x + side * size * 0.5, y + size * 2.4, x + side * size * 0.9, y + size * 4.6, 0.05 * side, 10)
        tone = 0.5 if side * c.sun[0] > 0 else 0.26
        c.shape(limb(fold, size * 0.08, size * 0.22), coat, tone, alpha=0.55, soft=size * 0.08)


def _paint_neck(c: Canvas, p: Ramps, pose: Pose, neck: float) -> None:
    throat = [(-neck, 0.6), (-neck, 1.7), (-0.62, 2.05), (0, 2.6), (0.62, 2.05), (neck, 1.7), (neck, 0.6)]
    paint_part(c, pose, throat, p["skin"], 0.46, 0.12)
    shade = [(-neck, 0.7), (0, 1.2), (neck, 0.7), (neck, 1.15), (0, 1.62), (-neck, 1.15)]
    paint_part(c, pose, shade, p["skin"], 0.28, 0.0, soft=0.08, alpha=0.7)


def _paint_scarf(c: Canvas, p: Ramps, pose: Pose) -> None:
    paint_part(c, pose, _WRAP, p["accent"], 0.5, 0.16, angle=0.2)
    paint_part(c, replace(pose, turn=0.05), _TAIL, p["accent"], 0.44, 0.12)
    x, y, size = pose.x, pose.y, pose.size
    for k in range(3):
        down = y + size * (1.85 + 0.17 * k)
        crease = limb(bend(x - size * 0.8, down, x + size * 0.8, down, -0.08), size * 0.04, size * 0.06)
        c.shape(crease, p["accent"], 0.34, alpha=0.7, soft=1)
