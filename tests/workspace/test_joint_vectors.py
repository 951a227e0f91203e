"""Joint vectors of large collections: kept by builds, read by answers, served by every kind of index."""

import json
from pathlib import Path

import numpy as np
import pytest

import vernissage
from vernissage.errors import ProvenanceError
from vernissage.search.joint import joint_of
from vernissage.search.vectors import array_file
from vernissage.workspace.build import build_workspace
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.index_choice import IndexChoice, use_index
from vernissage.workspace.state import read_manifest
from vernissage.workspace.workspace import Workspace, open_workspace

WORKS, DIM = 60, 16


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Vectors of pictures and of texts that an encoder of both has made elsewhere; some works have no text."""
    for module in ("index_choice", "encoding", "build"):
        monkeypatch.setattr(f"vernissage.workspace.{module}.SCANNED_FROM", 1)
    write_vectors(tmp_path / "vectors", WORKS)
    return tmp_path / "vectors"


def write_vectors(folder: Path, works: int) -> None:
    folder.mkdir(exist_ok=True)
    for seed, (modality, count) in enumerate({"image": works, "text": works - 10}.items()):
        rows = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
        np.save(folder / f"{modality}.npy", rows)
        (folder / f"{modality}.ids.txt").write_text("\n".join(f"w{number:03d}" for number in range(count)))
        (folder / f"{modality}.card.json").write_text(json.dumps({"model": "made", "modality": modality}))


@pytest.fixture
def workspace(source: Path, tmp_path: Path) -> Path:
    build_workspace(source, tmp_path / "workspace")
    return tmp_path / "workspace"


def made_now(workspace: Workspace) -> np.ndarray:
    """The joint vectors as they are where none are kept."""
    return joint_of({each: workspace.table("made", each) for each in ("image", "text")}).vectors


def test_what_is_kept_is_what_would_be_made_to_the_last_bit(workspace: Path) -> None:
    opened = open_workspace(workspace)
    kept = opened.joint_table("made")
    assert isinstance(kept.vectors.base, np.memmap)
    assert np.array_equal(kept.vectors, made_now(opened))
    assert kept.card.modality == "joint"
    assert check_workspace(workspace).is_sound


def test_a_build_that_changes_nothing_keeps_them_and_one_that_takes_works_away_makes_them_anew(
    workspace: Path, source: Path
) -> None:
    first = read_manifest(workspace).joint["made"]
    build_workspace(source, workspace)
    assert read_manifest(workspace).joint["made"] == first
    write_vectors(source, WORKS - 1)
    build_workspace(source, workspace)
    opened = open_workspace(workspace)
    assert not list(workspace.rglob(f"{first}*"))
    assert len(opened.joint_table("made")) == WORKS - 1
    assert np.array_equal(opened.joint_table("made").vectors, made_now(opened))


def test_an_approximate_index_serves_them(workspace: Path) -> None:
    ratings = {"w003": 5, "w010": 4, "w020": 1}
    with vernissage.open(workspace) as gallery:
        before = gallery.recommend(ratings, 5).ids
    use_index(open_workspace(workspace), IndexChoice("approximate"), ("made.joint",))
    with vernissage.open(workspace) as gallery:
        assert gallery.snapshot.workspace.joint_index("made", "mean").card.kind == "approximate"
        assert gallery.recommend(ratings, 5).ids == before  # so few works are all among the candidates


def test_damaged_ones_are_told_of_and_the_next_build_makes_them_anew(workspace: Path, source: Path) -> None:
    file = array_file(workspace / "vectors" / read_manifest(workspace).joint["made"])
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    assert not check_workspace(workspace).is_sound
    with pytest.raises(ProvenanceError, match="damaged"):
        open_workspace(workspace).joint_index("made", "mean")
    build_workspace(source, workspace)
    assert check_workspace(workspace).is_sound
