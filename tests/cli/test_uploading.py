"""What people upload and remove from the command line, and what stays of it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.galleries import paint

from vernissage.cli.main import main
from vernissage.workspace.repository import Snapshot, open_repository


def snapshot(workspace: Path) -> Snapshot:
    """What is kept there now."""
    return open_repository(workspace).snapshot


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A red picture that is none of the gallery's."""
    paint(tmp_path / "boat.png", 100)
    return tmp_path / "boat.png"


def test_pictures_and_texts_are_uploaded_in_their_order(run: Run, peopled: Path, picture: Path, tmp_path: Path) -> None:
    text = tmp_path / "poem.txt"
    text.write_text("A harbour in the storm,\nand a lighthouse.", encoding="utf-8")
    ids = run("upload", peopled, "--owner", "dora", picture, text).split()
    kept_there = snapshot(peopled)
    first, second = (kept_there.item(item_id) for item_id in ids)
    assert (first.owner, first.title, first.description) == ("dora", "", "")
    kept = kept_there.picture_path(first)
    assert kept is not None
    assert kept.read_bytes() == picture.read_bytes()
    assert second.description == "A harbour in the storm, and a lighthouse."
    assert ids[0] in kept_there.index("aligned", "image")
    assert ids[0] not in kept_there.index("aligned", "text")
    assert ids[1] in kept_there.index("lsa", "text")


def test_words_belong_to_the_only_upload(run: Run, peopled: Path, picture: Path) -> None:
    words = ["--title", "A boat", "--text", "Storm in the harbour", "--keywords", "sea; Boat", "--id", "boat"]
    assert run("upload", peopled, "--owner", "dora", picture, *words) == "boat\n"
    kept = snapshot(peopled)
    item = kept.item("boat")
    assert (item.title, item.description, item.keywords) == ("A boat", "Storm in the harbour.", ("sea", "Boat"))
    assert item.text == "A boat. Storm in the harbour. sea, Boat"
    assert "boat" in kept.index("aligned", "text")


def test_what_is_private_is_shown_to_nobody_else(run: Run, peopled: Path) -> None:
    command = ("upload", peopled, "dora", "--text", "Storm in the harbour", "--id", "diary", "--private", "--json")
    [told] = json.loads(run(*command))["uploads"]
    assert (told["id"], told["visibility"]) == ("diary", "private")
    assert snapshot(peopled).withheld() == {"diary"}


def test_the_same_content_is_kept_once(
    run: Run, peopled: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["upload", str(peopled), "--owner", "dora", str(picture), "--title", "A boat"]
    first = run(*command)
    with pytest.raises(SystemExit):
        main(command)
    again = capsys.readouterr()
    assert again.out == first
    assert "1 upload of dora was there already" in again.err
    assert run(*command[:-1], "Another boat") != first
    assert run("upload", peopled, "--owner", "emil", picture, "--title", "A boat") != first
    assert len(snapshot(peopled).person("dora").items) == 2


def test_one_file_twice_is_one_upload(run: Run, peopled: Path, picture: Path) -> None:
    found = json.loads(run("upload", peopled, "--owner", "dora", picture, picture, "--json"))
    assert found["uploads"][0]["id"] == found["uploads"][1]["id"]
    assert len(list((peopled / "uploads").iterdir())) == 1


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_table_uploads_a_row_each(run: Run, peopled: Path, picture: Path, tmp_path: Path, kind: str) -> None:
    rows = [
        {"id": "a", "picture": "boat.png", "title": "Boat", "text": "", "keywords": "sea|red", "time": "2024-05-31"},
        {"id": "b", "picture": "", "title": "", "text": "Roses in May", "keywords": "", "time": ""},
    ]
    table = tmp_path / f"uploads.{kind}"
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    table.write_text(json.dumps(rows) if kind == "json" else "\n".join(lines), encoding="utf-8")
    assert run("upload", peopled, "--owner", "dora", table) == "a\nb\n"
    dora = snapshot(peopled).person("dora")
    assert dora.items["a"].keywords == ("sea", "red")
    assert dora.times["a"].isoformat() == "2024-05-31T00:00:00+00:00"
    assert run("upload", peopled, "--owner", "dora", table) == "a\nb\n"
    assert len(snapshot(peopled).person("dora").items) == 2


def test_removing_an_upload_leaves_the_others(run: Run, peopled: Path, picture: Path) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A rose", "--id", "rose")
    run("upload", peopled, "--owner", "dora", picture, "--id", "boat")
    assert json.loads(run("remove", peopled, "boat", "--owner", "dora", "--json")) == {
        "removed": ["boat"],
        "pictures": 1,
    }
    assert list((peopled / "uploads").iterdir()) == []
    assert [*snapshot(peopled).person("dora").items] == ["rose"]


def test_removing_a_person_needs_a_yes(run: Run, peopled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A rose")
    with pytest.raises(SystemExit, match="1"):
        main(["remove", str(peopled), "--person", "dora"])
    assert "add --yes" in capsys.readouterr().err
    assert run("remove", peopled, "--person", "dora", "--yes").startswith(
        "Everything kept of dora was removed: 1 upload"
    )
    assert "dora" not in snapshot(peopled).owners()


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 130, 1)])
def test_on_a_terminal_one_is_asked(run: Run, peopled: Path, answer: bytes, code: int, left: int) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A rose")
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    command = [sys.executable, "-m", "vernissage", "remove", str(peopled), "--person", "dora"]
    ended = subprocess.run(command, stdin=theirs, capture_output=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == code, ended.stderr
    assert snapshot(peopled).uploaders().get("dora", 0) == left


def test_an_owner_of_works_keeps_them(run: Run, peopled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("upload", peopled, "--owner", "ann", "--text", "A rose")
    with pytest.raises(SystemExit, match="0"):
        main(["remove", str(peopled), "--person", "ann", "--yes"])
    assert "names ann as owner of 16 works" in capsys.readouterr().err
    assert snapshot(peopled).owners()["ann"] == 16


def test_uploads_go_where_the_environment_says(
    run: Run, peopled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    monkeypatch.setenv("VERNISSAGE_DATABASE", str(elsewhere))
    run("upload", peopled, "--owner", "dora", "--text", "A rose")
    assert not (peopled / "vernissage.db").exists()
    assert open_repository(peopled, str(elsewhere)).snapshot.uploaders() == {"dora": 1}
    assert "uploads: 1, uploaders: 1" in run("info", peopled)


def test_build_encodes_uploads_with_what_it_made(run: Run, peopled: Path) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A storm in the harbour", "--id", "storm")
    source = json.loads((peopled / "workspace.json").read_text())["source"]["absolute"]
    (peopled / "uploads").mkdir(exist_ok=True)
    (peopled / "uploads" / f"{'0' * 32}.png").write_bytes(b"left by a crash")
    outcome = json.loads(run("build", source, "-o", peopled, "--refit", "--seed", "1", "--json"))
    assert outcome["uploads"] == {"people": 1, "uploads": 1, "vectors": 3, "swept": 1}
    assert "storm" in snapshot(peopled).index("aligned", "text")
