"""The experiments of the recommendation protocol: experiment run ablation, tags."""

from functools import partial
from typing import Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_options import (
    CellLimit,
    ClassNumbers,
    EncoderWords,
    OutFolder,
    PointNumbers,
    PoolSize,
    QueryClasses,
    RunWish,
    Seed,
    TaskWords,
    Users,
    Workers,
    run_and_print,
    whole_numbers,
)
from vernissage_lab.cli.experiment_sets import (
    CaptionFields,
    ClassColumn,
    KindWord,
    PictureFolder,
    SkipBad,
    Source,
    Weights,
    WorkSource,
)
from vernissage_lab.cli.experiment_tagging import DatabasePlace, TaggerWeights, TaggerWords, TagSource, TagWords


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
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published", help="As the paper's released code: raw vectors, its cuts, each class asked for once."
        ),
    ] = False,
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
    workers: Workers = 1,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure which projection, clustering and seed find the works of a few interests again.

    \b
    Examples:
      vernissage lab experiment run ablation workspace -e aligned
      vernissage lab experiment run ablation workspace --users 20 --projection none --points 10
      vernissage lab experiment run ablation texts -e minilm --query-classes 4 --task text-to-text
      vernissage lab experiment run ablation openclipart --kind gallery --caption title+keywords -e lsa
      vernissage lab experiment run ablation classified.csv --kind classified -e minilm --as-published --workers 2
    """
    from vernissage.gallery.areas import area_projection, area_rule
    from vernissage_lab.recipes.ablation import ABLATION, AblationOptions, run_ablation
    from vernissage_lab.recipes.ablation import as_published as published

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
    if as_published:
        options = published(options, keep_projections=bool(projection), keep_clusterings=bool(clustering))
    wish = RunWish(out, seed, cells, as_json)
    works = WorkSource(source, kind, encoder, pictures, caption, class_column, weights, skip_bad, raw=as_published)
    with progress_bars() as progress:
        folder = wish.folder(ABLATION)
        materials = works.materials(folder, seed, progress, query_classes=query_classes, pool=pool)
        compute = partial(run_ablation, materials, options, workers=workers)
        run_and_print(ABLATION, wish, compute, options, progress, materials)


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
    tags_of: TagWords = None,
    tagger: TaggerWords = None,
    tagger_weights: TaggerWeights = None,
    database: DatabasePlace = None,
    overlap: Annotated[
        list[str] | None,
        typer.Option(help="Which tags of the uploads count for overlap: mass (default), unique, twice-unique; repeat."),
    ] = None,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare areas of interest with overlap of tags, and with areas of embedded tags.

    \b
    Examples:
      vernissage lab experiment run tags workspace
      vernissage lab experiment run tags workspace --users 20 --points 10
      vernissage lab experiment run tags workspace --tagger lexicon --tagger objects --tagger-weights rtdetr_v2_r18vd
      vernissage lab experiment run tags classified.csv --kind classified -e minilm --overlap twice-unique
    """
    from vernissage.recommenders.tags import common_rule
    from vernissage_lab.recipes.tags import TAGS, TagOptions, run_tags

    options = TagOptions(
        classes=whole_numbers(classes, "the classes"),
        points=whole_numbers(points, "the points"),
        tasks=tuple(task or ()),
        rules=tuple(common_rule(word) for word in dict.fromkeys(overlap or ["mass"])),
        users=users,
        query_classes=query_classes,
        pool=pool,
    )
    wish = RunWish(out, seed, cells, as_json)
    works = WorkSource(source, kind, encoder, pictures, caption, class_column, weights, skip_bad)
    tagged = TagSource(works, tags_of or (), tagger or (), tagger_weights or (), database)
    with progress_bars() as progress:
        materials = tagged.materials(wish.folder(TAGS), seed, progress, query_classes=query_classes, pool=pool)
        run_and_print(TAGS, wish, partial(run_tags, materials, options), options, progress, materials)


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (ablation, tags):
        app.command()(command)
