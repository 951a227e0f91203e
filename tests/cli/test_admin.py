"""What operators do from the command line: review uploads, place works, back up and restore."""

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.galleries import paint

from vernissage.cli.main import main


@pytest.fixture
def own(built: Path, tmp_path: Path) -> Path:
    """A workspace of the toy gallery of which nobody has uploaded or decided anything."""
    shutil.copytree(built, tmp_path / "own")
    return tmp_path / "own"


def test_where_nothing_was_done_nothing_is_listed(run: Run, own: Path) -> None:
    assert json.loads(run("admin", "review", own, "--json")) == []
    assert json.loads(run("admin", "audit", own, "--json")) == []


def test_uploads_are_reviewed_hidden_and_taken_down(run: Run, own: Path, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 100)
    [boat] = run("upload", own, "--owner", "dora", tmp_path / "boat.png").split()
    listed = json.loads(run("admin", "review", own, "--pictures", tmp_path / "waiting", "--json"))
    assert [(each["id"], each["visibility"]) for each in listed] == [(boat, "shared")]
    [copy] = (tmp_path / "waiting").iterdir()
    assert copy.read_bytes() == (tmp_path / "boat.png").read_bytes()
    assert boat in run("admin", "review", own, boat)
    assert json.loads(run("admin", "review", own, "--json")) == []
    run("admin", "hide", own, boat)
    run("admin", "take-down", own, boat)
    done = [(each["what"], each["about"]) for each in json.loads(run("admin", "audit", own, "--json"))]
    assert done == [("take-down", boat), ("hide", boat), ("approve", boat)]


def test_placed_works_come_first_or_nowhere(run: Run, own: Path) -> None:
    def similar() -> list[str]:
        return [each["id"] for each in json.loads(run("similar", own, "w000", "-n", "5", "--json"))["works"]]

    usual = similar()
    run("admin", "ban", own, usual[0])
    run("admin", "pin", own, usual[3])
    assert similar()[:3] == [usual[3], usual[1], usual[2]]
    run("admin", "unban", own, usual[0])
    run("admin", "unpin", own, usual[3])
    assert similar() == usual


def test_a_workspace_comes_back_from_its_backup(
    run: Run, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run("similar", own, "w000", "--json")
    told = run("admin", "backup", own, tmp_path / "backup.tar")
    digest = told.split()[-1]
    run("admin", "restore", tmp_path / "back", tmp_path / "backup.tar", "--digest", digest)
    assert run("similar", tmp_path / "back", "w000", "--json") == before
    with pytest.raises(SystemExit) as end:
        main(["admin", "restore", str(own), str(tmp_path / "backup.tar")])
    assert end.value.code == 4
    assert "--replace" in capsys.readouterr().err
