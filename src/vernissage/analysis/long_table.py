"""A study's answers, one row for each showing of an engine to a participant."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError

FloatArray = npt.NDArray[np.float64]

KEYS = ("participant", "engine", "repetition")
NO_RATINGS = frozenset(
    {"seconds", "position", "order", "rank", "study", "study_id", "session_id", "condition", "flag", "definition"}
    | {"collection", "encoders", "age", "gender", "started", "answered", "time"}
)
"""Columns of a long table that are no ratings; every other one beside the keys is a variable."""
REPETITIONS = (1, 2)
LOWEST, HIGHEST = 1, 5
LEAST_VIOLATION = 2
"""Answers to the two showings of one list that lie this far apart, on the scale of 1 to 5, break the rule."""


@dataclass(frozen=True, eq=False)
class LongTable:
    """Columns of equal length N.

    Attributes:
        participants, engines: their names, N each.
        repetitions: 1 for the first showing of that engine to that participant, 2 for the second.
        values: by variable, ratings from 1 to 5 as float64 (N,), NaN where there is no answer.
        rows: the number of each row for messages, as its file shows it; by default from 2, as below a header.
    """

    participants: Sequence[str]
    engines: Sequence[str]
    repetitions: Sequence[int]
    values: Mapping[str, FloatArray]
    rows: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.participants)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in their order."""
        return tuple(self.values)

    def row(self, place: int) -> int:
        """The number of the row at ``place`` (from 0) as messages call it."""
        return place + 2 if self.rows is None else self.rows[place]


def check_long_table(table: LongTable, *, engines: Collection[str] | None = None) -> None:
    """Refuse a table that cannot be what a study gave; the first row at fault is named.

    ``engines``, where given, are all that a row may name.

    Raises:
        RequestError: columns of unequal length, no variable, a participant or engine without a name, an unknown engine,
            a repetition that is not 1 or 2, a rating that is not an integer from 1 to 5, or the same participant,
            engine and repetition twice.
    """
    lengths = {len(table.engines), len(table.repetitions), *(len(column) for column in table.values.values())}
    if lengths != {len(table)}:
        raise RequestError(f"the columns of a long table have equal lengths, but these have {len(table)} and {lengths}")
    if not table.values:
        raise RequestError("the long table has no column of ratings; add one for each statement, such as accuracy")
    seen: dict[tuple[str, str, int], int] = {}
    for place, key in enumerate(zip(table.participants, table.engines, table.repetitions, strict=True)):
        _check_row(table, place, engines)
        if key in seen:
            raise RequestError(
                f"row {table.row(place)}: participant {key[0]!r} has rated engine {key[1]!r}, showing {key[2]}, "
                f"already in row {table.row(seen[key])}; keep one of the two rows"
            )
        seen[key] = place


def sorted_table(table: LongTable) -> LongTable:
    """The same rows by participant, engine and repetition, so that sums do not depend on the order of the file."""
    keys = list(zip(table.participants, table.engines, table.repetitions, strict=True))
    order = sorted(range(len(table)), key=keys.__getitem__)
    return LongTable(
        [table.participants[place] for place in order],
        [table.engines[place] for place in order],
        [int(table.repetitions[place]) for place in order],
        {name: np.asarray(column, dtype=np.float64)[order] for name, column in table.values.items()},
        [table.row(place) for place in order],
    )


def _check_row(table: LongTable, place: int, engines: Collection[str] | None) -> None:
    row, engine, repetition = table.row(place), table.engines[place], table.repetitions[place]
    for what, name in (("participant", table.participants[place]), ("engine", engine)):
        if not name.strip():
            raise RequestError(f"row {row}: the {what} is blank; write its name, or take the row out")
    if engines is not None and engine not in engines:
        raise RequestError(f"row {row}: the engine {engine!r} is unknown; choose from {', '.join(sorted(engines))}")
    if repetition not in REPETITIONS:
        raise RequestError(f"row {row}: the repetition is {repetition}; write 1 for a first showing, 2 for the second")
    for name, column in table.values.items():
        value = float(column[place])
        if not math.isnan(value) and not (LOWEST <= value <= HIGHEST and value == int(value)):
            raise RequestError(
                f"row {row}: {name} is {value:g}, but ratings are the integers {LOWEST} to {HIGHEST}; "
                f"correct it, or leave it blank"
            )
