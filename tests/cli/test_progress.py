"""What a command in a pipe says while it works."""

import time

import pytest

from vernissage.cli import output
from vernissage.cli.output import progress_bars


def test_long_work_in_a_pipe_is_told_in_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the first step reports, and while one reports nothing."""
    monkeypatch.setattr(output, "_SILENT_SECONDS", 0.1)
    monkeypatch.setattr(output, "_LONGEST_SILENCE", 0.4)
    with progress_bars() as progress:
        time.sleep(0.5)
        progress("painting", 1, 1200)
        time.sleep(1.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "working after 0 s"
    assert lines.count("painting: 1 of 1,200 after 0 s") + lines.count("painting: 1 of 1,200 after 1 s") >= 2
    with progress_bars() as progress:
        progress("harvesting", 1200, 0)
        time.sleep(0.3)
    assert capsys.readouterr().err.startswith("harvesting: 1,200 so far after 0 s")
    time.sleep(0.5)
    assert capsys.readouterr().err == ""


def test_short_work_in_a_pipe_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        progress("painting", 1, 2)
    assert capsys.readouterr().err == ""


def test_nobody_waits_longer_than_ten_seconds() -> None:
    assert output._LONGEST_SILENCE < 10
