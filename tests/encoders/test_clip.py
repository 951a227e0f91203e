import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.encoders.tiny_models import (
    CLIP_DIM,
    CLIP_PATCH,
    CLIP_WIDTH,
    RESNET_SIZE,
    VOCABULARY,
    change,
    openai_clip,
    openai_clip_with_resnet,
    original_image_features,
    original_resnet_features,
    original_text_features,
    pictures,
    write_clip_folder,
    write_merges,
)

from vernissage.encoders.contract import EncoderState, ImageEncoder, TextEncoder, unit_rows
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.loaded import padded_ids
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.towers.clip import CLIP, clean_text, load_clip, load_original
from vernissage.encoders.towers.clip_resnet import ClipResNet
from vernissage.errors import EncoderError, ProvenanceError

torch = pytest.importorskip("torch")
tensor_files = pytest.importorskip("safetensors.torch")
load_file, save_file = tensor_files.load_file, tensor_files.save_file

GOLDEN = Path(__file__).resolve().parents[2] / ".." / "shared" / "golden"
CONVERTED_LATER = {"03_rgba_60x60.png", "05_palette_64x64.png"}
"""The original code resizes these before it converts them to RGB; here pictures come as RGB."""

TEXTS = [
    "a storm at sea",
    "The ROSE in the garden",
    "ship",
    "",
    "sea " * 90,
    "l'été — 1903 🙂",
    "a storm &amp;amp; a ship",
]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in OpenAI's layout, its merges beside it; read it only."""
    folder = tmp_path_factory.mktemp("openai")
    save_file(openai_clip(), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    return folder / "clip.safetensors"


@pytest.fixture(scope="module")
def folder(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as a transformers folder; read it only."""
    folder = tmp_path_factory.mktemp("transformers")
    write_clip_folder(folder, load_original(original, Runtime())[0])
    return folder


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder to break."""
    return Path(shutil.copytree(folder, tmp_path / "clip"))


@pytest.fixture(scope="module")
def clip(folder: Path) -> CLIP:
    return load_clip(folder)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    """What the authors' own code gives for given weights, pictures and captions, where it lies beside the checkout."""
    if not (GOLDEN / "clip").is_dir():
        pytest.skip("the reference values are not beside this checkout")
    inputs = json.loads((GOLDEN / "clip" / "inputs.json").read_text(encoding="utf-8"))
    names = inputs["image_files"]
    images = []
    for name in names:
        with Image.open(GOLDEN / "common" / "images" / name) as image:
            image.load()
        images.append(image)
    kept = [row for row, name in enumerate(names) if name not in CONVERTED_LATER]
    with np.load(GOLDEN / "clip" / "expected.npz") as expected:
        return {**dict(expected), "texts": inputs["captions"], "images": [images[row] for row in kept], "kept": kept}


def test_it_says_which_clip_it_is(clip: CLIP, folder: Path) -> None:
    assert clip.variant == f"ViT-{CLIP_WIDTH}/{CLIP_PATCH}"  # the published width 768 is called B
    assert load_clip(folder, prompt="This is {}").variant == f"ViT-{CLIP_WIDTH}/{CLIP_PATCH}, prompt 'This is {{}}'"


GOLDEN_PLACES = ("hf_clip_tiny", "clip_tiny_openai.safetensors", "clip_tiny_openai_statedict.pt")


@pytest.mark.parametrize("place", GOLDEN_PLACES)
def test_it_gives_what_the_authors_code_gives(golden: dict[str, Any], place: str) -> None:
    model, texts, images, kept = load_clip(GOLDEN / "clip" / place), golden["texts"], golden["images"], golden["kept"]
    pixels = np.stack([model.preprocessing(image) for image in images])
    np.testing.assert_allclose(pixels, golden["pixel_values"][kept], atol=1e-6, rtol=0)
    assert model.token_ids(texts) == [np.trim_zeros(row, "b").tolist() for row in golden["input_ids"]]
    image, text = model.image_features(images), model.text_features(texts)
    np.testing.assert_allclose(image, golden["image_feat"][kept], atol=5e-5, rtol=0)
    np.testing.assert_allclose(text, golden["text_feat"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(model.encode_images(images), golden["image_feat_norm"][kept], atol=1e-5, rtol=0)
    np.testing.assert_allclose(unit_rows(text), golden["text_feat_norm"], atol=1e-5, rtol=0)
    logits = np.exp(golden["logit_scale"]) * unit_rows(image) @ unit_rows(text).T
    np.testing.assert_allclose(logits, golden["logits_per_image"][kept], atol=1e-4, rtol=0)


def test_a_prompt_gives_what_zccr_gives(golden: dict[str, Any]) -> None:
    model = load_clip(GOLDEN / "clip" / "hf_clip_tiny", prompt="This is {}")
    assert model.token_ids(golden["texts"]) == [np.trim_zeros(row, "b").tolist() for row in golden["zccr_input_ids"]]
    np.testing.assert_allclose(model.text_features(golden["texts"]), golden["zccr_text_feat"], atol=5e-5, rtol=0)


def test_both_layouts_compute_the_paper_s_model(clip: CLIP, original: Path) -> None:
    tensors, ids = openai_clip(), clip.token_ids(TEXTS)
    pixels = np.stack([clip.preprocessing(image) for image in pictures()])
    expected_image, expected_text = original_image_features(tensors, pixels), original_text_features(tensors, ids)
    for model in (clip, load_clip(original), load_clip(original.parent)):
        np.testing.assert_allclose(model.image_features(pictures()), expected_image, atol=5e-5, rtol=0)
        np.testing.assert_allclose(model.text_features(TEXTS), expected_text, atol=5e-5, rtol=0)
        assert model.token_ids(TEXTS) == ids


@pytest.fixture(scope="module")
def with_resnet(tmp_path_factory: pytest.TempPathFactory) -> CLIP:
    folder = tmp_path_factory.mktemp("resnet")
    save_file(openai_clip_with_resnet(), folder / "RN.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    return load_clip(folder)


def test_a_resnet_computes_the_paper_s_model(with_resnet: CLIP) -> None:
    tensors, images = openai_clip_with_resnet(), pictures()
    pixels = np.stack([with_resnet.preprocessing(image) for image in images])
    assert pixels.shape == (len(images), 3, RESNET_SIZE, RESNET_SIZE)
    expected = original_resnet_features(tensors, pixels)
    assert np.ptp(expected, axis=0).max() > 0.01
    np.testing.assert_allclose(with_resnet.image_features(images), expected, atol=5e-5, rtol=0)
    np.testing.assert_allclose(with_resnet.encode_images(images), unit_rows(expected), atol=1e-5, rtol=0)
    expected = original_text_features(tensors, with_resnet.token_ids(TEXTS))
    np.testing.assert_allclose(with_resnet.text_features(TEXTS), expected, atol=5e-5, rtol=0)
    assert (with_resnet.variant, with_resnet.dim) == ("ResNet 1-2-1-1", CLIP_DIM)


def test_the_published_resnets_are_known_by_their_sizes() -> None:
    resnet = ClipResNet((3, 4, 6, 3), 64, 50, 1024)
    assert (resnet.variant, resnet.side, resnet.dim) == ("RN50", 224, 1024)
    assert sum(each.numel() for each in resnet.parameters()) == 38_316_896  # what OpenAI's model has


def test_each_part_of_a_resnet_is_needed(tmp_path: Path) -> None:
    tensors = openai_clip_with_resnet()
    write_merges(tmp_path / "bpe_tiny.txt")
    for lacking in ("visual.attnpool.positional_embedding", "visual.layer2.1.bn3.bias", "text_projection"):
        save_file({key: value for key, value in tensors.items() if key != lacking}, tmp_path / "RN.safetensors")
        with pytest.raises(EncoderError, match=f"lacks? .*{lacking.removeprefix('visual.')}"):
            load_clip(tmp_path)


def test_it_keeps_the_contract(clip: CLIP) -> None:
    assert isinstance(clip, ImageEncoder)
    assert isinstance(clip, TextEncoder)
    assert (clip.name, clip.dim, clip.modalities) == ("clip", CLIP_DIM, {"image", "text"})
    images, texts = clip.encode_images(pictures()), clip.encode_texts(TEXTS)
    assert images.dtype == texts.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), [1, 1, 1, 0, 1, 1, 1], atol=1e-6)
    assert clip.encode_images([]).shape == clip.encode_texts([]).shape == (0, CLIP_DIM)


def test_padding_to_the_longest_is_padding_to_77(folder: Path) -> None:
    model = load_original_of(folder)
    ids = load_clip(folder).token_ids(["a storm at sea", "ship"])
    with torch.inference_mode():
        short, long = (
            model.get_text_features(input_ids=torch.from_numpy(padded_ids(ids, 0, length)[0])).pooler_output
            for length in (None, 77)
        )
    np.testing.assert_allclose(short, long, atol=5e-6, rtol=0)


def load_original_of(folder: Path) -> Any:
    from transformers import CLIPModel

    return CLIPModel.from_pretrained(folder).eval()


def test_texts_end_with_the_mark_at_77_tokens(clip: CLIP) -> None:
    short, long = clip.token_ids(["the sea", "sea " * 90])
    start, end, the = VOCABULARY - 2, VOCABULARY - 1, short[1]
    assert short == [start, the, long[1], end]
    assert long == [start, *[long[1]] * 75, end]


def test_texts_are_cleaned_as_in_training() -> None:
    assert clean_text("  A Storm\n\tat   SEA ") == "a storm at sea"
    assert clean_text("Storm &amp;amp; sea &lt;3") == "storm & sea <3"
    assert clean_text("the artistâ€™s â€œblueâ€\x9d period") == 'the artist\'s "blue" period'


def test_plain_gelu_would_show(clip: CLIP, broken: Path) -> None:
    for tower in ("text_config", "vision_config"):
        content = json.loads((broken / "config.json").read_text(encoding="utf-8"))[tower]
        assert content["hidden_act"] == "quick_gelu"
        change(broken / "config.json", **{tower: content | {"hidden_act": "gelu"}})
    plain = load_clip(broken)
    assert abs(plain.encode_texts(TEXTS) - clip.encode_texts(TEXTS)).max() > 1e-4
    assert abs(plain.encode_images(pictures()) - clip.encode_images(pictures())).max() > 1e-4


@pytest.mark.parametrize("wrong", [{"filter": "bilinear"}, {"resize": "squash"}])
def test_wrong_preprocessing_would_show(clip: CLIP, folder: Path, wrong: dict[str, Any]) -> None:
    model = load_clip(folder)
    model.preprocessing = replace(model.preprocessing, **wrong)
    difference = abs(model.encode_images(pictures()) - clip.encode_images(pictures())).max(axis=1)
    assert difference[0] > 1e-3


def test_texts_without_cleaning_would_show(clip: CLIP, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = clip.encode_texts(TEXTS)
    monkeypatch.setattr("vernissage.encoders.towers.clip.clean_text", str)
    assert abs(clip.encode_texts(TEXTS) - cleaned)[-1].max() > 1e-3


def test_transparency_is_laid_on_white(clip: CLIP) -> None:
    red, white = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "white")
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    palette = red.convert("P")
    vectors = clip.encode_images([red, white, clear, palette])
    np.testing.assert_allclose(vectors[2], vectors[1], atol=1e-6)
    np.testing.assert_allclose(vectors[3], vectors[0], atol=1e-6)
    assert abs(vectors[0] - vectors[1]).max() > 1e-3


def test_the_folder_s_preprocessing_is_kept(clip: CLIP, broken: Path) -> None:
    assert clip.preprocessing == Preprocessing("shorter", 32), "without a file it is the original's"
    settings = {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
    settings |= {"resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    (broken / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    half, quarter = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    assert load_clip(broken).preprocessing == Preprocessing("shorter", 32, 36, "bilinear", half, quarter)


def test_the_fingerprint_stands_for_weights_preprocessing_prompt_and_precision(clip: CLIP, broken: Path) -> None:
    assert load_clip(broken).fingerprint == clip.fingerprint, "the place alone does not matter"
    others = [load_clip(broken, prompt="This is {}"), load_clip(broken, runtime=Runtime(precision="bfloat16"))]
    change(broken / "config.json", note="another")
    others.append(load_clip(broken))
    assert len({clip.fingerprint, *(model.fingerprint for model in others)}) == 4


def test_saved_and_loaded_it_gives_the_same_bits(folder: Path, tmp_path: Path) -> None:
    model = load_clip(folder, prompt="This is {}")
    model.state.save(tmp_path)
    again = restore("clip", EncoderState.load(tmp_path))
    assert again.fingerprint == model.fingerprint
    assert again.encode_texts(TEXTS).tobytes() == model.encode_texts(TEXTS).tobytes()
    assert not model.state.arrays


def test_a_state_with_other_weights_or_of_another_encoder_is_refused(broken: Path, tmp_path: Path) -> None:
    state = load_clip(broken).state
    save_file(openai_clip(seed=2), tmp_path / "other.safetensors")
    write_merges(tmp_path / "bpe.txt")
    load_original(tmp_path / "other.safetensors", Runtime())[0].save_pretrained(broken)
    with pytest.raises(ProvenanceError, match="are not those that the vectors were made with"):
        restore("clip", state)
    with pytest.raises(ProvenanceError, match="of 'dual'"):
        restore("clip", EncoderState("dual", state.settings, {}))
    with pytest.raises(ProvenanceError, match="not whole .no place, weights"):
        restore("clip", EncoderState("clip", {"precision": "float32", "prompt": None}, {}))
    shutil.rmtree(broken)
    with pytest.raises(EncoderError, match="there are no weights at"):
        restore("clip", state)


def test_bfloat16_stays_near_and_float16_needs_a_gpu(clip: CLIP, folder: Path) -> None:
    coarse = load_clip(folder, runtime=Runtime(device="cpu", precision="bfloat16"))
    difference = abs(coarse.encode_texts(TEXTS) - clip.encode_texts(TEXTS)).max()
    assert 1e-5 < difference < 0.1
    with pytest.raises(EncoderError, match="float16 needs a GPU"):
        load_clip(folder, runtime=Runtime(device="cpu", precision="float16")).encode_texts(["sea"])


@pytest.mark.parametrize("key", ["visual_projection.weight", "text_model.encoder.layers.1.mlp.fc1.bias"])
def test_a_missing_weight_is_an_error_and_no_random_number(broken: Path, key: str) -> None:
    tensors = load_file(broken / "model.safetensors")
    save_file(
        {name: value for name, value in tensors.items() if name != key}, broken / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(EncoderError, match=f"lack {key}; "):
        load_clip(broken)


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        (["model.safetensors"], "cannot load CLIPModel from .*model.safetensors"),
        (["config.json"], "is no CLIP in OpenAI's layout .*folder, with its config.json"),
        (["merges.txt"], "has no tokenizer; put the model's tokenizer.json or vocab.json with merges.txt"),
        (["config.json", "model.safetensors"], r"holds none of \*.safetensors"),
    ],
)
def test_a_missing_file_is_named(broken: Path, removed: list[str], message: str) -> None:
    for name in removed:
        (broken / name).unlink()
    with pytest.raises(EncoderError, match=message):
        load_clip(broken)


def test_damaged_weights_and_settings_are_refused(broken: Path) -> None:
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(EncoderError, match="cannot load CLIPModel"):
        load_clip(broken)
    (broken / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(EncoderError, match=r"config.json is damaged"):
        load_clip(broken)


class _Payload:
    """A pickle that makes a file when it is opened carelessly."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_pickled_weights_are_read_as_tensors_alone(clip: CLIP, broken: Path, tmp_path: Path) -> None:
    tensors = load_file(broken / "model.safetensors")
    (broken / "model.safetensors").unlink()
    torch.save(tensors, broken / "pytorch_model.bin")
    np.testing.assert_array_equal(load_clip(broken).encode_texts(TEXTS), clip.encode_texts(TEXTS))
    torch.save({**tensors, "logit_scale": _Payload(tmp_path / "harm")}, broken / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="a pickle that would run code, and are not opened"):
        load_clip(broken)
    assert not (tmp_path / "harm").exists()


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    tensors = load_file(broken / "model.safetensors")
    save_file(
        tensors | {"visual_projection.weight": torch.zeros(7, 128)}, broken / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(EncoderError, match="cannot load CLIPModel"):
        load_clip(broken)


def test_a_tokenizer_of_another_model_is_refused(broken: Path) -> None:
    (broken / "vocab.json").write_text(json.dumps({"a</w>": 0}), encoding="utf-8")
    with pytest.raises(EncoderError, match=f"the model knows {VOCABULARY}|cannot load the tokenizer"):
        load_clip(broken)


def test_a_model_of_another_type_is_refused(broken: Path) -> None:
    change(broken / "config.json", model_type="siglip")
    with pytest.raises(EncoderError, match="of the type 'siglip', not clip; use the encoder dual"):
        load_clip(broken)


@pytest.mark.parametrize("prompt", ["This is", "{} and {}", ""])
def test_a_prompt_without_a_place_for_the_text_is_refused(folder: Path, prompt: str) -> None:
    with pytest.raises(EncoderError, match="must hold {} once"):
        load_clip(folder, prompt=prompt)


def test_original_checkpoints_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "clip.pt"
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("clip/code/model.py", "")
    with pytest.raises(EncoderError, match="TorchScript archive"):
        load_clip(weights)
    torch.save({"fc.weight": torch.zeros(2, 2)}, weights)
    with pytest.raises(EncoderError, match="no CLIP in OpenAI's layout"):
        load_clip(weights)
    tensors = openai_clip()
    torch.save({key: value for key, value in tensors.items() if key != "visual.ln_pre.bias"}, weights)
    with pytest.raises(EncoderError, match=r"lack vision_model.pre_layrnorm.bias"):
        load_clip(weights)
    torch.save(tensors, weights)
    with pytest.raises(EncoderError, match="there are no merges beside"):
        load_clip(weights)
    (tmp_path / "bpe_tiny.txt").write_text("#version\ns e\n", encoding="utf-8")
    with pytest.raises(EncoderError, match=f"holds 1 merges, and a model of {VOCABULARY} tokens needs"):
        load_clip(weights)


def test_half_precision_checkpoints_are_read_as_float32(original: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {key: value.half() for key, value in openai_clip().items()}}, tmp_path / "clip.pt")
    write_merges(tmp_path / "merges.txt")
    half, full = load_clip(tmp_path / "clip.pt"), load_clip(original)
    np.testing.assert_allclose(half.encode_texts(TEXTS), full.encode_texts(TEXTS), atol=5e-3)
