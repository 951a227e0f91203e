"""`ablation`: which projection, clustering and seed find the works of a few interests again (Figs. 14–18)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Vectors
from vernissage.errors import RequestError
from vernissage.experiments.area_lists import Seeker, Task, measured, named, tasks_of
from vernissage.experiments.cells import Cells
from vernissage.experiments.facets import arrow, counted, usual_points
from vernissage.experiments.material import Material
from vernissage.experiments.readable import estimate, short
from vernissage.experiments.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage.experiments.simulated_users import (
    FEWEST_USERS,
    POOL,
    QUERY_CLASSES,
    Protocol,
    protocol_of,
    remarks,
    simulated_users,
)
from vernissage.experiments.tidy import Row, differences, distinct, means, where
from vernissage.pages.experiment_report import ReadTable
from vernissage.pages.grid_figure import GridPoint, grid_figure
from vernissage.profiles.area import Area
from vernissage.profiles.areas import AreaRule, areas_of_interest
from vernissage.profiles.coherence import Coherence
from vernissage.profiles.cuts import Ward
from vernissage.profiles.density import Hdbscan
from vernissage.profiles.directions import mean_direction
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents, Projection
from vernissage.progress import Progress
from vernissage.recommenders.area_seeds import SEEDS, Seed
from vernissage.search.scan import one_thread

STEP = "Measuring cells of the grid"
MEASURES = ("recall", "recall_per_seed", "shown", "areas")
CONFIGURATION = ("projection", "clustering", "seed")
GROUP = ("encoder", "task", "classes", "points")
PROTOCOL = (
    "The 25 largest classes are asked for, all other works are noise. A user is some of these classes at random, with "
    "some of their works as uploads; one further work of each class is relevant, and lies among noise in a pool of "
    "1,000 works that is drawn anew for every user; 100 users in each cell."
)
PER_SEED = (
    "Recall@10 (per seed), as in the paper's code: every area shows ten works of its own, so more areas show more "
    "works; how many stands beside it. A relevant work that two areas find counts once."
)
WARD_AT_5 = (
    "Ward at 5 is the paper's cut. Vectors here have length 1, so it makes one area, or few, of most profiles unless "
    "t-SNE has spread them; those of the paper's encoder were longer."
)


@dataclass(frozen=True)
class AblationOptions:
    """The grid; rules and projections by the name under which tables show them."""

    classes: tuple[int, ...] = (1, 2, 5, 10)
    points: tuple[int, ...] = (5, 10, 20, 30)
    projections: Mapping[str, Projection] = field(
        default_factory=lambda: {"none": NoProjection(), "pca": PrincipalComponents(), "tsne": TSNE()}
    )
    clusterings: Mapping[str, AreaRule] = field(
        default_factory=lambda: {"coherence": Coherence(), "ward:5": Ward(5), "hdbscan": Hdbscan()}
    )
    seeds: tuple[Seed, ...] = SEEDS
    tasks: tuple[str, ...] = ()
    users: int = FEWEST_USERS
    query_classes: int = QUERY_CLASSES
    pool: int = POOL


@dataclass(frozen=True)
class _Cell:
    """A part of the grid that is computed at once: all tasks and seeds of it."""

    classes: int
    points: int
    projection: str
    clustering: str

    def columns(self) -> dict[str, str | int]:
        return dict(vars(self))


def run_ablation(
    materials: Sequence[Material], options: AblationOptions, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Measure every cell of the grid for every material.

    Users are the same in all configurations of one number of classes and points, so that differences are paired.
    `Coherence` cuts at a distance and t-SNE keeps none, so the two together are left out.

    Returns:
        ``values``: one row for each user, configuration and task; ``means``; ``differences`` from the first
        configuration, both of recall as `budget` and as `per-seed`.

    Raises:
        RequestError: too few classes or noise for the protocol in every cell, or a task that is not there.
    """
    notes: list[str] = []
    values: list[Row] = []
    grid = [(material, cell) for material in materials for cell in _grid(options)]
    for done, (material, cell) in enumerate(grid):
        progress(STEP, done, len(grid))
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if why := protocol.too_small(cell.classes, cell.points, material.name):
            notes.append(why)
            continue
        tasks = tasks_of(material, options.tasks)
        key = {**material.describe(), **cell.columns(), **_settings(options, cell)}
        with one_thread(), threadpool_limits(1):  # equal input, equal bits; and single small searches are faster so
            found = cells.rows(key, partial(_rows, material, cell, protocol, tasks, options, seed))
        values += found or []
    progress(STEP, len(grid), len(grid))
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes, points and clusterings")
    most = max((int(row["classes"]) for row in values), default=max(options.classes))
    for material in materials:
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        notes += remarks(material.name, protocol, most, options.users, cells.skipped)
    return Outcome(_tables(values), tuple(dict.fromkeys(notes)))


def _grid(options: AblationOptions) -> list[_Cell]:
    return [
        _Cell(*cell)
        for cell in product(options.classes, options.points, options.projections, options.clusterings)
        if not (
            isinstance(options.clusterings[cell[3]], Coherence) and not options.projections[cell[2]].keeps_distances
        )
    ]


def _rows(*parts: Any) -> list[Row]:
    return list(_measure(*parts))


def _measure(
    material: Material, cell: _Cell, protocol: Protocol, tasks: Sequence[Task], options: AblationOptions, seed: int
) -> Iterator[Row]:
    sources = {source for source, _ in tasks}
    backgrounds = {source: mean_direction(material.vectors[source]) for source in sources}
    rule, projection = options.clusterings[cell.clustering], options.projections[cell.projection]
    people = simulated_users(protocol, interests=cell.classes, points=cell.points, users=options.users, seed=seed)
    for number, user in enumerate(people):
        seeker = Seeker(material, user)
        pools = {target: seeker.pool(target) for target in {target for _, target in tasks}}
        areas = {
            source: _areas(material.vectors[source][user.uploads], backgrounds[source], rule, projection, seed)
            for source in sources
        }
        for task, chosen in product(tasks, options.seeds):
            yield (
                {"encoder": material.encoder}
                | dict(named(task))
                | cell.columns()
                | {"seed": chosen, "user": number}
                | measured(seeker, pools, task, areas[task[0]], chosen)
            )


def _areas(
    vectors: Vectors, background: np.ndarray, rule: AreaRule, projection: Projection, seed: int
) -> tuple[Area, ...]:
    return areas_of_interest(vectors, background=background, rule=rule, projection=projection, seed=seed)


def _settings(options: AblationOptions, cell: _Cell) -> dict[str, str | int | list[str]]:
    return {
        "users": options.users,
        "query_classes": options.query_classes,
        "pool": options.pool,
        "seeds": list(options.seeds),
        "tasks": list(options.tasks),
        "rule": repr(options.clusterings[cell.clustering]),
        "reduction": repr(options.projections[cell.projection]),
    }


def _tables(values: Sequence[Row]) -> Tables:
    if not values:
        return {}
    by = (*GROUP[:3], GROUP[3], *CONFIGURATION)
    reference = tuple(values[0][column] for column in CONFIGURATION)
    compared = [
        row for measure in MEASURES[:2] for row in differences(values, GROUP, CONFIGURATION, reference, measure, "user")
    ]
    return {"values": values, "means": means(values, by, MEASURES), "differences": compared}


def _pictures(tables: Tables) -> dict[str, Picture]:
    """For each encoder and projection, tasks × classes: one figure by list of ten, one as the paper counts."""
    found: dict[str, Picture] = {}
    rows = tables.get("means", ())
    for encoder, projection in product(distinct(rows, "encoder"), distinct(rows, "projection")):
        for measure, title in (("recall", "one list of ten"), ("recall_per_seed", "ten works from every area")):
            some = where(rows, encoder=encoder, projection=projection, measure=measure)
            if not some:
                continue
            points = [
                GridPoint(
                    down=arrow(row["task"]),
                    across=counted(int(row["classes"])),
                    line=str(row["clustering"]),
                    dashed=row["seed"] == "medoid",
                    x=float(row["points"]),
                    mean=float(row["mean"]),
                    se=float(row["se"]),
                )
                for row in some
            ]
            heading = f"Recall@10 with {encoder}, projection {projection}: {title}"
            figure = grid_figure(
                points, title=heading, x_label="uploads in each class", y_label="recall", styles=("centroid", "medoid")
            )
            best = max(some, key=lambda row: float(row["mean"]))
            alt = f"{heading}. Highest mean {float(best['mean']):.3f}, {best['task']}, {best['classes']} classes."
            found[f"{encoder}-{projection}-{measure.replace('_', '-')}"] = Picture(figure, alt)
    return found


def _views(tables: Tables) -> list[ReadTable]:
    """For each encoder and task, configurations × classes at ten uploads a class, or what is nearest to it."""
    rows = tables.get("means", ())
    if not rows:
        return []
    points = usual_points(rows)
    some = where(rows, points=points)
    classes = [int(each) for each in distinct(some, "classes")]
    found = []
    for encoder, task in product(distinct(some, "encoder"), distinct(some, "task")):
        mine = where(some, encoder=encoder, task=task)
        names = dict.fromkeys(tuple(str(row[column]) for column in CONFIGURATION) for row in mine)
        body = tuple((*name, *(_shown(mine, name, each) for each in classes)) for name in names)
        found.append(
            ReadTable(
                f"{encoder}, {arrow(task)}, {points} uploads in each class",
                (*CONFIGURATION, *map(counted, classes)),
                body,
                "recall in one list of ten ± standard error | recall in ten from every area, in so many works",
                words=len(CONFIGURATION),
            )
        )
    return found


def _shown(rows: Sequence[Row], name: tuple[str, ...], classes: int) -> str:
    wanted = [
        row for row in rows if row["classes"] == classes and tuple(str(row[column]) for column in CONFIGURATION) == name
    ]
    told = {str(row["measure"]): row for row in wanted}
    if not told:
        return ""
    shown = f"{short(float(told['recall_per_seed']['mean']))} in {float(told['shown']['mean']):.0f}"
    return f"{estimate(told['recall'])} | {shown}"


ABLATION = Recipe(
    name="ablation",
    paper="ZCCR: Figs. 14 to 18",
    what="classes × uploads × projection × clustering × seed × task: which areas of interest find works again",
    needs="a workspace with groups, or a data set with classes",
    protocol=(
        f"{PROTOCOL} Here with 1, 2, 5 and 10 classes, and 5, 10, 20 and 30 uploads in each.",
        "Recall@10 (budget): the areas take turns until ten works are in one list; found relevant works / classes.",
        PER_SEED,
        "Means with standard errors over users; differences are paired: the same users see all configurations.",
        WARD_AT_5,
    ),
    pictures=_pictures,
    views=_views,
)
