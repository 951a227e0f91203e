"""Pages for visitors over the toy gallery: what stands around each, languages, caching, errors as pages."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import ROOT, SECRET, open_to

from vernissage.gallery.gallery import open_gallery
from vernissage.pages.look import Look
from vernissage.pages.visitor.frame import STATIC_TYPES
from vernissage.web.api.service import Service
from vernissage.web.serving import Server
from vernissage.web.settings import Settings
from vernissage.web.visitor.app import create_pages

BASE, LOCAL = "http://museum.example", "http://localhost"


@pytest.fixture(scope="module")
def pages(built: Path) -> Iterator[TestClient]:
    service = Service(open_gallery(built, writing=False), SECRET)
    with TestClient(create_pages(service, open_to(service), Look()), base_url=BASE) as made:
        yield made
    service.stop()


def test_the_first_page_shows_works_and_loads_what_never_changes_under_its_address(pages: TestClient) -> None:
    answer = pages.get("/")
    assert answer.status_code == 200
    assert answer.text.count('<li class="work') == 60
    assert 'name="description" content="' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|<script(?! defer src)|\son\w+=|javascript:", answer.text)
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        file = pages.get(address)
        assert file.headers["content-type"] == STATIC_TYPES[address.rpartition(".")[2]]
        assert "immutable" in file.headers["cache-control"]
        assert pages.get(address.replace("/static/", "/static/0")).status_code == 404


def test_who_has_a_page_already_is_told_so(pages: TestClient) -> None:
    first = pages.get("/")
    again = pages.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    german = pages.get("/", headers={"If-None-Match": first.headers["etag"], "Accept-Language": "de"})
    assert german.status_code == 200
    assert german.headers["etag"] != first.headers["etag"]


def test_pages_and_files_come_compressed_to_browsers_that_read_it(pages: TestClient) -> None:
    for address in ("/", "/?q=sea", *re.findall(r'(?:href|src)="(/static/[^"]+)"', pages.get("/").text)):
        packed = pages.get(address, headers={"Accept-Encoding": "gzip, br"})
        plain = pages.get(address, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
        assert "Accept-Encoding" in plain.headers["vary"]
    other = pages.get("/nowhere", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in other.headers, "what is made for one request may hold a secret"


def test_pages_are_in_the_language_that_is_asked_for_and_links_keep_it(pages: TestClient) -> None:
    assert '<html lang="en">' in pages.get("/", headers={"Accept-Language": "fr"}).text
    assert '<html lang="de">' in pages.get("/", headers={"Accept-Language": "de-AT, en;q=.5"}).text
    page = pages.get("/?lang=de").text
    assert "Zum Inhalt" in page
    assert re.search(r'href="/works/w\d+\?lang=de"', page)


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), (f"/?q={'x' * 3_000}", 422), ("/static/x/../y", 404)])
def test_errors_are_pages_that_say_what_to_do(pages: TestClient, path: str, status: int) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "content-security-policy" in answer.headers
    assert pages.post("/").status_code == 405


def test_an_address_that_begins_with_two_slashes_leads_to_no_other_host(pages: TestClient) -> None:
    page = pages.get("http://museum.example//evil.example/%3Cb%3E%3Fx")
    assert page.status_code == 404
    assert 'href="/evil.example/%3Cb%3E%3Fx?lang=de"' in page.text


def works_of(page: str) -> list[str]:
    return re.findall(r'<a href="/works/([^"?]+)">', page)


def test_filters_and_words_narrow_the_collection_and_can_be_taken_back(pages: TestClient) -> None:
    page = pages.get("/").text
    artist, count = re.search(r'<option value="([^"]+)">[^<]+ \((\d+)\)</option>', page).groups()  # type: ignore[union-attr]
    name = re.search(r'<select id="by-\w+" name="(\w+)"', page)[1]  # type: ignore[index]
    narrowed = pages.get("/", params={name: artist}).text
    assert len(works_of(narrowed)) == int(count)
    assert f"<small>{count} works</small>" in narrowed
    without = re.search(r'<ul class="chips">\s*<li><a href="([^"]*)"', narrowed)
    assert without is not None
    assert works_of(pages.get(without[1]).text) == works_of(page)
    searched = pages.get("/", params={"q": "harbour"}).text
    assert works_of(searched)
    assert "<mark>harbour</mark>" in searched
    nothing = pages.get("/", params={"q": "harbour", "period": "nonsense", name: artist}).text
    assert "Show all works" in nothing or works_of(nothing)


def test_all_works_are_to_be_had_by_links_alone(pages: TestClient) -> None:
    seen, page = [], pages.get("/").text
    while more := re.search(r'id="more" rel="next" href="([^"]+)"', page):
        seen += works_of(page)
        page = pages.get(more[1].replace("&amp;", "&")).text
    seen += works_of(page)
    assert len(seen) == len(set(seen)) == 64


def test_a_work_has_a_page_of_its_own_with_works_like_it(pages: TestClient) -> None:
    page = pages.get("/works/w000").text
    assert len(re.findall("<h1", page)) == 1
    assert 'href="/about"' in page
    headings = re.findall(r'<h2 id="alike-\d">([^<]+)', page)
    assert headings
    assert {"w000"}.isdisjoint(works_of(page))
    for _, part in zip(headings, page.split('<section class="alike"')[1:], strict=True):
        assert works_of(part)  # kinds of likeness that have no works have no heading
    picture = re.search(r'<a class="zoom r[-\d]+" href="([^"]+)"', page)
    assert picture is not None  # without a script it leads to the largest size
    assert "/api/v1/thumbnails/" in picture[1]
    assert pages.get("/works/nothing").status_code == 404


def test_the_page_about_the_collection_names_no_engine(pages: TestClient) -> None:
    page = pages.get("/about?lang=de").text
    assert "Wie Werke verglichen werden" in page
    for name in ("lsa", "lda", "aligned", "wordllama", "efficientnet", "zscore"):
        assert name not in page.lower()


def test_addresses_of_works_lead_to_their_pages_where_there_are_any(built: Path, tmp_path: Path) -> None:
    collections = {name: shutil.copytree(built, tmp_path / name) for name in "ab"}  # a server leaves its secret in each
    for shown, expected in ((True, "/works/w003"), (False, f"{ROOT}/works/w003")):
        server = Server(Settings.model_construct(pages=shown), collections)
        with TestClient(server, base_url=LOCAL) as client:
            work = client.get(f"/b{ROOT}/works/w003").json()
            assert work["url"] == f"{LOCAL}/b{expected}"
            linked = client.get(f"/b{ROOT}/works/w003", headers={"Accept": "application/ld+json"}).json()
            assert linked["id"] == f"{LOCAL}/b{ROOT}/works/w003"
            page = client.get("/b/")
            assert page.status_code == (200 if shown else 404)
            assert works_of(page.text) == []  # all addresses have the prefix
            assert ('<a href="/b/works/w003">' in page.text) == shown


def test_a_study_stands_beside_the_pages_of_its_collection(built: Path, study_file: Path, tmp_path: Path) -> None:
    workspace = shutil.copytree(built, tmp_path / "workspace")  # a study leaves its answers in it
    server = Server(Settings.model_construct(study=study_file), {"": workspace})
    with TestClient(server, base_url=LOCAL, follow_redirects=False) as client:
        assert works_of(client.get("/").text)
        assert client.get("/study").headers["location"].startswith("/study/")
        moved = client.get("/?PROLIFIC_PID=ann")
        assert (moved.status_code, moved.headers["location"]) == (307, "/study?PROLIFIC_PID=ann")
        assert client.get("/experimenter").headers["location"] == "/study/experimenter"
