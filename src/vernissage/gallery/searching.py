"""Works found by the words themselves: ids, inventory numbers, years, names and words, with near spellings."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import Encoder
from vernissage.encoders.fitted.languages import stop_words
from vernissage.encoders.fitted.words import WordEncoder, content_words
from vernissage.folding import folded

_SCANNED = ("id", "title", "artist", "year", "text")
_SHOWN = ("id", "title", "artist", "year", "keywords", "medium", "description")
_SHORTEST_GUESSED = 4
_MOST_OFFERED = 3
_ALIKE = 0.7
_AROUND = 40
_ENDING = 2
"""Letters by which an inflected form may be longer, where a language's dictionary does not know it."""

_LETTERS = re.compile(r"[^\W\d_]{3,}")
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"


@dataclass(frozen=True, eq=False)
class WordSearch:
    """The words of a query, as they are looked for in a collection.

    Attributes:
        query: the words as they were given, or with near spellings in place of those that no work has.
        words: folded, each once, without stop words.
        found: how many of the words stand in each work that has any, one more where a whole cell is the query: by id.
        notes: which spellings were searched for, or are near.
    """

    query: str
    words: tuple[str, ...]
    found: Mapping[str, int]
    notes: tuple[str, ...]

    def reason(self, item: Item, encoder: Encoder | WordEncoder | None) -> tuple[str, str]:
        """The field of a work that tells best why it was found, and its words around that; empty where none does."""
        cells = [(name, value) for name in _SHOWN for value in _values(item, name)]
        cells += [*item.attributes.items(), ("text", item.text)]
        whole = folded(self.query.strip())
        for name, value in cells:
            if folded(value.strip()) == whole:
                return name, _around(value, 0)
        patterns = [_pattern(word) for word in self.words]
        for name, value in cells:
            if places := [match.start() for each in patterns if (match := each.search(folded(value)))]:
                return name, _around(value, min(places))
        if isinstance(encoder, WordEncoder):
            lemmas = set(map(folded, content_words(self.query, encoder.language, encoder.columns)))
            for name, value in cells:
                for match in _LETTERS.finditer(value):
                    if not lemmas.isdisjoint(map(folded, content_words(match[0], encoder.language, encoder.columns))):
                        return name, _around(value, match.start())
        return "", ""


def search_words(collection: Collection, query: str, encoder: Encoder | WordEncoder | None) -> WordSearch:
    """Look for the words of a query in ids, titles, artists, years and texts, and for all of it in every cell.

    A word that no work has and the encoder does not know is looked for in its near spelling: the commonest that differs
    by one letter, or by two neighbours in the other order, or by an ending of at most two letters.
    """
    languages = encoder.language.split("+") if isinstance(encoder, WordEncoder) else ["en"]
    given = tuple(dict.fromkeys(filter(None, (word.strip(".,;:!?\"'()[]«»„“”、。") for word in folded(query).split()))))
    words = tuple(word for word in given if not any(word in stop_words(each) for each in languages)) or given
    columns = [list(map(folded, collection.texts(name))) for name in _SCANNED]
    rows = ["\n".join(cells) for cells in zip(*columns, strict=True)]
    found, notes, spelled = Counter[int](), [], query
    used: dict[str, None] = {}
    for word in words:
        there = _rows_with(word, rows)
        if there or (isinstance(encoder, WordEncoder) and _knows(encoder, word)):
            used[word] = None
            found.update(there)
            continue
        near = _near_spellings(word, rows)
        if near.written:
            notes.append(f"no work has {word!r}; {near.written!r} was searched for instead")
            spelled = _pattern(word).sub(near.written, folded(spelled))
            used[near.written] = None
            found.update(_rows_with(near.written, rows))
        elif near.offered:
            notes.append(f"no work has {word!r}; near spellings: {', '.join(near.offered)}")
    found.update(collection.rows_with_cell(folded(query.strip())))
    ids = collection.ids
    return WordSearch(spelled, tuple(used), {ids[row]: count for row, count in found.items()}, tuple(notes))


def _rows_with(word: str, texts: Sequence[str]) -> list[int]:
    pattern = _pattern(word)
    return [row for row, text in enumerate(texts) if word in text and pattern.search(text)]


@dataclass(frozen=True)
class _Near:
    written: str = ""
    offered: Sequence[str] = ()


def _near_spellings(word: str, texts: Iterable[str]) -> _Near:
    """The spelling that stands for a word that is nowhere, or some that look like it."""
    if len(word) < _SHORTEST_GUESSED or not word.isalpha():
        return _Near()
    counts = Counter(each for text in texts for each in set(_LETTERS.findall(text)))
    forms = [form for form in _forms(word) if len(form) >= _SHORTEST_GUESSED]
    close = [
        each for each in counts for form in forms if abs(len(each) - len(form)) <= _ENDING and _is_near(form, each)
    ]
    if close:
        return _Near(min(close, key=lambda each: (-counts[each], each)))
    # Compounds of German, Dutch and others: Blumen stands in Blumenstrauß, and Boot in Segelboote.
    compounds = [each for each in counts if each.startswith(word) or word in each[-len(word) - _ENDING :]]
    if compounds:
        return _Near(min(compounds, key=lambda each: (-counts[each], len(each), each)))
    return _Near("", difflib.get_close_matches(word, counts, _MOST_OFFERED, _ALIKE))


def _forms(word: str) -> set[str]:
    """The word, with umlauts that were written as two letters as one (Moench), and an Arabic plural as its singular."""
    return {word, re.sub("([aou])e", r"\1", word), f"{word[:-2]}ه" if word.endswith("ات") else word}


def _is_near(word: str, other: str) -> bool:
    """Whether one edit, or an ending, makes one word of the other."""
    short, long = sorted((word, other), key=len)
    if long.startswith(short) and len(short) >= _SHORTEST_GUESSED - 1:
        return True
    start = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    a, b = short[start:], long[start:]
    if len(a) != len(b):
        return len(b) - len(a) == 1 and a == b[1:]
    return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _knows(encoder: WordEncoder, word: str) -> bool:
    lemmas = map(folded, content_words(word, encoder.language, encoder.columns))
    return any(lemma in encoder.columns for lemma in lemmas)


def _pattern(word: str) -> re.Pattern[str]:
    """The word where it stands alone; in scripts without blanks anywhere, in Arabic with its article too."""
    before = "" if re.match(f"[{_UNSPACED}]", word) else r"(?<![^\W_])"
    after = "" if re.search(f"[{_UNSPACED}]$", word) else r"(?![^\W_])"
    article = "(?:[وبكف]?ال|لل)?" if re.match("[\u0620-\u064a]", word) else ""
    return re.compile(before + article + re.escape(word) + after)


def _values(item: Item, name: str) -> tuple[str, ...]:
    value = getattr(item, name)
    return value if isinstance(value, tuple) else (value,) if value else ()


def _around(text: str, place: int) -> str:
    """The words around a place of a text, on one line."""
    start = text.rfind(" ", 0, max(0, place - _AROUND)) + 1 if place > _AROUND else 0
    part = " ".join(text[start : place + 2 * _AROUND].split())
    cut = place + 2 * _AROUND < len(text)
    return f"{'… ' if start else ''}{part.rpartition(' ')[0] or part if cut else part}{' …' if cut else ''}"
