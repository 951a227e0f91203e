"""Sky, sun and moon, water, land in the distance, rain and birds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.canvas import Canvas, Ink
from vernissage_lab.sample.noise import blur, clouds, ridge, sample
from vernissage_lab.sample.outlines import oval
from vernissage_lab.sample.palettes import SCENERY, STEPS, Array
from vernissage_lab.sample.plan import View


@dataclass(frozen=True)
class Weather:
    """Tones of a sky at the top and at the horizon, and its clouds."""

    top: float
    low: float
    glow: float
    cover: float
    cloud: float
    stretch: float
    haze: float


WEATHER = {sky: Weather(**tones) for sky, tones in SCENERY["skies"].items()}


@dataclass(frozen=True)
class Body:
    """The sun or the moon: where it stands in pixels, its radius, and which of the two it is."""

    x: float
    y: float
    radius: float
    is_sun: bool

    @property
    def light(self) -> str:
        """The colour role of its light."""
        return "glow" if self.is_sun else "light"


def paint_sky(c: Canvas, view: View) -> Body | None:
    """Paint the whole canvas as sky, set air and light, and return the sun or moon if one is to be seen."""
    weather = WEATHER[view.sky]
    horizon = max(view.horizon, 0.3) * c.height
    down = np.clip(c.grid()[1] / horizon, 0, 1)
    body = _body(c, view)
    high = weather.top + (weather.low - weather.top) * down + 0.02 * c.grain
    c.field(1.0, "sky", high, angle=0.12 * c.grain, detail=0.1)
    c.field(down**1.6 * weather.glow, "glow", weather.low - 0.1 + 0.12 * down, angle=0.12 * c.grain, detail=0.1)
    _paint_clouds(c, weather, down)
    level = min(int(horizon), c.height - 1)
    c.air = np.asarray(c.rgb[max(level - 6, 0) : level + 1].mean(axis=(0, 1)), dtype=np.float32)
    c.haze = weather.haze
    if body:
        _paint_body(c, body)
        dx, dy = body.x - view.focus * c.width, body.y - horizon
        length = float(np.hypot(dx, dy)) + 1e-6
        c.sun = (dx / length, dy / length)
    else:
        c.sun = (-0.75, -0.66) if view.focus > 0.5 else (0.75, -0.66)
    if view.sky in {"moon", "dusk"}:
        for _ in range(int(c.rng.integers(18, 34))):
            x, y = c.rng.uniform(0, c.width), horizon * c.rng.random() ** 1.5 * 0.75
            size = c.unit * c.rng.uniform(0.22, 0.45)
            c.shape(oval(x, y, size, size), "light", 0.95, detail=0.9, alpha=c.rng.uniform(0.5, 0.95))
    return body


def _body(c: Canvas, view: View) -> Body | None:
    if view.sky not in {"low sun", "moon"}:
        return None
    is_sun = view.sky == "low sun"
    x = (view.focus + view.away * float(c.rng.uniform(0.16, 0.3))) * c.width
    share = c.rng.uniform(0.62, 0.74) if is_sun else c.rng.uniform(0.3, 0.42)
    return Body(x, view.horizon * c.height * float(share), c.unit * float(c.rng.uniform(2.6, 3.6)), is_sun)


def _paint_body(c: Canvas, body: Body) -> None:
    reach, strength = (9.0, 0.9) if body.is_sun else (5.0, 0.55)
    c.shine(body.x, body.y, body.radius * reach, body.light, 0.86, strength)
    disc = c.colours("accent", 0.8) if body.is_sun else c.colours("light", 0.97)
    flat = np.repeat(disc[None], STEPS, axis=0)
    c.shape(oval(body.x, body.y, body.radius, body.radius), flat, 0.5, texture=0, detail=0.8, soft=0.7)


def _paint_clouds(c: Canvas, weather: Weather, down: Array) -> None:
    mass = c.clouds(26, stretch=weather.stretch, octaves=5)
    # Clouds grow flatter and closer together towards the horizon, where they are seen from the side.
    body = blur(np.clip((mass - (1.1 - 2.0 * weather.cover)) * 1.6, 0, 1), 1.2)
    x, y = c.grid()
    under = sample(mass, x + np.float32(c.sun[0] * -c.unit * 4), y + np.float32(c.unit * 5))
    lit = np.clip(0.5 + 0.32 * (mass - under), 0, 1)
    tone = weather.cloud - 0.22 + 0.3 * lit + 0.04 * c.grain
    veil = body * (0.9 - 0.45 * down)
    c.field(veil, "sky", tone - 0.05, angle=0.5 * mass, detail=0.25)
    c.field(np.clip((lit - 0.5) * 2.4, 0, 1) * veil, "glow", tone + 0.12, angle=0.5 * mass, detail=0.3)


def paint_water(c: Canvas, top: float, *, body: Body | None = None, rough: float = 0.3, own: float = 0.45) -> None:
    """Mirror what stands above ``top`` (pixels) in rippled water below it.

    ``rough`` is how broken the mirror is, from 0 to 1; ``own`` is the share of the water's own colour.
    """
    first = int(top)
    x, y = c.grid(first)
    near = np.clip(y / max(c.height - first, 2), 0, 1)
    ripple = clouds(c.rng, near.shape, c.unit * 2.4, stretch=7, octaves=3)
    broad = clouds(c.rng, near.shape, c.unit * 9, stretch=5, octaves=2)
    push = (0.6 + 5.0 * near) * c.unit * rough
    above = np.clip(first - y * 0.9 - push * ripple * 1.5 - 1, 0, first)
    mirrored = sample(c.rgb, x + push * ripple, above)
    colour = c.colours("water", 0.55 - 0.16 * near + 0.05 * ripple + 0.05 * broad)
    share = np.clip(own + 0.3 * near + 0.12 * broad, 0, 1)[..., None]
    crest = np.clip(ripple - 1.1, 0, 1)[..., None] * 0.3
    picture = mirrored * 0.94 * (1 - share) + colour * share
    picture += crest * (c.colours("light", 0.85) - picture)
    c.rgb[first:] = np.clip(picture, 0, 1)
    c.angle[first:] = 0.18 * ripple * rough
    c.detail[first:] = 0.25 + 0.2 * rough
    if body:
        path = np.exp(-(((x - body.x) / (c.unit * (2.5 + 9 * near))) ** 2))
        broken = np.clip((ripple + 0.9 - 1.1 * near) * 1.8, 0, 1)
        c.field(path * broken * 0.9, body.light, np.full_like(near, 0.86), detail=0.7, top=first)


def paint_land(
    c: Canvas,
    ink: Ink,
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
    under = c.grid(first)[1] + np.float32(first) - np.asarray(line, dtype=np.float32)[None, :]
    mask = np.clip(under + 0.5, 0, 1)
    rise = np.asarray(np.gradient(np.asarray(line, dtype=np.float64)), dtype=np.float32)
    fade = np.clip(under / (0.5 * c.height), 0, 1)
    facing = np.float32(0.12 * -np.sign(c.sun[0])) * np.clip(rise, -1, 1)[None, :] * np.exp(-under / (c.unit * 9))
    rough = (c.grain if grain is None else grain)[first:]
    tones = tone + fall * fade + facing + texture * rough
    if angle is None:
        slope = np.arctan(rise)[None, :] * np.exp(-np.clip(under, 0, None) / (c.unit * 12))
        angle = slope + 0.15 * rough
    elif isinstance(angle, np.ndarray):
        angle = angle[first:]
    c.field(mask, ink, tones, angle=angle, detail=detail, depth=depth, top=first)


def rolling(c: Canvas, base: float, height: float, *, cell: float = 40, slope: float = 0.0) -> Array:
    """A soft hill line: y in pixels for every column, round ``base``, falling by ``slope`` to the right."""
    wave = ridge(c.rng, c.width, c.unit * cell, octaves=3, roughness=0.35)
    soft = blur(wave[None, :], c.unit * 2)[0]
    across = np.arange(c.width, dtype=np.float32) - c.width / 2
    return np.asarray(base + height * soft + slope * across, dtype=np.float32)


def paint_rain(c: Canvas, count: int) -> None:
    """Draw slanting threads of rain over everything."""
    for _ in range(count):
        x, y, length = c.rng.uniform(0, c.width), c.rng.uniform(-20, c.height), c.unit * c.rng.uniform(4, 9)
        low, end = x - length * 0.22, y + length
        thread = [[x, y], [x + 0.5, y], [low, end], [low - 0.5, end]]
        c.shape(thread, "light", 0.8, texture=0, detail=0.5, alpha=c.rng.uniform(0.12, 0.35))


def paint_birds(c: Canvas, count: int, x: float, y: float, tone: float = 0.1) -> None:
    """Draw ``count`` birds round (x, y), each as two bent wings."""
    for _ in range(count):
        size = c.unit * c.rng.uniform(1.0, 1.9)
        bx, by, lift = x + c.rng.normal() * c.unit * 11, y + c.rng.normal() * c.unit * 5, c.rng.uniform(0.25, 0.6)
        wings = np.array(
            [[-1, -lift], [-0.45, -lift * 0.9], [0, 0], [0.45, -lift * 0.9], [1, -lift], [0.45, -lift * 0.5],
             [0, 0.22], [-0.45, -lift * 0.5]]
        )  # fmt: skip
        c.shape(wings * size + [bx, by], "dark", tone, detail=0.95)
