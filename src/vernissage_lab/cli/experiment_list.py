"""What `experiment list` shows: every table and figure of the papers, and the command that recomputes it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from vernissage.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from vernissage_lab.recipes.contract import Recipe

_FIRST, _SECOND, _OPEN = "Yilma & Leiva 2023: ", "ZCCR: ", "left open by "
_WIDEST = 20
"""Letters of the column that names figures and tables, so that 80 are enough for both."""
_HEADINGS = {
    _FIRST: "Yilma & Leiva, Together Yet Apart, UMAP 2023 (doi 10.1145/3565472.3592964)",
    _SECOND: "D'Asaro et al., ZCCR, ESWA 258, 2024 (doi 10.1016/j.eswa.2024.125108)",
    _OPEN: "What both left open",
}


@dataclass(frozen=True)
class Listed:
    """One line of the list: what to type, which part of which paper it recomputes, what it does, what it needs."""

    name: str
    command: str
    paper: str
    what: str
    needs: str


_STUDY = (
    Listed(
        "study report",
        "study report",
        f"{_FIRST}Fig. 8",
        "how participants' answers spread for each engine and question, with means; also all tables as one page",
        "a study's answers, of `study export` or of its database",
    ),
    Listed(
        "study analyse",
        "study analyse",
        f"{_FIRST}Tables 1 and 2, section 6.1",
        "mixed-effects models and contrasts of engines; overlap of the lists of one engine, and of two",
        "a study's answers and lists, of `study export`",
    ),
    Listed(
        "study simulate",
        "study simulate",
        f"{_FIRST}Fig. 8, Tables 1 and 2, section 6.1, without participants",
        "simulated people walk through the study; with --out, files for `study analyse` and `study report`",
        "a study's definition and a workspace",
    ),
)


def listed(recipes: Iterable["Recipe"]) -> list[Listed]:
    """Every experiment, and what other commands recompute: by paper, then by figure and table."""
    own = [Listed(each.name, f"experiment run {each.name}", each.paper, each.what, each.needs) for each in recipes]
    return sorted((*own, *_STUDY), key=_place)


def print_listed(found: Sequence[Listed], *, as_json: bool) -> None:
    """Print the list, as JSON for scripts, or a table for each paper that fits into 80 columns."""
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for beginning, heading in _HEADINGS.items():
        rows = [
            [_part(each, beginning), f"vernissage {each.command}\n{each.what}\nneeds {each.needs}"]
            for each in found
            if _beginning(each) == beginning
        ]
        if rows:
            say(heading)
            print_table(["part", "command"], rows)
            say("")
    say("Options are told by --help, data sets that can be read by `experiment data`")


def _part(each: Listed, beginning: str) -> str:
    return fill(each.paper.removeprefix(beginning), _WIDEST)


def _place(each: Listed) -> tuple[int, bool, bool, int]:
    """Papers in their order; what stands in for people last; figures before tables, by number."""
    part = each.paper.removeprefix(_beginning(each))
    number = re.search(r"\d+", part)
    simulated = "simulated" in part or "without participants" in part
    return (
        list(_HEADINGS).index(_beginning(each)),
        simulated,
        not part.startswith("Fig"),
        int(number.group()) if number else 0,
    )


def _beginning(each: Listed) -> str:
    return next((beginning for beginning in _HEADINGS if each.paper.startswith(beginning)), _OPEN)
