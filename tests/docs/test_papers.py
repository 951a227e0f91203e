"""The page of both papers: its commands have the options that they name, and no table or figure is left out."""

import re
from pathlib import Path

import pytest
from tests.docs.examples import parsed

from vernissage_lab.recipe import EXPERIMENTS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "papers.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"`(vernissage [^`]+)`", PAGE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_one(line: str) -> None:
    assert parsed(line) or line.endswith("list")


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
