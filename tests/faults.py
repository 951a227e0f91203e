"""What a service does while its database hangs or is gone, its disk is full, or its files are removed.

By itself: ``python -m tests.faults``. Filling a disk takes a file system of its own, which root alone can mount.
"""

import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image

from tests.galleries import toy_gallery
from tests.postgres import postgres_programs, run_sql, running_server
from tests.web.serving import PATIENCE, served
from vernissage.workspace.build import build_workspace

_LONGEST = 15.0  # seconds of a request while the database hangs; on a machine of its own it takes seven
_TMPFS_MB = 12


def check_faults(workspace: Path, folder: Path, server: str) -> Iterator[str]:
    """Try each fault on a copy of a workspace in ``folder``, with PostgreSQL at the URL ``server``; yields what held.

    Raises:
        AssertionError: an acknowledged write was lost, or an answer was other than it must be.
    """
    run_sql(server, "CREATE DATABASE faults")
    postgresql, postmaster = f"{server.rpartition('/')[0]}/faults", _postmaster(server)
    for name, url, away in (
        ("PostgreSQL that hangs", postgresql, lambda _: _hanging(postmaster)),
        ("PostgreSQL stopped and started", postgresql, lambda _: _stopped(postmaster, server)),
        ("SQLite's file moved away and back", None, _moved),
    ):
        copied = Path(shutil.copytree(workspace, folder / name.replace(" ", "-")))
        yield f"{name}: {_without_database(copied, url, away)}"
    yield f"a full disk: {_full_disk(workspace, folder / 'tmpfs')}"
    yield f"files removed while serving: {_files_removed(Path(shutil.copytree(workspace, folder / 'removed')))}"


def _without_database(workspace: Path, url: str | None, away: Callable[[Path], Any]) -> str:
    slowest, given = 0.0, ("--requests-per-second", "1000", *(("--database", url) if url else ()))
    with served(workspace, None, *given) as (address, _), _client(address) as http:

        def ask(method: str, path: str, status: int, **how: Any) -> httpx.Response:
            nonlocal slowest
            began = time.monotonic()
            answer = http.request(method, path, **how)
            slowest = max(slowest, time.monotonic() - began)
            assert answer.status_code == status, (method, path, answer.status_code, answer.text)
            assert status != 503 or path.endswith("/readyz") or answer.headers["retry-after"]
            return answer

        def write(number: int, status: int) -> None:
            ask("PUT", f"/people/ann/ratings/w{number:03d}", status, json={"rating": 5 - number})

        write(0, 204)
        ask("GET", "/people/ann/recommendations", 200)
        slowest = 0.0
        with away(workspace):
            for number in range(1, 4):
                write(number, 503)
                # SQLite's file can still be read by who has it open, wherever it is, and holds what was written.
                ask("GET", "/people/ann/ratings", 503 if url else 200)
                # What nobody has asked before, so that no kept answer hides a request to the database.
                ask("GET", f"/works/w{number:03d}/similar", 200)
                ask("POST", "/recommendations", 200, json={"ratings": {f"w{number:03d}": 5}})
                ask("GET", "/search", 200, params={"q": ("ship", "rose", "storm")[number - 1]})
            ask("GET", f"{address}/readyz", 503)
            ask("GET", f"{address}/healthz", 200)
        deadline = time.monotonic() + PATIENCE
        while http.put("/people/ann/ratings/w009", json={"rating": 2}).status_code != 204:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert ask("GET", "/people/ann/ratings", 200).json()["ratings"] == {"w000": 5.0, "w009": 2.0}
        ask("GET", "/people/ann/recommendations", 200)
    assert slowest < _LONGEST, slowest
    what = "what is a person's" if url else "what would be written"
    return f"503 for {what}, reading goes on; the slowest answer took {slowest:.1f} s; nothing lost"


def _postmaster(server: str) -> psutil.Process:
    import psycopg

    with psycopg.connect(server) as connection:
        row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert row is not None
    return psutil.Process(int(row[0].split()[0]))


@contextmanager
def _hanging(postmaster: psutil.Process) -> Iterator[None]:
    every = [postmaster, *postmaster.children()]
    for each in every:
        each.suspend()
    try:
        yield
    finally:
        for each in every:
            each.resume()


@contextmanager
def _stopped(postmaster: psutil.Process, server: str) -> Iterator[None]:
    with postmaster.oneshot():
        command, folder, user, group = (
            postmaster.cmdline(), postmaster.cwd(), postmaster.uids().real, postmaster.gids().real,
        )  # fmt: skip
    postmaster.send_signal(signal.SIGINT)
    postmaster.wait(PATIENCE)
    as_user: dict[str, Any] = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        yield
    finally:
        again = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)
        _started.append(again)
        deadline = time.monotonic() + PATIENCE
        while not _answers(server):
            assert time.monotonic() < deadline
            time.sleep(0.2)


_started: list["subprocess.Popen[bytes]"] = []


def _answers(server: str) -> bool:
    import psycopg

    try:
        run_sql(server, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _moved(workspace: Path) -> Iterator[None]:
    elsewhere = workspace.parent / "elsewhere"
    elsewhere.mkdir()
    for file in workspace.glob("vernissage.db*"):
        file.rename(elsewhere / file.name)
    try:
        yield
    finally:
        for file in elsewhere.iterdir():
            file.rename(workspace / file.name)


def _full_disk(workspace: Path, place: Path) -> str:
    if os.geteuid() != 0:
        return "not tried, for root alone may mount a file system"
    place.mkdir()
    size = sum(file.stat().st_size for file in workspace.rglob("*") if file.is_file()) // 2**20 + _TMPFS_MB
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", place], check=True)
    try:
        copied = Path(shutil.copytree(workspace, place / "workspace"))
        with served(copied, None, "--requests-per-second", "1000") as (address, _), _client(address) as http:
            kept: set[str] = set()
            for number in range(1000):
                files = {"pictures": ("a.png", _noise(number), "image/png")}
                answer = http.post("/people/ann/uploads", files=files)
                if answer.status_code != 202:
                    break
                kept |= {each["id"] for each in answer.json()["result"]["uploads"]}
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            assert http.get("/works/w003/similar").status_code == 200
            assert _uploads(http) == kept
            subprocess.run(["mount", "-o", f"remount,size={4 * size}m", place], check=True)
            answer = http.post("/people/ann/uploads", files=files)
            assert answer.status_code == 202, answer.text
            kept |= {each["id"] for each in answer.json()["result"]["uploads"]}
            assert _uploads(http) == kept
    finally:
        subprocess.run(["umount", place], check=True)
    return f"503 after {len(kept) - 1} uploads, all of which are there; it goes on once there is room"


def _noise(number: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _uploads(http: httpx.Client) -> set[str]:
    return {each["id"] for each in http.get("/people/ann/uploads").raise_for_status().json()["uploads"]}


def _files_removed(workspace: Path) -> str:
    def lists(http: httpx.Client) -> list[list[str]]:
        answers = [http.get(f"/works/w{number:03d}/similar").raise_for_status() for number in range(3)]
        return [[work["id"] for work in answer.json()["works"]] for answer in answers]

    with served(workspace, None) as (address, process), _client(address) as http:
        before = lists(http)
        for folder in ("vectors", "indexes"):
            shutil.rmtree(workspace / folder)
        assert http.get("/works/w010/similar").status_code == 200
        assert lists(http) == before
        assert process.poll() is None
    command = [*psutil.Process().cmdline()[:1], "-m", "vernissage", "similar", str(workspace), "w003"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode != 0
    assert "Traceback" not in found.stderr
    return f"lists go on unchanged; opened anew: {' '.join(found.stderr.split())[:90]} …"


def _client(address: str) -> httpx.Client:
    return httpx.Client(base_url=f"{address}/api/v1", timeout=PATIENCE)


def run_faults(workspace: Path, folder: Path, server: str) -> None:
    """`check_faults`, told line by line; ends a server that was started anew for it."""
    try:
        for line in check_faults(workspace, folder, server):
            print(f"  {line}", flush=True)
    finally:
        for each in _started:
            each.send_signal(signal.SIGINT)
            each.wait(PATIENCE)


if __name__ == "__main__":
    programs = postgres_programs()
    assert programs is not None, "there is no PostgreSQL; `make install` brings one"
    with tempfile.TemporaryDirectory() as name, running_server(programs) as running:
        build_workspace(toy_gallery(Path(name) / "gallery"), Path(name) / "workspace")
        run_faults(Path(name) / "workspace", Path(name), running)
