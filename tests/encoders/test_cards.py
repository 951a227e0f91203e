"""Model cards: complete, consistent with each other and with the architectures that they describe."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from vernissage.encoders.cards import CARDS, WITHOUT_DOWNLOAD, ModelCard
from vernissage.workspace.pretrained import PRETRAINED
from vernissage.workspace.recipes import RECIPES

EACH = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)


def test_what_needs_no_download_comes_first_and_can_be_fitted() -> None:
    assert WITHOUT_DOWNLOAD == ("lda", "lsa", "tfidf", "colour-texture", "aligned")
    assert set(WITHOUT_DOWNLOAD) == set(RECIPES)
    assert tuple(CARDS)[: len(WITHOUT_DOWNLOAD)] == WITHOUT_DOWNLOAD


@EACH
def test_a_card_is_complete(card: ModelCard) -> None:
    assert CARDS[card.name] is card
    assert card.licence
    assert card.source
    assert card.modalities
    assert card.encoder in (PRETRAINED if card.extra else RECIPES)
    known = PRETRAINED[card.encoder].modalities if card.extra else RECIPES[card.encoder].modalities
    assert set(card.modalities) == set(known)
    assert card.commercial == "yes" or card.notes  # what is not simply allowed is explained


@EACH
def test_a_card_never_pretends_to_be_pinned(card: ModelCard) -> None:
    assert card.revision is None or (card.hub and re.fullmatch("[0-9a-f]{40}", card.revision))
    assert card.hub == "" or re.fullmatch(r"[\w.-]+/[\w.-]+", card.hub)
    assert not (card.hub and card.url)
    assert card.url == "" or card.url.startswith("https://")
    assert (card.download_bytes == 0) == (not card.needs_weights)


def test_every_encoder_with_weights_has_the_card_that_it_means() -> None:
    for word, family in PRETRAINED.items():
        if family.card:
            assert CARDS[family.card].encoder == word


@EACH
def test_a_file_of_float32_weights_is_as_large_as_its_parameters(card: ModelCard) -> None:
    if card.hub:
        assert card.parameters
        assert card.download_bytes
        # Tokenizers and what is not used (BERT's head, counters) come on top, up to a tenth.
        assert 0.99 < card.download_bytes / (4 * card.parameters) < 1.1


def _clip(transformers: Any, patch: int, *, large: bool = False) -> Any:
    heads, dim = (16, 768) if large else (12, 512)
    vision = {"hidden_size": 64 * heads, "intermediate_size": 256 * heads, "num_attention_heads": heads}
    vision |= {"num_hidden_layers": 24 if large else 12, "patch_size": patch}
    text = {"hidden_size": dim, "intermediate_size": 4 * dim, "num_attention_heads": dim // 64}
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim))


def _blip(transformers: Any) -> Any:
    return transformers.BlipForImageTextRetrieval(transformers.BlipConfig(vision_config={"image_size": 384}))


def _blip2(transformers: Any) -> Any:
    queries = {"use_qformer_text_input": True, "vocab_size": 30523}
    return transformers.Blip2ForImageTextRetrieval(
        transformers.Blip2Config(qformer_config=queries, image_text_hidden_size=256)
    )


def _resnet(transformers: Any) -> Any:
    return transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=1000))


def _siglip2(transformers: Any) -> Any:
    return transformers.SiglipModel(transformers.SiglipConfig(text_config={"vocab_size": 256_000}))


def _bert(transformers: Any) -> Any:
    return transformers.BertModel(transformers.BertConfig())


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("clip-vit-base-patch32", partial(_clip, patch=32)),
        ("clip-vit-base-patch16", partial(_clip, patch=16)),
        ("clip-vit-large-patch14", partial(_clip, patch=14, large=True)),
        ("blip-itm-base-coco", _blip),
        ("blip2-itm-vit-g", _blip2),
        ("resnet50", _resnet),
        ("siglip2-base-patch16-224", _siglip2),
        ("bert-base-uncased", _bert),
    ],
)
def test_parameters_are_those_of_the_published_architecture(name: str, build: Callable[[Any], Any]) -> None:
    transformers = pytest.importorskip("transformers")
    with pytest.importorskip("torch").device("meta"):  # shapes without numbers
        model = build(transformers)
    assert sum(parameter.numel() for parameter in model.parameters()) == CARDS[name].parameters
