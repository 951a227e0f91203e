"""Nouns and verbs of texts by a spaCy model, where one is installed."""

import importlib.util
import json
from collections.abc import Sequence
from typing import Any

from vernissage.catalog.words import without_markup
from vernissage.encoders.runtime.devices import import_extra
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.contract import Tags, once
from vernissage.taggers.words import TAGGED, LexiconTagger, Reading, WordTagger

MODELS = ("en_core_web_sm", "en_core_web_md", "en_core_web_lg", "en_core_web_trf")
"""English models of spaCy, the smallest first, which is the usual one."""

_UNUSED = ("ner", "parser", "senter")
_PARTS: dict[str, Reading] = {"NOUN": "noun", "VERB": "verb"}


class SpacyTagger(WordTagger):
    """English nouns and verbs, lemmatised, as a trained spaCy model tells them apart."""

    name = "spacy"

    def __init__(self, pipeline: Any, kinds: Sequence[Reading] = TAGGED) -> None:
        """Wrap a loaded pipeline that sets parts of speech and lemmas; `load_spacy` makes it."""
        super().__init__(kinds)
        self._pipeline = pipeline
        meta = pipeline.meta
        self._model = f"{meta['lang']}_{meta['name']} {meta['version']}"
        self._spacy = f"spaCy {import_extra('spacy').__version__}"
        parts = (self._spacy, self._model, json.dumps(pipeline.pipe_names), *self.kinds)
        self.fingerprint = digest(*(part.encode() for part in parts))[:16]

    @property
    def method(self) -> str:
        return f"English {self._kinds_in_words}, lemmatised, by {self._spacy} with its model {self._model}"

    def tag_texts(self, texts: Sequence[str]) -> list[Tags]:
        return [
            once(
                token.lemma_.lower()
                for token in document
                if token.is_alpha and len(token.text) > 1 and _PARTS.get(token.pos_) in self.kinds
            )
            for document in self._pipeline.pipe(map(without_markup, texts))
        ]


def installed_model() -> str | None:
    """The English spaCy model that is installed, if spaCy is too; neither is imported."""
    if importlib.util.find_spec("spacy") is None:
        return None
    return next((model for model in MODELS if importlib.util.find_spec(model)), None)


def load_spacy(kinds: Sequence[Reading] = TAGGED) -> SpacyTagger:
    """The tagger over the English model that is installed.

    Raises:
        EncoderError: spaCy, or every English model of it, is missing.
    """
    model = installed_model()
    if model is None:
        raise EncoderError(
            f"spaCy with an English model ({', '.join(MODELS)}) is not installed; `pip install spacy` and `python -m "
            f"spacy download {MODELS[0]}`, or take the tagger lexicon, which needs neither"
        )
    return SpacyTagger(import_extra("spacy").load(model, exclude=list(_UNUSED)), kinds)


def load_words(kinds: Sequence[Reading] = TAGGED) -> WordTagger:
    """spaCy's tagger where an English model is installed, else the lexicon's; each says in its method which it is."""
    return load_spacy(kinds) if installed_model() else LexiconTagger(kinds)
