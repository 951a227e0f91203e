"""Colour harmonies: eight families of colours, and the ramps from shadow to light that scenes are painted with.

Colours are mixed in OKLab, where equal steps look equal (B. Ottosson, *A perceptual color space for image
processing*, 2020).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
"""Mostly float32; pictures are (height, width, 3), sRGB values from 0 to 1."""

Ramps = Mapping[str, Array]
"""For every colour role a ramp from shadow to light: float32 (STEPS, 3)."""

STEPS = 128
ROLES = ("dark", "light", "sky", "glow", "water", "land", "growth", "wall", "accent", "skin")

_TO_CONE = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def oklab(rgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Turn sRGB values (..., 3) from 0 to 1 into OKLab: lightness from 0 to 1, then two colour axes."""
    value = np.asarray(rgb, dtype=np.float64)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONE.T) @ _TO_LAB.T)


def srgb(lab: npt.ArrayLike) -> Array:
    """Turn OKLab values (..., 3) into sRGB from 0 to 1, clipping what no screen shows."""
    cone = (np.asarray(lab, dtype=np.float64) @ np.linalg.inv(_TO_LAB).T) ** 3
    linear = np.clip(cone @ np.linalg.inv(_TO_CONE).T, 0.0, 1.0)
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return value.astype(np.float32)


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: float) -> Array:
    """Mix two sRGB colours in OKLab; ``share`` is that of the second, from 0 to 1."""
    return srgb((1 - share) * oklab(first) + share * oklab(second))


def _colours(hexes: str) -> Mapping[str, Array]:
    values = [np.array(list(bytes.fromhex(code)), dtype=np.float32) / 255 for code in hexes.split()]
    return MappingProxyType(dict(zip(ROLES, values, strict=True)))


SCENERY: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("gallery.toml").read_text(encoding="utf-8"))
"""What pictures are made of, as ``gallery.toml`` tells it."""

PALETTES = MappingProxyType({name: _colours(hexes) for name, hexes in SCENERY["palettes"].items()})


@dataclass(frozen=True)
class Key:
    """How a mood bends a palette: lightness ``gain`` and ``lift``, and the strength of colour."""

    gain: float
    lift: float
    chroma: float


def ramps(palette: str, key: Key) -> Ramps:
    """For every role a ramp from shadow to light: float32 (STEPS, 3), the role's own colour in the middle."""
    colours = {role: oklab(value) for role, value in PALETTES[palette].items()}
    dark, light = colours["dark"], colours["light"]
    return {role: _ramp(dark, colour, light, key) for role, colour in colours.items()}


def _ramp(
    dark: npt.NDArray[np.float64], colour: npt.NDArray[np.float64], light: npt.NDArray[np.float64], key: Key
) -> Array:
    steps = np.linspace(0, 1, STEPS)[:, None]
    # The ends keep a part of the role's own hue, so that shadows and lights stay coloured.
    low = np.concatenate([dark[:1], 0.6 * dark[1:] + 0.4 * colour[1:]])
    high = np.concatenate([light[:1], 0.65 * light[1:] + 0.35 * colour[1:]])
    below, above = np.clip(steps * 2, 0, 1), np.clip(steps * 2 - 1, 0, 1)
    lab = (1 - below) * low + (below - above) * colour + above * high
    lab[:, :1] = np.clip(lab[:, :1] * key.gain + key.lift, 0.05, 0.99)
    lab[:, 1:] *= key.chroma
    return srgb(lab)
