"""The register of encoders: one card each, and what follows from the cards.

A new encoder is its own file, one card in ``cards.json`` and the facts of its models in ``models.toml``; build, encode,
recommend, search, the lists of encoders and the help texts all read this register. Its order is the order in which
encoders are fitted and fused.
"""

import importlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from vernissage.encoders.contract import Encoder, Material
from vernissage.errors import EncoderError, Kind, RequestError
from vernissage.values import Modality, Vectors, encoded_as

Commercial = Literal["yes", "discouraged", "unclear"]
"""``yes``: the licence allows it. ``discouraged``: so it does, but the authors advise against any deployment.
``unclear``: the licence is open, the terms of the training pictures are not."""

Extra = Literal["", "models", "minilm", "pretrained", "multilingual"]
"""The optional extra that must be installed; empty for what always works."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model; None where there is no source.

    Attributes:
        name: unique among the cards.
        encoder: the word for it in commands.
        family: the kind of model.
        parameters: how many numbers were trained, of the parts that are used, counted from the published
            configuration; None where a collection decides.
        dim: length of its vectors; None where a collection decides.
        modalities: what it reads.
        licence: of the weights, as their publishers state it.
        commercial: whether they may be used commercially; `notes` says why not.
        source: the publication.
        notes: what one should know before using it.
        extra: what must be installed.
        hub: its name on the Hugging Face hub; empty where it is not there.
        revision: the commit that is fetched, which holds the weights as safetensors; None where it is not pinned. For
            some models that is a conversion which the hub made beside a main branch of pickles.
        branch: what is fetched without a pinned commit.
        download_bytes: how much is fetched, about; 0 for nothing, None where it is not known.
        url: where the authors keep the file, for models that are not on the hub.
        instead: what to use where its weights cannot be had.
        package: what brings its weights, and must be installed besides the extra.
    """

    name: str
    encoder: str
    family: str
    parameters: int | None
    dim: int | None
    modalities: tuple[Modality, ...]
    licence: str
    commercial: Commercial
    source: str
    notes: str = ""
    extra: Extra = "models"
    hub: str = ""
    revision: str | None = None
    branch: str = "main"
    download_bytes: int | None = 0
    url: str = ""
    instead: str = "`vernissage encoders` lists the encoders that need no download"
    package: str = ""

    @property
    def needs_weights(self) -> bool:
        """Whether weights must be fetched before it can be used."""
        return bool(self.hub or self.url)

    @property
    def is_pinned(self) -> bool:
        """Whether it is known which commit is fetched from the hub."""
        return self.revision is not None or not self.hub


def read_models(file: Path) -> tuple[ModelCard, ...]:
    """The models of a file such as ``models.toml``, in its order."""
    import tomllib  # most commands need no facts of models

    content, found = tomllib.loads(file.read_text("utf-8")), list[ModelCard]()
    for encoder, facts in content.items():
        common = {"parameters": None, "dim": None} | content.get(facts.pop("like", ""), {}) | facts
        models = common.pop("models")
        for name, own in models.items():
            known = common | own | {"modalities": tuple(common["modalities"])}
            size = {"download_bytes": None} if known.keys() & {"hub", "url"} else {}
            found.append(ModelCard(name, encoder, **size | known))
    return tuple(found)


@cache
def _all_models() -> tuple[ModelCard, ...]:
    return read_models(Path(__file__).with_name("models.toml"))


@dataclass(frozen=True)
class EncoderCard:
    """What is known of one encoder: all that commands, recommenders and help texts have to know of it.

    An encoder is either fitted on a collection (``fit`` and ``restore``) or loaded with weights that others trained
    (``load``). These functions import its module when they are called.

    Attributes:
        name: the word for it in commands.
        summary: what its vectors are, in one line.
        words: what it compares works by, for visitors.
        modalities: what of a work it reads.
        preference: the higher, the sooner it is chosen among encoders of the same modalities, where none is named.
        fit: from what a collection offers to the encoder.
        restore: from its saved state and the encoders that it is made on.
        load: from the place of weights, ``runtime`` and ``options``; without a place if it brings its own weights.
        derived_from: for an encoder made on the vectors of others, which ones serve each modality, pictures first; one
            of each modality must be there, and all that are there are used.
        derive: from the encoder, a modality and the others' vectors, those that are there, to its own.
        options: what ``load`` takes beside place and runtime.
        on_request: whether it is fitted only where it is named, not in a build that names no encoders.
        for_other_languages: whether it is fitted unnamed only where most texts are in other languages than English.
        exports: whether another backend than torch can run it.
        reads_pairs: whether it also reads a picture and a text together, so that it gives two engines.
        bundled: whether it brings its own weights.
        weights_of: the encoder whose models are its own, if it is made of that one's network.
        internal: whether its vectors only serve those that are made of them: it is no engine, and has none of uploads.
    """

    name: str
    summary: str
    words: str
    modalities: tuple[Modality, ...]
    preference: int
    fit: Callable[[Material], Any] | None = None
    restore: Callable[..., Encoder] | None = None
    load: Callable[..., Any] | None = None
    derived_from: Mapping[Modality, tuple[str, ...]] = field(default_factory=dict)
    derive: Callable[..., Vectors] | None = None
    options: tuple[str, ...] = ()
    on_request: bool = False
    for_other_languages: bool = False
    exports: bool = False
    reads_pairs: bool = False
    bundled: bool = False
    internal: bool = False
    weights_of: str = ""

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """The weights that it can be used with, the usual ones first."""
        return tuple(each for each in _all_models() if each.encoder == (self.weights_of or self.name))

    @property
    def pretrained(self) -> bool:
        """Whether it is loaded with weights that others trained, not fitted."""
        return self.load is not None

    @property
    def trained_elsewhere(self) -> bool:
        """Whether its weights know more than the collection's works tell: an extra brings them, or they are fetched."""
        return any(model.extra or model.needs_weights for model in self.models)

    @property
    def takes_weights(self) -> bool:
        """Whether a person may say where its weights lie."""
        return self.pretrained or self.bundled

    @property
    def needs(self) -> tuple[str, ...]:
        """The encoders that it is made on, each once, in the order of its modalities."""
        return tuple(dict.fromkeys(base for bases in self.derived_from.values() for base in bases))

    @property
    def in_fusion(self) -> bool:
        """Whether it is a part of the default fusion: what is made on other engines' vectors adds nothing to them."""
        return not self.internal and all(_REGISTER[base].internal for base in self.needs)


_PAIRS = "how texts fit the pictures"
_IMPORTED = "what pictures show"


def _at(place: str) -> Callable[..., Any]:
    """A function of a module below this package, such as ``fitted.lda:fit``, imported when it is called.

    Words after it are its first arguments. A workspace that is only searched needs no encoder, and what they are made
    with takes long to import.
    """
    function, *first = place.split()
    module, _, path = function.partition(":")

    def call(*arguments: Any, **options: Any) -> Any:
        found = importlib.import_module(f"{__package__}.{module}")
        for name in path.split("."):
            found = getattr(found, name)
        return found(*first, *arguments, **options)  # type: ignore[operator]

    return call


def _read_cards(file: Path) -> Iterator[EncoderCard]:
    """The cards of ``cards.json``, whose entries have the fields of `EncoderCard`, functions as `_at` takes them.

    JSON, for every command reads it, and TOML takes several times as long.
    """
    for name, facts in json.loads(file.read_text("utf-8")).items():
        facts |= {key: _at(facts[key]) for key in ("fit", "restore", "load", "derive") if key in facts}
        facts |= {key: tuple(facts[key]) for key in ("modalities", "options") if key in facts}
        bases = {modality: tuple(names) for modality, names in facts.pop("derived_from", {}).items()}
        yield EncoderCard(name, derived_from=bases, **facts)


_REGISTER: dict[str, EncoderCard] = {card.name: card for card in _read_cards(Path(__file__).with_name("cards.json"))}


@dataclass(frozen=True)
class Engine:
    """An engine that recommends by one encoder: by its vectors, or by pairs of a picture and a text read together.

    ``words`` say for visitors what it compares works by.
    """

    name: str
    encoder: str
    by: Literal["vectors", "pairs"]
    words: str


def cards() -> Mapping[str, EncoderCard]:
    """All encoders by name, in the order in which they are fitted and fused."""
    return MappingProxyType(_REGISTER)


def card(name: str) -> EncoderCard:
    """The card of one encoder. Raises EncoderError: there is none of that name; the message lists them."""
    if name not in _REGISTER:
        usual = [each.name for each in _REGISTER.values() if not each.internal]
        raise EncoderError(f"there is no encoder {name!r}; choose from {', '.join(usual)}", kind=Kind.NOT_FOUND)
    return _REGISTER[name]


def card_of(name: str) -> EncoderCard:
    """The card of an encoder that a workspace has: the register's, or one for vectors that were made elsewhere."""
    about = "vectors that were made elsewhere", _IMPORTED
    return _REGISTER.get(name) or EncoderCard(name, *about, modalities=("image",), preference=55)


def names(fact: Literal["fitted", "pretrained", "exports", "reads_pairs", "takes_weights"]) -> tuple[str, ...]:
    """The encoders of which something is true, in the order of the register."""
    found = _REGISTER.values()
    return tuple(each.name for each in found if (not each.pretrained if fact == "fitted" else getattr(each, fact)))


def models() -> Mapping[str, ModelCard]:
    """The sets of weights that encoders can be used with, by name; what needs no download first."""
    found = [model for each in _REGISTER.values() for model in each.models]
    return MappingProxyType({model.name: model for model in sorted(found, key=lambda model: bool(model.extra))})


def engines() -> Mapping[str, Engine]:
    """The engines that recommend by one encoder; an encoder that reads pairs gives two, ``blip`` and ``blip-itc``."""
    return MappingProxyType({each.name: each for card in _REGISTER.values() for each in _engines_by(card)})


def _engines_by(card: EncoderCard) -> tuple[Engine, ...]:
    name = card.name
    if card.reads_pairs:
        return Engine(name, name, "pairs", _PAIRS), Engine(f"{name}-itc", name, "vectors", card.words)
    return () if card.internal else (Engine(name, name, "vectors", card.words),)


def members_of_default(vectors: Collection[str], pairs: Collection[str]) -> tuple[str, ...]:
    """The engines that the default fusion joins, in order.

    Args:
        vectors: the encoders that there are vectors of.
        pairs: the encoders that pairs were read with.
    """
    read = [(name, card, pairs if card.reads_pairs else vectors) for name, card in _REGISTER.items()]
    known = [name for name, card, there in read if name in there and card.in_fusion]
    return (*known, *(name for name in vectors if name not in _REGISTER))


def engine(name: str) -> Engine:
    """The engine of that name that recommends by one encoder.

    Raises:
        RequestError: there is none; the message lists them.
    """
    # Of one card, not of all: a fusion asks for each of its parts several times.
    card = _REGISTER.get(name) or _REGISTER.get(name.removesuffix("-itc"))
    found = [each for each in _engines_by(card) if each.name == name] if card else []
    if not found:
        raise RequestError(f"there is no engine {name!r}; choose from {', '.join(engines())}", kind=Kind.NOT_FOUND)
    return found[0]


def engine_of(name: str) -> Engine:
    """The engine of that name, as `card_of`."""
    known = name in _REGISTER or name.removesuffix("-itc") in _REGISTER
    return engine(name) if known else Engine(name, name, "vectors", _IMPORTED)


def for_areas(available: Mapping[str, Collection[Modality]]) -> tuple[str, ...]:
    """Encoders in the order in which areas of interest are found with them, the first where none is named.

    Encoders with vectors of pictures and of texts come first, for they serve every task.

    Args:
        available: the encoders, and of what modalities there are vectors; those of none are left out.
    """

    def rank(name: str) -> tuple[bool, bool, int]:
        known, one_alone = _REGISTER.get(name), len(encoded_as(available[name])) < 2
        return (one_alone, len(known.modalities) > 1, -known.preference) if known else (one_alone, True, 0)

    return tuple(sorted((name for name in available if available[name]), key=rank))


def for_words(available: Mapping[str, Collection[Modality]], modality: Modality) -> tuple[str, ...]:
    """Encoders in the order in which words search one modality with them, the first where none is named.

    Encoders of texts alone come first, for they are made to compare texts.

    Args:
        available: as in `for_areas`.
        modality: what is searched; in pictures only by encoders that read texts, too.
    """
    there = (each for each in _REGISTER.values() if modality in available.get(each.name, ()))
    able = [each for each in there if "text" in each.modalities]
    return tuple(each.name for each in sorted(able, key=lambda each: (len(each.modalities), -each.preference)))
