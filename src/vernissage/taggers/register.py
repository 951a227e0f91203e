"""The register of taggers: which word means which, how each is loaded, and the models that some can use.

A model without a revision says that it is not pinned. Taggers are imported when one is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.encoders.register import ModelCard, read_models
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, RequestError
from vernissage.progress import Progress
from vernissage.values import Modality

TAGGER_CARDS: Mapping[str, ModelCard] = MappingProxyType(
    {card.name: card for card in read_models(Path(__file__).with_name("models.toml"))}
)
"""The models that taggers can use, by name; of each tagger the usual one first."""


@dataclass(frozen=True)
class TaggerCard:
    """What a tagger reads (texts or pictures), and the words of the models that it needs."""

    reads: str
    models: tuple[str, ...] = ()

    @property
    def modality(self) -> Modality:
        """What of the works it reads."""
        return "text" if self.reads == "texts" else "image"


TAGGERS: Mapping[str, TaggerCard] = MappingProxyType(
    {
        "words": TaggerCard("texts"),
        "lexicon": TaggerCard("texts"),
        "spacy": TaggerCard("texts"),
        "caption": TaggerCard("pictures", ("caption",)),
        "objects": TaggerCard("pictures", ("objects",)),
        "scene": TaggerCard("pictures", ("objects", "caption")),
        "imagenet": TaggerCard("pictures"),
        "action": TaggerCard("pictures", ("action",)),
    }
)
"""The words for taggers."""


def load_tagger(
    name: str,
    weights: Sequence[str],
    models: Sequence[str],
    runtime: Runtime,
    above: float | None,
    progress: Progress,
    *,
    tell: Callable[[str], None],
) -> Any:
    """The tagger of that word.

    Args:
        name: among `TAGGERS`.
        weights: PATH or MODEL=PATH.
        models: names of cards.
        runtime: how torch runs.
        above: the detector's or classifier's threshold; None for the usual one.
        progress: told of what is fetched.
        tell: told, in a sentence, what a person should know of what is loaded.

    Raises:
        RequestError: there is no such tagger or model, or an option is not for this one.
        EncoderError: packages or weights are missing or damaged.
    """
    from vernissage.taggers import actions, pictures, words

    kind = _kind(name)
    if (weights or models) and not kind.models:
        raise RequestError(f"the tagger {name} has no weights; leave --weights and --model out")
    if above is not None and "objects" not in kind.models and name not in ("imagenet", "action"):
        raise RequestError(f"the tagger {name} detects no objects; leave --above out")
    places = {of: Path(place) for of, place in (_named(word, kind.models) for word in weights)}
    known = {card.name: card.encoder for card in TAGGER_CARDS.values() if card.encoder in kind.models}
    if strange := [model for model in models if model not in known]:
        raise RequestError(f"the tagger {name} has no model {strange[0]!r}; choose from {', '.join(known)}")
    # Of a model that is named twice the last name counts, and of one that is not named the first card.
    chosen = {known[model]: model for model in (*reversed(known), *models)}
    located = {model: _located(chosen[model], places.get(model), progress, tell) for model in kind.models}

    def objects() -> pictures.ObjectTagger:
        threshold = pictures.ABOVE if above is None else above
        return pictures.load_objects(located["objects"], runtime=runtime, above=threshold)

    def captioner() -> pictures.BLIPCaptioner:
        return pictures.load_captioner(located["caption"], runtime=runtime)

    loaders: Mapping[str, Callable[[], Any]] = {
        "words": words.load_words,
        "lexicon": words.LexiconTagger,
        "spacy": words.load_spacy,
        "caption": lambda: pictures.CaptionTagger(captioner(), words.load_words()),
        "objects": objects,
        "scene": lambda: pictures.SceneTagger(objects(), captioner(), words.load_words(["verb"])),
        "imagenet": lambda: load_imagenet(above),
        "action": lambda: actions.load_actions(
            located["action"], runtime=runtime, above=actions.ABOVE if above is None else above
        ),
    }
    return loaders[name]()


def load_imagenet(above: float | None) -> Any:
    """The tagger imagenet by EfficientNet-Lite0, for pictures by themselves; `seeing.tagger_of` has a collection's."""
    from vernissage.encoders.contract import Material
    from vernissage.encoders.towers.efficientnet_lite import load
    from vernissage.taggers.imagenet import ABOVE, ImagenetTagger

    return ImagenetTagger(load("efficientnet-lite0-network", Material()), above=ABOVE if above is None else above)


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


def _kind(name: str) -> TaggerCard:
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


def _located(name: str, weights: Path | None, progress: Progress, tell: Callable[[str], None]) -> Path:
    """Where the weights of a model are, fetched from the hub when they are nowhere here."""
    from vernissage.encoders.runtime.hub import how_to_pin, locate_weights, missing_packages

    card = TAGGER_CARDS[name]
    if missing := missing_packages(card):
        raise EncoderError(
            f"{card.name} needs {', '.join(missing)}, which is not installed; `pip install 'vernissage[{card.extra}]'`,"
            f" or take the tagger words, which reads texts and needs nothing"
        )
    place = locate_weights(card, weights, progress=progress)
    if weights is None and not card.is_pinned:
        tell(how_to_pin(card))
    return place
