"""What a check of a workspace finds, and what opening finds of files too large to be hashed each time."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from vernissage import files
from vernissage.errors import Kind, ProvenanceError, VernissageError
from vernissage.gallery.building import build
from vernissage.gallery.gallery import open_gallery
from vernissage.search import vectors
from vernissage.search.pair_matrix import PairCard, PairMatrix
from vernissage.workspace.build import build_workspace
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.repository import open_repository
from vernissage.workspace.uploading import Submission
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
    assert len(report.checked) == 5 + 11 + 9 + 2  # works, words, their index, copies, clusters, vectors, models, means
    assert steps[0] == ("checking", 0, 27)
    assert steps[-1] == ("checking", 27, 27)


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


def test_a_lost_manifest_is_made_anew_beside_what_people_uploaded(workspace: Path, gallery: Path) -> None:
    with closing(open_repository(workspace, writing=True)) as repository:
        repository.upload("dora", [Submission(text="A ship in a storm", id="ship")])
    for damage in ("{", "[]", '{"format": null}', '{"format": 2}'):
        (workspace / "workspace.json").write_text(damage)
        with pytest.raises(VernissageError, match=r"delete (it|that file) and run `vernissage build") as error:
            check_workspace(workspace)
        assert error.value.kind is Kind.CONFLICT
    (workspace / "workspace.json").unlink()
    vectors = {file.name: file.stat().st_mtime_ns for file in (workspace / "vectors").iterdir()}
    assert build(gallery, workspace).uploads.uploads == 1  # type: ignore[union-attr]
    assert {file.name: file.stat().st_mtime_ns for file in (workspace / "vectors").iterdir()} == vectors
    assert check_workspace(workspace).is_sound


def test_databases_and_pictures_of_uploads_are_read_too(workspace: Path, gallery: Path) -> None:
    with closing(open_repository(workspace, writing=True)) as repository:
        submissions = [Submission(picture=gallery / f"images/w00{n}.png", id=f"u{n}", text=f"A {n}") for n in range(3)]
        uploads, _ = repository.upload("dora", submissions)
    assert check_workspace(workspace).is_sound
    picture = workspace / "uploads" / uploads[1].picture
    raw = picture.read_bytes()
    for damage in (raw[:-1] + b"\0", None):
        picture.write_bytes(damage) if damage else picture.unlink()
        (fault,) = check_workspace(workspace).faults
        assert "the pictures of 1 uploads" in fault
        assert "u1" in fault
    picture.write_bytes(raw)
    with closing(sqlite3.connect(workspace / "vernissage.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE uploads SET person = 99 WHERE id = 'u2'")
        connection.commit()
    (fault,) = check_workspace(workspace).faults
    assert "a row of uploads refers to one that is missing" in fault
    (workspace / "vernissage.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert "vernissage.db" in check_workspace(workspace).faults[0]


def forged(workspace: Path, encoder: str, vectors_of: Callable[[np.ndarray], np.ndarray]) -> None:
    """Put other vectors in a table's place, with a card whose digests fit."""
    stem = next((workspace / "vectors").glob(f"{encoder}-*.npy")).with_suffix("")
    table = vectors.VectorTable.load(stem)
    told = {key: getattr(table.card, key) for key in ("encoder", "fingerprint", "modality", "collection")}
    new = vectors_of(np.array(table.vectors)).astype(np.float32)
    vectors.make_vector_table(new, tuple(table.item_ids), tuple(table.card.contents), **told).save(stem)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (np.zeros_like, "not all have length 1"),
        (lambda old: old * 1e38, "not all have length 1"),
        (lambda old: old * np.nan, "not all have length 1"),
        (lambda old: old * np.inf, "not all have length 1"),
        (lambda old: np.eye(len(old), 7) + np.eye(len(old), 7, -7), "have 7 numbers each, but were made"),
        (lambda old: np.pad(old, ((0, 0), (0, 3))), "numbers each, but were made"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered")
def test_vectors_whose_digest_fits_are_compared_with_the_manifest(
    workspace: Path, change: Callable[[np.ndarray], np.ndarray], words: str
) -> None:
    forged(workspace, "lsa.text", change)
    with pytest.raises(ProvenanceError, match=words):
        open_workspace(workspace).table("lsa", "text")
    assert not check_workspace(workspace).is_sound


def test_swapped_tables_are_told_by_their_cards(workspace: Path) -> None:
    folder = workspace / "vectors"
    one, other = (next(folder.glob(f"aligned.{kind}-*.npy")).with_suffix("") for kind in ("image", "text"))
    for end in (".npy", ".rows.parquet", ".card.json"):
        first, second = (Path(f"{stem}{end}") for stem in (one, other))
        raw = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(raw)
    with pytest.raises(ProvenanceError, match="made with modality text, but the workspace has image"):
        open_workspace(workspace).table("aligned", "image")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 1e38])
def test_pairs_that_are_no_probabilities_are_refused(value: float) -> None:
    card = PairCard("blip", "f", "c", None, ("a", "b"), ("a", "b"), ("x", "y"))
    sound = PairMatrix(np.array([[0.5, 0.1], [0, 1]], np.float32), card)
    assert sound.require(fingerprint="f", collection="c") is sound
    with pytest.raises(ProvenanceError, match="not all are probabilities"):
        PairMatrix(np.array([[0.5, value], [0, 1]], np.float32), card).require(fingerprint="f", collection="c")


@pytest.mark.parametrize("pattern", ["vectors/colour-texture.image-*", "indexes/lexicon-*"])
def test_damaged_files_are_refused_or_made_anew_and_never_answer_otherwise(workspace: Path, pattern: str) -> None:
    def lists() -> list[tuple[str, ...]]:
        with open_gallery(workspace, people=False) as opened:
            return [opened.similar("w003", 9, engine="colour-texture").ids, opened.search("a storm at sea", 9).ids]

    before = lists()
    for file in sorted(workspace.glob(pattern)):
        whole = file.read_bytes()
        middle = bytearray(whole)
        middle[len(whole) // 2] ^= 0xFF
        for damaged in (bytes(middle), whole[:-9], whole[: len(whole) // 2], None):
            file.unlink() if damaged is None else file.write_bytes(damaged)
            if pattern.startswith("vectors"):
                with pytest.raises(ProvenanceError, match=r"colour-texture\.image-"):
                    lists()
            else:
                assert lists() == before
            file.write_bytes(whole)
    assert lists() == before
