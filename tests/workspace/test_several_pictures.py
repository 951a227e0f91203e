"""Works with several pictures: all are encoded, and each work has one vector."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.galleries import paint

from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import ImageEncoder, unit_rows
from vernissage.search.vectors import VectorTable
from vernissage.values import Vectors
from vernissage.workspace.build import BuildResult, build_workspace
from vernissage.workspace.workspace import Workspace, open_workspace

Rows = dict[str, tuple[str, ...]]
ROWS: Rows = {"a": ("p0.png",), "b": ("p1.png", "p2.png", "p3.png"), "c": ("p4.png", "p1.png"), "d": ("p5.png",)}


def write(folder: Path, rows: Rows) -> Path:
    for number in range(8):
        paint(folder / f"p{number}.png", number)
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "title", "file_name"])
        table.writerows((name, f"Boat {name}", "|".join(files)) for name, files in rows.items())
    return folder


def build(folder: Path, path: Path) -> BuildResult:
    return build_workspace(folder, path, encoders=["colour-texture"])


def table_of(workspace: Workspace) -> VectorTable:
    return workspace.table("colour-texture", "image")


def alone(workspace: Workspace, folder: Path, *files: str) -> Vectors:
    encoder = workspace.encoder("colour-texture")
    assert isinstance(encoder, ImageEncoder)
    return encoder.encode_images([open_picture(folder / file) for file in files])


def test_a_works_vector_is_the_unit_mean_of_its_pictures_vectors(tmp_path: Path) -> None:
    folder = write(tmp_path / "works", ROWS)
    built = build(folder, tmp_path / "w").workspace
    table = table_of(built)
    assert list(table.item_ids) == ["a", "b", "c", "d"]
    for name, files in ROWS.items():
        mean = unit_rows(alone(built, folder, *files).mean(axis=0, dtype=np.float64)[None])[0]
        assert table.vectors[table.row_of[name]] == pytest.approx(mean, abs=1e-6)
    assert np.linalg.norm(table.vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert table.vectors[table.row_of["a"]].tobytes() == alone(built, folder, "p0.png")[0].tobytes()


def test_a_changed_or_a_new_second_picture_is_noticed_and_others_are_not_encoded_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "works", ROWS)
    table = table_of(build(folder, tmp_path / "w").workspace)
    ids, before = list(table.item_ids), table.vectors.copy()
    assert set(build(folder, tmp_path / "w").encoded.values()) == {0}
    shutil.copy(folder / "p6.png", folder / "p2.png")
    changed = build(folder, tmp_path / "w")
    assert changed.encoded == {"colour-texture.image": 1}
    same = (before == table_of(changed.workspace).vectors).all(axis=1)
    assert dict(zip(ids, same.tolist(), strict=True)) == {"a": True, "b": False, "c": True, "d": True}
    again = build(write(tmp_path / "works", ROWS | {"a": ("p0.png", "p7.png")}), tmp_path / "w")
    assert again.encoded == {"colour-texture.image": 2}  # a has a new one, and b its second picture of before


def test_an_interrupted_build_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vernissage.workspace.encoding._BLOCK", 2)
    monkeypatch.setattr("vernissage.workspace.encoding._ROWS_WRITTEN_AT_ONCE", 2)
    folder = write(tmp_path / "works", ROWS)
    whole = table_of(build(folder, tmp_path / "whole").workspace)
    opened: list[Path] = []

    def fails(path: Path, *, at_least: int | None = None) -> object:
        opened.append(path)
        if len(opened) > 4:
            raise KeyboardInterrupt
        return open_picture(path, at_least=at_least)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("vernissage.workspace.blocks.open_picture", fails)
        build(folder, tmp_path / "w")
    kept = list((tmp_path / "w" / "building").rglob("*.npy"))
    assert kept
    resumed = table_of(build(folder, tmp_path / "w").workspace)
    assert resumed.vectors.tobytes() == whole.vectors.tobytes()
    assert list(resumed.card.contents) == list(whole.card.contents)


def test_equal_pictures_of_one_work_count_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "works", {**ROWS, "e": ("p0.png", "copy.png", "p6.png")})
    shutil.copy(folder / "p0.png", folder / "copy.png")
    built = build(folder, tmp_path / "w").workspace
    table = table_of(built)
    mean = unit_rows(alone(built, folder, "p0.png", "p6.png").mean(axis=0, dtype=np.float64)[None])[0]
    assert table.vectors[table.row_of["e"]] == pytest.approx(mean, abs=1e-6)
    assert len(built.collection["e"].pictures) == 3


def test_encoders_are_fitted_on_leading_pictures_alone(tmp_path: Path) -> None:
    one = build(write(tmp_path / "one", {name: files[:1] for name, files in ROWS.items()}), tmp_path / "w1").workspace
    several = build(write(tmp_path / "several", ROWS), tmp_path / "w2").workspace
    assert one.manifest.fingerprints == several.manifest.fingerprints
    assert one.manifest.models == several.manifest.models
    assert one.manifest.fingerprint != several.manifest.fingerprint


def test_vectors_of_a_work_that_was_taken_out_stand_in_no_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "works", ROWS)
    build(folder, tmp_path / "w")
    write(tmp_path / "works", {name: files for name, files in ROWS.items() if name != "b"})
    left = build(folder, tmp_path / "w").workspace
    assert "b" not in open_workspace(tmp_path / "w").collection
    assert list(table_of(left).item_ids) == ["a", "c", "d"]
    assert left.collection.picture_digests().isdisjoint({""})
    assert len(left.collection.picture_digests()) == 4
