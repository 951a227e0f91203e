"""Which parts of speech an English word can be, and its dictionary form: lemminflect's lexicon, which comes with it.

The table is that of the NIH's SPECIALIST Lexicon, 70,000 forms. Words that are not in it are left to the rules here:
lemminflect's network for them is a pickle, and guesses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from vernissage.files import digest

PartOfSpeech = Literal["NOUN", "VERB", "ADJ", "ADV", "AUX"]


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

    def lemma(self, word: str, part: PartOfSpeech) -> str:
        """The dictionary form of a lower-case word as that part of speech.

        Of several lemmas the usual one counts; a noun that is not in the lexicon loses its plural ending.
        """
        found = self.forms.get(word, {}).get(part)
        if not found:
            return _singular(word) if part == "NOUN" else word
        return (part == "NOUN" and _LEMMAS.get(word)) or found[0]


@cache
def load_lexicon() -> Lexicon:
    """lemminflect's lexicon; reading it takes 0.4 s."""
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


_LEMMAS = {
    "axes": "axe",
    "data": "data",
    "draughtsman": "draughtsman",
    "glasses": "glasses",
    "leaves": "leaf",
    "media": "medium",
}
"""Plural forms whose usual lemma in the table is the rarer word in texts about pictures."""

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
