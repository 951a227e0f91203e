"""Every area of interest is heard: so many places of a list are kept for each."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.recommenders.pool import Places


def check_quota(at_least: int) -> None:
    """Refuse a quota below 0.

    Raises:
        RequestError: it is.
    """
    if at_least < 0:
        raise RequestError(f"a quota is the number of works that each area gets at least, 0 or more, not {at_least}")


def with_quota(
    order: Places, areas: npt.NDArray[np.int64], own: Sequence[Places], n: int, at_least: int
) -> tuple[Places, npt.NDArray[np.int64]]:
    """Choose ``n`` works such that each area has ``at_least`` of them, where there are so many; and their areas.

    The rule: the areas take turns, the weightiest first, until each has ``at_least`` works or all ``n`` places are
    kept. In its turn an area takes the first work of ``order`` that is not taken and for which it speaks most, or
    where there is none, the work nearest to its seed that is not taken. The places left go to the first works of
    ``order``. The chosen stand as in ``order``; works from beyond it come last, as they were taken.

    Args:
        order: works, best first.
        areas: the area that speaks most for each of them, int64 (len(order),).
        own: for each area, the works nearest to its seed, best first.
    """
    bringing = [[*order[areas == area].tolist(), *nearest.tolist()] for area, nearest in enumerate(own)]
    taken: dict[int, int] = {}
    for _, area in product(range(at_least), range(len(own))):
        place = next((each for each in bringing[area] if each not in taken), None)
        if place is not None and len(taken) < n:
            taken[place] = area
    for place, area in zip(order.tolist(), areas.tolist(), strict=True):
        if len(taken) < n:
            taken.setdefault(place, area)
    rank = {place: number for number, place in enumerate(order.tolist())}
    chosen = sorted(taken, key=lambda place: rank.get(place, len(rank)))
    return np.array(chosen, dtype=np.int64), np.array([taken[place] for place in chosen], dtype=np.int64)
