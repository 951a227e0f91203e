"""Whatever a browser or a person sends, there is one answer for each showing, and it is the first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from tests.web.conftest import Serve, World
from tests.web.walking import Form, Walker, form_in, steady

from vernissage.errors import StudyError
from vernissage.study.timing import Clocks

ALL_ONE = {f"statement-{name}": "1" for name in ("accuracy", "diversity", "novelty", "serendipity")}
EVERYTHING = [("ann", engine, repetition) for engine in ("colour-texture", "lda") for repetition in (1, 2)]


@pytest.fixture
def ann(world: World) -> Walker:
    return Walker(world.client, steady("ann"))


@pytest.fixture
def first(ann: Walker) -> httpx.Response:
    """The first list that Ann is to judge."""
    return ann.walk(ann.begin("?PROLIFIC_PID=ann"), "/study/assessment/1")


def finished(world: World, ann: Walker) -> bool:
    """Whether Ann can go on from wherever she is, and ends with every answer once."""
    ann.walk(ann.get("/study"))
    return world.answered() == EVERYTHING


def ratings(world: World) -> list[object]:
    return [row["accuracy"] for row in world.table("long")]


def test_a_double_click_on_every_page(world: World, ann: Walker) -> None:
    """Eight copies of each form at once, from eight connections with the same cookie."""
    page = ann.open("?PROLIFIC_PID=ann")
    while page.url.path != "/study/thanks":
        fields, cookies = ann.filled(page), dict(world.client.cookies)
        others = [httpx_client(world, cookies) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            action = form_in(page).action
            answers = list(pool.map(lambda each: each.post(action, data=fields, follow_redirects=False), others))  # noqa: B023
        assert {answer.status_code for answer in answers} == {303}
        after = ann.get("/study")
        assert {answer.headers["location"] for answer in answers} == {after.url.path}
        page = after
    assert world.answered() == EVERYTHING
    assert len(world.table("demographics")) == 1
    assert len(world.table("rankings")) == 6


def httpx_client(world: World, cookies: dict[str, str]) -> httpx.Client:
    client = world.anybody()
    client.cookies.update(cookies)
    return client


def test_back_and_submit_again(world: World, ann: Walker, first: httpx.Response) -> None:
    ann.send(first, ALL_ONE | carried(first))
    assert ann.get("/study/assessment/1").url.path == "/study/assessment/2"
    changed = ann.send(first, dict.fromkeys(ALL_ONE, "5") | carried(first))
    assert changed.url.path == "/study/assessment/2"
    assert ratings(world) == [1]
    assert finished(world, ann)


def test_reloading_any_page_shows_it_again(world: World, ann: Walker) -> None:
    page = ann.open("?PROLIFIC_PID=ann")
    while page.url.path != "/study/thanks":
        again = ann.get(page.url.path)
        assert again.text == page.text
        page = ann.send(again)
    assert ann.get("/study/thanks").text == page.text
    assert world.answered() == EVERYTHING


def test_two_tabs(world: World, ann: Walker, first: httpx.Response) -> None:
    other = ann.get("/study")
    ann.send(first, ALL_ONE | carried(first))
    late = ann.send(other, dict.fromkeys(ALL_ONE, "5") | carried(other))
    assert late.url.path == "/study/assessment/2"
    assert ratings(world) == [1]
    assert finished(world, ann)


def test_a_stale_form_of_an_earlier_page(world: World, ann: Walker) -> None:
    welcome = ann.open("?PROLIFIC_PID=ann")
    elicitation = ann.send(welcome)
    first = ann.send(elicitation)
    for page in (welcome, elicitation):
        assert ann.send(page).url.path == first.url.path
    assert world.answered() == []
    assert len(world.table("rankings")) == 6
    assert finished(world, ann)


@pytest.mark.parametrize(
    "extra",
    [
        {"engine": "colour-texture", "repetition": "2", "position": "4", "participant": "bob"},
        {"statement-engine": "5", "statement-seconds": "1", "work-w000": "5"},
    ],
)
def test_extra_fields_change_nothing(world: World, ann: Walker, first: httpx.Response, extra: dict[str, str]) -> None:
    ann.send(first, ALL_ONE | carried(first) | extra)
    (answer,) = world.table("long")
    assert (answer["participant"], answer["repetition"], answer["accuracy"]) == ("ann", 1, 1)
    assert finished(world, ann)


@pytest.mark.parametrize("page", ["4", "3", "5", "1", "-1", "2.0", "", "x", "９"])
def test_another_page_number_stores_nothing(world: World, ann: Walker, first: httpx.Response, page: str) -> None:
    sent = ann.send(first, ALL_ONE | carried(first) | {"page": page})
    assert sent.url.path == "/study/assessment/1"
    assert world.answered() == []


@pytest.mark.parametrize(
    "address", ["assessment/2", "assessment/4", "assessment/99", "assessment/1/", "assessment/x", "thanks", "welcome"]
)
def test_other_pages_lead_back(world: World, ann: Walker, first: httpx.Response, address: str) -> None:
    assert ann.get(f"/study/{address}").url.path == "/study/assessment/1"
    sent = world.client.post(f"/study/{address}", data=ALL_ONE | carried(first))
    assert sent.url.path == "/study/assessment/1"
    assert world.answered() == []


def test_the_code_is_not_to_be_had_early(world: World, ann: Walker, first: httpx.Response) -> None:
    page = ann.walk(first, "/study/assessment/4")
    assert "C1FINISHED" not in page.text + ann.get("/study/thanks").text
    assert "C1FINISHED" in ann.send(page).text


def test_a_replayed_request_from_another_browser(world: World, ann: Walker, first: httpx.Response) -> None:
    """With the cookie it is the same participant, who is further now; without it, nobody."""
    fields, cookies = ALL_ONE | carried(first), dict(world.client.cookies)
    ann.send(first, dict(fields))
    thief = httpx_client(world, cookies)
    assert thief.post("/study/assessment/1", data=fields).url.path == "/study/assessment/2"
    assert world.anybody().post("/study/assessment/1", data=fields).status_code == 403
    assert world.answered() == [("ann", *world.answered()[0][1:])]


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
def test_a_form_without_its_token(world: World, ann: Walker, first: httpx.Response, token: str | None) -> None:
    fields = ALL_ONE | {"page": carried(first)["page"]} | ({} if token is None else {"token": token})
    refused = ann.send(first, fields)
    assert refused.status_code == 403
    assert 'href="/study"' in refused.text
    assert world.answered() == []
    assert finished(world, ann)


def test_a_form_with_somebody_elses_token(world: World, ann: Walker, first: httpx.Response) -> None:
    bob = Walker(world.anybody())
    page = bob.walk(bob.begin("?PROLIFIC_PID=bob"), "/study/assessment/1")
    assert ann.send(first, ALL_ONE | carried(page)).status_code == 403
    assert world.answered() == []


def test_an_old_tab_of_somebody_else_in_this_browser(world: World, ann: Walker, first: httpx.Response) -> None:
    Walker(world.client).begin("?PROLIFIC_PID=bob")
    assert ann.send(first).status_code == 403
    assert world.answered() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_from_another_site(world: World, ann: Walker, first: httpx.Response, site: str) -> None:
    assert ann.send(first, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert world.answered() == []


def test_a_cookie_that_was_changed_or_made_up(world: World, ann: Walker, first: httpx.Response) -> None:
    name, value = next(iter(world.client.cookies.items()))
    for other in (value[:-2], value.swapcase(), "x", f"{value.split('.')[0]}.", ""):
        thief = httpx_client(world, {name: other})
        assert thief.get("/study/page").status_code == 403
        assert thief.post("/study/assessment/1", data=ALL_ONE | carried(first)).status_code == 403
    assert world.answered() == []


def test_an_invitation_for_a_preview_cannot_be_made_up(world: World) -> None:
    answer = world.client.get("/study?preview=yes")
    assert answer.status_code == 400
    assert world.client.get("/study/page").status_code == 403


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "\x00", "\u202e"])
def test_ids_that_no_service_gives(world: World, name: str) -> None:
    assert world.client.get("/study", params={"PROLIFIC_PID": name}).status_code == 400
    assert world.served.study.records.overview().started == 0


@pytest.mark.parametrize("name", ["=1+1", '"onclick="x', "'; DROP TABLE people; --", "Łódź", "../../etc"])
def test_strange_ids_are_only_ids(world: World, name: str) -> None:
    walker = Walker(world.client)
    page = walker.open()
    page = walker.send(world.client.get("/study", params={"PROLIFIC_PID": name}))
    walker.walk(page)
    assert {row["participant"] for row in world.table("long")} == {name}


def test_a_body_that_is_too_large(world: World, ann: Walker, first: httpx.Response) -> None:
    fields = ALL_ONE | carried(first) | {"more": "x" * 70_000}
    assert ann.send(first, fields).status_code == 413
    assert world.answered() == []


def test_a_body_that_does_not_say_how_large_it_is(world: World, first: httpx.Response) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert world.client.post("/study/assessment/1", content=endless(), headers=kind).status_code == 413


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"page": 2}', "application/json", 415),
        (b"--x", "multipart/form-data; boundary=x", 415),
        (b"", "", 415),
        (b"statement-accuracy=1&statement-accuracy=5", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(500)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form(world: World, first: httpx.Response, body: bytes, kind: str, status: int) -> None:
    answer = world.client.post("/study/assessment/1", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert "nothing was stored" in answer.text
    assert world.answered() == []


@dataclass
class Set:
    """A clock that somebody sets, and one that goes on regardless."""

    shift: timedelta = timedelta()

    def utc(self) -> datetime:
        return datetime.now(UTC) + self.shift


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_is_set(serve: Serve, days: int) -> None:
    """Nobody is thrown out, nothing is lost, and the time at a page is still what it was."""
    clock = Set()
    world = serve(clocks=Clocks(utc=clock.utc))
    ann = Walker(world.client, steady("ann"))
    page = ann.walk(ann.begin("?PROLIFIC_PID=ann"), "/study/assessment/2")
    clock.shift = timedelta(days=days)
    ann.walk(ann.get(page.url.path))
    assert world.answered() == EVERYTHING
    assert all(0 <= row["seconds"] < 60 for row in world.table("long"))  # type: ignore[operator]


def test_a_restart_in_the_middle(serve: Serve) -> None:
    before = serve()
    ann = Walker(before.client, steady("ann"))
    page = ann.walk(ann.begin("?PROLIFIC_PID=ann"), "/study/assessment/2")
    after = serve()
    again = Walker(httpx_client(after, dict(before.client.cookies)), steady("ann"))
    assert again.get("/study").text == page.text
    again.walk(again.send(page))
    assert after.answered() == EVERYTHING


def test_twenty_at_once_are_counterbalanced(world: World) -> None:
    def take_part(number: int) -> None:
        walker = Walker(world.anybody(), steady(str(number)))
        walker.walk(walker.begin(f"?PROLIFIC_PID=p{number:02}"))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(take_part, range(20)))
    assert len(world.answered()) == 80
    firsts = world.served.study.records.overview().first_engines
    assert sorted(firsts.values()) == [10, 10]


def carried(page: httpx.Response) -> dict[str, str]:
    """What a page's form sends without being asked."""
    form: Form = form_in(page)
    return dict(form.carried)


@pytest.mark.parametrize(
    "name",
    [
        "{{%PROLIFIC_PID%}}", "${workerId}", "$workerId", "[[ID]]", "[%ID%]", "%ID%", "%%ID%%", "<id>", "«id»", "{id}", "#{id}",
        "__ID__", "*|ID|*", "@id@", ":id", "p-{{ID}}", "%7B%7BID%7D%7D", "undefined", "PROLIFIC_PID",
    ],
)  # fmt: skip
def test_an_unfilled_placeholder_is_no_identity(world: World, name: str) -> None:
    page = world.client.get("/study", params={"PROLIFIC_PID": name})
    assert page.status_code == 400
    assert "placeholder that was not filled in" in page.text
    assert not world.client.cookies
    with pytest.raises(StudyError, match="placeholder"):
        world.served.study.register(name)


@pytest.mark.parametrize(
    "name", ["5f0c1e2d3b4a596877665544", "A1-B_2.c", "ann@example.org", "Zoë K.", "100%", "me:3", "x+/="]
)
def test_ids_of_recruitment_services_are_identities(world: World, name: str) -> None:
    assert Walker(world.client).begin(f"?{urlencode({'PROLIFIC_PID': name})}").url.path == "/study/elicitation"


def test_other_placeholders_count_as_nothing(world: World) -> None:
    Walker(world.client).begin("?PROLIFIC_PID=ann&STUDY_ID={{%STUDY_ID%}}&SESSION_ID=s")
    assert [(row["recruitment_study"], row["recruitment_session"]) for row in world.table("demographics")] == [
        ("", "s")
    ]
