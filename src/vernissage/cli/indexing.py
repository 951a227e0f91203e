"""Commands about what searches a workspace's vectors: ``vernissage index …``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, WorkspacePath, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say

index = Group("index", "What searches the vectors of a workspace.", no_args_is_help=True)


@index.callback()
def _index() -> None:
    """A callback keeps the group a group while it has one command."""


@index.command("use")
def use(
    workspace: WorkspacePath,
    kind: Annotated[str, typer.Option("--kind", help="exact or approximate.")],
    vectors: list[str] | None = option(None, "Which vectors, as in clip.image; repeat. Default: all.", "--vectors"),
    as_json: AsJson = False,
) -> None:
    """Choose the kind of index that searches a workspace's vectors, and prepare it.

    \b
    Example:
      vernissage index use workspace --kind approximate --vectors clip.image
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
    print_table(["vectors", "index"], [[key, each.kind] for key, each in every.items()])


def tune(
    workspace: WorkspacePath,
    vectors: list[str] | None = option(None, "Which vectors, as in clip.image; repeat. Default: all.", "--vectors"),
    recall: float = option(0.99, "The share of the true best works that must come back."),
    at: list[int] | None = option(None, "Lengths of lists at which it must; repeat. Default: 10 and 100."),
    megabytes: float | None = option(None, "What the index may hold in memory beside the vectors."),
    milliseconds: float | None = option(None, "An exact search that takes no longer is kept."),
    out: Path | None = option(None, "Write the plot here: .png, .svg or .pdf.", "--out", "-o"),
    as_json: AsJson = False,
) -> None:
    """Measure recall and time on a workspace's own vectors, choose the kind of index for them, and prepare it.

    \b
    Example:
      vernissage tune workspace
      vernissage tune workspace --recall 0.95 --at 20 -o tuning.svg
    """
    from vernissage.workspace.tuning import Wanted
    from vernissage.workspace.tuning import tune as measure
    from vernissage.workspace.workspace import open_workspace

    wanted = Wanted(recall, tuple(at or Wanted.depths), megabytes, milliseconds)
    with progress_bars() as progress:
        found = measure(open_workspace(workspace), wanted, tuple(vectors or ()), progress)
    if out is not None:
        from vernissage.pages.figures import save_figure
        from vernissage.pages.tuning_figure import tuning_figure

        save_figure(tuning_figure(found), out)
        note(f"Plot written: {out}")
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    heads = ["vectors", "at", "index", "lists read", "candidates", "ms", "recall", "lowest for"]
    rows = []
    for each in found:
        exact = [point for point in each.points if not point.probes]
        for point in [*exact, *(point for point in each.chosen if point.probes)]:
            read = f"{point.probes} of {each.lists}" if point.probes else ""
            lowest = min(point.recall, key=lambda name: point.recall[name]) if point.probes else ""
            cells = [read, point.candidates or "", f"{point.milliseconds:.2f}", f"{point.least:.4f}", lowest]
            rows.append([each.key, point.k, "approximate" if point.probes else "exact", *cells])
    print_table(heads, rows, numbers=["at", "candidates", "ms", "recall"])
    for each in found:
        say(f"{each.key}, {each.works} works of {each.dim} numbers: {each.choice.kind}; {each.why}")
