"""The command `export-onnx` on tiny random weights, as people and scripts call it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.encoders.tiny_models import openai_clip, write_bert_folder, write_clip_folder, write_merges

from vernissage.cli.main import main
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.towers.clip import load_original

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
save_file = pytest.importorskip("safetensors.torch").save_file


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command, and return its exit code and what it printed on standard output and error."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_file(openai_clip(), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    write_clip_folder(folder / "clip", load_original(folder / "clip.safetensors", Runtime())[0])
    return folder / "clip"


def test_it_prints_what_was_measured(run: Any, weights: Path, tmp_path: Path) -> None:
    code, printed, said = run("export-onnx", "clip", "--weights", weights, "--out", tmp_path / "onnx", "--int8")
    assert code == 0, said
    for file, precision in (("image.onnx", "float32"), ("text.onnx", "float32")):
        assert re.search(rf"{file} +{precision} +[\d.]+ .?B +1\.000000 +1\.000000 +\d+", printed)
    assert re.search(r"image\.int8\.onnx +int8 +[\d.]+ .?B +0\.99\d+ +0\.99\d+ +24", printed)
    assert re.search(r"text\.int8\.onnx +int8 +[\d.]+ .?B +0\.9\d+ +0\.9\d+ +16", printed)
    assert "over simple drawings and sample sentences; name your own with --images and --texts" in said


def test_it_measures_on_works_of_ones_own(run: Any, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number, colour in enumerate(["teal", "plum", "snow"]):
        Image.effect_noise((40 + number, 50), 60).convert("RGB").save(tmp_path / "photos" / f"{colour}.png")
    (tmp_path / "captions.txt").write_text("a ship\n\nthe rose in the garden\n", encoding="utf-8")
    out = tmp_path / "onnx"
    own = ("--images", tmp_path / "photos", "--texts", tmp_path / "captions.txt")
    code, printed, said = run("export-onnx", "clip", "--weights", weights, "--out", out, *own, "--json")
    assert code == 0, said
    assert "name your own" not in said
    answer = json.loads(printed)
    assert {tower["file"]: tower["fidelity"]["count"] for tower in answer["towers"]} == {
        "image.onnx": 3,
        "text.onnx": 2,
    }
    card = json.loads((out / "onnx.json").read_text())
    assert answer["fingerprint"] == card["fingerprint"]
    assert answer["towers"] == card["towers"]


def test_a_text_encoder_needs_no_pictures(run: Any, tmp_path: Path) -> None:
    write_bert_folder(tmp_path / "bert", ["a", "ship", "the", "sea", "garden"], positions=256)
    call = ("export-onnx", "sentence", "--weights", tmp_path / "bert", "--out", tmp_path / "onnx")
    code, _, said = run(*call)
    assert code == 0, said
    assert "over sample sentences; name your own with --texts" in said
    assert sorted(file.name for file in (tmp_path / "onnx").iterdir()) == ["onnx.json", "text.onnx"]
    code, printed, said = run(*call)
    assert (code, printed) == (4, "")
    assert said == f"error: {tmp_path / 'onnx'} already holds something; name a new or empty folder for the export\n"


def test_misuse_is_one_line(run: Any, tmp_path: Path) -> None:
    code, printed, said = run("export-onnx", "lda", "--out", tmp_path / "onnx")
    assert (code, printed) == (1, "")
    assert said.startswith("error: lda is fitted on a collection and has no weights to load; choose from ")
    assert said.count("\n") == 1
    assert not (tmp_path / "onnx").exists()
