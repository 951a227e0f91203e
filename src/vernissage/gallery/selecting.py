"""What may come back: conditions, exclusions, caps, and how many."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import parse_condition, require_fields, values_of
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.values import Allow, Condition
from vernissage.workspace.repository import Snapshot

USUAL_COUNT = 9
"""How many works an answer has unless another number is asked for: what the papers' participants were shown."""

T = TypeVar("T")
Where = str | Condition | Iterable[str | Condition]
Caps = Mapping[str, int]
"""At most so many works of one value of a column: ``{"artist": 1}``."""

_BEGINNING = 60
"""Characters of a text that stand for a missing title."""

_GROWTH = 4
"""How many times as many candidates are asked for when caps have left too few."""


def share_of(contribution: float, score: float) -> float:
    """A contribution as a fraction of the score; 0 where the score is 0."""
    return contribution / score if score else 0.0


def title_or_text(item: Item, otherwise: str = "Untitled") -> str:
    """What to call a work, on one line: its title, else how its text begins, else ``otherwise``."""
    title, text = " ".join(item.title.split()), " ".join((item.description or item.text).split())
    if title or not text:
        return title or otherwise
    return text if len(text) <= _BEGINNING else f"{text[:_BEGINNING].rpartition(' ')[0] or text[:_BEGINNING]} …"


def allowed(collection: Collection, where: Where, exclude: Iterable[str]) -> Allow:
    """What may come back, from words and ids.

    Raises:
        RequestError: a condition is not understood, or names a column that no work has.
    """
    given = [where] if isinstance(where, str | Condition) else list(where)
    conditions = tuple(each if isinstance(each, Condition) else parse_condition(each) for each in given)
    require_fields(collection, [condition.field for condition in conditions])
    return Allow(exclude=frozenset(exclude), conditions=conditions)


def within_caps(
    candidates: Callable[[int], T], ids_of: Callable[[T], Sequence[str]], n: int, per: Caps, snapshot: Snapshot
) -> tuple[T, list[int]]:
    """Candidates and the places among them of the first ``n`` works of which at most so many share a value.

    ``candidates(count)`` gives the best ``count`` that are allowed, best first. More and more are asked for until ``n``
    are found or none is left, so exactly ``n`` come back where so many are within the caps. A work that stands there
    twice, as picture and as text, counts once.

    Raises:
        RequestError: a cap is below 1, or no work has such a column.
    """
    require_fields(snapshot.collection, per)
    if wrong := [(field, most) for field, most in per.items() if most < 1]:
        raise RequestError(f"at most {wrong[0][1]} works of one {wrong[0][0]} were asked for; ask for 1 or more")
    asked = n
    while True:
        found = candidates(asked)
        ids = ids_of(found)
        places = _capped(ids, n, per, snapshot) if per else list(range(len(ids)))
        if len(places) == n or len(ids) < asked:
            return found, places
        asked *= _GROWTH


def _capped(ids: Sequence[str], n: int, per: Caps, snapshot: Snapshot) -> list[int]:
    counts: Counter[tuple[str, str]] = Counter()
    items = snapshot.items(ids)
    kept: dict[int, str] = {}
    for place, item_id in enumerate(ids):
        found = {(field, value.casefold()) for field in per for value in values_of(items[item_id], field.casefold())}
        again = item_id in kept.values()
        if again or all(counts[each] < per[each[0]] for each in found):
            counts.update(() if again else found)
            kept[place] = item_id
            if len(kept) == n:
                break
    return list(kept)


def shortfall(found: int, n: int, what: str = "works") -> tuple[str, ...]:
    """A note where fewer works come back than were asked for."""
    if found >= n:
        return ()
    return (f"{n} {what} were asked for, but only {found} fit what was asked",)


def checked_count(n: int) -> int:
    """How many works were asked for.

    Raises:
        RequestError: fewer than 1.
    """
    if n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
    return n
