"""Williams squares: orders in which every engine is at every place, and after every other, equally often."""

from collections.abc import Sequence

from vernissage.errors import StudyError


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
