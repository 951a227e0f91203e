"""The words of a collection's works as an index on disk: which works have a word, and BM25 of all works for a query."""

import hashlib
import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, filterfalse, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.encoders.fitted.languages import stop_words
from vernissage.encoders.fitted.words import DOMAIN_WORDS, content_words
from vernissage.errors import ProvenanceError
from vernissage.files import read_arrays, write_arrays
from vernissage.folding import folded

REVISION = "1"
"""Raised when the same works would give another index."""

UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Scripts without blanks between words, as a range of a regular expression."""

EDGES = ".,;:!?\"'()[]«»„“”、。"
_SCANNED = ("id", "title", "artist", "year", "text")
_RUN = re.compile(rf"[^\W_{UNSPACED}]+")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
_NUMBER = re.compile(r"(?<![^\W_])[^\W\d_]*+\d[^\W_]*")  # tried once for each word, not once for each of its letters
_DIGIT = re.compile(r"\d")
_ARABIC = re.compile("[\u0620-\u064a]")
_ARTICLES = ("ال", "وال", "بال", "كال", "فال", "لل")
_LONGEST = 64
_PARTS = {"text": "u1", "starts": "i8", "ends": "i8", "rows": "i4"}

Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Postings:
    """Words in the order of their UTF-8 bytes, and the rows of the works that have each.

    Attributes:
        text: the words, each followed by a line feed, uint8.
        starts: where each word begins in ``text``, and its end, int64 (words + 1,).
        ends: where the rows of each word end, after a 0, int64 (words + 1,).
        rows: int32, ascending for each word.
    """

    text: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    rows: Rows

    @classmethod
    def of(cls, works: Iterable[Iterable[str]]) -> "tuple[Self, Rows]":
        """The index of the words of each work, and the word of every entry in the order in which they came."""
        code_of: defaultdict[str, int] = defaultdict(count().__next__)
        codes, counts = array("i"), array("q")
        for words in works:
            before = len(codes)
            codes.extend(map(code_of.__getitem__, words))
            counts.append(len(codes) - before)
        rows = np.repeat(np.arange(len(counts), dtype=np.int32), np.array(counts, np.int64))
        names = sorted(code_of, key=str.encode)
        encoded = [f"{name}\n".encode() for name in names]
        place = np.empty(len(names), np.int32)
        place[[code_of[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        words_of = place[np.frombuffer(codes, np.int32)] if len(codes) else np.empty(0, np.int32)
        return cls(
            np.frombuffer(b"".join(encoded), np.uint8),
            np.cumsum([0, *map(len, encoded)], dtype=np.int64),
            np.cumsum(np.concatenate([[0], np.bincount(words_of, minlength=len(names))]), dtype=np.int64),
            rows[np.argsort(words_of, kind="stable")],
        ), words_of

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.place(word) is not None

    def place(self, word: str) -> int | None:
        """The place of a word among the words, or None."""
        wanted = f"{word}\n".encode(errors="surrogatepass")
        found = bisect_left(range(len(self)), wanted, key=self._bytes)
        return found if found < len(self) and self._bytes(found) == wanted else None

    def _bytes(self, place: int) -> bytes:
        return self.text[self.starts[place] : self.starts[place + 1]].tobytes()

    def rows_of(self, word: str) -> Rows:
        """The works that have the word."""
        place = self.place(word)
        return self.rows[:0] if place is None else self.rows[self.ends[place] : self.ends[place + 1]]

    def lines(self) -> str:
        """All words, a line each."""
        return self.text.tobytes().decode()

    def is_sound(self, works: int, entries: int) -> bool:
        """Whether no look-up can lead out of these arrays or those of so many works."""
        return (
            all(
                len(each) > 0 and each[0] == 0 and bool((np.diff(each) >= 0).all()) for each in (self.starts, self.ends)
            )
            and len(self.starts) == len(self.ends)
            and (self.starts[-1], self.ends[-1]) == (len(self.text), entries)
            and len(self.rows) == entries
            and (not entries or (self.rows.min() >= 0 and self.rows.max() < works))
        )


@dataclass(frozen=True, eq=False)
class LexicalIndex:
    """Which works have a word or a cell, and how well the words of their texts fit those of a query.

    Attributes:
        works: how many works.
        language: of the texts, as in `content_words`.
        forms: folded words as they stand in ids, titles, artists, years and texts; of scripts without blanks every
            sign and pair of signs; what has signs inside, such as 1982.3, as a whole too.
        terms: folded lemmas of the texts, and the numbers and `DOMAIN_WORDS` that stand there; each of its entries has
            a BM25 score.
        scores: of the entries of ``terms``, float32: Lucene's BM25 with k₁ = 1.5 and b = 0.75, as in Lù 2024,
            arXiv:2407.03618.
        cells: 64-bit digests of folded cells, uint64, ascending, and ``cell_rows`` the works that have them, int32.
    """

    works: int
    language: str
    forms: Postings
    terms: Postings
    scores: npt.NDArray[np.float32]
    cells: npt.NDArray[np.uint64]
    cell_rows: Rows

    @classmethod
    def of(cls, collection: Collection, language: str) -> "LexicalIndex":
        """Index the works of a collection whose texts are in ``language``."""
        columns = [collection.texts(name) for name in _SCANNED]
        forms, _ = Postings.of(_forms(folded("\n".join(cells))) for cells in zip(*columns, strict=True))
        documents = [terms_of(text, language) for text in columns[-1]]
        terms, _ = Postings.of(map(dict.fromkeys, documents))
        words = terms.lines().split("\n")[:-1]
        code_of = {word: place for place, word in enumerate(words)}
        scores = np.empty(0, np.float32)
        if words:
            from bm25s import BM25  # brings scipy.sparse, which opening an index does not need

            model = BM25()
            ids = [[code_of[word] for word in document] for document in documents]
            model.index((ids, code_of), create_empty_token=False, show_progress=False)
            by_word = (np.repeat(np.arange(len(words)), np.diff(model.scores["indptr"])), model.scores["indices"])
            scores = model.scores["data"][np.lexsort(by_word[::-1])].astype(np.float32)
        cells, rows = _cells(collection)
        return cls(len(collection), language, forms, terms, scores, cells, rows)

    def rows_with(self, word: str) -> Rows:
        """The works that have a folded word where it stands alone; in scripts without blanks anywhere.

        An Arabic word is also found with its article.
        """
        spellings = [word, *(f"{article}{word}" for article in _ARTICLES)] if _ARABIC.match(word) else [word]
        found = [rows for each in spellings if len(rows := self.forms.rows_of(each))]
        if found:
            return found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        if not _UNSPACED_RUN.search(word):
            return self.forms.rows[:0]
        parts = [*_RUN.findall(word), *_pairs_of(word)]
        common = self.forms.rows_of(parts[0])
        for part in parts[1:]:
            common = np.intersect1d(common, self.forms.rows_of(part), assume_unique=True)
        return common

    def rows_with_cell(self, cell: str) -> Rows:
        """The works of which a field or attribute, but not owner and licence, is this folded cell."""
        wanted = _cell_digest(cell)
        first, last = (int(np.searchsorted(self.cells, wanted, side)) for side in ("left", "right"))
        return np.unique(self.cell_rows[first:last])

    def bm25(self, terms: Iterable[str]) -> npt.NDArray[np.float64]:
        """The BM25 score of every work for the terms of a query, each counted once: float64 (works,)."""
        total = np.zeros(self.works, np.float64)
        for term in dict.fromkeys(terms):
            place = self.terms.place(term)
            if place is not None:
                entries = slice(int(self.terms.ends[place]), int(self.terms.ends[place + 1]))
                total[self.terms.rows[entries]] += self.scores[entries]
        return total

    def save(self, path: Path, source: str) -> None:
        """Write the arrays; ``source`` says what they were made of."""
        arrays: dict[str, npt.NDArray[Any]] = {"source": np.array([source, self.language, str(self.works)])}
        for name, postings in (("forms", self.forms), ("terms", self.terms)):
            arrays |= {f"{name}.{part}": getattr(postings, part) for part in _PARTS}
        write_arrays(path, arrays | {"scores": self.scores, "cells": self.cells, "cell_rows": self.cell_rows})

    @classmethod
    def load(cls, path: Path, source: str, works: int) -> "LexicalIndex":
        """Open what `save` wrote for exactly this ``source`` and so many works; the arrays are mapped, not read.

        Raises:
            ProvenanceError: the file is missing, damaged, or was made of something else; make it anew.
        """
        parts = {f"{name}.{part}": kind for name in ("forms", "terms") for part, kind in _PARTS.items()}
        kinds = parts | {"scores": "f4", "cells": "u8", "cell_rows": "i4"}
        arrays = read_arrays(path, memory_map=kinds)
        told = [str(each) for each in arrays.get("source", np.empty(0))]
        sound = len(told) == 3 and (told[0], told[2]) == (source, str(works))
        sound &= all(
            name in arrays and arrays[name].dtype == kind and arrays[name].ndim == 1 for name, kind in kinds.items()
        )
        if sound:
            forms, terms = (Postings(*(arrays[f"{name}.{part}"] for part in _PARTS)) for name in ("forms", "terms"))
            found = cls(works, told[1], forms, terms, *(arrays[name] for name in ("scores", "cells", "cell_rows")))
            sound = found._is_sound()
        if not sound:
            raise ProvenanceError(f"the index {path} is damaged or of other works; delete it and it is built anew")
        return found

    def _is_sound(self) -> bool:
        rows = self.cell_rows
        return (
            self.forms.is_sound(self.works, len(self.forms.rows))
            and self.terms.is_sound(self.works, len(self.scores))
            and bool(np.isfinite(self.scores).all())
            and len(rows) == len(self.cells)
            and (not len(rows) or bool(rows.min() >= 0 and rows.max() < self.works))
        )


def terms_of(text: str, language: str, known: Container[str] = frozenset()) -> list[str]:
    """The terms by which BM25 compares texts: folded content words, and the numbers and `DOMAIN_WORDS` as they stand.

    What a museum calls its objects tells few works apart, which BM25 weighs by itself; a query may well name it.
    """
    plain = folded(text)
    runs = _RUN.findall(plain)
    # A run is what `_NUMBER` finds, where no script without blanks ends it; that pattern is tried at every letter.
    mixed = _UNSPACED_RUN.search(plain)
    numbers = _NUMBER.findall(plain) if mixed else filter(_DIGIT.search, filterfalse(str.isalpha, runs))
    rest = [*numbers, *filter(DOMAIN_WORDS.__contains__, runs)]
    stops = _stop_words(language)
    return [*map(_folded, content_words(text, language, known)), *(word for word in rest if word not in stops)]


_folded = lru_cache(1 << 18)(folded)
"""For lemmas, of which a collection has few."""


@lru_cache(8)
def _stop_words(language: str) -> frozenset[str]:
    return frozenset[str]().union(*map(stop_words, language.split("+")))


def _forms(text: str) -> set[str]:
    """The words of a folded text as they stand in it, see `LexicalIndex.forms`."""
    found = set(_RUN.findall(text))
    for token in set(text.split()) - found:
        word = token.strip(EDGES)
        if word not in found and len(word) <= _LONGEST and not word.isalnum() and _RUN.search(word):
            found.add(word)
    for run in _UNSPACED_RUN.findall(text):
        found.update(run)
        found.update(map("".join, pairwise(run)))
    return found


def _pairs_of(word: str) -> Iterator[str]:
    for run in _UNSPACED_RUN.findall(word):
        yield from map("".join, pairwise(run)) if len(run) > 1 else run


def _cell_digest(cell: str) -> np.uint64:
    return np.uint64(
        int.from_bytes(hashlib.blake2b(cell.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
    )


def _cells(collection: Collection) -> tuple[npt.NDArray[np.uint64], Rows]:
    """The digests of all cells that a query may be, ascending, and their works."""
    digests, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    for places, codes, distinct in collection.cells():
        named = np.array([_cell_digest(folded(text.strip())) for text in distinct], dtype=np.uint64)
        digests.append(named[codes])
        rows.append(places.astype(np.int32))
    every, where = np.concatenate(digests), np.concatenate(rows)
    order = np.lexsort((where, every))
    return every[order], where[order]
