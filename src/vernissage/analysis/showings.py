"""Which answers the model of one variable sees: both showings of a list as one, the first alone, or each for itself."""

from collections.abc import Collection
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from vernissage.analysis.cells import Cells, cells_of
from vernissage.analysis.long_table import LongTable

Showings = Literal["mean", "first", "all"]

SHOWINGS: tuple[Showings, ...] = get_args(Showings)

DEPENDENCE = (
    "showings=all counts both answers about one list as independent, which they are not: standard errors are too small "
    "and p values too low; report showings=mean, or first"
)
"""The warning that goes with ``all``."""


def cells_by_name(
    table: LongTable, variable: str, showings: Showings, excluded: Collection[str]
) -> tuple[Cells, tuple[str, ...], tuple[str, ...]]:
    """The complete cases of ``variable`` without ``excluded`` participants, and the participants and engines in them.

    ``mean`` takes a participant's mean for each engine over the showings that were answered, ``first`` the answers to
    first showings, ``all`` every answer. ``table`` is sorted. Names are sorted, and are those of the rows and columns.
    """
    values = np.asarray(table.values[variable], dtype=np.float64)
    kept = ~np.isnan(values) & np.array([name not in excluded for name in table.participants], dtype=bool)
    if showings == "first":
        kept &= np.asarray(table.repetitions, dtype=np.int64) == 1
    places = np.flatnonzero(kept).tolist()
    people, participants = _numbered([table.participants[place] for place in places])
    names, engines = _numbered([table.engines[place] for place in places])
    cells = cells_of(participants, engines, values[places])
    if showings == "mean":
        filled = np.nonzero(cells.counts)
        cells = cells_of(filled[0], filled[1], cells.means[filled])
    return cells, people, names


def _numbered(names: list[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    known = tuple(sorted(set(names)))
    number = {name: place for place, name in enumerate(known)}
    return known, np.array([number[name] for name in names], dtype=np.int64)
