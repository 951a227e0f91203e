"""Connections that strangers hold open: silent ones, slow ones, and those that go away."""

import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import event
from tests.web.conftest import Serve, World
from tests.web.serving import served
from tests.web.walking import Walker, form_in

from vernissage.web import connections, operations
from vernissage.web.connections import BoundedConnection, FloodFilter
from vernissage.web.security import RateLimit

POST = b"POST /study/welcome HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@contextmanager
def running(world: World) -> Iterator[int]:
    """The port of a server in this process."""
    config = uvicorn.Config(
        world.client.app, port=0, http=BoundedConnection, log_config=None, access_log=False, ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.long
def test_silent_connections_keep_nobody_out(workspace: Path, study_file: Path) -> None:
    with served(workspace, study_file, descriptors=64) as (address, process), ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        for number in range(80):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            if number % 2:
                silent.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        for _ in range(5):
            assert httpx.get(f"{address}/healthz", timeout=5).text == "ok\n"
        process.terminate()
        assert process.stdout is not None
        assert len(process.stdout.read()) < 2000


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTT",
        POST + b"Content-Length: 10\r\n\r\na",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n",
    ],
)
def test_what_does_not_arrive_in_time_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "ARRIVAL_SECONDS", 0.3)
    with running(world) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        slow.sendall(sent)
        began = time.monotonic()
        with suppress(ConnectionResetError):
            assert slow.recv(100) == b""
        assert 0.2 < time.monotonic() - began < 5
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok\n"
    assert "Traceback" not in caplog.text


def test_a_large_body_may_take_longer_as_long_as_it_arrives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ARRIVAL_SECONDS", 0.3)
    monkeypatch.setattr(connections, "SLOWEST", 100)
    with running(world) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as steady:
        steady.sendall(POST + b"Content-Length: 10000\r\n\r\n")
        for _ in range(20):
            time.sleep(0.05)
            steady.sendall(b"a" * 500)
        assert steady.recv(100).startswith(b"HTTP/1.1 403")


def test_an_answer_that_takes_long_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.1)
    world.client.app.add_api_route("/slow", lambda: time.sleep(0.5))  # type: ignore[attr-defined]
    with running(world) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/slow").status_code == 200


def test_a_client_that_goes_away_inside_a_form_is_no_error(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with running(world) as port:
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(POST + b"Content-Length: 10\r\n\r\na")
            time.sleep(0.2)
        time.sleep(0.2)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok\n"
    assert caplog.text == ""


def test_the_log_cannot_be_flooded(caplog: pytest.LogCaptureFixture) -> None:
    now, log = 0.0, logging.getLogger("vernissage.flood")
    caplog.handler.addFilter(flood := FloodFilter(RateLimit(2, 0.1, lambda: now)))
    try:
        for number in range(1000):
            now = 20.0 if number == 999 else 0.0
            log.error("failed: %s", number)
    finally:
        caplog.handler.removeFilter(flood)
    assert caplog.messages == ["failed: 0", "failed: 1", "failed: 999 (997 more like it left out)"]


@pytest.mark.long
def test_health_and_pages_while_another_process_writes(serve: Serve, tmp_path: Path) -> None:
    """More forms than there are threads and connections wait, each for a second; health waits for none of them."""
    world = serve(patience=1.0)
    pages = [Walker(world.anybody()).open(f"?PROLIFIC_PID=p{number}") for number in range(45)]
    forms = [(form_in(page).carried | {"consent": "yes"}, dict(page.history[0].cookies)) for page in pages]

    def send(form: tuple[dict[str, str], dict[str, str]]) -> tuple[int, float]:
        began = time.monotonic()
        answer = httpx.post(f"{address}/study/welcome", data=form[0], cookies=form[1], timeout=60)
        return answer.status_code, time.monotonic() - began

    with closing(sqlite3.connect(tmp_path / "vernissage.db", isolation_level=None)) as other, running(world) as port:
        address = f"http://127.0.0.1:{port}"
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(45) as pool:
            sent = [pool.submit(send, form) for form in forms]
            time.sleep(0.3)
            began = time.monotonic()
            assert httpx.get(f"{address}/readyz", timeout=60).text == "ok\n"
            assert time.monotonic() - began < 1.5
            answers = [each.result() for each in sent]
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < 10
        other.execute("ROLLBACK")
        assert send(forms[0])[0] == 303
    assert world.served.study.records.overview().started == 1


def test_health_of_a_database_that_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_HEALTH_SECONDS", 0.1)
    monkeypatch.setattr(world.served.study.database, "check", lambda: time.sleep(1))
    assert world.client.get("/readyz").status_code == 503
    assert world.client.get("/healthz").status_code == 200


def test_an_answer_that_finds_no_room_is_told_on_a_page(serve: Serve) -> None:
    """SQLite may not grow: it says that the disk is full, as it does where that is so."""
    world = serve()
    event.listen(
        world.served.study.database._engine,
        "begin",
        lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"),  # at least what there is
    )
    for number in range(60):
        client = world.anybody()
        carried = form_in(Walker(client).open(f"?PROLIFIC_PID={number:04d}{'p' * 60}")).carried
        answer = client.post("/study/welcome", data=carried | {"consent": "yes"}, follow_redirects=False)
        if answer.status_code == 503:
            break
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    assert "<h1>" in answer.text
