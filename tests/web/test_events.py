"""Events of recommended works: each counts once, none is made up; splits of engines by keyed hashes of visitors."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from shutil import copytree
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.web.test_api import RATINGS, ROOT, SECRET, open_to, post, problem

from vernissage import storage
from vernissage.errors import RequestError
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.storage.schema import EVENTS
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.web.settings import read_settings
from vernissage.web.visitors import Trial, Visitors, read_shares

SHARES = {"lda": 0.5, "colour-texture": 0.5}


@pytest.fixture
def opened(built: Path, tmp_path: Path) -> Iterator[Gallery]:
    with open_gallery(Path(copytree(built, tmp_path / "workspace"))) as made:
        yield made


def client_of(gallery: Gallery, visitors: Visitors | None = None) -> TestClient:
    service = Service(gallery, SECRET, visitors=visitors)
    return TestClient(create_service(service, open_to(service)))


def send(client: TestClient, *events: dict[str, Any], **headers: str) -> Any:
    return client.post(f"{ROOT}/events", json={"events": list(events)}, headers=headers)


def event(kind: str, found: dict[str, Any], *works: str) -> dict[str, Any]:
    return {"kind": kind, "recommendation_id": found["recommendation_id"], "works": list(works)}


def rows(gallery: Gallery) -> list[Any]:
    query = select(EVENTS).order_by(EVENTS.c.recommendation, EVENTS.c.position, EVENTS.c.kind)
    with gallery.repository.database.reading() as connection:
        return list(connection.execute(query))


def test_an_event_counts_once_at_the_place_of_its_work(opened: Gallery) -> None:
    client = client_of(opened)
    first = post(client, ratings=RATINGS, limit=3)
    more = client.get(f"{ROOT}/recommendations/{first['recommendation_id']}/next?limit=2").json()
    shown = [event("shown", each, *(work["id"] for work in each["works"])) for each in (first, more)]
    last = event("opened", more, more["works"][1]["id"])
    answer = send(client, *shown, last)
    assert (answer.status_code, answer.json()) == (202, {"kept": 6, "known": 0})
    assert send(client, last, last).json() == {"kept": 0, "known": 1}
    kept = Counter((row.kind, row.position, row.engine) for row in rows(opened))
    assert kept == Counter({(kind, place, first["engine"]): 1 for kind, place in [
        ("shown", 1), ("shown", 2), ("shown", 3), ("shown", 4), ("shown", 5), ("opened", 5),
    ]})  # fmt: skip
    assert {(row.visitor, row.person, row.split) for row in rows(opened)} == {(None, None, "")}


def test_equal_requests_of_two_visitors_are_two_recommendations_and_opened_means_shown(opened: Gallery) -> None:
    client = client_of(opened)
    found = [post(client, ratings=RATINGS, limit=2) for _ in range(2)]
    assert found[0]["works"] == found[1]["works"]
    for each in found:
        assert send(client, event("opened", each, each["works"][0]["id"])).json() == {"kept": 1, "known": 0}
    assert Counter(row.kind for row in rows(opened)) == {"shown": 2, "opened": 2}


def test_what_was_not_recommended_is_refused_and_nothing_is_kept(opened: Gallery) -> None:
    client = client_of(opened)
    found = post(client, ratings=RATINGS, limit=2)
    right, other = event("shown", found, found["works"][0]["id"]), post(client, ratings={"w033": 5}, limit=1)
    made_up = right | {"recommendation_id": "x" * 40}
    assert "event 2: this server has made no such recommendation" in problem(send(client, right, made_up), 404)
    assert "event 2: w000 is not among" in problem(send(client, right, event("kept", found, "w000")), 400)
    assert "is not among the works" in problem(send(client, event("opened", found, other["works"][0]["id"])), 400)
    assert "event 1 names no works" in problem(send(client, event("opened", found)), 400)
    problem(send(client, right | {"kind": "bought"}), 422)
    problem(send(client), 422)
    problem(send(client, *[right] * 101), 422)
    many = right | {"works": [f"w{number}" for number in range(200)]}
    assert "name 2,200 works" in problem(send(client, *[many] * 11), 400)
    assert opened.repository.existing_database is None


def test_a_list_without_works_is_shown_once(opened: Gallery) -> None:
    client = client_of(opened)
    found = post(client, ratings=RATINGS, where=["year>=2900"])
    assert found["works"] == []
    assert send(client, event("shown", found)).json()["kept"] == 1
    [row] = rows(opened)
    assert (row.item, row.position) == ("", 0)


def test_keys_of_pages_send_events_and_persons_have_theirs_deleted(opened: Gallery) -> None:
    now, page = datetime.now(UTC), "https://museum.example"
    with opened.repository.database.writing() as connection:
        widget, reader, people = (
            {"X-API-Key": storage.keys.create_key(connection, "test", scopes, origins, now)[1]}
            for scopes, origins in ((["read", "events"], [page]), (["read"], []), (["people"], []))
        )
        with pytest.raises(RequestError, match="must not have the scope people"):
            storage.keys.create_key(connection, "test", ["events", "people"], [page], now)
    service = Service(opened, SECRET)
    client = TestClient(create_service(service, Access(service, SECRET, open_here=False)))
    asked = {"ratings": RATINGS, "limit": 1}
    found = client.post(f"{ROOT}/recommendations", json=asked, headers=reader).json()
    sent = event("opened", found, found["works"][0]["id"])
    assert send(client, sent, **widget, Origin=page).status_code == 202
    assert "events is needed" in problem(send(client, sent, **reader), 403)
    token = client.post(f"{ROOT}/people/ann/tokens", headers=people).json()["token"]
    kept = send(client, sent | {"kind": "kept"}, Authorization=f"Bearer {token}")
    assert kept.json() == {"kept": 1, "known": 0}
    archive = ZipFile(BytesIO(client.get(f"{ROOT}/people/ann/export", headers=people).content))
    exported = json.loads(archive.read("person.json"))["tables"]["events"]
    assert [(each["kind"], each["item"]) for each in exported] == [("kept", found["works"][0]["id"])]
    assert client.delete(f"{ROOT}/people/ann", headers=people).status_code == 204
    assert sorted(row.kind for row in rows(opened)) == ["opened", "shown"]


def test_a_split_assigns_by_visitor_and_keeps_a_pseudonym_until_its_time_is_over(opened: Gallery) -> None:
    client = client_of(opened, Visitors(SECRET, SHARES))
    engines = {}
    for number in range(12):
        name = f"visitor {number}"
        found = [post(client, ratings=RATINGS, limit=1, visitor=name) for _ in range(2)]
        [engines[name]] = {each["engine"] for each in found}
        more = client.get(f"{ROOT}/recommendations/{found[0]['recommendation_id']}/next?limit=1").json()
        assert more["engine"] == engines[name]
        send(client, *(event("shown", each, each["works"][0]["id"]) for each in (*found, more)))
    assert set(engines.values()) == set(SHARES)
    own = [post(client, ratings=RATINGS, limit=1), post(client, ratings=RATINGS, limit=1, visitor="v", engine="lda")]
    assert [Visitors(SECRET, SHARES).trial(*each)[0].split for each in ((None, None, None), ("v", None, "lda"))] == [
        "",
        "",
    ]
    send(client, *(event("shown", each, each["works"][0]["id"]) for each in own))
    kept = rows(opened)
    assert Counter(row.split for row in kept) == {"visitor": 36, "": 2}
    assert len({row.visitor for row in kept if row.split}) == 12
    assert not any("visitor" in (row.visitor or "") for row in kept)
    with opened.repository.database.writing() as connection:
        assert storage.events.erase_visitors(connection, datetime.now(UTC) - timedelta(days=1)) == 0
        assert storage.events.erase_visitors(connection, datetime.now(UTC) + timedelta(days=1)) == 37
    assert {row.visitor for row in rows(opened)} == {None}
    assert len(rows(opened)) == 38


def test_a_pseudonym_whose_time_is_over_does_not_come_back_by_a_late_event(opened: Gallery) -> None:
    client = client_of(opened, Visitors(SECRET, SHARES))
    found = post(client, ratings=RATINGS, limit=2, visitor="one")
    later = client_of(opened, Visitors(SECRET, SHARES, days=-1))  # as when the days have gone by
    send(client, event("shown", found, found["works"][0]["id"]))
    send(later, event("shown", found, found["works"][1]["id"]))
    assert [row.visitor is None for row in rows(opened)] == [False, True]
    with opened.repository.database.writing() as connection:
        assert storage.events.erase_visitors(connection, datetime.now(UTC) + timedelta(days=1)) == 2
    assert {row.visitor for row in rows(opened)} == {None}


def test_a_split_by_sessions_gives_a_visitor_several_engines_by_their_shares() -> None:
    visitors = Visitors(SECRET, {"a": 0.25, "b": 0.75}, "session")
    drawn = [visitors.trial("one", f"session {number}", None)[1] for number in range(2_000)]
    assert 400 < drawn.count("a") < 600
    assert visitors.trial("one", None, None)[1] is None
    assert visitors.trial("one", "s", None) == visitors.trial("one", "s", None)
    assert visitors.trial(None, "s", "c") == (Trial(), "c")
    others = [
        Visitors(b"another secret", {"a": 0.25, "b": 0.75}, "session").trial("one", f"session {n}", None)[1]
        for n in range(99)
    ]
    assert others != drawn[:99]


def test_numbered_sessions_of_a_visitor_alternate() -> None:
    """Both of two equal engines in sessions 0 and 1, 2 and 3 …, each first for half of the visitors."""
    visitors = Visitors(SECRET, {"a": 0.5, "b": 0.5}, "session")
    first = []
    for name in map(str, range(400)):
        drawn = [visitors.trial(name, str(number), None)[1] for number in range(8)]
        assert all({*pair} == {"a", "b"} for pair in zip(drawn[::2], drawn[1::2], strict=True))
        first.append(drawn[0])
    assert 160 < first.count("a") < 240
    unequal = Visitors(SECRET, {"a": 0.25, "b": 0.75}, "session")
    for name in map(str, range(50)):
        assert [unequal.trial(name, str(number), None)[1] for number in range(4)].count("a") == 1


@pytest.mark.parametrize(
    "split", [("lda",), ("lda=1",), ("lda=.5", "lda=.5"), ("lda=.5",), ("lda=.5", "lsa=.6"), ("lda=x", "lsa=1")]
)
def test_a_split_needs_two_engines_whose_shares_make_one(split: tuple[str, ...]) -> None:
    with pytest.raises(RequestError, match=r"share|sum of 1"):
        read_settings({"split": split})
    assert read_shares(("lda=.5", "lsa+colour-texture=0.5")) == {"lda": 0.5, "lsa+colour-texture": 0.5}
