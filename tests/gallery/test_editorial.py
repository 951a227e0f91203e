"""Pins and bans: banned works come in no list, pinned ones first, and reasons still add up."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import ROOT, SECRET, check, open_to, problem

import vernissage
from vernissage.errors import UnknownItemError, WorkspaceError
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.pages.publishing import publish
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.workspace.editorial import editorial_of, place

RATINGS = {"w000": 5.0, "w001": 1.0, "w004": 4.0}


@pytest.fixture
def opened(workspace: Path) -> Gallery:
    return vernissage.open(workspace)


def test_pinned_works_come_first_where_they_are_allowed(opened: Gallery) -> None:
    usual = opened.recommend(RATINGS, 6)
    last = opened.recommend(RATINGS, 200).ids[-1]
    place(opened.path, [last, "w000"], "pinned")  # of which one is rated
    found = opened.recommend(RATINGS, 6)
    assert found.ids == (last, *usual.ids[:5])
    assert opened.recommend(RATINGS, 7).ids[:6] == found.ids
    first = found.works[0]
    [reason] = first.of_kind("field")
    assert (reason.id, reason.contribution) == ("pinned", first.score)
    assert sum(each.contribution for each in first.of_kind("rated")) == pytest.approx(first.score)
    check(found.to_dict())
    assert not any(work.of_kind("field") for work in found.works[1:])
    assert last not in opened.recommend(RATINGS, 6, exclude=[last]).ids
    artist = opened[last].artist
    capped = opened.recommend(RATINGS, 200, per={"artist": 1})
    assert capped.ids[0] == last
    assert sum(work.artist == artist for work in capped.works) == 1
    assert opened.similar("w003", 3).ids[0] in {last, "w000"}


def test_banned_works_come_in_no_list(opened: Gallery) -> None:
    before = opened.fingerprint
    banned = opened.recommend(RATINGS, 1).ids[0]
    place(opened.path, [banned], "pinned")
    place(opened.path, [banned], "banned")
    assert opened.fingerprint != before
    every = len(opened)
    lists = [opened.recommend(RATINGS, every), opened.similar("w003", every), opened.elicitation(every)]
    lists += [opened.similar("w003", every, by=["look", "artist", "period"])]
    lists += [opened.search(opened[banned].title, every), opened.search("a ship", every, within="mixed")]
    for each in lists:
        assert banned not in each.ids
        assert all(banned not in work.also for work in each.works)
        assert all(banned not in [work.id for work in kind.works] for kind in each.kinds)
    place(opened.path, [banned], None)
    assert opened.fingerprint == before
    whole, topic = opened.map(encoder="colour-texture"), opened.topics().topics[0]
    place(opened.path, [whole.items[0].id, topic.works[0]], "banned")
    left = opened.map(encoder="colour-texture")
    kept = [row for row, item in enumerate(whole.items) if item.id not in (whole.items[0].id, topic.works[0])]
    assert left.items == tuple(whole.items[row] for row in kept)
    assert (left.points == whole.points[kept]).all()
    assert topic.works[1:] == opened.topics().topics[0].works[: len(topic.works) - 1]
    assert len(opened.topics().topics[0].works) == len(topic.works)
    place(opened.path, [whole.items[0].id, topic.works[0]], None)
    assert opened.recommend(RATINGS, 1).ids == (banned,)


def test_the_service_keeps_to_bans_from_the_next_request_on(workspace: Path, tmp_path: Path) -> None:
    def served() -> TestClient:
        service = Service(open_gallery(workspace), SECRET)
        return TestClient(create_service(service, open_to(service)))

    with served() as client, served() as elsewhere:
        for each in (client, elsewhere):
            assert "w002" in each.get(f"{ROOT}/works?limit=200").text
        answer = client.put(f"{ROOT}/admin/works/w002", json={"place": "banned"})
        assert answer.status_code == 204
        for each in (client, elsewhere):
            assert '"w002"' not in each.get(f"{ROOT}/works?limit=200&fields=id").text
            assert '"w002"' not in each.get(f"{ROOT}/works/w003/similar?limit=200").text
        assert elsewhere.get(f"{ROOT}/admin/works").json() == {"pinned": [], "banned": ["w002"]}
        assert client.get(f"{ROOT}/works/w002").status_code == 200  # by its own address it is still to be had
        problem(client.put(f"{ROOT}/admin/works/none", json={"place": "banned"}), 404)
        publish(vernissage.open(workspace), tmp_path / "site")
        assert not [path for path in (tmp_path / "site").rglob("*") if "w002" in path.name]
        assert "w002.html" not in "".join(path.read_text() for path in (tmp_path / "site").glob("*.html"))
        assert client.delete(f"{ROOT}/admin/works/w002").status_code == 204
        assert '"w002"' in elsewhere.get(f"{ROOT}/works?limit=200&fields=id").text
        noted = client.get(f"{ROOT}/admin/audit").json()["entries"]
        assert [each["what"] for each in noted] == ["unplace", "ban"]


def test_a_damaged_file_is_told_and_nothing_is_shown(opened: Gallery) -> None:
    with pytest.raises(UnknownItemError):
        opened.repository.place(["none"], "banned", "a test")
    (opened.path / "editorial.json").write_text('{"pinned": 3}')
    with pytest.raises(WorkspaceError, match="damaged"):
        opened.recommend(RATINGS, 3)
    with pytest.raises(WorkspaceError, match="damaged"):
        editorial_of(opened.path)
