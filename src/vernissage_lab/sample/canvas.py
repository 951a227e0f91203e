"""The study under every picture: colour, brush direction and fineness of detail, built up from back to front.

Scenes paint shapes on it without knowing the technique; techniques translate the finished study into oil, ink or
print without knowing the scene. So every subject can be had in every technique.
"""

from dataclasses import dataclass
from typing import TypedDict, Unpack

import cv2
import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.noise import Rng, clouds, grid, tripled
from vernissage_lab.sample.outlines import Points, box, limb, oval, placed
from vernissage_lab.sample.palettes import STEPS, Array, Ramps

Ink = str | Array
"""A colour role, or a ramp of its own from shadow to light, float32 (STEPS, 3)."""

_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel


class How(TypedDict, total=False):
    """How a shape is painted; see `Canvas.shape`."""

    light: float
    texture: float
    angle: float | None
    detail: float
    depth: float
    alpha: float
    soft: float


class Canvas:
    """Buffers of one study, painted on in place.

    Attributes:
        rng: what everything in the picture is drawn by.
        ramps: for every colour role a ramp from shadow to light (see `palettes.ramps`).
        rgb: float32 (height, width, 3), sRGB from 0 to 1.
        angle: float32 (height, width), the direction of the brush in radians, 0 is level.
        detail: float32 (height, width), from 0 (broad brush) to 1 (fine).
        unit: a hundredth of the side of a square of the same area, in pixels.
        air, haze: the colour that distance fades into, and how strongly, from 0 to 1.
        sun: unit vector (x, y) towards the light; y grows downwards.
    """

    def __init__(self, height: int, width: int, rng: Rng, ramps: Ramps) -> None:
        self.height, self.width = height, width
        self.rng, self.ramps = rng, ramps
        self.unit = float(np.sqrt(height * width)) / 100
        self.rgb = np.zeros((height, width, 3), dtype=np.float32)
        self.angle = np.zeros((height, width), dtype=np.float32)
        self.detail = np.full((height, width), 0.2, dtype=np.float32)
        self.grain = clouds(rng, (height, width), 24)
        self.air: Array = np.ones(3, dtype=np.float32)
        self.haze = 0.5
        self.sun = (-0.7, -0.7)

    def clouds(self, cell: float, *, stretch: float = 1.0, octaves: int = 4) -> Array:
        """Noise over the whole canvas, with lumps of ``cell`` units (see `noise.clouds`)."""
        return clouds(self.rng, (self.height, self.width), self.unit * cell, stretch=stretch, octaves=octaves)

    def grid(self, top: int = 0) -> tuple[Array, Array]:
        """The x of every pixel, and its y below the row ``top``, for all rows from there down."""
        return grid((self.height - top, self.width))

    def colours(self, ink: Ink, tone: Array | float) -> Array:
        """The ink's colours for tones from 0 to 1: float32 (..., 3)."""
        ramp = self.ramps[ink] if isinstance(ink, str) else ink
        steps = (np.asarray(tone) * STEPS).astype(np.intp)
        return np.asarray(np.take(ramp, steps, axis=0, mode="clip"), dtype=np.float32)

    def field(
        self,
        mask: Array | float,
        ink: Ink,
        tone: Array,
        *,
        angle: Array | float = 0.0,
        detail: float = 0.2,
        depth: Array | float = 0.0,
        top: int = 0,
    ) -> None:
        """Paint over all rows from ``top`` down: ``mask`` and ``tone`` have the shape of those rows."""
        region = (slice(max(top, 0), self.height), slice(0, self.width))
        tone = np.asarray(tone, dtype=np.float32)
        colour = self._faded(self.colours(ink, tone), depth)
        self._blend(region, np.full(tone.shape, mask, dtype=np.float32), colour, angle, detail)

    def shape(
        self,
        points: npt.ArrayLike,
        ink: Ink,
        tone: float,
        *,
        light: float = 0.12,
        texture: float = 0.03,
        angle: float | None = None,
        detail: float = 0.6,
        depth: float = 0.0,
        alpha: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Paint a polygon; its tone rises by ``light`` towards the sun and wanders by ``texture``.

        ``soft`` blurs the edge by that many pixels; ``alpha`` is the opacity.
        """
        outline = np.asarray(points, dtype=np.float64)
        region = self._region(outline, 3 * soft + 2)
        if region is None:
            return
        mask = self._mask(outline, region, soft) * np.float32(alpha)
        tones = tone + light * self._towards_sun(outline, region) + texture * self.grain[region]
        self._blend(region, mask, self._faded(self.colours(ink, tones), depth), angle, detail)

    def band(self, line: npt.ArrayLike, start: float, end: float, ink: Ink, tone: float, **how: Unpack[How]) -> None:
        """Paint a line whose width runs from ``start`` to ``end`` pixels."""
        self.shape(limb(line, start, end), ink, tone, **how)

    def shine(self, x: float, y: float, radius: float, ink: Ink, tone: float, strength: float) -> None:
        """Let light spread round a point: a screen-like glow that falls off with distance."""
        region = self._region(np.array([[x - radius * 3, y - radius * 3], [x + radius * 3, y + radius * 3]]), 0)
        if region is None:
            return
        rows = np.arange(region[0].start, region[0].stop, dtype=np.float32)[:, None] - np.float32(y)
        columns = np.arange(region[1].start, region[1].stop, dtype=np.float32)[None, :] - np.float32(x)
        away = np.sqrt(rows**2 + columns**2) / np.float32(radius)
        share = np.clip(strength * np.exp(-1.5 * away) * np.clip(1.5 - away / 2, 0, 1), 0, 1)
        under = self.rgb[region]
        under += tripled(share) * (self.colours(ink, tone) - under)

    def _region(self, outline: Points, margin: float) -> tuple[slice, slice] | None:
        low, high = outline.min(axis=0) - margin, outline.max(axis=0) + margin
        left, right = max(int(low[0]), 0), min(int(high[0]) + 1, self.width)
        top, bottom = max(int(low[1]), 0), min(int(high[1]) + 1, self.height)
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    @staticmethod
    def _mask(outline: Points, region: tuple[slice, slice], soft: float) -> Array:
        rows, columns = region
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
        local = (outline - [columns.start, rows.start]) * 2**_SHIFT
        cv2.fillPoly(mask, [np.round(local).astype(np.int32)], (255,), cv2.LINE_AA, _SHIFT)
        if soft:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), dtype=np.uint8)
        return np.asarray(mask, dtype=np.float32) / 255

    def _towards_sun(self, outline: Points, region: tuple[slice, slice]) -> Array:
        (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
        x = np.arange(region[1].start, region[1].stop, dtype=np.float32)
        y = np.arange(region[0].start, region[0].stop, dtype=np.float32)
        across = (x - (left + right) / 2) / max((right - left) / 2, 1) * self.sun[0]
        down = (y - (top + bottom) / 2) / max((bottom - top) / 2, 1) * self.sun[1]
        return np.asarray(across[None, :] + down[:, None], dtype=np.float32)

    def _faded(self, colour: Array, depth: Array | float) -> Array:
        if isinstance(depth, float | int) and depth == 0:
            return colour
        share = np.asarray(depth, dtype=np.float32) * np.float32(self.haze)
        share = tripled(share) if share.ndim else share
        return np.asarray(colour + share * (self.air - colour), dtype=np.float32)

    def _blend(
        self, region: tuple[slice, slice], mask: Array, colour: Array, angle: Array | float | None, detail: float
    ) -> None:
        # Views, because self.rgb[region] += … would copy the whole region onto itself once more.
        under, fineness = self.rgb[region], self.detail[region]
        change = colour - under
        change *= tripled(mask)
        under += change
        if angle is not None:
            turned = np.broadcast_to(np.asarray(angle, dtype=np.float32), mask.shape)
            np.copyto(self.angle[region], turned, where=mask > 0.5)
        fineness += mask * (np.float32(detail) - fineness)


@dataclass(frozen=True)
class Figure:
    """A place on the canvas in pixels, with a size and a tilt in radians; its parts are drawn in units of the size.

    x runs to the right and y downwards from the place.
    """

    canvas: Canvas
    x: float
    y: float
    size: float
    turn: float = 0.0

    def place(self, points: npt.ArrayLike) -> Points:
        """The points on the canvas, in pixels."""
        return placed(points, self.x, self.y, self.turn, self.size)

    def shape(self, points: npt.ArrayLike, ink: Ink, tone: float, **how: Unpack[How]) -> None:
        """Paint a polygon (see `Canvas.shape`); ``soft`` is in units of the size as well."""
        if "soft" in how:
            how["soft"] *= self.size
        self.canvas.shape(self.place(points), ink, tone, **how)

    def oval(self, x: float, y: float, rx: float, ry: float, ink: Ink, tone: float, **how: Unpack[How]) -> None:
        """Paint an ellipse round a point; its axes stay level however the figure is tilted."""
        ((x, y),) = self.place([[x, y]])
        if "soft" in how:
            how["soft"] *= self.size
        self.canvas.shape(oval(x, y, self.size * rx, self.size * ry), ink, tone, **how)

    def box(
        self, left: float, top: float, right: float, bottom: float, ink: Ink, tone: float, **how: Unpack[How]
    ) -> None:
        """Paint a rectangle."""
        self.shape(box(left, top, right, bottom), ink, tone, **how)

    def band(self, line: npt.ArrayLike, start: float, end: float, ink: Ink, tone: float, **how: Unpack[How]) -> None:
        """Paint a line whose width runs from ``start`` to ``end``."""
        self.shape(limb(line, start, end), ink, tone, **how)

    def shadow(
        self, away: float, y: float, rx: float, ry: float, *, tone: float = 0.3, alpha: float = 0.5, soft: float
    ) -> None:
        """Paint the shadow that it casts on level ground, its middle ``away`` from the sun."""
        self.oval(-self.canvas.sun[0] * away, y, rx, ry, "dark", tone, alpha=alpha, soft=soft, angle=0.0)
