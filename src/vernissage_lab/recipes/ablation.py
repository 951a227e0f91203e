"""`ablation`: which projection, clustering and seed find the works of a few interests again (Figs. 14–18)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import AreaRule, Coherence, Hdbscan, Ward
from vernissage.profiles.areas import Area, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents, Projection
from vernissage.progress import Progress
from vernissage.recommenders.area_searches import SEEDS, Seed
from vernissage.values import Vectors
from vernissage_lab.area_lists import Seeker, Task, measured, named, tasks_of
from vernissage_lab.as_published import COMPONENTS, StandardisedTSNE
from vernissage_lab.cells import Cells
from vernissage_lab.grid import Part, rows_of
from vernissage_lab.material import Material
from vernissage_lab.recipes.ablation_tables import ablation_pictures, ablation_tables, ablation_views
from vernissage_lab.recipes.contract import Outcome, Recipe
from vernissage_lab.simulated_users import (
    FEWEST_USERS,
    POOL,
    QUERY_CLASSES,
    Protocol,
    protocol_of,
    remarks,
    simulated_users,
)
from vernissage_lab.tidy import Row

STEP = "Measuring cells of the grid"
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
    """The grid; rules and projections by the name under which tables show them.

    ``as_published`` draws users as the paper's released code does: each class is dealt to one user.
    """

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
    as_published: bool = False

    def users_of(self, classes: int, points: int, protocol: Protocol) -> int:
        """How many users a cell has: as published, every class is asked for once, and a rest of them not at all."""
        return len(protocol.usable(points)) // classes if self.as_published else self.users


@dataclass(frozen=True)
class _Cell:
    """A part of the grid that is computed at once: all tasks and seeds of it."""

    classes: int
    points: int
    projection: str
    clustering: str

    def columns(self) -> dict[str, str | int]:
        return dict(vars(self))


def as_published(
    options: AblationOptions, *, keep_projections: bool = False, keep_clusterings: bool = False
) -> AblationOptions:
    """The same classes, points and tasks, with users of the paper's released code and, unless kept, its rules."""
    projections: Mapping[str, Projection] = {
        "none": NoProjection(),
        "pca": PrincipalComponents(COMPONENTS),
        "tsne": StandardisedTSNE(),
    }
    clusterings: Mapping[str, AreaRule] = {"ward:5": Ward(5)}
    return replace(
        options,
        projections=options.projections if keep_projections else projections,
        clusterings=options.clusterings if keep_clusterings else clusterings,
        as_published=True,
    )


def run_ablation(
    materials: Sequence[Material],
    options: AblationOptions,
    *,
    seed: int,
    cells: Cells,
    progress: Progress,
    workers: int = 1,
) -> Outcome:
    """Measure every cell of the grid for every material, with two ``workers`` or more side by side.

    Users are the same in all configurations of one number of classes and points, so that differences are paired.
    `Coherence` cuts at a distance and t-SNE keeps none, so the two together are left out.

    Returns:
        ``values``: one row for each user, configuration and task; ``means``; ``differences`` from the first
        configuration, both of recall as `budget` and as `per-seed`.

    Raises:
        RequestError: too few classes or noise for the protocol in every cell, or a task that is not there.
    """
    notes: list[str] = []
    parts: list[Part] = []
    for material, cell in product(materials, _grid(options)):
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if why := protocol.too_small(cell.classes, cell.points, material.name):
            notes.append(why)
            continue
        tasks = tasks_of(material, options.tasks)
        key = {**material.describe(), **cell.columns(), **_settings(options, cell)}
        needed = replace(material, tags={}, text_encoder=None)
        parts.append(Part(key, partial(_rows, needed, cell, protocol, tasks, options, seed)))
    found = rows_of(parts, cells, step=STEP, workers=workers, progress=progress)
    values = [row for rows in found for row in rows]
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes, points and clusterings")
    most = max((int(row["classes"]) for row in values), default=max(options.classes))
    for material in materials:
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        notes += remarks(
            material.name, protocol, most, FEWEST_USERS if options.as_published else options.users, cells.skipped
        )
        notes += _published_remarks(material, options)
    return Outcome(ablation_tables(values), tuple(dict.fromkeys(notes)))


def _published_remarks(material: Material, options: AblationOptions) -> Iterator[str]:
    if options.as_published:
        lengths = "length 1" if material.unit else "the lengths that its network gives them"
        yield (
            f"as published: the {options.query_classes} classes are dealt to users once, so that M classes have "
            f"{options.query_classes} // M users; vectors of {material.encoder} are clustered in {lengths}; t-SNE "
            f"starts anywhere, from standardised vectors; the code's HDBSCAN is not offered; compare recall per seed"
        )


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
    users = options.users_of(cell.classes, cell.points, protocol)
    people = simulated_users(
        protocol, interests=cell.classes, points=cell.points, users=users, seed=seed, dealt=options.as_published
    )
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
        "users": "dealt once" if options.as_published else options.users,
        "query_classes": options.query_classes,
        "pool": options.pool,
        "seeds": list(options.seeds),
        "tasks": list(options.tasks),
        "rule": repr(options.clusterings[cell.clustering]),
        "reduction": repr(options.projections[cell.projection]),
    }


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
    pictures=ablation_pictures,
    views=ablation_views,
)
