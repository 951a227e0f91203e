"""Encoding for use elsewhere, and workspaces with encoders that have weights, on tiny models in the real architectures."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.torch import save_file
from tests.conftest import SHARED
from tests.encoders.tiny_blip import CAPTIONS, save_folder
from tests.encoders.tiny_models import openai_clip, write_merges
from tests.galleries import owned_gallery, owner_of, toy_gallery

from vernissage.cli.main import main
from vernissage.files import read_arrays
from vernissage.gallery.engines import make_engine
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.values import Allow
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace

GOLDEN = SHARED / "golden"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.out if code == 0 else captured.err

    return call


@pytest.fixture(scope="session")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("tiny-blip"))


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "pictures").mkdir()
    for number, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (40 + number, 30), colour).save(tmp_path / f"pictures/{number}.png")
    (tmp_path / "texts.json").write_text(json.dumps({f"t{number}": text for number, text in enumerate(CAPTIONS[:2])}))
    return tmp_path / "pictures", tmp_path / "texts.json"


def test_vectors_tokens_and_pairs_are_written(run: Any, blip: Path, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    images, texts = inputs
    asked = ("encode", "blip", "--images", images, "--texts", texts, "--weights", blip)
    run(*asked, "--out", tmp_path / "out.npz", "--tokens", "--pairs")
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["image_ids"].tolist() == ["0.png", "1.png", "2.png"]
        assert arrays["text_ids"].tolist() == ["t0", "t1"]
        for kind in ("image", "text"):
            raw = arrays[f"{kind}_raw"]
            assert arrays[kind] == pytest.approx(raw / np.linalg.norm(raw, axis=1, keepdims=True), abs=1e-6)
        assert (arrays["input_ids"] > 0).sum() == arrays["attention_mask"].sum()
        logits = arrays["itm_logits"].astype(np.float64)
        yes = np.exp(logits[:, :, 1]) / np.exp(logits).sum(axis=2)
        assert arrays["itm_prob"] == pytest.approx(yes, abs=1e-6)
        assert len(str(arrays["fingerprint"])) == 16


def test_a_table_of_vectors(run: Any, blip: Path, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    images, texts = inputs
    run("encode", "blip", "--images", images, "--texts", texts, "--weights", blip, "--out", tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("id").to_pylist() == ["0.png", "1.png", "2.png", "t0", "t1"]
    assert table.column("modality").to_pylist() == ["image"] * 3 + ["text"] * 2
    assert np.linalg.norm(table.column("vector").to_pylist()[4]) == pytest.approx(1)


def test_batches_of_any_size_give_the_same_vectors_and_pairs_in_the_order_of_names(
    run: Any, blip: Path, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    asked = ("encode", "blip", "--images", inputs[0], "--texts", inputs[1], "--weights", blip, "--pairs")
    whole, single = tmp_path / "whole.npz", tmp_path / "single.npz"
    run(*asked, "--out", whole)
    run(*asked, "--out", single, "--batch-size", "1")
    expected, found = read_arrays(whole), read_arrays(single)
    assert found["image_ids"].tolist() == ["0.png", "1.png", "2.png"]
    for name in ("image_raw", "itm_prob", "itm_logits"):
        assert found[name] == pytest.approx(expected[name], abs=1e-5)
    assert np.abs(np.diff(expected["image"], axis=0)).max(axis=1).min() > 1e-3, "a wrong order would not be seen"


def test_drafts_are_close_and_leave_small_pictures_as_they_are(run: Any, tmp_path: Path) -> None:
    pictures, weights = tmp_path / "pictures", tmp_path / "clip"
    pictures.mkdir()
    weights.mkdir()
    save_file(openai_clip(), weights / "clip.safetensors")
    write_merges(weights / "merges.txt")
    detail = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    for name, scale in (("large", 16), ("small", 3)):
        picture = Image.fromarray(detail).resize((32 * scale, 24 * scale), Image.Resampling.BICUBIC)
        picture.save(pictures / f"{name}.jpg", quality=95)
    asked = ("encode", "clip", "--images", pictures, "--weights", weights / "clip.safetensors")
    found = {}
    for switch in ("", "--no-draft", "--draft"):
        run(*asked, *filter(None, [switch]), "--force", "--out", tmp_path / "out.npz")
        found[switch] = read_arrays(tmp_path / "out.npz")["image"]
    assert np.array_equal(found[""], found["--no-draft"])
    large, small = zip(found[""], found["--draft"], strict=True)
    assert 0.99 < large[0] @ large[1] < 1 - 1e-7
    assert np.abs(small[0] - small[1]).max() < 1e-6


def test_a_damaged_picture_in_the_middle_ends_in_one_line_and_leaves_the_old_file(
    run: Any, blip: Path, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    (inputs[0] / "1.png").write_bytes((inputs[0] / "1.png").read_bytes()[:60])
    out = tmp_path / "written/out.npz"
    out.parent.mkdir()
    out.write_bytes(b"of before")
    for turned in ("--as-stored", "--upright"):
        asked = ("encode", "blip", "--images", inputs[0], "--weights", blip, "--batch-size", "1", turned, "--force")
        told = run(*asked, "--out", out, code=1)
        assert "1.png" in told
        assert len(told.splitlines()) == 1
        assert [path.name for path in out.parent.iterdir()] == ["out.npz"]
        assert out.read_bytes() == b"of before"


def test_texts_come_from_lines_and_tables(run: Any, blip: Path, tmp_path: Path) -> None:
    first, second = CAPTIONS[:2]
    (tmp_path / "a.txt").write_text(f"{first}\n{second}\n")
    (tmp_path / "b.csv").write_text(f'id,text\n0,"{first}"\n1,"{second}"\n')
    (tmp_path / "c.json").write_text(json.dumps([first, second]))
    rows = [{"id": "0", "title": first}, {"id": "1", "title": second}]
    (tmp_path / "d.json").write_text(json.dumps(rows))
    (tmp_path / "e.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    pq.write_table(pa.table({"Bezeichnung": [first, second]}), tmp_path / "f.parquet")
    (tmp_path / "g.csv").write_bytes(
        f"Objektnummer;Bildlegende;Beschreibung\n0;é;{first}\n1;é;{second}\n".encode("cp1252")
    )
    written = []
    for name in ("a.txt", "b.csv", "c.json", "d.json", "e.jsonl", "f.parquet", "g.csv"):
        run("encode", "blip", "--texts", tmp_path / name, "--weights", blip, "--out", tmp_path / f"{name}.npz")
        written.append((tmp_path / f"{name}.npz").read_bytes())
    assert len(set(written)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", "blip", "--out", "x.npz"), "nothing to encode"),
        (("encode", "lsa", "--texts", "{texts}", "--out", "x.npz"), "no weights to load; choose from sentence"),
        (("encode", "blip", "--texts", "{texts}", "--out", "x.csv"), "npz or .parquet"),
        (("encode", "blip", "--texts", "{texts}", "--out", "x.parquet", "--tokens"), "write a .npz"),
        (("encode", "blip", "--texts", "nowhere.txt", "--out", "x.npz"), "nowhere.txt cannot be read"),
        (("encode", "blip", "--images", "nowhere", "--out", "x.npz"), "no folder nowhere"),
        (("encode", "blip", "--texts", "{texts}", "--out", "x.npz", "--weights", "nowhere"), "nowhere"),
        (("encode", "blip", "--texts", "{texts}", "--out", "x.npz", "--pairs", "--weights", "{blip}"), "name both"),
        (
            ("encode", "blip", "--texts", "{texts}", "--out", "x.npz", "--device", "abacus", "--weights", "{blip}"),
            "abacus",
        ),
        (
            ("encode", "blip", "--texts", "{texts}", "--out", "x.npz", "--prompt", "A {{}}", "--weights", "{blip}"),
            "no prompt",
        ),
        (
            ("encode", "blip", "--texts", "{texts}", "--out", "x.npz", "--first-token", "x", "--weights", "{blip}"),
            "enc",
        ),
    ],
)
def test_what_cannot_be_encoded_is_told_in_one_line(
    run: Any, blip: Path, inputs: tuple[Path, Path], arguments: tuple[str, ...], words: str
) -> None:
    told = run(*(word.format(texts=inputs[1], blip=blip) for word in arguments), code=1)
    assert words in told
    assert len(told.splitlines()) == 1


def test_an_unknown_encoder_is_not_found(run: Any, inputs: tuple[Path, Path]) -> None:
    told = run("encode", "oracle", "--texts", inputs[1], "--out", "x.npz", code=3)
    assert "there is no encoder 'oracle'; choose from lda, lsa" in told


def test_a_workspace_ranks_by_pairs_and_by_joint_vectors(run: Any, blip: Path, tmp_path: Path) -> None:
    gallery = toy_gallery(tmp_path / "gallery", count=12)
    run("build", gallery, "-o", tmp_path / "ws", "--encoder", "blip", "--weights", blip, "--pairs", "4")
    workspace = open_workspace(tmp_path / "ws")
    assert set(workspace.manifest.vectors) == {"blip.image", "blip.text"}
    assert workspace.pair_matrix("blip").card.pairs == 4
    for engine in ("blip", "blip-itc"):
        answer = json.loads(run("recommend", tmp_path / "ws", "-r", "w000=5", "--engine", engine, "-n", "3", "--json"))
        assert len(answer["works"]) == 3
        for work in answer["works"]:
            assert sum(each["contribution"] for each in work["reasons"]) == pytest.approx(work["score"], abs=1e-6)


def test_pairs_that_are_not_kept_are_read_on_demand(run: Any, blip: Path, tmp_path: Path) -> None:
    gallery = owned_gallery(tmp_path / "gallery", count=12)
    build = ("build", gallery, "--encoder", "blip", "--weights", blip, "--pairs")
    asked = ("-r", "w000=5", "-r", "w003=2", "--engine", "blip", "-n", "5", "--json")
    condition = ("--where", "artist~red")
    answers = []
    for pairs in ("all", "none"):
        run(*build, pairs, "-o", tmp_path / pairs)
        answers.append([json.loads(run("recommend", tmp_path / pairs, *asked, *where)) for where in ((), condition)])
        engine = make_engine(open_workspace(tmp_path / pairs), "blip", 12)
        others = engine.recommend(profile_from_ratings({"w000": 5}, "linear"), 12, Allow(not_owner="ann")).ranking
        assert set(others.item_ids) == {f"w{number:03d}" for number in range(12) if owner_of(number) != "ann"}
    assert not (tmp_path / "none/pairs").exists()
    kept, read = ([[work["id"] for work in answer["works"]] for answer in both] for both in answers)
    assert kept == read
    assert set(kept[1]) == {"w001", "w004", "w005", "w008", "w009"}  # five of the red ones are left, and all come


def test_encoders_are_added_to_those_there_and_kept(run: Any, blip: Path, workspace: Path, gallery: Path) -> None:
    result = build_workspace(gallery, workspace, encoders=["blip"], weights={"blip": blip}, pairs=2)
    assert {"lda.text", "blip.image", "blip.text"} <= set(result.workspace.manifest.vectors)
    again = build_workspace(gallery, workspace)
    assert set(again.encoded.values()) == {0}
    assert again.workspace.manifest.pairs == result.workspace.manifest.pairs


def test_recommending_needs_the_vectors_alone_and_searching_the_weights(run: Any, blip: Path, tmp_path: Path) -> None:
    weights = Path(shutil.copytree(blip, tmp_path / "weights"))
    gallery = toy_gallery(tmp_path / "gallery", count=12)
    run("build", gallery, "-o", tmp_path / "ws", "--encoder", "blip", "--weights", weights, "--pairs", "2")
    shutil.rmtree(weights)
    run("recommend", tmp_path / "ws", "-r", "w000=5", "--engine", "blip", "-n", "3")
    told = run("search", tmp_path / "ws", "a ship", "--encoder", "blip", code=1)
    assert len(told.splitlines()) == 1
    assert "weights" in told


def test_an_export_gives_the_same_vectors(run: Any, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    images, texts = inputs
    weights = tmp_path / "clip"
    weights.mkdir()
    save_file(openai_clip(), weights / "clip.safetensors")
    write_merges(weights / "merges.txt")
    asked = ("encode", "clip", "--images", images, "--texts", texts, "--weights", weights / "clip.safetensors")
    run("export-onnx", "clip", "--weights", weights / "clip.safetensors", "--out", tmp_path / "export")
    run(*asked, "--out", tmp_path / "torch.npz")
    run(*asked, "--out", tmp_path / "onnx.npz", "--backend", "onnx", "--onnx", tmp_path / "export")
    torch, onnx = read_arrays(tmp_path / "torch.npz"), read_arrays(tmp_path / "onnx.npz")
    for kind in ("image", "text"):
        assert np.abs(torch[kind] - onnx[kind]).max() < 1e-5
    assert str(torch["fingerprint"]) != str(onnx["fingerprint"])
    told = run(*asked, "--out", tmp_path / "x.npz", "--backend", "onnx", code=1)
    assert "name its folder with --onnx" in told


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the reference values are not beside this checkout")
@pytest.mark.parametrize(
    ("encoder", "weights", "exempt"),
    [
        ("clip", "clip/hf_clip_tiny", {2, 4}),
        ("blip", "blip/hf_blip_tiny", set()),
        ("albef", "albef/ALBEF_tiny.pth", set()),
    ],
)
def test_the_command_agrees_with_the_original_code(
    run: Any, tmp_path: Path, encoder: str, weights: str, exempt: set[int]
) -> None:
    """CLIP's own code converts palettes and transparency after resizing, so pictures 03 and 05 are exempt there."""
    images, texts = GOLDEN / "common/images", GOLDEN / encoder / "inputs.json"
    vocabulary = ("--vocabulary", GOLDEN / "common/tiny_vocab.txt") if encoder == "albef" else ()
    more = (*vocabulary, *(("--pairs",) if encoder != "clip" else ()))
    asked = ("encode", encoder, "--images", images, "--texts", texts, "--weights", GOLDEN / weights, "--tokens", *more)
    run(*asked, "--out", tmp_path / "out.npz")
    found = read_arrays(tmp_path / "out.npz")
    with np.load(GOLDEN / encoder / "expected.npz") as archive:
        expected = dict(archive)
    kept = [row for row in range(8) if row not in exempt]
    assert np.abs(found["image_raw"] - expected["image_feat"])[kept].max() <= 5e-5
    assert np.abs(found["text_raw"] - expected["text_feat"]).max() <= 5e-5
    assert np.abs(found["image"] - expected["image_feat_norm"])[kept].max() <= 1e-5
    assert np.abs(found["text"] - expected["text_feat_norm"]).max() <= 1e-5
    assert np.array_equal(found["input_ids"], expected["input_ids"])
    if encoder != "clip":
        trained = "_enc" if encoder == "blip" else ""
        assert np.abs(found["itm_logits"] - expected[f"itm_logits{trained}"]).max() <= 1e-4
        assert np.abs(found["itm_prob"] - expected[f"itm_prob_match{trained}"]).max() <= 1e-4
