"""Commands that are mistyped, incomplete, or asked for more than there is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vernissage.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code, what it printed on standard output, and on standard error."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize("group", ["person", "study", "lab", "vectors"])
def test_a_group_without_a_command_prints_its_help(run: Run, group: str) -> None:
    code, _, error = run(group)
    assert code == 2
    assert error.startswith("Usage: ")
    assert "\nCommands:\n" in error or "\n  " in error
    assert "error:" not in error


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["recomend"], "did you mean recommend?"),
        (["lab", "experment"], "did you mean experiment?"),
        (["person", "uplod"], "Did you mean 'upload'?"),
        (["recommend", "w", "--rte", "a=5"], "--rate"),
    ],
)
def test_what_is_mistyped_is_met_with_what_looks_like_it(run: Run, typed: list[str], meant: str) -> None:
    code, _, error = run(*typed)
    assert (code, meant in error) == (2, True)


def test_more_works_than_there_are_give_all_with_a_note(run: Run, built: Path) -> None:
    for command in (["recommend", built, "--rate", "w001=5"], ["similar", built, "w001"]):
        code, printed, error = run(*command, "-n", "5000", "--json")
        answer = json.loads(printed)
        assert (code, len(answer["works"])) == (0, 63)
        assert "5000 works were asked for, but only 63 fit what was asked" in error


def test_uploads_are_removed_by_person_and_id(run: Run, peopled: Path) -> None:
    upload = run("person", "upload", peopled, "dora", "--text", "A rose")[1].strip()
    run("person", "rate", peopled, "dora", "w001=5")
    assert "dora       0        1        1" in run("person", "list", peopled)[1]
    code, _, error = run("person", "remove", peopled, "dora")
    assert (code, "or remove everything by --person dora" in error) == (1, True)
    assert run("person", "remove", peopled, "ann", upload)[0] == 3
    assert run("person", "remove", peopled, "dora", upload)[0] == 0


@pytest.mark.parametrize("words", [["--rate", "w001=5", "--json", "-n", "60", "--explain"], ["topics"]])
def test_a_reader_that_stops_reading_ends_the_command_quietly(built: Path, words: list[str]) -> None:
    command = ["topics", str(built), "--json"] if words == ["topics"] else ["recommend", str(built), *words]
    script = f"import sys; sys.argv[1:] = {command!r}; from vernissage.cli.main import main; main()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert b"Traceback" not in (told := running.stderr.read())
        assert b"error" not in told.lower()


def test_values_that_no_work_has_are_met_with_near_ones(run: Run, built: Path) -> None:
    asked = ["recommend", built, "--rate", "w001=5", "--engine", "colour-texture", "--where"]
    for condition, near in (("artist~mastr", "master"), ("artist=The red mastre", "The red master")):
        code, _, error = run(*asked, condition)
        assert code == 1
        assert f"note: none of the 64 works has {condition}; near: {near}" in " ".join(error.split())
    assert "near" not in run(*asked, "artist~master")[2]
