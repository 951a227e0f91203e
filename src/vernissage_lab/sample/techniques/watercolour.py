"""Watercolour: transparent washes with dark edges and granulation, on white paper.

Pigment is laid as optical density, after the reading of washes in C. Curtis et al., *Computer-generated
watercolor*, 1997.
"""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, blur, clouds, grid, sample, tripled
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.techniques.paper import clipped, contrasted, luminance, saturated, sheet, simplified, tooth


def paint_watercolour(c: Canvas) -> Array:
    """Watercolour on rough paper with a ragged white margin."""
    shape = (c.height, c.width)
    study = saturated(contrasted(c.rgb), 1.18)
    study = study + 0.22 * (1 - study)
    loose = _wandering(simplified(study, 5), shape, c.unit * 0.28, c.rng)
    wet = blur(loose, c.unit * 1.4)
    pooled = c.clouds(20)
    runny = tripled(np.clip(0.45 + 0.4 * pooled - 1.0 * c.detail, 0, 0.85))
    washes = loose * (1 - runny) + wet * runny
    density = -np.log(np.clip(washes, 0.03, 0.985))
    grain = tooth(c, 2.6)
    flow = 1 + 0.11 * pooled + 0.08 * c.clouds(6, octaves=3) + 0.05 * grain
    density *= tripled(np.clip(flow, 0.4, 1.8) * (1 + 0.9 * _edges(loose, c.unit)))
    dry = tripled(np.clip((grain - 0.9 - 4.5 * luminance(density)) * 1.5, 0, 1))
    density *= 1 - 0.8 * dry
    inside = blur(sheet(c, 2.2, 0.32), 0.7)
    rim = np.clip(inside - blur(inside, c.unit * 0.7), 0, 1)
    density *= tripled(inside * (1 + 0.4 * rim))
    paper = np.array([0.985, 0.975, 0.95], dtype=np.float32) * tripled(1 + 0.012 * grain)
    return clipped(paper * np.exp(-density))


def _wandering(rgb: Array, shape: tuple[int, int], reach: float, rng: Rng) -> Array:
    x, y = grid(shape)
    dx, dy = (clouds(rng, shape, reach * 9, octaves=3) * np.float32(reach) for _ in range(2))
    return sample(rgb, x + dx, y + dy)


def _edges(rgb: Array, unit: float) -> Array:
    """How much pigment has gathered at the rim of each wash: on its darker side."""
    dark = 1 - luminance(rgb)
    return np.clip((dark - blur(dark, unit * 0.5)) * 5, 0, 0.75)
