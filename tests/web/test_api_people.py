"""People over HTTP: nobody gets anything without a key, and nothing of another person's."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.web.test_api import ROOT, SECRET, check, problem

from vernissage import storage
from vernissage.errors import StorageError
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.storage.database import Database
from vernissage.web.api import access as access_module
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.workspace.repository import Snapshot


@pytest.fixture
def served(peopled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gallery, TestClient]]:
    """A service that asks everybody for a key."""
    monkeypatch.setattr(access_module, "_READ_AGAIN", 0.0)
    monkeypatch.setattr(access_module, "_KEYS_SECONDS", 30.0)
    gallery = open_gallery(peopled)
    service = Service(gallery, SECRET)
    with TestClient(create_service(service, Access(service, SECRET, open_here=False, each_second=1_000))) as client:
        yield gallery, client


def key(gallery: Gallery, *scopes: str, origins: tuple[str, ...] = ()) -> dict[str, str]:
    with gallery.repository.database.writing() as connection:
        made = storage.keys.create_key(connection, "of a test", scopes, origins, datetime.now(UTC))[1]
    return {"X-API-Key": made}


def small_picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 40, 30)).save(target, "PNG")
    return target.getvalue()


def ended(client: TestClient, accepted: Any, headers: dict[str, str]) -> dict[str, Any]:
    """The job of an answer, once it has ended."""
    assert accepted.status_code == 202, accepted.text
    deadline = time.monotonic() + 60
    while True:
        job: dict[str, Any] = client.get(accepted.headers["location"], headers=headers).json()
        if job["state"] in {"done", "failed"}:
            assert job["finished"]
            assert job["progress"] is None
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.01)


def test_nothing_is_to_be_had_without_a_key(served: tuple[Gallery, TestClient]) -> None:
    _, client = served
    for method, address in (("GET", "/works"), ("GET", "/people/ann/ratings"), ("DELETE", "/people/ann")):
        answer = client.request(method, ROOT + address)
        assert "a key is needed" in problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    problem(client.get("/metrics"), 401)
    assert client.get("/healthz").status_code == 200
    answer = client.get(f"{ROOT}/works", headers={"X-API-Key": "vk_made_up"})
    assert "unknown or was revoked" in problem(answer, 401)
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_key_may_do_what_its_scopes_say_until_it_is_revoked(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    reader = key(gallery, "read")
    assert client.get(f"{ROOT}/works", headers=reader).status_code == 200
    assert client.get(f"{ROOT}/works", headers={"Authorization": f"Bearer {reader['X-API-Key']}"}).status_code == 200
    assert "people is needed here" in problem(client.get(f"{ROOT}/people/ann/ratings", headers=reader), 403)
    with gallery.repository.database.reading() as connection:
        [stored] = storage.keys.all_keys(connection)
    assert reader["X-API-Key"] not in repr(stored)
    with gallery.repository.database.writing() as connection:
        storage.keys.revoke_key(connection, stored.number, datetime.now(UTC))
    problem(client.get(f"{ROOT}/works", headers=reader), 401)


def test_a_key_of_pages_works_from_its_site_alone(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    widget = key(gallery, "read", origins=("https://museum.example",))
    here = widget | {"Origin": "https://museum.example"}
    answer = client.get(f"{ROOT}/works", headers=here)
    assert answer.headers["access-control-allow-origin"] == "https://museum.example"
    asked = {"Origin": "https://museum.example", "Access-Control-Request-Method": "POST"}
    assert client.options(f"{ROOT}/recommendations", headers=asked).status_code == 200
    rates = asked | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    assert client.options(f"{ROOT}/people/ann/ratings/w000", headers=rates).status_code == 200
    problem(client.get(f"{ROOT}/works", headers=widget | {"Origin": "https://evil.example"}), 403)
    problem(client.get(f"{ROOT}/works", headers=widget), 403)
    evil = client.options(f"{ROOT}/works", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in evil.headers


def test_a_token_opens_one_persons_things_for_a_while(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    server = key(gallery, "people")
    minted = client.post(f"{ROOT}/people/ann/tokens", headers=server, json={"seconds": 60}).json()
    own = {"Authorization": f"Bearer {minted['token']}"}
    assert client.put(f"{ROOT}/people/ann/ratings/w003", headers=own, json={"rating": 5}).status_code == 204
    assert client.get(f"{ROOT}/people/ann/ratings", headers=own).json() == {"ratings": {"w003": 5.0}}
    assert "another person's" in problem(client.get(f"{ROOT}/people/bob/ratings", headers=own), 403)
    problem(client.post(f"{ROOT}/people/ann/tokens", headers=own, json={}), 403)
    assert client.get(f"{ROOT}/works/w003", headers=own).status_code == 200
    changed = {"Authorization": own["Authorization"][:-4] + "AAAA"}
    problem(client.get(f"{ROOT}/people/ann/ratings", headers=changed), 401)
    later = time.time() + 61
    monkeypatch.setattr(access_module.time, "time", lambda: later)
    assert "does not hold any more" in problem(client.get(f"{ROOT}/people/ann/ratings", headers=own), 401)


def test_uploads_become_areas_and_recommendations(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    people = key(gallery, "people")
    files = [("pictures", ("mine.png", small_picture(), "image/png"))]
    data = {"texts": ["A ship and a wave near the harbour", "A rose near a hedge"], "titles": ["Red"]}
    sent = {"headers": people | {"Idempotency-Key": "one"}, "files": files, "data": data}
    first = client.post(f"{ROOT}/people/dora/uploads", **sent)
    assert first.status_code == 202
    assert [each["new"] for each in first.json()["result"]["uploads"]] == [True, True, True]
    again = client.post(f"{ROOT}/people/dora/uploads", **sent)
    assert again.headers["location"] == first.headers["location"]
    assert ended(client, again, people)["result"] == first.json()["result"]
    kept = client.get(f"{ROOT}/people/dora/uploads", headers=people).json()["uploads"]
    assert [(each["title"]) for each in kept if each["picture"]] == ["Red"]
    areas = client.get(f"{ROOT}/people/dora/areas", headers=people).json()["areas"]
    renamed = client.patch(
        f"{ROOT}/people/dora/areas/{areas[0]['area']}", headers=people, json={"name": "Mine", "weight": 2}
    ).json()
    assert "Mine" in {area["name"] for area in renamed["areas"]}
    undone = client.post(f"{ROOT}/people/dora/areas/undo", headers=people).json()
    assert undone["undone"] in {"weight", "rename"}
    answer = check(client.get(f"{ROOT}/people/dora/recommendations?limit=4", headers=people).json())
    assert len(answer["works"]) == 4
    assert client.delete(f"{ROOT}/people/dora/uploads/{kept[0]['id']}", headers=people).status_code == 204
    assert len(client.get(f"{ROOT}/people/dora/uploads", headers=people).json()["uploads"]) == 2


def test_a_person_takes_everything_along_and_is_forgotten(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    people = key(gallery, "people")
    client.put(f"{ROOT}/people/dora/ratings/w003", headers=people, json={"rating": 2})
    content = client.get(f"{ROOT}/people/dora/export", headers=people).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert json.loads(archive.read("person.json"))["ratings"] == {"w003": 2.0}
    assert client.delete(f"{ROOT}/people/dora", headers=people).status_code == 204
    assert client.get(f"{ROOT}/people/dora/ratings", headers=people).json() == {"ratings": {}}


def test_what_is_deleted_is_said_to_be_while_its_files_are_busy(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    people = key(gallery, "people")
    files = [("pictures", ("mine.png", small_picture(), "image/png"))]
    ended(client, client.post(f"{ROOT}/people/dora/uploads", headers=people, files=files), people)
    [upload] = client.get(f"{ROOT}/people/dora/uploads", headers=people).json()["uploads"]
    folder = gallery.repository.uploads_folder
    [file] = [each for each in folder.rglob("*") if each.read_bytes() == small_picture()]

    def busy(*_: object) -> None:
        raise StorageError("the database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(storage.erasure, "delete_pictures", busy)
        patched.setattr(Database, "purge", busy)
        assert client.delete(f"{ROOT}/people/dora/uploads/{upload['id']}", headers=people).status_code == 204
        assert client.get(f"{ROOT}/people/dora/uploads", headers=people).json() == {"uploads": []}
        client.put(f"{ROOT}/people/dora/ratings/w003", headers=people, json={"rating": 2})
        assert client.delete(f"{ROOT}/people/dora", headers=people).status_code == 204
        assert file.exists()
    storage.erasure.resume_erasures(gallery.repository.database, folder)
    assert not file.exists()


def test_an_upload_that_is_removed_while_it_is_recommended_is_left_out(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    people, asked = key(gallery, "people"), f"{ROOT}/people/ann/recommendations?limit=4"
    first = client.get(f"{asked}&per_area=true", headers=people).json()["works"]
    described, gone = Snapshot.items, first[1]["id"]
    without = lambda found: {item_id: item for item_id, item in found.items() if item_id != gone}  # noqa: E731
    monkeypatch.setattr(Snapshot, "items", lambda self, ids: without(described(self, ids)))
    answer = check(client.get(f"{asked}&per_area=true", headers=people).json())
    assert [each["id"] for each in answer["works"]] == [each["id"] for each in first if each["id"] != gone]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 400),
        ("page.html", b"<script>alert(1)</script>", 400),
        ("page.png", b"<script>alert(1)</script>", 400),
        ("../../etc/passwd", b"root", 400),
        ("cut.png", b"\x89PNG\r\n\x1a\n", 400),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(
    served: tuple[Gallery, TestClient], name: str, content: bytes, status: int
) -> None:
    gallery, client = served
    people = key(gallery, "people")
    files = [("pictures", (name, content, "image/png"))]
    told = problem(
        client.post(f"{ROOT}/people/eve/uploads", headers=people, files=files, data={"texts": ["x"]}), status
    )
    assert str(gallery.path) not in told
    assert client.get(f"{ROOT}/people/eve/uploads", headers=people).json() == {"uploads": []}


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("PUT", "/people/ann/ratings/w003", {"rating": 6}, 422),
        ("PUT", "/people/ann/ratings/none", {"rating": 5}, 404),
        ("PATCH", "/people/ann/areas/image:99", {"muted": True}, 404),
        ("PATCH", "/people/ann/areas/image:1", {}, 400),
        ("POST", "/people/ann/areas/merge", {"areas": ["image:1"]}, 422),
        ("POST", "/people/ann/areas/undo", None, 400),
        ("GET", f"/people/{'x' * 300}/ratings", None, 400),
        ("GET", "/people/nobody/recommendations", None, 404),
        ("DELETE", "/people/ann/uploads/w000", None, 404),
    ],
)
def test_wrong_requests_about_people_are_refused(
    served: tuple[Gallery, TestClient], method: str, address: str, body: Any, status: int
) -> None:
    gallery, client = served
    problem(client.request(method, ROOT + address, json=body, headers=key(gallery, "people")), status)


def test_while_the_database_hangs_reading_goes_on(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    reader = key(gallery, "read")
    assert client.get(f"{ROOT}/works/w003", headers=reader).status_code == 200
    monkeypatch.setattr(access_module, "_KEYS_SECONDS", 0.1)
    hangs = threading.Event()

    def hanging(*_: object) -> list[object]:
        hangs.wait(20)
        raise StorageError("gone")

    monkeypatch.setattr(storage.keys, "all_keys", hanging)
    try:
        began = time.monotonic()
        assert {client.get(f"{ROOT}/works/w00{n}", headers=reader).status_code for n in range(8)} == {200}
        assert time.monotonic() - began < 5
    finally:
        hangs.set()


def test_without_the_database_what_reads_the_collection_goes_on(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    held = key(gallery, "read", "people")
    address, body = f"{ROOT}/recommendations", {"ratings": {"w000": 5, "w001": 1}, "limit": 4, "where": ["year>=1800"]}
    before = client.post(address, headers=held, json=body).json()

    @contextmanager
    def gone(_: object) -> Iterator[None]:
        raise StorageError("the database /secret/place cannot be reached")
        yield

    monkeypatch.setattr(Database, "reading", gone)
    monkeypatch.setattr(Database, "writing", gone)
    assert check(client.post(address, headers=held, json=body).json())["works"] == before["works"]
    for reading in ("/works/w003", "/works/w003/similar?limit=3", "/works/w003/similar?by=artist", "/search?q=ship"):
        assert client.get(ROOT + reading, headers=held).status_code == 200, reading
    for answer in (
        client.put(f"{ROOT}/people/ann/ratings/w003", headers=held, json={"rating": 5}),
        client.get(f"{ROOT}/people/ann/ratings", headers=held),
    ):
        assert "secret" not in problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("name", ["%20", "%09%20"])
def test_nobody_has_a_blank_name(served: tuple[Gallery, TestClient], name: str) -> None:
    gallery, client = served
    people = key(gallery, "people")
    assert "blank" in problem(client.post(f"{ROOT}/people/{name}/tokens", headers=people), 400)


def test_who_asks_too_often_is_told_when_to_come_back(peopled: Path) -> None:
    service = Service(open_gallery(peopled), SECRET)
    access = Access(service, SECRET, open_here=True, each_second=0.5)
    with TestClient(create_service(service, access)) as client:
        answers = [client.get(f"{ROOT}/works/w003") for _ in range(8)]
    assert "too" not in answers[0].text
    problem(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_messages_name_neither_other_people_nor_files_of_the_server(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    people = key(gallery, "people")
    assert {"ann", "bob"} <= gallery.snapshot.owners().keys()
    for address in ("recommendations", "areas"):
        told = problem(client.get(f"{ROOT}/people/anna/{address}", headers=people), 404)
        assert "of that name" in told
        assert "there are" not in told
    assert "nothing is kept" in problem(client.get(f"{ROOT}/people/nobody/export", headers=people), 404)
    files = [("pictures", ("good.png", small_picture(), "image/png")), ("pictures", ("no.png", b"words", "image/png"))]
    told = problem(client.post(f"{ROOT}/people/eve/uploads", headers=people, files=files), 400)
    assert told.startswith("file 2 holds text")


def test_a_used_idempotency_key_takes_nothing_else(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    headers = key(gallery, "people") | {"Idempotency-Key": "one"}
    for text, status in (("A ship near the harbour", 202), ("A rose near a hedge", 409)):
        answer = client.post(f"{ROOT}/people/dora/uploads", headers=headers, data={"texts": [text]})
        assert answer.status_code == status
    assert "Idempotency-Key" in problem(answer, 409)


def test_answers_about_people_keep_to_the_document(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    people, root = key(gallery, "people"), f"{ROOT}/people/dora"
    document = client.get(f"{ROOT}/openapi.json").json()
    client.put(f"{root}/ratings/w003", headers=people, json={"rating": 4})
    sent = {"texts": ["A ship and a wave near the harbour", "A rose near a hedge"]}
    renamed = {"name": "Mine"}
    accepted = client.post(f"{root}/uploads", headers=people, data=sent)
    ended(client, accepted, people)
    for name, answer in (
        ("Job", accepted),
        ("Job", client.get(accepted.headers["location"], headers=people)),
        ("Uploads", client.get(f"{root}/uploads", headers=people)),
        ("Ratings", client.get(f"{root}/ratings", headers=people)),
        ("Areas", client.get(f"{root}/areas", headers=people)),
        ("Areas", client.patch(f"{root}/areas/text:1", headers=people, json=renamed)),
        ("Undone", client.post(f"{root}/areas/undo", headers=people)),
        ("Token", client.post(f"{root}/tokens", headers=people)),
        ("Version", client.get(f"{ROOT}/version")),
        ("Encoders", client.get(f"{ROOT}/encoders")),
        ("Record", client.get(f"{ROOT}/works/w003", headers=key(gallery, "read"))),
    ):
        assert answer.status_code in {200, 202}, answer.text
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
