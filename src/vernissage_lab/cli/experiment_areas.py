"""The command of an open question about areas of interest: experiment run areas."""

from functools import partial
from typing import Annotated

import typer

from vernissage.cli.options import AsJson, WorkspacePath
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_options import (
    CellLimit,
    ClassNumbers,
    EncoderWords,
    OutFolder,
    PoolSize,
    QueryClasses,
    RunWish,
    Seed,
    TaskWords,
    Users,
    materials_of,
    run_and_print,
    whole_numbers,
)


def areas(
    workspace: WorkspacePath,
    encoder: EncoderWords = None,
    classes: ClassNumbers = "1,2,5,10",
    points: Annotated[int, typer.Option(min=1, help="Uploads in each class.")] = 10,
    cut: Annotated[
        list[str] | None,
        typer.Option(help="coherence, ward:T, silhouette or hdbscan; repeat. Default: coherence, ward at 1 to 5."),
    ] = None,
    task: TaskWords = None,
    users: Users = 100,
    query_classes: QueryClasses = 25,
    pool: PoolSize = 1000,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare lists by areas of interest with lists without clustering, and areas with the true interests.

    \b
    Examples:
      vernissage lab experiment run areas workspace -e lsa -e minilm
      vernissage lab experiment run areas workspace -e aligned --task image-to-text --users 20
      vernissage lab experiment run areas workspace --cut coherence --cut silhouette --cut ward:1.5
    """
    from vernissage.gallery.areas import area_rule
    from vernissage_lab.recipes.areas import AREAS_RECIPE, AreasComparison, run_areas

    options = AreasComparison(
        classes=whole_numbers(classes, "the classes"),
        points=points,
        tasks=tuple(task or ()),
        users=users,
        query_classes=query_classes,
        pool=pool,
        **({"cuts": {word: area_rule(word) for word in cut}} if cut else {}),
    )
    materials = materials_of(workspace, encoder)
    wish = RunWish(out, seed, cells, as_json)
    with progress_bars() as progress:
        run_and_print(AREAS_RECIPE, wish, partial(run_areas, materials, options), options, progress, materials)


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(areas)
