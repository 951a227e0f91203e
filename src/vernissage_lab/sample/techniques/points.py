"""Pointillism: dots of divided colour that mix in the eye."""

import cv2
import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, blur
from vernissage_lab.sample.palettes import Array, oklab, srgb
from vernissage_lab.sample.techniques.paper import contrasted, saturated


def paint_points(c: Canvas) -> Array:
    """Oil in small dots over a warm ground."""
    study = saturated(contrasted(c.rgb), 1.2)
    ground = 0.55 * c.colours("glow", 0.69) + 0.45 * blur(study, c.unit * 1.5)
    picture = np.round(np.clip(ground, 0, 1) * 255).astype(np.uint8)
    for radius, spacing, spread in ((0.92, 1.25, 0.05), (0.62, 1.0, 0.06), (0.42, 0.95, 0.045)):
        _dots(picture, c, study, c.unit * radius, c.unit * spacing, spread, fine=radius < 0.5)
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def _dots(
    picture: np.ndarray, c: Canvas, study: Array, radius: float, spacing: float, spread: float, *, fine: bool
) -> None:
    """Scatter dots of one size; the colour of each is the study's, pushed to one side of its hue."""
    rng = c.rng
    rows, columns = np.arange(spacing / 2, c.height, spacing * 0.87), np.arange(0, c.width, spacing)
    x, y = (axis.ravel().astype(np.float64) for axis in np.meshgrid(columns, rows))
    x = x + np.repeat(np.arange(len(rows)) % 2, len(columns)) * spacing / 2
    x, y = x + rng.normal(0, spacing * 0.22, x.size), y + rng.normal(0, spacing * 0.22, y.size)
    column, row = np.clip(x, 0, c.width - 1).astype(np.intp), np.clip(y, 0, c.height - 1).astype(np.intp)
    if fine:
        kept = c.detail[row, column] > 0.42 + 0.3 * rng.random(x.size)
        x, y, row, column = x[kept], y[kept], row[kept], column[kept]
    colour = _divided(blur(study, max(radius * 0.4, 0.5))[row, column], spread, rng)
    size = np.round(radius * rng.uniform(0.75, 1.15, x.size) * 16).astype(np.int32)
    at = np.round(np.column_stack([x, y]) * 16).astype(np.int32).tolist()
    shades, sizes = colour.tolist(), size.tolist()
    for k in rng.permutation(len(at)).tolist():
        cv2.circle(picture, at[k], sizes[k], shades[k], -1, cv2.LINE_AA, 4)


def _divided(rgb: Array, spread: float, rng: Rng) -> np.ndarray:
    """Split colours into purer neighbours: hue swings either way, some dots take the cool complement in the shade."""
    lab = oklab(rgb)
    swing = np.where(rng.random(len(lab)) < 0.5, 1.0, -1.0) * rng.uniform(0.3, 1.0, len(lab)) * spread
    warm_cool = np.column_stack([np.zeros(len(lab)), swing * 0.6, swing])
    lab = lab + warm_cool
    lab[:, 0] += rng.normal(0, 0.032, len(lab))
    cool = (rng.random(len(lab)) < 0.13) & (lab[:, 0] < 0.55)
    lab[cool] += [0.02, 0.01, -0.09]
    return np.round(srgb(lab) * 255).astype(np.int32)
