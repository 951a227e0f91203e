"""Names for areas of interest: the words that tell an area's works from the person's others and from the collection."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.catalog.item import Item
from vernissage.encoders.words import content_words

Floats = npt.NDArray[np.float64]

NamedBy = Literal["person", "words", "neighbours", "number"]
"""Where a name comes from: the person, the area's own words, those of works near to it, or nothing but its number."""

_PRIOR = 10.0  # works that the collection's habits count for
_MOST_WORDS = 3
_LEAST_OF_BEST = 0.5


@dataclass(frozen=True)
class WordCounts:
    """In how many of ``works`` works each word stands."""

    works: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class AreaName:
    """What an area is called, and by whom."""

    text: str
    by: NamedBy


def words_of_work(item: Item, language: str = "en") -> tuple[str, ...]:
    """The words that can name a work: each once, in the order keywords, title, description.

    Words are lemmas without filler, as `content_words` finds them; a keyword of several words stays together. What is
    in the artist's name is left out: it tells who made a work, not what it is about.

    Raises:
        EncoderError: there is no dictionary of lemmas for the language.
    """
    artist = set(content_words(item.artist, language))
    listed = [content_words(keyword, language) for keyword in item.keywords]
    phrases = [" ".join(words) for words in listed if words and not artist.issuperset(words)]
    prose = [word for word in content_words(f"{item.title}. {item.description}", language) if word not in artist]
    return tuple(dict.fromkeys(phrases + prose))


def count_words_of_works(works: Sequence[Sequence[str]]) -> WordCounts:
    """Count the works in which each word stands; the background of `name_areas` is that of the whole collection."""
    return WordCounts(len(works), Counter(word for words in works for word in set(words)))


def name_areas(
    words: Sequence[Sequence[str]],
    members: Sequence[Sequence[int]],
    background: WordCounts,
    *,
    neighbours: Mapping[int, Sequence[Sequence[str]]] | None = None,
    given: Sequence[str] | None = None,
) -> tuple[AreaName, ...]:
    """A name for each area, no two alike: one to three of its distinctive words, joined by commas.

    ``words`` are the words of each of the person's uploads (`words_of_work`), ``members`` the rows of each area in
    them, ``background`` counts of the whole collection's words, ``neighbours`` the words of works near to those areas
    whose uploads have no words, ``given`` the person's own names (empty where they gave none), which stand as they are.

    A word's score is the z-score of its log-odds in the area against the person's other areas, plus that against the
    background, both with the background as informative Dirichlet prior: Monroe, Colaresi and Quinn, Political Analysis
    16(4), 2008, doi 10.1093/pan/mpn018, eq. 16 and 22, counting works instead of occurrences, so that no long text
    speaks for its area. A word must stand in two works of an area of two or more, if any does. The best word names the
    area; up to two more follow that score half as much or more and say something else. Ties: alphabetically.

    An area without any word, its neighbours included, is called by its place, from 1: "Area 3".
    """
    given = given or [""] * len(members)
    counts = [_counted([words[row] for row in rows]) for rows in members]
    rest = [_sum(counts[:number] + counts[number + 1 :]) for number in range(len(counts))]
    taken = {name.casefold() for name in given if name}
    names = []
    for number, name in enumerate(given):
        if name:
            names.append(AreaName(name, "person"))
            continue
        by: NamedBy = "words" if counts[number].works else "neighbours"
        area = counts[number] if counts[number].works else _counted((neighbours or {}).get(number, ()))
        chosen = _distinctive(area, rest[number], background)
        names.append(_free(chosen, by, number, taken))
        taken.add(names[-1].text.casefold())
    return tuple(names)


def _sum(counts: Sequence[WordCounts]) -> WordCounts:
    words: Counter[str] = Counter()
    for each in counts:
        words.update(each.counts)
    return WordCounts(sum(each.works for each in counts), words)


def _counted(works: Sequence[Sequence[str]]) -> WordCounts:
    """Counts over the works that have words."""
    return count_words_of_works([words for words in works if words])


def _distinctive(area: WordCounts, rest: WordCounts, background: WordCounts) -> list[str]:
    """The area's words, the most distinctive first, as far as they are half as distinctive as the first."""
    least = 2 if area.works > 1 and max(area.counts.values(), default=0) > 1 else 1
    words = sorted(word for word, works in area.counts.items() if works >= least)
    if not words:
        return []
    scores = distinctiveness(words, area, background, background)
    if rest.works:
        scores += distinctiveness(words, area, rest, background)
    order = np.argsort(-scores, kind="stable")
    return [words[at] for at in order if scores[at] > 0 and scores[at] >= _LEAST_OF_BEST * scores[order[0]]]


def distinctiveness(words: Sequence[str], area: WordCounts, other: WordCounts, background: WordCounts) -> Floats:
    """The z-score of each word's log-odds in ``area`` against ``other``, float64 (words,).

    With y works of n in which the word stands and a prior of 10 works of which a share p have it, p from the
    background: δ = logit((y + 10p)/(n + 10)) of the area less that of the other, and
    z = δ / √(1/(y_area + 10p) + 1/(y_other + 10p)).
    """
    share = (_column(background, words) + 0.5) / (background.works + 1)
    a, b = _column(area, words) + _PRIOR * share, _column(other, words) + _PRIOR * share
    odds_a, odds_b = a / (area.works + _PRIOR - a), b / (other.works + _PRIOR - b)
    z: Floats = np.log(odds_a / odds_b) / np.sqrt(1 / a + 1 / b)
    return z


def _column(counts: WordCounts, words: Sequence[str]) -> Floats:
    return np.array([counts.counts.get(word, 0) for word in words], dtype=np.float64)


def _free(words: Sequence[str], by: NamedBy, number: int, taken: Collection[str]) -> AreaName:
    """The first name of these words that no other area has."""
    chosen: list[str] = []
    for word in words:
        if not any(set(word.split()) & set(other.split()) for other in chosen):
            chosen.append(word)
    text = ", ".join(chosen[:_MOST_WORDS]) or f"Area {number + 1}"
    numbered = (f"{text} ({copy})" for copy in count(2))
    free = next(name for name in chain([text], numbered) if name.casefold() not in taken)
    return AreaName(free, by if chosen else "number")
