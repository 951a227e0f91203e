"""Which participant sees the engines in which order, and is asked about which works.

What is drawn comes from digests of the seed, and not from a library's random numbers, so that it is the same on every
machine and with every version as long as a study runs.
"""

from collections.abc import Mapping, Sequence

from vernissage.errors import StudyError
from vernissage.files import digest
from vernissage.storage.studies import Screen
from vernissage.study.definition import Definition


def williams_square(k: int) -> tuple[tuple[int, ...], ...]:
    """Orders of ``k`` conditions, numbered from 0: k rows for an even k, 2k for an odd one, a single row for 1.

    Each condition stands at each place equally often; each ordered pair of neighbours is there once for an even k,
    twice for an odd one. The first row goes 0, 1, k-1, 2, k-2, …; the others add 1 to each, modulo k; an odd k needs
    the reversed rows too. Source: Williams, Australian Journal of Scientific Research A 2 (1949), 149-168.

    Raises:
        StudyError: ``k`` is below 1.
    """
    if k < 1:
        raise StudyError(f"{k} conditions cannot be put in order; give 1 or more")
    first = tuple(place // 2 + 1 if place % 2 else (k - place // 2) % k for place in range(k))
    rows = tuple(tuple((condition + shift) % k for condition in first) for shift in range(k))
    if k % 2 == 0 or k == 1:
        return rows
    return tuple(row for each in rows for row in (each, each[::-1]))


def screen_order(row: Sequence[int], repetitions: int) -> tuple[tuple[int, int], ...]:
    """The screens of one row as (condition, repetition from 1): the row once, and then again in the same order.

    So the two showings of every condition are k screens apart: the same for all, and never adjacent.

    Raises:
        StudyError: a single condition is to be shown more than once.
    """
    if len(row) == 1 and repetitions > 1:
        raise StudyError(
            "one engine cannot be shown twice without the showings being adjacent; name another engine, or set "
            "repetitions = 1"
        )
    return tuple((condition, repetition) for repetition in range(1, repetitions + 1) for condition in row)


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
