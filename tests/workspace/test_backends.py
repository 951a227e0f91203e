"""Workspaces whose encoder runs an export: kept, reopened, switched and refused, on tiny random weights."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.encoders.tiny_models import openai_clip, pictures, write_clip_folder, write_merges
from tests.forks import Forks
from tests.galleries import toy_gallery, toy_row, write_table
from tests.workspace.test_build import snapshot

from vernissage.encoders.contract import TextEncoder
from vernissage.encoders.loading import Execution
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.onnx_export import export_onnx
from vernissage.encoders.towers.clip import load_clip, load_original
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.workspace.build import BuildResult, build_workspace
from vernissage.workspace.workspace import open_workspace

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")
save_file = pytest.importorskip("safetensors.torch").save_file

TEXTS = ["a storm at sea", "the rose in the garden"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@dataclass(frozen=True)
class Place:
    """Weights of a CLIP, an export of them, and a gallery of 12 works with a workspace to be."""

    weights: Path
    export: Path
    gallery: Path
    workspace: Path

    def build(self, backend: str = "onnx", precision: str = "float32", **more: Any) -> BuildResult:
        execution = Execution(backend, precision, str(self.export) if backend != "torch" else "")
        return build_workspace(
            self.gallery,
            self.workspace,
            encoders=["clip"],
            weights={"clip": self.weights},
            executions={"clip": execution},
            **more,
        )

    def again(self, **more: Any) -> BuildResult:
        return build_workspace(self.gallery, self.workspace, **more)


def write_weights(folder: Path, seed: int) -> Path:
    folder.mkdir()
    save_file(openai_clip(seed), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    write_clip_folder(folder / "clip", load_original(folder / "clip.safetensors", Runtime())[0])
    return folder / "clip"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Read it only."""
    folder = tmp_path_factory.mktemp("backends")
    weights = write_weights(folder / "first", 1)
    export_onnx(load_clip(weights), folder / "onnx", images=pictures(), texts=TEXTS, int8=True)
    return Place(weights, folder / "onnx", toy_gallery(folder / "gallery", count=12), folder / "none")


@pytest.fixture(scope="module")
def exported(original: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """With a workspace built by ONNX Runtime; read it only."""
    place = replace(original, workspace=tmp_path_factory.mktemp("built") / "workspace")
    place.build()
    return place


@pytest.fixture
def place(exported: Place, tmp_path: Path) -> Place:
    """A copy of weights, export and workspace to do anything with, which name one another."""
    weights = Path(shutil.copytree(exported.weights, tmp_path / "weights"))
    export = Path(shutil.copytree(exported.export, tmp_path / "onnx"))
    place = Place(weights, export, exported.gallery, tmp_path / "workspace")
    place.build()
    return place


def vectors(place: Place, modality: Any) -> Any:
    return open_workspace(place.workspace).table("clip", modality).vectors


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_an_export_makes_the_vectors_of_torch(original: Place, tmp_path: Path, backend: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime", "openvino": "openvino"}[backend])
    ours = replace(original, workspace=tmp_path / "ours")
    theirs = replace(original, workspace=tmp_path / "theirs")
    assert ours.build(backend).encoded == theirs.build("torch").encoded == {"clip.image": 12, "clip.text": 12}
    for modality in ("image", "text"):
        np.testing.assert_allclose(vectors(ours, modality), vectors(theirs, modality), atol=2e-5)
    workspace = open_workspace(ours.workspace)
    assert workspace.manifest.fingerprints["clip"].endswith(f"-{backend}-float32")
    encoder = workspace.encoder("clip")
    assert isinstance(encoder, TextEncoder)
    assert encoder.fingerprint == workspace.manifest.fingerprints["clip"]
    found = encoder.encode_texts([item.text for item in workspace.collection])
    np.testing.assert_allclose(found, vectors(ours, "text"), atol=1e-5)


def test_building_again_encodes_nothing_and_changes_no_byte(place: Place) -> None:
    before = snapshot(place.workspace)
    assert set(place.again().encoded.values()) == {0}
    assert set(place.build().encoded.values()) == {0}
    assert snapshot(place.workspace) == before


def test_a_new_work_alone_is_encoded(place: Place, tmp_path: Path) -> None:
    gallery = Path(shutil.copytree(place.gallery, tmp_path / "gallery"))
    write_table(
        gallery, [toy_row(number) | ({"description": "Changed."} if number == 3 else {}) for number in range(12)]
    )
    moved = replace(place, gallery=gallery)
    assert moved.again().encoded == {"clip.image": 0, "clip.text": 1}


def test_another_backend_or_precision_encodes_all_anew(place: Place) -> None:
    seen = {open_workspace(place.workspace).manifest.fingerprints["clip"]}
    for backend, precision in (("onnx", "int8"), ("torch", "float32"), ("torch", "bfloat16"), ("onnx", "float32")):
        result = place.build(backend, precision)
        assert result.encoded == {"clip.image": 12, "clip.text": 12}
        assert set(place.again().encoded.values()) == {0}
        workspace = open_workspace(place.workspace)
        assert workspace.encoder("clip").fingerprint == workspace.manifest.fingerprints["clip"]
        stored = workspace.manifest.settings["executions"]["clip"]
        assert (stored["backend"], stored["precision"]) == (backend, precision)
        seen.add(workspace.manifest.fingerprints["clip"])
    assert len(seen) == 4


def test_weights_and_export_may_move(place: Place) -> None:
    before = open_workspace(place.workspace).manifest.vectors
    moved = replace(place, weights=place.weights.rename(place.weights.with_name("there")))
    moved = replace(moved, export=place.export.rename(place.export.with_name("too")))
    result = moved.build()
    assert set(result.encoded.values()) == {0}
    assert result.workspace.manifest.vectors == before
    assert result.workspace.encoder("clip").fingerprint == result.workspace.manifest.fingerprints["clip"]


def test_the_batch_size_encodes_nothing_anew(place: Place) -> None:
    assert set(place.build(runtime=Runtime("cpu", batch_size=3)).encoded.values()) == {0}


def flip_a_byte(place: Place) -> None:
    content = bytearray((place.export / "text.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (place.export / "text.onnx").write_bytes(content)


def export_others(place: Place) -> None:
    """An export of the same encoder whose texts are computed from other weights."""
    card = json.loads((place.export / "onnx.json").read_text())
    for tower in card["towers"]:
        tower["sha256"] = "0" * 64
    (place.export / "onnx.json").write_text(json.dumps(card))


def other_weights(place: Place) -> None:
    write_weights(place.workspace.parent / "other", 2)
    shutil.rmtree(place.weights)
    (place.workspace.parent / "other/clip").rename(place.weights)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda place: shutil.rmtree(place.export), "export of clip .* is not at .* any more; put it back"),
        (lambda place: (place.export / "onnx.json").unlink(), "holds no onnx.json"),
        (lambda place: (place.export / "image.onnx").unlink(), "image.onnx is missing"),
        (flip_a_byte, "text.onnx is missing or not the file"),
        (export_others, "export of clip in .* is not the one that the vectors were made with"),
        (other_weights, "are not those that the vectors were made with"),
    ],
)
def test_what_is_not_as_it_was_is_refused_and_changes_nothing(
    place: Place, spoil: Callable[[Place], Any], message: str
) -> None:
    spoil(place)
    workspace = open_workspace(place.workspace)
    assert len(workspace.index("clip", "image")) == 12  # recommending needs the vectors alone
    with pytest.raises(ProvenanceError, match=message) as told:
        workspace.encoder("clip")
    assert "\n" not in str(told.value)
    before = snapshot(place.workspace)
    with pytest.raises(ProvenanceError):
        place.again()
    after = snapshot(place.workspace)
    assert {name: after[name] for name in before} == before


def test_an_export_of_new_weights_in_the_same_place_is_taken_by_the_next_build(place: Place) -> None:
    other_weights(place)
    shutil.rmtree(place.export)
    export_onnx(load_clip(place.weights), place.export, images=pictures(), texts=TEXTS)
    with pytest.raises(ProvenanceError, match="is not the one that the vectors were made with"):
        open_workspace(place.workspace).encoder("clip")
    result = place.again()
    assert result.encoded == {"clip.image": 12, "clip.text": 12}
    assert any("clip is not what it was in the build before" in note for note in result.notes)
    assert result.workspace.encoder("clip").fingerprint == result.workspace.manifest.fingerprints["clip"]


@pytest.mark.parametrize(
    ("encoder", "execution", "message"),
    [
        ("clip", Execution("tensorrt"), "there is no backend 'tensorrt'"),
        ("clip", Execution("onnx", "bfloat16", "{export}"), "onnx does not compute in bfloat16"),
        ("clip", Execution("torch", "int8"), "torch does not compute in int8"),
        ("clip", Execution("torch", "float32", "{export}"), "torch runs the weights; add --backend onnx"),
        ("clip", Execution("onnx"), "none is named for clip; name its folder with --onnx clip=FOLDER"),
        ("minilm", Execution("onnx", "float32", "{export}"), "is of clip, not of minilm"),
        ("blip", Execution("onnx", "float32", "{export}"), "blip runs in torch alone; its pairs too are read by torch"),
        ("albef", Execution("onnx", "float32", "{export}"), "albef runs in torch alone; build it in a call without"),
        ("clip", Execution("onnx", "float32", "{export}/none"), "there is no folder"),
    ],
)
def test_what_cannot_be_computed_so_builds_nothing(
    original: Place, tmp_path: Path, encoder: str, execution: Execution, message: str
) -> None:
    execution = replace(execution, export=execution.export.format(export=original.export))
    with pytest.raises((EncoderError, ProvenanceError), match=message):
        build_workspace(original.gallery, tmp_path / "ws", encoders=[encoder], executions={encoder: execution})
    assert not (tmp_path / "ws").exists()


def test_pairs_need_an_encoder_that_reads_them(place: Place) -> None:
    with pytest.raises(EncoderError, match="no encoder here reads them; add --encoder blip or blip2"):
        place.build(pairs=5)
    place.build(pairs=-1)


@pytest.mark.long
def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(original: Place, tmp_path: Path, forked: Forks) -> None:
    place, other = replace(original, workspace=tmp_path / "undisturbed"), tmp_path / "killed"
    place.build()
    command = ["build", str(place.gallery), "-o", str(other), "--encoder", "clip", "--weights", str(place.weights)]
    command += ["--backend", "onnx", "--onnx", str(place.export)]
    # The first block is finished, the second not.
    assert forked.run("vernissage.cli.main:main", command, dies_at=2, below="building") == -signal.SIGKILL
    assert not open_workspace(other).manifest.complete
    assert set(replace(place, workspace=other).again().encoded) == {"clip.image", "clip.text"}
    assert snapshot(other) == snapshot(place.workspace)
