"""For you without a browser: the form's protocol, links, notes, and what nobody may be told."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import SECRET, open_to

from vernissage.gallery.gallery import open_gallery
from vernissage.pages.look import Look
from vernissage.web.api.access import Access
from vernissage.web.api.service import Service
from vernissage.web.visitor.app import create_pages

PATH = "/for-you"


@pytest.fixture(scope="module")
def pages(built: Path) -> Iterator[TestClient]:
    service = Service(open_gallery(built, writing=False), SECRET)
    with TestClient(create_pages(service, open_to(service), Look()), base_url="http://museum.example") as made:
        yield made
    service.stop()


def test_events_are_told_only_where_the_pages_own_site_may(built: Path, pages: TestClient) -> None:
    state = {"r.w000": "5", "r.w001": "1"}
    assert "data-counted" not in pages.get(PATH, params=state).text
    with open_gallery(built, writing=False) as gallery:
        service = Service(gallery, SECRET)
        access = Access(service, SECRET, open_here=False, origins=["http://museum.example"])
        with TestClient(create_pages(service, access, Look()), base_url="http://museum.example") as own:
            text = own.get(PATH, params=state).text
            [counted] = re.findall(r'data-counted="([^"]*)"', text)
            told = json.loads(unescape(counted))
            assert told["to"] == "/api/v1/events"
            assert [f"{each}" for each in told["works"]] == works(text)
            assert service.recommended(told["id"]).position(told["works"][2]) == 3
            assert "data-counted" not in own.get(PATH, params={"r.w000": "1"}).text


def part(text: str, name: str) -> str:
    return text.split(f'data-part="{name}"')[1].split("</section>", maxsplit=1)[0]


def works(text: str, name: str = "list") -> list[str]:
    return re.findall(r'href="/works/(w\d+)(?:\?[^"]*)?"', part(text, name))


def test_nine_works_are_there_to_rate_and_others_are_asked_for(pages: TestClient) -> None:
    first = pages.get(PATH)
    asked = works(first.text, "ask")
    assert len(set(asked)) == 9
    assert first.headers["etag"]
    assert works(first.text) == []
    [more] = re.findall(r'name="ask" value="(\d+)"', part(first.text, "ask"))
    others = works(pages.get(PATH, params={"ask": more}).text, "ask")
    assert len(others) == 9
    assert not {*others} & {*asked}


def test_a_list_is_there_from_the_first_rating_on_and_more_extend_it(pages: TestClient) -> None:
    answer = pages.get(PATH, params={"r.w000": "5"})
    assert answer.headers["cache-control"] == "no-store"
    found = works(answer.text)
    assert len(found) == 9
    assert "w000" not in found
    assert "Because you liked “" in part(answer.text, "list")
    [more] = re.findall(r'name="n" value="(\d+)"', part(answer.text, "list"))
    assert works(pages.get(PATH, params={"r.w000": "5", "n": more}).text)[:9] == found
    assert len(works(pages.get(PATH, params={"r.w000": "5", "n": more}).text)) == int(more)


def test_hidden_works_make_room_kept_ones_stay_and_buttons_take_back(pages: TestClient) -> None:
    state = {"r.w000": "5", "r.w001": "1"}
    first, second, *_ = works(pages.get(PATH, params=state).text)
    hidden = pages.get(PATH, params={**state, f"hide.{first}": "1", f"keep.{second}": "1"}).text
    assert len(works(hidden)) == 9
    assert first not in works(hidden)
    assert f'name="keep.{second}" value="0" aria-pressed="true"' in part(hidden, "list")
    shelves = part(hidden, "shelves")
    for name in (f"hide.{first}", f"keep.{second}", "r.w000", "r.w001"):
        assert f'name="{name}" value="0"' in shelves
    # As a form sends it: what it holds, then the button that was pressed.
    again = pages.get(f"{PATH}?r.w000=5&r.w001=1&r.w002=4&hide.{first}=1&hide.{first}=0&r.w002=0").text
    assert works(again)[0] == first
    assert "Your ratings: 2" in again


def test_what_is_sent_is_answered_as_what_is_in_the_address(pages: TestClient) -> None:
    state = {"r.w000": "5", "r.w004": "2", "n": "18"}
    sent, asked = (
        answer.text.split("<footer")[0] for answer in (pages.post(PATH, data=state), pages.get(PATH, params=state))
    )
    assert sent == asked
    german = pages.post(f"{PATH}?lang=de", data=state).text
    assert works(german) == works(asked)
    assert "Weil Ihnen „" in german


def test_a_link_holds_ids_and_ratings_alone(pages: TestClient) -> None:
    text = pages.get(PATH, params={"r.w000": "5", "keep.w002": "1", "hide.w003": "1", "lang": "de", "n": "18"}).text
    [link] = re.findall(r'href="([^"]+)" data-do="share"', text)
    assert link == "/for-you?lang=de&amp;r.w000=5"


@pytest.mark.parametrize(
    "query",
    ["r.nobody=5", "r.w000=6", "r.w000=five", "r.<script>alert(1)</script>=5", "r._zz=1", "r.w000=5.5", "r.w000=%00"],
)
def test_what_is_not_understood_is_left_out_and_said(pages: TestClient, query: str) -> None:
    text = pages.get(f"{PATH}?{query}").text
    assert "One rating was left out: it is of a work that is not in this collection, or is not from 1 to 5." in text
    assert works(text) == []
    assert "<script>alert" not in text


def test_numbers_that_mean_nothing_are_the_usual_ones(pages: TestClient) -> None:
    usual = pages.get(PATH, params={"r.w000": "5"}).text
    for value in ("-3", "x", "9" * 40, "٣", ""):
        text = pages.get(PATH, params={"r.w000": "5", "n": value, "ask": value}).text
        assert works(text) == works(usual)
    assert len(works(pages.get(PATH, params={"r.w000": "5", "n": "9999999"}).text)) == len(
        works(pages.get(PATH, params={"r.w000": "5", "n": "200"}).text)
    )


def test_too_long_a_link_and_too_many_fields_are_refused_in_words(pages: TestClient) -> None:
    long = pages.get(f"{PATH}?{'&'.join(f'r.w{n:04}=5' for n in range(1_000))}")
    assert long.status_code == 400
    assert "too long" in long.text
    many = pages.post(PATH, content="&".join(f"r.w{n:04}=5" for n in range(2_500)))
    assert many.status_code == 400
    assert "too many ratings" in many.text


def test_more_ratings_of_works_here_than_are_taken_are_refused_in_words(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {f"r.w{n:03}": "5" for n in range(4)}
    monkeypatch.setattr("vernissage.web.visitor.for_you.MOST_RATINGS", len(form))
    assert pages.post(PATH, data=form).status_code == 200
    refused = pages.post(PATH, data=form | {"r.w009": "1"})
    assert refused.status_code == 400
    assert "too many ratings" in refused.text


def test_works_like_those_that_nobody_likes_are_not_shown(pages: TestClient) -> None:
    text = pages.get(PATH, params={"r.w000": "1", "r.w001": "2"}).text
    assert "here is a varied choice" in text
    assert len(works(text)) == 9
    assert not {"w000", "w001"} & {*works(text)}
    assert "Because" not in text
    assert "for a better list" in pages.get(PATH, params={"r.w000": "3"}).text


def test_no_engine_is_named(pages: TestClient) -> None:
    text = pages.get(PATH, params={"r.w000": "5", "r.w001": "1"}).text
    for name in ("lda", "lsa", "zscore", "colour-texture", "late-"):
        assert name not in re.sub(r'(?:href|src|srcset)="[^"]*"', "", text)
