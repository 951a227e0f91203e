"""`tags`: areas of interest against recommendations by tags (Figs. 19 and 20)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Modality, Vectors
from vernissage.errors import RequestError
from vernissage.experiments.area_lists import SHOWN, Seeker, Task, measured, named, tasks_of
from vernissage.experiments.cells import Cells
from vernissage.experiments.facets import method_pictures, method_views
from vernissage.experiments.material import Material, Rows
from vernissage.experiments.recipes.ablation import PER_SEED, PROTOCOL
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
from vernissage.experiments.tidy import Row, differences, means
from vernissage.pages.experiment_report import ReadTable
from vernissage.profiles.areas import area_of, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.progress import Progress
from vernissage.recommenders.tag_embedding import embed_tags
from vernissage.recommenders.tag_overlap import TagOverlap, known_tags
from vernissage.search.scan import one_thread

STEP = "Comparing areas with tags"
MEASURES = ("recall", "recall_per_seed", "shown")
GROUP = ("encoder", "task", "classes", "points")
NOTHING = {"recall": 0.0, "recall_per_seed": 0.0, "shown": 0.0}
"""What somebody is shown for whom a method has no answer."""


@dataclass(frozen=True)
class TagOptions:
    """How many interests and uploads, and the protocol's numbers."""

    classes: tuple[int, ...] = (1, 2, 5, 10)
    points: tuple[int, ...] = (5, 10, 20, 30)
    tasks: tuple[str, ...] = ()
    users: int = FEWEST_USERS
    query_classes: int = QUERY_CLASSES
    pool: int = POOL


def run_tags(
    materials: Sequence[Material], options: TagOptions, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Measure the three methods of the paper, the same users for all of them.

    ``areas``: areas of interest of the vectors, the centroids take turns. ``tag-overlap`` (BT): `TagOverlap` by its
    rule ``mass``. ``tag-embedding`` (BTBA): as ``areas``, over vectors of the works' tags joined by blanks.

    Raises:
        RequestError: a material has no tags, or nothing that reads them; too few classes or too little noise.
    """
    values: list[Row] = []
    notes = [note for material in materials if (note := _lent(material))]
    materials = [_with_all_tags(material) for material in materials]
    grid = [(material, *cell) for material in materials for cell in product(options.classes, options.points)]
    tagged = {material.encoder: _tagged(material) for material in materials}
    for done, (material, classes, points) in enumerate(grid):
        progress(STEP, done, len(grid))
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if why := protocol.too_small(classes, points, material.name):
            notes.append(why)
            continue
        key = {**material.describe(), **vars(options), "classes": classes, "points": points}
        with one_thread(), threadpool_limits(1):
            found = cells.rows(
                key, partial(_rows, material, tagged[material.encoder], classes, points, protocol, options, seed)
            )
        values += found or []
    progress(STEP, len(grid), len(grid))
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes and points")
    most = max((int(row["classes"]) for row in values), default=max(options.classes))
    for material in materials:
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        notes += remarks(material.name, protocol, most, options.users, cells.skipped)
    return Outcome(_tables(values), tuple(dict.fromkeys(notes)))


def no_tags(name: str) -> str:
    """What to say where no work has a tag."""
    return (
        f"no work of {name} has tags, so there is nothing to compare with; take a collection with a column keywords, "
        f"or a classified set with the columns image_tags or text_tags"
    )


def _has_tags(material: Material, modality: Modality) -> bool:
    return any(material.tags.get(modality, {}).values())


def _with_all_tags(material: Material) -> Material:
    """Where pictures alone, or texts alone, have tags, they are the other's too: both are of one work."""
    known = [tags for tags in material.tags.values() if any(tags.values())]
    lent = {
        each: material.tags[each] if _has_tags(material, each) else known[0] for each in material.modalities if known
    }
    return replace(material, tags=lent)


def _lent(material: Material) -> str:
    without = [each for each in material.modalities if not _has_tags(material, each)]
    if not without or not any(any(tags.values()) for tags in material.tags.values()):
        return ""
    return f"{material.name}: its {without[0]}s have no tags of their own, so those of the other half stand for them"


def _tagged(material: Material) -> Material:
    """The same works by the vectors of their tags."""
    if not any(any(tags.values()) for tags in material.tags.values()):
        raise RequestError(no_tags(material.name))
    if material.text_encoder is None:
        raise RequestError(f"nothing in {material.name} reads tags; build an encoder of texts, such as lsa, beside it")
    known: dict[int, Vectors] = {}
    vectors: dict[Modality, Vectors] = {}
    for modality in material.modalities:
        tags = material.tags.get(modality, {})
        if id(tags) not in known:  # one column of keywords often serves both modalities
            lists = [known_tags(tags, item_id) for item_id in material.item_ids]
            known[id(tags)] = embed_tags(lists, material.text_encoder)
        vectors[modality] = known[id(tags)]
    return replace(material, vectors=vectors)


def _rows(*parts: Any) -> list[Row]:
    return list(_measure(*parts))


def _measure(
    material: Material,
    tagged: Material,
    classes: int,
    points: int,
    protocol: Protocol,
    options: TagOptions,
    seed: int,
) -> Iterator[Row]:
    tasks = tasks_of(material, options.tasks)
    backgrounds = [
        {source: mean_direction(_known(each.vectors[source])) for source in each.modalities}
        for each in (material, tagged)
    ]
    people = simulated_users(protocol, interests=classes, points=points, users=options.users, seed=seed)
    for number, user in enumerate(people):
        seeker, by_tags = Seeker(material, user), Seeker(tagged, user)
        shown = _by_areas(seeker, tasks, backgrounds[0])
        shown_by_tags = _by_areas(by_tags, tasks, backgrounds[1])
        for task in tasks:
            found = {
                "areas": shown[task],
                "tag-overlap": _by_overlap(seeker, task),
                "tag-embedding": shown_by_tags[task],
            }
            for method, told in found.items():
                yield (
                    {"encoder": material.encoder}
                    | dict(named(task))
                    | {"classes": classes, "points": points, "method": method, "user": number}
                    | {measure: told[measure] for measure in MEASURES}
                )


def _by_areas(
    seeker: Seeker, tasks: Sequence[Task], backgrounds: Mapping[Modality, np.ndarray]
) -> dict[Task, Mapping[str, float]]:
    pools = {target: seeker.pool(target) for target in {target for _, target in tasks}}
    areas = {
        source: areas_of_interest(vectors, background=backgrounds[source])
        for source in {source for source, _ in tasks}
        if (vectors := seeker.vectors(source)).any()
    }
    return {
        task: measured(seeker, pools, task, areas[task[0]], "centroid")
        if task[0] in areas and len(pools[task[1]])
        else NOTHING
        for task in tasks
    }


def _by_overlap(seeker: Seeker, task: Task) -> Mapping[str, float]:
    """Uploads have the tags of their modality, and works of the pool those of theirs; nothing is both."""
    source, target = task
    uploads = dict(zip(seeker.upload_ids, _tags_of(seeker.material, source, seeker.user.uploads), strict=True))
    works = dict(zip(seeker.pool_ids, _tags_of(seeker.material, target, seeker.user.pool), strict=True))
    if not any(known_tags(uploads, item_id) for item_id in uploads):
        return NOTHING
    profile = seeker.profile(source, [area_of(seeker.vectors(source), range(len(uploads)))])
    overlap = TagOverlap(uploads | works, {target: seeker.index(target)})
    shown = overlap.recommend(profile, target, SHOWN).item_ids
    recall = seeker.found(shown)
    return {"recall": recall, "recall_per_seed": recall, "shown": float(len(shown))}


def _tags_of(material: Material, modality: Modality, rows: Rows) -> list[Sequence[str]]:
    tags = material.tags.get(modality, {})
    return [tags.get(material.item_ids[row], ()) for row in rows.tolist()]


def _known(vectors: Vectors) -> Vectors:
    return vectors[vectors.any(axis=1)]


def _tables(values: Sequence[Row]) -> Tables:
    compared = [
        row for measure in MEASURES[:2] for row in differences(values, GROUP, ("method",), ("areas",), measure, "user")
    ]
    return {"values": values, "means": means(values, (*GROUP, "method"), MEASURES), "differences": compared}


def _pictures(tables: Tables) -> Mapping[str, Picture]:
    return method_pictures(tables, {"recall": "one list of ten", "recall_per_seed": "ten works from every area"})


def _views(tables: Tables) -> Sequence[ReadTable]:
    return method_views(tables)


TAGS = Recipe(
    name="tags",
    paper="ZCCR: Figs. 19 and 20",
    what="areas of interest against overlap of tags (BT) and areas of embedded tags (BTBA)",
    needs="a workspace with groups and keywords, or a classified set with tags",
    protocol=(
        PROTOCOL,
        (
            "BT ranks by how many of the user's commonest tags a work has: the shortest prefix by frequency that "
            "covers a third of all tags of the uploads. BTBA embeds the tags of a work as one text and goes on as with "
            "areas."
        ),
        PER_SEED,
        (
            "Tags of a workspace are its keywords, the same for picture and text; the paper's were found by models. "
            "Where texts hold the keywords too, as in workspaces, an encoder of texts has read them."
        ),
    ),
    pictures=_pictures,
    views=_views,
)
