"""Which word means which tagger, and how each is loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.cli.output import note
from vernissage.errors import EncoderError, RequestError

if TYPE_CHECKING:
    from vernissage.encoders.cards import ModelCard
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage.progress import Progress
    from vernissage.taggers.caption import BLIPCaptioner
    from vernissage.taggers.contract import ImageTagger, TextTagger
    from vernissage.taggers.objects import ObjectTagger
    from vernissage.values import Modality


@dataclass(frozen=True)
class Asked:
    """What was asked for: weights and models by their tagger's word, how torch runs, and the detector's threshold."""

    weights: Mapping[str, Path]
    models: Mapping[str, str]
    runtime: "Runtime"
    above: float | None
    progress: "Progress"


def _words(asked: Asked) -> "TextTagger":
    from vernissage.taggers.spacy_words import load_words

    return load_words()


def _lexicon(asked: Asked) -> "TextTagger":
    from vernissage.taggers.words import LexiconTagger

    return LexiconTagger()


def _spacy(asked: Asked) -> "TextTagger":
    from vernissage.taggers.spacy_words import load_spacy

    return load_spacy()


def _caption(asked: Asked) -> "ImageTagger":
    from vernissage.taggers.caption import CaptionTagger
    from vernissage.taggers.spacy_words import load_words

    return CaptionTagger(_captioner(asked), load_words())


def _objects(asked: Asked) -> "ObjectTagger":
    from vernissage.taggers.objects import ABOVE, load_objects

    place = _located("objects", asked)
    return load_objects(place, runtime=asked.runtime, above=ABOVE if asked.above is None else asked.above)


def _scene(asked: Asked) -> "ImageTagger":
    from vernissage.taggers.scene import SceneTagger
    from vernissage.taggers.spacy_words import load_words

    return SceneTagger(_objects(asked), _captioner(asked), load_words(["verb"]))


def _captioner(asked: Asked) -> "BLIPCaptioner":
    from vernissage.taggers.caption import load_captioner

    return load_captioner(_located("caption", asked), runtime=asked.runtime)


@dataclass(frozen=True)
class _Kind:
    """How a tagger is loaded, what it reads, and the words of the models that it needs."""

    load: Callable[[Asked], Any]
    reads: str
    models: tuple[str, ...] = ()

    @property
    def modality(self) -> "Modality":
        """What of the works it reads."""
        return "text" if self.reads == "texts" else "image"


TAGGERS: Mapping[str, _Kind] = MappingProxyType(
    {
        "words": _Kind(_words, "texts"),
        "lexicon": _Kind(_lexicon, "texts"),
        "spacy": _Kind(_spacy, "texts"),
        "caption": _Kind(_caption, "pictures", ("caption",)),
        "objects": _Kind(_objects, "pictures", ("objects",)),
        "scene": _Kind(_scene, "pictures", ("objects", "caption")),
    }
)
"""The words for taggers."""


def load_tagger(
    name: str,
    weights: Sequence[str],
    models: Sequence[str],
    runtime: "Runtime",
    above: float | None,
    progress: "Progress",
) -> Any:
    """The tagger of that word; ``weights`` are PATH or NAME=PATH, ``models`` names of cards.

    Raises:
        RequestError: there is no such tagger or model, or an option is not for this one.
        EncoderError: packages or weights are missing or damaged.
    """
    kind = _kind(name)
    if (weights or models) and not kind.models:
        raise RequestError(f"the tagger {name} has no weights; leave --weights and --model out")
    if above is not None and "objects" not in kind.models:
        raise RequestError(f"the tagger {name} detects no objects; leave --above out")
    return kind.load(Asked(_places(kind, weights), _models(name, kind, models), runtime, above, progress))


def weights_of_each(names: Sequence[str], weights: Sequence[str]) -> dict[str, list[str]]:
    """Which of the words PATH or MODEL=PATH are for which of several taggers.

    Raises:
        RequestError: there is no such tagger, or a word says not whose weights it means.
    """
    models = list(dict.fromkeys(model for name in names for model in _kind(name).models))
    if weights and not models:
        raise RequestError("weights of a tagger were given, but no tagger that has some; leave them out, or name one")
    named = dict(_named(word, models) for word in weights)
    return {name: [f"{of}={named[of]}" for of in TAGGERS[name].models if of in named] for name in names}


def _kind(name: str) -> _Kind:
    if name not in TAGGERS:
        raise RequestError(f"there is no tagger {name!r}; choose from {', '.join(TAGGERS)}")
    return TAGGERS[name]


def _named(word: str, models: Sequence[str]) -> tuple[str, str]:
    """Model and place; a place alone is the only model's."""
    of, sign, place = word.partition("=")
    if sign and of in models:
        return of, place
    if len(models) != 1:
        raise RequestError(f"whose weights are {word!r}? write {' or '.join(f'{each}=PATH' for each in models)}")
    return models[0], word


def _places(kind: _Kind, words: Sequence[str]) -> dict[str, Path]:
    return {of: Path(place) for of, place in (_named(word, kind.models) for word in words)}


def _models(name: str, kind: _Kind, names: Sequence[str]) -> dict[str, str]:
    from vernissage.taggers.cards import TAGGER_CARDS

    known = {card.name: card.encoder for card in TAGGER_CARDS.values() if card.encoder in kind.models}
    for model in names:
        if model not in known:
            raise RequestError(f"the tagger {name} has no model {model!r}; choose from {', '.join(known)}")
    return {known[model]: model for model in names}


def _located(word: str, asked: Asked) -> Path:
    """Where the weights of that model are, fetched from the hub when they are nowhere here."""
    from vernissage.encoders.runtime.hub import how_to_pin, locate_weights, missing_packages
    from vernissage.taggers.cards import TAGGER_CARDS

    usual = next(card.name for card in TAGGER_CARDS.values() if card.encoder == word)
    card: ModelCard = TAGGER_CARDS[asked.models.get(word, usual)]
    if missing := missing_packages(card):
        raise EncoderError(
            f"{card.name} needs {', '.join(missing)}, which is not installed; `pip install 'vernissage[{card.extra}]'`,"
            f" or take the tagger words, which reads texts and needs nothing"
        )
    named = asked.weights.get(word)
    place = locate_weights(card, named, progress=asked.progress)
    if named is None and not card.is_pinned:
        note(f"note: {how_to_pin(card)}")
    return place
