"""ALBEF on small random checkpoints in the published layout, against transformers' own ViT and BERT."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.encoders.tiny_albef import (
    DIM,
    FUSION,
    VOCABULARY,
    References,
    published,
    random_references,
    settle,
    unneeded,
)

from vernissage.encoders.contract import EncoderState, ImageEncoder, TextEncoder
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.loaded import padded_ids
from vernissage.encoders.towers.albef import ALBEF, load_albef
from vernissage.errors import EncoderError, ProvenanceError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["A ship, in a storm!", "<person> at the harbour", "", "sea " * 40, "one-two/three"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def references() -> References:
    return random_references()


@pytest.fixture(scope="module")
def tensors(references: References) -> dict[str, Any]:
    return published(references)


@pytest.fixture(scope="module")
def place(tensors: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ALBEF.pth as it was published; read it only."""
    folder = settle(tmp_path_factory.mktemp("albef"))
    content = {"model": tensors | unneeded(tensors), "config": {"image_res": 32}, "epoch": 29}
    torch.save(content, folder / "ALBEF.pth")
    return folder


@pytest.fixture(scope="module")
def albef(place: Path) -> ALBEF:
    return load_albef(place)


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    random = np.random.default_rng(3)
    shapes = [(50, 37), (20, 90), (32, 32), (140, 60)]
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def test_it_keeps_the_contract(albef: ALBEF, images: list[Image.Image]) -> None:
    assert isinstance(albef, ImageEncoder)
    assert isinstance(albef, TextEncoder)
    assert (albef.name, albef.dim, albef.modalities) == ("albef", DIM, {"image", "text"})
    for vectors, count in ((albef.encode_images(images), 4), (albef.encode_texts(TEXTS), 5)):
        assert vectors.dtype == np.float32
        assert vectors.shape == (count, DIM)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert albef.encode_images([]).shape == albef.encode_texts([]).shape == (0, DIM)
    assert np.linalg.matrix_rank(albef.image_features(images)) == 4, "different pictures have different vectors"


def test_importing_it_loads_no_torch() -> None:
    script = "import sys, vernissage.encoders.towers.albef; sys.exit(int('torch' in sys.modules or 'transformers' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_pictures_are_encoded_as_by_transformers(
    albef: ALBEF, references: References, images: list[Image.Image]
) -> None:
    pixels = torch.from_numpy(np.stack([albef.preprocessing(image) for image in images]))
    with torch.no_grad():
        tokens = references.vision(pixels).last_hidden_state
        expected = references.heads["vision_proj"](tokens[:, 0])
    with albef.runtime.autocast():
        own = albef.network.image_tokens(albef.runtime.on_device(pixels.numpy())).cpu()
    np.testing.assert_allclose(own, tokens, atol=2e-5)
    np.testing.assert_allclose(albef.image_features(images), expected, atol=5e-5)


def text_states(references: References, ids: Any) -> Any:
    """transformers' BERT with as many layers as are below fusion."""
    config = transformers.BertConfig.from_dict(
        references.text.config.to_dict()
        | {"num_hidden_layers": FUSION, "is_decoder": False, "add_cross_attention": False}
    )
    lower = transformers.BertModel(config, add_pooling_layer=False).eval()
    lower.load_state_dict(
        {key: value for key, value in references.text.state_dict().items() if key in lower.state_dict()}
    )
    return lower(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state


def test_texts_are_encoded_as_by_transformers(albef: ALBEF, references: References) -> None:
    with torch.no_grad():
        states = text_states(references, torch.from_numpy(padded_ids(albef.token_ids(TEXTS), albef.padding)[0]))
        expected = references.heads["text_proj"](states[:, 0])
    np.testing.assert_allclose(albef.text_features(TEXTS), expected, atol=5e-5)


def test_pairs_are_matched_as_by_transformers(albef: ALBEF, references: References, images: list[Image.Image]) -> None:
    ids = torch.from_numpy(padded_ids(albef.token_ids(TEXTS), albef.padding)[0])
    logits = np.zeros((len(images), len(TEXTS), 2))
    with torch.no_grad():
        states = text_states(references, ids)
        mask = torch.where(ids != 0, 0.0, -torch.inf)[:, None, None, :].expand(-1, -1, ids.shape[1], -1)
        for row, image in enumerate(images):
            tokens = references.vision(torch.from_numpy(albef.preprocessing(image))[None]).last_hidden_state
            fused = states
            for layer in references.text.encoder.layer[FUSION:]:
                fused = layer(fused, mask, encoder_hidden_states=tokens.expand(len(TEXTS), -1, -1))
            logits[row] = references.heads["itm_head"](fused[:, 0])
    seen = albef.image_states(images)
    np.testing.assert_allclose(albef.itm_logits(seen, TEXTS), logits, atol=1e-4)
    expected = torch.softmax(torch.from_numpy(logits), -1)[..., 1]
    np.testing.assert_allclose(albef.itm_block(seen, TEXTS), expected, atol=1e-5)


def logits(albef: ALBEF, images: list[Image.Image], texts: list[str]) -> Any:
    return albef.itm_logits(albef.image_states(images), texts)


def test_every_picture_is_matched_with_every_text(albef: ALBEF, images: list[Image.Image]) -> None:
    seen = albef.image_states(images)
    grid = albef.itm_logits(seen, TEXTS)
    assert grid.shape == (4, 5, 2)
    assert np.ptp(grid, axis=0).min() > 1e-4, "the picture matters"
    alone = [[albef.itm_logits(seen[row : row + 1], [text])[0, 0] for text in TEXTS] for row in range(4)]
    np.testing.assert_allclose(alone, grid, atol=1e-5)
    assert albef.itm_block(seen[:0], TEXTS).shape == (0, 5)
    assert albef.itm_block(seen, []).shape == (4, 0)


def test_states_of_pictures_give_their_vectors(albef: ALBEF, images: list[Image.Image]) -> None:
    found = albef.image_vectors(albef.image_states(images))
    np.testing.assert_allclose(found, albef.encode_images(images), atol=1e-6)


def test_a_row_does_not_depend_on_the_others(place: Path, albef: ALBEF, images: list[Image.Image]) -> None:
    small = load_albef(place, runtime=Runtime(batch_size=2))
    np.testing.assert_allclose(small.image_features(images), albef.image_features(images), atol=5e-6)
    np.testing.assert_allclose(small.text_features(TEXTS), albef.text_features(TEXTS), atol=5e-6)
    np.testing.assert_allclose(logits(small, images, TEXTS), logits(albef, images, TEXTS), atol=1e-5)
    alone = np.concatenate([albef.text_features([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, albef.text_features(TEXTS), atol=5e-6)


def test_bfloat16_is_near_float32_and_has_its_own_fingerprint(
    place: Path, albef: ALBEF, images: list[Image.Image]
) -> None:
    half = load_albef(place, runtime=Runtime(precision="bfloat16"))
    cosines = (half.encode_images(images) * albef.encode_images(images)).sum(axis=1)
    assert 0.99 < cosines.min() < 1 - 1e-7
    assert half.fingerprint != albef.fingerprint


@pytest.mark.parametrize("layout", ["model", "bare", "no bert", "lean", "safetensors"])
def test_every_layout_gives_the_same(
    layout: str, albef: ALBEF, tensors: dict[str, Any], images: list[Image.Image], tmp_path: Path
) -> None:
    content = tensors | unneeded(tensors)
    if layout == "no bert":
        content = {key.replace("text_encoder.bert.", "text_encoder."): value for key, value in content.items()}
    if layout == "lean":
        content = dict(tensors)
    if layout == "safetensors":
        from safetensors.torch import save_file

        save_file({key: value.clone() for key, value in content.items()}, settle(tmp_path) / "mscoco.safetensors")
    else:
        torch.save({"model": content} if layout == "model" else content, settle(tmp_path) / "mscoco.pth")
    other = load_albef(tmp_path)
    assert other.fingerprint != albef.fingerprint, "it is another file"
    np.testing.assert_array_equal(other.image_features(images), albef.image_features(images))
    np.testing.assert_array_equal(other.text_features(TEXTS), albef.text_features(TEXTS))
    np.testing.assert_array_equal(logits(other, images, TEXTS[:4]), logits(albef, images, TEXTS[:4]))


@pytest.mark.long
def test_every_missing_tensor_is_refused_by_name(tensors: dict[str, Any], tmp_path: Path) -> None:
    file = settle(tmp_path) / "ALBEF.pth"
    for key in tensors:
        torch.save({name: value for name, value in tensors.items() if name != key}, file)
        with pytest.raises(EncoderError) as refused:
            load_albef(file)
        assert str(refused.value).startswith(f"the weights in {file} lack ")
        assert key.replace("text_encoder.bert.", "text_encoder.") in str(refused.value)


def test_many_missing_tensors_are_named_up_to_three(tensors: dict[str, Any], tmp_path: Path) -> None:
    torch.save({name: value for name, value in tensors.items() if "blocks.1." not in name}, settle(tmp_path) / "a.pth")
    with pytest.raises(EncoderError, match=r"blocks\.1\.(.*blocks\.1\.){2}.* and 9 more") as refused:
        load_albef(tmp_path)
    assert str(refused.value).count("blocks.1.") == 3


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("visual_encoder.blocks.3.norm1.weight", (32,), "does not: visual_encoder.blocks.3"),
        (
            "text_encoder.bert.encoder.layer.1.crossattention.self.key.bias",
            (32,),
            "does not: text_encoder.encoder.layer.1",
        ),
        (
            "text_proj.weight",
            (DIM, 31),
            r"do not fit together: text_proj.weight has the shape \(8, 31\), not \(8, 32\)",
        ),
        ("visual_encoder.pos_embed", (1, 6, 32), "do not fit together: visual_encoder.pos_embed"),
        ("visual_encoder.pos_embed", (), "do not fit together: visual_encoder.pos_embed"),
    ],
)
def test_tensors_of_another_network_are_refused(
    name: str, shape: tuple[int, ...], message: str, tensors: dict[str, Any], tmp_path: Path
) -> None:
    torch.save(tensors | {name: torch.zeros(shape)}, settle(tmp_path) / "ALBEF.pth")
    with pytest.raises(EncoderError, match=message):
        load_albef(tmp_path)


def test_heads_that_nothing_tells_are_refused(place: Path, tmp_path: Path) -> None:
    for name in ("ALBEF.pth", "vocab.txt", "config_bert.json"):
        shutil.copy(place / name, tmp_path / name)
    with pytest.raises(EncoderError, match=r"width 32, which 0 attention heads.*config\.json"):
        load_albef(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"vit": {"num_heads": 2}}))
    assert load_albef(tmp_path).network.architecture == load_albef(place).network.architecture


def test_a_fusion_layer_that_cannot_be_is_refused(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "copy")
    (tmp_path / "copy/config_bert.json").write_text(json.dumps({"num_attention_heads": 2, "fusion_layer": 4}))
    with pytest.raises(EncoderError, match="fused from layer 4"):
        load_albef(tmp_path / "copy")


def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(trap),))

    torch.save({"model": {"visual_encoder.cls_token": Payload()}}, settle(tmp_path) / "ALBEF.pth")
    with pytest.raises(EncoderError, match="is a pickle .*is not opened"):
        load_albef(tmp_path)
    assert not trap.exists()
    torch.load(tmp_path / "ALBEF.pth", weights_only=False)
    assert trap.exists(), "the payload works where pickles are trusted"


def test_places_without_one_checkpoint_are_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="holds no ALBEF.pth"):
        load_albef(tmp_path)
    with pytest.raises(EncoderError, match="there is no"):
        load_albef(tmp_path / "gone.pth")
    for name in ("ALBEF.pth", "mscoco.pth"):
        shutil.copy(place / "ALBEF.pth", tmp_path / name)
    with pytest.raises(EncoderError, match="several checkpoints: ALBEF.pth, mscoco.pth"):
        load_albef(tmp_path)


def test_pictures_alone_ask_for_no_vocabulary(place: Path, albef: ALBEF, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("vocab.txt"))
    found, pictures = load_albef(tmp_path / "ALBEF.pth"), [Image.new("RGB", (40, 30), "teal")]
    assert found.encode_images(pictures).tobytes() == albef.encode_images(pictures).tobytes()
    assert found.fingerprint != albef.fingerprint
    assert restore("albef", found.state).encode_images(pictures).tobytes() == albef.encode_images(pictures).tobytes()
    with pytest.raises(EncoderError, match=r"vocab\.txt is missing.*bert-base-uncased"):
        found.encode_texts(["a storm at sea"])


def test_another_vocabulary_is_refused(place: Path, tmp_path: Path) -> None:
    for words in (VOCABULARY[:-1], [word.replace("[UNK]", "x1") for word in VOCABULARY]):
        (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
        with pytest.raises(
            EncoderError, match=rf"has {len(words)} word pieces, but .* with {len(VOCABULARY)}|lacks \[UNK\]"
        ):
            load_albef(place, vocabulary=tmp_path)
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(EncoderError, match="cannot be read"):
        load_albef(place, vocabulary=tmp_path / "vocab.txt")


def test_texts_become_the_word_pieces_of_the_vocabulary(albef: ALBEF) -> None:
    piece = {word: number for number, word in enumerate(VOCABULARY)}
    ids = albef.token_ids(["A ship, in a storm!", "<person>", "斑"])
    expected = ["[CLS]", "a", "ship", "i", "##n", "a", "storm"]
    assert ids[0] == [piece[word] for word in expected], "[CLS] in front, no [SEP], no [UNK]"
    assert ids[1] == [piece["[CLS]"], piece["person"]]
    assert ids[2] == [piece["[CLS]"], piece["[UNK]"]]
    assert albef.token_ids(["sea " * 40]) == [[piece["[CLS]"], *[piece["sea"]] * 29]]
    assert albef.token_ids([""]) == [[piece["[CLS]"]]]


def test_zccr_neither_cuts_at_thirty_ids_nor_cleans_the_tag(place: Path, albef: ALBEF) -> None:
    zccr = load_albef(place, cleaning="zccr")
    piece = {word: number for number, word in enumerate(VOCABULARY)}
    assert zccr.token_ids(["<person>"]) == [[piece[word] for word in ("[CLS]", "<", "person", ">")]]
    assert len(zccr.token_ids(["abc " * 12])[0]) == 37
    assert len(zccr.token_ids(["abc " * 30])[0]) == 40, "the network has no more positions"
    np.testing.assert_array_equal(zccr.encode_texts(["a ship"]), albef.encode_texts(["a ship"]))
    assert zccr.fingerprint != albef.fingerprint
    with pytest.raises(EncoderError, match="'other'; choose albef or zccr"):
        load_albef(place, cleaning="other")  # type: ignore[arg-type]


def test_positions_are_interpolated_for_larger_pictures(place: Path, albef: ALBEF, images: list[Image.Image]) -> None:
    before = albef.network.weights["visual_encoder.pos_embed"]
    larger = load_albef(place, image_size=64)
    after = larger.network.weights["visual_encoder.pos_embed"]
    assert after.shape == (1, 17, 32)
    assert torch.equal(after[:, 0], before[:, 0])
    # The first of four samples lies at -1/4 of two, 5/4 away from the second, whose weight is a(d³ - 5d² + 8d - 4) with
    # a = -3/4 at that distance; all nearer samples are the first, repeated beyond the edge.
    second = -0.75 * (1.25**3 - 5 * 1.25**2 + 8 * 1.25 - 4)
    square, wide = before[0, 1:].reshape(2, 2, 32), after[0, 1:].reshape(4, 4, 32)
    row = square[0] * (1 - second) + square[1] * second
    assert torch.allclose(wide[0, 0], row[0] * (1 - second) + row[1] * second, atol=1e-6)
    assert larger.encode_images(images).shape == (4, DIM)
    assert larger.preprocessing.size == 64
    assert larger.fingerprint != albef.fingerprint
    assert load_albef(place, image_size=32).fingerprint == albef.fingerprint
    for wrong in (40, 0, -16):
        with pytest.raises(EncoderError, match=f"pictures of {wrong} pixels"):
            load_albef(place, image_size=wrong)


def test_a_saved_state_loads_the_same_encoder(place: Path, images: list[Image.Image], tmp_path: Path) -> None:
    before = load_albef(place, image_size=48, cleaning="zccr", runtime=Runtime(precision="bfloat16"))
    before.state.save(tmp_path)
    again = restore("albef", EncoderState.load(tmp_path))
    assert again.fingerprint == before.fingerprint
    np.testing.assert_array_equal(again.encode_images(images), before.encode_images(images))
    np.testing.assert_array_equal(again.encode_texts(TEXTS), before.encode_texts(TEXTS))
    assert not before.state.arrays


def test_other_weights_at_the_same_place_are_refused(place: Path, tensors: dict[str, Any], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(place, tmp_path / "copy"))
    state = load_albef(folder).state
    torch.save(tensors | {"text_proj.bias": tensors["text_proj.bias"] + 1e-3}, folder / "ALBEF.pth")
    with pytest.raises(ProvenanceError, match="not those that the vectors were made with"):
        restore("albef", state)
    (folder / "ALBEF.pth").unlink()
    with pytest.raises(EncoderError, match="there is no"):
        restore("albef", state)


def test_the_same_weights_with_other_heads_are_refused(place: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(place, tmp_path / "copy"))
    before = load_albef(folder)
    state = before.state
    (folder / "config.json").write_text(json.dumps({"vit": {"num_heads": 4}}))
    with pytest.raises(ProvenanceError, match="other layers or settings"):
        restore("albef", state)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vit": {"num_heads": 2, "depth": 3}}))
    assert restore("albef", state).fingerprint == before.fingerprint


def test_states_that_are_not_albefs_are_refused(albef: ALBEF) -> None:
    with pytest.raises(ProvenanceError, match="this one is of 'clip'"):
        restore("albef", replace(albef.state, name="clip"))
    for key in albef.state.settings:
        rest = {name: value for name, value in albef.state.settings.items() if name != key}
        with pytest.raises(ProvenanceError, match="not whole|other layers"):
            restore("albef", replace(albef.state, settings=rest))
