"""Colour harmonies: eight families of colours, and the ramps from shadow to light that scenes are painted with.

Colours are mixed in OKLab, where equal steps look equal (B. Ottosson, *A perceptual color space for image
processing*, 2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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


PALETTES: Mapping[str, Mapping[str, Array]] = MappingProxyType(
    {
        #                   dark   light  sky    glow   water  land   growth wall   accent skin
        "ember": _colours("1f0d12 fff0cf 8a3430 f0924a 7a3540 94502a 7a6428 b85c40 ffc247 dd9468"),
        "cobalt": _colours("0a1030 eaf2ff 2c4fae 8fb4e6 23589c 3d5c96 357a90 6076b4 ffb454 a9b4d8"),
        "meadow": _colours("14231a fbf6dc 86b5ae e9e0a6 4f8a83 a89a4a 4c7a34 c9b183 d9542b dba77e"),
        "rose": _colours("33202f fff3ee c79ab5 f6c5b4 9a8fb8 bd9099 8b9680 dcaba2 d63e62 ebb9a2"),
        "umber": _colours("1e140b fbeecb b39863 eed391 7d6c4a 8f6838 6f632f aa8455 b3331f d0a06c"),
        "frost": _colours("222c38 fbfdff a3bccf e2e8ea 7c9db3 b0bbc2 74919a 9aa6b0 e0603a d0c0b8"),
        "fauve": _colours("1b1140 fff7d6 2a86d6 ffcf4a 1598a8 ee7038 2a9d58 e0508e ffe14a f29a68"),
        "nocturne": _colours("0b0d14 f3ead2 3a4a60 a3967c 2b4a54 564d48 35544a 66535c eab63e bf977a"),
    }
)


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
