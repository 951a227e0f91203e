"""Which participant sees the engines in which order."""

from collections.abc import Mapping

import numpy as np

from vernissage.storage.study_answers import Screen
from vernissage.study.definition import Definition
from vernissage.study.williams import screen_order, williams_square


def engine_orders(definition: Definition) -> tuple[tuple[str, ...], ...]:
    """The rows of the study's Williams square, with engines for its letters as the seed deals them."""
    engines = sorted(definition.engines)
    dealt = [engines[place] for place in np.random.default_rng(definition.seed).permutation(len(engines))]
    return tuple(tuple(dealt[letter] for letter in row) for row in williams_square(len(engines)))


def next_row(orders: tuple[tuple[str, ...], ...], held: Mapping[int, int]) -> int:
    """The row for one more participant: of the engine that fewest begin with, then the row that fewest hold.

    So the numbers of participants who begin with each engine differ by at most one, and so do those of the rows;
    what dropouts held is given away first.
    """
    firsts = dict.fromkeys(sorted({order[0] for order in orders}), 0)
    for row, count in held.items():
        firsts[orders[row][0]] += count
    return min(range(len(orders)), key=lambda row: (firsts[orders[row][0]], held.get(row, 0), row))


def screens_of_row(definition: Definition, row: int) -> tuple[Screen, ...]:
    """The screens of a participant who holds that row, in order."""
    order = engine_orders(definition)[row]
    showings = screen_order(range(len(order)), definition.repetitions)
    return tuple(
        Screen(position, order[place], repetition) for position, (place, repetition) in enumerate(showings, start=1)
    )
