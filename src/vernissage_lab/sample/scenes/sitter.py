"""Where a sitter's head is on the canvas, and the painting of parts that are described by it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.canvas import Canvas, Points
from vernissage_lab.sample.outlines import limb, placed, smooth
from vernissage_lab.sample.palettes import Array


@dataclass(frozen=True)
class Pose:
    """The head's middle and half its height in pixels, its tilt in radians, and the side that the light comes from.

    Parts are described in half heads from the middle: x to the right, y downwards. Light comes from the left with
    ``side`` -1, from the right with 1.
    """

    x: float
    y: float
    size: float
    turn: float
    side: int

    def place(self, points: npt.ArrayLike) -> Points:
        """The points on the canvas, in pixels."""
        return placed(points, self.x, self.y, self.turn, self.size)


def mirrored(outline: npt.ArrayLike, side: float) -> Points:
    """The outline, or with ``side`` -1 its mirror image, left for right."""
    return np.asarray(outline, dtype=np.float64) * [side, 1.0]


def paint_part(
    c: Canvas,
    pose: Pose,
    outline: npt.ArrayLike,
    ramp: Array,
    tone: float,
    light: float,
    *,
    soft: float = 0.0,
    alpha: float = 1.0,
    angle: float = 1.3,
) -> None:
    """Paint a rounded shape; ``soft`` is the width of its edge in half heads."""
    rounded = pose.place(smooth(outline, 6))
    c.shape(rounded, ramp, tone, light=light, soft=pose.size * soft, alpha=alpha, angle=angle, detail=0.6)


def paint_line(
    c: Canvas,
    pose: Pose,
    line: npt.ArrayLike,
    ramp: Array,
    tone: float,
    *,
    start: float,
    end: float,
    alpha: float = 1.0,
    detail: float = 0.6,
) -> None:
    """Paint a line whose width runs from ``start`` to ``end`` half heads."""
    band = limb(pose.place(line), pose.size * start, pose.size * end)
    c.shape(band, ramp, tone, alpha=alpha, detail=detail)
