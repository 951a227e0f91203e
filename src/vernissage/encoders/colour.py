"""Colour of a picture: where in the CIELAB space its pixels lie, cell by cell."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""uint8 RGB of shape (height, width, 3)."""

Floats = npt.NDArray[np.float32]

LIGHTNESS_BINS = 5
OPPONENT_BINS = 7
OPPONENT_SCALE = 12.0
"""Lab units: a* and b* are squeezed by asinh(x / 12), because painted colours crowd around grey."""

OPPONENT_LIMIT = 110.0


def lab(pixels: Pixels) -> Floats:
    """CIELAB (D65) of sRGB pixels: float32 (height, width, 3), L* in [0, 100], a* and b* within about ±110."""
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), dtype=np.float32)


def grid_cells(height: int, width: int, cells: int) -> npt.NDArray[np.intp]:
    """The number of the cell that every pixel lies in, row by row: (height, width), 0 to cells² - 1."""
    down = np.arange(height) * cells // height
    across = np.arange(width) * cells // width
    numbers: npt.NDArray[np.intp] = down[:, None] * cells + across[None, :]
    return numbers


def colour_histogram(colours: Floats, cells: int = 2) -> Floats:
    """Joint L*a*b* histogram with linear votes on a ``cells`` × ``cells`` grid, square-rooted.

    Every cell's histogram sums to 1 before the root, so that the inner product of two pictures is the mean
    Bhattacharyya coefficient of their cells, times cells². Returns float32 (cells² · 5 · 7 · 7,).
    """
    height, width = colours.shape[:2]
    cell = grid_cells(height, width, cells).ravel()
    low, share = _positions(colours.reshape(-1, 3))
    counts = np.zeros(cells * cells * LIGHTNESS_BINS * OPPONENT_BINS * OPPONENT_BINS)
    for corner in range(8):
        upper = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        bins = low + upper
        weights = np.where(upper == 1, share, 1 - share).prod(axis=1)
        index = ((cell * LIGHTNESS_BINS + bins[:, 0]) * OPPONENT_BINS + bins[:, 1]) * OPPONENT_BINS + bins[:, 2]
        counts += np.bincount(index, weights, minlength=counts.size)
    pixels = np.bincount(cell, minlength=cells * cells)
    shares = counts.reshape(cells * cells, -1) / np.maximum(pixels, 1)[:, None]
    return np.sqrt(shares).astype(np.float32).ravel()


def _positions(colours: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """The lower bin on each axis and the share of the vote that goes to the bin above it."""
    limit = np.arcsinh(OPPONENT_LIMIT / OPPONENT_SCALE)
    position = np.empty_like(colours)
    position[:, 0] = np.clip(colours[:, 0] / 100.0, 0, 1) * (LIGHTNESS_BINS - 1)
    squeezed = np.arcsinh(colours[:, 1:] / OPPONENT_SCALE) / limit
    position[:, 1:] = (np.clip(squeezed, -1, 1) + 1) / 2 * (OPPONENT_BINS - 1)
    last = np.array([LIGHTNESS_BINS - 2, OPPONENT_BINS - 2, OPPONENT_BINS - 2])
    low = np.minimum(position.astype(np.intp), last)
    return low, position - low.astype(np.float32)
