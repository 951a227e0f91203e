"""Directions of vectors, in double precision."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def unit(rows: npt.NDArray[np.floating], *, least: float = 0.0) -> Floats:
    """Scale every row to length 1, float64 (n, dim); a row no longer than ``least`` becomes zero."""
    scaled = np.array(rows, dtype=np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    np.divide(scaled, lengths, out=scaled, where=lengths > least)
    scaled *= lengths > least
    return scaled
