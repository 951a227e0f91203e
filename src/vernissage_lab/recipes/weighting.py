"""`weighting`: which weights of ratings serve simulated visitors best."""

from collections.abc import Mapping, Sequence
from functools import partial

from vernissage.analysis.paired import format_p
from vernissage.profiles.ratings import WEIGHTING_RULES, WeightingRule
from vernissage.progress import Progress
from vernissage.recommenders.contract import Recommender
from vernissage_lab.cells import Cells
from vernissage_lab.evaluation import evaluate
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import estimate, signed
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.taste_world import MEASURES, TasteWorld, VisitorOptions, visitor_rows
from vernissage_lab.tidy import Row, differences, distinct, means, where

REFERENCE: WeightingRule = "linear"
VISITORS_PROTOCOL = (
    "Simulated visitors have tastes over hidden factors or labels of the works, rate one work of each group (or of "
    "each ninth of the collection) with noise of half a star, and are shown nine others; lists are judged by the true "
    "taste. docs/evaluation.md tells how."
)


def run_weighting(
    world: TasteWorld,
    engines: Mapping[str, Recommender],
    options: VisitorOptions,
    *,
    seed: int,
    cells: Cells,
    progress: Progress,
) -> Outcome:
    """Ask every engine with each weighting rule for the same visitors.

    Returns:
        ``values``: one row for each rule, engine and visitor; ``means``; ``differences`` of nDCG and recall from
        `linear`, paired by visitor.

    Raises:
        RequestError: as `evaluate`.
    """
    values: list[Row] = []
    for rule in WEIGHTING_RULES:
        key = {**world.describe(), **vars(options), "engines": list(engines), "rule": rule}
        values += cells.rows(key, partial(_rows, world, engines, options, seed, rule, progress)) or []
    compared = [
        row
        for measure in ("ndcg", "recall")
        for row in differences(values, ("engine",), ("rule",), (REFERENCE,), measure, "visitor")
    ]
    tables = {"values": values, "means": means(values, ("engine", "rule"), MEASURES), "differences": compared}
    return Outcome(tables, tuple(options.notes()))


def _rows(
    world: TasteWorld,
    engines: Mapping[str, Recommender],
    options: VisitorOptions,
    seed: int,
    rule: WeightingRule,
    progress: Progress,
) -> list[Row]:
    found = evaluate(
        engines,
        world.labels,
        world.collection,
        visitors=options.visitors,
        n=options.n,
        seed=seed,
        rule=rule,
        progress=progress,
    )
    return visitor_rows(found, {"rule": rule})


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = where(tables.get("means", ()), measure="ndcg")
    if not rows:
        return {}
    points = [EvaluationRow(str(row["rule"]), str(row["engine"]), float(row["mean"]), float(row["se"])) for row in rows]
    heading = "How well lists serve simulated visitors (nDCG), by weighting rule; every panel has its own scale"
    best = max(rows, key=lambda row: float(row["mean"]))
    alt = f"{heading}. Highest: {best['engine']} with {best['rule']}, {float(best['mean']):.3f}."
    return {"weighting": Picture(evaluation_figure(points, title=heading), alt)}


def _views(tables: Tables) -> list[ReadTable]:
    rows = where(tables.get("means", ()), measure="ndcg")
    if not rows:
        return []
    rules = [str(rule) for rule in distinct(rows, "rule")]
    others = [rule for rule in rules if rule != REFERENCE]
    body = tuple(
        (
            str(engine),
            estimate(where(rows, engine=engine, rule=REFERENCE)[0]),
            *(difference(where(tables["differences"], engine=engine, rule=rule, measure="ndcg")) for rule in others),
        )
        for engine in distinct(rows, "engine")
    )
    heads = ("engine", REFERENCE, *(f"{rule} − {REFERENCE}" for rule in others))
    note = "± one standard error; differences are paired by visitor, with Holm's p over the rules of an engine"
    return [ReadTable("nDCG of simulated visitors' lists, by weighting rule", heads, body, note)]


def difference(rows: Sequence[Row]) -> str:
    """A paired difference with its standard error and Holm's p; empty where there is none."""
    if not rows:
        return ""
    row = rows[0]
    error = f"{float(row['se']):.3f}".removeprefix("0")
    p = format_p(float(row["p_holm"]))
    return f"{signed(float(row['difference']))} ±{error}, p {p if p.startswith('<') else f'= {p}'}"


WEIGHTING = Recipe(
    name="weighting",
    paper="left open by Yilma & Leiva 2023, section 4",
    what="weights of ratings: linear, minmax or signed",
    needs="a workspace, and labels or hidden factors",
    protocol=(
        VISITORS_PROTOCOL,
        "linear is (r − 1)/4, minmax (r − min)/(max − min), signed (r − 3)/2. All rules see the same visitors.",
    ),
    pictures=_pictures,
    views=_views,
)
