"""What D'Asaro et al. call things, and what they are called here: the one place that says which values correspond.

Their files are those of https://github.com/fedasaro62/ZCCR-Exp, beside the paper, doi 10.1016/j.eswa.2024.125108.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SOURCE = "https://github.com/fedasaro62/ZCCR-Exp"

Record = Mapping[str, Any]
"""The record of a run, or one of its inputs."""


@dataclass(frozen=True)
class PublishedData:
    """One of their two data sets.

    Attributes:
        name: in words.
        whole: what a run calls the whole set, from which retrieval draws.
        classified: their table of the classified pictures, which the recommendation protocol runs on; a run calls it
            by its name without the ending.
    """

    name: str
    whole: frozenset[str]
    classified: str


@dataclass(frozen=True)
class PublishedModel:
    """One of their two encoders.

    Attributes:
        name: in words.
        encoder: our word for it.
        variant: which of the models of that name; empty where one is meant.
        unit: whether their code brings its vectors to length 1 before it clusters them.
    """

    name: str
    encoder: str
    variant: str
    unit: bool


DATA: Mapping[str, PublishedData] = {
    "coco": PublishedData("MSCOCO", frozenset({"MSCOCO", "MSCOCO (Karpathy split)"}), "data/coco_classified_tags.csv"),
    "flickr30k": PublishedData(
        "Flickr30k", frozenset({"Flickr30k", "Flickr30k (Karpathy split)"}), "data/flickr30k_classified_tags.csv"
    ),
}
MODELS: Mapping[str, PublishedModel] = {
    "clip": PublishedModel("CLIP ViT-B/32", "clip", "ViT-B/32", unit=False),
    "albef": PublishedModel("ALBEF", "albef", "", unit=True),
}
PROMPT = "prompt 'This is {}'"
"""How a record tells of the words that their code puts before every text for CLIP."""

TASKS: Mapping[str, str] = {
    "txt2img": "text-to-image",
    "txt2txt": "text-to-text",
    "img2txt": "image-to-text",
    "img2img": "image-to-image",
}
PROJECTIONS: Mapping[str, str] = {"None": "none", "pca": "pca", "tsne (pca)": "tsne"}
"""``tsne`` alone, without components first, stands in the file too, but in no figure of the paper."""

CLUSTERINGS: Mapping[str, Callable[[float], str]] = {
    "agglomerative": lambda distance: f"ward:{distance:g}",
    "hdbscan": lambda distance: "hdbscan" if distance == EPSILON else f"hdbscan:{distance:g}",
}
"""Words for a clustering at a distance."""

EPSILON = 5
"""The distance at which the paper's figures show HDBSCAN; it has no place in ours."""

AREAS, OVERLAP, EMBEDDING = "areas", "tag-overlap", "tag-embedding"
"""Methods of `tags`: ZCCR, BT and BTBA."""


def plain_projection(word: str) -> str:
    """``pca`` for ``pca:50`` and so on: how much of it is kept is told as a difference."""
    return word.partition(":")[0]


def plain_clustering(word: str) -> str:
    """``ward:5`` for ``ward:5.0``."""
    kind, mark, distance = word.partition(":")
    return f"{kind}:{float(distance):g}" if kind == "ward" and mark else word


def plain_method(word: str) -> str:
    """``tag-overlap`` for ``tag-overlap`` by any rule: which rule it was is told as a difference."""
    return next((each for each in (OVERLAP, EMBEDDING, AREAS) if word.startswith(each)), word)


def is_whole(given: Record, data: PublishedData) -> bool:
    """Whether a run's input has the name of the whole set."""
    return given["data"] in data.whole


def is_model(given: Record, model: PublishedModel) -> bool:
    """Whether a run's input was read by that encoder, and the record says that it was that variant."""
    return bool(
        given["encoder"] == model.encoder and str(given.get("encoder_variant", "")).split(",")[0] == model.variant
    )
