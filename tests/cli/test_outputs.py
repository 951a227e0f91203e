"""Where output may be written: never over anything that is not Vernissage's own, unless it is asked for."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vernissage.cli.main import main


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 1
    return capsys.readouterr().err


def test_output_replaces_no_device_no_workspace_and_no_collection(
    workspace: Path, gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    manifest, table = (workspace / "workspace.json").read_bytes(), (gallery / "metadata.csv").read_bytes()
    cases = {
        tmp_path / "pipe": "no regular file",
        tmp_path / "link": "no regular file",
        workspace / "workspace.json": "inside .* a workspace or a collection",
        workspace / "models" / "new.html": "inside .* a workspace or a collection",
        gallery / "metadata.csv": "inside .* a workspace or a collection",
        gallery / "images" / "new.html": "inside .* a workspace or a collection",
    }
    for place, expected in cases.items():
        for force in ([], ["--force"]):
            message = refusal(capsys, "recommend", workspace, "--rate", "w001=5", "--html", place, *force)
            assert re.search(expected, message)
    assert (workspace / "workspace.json").read_bytes() == manifest
    assert (gallery / "metadata.csv").read_bytes() == table
    assert (tmp_path / "pipe").is_fifo()
    assert not (workspace / "models" / "new.html").exists()


def test_output_replaces_pages_and_other_files_only_by_force(
    workspace: Path, tmp_path: Path, run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    page, letter = tmp_path / "page.html", tmp_path / "letter.html"
    letter.write_text("Dear Ann")
    asked = ["recommend", workspace, "--rate", "w001=5", "--html"]
    run(*asked, page)
    run(*asked, page)
    assert "replace it with --force" in refusal(capsys, *asked, letter)
    assert letter.read_text() == "Dear Ann"
    run(*asked, letter, "--force")
    assert letter.read_bytes() == page.read_bytes()


def test_exports_replace_what_is_there_only_by_force(
    workspace: Path, tmp_path: Path, run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    letter = tmp_path / "folder" / "w000.json"
    letter.parent.mkdir()
    letter.write_text("Dear Ann")
    assert "is there already" in refusal(capsys, "map", workspace, "--atlas", letter)
    assert "inside" in refusal(capsys, "map", workspace, "--vikus", workspace / "viewer")
    asked = ["vectors", "export", workspace, "--encoder", "lsa", "--out", letter.parent]
    assert "is a folder; name a file" in refusal(capsys, *asked)
    asked += ["--as", "iiif", "--base", "https://museum.example/a"]
    assert "is a folder that holds files; choose a new folder" in refusal(capsys, *asked)
    assert letter.read_text() == "Dear Ann"
    run(*asked, "--force")
    assert letter.read_text().startswith("{")
