"""Languages of texts: which one a text is in, its lemmas and its stop words."""

import runpy
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vernissage.errors import EncoderError
from vernissage.files import read_word_lists
from vernissage.folding import folded

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hu", "hy", "id",
    "is", "it", "ja", "ka", "ko", "lt", "lv", "mk", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sv",
    "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""Languages that are told apart. Rarer ones are not: short titles are mistaken for their neighbours'."""

_WITHOUT_LEMMAS = frozenset(["ja", "ko", "th", "vi", "zh"])
_LEMMAS_OF = {"no": "nb"}
_READ = 300  # letters of a text: a language shows in its first lines
_SAMPLE = 1000  # texts, evenly spread, tell a collection's languages as all do
_SURE = 0.8
_LEAST_SHARE = 0.05  # of the sampled texts: single texts are misread

_ARABIC_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")


@cache
def english_lemmas(dictionary: str) -> dict[str, str]:
    """English words whose lemma in that dictionary is a rare or another word, with the right one."""
    words = iter(read_word_lists(Path(__file__).with_name("english_lemmas.txt"))[dictionary])
    return dict(zip(words, words, strict=True))


def require_languages(codes: Sequence[str]) -> tuple[str, ...]:
    """Languages by their codes of two letters, each once; ``de-AT`` is ``de``.

    Raises:
        EncoderError: there is one whose lemmas and stop words are not known.
    """
    known = [language_code(code) for code in codes]
    if "" in known:
        raise EncoderError(
            f"there is no dictionary of lemmas for the language {codes[known.index('')]!r}; use a two-letter code "
            f"such as en, de, fr ({', '.join(LANGUAGES)})"
        )
    return tuple(dict.fromkeys(known))


def language_code(tag: str) -> str:
    """The code in `LANGUAGES` that a tag such as ``de-AT`` or ``DE`` begins with; empty where none does."""
    code = folded(tag.strip()).replace("_", "-").partition("-")[0]
    code = {"nb": "no", "nn": "no"}.get(code, code)
    return code if code in LANGUAGES else ""


def languages_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The languages of a collection's texts, the commonest first.

    At most 1,000 texts, evenly spread, are looked at. A language counts if it is sure in one of twenty texts that are
    sure, and in two; where no text is (titles of a word or two), all of them together are
    asked, and English is what is left.
    """
    written = [text for text in texts[:: max(1, len(texts) // _SAMPLE)] if any(map(str.isalpha, text))]
    return _languages_of(tuple(written)) if written else ("en",)


@lru_cache(maxsize=1)
def _languages_of(written: tuple[str, ...]) -> tuple[str, ...]:
    """Kept, since every encoder of a collection's words asks."""
    identifier = _identifier(LANGUAGES)
    found = [identifier.classify(text[:_READ]) for text in written]
    counts = Counter(language for language, sureness in found if sureness >= _SURE)
    least = max(2.0, _LEAST_SHARE * counts.total())
    sure = [
        language for language, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])) if count >= least
    ]
    language, sureness = identifier.classify(" ".join(written))
    return tuple(sure) or (language if sureness >= _SURE else "en",)


def language_of(text: str, languages: Sequence[str]) -> str:
    """Which of ``languages`` a text is in, by the text alone."""
    if len(languages) == 1:
        return languages[0]
    language: str = _identifier(tuple(languages)).classify(text[:_READ])[0]
    return language


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # its model takes half a second and 100 MB

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(languages))
    return identifier


def _english_stop_words() -> frozenset[str]:
    """scikit-learn's list, from its file alone: the package around it takes longer to import than a recommendation."""
    package = find_spec("sklearn")
    places = package.submodule_search_locations if package else None
    file = Path(places[0], "feature_extraction", "_stop_words.py") if places else None
    if file is None or not file.is_file():  # elsewhere in another version
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return frozenset(ENGLISH_STOP_WORDS)
    return frozenset(runpy.run_path(str(file))["ENGLISH_STOP_WORDS"])


@cache
def stop_words(language: str) -> frozenset[str]:
    """Folded words of the language that say nothing of what a text is about; none where no list is known."""
    if language == "en":
        return _english_stop_words()
    from stop_words import StopWordError, get_stop_words

    try:
        return frozenset(map(folded, get_stop_words(language)))
    except StopWordError:
        return frozenset()


def lemma_of(word: str, language: str) -> str:
    """The lemma of a lower-case word, itself in lower case; the word where the language has no dictionary.

    Raises:
        EncoderError: the language is not known.
    """
    if language == "en" and (known := english_lemmas("simplemma").get(word)):
        return known
    if language in _WITHOUT_LEMMAS:
        return word
    import simplemma

    code = _LEMMAS_OF.get(language, language)
    try:
        lemma: str = simplemma.lemmatize(word, lang=code).lower()
        if language == "de" and simplemma.is_known(word.capitalize(), lang=code):
            # Nouns stand in the dictionary with their capital: "schiffe" alone is the verb schiffen. The shorter lemma
            # is the noun's (Schiff, schiffen) or the adjective's (Schönes, schön).
            lemma = min(simplemma.lemmatize(word.capitalize(), lang=code).lower(), lemma, key=len)
    except ValueError as error:
        raise EncoderError(
            f"there is no dictionary of lemmas for the language {language!r}; use a two-letter code such as en, de, fr"
        ) from error
    if language == "ar" and lemma == word:
        article = next((each for each in _ARABIC_ARTICLES if word.startswith(each) and len(word) > len(each) + 1), "")
        if article:
            return lemma_of(word.removeprefix(article), language)
    return lemma
