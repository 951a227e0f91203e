"""ALBEF against the outputs of its authors' code, and against plausible mistakes, each of which must be seen."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.loaded import padded_ids
from vernissage.encoders.runtime.pairs import bert_pieces
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import read_tensors
from vernissage.encoders.towers.albef import ALBEF, AlbefArchitecture, load_albef
from vernissage.errors import EncoderError
from vernissage.values import Vectors

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
FOLDER, VOCABULARY = GOLDEN / "albef", GOLDEN / "common" / "tiny_vocab.txt"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the reference values are not beside this checkout")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["ALBEF_tiny.pth", "ALBEF_tiny.safetensors"])
def albef(request: pytest.FixtureRequest) -> ALBEF:
    return load_albef(FOLDER / request.param, vocabulary=VOCABULARY)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    with np.load(FOLDER / "expected.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "inputs.json").read_text())
    return content


@pytest.fixture(scope="module")
def captions(inputs: dict[str, Any]) -> list[str]:
    return list(inputs["captions"])


@pytest.fixture(scope="module")
def images(inputs: dict[str, Any]) -> list[Image.Image]:
    pictures = []
    for name in inputs["image_files"]:
        with Image.open(GOLDEN / "common" / "images" / name) as image:
            pictures.append(image.copy())
    return pictures


def test_pictures(albef: ALBEF, images: list[Image.Image], expected: dict[str, Any]) -> None:
    pixels = np.stack([albef.preprocessing(image) for image in images])
    np.testing.assert_allclose(pixels, expected["pixel_values"], atol=1e-6, rtol=0)
    with albef.runtime.autocast():
        tokens = albef.network.image_tokens(albef.runtime.on_device(pixels)).cpu()
    np.testing.assert_allclose(tokens, expected["image_hidden"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(albef.image_features(images), expected["image_feat"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(albef.encode_images(images), expected["image_feat_norm"], atol=1e-5, rtol=0)


def test_texts(albef: ALBEF, captions: list[str], expected: dict[str, Any]) -> None:
    ids, mask = padded_ids(albef.token_ids(captions), albef.padding)
    np.testing.assert_array_equal(ids, expected["input_ids"])
    np.testing.assert_array_equal(mask, expected["attention_mask"])
    on_device = albef.runtime.on_device
    states = albef.network.text_states(on_device(ids), on_device(mask).bool()).cpu().numpy()
    real = expected["attention_mask"].astype(bool)
    np.testing.assert_allclose(states[real], expected["text_hidden"][real], atol=5e-5, rtol=0)
    np.testing.assert_allclose(albef.text_features(captions), expected["text_feat"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(albef.encode_texts(captions), expected["text_feat_norm"], atol=1e-5, rtol=0)


def test_the_real_vocabulary(inputs: dict[str, Any]) -> None:
    from vernissage.encoders.towers.albef import albef_words

    vocabulary = GOLDEN / "common" / "bert-base-uncased-vocab.txt"
    words = albef_words(bert_pieces(vocabulary, 30522)[0], "albef", 512)
    found = words.ids(inputs["captions"])
    assert found == inputs["real_vocab_input_ids"]
    assert 100 not in found[0], "a known caption has no [UNK]"


def test_similarities(albef: ALBEF, images: list[Image.Image], captions: list[str], expected: dict[str, Any]) -> None:
    sim = albef.encode_images(images) @ albef.encode_texts(captions).T
    np.testing.assert_allclose(sim, expected["sim"], atol=1e-5, rtol=0)


def test_matching(albef: ALBEF, images: list[Image.Image], captions: list[str], expected: dict[str, Any]) -> None:
    seen = albef.image_states(images)
    np.testing.assert_allclose(albef.itm_logits(seen, captions), expected["itm_logits"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(albef.itm_block(seen, captions), expected["itm_prob_match"], atol=1e-4, rtol=0)


def test_larger_pictures(images: list[Image.Image], expected: dict[str, Any]) -> None:
    larger = load_albef(FOLDER / "ALBEF_tiny.pth", vocabulary=VOCABULARY, image_size=48)
    pixels = np.stack([larger.preprocessing(image) for image in images])
    np.testing.assert_allclose(pixels, expected["res48_pixel_values"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(larger.image_features(images), expected["res48_image_feat"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(larger.encode_images(images), expected["res48_image_feat_norm"], atol=1e-5, rtol=0)


def test_the_variant_of_zccr(inputs: dict[str, Any], expected: dict[str, Any]) -> None:
    zccr = load_albef(FOLDER / "ALBEF_tiny.pth", vocabulary=VOCABULARY, cleaning="zccr")
    finite = np.isfinite(expected["zccr_text_feat"]).all(axis=1)
    assert finite.sum() == len(inputs["captions"]) - len(inputs["zccr_too_long_for_tiny_model"])
    ids = zccr.tokenizer.ids(inputs["captions"])
    assert [ids[row] for row in np.flatnonzero(finite)] == [
        inputs["zccr_input_ids"][row] for row in np.flatnonzero(finite)
    ]
    vectors = zccr.text_features(inputs["captions"])
    np.testing.assert_allclose(vectors[finite], expected["zccr_text_feat"][finite], atol=5e-5, rtol=0)
    np.testing.assert_allclose(unit_rows(vectors)[finite], expected["zccr_text_feat_norm"][finite], atol=1e-5, rtol=0)


def changed(albef: ALBEF, *, sizes: dict[str, Any] | None = None, **parts: Any) -> ALBEF:
    """The same encoder with other parts."""
    network = parts.get("network", albef.network)
    network = replace(network, architecture=replace(network.architecture, **(sizes or {})))
    preprocessing = parts.get("preprocessing", albef.preprocessing)
    return ALBEF(network, albef.tokenizer, preprocessing, albef.state, albef.runtime)


def momentum(albef: ALBEF) -> ALBEF:
    tensors = read_tensors(Path(albef.state.settings["place"]))
    parts = ("visual_encoder", "text_encoder", "vision_proj", "text_proj")
    copies = {
        key.replace(f"{part}_m.", f"{part}.").replace("text_encoder.bert.", "text_encoder."): values.to(
            albef.runtime.resolved_device()
        )
        for key, values in tensors.items()
        for part in parts
        if key.startswith(f"{part}_m.")
    }
    return changed(albef, network=replace(albef.network, weights={**albef.network.weights, **copies}))


def features_of_ids(albef: ALBEF, rows: list[list[int]], real: Any = None) -> Vectors:
    ids, real_ids = padded_ids(rows, albef.padding)
    on_device = albef.runtime.on_device
    mask = on_device(real_ids == 1 if real is None else np.full(ids.shape, real))
    features: Vectors = albef.network.text_features(on_device(ids), mask).cpu().numpy()
    return features


def with_sep(albef: ALBEF, captions: list[str]) -> Vectors:
    sep = albef.tokenizer.tokenizer.sep_token_id
    return features_of_ids(albef, [[*row[:29], sep] for row in albef.tokenizer.ids(captions)])


def uncleaned(albef: ALBEF, captions: list[str]) -> Vectors:
    pieces = albef.tokenizer.tokenizer(captions, add_special_tokens=False)["input_ids"]
    return features_of_ids(albef, [[albef.tokenizer.tokenizer.cls_token_id, *row][:30] for row in pieces])


def mean_pooled(albef: ALBEF, images: list[Image.Image]) -> Vectors:
    pixels = np.stack([albef.preprocessing(image) for image in images])
    with albef.runtime.autocast():
        tokens = albef.network.image_tokens(albef.runtime.on_device(pixels))
    weights = albef.network.weights
    pooled = torch.nn.functional.linear(
        tokens[:, 1:].mean(dim=1), weights["vision_proj.weight"], weights["vision_proj.bias"]
    )
    return pooled.cpu().numpy()


OF_PICTURES: dict[str, Callable[[ALBEF, list[Image.Image]], Vectors]] = {
    "image: LayerNorm eps 1e-5 instead of 1e-6": lambda it, seen: changed(it, sizes={"vision_eps": 1e-5}).encode_images(
        seen
    ),
    "image: momentum visual_encoder_m used": lambda it, seen: momentum(it).encode_images(seen),
    "image: mean pooling instead of CLS": lambda it, seen: unit_rows(mean_pooled(it, seen)),
    "image: bilinear instead of bicubic": lambda it, seen: changed(
        it, preprocessing=Preprocessing("squash", 32, filter="bilinear")
    ).encode_images(seen),
    "image: CLIP-style resize+centre crop instead of squash": lambda it, seen: changed(
        it, preprocessing=Preprocessing("shorter", 32)
    ).encode_images(seen),
}
OF_TEXTS: dict[str, Callable[[ALBEF, list[str]], Vectors]] = {
    "text: LayerNorm eps 1e-5 instead of 1e-12": lambda it, said: changed(it, sizes={"text_eps": 1e-5}).encode_texts(
        said
    ),
    "text: one layer too few": lambda it, said: changed(it, sizes={"fusion_layer": 2}).encode_texts(said),
    "text: momentum text_encoder_m+text_proj_m used": lambda it, said: momentum(it).encode_texts(said),
    "text: [SEP] appended (LAVIS / plain BertTokenizer)": lambda it, said: unit_rows(with_sep(it, said)),
    "text: no attention mask on padding": lambda it, said: unit_rows(features_of_ids(it, it.tokenizer.ids(said), True)),
    "text: pre_caption skipped": lambda it, said: unit_rows(uncleaned(it, said)),
}


@pytest.mark.parametrize("mistake", OF_PICTURES)
def test_mistakes_with_pictures_are_seen(
    mistake: str, albef: ALBEF, images: list[Image.Image], expected: dict[str, Any]
) -> None:
    moved = np.abs(OF_PICTURES[mistake](albef, images) - expected["image_feat_norm"]).max()
    assert moved == pytest.approx(sensitivity(mistake), rel=0.01)
    assert moved > 1e-5


@pytest.mark.parametrize("mistake", OF_TEXTS)
def test_mistakes_with_texts_are_seen(
    mistake: str, albef: ALBEF, captions: list[str], expected: dict[str, Any]
) -> None:
    moved = np.abs(OF_TEXTS[mistake](albef, captions) - expected["text_feat_norm"]).max()
    assert moved == pytest.approx(sensitivity(mistake), rel=0.01)
    assert moved > 1e-5


def test_an_approximate_gelu_is_seen(
    albef: ALBEF,
    images: list[Image.Image],
    captions: list[str],
    expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functional = torch.nn.functional
    monkeypatch.setattr(functional, "gelu", partial(functional.gelu, approximate="tanh"))
    moved = np.abs(albef.encode_images(images) - expected["image_feat_norm"]).max()
    assert moved == pytest.approx(sensitivity("image: tanh GELU"), rel=0.05)
    assert np.abs(albef.encode_texts(captions) - expected["text_feat_norm"]).max() > 1e-5


def sensitivity(mistake: str) -> float:
    """How far the mistake moves a normalised value, measured with the authors' code."""
    return float(json.loads((FOLDER / "sensitivity.json").read_text())[mistake])


@pytest.fixture(scope="module")
def real_tensors() -> dict[str, Any]:
    """The names and shapes of ALBEF.pth; all values of a tensor are one number in memory and on the disk."""
    shapes = json.loads((FOLDER / "real_model_keys.json").read_text())
    return {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}


def test_the_real_checkpoint_has_every_tensor_that_is_needed(real_tensors: dict[str, Any], tmp_path: Path) -> None:
    plain = {
        key.replace("text_encoder.bert.", "text_encoder."): tuple(value.shape) for key, value in real_tensors.items()
    }
    needed = AlbefArchitecture().shapes()
    assert len(real_tensors) == 844
    assert dict(needed) == {name: plain[name] for name in needed}
    torch.save({"model": real_tensors}, tmp_path / "ALBEF.pth")
    loaded = load_albef(tmp_path / "ALBEF.pth", vocabulary=GOLDEN / "common" / "bert-base-uncased-vocab.txt")
    assert loaded.network.architecture == AlbefArchitecture()
    assert loaded.network.weights.keys() == needed.keys()


@pytest.mark.parametrize("part", ["visual_encoder.blocks.11.", "text_encoder.bert.encoder.layer.11.", "crossattention"])
def test_a_real_checkpoint_without_its_last_layers_is_refused(
    part: str, real_tensors: dict[str, Any], tmp_path: Path
) -> None:
    torch.save({name: value for name, value in real_tensors.items() if part not in name}, tmp_path / "ALBEF.pth")
    with pytest.raises(EncoderError, match="the weights in .* lack "):
        load_albef(tmp_path / "ALBEF.pth", vocabulary=GOLDEN / "common" / "bert-base-uncased-vocab.txt")
