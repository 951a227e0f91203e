"""Nouns and verbs of English texts as tags, by spaCy where a model of it is installed, else by a lexicon and rules.

The latter need no download and no trained model. A lexicon says what a word can be; about a tenth of a text's words can
be both noun and verb. Which of them one is matters for tags only where the lemmas differ (painting, paint; saw, see),
and for taggers that ask for verbs alone. The rules, in order, in the spirit of Brill (1992, A simple rule-based part of
speech tagger):

1.  A word of the closed classes is no tag. A capital within a sentence makes a name, which is none either, unless most
    words of the sentence have one (titles).
2.  A word that is not in the lexicon is a noun when it is written small, has three letters and a vowel: such words are
    mostly compounds and nouns of art (altarpiece, handscroll, clipart). With an ending of adjectives (calligraphic,
    bejeweled) it is none, and with a capital a name.
3.  A word that can be one thing only is that.
4.  Noun or verb: a verb after to, modals and subject pronouns; after a noun or name, if an -s form is followed by a
    determiner or preposition (a man rides a), or a past form by a determiner (she saw the); an -ing form also after
    forms of be, and wherever a determiner follows, but not before ``of``; a participle between determiner and noun
    (the burning house). Else a noun.
5.  Adjective or noun: an adjective before a noun, if it has a comparative or an ending of adjectives (red apple, but
    stone bridge), or after forms of be; else a noun.
6.  Adverb or noun: a noun after a determiner, an adjective or a preposition, or alone; else an adverb.
7.  Adjective or verb: a participle is a verb (seated, crowned), a base form after to, modals and subject pronouns.
"""

import importlib.util
import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from vernissage.catalog.words import without_markup
from vernissage.encoders.fitted.languages import english_lemmas
from vernissage.encoders.runtime.devices import import_extra
from vernissage.errors import EncoderError
from vernissage.files import digest, read_word_lists
from vernissage.taggers.contract import Tags, once

Role = Literal["determiner", "subject", "object", "modal", "copula", "preposition", "of", "filler"]
"""``modal``: a base form follows, as after to and will. ``copula``: forms of be. ``filler``: tells nothing."""

_WORDS: Mapping[Any, Sequence[str]] = read_word_lists(Path(__file__).with_name("english_roles.txt"))
ROLES: Mapping[str, Role] = MappingProxyType({word: role for role, words in _WORDS.items() for word in words})
"""English words that hold sentences together: never tags, but signs of what their neighbours are."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A table of word forms.

    Attributes:
        forms: lower-case form → part of speech → lemmas, the usual one first.
        gradable: adjectives that have a comparative: red, old, young, but not stone or silver.
        name: the package and its version.
        fingerprint: of the table's file.
    """

    forms: Mapping[str, Mapping[str, tuple[str, ...]]]
    gradable: frozenset[str]
    name: str
    fingerprint: str

    def parts(self, word: str) -> frozenset[str]:
        """What a lower-case word can be; empty for words that are not in the lexicon."""
        return frozenset(self.forms.get(word, ()))

    def lemma(self, word: str, part: Literal["NOUN", "VERB"]) -> str:
        """The dictionary form of a lower-case word as that part of speech.

        Of several lemmas the usual one counts; a noun that is not in the lexicon loses its plural ending.
        """
        found = self.forms.get(word, {}).get(part)
        if not found:
            return _singular(word) if part == "NOUN" else word
        return (part == "NOUN" and english_lemmas("lemminflect").get(word)) or found[0]


@cache
def load_lexicon() -> Lexicon:
    """lemminflect's lexicon: the NIH's SPECIALIST Lexicon, 70,000 forms, which comes with the package.

    Words that are not in it are left to the rules here: lemminflect's network for them is a pickle, and guesses.
    """
    import lemminflect
    from lemminflect.codecs.LemmaLUCodec import LemmaLUCodec

    file = Path(lemminflect.config.lemma_lu_fn)
    forms: Mapping[str, Mapping[str, tuple[str, ...]]] = LemmaLUCodec.load(str(file))
    gradable = frozenset(
        lemma
        for word, parts in forms.items()
        if word.endswith(("er", "est"))
        for lemma in parts.get("ADJ", ())
        if lemma != word
    )
    return Lexicon(forms, gradable, f"lemminflect {version('lemminflect')}", digest(file.read_bytes())[:16])


_PLURALS = (
    (re.compile(r"men$"), "man"),
    (re.compile(r"(?<=[^aeiou])ies$"), "y"),
    (re.compile(r"(?<=[sxz])es$|(?<=ch)es$|(?<=sh)es$"), ""),
    (re.compile(r"(?<=[^sui])s$"), ""),
)
_SHORTEST_PLURAL = 5


def _singular(word: str) -> str:
    """A word without a regular plural ending: roadsigns, stickmen, but not chaos, iris or glass."""
    if len(word) >= _SHORTEST_PLURAL:
        for ending, singular in _PLURALS:
            if ending.search(word):
                return ending.sub(singular, word)
    return word


_MOST_CAPITALS = 0.5
_LONG = 4


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        letters: in lower case, without a possessive ending.
        capital: whether it is written with a capital.
        name: whether that capital makes it a name: within a sentence that is not in title case.
    """

    letters: str
    capital: bool
    name: bool


def clauses(text: str) -> Iterator[list[Word]]:
    """The words of each clause, in order: between commas, full stops, brackets, line ends and other signs.

    Markup and addresses are left out, as are numbers, scripts other than Latin, and single letters but a and I;
    hyphenated words are read as their parts.
    """
    plain = _ADDRESS.sub(" , ", unicodedata.normalize("NFKC", without_markup(text)).replace("’", "'"))
    for sentence in _SENTENCE_END.split(plain):
        in_title_case = _in_title_case(sentence)
        initial = True
        for clause in _CLAUSE_END.split(sentence):
            words: list[Word] = []
            capital = False
            for match in _WORD.finditer(clause):
                letters = _POSSESSIVE.sub("", match[0])
                # The parts of Tuti-nama are as much a name as the whole.
                compound = capital and clause[match.start() - 1 : match.start()] == "-"
                capital = letters[:1].isupper() or compound
                if len(letters) > 1 or letters.lower() in ROLES:
                    words.append(Word(letters.lower(), capital, capital and not initial and not in_title_case))
                initial = False
            if words:
                yield words


def _in_title_case(sentence: str) -> bool:
    """Whether most of the longer words begin with a capital, so that a capital says nothing about one of them."""
    long = [word for word in _WORD.findall(sentence) if len(word) >= _LONG and word.lower() not in ROLES]
    capitals = sum(1 for word in long if word[0].isupper())
    return capitals > _MOST_CAPITALS * len(long)


_LETTER = "[A-Za-zÀ-ÖØ-öø-ɏ]"
_WORD = re.compile(rf"(?<![\w']){_LETTER}+(?:'[a-z]+)?(?!\w)")
_POSSESSIVE = re.compile(r"'[a-z]*$")
# What stands before these keeps them from being tried anew at every sign of a long run.
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|(?<!\S)[^\s@]+@[^\s@]+\.\w+", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<![.!?|\n])[.!?|\n]++(?:\s+|$)|\|")
_CLAUSE_END = re.compile(r"[^\w\s'-]+|\s-+\s|--+")


RULES = 1
"""The version of the rules; another finds other tags."""

Reading = Literal["noun", "verb", "adjective", "adverb", "name", "closed", "nothing"]
TAGGED: tuple[Reading, ...] = ("noun", "verb")

_SHORTEST_UNKNOWN = 3
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ")
_OF_ADJECTIVES = ("al", "able", "ible", "ous", "ful", "less", "ish", "ive", "ic", "ary", "ern")
_OF_ADJECTIVES_AND_NOUNS = (*_OF_ADJECTIVES, "ese", "ian", "ean", "ant", "ent")
"""The latter are endings of nouns too: regent, merchant."""

_PARTICIPLES = frozenset({"known", "unknown", "given", "drawn", "seen", "worn", "torn", "born", "done", "gone", "cast"})
"""Irregular ones that the lexicon also calls nouns."""

_GOVERNED = frozenset({"modal", "subject"})
_NAMING = frozenset({"noun", "name"})
_OBJECTS = frozenset({"determiner", "object"})


@dataclass(frozen=True, slots=True)
class _Place:
    """A word with what stands beside it.

    ``left`` and ``right`` are roles of closed classes or, to the left, readings; "edge" at the end of a clause, "open"
    for a word to the right that is of no closed class.
    """

    word: Word
    left: str
    right: str
    before_noun: bool
    left_is_plural: bool


def read_clause(clause: Sequence[Word], lexicon: Lexicon) -> list[tuple[Reading, str]]:
    """What each word of a clause is, and its lemma; words of closed classes and names keep their letters."""
    readings: list[tuple[Reading, str]] = []
    left, plural = "edge", False
    for number, word in enumerate(clause):
        rest = clause[number + 1 :]
        right = ROLES.get(rest[0].letters, "open") if rest else "edge"
        place = _Place(word, left, right, _noun_follows(rest, lexicon), plural)
        reading = _reading(place, lexicon)
        lemma = lexicon.lemma(word.letters, "VERB" if reading == "verb" else "NOUN")
        readings.append((reading, lemma if reading in TAGGED else word.letters))
        left = ROLES[word.letters] if reading == "closed" else reading
        plural = reading == "noun" and lemma != word.letters
    return readings


def _reading(place: _Place, lexicon: Lexicon) -> Reading:
    word = place.word
    if word.letters in ROLES:
        return "closed"
    if word.name:
        return "name"
    parts = lexicon.parts(word.letters)
    return _known(place, parts, lexicon) if parts else _unknown(word)


def _known(place: _Place, parts: frozenset[str], lexicon: Lexicon) -> Reading:
    if "VERB" in parts and _is_verb(place, parts, lexicon):
        return "verb"
    if "NOUN" not in parts:
        return "adverb" if parts == {"ADV"} else "adjective"
    if "ADJ" in parts and _describes(place, lexicon):
        return "adjective"
    noun_follows = place.left in {"determiner", "adjective", "preposition", "of"}
    alone = place.left == place.right == "edge"
    return "adverb" if "ADV" in parts and not (noun_follows or alone) else "noun"


def _unknown(word: Word) -> Reading:
    if word.capital:
        return "name"
    letters = word.letters
    if len(letters) < _SHORTEST_UNKNOWN or _VOWELS.isdisjoint(letters):
        return "nothing"
    return "adjective" if letters.endswith((*_OF_ADJECTIVES, "ed", "ly")) else "noun"


def _is_verb(place: _Place, parts: frozenset[str], lexicon: Lexicon) -> bool:
    """Whether a word that can be a verb is one here."""
    if parts <= {"VERB", "AUX"} or place.left in _GOVERNED:
        return True
    letters = place.word.letters
    inflected = lexicon.lemma(letters, "VERB") != letters
    if "NOUN" not in parts:
        return inflected or (place.left in _NAMING and place.right in _OBJECTS)
    return _is_verb_not_noun(place, inflected)


def _is_verb_not_noun(place: _Place, inflected: bool) -> bool:
    """The same for one that can be a noun too; ``inflected`` when it is not the verb's base form."""
    letters = place.word.letters
    if inflected and letters.endswith("ing"):
        return _is_ing_verb(place)
    if inflected and (letters in _PARTICIPLES or letters.endswith("ed")):
        return place.left != "determiner" or place.before_noun
    if place.left not in _NAMING:
        return False
    if inflected and not letters.endswith("s"):
        return place.right in _OBJECTS
    agrees = inflected != place.left_is_plural
    return agrees and place.right in _OBJECTS | {"preposition"}


def _is_ing_verb(place: _Place) -> bool:
    """Whether an -ing form that can be a noun is a verb here."""
    if place.right == "of":
        return False
    if place.right in _OBJECTS or place.left == "copula":
        return True
    if place.left == "determiner":
        return place.before_noun
    if place.left in _NAMING:
        return place.right in {"preposition", "open"}
    return place.left == "edge" and place.right == "preposition"


def _describes(place: _Place, lexicon: Lexicon) -> bool:
    """Whether a word that can be adjective and noun is an adjective here."""
    if place.before_noun:
        letters = place.word.letters
        return letters in lexicon.gradable or letters.endswith(_OF_ADJECTIVES_AND_NOUNS)
    return place.left == "copula" and place.right != "of"


def _noun_follows(rest: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether the next word may be a noun, or the one after another adjective: blue and white vases."""
    if len(rest) > 2 and rest[0].letters in {"and", "or"} and "ADJ" in lexicon.parts(rest[1].letters):
        return _noun_follows(rest[2:], lexicon)
    if not rest or rest[0].letters in ROLES:
        return False
    parts = lexicon.parts(rest[0].letters)
    return rest[0].name or "NOUN" in parts or (not parts and _unknown(rest[0]) in _NAMING)


class WordTagger(ABC):
    """What taggers of words share: which kinds of words they keep."""

    name: str

    def __init__(self, kinds: Sequence[Reading], by: str, *parts: str) -> None:
        """Tag words of these kinds: noun, verb.

        Args:
            kinds: noun, verb or both.
            by: what tells words apart, for people.
            parts: what stands for it in the fingerprint.

        Raises:
            EncoderError: other kinds are asked for, or none.
        """
        if not kinds or not set(kinds) <= set(TAGGED):
            raise EncoderError(f"words of the kinds {', '.join(kinds) or 'none'} were asked for; ask for noun, verb")
        self.kinds = tuple(kind for kind in TAGGED if kind in kinds)
        self.method = f"English {' and '.join(f'{kind}s' for kind in self.kinds)}, lemmatised, by {by}"
        self.fingerprint = digest(*(part.encode() for part in (*parts, *self.kinds)))[:16]

    @abstractmethod
    def _read(self, texts: Sequence[str]) -> Iterable[Iterable[tuple[Reading | None, str]]]:
        """What each word of each text is, and its lemma."""

    def tag_texts(self, texts: Sequence[str]) -> list[Tags]:
        """The lemmas of each text's words of the kinds that are tagged."""
        return [once(lemma for kind, lemma in words if kind in self.kinds) for words in self._read(texts)]


class LexiconTagger(WordTagger):
    """English nouns and verbs, lemmatised; see this module for how they are told apart."""

    name = "lexicon"

    def __init__(self, kinds: Sequence[Reading] = TAGGED) -> None:
        self._lexicon = load_lexicon()
        closed = " ".join(f"{word}={role}" for word, role in ROLES.items())
        by = f"the lexicon of {self._lexicon.name} and rules"
        super().__init__(kinds, by, self._lexicon.fingerprint, str(RULES), closed)

    def _read(self, texts: Sequence[str]) -> Iterable[Iterable[tuple[Reading | None, str]]]:
        for text in texts:
            yield (word for clause in clauses(text) for word in read_clause(clause, self._lexicon))


SPACY_MODELS = ("en_core_web_sm", "en_core_web_md", "en_core_web_lg", "en_core_web_trf")
"""English models of spaCy, the smallest first, which is the usual one."""

_SPACY_PARTS: dict[str, Reading] = {"NOUN": "noun", "VERB": "verb"}


class SpacyTagger(WordTagger):
    """English nouns and verbs, lemmatised, as a trained spaCy model tells them apart."""

    name = "spacy"

    def __init__(self, pipeline: Any, kinds: Sequence[Reading] = TAGGED) -> None:
        """Wrap a loaded pipeline that sets parts of speech and lemmas; `load_spacy` makes it."""
        meta, self._pipeline = pipeline.meta, pipeline
        model = f"{meta['lang']}_{meta['name']} {meta['version']}"
        spacy = f"spaCy {import_extra('spacy').__version__}"
        super().__init__(kinds, f"{spacy} with its model {model}", spacy, model, json.dumps(pipeline.pipe_names))

    def _read(self, texts: Sequence[str]) -> Iterable[Iterable[tuple[Reading | None, str]]]:
        for document in self._pipeline.pipe(map(without_markup, texts)):
            words = (token for token in document if token.is_alpha and len(token.text) > 1)
            yield ((_SPACY_PARTS.get(token.pos_), token.lemma_.lower()) for token in words)


def installed_model() -> str | None:
    """The English spaCy model that is installed, if spaCy is too; neither is imported."""
    if importlib.util.find_spec("spacy") is None:
        return None
    return next((model for model in SPACY_MODELS if importlib.util.find_spec(model)), None)


def load_spacy(kinds: Sequence[Reading] = TAGGED) -> SpacyTagger:
    """The tagger over the English model that is installed.

    Raises:
        EncoderError: spaCy, or every English model of it, is missing.
    """
    model = installed_model()
    if model is None:
        raise EncoderError(
            f"spaCy with an English model ({', '.join(SPACY_MODELS)}) is not installed; `pip install spacy` and "
            f"`python -m spacy download {SPACY_MODELS[0]}`, or take the tagger lexicon, which needs neither"
        )
    return SpacyTagger(import_extra("spacy").load(model, exclude=["ner", "parser", "senter"]), kinds)


def load_words(kinds: Sequence[Reading] = TAGGED) -> WordTagger:
    """spaCy's tagger where an English model is installed, else the lexicon's; each says in its method which it is."""
    return load_spacy(kinds) if installed_model() else LexiconTagger(kinds)
