"""The words of texts that say what works are about, and what each weighs: content words, vocabularies, TF-IDF rows."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder
from vernissage.encoders.fitted.languages import language_of, languages_of, lemma_of, require_languages, stop_words
from vernissage.errors import EncoderError
from vernissage.files import read_word_lists
from vernissage.folding import folded

if TYPE_CHECKING:
    from scipy import sparse

DOMAIN_WORDS = frozenset(chain(*read_word_lists(Path(__file__).with_name("domain_words.txt")).values()))
"""Words that stand in the texts of all collections of pictures and tell no work from another."""

_MOST_WORDS = 30_000
_LARGE_COLLECTION = 5000  # beyond it a word of one text is dropped: it makes no two texts alike
_SHORTEST, _LONGEST = 3, 100
_RUNS = re.compile(
    "(?P<kana>[\u3041-\u309f]+)|(?P<signs>[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[\u30a0-\u30ff]+"
    "|[\u1100-\u11ff\uac00-\ud7af]+|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+)|(?P<letters>[^\u0e00-\u0eff\u1000-\u11ff"
    "\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
"""Runs of one script in a run of letters. Hiragana are left out: endings and particles, seldom nouns."""


def content_words(text: str, language: str = "en", known: Container[str] = frozenset()) -> list[str]:
    """The content words of ``text`` in their order, repeated as often as they stand there.

    HTML, web addresses, numbers and punctuation are left out; words are compared in lower case, in Unicode form NFKC,
    without possessive endings, and by their lemma (``ships`` and ``ship`` are one word). Chinese, Japanese, Korean and
    Thai, which write no blanks between words or endings, give pairs of neighbouring signs. Left out too are the
    language's stop words, `DOMAIN_WORDS`, and words of fewer than 3 letters or more than 100.

    Args:
        text: any.
        language: a code of two letters, or several joined by ``+``, of which the text's is found by the text.
        known: folded words; one that the text's language does not give is looked for by the lemmas of the others.

    Raises:
        EncoderError: there is no dictionary of lemmas for ``language``.
    """
    languages = language.split("+")
    own = language_of(text, languages)
    others = [each for each in languages if each != own]
    plain = unicodedata.normalize("NFKC", _plain(text)).lower()
    if plain.isascii() and not others:  # most texts, whose words a short pattern finds as well
        return [word for run in _ASCII_RUN.findall(plain) if (word := _content_lemma(run, own))]
    found: list[str] = []
    for run in _word_pattern().findall(plain):
        words = (_content_lemma(run, own),) if run.isascii() else tuple(_words_of_run(run, own))
        if others and len(words) == 1 and words[0] and folded(words[0]) not in known:
            lemmas = (_content_lemma(run, each) for each in others)
            words = (next((each for each in lemmas if folded(each) in known), words[0]),)
        found += filter(None, words)
    return found


def _words_of_run(run: str, language: str) -> Iterator[str]:
    """The words of a run of letters and signs of any scripts."""
    for match in _RUNS.finditer(run):
        if match["letters"]:
            yield _content_lemma(match["letters"], language)
        elif match["signs"]:
            signs = _signs_pattern().findall(match["signs"])
            pairs = map("".join, pairwise(signs)) if len(signs) > 1 else signs
            yield from (pair for pair in pairs if pair not in stop_words(language))


def documents_of(texts: Sequence[str], language: str = "en") -> list[list[str]]:
    """The content words of each text that has any."""
    return [words for text in texts if (words := content_words(text, language))]


def fitted_language(texts: Sequence[str], languages: Sequence[str]) -> str:
    """The setting ``language`` of an encoder of ``texts``: those that are given, else those that are found."""
    return "+".join(require_languages(languages) or languages_of(texts))


def columns_of(vocabulary: Sequence[str]) -> dict[str, int]:
    """The column of each word, by its folded form."""
    return {folded(word): column for column, word in enumerate(vocabulary)}


def choose_vocabulary(
    documents: Sequence[Sequence[str]], *, at_least: int, at_most: float = 1.0, size: int
) -> tuple[str, ...]:
    """The words that stand in at least ``at_least`` documents and in at most a share ``at_most`` of them.

    Words that fold to one are one word, in the spelling of most documents. If there are more than ``size``, the most
    frequent stay (ties by spelling). Returned in alphabetical order.
    """
    spellings = Counter(word for document in documents for word in set(document))
    counts = Counter(key for document in documents for key in set(map(folded, document)))
    usual = {folded(word): word for word, _ in sorted(spellings.items(), key=lambda each: (each[1], each[0]))}
    most = at_most * len(documents)
    kept = [key for key, count in counts.items() if at_least <= count <= most]
    kept.sort(key=lambda key: (-counts[key], usual[key]))
    return tuple(sorted(usual[key] for key in kept[:size]))


def count_words(documents: Sequence[Sequence[str]], columns: Mapping[str, int]) -> "sparse.csr_matrix":
    """How often each known word stands in each document: float64 (documents, words), words by ``columns``."""
    tallies = [Counter(columns[key] for word in document if (key := folded(word)) in columns) for document in documents]
    ends = np.cumsum([0, *map(len, tallies)])
    words = np.array([word for tally in tallies for word in sorted(tally)], dtype=np.int64)
    counts = np.array([tally[word] for tally in tallies for word in sorted(tally)], dtype=np.float64)
    from scipy import sparse

    return sparse.csr_matrix((counts, words, ends), shape=(len(documents), len(columns)))


class WordEncoder(FittedEncoder):
    """A fitted encoder of texts by the words that it knows: the settings ``vocabulary`` and ``language``.

    Attributes:
        vocabulary: the words, in the order of the arrays' rows or columns.
        columns: of the words, by their folded forms.
        language: of the texts, or several joined by ``+``, the commonest first.
    """

    modalities = frozenset({"text"})

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self.vocabulary: tuple[str, ...] = tuple(state.settings["vocabulary"])
        self.columns: Mapping[str, int] = columns_of(self.vocabulary)
        self.language: str = state.settings["language"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a build says of the texts' languages, where they are not English."""
        if self.language == "en":
            return ()
        return (f"the texts are read as {self.language.replace('+', ', ')}; --language says otherwise",)

    @classmethod
    def of_words(
        cls, vocabulary: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]], language: str, **settings: Any
    ) -> Self:
        """The encoder of these words, in the order of the arrays' rows or columns."""
        return cls(EncoderState(cls.name, {"vocabulary": list(vocabulary), "language": language, **settings}, arrays))

    def _counts(self, texts: Sequence[str]) -> "sparse.csr_matrix":
        """How often each known word stands in each text: float64 (n, words)."""
        return count_words([content_words(text, self.language, self.columns) for text in texts], self.columns)


@dataclass(frozen=True, eq=False)
class WeighedWords:
    """The words that a collection uses, in alphabetical order, and its texts as rows of their weights.

    ``weights`` are inverse document frequencies, float64 (words,); ``rows`` what `weighted_rows` makes of the texts
    that have words.
    """

    vocabulary: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    rows: "sparse.csr_matrix"


def weigh_words(texts: Sequence[str], language: str = "en") -> WeighedWords:
    """Weigh the content words of ``texts``; of more than 5,000 texts, the words that stand in two or more.

    A word weighs ``1 + ln((1 + N) / (1 + N_w))``, where N_w of N texts have it (Spärck Jones, J. Documentation 1972).

    Raises:
        EncoderError: fewer than two texts have content words, or of more than 5,000 no two share any.
    """
    documents = documents_of(texts, language)
    at_least = 2 if len(documents) > _LARGE_COLLECTION else 1
    vocabulary = choose_vocabulary(documents, at_least=at_least, size=_MOST_WORDS)
    if len(documents) < 2:
        raise EncoderError(
            f"{len(documents)} of {len(texts)} texts have content words, and this needs at least 2; "
            f"add titles, descriptions or keywords to the works, or use an encoder of pictures"
        )
    if not vocabulary:
        raise EncoderError(
            f"no two of {len(texts)} texts have a word in common, so nothing tells which are alike; add "
            f"descriptions or keywords to the works, or use an encoder of pictures"
        )
    counts = count_words(documents, columns_of(vocabulary))
    weights = document_weights(counts)
    return WeighedWords(vocabulary, weights, weighted_rows(counts, weights))


def document_weights(counts: "sparse.csr_matrix") -> npt.NDArray[np.float64]:
    """``1 + ln((1 + N) / (1 + N_w))`` for every word, float64 (words,)."""
    weights: npt.NDArray[np.float64] = 1 + np.log((1 + counts.shape[0]) / (1 + counts.getnnz(axis=0)))
    return weights


def weighted_rows(
    counts: "sparse.csr_matrix", weights: npt.NDArray[np.float64], dtype: npt.DTypeLike = np.float32
) -> "sparse.csr_matrix":
    """Rows ``(1 + ln n_w) · weight_w`` of unit length; a row depends on its own counts alone."""
    values = (1 + np.log(counts.data)) * weights[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0]))
    unit = (values / lengths[rows]).astype(dtype)
    from scipy import sparse

    return sparse.csr_matrix((unit, counts.indices, counts.indptr), shape=counts.shape)


def _plain(text: str) -> str:
    """Without markup and addresses. Entities are resolved between two passes: exports often escape their tags."""
    plain = text
    if "<" in text or "&" in text:
        plain = _MARKUP.sub(" ", html.unescape(_MARKUP.sub(" ", text)))
    if "@" in plain or "://" in plain or "www." in plain.lower():  # patterns that look at every letter are tried last
        plain = _ADDRESS.sub(" ", plain)
    return _NEGATION.sub(" ", plain) if "'" in plain or "’" in plain else plain


@lru_cache(maxsize=1 << 18)
def _content_lemma(word: str, language: str) -> str:
    """The lemma of a lower-case word, or an empty string for one that says nothing."""
    if len(word) < _SHORTEST or len(word) > _LONGEST or _says_nothing(word, language):
        return ""  # a run of letters without end is no word, and simplemma takes the square of its length
    lemma = lemma_of(word, language)
    return "" if len(lemma) < _SHORTEST or _says_nothing(lemma, language) else lemma


def _says_nothing(word: str, language: str) -> bool:
    return word in DOMAIN_WORDS or folded(word) in stop_words(language)


def _signs(*categories: str) -> str:
    """All signs of the basic plane in these Unicode categories."""
    return "".join([chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code)) in categories])


@cache
def _word_pattern() -> re.Pattern[str]:
    # \w alone would cut a word of Hindi at its vowel signs, and take ornamental numbers for letters.
    letter = rf"[^\W\d_{_signs('No', 'Nl')}]"
    return re.compile(rf"{letter}(?:{letter}|[{_signs('Mn', 'Mc')}])*")


@cache
def _signs_pattern() -> re.Pattern[str]:
    return re.compile(rf".[{_signs('Mn')}]*")  # a letter of Thai with its vowels and tones is one sign


_ASCII_RUN = re.compile("[a-z]+")
_MARKUP = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]*>", re.DOTALL | re.IGNORECASE)
# An address with @ is looked for from the first letter of a run alone: from every one, long runs take the square.
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)\S+@\S+\.\w+", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:\w+n|can)['’]t\b", re.IGNORECASE)
