"""The portrait: head and shoulders before a wall or a window."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds, grid
from vernissage_lab.sample.outlines import bend, limb, lump
from vernissage_lab.sample.scenes.body import paint_body, paint_flower
from vernissage_lab.sample.scenes.face import paint_face
from vernissage_lab.sample.scenes.hair import paint_hair, paint_hair_behind, paint_hat
from vernissage_lab.sample.scenes.sitter import Pose
from vernissage_lab.sample.view import Facts, Ramps, View


def imagine_portrait(rng: Rng, _view: View) -> Facts:
    return {
        "kind": int(rng.integers(3)),
        "hat": int(rng.random() < 0.4),
        "scarf": int(rng.random() < 0.5),
        "flower": int(rng.random() < 0.3),
    }


def paint_portrait(c: Canvas, p: Ramps, view: View, facts: Facts, rng: Rng) -> None:
    """A sitter turned a little aside, in the long-necked manner of the 1910s: woman, man or bearded elder."""
    side = -1 if rng.random() < 0.5 else 1
    c.sun = (side * 0.85, -0.5)
    wall = _paint_backdrop(c, p, view, rng)
    pose = _pose(c, view, side)
    # A coat in the colour of the wall would dissolve into it.
    others = ("growth", "sky", "water") if wall == "wall" else ("accent", "land", "wall")
    coat = p[others[rng.integers(3)]]
    hair_tone = 0.62 if facts["kind"] == 2 else float(rng.choice((0.16, 0.24, 0.36)))
    hair = p["light"] if facts["kind"] == 2 else p[("dark", "land", "glow")[rng.integers(3)]]
    paint_body(c, p, pose, coat, facts)
    if facts["kind"] == 0:
        paint_hair_behind(c, pose, hair, hair_tone)
    paint_face(c, p, pose)
    paint_hair(c, p, pose, facts, hair, hair_tone)
    if facts["hat"]:
        paint_hat(c, p, pose, facts["kind"], coat)
    if facts["flower"]:
        paint_flower(c, p, pose)


def _pose(c: Canvas, view: View, side: int) -> Pose:
    """Size of the half head, its centre, and its tilt, from the layout."""
    size = {"high horizon": 0.19, "low horizon": 0.115, "centred": 0.15}.get(view.composition, 0.142) * c.height
    size = min(size, c.width * 0.2)
    y = {"high horizon": 0.36, "low horizon": 0.5, "centred": 0.37}.get(view.composition, 0.38) * c.height
    turn = side * -0.06 + (0.9 * view.slope if view.slope else 0.0)
    return Pose(view.focus * c.width, y, float(size), turn, side)


def _paint_backdrop(c: Canvas, p: Ramps, view: View, rng: Rng) -> str:
    """A wall, perhaps with a curtain or a picture on it; returns the wall's colour role."""
    x, y = grid((c.height, c.width))
    mottle = clouds(rng, (c.height, c.width), c.unit * 20, octaves=4)
    dim = {"mysterious": 0.24, "stormy": 0.27, "wistful": 0.44, "calm": 0.5, "joyful": 0.6}[view.mood]
    fall = 1 - np.hypot(x / c.width - 0.5 - 0.45 * c.sun[0], y / c.height - 0.3)
    role = ("wall", "sky", "growth", "water")[rng.integers(4)]
    c.field(
        1.0,
        p[role],
        (dim - 0.14 + 0.22 * fall + 0.04 * mottle).astype(np.float32),
        angle=1.1 + 0.7 * mottle,
        detail=0.1,
    )
    kind = rng.integers(3)
    if kind == 0:
        for k in range(5):
            fold = bend((0.04 + 0.07 * k) * c.width, 0, (0.02 + 0.08 * k) * c.width, c.height, rng.normal() * 0.02, 12)
            c.shape(
                limb(fold, c.unit * 5, c.unit * 8),
                p["accent"],
                (0.3, 0.42)[k % 2],
                light=0.1,
                alpha=0.9,
                soft=c.unit,
                angle=1.57,
                detail=0.2,
            )
    elif kind == 1:
        left = 0.62 if view.focus < 0.5 else 0.06
        frame = np.array([[left, 0.06], [left + 0.32, 0.06], [left + 0.32, 0.34], [left, 0.34]]) * [c.width, c.height]
        c.shape(frame + np.sign(frame - frame.mean(axis=0)) * c.unit * 1.2, p["land"], 0.34, light=0.15)
        c.shape(frame, p["glow"], 0.52, texture=0.08)
        hill = lump(rng, frame[:, 0].mean(), frame[2, 1] - c.unit * 3, c.width * 0.13, c.unit * 4, rough=0.1)
        c.shape(hill, p["growth"], 0.42)
    c.air, c.haze = c.rgb.mean(axis=(0, 1)), 0.2
    return role
