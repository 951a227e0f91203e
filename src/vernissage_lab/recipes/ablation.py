"""`ablation`: which projection, clustering and seed find the works of a few interests again (Figs. 14–18)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

from vernissage.errors import RequestError
from vernissage.gallery.areas import area_projection, area_rule
from vernissage.profiles.area_rules import AreaRule, Coherence
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.profiles.reduction import Projection, StandardisedTSNE
from vernissage.recommenders.area_searches import SEEDS
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.lists import Seeker, Task, named, recall_by_areas, tasks_of
from vernissage_lab.material import Material
from vernissage_lab.method_grid import grid_picture, usual_points
from vernissage_lab.published.beside import beside_ablation
from vernissage_lab.recipe import EXPERIMENTS, MARKS, Outcome, Picture, Recipe, Tables, Words
from vernissage_lab.tables import (
    Row,
    Table,
    arrow,
    by_measure,
    counted,
    differences,
    distinct,
    estimate,
    means,
    parts,
    pivot,
    short,
    where,
)
from vernissage_lab.users import FEWEST_USERS, PointNumbers, Protocol, Tasks, simulated_users
from vernissage_lab.works import UserOptions, whole_numbers

STEP = "Measuring cells of the grid"
MEASURES = ("recall", "recall_per_seed", "shown", "areas")
CONFIGURATION = ("projection", "clustering", "seed")
GROUP = ("encoder", "task", "classes", "points")
DEALT = "dealt once"
"""What a record says of the number of users as published: as many as the classes are enough for."""
_PUBLISHED_PROJECTIONS = {"none": "none", "pca": "pca:50", "tsne": "tsne-standardised"}
"""The second paper's words for projections, and what its released code makes of them."""


@dataclass(frozen=True)
class AblationOptions(UserOptions):
    """The grid, and the numbers of the protocol.

    With ``as_published`` vectors are as long as the network gives them, users are dealt the classes once, and rules are
    those of the second paper's released code where none are named. Its HDBSCAN, which joins regions nearer than 5 and
    drops noise, is not offered: scikit-learn's fails with current versions of NumPy where it is to join regions.
    """

    points: PointNumbers = "5,10,20,30"
    clustering: Words = None
    projection: Words = None
    as_published: bool = False
    task: Tasks = None
    workers: int = 1

    def __post_init__(self) -> None:
        self.grid  # noqa: B018, refuses words that mean nothing

    @cached_property
    def projections(self) -> Mapping[str, Projection]:
        """By the word under which tables show them."""
        if self.as_published and not self.projection:
            return {word: area_projection(made) for word, made in _PUBLISHED_PROJECTIONS.items()}
        return {word: area_projection(word) for word in self.projection or ("none", "pca", "tsne")}

    @cached_property
    def clusterings(self) -> Mapping[str, AreaRule]:
        """By the word under which tables show them."""
        usual = ("ward:5",) if self.as_published else ("coherence", "ward:5", "hdbscan")
        return {word: area_rule(word) for word in self.clustering or usual}

    @cached_property
    def grid(self) -> "list[_Cell]":
        """All cells; `Coherence` cuts at a distance and t-SNE keeps none, so the two together are left out."""
        points = whole_numbers(self.points, "the points")
        return [
            _Cell(*cell)
            for cell in product(self.interests, points, self.projections, self.clusterings)
            if not isinstance(self.clusterings[cell[3]], Coherence) or self.projections[cell[2]].keeps_distances
        ]

    def record(self) -> dict[str, Any]:
        rules = {"projections": self.projections, "clusterings": self.clusterings}
        return {**super().record(), **rules, **({"users": DEALT} if self.as_published else {})}


@dataclass(frozen=True)
class _Cell:
    """A part of the grid that is computed at once: all tasks and seeds of it."""

    classes: int
    points: int
    projection: str
    clustering: str


def compute(options: AblationOptions, cells: Cells) -> Outcome:
    """Measure which projection, clustering and seed find the works of a few interests again.

    \b
    Examples:
      vernissage lab experiment run ablation workspace -e aligned
      vernissage lab experiment run ablation workspace --users 20 --projection none --points 10
      vernissage lab experiment run ablation texts -e minilm --query-classes 4 --task text-to-text
      vernissage lab experiment run ablation openclipart --kind gallery --caption title+keywords -e lsa
      vernissage lab experiment run ablation set.csv --kind classified -e minilm --as-published --workers 2
    """
    options.require_classes()
    return run_ablation(options.materials(cells, raw=options.as_published), options, cells)


def run_ablation(materials: Sequence[Material], options: AblationOptions, cells: Cells) -> Outcome:
    """Measure every cell of the grid for every material, with two workers or more side by side.

    Users are the same in all configurations of one number of classes and points, so that differences are paired.

    Returns:
        ``values``: one row for each user, configuration and task; ``means``; ``differences`` from the first
        configuration, both of recall as `budget` and as `per-seed`.

    Raises:
        RequestError: too few classes or noise for the protocol in every cell, or a task that is not there.
    """
    notes: list[str] = []
    grid: list[Part] = []
    for material, cell in product(materials, options.grid):
        protocol = options.protocol(material)
        if why := protocol.too_small(cell.classes, cell.points, material.name):
            notes.append(why)
            continue
        tasks = tasks_of(material, options.task)
        key = {
            **material.describe(),
            **vars(cell),
            **_settings(options, cell),
            "tasks": [named(task) for task in tasks],
        }
        needed = replace(material, tags={}, text_encoder=None)
        rules = options.clusterings[cell.clustering], options.projections[cell.projection]
        # As published, every class is asked for once, and a rest of them not at all.
        users = len(protocol.usable(cell.points)) // cell.classes if options.as_published else options.users
        people = {"users": users, "dealt": options.as_published, "seed": cells.seed}
        grid.append(Part(key, partial(_rows, needed, cell, protocol, tasks, rules, people)))
    values = [row for rows in rows_of(grid, cells, STEP, workers=options.workers) for row in rows]
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes, points and clusterings")
    most = max((row["classes"] for row in values), default=max(cell.classes for cell in options.grid))
    for material in materials:
        protocol = options.protocol(material)
        notes += protocol.remarks(material.name, most, FEWEST_USERS if options.as_published else options.users)
        if options.as_published:
            notes += _remarks_as_published(material, options, where(values, encoder=material.encoder))
    return Outcome(_tables(values), tuple(notes), tuple(material.describe() for material in materials))


def _remarks_as_published(material: Material, options: AblationOptions, values: Sequence[Row]) -> Iterator[str]:
    """What a run as published did, made of its options and of what came out."""
    people = {(row["classes"], row["points"]): row["user"] + 1 for row in values}
    behind = {each: {count for (classes, _), count in people.items() if classes == each} for each, _ in people}
    users = ", ".join(f"{' or '.join(map(str, sorted(found)))} with {counted(each)}" for each, found in behind.items())
    lengths = "length 1" if material.unit else "the lengths that its network gives them"
    yield (
        f"as published: the classes are dealt to users once{f' ({users})' if users else ''}; vectors of "
        f"{material.encoder} are clustered in {lengths}; compare recall per seed"
    )
    planes = {word for word, made in options.projections.items() if isinstance(made, StandardisedTSNE)}
    if planes:
        yield f"as published: {', '.join(sorted(planes))} starts anywhere, from standardised vectors"
    if not options.clustering:
        yield "as published, but for the code's HDBSCAN, which is not offered"


def _rows(
    material: Material,
    cell: _Cell,
    protocol: Protocol,
    tasks: Sequence[Task],
    rules: tuple[AreaRule, Projection],
    people: Mapping[str, Any],
) -> list[Row]:
    """The rows of a cell; its arguments can be sent to another process."""
    found: list[Row] = []
    sources = {source for source, _ in tasks}
    backgrounds = {source: mean_direction(material.vectors[source]) for source in sources}
    rule, projection = rules
    users = simulated_users(protocol, interests=cell.classes, points=cell.points, **people)
    for number, user in enumerate(users):
        seeker = Seeker(material, user)
        indexes = seeker.indexes(tasks)
        areas = {
            source: areas_of_interest(
                seeker.vectors(source),
                background=backgrounds[source],
                rule=rule,
                projection=projection,
                seed=people["seed"],
            )
            for source in sources
        }
        for task, chosen in product(tasks, SEEDS):
            place = {"encoder": material.encoder, **named(task), **vars(cell), "seed": chosen, "user": number}
            found.append(place | recall_by_areas(seeker, indexes, task, areas[task[0]], chosen))
    return found


def _settings(options: AblationOptions, cell: _Cell) -> dict[str, Any]:
    return {
        **options.numbers(),
        **({"users": DEALT} if options.as_published else {}),
        "rule": repr(options.clusterings[cell.clustering]),
        "reduction": repr(options.projections[cell.projection]),
    }


def _tables(values: Sequence[Row]) -> Tables:
    if not values:
        return {}
    reference = tuple(values[0][column] for column in CONFIGURATION)
    compared = differences(values, GROUP, CONFIGURATION, reference, MEASURES[:2], "user")
    return {"values": values, "means": means(values, (*GROUP, *CONFIGURATION), MEASURES), "differences": compared}


def _pictures(tables: Tables) -> dict[str, Picture]:
    """For each encoder and task projections × classes, as in print: one by list of ten, one as the paper counts."""
    found: dict[str, Picture] = {}
    rows = tables.get("means", ())
    for (encoder, task), mine in parts(rows, "encoder", "task"):
        for measure, title in (("recall", "one list of ten"), ("recall_per_seed", "ten works from every area")):
            others = {"encoder": encoder, "task": task, "measure": measure, "seed": "centroid"}
            found[f"{encoder}-{task}-{measure.replace('_', '-')}"] = grid_picture(
                where(mine, measure=measure),
                where(tables.get(MARKS, ()), **others),
                "clustering",
                f"Recall@10 with {encoder}, {arrow(task)}: {title}",
                lambda best: f"{best['mean']:.3f}, projection {best['projection']}, {counted(best['classes'])}",
                down="projection",
                dashed="medoid",
                styles=("centroid", "medoid"),
                lines=distinct(rows, "clustering"),
                top=max(row["mean"] for row in where(rows, measure=measure)),
            )
    return found


def _views(tables: Tables) -> list[Table]:
    """For each encoder and task, configurations × classes at ten uploads a class, or what is nearest to it."""
    rows = tables.get("means", ())
    note = "recall in one list of ten ± standard error | recall in ten from every area, in so many works"
    return [
        pivot(
            mine,
            f"{encoder}, {arrow(task)}, {points} uploads in each class",
            CONFIGURATION,
            "classes",
            _shown,
            head=counted,
            note=note,
        )
        for points in usual_points(rows)
        for (encoder, task), mine in parts(where(rows, points=points), "encoder", "task")
    ]


def _shown(rows: list[Row]) -> str:
    told = by_measure(rows)
    return f"{estimate(told['recall'])} | {short(told['recall_per_seed']['mean'])} in {told['shown']['mean']:.0f}"


RECIPE = Recipe(EXPERIMENTS["ablation"], AblationOptions, compute, _pictures, _views, beside=beside_ablation)
