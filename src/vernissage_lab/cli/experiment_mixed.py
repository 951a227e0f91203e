"""The command of an open question about one index of both modalities: experiment run mixed."""

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
    Users,
    materials_of,
    run_and_print,
    whole_numbers,
)


def mixed(
    workspace: WorkspacePath,
    encoder: EncoderWords = None,
    classes: ClassNumbers = "1,2,5,10",
    points: Annotated[int, typer.Option(min=1, help="Uploads in each class.")] = 10,
    users: Users = 100,
    query_classes: QueryClasses = 25,
    pool: PoolSize = 1000,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare one index of pictures and texts with two indexes, for lists of both: recall and time.

    \b
    Examples:
      vernissage lab experiment run mixed workspace -e aligned
      vernissage lab experiment run mixed workspace -e clip --users 200 --classes 2,5
    """
    from vernissage_lab.recipes.mixed import MIXED, MixedComparison, run_mixed

    options = MixedComparison(
        classes=whole_numbers(classes, "the classes"),
        points=points,
        users=users,
        query_classes=query_classes,
        pool=pool,
    )
    materials = materials_of(workspace, encoder)
    wish = RunWish(out, seed, cells, as_json)
    with progress_bars() as progress:
        run_and_print(MIXED, wish, partial(run_mixed, materials, options), options, progress, materials)


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(mixed)
