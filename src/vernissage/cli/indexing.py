"""Commands about what searches a workspace's vectors: ``vernissage index …``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, WorkspacePath, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import ProvenanceError, RequestError

if TYPE_CHECKING:
    from vernissage.workspace.index_choice import IndexChoice
    from vernissage.workspace.workspace import Workspace

index = Group("index", "What searches the vectors of a workspace.", no_args_is_help=True)


VectorKeys = Annotated[
    list[str] | None, typer.Option("--vectors", help="Which vectors, as in clip.image; repeat. Default: all.")
]


@dataclass(frozen=True)
class KeptOptions:
    """Where rows are kept that no file of the workspace holds, and what is built there."""

    url: str | None = option(
        None, "milvus: http://… or a file for Milvus Lite; pgvector: postgresql://….", "--url", "--database"
    )
    index: str | None = option(
        None, "milvus: FLAT, IVF_FLAT, IVF_SQ8, HNSW; a server IVF_PQ, IVF_RABITQ. pgvector: FLAT, HNSW."
    )
    build: list[str] | None = option(None, "A parameter for building, as in M=32; repeat.")
    search: list[str] | None = option(None, "A parameter for searching, as in nprobe=64; repeat.")
    shards: int | None = option(None, "exact: threads that read a large table for one search, 1 to 64.")


@index.command("use")
def use(
    workspace: WorkspacePath,
    kind: Annotated[str, typer.Option("--kind", help="exact, approximate, milvus or pgvector.")],
    kept: KeptOptions,
    vectors: VectorKeys = None,
    as_json: AsJson = False,
) -> None:
    """Choose the kind of index that searches a workspace's vectors, and prepare it.

    \b
    Examples:
      vernissage index use workspace --kind approximate --vectors clip.image
      vernissage index use workspace --kind milvus --url milvus.db --index HNSW
      vernissage index use workspace --kind pgvector --database postgresql://vernissage@db/vernissage
      vernissage index use workspace --kind exact --shards 2
    """
    given: dict[str, Any] = {"url": kept.url, "index": kept.index, "shards": kept.shards}
    given |= {"build": _numbers(kept.build), "search": _numbers(kept.search)}
    choose(workspace, kind, given, vectors or (), as_json=as_json)


@index.command("audit")
def audit(workspace: WorkspacePath, vectors: VectorKeys = None, as_json: AsJson = False) -> None:
    """Compare what indexes keep elsewhere with the workspace: all ids, and a sample of vectors bit for bit.

    Exit code 0; 4 where something differs; 6 where what keeps it does not answer.

    \b
    Example:
      vernissage index audit workspace
    """
    from vernissage.workspace.index_choice import audit_indexes
    from vernissage.workspace.workspace import open_workspace

    found = audit_indexes(open_workspace(workspace), tuple(vectors or ()))
    if as_json:
        print_json([{**asdict(each), "sound": each.sound} for each in found])
    elif found:
        counted = ("works", "kept", "missing", "unknown", "repeated", "sampled", "different")
        told = [[each.vectors, each.kind, *(getattr(each, name) for name in counted)] for each in found]
        print_table(["vectors", "index", *counted], told, numbers=counted)
    else:
        say("No index keeps anything beside the workspace's own files, which `vernissage check` reads.")
    if wrong := [each for each in found if not each.sound]:
        named = ", ".join(repr(each) for each in wrong[0].examples[:3])
        keys = " ".join(f"--vectors {each.vectors}" for each in wrong)
        raise ProvenanceError(
            f"{', '.join(each.vectors for each in wrong)}: what the index keeps is not what the workspace has (as in "
            f"{named}); run `vernissage index rebuild {workspace} {keys}`"
        )


@index.command("rebuild")
def rebuild(workspace: WorkspacePath, vectors: VectorKeys = None, as_json: AsJson = False) -> None:
    """Make what indexes keep anew from the workspace's vectors; until that is done, what was there serves on.

    \b
    Example:
      vernissage index rebuild workspace
    """
    from vernissage.workspace.index_choice import rebuild_indexes
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    with progress_bars() as progress:
        _print_choices(opened, rebuild_indexes(opened, tuple(vectors or ()), progress), as_json=as_json)


def _numbers(given: list[str] | None) -> dict[str, int] | None:
    """Parameters such as nprobe=64 by name; None where none were given."""
    if not given:
        return None
    pairs = [each.partition("=")[::2] for each in given]
    if wrong := [f"{name}={value}" for name, value in pairs if not (name and value.isdecimal())]:
        raise RequestError(f"{wrong[0]!r} is no parameter; give a name and a number, as in nprobe=64")
    return {name: int(value) for name, value in pairs}


def choose(workspace: Path, kind: str, settings: dict[str, Any], vectors: Any, *, as_json: bool) -> None:
    """Prepare and choose a kind of index with those of the settings that were given; print what is chosen now."""
    from vernissage.workspace.index_choice import IndexChoice, use_index
    from vernissage.workspace.workspace import open_workspace

    given = {name: value for name, value in settings.items() if value is not None}
    opened = open_workspace(workspace)
    with progress_bars() as progress:
        chosen = use_index(opened, IndexChoice(kind, given), tuple(vectors), progress)
    _print_choices(opened, chosen, as_json=as_json)


def _print_choices(workspace: "Workspace", chosen: "dict[str, IndexChoice]", *, as_json: bool) -> None:
    from vernissage.workspace.index_choice import IndexChoice

    if as_json:
        print_json({key: asdict(each) for key, each in chosen.items()})
        return
    every = {key: chosen.get(key, IndexChoice()) for key in workspace.manifest.searched}
    told = [
        [key, each.kind, ", ".join(f"{k} {v}" for k, v in each.settings.items() if isinstance(v, str | int))]
        for key, each in every.items()
    ]
    print_table(["vectors", "index", "settings"], told)


def tune(
    workspace: WorkspacePath,
    vectors: VectorKeys = None,
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
    if out is not None:
        from vernissage.pages.figures import require_figure, save_figure
        from vernissage.pages.tuning_figure import tuning_figure

        require_figure(out)
    with progress_bars() as progress:
        found = measure(open_workspace(workspace), wanted, tuple(vectors or ()), progress)
    if out is not None:
        save_figure(tuning_figure(found), out)
        note(f"Plot written: {out}")
    if as_json:
        print_json([each.to_dict() for each in found])
        return
    heads = ["vectors", "at", "index", "lists read at most", "candidates", "ms", "recall", "lowest for"]
    rows = []
    for each in found:
        exact = [point for point in each.points if not point.probes]
        for point in [*exact, *(point for point in each.chosen if point.probes)]:
            slack = f", slack {point.slack:g}" if point.slack else ""
            read = f"{point.probes} of {each.lists}{slack}" if point.probes else ""
            lowest = min(point.recall, key=lambda name: point.recall[name]) if point.probes else ""
            cells = [read, point.candidates or "", f"{point.milliseconds:.2f}", f"{point.least:.4f}", lowest]
            rows.append([each.key, point.k, "approximate" if point.probes else "exact", *cells])
    print_table(heads, rows, numbers=["at", "candidates", "ms", "recall"])
    for each in found:
        say(f"{each.key}, {each.works} works of {each.dim} numbers: {each.choice.kind}; {each.why}")
