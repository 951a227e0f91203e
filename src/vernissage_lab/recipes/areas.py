"""`areas`: whether areas of interest rank better than no clustering, and whether a rule finds the true interests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from vernissage.errors import RequestError
from vernissage.gallery.areas import area_rule
from vernissage.profiles.area_rules import AreaRule, Coherence
from vernissage.profiles.areas import Area, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.recommenders.upload_rules import FusionRule
from vernissage.values import Modality
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import IN_TURN, RULES, Seeker, Task, named, recall_by_rule, tasks_of
from vernissage_lab.material import Material
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables, Words
from vernissage_lab.tables import (
    Row,
    Table,
    arrow,
    by_measure,
    difference,
    differences,
    distinct,
    estimate,
    interests,
    means,
    parts,
    pivot,
    short,
    where,
)
from vernissage_lab.users import Points, Protocol, Tasks, simulated_users
from vernissage_lab.works import UserOptions

STEP = "Measuring lists and areas"
AREAS, TRUE = "areas in turn", "true classes in turn"
WITHOUT: Mapping[str, FusionRule] = {
    name: RULES[name] for name in ("mean-vector", "knn3z", "csls", "rrf", "medoids", "uploads-in-turn")
}
"""Rules that make one list of uploads without areas of interest; ``medoids`` are of clusters of its own."""

_Areas = Mapping[Modality, tuple[Area, ...]]
_Measure = Callable[[Seeker, Sequence[Task]], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class AreasOptions(UserOptions):
    """Numbers of interests, uploads in each, and the rules that find areas, the reference first."""

    points: Points = 10
    cut: Words = None
    task: Tasks = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cuts  # noqa: B018, refuses words that mean nothing

    @cached_property
    def cuts(self) -> Mapping[str, AreaRule]:
        """The rules by their words."""
        usual = ("coherence", "ward:1", "ward:1.5", "ward:2", "ward:3", "ward:5")
        return {word: area_rule(word) for word in self.cut or usual}

    def record(self) -> dict[str, Any]:
        return {**super().record(), "cuts": self.cuts}


def compute(options: AreasOptions, cells: Cells) -> Outcome:
    """Compare lists by areas of interest with lists without clustering, and areas with the true interests.

    \b
    Examples:
      vernissage lab experiment run areas workspace -e lsa -e minilm
      vernissage lab experiment run areas workspace -e aligned --task image-to-text --users 20
      vernissage lab experiment run areas workspace --cut coherence --cut silhouette --cut ward:1.5
    """
    options.require_classes()
    return run_areas(options.materials(cells), options, cells)


def run_areas(materials: Sequence[Material], options: AreasOptions, cells: Cells) -> Outcome:
    """Make lists of ten with areas and without, and compare areas with the true interests.

    Returns:
        ``lists``: Recall@10 for each user, task and way to make a list; ``list_means``, ``list_differences`` from
        areas by coherence; ``cuts``: adjusted Rand index to the true interests, number of areas and Recall@10 for each
        user, task and rule; ``cut_means``, ``cut_differences`` from the first rule.

    Raises:
        RequestError: too few classes or noise for the protocol, or a task that is not there.
    """
    notes: list[str] = []
    grid: list[tuple[str, Part]] = []
    for material, classes in product(materials, options.interests):
        protocol = options.protocol(material)
        if why := protocol.too_small(classes, options.points, material.name):
            notes.append(why)
            continue
        notes += protocol.remarks(material.name, max(options.interests), options.users)
        tasks = tasks_of(material, options.task)
        key = {**material.describe(), **options.numbers(), "classes": classes, "points": options.points}
        key["tasks"] = [named(task) for task in tasks]
        for part, measure in _measures(material, options).items():
            rules = {name: repr(rule) for name, rule in options.cuts.items()} if part == "cuts" else {}
            compute_rows = partial(_rows, material, protocol, classes, options, cells.seed, tasks, measure)
            grid.append((part, Part({**key, "part": part, "cuts": rules}, compute_rows)))
    found = rows_of([part for _, part in grid], cells, STEP)
    kept: dict[str, list[Row]] = {"lists": [], "cuts": []}
    for (part, _), rows in zip(grid, found, strict=True):
        kept[part] += rows
    if not any(kept.values()) and not cells.skipped:
        raise RequestError(notes[0] if notes else "nothing is to be measured; give classes and materials")
    return Outcome(_tables(kept, options), tuple(notes), tuple(material.describe() for material in materials))


def _measures(material: Material, options: AreasOptions) -> dict[str, _Measure]:
    backgrounds = {each: mean_direction(material.vectors[each]) for each in material.modalities}

    def found(seeker: Seeker, rule: AreaRule, tasks: Sequence[Task]) -> _Areas:
        sources = {source for source, _ in tasks}
        return {
            each: areas_of_interest(seeker.vectors(each), background=backgrounds[each], rule=rule) for each in sources
        }

    def lists(seeker: Seeker, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        areas = found(seeker, Coherence(), tasks)
        true = {each: seeker.true_areas(each) for each in areas}
        indexes = seeker.indexes(tasks)
        ways: dict[str, tuple[_Areas, FusionRule]] = {AREAS: (areas, IN_TURN), TRUE: (true, IN_TURN)}
        ways |= {name: (areas, rule) for name, rule in WITHOUT.items()}
        for task, (name, (own, rule)) in product(tasks, ways.items()):
            yield {**named(task), "list": name, "recall": recall_by_rule(seeker, indexes, task, own[task[0]], rule)}

    def cuts(seeker: Seeker, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        indexes = seeker.indexes(tasks)
        for name, rule in options.cuts.items():
            areas = found(seeker, rule, tasks)
            for task in tasks:
                own = areas[task[0]]
                labels = np.zeros(len(seeker.user.uploads), dtype=np.int64)
                for number, area in enumerate(own):
                    labels[np.asarray(area.members)] = number
                agreement = float(adjusted_rand_score(seeker.user.interests, labels))
                recall = recall_by_rule(seeker, indexes, task, own, IN_TURN)
                yield {**named(task), "cut": name, "rand": agreement, "areas": float(len(own)), "recall": recall}

    return {"lists": lists, "cuts": cuts}


def _rows(
    material: Material,
    protocol: Protocol,
    classes: int,
    options: AreasOptions,
    seed: int,
    tasks: Sequence[Task],
    measure: _Measure,
) -> list[Row]:
    people = simulated_users(protocol, interests=classes, points=options.points, users=options.users, seed=seed)
    return [
        {"encoder": material.encoder, "classes": classes, "user": number, **row}
        for number, user in enumerate(people)
        for row in measure(Seeker(material, user), tasks)
    ]


def _tables(kept: Mapping[str, Sequence[Row]], options: AreasOptions) -> Tables:
    group = ("encoder", "task", "classes")
    lists, cuts = kept["lists"], kept["cuts"]
    return {
        "lists": lists,
        "list_means": means(lists, (*group, "list"), ("recall",)),
        "list_differences": differences(lists, group, ("list",), (AREAS,), ("recall",), "user"),
        "cuts": cuts,
        "cut_means": means(cuts, (*group, "cut"), ("rand", "areas", "recall")),
        "cut_differences": differences(cuts, group, ("cut",), tuple(options.cuts)[:1], ("rand", "recall"), "user"),
    }


def _pictures(tables: Tables) -> dict[str, Picture]:
    """For each encoder and task: recall of lists, and agreement of cuts, a panel for each number of interests."""
    found: dict[str, Picture] = {}
    for kind, name, line, measure, title in (
        ("lists", "list_means", "list", "recall", "Recall in one list of ten"),
        ("cuts", "cut_means", "cut", "rand", "Agreement of areas with the true interests (adjusted Rand)"),
    ):
        for (encoder, task), mine in parts(where(tables.get(name, ()), measure=measure), "encoder", "task"):
            heading = f"{title}: {encoder}, {arrow(task)}"
            dots = [Dot.of(row, row[line], interests(row["classes"]), row[line] in (TRUE, "ward:5")) for row in mine]
            alt = f"{heading}, for {', '.join(interests(each) for each in distinct(mine, 'classes'))}."
            found[f"{kind}-{encoder}-{task}"] = Picture(dot_figure(dots, title=heading), alt)
    return found


def _views(tables: Tables) -> list[Table]:
    found: list[Table] = []
    how: dict[str, Any] = {"head": interests}
    for (encoder, task), mine in parts(tables.get("list_means", ()), "encoder", "task"):
        caption, apart = f"Recall@10 with {encoder}, {task}", tables["list_differences"]
        note = "± one standard error over users"
        found.append(pivot(mine, caption, ("list",), "classes", lambda rows: estimate(rows[0]), note=note, **how))
        note = "± one standard error; paired by user, with Holm's p over the lists of a column"
        some = where(apart, encoder=encoder, task=task)
        found.append(
            pivot(some, f"{caption}, minus that of {AREAS}", ("list",), "classes", difference, note=note, **how)
        )
    for (encoder, task), mine in parts(tables.get("cut_means", ()), "encoder", "task"):
        note = "adjusted Rand index to the true interests ± standard error | areas found | Recall@10, areas in turn"
        found.append(pivot(mine, f"Areas with {encoder}, {task}", ("cut",), "classes", _told, note=note, **how))
    return found


def _told(rows: list[Row]) -> str:
    told = by_measure(rows)
    return f"{estimate(told['rand'])} | {told['areas']['mean']:.1f} | {short(told['recall']['mean'])}"


RECIPE = Recipe(EXPERIMENTS["areas"], AreasOptions, compute, _pictures, _views)
