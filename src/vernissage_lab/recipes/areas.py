"""`areas`: whether areas of interest rank better than no clustering, and whether a rule finds the true interests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from vernissage.analysis.paired import format_p
from vernissage.errors import RequestError
from vernissage.profiles.area_rules import AreaRule, Coherence, Ward
from vernissage.profiles.areas import Area, area_of, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.progress import Progress
from vernissage.recommenders.upload_rules import FusionRule, knn3z, mean_vector, round_robin, rrf
from vernissage.search.scan import one_thread
from vernissage.values import Modality
from vernissage_lab.area_lists import SHOWN, Seeker, Task, measured_rule, named, tasks_of
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import estimate, short, signed
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.simulated_users import POOL, QUERY_CLASSES, Protocol, protocol_of, simulated_users
from vernissage_lab.tidy import Row, Value, differences, distinct, means, where

STEP = "Measuring lists and areas"
AREAS, TRUE = "areas in turn", "true classes in turn"
IN_TURN = partial(round_robin, list_length=SHOWN)
"""No area brings more works than the whole list holds; sorting all of the pool for each would take most of the time."""

WITHOUT: Mapping[str, FusionRule] = {"mean vector": mean_vector, "knn3z": knn3z, "rrf": rrf}
"""Ways to make one list of uploads without any clustering."""

_Measure = Callable[[Seeker, Sequence[Task]], Iterator[Row]]
_Found = Mapping[Modality, tuple[Area, ...]]


@dataclass(frozen=True)
class AreasComparison:
    """Numbers of interests, uploads in each, and the rules that cut Ward's tree, the reference first."""

    classes: tuple[int, ...] = (1, 2, 5, 10)
    points: int = 10
    cuts: Mapping[str, AreaRule] = field(
        default_factory=lambda: {"coherence": Coherence()} | {f"ward:{t:g}": Ward(t) for t in (1, 1.5, 2, 3, 5)}
    )
    tasks: tuple[str, ...] = ()
    users: int = 100
    query_classes: int = QUERY_CLASSES
    pool: int = POOL


def run_areas(
    materials: Sequence[Material], options: AreasComparison, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Make lists of ten with areas and without, and compare areas with the true interests.

    Returns:
        ``lists``: Recall@10 for each user, task and way to make a list; ``list_means``, ``list_differences`` from
        areas by coherence; ``cuts``: adjusted Rand index to the true interests, number of areas and Recall@10 for each
        user, task and rule; ``cut_means``, ``cut_differences`` from the first rule.

    Raises:
        RequestError: too few classes or noise for the protocol, or a task that is not there.
    """
    kept: dict[str, list[Row]] = {"lists": [], "cuts": []}
    grid = [(material, classes) for material in materials for classes in options.classes]
    notes: list[str] = []
    for done, (material, classes) in enumerate(grid):
        progress(STEP, done, len(grid))
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if len(protocol.usable(options.points)) < classes:
            notes.append(
                f"{material.name}: {classes} classes are left out, because only {len(protocol.usable(options.points))} "
                f"of the query classes have {options.points + 1} works or more"
            )
            continue
        notes += _remarks(material, protocol, options)
        tasks = tasks_of(material, options.tasks)
        for part, rows in _parts(material, options).items():
            key = {**material.describe(), **_settings(options), "classes": classes, "part": part}
            compute = partial(_over_users, material, protocol, classes, options, seed, tasks, rows)
            with one_thread(), threadpool_limits(1):
                kept[part] += cells.rows(key, compute) or []
    progress(STEP, len(grid), len(grid))
    if not any(kept.values()) and not cells.skipped:
        raise RequestError(notes[0] if notes else "nothing is to be measured; give classes and materials")
    return Outcome(_tables(kept, options), tuple(dict.fromkeys(notes)))


def _parts(material: Material, options: AreasComparison) -> dict[str, _Measure]:
    backgrounds = {each: mean_direction(material.vectors[each]) for each in material.modalities}

    def found(seeker: Seeker, rule: AreaRule, tasks: Sequence[Task]) -> _Found:
        sources = {source for source, _ in tasks}
        return {
            each: areas_of_interest(seeker.vectors(each), background=backgrounds[each], rule=rule) for each in sources
        }

    def lists(seeker: Seeker, tasks: Sequence[Task]) -> Iterator[Row]:
        areas = found(seeker, Coherence(), tasks)
        true = {each: _true_areas(seeker, each) for each in areas}
        pools = {target: seeker.pool(target) for target in {target for _, target in tasks}}
        for task in tasks:
            ways: dict[str, tuple[_Found, FusionRule]] = {AREAS: (areas, IN_TURN), TRUE: (true, IN_TURN)}
            ways |= {name: (areas, rule) for name, rule in WITHOUT.items()}
            for name, (own, rule) in ways.items():
                recall = measured_rule(seeker, pools, task, own[task[0]], rule)
                yield {**named(task), "list": name, "recall": recall}

    def cuts(seeker: Seeker, tasks: Sequence[Task]) -> Iterator[Row]:
        pools = {target: seeker.pool(target) for target in {target for _, target in tasks}}
        for name, rule in options.cuts.items():
            areas = found(seeker, rule, tasks)
            for task in tasks:
                own = areas[task[0]]
                recall = measured_rule(seeker, pools, task, own, IN_TURN)
                agreement = adjusted_rand_score(seeker.user.interests, _labels(own, len(seeker.user.uploads)))
                told = {"rand": float(agreement), "areas": float(len(own)), "recall": recall}
                yield {**named(task), "cut": name, **told}

    return {"lists": lists, "cuts": cuts}


def _true_areas(seeker: Seeker, source: Modality) -> tuple[Area, ...]:
    interests = seeker.user.interests
    vectors = seeker.vectors(source)
    return tuple(area_of(vectors, np.flatnonzero(interests == each)) for each in dict.fromkeys(interests.tolist()))


def _labels(areas: Sequence[Area], uploads: int) -> np.ndarray:
    labels = np.zeros(uploads, dtype=np.int64)
    for number, area in enumerate(areas):
        labels[np.asarray(area.members)] = number
    return labels


def _over_users(
    material: Material,
    protocol: Protocol,
    classes: int,
    options: AreasComparison,
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


def _settings(options: AreasComparison) -> dict[str, object]:
    plain = {name: value for name, value in vars(options).items() if name not in ("classes", "cuts", "tasks")}
    return plain | {"tasks": list(options.tasks), "cuts": {name: repr(rule) for name, rule in options.cuts.items()}}


def _tables(kept: Mapping[str, Sequence[Row]], options: AreasComparison) -> Tables:
    group = ("encoder", "task", "classes")
    lists, cuts = kept["lists"], kept["cuts"]
    return {
        "lists": lists,
        "list_means": means(lists, (*group, "list"), ("recall",)),
        "list_differences": differences(lists, group, ("list",), (AREAS,), "recall", "user"),
        "cuts": cuts,
        "cut_means": means(cuts, (*group, "cut"), ("rand", "areas", "recall")),
        "cut_differences": [
            row
            for measure in ("rand", "recall")
            for row in differences(cuts, group, ("cut",), (next(iter(options.cuts)),), measure, "user")
        ],
    }


def _remarks(material: Material, protocol: Protocol, options: AreasComparison) -> Iterator[str]:
    size = protocol.pool_size(max(options.classes))
    if size < options.pool:
        yield f"{material.name}: the pool holds {size} works, all of other classes there are, not {options.pool}"
    if options.query_classes != QUERY_CLASSES:
        yield f"{options.query_classes} query classes, not {QUERY_CLASSES} as in the protocol"
    if options.users < 100:
        yield f"{options.users} users; the protocol asks for 100 or more"


def _pictures(tables: Tables) -> dict[str, Picture]:
    """For each encoder and task: recall of lists, and agreement of cuts, a panel for each number of interests."""
    found: dict[str, Picture] = {}
    for kind, table, line, measure, title in (
        ("lists", "list_means", "list", "recall", "Recall in one list of ten"),
        ("cuts", "cut_means", "cut", "rand", "Agreement of areas with the true interests (adjusted Rand)"),
    ):
        rows = where(tables.get(table, ()), measure=measure)
        for encoder, task in _pairs(rows):
            heading = f"{title}: {encoder}, {_arrow(task)}"
            mine = where(rows, encoder=encoder, task=task)
            figure = evaluation_figure([_point(row, line) for row in mine], title=heading)
            alt = f"{heading}, for {', '.join(_counted(each) for each in distinct(mine, 'classes'))}."
            found[f"{kind}-{encoder}-{task}"] = Picture(figure, alt)
    return found


def _arrow(task: object) -> str:
    return str(task).replace("-to-", " → ")


def _point(row: Row, line: str) -> EvaluationRow:
    name, mean, se = str(row[line]), float(row["mean"]), float(row["se"])
    return EvaluationRow(name, _counted(row["classes"]), mean, se, name in (TRUE, "ward:5"))


def _views(tables: Tables) -> list[ReadTable]:
    found: list[ReadTable] = []
    rows = tables.get("list_means", ())
    for encoder, task in _pairs(rows):
        mine, apart = (where(some, encoder=encoder, task=task) for some in (rows, tables["list_differences"]))
        classes = distinct(mine, "classes")
        heads = ("list", *map(_counted, classes))
        body = [
            (str(name), *(estimate(where(mine, list=name, classes=each)[0]) for each in classes))
            for name in distinct(mine, "list")
        ]
        differ = [
            (str(name), *(_short_difference(where(apart, list=name, classes=each)) for each in classes))
            for name in distinct(apart, "list")
        ]
        caption = f"Recall@10 with {encoder}, {task}"
        note = "± one standard error; paired by user; in brackets p with Holm's correction over the lists of a column"
        found.append(ReadTable(caption, heads, tuple(body), "± one standard error over users"))
        found.append(ReadTable(f"{caption}, minus that of {AREAS}", heads, tuple(differ), note))
    rows = tables.get("cut_means", ())
    for encoder, task in _pairs(rows):
        mine = where(rows, encoder=encoder, task=task)
        classes = distinct(mine, "classes")
        lines = tuple(
            (str(name), *(_told(where(mine, cut=name, classes=each)) for each in classes))
            for name in distinct(mine, "cut")
        )
        note = "adjusted Rand index to the true interests ± standard error | areas found | Recall@10, areas in turn"
        heads = ("cut", *map(_counted, classes))
        found.append(ReadTable(f"Areas with {encoder}, {task}", heads, lines, note))
    return found


def _counted(classes: Value) -> str:
    return "1 interest" if classes == 1 else f"{classes} interests"


def _short_difference(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    row = rows[0]
    error = short(float(row["se"]))
    return f"{signed(float(row['difference']))} ±{error} ({format_p(float(row['p_holm']))})"


def _pairs(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [
        (str(encoder), str(task))
        for encoder, task in product(distinct(rows, "encoder"), distinct(rows, "task"))
        if where(rows, encoder=encoder, task=task)
    ]


def _told(rows: Sequence[Row]) -> str:
    told = {str(row["measure"]): row for row in rows}
    if not told:
        return ""
    recall = short(float(told["recall"]["mean"]))
    return f"{estimate(told['rand'])} | {float(told['areas']['mean']):.1f} | {recall}"


AREAS_RECIPE = Recipe(
    name="areas",
    paper="left open by ZCCR, sections 3 and 4",
    what="areas against no clustering; the coherence rule against fixed cuts of Ward's tree",
    needs="a workspace with groups",
    protocol=(
        "The recommendation protocol of `ablation`: users of a few classes, one more work of each in a pool of noise.",
        f"{AREAS}: areas by coherence bring their nearest works in turn; {TRUE}: the same, knowing the classes.",
        "Without clustering: the mean vector; knn3z, the mean of a work's three best z-scores to single uploads.",
        "Also without: rrf, reciprocal ranks over single uploads with k = 0.",
        "Cuts: vectors have length 1, so ward:5, the paper's, is a cut at 5 of unit vectors.",
    ),
    pictures=_pictures,
    views=_views,
)
