"""Pages for visitors over the toy gallery: what stands around each, languages, caching, errors as pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import SECRET, open_to

from vernissage.gallery.gallery import open_gallery
from vernissage.pages.look import Look
from vernissage.pages.visitor.frame import STATIC_TYPES
from vernissage.web.api.service import Service
from vernissage.web.visitor.app import create_pages

BASE = "http://museum.example"


@pytest.fixture
def pages(built: Path) -> Iterator[TestClient]:
    service = Service(open_gallery(built, writing=False), SECRET)
    with TestClient(create_pages(service, open_to(service), Look()), base_url=BASE) as made:
        yield made
    service.stop()


def test_the_first_page_shows_works_and_loads_what_never_changes_under_its_address(pages: TestClient) -> None:
    answer = pages.get("/")
    assert answer.status_code == 200
    assert answer.text.count('<li class="work') == 60
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|<script(?! type=\"module\" src)|\son\w+=|javascript:", answer.text)
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


def test_pages_are_in_the_language_that_is_asked_for_and_links_keep_it(pages: TestClient) -> None:
    assert '<html lang="en">' in pages.get("/", headers={"Accept-Language": "fr"}).text
    assert '<html lang="de">' in pages.get("/", headers={"Accept-Language": "de-AT, en;q=.5"}).text
    page = pages.get("/?lang=de").text
    assert "Zum Inhalt" in page
    assert re.search(r'href="/works/w\d+\?lang=de"', page)


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/?cursor=x", 400), ("/static/x/../y", 404)])
def test_errors_are_pages_that_say_what_to_do(pages: TestClient, path: str, status: int) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "content-security-policy" in answer.headers
    assert pages.post("/").status_code == 405
