"""The register of taggers: which word means which, how each is loaded, and the models that some can use.

As with encoders, a revision is a commit that holds the weights as safetensors, and a model without one says that it is
not pinned. Taggers are imported when one is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.encoders.register import ModelCard
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, RequestError
from vernissage.progress import Progress
from vernissage.values import Modality

_INSTEAD = "the tagger words reads texts and needs no download"
_BLIP = "Li et al. 2022, arXiv 2201.12086"
_BLIP_NOTES = "its publishers release it for research only and advise to evaluate it before any deployment"
_RTDETR = "Lv et al. 2024, arXiv 2407.17140"
_RTDETR_NOTES = "trained on COCO: 80 kinds of objects of everyday photographs, few of them of paintings"


def _blip(size: str, parameters: int, revision: str | None, download: int | None, branch: str, notes: str) -> ModelCard:
    name = f"blip-image-captioning-{size}"
    return ModelCard(
        name, "caption", "BLIP", parameters, None, ("image",), "BSD-3-Clause", "discouraged", _BLIP,
        f"{_BLIP_NOTES}{notes}", hub=f"Salesforce/{name}", revision=revision, branch=branch, download_bytes=download,
        instead=_INSTEAD,
    )  # fmt: skip


def _rtdetr(size: str, parameters: int, download: int) -> ModelCard:
    name = f"rtdetr_v2_{size}"
    return ModelCard(
        name, "objects", "RT-DETRv2", parameters, None, ("image",), "Apache-2.0", "yes", _RTDETR, _RTDETR_NOTES,
        hub=f"PekingU/{name}", download_bytes=download, instead=_INSTEAD,
    )  # fmt: skip


_CARDS = (
    ModelCard(
        "videomae-base-finetuned-kinetics",
        "action",
        "VideoMAE",
        86_534_800,
        None,
        ("image",),
        "CC-BY-NC-4.0",
        "discouraged",
        "Tong et al. 2022, arXiv 2203.12602",
        "weights for non-commercial use; 400 classes of Kinetics",
        hub="MCG-NJU/videomae-base-finetuned-kinetics",
        download_bytes=None,
        instead=_INSTEAD,
    ),
    _blip(
        "base",
        223_971_644,
        None,
        None,
        "refs/pr/50",
        "; its main branch holds a pickle, the safetensors are in a pull request",
    ),
    _blip("large", 446_290_492, "2227ac38c9f16105cb0412e7cab4759978a8fd90", 1_880_000_000, "main", ""),
    _rtdetr("r18vd", 20_174_608, 81_000_000),
    _rtdetr("r50vd", 42_891_372, 172_000_000),
)

TAGGER_CARDS: Mapping[str, ModelCard] = MappingProxyType({card.name: card for card in _CARDS})
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
