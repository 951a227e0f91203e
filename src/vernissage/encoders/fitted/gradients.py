"""Gradients of a picture's lightness: where its edges lie and run, and what its small patches look like."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

ORIENTATIONS = 8
CELL = 4
"""Pixels along one side of a cell."""

BLOCK = 4
"""Cells along one side of a descriptor, as in SIFT."""

DESCRIPTOR_DIM = BLOCK * BLOCK * ORIENTATIONS
LAYOUT_GRID = 6
LAYOUT_DIM = LAYOUT_GRID * LAYOUT_GRID * ORIENTATIONS
FLAT = 2.0
"""Gradient in L* units per pixel, summed over a patch's 16 cells, below which there is nothing to describe."""


def orientation_cells(lightness: Floats) -> Floats:
    """Gradient histograms of 4 × 4 pixels each: float32 (rows, columns, 8), mean gradient in L* units per pixel.

    Every pixel votes with its gradient's size, linearly between the two nearest of 8 orientations (0° to 360°).
    """
    across = cv2.Sobel(lightness, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(lightness, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    size, angle = cv2.cartToPolar(across, down)
    rows, columns = lightness.shape[0] // CELL, lightness.shape[1] // CELL
    size, position = _by_place(size), _by_place(angle) * np.float32(ORIENTATIONS / (2 * np.pi))
    lower = np.floor(position)
    share = position - lower
    votes = np.zeros(size.size * ORIENTATIONS, dtype=np.float32)
    pixel = np.arange(0, votes.size, ORIENTATIONS)
    first = lower.astype(np.intp) % ORIENTATIONS
    votes[pixel + first] = size * (1 - share)
    votes[pixel + (first + 1) % ORIENTATIONS] = size * share
    summed: Floats = votes.reshape(CELL * CELL, rows, columns, ORIENTATIONS).sum(axis=0)
    return summed / np.float32(CELL * CELL)


def _by_place(plane: npt.NDArray[Any]) -> Floats:
    """The pixels of all whole cells, first each cell's first pixel, then each one's second …, so that sums run fast."""
    rows, columns = plane.shape[0] // CELL, plane.shape[1] // CELL
    whole = plane[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return whole.transpose(1, 3, 0, 2).reshape(-1)


def edge_layout(cells: Floats) -> Floats:
    """How strong edges of each orientation are on a 6 × 6 grid, square-rooted: float32 (288,), unit length.

    All zero for a picture without edges. What `orientation_cells` returns is gathered by whole cells.
    Source: Dalal & Triggs, CVPR 2005, with one block, the picture itself.
    """
    rows = np.linspace(0, len(cells), LAYOUT_GRID + 1).astype(int)
    columns = np.linspace(0, cells.shape[1], LAYOUT_GRID + 1).astype(int)
    by_row = np.add.reduceat(cells, rows[:-1], axis=0, dtype=np.float64)
    sums = np.add.reduceat(by_row, columns[:-1], axis=1)
    areas = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    strengths = (sums / areas).ravel()
    total = strengths.sum()
    layout: Floats = np.sqrt(strengths / total if total > 0 else strengths).astype(np.float32)
    return layout


def dense_rootsift(cells: Floats) -> Floats:
    """RootSIFT of overlapping upright patches, one every 4 pixels: float32 (patches, 128), unit rows.

    A patch is 4 × 4 of the cells that `orientation_cells` returns. Patches without contrast are left out, so there
    may be none. Source: Lowe, IJCV 60(2), 2004; the root: Arandjelović & Zisserman, CVPR 2012.
    """
    # Neighbouring cells of a row lie side by side, so that each row of a patch is one piece of memory.
    windows = np.lib.stride_tricks.sliding_window_view(cells.reshape(len(cells), -1), (BLOCK, BLOCK * ORIENTATIONS))
    patches = windows[:, ::ORIENTATIONS].reshape(-1, DESCRIPTOR_DIM)
    total = patches.sum(axis=1)
    textured = total > FLAT
    rooted: Floats = patches[textured]
    rooted /= total[textured, None]
    return np.sqrt(rooted, out=rooted)
