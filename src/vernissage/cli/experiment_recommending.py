"""The experiments of the recommendation protocol: experiment run ablation, tags."""

from pathlib import Path
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
from vernissage.cli.experiment_sets import (
    CaptionFields,
    ClassColumn,
    KindWord,
    PictureFolder,
    SkipBad,
    Source,
    Weights,
    materials_of_set,
    opened,
)
from vernissage.cli.output import progress_bars
from vernissage.cli.recommending import AsJson


def ablation(
    source: Source,
    kind: KindWord = None,
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
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    class_column: ClassColumn = None,
    weights: Weights = None,
    skip_bad: SkipBad = False,
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
      vernissage experiment run ablation openclipart --kind gallery --caption title+keywords -e lsa
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
    folder = out or Path("experiments/ablation")
    with progress_bars() as progress:
        if kind is None:
            materials = materials_of(source, encoder)
        else:
            found = opened(kind, source, pictures, caption, class_column, skip_bad=skip_bad)
            materials = materials_of_set(found, encoder, weights, folder, seed, progress)
        run_and_print(
            ABLATION,
            folder,
            lambda kept: run_ablation(materials, options, seed=seed, cells=kept, progress=progress),
            materials=materials,
            options=options,
            seed=seed,
            most_cells=cells,
            as_json=as_json,
        )


def tags(
    source: Source,
    kind: KindWord = None,
    encoder: EncoderWords = None,
    classes: ClassNumbers = "1,2,5,10",
    points: PointNumbers = "5,10,20,30",
    task: TaskWords = None,
    users: Users = 100,
    query_classes: QueryClasses = 25,
    pool: PoolSize = 1000,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    class_column: ClassColumn = None,
    weights: Weights = None,
    skip_bad: SkipBad = False,
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
      vernissage experiment run tags classified.csv --kind classified --pictures pictures -e clip --weights clip
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
    folder = out or Path("experiments/tags")
    with progress_bars() as progress:
        if kind is None:
            materials = materials_of(source, encoder)
        else:
            found = opened(kind, source, pictures, caption, class_column, skip_bad=skip_bad)
            materials = materials_of_set(found, encoder, weights, folder, seed, progress)
        run_and_print(
            TAGS,
            folder,
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
