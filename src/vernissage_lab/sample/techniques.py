"""How a study is carried out: paper and canvas, and the six techniques."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, blur, clouds, evened, sample, smear, tripled
from vernissage_lab.sample.palettes import Array, mix, oklab, srgb

# Paper and canvas: tooth, weave, margins; and the adjustments that techniques share.


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


# Oil: broad strokes first, finer ones where the study asks for them, and light on the ridges of the paint. Layers after
# A. Hertzmann, Painterly rendering with curved brush strokes of multiple sizes, 1998.


_TURNS, _VARIANTS = 32, 4


def paint_oil(c: Canvas) -> Array:
    """Oil on canvas with impasto."""
    study = saturated(contrasted(c.rgb), 1.08)
    angle = flow(study, c.angle, c.unit)
    ground = 0.5 * blur(study, c.unit * 2.5) + 0.5 * c.colours("land", 0.47)
    # Planes of red, green, blue and relief: a stroke then runs along rows, not along four values at a time.
    paint = np.zeros((4, c.height, c.width), dtype=np.float32)
    paint[:3] = ground.transpose(2, 0, 1)
    for width, spacing, keep in ((4.2, 2.6, 0.0), (2.3, 1.6, 0.045), (1.2, 1.0, 0.068), (0.68, 0.62, 0.08)):
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


# Watercolour: transparent washes with dark edges and granulation, on white paper. Pigment is laid as optical density,
# after the reading of washes in C. Curtis et al., Computer-generated watercolor, 1997.


def paint_watercolour(c: Canvas) -> Array:
    """Watercolour on rough paper with a ragged white margin."""
    shape = (c.height, c.width)
    study = saturated(contrasted(c.rgb), 1.18)
    study = study + 0.22 * (1 - study)
    x, y = c.grid()
    dx, dy = (clouds(c.rng, shape, c.unit * 0.28 * 9, octaves=3) * np.float32(c.unit * 0.28) for _ in range(2))
    loose = sample(simplified(study, 5), x + dx, y + dy)
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


def _edges(rgb: Array, unit: float) -> Array:
    """How much pigment has gathered at the rim of each wash: on its darker side."""
    dark = 1 - luminance(rgb)
    return np.clip((dark - blur(dark, unit * 0.5)) * 5, 0, 0.75)


# Linocut: a few flat inks and a dark key block whose gouge marks follow the form.


_KEY_LIGHTNESS = 0.24
"""Of the key block's ink, in OKLab: as dark as the palettes' own blacks."""

_SHADOW_SHARE = 20
_SHADOW = 0.33
_MOST_PALE = 0.12
"""At least 20 % of a study should be shadow, that is, below 0.33. A paler one is taken down by as much, but by no more
than 0.12, so that its colours are not lost in black."""

_INKS = (
    ("light", 0.96), ("glow", 0.69), ("sky", 0.52), ("growth", 0.44), ("wall", 0.44), ("accent", 0.52), ("land", 0.395),
    ("sky", 0.315),
)  # fmt: skip


def paint_linocut(c: Canvas) -> Array:
    """Linocut in five colours and black on cream paper."""
    study = contrasted(c.rgb, 1, 99)
    flat = simplified(study, 9, 2)
    grain = tooth(c, 2.4)
    print_ = np.broadcast_to(mix(c.colours("light", 0.97), np.array([0.97, 0.94, 0.87]), 0.6), study.shape).copy()
    colour, amount = _tints(c, flat)
    print_ += tripled(np.clip(amount * (1 - 0.15 * np.clip(grain - 1.0, 0, 1)), 0, 1)) * (colour - print_)
    key = _key_block(c, study)
    wear = np.clip(1.02 - 0.25 * np.clip(grain - 1.2, 0, 1), 0, 1)
    ink = _key_ink(c)
    print_ += tripled(key * wear) * (ink - print_)
    inside = tripled(sheet(c, 3, 0.12))
    paper = np.array([0.955, 0.93, 0.87], dtype=np.float32) * tripled(1 + 0.007 * grain)
    return clipped(paper + inside * (print_ - paper))


def _key_ink(c: Canvas) -> Array:
    """The darkest colour, brought down to nearly black where mood and palette leave it grey."""
    lightness, *colour = oklab(c.colours("dark", 0.11))
    return srgb([min(float(lightness), _KEY_LIGHTNESS), *colour])


def _tints(c: Canvas, flat: Array) -> tuple[Array, Array]:
    """The nearest of the inks for every pixel, and how much ink there is."""
    inks = np.array([c.colours(role, tone) for role, tone in _INKS])
    small = oklab(flat[::2, ::2]) * [1.0, 1.8, 1.8]
    wanted = oklab(inks) * [1.0, 1.8, 1.8]
    # Squared distances less the part that all inks share.
    nearest = ((wanted**2).sum(axis=1) - 2 * small @ wanted.T).argmin(axis=2)
    chosen = inks[np.repeat(np.repeat(nearest, 2, axis=0), 2, axis=1)[: flat.shape[0], : flat.shape[1]]]
    chosen = simplified(chosen.astype(np.float32), 5)
    return chosen, np.float32(1) - (luminance(chosen) > 0.93)


def _key_block(c: Canvas, study: Array) -> Array:
    """Where black prints: shadows, cut open by gouge marks along the form, and the outlines."""
    shape = (c.height, c.width)
    x, y = c.grid()
    seed = blur(c.rng.standard_normal(shape).astype(np.float32), c.unit * 0.22)
    cut = evened(smear(seed, flow(study, c.angle, c.unit), 6))
    grey = blur(luminance(study), 0.8)
    wide = blur(grey, c.unit * 4)
    # In a pale study, what is darkest there counts as shadow, and slighter edges are cut.
    pale = float(np.clip(np.percentile(grey[::4, ::4], _SHADOW_SHARE) - _SHADOW, 0, _MOST_PALE))
    dark = np.clip(0.88 - 1.75 * (grey - pale) + 0.9 * (wide - grey), 0, 1)
    marks = np.clip((dark * 1.12 - 0.06 - cut) * 7 + 0.5, 0, 1)
    edge = np.clip((blur(grey, c.unit * 0.5) - grey) * (15 + 70 * pale) - 0.38, 0, 1)
    key = np.maximum(marks, edge)
    jitter = seed / (seed.std() + 1e-6) * 0.35
    return clipped((sample(blur(key, 0.6), x + jitter, y - jitter) - 0.5) * 2.2 + 0.5)


# Pen and ink: hatching that thickens with the shade, outlines, a thin wash, and white on toned paper.


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


# Pointillism: dots of divided colour that mix in the eye.


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


# Gouache: flat, matt shapes in few steps of tone, dry-brushed where they meet.


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


TECHNIQUES: Mapping[str, Callable[[Canvas], Array]] = MappingProxyType(
    {
        "oil": paint_oil,
        "watercolour": paint_watercolour,
        "linocut": paint_linocut,
        "ink": paint_ink,
        "pointillism": paint_points,
        "gouache": paint_gouache,
    }
)
