"""Commands about what searches a workspace's vectors: ``vernissage index …``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, WorkspacePath, option
from vernissage.cli.output import print_json, print_table, progress_bars

index = Group("index", "What searches the vectors of a workspace.", no_args_is_help=True)


@index.callback()
def _index() -> None:
    """A callback keeps the group a group while it has one command."""


@index.command("use")
def use(
    workspace: WorkspacePath,
    kind: Annotated[str, typer.Option("--kind", help="exact.")],
    vectors: list[str] | None = option(None, "Which vectors, as in clip.image; repeat. Default: all.", "--vectors"),
    as_json: AsJson = False,
) -> None:
    """Choose the kind of index that searches a workspace's vectors, and prepare it.

    \b
    Example:
      vernissage index use workspace --kind exact
    """
    choose(workspace, kind, {}, vectors or (), as_json=as_json)


def choose(workspace: Path, kind: str, settings: dict[str, Any], vectors: Any, *, as_json: bool) -> None:
    """Prepare and choose a kind of index with those of the settings that were given; print what is chosen now."""
    from vernissage.workspace.index_choice import IndexChoice, use_index
    from vernissage.workspace.workspace import open_workspace

    given = {name: value for name, value in settings.items() if value is not None}
    opened = open_workspace(workspace)
    with progress_bars() as progress:
        chosen = use_index(opened, IndexChoice(kind, given), tuple(vectors), progress)
    if as_json:
        print_json({key: asdict(each) for key, each in chosen.items()})
        return
    every = {key: chosen.get(key, IndexChoice()) for key in opened.manifest.vectors}
    told = [[key, each.kind, ", ".join(f"{k} {v}" for k, v in each.settings.items())] for key, each in every.items()]
    print_table(["vectors", "index", "settings"], told)
