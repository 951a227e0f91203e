"""Pen and ink: hatching that thickens with the shade, outlines, a thin wash, and white on toned paper."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import blur, tripled
from vernissage_lab.sample.palettes import Array, mix
from vernissage_lab.sample.techniques.paper import clipped, contrasted, luminance, saturated, sheet, simplified, tooth


def paint_ink(c: Canvas) -> Array:
    """Pen and ink with wash, heightened with white, on toned paper."""
    study = contrasted(c.rgb, 1, 99)
    grain = tooth(c, 2.6)
    paper = mix(c.colours("glow", 0.82), np.array([0.93, 0.89, 0.80]), 0.55) * tripled(1 + 0.008 * grain)
    wash = saturated(blur(simplified(study, 7), c.unit * 0.5), 1.15)
    pool = 0.78 + 0.1 * c.clouds(16, octaves=3)
    picture = paper * (1 - tripled(pool) * (1 - np.clip(wash + 0.24, 0, 1)))
    grey = blur(luminance(study), 0.9)
    inside = sheet(c, 2.6, 0.3)
    inside_wash = tripled(blur(inside, 1.2))
    picture = paper + inside_wash * (picture - paper)
    lines = np.clip(np.maximum(_hatching(c, grey), _outlines(c, grey)) * inside, 0, 1)
    picture += tripled(0.9 * lines) * (mix(c.colours("dark", 0.145), np.array([0.1, 0.08, 0.08]), 0.4) - picture)
    white = np.clip((grey - np.float32(np.percentile(grey, 93))) * 7, 0, 1) * np.clip(0.75 + 0.4 * grain, 0, 1) * inside
    picture += tripled(0.75 * white) * (np.array([0.99, 0.98, 0.95], dtype=np.float32) - picture)
    return clipped(picture)


def _hatching(c: Canvas, grey: Array) -> Array:
    """Four families of strokes; each begins at a deeper shade and crosses the ones before."""
    shape = (c.height, c.width)
    x, y = c.grid()
    pitch = c.unit * 0.54
    total = np.zeros(shape, dtype=np.float32)
    for turn, start in ((0.85, 0.62), (0.52, 0.44), (-0.75, 0.30), (0.05, 0.17)):
        wobble = c.clouds(9, octaves=3)
        press = c.clouds(3, octaves=2)
        across = x * np.float32(np.sin(turn)) + y * np.float32(np.cos(turn)) + wobble * np.float32(c.unit * 0.3)
        line = 0.5 + 0.5 * np.cos(across * np.float32(2 * np.pi / pitch))
        need = np.clip((start - grey) * 1.7 + 0.05 * press, 0, 0.55)
        # Strokes lift off in places, so that the hatching breathes.
        total = np.maximum(total, np.clip((line - 1 + need) * 4.5, 0, 1) * np.clip(0.85 + 0.12 * press, 0, 1))
    return total


def _outlines(c: Canvas, grey: Array) -> Array:
    fine = blur(grey, 0.8) - blur(grey, 1.9)
    broad = blur(grey, 1.2) - blur(grey, 3.4)
    press = c.clouds(5, octaves=3)
    return clipped(-(fine * 16 + broad * 7) - 0.35 + 0.12 * press)
