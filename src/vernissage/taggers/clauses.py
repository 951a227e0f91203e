"""A text cut into clauses of words, with what capitals say about names."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from vernissage.catalog.markup import without_markup
from vernissage.taggers.closed_class import ROLES

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
