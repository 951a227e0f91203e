"""`overlap`: the study's tables of how alike lists are, from simulated visitors instead of participants."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

from vernissage.analysis.overlap import OverlapBetween, overlap_tables
from vernissage.progress import Progress
from vernissage.recommenders.contract import Recommender
from vernissage_lab.cells import Cells
from vernissage_lab.evaluation import evaluate
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import short
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.recipes.weighting import VISITORS_PROTOCOL
from vernissage_lab.taste_world import TasteWorld, VisitorOptions, lists_of, visitor_rows
from vernissage_lab.tidy import Row, distinct, where

METRICS = ("IoU", "RBO")


def run_overlap(
    world: TasteWorld,
    engines: Mapping[str, Recommender],
    options: VisitorOptions,
    *,
    seed: int,
    cells: Cells,
    progress: Progress,
) -> Outcome:
    """Show every visitor the list of every engine, and compare the lists.

    Returns:
        ``values``: one list for each engine and visitor; ``within``: Table 1, overlap of one engine's lists over all
        pairs of different visitors; ``between``: Table 2, overlap of two engines' lists of the same visitor, with the
        standard error over visitors (pairs of Table 1 share lists, so none follows from their deviation).

    Raises:
        RequestError: as `evaluate`.
    """
    key = {**world.describe(), **vars(options), "engines": list(engines)}
    values = cells.rows(key, partial(_rows, world, engines, options, seed, progress)) or []
    lists = {
        (f"visitor{visitor:06d}", engine): shown
        for engine, own in lists_of(values).items()
        for visitor, shown in own.items()
    }
    within, between = overlap_tables(lists)
    tables: Tables = {
        "values": values,
        "within": [
            {"engine": each.engine, "metric": each.metric, "mean": each.mean, "sd": each.sd, "pairs": each.n_pairs}
            for each in within
        ],
        "between": [_between_row(each) for each in between],
    }
    return Outcome(tables, tuple(options.notes()))


def _between_row(each: OverlapBetween) -> Row:
    se = each.sd / math.sqrt(each.n_pairs) if each.n_pairs else math.nan
    pair: Row = {"engine_a": each.engine_a, "engine_b": each.engine_b, "metric": each.metric}
    return {**pair, "mean": each.mean, "sd": each.sd, "se": se, "visitors": each.n_pairs}


def _rows(
    world: TasteWorld, engines: Mapping[str, Recommender], options: VisitorOptions, seed: int, progress: Progress
) -> list[Row]:
    found = evaluate(
        engines,
        world.labels,
        world.collection,
        visitors=options.visitors,
        n=options.n,
        seed=seed,
        progress=progress,
    )
    return visitor_rows(found, {})


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = tables.get("between", ())
    if not rows:
        return {}
    heading = "How alike two engines' lists for the same visitor are"
    points = [
        EvaluationRow(f"{row['engine_a']}, {row['engine_b']}", str(row["metric"]), float(row["mean"]), float(row["se"]))
        for row in rows
    ]
    alike = max(where(rows, metric="IoU"), key=lambda row: float(row["mean"]))
    alt = f"{heading}. Most alike: {alike['engine_a']} and {alike['engine_b']}, IoU {float(alike['mean']):.3f}."
    return {"between": Picture(evaluation_figure(points, title=heading), alt)}


def _views(tables: Tables) -> list[ReadTable]:
    rows = tables.get("within", ())
    if not rows:
        return []
    engines = [str(engine) for engine in distinct(rows, "engine")]
    first = tuple(
        (
            engine,
            *(_spread(where(rows, engine=engine, metric=metric)) for metric in METRICS),
            str(where(rows, engine=engine, metric="IoU")[0]["pairs"]),
        )
        for engine in engines
    )
    told = "± is the standard deviation over pairs of visitors"
    found = [ReadTable("Table 1: overlap of one engine's lists", ("engine", *METRICS, "pairs"), first, told)]
    if len(engines) > 1:
        body = tuple((a, *(_between(tables, a, b, engines) for b in engines)) for a in engines)
        note = "IoU above the diagonal, RBO below; ± is the standard deviation over visitors"
        caption = "Table 2: overlap of two engines' lists for the same visitor"
        found.append(ReadTable(caption, ("engine", *engines), body, note))
    return found


def _between(tables: Tables, a: str, b: str, engines: Sequence[str]) -> str:
    if a == b:
        return "–"
    above = engines.index(a) < engines.index(b)
    first, second, metric = (a, b, "IoU") if above else (b, a, "RBO")
    return _spread(where(tables["between"], engine_a=first, engine_b=second, metric=metric))


def _spread(rows: Sequence[Row]) -> str:
    return f"{short(float(rows[0]['mean']))} ±{short(float(rows[0]['sd']))}" if rows else ""


OVERLAP = Recipe(
    name="overlap",
    paper="Yilma & Leiva 2023: Tables 1 and 2, with simulated visitors",
    what="how alike the lists of one engine are, and those of two",
    needs="a workspace with two engines or more, and labels or hidden factors",
    protocol=(
        VISITORS_PROTOCOL,
        "One list for each visitor and engine. IoU: intersection over union; RBO: rank-biased overlap, p = .9.",
        "Table 1: all pairs of different visitors. Table 2: the two lists of the same visitor.",
        "The paper's participants were people, its pictures ResNet-50's: its tables cannot be expected here.",
    ),
    pictures=_pictures,
    views=_views,
)
