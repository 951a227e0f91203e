"""What the service does after it has answered: taken in whole, done once, whatever happens to the one who does it."""

import errno
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.test_api import ROOT, SECRET, problem
from tests.web.test_api_people import ended, key, small_picture

from vernissage import storage
from vernissage.errors import StorageError
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.web.api import jobs as jobs_module
from vernissage.web.api import received
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.workspace import uploading
from vernissage.workspace.repository import Repository

do_next = jobs_module.Jobs.do_next
TEXTS = {"texts": ["A ship and a wave near the harbour", "A rose near a hedge"]}


@pytest.fixture
def served(peopled: Path) -> Iterator[tuple[Gallery, TestClient]]:
    gallery = open_gallery(peopled)
    service = Service(gallery, SECRET)
    with TestClient(create_service(service, Access(service, SECRET, open_here=True, each_second=1_000))) as client:
        yield gallery, client


def vectors(gallery: Gallery, owner: str) -> int:
    """How many vectors a person's uploads have in all."""
    repository = gallery.repository
    with repository.database.reading() as connection:
        ids = [each.id for each in storage.uploads.uploads_of(connection, owner)]
        spaces = uploading.spaces_of(repository.workspace)
        return sum(len(storage.vectors.vectors_of(connection, space, ids).ids) for space in spaces)


def test_a_persons_job_is_theirs(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    people, reader, writer, admin = (key(gallery, scope) for scope in ("people", "read", "write", "admin"))
    accepted = client.post(f"{ROOT}/people/dora/uploads", data=TEXTS, headers=people)
    address = accepted.headers["location"]
    assert ended(client, accepted, people)["state"] == "done"
    for name, status in (("dora", 200), ("eve", 404)):
        token = client.post(f"{ROOT}/people/{name}/tokens", headers=people).json()["token"]
        assert client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == status
    problem(client.get(address, headers=reader), 403)
    problem(client.get(address, headers=writer), 404)
    problem(client.get(f"{ROOT}/jobs/none", headers=people), 404)
    assert client.get(address, headers=admin).status_code == 200
    assert vectors(gallery, "dora") > 0
    client.delete(f"{ROOT}/people/dora", headers=people)
    problem(client.get(address, headers=people), 404)


@pytest.mark.usefixtures("idle")
def test_uploads_are_kept_before_the_answer_and_wait_for_their_vectors(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    files = [("pictures", ("mine.png", small_picture(), "image/png"))]
    job = client.post(f"{ROOT}/people/dora/uploads", files=files, data=TEXTS).json()
    assert (job["state"], len(job["result"]["uploads"])) == ("waiting", 3)
    assert len(client.get(f"{ROOT}/people/dora/uploads").json()["uploads"]) == 3
    assert vectors(gallery, "dora") == 0
    assert "yet to be read" in problem(client.get(f"{ROOT}/people/dora/recommendations"), 409)
    [waiting] = client.get(f"{ROOT}/people/dora/uploads").json()["uploads"][:1]
    assert client.delete(f"{ROOT}/people/dora/uploads/{waiting['id']}").status_code == 204
    assert do_next(jobs_module.Jobs(Service(gallery, SECRET)))
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "done"
    assert vectors(gallery, "dora") > 0


@pytest.mark.usefixtures("idle")
def test_the_job_of_a_killed_worker_is_done_by_another_and_nothing_twice(served: tuple[Gallery, TestClient]) -> None:
    gallery, client = served
    headers = {"Idempotency-Key": "one"}
    job = client.post(f"{ROOT}/people/dora/uploads", data=TEXTS, headers=headers).json()
    database, now = gallery.repository.database, datetime.now(UTC)
    with database.writing() as connection:  # as a worker that was killed had begun it, and encoded a part
        storage.jobs.take_jobs(connection, "killed", now - 2 * storage.jobs.LEASE, ())
    ids = [each["id"] for each in job["result"]["uploads"]]
    gallery.repository.encode_missing(some=ids[:1])
    part = vectors(gallery, "dora")
    again = client.post(f"{ROOT}/people/dora/uploads", data=TEXTS, headers=headers).json()
    assert (again["id"], again["state"]) == (job["id"], "running")
    assert do_next(jobs_module.Jobs(Service(gallery, SECRET)))
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "done"
    assert 0 < part < vectors(gallery, "dora")
    assert len(client.get(f"{ROOT}/people/dora/uploads").json()["uploads"]) == 2
    assert not do_next(jobs_module.Jobs(Service(gallery, SECRET)))


@pytest.mark.usefixtures("idle")
def test_what_cannot_be_done_just_now_is_tried_again_and_a_defect_fails(
    served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, client = served
    whole = Repository.encode_missing
    worker = jobs_module.Jobs(Service(gallery, SECRET))
    causes: list[Exception] = [StorageError("the disk of /secret/place is full"), ValueError("of /secret/place")]

    def fail(*_: Any) -> int:
        raise causes.pop(0)

    monkeypatch.setattr(Repository, "encode_missing", fail)
    job = client.post(f"{ROOT}/people/dora/uploads", data=TEXTS).json()
    assert do_next(worker)
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "waiting"
    assert not do_next(worker)  # not before its time
    other = client.post(f"{ROOT}/people/eve/uploads", data=TEXTS).json()
    assert do_next(worker)
    told = client.get(f"{ROOT}/jobs/{other['id']}").json()
    assert (told["state"], told["problem"]["status"]) == ("failed", 500)
    assert "/secret" not in str(told)
    monkeypatch.setattr(Repository, "encode_missing", whole)
    later = datetime.now(UTC) + timedelta(minutes=1)
    with gallery.repository.database.writing() as connection:
        assert [each.id for each in storage.jobs.take_jobs(connection, "x", later, ())] == [job["id"]]


def test_a_full_disk_takes_nothing_in(served: tuple[Gallery, TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    _, client = served
    kept = storage.pictures.write_bytes

    def full(*_: object, **__: object) -> None:
        raise StorageError("no space left") from OSError(errno.ENOSPC, "No space left on device")

    files = [("pictures", ("mine.png", small_picture(), "image/png"))]
    sent: dict[str, Any] = {"files": files, "data": TEXTS, "headers": {"Idempotency-Key": "one"}}
    monkeypatch.setattr(storage.pictures, "write_bytes", full)
    answer = client.post(f"{ROOT}/people/dora/uploads", **sent)
    assert "nothing was stored" in problem(answer, 503)
    assert answer.headers["retry-after"]
    assert client.get(f"{ROOT}/people/dora/uploads").json() == {"uploads": []}
    monkeypatch.setattr(storage.pictures, "write_bytes", kept)
    assert ended(client, client.post(f"{ROOT}/people/dora/uploads", **sent), {})["state"] == "done"
    assert len(client.get(f"{ROOT}/people/dora/uploads").json()["uploads"]) == 3


def test_the_same_request_at_the_same_moment_is_one_job(served: tuple[Gallery, TestClient]) -> None:
    _, client = served
    answers: list[Any] = []

    def send() -> None:
        headers = {"Idempotency-Key": "one"}
        answers.append(client.post(f"{ROOT}/people/dora/uploads", data=TEXTS, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    ended(client, answers[0], {})
    assert len(client.get(f"{ROOT}/people/dora/uploads").json()["uploads"]) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1251", "shift_jis"])
@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.usefixtures("idle")
def test_texts_are_read_in_whatever_encoding_they_are(
    served: tuple[Gallery, TestClient], encoding: str, as_file: bool
) -> None:
    _, client = served
    text = {
        "cp1251": "Корабль стоит в гавани у маяка",
        "shift_jis": "港に船がとまっています。波が高い日です。",
    }.get(encoding, "Ein Schiff fährt über das müde Meer, café")
    name = ("text.txt",) if as_file else (None,)
    sent = [("texts", (*name, text.encode(encoding)))]
    accepted = client.post(f"{ROOT}/people/dora/uploads", files=sent)
    assert accepted.status_code == 202, accepted.text
    assert [each["text"] for each in client.get(f"{ROOT}/people/dora/uploads").json()["uploads"]] == [text]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\x89PNG\r\n\x1a\n\0\0", "text 1"), (b"x" * 20_001, "20,000"), (b"<!DOCTYPE html><html></html>", "a web page")],
)
def test_what_is_no_text_is_refused(served: tuple[Gallery, TestClient], content: bytes, told: str) -> None:
    _, client = served
    for name in (None, "text.txt"):
        answer = client.post(f"{ROOT}/people/dora/uploads", files=[("texts", (name, content))])
        assert told in problem(answer, 400)
    answer = client.post(
        f"{ROOT}/people/dora/uploads",
        content=b"texts=caf%E9",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert "not in UTF-8" in problem(answer, 400)
    assert client.get(f"{ROOT}/people/dora/uploads").json() == {"uploads": []}


@pytest.mark.parametrize("readable", [True, False])
def test_videos_are_uploaded_where_they_can_be_read(
    served: tuple[Gallery, TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    pytest.importorskip("av", reason="the extra video is not installed")
    from tests.videos import moving, write_video

    _, client = served
    write_video(tmp_path / "red.mp4", moving("red", "circle"))
    if not readable:
        monkeypatch.setattr(received, "PICTURE_SUFFIXES", received.PICTURE_SUFFIXES - received.VIDEO_SUFFIXES)
    content = (tmp_path / "red.mp4").read_bytes()
    answers = [
        client.post(f"{ROOT}/people/dora/uploads", files=[("pictures", ("red.mp4", content))]),
        client.post(f"{ROOT}/search/picture?limit=3", files=[("picture", ("red.mp4", content))]),
    ]
    if not readable:
        for answer in answers:
            assert "vernissage[video]" in problem(answer, 400)
        return
    assert ended(client, answers[0], {})["state"] == "done"
    works = answers[1].json()["works"]
    assert {work["artist"] for work in works} == {"The red master"}


def test_several_servers_do_each_job_once(peopled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    encode = jobs_module.DOING["uploads"]

    def noted(gallery: Gallery, jobs: Any, progress: Any) -> Any:
        done.extend(job.id for job in jobs)
        return encode(gallery, jobs, progress)

    monkeypatch.setattr(jobs_module, "DOING", {"uploads": noted})
    services = [Service(open_gallery(peopled), SECRET) for _ in range(2)]
    one, two = (
        TestClient(create_service(each, Access(each, SECRET, open_here=True, each_second=1_000))) for each in services
    )
    with one, two:
        accepted = [
            (one, two)[number % 2].post(
                f"{ROOT}/people/p{number}/uploads", data={"texts": [f"A ship and wave {number}"]}
            )
            for number in range(8)
        ]
        assert {ended(two, each, {})["state"] for each in accepted} == {"done"}
    assert sorted(done) == sorted(each.json()["id"] for each in accepted)
