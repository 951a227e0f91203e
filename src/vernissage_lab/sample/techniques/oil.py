"""Oil: broad strokes first, finer ones where the study asks for them, and light on the ridges of the paint.

Layered strokes after A. Hertzmann, *Painterly rendering with curved brush strokes of multiple sizes*, 1998.
"""

from functools import lru_cache

import cv2
import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import blur, tripled
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.techniques.paper import clipped, contrasted, flow, saturated, weave

_TURNS, _VARIANTS = 32, 4


def paint_oil(c: Canvas) -> Array:
    """Oil on canvas with impasto."""
    study = saturated(contrasted(c.rgb), 1.08)
    angle = flow(study, c.angle, c.unit)
    ground = 0.5 * blur(study, c.unit * 2.5) + 0.5 * c.colours("land", 0.47)
    # Planes of red, green, blue and relief: a stroke then runs along rows, not along four values at a time.
    paint = np.zeros((4, c.height, c.width), dtype=np.float32)
    paint[:3] = ground.transpose(2, 0, 1)
    for width, spacing, keep in (
        (4.2, 2.6, 0.0),
        (2.3, 1.6, 0.045),
        (1.2, 1.0, 0.068),
        (0.68, 0.62, 0.08),
    ):
        _layer(paint, c, study, angle, c.unit * width, c.unit * spacing, keep)
    return _lit(paint, c)


def _layer(paint: Array, c: Canvas, study: Array, angle: Array, width: float, spacing: float, keep: float) -> None:
    """Lay strokes of one width wherever the paint is still further than ``keep`` from the study."""
    rng, aim = c.rng, blur(study, max(width * 0.28, 0.6))
    rows, columns = np.arange(0, c.height, spacing), np.arange(0, c.width, spacing)
    spots = (
        np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        + rng.uniform(-0.5, 0.5, (len(rows) * len(columns), 2)) * spacing
    )
    x = np.clip(spots[:, 0], 0, c.width - 1).astype(np.intp)
    y = np.clip(spots[:, 1], 0, c.height - 1).astype(np.intp)
    miss = blur(np.abs(cv2.merge(list(paint[:3])) - aim).mean(axis=2), max(width * 0.35, 0.6))[y, x]
    chosen = np.flatnonzero(miss + 0.02 * (c.detail[y, x] - 0.4) > keep) if keep else np.arange(len(x))
    chosen = rng.permutation(chosen)
    x, y = x[chosen], y[chosen]
    turn = angle[y, x] + rng.normal(0, 0.13, len(x))
    bins = np.round(turn / np.pi * _TURNS).astype(np.intp) % _TURNS
    variant = rng.integers(_VARIANTS, size=len(x))
    tint = rng.normal(0, 0.02, (len(x), 1)) + rng.normal(0, 0.014, (len(x), 3))
    colours = np.zeros((len(x), 4, 1, 1), dtype=np.float32)
    colours[:, :3, 0, 0] = np.clip(aim[y, x] + tint, 0, 1)
    size = max(round(width), 2)
    strokes = zip(bins.tolist(), variant.tolist(), x.tolist(), y.tolist(), colours, strict=True)
    for turned, kind, across, down, colour in strokes:
        _stamp(paint, _brush(size, turned, kind), across, down, colour)


def _stamp(paint: Array, brush: tuple[Array, Array], x: int, y: int, colour: Array) -> None:
    """Press a brush into the paint at (x, y); ``colour`` (4, 1, 1) has the relief's 0 as its fourth value."""
    cover, relief = brush
    up, side = cover.shape[0] // 2, cover.shape[1] // 2
    top, left = max(y - up, 0), max(x - side, 0)
    bottom, right = min(y + up + 1, paint.shape[1]), min(x + side + 1, paint.shape[2])
    part = (slice(top - y + up, bottom - y + up), slice(left - x + side, right - x + side))
    target = paint[:, top:bottom, left:right]
    fresh = colour - target
    fresh *= cover[part]
    fresh[3] += relief[part]
    target += fresh


@lru_cache(maxsize=4096)
def _brush(width: int, turn: int, variant: int) -> tuple[Array, Array]:
    """Opacity and added relief of one stroke: (h, w) each.

    ``width`` is in pixels; ``turn`` counts 32nds of half a round from level.
    """
    rng = np.random.default_rng([width, variant])
    half = round(width * 1.75) + 1
    along, across = np.meshgrid(np.linspace(-1, 1, 2 * half + 1), np.linspace(-1, 1, 2 * half + 1))
    bristle = np.interp(
        across[:, 0] * half / width * 2, np.linspace(-1, 1, max(width, 5)), rng.uniform(0.2, 1, max(width, 5))
    )
    end = 0.9 - 0.35 * rng.random(2 * half + 1)[:, None] * (1.15 - bristle[:, None])
    body = np.clip((1 - np.abs(across * half / (width * 0.5))) * width * 0.5 + 0.5, 0, 1)
    cover = body * np.clip((end - np.abs(along)) * half * 0.5, 0, 1) * np.clip(0.35 + bristle[:, None], 0, 1)
    rim = 0.35 * np.exp(-((np.abs(across * half / (width * 0.5)) - 0.85) ** 2) / 0.03)
    relief = (bristle[:, None] + rim) * (0.75 + 0.25 * along) * min(width / 6, 1.6)
    spin = cv2.getRotationMatrix2D((half, half), -turn * 180 / _TURNS, 1.0)
    both = np.dstack([cover, relief]).astype(np.float32)
    turned = np.asarray(
        cv2.warpAffine(both, spin, (2 * half + 1, 2 * half + 1), flags=cv2.INTER_LINEAR), dtype=np.float32
    )
    turned = _trimmed(turned)
    return np.ascontiguousarray(turned[..., 0]), turned[..., 0] * turned[..., 1]


def _trimmed(brush: Array) -> Array:
    """Cut away the empty rows and columns round a brush, evenly on both sides, because every pixel costs time."""
    used = brush[..., 0] > 0.02
    half = brush.shape[0] // 2
    rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
    up, side = int(np.abs(rows - half).max()), int(np.abs(columns - half).max())
    return brush[half - up : half + up + 1, half - side : half + side + 1]


def _lit(paint: Array, c: Canvas) -> Array:
    """Light from the upper left on the relief, and the canvas where the paint is thin."""
    relief = blur(paint[3], 0.55)
    across, down = np.gradient(relief, axis=1), np.gradient(relief, axis=0)
    light = np.clip(-(0.7 * across + 0.7 * down), -0.5, 0.5)
    cloth = weave(c) * np.float32(0.010)
    shaded = cv2.merge(list(paint[:3])) * tripled(1 + 0.30 * light + cloth) + 0.06 * tripled(np.clip(light, 0, 1))
    return clipped(shaded)
