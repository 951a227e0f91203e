"""`round-robin`: the areas of interest take turns."""

from collections.abc import Iterator

import numpy as np

from vernissage.errors import RequestError
from vernissage.recommenders.fused import Fused
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.voices import Voices
from vernissage.values import Scores


def round_robin(voices: Voices, pool: Pool, *, list_length: int = 1_000) -> Fused:
    """In each round every area, the weightiest first, brings the work nearest to its seed that is not there yet.

    The score is 1 / place in the list; it belongs to the uploads of the area that brought the work, in equal parts.
    Each area has ``list_length`` works to bring; those that no area brings have 0 and come last, by id.

    Raises:
        RequestError: the lists are shorter than 1.
    """
    if list_length < 1:
        raise RequestError(f"the lists of a fusion must hold 1 work or more, but are to hold {list_length}")
    silent = ~voices.seeds.any(axis=1)
    found = pool.search(voices.seeds[~silent], list_length) if not silent.all() else []
    places, bringers = _take_turns(found, np.flatnonzero(~silent).tolist())
    scores = np.zeros(len(pool))
    scores[places] = 1.0 / np.arange(1, len(places) + 1)
    brought_by = np.full(len(pool), -1, dtype=np.int64)
    brought_by[places] = bringers

    def parts(wanted: Places) -> Scores:
        own = voices.areas == brought_by[wanted][:, None]
        return np.where(own, scores[wanted][:, None] / np.maximum(own.sum(axis=1, keepdims=True), 1), 0.0)

    return Fused(scores, parts)


def _take_turns(found: list[Places], areas: list[int]) -> tuple[list[int], list[int]]:
    """The places in the order in which the areas bring them, and which area brought each."""
    taken: dict[int, int] = {}
    turns = list(zip(areas, (iter(places.tolist()) for places in found), strict=True))
    while turns:
        brought = [(turn, _bring(turn, taken)) for turn in turns]
        turns = [turn for turn, more in brought if more]
    return list(taken), list(taken.values())


def _bring(turn: tuple[int, Iterator[int]], taken: dict[int, int]) -> bool:
    """Let one area bring its next work; False where it has none left."""
    area, places = turn
    for place in places:
        if place not in taken:
            taken[place] = area
            return True
    return False
