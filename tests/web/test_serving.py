"""`vernissage serve` as a process: killed in the middle of a submit, under many robots at once, and misused."""

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.web.robots import run_robots
from tests.web.serving import served
from tests.web.walking import Walker, form_in, steady

from vernissage.cli.main import main
from vernissage.storage.database import open_database
from vernissage.study.definition import read_definition
from vernissage.study.export import export_tables
from vernissage.study.records import StudyRecords
from vernissage.web.credentials import is_password, stored_password


def long_rows(database: str | Path, study: Path) -> list[tuple[object, ...]]:
    opened = open_database(database)
    try:
        tables = export_tables(StudyRecords(opened, read_definition(study)))
        return [row[:3] for table in tables if table.name == "long" for row in table.rows]
    finally:
        opened.close()


@pytest.fixture
def walker() -> Iterator[Walker]:
    with httpx.Client(timeout=30) as client:
        yield Walker(client, steady("ann"))


@pytest.mark.long
def test_a_server_that_is_killed_in_the_middle_of_submits(workspace: Path, study_file: Path, walker: Walker) -> None:
    """Whatever the kill hits, the participant goes on where the last stored answer left them."""
    port = 0
    for round_number, delay in enumerate((0.002, 0.012)):
        with served(workspace, study_file, port=port) as (address, process):
            port = int(address.rpartition(":")[2])
            walker.client.base_url = httpx.URL(address)
            page = walker.begin("?PROLIFIC_PID=ann") if round_number == 0 else walker.get("/study")
            if page.url.path == "/study/elicitation":
                page = walker.send(page)
            before = int(page.url.path.rpartition("/")[2])
            fields, action = walker.filled(page), form_in(page).action
            killer = threading.Timer(delay, process.kill)
            killer.start()
            with suppress(httpx.TransportError):
                walker.client.post(action, data=fields, follow_redirects=False)
            killer.join()
            process.wait(30)
        answered = len(long_rows(workspace / "study.db", study_file))
        assert answered in {before - 1, before}
    with served(workspace, study_file, port=port):
        page = walker.get("/study")
        assert page.url.path == ("/study/thanks" if answered == 4 else f"/study/assessment/{answered + 1}")
        walker.walk(page)
    rows = long_rows(workspace / "study.db", study_file)
    assert rows == [("ann", engine, repetition) for engine in ("colour-texture", "lda") for repetition in (1, 2)]


@pytest.mark.long
def test_robots_on_each_kind_of_database(workspace: Path, study_file: Path, database_place: str) -> None:
    workers = "2" if "://" in database_place else "1"
    with served(workspace, study_file, "--database", database_place, "--workers", workers) as (address, process):
        load = run_robots(address, study_file, database_place, participants=11, at_once=11)
        assert process.poll() is None
    assert load.completed == 11
    assert load.rows == load.distinct == 11 * 4
    assert sorted(load.firsts.values()) == [5, 6]


def test_what_the_server_says_and_does_not_say(workspace: Path, study_file: Path) -> None:
    """No address, id or user agent gets into what it prints, not even beside an error."""
    with served(workspace, study_file) as (address, process):
        with httpx.Client(base_url=address, headers={"User-Agent": "Tell/Tale"}) as client:
            walker = Walker(client)
            walker.walk(walker.begin("?PROLIFIC_PID=somebody-known"))
            answer = client.get("/healthz")
            assert client.get("/nowhere").status_code == 404
            assert client.get("/study", headers={"Host": "elsewhere.example"}).status_code == 400
            assert client.get("/study/experimenter/login").status_code == 200
        process.terminate()
        assert process.stdout is not None
        said = process.stdout.read()
    assert answer.headers.get("server") is None
    assert (workspace / "study.secret").stat().st_mode & 0o777 == 0o600
    for word in ("127.0.0.1:", "somebody-known", "Tell/Tale", "GET", "POST"):
        assert word not in said, said


def test_behind_a_proxy_cookies_go_over_tls_alone(workspace: Path, study_file: Path) -> None:
    options = ("--behind-proxy", "127.0.0.1", "--allowed-host", "study.example")
    with served(workspace, study_file, *options) as (address, _):
        proxied = {"Host": "study.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        answer = httpx.get(f"{address}/study", headers=proxied)
        cookie = answer.headers["set-cookie"]
        assert re.match(r"__Host-vernissage-study=\S+; ", cookie)
        for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
            assert word in cookie
        assert httpx.get(address, headers={"Host": "other.example"}).status_code == 400
        assert httpx.get(f"{address}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "203.0.113.1"], "cannot listen at 203.0.113.1"),
        (["--password-file", "empty.txt"], "holds no password"),
        (["--password-file", "short.txt"], "at least 8"),
    ],
)
def test_misuse_is_told_in_one_line(
    workspace: Path, study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, options: list[str], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "short.txt").write_text("short\n")
    with pytest.raises(SystemExit) as end:
        main(["serve", str(workspace), "--study", str(study_file), "--port", "0", *options])
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert words in said
    assert said.count("\n") == 1


def test_the_password_is_set_from_a_file_or_asked_for(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given.txt"
    given.write_text("from a file\nand no further\n")
    asked = iter(["typed in here", "typed in here"])
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(asked))
    for options, password in ((["--password-file", str(given)], "from a file"), ([], "typed in here")):
        with pytest.raises(SystemExit, match="0"):
            main(["study", "password", str(workspace), *options])
        hashed = stored_password(workspace)
        assert hashed is not None
        assert is_password(password, hashed)
    assert "typed" not in capsys.readouterr().out
