from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tests.encoders.tiny_blip import (
    CAPTIONS,
    QUERIES,
    WORDS,
    blip2_config,
    far,
    pictures,
    rewrite,
    save_blip2_folder,
    save_blip2_original,
    write_words,
)

from vernissage.encoders.contract import EncoderState, ImageEncoder, TextEncoder
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.pixels import CLIP_MEAN, CLIP_STD
from vernissage.encoders.towers.blip2 import BLIP2, load_blip2
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.search.pairs import PairScorer

RAW, UNIT = 5e-5, 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_blip2_folder(tmp_path_factory.mktemp("blip2"))


@pytest.fixture(scope="module")
def blip2(folder: Path) -> BLIP2:
    return load_blip2(folder)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    """The same model as transformers runs it by itself, with the norm behind the picture half as its authors have it."""
    model = transformers.Blip2ForImageTextRetrieval(blip2_config())
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.vision_model.post_layernorm.eps = 1e-5
    return model.eval()


def pixels() -> torch.Tensor:
    squashed = [np.asarray(image.resize((28, 28), 3), dtype=np.float32) / 255 for image in pictures()]
    normal = (np.stack(squashed) - np.float32(CLIP_MEAN)) / np.float32(CLIP_STD)
    return torch.from_numpy(normal).permute(0, 3, 1, 2)


def one_by_one(model: Any, blip2: BLIP2, *, matching: bool) -> list[list[Any]]:
    """transformers' own forward for every picture and text by itself, the texts filled up to 32 ids."""
    found = []
    with torch.inference_mode():
        for picture in pixels():
            found.append([])
            for ids in blip2.token_ids(CAPTIONS):
                fill = 32 - len(ids)
                row, mask = torch.tensor([ids + [0] * fill]), torch.tensor([[1] * len(ids) + [0] * fill])
                found[-1].append(model(picture[None], row, mask, use_image_text_matching_head=matching))
    return found


def test_it_keeps_the_contract(blip2: BLIP2) -> None:
    assert isinstance(blip2, ImageEncoder)
    assert isinstance(blip2, TextEncoder)
    assert isinstance(blip2, PairScorer)
    assert (blip2.name, blip2.dim, blip2.modalities) == ("blip2", 8, {"image", "text"})
    for rows, count in ((blip2.encode_images(pictures()), 4), (blip2.encode_texts(CAPTIONS), len(CAPTIONS))):
        assert (rows.shape, rows.dtype) == ((count, 8), np.float32)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert (blip2.encode_images([]).shape, blip2.encode_texts([]).shape) == ((0, 8), (0, 8))


def test_captions_are_cleaned_and_cut_to_32_ids_with_both_marks(blip2: BLIP2) -> None:
    ids = blip2.token_ids(CAPTIONS)
    assert " ".join(WORDS[number] for number in ids[0]) == "[CLS] a red boat on the sea [SEP]"
    assert (len(ids[5]), ids[5][0], ids[5][-1]) == (32, WORDS.index("[CLS]"), WORDS.index("[SEP]"))


def test_ids_that_no_text_is_made_of_may_follow(blip2: BLIP2, tmp_path: Path) -> None:
    assert load_blip2(save_blip2_folder(tmp_path, unused=30)).token_ids(CAPTIONS) == blip2.token_ids(CAPTIONS)
    with pytest.raises(EncoderError, match="but the model was trained with"):
        load_blip2(save_blip2_folder(tmp_path, unused=80))


def test_vectors_and_similarities_are_those_of_the_model_run_plainly(blip2: BLIP2, reference: Any) -> None:
    plain = one_by_one(reference, blip2, matching=False)
    images = np.stack([row[0].image_embeds[0].numpy() for row in plain])
    texts = np.stack([out.text_embeds[0].numpy() for out in plain[0]])
    assert images.shape == (4, QUERIES, 8)
    assert far(blip2.encode_images(pictures()), images[:, 0]) <= UNIT
    assert far(blip2.encode_texts(CAPTIONS), texts) <= UNIT
    features = blip2.image_features(pictures())
    of_queries = features / np.linalg.norm(features, axis=2, keepdims=True) @ blip2.encode_texts(CAPTIONS).T
    nearest = np.array([[float(out.logits_per_image[0]) for out in row] for row in plain])
    assert far(of_queries.max(axis=1), nearest) <= UNIT
    assert far(blip2.image_vectors(blip2.image_states(pictures())), images[:, 0]) <= UNIT


def test_matching_is_that_of_each_pair_run_by_itself(blip2: BLIP2, reference: Any) -> None:
    plain = one_by_one(reference, blip2, matching=True)
    expected = np.array([[float(out.logits_per_image.softmax(dim=-1)[0, 1]) for out in row] for row in plain])
    assert far(blip2.itm_block(blip2.image_states(pictures()), CAPTIONS), expected) <= 1e-5
    assert np.ptp(expected) > 0.01


def test_the_norm_behind_the_picture_half_counts(folder: Path, blip2: BLIP2) -> None:
    other = load_blip2(folder)
    other.network.vision_model.post_layernorm.eps = 1e-3
    assert far(other.image_states(pictures()), blip2.image_states(pictures())) > RAW
    assert blip2.network.vision_model.post_layernorm.eps == 1e-5


def test_a_row_does_not_depend_on_the_batch(folder: Path, blip2: BLIP2) -> None:
    whole = blip2.itm_block(blip2.image_states(pictures()), CAPTIONS)
    other = load_blip2(folder, runtime=Runtime(batch_size=2))
    assert far(other.itm_block(other.image_states(pictures()), CAPTIONS), whole) <= 1e-6
    assert far(other.encode_texts(CAPTIONS), blip2.encode_texts(CAPTIONS)) <= 1e-6
    assert far(other.encode_images(pictures()), blip2.encode_images(pictures())) <= 1e-6


def test_bfloat16_stays_close(folder: Path, blip2: BLIP2) -> None:
    rough = load_blip2(folder, runtime=Runtime(precision="bfloat16"))
    assert (rough.encode_images(pictures()) * blip2.encode_images(pictures())).sum(axis=1).min() > 0.99
    rough_block = rough.itm_block(rough.image_states(pictures()), CAPTIONS)
    assert far(rough_block, blip2.itm_block(blip2.image_states(pictures()), CAPTIONS)) < 0.05


def test_the_state_brings_the_same_encoder_back(tmp_path: Path) -> None:
    blip2 = load_blip2(save_blip2_folder(tmp_path / "weights"))
    blip2.state.save(tmp_path / "model")
    again = restore("blip2", EncoderState.load(tmp_path / "model"))
    assert again.fingerprint == blip2.fingerprint
    assert np.array_equal(again.encode_texts(CAPTIONS), blip2.encode_texts(CAPTIONS))
    save_blip2_folder(tmp_path / "weights", seed=2)
    with pytest.raises(ProvenanceError, match="not those that the vectors were made with"):
        restore("blip2", blip2.state)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_authors_layout_gives_the_same(tmp_path: Path, frozen: bool) -> None:
    file = save_blip2_original(tmp_path, frozen=frozen)
    plain = load_blip2(tmp_path / "transformers")
    for place in (file, tmp_path):
        ours = load_blip2(place)
        assert far(ours.encode_images(pictures()), plain.encode_images(pictures())) <= 1e-6
        assert far(ours.encode_texts(CAPTIONS), plain.encode_texts(CAPTIONS)) <= 1e-6
        matching = [each.itm_block(each.image_states(pictures()), CAPTIONS) for each in (ours, plain)]
        assert far(*matching) <= 1e-6
        assert ours.token_ids(CAPTIONS) == plain.token_ids(CAPTIONS)
    assert restore("blip2", ours.state).fingerprint == ours.fingerprint
    if frozen:
        (tmp_path / "eva_vit_g.pth").unlink()
        with pytest.raises(EncoderError, match=r"holds no picture half.*; put eva_vit_g.pth"):
            load_blip2(file)


@pytest.mark.parametrize(
    "lacking", ["ln_vision.weight", "query_tokens", "Qformer.bert.encoder.layer.1.output.dense.bias"]
)
def test_a_part_that_lacks_in_the_authors_layout_is_named(tmp_path: Path, lacking: str) -> None:
    file = save_blip2_original(tmp_path)
    weights = torch.load(file, weights_only=True)["model"]
    torch.save({name: tensor for name, tensor in weights.items() if name != lacking}, file)
    with pytest.raises(EncoderError, match=r"lacks? (query_tokens|vision_model.post_layernorm.weight|qformer.encoder)"):
        load_blip2(file)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no head": (lambda folder: rewrite(folder, {"itm_head.bias": None}), "lack itm_head.bias"),
    "other shape": (lambda folder: rewrite(folder, {"itm_head.bias": torch.zeros(3)}), "from one and the same model"),
    "other words": (lambda folder: write_words(folder, [*WORDS, "more"]), "but the model was trained with"),
    "other model": (lambda folder: (folder / "config.json").write_text('{"model_type": "blip"}'), "not blip-2"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "cannot load"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_what_is_not_whole_is_refused(tmp_path: Path, damage: str) -> None:
    harm, message = BROKEN[damage]
    harm(save_blip2_folder(tmp_path))
    with pytest.raises(EncoderError, match=message) as caught:
        load_blip2(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no folder"):
        load_blip2(tmp_path / "nowhere")
