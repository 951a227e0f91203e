"""Gouache: flat, matt shapes in few steps of tone, dry-brushed where they meet."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import blur, smear, tripled
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.techniques.paper import (
    clipped,
    contrasted,
    flow,
    luminance,
    saturated,
    sheet,
    simplified,
    tooth,
)


def paint_gouache(c: Canvas) -> Array:
    """Gouache on card with a clean margin."""
    shape = (c.height, c.width)
    study = saturated(contrasted(c.rgb), 1.22)
    flat = simplified(study, 11, 2)
    sharp = simplified(study, 3)
    share = tripled(np.clip(blur(c.detail, c.unit * 0.6) * 2.2 - 0.9, 0, 1))
    base = flat * (1 - share) + sharp * share
    drag = smear(c.rng.standard_normal(shape).astype(np.float32), flow(study, c.angle, c.unit), 5)
    drag /= drag.std() + 1e-6
    grey = np.clip(luminance(base), 0.02, 1)
    steps = 7.0
    level = grey * steps + 0.10 * drag + 0.10 * c.clouds(7, octaves=3)
    whole = np.floor(level)
    part = np.clip((level - whole - 0.42) / 0.16, 0, 1)
    stepped = (whole + part * part * (3 - 2 * part) + 0.05) / steps
    picture = base * tripled((np.clip(stepped, 0.03, 1) / grey) ** 0.9)
    grain = tooth(c, 1.8)
    picture = picture * tripled(1 + 0.018 * drag + 0.010 * grain)
    inside = tripled(blur(sheet(c, 2.0, 0.1), 0.5))
    card = np.array([0.965, 0.955, 0.93], dtype=np.float32) * tripled(1 + 0.008 * grain)
    return clipped(card + inside * (picture - card))
