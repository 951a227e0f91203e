"""The way through a study over HTTP: what is shown, what is stored, what is told of mistakes."""

import re

import pytest
from starlette.testclient import TestClient
from tests.statements import counted_statements
from tests.web.conftest import CODE, Serve, World
from tests.web.walking import Walker, fields_without, form_in, forms_in, loaded_by

from vernissage.errors import RequestError
from vernissage.study.definition import Completion
from vernissage.values import Ranking

EVERYTHING = [
    ("ann", engine, repetition) for engine in ("colour-texture", "lda") for repetition in (1, 2)
]  # fmt: skip


def test_the_whole_way(world: World) -> None:
    walker = Walker(world.client)
    page = walker.open("?PROLIFIC_PID=ann&STUDY_ID=s1&SESSION_ID=x1")
    addresses = [page.url.path]
    while page.url.path != "/study/thanks":
        page = walker.send(page)
        addresses.append(page.url.path)
    assert addresses == [
        "/study/welcome",
        "/study/elicitation",
        *(f"/study/assessment/{position}" for position in (1, 2, 3, 4)),
        "/study/thanks",
    ]
    assert CODE in page.text
    assert world.answered() == EVERYTHING
    (person,) = world.table("demographics")
    assert person["recruitment_study"] == "s1"
    assert person["recruitment_session"] == "x1"
    assert person["consented"]


def test_no_request_takes_more_than_15_statements(world: World) -> None:
    walker = Walker(world.client)
    with counted_statements() as statements:
        page = walker.open("?PROLIFIC_PID=ann")
    assert 0 < len(statements) <= 15
    counts = {}
    while page.url.path != "/study/thanks":
        with counted_statements() as reading:
            page = walker.get("/study", follow_redirects=False)
            page = walker.get(page.headers["location"], follow_redirects=False)
        with counted_statements() as writing:
            answer = walker.send(page, follow_redirects=False)
        assert answer.status_code == 303
        counts[page.url.path] = (len(reading) // 2, len(writing))
        page = walker.get(answer.headers["location"])
    assert len(counts) == 6
    assert all(reading <= 7 and writing <= 15 for reading, writing in counts.values()), counts


def test_what_is_stored_is_what_was_chosen(world: World) -> None:
    page = Walker(world.client).begin("?PROLIFIC_PID=ann")
    pictures = world.served.pictures
    chosen = {}
    walker = Walker(world.client, lambda name, values: chosen.setdefault(name, values[len(chosen) % 5]))
    names = list(form_in(page).choices)
    page = walker.send(page)
    rated = {row["item"]: row["rating"] for row in world.table("elicitation")}
    assert rated == {pictures.item(name.removeprefix("work-")).id: int(chosen[name]) for name in names}  # type: ignore[union-attr]
    chosen.clear()
    walker.send(page)
    (answer,) = world.table("long")
    assert {name: answer[name] for name in ("accuracy", "diversity", "novelty", "serendipity")} == {
        name.removeprefix("statement-"): int(value) for name, value in chosen.items()
    }


def test_nothing_is_stored_before_consent(world: World) -> None:
    walker = Walker(world.client)
    page = walker.open("?PROLIFIC_PID=ann")
    refused = walker.send(page, fields_without(walker.filled(page), "consent"))
    assert refused.status_code == 422
    assert world.served.study.records.overview().started == 0


def test_age_and_gender_are_kept_when_told_and_may_be_left_out(world: World) -> None:
    walker = Walker(world.client)
    page = walker.open("?PROLIFIC_PID=ann")
    walker.send(page, {**walker.filled(page), "age": " 44 ", "gender": "Woman"})
    other = Walker(world.anybody())
    page = other.open("?PROLIFIC_PID=bob")
    other.send(page, fields_without(other.filled(page), "gender"))
    told = {row["participant"]: (row["age"], row["gender"]) for row in world.table("demographics")}
    assert told == {"ann": (44, "Woman"), "bob": (None, "")}


def test_where_age_and_gender_are_required_nobody_begins_without(serve: Serve) -> None:
    world = serve(changes={"demographics": "required"})
    walker = Walker(world.client)
    page = walker.open("?PROLIFIC_PID=ann")
    assert "(optional)" not in page.text
    assert form_in(page).carried["age"] == ""
    page = walker.send(page, {**fields_without(walker.filled(page), "gender"), "age": ""})
    assert page.status_code == 422
    for told in (
        'href="#age">Your age: enter a number from 18 to 120</a>',
        'href="#gender-1">Your gender: choose one</a>',
    ):
        assert told in page.text
    assert world.served.study.records.overview().started == 0
    walker.send(page, {**walker.filled(page), "age": "44", "gender": "Woman"})
    assert [(row["age"], row["gender"]) for row in world.table("demographics")] == [(44, "Woman")]


@pytest.mark.parametrize("age", ["17", "121", "-5", "4.5", "old", "１８", "1" * 400])
def test_an_age_that_cannot_be_is_told_and_kept_in_the_form(world: World, age: str) -> None:
    walker = Walker(world.client)
    page = walker.open()
    page = walker.send(page, {**walker.filled(page), "age": age})
    assert page.status_code == 422
    assert 'href="#age"' in page.text
    assert form_in(page).carried["age"] == age
    assert world.served.study.records.overview().started == 0


def test_a_missing_answer_brings_the_form_again_with_the_others_kept(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin("?PROLIFIC_PID=ann")
    for address in ("/study/elicitation", "/study/assessment/1"):
        page = walker.walk(page, address)
        fields = walker.filled(page)
        left_out, *others = form_in(page).choices
        page = walker.send(page, fields_without(fields, left_out))
        assert page.status_code == 422
        assert "<title>Error: " in page.text
        assert re.findall(r'<li><a href="#([^"]*)">', page.text) == [f"{left_out}-1"]
        assert form_in(page).chosen == {name: fields[name] for name in others}
        assert world.answered() == []
        page = walker.send(page, fields)


@pytest.mark.parametrize("value", ["0", "6", "", "3.0", "five", "-1", "٣"])
def test_answers_that_no_form_offers_are_refused(world: World, value: str) -> None:
    walker = Walker(world.client)
    page = walker.walk(walker.begin("?PROLIFIC_PID=ann"), "/study/assessment/1")
    page = walker.send(page, {**walker.filled(page), "statement-accuracy": value})
    assert page.status_code == 422
    assert world.answered() == []


def test_the_second_showing_is_the_first_again_and_not_adjacent(world: World) -> None:
    walker = Walker(world.client)
    page = walker.walk(walker.begin("?PROLIFIC_PID=ann"), "/study/assessment/1")
    lists = []
    while page.url.path != "/study/thanks":
        lists.append([address for address in loaded_by(page) if address.startswith("/study/pictures/")])
        page = walker.send(page)
    assert lists[:2] == lists[2:]
    assert lists[0] != lists[1]


def test_no_engine_and_no_path_reaches_the_browser(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin("?PROLIFIC_PID=ann")
    seen = ""
    while page.url.path != "/study/thanks":
        page = walker.send(page)
        seen += page.text + repr(page.headers) + repr(world.client.cookies)
    for word in ("lda", "colour-texture", "engine", "repetition", "images/", ".png", "w00"):
        assert word not in seen.lower(), word


def test_the_same_id_goes_on_elsewhere(world: World) -> None:
    page = Walker(world.client).walk(Walker(world.client).begin("?PROLIFIC_PID=ann"), "/study/assessment/2")
    there = Walker(world.anybody())
    assert there.open("?PROLIFIC_PID=ann").url.path == page.url.path
    assert there.walk(there.get("/study")).status_code == 200
    assert Walker(world.client).get("/study").url.path == "/study/thanks"
    assert world.answered() == EVERYTHING


def test_without_an_id_everybody_is_somebody_else(world: World) -> None:
    for walker in (Walker(world.client), Walker(world.anybody())):
        walker.begin()
        walker.open()
        assert walker.open().url.path == "/study/elicitation"
    assert len({row["participant"] for row in world.table("demographics")}) == 2


def test_people_who_share_a_computer_follow_each_other(world: World) -> None:
    walker = Walker(world.client)
    page = walker.walk(walker.begin())
    (form,) = forms_in(page)
    assert form.action == "/study/anew"
    assert walker.send(page).url.path == "/study/welcome"
    walker.walk(walker.begin())
    assert len(world.answered()) == 8


def test_nobody_begins_anew_in_the_middle_or_with_an_id(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin()
    token = {"token": form_in(page).carried["token"]}
    assert world.client.post("/study/anew", data=token).url.path == "/study/elicitation"
    other = Walker(world.anybody())
    page = other.begin("?PROLIFIC_PID=ann")
    token = {"token": form_in(page).carried["token"]}
    page = other.walk(page)
    assert forms_in(page) == []
    assert other.client.post("/study/anew", data=token).url.path == "/study/thanks"


def test_a_return_address_is_a_link(serve: Serve) -> None:
    address = "https://app.prolific.com/submissions/complete?cc=X&y=1"
    world = serve(changes={"completion": Completion(return_url=address)})
    walker = Walker(world.client)
    page = walker.walk(walker.begin("?PROLIFIC_PID=ann"))
    assert f'href="{address.replace("&", "&amp;")}"' in page.text


def test_a_paused_study_waits_and_stores_nothing(world: World) -> None:
    walker = Walker(world.client)
    page = walker.walk(walker.begin("?PROLIFIC_PID=ann"), "/study/assessment/1")
    world.served.study.records.pause()
    assert walker.send(page).url.path == "/study/paused"
    assert "paused" in walker.get("/study").text
    assert Walker(world.anybody()).open("?PROLIFIC_PID=bob").url.path == "/study/paused"
    assert world.answered() == []
    world.served.study.records.resume()
    assert walker.get("/study/paused").url.path == "/study/assessment/1"
    walker.walk(walker.get("/study"))
    assert world.answered() == EVERYTHING


def test_whoever_was_ended_is_told(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin("?PROLIFIC_PID=ann")
    world.served.study.records.mark_dropped("ann")
    assert walker.send(page).url.path == "/study/closed"
    assert {row["rating"] for row in world.table("elicitation")} <= {None}


def test_previews_are_marked_and_enter_no_export(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin(f"?preview={world.served.sessions.preview_code()}")
    assert "Preview" in page.text
    walker.walk(page)
    assert world.served.study.records.overview().previews == 1
    Walker(world.anybody()).begin("?PROLIFIC_PID=ann")
    assert {row["participant"] for row in world.table("demographics")} == {"ann"}


def test_pictures_come_at_two_sizes_for_this_browser_alone(world: World) -> None:
    walker = Walker(world.client)
    page = walker.begin()
    addresses = [address for address in loaded_by(page) if address.startswith("/study/pictures/")]
    assert len(addresses) == 4
    for address in addresses:
        picture = walker.get(address)
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["cache-control"].startswith("private, max-age=")
        assert picture.content.startswith(b"\xff\xd8")
    for address in (
        "/study/pictures/w000/large.jpg",
        re.sub(r"\w+\.jpg", "original.jpg", addresses[0]),
        "/study/works/w000",
    ):
        assert walker.get(address).status_code == 404
    alone = walker.get(re.findall(r'href="(/study/works/[^"]*)"', page.text)[0])
    assert loaded_by(alone)[-1] in addresses


def test_the_style_sheet_and_the_script_are_kept_by_their_content(world: World) -> None:
    page = Walker(world.client).open()
    files = [address for address in loaded_by(page) if address.startswith("/study/static/")]
    assert [address.rpartition(".")[2] for address in files] == ["css", "css", "js"]
    for address in files:
        assert "immutable" in world.client.get(address).headers["cache-control"]
        version = address.split("/")[3]
        assert world.client.get(address.replace(version, "0" * 12)).status_code == 404
    assert world.client.get("/study/static/x/../../../secret").status_code == 404


def test_health(world: World) -> None:
    assert world.client.get("/healthz").text == "ok\n"


class UnforeseenError(Exception):
    """An error that nobody foresaw."""


@pytest.mark.parametrize(("error", "status"), [(RequestError("lda cannot answer"), 503), (UnforeseenError("lda"), 500)])
def test_an_engine_that_fails_loses_nothing_and_tells_nobody_its_name(
    serve: Serve, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(engine: str, ratings: object, n: int) -> Ranking:
        raise error

    broken = serve(recommend=failing)
    walker = Walker(TestClient(broken.client.app, raise_server_exceptions=False))
    page = walker.begin("?PROLIFIC_PID=ann")
    answer = walker.send(page)
    assert answer.status_code == status
    assert "lda" not in answer.text
    assert 'href="/study"' in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "PROLIFIC" not in caplog.text
    assert '"ann"' not in caplog.text
    mended = serve()
    again = Walker(TestClient(mended.client.app, cookies=dict(walker.client.cookies)))
    assert again.get("/study").text == page.text
    again.walk(again.send(page))
    assert mended.answered() == EVERYTHING
