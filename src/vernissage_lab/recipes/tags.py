"""`tags`: areas of interest against recommendations by tags (Figs. 19 and 20)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.recommenders.tags import CommonRule
from vernissage.search.scan import one_thread
from vernissage_lab.area_lists import named, tasks_of
from vernissage_lab.cells import Cells
from vernissage_lab.facets import method_pictures, method_views
from vernissage_lab.material import Material
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.recipes.ablation import PER_SEED, PROTOCOL
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.simulated_users import (
    FEWEST_USERS,
    POOL,
    QUERY_CLASSES,
    Protocol,
    protocol_of,
    remarks,
    simulated_users,
)
from vernissage_lab.tag_lists import (
    Compared,
    backgrounds,
    compared,
    lacking_tags,
    shown_to,
)
from vernissage_lab.tagging import IN_WORDS, tags_digest
from vernissage_lab.tidy import Row, differences, distinct, means, where

STEP = "Comparing areas with tags"
EMBEDDING_STEP = "Reading tags as texts"
MEASURES = ("recall", "recall_per_seed", "shown")
GROUP = ("encoder", "task", "classes", "points")


@dataclass(frozen=True)
class TagOptions:
    """How many interests and uploads, which tags count for overlap, and the protocol's numbers."""

    classes: tuple[int, ...] = (1, 2, 5, 10)
    points: tuple[int, ...] = (5, 10, 20, 30)
    tasks: tuple[str, ...] = ()
    rules: tuple[CommonRule, ...] = ("mass",)
    users: int = FEWEST_USERS
    query_classes: int = QUERY_CLASSES
    pool: int = POOL


def run_tags(
    materials: Sequence[Material], options: TagOptions, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Measure the three methods of the paper, the same users for all of them.

    ``areas``: areas of interest of the vectors, the centroids take turns. ``tag-overlap`` (BT): `TagOverlap` by each of
    the rules. ``tag-embedding`` (BTBA): as ``areas``, over vectors of the works' tags joined by blanks. Tasks are all
    between modalities that have tags; areas are left out of those in which a side has no vectors.

    Raises:
        RequestError: a material has no tags, or nothing that reads them; too few classes or too little noise.
    """
    values: list[Row] = []
    works = {material.encoder: compared(material) for material in materials}
    notes = [note for material in materials for note in _notes(material, works[material.encoder])]
    grid = [(material, *cell) for material in materials for cell in product(options.classes, options.points)]
    for done, (material, classes, points) in enumerate(grid):
        progress(STEP, done, len(grid))
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if why := protocol.too_small(classes, points, material.name):
            notes.append(why)
            continue
        key = {**material.describe(), **vars(options), "classes": classes, "points": points}
        key |= {"tags_digest": tags_digest(material)}
        compared_works = works[material.encoder]
        with one_thread(), threadpool_limits(1):
            if cells.will_compute(key):
                _embed(compared_works, progress)
            found = cells.rows(key, partial(_rows, compared_works, classes, points, protocol, options, seed))
        values += found or []
    progress(STEP, len(grid), len(grid))
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes and points")
    most = max((int(row["classes"]) for row in values), default=max(options.classes))
    for material in materials:
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        notes += remarks(material.name, protocol, most, options.users, cells.skipped)
    return Outcome(_tables(values), tuple(dict.fromkeys(notes)))


def _embed(works: Compared, progress: Progress) -> None:
    """Have the tags read, which can take minutes, before the first cell that needs them."""
    progress(EMBEDDING_STEP, 0, 1)
    works.embedded  # noqa: B018, kept by the works
    progress(EMBEDDING_STEP, 1, 1)


def _notes(material: Material, works: Compared) -> Iterator[str]:
    """Where tags come from, whose are missing, and for which tasks areas are left out."""
    name, sides = material.name, works.present.modalities
    for each in lacking_tags(material):
        yield f"{name}: its {each}s have no tags of their own, so those of the other half stand for them"
    for modality, by in material.tagged_by.items():
        without = sum(not material.tags[modality].get(item_id) for item_id in material.item_ids)
        some = f"; {without} of {len(material)} works have none" if without else ""
        yield f"{name}: tags of its {IN_WORDS[modality]}: {by}{some}"
    if blind := [IN_WORDS[each] for each in sides if each not in material.modalities]:
        there = " and ".join(IN_WORDS[each] for each in material.modalities)
        yield (
            f"{name}: {material.encoder} has vectors of {there} alone, so areas are left out of the tasks with "
            f"{blind[0]}, which are compared by tags alone"
        )


def _rows(works: Compared, classes: int, points: int, protocol: Protocol, options: TagOptions, seed: int) -> list[Row]:
    tasks = tasks_of(works.present, options.tasks)
    centres = backgrounds(works.own), backgrounds(works.embedded)
    people = simulated_users(protocol, interests=classes, points=points, users=options.users, seed=seed)
    return [
        {"encoder": works.own.encoder}
        | dict(named(task))
        | {"classes": classes, "points": points, "method": method, "user": number}
        | {measure: told[measure] for measure in MEASURES}
        for number, user in enumerate(people)
        for task, method, told in shown_to(user, works, tasks, options.rules, centres)
    ]


def _tables(values: Sequence[Row]) -> Tables:
    tests = [row for some, reference in _referred(values) for row in _differences(some, reference)]
    return {"values": values, "means": means(values, (*GROUP, "method"), MEASURES), "differences": tests}


def _referred(values: Sequence[Row]) -> Iterator[tuple[list[Row], str]]:
    """The rows of each encoder and task, and what the others are compared with: areas, or else the first method."""
    for encoder in distinct(values, "encoder"):
        for task in distinct(where(values, encoder=encoder), "task"):
            some = where(values, encoder=encoder, task=task)
            yield some, str(distinct(some, "method")[0])


def _differences(values: Sequence[Row], reference: str) -> list[Row]:
    return [
        row
        for measure in MEASURES[:2]
        for row in differences(values, GROUP, ("method",), (reference,), measure, "user")
    ]


def _pictures(tables: Tables) -> Mapping[str, Picture]:
    return method_pictures(tables, {"recall": "one list of ten", "recall_per_seed": "ten works from every area"})


def _views(tables: Tables) -> Sequence[ReadTable]:
    return method_views(tables)


TAGS = Recipe(
    name="tags",
    paper="ZCCR: Figs. 19 and 20",
    what="areas of interest against overlap of tags (BT) and areas of embedded tags (BTBA)",
    needs="works with groups, and tags: keywords, a set's own, or those that taggers find",
    protocol=(
        PROTOCOL,
        (
            "BT (tag-overlap) ranks by how many of the user's commonest tags a work has: the shortest prefix by "
            "frequency that covers a third of all tags of the uploads; by unique, the first third of the distinct "
            "tags; by twice-unique, as in the paper's code, a third of the distinct tags within each class, which the "
            "rule is told, and then a third of what these kept."
        ),
        "BTBA (tag-embedding) embeds the tags of a work as one text and goes on as with areas.",
        PER_SEED,
        (
            "Areas need vectors of both sides of a task, tags need none: tasks without areas compare tags alone. Where "
            "texts hold the keywords too, as in workspaces, an encoder of texts has read them."
        ),
    ),
    pictures=_pictures,
    views=_views,
)
