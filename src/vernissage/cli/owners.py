"""The people of a workspace: the command owners, and how commands find a person's areas of interest."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import print_json, print_table, progress_bars, say
from vernissage.cli.recommending import AsJson, WorkspacePath
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vernissage.values import Modality
    from vernissage.workspace.holdings import Holdings
    from vernissage.workspace.profiling import AreaOptions, OwnerInterests


@dataclass(frozen=True)
class AreaWords:
    """How areas are asked for on the command line: see `area_rule` and `area_projection`."""

    rule: str = "coherence"
    projection: str = "none"
    half_life: float | None = None
    seed: int = 0

    def options(self) -> "AreaOptions":
        """What the words stand for.

        Raises:
            RequestError: one of them is not understood.
        """
        from vernissage.cli.area_rules import area_projection, area_rule
        from vernissage.profiles.importance import HALF_LIFE_DAYS
        from vernissage.workspace.profiling import AreaOptions

        if self.seed < 0:
            raise RequestError(f"the seed {self.seed} is negative; give a whole number from 0")
        days = HALF_LIFE_DAYS if self.half_life is None else self.half_life or None
        return AreaOptions(area_rule(self.rule), area_projection(self.projection), days, self.seed)


def owners(workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Who owns works of the collection, or uploaded something, and how much; those with most first.

    \b
    Example:
      vernissage owners workspace
    """
    with opened_holdings(workspace, database) as holdings:
        everything = holdings.owners()
        works = Counter(holdings.collection_owners.values())
    people = sorted(everything, key=lambda name: (-everything[name], name))
    if as_json:
        found = [{"owner": name, "works": works[name], "uploads": everything[name] - works[name]} for name in people]
        print_json({"owners": found})
        return
    if not people:
        say("Nobody yet: no work of the collection names an owner, and nothing was uploaded.")
        return
    rows = [[name, str(works[name]), str(everything[name] - works[name])] for name in people]
    print_table(["owner", "works", "uploads"], rows, numbers=["works", "uploads"])
    say(f"{len(people)} {'person' if len(people) == 1 else 'people'}")


@contextmanager
def opened_holdings(workspace: Path, database: str | None, *, writing: bool = False) -> "Iterator[Holdings]":
    """The works and uploads of a workspace, and their database closed afterwards."""
    from vernissage.workspace.holdings import open_holdings

    holdings = open_holdings(workspace, database, writing=writing)
    try:
        yield holdings
    finally:
        holdings.close()


def found_interests(holdings: "Holdings", owner: str, encoder: str | None, words: AreaWords) -> "OwnerInterests":
    """A person's areas by an encoder, or by the usual one."""
    from vernissage.workspace.profiling import default_encoder, owner_interests

    options = words.options()
    name = encoder or default_encoder(holdings.workspace)
    require_encoder(holdings, name)
    with progress_bars() as progress:
        return owner_interests(holdings, owner, name, options, progress=progress)


def require_encoder(holdings: "Holdings", name: str) -> None:
    """Refuse an encoder that the workspace lacks.

    Raises:
        RequestError: there is none of that name.
    """
    there = holdings.workspace.encoder_names
    if name not in there:
        raise RequestError(f"the workspace has no vectors of {name!r}; choose from {', '.join(there) or 'none'}")


def interest_notes(found: "OwnerInterests", modalities: "tuple[Modality, ...]", *, chosen: bool) -> list[str]:
    """What a person should know about these areas; ``modalities`` are those that the encoder reads."""
    notes = []
    if len(modalities) == 1 and not chosen:
        reads = {"image": "pictures", "text": "texts"}[modalities[0]]
        notes.append(
            f"no encoder here reads pictures and texts alike, so {found.encoder} serves for {reads} alone; build the "
            f"workspace with aligned or clip for both"
        )
    if found.unread:
        some = ", ".join(found.unread[:5]) + (" …" if len(found.unread) > 5 else "")
        notes.append(f"{found.encoder} finds nothing in {len(found.unread)} of {len(found.items)}: {some}")
    notes += [f"a change of areas ({each.edit.kind}) has lapsed: {each.reason}" for each in found.lapsed]
    return notes


def engine_words(found: "OwnerInterests", modalities: "tuple[Modality, ...]") -> str:
    """What an encoder looks at, in words for visitors, with its name."""
    from vernissage.cli.engines import IN_SHORT

    words = "pictures and texts in one space" if len(modalities) == 2 else IN_SHORT.get(found.encoder, "")
    return f"{words} ({found.encoder})" if words else found.encoder


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(owners)
