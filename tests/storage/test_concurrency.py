"""Many writers, readers that keep up, and processes that die in the middle."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select
from tests.uploads import SPACE, add_notes, note, vectors_for

from vernissage.storage.changes import changes_since, current_version
from vernissage.storage.database import Database, open_database
from vernissage.storage.pictures import sweep_pictures
from vernissage.storage.schema import CHANGES
from vernissage.storage.uploads import add_uploads, get_uploads, owners, remove_uploads
from vernissage.storage.vectors import vectors_of

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from tests.uploads import add_notes
from vernissage.storage.database import open_database
from vernissage.storage.uploads import remove_uploads
place, owner, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = open_database(place)
for step in range(number):
    print("added", f"{owner}-{step}", add_notes(database, f"{owner}-{step}", owner=owner), flush=True)
    if step % 3 == 2:
        with database.writing() as connection:
            version = remove_uploads(connection, [f"{owner}-{step - 1}"], owner=owner).version
        print("removed", f"{owner}-{step - 1}", version, flush=True)
"""

DIES = """
import os, signal, sys
from pathlib import Path
from dataclasses import replace
from tests.uploads import note, vectors_for
from vernissage.storage.database import open_database
from vernissage.storage.pictures import new_pictures
from vernissage.storage.uploads import add_uploads, remove_uploads
database = open_database(sys.argv[1])
with database.writing() as connection, new_pictures(connection, Path(sys.argv[2])) as write:
    names = [f"half-{number}" for number in range(300)]
    uploads = [replace(note(name), modality="both", picture=write(b"picture", ".png")) for name in names[:2]]
    add_uploads(connection, uploads + [note(name) for name in names[2:]], [vectors_for(names, width=4)])
    remove_uploads(connection, ["whole"])
    os.kill(os.getpid(), signal.SIGKILL)
"""

SERVES = """
import sys
from tests.uploads import add_notes
from vernissage.storage.database import open_database
database = open_database(sys.argv[1])
step = 0
while True:
    add_notes(database, f"kept-{sys.argv[2]}-{step}")
    print(step, flush=True)
    step += 1
"""


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def follow(database: Database, held: set[str], version: int) -> int:
    """Bring what a reader holds up to date; fails where a number was given out of the order of commits."""
    with database.reading() as connection:
        changes = changes_since(connection, version)
        logged = connection.scalar(select(func.count(func.distinct(CHANGES.c.version))))
        there = {upload.id for upload in get_uploads(connection)}
        assert logged == current_version(connection)
    assert changes is not None
    held.difference_update(changes.removed)
    assert held.isdisjoint(changes.added)
    held.update(changes.added)
    assert held == there
    return changes.version


def test_threads_lose_nothing_and_a_reader_keeps_up(database: Database) -> None:
    ended = threading.Event()

    def read() -> set[str]:
        held: set[str] = set()
        version = 0
        while not ended.is_set():
            version = follow(database, held, version)
        follow(database, held, version)
        return held

    def write(writer: int) -> list[int]:
        return [add_notes(database, f"{writer}-{step}", owner=f"person {writer % 3}") for step in range(10)]

    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        versions = list(pool.map(write, range(8)))
        ended.set()
    expected = {f"{writer}-{step}" for writer in range(8) for step in range(10)}
    assert sorted(version for each in versions for version in each) == list(range(1, 81))
    assert [reader.result() for reader in readers] == [expected, expected]
    with database.reading() as connection:
        assert owners(connection) == {"person 0": 30, "person 1": 30, "person 2": 20}
        stored = vectors_of(connection, SPACE)
    np.testing.assert_array_equal(stored.vectors, vectors_for(stored.ids).vectors)


@pytest.mark.long
def test_processes_lose_nothing_and_a_reader_keeps_up(database_place: str) -> None:
    database = open_database(database_place)
    writers = [start(WRITER, database_place, owner, "12") for owner in ("ann", "bob")]
    held: set[str] = set()
    version = 0
    while any(writer.poll() is None for writer in writers):
        version = follow(database, held, version)
        time.sleep(0.02)
    ended = [writer.communicate() for writer in writers]
    follow(database, held, version)
    assert [errors for _, errors in ended] == ["", ""]
    lines = [line.split() for lines, _ in ended for line in lines.splitlines()]
    assert sorted(int(number) for _, _, number in lines) == list(range(1, 2 * (12 + 4) + 1))
    assert held == {name for kind, name, _ in lines if kind == "added"} - {
        name for kind, name, _ in lines if kind == "removed"
    }
    with database.reading() as connection:
        assert owners(connection) == dict.fromkeys(("ann", "bob"), 8)
        stored = vectors_of(connection, SPACE)
    assert set(stored.ids) == held
    assert all(name.startswith(owner) for name, owner in zip(stored.ids, stored.owners, strict=True))
    np.testing.assert_array_equal(stored.vectors, vectors_for(stored.ids).vectors)
    database.close()


def test_a_process_killed_in_the_middle_leaves_nothing_half_done(database_place: str, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    database = open_database(database_place)
    add_notes(database, "whole")
    killed = start(DIES, database_place, str(folder))
    assert (killed.communicate()[1], killed.returncode) == ("", -9)
    assert len(list(folder.iterdir())) == 2
    with database.writing() as connection:
        assert [upload.id for upload in get_uploads(connection)] == ["whole"]
        assert vectors_of(connection, SPACE).ids == ("whole",)
        assert current_version(connection) == 1
        assert len(sweep_pictures(connection, folder)) == 2
    assert list(folder.iterdir()) == []
    assert add_notes(database, "half-1") == 2
    database.close()


@pytest.mark.long
def test_what_was_confirmed_survives_a_kill(database_place: str) -> None:
    database = open_database(database_place)
    confirmed: set[str] = set()
    for attempt in range(2):
        server = start(SERVES, database_place, str(attempt))
        assert server.stdout is not None
        for _ in range(5 + 3 * attempt):
            confirmed.add(f"kept-{attempt}-{server.stdout.readline().strip()}")
        server.kill()
        confirmed |= {f"kept-{attempt}-{line}" for line in server.communicate()[0].split()}
    with database.reading() as connection:
        there = {upload.id for upload in get_uploads(connection)}
        stored = vectors_of(connection, SPACE)
        assert current_version(connection) == len(there)
    # The last one of each process may be committed without having been confirmed.
    assert confirmed <= there
    assert len(there - confirmed) <= 2
    assert set(stored.ids) == there
    np.testing.assert_array_equal(stored.vectors, vectors_for(stored.ids).vectors)
    database.close()


def test_an_error_in_the_block_undoes_all_of_it(database: Database) -> None:
    add_notes(database, "a")
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        add_uploads(connection, [note("b")], [vectors_for(["b"])])
        remove_uploads(connection, ["a"])
        1 / 0  # noqa: B018
    with database.reading() as connection:
        assert vectors_of(connection, SPACE).ids == ("a",)
        assert current_version(connection) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_connections_of_its_own(database: Database) -> None:
    add_notes(database, "before")
    with database.reading() as connection:
        assert len(get_uploads(connection)) == 1
        child = os.fork()
        if child == 0:  # pragma: no cover
            try:
                os._exit(0 if add_notes(database, "of the child") == 2 else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert len(get_uploads(connection)) == 1
    assert add_notes(database, "after") == 3
    with database.reading() as connection:
        assert vectors_of(connection, SPACE).ids == ("after", "before", "of the child")
