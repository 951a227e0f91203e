"""Linocut: a few flat inks and a dark key block whose gouge marks follow the form."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import blur, evened, sample, smear, tripled
from vernissage_lab.sample.palettes import Array, mix, oklab, srgb
from vernissage_lab.sample.techniques.paper import clipped, contrasted, flow, luminance, sheet, simplified, tooth

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
