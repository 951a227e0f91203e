"""Nouns and verbs of texts as tags, by a lexicon and rules: no download, no model."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.clauses import clauses
from vernissage.taggers.closed_class import ROLES
from vernissage.taggers.contract import Tags, once
from vernissage.taggers.lexicon import load_lexicon
from vernissage.taggers.readings import RULES, TAGGED, Reading, read_clause


class WordTagger(ABC):
    """What taggers of words share: which kinds of words they keep."""

    name: str
    fingerprint: str

    def __init__(self, kinds: Sequence[Reading] = TAGGED) -> None:
        """Tag words of these kinds: noun, verb.

        Raises:
            EncoderError: other kinds are asked for, or none.
        """
        if not kinds or not set(kinds) <= set(TAGGED):
            raise EncoderError(f"words of the kinds {', '.join(kinds) or 'none'} were asked for; ask for noun, verb")
        self.kinds = tuple(kind for kind in TAGGED if kind in kinds)

    @property
    @abstractmethod
    def method(self) -> str:
        """How tags are found, in one line."""

    @abstractmethod
    def tag_texts(self, texts: Sequence[str]) -> list[Tags]:
        """The tags of each text."""

    @property
    def _kinds_in_words(self) -> str:
        return " and ".join(f"{kind}s" for kind in self.kinds)


class LexiconTagger(WordTagger):
    """English nouns and verbs, lemmatised; see `readings` for how they are told apart."""

    name = "lexicon"

    def __init__(self, kinds: Sequence[Reading] = TAGGED) -> None:
        super().__init__(kinds)
        self._lexicon = load_lexicon()
        closed = " ".join(f"{word}={role}" for word, role in ROLES.items())
        parts = (self._lexicon.fingerprint, str(RULES), closed, *self.kinds)
        self.fingerprint = digest(*(part.encode() for part in parts))[:16]

    @property
    def method(self) -> str:
        return f"English {self._kinds_in_words}, lemmatised, by the lexicon of {self._lexicon.name} and rules"

    def tag_texts(self, texts: Sequence[str]) -> list[Tags]:
        return [
            once(
                lemma
                for clause in clauses(text)
                for kind, lemma in read_clause(clause, self._lexicon)
                if kind in self.kinds
            )
            for text in texts
        ]
