"""Names for areas of interest: the words that tell an area's works from the person's others and from the collection."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.catalog.item import Item
from vernissage.encoders.fitted.words import content_words
from vernissage.sentences import Sentence

Floats = npt.NDArray[np.float64]

NamedBy = Literal["person", "words", "pictures", "neighbours", "number"]
"""Where a name comes from: the person, its own words, what software sees in its pictures, words of works near to it, or
nothing but its number."""

_PRIOR = 10.0  # works that the collection's habits count for
_MOST_WORDS = 3
_LEAST_OF_FIRST = 1 / 3  # of the first word's score: a name ends before words that say much less
_LEAST_WHILE_UNSAID = 1 / 6  # as long as less than half of an area's works are spoken of
_MACHINE_WORD = re.compile(r"0x[0-9a-f]+", re.IGNORECASE)  # broken exports keep hash(0x86669dc) as a keyword


@dataclass(frozen=True)
class WordCounts:
    """In how many of ``works`` works each word stands; their language is as in `content_words`."""

    works: int
    counts: Mapping[str, int]
    language: str = "en"


@dataclass(frozen=True)
class AreaName:
    """What an area is called, and by whom."""

    text: str
    by: NamedBy


def words_of_work(item: Item, language: str = "en") -> tuple[str, ...]:
    """The words that can name a work: each once, the keywords first, then those of the title.

    Words are lemmas without filler, as `content_words` finds them in ``language``; a keyword of several words stays
    together, only its last word becomes a lemma. A description is prose about many things and speaks only where there
    are no keywords. What is in the artist's name is left out: it tells who made a work, not what it is about. A work
    that has none of these but a text gives the words of that.
    """
    artist = frozenset(content_words(item.artist, language))
    listed = [_phrase(keyword, artist, language) for keyword in item.keywords if not _MACHINE_WORD.search(keyword)]
    phrases = [phrase for phrase in listed if phrase]
    prose = content_words("\n".join([item.title] if phrases else [item.title, item.description]), language)
    named = [*phrases, *(word for word in prose if word not in artist)]
    return tuple(dict.fromkeys(named or content_words(item.text, language)))


def _phrase(keyword: str, artist: frozenset[str], language: str) -> str:
    """The keyword in small letters, its last word a lemma; empty where it is filler or the artist's name."""
    content = content_words(keyword, language)
    if not content or artist.issuperset(content):
        return ""
    *before, last = unicodedata.normalize("NFKC", keyword).lower().split()
    # Words of scripts without blanks come in pairs of signs, which together are no words.
    ending = content_words(last, language) if len(content) <= len(before) + 1 else [last]
    return " ".join([*before, *(ending or [last])])


def count_words_of_works(works: Collection[Collection[str]], language: str = "en") -> WordCounts:
    """Count the works in which each word stands; the background of `name_areas` is that of the whole collection."""
    return WordCounts(len(works), Counter(word for words in works for word in set(words)), language)


def name_areas(
    words: Sequence[Sequence[str]],
    members: Sequence[Sequence[int]],
    background: WordCounts,
    *,
    neighbours: Mapping[int, Sequence[Sequence[str]]] | None = None,
    given: Sequence[str] | None = None,
    seen: Sequence[Sequence[str]] | None = None,
) -> tuple[AreaName, ...]:
    """A name for each area, no two alike: one to three of its distinctive words, joined by commas.

    ``words`` are the words of each of the person's uploads (`words_of_work`), ``members`` the rows of each area in
    them, ``background`` counts of the whole collection's words, ``neighbours`` the words of works near to those areas
    whose uploads have no words, ``given`` the person's own names (empty where they gave none), which stand as they are.
    ``seen`` is what software makes out in the picture of each upload; it names areas without any of these words.

    A word's distinctiveness z is the sum of that against the person's other areas and that against the background, the
    person's own works included (`distinctiveness`). Both must be above 0; where that leaves no word, the background
    alone decides, and where that leaves none either, z = 1. A word must stand in two works of the area, if any does. A
    name begins with the word with the largest z · (share of the area's works that it stands in). The next two are those
    with the largest z · (that share + the share of works in which it stands and no word before it) / 2, if this is at
    least a third of the first, or a sixth as long as the words before stand in less than half of the works: a name
    covers what is in the area. They repeat no word. Ties: alphabetically.

    Where another area has the name, further words follow, or else a number. An area without words, its neighbours'
    included, is called by its place, from 1: "Area 3".
    """
    given = given or [""] * len(members)
    near = neighbours or {}
    own_words = [[frozenset(words[row]) for row in rows if words[row]] for rows in members]
    # A network of photographs names one drawing a buckle, and with it all books beside it; neighbours' words are right
    # about three times as often (docs/tags.md).
    made = [
        [frozenset(seen[row]) for row in rows if seen[row]]
        if seen and not said and not any(near.get(number, ()))
        else []
        for number, (rows, said) in enumerate(zip(members, own_words, strict=True))
    ]
    works = [said or shown for said, shown in zip(own_words, made, strict=True)]
    counts = [count_words_of_works(each) for each in works]
    everything = _sum(counts)
    world = _sum([background, everything])
    taken = {name.casefold() for name in given if name}
    names = []
    for number, (name, own) in enumerate(zip(given, counts, strict=True)):
        if name:
            names.append(AreaName(name, "person"))
            continue
        by: NamedBy = "words" if own.works else "neighbours"
        area = works[number] or [frozenset(each) for each in near.get(number, ()) if each]
        known = frozenset[str]().union(*area)
        others = {word: everything.counts.get(word, 0) - own.counts.get(word, 0) for word in known}
        rest = WordCounts(everything.works - own.works, others)
        software = known if made[number] else frozenset[str]()
        names.append(_free(_telling_words(area, rest, world), by, number, taken, software))
        taken.add(names[-1].text.casefold())
    return tuple(names)


def _sum(counts: Iterable[WordCounts]) -> WordCounts:
    works, words = 0, Counter[str]()
    for each in counts:
        works += each.works
        words.update(each.counts)
    return WordCounts(works, words)


def distinctiveness(words: Sequence[str], area: WordCounts, other: WordCounts, background: WordCounts) -> Floats:
    """How much more often each word stands in ``area`` than in ``other``, in standard errors: float64 (words,).

    The z-score of log-odds with an informative Dirichlet prior of Monroe, Colaresi and Quinn, Political Analysis 16(4),
    2008, doi 10.1093/pan/mpn018, counting works instead of occurrences, so that no long text speaks for its area.
    With y works of n in which the word stands and a prior of 10 works of which a share p have it, p = (c + ½)/(N + 1)
    for c of N works of the background: δ = logit((y + 10p)/(n + 10)) of the area less that of the other, and
    z = δ / √(1/(y_area + 10p) + 1/(y_other + 10p)).
    """
    share = (_column(background, words) + 0.5) / (background.works + 1)
    a, b = _column(area, words) + _PRIOR * share, _column(other, words) + _PRIOR * share
    odds_a, odds_b = a / (area.works + _PRIOR - a), b / (other.works + _PRIOR - b)
    z: Floats = np.log(odds_a / odds_b) / np.sqrt(1 / a + 1 / b)
    return z


def _column(counts: WordCounts, words: Sequence[str]) -> Floats:
    return np.array([counts.counts.get(word, 0) for word in words], dtype=np.float64)


def _telling_words(
    works: Sequence[frozenset[str]], rest: WordCounts, background: WordCounts
) -> Iterator[tuple[str, bool]]:
    """The words for a name in their order, and whether each is strong enough beside the first."""
    where: dict[str, set[int]] = {}
    for work, words in enumerate(works):
        for word in words:
            where.setdefault(word, set()).add(work)
    least = min(2, max(map(len, where.values()), default=0))
    open_words = _scored(sorted(word for word in where if len(where[word]) >= least), works, rest, background)
    covered: set[int] = set()
    first = 0.0
    while open_words:
        gains = {
            word: z * (len(where[word]) + len(where[word] - covered)) / 2 for word, z in sorted(open_words.items())
        }
        best = max(gains, key=gains.__getitem__)
        first = first or gains[best]
        least_of_first = _LEAST_WHILE_UNSAID if 2 * len(covered) < len(works) else _LEAST_OF_FIRST
        yield best, gains[best] >= least_of_first * first
        covered |= where[best]
        used = set(best.split())
        open_words = {word: z for word, z in open_words.items() if not used & set(word.split())}


def _scored(
    words: list[str], works: Sequence[frozenset[str]], rest: WordCounts, background: WordCounts
) -> dict[str, float]:
    area = count_words_of_works(works)
    beyond = distinctiveness(words, area, background, background)
    own = distinctiveness(words, area, rest, background) if rest.works else beyond
    both = {word: float(a + b) for word, a, b in zip(words, beyond, own, strict=True) if a > 0 and b > 0}
    alone = {word: z for word, z in zip(words, beyond.tolist(), strict=True) if z > 0}
    return both or alone or dict.fromkeys(words, 1.0)


def _free(
    words: Iterator[tuple[str, bool]], by: NamedBy, number: int, taken: Collection[str], software: frozenset[str]
) -> AreaName:
    """The first name of these words that no other area has; ``software`` are words that no person wrote."""
    some = list(islice(words, _MOST_WORDS + len(taken)))
    if not some:
        by = "number"
    chosen = [word for word, strong in some[:_MOST_WORDS] if strong]
    plain = chosen or [f"Area {number + 1}"]
    longer = ([*chosen[: _MOST_WORDS - 1], word] for word, _ in some if word not in chosen)
    candidates = chain(((name, "") for name in chain([plain], longer)), ((plain, f" ({copy})") for copy in count(2)))
    texts = ((", ".join(name) + ending, name) for name, ending in candidates)
    free, name = next(each for each in texts if each[0].casefold() not in taken)
    if by == "number" and free == plain[0]:
        free = Sentence("Area {number}", number=number + 1)
    return AreaName(free, by if software.isdisjoint(name) else "pictures")
