"""Workspaces of format 1 become workspaces of today, without loss."""

import json
import shutil
import signal
import sqlite3
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from tests.forks import Forks

from vernissage.errors import ProvenanceError, WorkspaceError
from vernissage.workspace import conversion
from vernissage.workspace.build import build_workspace
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.collection_files import count_words
from vernissage.workspace.state import read_manifest, read_state, sole_writer
from vernissage.workspace.workspace import open_workspace

KEPT = Path(__file__).parent / "format-1" / "gallery-and-workspace.zip"
TABLES = {"uploads": 2, "ratings": 1, "area_edits": 1, "vectors": 2, "studies": 1, "study_participants": 1}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with zipfile.ZipFile(KEPT) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "workspace"


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".writer"))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(files)}


def test_opening_converts_and_loses_nothing(old: Path) -> None:
    before = contents(old)
    card = json.loads(next((old / "vectors").glob("lsa.text-*.json")).read_text())
    workspace = open_workspace(old)
    assert read_state(old)["format"] == 2
    after = contents(old)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"workspace.json"}  # people's database and pictures, models and vectors are as they were
    assert len(workspace.collection) == 9
    assert [item.id for item in workspace.collection] == [f"w{number:03d}" for number in range(9)]
    assert workspace.collection["w003"].owner == "ann"
    assert workspace.collection["w003"].picture == "images/w003.png"
    table = workspace.table("lsa", "text")
    assert table.item_ids is workspace.collection.ids
    assert len(table.card.contents) == 9
    assert set(card["contents"]) <= set(table.card.contents)
    assert workspace.word_counts == count_words(workspace.collection)
    pairs = workspace.pair_matrix("blip")
    assert (pairs.card.row_ids, tuple(pairs.item_ids)) == (("w002", "w001"), ("w000", "w001", "w002", "w003"))
    assert pairs.rows(["w001"]).tolist() == [[4, 5, 6, 7]]
    assert check_workspace(old).faults == ()


def test_what_people_stored_is_there_after_a_conversion_and_a_build(old: Path) -> None:
    database = (old / "vernissage.db").read_bytes()
    build_workspace(old.parent / "gallery", old)
    assert (old / "vernissage.db").read_bytes() == database
    with closing(sqlite3.connect(old / "vernissage.db")) as connection:
        found = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}  # noqa: S608
        answers = connection.execute("SELECT count(*) FROM study_answers").fetchone()[0]
    assert found == TABLES
    assert answers > 0
    assert len(list((old / "uploads").iterdir())) == 1


def test_uploads_are_found_beside_works_as_they_were(old: Path) -> None:
    from vernissage.workspace.repository import open_repository

    repository = open_repository(old)
    snapshot = repository.snapshot
    assert snapshot.owners() == {"ann": 5, "bob": 4, "dora": 2}
    index = snapshot.index("lsa", "text")
    np.testing.assert_allclose(index.vectors_of(["ship"])[0, :3], [0.38612860, 0.36675882, 0.11585108], atol=1e-7)
    np.testing.assert_allclose(index.vectors_of(["w003"])[0, :3], [0.70816245, -0.54996478, -0.28021019], atol=1e-7)
    repository.close()


def test_a_converted_workspace_is_the_one_that_a_build_makes(old: Path) -> None:
    gallery, fresh = old.parent / "gallery", old.parent / "fresh"
    build_workspace(gallery, fresh, encoders=["lsa"], seed=3)
    result = build_workspace(gallery, old)
    assert set(result.encoded.values()) == {0}
    ours, theirs = contents(old), contents(fresh)
    # The model was fitted before the ninth work came, so vectors differ; all that says what they are of does not.
    for kind in ("works-*.parquet", "words-*.parquet"):
        (one,), (other,) = (list(folder.glob(kind)) for folder in (old, fresh))
        assert ours[one.name] == theirs[other.name]
    assert not any(name.startswith("collection-") for name in ours)
    assert not [name for name in ours if name.startswith("vectors/") and name.endswith(".json") and "card" not in name]


def test_files_of_former_states_are_kept_for_their_readers_until_the_next_state(old: Path) -> None:
    before = set(contents(old))
    open_workspace(old)
    assert before <= set(contents(old))
    retired = read_manifest(old).retired
    assert {name for name in retired if name.startswith("collection-")} == {
        name for name in before if name.startswith("collection-")
    }
    build_workspace(old.parent / "gallery", old)
    assert not [name for name in contents(old) if name in retired]


def test_a_killed_conversion_leaves_one_format_whole_and_goes_on(old: Path, tmp_path: Path, forked: Forks) -> None:
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(old, undisturbed)
    open_workspace(undisturbed)
    formats = []
    for number in range(1, 12, 2):
        path = Path(shutil.copytree(old, tmp_path / f"killed-{number}"))
        code = forked.run("vernissage.workspace.workspace:open_workspace", path, dies_at=number)
        formats.append((code, read_state(path)["format"]))
        open_workspace(path)
        temporary = {name for name in contents(path) if name.endswith(".tmp")}
        assert {name: raw for name, raw in contents(path).items() if name not in temporary} == contents(undisturbed)
    assert set(formats) >= {(-signal.SIGKILL, 1)}


def test_processes_that_open_at_once_convert_once(old: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        lengths = list(pool.map(lambda _: len(open_workspace(old).collection), range(8)))
    assert lengths == [9] * 8


def test_where_it_cannot_be_written_one_line_says_what_to_do(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(
        WorkspaceError, match=r"must be converted once.*cannot write to .*Read-only file system"
    ) as error:
        open_workspace(old)
    assert "\n" not in str(error.value)
    assert read_state(old)["format"] == 1


def test_another_writer_is_waited_for_and_then_told(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_PATIENCE", 0.2)
    with sole_writer(old), pytest.raises(WorkspaceError, match="must be converted once.*another process is writing"):
        open_workspace(old)
    assert len(open_workspace(old).collection) == 9


def test_damage_is_not_hidden_by_a_conversion(old: Path, tmp_path: Path) -> None:
    array = next(file for file in (old / "vectors").glob("*.npy") if file.stem in read_old(old)["vectors"].values())
    cut = Path(shutil.copytree(old, tmp_path / "cut"))
    (cut / "vectors" / array.name).write_bytes(array.read_bytes()[:-8])
    with pytest.raises(ProvenanceError, match="is missing; run `vernissage build`"):
        open_workspace(cut).table("lsa", "text")
    flipped = Path(shutil.copytree(old, tmp_path / "flipped"))
    raw = bytearray(array.read_bytes())
    raw[-3] ^= 0xFF
    (flipped / "vectors" / array.name).write_bytes(raw)
    with pytest.raises(ProvenanceError, match="is damaged"):
        open_workspace(flipped).table("lsa", "text")
    for path in (cut, flipped):
        assert check_workspace(path).faults
        build_workspace(old.parent / "gallery", path)
        assert check_workspace(path).faults == ()
    lost = Path(shutil.copytree(old, tmp_path / "lost"))
    (lost / read_old(lost)["collection"]).write_bytes(b"PAR1")
    with pytest.raises(ProvenanceError, match="is damaged"):
        open_workspace(lost)
    assert read_state(lost)["format"] == 1
    build_workspace(old.parent / "gallery", lost, encoders=["lsa"])
    assert (lost / "vernissage.db").read_bytes() == (old / "vernissage.db").read_bytes()
    assert check_workspace(lost).faults == ()


def read_old(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((path / "workspace.json").read_text())
    return found
