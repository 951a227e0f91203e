"""Outlines with a hand in them: lumps, tapering limbs, boxes, and the lines between two points."""

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.palettes import SCENERY

Points = npt.NDArray[np.float64]
"""float64 (n, 2): x and y in pixels, or in units of a figure."""

OUTLINES: dict[str, Points] = {name: np.array(points, np.float64) for name, points in SCENERY["outlines"].items()}


def lump(
    rng: Rng, x: float, y: float, rx: float, ry: float, *, rough: float = 0.12, turn: float = 0.0, n: int = 28
) -> Points:
    """A closed, slightly irregular oval round (x, y)."""
    around = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = np.ones(n)
    for wave in (2, 3, 5, 7):
        radius += rough / wave**0.6 * rng.normal() * np.cos(wave * around + rng.uniform(0, 2 * np.pi))
    return placed(np.column_stack([rx * radius * np.cos(around), ry * radius * np.sin(around)]), x, y, turn)


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Points:
    """An ellipse of 32 points round (x, y)."""
    around = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return placed(np.column_stack([rx * np.cos(around), ry * np.sin(around)]), x, y, turn)


def placed(points: npt.ArrayLike, x: float, y: float, turn: float = 0.0, scale: float = 1.0) -> Points:
    """Turn an outline (radians), scale it and move its origin to (x, y)."""
    cosine, sine = np.cos(turn), np.sin(turn)
    spun = np.asarray(points, dtype=np.float64) @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(spun * scale + [x, y])


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """A rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def limb(line: npt.ArrayLike, start: float, end: float) -> Points:
    """A band along a line whose width runs from ``start`` to ``end`` pixels."""
    path = np.asarray(line, dtype=np.float64)
    ahead = np.gradient(path, axis=0)
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    half = np.linspace(start, end, len(path))[:, None] / 2
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


def bend(x0: float, y0: float, x1: float, y1: float, sag: float = 0.0, n: int = 8) -> Points:
    """A line between two points that bows sideways by ``sag`` of its length."""
    t = np.linspace(0, 1, n)[:, None]
    ends = np.array([[x0, y0], [x1, y1]], dtype=np.float64)
    sideways = np.array([-(y1 - y0), x1 - x0]) * sag
    return np.asarray((1 - t) * ends[0] + t * ends[1] + 4 * t * (1 - t) * sideways)


def smooth(points: npt.ArrayLike, n: int = 8) -> Points:
    """A closed Catmull-Rom curve through the points, ``n`` steps between neighbours."""
    p = np.asarray(points, dtype=np.float64)
    before, after, beyond = np.roll(p, 1, axis=0), np.roll(p, -1, axis=0), np.roll(p, -2, axis=0)
    t = np.linspace(0, 1, n, endpoint=False)[None, :, None]
    a, b, c, d = before[:, None], p[:, None], after[:, None], beyond[:, None]
    curve = b + t * ((c - a) / 2 + t * (a - 2.5 * b + 2 * c - d / 2 + t * ((d - a) / 2 + 1.5 * (b - c))))
    return np.asarray(curve.reshape(-1, 2))


def mirrored(outline: npt.ArrayLike, side: float = -1) -> Points:
    """The outline, or with ``side`` -1 its mirror image, left for right."""
    return np.asarray(outline, dtype=np.float64) * [side, 1.0]


def symmetrical(half: npt.ArrayLike) -> Points:
    """Close a right half into a smooth symmetrical outline."""
    right = np.asarray(half, dtype=np.float64)
    left = mirrored(right[::-1])
    return smooth(np.concatenate([right, left[left[:, 0] < -0.01]]), 5)
