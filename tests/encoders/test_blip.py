import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.encoders import tiny_blip
from tests.encoders.tiny_blip import CAPTIONS, WORDS, far, pictures, reference, rewrite, save_folder, save_original

from vernissage.encoders.contract import EncoderState, ImageEncoder, TextEncoder
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.pixels import CLIP_MEAN, CLIP_STD
from vernissage.encoders.towers.blip import BLIP, load_blip
from vernissage.errors import EncoderError

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
RAW, UNIT, ITM = 5e-5, 1e-5, 1e-4
CLS, ENC = WORDS.index("[CLS]"), len(WORDS) + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def blip(folder: Path) -> BLIP:
    return load_blip(folder)


def squashed(image: Image.Image, size: int = 32) -> torch.Tensor:
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    return torch.from_numpy((pixels - np.float32(CLIP_MEAN)) / np.float32(CLIP_STD)).permute(2, 0, 1)[None]


def padded(ids: list[int], first: int | None = None) -> dict[str, torch.Tensor]:
    row = [first if first is not None else ids[0], *ids[1:]]
    mask = [1] * len(row) + [0] * (35 - len(row))
    return {"input_ids": torch.tensor([row + [0] * (35 - len(row))]), "attention_mask": torch.tensor([mask])}


def test_it_keeps_the_contract(blip: BLIP) -> None:
    assert isinstance(blip, ImageEncoder)
    assert isinstance(blip, TextEncoder)
    assert (blip.name, blip.dim, blip.modalities) == ("blip", 8, {"image", "text"})
    for rows, count in ((blip.encode_images(pictures()), 4), (blip.encode_texts(CAPTIONS), len(CAPTIONS))):
        assert (rows.shape, rows.dtype) == ((count, 8), np.float32)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert (blip.encode_images([]).shape, blip.encode_texts([]).shape) == ((0, 8), (0, 8))
    assert blip.itm_block(blip.image_states([]), CAPTIONS).shape == (0, len(CAPTIONS))
    assert blip.itm_block(blip.image_states(pictures()), []).shape == (4, 0)


def test_captions_are_cleaned_and_cut_to_35_ids_with_both_marks(blip: BLIP) -> None:
    ids = blip.token_ids(CAPTIONS)
    words = [" ".join(WORDS[number] for number in row) for row in ids]
    assert words[0] == "[CLS] a red boat on the sea [SEP]"
    assert words[1] == "[CLS] the woman ' [UNK] house , and a dog ? [SEP]"
    assert words[2] == "[CLS] paint ##ing ##s of tree ##s [SEP]"
    assert words[3] == "[CLS] [SEP]"
    assert words[4] == "[CLS] a man un ##known with the blue dog paint [SEP]"
    assert (len(ids[5]), words[5][:5], words[5][-5:]) == (35, "[CLS]", "[SEP]")


def test_vectors_are_those_of_the_model_run_plainly(blip: BLIP) -> None:
    model = reference()
    with torch.inference_mode():
        seen = torch.cat([model.vision_model(squashed(image)).last_hidden_state for image in pictures()])
        read = [model.text_encoder(**padded(ids)).last_hidden_state[:, 0] for ids in blip.token_ids(CAPTIONS)]
        texts = model.text_proj(torch.cat(read)).numpy()
        images = model.vision_proj(seen[:, 0]).numpy()
    assert far(blip.image_features(pictures()), images) <= RAW
    assert far(blip.text_features(CAPTIONS), texts) <= RAW
    assert far(blip.encode_images(pictures()), images / np.linalg.norm(images, axis=1, keepdims=True)) <= UNIT
    assert far(blip.image_states(pictures()), seen.numpy()) <= RAW
    assert far(blip.image_vectors(blip.image_states(pictures())), blip.encode_images(pictures())) <= 1e-6


@pytest.mark.parametrize(("first_token", "first"), [("enc", ENC), ("cls", CLS)])
def test_matching_is_that_of_each_pair_run_by_itself(folder: Path, first_token: Any, first: int) -> None:
    model, blip = reference(), load_blip(folder, first_token=first_token)
    expected = np.empty((4, len(CAPTIONS)))
    with torch.inference_mode():
        for row, image in enumerate(pictures()):
            seen = model.vision_model(squashed(image)).last_hidden_state
            for column, ids in enumerate(blip.token_ids(CAPTIONS)):
                out = model.text_encoder(**padded(ids, first), encoder_hidden_states=seen).last_hidden_state[:, 0]
                expected[row, column] = model.itm_head(out).softmax(dim=-1)[0, 1]
    assert far(blip.itm_block(blip.image_states(pictures()), CAPTIONS), expected) <= 1e-5


def test_a_row_does_not_depend_on_the_others_or_on_the_batch(folder: Path, blip: BLIP) -> None:
    whole = blip.itm_block(blip.image_states(pictures()), CAPTIONS)
    for size in (1, 3, 64):
        other = load_blip(folder, runtime=Runtime(batch_size=size))
        assert far(other.itm_block(other.image_states(pictures()), CAPTIONS), whole) <= 1e-6
        assert far(other.encode_texts(CAPTIONS), blip.encode_texts(CAPTIONS)) <= 1e-6
        assert far(other.encode_images(pictures()), blip.encode_images(pictures())) <= 1e-6
    alone = blip.itm_block(blip.image_states(pictures()[2:3]), CAPTIONS[4:5])
    assert alone[0, 0] == pytest.approx(whole[2, 4], abs=1e-6)


def test_both_layouts_give_the_same_bits(blip: BLIP, tmp_path: Path) -> None:
    file = save_original(tmp_path)
    for place in (file, tmp_path):
        original = load_blip(place)
        assert np.array_equal(original.encode_images(pictures()), blip.encode_images(pictures()))
        assert np.array_equal(original.encode_texts(CAPTIONS), blip.encode_texts(CAPTIONS))
        states = original.image_states(pictures())
        assert np.array_equal(original.itm_block(states, CAPTIONS), blip.itm_block(states, CAPTIONS))


def _hub_eps(blip: BLIP) -> None:
    for module in blip.network.vision_model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5


def _tanh_gelu(blip: BLIP) -> None:
    for layer in blip.network.vision_model.encoder.layers:
        layer.mlp.activation_fn = torch.nn.GELU(approximate="tanh")


IMAGE_MISTAKES: dict[str, Callable[[BLIP], None]] = {
    "the hub's eps": _hub_eps,
    "tanh GELU": _tanh_gelu,
    "crop instead of squash": lambda blip: setattr(
        blip, "preprocessing", replace(blip.preprocessing, resize="shorter")
    ),
    "bilinear": lambda blip: setattr(blip, "preprocessing", replace(blip.preprocessing, filter="bilinear")),
    "other mean": lambda blip: setattr(blip, "preprocessing", replace(blip.preprocessing, mean=(0.5, 0.5, 0.5))),
}


@pytest.mark.parametrize("mistake", IMAGE_MISTAKES)
def test_a_mistake_with_pictures_would_be_seen(folder: Path, blip: BLIP, mistake: str) -> None:
    wrong = load_blip(folder)
    IMAGE_MISTAKES[mistake](wrong)
    assert far(wrong.encode_images(pictures()), blip.encode_images(pictures())) > 2 * UNIT
    assert far(wrong.image_features(pictures()), blip.image_features(pictures())) > 2 * RAW


def test_a_mistake_with_texts_would_be_seen(folder: Path, blip: BLIP, monkeypatch: pytest.MonkeyPatch) -> None:
    states = blip.image_states(pictures())
    other = load_blip(folder, first_token="cls")  # noqa: S106
    assert far(other.itm_block(states, CAPTIONS), blip.itm_block(states, CAPTIONS)) > 2 * ITM
    assert np.array_equal(other.encode_texts(CAPTIONS), blip.encode_texts(CAPTIONS))
    right = blip.encode_texts(CAPTIONS)
    monkeypatch.setattr(blip, "tokenizer", replace(blip.tokenizer, clean=str))
    assert far(blip.encode_texts(CAPTIONS), right) > 2 * UNIT


def test_bfloat16_stays_close(folder: Path, blip: BLIP) -> None:
    rough = load_blip(folder, runtime=Runtime(precision="bfloat16"))
    assert (rough.encode_images(pictures()) * blip.encode_images(pictures())).sum(axis=1).min() > 0.99
    assert rough.itm_block(rough.image_states(pictures()), CAPTIONS).dtype == np.float32
    assert rough.fingerprint != blip.fingerprint


def test_the_state_brings_the_same_encoder_back(folder: Path, tmp_path: Path) -> None:
    blip = load_blip(folder, first_token="cls")  # noqa: S106
    blip.state.save(tmp_path)
    again = restore("blip", EncoderState.load(tmp_path))
    assert (again.fingerprint, again.state.settings["first_token"]) == (blip.fingerprint, "cls")
    assert np.array_equal(again.encode_texts(CAPTIONS), blip.encode_texts(CAPTIONS))


def test_the_fingerprint_stands_for_weights_and_use_but_not_for_the_place(
    folder: Path, blip: BLIP, tmp_path: Path
) -> None:
    assert load_blip(Path(shutil.copytree(folder, tmp_path / "moved"))).fingerprint == blip.fingerprint
    assert load_blip(save_folder(tmp_path / "other", seed=2)).fingerprint != blip.fingerprint
    assert load_blip(folder, first_token="cls").fingerprint != blip.fingerprint  # noqa: S106


def test_the_vocabulary_may_lie_in_tokenizer_json(folder: Path, blip: BLIP, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "vocab.txt").unlink()
    vocabulary = {word: number for number, word in enumerate([*WORDS, "[DEC]", "[ENC]"])}
    (copy / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    assert load_blip(copy).token_ids(CAPTIONS) == blip.token_ids(CAPTIONS)
    (copy / "tokenizer.json").write_text(json.dumps({"model": None}))
    with pytest.raises(EncoderError, match="holds no word pieces"):
        load_blip(copy)


def _edit_config(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no head": (lambda folder: rewrite(folder, {"itm_head.bias": None}), "lack itm_head.bias"),
    "other shape": (
        lambda folder: rewrite(folder, {"itm_head.bias": torch.zeros(3)}),
        r"itm_head.bias .* shape \(3,\)",
    ),
    "other words": (lambda folder: tiny_blip.write_words(folder, [*WORDS, "more"]), "but the model was trained with"),
    "no marks": (lambda folder: tiny_blip.write_words(folder, WORDS[4:]), r"lacks \[PAD\], \[UNK\]"),
    "no words": (lambda folder: (folder / "vocab.txt").unlink(), "vocab.txt is missing"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
    "bad words": (lambda folder: (folder / "vocab.txt").write_bytes(b"caf\xe9"), "vocab.txt cannot be read"),
    "bad settings": (lambda folder: _edit_config(folder, vision_config={"hidden_size": "big"}), "describe no BLIP"),
    "odd settings": (lambda folder: _edit_config(folder, text_config={"num_attention_heads": 7}), "describe no BLIP"),
    "other model": (lambda folder: _edit_config(folder, model_type="clip"), "type 'clip', not blip"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "holds none of model.safetensors"),
    "cut short": (lambda folder: (folder / "model.safetensors").write_bytes(b"cut"), "no whole safetensors file"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_what_is_not_whole_is_refused(tmp_path: Path, damage: str) -> None:
    harm, message = BROKEN[damage]
    harm(save_folder(tmp_path))
    with pytest.raises(EncoderError, match=message) as caught:
        load_blip(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_original_checkpoint_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    file = save_original(tmp_path)
    content = torch.load(file, weights_only=True)
    del content["model"]["visual_encoder.blocks.1.attn.qkv.bias"]
    torch.save(content, file)
    with pytest.raises(EncoderError, match="lack vision_model.encoder.layers.1.self_attn.qkv.bias"):
        load_blip(file)
    del content["model"]["vision_proj.weight"]
    torch.save(content, file)
    with pytest.raises(EncoderError, match="lack vision_proj.weight"):
        load_blip(file)


def test_heads_that_cannot_be_told_are_asked_for(tmp_path: Path) -> None:
    file = save_original(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(EncoderError, match="put config.json with vit_heads beside the weights"):
        load_blip(file)


def test_bad_requests_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no first token 'dec'"):
        load_blip(folder, first_token="dec")  # type: ignore[arg-type]  # noqa: S106
    with pytest.raises(EncoderError, match="there are no weights at"):
        load_blip(tmp_path / "nowhere")


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the reference values are not beside this checkout")
@pytest.mark.parametrize("layout", ["transformers", "original"])
def test_everything_is_as_the_original_code_has_it(layout: str, tmp_path: Path) -> None:
    source = GOLDEN / "blip"
    if layout == "original":
        for name in ("model_tiny_retrieval.pth", "config.json", "med_config.json", "hf_blip_tiny/vocab.txt"):
            shutil.copy(source / name, tmp_path)
    place = tmp_path if layout == "original" else source / "hf_blip_tiny"
    inputs = json.loads((source / "inputs.json").read_text())
    with np.load(source / "expected.npz") as archive:
        expected = dict(archive)
    # The original code drops what is transparent and turns no picture, and so do these lines.
    images = [Image.open(GOLDEN / "common" / "images" / name).convert("RGB") for name in inputs["image_files"]]
    captions, blip = inputs["captions"], load_blip(place)
    assert far(np.stack([blip.preprocessing(image) for image in images]), expected["pixel_values"]) <= 1e-6
    assert [ids + [0] * (35 - len(ids)) for ids in blip.token_ids(captions)] == expected["input_ids"].tolist()
    assert far(blip.image_features(images), expected["image_feat"]) <= RAW
    assert far(blip.text_features(captions), expected["text_feat"]) <= RAW
    assert far(blip.encode_images(images), expected["image_feat_norm"]) <= UNIT
    assert far(blip.encode_texts(captions), expected["text_feat_norm"]) <= UNIT
    assert far(blip.encode_images(images) @ blip.encode_texts(captions).T, expected["itc"]) <= UNIT
    states = blip.image_states(images)
    assert far(blip.itm_block(states, captions), expected["itm_prob_match_enc"]) <= ITM
    as_cls = load_blip(place, first_token="cls")  # noqa: S106
    assert far(as_cls.itm_block(states, captions), expected["itm_prob_match_cls"]) <= ITM
