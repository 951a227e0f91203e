"""Works and uploads together: what is uploaded is there for all, what is removed is gone, builds keep up."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.galleries import owner_of, paint, toy_gallery, toy_row, write_table

import vernissage
from vernissage.errors import (
    CollectionError,
    RatingsError,
    RequestError,
    StorageError,
    UnknownItemError,
    WorkspaceError,
)
from vernissage.workspace.build import build_workspace
from vernissage.workspace.repository import Repository, open_repository
from vernissage.workspace.uploading import Submission

NAME = "zyxquarrel"


def source_of(workspace: Path) -> Path:
    return Path(json.loads((workspace / "workspace.json").read_text())["source"]["absolute"])


@pytest.fixture
def repository(peopled: Path) -> Repository:
    return open_repository(peopled, writing=True)


def test_an_upload_has_the_vector_that_the_same_work_would_have(repository: Repository, peopled: Path) -> None:
    picture = source_of(peopled) / "images" / "w005.png"
    text = repository.snapshot.item("w005").text
    (upload,), _ = repository.upload("dora", [Submission(picture, text=text)])
    for encoder, modality in (("aligned", "image"), ("aligned", "text"), ("lsa", "text"), ("colour-texture", "image")):
        index = repository.snapshot.index(encoder, modality)  # type: ignore[arg-type]
        np.testing.assert_allclose(index.vectors_of([upload.id]), index.vectors_of(["w005"]), atol=1e-6)
        assert index.owner_of(upload.id) == "dora"
        assert index.search(index.vectors_of(["w005"]), 2)[0].item_ids == tuple(sorted(["w005", upload.id]))


def test_two_processes_worth_of_repository_see_each_other_after_a_refresh(
    repository: Repository, peopled: Path
) -> None:
    other = open_repository(peopled)
    before = other.snapshot.index("lsa", "text")
    (upload,), _ = repository.upload("dora", [Submission(text="A storm in the harbour")])
    assert upload.id not in other.snapshot.index("lsa", "text")
    other.refresh()
    assert upload.id in other.snapshot.index("lsa", "text")
    assert upload.id not in before
    other.remove([upload.id], owner="dora")
    repository.refresh()
    assert upload.id not in repository.snapshot.index("lsa", "text")


def test_moments_follow_the_index(repository: Repository) -> None:
    before = repository.snapshot.index("lsa", "text").moments()
    (upload,), _ = repository.upload("dora", [Submission(text="A storm in the harbour")])
    index = repository.snapshot.index("lsa", "text")
    after = index.moments()
    rows = index.vectors_of([*(f"w{number:03d}" for number in range(64)), upload.id]).astype(np.float64)
    np.testing.assert_allclose(after.mean, rows.mean(axis=0), atol=1e-12)
    assert after.count == before.count + 1
    repository.remove([upload.id])
    np.testing.assert_allclose(repository.snapshot.index("lsa", "text").moments().mean, before.mean, atol=1e-12)


def test_a_snapshot_stays_as_it_is(repository: Repository, peopled: Path) -> None:
    snapshot = repository.snapshot
    other = open_repository(peopled, writing=True)
    (upload,), _ = other.upload("dora", [Submission(text="A storm in the harbour")])
    assert upload.id not in snapshot.index("lsa", "text")  # opened now, of the state before
    assert repository.snapshot is snapshot
    assert upload.id in repository.refresh().index("lsa", "text")
    assert upload.id not in snapshot.index("lsa", "text")
    other.close()


def test_ratings_are_kept_all_or_none(repository: Repository) -> None:
    repository.rate("dora", {"w001": 5, "w002": 2.5})
    with pytest.raises(RatingsError, match="the rating of w003 is 7"):
        repository.rate("dora", {"w004": 1, "w003": 7})
    with pytest.raises(UnknownItemError, match="no work 'w999'"):
        repository.rate("dora", {"w004": 1, "w999": 3})
    assert repository.snapshot.person("dora").ratings == {"w001": 5, "w002": 2.5}
    repository.rate("dora", {"w001": None, "w002": 4})
    assert repository.snapshot.person("dora").ratings == {"w002": 4}


def test_one_bad_picture_keeps_all_out(repository: Repository, tmp_path: Path) -> None:
    paint(tmp_path / "good.png", 1)
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:-300])
    with pytest.raises(CollectionError, match=r"bad\.png is cut short"):
        repository.upload("dora", [Submission(tmp_path / "good.png"), Submission(tmp_path / "bad.png")])
    assert repository.snapshot.uploaders() == {}
    assert not repository.uploads_folder.exists() or not list(repository.uploads_folder.iterdir())


def test_equal_content_is_returned_as_it_is_kept(repository: Repository, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 1)
    boat, rose = Submission(tmp_path / "boat.png"), Submission(text="A rose")
    first, new = repository.upload("dora", [boat, rose, rose])
    assert first[1] == first[2]
    assert new == {first[0].id, first[1].id}
    again, new = repository.upload("dora", [rose, boat])
    assert new == frozenset()
    assert [each.id for each in again] == [first[1].id, first[0].id]
    assert repository.snapshot.uploaders() == {"dora": 2}
    assert len(list(repository.uploads_folder.iterdir())) == 1
    assert repository.upload("emil", [rose])[0][0].id != first[1].id


def test_an_id_means_one_content(repository: Repository) -> None:
    repository.upload("dora", [Submission(text="A rose", id="rose")])
    assert repository.upload("dora", [Submission(text="A rose", id="rose")])[0][0].id == "rose"
    for owner, text in (("dora", "Another rose"), ("emil", "A rose")):
        with pytest.raises(StorageError, match="'rose' is there already"):
            repository.upload(owner, [Submission(text=text, id="rose")])
    with pytest.raises(RequestError, match="is the id of a work"):
        repository.upload("dora", [Submission(text="A rose", id="w001")])


def test_what_is_not_ones_own_cannot_be_removed(repository: Repository) -> None:
    (upload,), _ = repository.upload("dora", [Submission(text="A rose")])
    with pytest.raises(UnknownItemError):
        repository.remove([upload.id], owner="emil")
    with pytest.raises(UnknownItemError, match="work of the collection"):
        repository.remove(["w001"])
    assert upload.id in repository.snapshot.index("lsa", "text")


def test_removing_a_person_leaves_no_byte(repository: Repository, peopled: Path, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 200)
    content = (tmp_path / "boat.png").read_bytes()
    given = [Submission(tmp_path / "boat.png", title=f"{NAME} boat"), Submission(text="A rose")]
    (_, rose), _ = repository.upload(NAME, given)
    repository.upload("emil", [Submission(text="A hedge")])
    vector = repository.snapshot.index("lsa", "text").vectors_of([rose.id]).tobytes()
    repository.remove_person(NAME)
    repository.close()
    kept = [file.read_bytes() for file in peopled.rglob("*") if file.is_file()]
    assert not any(NAME.encode() in each or content in each or vector in each for each in kept)
    assert open_repository(peopled).snapshot.uploaders() == {"emil": 1}


_KILLED = """
import os, signal, sys
from pathlib import Path
import vernissage.storage.erasure as erasure
from vernissage.storage.database import Database
from vernissage.workspace.repository import open_repository
place, owner, moment = sys.argv[1:]
die = lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL)
if moment == "first file":
    Path.unlink = die
else:
    Database.purge = die
open_repository(Path(place)).remove_person(owner)
"""


@pytest.mark.parametrize("moment", ["first file", "bytes of the database"])
def test_a_removal_that_is_killed_is_finished_by_whoever_opens_next(
    repository: Repository, peopled: Path, tmp_path: Path, moment: str
) -> None:
    paint(tmp_path / "boat.png", 200)
    content = (tmp_path / "boat.png").read_bytes()
    repository.upload(NAME, [Submission(tmp_path / "boat.png", title=f"{NAME} boat")])
    repository.close()
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(peopled), NAME, moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    again = open_repository(peopled)
    assert again.finished_erasures > 0
    assert again.snapshot.uploaders() == {}
    again.close()
    kept = [file.read_bytes() for file in peopled.rglob("*") if file.is_file()]
    assert not any(NAME.encode() in each or content in each for each in kept)
    assert open_repository(peopled).finished_erasures == 0


def test_a_build_deletes_pictures_without_upload_where_nobody_is_left(repository: Repository, peopled: Path) -> None:
    (upload,), _ = repository.upload("dora", [Submission(text="A rose")])
    repository.remove([upload.id])
    repository.close()
    orphan = peopled / "uploads" / f"{'0' * 32}.png"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left")
    vernissage.build(source_of(peopled), peopled)
    assert not orphan.exists()


def test_what_is_about_people_is_readable_by_its_owner_alone(built: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(built, tmp_path / "workspace"))
    paint(tmp_path / "boat.png", 200)
    with vernissage.open(workspace, writing=True) as gallery:
        gallery.person("ann").upload([Submission(tmp_path / "boat.png")])
        gallery.person("ann").export(tmp_path / "exports" / "ann.zip")
        private = [*workspace.glob("vernissage.db*"), *(workspace / "uploads").iterdir(), *tmp_path.glob("exports/*")]
        assert len(private) >= 5  # the database, its log and index, a picture, an export
        assert {oct(file.stat().st_mode & 0o777) for file in private} == {"0o600"}
        assert {oct(each.stat().st_mode & 0o777) for each in (workspace / "uploads", tmp_path / "exports")} == {"0o700"}


def test_a_refit_is_followed_by_encoding_uploads_anew(repository: Repository, peopled: Path) -> None:
    (upload,), _ = repository.upload("dora", [Submission(text="A storm in the harbour near a lighthouse")])
    old = repository.snapshot.index("aligned", "text")
    build_workspace(source_of(peopled), peopled, refit=True, seed=5)
    repository.refresh()
    assert upload.id not in repository.snapshot.index("aligned", "text")
    assert repository.encode_missing() == 3  # lda, lsa and aligned read texts
    assert repository.encode_missing() == 0
    index = repository.snapshot.index("aligned", "text")
    assert index is not old
    again = repository.workspace.encoder("aligned").encode_texts([upload.text])  # type: ignore[attr-defined]
    np.testing.assert_allclose(index.vectors_of([upload.id]), again, atol=1e-6)


def test_a_build_that_brings_a_work_with_an_uploads_id_is_told(repository: Repository, peopled: Path) -> None:
    repository.upload("dora", [Submission(text="A rose", id="w064")])
    gallery = toy_gallery(peopled.parent / "grown", 65)
    write_table(gallery, [toy_row(number) | {"owner": owner_of(number)} for number in range(65)])
    build_workspace(gallery, peopled)
    with pytest.raises(WorkspaceError, match="'w064' is an upload of dora and a work"):
        open_repository(peopled)


def test_the_database_may_be_a_postgresql(
    peopled: Path, postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    paint(tmp_path / "boat.png", 1)
    repository = open_repository(peopled, postgres_url)
    request.addfinalizer(repository.close)
    submissions = [Submission(tmp_path / "boat.png", title="Boat"), Submission(text="A rose")]
    first, _ = repository.upload("dora", submissions)
    assert repository.upload("dora", submissions)[0] == first
    other = open_repository(peopled, postgres_url)
    request.addfinalizer(other.close)
    assert first[0].id in other.snapshot.index("colour-texture", "image")
    assert not (peopled / "vernissage.db").exists()
    assert set(repository.remove_person("dora").ids) == {each.id for each in first}
