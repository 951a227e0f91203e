"""What the vectors of one modality have in common, and the vectors without it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.values import Vectors

Mean = npt.NDArray[np.float64]
"""float64 of shape (dim,), shorter than 1."""


_BLOCK = 65_536
"""Rows that are widened at once."""


def mean_of_units(vectors: npt.NDArray[Any], rows: Sequence[int] | None = None) -> Mean:
    """The mean of the rows of ``vectors`` (n, dim), or of some, each scaled to length 1: float64 (dim,).

    Rows of zeros are left out; without any other row the mean is zero.
    """
    total, count = np.zeros(vectors.shape[1]), 0
    for start in range(0, len(vectors) if rows is None else len(rows), _BLOCK):
        some = slice(start, start + _BLOCK)
        units = unit_rows(vectors[some] if rows is None else vectors[rows[some]])
        found = units[units.any(axis=1)]
        total += found.sum(axis=0, dtype=np.float64)
        count += len(found)
    return total / max(1, count)


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
