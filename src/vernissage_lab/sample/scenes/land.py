"""Orchard, harvest field, mountains, winter village and forest."""

import numpy as np

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import Rng, clouds, ridge
from vernissage_lab.sample.outlines import bend, limb, lump, oval, smooth
from vernissage_lab.sample.palettes import Array
from vernissage_lab.sample.plan import Facts, View
from vernissage_lab.sample.scenes.air import paint_birds, paint_land, paint_sky, paint_water, rolling
from vernissage_lab.sample.scenes.props import paint_bare, paint_house, paint_leafy, paint_person, paint_pine

# The orchard and the harvest field.


def paint_orchard(c: Canvas, view: View, facts: Facts) -> None:
    """Rows of fruit trees, in blossom or laden, that run towards the hills."""
    paint_sky(c, view)
    line, tilt, blossom = view.horizon * c.height, view.slope, bool(facts["blossom"])
    paint_land(c, "sky", rolling(c, line - c.unit * 5, c.unit * 2.5, slope=tilt), 0.5, depth=0.75)
    paint_land(c, "growth", rolling(c, line - c.unit * 1.5, c.unit * 1.2, slope=tilt), 0.52, depth=0.5)
    _paint_meadow(c, line, tilt)
    crown, tone = ("light", 0.66) if blossom else ("growth", 0.46)
    for near, x in _rows(view, c.rng):
        y = line + (c.height * 1.02 - line) * near + tilt * (x - 0.5) * c.width
        height = c.unit * (7 + 34 * near) * (1.25 if view.composition == "low horizon" else 1.0)
        paint_leafy(c, x * c.width, y, height, crown=crown, tone=tone, depth=0.6 * (1 - near) ** 2)
        _paint_fruit(Figure(c, x * c.width, y - height * 0.62, height), blossom=blossom)
    if facts["ladder"]:
        y = line + (c.height - line) * 0.62 + tilt * (view.focus - 0.5) * c.width
        _paint_ladder(Figure(c, (view.focus + 0.03) * c.width, y, c.unit * 16))
    for k in range(facts["people"]):
        x = view.focus + (-0.13, 0.12)[k]
        y = line + (c.height - line) * (0.5 + 0.16 * k) + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (10 + 3 * k), coat=("accent", "sky")[k], tone=0.44)


def _rows(view: View, rng: Rng) -> list[tuple[float, float]]:
    """Places of trees, far first: (nearness, x as a share of the width), two rows that open towards us."""
    places = []
    for near in (0.06, 0.12, 0.2, 0.31, 0.46):
        for lane in (-1.5, -0.5, 0.5, 1.5):
            x = view.focus + lane * (0.13 + 0.8 * near) + rng.normal() * 0.01
            if -0.15 < x < 1.15:
                places.append((near + rng.normal() * 0.006, x))
    return places


def _paint_meadow(c: Canvas, line: float, tilt: float) -> None:
    tall = c.clouds(7, stretch=4)
    edge = line + tilt * (np.arange(c.width) - c.width / 2)
    angle = 0.25 * tall + np.float32(np.arctan(tilt))
    paint_land(c, "growth", edge, 0.62, fall=-0.16, texture=0.08, grain=tall, angle=angle)
    for _ in range(170):
        near = c.rng.random() ** 0.7
        x = c.rng.uniform(0, c.width)
        y = line + tilt * (x - c.width / 2) + (c.height - line) * near
        size = c.unit * (0.15 + 0.5 * near)
        ink, tone = (("light", 0.82), ("glow", 0.7), ("accent", 0.55))[c.rng.choice(3, p=(0.45, 0.4, 0.15))]
        c.shape(oval(x, y, size, size * 0.7), ink, tone, detail=0.6, alpha=0.8)


def _paint_fruit(crown: Figure, *, blossom: bool) -> None:
    rng = crown.canvas.rng
    ink, size, many = ("skin", 0.02, 26) if blossom else ("accent", 0.028, 17)
    for _ in range(many):
        around, out = rng.uniform(0, 2 * np.pi), 0.36 * np.sqrt(rng.random())
        x, y = out * np.cos(around), 0.8 * out * np.sin(around)
        crown.oval(x, y, size, size, ink, 0.55 + rng.normal() * 0.06, light=0.18, detail=0.8)


def _paint_ladder(ladder: Figure) -> None:
    for side in (-1, 1):
        rail = bend(side * 0.14, 0, 0.16 + side * 0.06, -1)
        ladder.band(rail, 0.045, 0.035, "light", 0.62, light=0.2, detail=1, angle=1.3)
    for share in np.linspace(0.1, 0.92, 8):
        half, middle = 0.14 - 0.08 * share, 0.16 * share
        ladder.band(bend(middle - half, -share, middle + half, -share), 0.03, 0.03, "light", 0.55, detail=1)


def paint_harvest(c: Canvas, view: View, facts: Facts) -> None:
    """A mown field with stacks of corn, furrows that converge, perhaps reapers and a farm."""
    paint_sky(c, view)
    line, tilt = view.horizon * c.height, view.slope
    side = 1 if view.focus < 0.5 else -1
    paint_land(c, "sky", rolling(c, line - c.unit * 4, c.unit * 2.2, slope=tilt), 0.48, depth=0.8)
    if facts["farm"]:
        fx = view.focus + side * 0.24
        fy = line + tilt * (fx - 0.5) * c.width
        for k in range(3):
            paint_leafy(c, (fx + 0.05 * k - 0.12) * c.width, fy, c.unit * 8, depth=0.35, shadow=False)
        paint_house(c, fx * c.width, fy + 1, c.unit * 7, wall="light", roof="accent", tone=0.62, depth=0.3)
    _paint_stubble(c, rolling(c, line, c.unit * 0.4, slope=tilt), line, view)
    _paint_hedge(c, line, tilt)
    for k in range(facts["stacks"]):
        near, x = (0.62, 0.34, 0.2, 0.12, 0.08)[k], view.focus + (0.0, 0.26, -0.24, 0.1, -0.1)[k] * side
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        _paint_stack(Figure(c, x * c.width, y, c.unit * (6 + 25 * near)), 0.5 * (1 - near) ** 2)
    for k in range(facts["people"]):
        near, x = 0.3 + 0.12 * k, view.focus + (-0.14, -0.26, 0.17)[k] * side
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (6 + 9 * near), coat=("light", "sky", "accent")[k], tone=0.52)
    if facts["birds"]:
        paint_birds(c, 7, (1 - view.focus) * c.width, line * 0.55, 0.14)


def _paint_stubble(c: Canvas, edge: np.ndarray, line: float, view: View) -> None:
    """Furrows that meet at one point on the horizon."""
    x, y = c.grid()
    away, across = np.maximum(y - line + c.unit * 2.5, 1), x - view.focus * c.width
    wander = c.clouds(10, stretch=3)
    furrow = np.sin(across / away * 15 + 0.35 * wander) * np.clip(away / (c.unit * 14), 0, 1)
    grain, angle = 0.75 * furrow + 0.6 * wander, np.arctan2(away, across)
    paint_land(c, "glow", edge, 0.58, fall=-0.1, texture=0.065, grain=grain, angle=angle, detail=0.3)
    front = edge + c.height * 0.3 + c.unit * 3 * np.sin(np.arange(c.width) / (c.unit * 11))
    paint_land(c, "land", front, 0.55, fall=-0.1, texture=0.07, grain=grain, angle=0.2, detail=0.3)


def _paint_hedge(c: Canvas, line: float, tilt: float) -> None:
    for x in np.arange(0, c.width, c.unit * 2.2):
        size = c.unit * c.rng.uniform(0.9, 1.9)
        bush = lump(c.rng, x, line + tilt * (x - c.width / 2) - size * 0.4, c.unit * 2, size, rough=0.25)
        c.shape(bush, "growth", 0.34 + c.rng.normal() * 0.03, light=0.12, depth=0.4, detail=0.5)


def _paint_stack(stack: Figure, depth: float) -> None:
    """A round stack with a thatched top and its shadow."""
    rng, sun = stack.canvas.rng, stack.canvas.sun[0]
    shadow = lump(rng, -sun * 0.72, 0.03, 0.95, 0.16, rough=0.1)
    stack.shape(shadow, "dark", 0.3, alpha=0.5, soft=2 / stack.size, angle=0.0)
    wall = [[-0.5, 0.02], [-0.56, -0.4], [-0.5, -0.56], [0.5, -0.56], [0.56, -0.4], [0.5, 0.02], [0, 0.08]]
    stack.shape(wall, "glow", 0.46, light=0.24, texture=0.06, depth=depth, angle=1.45)
    cap = [[-0.66, -0.5], [-0.42, -0.82], [-0.1, -1.1], [0.05, -1.14], [0.4, -0.84], [0.66, -0.5], [0, -0.42]]
    stack.shape(cap, "land", 0.52, light=0.26, texture=0.06, depth=depth, angle=0.8)
    for _ in range(16):
        x, y = rng.uniform(-0.48, 0.48), rng.uniform(-0.5, -0.05)
        tone = 0.62 + 0.2 * np.sign(x * sun) if abs(x) > 0.1 else 0.6
        straw = bend(x, y, x + rng.normal() * 0.03, y + 0.13)
        stack.band(straw, 0.025, 0.01, "light", tone, alpha=0.5, depth=depth)


# Mountains: range behind range, a lake or a valley, a hut.


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


# The village in snow.


def paint_winter(c: Canvas, view: View, facts: Facts) -> None:
    """Snow-laden roofs in a fold of the hills, bare trees, a trodden path, lit windows."""
    paint_sky(c, view)
    line, tilt, side = view.horizon * c.height, view.slope, view.away
    far = rolling(c, line - c.unit * 7, c.unit * 3.5, slope=tilt)
    paint_land(c, "light", far, 0.6, depth=0.75, texture=0.03)
    for share in np.linspace(0.02, 0.98, 22):
        column = int(share * c.width)
        y = float(far[column]) + c.unit * c.rng.uniform(1, 6)
        paint_pine(c, column, y, c.unit * c.rng.uniform(3, 6), depth=0.6, snow=0.4)
    drift = c.clouds(16, stretch=3, octaves=3)
    _lay_snow(c, rolling(c, line, c.unit * 1.6, slope=tilt), drift, 0.74)
    _paint_village(c, view, facts, line)
    _lay_snow(c, rolling(c, line + (c.height - line) * 0.5, c.unit * 2.5, slope=tilt - 0.06 * side), drift, 0.8)
    _paint_path(c, view, line)
    for k in range(facts["people"]):
        near = (0.3, 0.5, 0.66)[k]
        x = view.focus + (0.03, -0.03, 0.06)[k] + _winding(near)
        y = line + (c.height - line) * near + tilt * (x - 0.5) * c.width
        paint_person(c, x * c.width, y, c.unit * (4.5 + 8 * near), coat=("accent", "dark", "sky")[k], tone=0.36)
    tall = max(c.height * 0.5, c.unit * 36)
    paint_bare(c, (0.5 + side * 0.38) * c.width, c.height * 0.94, tall)
    if view.composition != "low horizon":
        paint_bare(c, (0.5 + side * 0.24) * c.width, c.height * 0.82, tall * 0.55, tone=0.2, depth=0.15)
    if facts["crows"]:
        paint_birds(c, 6, (0.5 + side * 0.2) * c.width, max(line * 0.4, c.unit * 8), 0.08)
    if facts["snowfall"]:
        for _ in range(260):
            size = c.unit * c.rng.uniform(0.15, 0.5)
            flake = oval(c.rng.uniform(0, c.width), c.rng.uniform(0, c.height), size, size)
            c.shape(flake, "light", 0.96, texture=0, detail=0.7, alpha=c.rng.uniform(0.5, 0.95))


def _lay_snow(c: Canvas, line: np.ndarray, drift: np.ndarray, tone: float) -> None:
    paint_land(c, "light", line, tone, fall=-0.05, texture=0.07, grain=drift, angle=0.12 * drift, detail=0.15)


def _paint_village(c: Canvas, view: View, facts: Facts, line: float) -> None:
    lit = 0.75 if view.sky in {"moon", "dusk", "mist", "overcast", "storm"} else 0.3
    count, side, rng = facts["houses"], view.away, c.rng
    if facts["church"]:
        x = (view.focus - side * 0.1) * c.width
        _paint_church(Figure(c, x, line + c.unit * 4 + view.slope * (x - c.width / 2), c.unit * 10))
    for k in range(count):
        share = (k - (count - 1) / 2) / (count - 1)
        x = view.focus - side * 0.04 + 0.62 * share + rng.normal() * 0.015
        y = line + c.unit * (3.5 + 3.2 * (k % 2)) + view.slope * (x - 0.5) * c.width
        wall = ("wall", "land", "skin", "accent")[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]
        paint_house(
            c, x * c.width, y, c.unit * rng.uniform(7.5, 10.5), wall=wall, roof="light", tone=0.42, roof_tone=0.8,
            lit=lit, depth=0.12,
        )  # fmt: skip


def _paint_church(church: Figure) -> None:
    church.box(-0.3, -1.5, 0.3, 0, "wall", 0.42, light=0.14, depth=0.2, angle=1.57)
    church.shape([[-0.38, -1.5], [0, -2.7], [0.38, -1.5]], "dark", 0.36, light=0.16, depth=0.2)
    church.shape([[-0.38, -1.5], [0, -2.7], [-0.06, -1.75]], "light", 0.8, depth=0.2, alpha=0.9)
    church.oval(0, -1.2, 0.11, 0.13, "dark", 0.25, detail=0.9)


def _winding(near: float) -> float:
    return float(0.1 * np.sin(near * 4.5) * near)


def _paint_path(c: Canvas, view: View, line: float) -> None:
    middle = []
    for t in np.linspace(0.12, 1.05, 26):
        x = view.focus + _winding(t)
        middle.append([x * c.width, line + (c.height - line) * t + view.slope * (x - 0.5) * c.width])
    track = smooth(limb(middle, c.unit * 1.2, c.unit * 13)[::2], 3)
    c.shape(track, "light", 0.56, texture=0.08, alpha=0.75, soft=c.unit * 0.6, angle=1.2, detail=0.3)
    for offset in (-0.25, 0.25):
        rut = [[x + offset * c.unit * (1.2 + 11.8 * k / 25), y] for k, (x, y) in enumerate(middle)]
        c.band(rut, c.unit * 0.3, c.unit * 1.6, "sky", 0.5, alpha=0.45, soft=c.unit * 0.3, angle=1.2)


# The forest: trunks that recede into light.


def paint_forest(c: Canvas, view: View, facts: Facts) -> None:
    """Ranks of trunks, leaves overhead, a path or a brook, and the light beyond."""
    paint_sky(c, view)
    line, tilt, vx = (0.3 + 0.45 * view.horizon) * c.height, view.slope * 0.6, view.focus * c.width
    bark = ("light", 0.6, 0.58) if facts["birches"] else ("dark", 0.3, 0.22)
    c.shine(vx, line - c.unit * 14, c.unit * 26, "glow", 0.82, 0.75)
    c.haze = max(c.haze, 0.75)
    c.air = c.colours("glow", 0.63) * 0.6 + c.air * 0.4
    for rank, away in enumerate((0.95, 0.75, 0.5)):
        _paint_mass(c, line, away)
        _paint_rank(c, line + c.unit * 2.2 * rank, away, 15 - 3 * rank, tilt, vx, bark[:2])
    floor = c.clouds(8, stretch=3.5)
    ground = rolling(c, line + c.unit * 3, c.unit * 0.9, slope=tilt)
    paint_land(c, "land", ground, 0.58, fall=-0.26, texture=0.08, grain=floor, angle=0.3 * floor)
    _paint_bushes(c, line + c.unit * 3, tilt)
    if facts["brook"]:
        _paint_brook(c, vx, line)
    else:
        _paint_track(c, vx, line)
    _paint_litter(c, line)
    if view.mood != "stormy":
        _paint_rays(c, vx, line)
    if facts["deer"]:
        _paint_deer(Figure(c, vx + c.unit * 13, line + (c.height - line) * 0.26, c.unit * 7))
    if facts["people"]:
        y = line + (c.height - line) * 0.34
        paint_person(c, vx - c.unit * 2, y, c.unit * 10, coat="accent", tone=0.42)
    _paint_near(c, view.away, (bark[0], bark[2]))


def _paint_bushes(c: Canvas, line: float, tilt: float) -> None:
    """Undergrowth that softens the edge of the forest floor."""
    for x in np.linspace(0, c.width, 34):
        size = c.unit * c.rng.uniform(1.2, 3.2)
        y = line + tilt * (x - c.width / 2) + c.unit * c.rng.uniform(-0.5, 1.5)
        bush = lump(c.rng, x, y, size * 1.6, size, rough=0.3)
        tone = c.rng.uniform(0.36, 0.56)
        c.shape(bush, "growth", tone, depth=0.6, alpha=0.85, detail=0.4, soft=0.8)


def _paint_mass(c: Canvas, line: float, away: float) -> None:
    """Foliage behind the trunks, open round the light."""
    x, y = c.grid()
    mass = c.clouds(13, octaves=5)
    gap = np.exp(-(((x - c.width * 0.5) / (c.width * 0.42)) ** 2) - ((y - line * 0.7) / (line * 0.55)) ** 2)
    above = np.clip((line + c.unit * 4 - y) / c.unit / 3, 0, 1)
    leaf = np.clip((mass - 0.05 + 0.55 * (line * 0.6 - y) / line - 1.0 * gap) * 1.8, 0, 1) * above
    tone = 0.44 + 0.09 * mass + 0.1 * (1 - y / c.height)
    c.field(leaf * 0.85, "growth", tone, angle=mass, detail=0.35, depth=away)


def _paint_rank(
    c: Canvas, line: float, away: float, count: int, tilt: float, vx: float, bark: tuple[str, float]
) -> None:
    for k in range(count):
        x = (k + c.rng.uniform(0.1, 0.9)) / count * c.width
        if abs(x - vx) < c.unit * 5 * (1.3 - away):
            continue
        foot = line + c.unit * c.rng.uniform(1, 4) * (1.3 - away) + tilt * (x - c.width / 2)
        wide = c.unit * (0.8 + 2.2 * (1 - away)) * c.rng.uniform(0.7, 1.3)
        trunk = bend(x, foot, x + c.rng.normal() * c.unit * 2, -c.unit * 2, c.rng.normal() * 0.012, 12)
        c.band(trunk, wide, wide * 0.6, *bark, light=0.12, texture=0.06, depth=away, angle=1.57, detail=0.5)


def _paint_brook(c: Canvas, vx: float, line: float) -> None:
    rgb, angle, detail = c.rgb.copy(), c.angle.copy(), c.detail.copy()
    paint_water(c, line + c.unit * 3, rough=0.3, own=0.3)
    x, y = c.grid()
    near = np.clip((y - line - c.unit * 3) / (c.height - line), 0, 1)
    middle = vx + c.width * 0.1 * np.sin(near * 6) * near
    edge = c.unit * (0.8 + 15 * near) - np.abs(x - middle) + c.grain * c.unit * 0.8 * near
    wet = np.clip(edge, 0, 1) * (near > 0)
    c.rgb = rgb + wet[..., None].astype(np.float32) * (c.rgb - rgb)
    c.angle, c.detail = np.where(wet > 0.5, c.angle, angle), np.where(wet > 0.5, c.detail, detail)


def _paint_track(c: Canvas, vx: float, line: float) -> None:
    steps = np.linspace(0.02, 1.08, 24)
    middle = [[vx + c.width * 0.07 * np.sin(t * 5) * t, line + c.unit * 3 + (c.height - line) * t] for t in steps]
    track = smooth(limb(middle, c.unit * 1.5, c.unit * 24)[::2], 3)
    c.shape(track, "glow", 0.56, light=-0.1, texture=0.07, alpha=0.75, soft=c.unit * 0.8, angle=0.1, detail=0.3)


def _paint_litter(c: Canvas, line: float) -> None:
    for _ in range(220):
        near = c.rng.random() ** 0.8
        x, y = c.rng.uniform(0, c.width), line + c.unit * 4 + (c.height - line) * near
        size = c.unit * (0.25 + 0.8 * near)
        ink = ("accent", "glow", "growth", "dark")[c.rng.choice(4, p=(0.15, 0.3, 0.35, 0.2))]
        leaf = lump(c.rng, x, y, size, size * 0.4, rough=0.2, n=10)
        c.shape(leaf, ink, c.rng.uniform(0.35, 0.65), alpha=0.7, detail=0.5, angle=0.0)


def _paint_rays(c: Canvas, vx: float, line: float) -> None:
    for k in range(-2, 3):
        top, x, low = vx + k * c.unit * 3, vx + k * c.width * 0.1, line + c.unit * 16
        ray = [[top, -5], [top + c.unit * 4, -5], [x + c.unit * 13, low], [x + c.unit * 3, low]]
        c.shape(ray, "glow", 0.82, light=0, texture=0, alpha=0.14, soft=c.unit * 1.6, detail=0.2)


def _paint_deer(deer: Figure) -> None:
    """A deer that stands side-on with its head raised."""
    for leg in (-0.5, -0.38, 0.34, 0.46):
        deer.band(bend(leg, -0.55, leg * 1.05, 0, 0.04), 0.12, 0.05, "dark", 0.24, detail=1)
    body = [[-0.62, -0.75], [-0.2, -0.86], [0.35, -0.84], [0.6, -0.72], [0.5, -0.48], [0.0, -0.42], [-0.5, -0.46]]
    deer.shape(smooth(body, 5), "land", 0.36, light=0.14, detail=0.9)
    deer.band(bend(0.45, -0.7, 0.68, -1.2, 0.1), 0.26, 0.14, "land", 0.36, light=0.1, detail=0.9)
    head = [[0.58, -1.32], [0.74, -1.34], [0.98, -1.18], [0.94, -1.12], [0.66, -1.12]]
    deer.shape(smooth(head, 4), "land", 0.36, detail=1)
    for side in (-1, 1):
        deer.band(bend(0.66, -1.3, 0.6 + side * 0.18, -1.75, side * 0.25), 0.05, 0.025, "dark", 0.24, detail=1)


def _paint_near(c: Canvas, side: int, bark: tuple[str, float]) -> None:
    """The foremost trunks, which frame the view, with bark and a fork, and leaves above them."""
    rng, birch = c.rng, bark[0] == "light"
    for share, thickness in ((0.5 + side * 0.36, 7.0), (0.5 - side * 0.43, 5.0), (0.5 + side * 0.17, 3.0)):
        x, foot, wide = share * c.width, c.height * (1.05 if thickness > 4 else 0.86), c.unit * thickness
        trunk = bend(x, foot, x + rng.normal() * c.unit * 3, -c.unit * 3, rng.normal() * 0.02, 14)
        c.band(trunk, wide * 1.15, wide * 0.7, *bark, light=0.16, texture=0.07, angle=1.57, detail=0.5)
        fork = bend(x, foot * 0.42, x + side * -c.unit * 12, -c.unit * 2, 0.12)
        c.band(fork, wide * 0.4, wide * 0.2, *bark, light=0.14, angle=1.1)
        for _ in range(int(thickness * 4)):
            mx, my = trunk[int(rng.random() * 13)]
            if birch:
                mark = lump(rng, mx + rng.normal() * wide * 0.28, my, wide * 0.16, c.unit * 0.4, rough=0.3, n=10)
            else:
                crack = bend(mx + rng.normal() * wide * 0.25, my, mx + rng.normal() * wide * 0.25, my + c.unit * 5)
                mark = limb(crack, c.unit * 0.2, c.unit * 0.5)
            c.shape(mark, "dark", 0.2 if birch else rng.choice((0.1, 0.42)), alpha=0.6, detail=0.8)
    for _ in range(46):
        x = c.width * (0.5 + side * 0.5 - side * 0.42 * rng.random() ** 1.5)
        y = c.height * 0.16 * rng.random() ** 1.4
        rx, ry = c.unit * rng.uniform(1.5, 4), c.unit * rng.uniform(1, 2.4)
        leaves, tone = lump(rng, x, y, rx, ry, rough=0.35, turn=rng.normal()), rng.uniform(0.24, 0.5)
        c.shape(leaves, "growth", tone, light=0.1, alpha=0.85, angle=rng.uniform(-1, 1), detail=0.6)
