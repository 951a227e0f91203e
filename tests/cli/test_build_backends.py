"""`build` with exports, drafts and the report on what is lacking, as people call it; and exports timed side by side."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.encoders.tiny_models import openai_clip, pictures, write_bert_folder, write_clip_folder, write_merges
from tests.galleries import toy_gallery, toy_row, write_table

from vernissage.cli.main import main
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.onnx_export import export_onnx
from vernissage.encoders.towers.clip import load_clip, load_original
from vernissage.encoders.towers.sentence import load_sentence

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
save_file = pytest.importorskip("safetensors.torch").save_file

TEXTS = ["a storm at sea", "the rose in the garden"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that must end with the code, and return what it printed."""

    def call(*arguments: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert (end.value.code or 0) == code, captured.err
        return captured.err if code else captured.out

    return call


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The weights of a CLIP and their export with int8; read them only."""
    folder = tmp_path_factory.mktemp("clip")
    save_file(openai_clip(), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    write_clip_folder(folder / "clip", load_original(folder / "clip.safetensors", Runtime())[0])
    export_onnx(load_clip(folder / "clip"), folder / "onnx", images=pictures(), texts=TEXTS, int8=True)
    return folder / "clip", folder / "onnx"


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """12 works, one of them without a picture."""
    folder = toy_gallery(tmp_path / "gallery", count=12)
    write_table(folder, [toy_row(number) | ({"file_name": ""} if number == 4 else {}) for number in range(12)])
    return folder


def test_a_workspace_keeps_its_backend(run: Any, clip: tuple[Path, Path], gallery: Path, tmp_path: Path) -> None:
    weights, export = clip
    build = ("build", gallery, "-o", tmp_path / "ws")
    asked = (*build, "--encoder", "clip", "--weights", weights)
    onnx = (*asked, "--backend", "onnx", "--onnx", export)
    printed = run(*onnx)
    assert "encoded anew: 11 with clip.image, 12 with clip.text" in printed
    assert "1 work without a picture is in no clip image vectors, found by its text alone\n" in printed
    told = json.loads(run(*build, "--json"))
    assert set(told["encoded"].values()) == {0}
    assert told["coverage"] == [
        {
            "encoder": "clip",
            "sentence": "1 work without a picture is in no clip image vectors, found by its text alone",
            "image": {"works": 11, "without": 1, "unreadable": 0},
            "text": {"works": 12, "without": 0, "unreadable": 0},
        }
    ]
    found = json.loads(run("search", tmp_path / "ws", "a rose in the garden", "--encoder", "clip", "--json"))
    same = tmp_path / "torch"
    run("build", gallery, "-o", same, "--encoder", "clip", "--weights", weights)
    expected = json.loads(run("search", same, "a rose in the garden", "--encoder", "clip", "--json"))
    assert [work["id"] for work in found["works"]] == [work["id"] for work in expected["works"]]
    info = run("info", tmp_path / "ws")
    assert f"clip is computed by onnx in float32, from the export {export.resolve()}" in info
    assert "1 work without a picture is in no clip image vectors" in info
    run("recommend", tmp_path / "ws", "--rate", "w000=5", "--engine", "clip", "-n", "3")
    assert "12 with clip.text" in run(*onnx, "--precision", "int8")
    assert "computed by onnx in int8" in run("info", tmp_path / "ws")
    assert "12 with clip.text" in run(*asked)
    assert "computed by" not in run("info", tmp_path / "ws")


def test_a_lost_export_is_told_in_one_line(run: Any, clip: tuple[Path, Path], gallery: Path, tmp_path: Path) -> None:
    weights, export = clip[0], Path(shutil.copytree(clip[1], tmp_path / "onnx"))
    build = ("build", gallery, "-o", tmp_path / "ws")
    run(*build, "--encoder", "clip", "--weights", weights, "--backend", "onnx", "--onnx", export)
    shutil.rmtree(export)
    run("recommend", tmp_path / "ws", "--rate", "w000=5", "--engine", "clip", "-n", "3")
    for command in (("search", tmp_path / "ws", "a ship", "--encoder", "clip"), build):
        told = run(*command, code=4)
        assert len(told.splitlines()) == 1
        assert str(export) in told
        assert "encoders export" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--backend", "onnx"), "are for encoders with weights, and none is asked for"),
        (("--precision", "int8"), "are for encoders with weights, and none is asked for"),
        (("-e", "clip", "--backend", "onnx"), "none is named for clip; name its folder with --onnx clip=FOLDER"),
        (("-e", "clip", "--onnx", "{onnx}"), "torch runs the weights; add --backend onnx"),
        (("-e", "clip", "--backend", "jax", "--onnx", "{onnx}"), "there is no backend 'jax'"),
        (("-e", "clip", "--precision", "int8"), "torch does not compute in int8; choose from torch: float32 or"),
        (("-e", "clip", "--backend", "onnx", "--onnx", "{onnx}", "--device", "cuda"), "onnx runs on the CPU"),
        (("-e", "clip", "-e", "minilm", "--backend", "onnx", "--onnx", "{onnx}"), "of which encoder is the export"),
        (("-e", "clip", "-e", "minilm", "--backend", "onnx", "--onnx", "clip={onnx}"), "none is named for minilm"),
        (("-e", "clip", "--backend", "onnx", "--onnx", "minilm={onnx}"), "'minilm', which is not asked for"),
        (("-e", "blip", "--backend", "onnx", "--onnx", "{onnx}", "--pairs", "3"), "its pairs too are read by torch"),
        (("-e", "clip", "--backend", "onnx", "--onnx", "{onnx}", "--pairs", "3"), "no encoder here reads them"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(
    run: Any, clip: tuple[Path, Path], gallery: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    told = run("build", gallery, "-o", tmp_path / "ws", *(word.format(onnx=clip[1]) for word in options), code=1)
    assert words in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "ws").exists()


def test_several_encoders_each_with_its_export(
    run: Any, clip: tuple[Path, Path], gallery: Path, tmp_path: Path
) -> None:
    write_bert_folder(tmp_path / "bert", ["a", "ship", "near", "the", "rose"])
    export_onnx(load_sentence(tmp_path / "bert"), tmp_path / "bert-onnx", texts=TEXTS)
    build = ("build", gallery, "-o", tmp_path / "ws")
    encoders = (
        "-e",
        "clip",
        "--weights",
        f"clip={clip[0]}",
        "-e",
        "sentence",
        "--weights",
        f"sentence={tmp_path}/bert",
    )
    exports = ("--onnx", f"clip={clip[1]}", "--onnx", f"sentence={tmp_path}/bert-onnx")
    printed = run(*build, *encoders, "--backend", "onnx", *exports)
    assert "12 with clip.text, 12 with sentence.text" in printed
    info = run("info", tmp_path / "ws")
    assert "clip is computed by onnx" in info
    assert "sentence is computed by onnx" in info
    printed = run(*build, "-e", "sentence", "--weights", tmp_path / "bert")  # clip stays as it was
    assert "0 with clip.image, 0 with clip.text, 12 with sentence.text" in printed


def test_drafts_can_be_switched_off(run: Any, gallery: Path, tmp_path: Path) -> None:
    build = ("build", gallery, "-o", tmp_path / "ws", "--encoder", "colour-texture")
    run(*build)
    assert "11 with colour-texture.image" in run(*build, "--no-draft")
    assert "0 with colour-texture.image" in run("build", gallery, "-o", tmp_path / "ws")
    assert "pictures are decoded whole" in run("info", tmp_path / "ws")
    assert "pictures are decoded whole" not in (run(*build, "--draft"), run("info", tmp_path / "ws"))[1]
