"""Which of a person's works are hidden from a recommender, and which it may know."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.search.exact import ExactIndex
from vernissage.values import Modality

FEWEST_WORKS = 3
"""Of fewer works no third can be hidden."""


@dataclass(frozen=True)
class Split:
    """One person's works, each either kept or hidden; ids in alphabetical order."""

    owner: str
    kept: tuple[str, ...]
    hidden: tuple[str, ...]


def split_works(owner: str, item_ids: Iterable[str], *, repetition: int = 0, seed: int = 0) -> Split:
    """Hide a third of a person's works, rounded down, at random.

    The draw depends on the seed, the repetition, the owner's name and the works alone: other people, and the order of
    the works, change nothing.
    """
    ids = sorted(item_ids)
    person = int(digest(owner.encode())[:16], 16)
    chosen = np.random.default_rng([seed, repetition, person]).permutation(len(ids))[: len(ids) // 3]
    hidden = {ids[row] for row in chosen.tolist()}
    return Split(owner, tuple(name for name in ids if name not in hidden), tuple(sorted(hidden)))


def works_of_owners(indexes: Mapping[Modality, ExactIndex], at_least: int) -> dict[str, tuple[str, ...]]:
    """The works, of any modality, of everybody who owns so many; owners and works in alphabetical order.

    Raises:
        RequestError: fewer than 3 works are asked for, no work has an owner, or fewer than 2 people own so many.
    """
    if at_least < FEWEST_WORKS:
        raise RequestError(
            f"owners with {at_least} works were asked for, but a third of them must be hidden; "
            f"ask for {FEWEST_WORKS} or more"
        )
    works: dict[str, set[str]] = defaultdict(set)
    for index in indexes.values():
        for item_id in index.item_ids:
            if owner := index.owner_of(item_id):
                works[owner].add(item_id)
    found = {owner: tuple(sorted(works[owner])) for owner in sorted(works) if len(works[owner]) >= at_least}
    if not works:
        raise RequestError("no work has an owner, so nobody's works can be hidden; give the collection a column owner")
    if len(found) < 2:
        sizes = sorted(map(len, works.values()), reverse=True)
        largest = ", ".join(map(str, sizes[:3]))
        raise RequestError(
            f"{len(found)} of {len(works)} owners have {at_least} works or more, but an error needs 2 owners; the most "
            f"that anybody has is {largest}: ask for fewer with --owners-with, or use a collection with more"
        )
    return found
