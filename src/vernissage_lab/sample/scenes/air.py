"""Sky, sun and moon, water, and land in the distance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.noise import Rng, blur, clouds, grid, ridge, sample
from vernissage_lab.sample.outlines import oval
from vernissage_lab.sample.palettes import STEPS, Array
from vernissage_lab.sample.view import Ramps, View


@dataclass(frozen=True)
class Weather:
    """Tones of a sky at the top and at the horizon, its clouds, and what hangs in it."""

    top: float
    low: float
    glow: float
    cover: float
    cloud: float
    stretch: float
    haze: float
    body: str = ""


WEATHER = {
    "low sun": Weather(0.46, 0.72, 1.0, 0.40, 0.70, 4.0, 0.60, "low sun"),
    "clear": Weather(0.52, 0.74, 0.7, 0.16, 0.84, 3.5, 0.45),
    "fair clouds": Weather(0.48, 0.70, 0.5, 0.52, 0.90, 1.9, 0.45),
    "overcast": Weather(0.55, 0.66, 0.4, 0.75, 0.62, 3.0, 0.70),
    "mist": Weather(0.60, 0.72, 0.6, 0.20, 0.76, 5.0, 0.95),
    "storm": Weather(0.20, 0.56, 0.8, 0.72, 0.30, 2.2, 0.55),
    "rain": Weather(0.28, 0.50, 0.6, 0.70, 0.42, 2.4, 0.70),
    "moon": Weather(0.20, 0.42, 0.6, 0.34, 0.46, 3.2, 0.55, "moon"),
    "dusk": Weather(0.24, 0.62, 1.0, 0.36, 0.50, 5.0, 0.50),
}


@dataclass(frozen=True)
class Body:
    """The sun or the moon: where it stands in pixels, its radius, and which of the two it is."""

    x: float
    y: float
    radius: float
    kind: str


def paint_sky(c: Canvas, p: Ramps, view: View, rng: Rng) -> Body | None:
    """Paint the whole canvas as sky, set air and light, and return the sun or moon if one is to be seen."""
    weather = WEATHER[view.sky]
    horizon = max(view.horizon, 0.3) * c.height
    _, y = grid((c.height, c.width))
    down = np.clip(y / horizon, 0, 1)
    body = _body(c, view, rng)
    warm = down**1.6 * weather.glow
    high = weather.top + (weather.low - weather.top) * down + 0.02 * c.grain
    c.field(1.0, p["sky"], high, angle=0.12 * c.grain, detail=0.1)
    c.field(warm, p["glow"], weather.low - 0.1 + 0.12 * down, angle=0.12 * c.grain, detail=0.1)
    _paint_clouds(c, p, weather, down, rng)
    level = min(int(horizon), c.height - 1)
    c.air = np.asarray(c.rgb[max(level - 6, 0) : level + 1].mean(axis=(0, 1)), dtype=np.float32)
    c.haze = weather.haze
    if body:
        _paint_body(c, p, body)
        dx, dy = body.x - view.focus * c.width, body.y - horizon
        length = float(np.hypot(dx, dy)) + 1e-6
        c.sun = (dx / length, dy / length)
    else:
        c.sun = (-0.75, -0.66) if view.focus > 0.5 else (0.75, -0.66)
    if view.sky in {"moon", "dusk"}:
        _paint_stars(c, p, horizon, rng)
    return body


def _body(c: Canvas, view: View, rng: Rng) -> Body | None:
    kind = WEATHER[view.sky].body
    if not kind:
        return None
    side = -1 if view.focus >= 0.5 else 1
    x = (view.focus + side * float(rng.uniform(0.16, 0.3))) * c.width
    share = rng.uniform(0.62, 0.74) if kind == "low sun" else rng.uniform(0.3, 0.42)
    radius = c.unit * float(rng.uniform(2.6, 3.6))
    return Body(x, view.horizon * c.height * float(share), radius, kind)


def _paint_body(c: Canvas, p: Ramps, body: Body) -> None:
    ramp = p["glow"] if body.kind == "low sun" else p["light"]
    reach, strength = (9.0, 0.9) if body.kind == "low sun" else (5.0, 0.55)
    c.shine(body.x, body.y, body.radius * reach, ramp[int(0.86 * STEPS)], strength)
    disc = p["accent"][int(0.8 * STEPS)] if body.kind == "low sun" else p["light"][int(0.97 * STEPS)]
    ramp = np.repeat(disc[None], STEPS, axis=0)
    c.shape(oval(body.x, body.y, body.radius, body.radius), ramp, 0.5, texture=0, detail=0.8, soft=0.7)


def _paint_stars(c: Canvas, p: Ramps, horizon: float, rng: Rng) -> None:
    for _ in range(int(rng.integers(18, 34))):
        x, y = rng.uniform(0, c.width), horizon * rng.random() ** 1.5 * 0.75
        size = c.unit * rng.uniform(0.22, 0.45)
        c.shape(oval(x, y, size, size), p["light"], 0.95, detail=0.9, alpha=rng.uniform(0.5, 0.95))


def _paint_clouds(c: Canvas, p: Ramps, weather: Weather, down: Array, rng: Rng) -> None:
    mass = clouds(rng, (c.height, c.width), c.unit * 26, stretch=weather.stretch, octaves=5)
    # Clouds grow flatter and closer together towards the horizon, where they are seen from the side.
    body = blur(np.clip((mass - (1.1 - 2.0 * weather.cover)) * 1.6, 0, 1), 1.2)
    under = sample(mass, *_shifted(c, c.sun[0] * -c.unit * 4, c.unit * 5))
    lit = np.clip(0.5 + 0.32 * (mass - under), 0, 1)
    tone = weather.cloud - 0.22 + 0.3 * lit + 0.04 * c.grain
    veil = body * (0.9 - 0.45 * down)
    c.field(veil, p["sky"], tone - 0.05, angle=0.5 * mass, detail=0.25)
    bright = np.clip((lit - 0.5) * 2.4, 0, 1) * veil
    c.field(bright, p["glow"], tone + 0.12, angle=0.5 * mass, detail=0.3)


def _shifted(c: Canvas, dx: float, dy: float) -> tuple[Array, Array]:
    x, y = grid((c.height, c.width))
    return x + np.float32(dx), y + np.float32(dy)


def paint_water(
    c: Canvas,
    p: Ramps,
    top: float,
    rng: Rng,
    *,
    body: Body | None = None,
    rough: float = 0.3,
    own: float = 0.45,
    bottom: float = 1.0,
) -> None:
    """Mirror what stands above ``top`` (pixels) in rippled water below it.

    ``rough`` is how broken the mirror is, from 0 to 1; ``own`` is the share of the water's own colour; ``bottom``
    ends the water, as a share of the height.
    """
    first, last = int(top), max(int(bottom * c.height), int(top) + 2)
    x, y = grid((c.height - first, c.width))
    near = np.clip(y / max(last - first, 1), 0, 1)
    ripple = clouds(rng, near.shape, c.unit * 2.4, stretch=7, octaves=3)
    broad = clouds(rng, near.shape, c.unit * 9, stretch=5, octaves=2)
    push = (0.6 + 5.0 * near) * c.unit * rough
    above = np.clip(first - y * 0.9 - push * ripple * 1.5 - 1, 0, first)
    mirrored = sample(c.rgb, x + push * ripple, above)
    tone = 0.55 - 0.16 * near + 0.05 * ripple + 0.05 * broad
    colour = p["water"][np.clip(tone * STEPS, 0, STEPS - 1).astype(np.intp)]
    share = np.clip(own + 0.3 * near + 0.12 * broad, 0, 1)[..., None]
    crest = np.clip(ripple - 1.1, 0, 1)[..., None] * 0.3
    picture = mirrored * 0.94 * (1 - share) + colour * share
    picture += crest * (p["light"][int(0.85 * STEPS)] - picture)
    c.rgb[first:] = np.clip(picture, 0, 1)
    c.angle[first:] = 0.18 * ripple * rough
    c.detail[first:] = 0.25 + 0.2 * rough
    if body:
        _paint_glitter(c, p, first, near, x, ripple, body)


def _paint_glitter(c: Canvas, p: Ramps, first: int, near: Array, x: Array, ripple: Array, body: Body) -> None:
    width = c.unit * (2.5 + 9 * near)
    path = np.exp(-(((x - body.x) / width) ** 2))
    broken = np.clip((ripple + 0.9 - 1.1 * near) * 1.8, 0, 1)
    ramp = p["glow"] if body.kind == "low sun" else p["light"]
    c.field(path * broken * 0.9, ramp, np.full_like(near, 0.86), detail=0.7, top=first)


def paint_land(
    c: Canvas,
    ramp: Array,
    line: npt.NDArray[np.floating],
    tone: float,
    *,
    depth: float = 0.0,
    fall: float = -0.12,
    texture: float = 0.05,
    detail: float = 0.25,
    angle: Array | float | None = None,
    grain: Array | None = None,
) -> None:
    """Paint all that lies below ``line`` (y in pixels for every column).

    ``fall`` is how much the tone changes down to the bottom; slopes that face the sun are lighter.
    """
    first = int(max(np.min(line) - 2, 0))
    if first >= c.height:
        return
    _, y = grid((c.height - first, c.width))
    under = y + np.float32(first) - np.asarray(line, dtype=np.float32)[None, :]
    mask = np.clip(under + 0.5, 0, 1)
    rise = np.asarray(np.gradient(np.asarray(line, dtype=np.float64)), dtype=np.float32)
    fade = np.clip(under / (0.5 * c.height), 0, 1)
    facing = np.float32(0.12 * -np.sign(c.sun[0])) * np.clip(rise, -1, 1)[None, :] * np.exp(-under / (c.unit * 9))
    rough = c.grain[first:] if grain is None else grain[first:]
    tones = tone + fall * fade + facing + texture * rough
    brush = angle[first:] if isinstance(angle, np.ndarray) else angle
    slope = np.arctan(rise)[None, :] * np.exp(-np.clip(under, 0, None) / (c.unit * 12))
    c.field(
        mask,
        ramp,
        tones,
        angle=slope + 0.15 * rough if brush is None else brush,
        detail=detail,
        depth=depth,
        top=first,
    )


def rolling(c: Canvas, rng: Rng, base: float, height: float, *, cell: float = 40, slope: float = 0.0) -> Array:
    """A soft hill line: y in pixels for every column, round ``base``, falling by ``slope`` to the right."""
    x = np.arange(c.width, dtype=np.float32)
    wave = ridge(rng, c.width, c.unit * cell, octaves=3, roughness=0.35)
    soft = blur(wave[None, :], c.unit * 2)[0]
    return np.asarray(base + height * soft + slope * (x - c.width / 2), dtype=np.float32)


def paint_rain(c: Canvas, p: Ramps, rng: Rng, count: int = 220) -> None:
    """Draw slanting threads of rain over everything."""
    for _ in range(count):
        x, y, length = rng.uniform(0, c.width), rng.uniform(-20, c.height), c.unit * rng.uniform(4, 9)
        thread = np.array(
            [[x, y], [x + 0.5, y], [x - length * 0.22, y + length], [x - length * 0.22 - 0.5, y + length]]
        )
        c.shape(thread, p["light"], 0.8, texture=0, angle=None, detail=0.5, alpha=rng.uniform(0.12, 0.35))


def paint_birds(c: Canvas, p: Ramps, rng: Rng, count: int, x: float, y: float, tone: float = 0.1) -> None:
    """Draw ``count`` birds round (x, y), each as two bent wings."""
    for _ in range(count):
        size = c.unit * rng.uniform(1.0, 1.9)
        bx, by, lift = x + rng.normal() * c.unit * 11, y + rng.normal() * c.unit * 5, rng.uniform(0.25, 0.6)
        wings = np.array(
            [[-1, -lift], [-0.45, -lift * 0.9], [0, 0], [0.45, -lift * 0.9], [1, -lift], [0.45, -lift * 0.5],
             [0, 0.22], [-0.45, -lift * 0.5]]
        )  # fmt: skip
        c.shape(wings * size + [bx, by], p["dark"], tone, detail=0.95)
