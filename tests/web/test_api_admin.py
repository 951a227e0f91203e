"""Operators: what nobody has reviewed is not shown, what was hidden goes at once in every process, and all is noted."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient
from tests.web.test_api import ROOT, SECRET, problem
from tests.web.test_api_people import key, served, small_picture  # noqa: F401  (a fixture)

from vernissage import storage
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.storage.database import Database
from vernissage.storage.people import PeopleRules
from vernissage.storage.schema import AUDIT, CONSENTS, METADATA
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.workspace.uploading import Submission

Served = tuple[Gallery, TestClient]


def upload(gallery: Gallery, owner: str, name: str, visibility: Any = "shared") -> None:
    words = "A ship and a wave near the harbour"
    gallery.person(owner).upload([Submission(title=words, text=f"{words} {name}", id=name, visibility=visibility)])


def shown(client: TestClient, headers: dict[str, str], person: str = "dora") -> set[str]:
    answer = client.get(f"{ROOT}/people/{person}/recommendations?limit=200", headers=headers)
    assert answer.status_code == 200, answer.text
    return {each for work in answer.json()["works"] for each in (work["id"], *work.get("also", ()))}


def test_what_is_private_is_shown_to_nobody_else_by_no_way(served: Served) -> None:  # noqa: F811
    gallery, client = served
    people = key(gallery, "people")
    upload(gallery, "dora", "own")
    sent = {"texts": ["A ship and a wave near the harbour, seen by eve"]}
    client.post(f"{ROOT}/people/eve/uploads", headers=people, data=sent)
    gallery.repository.encode_missing()
    [name] = gallery.person("eve").uploads
    assert client.get(f"{ROOT}/people/eve/uploads", headers=people).json()["uploads"][0]["visibility"] == "private"
    assert name not in shown(client, people)
    address = f"{ROOT}/people/eve/uploads/{name}"
    assert client.patch(address, headers=people, json={"shared": True}).status_code == 204
    assert name in shown(client, people)
    assert client.patch(address, headers=people, json={"shared": False}).status_code == 204
    assert name not in shown(client, people)
    problem(client.patch(f"{ROOT}/people/dora/uploads/{name}", headers=people, json={"shared": True}), 404)
    # What somebody rated while it was shown gives no title away once it is not.
    gallery.person("dora").rate(name, 5)
    told = client.get(f"{ROOT}/people/dora/recommendations?limit=200", headers=people).text
    assert "seen by eve" not in told
    assert name not in told


def test_what_an_operator_hides_goes_from_the_next_request_on_in_every_process(
    served: Served,  # noqa: F811
    peopled: Path,
) -> None:
    gallery, client = served
    people, admin = key(gallery, "people"), key(gallery, "admin")
    for owner, name in (("dora", "own"), ("eve", "bad"), ("eve", "worse")):
        upload(gallery, owner, name)
    other = Service(open_gallery(peopled), SECRET)
    with TestClient(create_service(other, Access(other, SECRET, open_here=False, each_second=1_000))) as elsewhere:
        assert {"bad", "worse"} <= shown(elsewhere, people) & shown(client, people)
        hidden = client.patch(f"{ROOT}/admin/uploads/bad", headers=admin, json={"visibility": "hidden"})
        assert hidden.status_code == 204
        assert "bad" not in shown(elsewhere, people) | shown(client, people)
        assert client.delete(f"{ROOT}/admin/uploads/worse", headers=admin).status_code == 204
        assert "worse" not in shown(elsewhere, people) | shown(client, people)
    own = client.get(f"{ROOT}/people/eve/uploads", headers=people).json()["uploads"]
    assert [(each["id"], each["visibility"]) for each in own] == [("bad", "hidden")]
    told = problem(client.patch(f"{ROOT}/people/eve/uploads/bad", headers=people, json={"shared": True}), 409)
    assert "hidden" in told
    noted = client.get(f"{ROOT}/admin/audit", headers=admin).json()["entries"]
    assert [(each["what"], each["about"]) for each in noted] == [("take-down", "worse"), ("hide", "bad")]
    assert all("of a test" in each["who"] for each in noted)
    client.delete(f"{ROOT}/people/eve", headers=people)
    kept = client.get(f"{ROOT}/admin/audit", headers=admin).json()["entries"]
    assert [(each["what"], each["about"]) for each in kept] == [("take-down", "worse"), ("hide", "")]


def test_where_uploads_are_reviewed_none_is_shown_before(peopled: Path) -> None:
    gallery = open_gallery(peopled)
    service = Service(gallery, SECRET, review=True)
    with TestClient(create_service(service, Access(service, SECRET, open_here=False, each_second=1_000))) as client:
        people, admin = key(gallery, "people"), key(gallery, "admin")
        upload(gallery, "dora", "own", "private")
        files = [("pictures", ("a.png", small_picture(), "image/png"))]
        sent = {"titles": ["A ship near the harbour"], "shared": "true"}
        client.post(f"{ROOT}/people/eve/uploads", headers=people, files=files, data=sent)
        gallery.repository.encode_missing()
        [name] = gallery.person("eve").uploads
        assert name not in shown(client, people)
        waits = client.get(f"{ROOT}/admin/uploads", headers=admin).json()
        assert [(each["id"], each["visibility"]) for each in waits["uploads"]] == [(name, "waiting")]
        assert "eve" not in json.dumps(waits)
        address = waits["uploads"][0]["picture"]
        assert client.get(address, headers=admin).content[:3] == b"\xff\xd8\xff"
        problem(client.get(address, headers=people), 403)
        approve = {"headers": admin, "json": {"visibility": "shared"}}
        assert client.patch(f"{ROOT}/admin/uploads/{name}", **approve).status_code == 204
        assert name in shown(client, people)
        assert client.get(f"{ROOT}/admin/uploads", headers=admin).json()["total"] == 0
        problem(client.patch(f"{ROOT}/admin/uploads/own", **approve), 409)
        problem(client.patch(f"{ROOT}/admin/uploads/none", **approve), 404)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "uploads"), ("GET", "uploads/a/picture"), ("PATCH", "uploads/a"), ("DELETE", "uploads/a"),
        ("GET", "audit"), ("GET", "keys"), ("POST", "keys"), ("DELETE", "keys/1"), ("POST", "workspace"),
    ],
)  # fmt: skip
def test_operators_alone_are_let_in(served: Served, method: str, address: str) -> None:  # noqa: F811
    gallery, client = served
    problem(client.request(method, f"{ROOT}/admin/{address}"), 401)
    problem(client.request(method, f"{ROOT}/admin/{address}", headers=key(gallery, "read", "people")), 403)
    minted = client.post(f"{ROOT}/people/ann/tokens", headers=key(gallery, "people")).json()["token"]
    own = {"Authorization": f"Bearer {minted}"}
    problem(client.request(method, f"{ROOT}/admin/{address}", headers=own), 403)


def test_keys_are_made_and_revoked_over_http(served: Served) -> None:  # noqa: F811
    gallery, client = served
    admin = key(gallery, "admin")
    made = client.post(f"{ROOT}/admin/keys", headers=admin, json={"name": "the shop", "scopes": ["read"]})
    assert made.status_code == 201
    reader = {"X-API-Key": made.json()["key"]}
    assert client.get(f"{ROOT}/works", headers=reader).status_code == 200
    listed = client.get(f"{ROOT}/admin/keys", headers=admin)
    assert [each["name"] for each in listed.json()["keys"]] == ["of a test", "the shop"]
    assert reader["X-API-Key"] not in listed.text
    assert client.delete(f"{ROOT}/admin/keys/{made.json()['number']}", headers=admin).status_code == 204
    problem(client.get(f"{ROOT}/works", headers=reader), 401)
    problem(client.delete(f"{ROOT}/admin/keys/99", headers=admin), 404)
    swapped = client.post(f"{ROOT}/admin/workspace", headers=admin).json()
    assert swapped == {"fingerprint": gallery.fingerprint, "works": len(gallery)}


def test_what_operators_did_is_kept_for_a_year(database: Database) -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    with database.writing() as connection:
        storage.moderation.record(connection, "key 1", "hide", ["a"], first)
        storage.moderation.record(connection, "key 1", "hide", ["b"], first.replace(year=2026, day=2))
        assert connection.scalars(select(AUDIT.c.about)).all() == ["b"]


def test_an_export_has_every_table_with_rows_of_people_and_deletion_reaches_all(
    served: Served,  # noqa: F811
    tmp_path: Path,
) -> None:
    gallery, _ = served
    theirs = [table for table in METADATA.sorted_tables if "person" in table.c]
    assert {"uploads", "ratings", "area_edits", "consents", "jobs"} <= {table.name for table in theirs}
    for table in theirs:
        [reference] = table.c.person.foreign_keys
        assert (reference.column.table.name, reference.ondelete) == ("people", "CASCADE"), table.name
    upload(gallery, "dora", "own", "private")
    gallery.person("dora").rate("w003", 4)
    with gallery.repository.database.writing() as connection:
        person = storage.people.person_key(connection, "dora")
        given = {"person": person, "purpose": "keeping", "given": datetime(2026, 3, 1, tzinfo=UTC)}
        connection.execute(insert(CONSENTS).values(given))
    gallery.person("dora").export(tmp_path / "dora.zip")
    with zipfile.ZipFile(tmp_path / "dora.zip") as archive:
        kept = json.loads(archive.read("person.json"))["tables"]
    assert kept.keys() == {table.name for table in theirs}
    assert kept["consents"] == [{"person": person, "purpose": "keeping", "given": "2026-03-01T00:00:00+00:00"}]
    assert (kept["ratings"][0]["item"], kept["uploads"][0]["visibility"]) == ("w003", "private")
    gallery.person("dora").delete()
    with gallery.repository.database.reading() as connection:
        assert storage.people.everything_of(connection, "dora") == {table.name: [] for table in theirs}
        assert [connection.execute(select(table).where(table.c.person == person)).all() for table in theirs] == [
            []
        ] * len(theirs)


def test_nothing_is_kept_without_consent_where_it_is_demanded_and_withdrawing_deletes(peopled: Path) -> None:
    gallery = open_gallery(peopled)
    service = Service(gallery, SECRET, rules=PeopleRules(consent=True))
    with TestClient(create_service(service, Access(service, SECRET, open_here=False, each_second=1_000))) as client:
        people, root = {"headers": key(gallery, "people")}, f"{ROOT}/people/dora"
        refused = [
            client.put(f"{root}/ratings/w003", json={"rating": 4}, **people),
            client.post(f"{root}/uploads", data={"texts": ["a ship"]}, **people),
        ]
        assert all("consented" in problem(each, 403) for each in refused)
        assert client.get(f"{root}/consents", **people).json() == {"consents": {}}
        assert client.put(f"{root}/consents/keeping", **people).status_code == 204
        first = client.get(f"{root}/consents", **people).json()
        client.put(f"{root}/consents/keeping", **people)
        assert client.get(f"{root}/consents", **people).json() == first != {"consents": {}}
        problem(client.put(f"{root}/consents/selling", **people), 422)
        assert client.put(f"{root}/ratings/w003", json={"rating": 4}, **people).status_code == 204
        assert client.delete(f"{root}/consents/keeping", **people).status_code == 204
        assert client.delete(f"{root}/consents/keeping", **people).status_code == 204
        problem(client.get(f"{root}/export", **people), 404)
        problem(client.put(f"{root}/ratings/w003", json={"rating": 4}, **people), 403)


def test_no_more_is_kept_of_a_person_than_may_be(peopled: Path) -> None:
    gallery = open_gallery(peopled)
    service = Service(
        gallery, SECRET, rules=PeopleRules(uploads=2, picture_bytes=3 * len(small_picture()) // 2, ratings=1)
    )
    with TestClient(create_service(service, Access(service, SECRET, open_here=False, each_second=1_000))) as client:
        people, root = {"headers": key(gallery, "people")}, f"{ROOT}/people/dora"
        for rating in (4, 5):  # in place of the former
            assert client.put(f"{root}/ratings/w003", json={"rating": rating}, **people).status_code == 204
        assert "1 ratings are kept" in problem(client.put(f"{root}/ratings/w001", json={"rating": 4}, **people), 403)
        picture = [("pictures", ("a.png", small_picture(), "image/png"))]
        for _ in range(2):  # the same is kept once
            assert client.post(f"{root}/uploads", files=picture, data={"titles": ["one"]}, **people).status_code == 202
        told = problem(client.post(f"{root}/uploads", files=picture, data={"titles": ["two"]}, **people), 403)
        assert "pictures of this person" in told
        assert client.post(f"{root}/uploads", data={"texts": ["a ship"]}, **people).status_code == 202
        assert "2 uploads are kept" in problem(client.post(f"{root}/uploads", data={"texts": ["b"]}, **people), 403)
        other = client.post(f"{ROOT}/people/eve/uploads", data={"texts": ["a ship"]}, **people)
        assert other.status_code == 202


def test_a_cookie_opens_a_persons_own_things_to_pages_of_this_server_alone(served: Served) -> None:  # noqa: F811
    gallery, client = served
    own, root = "http://testserver", f"{ROOT}/people/dora"
    minted = client.post(f"{root}/tokens", headers=key(gallery, "people")).json()["token"]
    problem(client.put(f"{ROOT}/people/eve/session", headers={"Authorization": f"Bearer {minted}"}), 403)
    problem(client.put(f"{root}/session", headers=key(gallery, "people")), 403)
    begun = client.put(f"{root}/session", headers={"Authorization": f"Bearer {minted}"})
    assert begun.status_code == 204
    assert {"HttpOnly", "SameSite=strict"} <= {each.strip() for each in begun.headers["set-cookie"].split(";")}
    rating = {"json": {"rating": 4}}
    assert client.put(f"{root}/ratings/w003", headers={"Origin": own}, **rating).status_code == 204
    assert client.get(f"{root}/ratings").json() == {"ratings": {"w003": 4.0}}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        assert "own pages" in problem(client.put(f"{root}/ratings/w001", headers=headers, **rating), 403)
        problem(client.delete(root, headers=headers), 403)
    for method, address, body in (
        ("GET", "ratings", None),
        ("GET", "uploads", None),
        ("GET", "areas", None),
        ("GET", "export", None),
        ("GET", "consents", None),
        ("PUT", "ratings/w003", {"rating": 1}),
        ("PATCH", "areas/image:1", {"muted": True}),
        ("DELETE", "uploads/u", None),
        ("DELETE", "", None),
    ):
        of_ann = f"{ROOT}/people/ann/{address}".rstrip("/")
        told = problem(client.request(method, of_ann, json=body, headers={"Origin": own}), 403)
        assert "another person's" in told
    assert client.get(f"{root}/ratings").json() == {"ratings": {"w003": 4.0}}
    answer = client.get(f"{root}/ratings", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert client.delete(f"{root}/session", headers={"Origin": own}).status_code == 204
    problem(client.get(f"{root}/ratings"), 401)
