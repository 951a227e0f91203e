"""What the vectors of one modality have in common, and the vectors without it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.values import Vectors

Mean = npt.NDArray[np.float64]
"""float64 of shape (dim,), shorter than 1."""


def mean_of_units(vectors: npt.NDArray[Any]) -> Mean:
    """The mean of the rows of ``vectors`` (n, dim), each scaled to length 1: float64 (dim,).

    Rows of zeros are left out; without any other row the mean is zero.
    """
    units = unit_rows(vectors)
    found = units[units.any(axis=1)]
    mean: Mean = found.mean(axis=0, dtype=np.float64) if len(found) else np.zeros(units.shape[1])
    return mean


def without_mean(vectors: npt.NDArray[Any], mean: Mean) -> Vectors:
    """x' = unit(unit(x) − mean) for each row of ``vectors`` (n, dim): float32 (n, dim).

    Pictures and texts of one encoder lie in two narrow cones apart from each other (Liang et al., NeurIPS 2022, arXiv
    2203.02053); with the mean of its own modality taken off each, both lie around the same centre. A row of zeros
    stays zero. A row depends on itself and the mean alone.
    """
    units = unit_rows(vectors)
    closed = unit_rows(units - mean)
    closed[~units.any(axis=1)] = 0
    return closed
