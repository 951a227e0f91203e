"""The words of a text that say what a work is about: lower case, in their dictionary form, without filler."""

import html
import re
import unicodedata
from functools import lru_cache

import simplemma
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from vernissage.errors import EncoderError

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

_SHORTEST = 3
_FIRST_EAST_ASIAN = "\u3000"


def content_words(text: str, language: str = "en") -> list[str]:
    """The content words of ``text`` in their order, repeated as often as they stand there.

    HTML, web addresses, numbers and punctuation are left out; words are compared in lower case, in Unicode form NFKC,
    without possessive endings, and by their lemma (``ships`` and ``ship`` are one word). Left out too are
    scikit-learn's English stop words, `DOMAIN_WORDS`, and words of one or two letters.

    Raises:
        EncoderError: there is no dictionary of lemmas for ``language``.
    """
    plain = unicodedata.normalize("NFKC", _plain(text)).lower()
    lemmas = (_content_lemma(word, language) for word in _WORD.findall(plain))
    return [lemma for lemma in lemmas if lemma]


def _plain(text: str) -> str:
    """Without markup and addresses. Entities are resolved between two passes: exports often escape their tags."""
    unescaped = html.unescape(_MARKUP.sub(" ", text)) if "<" in text or "&" in text else text
    return _NEGATION.sub(" ", _ADDRESS.sub(" ", _MARKUP.sub(" ", unescaped)))


@lru_cache(maxsize=1 << 18)
def _content_lemma(word: str, language: str) -> str:
    """The lemma of a lower-case word, or an empty string for one that says nothing."""
    if word in ENGLISH_STOP_WORDS or _too_short(word):
        return ""
    lemma = (language == "en" and _LEMMAS.get(word)) or _lemma(word, language)
    filler = lemma in ENGLISH_STOP_WORDS or lemma in DOMAIN_WORDS or word in DOMAIN_WORDS
    return "" if filler or _too_short(lemma) else lemma


def _lemma(word: str, language: str) -> str:
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
    return "".join(chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code)) in categories)


# \w alone would cut a word of Hindi at its vowel signs, and take ornamental numbers for letters.
_LETTER = rf"[^\W\d_{_signs('No', 'Nl')}]"
_WORD = re.compile(rf"{_LETTER}(?:{_LETTER}|[{_signs('Mn', 'Mc')}])*")
_MARKUP = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]*>", re.DOTALL | re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|\S+@\S+\.\w+", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:\w+n|can)['’]t\b", re.IGNORECASE)
