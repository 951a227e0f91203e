"""The experiments of the recommendation protocol: experiment run ablation, tags."""

from typing import Annotated

import typer

from vernissage.cli.experiment_options import (
    CellLimit,
    ClassNumbers,
    EncoderWords,
    OutFolder,
    PointNumbers,
    PoolSize,
    QueryClasses,
    Seed,
    TaskWords,
    Users,
    materials_of,
    run_and_print,
    whole_numbers,
)
from vernissage.cli.output import progress_bars
from vernissage.cli.recommending import AsJson, WorkspacePath


def ablation(
    workspace: WorkspacePath,
    encoder: EncoderWords = None,
    classes: ClassNumbers = "1,2,5,10",
    points: PointNumbers = "5,10,20,30",
    clustering: Annotated[
        list[str] | None,
        typer.Option(help="coherence, ward:T, silhouette or hdbscan; repeat. Default: coherence, ward:5, hdbscan."),
    ] = None,
    projection: Annotated[
        list[str] | None, typer.Option(help="none, pca, pca:N or tsne; repeat. Default: none, pca, tsne.")
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
    """Measure which projection, clustering and seed find the works of a few interests again.

    \b
    Examples:
      vernissage experiment run ablation workspace -e aligned
      vernissage experiment run ablation workspace --users 20 --projection none --points 10
      vernissage experiment run ablation texts -e minilm --query-classes 4 --task text-to-text
    """
    from vernissage.cli.area_rules import area_projection, area_rule
    from vernissage.experiments.recipes.ablation import ABLATION, AblationOptions, run_ablation

    options = AblationOptions(
        classes=whole_numbers(classes, "the classes"),
        points=whole_numbers(points, "the points"),
        projections={word: area_projection(word) for word in projection or ("none", "pca", "tsne")},
        clusterings={word: area_rule(word) for word in clustering or ("coherence", "ward:5", "hdbscan")},
        tasks=tuple(task or ()),
        users=users,
        query_classes=query_classes,
        pool=pool,
    )
    materials = materials_of(workspace, encoder)
    with progress_bars() as progress:
        run_and_print(
            ABLATION,
            out,
            lambda kept: run_ablation(materials, options, seed=seed, cells=kept, progress=progress),
            materials=materials,
            options=options,
            seed=seed,
            most_cells=cells,
            as_json=as_json,
        )


def tags(
    workspace: WorkspacePath,
    encoder: EncoderWords = None,
    classes: ClassNumbers = "1,2,5,10",
    points: PointNumbers = "5,10,20,30",
    task: TaskWords = None,
    users: Users = 100,
    query_classes: QueryClasses = 25,
    pool: PoolSize = 1000,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare areas of interest with overlap of tags, and with areas of embedded tags.

    \b
    Examples:
      vernissage experiment run tags workspace
      vernissage experiment run tags workspace --users 20 --points 10
    """
    from vernissage.experiments.recipes.tags import TAGS, TagOptions, run_tags

    options = TagOptions(
        classes=whole_numbers(classes, "the classes"),
        points=whole_numbers(points, "the points"),
        tasks=tuple(task or ()),
        users=users,
        query_classes=query_classes,
        pool=pool,
    )
    materials = materials_of(workspace, encoder)
    with progress_bars() as progress:
        run_and_print(
            TAGS,
            out,
            lambda kept: run_tags(materials, options, seed=seed, cells=kept, progress=progress),
            materials=materials,
            options=options,
            seed=seed,
            most_cells=cells,
            as_json=as_json,
        )


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (ablation, tags):
        app.command()(command)
