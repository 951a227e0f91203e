"""Drafts of large pictures, and works that lack what an encoder reads."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.galleries import toy_gallery, toy_row, write_table

from vernissage.gallery.gallery import open_gallery
from vernissage.workspace.build import build_workspace
from vernissage.workspace.checking import describe_workspace
from vernissage.workspace.coverage import Coverage, Missing
from vernissage.workspace.workspace import open_workspace


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ((), ""),
        ((Missing("image", 9, 0, 0, 0), Missing("text", 9, 0, 0, 0)), ""),
        (
            (Missing("image", 88, 12, 0, 12), Missing("text", 100, 0, 0, 0)),
            "12 works without a picture are in no clip image vectors, found by their text alone",
        ),
        (
            (Missing("image", 99, 1, 0, 1), Missing("text", 97, 3, 0, 2)),
            (
                "1 work without a picture is in no clip image vectors, found by its text alone; 3 works without a text "
                "are in no clip text vectors, 2 of them found by their picture alone"
            ),
        ),
        ((Missing("image", 1, 1234, 0, 0),), "1,234 works without a picture are in no clip image vectors"),
        (
            (Missing("text", 7, 2, 1, 0),),
            "2 works without a text and 1 work with a text that tells clip nothing are in no clip text vectors",
        ),
    ],
)
def test_what_is_lacking_is_said_in_one_line(missing: tuple[Missing, ...], sentence: str) -> None:
    assert Coverage("clip", missing).sentence == sentence


def test_a_build_and_the_description_count_the_works_that_lack_something(tmp_path: Path) -> None:
    gallery = toy_gallery(tmp_path / "gallery", count=64)
    rows = [toy_row(number) for number in range(64)]
    for number in (3, 8, 20):
        rows[number] |= {"file_name": ""}
    for row in rows:
        row |= {"artist": "", "year": ""}
    rows[5] |= {"title": "", "description": ""}  # no text
    rows[9] |= {"title": "Xyzzy", "description": ""}  # no word that another work has
    write_table(gallery, rows)
    result = build_workspace(gallery, tmp_path / "ws", encoders=["aligned", "lda"], topics=2)
    said = {found.encoder: found.sentence for found in result.coverage}
    assert said["colour-texture"] == "3 works without a picture are in no colour-texture image vectors"
    assert said["lda"] == (
        "1 work without a text and 1 work with a text that tells lda nothing are in no lda text vectors"
    )
    assert said["aligned"].startswith(
        "3 works without a picture are in no aligned image vectors, found by their text alone; 1 work without a text"
    )
    described = describe_workspace(open_workspace(tmp_path / "ws"))
    by_name = {found.encoder: found.to_dict() for found in result.coverage}
    assert {found["encoder"]: found for found in described["coverage"]} == by_name
    assert by_name["lda"]["text"] == {"works": 62, "without": 1, "unreadable": 1}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A gallery in which four pictures are JPEGs large enough to be decoded at a fraction."""
    gallery = toy_gallery(tmp_path / "gallery", count=64)
    rows = [toy_row(number) for number in range(64)]
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 256, (1600, 1600, 3), dtype=np.uint8)
        rows[number] |= {"file_name": f"images/scan{number}.jpg"}
        Image.fromarray(noise).save(gallery / rows[number]["file_name"], quality=90)
    write_table(gallery, rows)
    return gallery


def test_vectors_of_drafts_and_of_whole_pictures_do_not_mix(scans: Path, tmp_path: Path) -> None:
    drafts = build_workspace(scans, tmp_path / "ws", encoders=["aligned"])
    first = drafts.workspace.table("colour-texture", "image").vectors
    whole = build_workspace(scans, tmp_path / "ws", draft=False)
    assert {name for name, count in whole.encoded.items() if count == 0} == {"lsa.text", "wordllama.text", "conse.text"}
    assert {name for name, count in whole.encoded.items() if count == 64} == whole.encoded.keys() - {
        "lsa.text", "wordllama.text", "conse.text"
    }  # fmt: skip
    assert whole.workspace.manifest.models["lsa"] == drafts.workspace.manifest.models["lsa"]
    second = whole.workspace.table("colour-texture", "image").vectors
    assert np.abs(first - second).max() > 0.01
    with open_gallery(
        tmp_path / "ws", writing=False
    ) as opened:  # a picture that is searched for is decoded as they are
        found = opened.search(scans / "images/scan0.jpg", 1, encoder="colour-texture")
    assert (found.ids, found.scores[0]) == (("w000",), pytest.approx(1, abs=1e-6))
    again = build_workspace(scans, tmp_path / "ws")  # the choice is kept
    assert set(again.encoded.values()) == {0}
    assert again.workspace.manifest == whole.workspace.manifest
    back = build_workspace(scans, tmp_path / "ws", draft=True)
    assert back.workspace.table("colour-texture", "image").vectors.tobytes() == first.tobytes()


def test_a_workspace_of_whole_pictures_is_that_of_a_fresh_build(scans: Path, tmp_path: Path) -> None:
    build_workspace(scans, tmp_path / "ws", encoders=["colour-texture"])
    switched = build_workspace(scans, tmp_path / "ws", draft=False).workspace
    copy = Path(shutil.copytree(scans, tmp_path / "copy"))
    fresh = build_workspace(copy, tmp_path / "fresh", encoders=["colour-texture"], draft=False).workspace
    assert switched.manifest.vectors == fresh.manifest.vectors
    assert switched.encoder("colour-texture").fingerprint == fresh.encoder("colour-texture").fingerprint


def test_a_workspace_that_does_not_say_how_pictures_were_decoded_has_drafts(gallery: Path, workspace: Path) -> None:
    manifest = json.loads((workspace / "workspace.json").read_text())
    for key in ("draft", "executions"):
        del manifest["settings"][key]
    (workspace / "workspace.json").write_text(json.dumps(manifest))
    assert set(build_workspace(gallery, workspace).encoded.values()) == {0}
