import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.encoders.tiny_models import (
    SIGLIP_LENGTH,
    SIGLIP_PICTURES,
    SIGLIP_TOWER,
    SIGLIP_WORDS,
    change,
    pictures,
    scattered,
    write,
    write_bert_folder,
    write_siglip,
)

from vernissage.encoders.contract import ImageEncoder, TextEncoder
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.towers.dual import DualEncoder, load_dual
from vernissage.errors import EncoderError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tensor_files = pytest.importorskip("safetensors.torch")

TEXTS = ["a storm at sea", "Ship!", "", "the ROSE in the garden " * 9, "sea"]
PAD, END, UNKNOWN = 0, 1, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SigLIP 2 for squares; read it only."""
    folder = tmp_path_factory.mktemp("siglip")
    write_siglip(folder)
    return folder


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "siglip"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> DualEncoder:
    return load_dual(folder)


def test_it_computes_what_transformers_does(folder: Path, encoder: DualEncoder) -> None:
    model = transformers.SiglipModel.from_pretrained(folder).eval()
    image = pictures()[0]
    pixels = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32) / 127.5 - 1
    ids = torch.tensor([[3, 4, 5, 6, END, *[PAD] * (SIGLIP_LENGTH - 5)]])
    with torch.inference_mode():
        seen = model.get_image_features(pixel_values=torch.from_numpy(pixels).permute(2, 0, 1)[None]).pooler_output
        read = model.get_text_features(input_ids=ids).pooler_output
    np.testing.assert_allclose(encoder.image_features([image]), seen, atol=2e-5)
    np.testing.assert_allclose(encoder.text_features(["A storm at SEA"]), read, atol=2e-5)


def test_it_keeps_the_contract(encoder: DualEncoder) -> None:
    assert isinstance(encoder, ImageEncoder)
    assert isinstance(encoder, TextEncoder)
    assert (encoder.name, encoder.dim, encoder.modalities) == ("dual", 16, {"image", "text"})
    images, texts = encoder.encode_images(pictures()), encoder.encode_texts(TEXTS)
    assert images.dtype == texts.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), [1, 1, 0, 1, 1], atol=1e-6)
    assert encoder.encode_images([]).shape == encoder.encode_texts([]).shape == (0, 16)


def test_siglip_2_reads_lower_case_and_ends_with_its_mark(encoder: DualEncoder) -> None:
    ids = encoder.token_ids(["A STORM", "ship!", "sea " * 50])
    assert ids == [[3, 4, END], [7, UNKNOWN, END], [*[6] * (SIGLIP_LENGTH - 1), END]]


def test_the_first_siglip_reads_no_punctuation(tmp_path: Path) -> None:
    write_siglip(tmp_path, pad="<eos>")
    assert load_dual(tmp_path).token_ids(["A ship, at sea!"]) == [[3, 7, 5, 6, END]]


def test_padding_to_the_longest_or_with_a_mask_would_show(encoder: DualEncoder) -> None:
    model = encoder.network
    ids = torch.tensor([[3, 4, END]], device=model.device)
    padded = torch.tensor([[3, 4, END, *[PAD] * (SIGLIP_LENGTH - 3)]], device=model.device)
    with torch.inference_mode():
        short = model.get_text_features(input_ids=ids).pooler_output
        masked = model.get_text_features(input_ids=padded, attention_mask=(padded > 0).long()).pooler_output
    right = encoder.text_features(["a storm"])
    assert abs(short.cpu().numpy() - right).max() > 1e-2
    assert abs(masked.cpu().numpy() - right).max() > 1e-2


def test_wrong_preprocessing_would_show(folder: Path, encoder: DualEncoder) -> None:
    assert encoder.preprocessing == Preprocessing("squash", 32, None, "bilinear", (0.5,) * 3, (0.5,) * 3)
    for wrong in ({"filter": "bicubic"}, {"resize": "shorter"}, {"mean": (0.48, 0.46, 0.41)}):
        other = load_dual(folder)
        other.preprocessing = replace(other.preprocessing, **wrong)
        assert abs(other.encode_images(pictures()) - encoder.encode_images(pictures())).max() > 1e-3


def test_other_families_are_read_with_a_mask(tmp_path: Path) -> None:
    write_bert_folder(tmp_path, SIGLIP_WORDS)
    (tmp_path / "model.safetensors").unlink()
    text = {**SIGLIP_TOWER, "vocab_size": 5 + len(SIGLIP_WORDS), "max_position_embeddings": 32, "type_vocab_size": 2}
    vision = {**SIGLIP_TOWER, "image_size": 32, "patch_size": 16}
    config = transformers.ChineseCLIPConfig(text_config=text, vision_config=vision, projection_dim=12)
    scattered(transformers.ChineseCLIPModel(config), 6).save_pretrained(tmp_path)
    crop = {"size": {"shortest_edge": 32}, "crop_size": 32, "do_center_crop": True, "resample": 3}
    write(tmp_path / "processor_config.json", {"image_processor": SIGLIP_PICTURES | crop})
    encoder = load_dual(tmp_path)
    assert encoder.dim == 12
    assert encoder.preprocessing == Preprocessing("shorter", 32, 32, "bicubic", (0.5,) * 3, (0.5,) * 3)
    together, alone = encoder.encode_texts(TEXTS), [encoder.encode_texts([text])[0] for text in TEXTS]
    np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", "cannot load AutoModel from"),
        ("tokenizer.json", "has no tokenizer"),
        ("preprocessor_config.json", "does not say how to prepare pictures"),
    ],
)
def test_a_missing_file_is_named(broken: Path, name: str, message: str) -> None:
    (broken / name).unlink()
    with pytest.raises(EncoderError, match=message):
        load_dual(broken)


def test_a_missing_weight_is_an_error_and_no_random_number(broken: Path) -> None:
    tensors = tensor_files.load_file(broken / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.startswith("vision_model.head.")}
    tensor_files.save_file(kept, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderError, match=r"lack vision_model.head.attention.* and \d+ more"):
        load_dual(broken)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resample": None}, "does not say resample"),
        ({"resample": 1}, "is not offered"),
        ({"do_normalize": False}, "is not offered"),
        ({"rescale_factor": 1 / 127.5}, "is not offered"),
        ({"size": {"height": 32, "width": 48}}, "choose a model whose inputs are squares"),
        ({"size": {"shortest_edge": 32}}, "choose a model whose inputs are squares"),
        ({"do_center_crop": True, "size": {"shortest_edge": 16}, "crop_size": 32}, "are squares"),
    ],
)
def test_a_preprocessing_that_is_not_offered_is_refused(
    broken: Path, settings: dict[str, object], message: str
) -> None:
    change(broken / "preprocessor_config.json", **settings)
    with pytest.raises(EncoderError, match=message):
        load_dual(broken)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("clip", "use the encoder clip"),
        ("blip", "use the encoder blip"),
        ("siglip2", "NaFlex"),
        ("none", "cannot load"),
    ],
)
def test_models_of_other_types_are_refused(broken: Path, kind: str, message: str) -> None:
    change(broken / "config.json", model_type=kind)
    with pytest.raises(EncoderError, match=message):
        load_dual(broken)


def test_a_model_of_texts_alone_is_refused(tmp_path: Path) -> None:
    model = write_bert_folder(tmp_path, SIGLIP_WORDS)
    transformers.BertModel(model.config).save_pretrained(tmp_path)
    write(tmp_path / "preprocessor_config.json", SIGLIP_PICTURES)
    with pytest.raises(EncoderError, match="BertModel, which does not bring pictures and texts"):
        load_dual(tmp_path)
