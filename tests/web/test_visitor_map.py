"""The map on a server: lists until it is drawn, then tiles under addresses that change with the collection."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import SECRET, open_to

from vernissage.cli.main import main
from vernissage.errors import WorkspaceError
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.look import Look
from vernissage.pages.map_tiles import FOLDER, keep_map, kept_map
from vernissage.web.api.service import Service
from vernissage.web.visitor import map as served
from vernissage.web.visitor.app import create_pages
from vernissage.workspace.editorial import place


class Begun:
    """A process that was begun and has not ended."""

    commands: list[list[str]]

    def __init__(self, words: list[str], **_: Any) -> None:
        self.commands.append(words)
        self.returncode = 0

    def poll(self) -> None:
        return None

    def communicate(self) -> tuple[bytes, bytes]:
        return b"", b""

    def terminate(self) -> None:
        """Nothing runs."""


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    Begun.commands = []
    monkeypatch.setattr(served, "subprocess", SimpleNamespace(Popen=Begun, PIPE=-1, DEVNULL=-3))
    return Begun.commands


@pytest.fixture
def pages(workspace: Path) -> Iterator[TestClient]:
    service = Service(open_gallery(workspace, writing=False), SECRET)
    with TestClient(create_pages(service, open_to(service), Look()), base_url="http://museum.example") as made:
        yield made
    service.stop()


def works_of(page: str) -> list[str]:
    return re.findall(r'<a href="/works/([^"?]+)', page)


def test_until_it_is_drawn_its_groups_are_there(pages: TestClient, begun: list[list[str]]) -> None:
    first = pages.get("/map")
    assert "is being drawn" in first.text
    assert "<script" not in first.text
    assert first.text.count("<h2>") == len(re.findall(r'<ul class="grid ', first.text)) > 1
    assert works_of(first.text)
    assert pages.get("/map").text == first.text
    assert len(begun) == 1
    with pytest.raises(SystemExit, match="0"):
        main(begun[0][begun[0].index("vernissage") + 1 :])
    drawn = pages.get("/map", headers={"If-None-Match": first.headers["etag"]})
    assert drawn.status_code == 200
    assert "is being drawn" not in drawn.text
    assert 'src="/static/' in drawn.text
    assert len(begun) == 1


def test_tiles_never_change_under_their_address(pages: TestClient, workspace: Path, begun: list[list[str]]) -> None:
    with open_gallery(workspace, people=False) as gallery:
        folder, _ = keep_map(gallery)
    base = re.search(r'data-tiles="([^"]+)"', pages.get("/map").text)[1]  # type: ignore[index]
    assert folder.name in base
    words = pages.get(f"{base}works.json")
    assert "immutable" in words.headers["cache-control"]
    assert words.json() == json.loads((folder / "works.json").read_bytes())
    tile = pages.get(f"{base}0/0-0.webp")
    assert tile.headers["content-type"] == "image/webp"
    assert tile.content == (folder / "0/0-0.webp").read_bytes()
    for wrong in ("0/99-99.webp", "../../workspace.json", "0/0-0.png", ".lock"):
        assert pages.get(base + wrong).status_code in {404, 422}
    assert pages.get("/map/000000000000/works.json").status_code == 404
    assert begun == []


def test_words_of_ten_thousand_works_are_compressed(pages: TestClient, workspace: Path) -> None:
    with open_gallery(workspace, people=False) as gallery:
        folder, _ = keep_map(gallery)
    with pages.stream("GET", f"/map/{folder.name}/works.json") as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == (folder / "works.json").read_bytes()


@pytest.mark.usefixtures("begun")
def test_each_list_is_read_to_its_end(pages: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "PER_PAGE", 5)
    page = pages.get("/map?lang=de").text
    found = re.findall(r"<h2>.*?>([^<]+)</span> <small[^>]*>(?:(\d+) Werke|ein Werk)", page)
    more = re.search(r'<a class="button" href="(/map[^"]+)"', page)
    assert more is not None
    assert "lang=de" in more[1]
    name, count = found[0]
    met, address = list[str](), f"/map?group={name}"
    for _ in range(int(count)):
        page = pages.get(address).text
        met += works_of(page)
        after = re.search(r'<a class="button" href="(/map[^"]+)"', page)
        if after is None:
            break
        address = after[1].replace("&amp;", "&")
    assert len(met) == len(set(met)) == int(count)
    assert f'<h1><span dir="auto">{name}</span>' in page


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize(("query", "status"), [("group=nothing", 404), ("from=-1", 422), ("group=" + "x" * 2_000, 422)])
def test_what_is_not_there_is_told(pages: TestClient, query: str, status: int) -> None:
    assert pages.get(f"/map?{query}").status_code == status


def test_a_drawing_that_fails_is_not_begun_again(
    pages: TestClient, begun: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Begun, "poll", lambda _: 1)
    pages.get("/map")
    page = pages.get("/map").text
    assert "There is no map" in page
    assert len(begun) == 1


def test_a_map_is_kept_until_the_state_changes(workspace: Path) -> None:
    with open_gallery(workspace, people=False) as gallery:
        assert kept_map(gallery) is None
        folder, notes = keep_map(gallery)
        assert (folder, notes) == (kept_map(gallery), [])
        first = json.loads((folder / "works.json").read_bytes())
        assert len(first["keys"]) == len(gallery)
        before = (folder / "works.json").stat().st_mtime_ns
        assert keep_map(gallery)[0] == folder
        assert (folder / "works.json").stat().st_mtime_ns == before
        banned = gallery.collection.ids[0]
        place(workspace, [banned], "banned")
        assert kept_map(gallery) is None
        after, _ = keep_map(gallery)
        assert len(json.loads((after / "works.json").read_bytes())["keys"]) == len(first["keys"]) - 1
        assert folder.is_dir()
        assert sorted(each.name for each in (workspace / FOLDER).iterdir()) == sorted(
            [".lock", after.name, folder.name]
        )


def test_links_are_not_followed(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (workspace / FOLDER).symlink_to(tmp_path / "elsewhere")
    with open_gallery(workspace, people=False) as gallery, pytest.raises(WorkspaceError, match="link"):
        keep_map(gallery)
    assert list((tmp_path / "elsewhere").iterdir()) == []
