"""Taggers of pictures on tiny random models: against transformers' own arithmetic, and decoding written out."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.pixels import CLIP_MEAN, CLIP_STD
from vernissage.errors import EncoderError
from vernissage.taggers.contract import ImageTagger
from vernissage.taggers.words import LexiconTagger

safetensors = pytest.importorskip("safetensors.torch")
rt_detr = pytest.importorskip("transformers.models.rt_detr.image_processing_pil_rt_detr")

from tests.taggers.tiny_models import (  # noqa: E402
    CAPTION_SIDE,
    LABELS,
    WORDS,
    pictures,
    save_captioner,
    save_detector,
)

from vernissage.taggers.pictures import (  # noqa: E402  # noqa: E402
    MOST_TOKENS,
    BLIPCaptioner,
    CaptionTagger,
    ObjectTagger,
    SceneTagger,
    load_captioner,
    load_objects,
)


@pytest.fixture(scope="module")
def captioner_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_captioner(tmp_path_factory.mktemp("captioner"))


@pytest.fixture(scope="module")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_detector(tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def captioner(captioner_folder: Path) -> BLIPCaptioner:
    return load_captioner(captioner_folder)


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> ObjectTagger:
    return load_objects(detector_folder, above=0.65)


def greedy(model: Any, image: Image.Image) -> str:
    """A caption, word piece by word piece, without any of transformers' generation."""
    squashed = np.asarray(image.resize((CAPTION_SIDE, CAPTION_SIDE), Image.Resampling.BICUBIC), np.float32) / 255
    pixels = torch.from_numpy(((squashed - CLIP_MEAN) / CLIP_STD).transpose(2, 0, 1)[None].astype(np.float32))
    ids = [len(WORDS)]
    with torch.inference_mode():
        seen = model.vision_model(pixels).last_hidden_state
        for _ in range(MOST_TOKENS):
            logits = model.text_decoder(torch.tensor([ids]), encoder_hidden_states=seen, return_dict=True).logits
            ids.append(int(logits[0, -1].argmax()))
            if WORDS[ids[-1] : ids[-1] + 1] == ["[SEP]"]:
                break
    words = [WORDS[number] for number in ids[1:] if number < len(WORDS)]
    return " ".join(word for word in words if not word.startswith("[")).replace(" ##", "")


def test_captions_are_the_likeliest_word_pieces_one_after_the_other(
    captioner: BLIPCaptioner, captioner_folder: Path
) -> None:
    config = transformers.BlipConfig.from_pretrained(captioner_folder)
    config.vision_config.layer_norm_eps = 1e-6
    model = transformers.BlipForConditionalGeneration.from_pretrained(captioner_folder, config=config).eval()
    expected = [greedy(model, image) for image in pictures()]
    assert captioner.captions(pictures()) == expected
    assert len(set(expected)) == 4
    assert min(map(len, expected)) < max(map(len, expected))


def test_the_vision_half_has_the_epsilon_it_was_trained_with(captioner: BLIPCaptioner, captioner_folder: Path) -> None:
    assert json.loads((captioner_folder / "config.json").read_text())["vision_config"]["layer_norm_eps"] == 1e-5
    found = [layer.eps for layer in captioner.network.vision_model.modules() if isinstance(layer, torch.nn.LayerNorm)]
    assert len(found) == 5
    assert set(found) == {1e-6}


def test_captions_do_not_depend_on_the_batch(captioner_folder: Path, captioner: BLIPCaptioner) -> None:
    alone = load_captioner(captioner_folder, runtime=Runtime(batch_size=1))
    assert alone.captions(pictures()) == captioner.captions(pictures())
    assert alone.captions([]) == []
    assert alone.fingerprint == captioner.fingerprint


def test_tags_of_a_caption_are_its_nouns_and_verbs(captioner: BLIPCaptioner) -> None:
    words = LexiconTagger()
    tagger = CaptionTagger(captioner, words)
    assert isinstance(tagger, ImageTagger)
    assert tagger.tag_images(pictures()) == words.tag_texts(captioner.captions(pictures()))
    assert any(tagger.tag_images(pictures()))
    assert words.method in tagger.method
    assert "BLIP" in tagger.method
    assert tagger.fingerprint != CaptionTagger(captioner, LexiconTagger(["verb"])).fingerprint


def test_detections_are_those_of_transformers(detector: ObjectTagger, detector_folder: Path) -> None:
    processor = rt_detr.RTDetrImageProcessorPil.from_pretrained(detector_folder)
    model = transformers.RTDetrV2ForObjectDetection.from_pretrained(detector_folder).eval()
    with torch.inference_mode():
        outputs = model(**processor(images=pictures(), return_tensors="pt"))
    expected = processor.post_process_object_detection(outputs, threshold=0.65)
    found = detector.detect(pictures())
    assert [[LABELS.index(each.label) for each in row] for row in found] == [row["labels"].tolist() for row in expected]
    for row, known in zip(found, expected, strict=True):
        assert [each.score for each in row] == pytest.approx(known["scores"].tolist(), abs=1e-5)
    assert len({tuple(each.label for each in row) for row in found}) > 1


def test_tags_are_kinds_of_objects_the_surest_first_each_once(detector: ObjectTagger) -> None:
    for tags, found in zip(detector.tag_images(pictures()), detector.detect(pictures()), strict=True):
        assert list(tags) == list(dict.fromkeys(each.label.lower() for each in found))
        assert all(before.score >= after.score for before, after in pairwise(found))
    assert "horse" in detector.tag_images(pictures())[2]


def test_a_higher_threshold_keeps_a_beginning_and_is_another_tagger(
    detector: ObjectTagger, detector_folder: Path
) -> None:
    strict = load_objects(detector_folder, above=0.75)
    for few, many in zip(strict.detect(pictures()), detector.detect(pictures()), strict=True):
        assert few == many[: len(few)]
    assert sum(map(len, strict.detect(pictures()))) < sum(map(len, detector.detect(pictures())))
    assert strict.fingerprint != detector.fingerprint
    assert "above 0.75" in strict.method


def test_detections_do_not_depend_on_the_batch(detector: ObjectTagger, detector_folder: Path) -> None:
    alone = load_objects(detector_folder, above=0.65, runtime=Runtime(batch_size=1))
    for row, known in zip(alone.detect(pictures()), detector.detect(pictures()), strict=True):
        assert [each.label for each in row] == [each.label for each in known]
        assert [each.score for each in row] == pytest.approx([each.score for each in known], abs=1e-5)


def test_a_picture_is_seen_as_its_folder_says(detector_folder: Path, tmp_path: Path) -> None:
    for file in detector_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = {
        "size": {"height": 32, "width": 32},
        "do_normalize": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.25] * 3,
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    other = load_objects(tmp_path)
    pixels = other.preprocessing(Image.new("RGB", (9, 5), (255, 128, 0)))
    assert pixels.shape == (3, 32, 32)
    assert pixels[:, 0, 0] == pytest.approx([2, (128 / 255 - 0.5) / 0.25, -2], abs=1e-6)
    (tmp_path / "preprocessor_config.json").unlink()
    assert load_objects(tmp_path).preprocessing.size == 640


def test_a_scene_is_objects_and_then_verbs(detector: ObjectTagger, tmp_path: Path) -> None:
    captioner = load_captioner(save_captioner(tmp_path, seed=2))
    verbs = LexiconTagger(["verb"])
    tagger = SceneTagger(detector, captioner, verbs)
    assert isinstance(tagger, ImageTagger)
    done = verbs.tag_texts(captioner.captions(pictures()))
    assert any(done)
    assert tagger.tag_images(pictures()) == [
        tuple(dict.fromkeys((*objects, *actions)))
        for objects, actions in zip(detector.tag_images(pictures()), done, strict=True)
    ]
    assert "RT-DETRv2" in tagger.method
    assert "English verbs" in tagger.method
    with pytest.raises(EncoderError, match="verbs from captions"):
        SceneTagger(detector, captioner, LexiconTagger())


@pytest.mark.parametrize("above", [-0.1, 1, 2.5, float("nan")])
def test_a_threshold_that_is_none(detector_folder: Path, above: float) -> None:
    with pytest.raises(EncoderError, match="from 0 to 1"):
        load_objects(detector_folder, above=above)


def _copy(folder: Path, target: Path) -> Path:
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_other_models_pickles_and_damaged_weights_are_refused(
    captioner_folder: Path, detector_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(EncoderError, match="not BlipForConditionalGeneration; get Salesforce"):
        load_captioner(detector_folder)
    with pytest.raises(EncoderError, match="not RTDetrV2ForObjectDetection; get PekingU"):
        load_objects(captioner_folder)
    with pytest.raises(EncoderError, match="there is no folder"):
        load_objects(tmp_path / "nowhere")
    place = _copy(detector_folder, tmp_path)
    weights = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(weights[:-50])
    with pytest.raises(EncoderError, match="cannot load RTDetrV2ForObjectDetection"):
        load_objects(place)
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="pickles are not opened"):
        load_objects(place)


def test_weights_that_lack_some_are_refused(detector_folder: Path, captioner_folder: Path, tmp_path: Path) -> None:
    for folder, load, lost in (
        (detector_folder, load_objects, "model.decoder.layers.0.fc1.weight"),
        (captioner_folder, load_captioner, "vision_model.post_layernorm.weight"),
    ):
        place = tmp_path / folder.name
        place.mkdir()
        _copy(folder, place)
        tensors = safetensors.load_file(place / "model.safetensors")
        assert lost in tensors
        safetensors.save_file(
            {name: each for name, each in tensors.items() if name != lost}, place / "model.safetensors"
        )
        with pytest.raises(EncoderError, match="lack"):
            load(place)


def test_a_vocabulary_that_is_not_the_captioners(captioner_folder: Path, tmp_path: Path) -> None:
    place = _copy(captioner_folder, tmp_path)
    (place / "vocab.txt").write_text("\n".join([*WORDS[:2], "[SEP]", "[CLS]", *WORDS[4:]]) + "\n")
    with pytest.raises(EncoderError, match="ends captions with token 3, its tokenizer with 2"):
        load_captioner(place)
    (place / "vocab.txt").write_text("\n".join(WORDS[:8]) + "\n")
    with pytest.raises(EncoderError, match="tokens, but the model"):
        load_captioner(place)


def test_settings_that_are_no_square(detector_folder: Path, tmp_path: Path) -> None:
    place = _copy(detector_folder, tmp_path)
    for size in ({"height": 32, "width": 64}, {"shortest_edge": 32}, 32):
        (place / "preprocessor_config.json").write_text(json.dumps({"size": size}))
        with pytest.raises(EncoderError, match="squares of one size"):
            load_objects(place)
    (place / "preprocessor_config.json").write_text(json.dumps({"do_normalize": True}))
    with pytest.raises(EncoderError, match="image_mean"):
        load_objects(place)
