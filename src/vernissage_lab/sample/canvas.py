"""The study under every picture: colour, brush direction and fineness of detail, built up from back to front.

Scenes paint shapes on it without knowing the technique; techniques translate the finished study into oil, ink or
print without knowing the scene. So every subject can be had in every technique.
"""

import cv2
import numpy as np
import numpy.typing as npt

from vernissage_lab.sample.noise import Rng, clouds, tripled
from vernissage_lab.sample.palettes import STEPS, Array

Points = npt.NDArray[np.float64]
"""float64 (n, 2): x and y in pixels."""
_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel


def _shades(ramp: Array, tone: Array) -> Array:
    """The ramp's colours for tones from 0 to 1: float32 (..., 3)."""
    return np.asarray(np.take(ramp, (tone * STEPS).astype(np.intp), axis=0, mode="clip"), dtype=np.float32)


class Canvas:
    """Buffers of one study, painted on in place.

    Attributes:
        rgb: float32 (height, width, 3), sRGB from 0 to 1.
        angle: float32 (height, width), the direction of the brush in radians, 0 is level.
        detail: float32 (height, width), from 0 (broad brush) to 1 (fine).
        air, haze: the colour that distance fades into, and how strongly, from 0 to 1.
        sun: unit vector (x, y) towards the light; y grows downwards.
    """

    def __init__(self, height: int, width: int, rng: Rng) -> None:
        self.height, self.width = height, width
        self.unit = float(np.sqrt(height * width)) / 100
        self.rgb = np.zeros((height, width, 3), dtype=np.float32)
        self.angle = np.zeros((height, width), dtype=np.float32)
        self.detail = np.full((height, width), 0.2, dtype=np.float32)
        self.grain = clouds(rng, (height, width), 24)
        self.air: Array = np.ones(3, dtype=np.float32)
        self.haze = 0.5
        self.sun = (-0.7, -0.7)

    def field(
        self,
        mask: Array | float,
        ramp: Array,
        tone: Array,
        *,
        angle: Array | float = 0.0,
        detail: float = 0.2,
        depth: Array | float = 0.0,
        top: int = 0,
    ) -> None:
        """Paint over all rows from ``top`` down: ``mask`` and ``tone`` have the shape of those rows."""
        box = (slice(max(top, 0), self.height), slice(0, self.width))
        colour = self._faded(_shades(ramp, tone), depth)
        self._blend(box, np.full(tone.shape, mask, dtype=np.float32), colour, angle, detail)

    def shape(
        self,
        points: npt.ArrayLike,
        ramp: Array,
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
        box = self._box(outline, 3 * soft + 2)
        if box is None:
            return
        mask = self._mask(outline, box, soft) * np.float32(alpha)
        tones = tone + light * self._towards_sun(outline, box) + texture * self.grain[box]
        colour = self._faded(_shades(ramp, tones), depth)
        self._blend(box, mask, colour, angle, detail)

    def shine(self, x: float, y: float, radius: float, colour: Array, strength: float) -> None:
        """Let light spread round a point: a screen-like glow that falls off with distance."""
        box = self._box(np.array([[x - radius * 3, y - radius * 3], [x + radius * 3, y + radius * 3]]), 0)
        if box is None:
            return
        rows = np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, None] - np.float32(y)
        columns = np.arange(box[1].start, box[1].stop, dtype=np.float32)[None, :] - np.float32(x)
        away = np.sqrt(rows**2 + columns**2) / np.float32(radius)
        share = np.clip(strength * np.exp(-1.5 * away) * np.clip(1.5 - away / 2, 0, 1), 0, 1)
        under = self.rgb[box]
        under += tripled(share) * (colour - under)

    def _box(self, outline: Points, margin: float) -> tuple[slice, slice] | None:
        low, high = outline.min(axis=0) - margin, outline.max(axis=0) + margin
        left, right = max(int(low[0]), 0), min(int(high[0]) + 1, self.width)
        top, bottom = max(int(low[1]), 0), min(int(high[1]) + 1, self.height)
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    @staticmethod
    def _mask(outline: Points, box: tuple[slice, slice], soft: float) -> Array:
        mask = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=np.uint8)
        local = (outline - [box[1].start, box[0].start]) * 2**_SHIFT
        cv2.fillPoly(mask, [np.round(local).astype(np.int32)], (255,), cv2.LINE_AA, _SHIFT)
        if soft:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), dtype=np.uint8)
        return np.asarray(mask, dtype=np.float32) / 255

    def _towards_sun(self, outline: Points, box: tuple[slice, slice]) -> Array:
        (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
        x = np.arange(box[1].start, box[1].stop, dtype=np.float32)
        y = np.arange(box[0].start, box[0].stop, dtype=np.float32)
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
        self, box: tuple[slice, slice], mask: Array, colour: Array, angle: Array | float | None, detail: float
    ) -> None:
        # Views, because self.rgb[box] += … would copy the whole box onto itself once more.
        under, fineness = self.rgb[box], self.detail[box]
        change = colour - under
        change *= tripled(mask)
        under += change
        if angle is not None:
            turned = np.broadcast_to(np.asarray(angle, dtype=np.float32), mask.shape)
            np.copyto(self.angle[box], turned, where=mask > 0.5)
        fineness += mask * (np.float32(detail) - fineness)
