"""What is left of a work that a museum has taken down: nothing, in any byte of any file of the workspace."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.galleries import toy_gallery, toy_row, write_table

from vernissage.gallery.building import build, purge
from vernissage.search.scan import ByteScan
from vernissage.storage.tags import set_tags
from vernissage.workspace.build import build_workspace
from vernissage.workspace.repository import open_repository
from vernissage.workspace.state import read_manifest
from vernissage.workspace.workspace import open_workspace

WORDS = {
    "title": "Xanthippe Quuxford",
    "description": "A zyzzogeton and a kwyjibo near the ship.",
    "artist": "Ermintrude Vandersloop",
    "group": "whelkmongery",
}

FEW = ("lsa", "colour-texture")


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty works, one of which has words of its own; every table large enough for a byte scan."""
    monkeypatch.setattr("vernissage.workspace.index_choice.SCANNED_FROM", 1)
    monkeypatch.setattr("vernissage.workspace.encoding.SCANNED_FROM", 1)
    toy_gallery(tmp_path / "gallery", 60)
    write_table(tmp_path / "gallery", [toy_row(n) if n != 7 else toy_row(7) | WORDS for n in range(60)])
    return tmp_path / "gallery"


def traces(workspace: Path, gallery: Path) -> dict[str, bytes]:
    """The bytes by which the work is told: its words, its picture and its digest, its vectors in every form."""
    current = open_workspace(workspace)
    item = current.collection["w007"]
    picture = (gallery / item.picture).read_bytes()
    found = {word: word.encode() for text in WORDS.values() for word in text.split() if len(word) > 6}
    found |= {word.lower(): word.lower().encode() for word in found}
    found |= {"id": b"w007", "picture": picture[200:264], "digest": item.picture_digest.encode()}
    found["text digest"] = item.text_digest.encode()
    for key in current.manifest.vectors:
        encoder, modality = key.split(".")
        table = current.table(encoder, modality)  # type: ignore[arg-type]
        row = table.row_of["w007"]
        stem = workspace / "indexes" / f"{current.manifest.vectors[key]}.npz"
        scanned = stem.exists()  # not of a network's outputs, which nobody searches
        codes = np.asarray(ByteScan.load(stem, table.vectors, table.card.values).codes[row]) if scanned else np.zeros(0)
        vector = table.vectors[row]
        forms: Mapping[str, np.ndarray] = {
            "32": vector,
            "64": vector.astype(np.float64),
            "16": vector.astype(np.float16),
        }
        found |= {f"{key} float{bits}": values.tobytes() for bits, values in forms.items()}
        if codes.size >= 16:
            found[f"{key} codes"] = codes.tobytes()
    return found


def left(workspace: Path, traces: Mapping[str, bytes]) -> set[str]:
    """Which traces stand in which files, also where a file packs its bytes."""
    found = set()
    for file in (file for file in workspace.rglob("*") if file.is_file()):
        content = file.read_bytes() + str(file.relative_to(workspace)).encode()
        if file.suffix == ".parquet":
            content += str(pq.read_table(file).to_pydict()).encode()
        found |= {f"{name} in {file.name}" for name, trace in traces.items() if trace in content}
    return found


def take_down(gallery: Path, *, row: bool = False) -> None:
    """Take the work's row away, or only its words and its picture."""
    rows = [toy_row(number) for number in range(60) if number != 7]
    if row:
        rows.append(toy_row(7))
        shutil.copy(gallery / "images/w009.png", gallery / "images/w007.png")
    write_table(gallery, rows)


@pytest.mark.parametrize("way", ["removed", "changed"])
def test_no_byte_of_a_work_is_left_when_the_build_has_ended(gallery: Path, tmp_path: Path, way: str) -> None:
    path = tmp_path / "workspace"
    build(gallery, path)
    told = traces(path, gallery)
    nowhere = {name for name in told if "float64" in name or "float16" in name} | {"picture"}
    assert {name.split(" in ")[0] for name in left(path, told)} == told.keys() - nowhere
    with closing(open_repository(path, writing=True)) as repository, repository.database.writing() as connection:
        set_tags(connection, "lexicon-1", {"w007": ["kwyjibo", "Xanthippe"], "w008": ["ship"]})
    take_down(gallery, row=way == "changed")
    build(gallery, path)
    if way == "changed":
        del told["id"]
    assert left(path, told) == set()
    assert read_manifest(path).retired == ()


def test_what_a_reader_still_holds_goes_with_purge_or_with_the_next_opening(gallery: Path, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    build(gallery, path, encoders=FEW)
    told = traces(path, gallery)
    reader = open_workspace(path)
    take_down(gallery)
    outcome = build(gallery, path)
    assert any("vernissage purge" in each for each in outcome.result.notes)
    assert left(path, told)
    assert len(reader.table("lsa", "text")) == 60
    copy = Path(shutil.copytree(path, tmp_path / "copy"))
    open_workspace(path)
    assert left(path, told)  # the reader is still there
    purge(path)
    assert left(path, told) == set()
    open_workspace(copy)  # which nobody reads
    assert left(copy, told) == set()


KILLED = """
import os, signal, sys
from pathlib import Path
from vernissage.gallery.building import build
from vernissage.workspace import state
def killed(*_): os.kill(os.getpid(), signal.SIGKILL)
state._remove = killed
build(sys.argv[1], sys.argv[2])
"""


def test_a_takedown_that_was_killed_is_finished_by_the_next_opening(gallery: Path, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    build(gallery, path, encoders=FEW)
    told = traces(path, gallery)
    take_down(gallery)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(gallery), str(path)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert left(path, told)
    open_workspace(path)
    assert left(path, told) == set()


def test_rows_that_were_left_out_leave_the_list_with_them(gallery: Path, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    rows = [toy_row(number) for number in range(60)]
    formula = toy_row(5) | {"id": '=HYPERLINK("x")'}
    write_table(gallery, [*rows, formula, toy_row(5) | {"title": "Xanthippe Quuxford"}, formula | {"title": "Other"}])
    build_workspace(gallery, path, encoders=FEW)
    assert b"w005" in (path / "rejected.csv").read_bytes()
    assert b"'=HYPERLINK" in (path / "rejected.csv").read_bytes()  # a spreadsheet is to show it, not to run it
    write_table(gallery, rows)
    build_workspace(gallery, path, encoders=FEW)
    assert not (path / "rejected.csv").exists()
