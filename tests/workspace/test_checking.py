"""What a check of a workspace finds, and what opening finds of files too large to be hashed each time."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vernissage import files
from vernissage.errors import ProvenanceError
from vernissage.search import vectors
from vernissage.workspace.build import build_workspace
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.workspace import open_workspace


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for a large one."""
    monkeypatch.setattr(files, "SMALL", 0)
    monkeypatch.setattr(vectors, "SMALL", 0)


def lda(workspace: Path) -> Path:
    return next((workspace / "vectors").glob("lda.text-*.npy"))


def flipped(path: Path, place: int = -3) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0xFF
    path.write_bytes(raw)


def test_a_sound_workspace_is_told_so(workspace: Path) -> None:
    steps = []
    report = check_workspace(workspace, lambda *step: steps.append(step))
    assert report.is_sound
    assert report.to_dict()["faults"] == []
    assert len(report.checked) == 2 + 8 + 7 + 1  # works and words, vectors, models, means
    assert steps[0] == ("checking", 0, 18)
    assert steps[-1] == ("checking", 18, 18)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("vectors/lda.text-*.npy", "its bytes are not those"),
        ("vectors/lda.text-*.rows.parquet", "its bytes are not those"),
        ("works-*.parquet", "its bytes are not those"),
        ("words-*.parquet", "its bytes are not those"),
        ("models/lda-*/arrays.npz", "damaged|does not match its card"),
        ("means/*/arrays.npz", "damaged|does not match its card"),
    ],
)
def test_one_changed_byte_of_any_file_is_found(workspace: Path, pattern: str, words: str) -> None:
    found = next(workspace.glob(pattern))
    flipped(found, len(found.read_bytes()) // 2)
    (fault,) = check_workspace(workspace).faults
    assert found.name in fault or found.parent.name in fault
    assert re.search(words, fault)


def test_every_fault_is_told_in_a_sentence_of_its_own(workspace: Path) -> None:
    flipped(lda(workspace))
    next((workspace / "vectors").glob("lsa.text-*.rows.parquet")).unlink()
    faults = check_workspace(workspace).faults
    assert len(faults) == 2
    assert all("run `vernissage build` again" in fault and "\n" not in fault for fault in faults)


@pytest.mark.usefixtures("large")
def test_opening_a_large_file_notices_its_size_and_its_card_but_not_a_changed_number(workspace: Path) -> None:
    array, card = lda(workspace), lda(workspace).with_suffix(".card.json")
    whole, told = array.read_bytes(), card.read_text()
    for damage in (whole[:-4], whole[: len(whole) // 2], b"", whole + b"\0\0\0\0"):
        array.write_bytes(damage)
        with pytest.raises(ProvenanceError, match="is damaged"):
            open_workspace(workspace).table("lda", "text")
    other = next((workspace / "vectors").glob("colour-texture.image-*.npy"))
    array.write_bytes(other.read_bytes())
    with pytest.raises(ProvenanceError, match="is damaged"):
        open_workspace(workspace).table("lda", "text")
    array.write_bytes(whole)
    card.write_text(next((workspace / "vectors").glob("lsa.text-*.card.json")).read_text())
    with pytest.raises(ProvenanceError, match="damaged|made with fingerprint"):
        open_workspace(workspace).table("lda", "text")
    card.write_text(told)
    flipped(array)
    assert len(open_workspace(workspace).table("lda", "text")) == 64
    assert not check_workspace(workspace).is_sound


@pytest.mark.usefixtures("large")
def test_numbers_that_are_none_are_found_by_the_check(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = lda(workspace)
    values = np.load(array)
    values[5] = np.nan
    np.save(array, values)
    assert "its bytes are not those" in check_workspace(workspace).faults[0]
    # Even if the card describes them: vectors of a broken encoder, or written by other hands.
    table = vectors.VectorTable.load(array.with_suffix(""))
    vectors.make_vector_table(
        table.vectors, table.item_ids, table.card.contents,
        **{key: getattr(table.card, key) for key in ("encoder", "fingerprint", "modality", "collection")},
    ).save(array.with_suffix(""))  # fmt: skip
    assert "the vector of w005" in check_workspace(workspace).faults[0]


@pytest.mark.usefixtures("large")
def test_the_next_build_mends_what_opening_notices(workspace: Path, gallery: Path) -> None:
    array = lda(workspace)
    array.write_bytes(array.read_bytes()[:-4])
    build_workspace(gallery, workspace)
    assert check_workspace(workspace).is_sound


OPENED = """
import sys
from pathlib import Path
from vernissage.workspace.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]))
assert workspace.collection[workspace.table("lda", "text").item_ids[3]].title
assert not {"pandas", "pyarrow.compute", "sklearn", "scipy.stats"} & sys.modules.keys()
"""


def test_opening_imports_nothing_heavy_that_it_does_not_need(workspace: Path) -> None:
    subprocess.run([sys.executable, "-c", OPENED, str(workspace)], check=True)


def test_vectors_stay_in_their_files_and_ids_are_held_once(workspace: Path) -> None:
    opened = open_workspace(workspace)
    tables = [opened.table("lda", "text"), opened.table("colour-texture", "image")]
    for table in tables:
        assert isinstance(table.vectors.base, np.memmap)
        assert not table.vectors.flags.writeable
        assert table.item_ids is opened.collection.ids
