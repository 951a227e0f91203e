"""What reaches the terminal: no control characters, and one line also of errors that nothing foresees."""

import re
from pathlib import Path

import pytest

from vernissage.catalog.words import clean_cell
from vernissage.cli import main as command
from vernissage.cli.output import note, print_json, print_table, say

HOSTILE = "Boat\x1b]0;owned\x07\x1b[2J\x9b31m\u202e end"


def test_control_characters_do_not_enter_a_collection() -> None:
    assert clean_cell(HOSTILE) == "Boat]0;owned[2J31m end"
    assert clean_cell("a\x0bb\x1dc\x1fd\te\nf") == "a\nb|c d\te\nf"


def test_control_characters_are_pictures_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    note(HOSTILE, kind="note")
    print_table(["title"], [[HOSTILE]])
    print_json({"title": HOSTILE})
    shown = "".join(capsys.readouterr())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "Boat␛]0;owned␇␛[2J" in shown


def test_an_error_that_nothing_foresees_is_one_line_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of a kind \x1b[2J")

    monkeypatch.setattr(command, "app", fail)
    with pytest.raises(SystemExit) as end:
        command.main(["info"])
    message = capsys.readouterr().err
    assert end.value.code == 70
    assert message.count("\n") == 1
    assert "\x1b" not in message
    log = Path(re.findall(r"(/\S+\.log)", message)[0])
    assert "ZeroDivisionError" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    log.unlink()


def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def doctor() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vernissage.cli.models.doctor", doctor)
    with pytest.raises(SystemExit) as end:
        command.main(["doctor"])
    message = capsys.readouterr().err
    assert end.value.code == 130
    assert message.strip().count("\n") == 0
    assert "a build goes on from what it had finished when run again" in message
