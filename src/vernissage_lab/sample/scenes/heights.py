"""Mountains: range behind range, a lake or a valley, a hut."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, clouds, ridge
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.scenes.air import paint_land, paint_rain, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_house, paint_pine
from vernissage_lab.sample.view import Facts, View


def imagine_mountains(rng: Rng, _view: View) -> Facts:
    lake, hut = int(rng.random() < 0.6), int(rng.random() < 0.5)
    return {"lake": lake, "hut": hut, "pines": int(rng.integers(0, 2) * rng.integers(3, 8))}


def paint_mountains(c: Canvas, view: View, facts: Facts) -> None:
    """Peaks with snow, lit from one side, above a lake or a green valley."""
    body = paint_sky(c, view)
    line, tilt = (0.42 + 0.4 * view.horizon) * c.height, view.slope
    high = line * (0.82 if view.composition != "low horizon" else 0.62)
    for away, share, ink in ((0.85, 0.62, "sky"), (0.5, 1.0, "wall"), (0.25, 0.5, "land")):
        peak = view.focus + (0.0 if share == 1 else c.rng.choice((-0.3, 0.3)))
        _paint_range(c, ink, _crest(c, line, high * share, peak, tilt), away, snow=share > 0.55, line=line)
    meadow = rolling(c, line - c.unit * 1.5, c.unit * 1.6, slope=tilt * 0.4)
    paint_land(c, "growth", meadow, 0.42, depth=0.3, texture=0.06)
    if facts["lake"]:
        paint_water(c, line + c.unit, body=body, rough=0.14 if view.mood != "stormy" else 0.5, own=0.18)
    shore = line + (c.height - line) * (0.62 if facts["lake"] else 0.2)
    bank = rolling(c, shore, c.unit * 3, slope=tilt - 0.1 * (1 if view.focus > 0.5 else -1))
    tall = c.clouds(6, stretch=3)
    paint_land(c, "growth", bank, 0.5, fall=-0.2, texture=0.08, grain=tall, angle=0.3 * tall)
    if facts["hut"]:
        column = int(np.clip(view.focus + (0.2 if view.focus < 0.5 else -0.2), 0.15, 0.85) * c.width)
        y = float(bank[column]) + c.unit * 3
        paint_house(c, column, y, c.unit * 10, wall="land", roof="dark", tone=0.46, roof_tone=0.36, lit=0.8)
    for k in range(facts["pines"]):
        inset = (0.06 + 0.05 * k + c.rng.normal() * 0.01) * c.width
        x, y = inset if view.focus > 0.5 else c.width - inset, c.height * c.rng.uniform(0.9, 1.02)
        paint_pine(c, x, y, c.unit * c.rng.uniform(22, 38), tone=0.26)
    if view.sky == "rain":
        paint_rain(c)


def _crest(c: Canvas, line: float, height: float, peak: float, tilt: float) -> Array:
    """A jagged skyline that culminates at the share ``peak`` of the width."""
    x = np.arange(c.width) / c.width
    jagged = ridge(c.rng, c.width, c.unit * 22, octaves=6, roughness=0.5)
    tent = np.clip(1 - np.abs(x - peak) * 1.5, 0.12, 1) ** 1.1
    profile = tent * (0.84 + 0.13 * jagged) + 0.05 * jagged
    crest = line - height * np.clip(profile, 0.03, 1.05) + tilt * 0.5 * (x - 0.5) * c.width
    return np.asarray(crest, dtype=np.float32)


def _paint_range(c: Canvas, ink: str, crest: Array, away: float, *, snow: bool, line: float) -> None:
    """One range: faces lit and shaded by a ridged relief, snow down to a ragged line."""
    first = int(max(crest.min() - 2, 0))
    y = c.grid(first)[1]
    under = y + first - crest[None, :]
    mask = np.clip(under + 0.5, 0, 1)
    bed = clouds(c.rng, under.shape, c.unit * 15, octaves=5)
    # Spurs run down from the crest: the relief is sheared so that its folds slope with the mountain.
    side = np.float32(np.sign(c.sun[0]))
    fold = bed + 0.045 / max(c.unit / 6, 1) * under * 0.15
    relief = np.gradient(fold, axis=1) * c.unit * side + 0.5 * np.gradient(fold, axis=0) * c.unit * np.sign(c.sun[1])
    lit = np.clip(0.5 - 0.85 * relief + 0.3 * np.clip(-side * np.gradient(crest), -1, 1)[None, :], 0, 1)
    tone = 0.28 + 0.36 * lit - 0.05 * np.clip(under / c.unit / 30, 0, 1)
    slant = np.where(lit > 0.5, 0.9, -0.9) * side
    mist = np.clip(away + 0.5 * np.clip(under / max(line - crest.min(), 1), 0, 1) ** 2, 0, 1)
    c.field(mask, ink, tone, angle=slant, detail=0.3, depth=mist, top=first)
    if snow:
        reach = (line - crest.min()) * (0.34 + 0.12 * bed)
        level = y + first - crest.min()
        cover = np.clip((reach - level) / (c.unit * 1.4), 0, 1) * np.clip(0.25 + 1.6 * lit, 0, 1) * mask
        c.field(cover * 0.95, "light", 0.56 + 0.38 * lit, angle=slant, detail=0.4, depth=away * 0.6, top=first)
