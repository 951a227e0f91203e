"""Actions in videos and pictures: VideoMAE against transformers' own arithmetic, and zero-shot by a known encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tests.encoders.tiny_models import write_siglip
from tests.videos import shape

from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError
from vernissage.taggers.actions import ActionTagger, ZeroShotActions, action_names, load_actions
from vernissage.taggers.contract import ClipTagger

torch.set_num_threads(1)
pil = pytest.importorskip("transformers.models.videomae.image_processing_pil_videomae")
LABELS = ("Abseiling", "air drumming", "archery", "yoga")
SIDE = 32


def save_video_mae(folder: Path, **config: Any) -> Path:
    """A VideoMAE classifier of random weights in the published layout."""
    sizes = {
        "image_size": SIDE, "patch_size": 8, "num_frames": 16, "tubelet_size": 2, "hidden_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "use_mean_pooling": True,
        "id2label": dict(enumerate(LABELS)), "label2id": {name: k for k, name in enumerate(LABELS)},
    }  # fmt: skip
    torch.manual_seed(0)
    model = transformers.VideoMAEForVideoClassification(transformers.VideoMAEConfig(**sizes | config)).eval()
    with torch.no_grad():
        model.classifier.weight.normal_(0, 0.5)
        for parameter in model.videomae.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    processor = pil.VideoMAEImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_video_mae(tmp_path_factory.mktemp("video-mae"))


@pytest.fixture(scope="module")
def tagger(folder: Path) -> ActionTagger:
    found = load_actions(folder, above=0.2)
    assert isinstance(found, ActionTagger)
    return found


def clip(seed: int) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    coarse = [Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)) for _ in range(16)]
    return [image.resize((56, 40), Image.Resampling.NEAREST) for image in coarse]


def test_probabilities_are_those_of_transformers(tagger: ActionTagger, folder: Path) -> None:
    processor = pil.VideoMAEImageProcessorPil.from_pretrained(folder)
    model = transformers.VideoMAEForVideoClassification.from_pretrained(folder).eval()
    clips = [clip(0), clip(1), clip(2)]
    with torch.inference_mode():
        logits = [model(**processor(frames, return_tensors="pt")).logits[0] for frames in clips]
    expected = torch.stack(logits).softmax(dim=1).numpy()
    assert np.abs(tagger.probabilities(clips) - expected).max() < 1e-4
    assert np.ptp(expected, axis=0).max() > 0.01  # the clips differ
    for tags, row in zip(tagger.tag_clips(clips), expected, strict=True):
        assert list(tags) == [LABELS[k].lower() for k in np.argsort(-row) if row[k] > 0.2]


def test_the_order_of_frames_counts(tagger: ActionTagger) -> None:
    frames = clip(3)
    assert np.abs(np.subtract(*tagger.probabilities([frames, frames[::-1]]))).max() > 1e-4


def test_it_says_what_it_is(tagger: ActionTagger, folder: Path) -> None:
    assert isinstance(tagger, ClipTagger)
    assert (tagger.name, tagger.frames, tagger.size) == ("action", 16, SIDE)
    assert "16 frames, by VideoMAE (weights" in tagger.method
    assert load_actions(folder, above=0.5).fingerprint != tagger.fingerprint


def test_other_models_and_thresholds_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="from 0 to 1"):
        load_actions(folder, above=1)
    transformers.ViTConfig().save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="not VideoMAEForVideoClassification; get MCG-NJU"):
        load_actions(tmp_path)


class Colours:
    """An encoder that knows red, green and blue, in pictures and in the words for them."""

    name, fingerprint, preprocessing = "colours", "0", type("P", (), {"size": 8})
    read = 0

    def encode_images(self, images):
        self.read += len(images)
        rows = np.array([255 - np.asarray(image).mean(axis=(0, 1)) for image in images], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_texts(self, texts):
        rows = [[0.0 if word in text else 1.0 for word in ("red", "green", "blue")] for text in texts]
        return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_zero_shot_takes_the_nearest_name_and_reads_a_picture_once() -> None:
    encoder = Colours()
    tagger = ZeroShotActions(encoder, 0.5, ["moving red", "moving green", "moving blue"])  # type: ignore[arg-type]
    red = [shape("red", "circle", (10 * time, 30)) for time in range(8)]
    green = [shape("green", "square", (40, 30))] * 8
    assert tagger.tag_clips([red, green]) == [("moving red",), ("moving green",)]
    assert encoder.read == 9
    assert "zero-shot by colours" in tagger.method
    assert "not trained on them" in tagger.method


def test_a_folder_of_a_dual_encoder_is_zero_shot_over_the_classes_of_kinetics(tmp_path: Path) -> None:
    write_siglip(tmp_path)
    tagger = load_actions(tmp_path, runtime=Runtime("cpu"), above=0.0)
    assert isinstance(tagger, ZeroShotActions)
    [tags] = tagger.tag_clips([clip(0)[:8]])
    assert sorted(tags) == sorted(name.lower() for name in action_names())


def test_there_are_the_400_classes_in_the_order_of_the_alphabet() -> None:
    names = action_names()
    assert len(set(names)) == len(names) == 400
    assert list(names) == sorted(names, key=str.lower)
    assert (names[0], names[399]) == ("abseiling", "zumba")
