"""Several processes on one workspace and one database, and several collections on one server."""

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from tests.galleries import toy_gallery
from tests.web.serving import served
from tests.web.test_api import RATINGS, ROOT, problem

from vernissage.errors import RequestError
from vernissage.web.serving import Server
from vernissage.web.settings import Settings, read_settings
from vernissage.workspace.build import build_workspace

FORM = {"texts": ["A ship and a wave near the harbour", "A rose near a hedge"]}


@contextmanager
def asking(address: str, *, at_once: int = 2) -> Iterator[list[tuple[int, str]]]:
    """Ask for the version again and again, each time by a new connection; what was answered, as it comes."""
    found: list[tuple[int, str]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answer = httpx.get(f"{address}{ROOT}/version", timeout=30)
                found.append((answer.status_code, answer.json()["fingerprint"]))
            except httpx.TransportError as error:
                found.append((0, repr(error)))
            time.sleep(0.02)

    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(ask) for _ in range(at_once)]
        try:
            yield found
        finally:
            over.set()
            for each in running:
                each.result()


def children(process: Any) -> list[int]:
    """The workers of a server that have begun."""
    lines = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(each) for each in lines if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system has no fork")
def test_workers_take_in_a_new_build_and_replace_each_other(workspace: Path, tmp_path: Path) -> None:
    """No request fails by a new build, nor after a worker was killed but those that it had; all count together."""
    with served(workspace, None, "--workers", "2", "--log-format", "json") as (address, process):
        with asking(address) as answers:
            deadline = time.monotonic() + 60
            while len(answers) < 5 or len(children(process)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            build_workspace(toy_gallery(tmp_path / "more", 66), workspace)
            new = json.loads((workspace / "workspace.json").read_text())
            built = len(answers)
            while not {each for _, each in answers[-12:]} == {answers[-1][1]} != {answers[0][1]}:
                assert time.monotonic() < deadline, (answers[-12:], new.keys())
                time.sleep(0.2)
            assert {status for status, _ in answers} == {200}
            assert built
            killed = children(process)[0]
            os.kill(killed, signal.SIGSTOP)
            time.sleep(1.5)  # by now it has been asked whether it lives, which is waited for half a minute
            os.kill(killed, signal.SIGKILL)
            begun = time.monotonic()
            while killed in children(process) or len(children(process)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert time.monotonic() - begun < 20
            time.sleep(1)
        assert sum(status != 200 for status, _ in answers) <= 2
        counted = [
            float(line.rpartition(" ")[2])
            for line in httpx.get(f"{address}/metrics").text.splitlines()
            if line.startswith("http_server_request_duration_seconds_count") and "/version" in line
        ]
        good = sum(status == 200 for status, _ in answers)
        assert good <= sum(counted) <= good + 2
        # What had begun ends well, although the server is told to stop in the middle of it.
        port, body = int(address.rpartition(":")[2]), b'{"ratings": {"w000": 5}, "limit": 1}'
        with socket.create_connection(("127.0.0.1", port), timeout=30) as late:
            head = f"POST {ROOT}/recommendations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            late.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:9])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(1)
            late.sendall(body[9:])
            assert late.recv(100).startswith(b"HTTP/1.1 200")
        assert process.wait(30) == 0
        assert process.stdout is not None
        lines = [json.loads(line) for line in process.stdout if line.startswith("{")]
    requests = [line for line in lines if line.get("route") == f"{ROOT}/version"]
    assert len({line["request_id"] for line in requests}) == len(requests) >= good
    assert set(requests[0]) == {
        "time", "level", "method", "route", "status", "bytes", "request_id", "duration_ms"
    }  # fmt: skip


@pytest.mark.long
def test_two_servers_on_one_database_lose_and_double_nothing(workspace: Path, database_place: str) -> None:
    with ExitStack() as stack:
        options = ("--database", database_place, "--requests-per-second", "1000")
        addresses = [stack.enter_context(served(workspace, None, *options))[0] for _ in range(2)]
        one, other = (stack.enter_context(httpx.Client(base_url=address, timeout=60)) for address in addresses)

        def rate(number: int) -> int:
            client = (one, other)[number % 2]
            rated = {"rating": 1 + number % 5}
            return client.put(f"{ROOT}/people/ann/ratings/w{number:03d}", json=rated).status_code

        def upload(number: int) -> set[str]:
            """The same by both, with the same key; each twice."""
            headers = {"Idempotency-Key": f"upload-{number // 2}"}
            texts = {"texts": [f"{each}, {number // 2}" for each in FORM["texts"]]}
            answer = (one, other)[number % 2].post(f"{ROOT}/people/ann/uploads", data=texts, headers=headers)
            assert answer.status_code == 202, answer.text
            return {each["id"] for each in answer.json()["result"]["uploads"]}

        with ThreadPoolExecutor(6) as pool:
            uploads = list(pool.map(upload, range(8)))
            statuses = list(pool.map(rate, range(40)))
        assert statuses == [204] * 40
        for client in (one, other):
            kept = client.get(f"{ROOT}/people/ann/ratings").json()["ratings"]
            assert kept == {f"w{number:03d}": 1 + number % 5 for number in range(40)}
            there = [each["id"] for each in client.get(f"{ROOT}/people/ann/uploads").json()["uploads"]]
            assert len(there) == len(set(there)) == 8
            assert set(there) == set().union(*uploads)
        assert uploads[0::2] == uploads[1::2]
        conflict = {"Idempotency-Key": "upload-0"}
        answer = other.post(f"{ROOT}/people/ann/uploads", data={"texts": ["Another"]}, headers=conflict)
        problem(answer, 409)


def test_limits_are_counted_in_each_process(workspace: Path) -> None:
    """As docs/service.md says: N processes allow N times as much, and no more."""
    settings = Settings(requests_per_second=0.3)  # three at once
    servers = [Server(settings, {"": workspace}) for _ in range(2)]
    with ExitStack() as stack:
        clients = [stack.enter_context(TestClient(server, base_url="http://localhost")) for server in servers]
        statuses = [clients[number % 2].get(f"{ROOT}/elicitation?n=1").status_code for number in range(12)]
    assert statuses == [200] * 6 + [429] * 6


@pytest.fixture
def two(built: Path, tmp_path: Path) -> Iterator[TestClient]:
    collections = {name: Path(shutil.copytree(built, tmp_path / name)) for name in ("paintings", "drawings")}
    server = Server(Settings(requests_per_second=1_000), collections)
    with TestClient(server, base_url="http://localhost") as client:
        yield client


def test_collections_below_a_prefix_each_carry_it_in_their_addresses(two: TestClient) -> None:
    work = two.get(f"/paintings{ROOT}/works/w003").json()
    for address in (work["url"], work["manifest"], work["thumbnail"]["src"]):
        assert address.startswith("http://localhost/paintings/")
        assert two.get(address).status_code == 200
    made = two.get(work["manifest"]).json()
    assert made["id"] == work["manifest"]
    found = two.post(f"/drawings{ROOT}/recommendations", json={"ratings": RATINGS, "limit": 2}).json()
    address = f"http://localhost/drawings{ROOT}/iiif/3/collection/{found['recommendation_id']}"
    assert two.get(address).json()["id"] == address
    assert two.get(f"/drawings{ROOT}/openapi.json").json()["servers"] == [{"url": "/drawings"}]
    for there in (f"/paintings{ROOT}/docs", "/paintings/vernissage.js", "/healthz", "/readyz", "/paintings/healthz"):
        assert two.get(there).status_code == 200, there
    for nowhere in (f"{ROOT}/works", "/etchings/healthz", "/"):
        problem(two.get(nowhere), 404)
    assert f'http_route="/paintings{ROOT}/works/{{key:path}}' in two.get("/paintings/metrics").text


def test_people_of_one_collection_are_not_in_the_other(two: TestClient) -> None:
    assert two.put(f"/paintings{ROOT}/people/ann/ratings/w003", json={"rating": 5}).status_code == 204
    assert two.get(f"/paintings{ROOT}/people/ann/ratings").json() == {"ratings": {"w003": 5.0}}
    assert two.get(f"/drawings{ROOT}/people/ann/ratings").json() == {"ratings": {}}


def test_a_study_is_of_one_collection(built: Path, study_file: Path) -> None:
    with pytest.raises(RequestError, match="a study is of one collection"):
        Server(read_settings({"study": study_file}), {"paintings": built, "drawings": built})


def test_metrics_tell_of_recommendations_and_of_works_without_vectors(two: TestClient) -> None:
    two.post(f"/paintings{ROOT}/recommendations", json={"ratings": RATINGS, "limit": 2})
    told = two.get("/paintings/metrics").text
    for stage in ("rank", "describe"):
        assert f'stage="{stage}"' in told
    assert 'vernissage_works_without_vectors{encoder="lda"} 0.0' in told
    assert "vernissage_rate_limited_total 0.0" in told
