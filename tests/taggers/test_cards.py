"""The cards of taggers' models say nothing that is not known."""

import re

import pytest
import torch
import transformers

from vernissage.encoders.register import models
from vernissage.encoders.runtime.hub import how_to_pin
from vernissage.taggers.register import TAGGER_CARDS


def test_names_are_apart_from_those_of_encoders_and_each_model_has_a_place() -> None:
    assert not set(TAGGER_CARDS) & set(models())
    for name, card in TAGGER_CARDS.items():
        assert name == card.name
        assert card.hub.partition("/")[2] == name
        assert card.licence in {"Apache-2.0", "BSD-3-Clause", "CC-BY-NC-4.0"}
        assert (card.commercial == "yes") == (card.licence == "Apache-2.0")
        assert card.modalities == ("image",)


def test_each_card_names_what_needs_no_weights() -> None:
    assert all("need no download" in card.instead for card in models().values())
    assert all("tagger words" in card.instead for card in TAGGER_CARDS.values())


def test_a_revision_is_a_whole_commit_and_its_absence_is_told() -> None:
    for card in TAGGER_CARDS.values():
        assert card.revision is None or re.fullmatch(r"[0-9a-f]{40}", card.revision)
        assert bool(how_to_pin(card)) == (card.revision is None)


@pytest.mark.parametrize(
    ("word", "usual"),
    [
        ("caption", "blip-image-captioning-base"),
        ("objects", "rtdetr_v2_r18vd"),
        ("action", "videomae-base-finetuned-kinetics"),
    ],
)
def test_the_usual_model_of_a_tagger_comes_first(word: str, usual: str) -> None:
    assert next(card.name for card in TAGGER_CARDS.values() if card.encoder == word) == usual


def test_parameters_are_those_of_the_published_configurations() -> None:
    backbone = transformers.RTDetrResNetConfig(
        depths=[2, 2, 2, 2],
        layer_type="basic",
        hidden_sizes=[64, 128, 256, 512],
        out_features=["stage2", "stage3", "stage4"],
    )
    small = transformers.RTDetrV2Config(
        num_labels=80,
        backbone_config=backbone,
        encoder_in_channels=[128, 256, 512],
        hidden_expansion=0.5,
        decoder_layers=3,
    )
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
    blip = {
        "base": transformers.BlipConfig(vision_config={"image_size": 384}, text_config={"encoder_hidden_size": 768}),
        "large": transformers.BlipConfig(
            vision_config=large | {"image_size": 384}, text_config={"encoder_hidden_size": 1024}
        ),
    }
    with torch.device("meta"):
        models = {
            "rtdetr_v2_r18vd": transformers.RTDetrV2ForObjectDetection(small),
            "rtdetr_v2_r50vd": transformers.RTDetrV2ForObjectDetection(transformers.RTDetrV2Config(num_labels=80)),
            "videomae-base-finetuned-kinetics": transformers.VideoMAEForVideoClassification(
                transformers.VideoMAEConfig(num_labels=400, use_mean_pooling=True)
            ),
            **{f"blip-image-captioning-{k}": transformers.BlipForConditionalGeneration(c) for k, c in blip.items()},
        }
    for name, model in models.items():
        assert TAGGER_CARDS[name].parameters == sum(tensor.numel() for tensor in model.parameters())
