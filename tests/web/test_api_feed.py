"""Works from a platform's feed: taken in whole, made the next state, while readers notice nothing but new works."""

import base64
import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import RATINGS, ROOT, SECRET, check, problem
from tests.web.test_api_people import ended, key, small_picture

from vernissage import storage
from vernissage.catalog.keys import key_of
from vernissage.errors import WorkspaceError
from vernissage.gallery.building import build
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.web.api import doing
from vernissage.web.api import jobs as jobs_module
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.workspace import build as build_module
from vernissage.workspace.checking import check_workspace

do_next = jobs_module.Jobs.do_next
STORM: dict[str, Any] = {
    "title": "A storm", "artist": "The red master", "year": "1888", "description": "A ship and a wave near the beach.",
    "keywords": ["sea", "ship"], "credit": "Gift of Ann", "link": "https://museum.example/storm",
    "attributes": {"technique": "oil on canvas"},
}  # fmt: skip


@pytest.fixture
def served(workspace: Path) -> Iterator[tuple[Gallery, TestClient]]:
    gallery = open_gallery(workspace)
    service = Service(gallery, SECRET)
    with TestClient(create_service(service, Access(service, SECRET, open_here=True, each_second=1_000))) as client:
        yield gallery, client


def data(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*")}


def test_works_come_change_and_go(served: tuple[Gallery, TestClient], gallery: Path) -> None:
    opened, client = served
    before = opened.fingerprint
    token = client.post(f"{ROOT}/recommendations", json={"ratings": RATINGS}).json()["recommendation_id"]
    job = ended(client, client.put(f"{ROOT}/works/new-1", json=STORM | {"pictures": [data(small_picture())]}), {})
    assert job["result"] == {"changed": 1, "removed": 0, "works": 65, "fingerprint": opened.fingerprint}
    assert opened.fingerprint != before
    problem(client.get(f"{ROOT}/recommendations/{token}/next"), 410)
    work = client.get(f"{ROOT}/works/new-1").json()
    assert {name: work[name] for name in ("title", "credit", "link", "description")} == {
        name: STORM[name] for name in ("title", "credit", "link", "description")
    }
    assert client.get(work["thumbnail"]["src"]).status_code == 200
    assert len(check(client.get(f"{ROOT}/works/new-1/similar?limit=3").json())["works"]) == 3
    found = client.get(f"{ROOT}/search?q=oil storm").json()["works"]
    assert found[0]["id"] == "new-1"
    kept = names(opened.path / "fetched")
    assert len(kept) == 1

    other = {"works": [STORM | {"id": "new-1", "title": "Calm"}, STORM | {"id": "w000"}], "remove": ["w001"]}
    ended(client, client.post(f"{ROOT}/works/batch", json=other), {})
    assert [client.get(f"{ROOT}/works/{name}").status_code for name in ("new-1", "w000", "w001")] == [200, 200, 404]
    assert client.get(f"{ROOT}/works/w000").json()["title"] == "A storm"
    assert not names(opened.path / "fetched")
    ended(client, client.delete(f"{ROOT}/works/new-1"), {})
    problem(client.delete(f"{ROOT}/works/new-1"), 404)
    assert len(opened) == 63
    assert not any("new-1" in file.read_text() for file in opened.path.glob("*.json") if "feed" not in file.parts)

    kept_there = opened.path / "feed" / "works.json"
    whole = kept_there.read_bytes()
    kept_there.write_bytes(whole.replace(b'"keywords"', b'"keywrds"'))
    [fault] = check_workspace(opened.path).faults
    assert "works.json is damaged" in fault
    kept_there.write_bytes(whole)

    # What feeds brought stays where the folder is built anew, and the state is the same.
    state = opened.fingerprint
    assert build(gallery, opened.path).result.workspace.fingerprint == state


def test_a_form_brings_pictures_as_files(served: tuple[Gallery, TestClient]) -> None:
    opened, client = served
    body = {"works": [{"id": "n1", "pictures": ["Möwe.png"]}, {"id": "n2", "title": "Möwe"}]}
    files = [("pictures", ("Möwe.png", small_picture(), "image/png"))]
    sent = {"files": files, "data": {"json": json.dumps(body, ensure_ascii=False)}}
    ended(client, client.post(f"{ROOT}/works/batch", **sent), {})
    ended(client, client.put(f"{ROOT}/works/{key_of('AIC/1 é')}", json={"title": "By its key"}), {})
    assert opened.collection["AIC/1 é"].title == "By its key"
    assert client.get(f"{ROOT}/works/n2").json()["title"] == "Möwe"
    assert client.get(f"{ROOT}/works/n1").json()["thumbnail"]["src"]
    assert names(opened.path / "feed") == {"works.json"}


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("PUT", "new", {"title": "x", "pictures": ["https://museum.example/a.jpg"]}, 400),
        ("PUT", "new", {"title": "x", "pictures": ["file:///etc/passwd"]}, 400),
        ("PUT", "new", {"title": "x", "pictures": ["data:image/png;base64,####"]}, 400),
        ("PUT", "new", {"title": "x", "pictures": [data(b"<svg/>")]}, 400),
        ("PUT", "new", {}, 400),
        ("PUT", "new", {"name": "x"}, 422),
        ("PUT", "new", {"title": 3}, 422),
        ("PUT", "a%20%20b", {"title": "x"}, 400),
        ("POST", "batch", {}, 400),
        ("POST", "batch", {"works": [{"id": "a", "title": "x"}], "remove": ["a"]}, 400),
        ("POST", "batch", {"remove": ["none"]}, 404),
        ("POST", "batch", {"works": [{"title": "x"}]}, 422),
        ("DELETE", "none", None, 404),
        ("PUT", "new", b'{"title": "\xe9"}', 422),
    ],
)
def test_what_cannot_be_taken_in_changes_nothing(
    served: tuple[Gallery, TestClient], method: str, address: str, body: Any, status: int
) -> None:
    opened, client = served
    sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    problem(client.request(method, f"{ROOT}/works/{address}", **sent), status)
    assert not opened.repository.has_database or not names(opened.path / "feed")


def test_works_need_a_key_that_writes(workspace: Path) -> None:
    gallery = open_gallery(workspace)
    service = Service(gallery, SECRET)
    with TestClient(create_service(service, Access(service, SECRET, open_here=False, each_second=1_000))) as client:
        reader, writer = key(gallery, "read", "people"), key(gallery, "write")
        for method, address in (("PUT", "n"), ("DELETE", "w000"), ("POST", "batch")):
            assert "write is needed" in problem(client.request(method, f"{ROOT}/works/{address}", headers=reader), 403)
        accepted = client.delete(f"{ROOT}/works/w000", headers=writer)
        assert ended(client, accepted, writer)["state"] == "done"
        problem(client.get(accepted.headers["location"], headers=reader), 404)


@pytest.mark.usefixtures("idle")
def test_what_waits_makes_one_state_and_the_last_word_counts(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, client = served
    headers = {"Idempotency-Key": "one"}
    first = client.put(f"{ROOT}/works/n", json=STORM | {"pictures": [data(small_picture())]}, headers=headers)
    again = client.put(f"{ROOT}/works/n", json=STORM | {"pictures": [data(small_picture())]}, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    problem(client.put(f"{ROOT}/works/n", json=STORM, headers=headers), 409)
    ids = [client.put(f"{ROOT}/works/n", json=STORM | {"title": word}).json()["id"] for word in ("Two", "Three")]
    ids.append(client.delete(f"{ROOT}/works/w005").json()["id"])
    built: list[object] = []
    put = build_module.put_in_force
    monkeypatch.setattr(build_module, "put_in_force", lambda *a: (built.append(a), put(*a)))
    assert do_next(jobs_module.Jobs(Service(opened, SECRET)))
    assert len(built) == 1
    assert {client.get(f"{ROOT}/jobs/{name}").json()["state"] for name in (first.json()["id"], *ids)} == {"done"}
    assert client.get(f"{ROOT}/works/n").json()["title"] == "Three"
    assert names(opened.path / "feed") == {"works.json"}
    assert not names(opened.path / "fetched")


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("moment", ["_made_manifest", "keep_feed", "put_in_force"])
def test_a_worker_killed_anywhere_leaves_the_old_state_and_another_goes_on(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    opened, client = served
    before = opened.fingerprint
    job = client.put(f"{ROOT}/works/n", json=STORM | {"pictures": [data(small_picture())]}).json()
    long_ago = datetime.now(UTC) - 2 * storage.jobs.LEASE
    with opened.repository.database.writing() as connection:
        jobs = storage.jobs.take_jobs(connection, "killed", long_ago, doing.IN_ORDER)

    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(build_module, moment, kill)
        with pytest.raises(Killed):
            doing.DOING["works"](opened, jobs, lambda *_: None)
    opened.refresh()
    assert (opened.fingerprint, client.get(f"{ROOT}/works/n").status_code) == (before, 404)
    assert do_next(jobs_module.Jobs(Service(opened, SECRET)))
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "done"
    work = client.get(f"{ROOT}/works/n").json()
    assert client.get(work["thumbnail"]["src"]).status_code == 200


@pytest.mark.usefixtures("idle")
def test_a_build_under_way_or_a_full_disk_lets_the_feed_wait(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, client = served

    def full(*_: object) -> None:
        raise WorkspaceError("no space left on its disk")

    job = client.delete(f"{ROOT}/works/w000").json()
    monkeypatch.setattr(build_module, "keep_feed", full)
    assert do_next(jobs_module.Jobs(Service(opened, SECRET)))
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "waiting"
    assert client.get(f"{ROOT}/works/w000").status_code == 200


@pytest.mark.usefixtures("idle")
def test_a_job_whose_pictures_are_gone_fails_by_itself(served: tuple[Gallery, TestClient]) -> None:
    opened, client = served
    lost = client.put(f"{ROOT}/works/n", json=STORM | {"pictures": [data(small_picture())]}).json()["id"]
    other = client.delete(f"{ROOT}/works/w000").json()["id"]
    for file in (opened.path / "feed").glob("*.waiting"):
        file.unlink()
    assert do_next(jobs_module.Jobs(Service(opened, SECRET)))
    told = client.get(f"{ROOT}/jobs/{lost}").json()
    assert (told["state"], told["problem"]["status"]) == ("failed", 400)
    assert "send its work again" in told["problem"]["detail"]
    assert client.get(f"{ROOT}/jobs/{other}").json()["state"] == "done"
    assert [client.get(f"{ROOT}/works/{name}").status_code for name in ("n", "w000")] == [404, 404]


def test_a_swap_under_load_loses_no_request(served: tuple[Gallery, TestClient]) -> None:
    _, client = served
    stop, answers = threading.Event(), list[int]()

    def ask() -> None:
        addresses = ("works/w003/similar?limit=3", "search?q=ship", "works?limit=5", "elicitation?n=3")
        while not stop.is_set():
            for address in addresses:
                answers.append(client.get(f"{ROOT}/{address}").status_code)
            answers.append(client.post(f"{ROOT}/recommendations", json={"ratings": RATINGS}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(3):
        ended(client, client.put(f"{ROOT}/works/n{number}", json=STORM), {})
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answers) > 10
    assert set(answers) == {200}


@pytest.mark.usefixtures("idle")
def test_files_of_a_removed_work_go_once_nobody_reads_on(served: tuple[Gallery, TestClient]) -> None:
    opened, client = served
    worker = jobs_module.Jobs(Service(opened, SECRET))
    ended_at = datetime.now(UTC)
    client.delete(f"{ROOT}/works/w000")
    before = set(opened.path.glob("works-*.parquet"))
    assert do_next(worker)
    assert before < set(opened.path.glob("works-*.parquet"))
    assert not do_next(worker)
    with opened.repository.database.writing() as connection:
        jobs = storage.jobs.take_jobs(connection, "later", ended_at + timedelta(minutes=2), ())
    assert [job.kind for job in jobs] == ["purge"]
    doing.DOING["purge"](opened, jobs, lambda *_: None)
    assert not before & set(opened.path.glob("works-*.parquet"))
    assert client.get(f"{ROOT}/works/w001").status_code == 200


def test_an_id_of_an_upload_is_refused(served: tuple[Gallery, TestClient]) -> None:
    _, client = served
    accepted = client.post(f"{ROOT}/people/ann/uploads", data={"texts": ["A ship near the harbour"]})
    [upload] = accepted.json()["result"]["uploads"]
    assert "is the id of an upload" in problem(client.put(f"{ROOT}/works/{upload['id']}", json=STORM), 409)


def test_the_feed_needs_nothing_of_the_folder(served: tuple[Gallery, TestClient], tmp_path: Path) -> None:
    opened, _ = served
    moved = shutil.copytree(opened.path, tmp_path / "elsewhere")
    manifest = json.loads((moved / "workspace.json").read_text())
    for place in ("source", "folder"):
        manifest[place] |= {"absolute": str(tmp_path / "gone"), "relative": "../gone"}
    (moved / "workspace.json").write_text(json.dumps(manifest))
    with open_gallery(moved) as gallery:
        doing.change_works(
            gallery, doing.FeedChanges({"n": doing.feed_work({"title": "Sea", "keywords": [], "pictures": []})})
        )
        assert (len(gallery), gallery["n"].title) == (65, "Sea")


def test_uploads_and_works_on_every_database(workspace: Path, database_place: str) -> None:
    service = Service(open_gallery(workspace, database=database_place), SECRET)
    with TestClient(create_service(service, Access(service, SECRET, open_here=True, each_second=1_000))) as client:
        accepted = [
            client.post(f"{ROOT}/people/ann/uploads", data={"texts": ["A ship near the harbour"]}),
            client.put(f"{ROOT}/works/n", json=STORM),
        ]
        assert [ended(client, each, {})["state"] for each in accepted] == ["done", "done"]
        assert len(client.get(f"{ROOT}/people/ann/recommendations?limit=4").json()["works"]) == 4
        assert client.get(f"{ROOT}/works/n").status_code == 200
