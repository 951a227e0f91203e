"""The page of both papers: its commands have the options that they name, and no table or figure is left out."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from vernissage.cli.main import app
from vernissage_lab.recipe import EXPERIMENTS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "papers.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"`(vernissage [^`]+)`", PAGE) + re.findall(r"^(vernissage [^#\n]+)", PAGE, re.MULTILINE)


def parsed(line: str) -> dict[str, Any]:
    """The options and arguments of a command line, converted to their types; nothing runs.

    Raises:
        typer.BadParameter or its kin: there is no such command or option, or an argument lacks.
    """
    _, *words = shlex.split(line)
    command: Any = get_command(app)
    context = typer.Context(command, info_name="vernissage")
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = typer.Context(command, info_name=name, parent=context)
    given, left, _ = command.make_parser(context).parse_args(args=list(words))
    assert not left, f"{line}: {left}"
    for each in command.params:
        if given.get(each.name) is not None:
            given[each.name] = each.process_value(context, given[each.name])
        else:
            assert not each.required, f"{line}: {each.name} is needed"
    return dict(given)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_one(line: str) -> None:
    assert parsed(line) or line.endswith("list")


@pytest.mark.parametrize(
    "line",
    [
        "vernissage lab experiment run ablation set.csv --as-publised",
        "vernissage lab experiment run ablations workspace",
        "vernissage lab experiment run search-time --vectors many",
        "vernissage lab experiment run ablation",
        "vernissage recommend workspace more",
    ],
)
def test_what_is_no_command_would_be_found(line: str) -> None:
    with pytest.raises((typer.BadParameter.__mro__[1], AssertionError)):
        parsed(line)


def numbers(text: str, word: str) -> set[int]:
    """The numbers after ``Fig.`` or ``Table``, ranges included, in the first cells of a paper's rows."""
    found: set[int] = set()
    for run in re.findall(rf"{word}s?\.? (\d+(?:(?:, | and | to )\d+)*)", text):
        places = list(map(int, re.findall(r"\d+", run)))
        found |= set(range(places[0], places[-1] + 1)) if " to " in run else set(places)
    return found


@pytest.mark.parametrize(("paper", "beginning"), [("A", "Yilma & Leiva 2023: "), ("B", "ZCCR: ")])
def test_every_part_that_an_experiment_names_has_a_row_with_its_command(paper: str, beginning: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {paper}, ")]
    cells = " ".join(row.split("|")[1] for row in rows)
    listed = {name: each.paper for name, each in EXPERIMENTS.items() if each.paper.startswith(beginning)}
    for word in ("Fig", "Table"):
        assert numbers(cells, word) == set().union(*(numbers(part, word) for part in listed.values()))
    for name, part in listed.items():
        for row in rows:
            if f" {name} " in row.split("|")[3]:
                assert numbers(row.split("|")[1], "Fig") <= numbers(part, "Fig")
                break
        else:
            pytest.fail(f"no row has the command of {name}")
