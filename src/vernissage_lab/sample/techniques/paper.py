"""Paper and canvas: tooth, weave, margins; and the adjustments that techniques share."""

import cv2
import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import blur, clouds, tripled
from vernissage_lab.sample.palettes import Array

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def luminance(rgb: Array) -> Array:
    """The brightness of every pixel from 0 to 1: float32 (height, width)."""
    return np.asarray(rgb @ _GREY, dtype=np.float32)


def tooth(c: Canvas, size: float) -> Array:
    """The tooth of rough paper: float32, mean 0, spread 1."""
    fine = c.rng.standard_normal((c.height, c.width)).astype(np.float32)
    rough = blur(fine, size * 0.45) - blur(fine, size * 1.4)
    return np.asarray(rough / (rough.std() + 1e-6), dtype=np.float32)


def weave(c: Canvas) -> Array:
    """The weave of canvas: float32, mean 0, spread about 1."""
    x, y = c.grid()
    wander = clouds(c.rng, x.shape, 40, octaves=2)
    threads = np.sin(x * 2.1 + wander) + np.sin(y * 2.1 - wander)
    return np.asarray(threads * 0.7, dtype=np.float32)


def simplified(rgb: Array, size: int, times: int = 1) -> Array:
    """Merge what is smaller than ``size`` pixels (odd) into flat areas, keeping edges."""
    eight = np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    wide = size > 5
    if wide:  # windows above 5 cost twenty times as much; half the window on half the size looks the same
        size = size // 2 | 1
        eight = np.asarray(cv2.resize(eight, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    for _ in range(times):
        eight = np.asarray(cv2.medianBlur(eight, size), dtype=np.uint8)
    if wide:
        full = cv2.resize(eight, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        eight = np.asarray(cv2.medianBlur(full, 3), dtype=np.uint8)
    return np.asarray(eight, dtype=np.float32) / np.float32(255)


def sheet(c: Canvas, margin: float, ragged: float) -> Array:
    """Where the picture lies on its sheet: 1 inside, 0 in the margin, with an edge ``ragged`` units uneven."""
    x, y = c.grid()
    inside = np.minimum(np.minimum(x, c.width - 1 - x), np.minimum(y, c.height - 1 - y))
    away = inside - np.float32(c.unit * margin)
    uneven = clouds(c.rng, x.shape, 30) * np.float32(c.unit * ragged)
    return clipped(away + uneven + 0.5)


def contrasted(rgb: Array, low: float = 2.0, high: float = 98.0) -> Array:
    """Stretch the brightness gently so that the picture uses its range."""
    grey = luminance(rgb)[::4, ::4]
    dark, bright = np.percentile(grey, [low, high])
    gain = min(0.9 / max(float(bright - dark), 0.2), 1.35)
    middle = float(dark + bright) / 2
    target = 0.5 * middle + 0.25
    return clipped((rgb - np.float32(middle)) * np.float32(gain) + np.float32(target * 0.5 + middle * 0.5))


def clipped(picture: Array) -> Array:
    """The picture as float32 from 0 to 1."""
    return np.asarray(np.clip(picture, 0, 1), dtype=np.float32)


def saturated(rgb: Array, strength: float) -> Array:
    """Push colours away from their grey by ``strength`` (1 leaves them)."""
    grey = tripled(luminance(rgb))
    return clipped(grey + (rgb - grey) * np.float32(strength))


def flow(rgb: Array, angle: Array, unit: float) -> Array:
    """The direction of the brush: along strong edges of the picture, else as the scene asks (radians).

    The edge's direction is that of the smoothed structure tensor.
    """
    grey = blur(luminance(rgb), unit * 0.2)
    across, down = np.gradient(grey, axis=1), np.gradient(grey, axis=0)
    tensor = blur(np.dstack([across * across, down * down, across * down]).astype(np.float32), unit * 0.45)
    along = 0.5 * np.arctan2(2 * tensor[..., 2], tensor[..., 0] - tensor[..., 1]) + np.pi / 2
    strength = np.clip((tensor[..., 0] + tensor[..., 1]) * 900 - 0.25, 0, 1)
    x = strength * np.cos(2 * along) + (1 - strength) * np.cos(2 * angle)
    y = strength * np.sin(2 * along) + (1 - strength) * np.sin(2 * angle)
    return np.asarray(0.5 * np.arctan2(y, x), dtype=np.float32)
