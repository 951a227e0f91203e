"""Colour of a picture: its pixels in sRGB and CIELAB, and which colours they have."""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
"""uint8 sRGB of shape (height, width, 3)."""

Floats = npt.NDArray[np.float32]

SHORTEST_SIDE = 32
"""Pixels: a strip of 1 × 1,000 is stretched until a descriptor fits into it."""

LIGHTNESS_BINS = 6
OPPONENT_BINS = 9
COLOUR_DIM = LIGHTNESS_BINS * OPPONENT_BINS**2
OPPONENT_SCALE = 8.0
OPPONENT_LIMIT = 110.0
"""Lab units: a* and b* are squeezed by asinh(x / 8), because painted colours crowd around grey."""

MONOCHROME_SPREAD = 4.0
MONOCHROME_CHROMA = 25.0
LINE_ART_SHARE = 0.3


def working_pixels(image: Image.Image, longer_side: int) -> Pixels:
    """The picture in sRGB on white, its longer side scaled to ``longer_side`` pixels, neither below 32."""
    rgb = _flattened(image)
    scale = longer_side / max(rgb.size)
    size = (max(SHORTEST_SIDE, round(rgb.width * scale)), max(SHORTEST_SIDE, round(rgb.height * scale)))
    return np.asarray(rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def lab(pixels: Pixels) -> Floats:
    """CIELAB (D65) of sRGB pixels: float32 (height, width, 3), L* in [0, 100], a* and b* within about ±110."""
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), dtype=np.float32)


def half_size(plane: Floats) -> Floats:
    """The mean of every 2 × 2 pixels: float32 of half the height and width, neither below 1."""
    size = (max(plane.shape[1] // 2, 1), max(plane.shape[0] // 2, 1))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def colour_histogram(colours: Floats) -> Floats:
    """The joint L*a*b* histogram of all pixels, with linear votes, square-rooted: float32 (6 · 9 · 9,), unit length.

    Every pixel is shared out among the eight bins around it, so that a slightly different light moves votes only
    slightly. After the root, the inner product of two pictures is the Bhattacharyya coefficient of their colours.
    """
    low, above = _positions(colours.reshape(-1, 3))
    first = (low[0] * OPPONENT_BINS + low[1]) * OPPONENT_BINS + low[2]
    shares = (1 - above, above)
    counts = np.zeros(COLOUR_DIM)
    for light, red, yellow in np.ndindex(2, 2, 2):
        weights = shares[light][0] * shares[red][1] * shares[yellow][2]
        step = (light * OPPONENT_BINS + red) * OPPONENT_BINS + yellow
        counts += np.bincount(first + step, weights, minlength=COLOUR_DIM)
    rooted: Floats = np.sqrt(counts / first.size).astype(np.float32)
    return rooted


def is_monochrome_photograph(colours: Floats) -> bool:
    """Whether the picture is continuous in tone but of one muted hue: a black-and-white or sepia photograph.

    Such a picture does not show what colours the work has. Line art in black on white is no such picture: more than
    0.3 of its pixels are plain black or white; nor is a saturated monochrome, whose colour was meant.
    """
    lightness = colours[:, :, 0]
    tint = np.median(colours[:, :, 1:].reshape(-1, 2), axis=0)
    spread = np.percentile(np.hypot(colours[:, :, 1] - tint[0], colours[:, :, 2] - tint[1]), 95)
    plain = np.mean((lightness > 97) | (lightness < 3))
    return bool(spread < MONOCHROME_SPREAD and np.hypot(*tint) < MONOCHROME_CHROMA and plain < LINE_ART_SHARE)


def _positions(colours: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """The lower bin on each axis and the share of the vote that goes to the bin above it: (3, pixels) each."""
    limit = np.float32(np.arcsinh(OPPONENT_LIMIT / OPPONENT_SCALE))
    position = colours.T.copy()
    position[0] = np.clip(position[0] / 100, 0, 1) * (LIGHTNESS_BINS - 1)
    squeezed = np.arcsinh(position[1:] / np.float32(OPPONENT_SCALE)) / limit
    position[1:] = (np.clip(squeezed, -1, 1) + 1) / 2 * (OPPONENT_BINS - 1)
    last = np.array([LIGHTNESS_BINS - 2, OPPONENT_BINS - 2, OPPONENT_BINS - 2])
    low = np.minimum(position.astype(np.intp), last[:, None])
    return low, position - low.astype(np.float32)


def _flattened(image: Image.Image) -> Image.Image:
    """RGB, with transparent pixels over white; 16-bit grey is brought to 8 bits."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
