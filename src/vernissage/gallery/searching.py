"""Search by words: ids, years and words as they stand first, then BM25 and an encoder's cosines, fused by z-scores."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.fitted.languages import language_of, stop_words
from vernissage.encoders.fitted.words import content_words
from vernissage.folding import folded
from vernissage.rankings import PRECISION
from vernissage.search.lexical import EDGES, UNSPACED, LexicalIndex, terms_of
from vernissage.search.vectors import VectorTable
from vernissage.sentences import Sentence
from vernissage.values import Allow, Index, Scores, Vectors

LITERAL = 0.8
"""What BM25 counts of a score, and the encoder the rest; chosen on half of the titles of three collections."""

_SHOWN = ("id", "title", "artist", "year", "keywords", "medium", "description")
_SHORTEST_GUESSED, _LONGEST_GUESSED = 4, 64
_MOST_GUESSED = 8
"""Words of a query that are looked for in near spellings: each costs a pass over the words of the collection."""

_MOST_OFFERED = 3
_ALIKE = 0.7
_AROUND = 40
_ENDING = 2
"""Letters by which an inflected form may be longer, where a language's dictionary does not know it."""

_DENSE = 4
"""From every so manieth work on, one product with all vectors takes less time than gathering those of some."""

_TOKEN = re.compile(r"[^\W_]+")
_RELATED = Sentence("related in meaning")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WordSearch:
    """The words of a query, as they are looked for in a collection.

    Attributes:
        query: the words as they were given, or with near spellings in place of those that no work has.
        words: folded, each once, without stop words.
        terms: what BM25 compares.
        language: of the collection's texts.
        stage: for each work 1 where it has all of the words, and 1 more where a whole cell is the query; int8 (works,).
        has_words: which works have any of the words as they stand, bool (works,).
        has_meaning: whether there is more than stop words, of which an encoder would make something by chance.
        notes: which spellings were searched for, or are near.
    """

    query: str
    words: tuple[str, ...]
    terms: tuple[str, ...]
    language: str
    stage: npt.NDArray[np.int8]
    has_words: npt.NDArray[np.bool_]
    has_meaning: bool
    notes: tuple[str, ...]

    def snippet(self, item: Item) -> "Snippet":
        """The cell of a work that has most of the query's words, and its words around them."""
        cells = [(name, value) for name in _SHOWN for value in _values(item, name)]
        cells += [*item.attributes.items(), ("text", item.text)]
        whole = folded(self.query.strip())
        for name, value in cells:
            if folded(value.strip()) == whole:
                return Snippet(name, _around(value, 0), (value.strip(),))
        best, most = Snippet("", "", ()), 0
        for name, value in cells:
            met = self._met(value) if name != "text" or not most else []
            if met and (distinct := len({folded(value[start:end]) for start, end in met})) > most:
                part = _around(value, met[0][0])
                spelled = dict.fromkeys(value[start:end] for start, end in met)
                best, most = Snippet(name, part, tuple(each for each in spelled if each in part)), distinct
        return best

    def _met(self, value: str) -> list[tuple[int, int]]:
        """Where words of a cell are words of the query, or have a lemma in common with it, in their order."""
        plain, patterns, lemmas = folded(value), self._patterns, self._lemmas
        if len(plain) == len(value):  # else places in one are not those in the other
            spans = {match.span() for pattern in patterns for match in pattern.finditer(plain)}
        else:
            tokens = [(match.span(), folded(match[0])) for match in _TOKEN.finditer(value)]
            spans = {span for span, token in tokens if any(pattern.search(token) for pattern in patterns)}
        if lemmas:
            own = language_of(value, self.language.split("+"))
            for match in _TOKEN.finditer(value):
                if not lemmas.isdisjoint(map(folded, content_words(match[0], own))):
                    spans.add(match.span())
        return sorted(spans)

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [_pattern(word) for word in self.words]

    @cached_property
    def _lemmas(self) -> frozenset[str]:
        return frozenset(self.terms)


@dataclass(frozen=True)
class Snippet:
    """What of a work a query's words have met: a column, its words around them, and those that were met.

    Empty where none was.
    """

    column: str
    text: str
    met: tuple[str, ...]

    @property
    def words(self) -> str:
        """The same as a sentence, with asterisks around the words that were met."""
        if not self.column:
            return _RELATED
        # Longer ones first, of which others may be the beginning; in scripts without blanks a word has no edges.
        every = sorted(self.met, key=len, reverse=True)
        any_of = "|".join(
            re.escape(each) if re.match(f"[{UNSPACED}]", each) else rf"(?<![^\W_]){re.escape(each)}(?![^\W_])"
            for each in every
        )
        marked = re.sub(any_of, r"*\g<0>*", self.text) if every else self.text
        return Sentence("{column}: {words}", column=Sentence(self.column), words=marked)


class TextSearcher:
    """Ranks the works of a collection for words, by their index of words and, where there is one, an encoder's vectors.

    A work's score is its stage (see `WordSearch`) and, between 0 and 1, the monotone ``(1 + h / (1 + |h|)) / 2`` of
    h = w·z(BM25) + (1 − w)·z(cosine), w = `LITERAL`. Both z-scores are over all works, so no condition changes a score.
    """

    def __init__(self, collection: Collection, words: LexicalIndex, vectors: tuple[VectorTable, Index] | None):
        self.collection = collection
        self.words = words
        self._vectors = vectors

    @cached_property
    def places(self) -> Rows:
        """The row of each work among the vectors, −1 where it has none: int64 (works,)."""
        places = np.full(len(self.collection), -1)
        if self._vectors is not None:
            table = self._vectors[0]
            places[self.collection.ids.rows(table.item_ids)] = np.arange(len(table))
        return places

    def look_up(self, query: str) -> WordSearch:
        """Look for the words of a query in ids, titles, artists, years and texts, and for all of it in every cell.

        A word that no work has is looked for in its near spelling, unless one has its lemma: the commonest that
        differs by one letter, or by two neighbours in the other order, or by an ending of at most two letters.
        """
        index = self.words
        stops = frozenset[str]().union(*map(stop_words, index.language.split("+")))
        given = tuple(dict.fromkeys(filter(None, (word.strip(EDGES) for word in folded(query).split()))))
        telling = tuple(word for word in given if word not in stops)
        words = telling or given
        counts, notes, spelled = np.zeros(index.works, np.int32), list[str](), query
        used: dict[str, None] = {}
        guessed = 0
        for word in words:
            there = index.rows_with(word)
            if len(there) or any(term in index.terms for term in terms_of(word, index.language, index.terms)):
                used[word] = None
                counts[there] += 1
                continue
            guessed += 1
            near = _near_spellings(word, index) if guessed <= _MOST_GUESSED else _Near()
            if near.written:
                told = "no work has {word!r}; {near!r} was searched for instead"
                notes.append(Sentence(told, word=word, near=near.written))
                spelled = _pattern(word).sub(near.written, folded(spelled))
                used[near.written] = None
                counts[index.rows_with(near.written)] += 1
            elif near.offered:
                told = "no work has {word!r}; near spellings: {near}"
                notes.append(Sentence(told, word=word, near=tuple(near.offered)))
        stage = (counts == len(words)).astype(np.int8) if words else np.zeros(index.works, np.int8)
        whole = index.rows_with_cell(folded(query.strip()))
        stage[whole] += 1
        has_words = counts > 0
        has_words[whole] = True
        terms = tuple(terms_of(spelled, index.language, index.terms))
        if given and not telling:
            told = "{query} says nothing of what a work is about, so only these very words are looked for"
            notes.append(Sentence(told, query=shortened(query)))
        return WordSearch(spelled, tuple(used), terms, index.language, stage, has_words, bool(telling), tuple(notes))

    def ranking(self, words: WordSearch, vector: Vectors, allow: Allow) -> Callable[[int], dict[str, float]]:
        """A function from a number to so many best works and their scores, best first.

        ``vector`` is the query's, float32 (dim,), zeros where the encoder knows none of it. A work comes where it has
        a word of the query or a lemma in common with it, or a cosine above 0.
        """
        literal = self.words.bm25(words.terms)
        centre, spread = float(literal.mean()) if len(literal) else 0.0, float(literal.std()) if len(literal) else 0.0
        scale = LITERAL / spread if spread > 0 else 0.0
        met = (literal > 0) | words.has_words
        rows = np.flatnonzero(met)
        rows = rows[self.allowed(rows, allow)]
        meaning = self._meaning(vector)
        fused = scale * (literal[rows] - centre) + (meaning.of_rows(rows) if meaning else 0.0)
        scores = words.stage[rows] + _between(fused)
        ids = self.collection.ids

        def best(count: int) -> dict[str, float]:
            every, values = rows, scores
            if meaning:
                near, added = meaning.nearest(count, allow, met)
                every, values = np.concatenate([rows, near]), np.concatenate([scores, _between(added - scale * centre)])
            if count < len(every):
                least = np.partition(values, len(values) - count)[len(values) - count]
                every, values = every[values >= least], values[values >= least]
            order = np.lexsort((ids.places[every], -values))[:count]
            return dict(zip(ids.take(every[order]), values[order].tolist(), strict=True))

        return best

    def allowed(self, rows: Rows, allow: Allow) -> npt.NDArray[np.bool_]:
        """Which of some works may come back."""
        fits = np.ones(len(rows), dtype=bool)
        if allow.conditions:
            fits &= self.collection.fulfilling(allow.conditions, self.collection.ids)[rows]
        if allow.exclude:
            fits &= ~np.isin(rows, self.collection.ids.rows(list(allow.exclude)))
        return fits

    def _meaning(self, vector: Vectors) -> "_Meaning | None":
        """What an encoder adds; None where there is none, or it knows no word of the query, or tells no work apart."""
        if self._vectors is None or not vector.any():
            return None
        means, spreads = self._vectors[1].moments().of_scores(vector)
        if not spreads[0] > 0:
            return None
        return _Meaning(self, *self._vectors, vector, float(means[0]), (1 - LITERAL) / float(spreads[0]))


@dataclass(frozen=True, eq=False)
class _Meaning:
    """z-scores of an encoder's cosines over all works with a vector, times a weight; 0 for others."""

    searcher: TextSearcher
    table: VectorTable
    index: Index
    vector: Vectors
    mean: float
    scale: float

    def of_rows(self, rows: Rows) -> Scores:
        """What each of some works gets."""
        places = self.searcher.places[rows]
        there, found, vectors = places >= 0, np.zeros(len(rows)), self.table.vectors
        some = places[there]
        cosines = self._all[some] if _DENSE * len(some) > len(vectors) else vectors[some] @ self.vector
        found[there] = self.scale * (cosines.astype(np.float64) - self.mean)
        return found

    @cached_property
    def _all(self) -> Vectors:
        return self.table.vectors @ self.vector

    def nearest(self, count: int, allow: Allow, met: npt.NDArray[np.bool_]) -> tuple[Rows, Scores]:
        """The ``count`` nearest works that have not ``met`` the query, of cosines above 0, and what they get."""
        if _DENSE * np.count_nonzero(met) > len(met):  # most of the index's nearest would be passed over
            rows = np.flatnonzero(~met & (self.searcher.places >= 0))
            cosines = self._all[self.searcher.places[rows]].astype(np.float64)
            fits = (cosines > PRECISION) & self.searcher.allowed(rows, allow)
            rows, cosines = rows[fits], cosines[fits]
            if len(rows) > count:
                some = np.flatnonzero(cosines >= np.partition(cosines, len(rows) - count)[len(rows) - count])
                rows, cosines = rows[some], cosines[some]
            return rows, self.scale * (cosines - self.mean)
        asked = count
        while True:
            found = self.index.search(self.vector[None, :], asked, allow)[0]
            rows = self.searcher.collection.ids.rows(found.item_ids)
            new = np.flatnonzero(~met[rows] & (found.scores > PRECISION))[:count]
            if len(new) == count or len(found) < asked or found.scores[-1] <= PRECISION:
                return rows[new], self.scale * (found.scores[new] - self.mean)
            asked *= 4


def shortened(query: str) -> str:
    """The query as notes repeat it."""
    plain = " ".join(query.split())
    return repr(plain if len(plain) <= 2 * _AROUND else f"{plain[: 2 * _AROUND]} …")


def _between(fused: Scores) -> Scores:
    """From any number to one between 0 and 1, in the same order."""
    found: Scores = (1 + fused / (1 + np.abs(fused))) / 2
    return found


@dataclass(frozen=True)
class _Near:
    written: str = ""
    offered: Sequence[str] = ()


def _near_spellings(word: str, index: LexicalIndex) -> _Near:
    """The spelling that stands for a word that is nowhere, or some that look like it."""
    if not _SHORTEST_GUESSED <= len(word) <= _LONGEST_GUESSED or not word.isalpha():
        return _Near()
    lines = index.forms.lines()

    def commonest(words: list[str]) -> str:
        return min(words, key=lambda each: (-len(index.forms.rows_of(each)), len(each), each))

    # Whatever one edit is, what is before it or what is behind it stays: most words are passed over by that alone.
    forms = [form for form in _forms(word) if len(form) >= _SHORTEST_GUESSED]
    halves = "|".join(
        f"{re.escape(form[: len(form) // 2])}.*|.*{re.escape(form[len(form) // 2 + 1 :])}" for form in forms
    )
    some = [each for each in re.findall(rf"^(?:{halves})$", lines, re.MULTILINE) if len(each) > 2 and each.isalpha()]
    close = [each for each in some for form in forms if abs(len(each) - len(form)) <= _ENDING and _is_near(form, each)]
    if close:
        return _Near(commonest(close))
    # Compounds of German, Dutch and others: Blumen stands in Blumenstrauß, and Boot in Segelboote.
    whole = re.escape(word)
    if compounds := re.findall(rf"^(?:{whole}[^\W\d_]*|[^\W\d_]+{whole}[^\W\d_]{{0,{_ENDING}}})$", lines, re.MULTILINE):
        return _Near(commonest(compounds))
    alike = re.findall(rf"^{re.escape(word[:2])}[^\W\d_]+$", lines, re.MULTILINE)
    return _Near("", difflib.get_close_matches(word, alike, _MOST_OFFERED, _ALIKE))


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


def _pattern(word: str) -> re.Pattern[str]:
    """The word where it stands alone; in scripts without blanks anywhere, in Arabic with its article too."""
    before = "" if re.match(f"[{UNSPACED}]", word) else r"(?<![^\W_])"
    after = "" if re.search(f"[{UNSPACED}]$", word) else r"(?![^\W_])"
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
