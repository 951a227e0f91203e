"""The words of texts that say what works are about, and what each weighs: content words, vocabularies, TF-IDF rows."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    from scipy import sparse

_OF_MUSEUMS = """
art artist artwork attribute attribution background canvas composition copy date depict depiction detail display
drawing figure foreground folio follower fragment illustrate illustration image left manner medium museum oil paint
painter painting panel picture portray portrayal recto represent representation right scene show sign signature study
style subject theme title undated untitled verso view viewer work workshop
"""
_OF_ART_HISTORY = """
appear base call century characteristic circa collection come contemporary contrast convey create creation earlier
early emphasize establish evoke example exhibit exhibition feature form include indicate inspire know large largely
late later likely like look make mean mid non number period perhaps popular possibly present probably produce recall
reflect reveal say set similar small specific suggest time typical unidentified unknown use version year
"""
_PARTICLES = "aus bei das dem den der des die della delle del dell las les los sur und une van von"

DOMAIN_WORDS = frozenset(f"{_OF_MUSEUMS} {_OF_ART_HISTORY} {_PARTICLES}".split())
"""Words that stand in the texts of all collections of pictures and tell no work from another: what a museum calls
its objects, what art historians' sentences are made of, and the particles of foreign titles and names."""

_LEMMAS = {
    "bare": "bare",
    "dated": "date",
    "dating": "date",
    "dice": "dice",
    "elder": "elder",
    "gone": "go",
    "growing": "grow",
    "leaves": "leaf",
    "opera": "opera",
    "playing": "play",
    "singing": "sing",
    "thinking": "think",
}
"""English words whose lemma in simplemma is a rare or another word (singe, opus, leave), found in museums' texts."""

_MOST_WORDS = 30_000
_LARGE_COLLECTION = 5000
_SHORTEST, _LONGEST = 3, 100
_FIRST_EAST_ASIAN = "\u3000"


def content_words(text: str, language: str = "en") -> list[str]:
    """The content words of ``text`` in their order, repeated as often as they stand there.

    HTML, web addresses, numbers and punctuation are left out; words are compared in lower case, in Unicode form NFKC,
    without possessive endings, and by their lemma (``ships`` and ``ship`` are one word). Left out too are
    scikit-learn's English stop words, `DOMAIN_WORDS`, and words of fewer than 3 letters or more than 100.

    Raises:
        EncoderError: there is no dictionary of lemmas for ``language``.
    """
    plain = unicodedata.normalize("NFKC", _plain(text)).lower()
    lemmas = (_content_lemma(word, language) for word in _word_pattern().findall(plain))
    return [lemma for lemma in lemmas if lemma]


def documents_of(texts: Sequence[str]) -> list[list[str]]:
    """The content words of each text that has any."""
    return [words for words in map(content_words, texts) if words]


def choose_vocabulary(
    documents: Sequence[Sequence[str]], *, at_least: int, at_most: float = 1.0, size: int
) -> tuple[str, ...]:
    """The words that stand in at least ``at_least`` documents and in at most a share ``at_most`` of them.

    If there are more than ``size``, the most frequent stay (ties by spelling). Returned in alphabetical order.
    """
    counts = Counter(word for document in documents for word in set(document))
    most = at_most * len(documents)
    kept = [word for word, count in counts.items() if at_least <= count <= most]
    kept.sort(key=lambda word: (-counts[word], word))
    return tuple(sorted(kept[:size]))


def count_words(documents: Sequence[Sequence[str]], columns: Mapping[str, int]) -> "sparse.csr_matrix":
    """How often each known word stands in each document: float64 (documents, words), words by ``columns``."""
    tallies = [Counter(columns[word] for word in document if word in columns) for document in documents]
    ends = np.cumsum([0, *map(len, tallies)])
    words = np.array([word for tally in tallies for word in sorted(tally)], dtype=np.int64)
    counts = np.array([tally[word] for tally in tallies for word in sorted(tally)], dtype=np.float64)
    from scipy import sparse

    return sparse.csr_matrix((counts, words, ends), shape=(len(documents), len(columns)))


class WordEncoder(FittedEncoder):
    """A fitted encoder of texts by the words that it knows: the settings ``vocabulary`` and ``language``."""

    modalities = frozenset({"text"})

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self.vocabulary: tuple[str, ...] = tuple(state.settings["vocabulary"])
        self._columns = {word: column for column, word in enumerate(self.vocabulary)}
        self._language = state.settings["language"]

    @classmethod
    def of_words(cls, vocabulary: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]], **settings: Any) -> Self:
        """The encoder of these English words, in the order of the arrays' rows or columns."""
        return cls(EncoderState(cls.name, {"vocabulary": list(vocabulary), "language": "en", **settings}, arrays))

    def _counts(self, texts: Sequence[str]) -> "sparse.csr_matrix":
        """How often each known word stands in each text: float64 (n, words)."""
        return count_words([content_words(text, self._language) for text in texts], self._columns)


@dataclass(frozen=True, eq=False)
class WeighedWords:
    """The words that a collection uses, in alphabetical order, and its texts as rows of their weights.

    ``weights`` are inverse document frequencies, float64 (words,); ``rows`` what `weighted_rows` makes of the texts
    that have words.
    """

    vocabulary: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    rows: "sparse.csr_matrix"


def weigh_words(texts: Sequence[str]) -> WeighedWords:
    """Weigh the content words of ``texts``; of more than 5,000 texts, the words that stand in two or more.

    A word weighs ``1 + ln((1 + N) / (1 + N_w))``, where N_w of N texts have it (Spärck Jones, J. Documentation 1972).

    Raises:
        EncoderError: fewer than two texts have content words, or of more than 5,000 no two share any.
    """
    documents = documents_of(texts)
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
    counts = count_words(documents, {word: column for column, word in enumerate(vocabulary)})
    weights = 1 + np.log((1 + len(documents)) / (1 + counts.getnnz(axis=0)))
    return WeighedWords(vocabulary, weights, weighted_rows(counts, weights))


def weighted_rows(counts: "sparse.csr_matrix", weights: npt.NDArray[np.float64]) -> "sparse.csr_matrix":
    """Rows ``(1 + ln n_w) · weight_w`` of unit length, float32; a row depends on its own counts alone."""
    values = (1 + np.log(counts.data)) * weights[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0]))
    unit = (values / lengths[rows]).astype(np.float32)
    from scipy import sparse

    return sparse.csr_matrix((unit, counts.indices, counts.indptr), shape=counts.shape)


def _plain(text: str) -> str:
    """Without markup and addresses. Entities are resolved between two passes: exports often escape their tags."""
    unescaped = html.unescape(_MARKUP.sub(" ", text)) if "<" in text or "&" in text else text
    return _NEGATION.sub(" ", _ADDRESS.sub(" ", _MARKUP.sub(" ", unescaped)))


@lru_cache(maxsize=1 << 18)
def _content_lemma(word: str, language: str) -> str:
    """The lemma of a lower-case word, or an empty string for one that says nothing."""
    stop_words = _english_stop_words()
    if word in stop_words or _too_short(word) or len(word) > _LONGEST:
        return ""  # a run of letters without end is no word, and simplemma takes the square of its length
    lemma = (language == "en" and _LEMMAS.get(word)) or _lemma(word, language)
    filler = lemma in stop_words or lemma in DOMAIN_WORDS or word in DOMAIN_WORDS
    return "" if filler or _too_short(lemma) else lemma


@cache
def _english_stop_words() -> frozenset[str]:
    # Imported when the first word is judged: importing scikit-learn takes longer than a recommendation.
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def _lemma(word: str, language: str) -> str:
    import simplemma

    try:
        lemma: str = simplemma.lemmatize(word, lang=language)
    except ValueError as error:
        raise EncoderError(
            f"there is no dictionary of lemmas for the language {language!r}; use a two-letter code such as en, de, fr"
        ) from error
    return lemma.lower()


def _too_short(word: str) -> bool:
    """Fewer than three letters; one Chinese, Japanese or Korean sign can be a whole word."""
    return len(word) < _SHORTEST and word < _FIRST_EAST_ASIAN


def _signs(*categories: str) -> str:
    """All signs of the basic plane in these Unicode categories."""
    return "".join([chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code)) in categories])


@cache
def _word_pattern() -> re.Pattern[str]:
    # \w alone would cut a word of Hindi at its vowel signs, and take ornamental numbers for letters.
    letter = rf"[^\W\d_{_signs('No', 'Nl')}]"
    return re.compile(rf"{letter}(?:{letter}|[{_signs('Mn', 'Mc')}])*")


_MARKUP = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]*>", re.DOTALL | re.IGNORECASE)
# An address with @ is looked for from the first letter of a run alone: from every one, long runs take the square.
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)\S+@\S+\.\w+", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:\w+n|can)['’]t\b", re.IGNORECASE)
