"""What is known of the models that tag pictures; facts only, None where there is no source.

Parameters are counted from the published configurations. As with encoders, a revision is a commit that holds the
weights as safetensors, and a model without one says that it is not pinned.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vernissage.encoders.cards import ModelCard

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
