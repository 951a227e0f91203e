import json
from pathlib import Path

import pytest
from tests.galleries import toy_gallery, toy_row, write_table

from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.modality_means import fit_modality_means
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace


def test_a_build_keeps_the_means_of_encoders_of_both_modalities(built: Path) -> None:
    workspace = open_workspace(built)
    assert set(workspace.manifest.means) == {"aligned", "conse"}
    means = workspace.means("aligned")
    tables = workspace.table("aligned", "image"), workspace.table("aligned", "text")
    assert means.fingerprint == fit_modality_means(*tables).fingerprint
    assert (means.image_rows, means.text_rows) == (32, 32)
    with pytest.raises(RequestError, match="lda reads texts alone"):
        workspace.means("lda")
    with pytest.raises(RequestError, match="nothing of 'clip.image'"):
        workspace.mixed_index("clip")


def test_both_modalities_of_a_work_are_in_the_mixed_index(built: Path) -> None:
    workspace = open_workspace(built)
    index = workspace.mixed_index("aligned")
    assert len(index) == 128
    found = index.search_like("w000", "image", 200)
    assert len(found) == 127
    assert found.modalities.count("text") == 64
    assert ("w000", "image") not in zip(found.item_ids, found.modalities, strict=True)


def test_means_stay_as_they_were_fitted_until_refit_or_another_seed(tmp_path: Path) -> None:
    gallery, path = toy_gallery(tmp_path / "gallery"), tmp_path / "workspace"
    build_workspace(gallery, path, encoders=["aligned"])
    first = open_workspace(path).manifest.means
    write_table(gallery, [toy_row(number) for number in range(60)])
    kept = build_workspace(gallery, path).workspace
    assert kept.manifest.means == first
    assert kept.means("aligned").image_rows == 32
    seeded = build_workspace(gallery, path, seed=1).workspace
    assert seeded.means("aligned").seed == 1
    write_table(gallery, [toy_row(number) for number in range(56)])
    assert build_workspace(gallery, path).workspace.manifest.means == seeded.manifest.means
    refitted = build_workspace(gallery, path, refit=True).workspace
    assert refitted.means("aligned").image_rows == 28
    assert not (path / "means" / first["aligned"]).exists()


def test_damaged_means_are_refused_and_made_anew(gallery: Path, workspace: Path) -> None:
    file = next((workspace / "means").glob("aligned-*/arrays.npz"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    with pytest.raises(ProvenanceError, match="vernissage build"):
        open_workspace(workspace).means("aligned")
    build_workspace(gallery, workspace)
    assert file.read_bytes() == whole


def test_a_workspace_of_an_earlier_version_says_what_to_do(gallery: Path, workspace: Path) -> None:
    file = workspace / "workspace.json"
    content = json.loads(file.read_text())
    del content["means"]
    file.write_text(json.dumps(content))
    with pytest.raises(RequestError, match="built by an earlier version; run `vernissage build` again"):
        open_workspace(workspace).mixed_index("aligned")
    assert set(build_workspace(gallery, workspace).workspace.manifest.means) == {"aligned", "conse"}


def test_means_of_another_encoder_are_refused(workspace: Path) -> None:
    file = workspace / "workspace.json"
    content = json.loads(file.read_text())
    content["fingerprints"]["aligned"] = "0" * 16
    file.write_text(json.dumps(content))
    with pytest.raises(ProvenanceError, match="these are of 0000000000000000"):
        open_workspace(workspace).means("aligned")
