"""What may come back: conditions, exclusions, caps, and how many."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, TypeVar

from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import parse_condition, require_fields, values_of
from vernissage.catalog.item import Item
from vernissage.errors import RatingsError, RequestError
from vernissage.folding import folded
from vernissage.sentences import Sentence
from vernissage.values import MODALITY_CARDS, Allow, Condition, Modality
from vernissage.workspace.repository import Snapshot

USUAL_COUNT = 9
"""How many works an answer has unless another number is asked for: what the papers' participants were shown."""

T = TypeVar("T")
Where = str | Condition | Iterable[str | Condition]
Caps = Mapping[str, int]
"""At most so many works of one value of a column: ``{"artist": 1}``."""

KINDS: Mapping[Modality, str] = MappingProxyType({card.name: card.many for card in MODALITY_CARDS.values()})
"""What works of a modality are called."""

_BEGINNING = 60
"""Characters of a text that stand for a missing title."""

_NAMED = 3
_GROWTH = 4
"""How many times as many candidates are asked for when caps have left too few."""


def title_or_text(item: Item, otherwise: str = "Untitled") -> str:
    """What to call a work, on one line: its title, else how its text begins, else ``otherwise``."""
    title, text = " ".join(item.title.split()), " ".join((item.description or item.text).split())
    if title or not text:
        return title or otherwise
    return text if len(text) <= _BEGINNING else f"{text[:_BEGINNING].rpartition(' ')[0] or text[:_BEGINNING]} …"


@dataclass(frozen=True)
class Selection:
    """How many works of which state come back, of those that are allowed, under which caps, and how different.

    ``notes`` say which ids to leave out no work has. Works that are the same (see `workspace.copies`) take one place
    together, unless ``show_copies`` is set.
    """

    snapshot: Snapshot
    n: int
    allow: Allow
    per: Caps
    diversity: float
    show_copies: bool = False
    notes: tuple[str, ...] = ()

    def told(self, found: int) -> tuple[str, ...]:
        """What to say beside so many works: ids and conditions that no work has, and how many were asked for."""
        return (*self.notes, *(() if found else self.unmet()), *shortfall(found, self.n))

    def unmet(self) -> tuple[str, ...]:
        """What to say of conditions that no work meets. It reads all values, so it is asked for empty answers alone."""
        return tuple(filter(None, (_unmet(self.snapshot.collection, each) for each in self.allow.conditions)))

    def first(self, candidates: Callable[[int], T], ids_of: Callable[[T], Sequence[str]]) -> tuple[T, list[int]]:
        """Candidates, and the places among them of the first ``n`` works within the caps.

        ``candidates(count)`` gives the best ``count``, best first. More and more are asked for until ``n`` are found or
        none is left, so exactly ``n`` come back where so many are within the caps. A work that stands there twice, as
        picture and as text, counts once.

        Raises:
            RequestError: a cap is below 1, or no work has such a column.
        """
        return self.first_of_each(lambda count: [candidates(count)], ids_of)[0]

    def first_of_each(
        self, candidates: Callable[[int], Sequence[T]], ids_of: Callable[[T], Sequence[str]]
    ) -> list[tuple[T, list[int]]]:
        """`first` for several lists, of which ``candidates(count)`` gives the best ``count`` of each."""
        self._require_caps()
        asked = self.n
        while True:
            found = [(each, self._capped(ids_of(each))) for each in candidates(asked)]
            if all(len(places) == self.n or len(ids_of(each)) < asked for each, places in found):
                return found
            asked *= _GROWTH

    def unlike(self, ids: Sequence[str]) -> "Selection":
        """The same without what is the same as one of these works, which are a person's or were rated by them."""
        copies = () if self.show_copies else chain.from_iterable(self.snapshot.copies_of(ids).values())
        return replace(self, allow=self.allow.without(tuple(copies)))

    def folded_into(self, ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """What may come back and is the same as one of these works, whose place it shares; by their ids."""
        copies = {} if self.show_copies else self.snapshot.copies_of(ids)
        every = list(dict.fromkeys(chain.from_iterable(copies.values())))
        fit = (
            self.snapshot.columns.fulfilling(self.allow.conditions, every).tolist() if self.allow.conditions else every
        )
        allowed = {each for each, fits in zip(every, fit, strict=True) if fits} - self.allow.exclude
        return {item_id: tuple([each for each in others if each in allowed]) for item_id, others in copies.items()}

    def _require_caps(self) -> None:
        require_fields(self.snapshot.collection, self.per)
        if wrong := [(field, most) for field, most in self.per.items() if most < 1]:
            raise RequestError(f"at most {wrong[0][1]} works of one {wrong[0][0]} were asked for; ask for 1 or more")

    def _capped(self, ids: Sequence[str]) -> list[int]:
        fits = self.fitting(ids)
        return list(islice((place for place, item_id in enumerate(ids) if fits(item_id)), self.n))

    def fitting(self, ids: Sequence[str] = ()) -> Callable[[str], bool]:
        """For one list: whether a work has a place beside those that had one, within the caps and no copy of them.

        ``ids`` may be asked about; those of other works are looked up one by one. A work that stands twice fits twice.

        Raises:
            RequestError: as in `first`.
        """
        self._require_caps()
        names = dict(zip(ids, self.names(ids), strict=True))
        items = dict(self.snapshot.items(ids)) if self.per else {}
        counts: Counter[tuple[str, str]] = Counter()
        shown: dict[str, str] = {}

        def fits(item_id: str) -> bool:
            name = names.get(item_id) or self.names([item_id])[0]
            if name in shown:
                return shown[name] == item_id
            if self.per:
                item = items.get(item_id) or self.snapshot.items([item_id])[item_id]
                found = {(field, folded(value)) for field in self.per for value in values_of(item, folded(field))}
                if any(counts[each] >= self.per[each[0]] for each in found):
                    return False
                counts.update(found)
            shown[name] = item_id
            return True

        return fits

    def names(self, ids: Sequence[str]) -> Sequence[str]:
        """One name for all works that take one place together."""
        return ids if self.show_copies else self.snapshot.copy_names(ids)


def selection(
    snapshot: Snapshot,
    n: int,
    where: Where = (),
    exclude: Iterable[str] = (),
    per: Caps = MappingProxyType({}),
    diversity: float = 0.0,
    *,
    show_copies: bool = False,
) -> Selection:
    """What words and ids stand for.

    Raises:
        RequestError: fewer than 1 work, or a condition that is not understood or names a column that no work has.
    """
    if not _is_whole(n):
        raise RequestError(f"n says how many works, a whole number, but {n!r} was given")
    if not isinstance(per, Mapping) or not all(map(_is_whole, per.values())):
        raise RequestError(f"per takes whole numbers by column, as in {{'artist': 1}}, but {per!r} was given")
    if not _is_number(diversity):
        raise RequestError(f"diversity is a number from 0 to 1, but {diversity!r} was given")
    excluded = listed(exclude, str, "exclude takes a list of ids, which are texts")
    some = [where] if isinstance(where, str | Condition) else where
    given = listed(some, str | Condition, "where takes conditions such as 'year>=1850', or a list of them")
    conditions = tuple([each if isinstance(each, Condition) else parse_condition(each) for each in given])
    require_fields(snapshot.collection, [condition.field for condition in conditions])
    if n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
    unknown = [each for each in dict.fromkeys(excluded) if each not in snapshot.collection]
    unknown = [each for each in unknown if each not in snapshot.items(unknown)] if unknown else []
    told = "there is no work {ids} and {n} more, which exclude names"
    told = told if len(unknown) > _NAMED else "there is no work {ids}, which exclude names"
    told = Sentence(told, ids=tuple(unknown[:_NAMED]), n=len(unknown) - _NAMED)
    allow = Allow(exclude=frozenset(excluded) | snapshot.editorial.banned, conditions=conditions)
    return Selection(snapshot, n, allow, per, diversity, show_copies, (told,) if unknown else ())


def _unmet(collection: Collection, condition: Condition) -> str:
    """What to say where no work has the words of a condition, with values that are spelled alike; else nothing."""
    _, _, distinct = collection.entries(condition.field)
    wanted = folded(condition.value)
    values = {folded(each): each for each in distinct if each}
    if condition.operator not in ("=", "~") or wanted in values:
        return ""
    if condition.operator == "~":
        if any(wanted in each for each in values):
            return ""
        values |= {folded(word): word for each in distinct for word in each.split()}
    near = [values[each] for each in difflib.get_close_matches(wanted, values, _NAMED)]
    told = Sentence("none of the {works} works has {condition}", works=len(collection), condition=str(condition))
    return Sentence("{told}; near: {values}", told=told, values=tuple(near)) if near else told


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real)


def listed(values: object, kind: Any, expected: str) -> list[Any]:
    """The values of an iterable, which must all be of one kind; as Python passes on what a command would not."""
    found = list(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes) else None
    if found is None or not all(isinstance(each, kind) for each in found):
        raise RequestError(f"{expected}, but {values!r} was given")
    return found


def require_ratings(ratings: object) -> None:
    """Refuse what is no mapping of ids, which are texts, to numbers or None, by a `RatingsError`."""
    if not isinstance(ratings, Mapping):
        raise RatingsError(f"ratings are numbers from 1 to 5 by id, as in {{'v041': 5}}, but {ratings!r} was given")
    for item_id, rating in ratings.items():
        if not isinstance(item_id, str):
            raise RatingsError(f"the id {item_id!r} is no text; write it as {str(item_id)!r}")
        if rating is not None and not isinstance(rating, Real):
            raise RatingsError(f"the rating of {item_id} is {rating!r}; give a number from 1 to 5")


def one_of(choices: Iterable[str], word: str, what: str) -> str:
    """A word that must be one of ``choices``.

    Raises:
        RequestError: it is not; the message names them.
    """
    if word not in (known := tuple(choices)):
        raise RequestError(f"there is no {what} {word!r}; choose from {', '.join(known)}")
    return word


def shortfall(found: int, n: int, what: str = "works") -> tuple[str, ...]:
    """A note where fewer works come back than were asked for."""
    if found >= n:
        return ()
    if not found:
        told = "no {what} fit what was asked; loosen the conditions, or choose another engine or encoder"
        return (Sentence(told, what=Sentence(what)),)
    told = "{asked} {what} were asked for, but only {n} fit what was asked"
    return (Sentence(told, asked=n, what=Sentence(what), n=found),)
