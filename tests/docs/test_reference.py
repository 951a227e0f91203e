"""Pages that are made from the code are up to date, and the first page of help shows the groups and no more."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from vernissage.cli.main import app, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_up_to_date(script: ModuleType) -> None:
    there = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in script.PAGES}
    assert there == {name: made() for name, made in script.PAGES.items()}, "run `python scripts/reference.py`"


def test_every_option_has_a_meaning(script: ModuleType) -> None:
    for path, command, _ in script.commands(get_command(app), "vernissage"):
        for option in command.params:
            if not getattr(option, "hidden", False) and option.name != "help":
                assert option.help, f"{path} {option.name} says nothing"


def test_the_first_page_shows_five_groups(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    shown = {line.split()[0] for line in lines if not line.startswith("   ") and not line.strip().startswith("-")}
    expected = "build info check doctor recommend similar search map topics person serve study vectors encoders lab"
    assert set(expected.split()) <= shown
    assert not {"upload", "areas", "owners", "encode", "evaluate", "experiment", "sample"} & shown


@pytest.mark.parametrize("name", ["upload", "remove", "owners", "areas", "tag", "encode", "export-onnx"])
def test_former_names_work_on(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert "Usage:" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["evaluate", "holdout", "sample", "experiment"])
def test_the_laboratory_s_commands_are_found_with_and_without_its_name(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["lab", name, "--help"], [name, "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        assert "Usage:" in capsys.readouterr().out
