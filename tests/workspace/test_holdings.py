"""Works and uploads together: what is uploaded is there for all, what is removed is gone, builds keep up."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.galleries import owner_of, paint, toy_gallery, toy_row, write_table

from vernissage.errors import CollectionError, RequestError, StorageError, UnknownItemError, WorkspaceError
from vernissage.profiles.directions import mean_direction
from vernissage.workspace.build import build_workspace
from vernissage.workspace.holdings import Holdings, open_holdings
from vernissage.workspace.submissions import Submission

NAME = "zyxquarrel"


def source_of(workspace: Path) -> Path:
    return Path(json.loads((workspace / "workspace.json").read_text())["source"]["absolute"])


@pytest.fixture
def holdings(peopled: Path) -> Holdings:
    return open_holdings(peopled, writing=True)


def test_an_upload_has_the_vector_that_the_same_work_would_have(holdings: Holdings, peopled: Path) -> None:
    picture = source_of(peopled) / "images" / "w005.png"
    text = holdings["w005"].text
    (upload,) = holdings.upload("dora", [Submission(picture, text=text)])
    for encoder, modality in (("aligned", "image"), ("aligned", "text"), ("lsa", "text"), ("colour-texture", "image")):
        index = holdings.index(encoder, modality)  # type: ignore[arg-type]
        np.testing.assert_allclose(index.vectors_of([upload.id]), index.vectors_of(["w005"]), atol=1e-6)
        assert index.owner_of(upload.id) == "dora"
        assert index.search(index.vectors_of(["w005"])[0], 2).item_ids == tuple(sorted(["w005", upload.id]))


def test_two_processes_worth_of_holdings_see_each_other_after_a_refresh(holdings: Holdings, peopled: Path) -> None:
    other = open_holdings(peopled)
    before = other.index("lsa", "text")
    (upload,) = holdings.upload("dora", [Submission(text="A storm in the harbour")])
    assert upload.id not in other.index("lsa", "text")
    other.refresh()
    assert upload.id in other.index("lsa", "text")
    assert upload.id not in before
    other.remove([upload.id], owner="dora")
    holdings.refresh()
    assert upload.id not in holdings.index("lsa", "text")


def test_the_background_follows_the_index(holdings: Holdings) -> None:
    before = holdings.background("lsa", "text")
    assert holdings.background("lsa", "text") is before
    (upload,) = holdings.upload("dora", [Submission(text="A storm in the harbour")])
    after = holdings.background("lsa", "text")
    np.testing.assert_allclose(after, mean_direction(holdings.index("lsa", "text").vectors), atol=1e-12)
    assert not np.array_equal(before, after)
    holdings.remove([upload.id])
    np.testing.assert_allclose(holdings.background("lsa", "text"), before, atol=1e-12)


def test_one_bad_picture_keeps_all_out(holdings: Holdings, tmp_path: Path) -> None:
    paint(tmp_path / "good.png", 1)
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:-300])
    with pytest.raises(CollectionError, match=r"bad\.png is cut short"):
        holdings.upload("dora", [Submission(tmp_path / "good.png"), Submission(tmp_path / "bad.png")])
    assert holdings.uploaders() == {}
    assert not holdings.uploads_folder.exists() or not list(holdings.uploads_folder.iterdir())


def test_equal_content_is_returned_as_it_is_kept(holdings: Holdings, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 1)
    boat, rose = Submission(tmp_path / "boat.png"), Submission(text="A rose")
    first = holdings.upload("dora", [boat, rose, rose])
    assert first[1] == first[2]
    again = holdings.upload("dora", [rose, boat])
    assert [each.id for each in again] == [first[1].id, first[0].id]
    assert holdings.uploaders() == {"dora": 2}
    assert len(list(holdings.uploads_folder.iterdir())) == 1
    assert holdings.upload("emil", [rose])[0].id != first[1].id


def test_an_id_means_one_content(holdings: Holdings) -> None:
    holdings.upload("dora", [Submission(text="A rose", id="rose")])
    assert holdings.upload("dora", [Submission(text="A rose", id="rose")])[0].id == "rose"
    for owner, text in (("dora", "Another rose"), ("emil", "A rose")):
        with pytest.raises(StorageError, match="'rose' is there already"):
            holdings.upload(owner, [Submission(text=text, id="rose")])
    with pytest.raises(RequestError, match="is the id of a work"):
        holdings.upload("dora", [Submission(text="A rose", id="w001")])


def test_what_is_not_ones_own_cannot_be_removed(holdings: Holdings) -> None:
    (upload,) = holdings.upload("dora", [Submission(text="A rose")])
    with pytest.raises(UnknownItemError):
        holdings.remove([upload.id], owner="emil")
    with pytest.raises(UnknownItemError, match="work of the collection"):
        holdings.remove(["w001"])
    assert upload.id in holdings.index("lsa", "text")


def test_removing_a_person_leaves_no_byte(holdings: Holdings, peopled: Path, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 200)
    content = (tmp_path / "boat.png").read_bytes()
    holdings.upload(NAME, [Submission(tmp_path / "boat.png", title=f"{NAME} boat"), Submission(text="A rose")])
    holdings.upload("emil", [Submission(text="A hedge")])
    vector = holdings.index("lsa", "text").vectors[-2:].tobytes()
    holdings.remove_person(NAME)
    holdings.close()
    kept = [file.read_bytes() for file in peopled.rglob("*") if file.is_file()]
    assert not any(NAME.encode() in each or content in each or vector in each for each in kept)
    assert open_holdings(peopled).uploaders() == {"emil": 1}


def test_a_refit_is_followed_by_encoding_uploads_anew(holdings: Holdings, peopled: Path) -> None:
    (upload,) = holdings.upload("dora", [Submission(text="A storm in the harbour near a lighthouse")])
    old = holdings.index("aligned", "text")
    build_workspace(source_of(peopled), peopled, refit=True, seed=5)
    holdings.refresh()
    assert upload.id not in holdings.index("aligned", "text")
    assert holdings.encode_missing() == 3  # lda, lsa and aligned read texts
    assert holdings.encode_missing() == 0
    index = holdings.index("aligned", "text")
    assert index is not old
    again = holdings.workspace.encoder("aligned").encode_texts([upload.text])  # type: ignore[attr-defined]
    np.testing.assert_allclose(index.vectors_of([upload.id]), again, atol=1e-6)


def test_a_build_that_brings_a_work_with_an_uploads_id_is_told(holdings: Holdings, peopled: Path) -> None:
    holdings.upload("dora", [Submission(text="A rose", id="w064")])
    gallery = toy_gallery(peopled.parent / "grown", 65)
    write_table(gallery, [toy_row(number) | {"owner": owner_of(number)} for number in range(65)])
    build_workspace(gallery, peopled)
    with pytest.raises(WorkspaceError, match="'w064' is an upload of dora and a work"):
        open_holdings(peopled)


def test_the_database_may_be_a_postgresql(
    peopled: Path, postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    paint(tmp_path / "boat.png", 1)
    holdings = open_holdings(peopled, postgres_url)
    request.addfinalizer(holdings.close)
    submissions = [Submission(tmp_path / "boat.png", title="Boat"), Submission(text="A rose")]
    first = holdings.upload("dora", submissions)
    assert holdings.upload("dora", submissions) == first
    other = open_holdings(peopled, postgres_url)
    request.addfinalizer(other.close)
    assert first[0].id in other.index("colour-texture", "image")
    assert not (peopled / "vernissage.db").exists()
    assert set(holdings.remove_person("dora").ids) == {each.id for each in first}
