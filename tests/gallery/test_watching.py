"""A watched folder: what is taken in, what is left out and said, and what a kill in the middle costs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run, run
from tests.galleries import paint

import vernissage
from vernissage.errors import RequestError
from vernissage.gallery.gallery import Gallery
from vernissage.gallery.watching import FolderWatch
from vernissage.storage.moderation import withheld

__all__ = ["run"]  # a fixture


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def watching(gallery: Gallery, incoming: Path) -> FolderWatch:
    return FolderWatch(gallery.person("newsroom"), incoming)


def test_files_become_uploads_and_bad_ones_are_said_and_read_again_once_mended(workspace: Path, incoming: Path) -> None:
    for number in range(5):
        (incoming / f"note{number}.txt").write_text(f"A ship number {number} in the harbour", encoding="utf-8")
    paint(incoming / "red.png", 0)
    (incoming / "broken.jpg").write_bytes(b"no picture")
    (incoming / "empty.txt").write_text(" ")
    (incoming / "works.csv").write_text("id,text\na,b\n")
    (incoming / "model.obj").write_text("v 0 0 0")
    for name in (".hidden.txt", "half.txt.part"):
        (incoming / name).write_text("not yet")
    (incoming / "link.txt").symlink_to(incoming / "note0.txt")
    (incoming / "below").mkdir()
    with vernissage.open(workspace, writing=True) as gallery:
        watch = watching(gallery, incoming)
        watch.look()
        assert (watch.taken, gallery.person("newsroom").uploads) == (0, ())  # they may still be being written
        watch.look()
        assert watch.taken == 6
        names = {*(f"note{number}.txt" for number in range(5)), "red.png"}
        assert set(gallery.person("newsroom").uploads) == names
        assert set(watch.problems) == {"broken.jpg", "empty.txt", "works.csv", "model.obj"}
        assert "is empty" in watch.problems["empty.txt"]
        assert "vernissage person upload" in watch.problems["works.csv"]
        assert str(incoming / "broken.jpg") in watch.problems["broken.jpg"]
        index = gallery.repository.snapshot.index("colour-texture", "image")
        assert "red.png" in index
        paint(incoming / "broken.jpg", 1)
        watch.look()
        watch.look()
        assert (watch.taken, set(watch.problems)) == (7, {"empty.txt", "works.csv", "model.obj"})
        again = watching(gallery, incoming)
        again.look(at_once=True)
        assert again.taken == 0


def test_a_file_that_still_grows_waits(workspace: Path, incoming: Path) -> None:
    with vernissage.open(workspace, writing=True) as gallery:
        watch = watching(gallery, incoming)
        (incoming / "note.txt").write_text("A ship")
        watch.look()
        (incoming / "note.txt").write_text("A ship and a wave")
        watch.look()
        assert watch.taken == 0
        watch.look()
        assert watch.taken == 1
        [kept] = gallery.person("newsroom").record.items.values()
        assert kept.text == "A ship and a wave"


def test_names_that_cannot_be_ids_are_left_out_and_others_of_the_batch_are_taken(
    workspace: Path, incoming: Path
) -> None:
    with vernissage.open(workspace, writing=True) as gallery:
        for name in ("note.txt", "long" * 60 + ".txt", "cafe\u0301.txt"):
            (incoming / name).write_text(f"A rose near {name}", encoding="utf-8")
        gallery.person("ann").upload([vernissage.Submission(text="A hedge", id="theirs.txt")])
        (incoming / "theirs.txt").write_text("A hedge", encoding="utf-8")
        watch = watching(gallery, incoming)
        watch.look(at_once=True)
        assert set(gallery.person("newsroom").uploads) == {"note.txt", "caf\u00e9.txt"}
        assert set(watch.problems) == {"long" * 60 + ".txt", "theirs.txt"}
        with pytest.raises(RequestError, match="there is no folder"):
            watching(gallery, incoming / "nowhere")


def test_the_command_takes_in_what_is_there_and_lists_what_is_not(run: Run, workspace: Path, incoming: Path) -> None:
    (incoming / "note.txt").write_text("A ship")
    (incoming / "broken.png").write_bytes(b"")
    told = json.loads(run("watch", workspace, incoming, "--owner", "newsroom", "--once", "--private", "--json"))
    assert (told["taken"], list(told["problems"])) == (1, ["broken.png"])
    assert "0 files taken in; 1 left out." in run("watch", workspace, incoming, "--owner", "newsroom", "--once")
    with vernissage.open(workspace) as gallery, gallery.repository.database.reading() as connection:
        assert withheld(connection) == {"note.txt"}


def test_nothing_is_lost_or_twice_after_a_kill(run: Run, workspace: Path, incoming: Path) -> None:
    for number in range(300):
        (incoming / f"{number:03d}.txt").write_text(f"A ship number {number} in the harbour")
    start = "from vernissage.cli.main import main; main()"
    words = ["watch", str(workspace), str(incoming), "--owner", "newsroom", "--each", "0.05"]
    process = subprocess.Popen([sys.executable, "-c", start, *words], stderr=subprocess.DEVNULL)
    place, found, deadline = workspace / "vernissage.db", 0, time.monotonic() + 60
    while not found and time.monotonic() < deadline and process.poll() is None:
        if place.exists():
            with closing(sqlite3.connect(place)) as read:
                tables = read.execute("SELECT count(*) FROM sqlite_master WHERE name = 'uploads'").fetchone()[0]
                found = read.execute("SELECT count(*) FROM uploads").fetchone()[0] if tables else 0
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < found < 300
    told = json.loads(run("watch", workspace, incoming, "--owner", "newsroom", "--once", "--json"))
    assert 0 < told["taken"] < 300
    with vernissage.open(workspace) as gallery:
        assert sorted(gallery.person("newsroom").uploads) == [f"{number:03d}.txt" for number in range(300)]
        index = gallery.repository.snapshot.index("lsa", "text")
        assert all(f"{number:03d}.txt" in index for number in range(300))
