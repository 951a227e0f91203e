"""Directions of vectors, in double precision."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 8192


def unit(rows: npt.NDArray[np.floating], *, least: float = 0.0) -> Floats:
    """Scale every row to length 1, float64 (n, dim); a row no longer than ``least`` becomes zero."""
    scaled = np.array(rows, dtype=np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    np.divide(scaled, lengths, out=scaled, where=lengths > least)
    scaled *= lengths > least
    return scaled


def mean_direction(rows: npt.NDArray[np.floating]) -> Floats:
    """The mean (dim,) of the unit vectors of rows (n, dim), in blocks: nothing of the size of ``rows`` is copied."""
    total = np.zeros(rows.shape[1])
    for start in range(0, len(rows), _BLOCK):
        total += unit(rows[start : start + _BLOCK]).sum(axis=0)
    return total / max(len(rows), 1)
