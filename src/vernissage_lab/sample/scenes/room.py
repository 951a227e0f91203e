"""The room of a still life: a wall with light across it, a window, a table with a cloth."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Points
from vernissage_lab.sample.noise import Rng, clouds, grid
from vernissage_lab.sample.outlines import bend, box, limb, lump, smooth
from vernissage_lab.sample.scenes.air import paint_land
from vernissage_lab.sample.view import Ramps, View


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


def mirrored(half: Points) -> Points:
    """Close a right half into a smooth symmetrical outline."""
    left = half[::-1] * [-1, 1]
    return smooth(np.concatenate([half, left[half[::-1][:, 0] > 0.01]]), 5)
