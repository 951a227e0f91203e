"""By what a collection's works can be filtered: the columns that many works share values of, and spans of years."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.folding import folded
from vernissage.gallery.likeness import places_of
from vernissage.sentences import Sentence
from vernissage.values import Condition

_MOST = 200
"""Values of one column: more are no choice any more, and the search finds them."""

_STEPS = (10, 50, 100, 500)
_PERIODS = 16
"""Spans that the years of most works are cut into, at most."""

_WORDS: Mapping[str, Sentence] = {
    "artist": Sentence("Artist"),
    "period": Sentence("Period"),
    "medium": Sentence("Medium"),
    "place": Sentence("Place"),
    "group": Sentence("Group"),
    "rights": Sentence("Rights"),
}


@dataclass(frozen=True)
class FacetValue:
    """One value: what stands for it in an address, what to call it, how many works have it, and its conditions."""

    value: str
    words: str
    works: int
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Facet:
    """A column, by its name in addresses, what to call it, and its values in the order of their words."""

    name: str
    words: str
    values: tuple[FacetValue, ...]

    def find(self, value: str) -> FacetValue | None:
        """The value that an address names, in any spelling; None where there is none."""
        return next((each for each in self.values if folded(each.value) == folded(value)), None) if value else None


def facets_of(collection: Collection) -> tuple[Facet, ...]:
    """The facets by which works differ; those in which all are alike, or each is alone, are left out."""
    columns = {"artist": "artist", "medium": "medium", "group": "group", "rights": "licence"}
    columns["place"] = next(map(folded, places_of(collection)), "")
    found = []
    for name, words in _WORDS.items():
        values = _periods(collection) if name == "period" else _shared(collection, columns.get(name, ""))
        if len(values) > 1:
            found.append(Facet(name, words, values))
    return tuple(found)


def _shared(collection: Collection, column: str) -> tuple[FacetValue, ...]:
    """The values that more than one work has, those of most works at most so many."""
    if not column:
        return ()
    _, codes, distinct = collection.entries(column)
    counts = np.bincount(codes, minlength=len(distinct)).tolist()
    alike: dict[str, list[tuple[int, str]]] = {}  # conditions do not tell capital letters from small ones either
    for value, works in zip(distinct, counts, strict=True):
        if works:
            alike.setdefault(folded(value), []).append((works, value))
    most = sorted(alike.items(), key=lambda each: -sum(works for works, _ in each[1]))[:_MOST]
    values = [(sum(works for works, _ in spelled), max(spelled)[1]) for _, spelled in most]
    found = [FacetValue(value, value, works, (Condition(column, "=", value),)) for works, value in values if works > 1]
    return tuple(sorted(found, key=lambda each: folded(each.words)))


def _periods(collection: Collection) -> tuple[FacetValue, ...]:
    """Spans of as many years as cut those of most works into a few; a work is in each that its own years touch."""
    rows, codes, distinct = collection.entries("from")
    if not len(rows):
        return ()
    first = np.array(distinct, dtype=np.int64)[codes]
    _, codes, distinct = collection.entries("to")
    last = np.array(distinct, dtype=np.int64)[codes]
    early, late = np.percentile(first, [2, 98])
    step = next((each for each in _STEPS if late - early <= each * _PERIODS), 1_000)
    found = []
    for start in range(int(first.min()) // step * step, int(last.max()) + 1, step):
        end = start + step - 1
        works = int(((first <= end) & (last >= start)).sum())
        if works:
            bounds = (Condition("from", "<=", str(end)), Condition("to", ">=", str(start)))
            words = Sentence("{first} to {last} BC", first=-start, last=-end) if end < 0 else f"{start}–{end}"
            found.append(FacetValue(str(start), words, works, bounds))
    return tuple(found)
