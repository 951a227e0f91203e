"""Which participant is asked about which works, and sees the engines in which order.

What is drawn comes from digests of the seed, and not from a library's random numbers, so that it is the same on every
machine and with every version as long as a study runs.
"""

from collections.abc import Mapping, Sequence

from vernissage.files import digest
from vernissage.storage.study_answers import Screen
from vernissage.study.definition import Definition
from vernissage.study.williams import screen_order, williams_square


def engine_orders(definition: Definition) -> tuple[tuple[str, ...], ...]:
    """The rows of the study's Williams square, with engines for its letters as the seed deals them."""
    dealt = sorted(definition.engines, key=lambda engine: _random(definition.seed, "engine", engine))
    return tuple(tuple(dealt[letter] for letter in row) for row in williams_square(len(dealt)))


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


def drawn_works(slots: Sequence[Sequence[str]], seed: int, participant: str) -> tuple[str, ...]:
    """One work of each slot, all equally likely, in an order of the participant's own; equal arguments draw equally."""
    works = [slot[_random(seed, "slot", str(number), participant) % len(slot)] for number, slot in enumerate(slots)]
    return tuple(sorted(works, key=lambda work: _random(seed, "order", work, participant)))


def _random(seed: int, *names: str) -> int:
    return int(digest(str(seed).encode(), *(name.encode() for name in names)), 16)
