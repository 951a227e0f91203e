"""The experiments on simulated visitors: experiment run weighting, fusion, overlap."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson, WorkspacePath
from vernissage.cli.output import progress_bars
from vernissage.errors import RequestError
from vernissage_lab.cli.experiment_options import CellLimit, OutFolder, RunWish, Seed, run_and_print, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vernissage.recommenders.contract import Recommender
    from vernissage.workspace.workspace import Workspace
    from vernissage_lab.material import Material
    from vernissage_lab.recipes.contract import Outcome, Recipe
    from vernissage_lab.taste_world import TasteWorld

Factors = Annotated[
    Path | None, typer.Option(help="A CSV of hidden factors; default: factors.csv beside the collection, if any.")
]
By = Annotated[
    list[str] | None, typer.Option("--by", help="Tastes over these labels instead: group, artist …; repeat.")
]
Visitors = Annotated[int, typer.Option(help="How many simulated visitors.")]
Number = Annotated[int, typer.Option("-n", "--number", help="How many works each is shown.")]
Engines = Annotated[list[str] | None, typer.Option("--engine", "-e", help="Engines; repeat. Default: all there are.")]
Parts = Annotated[
    list[str] | None,
    typer.Option("--engine", "-e", help="Engines to fuse; repeat. Default: the paper's pair, or the first two."),
]


def weighting(
    workspace: WorkspacePath,
    engine: Engines = None,
    factors: Factors = None,
    by: By = None,
    visitors: Visitors = 200,
    n: Number = 9,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare the weights of ratings, linear, minmax and signed, on simulated visitors.

    \b
    Examples:
      vernissage lab experiment run weighting workspace
      vernissage lab experiment run weighting workspace --by group -e lsa -e late-zscore --visitors 500
    """
    from vernissage_lab.recipes.weighting import WEIGHTING, run_weighting

    wish = RunWish(out, seed, cells, as_json)
    _compare_engines(WEIGHTING, run_weighting, workspace, engine, factors, by, visitors, n, wish)


def fusion(
    workspace: WorkspacePath,
    engine: Parts = None,
    factors: Factors = None,
    by: By = None,
    constants: Annotated[str, typer.Option("-k", metavar="0,1,…", help="Constants of reciprocal-rank fusion.")] = (
        "0,1,10,60"
    ),
    visitors: Visitors = 200,
    n: Number = 9,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare ways to fuse engines on simulated visitors, and partial fusion with total.

    \b
    Examples:
      vernissage lab experiment run fusion workspace
      vernissage lab experiment run fusion workspace -e lsa -e colour-texture --by group
    """
    from vernissage.gallery.engines import make_engine
    from vernissage.recommenders.contract import Engine
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.recipes.fusion import FUSION, FusionComparison, run_fusion

    opened = open_workspace(workspace)
    names = list(dict.fromkeys(engine or _paper_pair(opened)))
    if len(names) < 2:
        raise RequestError(f"a fusion needs two engines or more, but there is {', '.join(names)}; give two with -e")
    made = {name: make_engine(opened, name, n) for name in names}
    parts = {name: part for name, part in made.items() if isinstance(part, Engine)}
    if len(parts) < len(made):
        raise RequestError("an engine that is a fusion already cannot be part of one; give single engines with -e")
    options = FusionComparison(visitors=visitors, n=n, constants=_constants(constants))
    materials = _materials(opened, parts)
    world = _world(opened, factors, by)
    wish = RunWish(out, seed, cells, as_json)
    with progress_bars() as progress:
        run_and_print(FUSION, wish, partial(run_fusion, world, parts, options), options, progress, materials)


def overlap(
    workspace: WorkspacePath,
    engine: Engines = None,
    factors: Factors = None,
    by: By = None,
    visitors: Visitors = 200,
    n: Number = 9,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print the study's two tables of overlapping lists for simulated visitors, without participants.

    \b
    Examples:
      vernissage lab experiment run overlap workspace
      vernissage lab experiment run overlap workspace -e lda -e colour-texture -e late-partial -e late-total
    """
    from vernissage_lab.recipes.overlap import OVERLAP, run_overlap

    wish = RunWish(out, seed, cells, as_json)
    _compare_engines(OVERLAP, run_overlap, workspace, engine, factors, by, visitors, n, wish)


def _compare_engines(
    recipe: "Recipe",
    run: "Callable[..., Outcome]",
    workspace: Path,
    engine: list[str] | None,
    factors: Path | None,
    by: list[str] | None,
    visitors: int,
    n: int,
    wish: RunWish,
) -> None:
    """Let simulated visitors be shown the lists of engines, of all that the workspace has if none is named."""
    from vernissage.gallery.engines import available_engines, make_engine
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.taste_world import VisitorOptions

    opened = open_workspace(workspace)
    engines = {name: make_engine(opened, name, n) for name in dict.fromkeys(engine or available_engines(opened))}
    options = VisitorOptions(visitors=visitors, n=n)
    world = _world(opened, factors, by)
    with progress_bars() as progress:
        compute = partial(run, world, engines, options)
        run_and_print(recipe, wish, compute, options, progress, _materials(opened, engines))


def _constants(text: str) -> tuple[int, ...]:
    """Whole numbers from 0."""
    words = [word.strip() for word in text.split(",")]
    rest = ",".join(word for word in words if word != "0")
    found = {*(() if "0" not in words else (0,)), *(whole_numbers(rest, "the constants") if rest else ())}
    return tuple(sorted(found))


def _paper_pair(opened: "Workspace") -> list[str]:
    from vernissage.gallery.engines import PRESET_TEXTS, available_engines, preset_pictures

    there = available_engines(opened)
    pair = [PRESET_TEXTS, preset_pictures(opened)]
    return pair if set(pair) <= set(there) else [name for name in there if not name.startswith("late-")][:2]


def _materials(opened: "Workspace", engines: "Mapping[str, Recommender]") -> "list[Material]":
    """The encoders behind engines, those behind a fusion too, for the record."""
    from vernissage.gallery.engines import indexes_of
    from vernissage_lab.material import material_of_workspace

    behind = [index.card.encoder for engine in engines.values() for index in indexes_of(engine)]
    return [material_of_workspace(opened, each) for each in dict.fromkeys(behind) if each in opened.encoder_names]


def _world(opened: "Workspace", factors: Path | None, by: list[str] | None) -> "TasteWorld":
    """The works with what tastes are made of, as `vernissage lab evaluate` takes it."""
    from vernissage_lab.taste_world import TasteWorld
    from vernissage_lab.tastes import labels_from_collection, labels_from_factors

    if factors is not None and by:
        raise RequestError("tastes come either from --factors or from --by; give one of them")
    beside = opened.collection.folder / "factors.csv"
    file = factors or (beside if beside.is_file() and not by else None)
    labels = (
        labels_from_factors(file, opened.collection)
        if file is not None
        else labels_from_collection(opened.collection, by)
    )
    fingerprints = {each: str(opened.manifest.fingerprints[each]) for each in sorted(opened.encoder_names)}
    return TasteWorld(opened.collection, labels, fingerprints)


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (weighting, fusion, overlap):
        app.command()(command)
