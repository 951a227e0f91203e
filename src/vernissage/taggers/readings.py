"""Nouns and verbs told apart by a lexicon and the words beside them, without a trained model.

A lexicon says what a word can be; about a tenth of a text's words can be both noun and verb. Which of them one is
matters for tags only where the lemmas differ (painting, paint; saw, see), and for taggers that ask for verbs alone.
The rules, in order, in the spirit of Brill (1992, A simple rule-based part of speech tagger):

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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vernissage.taggers.clauses import Word
from vernissage.taggers.closed_class import ROLES
from vernissage.taggers.lexicon import Lexicon

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
        following = clause[number + 1] if number + 1 < len(clause) else None
        place = _Place(word, left, _to_the_right(following), _noun_follows(clause[number + 1 :], lexicon), plural)
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
    inflected = lexicon.lemma(place.word.letters, "VERB") != place.word.letters
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


def _to_the_right(word: Word | None) -> str:
    if word is None:
        return "edge"
    return ROLES.get(word.letters, "open")


def _noun_follows(rest: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether the next word may be a noun, or the one after another adjective: blue and white vases."""
    if len(rest) > 2 and rest[0].letters in {"and", "or"} and "ADJ" in lexicon.parts(rest[1].letters):
        return _noun_follows(rest[2:], lexicon)
    if not rest or rest[0].letters in ROLES:
        return False
    parts = lexicon.parts(rest[0].letters)
    return rest[0].name or "NOUN" in parts or (not parts and _unknown(rest[0]) in _NAMING)
