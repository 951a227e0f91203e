"""Exported networks against the encoders they were made from, on tiny random weights."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.encoders.tiny_models import (
    openai_clip,
    pictures,
    scattered,
    write_bert_folder,
    write_clip_folder,
    write_merges,
    write_siglip,
)

from vernissage.encoders.contract import ImageEncoder, TextEncoder
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.onnx import Fidelity, OnnxCard, load_onnx, read_card
from vernissage.encoders.runtime.onnx_export import cosines, export_onnx
from vernissage.encoders.towers.clip import load_clip, load_original
from vernissage.encoders.towers.dual import load_dual
from vernissage.encoders.towers.resnet import load_resnet
from vernissage.encoders.towers.sentence import load_sentence
from vernissage.errors import EncoderError, ProvenanceError, VernissageError, WorkspaceError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")
save_file = pytest.importorskip("safetensors.torch").save_file

TEXTS = ["a storm at sea", "The ROSE in the garden", "ship", "", "sea " * 90, "in the sea a ship, in the garden a rose"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def clip_in(folder: Path, *, seed: int = 1) -> Any:
    save_file(openai_clip(seed), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    target = folder / "clip"
    write_clip_folder(target, load_original(folder / "clip.safetensors", Runtime())[0])
    return load_clip(target)


def dual_in(folder: Path) -> Any:
    write_siglip(folder)
    return load_dual(folder)


def resnet_in(folder: Path) -> Any:
    config = transformers.ResNetConfig(embedding_size=6, hidden_sizes=[8, 12], depths=[2, 1], num_labels=3)
    model = scattered(transformers.ResNetForImageClassification(config), 5)
    for name, value in model.named_buffers():
        if name.endswith("running_var"):
            value.fill_(0.5)
    model.save_pretrained(folder)
    return load_resnet(folder)


def sentence_in(folder: Path) -> Any:
    write_bert_folder(folder, ["a", "storm", "at", "sea", "ship", "rose", "in", "the", "garden"])
    return load_sentence(folder)


FAMILIES: dict[str, Callable[[Path], Any]] = {
    "clip": clip_in,
    "dual": dual_in,
    "resnet50": resnet_in,
    "sentence": sentence_in,
}


@pytest.fixture(scope="module", params=list(FAMILIES))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """An encoder and its export, in int8 too where it has products of matrices; read them only."""
    folder = tmp_path_factory.mktemp(request.param)
    encoder = FAMILIES[request.param](folder)
    out = folder / "onnx"
    export_onnx(encoder, out, images=pictures(), texts=TEXTS, int8=request.param != "resnet50")
    return encoder, out


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A CLIP and its export with int8; read them only."""
    folder = tmp_path_factory.mktemp("clip-alone")
    encoder = clip_in(folder)
    export_onnx(encoder, folder / "onnx", images=pictures(), texts=TEXTS, int8=True)
    return encoder, folder / "onnx"


def test_it_gives_the_encoders_vectors(exported: tuple[Any, Path]) -> None:
    encoder, folder = exported
    loaded = load_onnx(encoder, folder, threads=1, batch_size=2)
    assert (loaded.name, loaded.dim, loaded.modalities) == (encoder.name, encoder.dim, encoder.modalities)
    if "image" in encoder.modalities:
        assert isinstance(loaded, ImageEncoder)
        np.testing.assert_allclose(loaded.encode_images(pictures()), encoder.encode_images(pictures()), atol=1e-5)
        assert loaded.encode_images([]).shape == (0, encoder.dim)
    if "text" in encoder.modalities:
        assert isinstance(loaded, TextEncoder)
        vectors = loaded.encode_texts(TEXTS)
        np.testing.assert_allclose(vectors, encoder.encode_texts(TEXTS), atol=1e-5)
        assert not vectors[3].any()
        assert loaded.token_ids(TEXTS) == encoder.token_ids(TEXTS)
        assert loaded.encode_texts([]).shape == (0, encoder.dim)


def test_it_reads_no_modality_that_the_encoder_does_not(exported: tuple[Any, Path]) -> None:
    encoder, folder = exported
    loaded = load_onnx(encoder, folder, threads=1)
    assert isinstance(loaded, ImageEncoder) == ("image" in encoder.modalities)
    assert isinstance(loaded, TextEncoder) == ("text" in encoder.modalities)


def test_the_encoder_stays_as_it_was(tmp_path: Path) -> None:
    """The exporter must not leave dropout or normalisation in training mode."""
    encoder = resnet_in(tmp_path)
    before = encoder.encode_images(pictures())
    export_onnx(encoder, tmp_path / "onnx", images=pictures())
    np.testing.assert_array_equal(encoder.encode_images(pictures()), before)


def test_the_card_tells_what_was_measured(clip: tuple[Any, Path]) -> None:
    encoder, folder = clip
    card = read_card(folder)
    assert (card.encoder, card.fingerprint, card.dim) == ("clip", encoder.fingerprint, encoder.dim)
    assert card.inputs["image"]["size"] == encoder.preprocessing.size
    assert [(tower.file, tower.precision) for tower in card.towers] == [
        ("image.onnx", "float32"),
        ("text.onnx", "float32"),
        ("image.int8.onnx", "int8"),
        ("text.int8.onnx", "int8"),
    ]
    for tower in card.towers:
        assert tower.fidelity is not None
        loaded = load_onnx(encoder, folder, tower.precision, threads=1)  # type: ignore[arg-type]
        if tower.modality == "image":
            found, expected = loaded.encode_images(pictures()), encoder.encode_images(pictures())
        else:
            found, expected = loaded.encode_texts(TEXTS), encoder.encode_texts(TEXTS)
        kept = expected.any(axis=1)
        values = np.sum(found[kept] * expected[kept], axis=1)
        assert tower.fidelity.count == kept.sum()
        assert tower.fidelity.minimum == pytest.approx(values.min(), abs=1e-5)
        assert tower.fidelity.mean == pytest.approx(values.mean(), abs=1e-5)
        assert (tower.fidelity.minimum > 0.999999) == (tower.precision == "float32")


def test_a_row_in_int8_does_not_depend_on_the_others(clip: tuple[Any, Path]) -> None:
    encoder, folder = clip
    loaded = load_onnx(encoder, folder, "int8", threads=2)
    together = loaded.encode_images(pictures())
    for row, image in zip(together, pictures(), strict=True):
        np.testing.assert_array_equal(loaded.encode_images([image])[0], row)
    texts = loaded.encode_texts(TEXTS)
    for row, text in zip(texts, TEXTS, strict=True):
        np.testing.assert_array_equal(loaded.encode_texts([text])[0], row)
    assert loaded.encode_texts(TEXTS).tobytes() == texts.tobytes()


def test_fingerprints_tell_backend_and_precision(clip: tuple[Any, Path]) -> None:
    encoder, folder = clip
    prints = {precision: load_onnx(encoder, folder, precision).fingerprint for precision in ("float32", "int8")}  # type: ignore[arg-type]
    assert prints["float32"].endswith("-onnx-float32")
    assert prints["int8"].endswith("-onnx-int8")
    assert len({encoder.fingerprint, *prints.values()}) == 3
    assert load_onnx(encoder, folder, batch_size=3, threads=1).fingerprint == prints["float32"]


def test_cosines_by_hand() -> None:
    expected = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
    found = np.array([[3, 4], [0, 2], [1, 0]], dtype=np.float32)
    assert cosines(found, expected) == Fidelity(pytest.approx(0.8), pytest.approx(0.6), 2)
    with pytest.raises(EncoderError, match="nothing to measure"):
        cosines(expected[2:], expected[2:])


def test_other_weights_are_refused(clip: tuple[Any, Path], tmp_path: Path) -> None:
    other = clip_in(tmp_path, seed=2)
    with pytest.raises(ProvenanceError, match=r"is of clip .* export these with"):
        load_onnx(other, clip[1])
    bfloat16 = load_clip(tmp_path / "clip", runtime=Runtime("cpu", "bfloat16"))
    with pytest.raises(EncoderError, match="load it in float32"):
        export_onnx(bfloat16, tmp_path / "onnx", images=pictures(), texts=TEXTS)


def test_a_prompt_needs_no_export_of_its_own(clip: tuple[Any, Path]) -> None:
    encoder, folder = clip
    prompted = load_clip(Path(encoder.state.settings["place"]), prompt="This is {}")
    loaded = load_onnx(prompted, folder, threads=1)
    np.testing.assert_allclose(loaded.encode_texts(TEXTS), prompted.encode_texts(TEXTS), atol=1e-5)
    assert np.abs(loaded.encode_texts(["ship"]) - encoder.encode_texts(["ship"])).max() > 1e-3
    assert loaded.fingerprint != load_onnx(encoder, folder, threads=1).fingerprint


def test_another_preparation_of_pictures_is_refused(clip: tuple[Any, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(clip[1], tmp_path / "onnx"))
    rewrite(folder, lambda card: card["inputs"]["image"].update(resize="squash"))
    with pytest.raises(ProvenanceError, match="with other weights or inputs"):
        load_onnx(clip[0], folder)


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "image.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "image.onnx").write_bytes(content)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads((folder / "onnx.json").read_text())
    change(content)
    (folder / "onnx.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (flip_a_byte, "image.onnx is missing or not the file"),
        (lambda folder: (folder / "text.onnx").unlink(), "text.onnx is missing"),
        (lambda folder: (folder / "onnx.json").unlink(), "holds no onnx.json"),
        (lambda folder: (folder / "onnx.json").write_text("{"), "is no card"),
        (lambda folder: (folder / "onnx.json").write_text("[]"), "is no card"),
        (lambda folder: rewrite(folder, lambda card: card.update(format=2)), "another version"),
        (lambda folder: rewrite(folder, lambda card: card.pop("dim")), "is no card"),
        (
            lambda folder: rewrite(folder, lambda card: card.update(towers=card["towers"][1:])),
            "has no image network in float32",
        ),
    ],
)
def test_a_damaged_export_is_refused(
    clip: tuple[Any, Path], tmp_path: Path, spoil: Callable[[Path], Any], message: str
) -> None:
    folder = Path(shutil.copytree(clip[1], tmp_path / "onnx"))
    spoil(folder)
    with pytest.raises(ProvenanceError, match=message):
        load_onnx(clip[0], folder)


def test_what_cannot_be_is_told(clip: tuple[Any, Path], tmp_path: Path) -> None:
    encoder, folder = clip
    with pytest.raises(EncoderError, match="onnx does not compute in bfloat16"):
        load_onnx(encoder, folder, "bfloat16")
    with pytest.raises(EncoderError, match="openvino does not compute in int8"):
        load_onnx(encoder, folder, "int8", backend="openvino")
    with pytest.raises(WorkspaceError, match="already holds something"):
        export_onnx(encoder, folder, images=pictures(), texts=TEXTS)
    with pytest.raises(EncoderError, match="reads texts; give some"):
        export_onnx(encoder, tmp_path / "out", images=pictures())
    float32 = tmp_path / "float32"
    export_onnx(encoder, float32, images=pictures()[:1], texts=TEXTS[:1])
    with pytest.raises(EncoderError, match="holds no int8 export"):
        load_onnx(encoder, float32, "int8")


@pytest.mark.parametrize("family", ["resnet50", "clip"])
def test_what_fails_leaves_nothing_behind(family: str, tmp_path: Path) -> None:
    """Convolutions gain nothing from dynamic int8; blank texts cannot be measured on."""
    encoder = FAMILIES[family](tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(VernissageError):
        export_onnx(encoder, tmp_path / "onnx", images=pictures(), texts=["  "], int8=True)
    assert sorted(tmp_path.iterdir()) == before


def test_an_encoder_without_weights_is_refused(tmp_path: Path) -> None:
    class Silent:
        name, dim, modalities, fingerprint = "lda", 2, frozenset({"text"}), ""

    with pytest.raises(EncoderError, match="lda runs in torch alone"):
        export_onnx(Silent(), tmp_path / "onnx", texts=["a"])  # type: ignore[arg-type]


@pytest.mark.parametrize(("precision", "least"), [("float32", 0.999999), ("bfloat16", 0.999)])
def test_openvino_gives_the_same_but_for_rounding(clip: tuple[Any, Path], precision: Any, least: float) -> None:
    openvino = pytest.importorskip("openvino")
    if precision == "bfloat16" and "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    encoder, folder = clip
    loaded = load_onnx(encoder, folder, precision, backend="openvino", threads=1)
    assert loaded.fingerprint.endswith(f"-openvino-{precision}")
    found = [loaded.encode_images(pictures()), loaded.encode_texts(TEXTS)]
    for vectors, expected in zip(found, [encoder.encode_images(pictures()), encoder.encode_texts(TEXTS)], strict=True):
        assert cosines(vectors, expected).minimum > least


def test_the_golden_clip_agrees(tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[2] / ".." / "shared" / "golden"
    if not golden.is_dir():
        pytest.skip("the reference values are not beside this checkout")
    encoder = load_clip(golden / "clip" / "hf_clip_tiny")
    inputs = json.loads((golden / "clip" / "inputs.json").read_text())
    with np.load(golden / "clip" / "expected.npz") as archive:
        expected = dict(archive)
    export_onnx(encoder, tmp_path / "onnx", images=[Image.new("RGB", (50, 60), "olive")], texts=["a ship"])
    loaded = load_onnx(encoder, tmp_path / "onnx", threads=1)
    np.testing.assert_allclose(loaded.text_features(inputs["captions"]), expected["text_feat"], atol=5e-5)


def test_a_card_survives_writing(tmp_path: Path) -> None:
    card = OnnxCard("clip", "0" * 16, "1" * 64, 4, 17, {"image": {"size": 8}}, {"torch": "2"}, ())
    card.save(tmp_path)
    assert read_card(tmp_path) == card
