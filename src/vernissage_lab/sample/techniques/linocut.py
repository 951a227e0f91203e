"""Linocut: a few flat inks and a dark key block whose gouge marks follow the form."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, blur, evened, grid, sample, smear, tripled
from vernissage_lab.sample.palettes import Array, mix, oklab, srgb
from vernissage_lab.sample.techniques.paper import clipped, contrasted, flow, luminance, sheet, simplified, tooth
from vernissage_lab.sample.view import Ramps

_KEY_LIGHTNESS = 0.24
"""Of the key block's ink, in OKLab: as dark as the palettes' own blacks."""

_SHADOW_SHARE = 20
_SHADOW = 0.33
_MOST_PALE = 0.12
"""At least 20 % of a study should be shadow, that is, below 0.33. A paler one is taken down by as much, but by no more
than 0.12, so that its colours are not lost in black."""


def paint_linocut(c: Canvas, p: Ramps, rng: Rng) -> Array:
    """Linocut in five colours and black on cream paper."""
    shape = (c.height, c.width)
    study = contrasted(c.rgb, 1, 99)
    flat = simplified(study, 9, 2)
    grain = tooth(rng, shape, 2.4)
    print_ = np.broadcast_to(mix(p["light"][124], np.array([0.97, 0.94, 0.87]), 0.6), study.shape).copy()
    _lay(print_, *_tints(flat, p), grain, 0.05)
    key = _key_block(c, study, rng)
    wear = np.clip(1.02 - 0.25 * np.clip(grain - 1.2, 0, 1), 0, 1)
    ink = _key_ink(p)
    print_ += tripled(key * wear) * (ink - print_)
    inside = tripled(sheet(rng, shape, c.unit * 3, c.unit * 0.12))
    paper = np.array([0.955, 0.93, 0.87], dtype=np.float32) * tripled(1 + 0.007 * grain)
    return clipped(paper + inside * (print_ - paper))


def _key_ink(p: Ramps) -> Array:
    """The darkest colour, brought down to nearly black where mood and palette leave it grey."""
    lightness, *colour = oklab(p["dark"][14])
    return srgb([min(float(lightness), _KEY_LIGHTNESS), *colour])


def _tints(flat: Array, p: Ramps) -> tuple[Array, Array]:
    """The nearest of the inks for every pixel, and how much ink there is."""
    inks = np.array(
        [
            p["light"][122],
            p["glow"][88],
            p["sky"][66],
            p["growth"][56],
            p["wall"][56],
            p["accent"][66],
            p["land"][50],
            p["sky"][40],
        ]
    )
    small = oklab(flat[::2, ::2]) * [1.0, 1.8, 1.8]
    wanted = oklab(inks) * [1.0, 1.8, 1.8]
    # Squared distances less the part that all inks share.
    nearest = ((wanted**2).sum(axis=1) - 2 * small @ wanted.T).argmin(axis=2)
    chosen = inks[np.repeat(np.repeat(nearest, 2, axis=0), 2, axis=1)[: flat.shape[0], : flat.shape[1]]]
    chosen = simplified(chosen.astype(np.float32), 5)
    return chosen, np.float32(1) - (luminance(chosen) > 0.93)


def _lay(print_: Array, colour: Array, amount: Array, grain: Array, salt: float) -> None:
    cover = np.clip(amount * (1 - salt * 3 * np.clip(grain - 1.0, 0, 1)), 0, 1)
    print_ += tripled(cover) * (colour - print_)


def _key_block(c: Canvas, study: Array, rng: Rng) -> Array:
    """Where black prints: shadows, cut open by gouge marks along the form, and the outlines."""
    shape = (c.height, c.width)
    x, y = grid(shape)
    seed = blur(rng.standard_normal(shape).astype(np.float32), c.unit * 0.22)
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
