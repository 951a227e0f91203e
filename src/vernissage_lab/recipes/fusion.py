"""`fusion`: which constant, or which normalised scores, and whether fusing the first few works is fusing all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from vernissage.progress import Progress
from vernissage.rankings import iou, rbo, reciprocal_rank_fusion
from vernissage.recommenders.contract import Engine
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.values import Ranking
from vernissage_lab.cells import Cells
from vernissage_lab.evaluation import evaluate
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import estimate
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.recipes.weighting import VISITORS_PROTOCOL, difference
from vernissage_lab.taste_world import MEASURES, TasteWorld, VisitorOptions, lists_of, visitor_rows
from vernissage_lab.tidy import Row, Value, differences, distinct, means, where

PAPER = "rrf k=0, all works"
"""The fusion of the first paper's engine `late-total`."""


@dataclass(frozen=True)
class FusionComparison(VisitorOptions):
    """Visitors, and the constants of reciprocal-rank fusion that are compared."""

    constants: tuple[int, ...] = (0, 1, 10, 60)


def run_fusion(
    world: TasteWorld,
    parts: Mapping[str, Engine],
    options: FusionComparison,
    *,
    seed: int,
    cells: Cells,
    progress: Progress,
) -> Outcome:
    """Fuse ``parts`` in every way for the same visitors, and compare lists of the first works with lists of all.

    *Partial* fusion looks at the first n works of each part, *total* at all. Beside these rankings, random ones of as
    many works and parts are fused.

    Returns:
        ``values``: one row for each engine and visitor; ``means``; ``differences`` of nDCG from the paper's fusion and
        from each part; ``overlap``: IoU and RBO of the partial and the total list of each visitor and constant;
        ``overlap_means``; ``overlap_differences`` from the smallest constant.

    Raises:
        RequestError: as `evaluate`.
    """
    key = {**world.describe(), **vars(options), "constants": list(options.constants), "parts": list(parts)}
    values = cells.rows(key, partial(_rows, world, parts, options, seed, progress)) or []
    count = (len(world.labels.labelled), len(parts))
    by_chance = cells.rows({**key, "random": count}, partial(_random, *count, options, seed)) or []
    overlaps = [*_real(values, options.constants), *by_chance]
    compared = [
        row
        for reference in (PAPER, *parts)
        for row in differences(values, (), ("engine",), (reference,), "ndcg", "visitor")
    ]
    first = (options.constants[0],)
    apart = [
        row
        for measure in ("iou", "rbo")
        for row in differences(overlaps, ("rankings",), ("k",), first, measure, "visitor")
    ]
    tables: Tables = {
        "values": values,
        "means": means(values, ("engine",), MEASURES),
        "differences": compared,
        "overlap": overlaps,
        "overlap_means": means(overlaps, ("rankings", "k"), ("iou", "rbo")),
        "overlap_differences": apart,
    }
    return Outcome(tables, tuple(options.notes()))


def _rows(
    world: TasteWorld, parts: Mapping[str, Engine], options: FusionComparison, seed: int, progress: Progress
) -> list[Row]:
    found = evaluate(
        {**parts, **_fusions(parts, options)},
        world.labels,
        world.collection,
        visitors=options.visitors,
        n=options.n,
        seed=seed,
        progress=progress,
    )
    return visitor_rows(found, {})


def _fusions(parts: Mapping[str, Engine], options: FusionComparison) -> dict[str, LateFusion]:
    engines = list(parts.values())
    by_rank = {
        _named(k, depth): LateFusion(engines, k=k, depth=depth)
        for k in options.constants
        for depth in (options.n, None)
    }
    return by_rank | {
        "min-max": LateFusion(engines, method="minmax"),
        "z-scores": LateFusion(engines, method="zscore"),
    }


def _named(k: int, depth: int | None) -> str:
    return f"rrf k={k}, {'all works' if depth is None else 'first works'}"


def _real(values: Sequence[Row], constants: Sequence[int]) -> list[Row]:
    lists = lists_of(values)
    return [
        _overlap("of visitors", k, visitor, first, lists[_named(k, None)][visitor])
        for k in constants
        for visitor, first in lists.get(_named(k, 0), {}).items()
    ]


def _random(works: int, parts: int, options: FusionComparison, seed: int) -> list[Row]:
    """Random rankings of as many works by as many parts, drawn anew for each visitor, the same for all constants."""
    found: list[Row] = []
    for visitor in range(options.visitors):
        random = np.random.default_rng([seed, visitor])
        orders = [random.permutation(works) for _ in range(parts)]
        rankings = [Ranking(tuple(f"w{row:06d}" for row in order), -np.arange(works, dtype=float)) for order in orders]
        for k in options.constants:
            first = reciprocal_rank_fusion(rankings, k=k, depth=options.n).item_ids[: options.n]
            whole = reciprocal_rank_fusion(rankings, k=k).item_ids[: options.n]
            found.append(_overlap("random", k, visitor, first, whole))
    return found


def _overlap(rankings: str, k: int, visitor: int, first: Sequence[str], whole: Sequence[str]) -> Row:
    return {"rankings": rankings, "k": k, "visitor": visitor, "iou": iou(first, whole), "rbo": rbo(first, whole)}


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = [row for row in tables.get("means", ()) if row["measure"] in ("ndcg", "diversity")]
    if not rows:
        return {}
    single = set(_parts(tables))
    words = {"ndcg": "nDCG", "diversity": "intra-list diversity"}
    points = [
        EvaluationRow(
            str(row["engine"]),
            words[str(row["measure"])],
            float(row["mean"]),
            float(row["se"]),
            row["engine"] in single,
        )
        for row in rows
    ]
    heading = "Ways to fuse engines, for simulated visitors; grey: one engine alone"
    best = max(where(rows, measure="ndcg"), key=lambda row: float(row["mean"]))
    overlap = [
        EvaluationRow(
            f"k = {row['k']}, {row['rankings']}",
            {"iou": "IoU", "rbo": "RBO"}[str(row["measure"])],
            float(row["mean"]),
            float(row["se"]),
            row["rankings"] == "random",
        )
        for row in tables["overlap_means"]
    ]
    told = "How alike the list of the first works is to the list of all; grey: random rankings"
    return {
        "fusion": Picture(
            evaluation_figure(points, title=heading),
            f"{heading}. Highest nDCG: {best['engine']}, {float(best['mean']):.3f}.",
        ),
        "partial-total": Picture(evaluation_figure(overlap, title=told), f"{told}, by the constant k."),
    }


def _parts(tables: Tables) -> list[str]:
    return [str(engine) for engine in distinct(tables["differences"], "reference") if engine != PAPER]


def _views(tables: Tables) -> list[ReadTable]:
    rows = tables.get("means", ())
    if not rows:
        return []
    references = [str(each) for each in distinct(tables["differences"], "reference")]
    body = tuple(
        (
            str(engine),
            *(estimate(where(rows, engine=engine, measure=measure)[0]) for measure in ("ndcg", "diversity")),
            *(difference(where(tables["differences"], engine=engine, reference=each)) for each in references),
        )
        for engine in distinct(rows, "engine")
    )
    heads = ("engine", "nDCG", "diversity", *(f"nDCG − {each}" for each in references))
    note = "± one standard error; differences are paired by visitor, with Holm's p over the engines of a column"
    alike = tuple(
        (
            str(rankings),
            str(k),
            *(
                estimate(where(tables["overlap_means"], rankings=rankings, k=k, measure=measure)[0])
                for measure in ("iou", "rbo")
            ),
            *(_overlap_difference(tables, rankings, k, measure) for measure in ("iou", "rbo")),
        )
        for rankings in distinct(tables["overlap_means"], "rankings")
        for k in distinct(tables["overlap_means"], "k")
    )
    smallest = next(iter(distinct(tables["overlap_means"], "k")))
    columns = ("rankings", "k", "IoU", "RBO", f"IoU − k={smallest}", f"RBO − k={smallest}")
    return [
        ReadTable("Ways to fuse", heads, body, note),
        ReadTable("Partial against total fusion: overlap of the two lists", columns, alike, "paired by visitor"),
    ]


def _overlap_difference(tables: Tables, rankings: Value, k: Value, measure: str) -> str:
    return difference(where(tables["overlap_differences"], rankings=rankings, k=k, measure=measure))


FUSION = Recipe(
    name="fusion",
    paper="left open by Yilma & Leiva 2023, section 4.3",
    what="reciprocal ranks with k = 0, 1, 10, 60, min-max, z-scores; partial against total",
    needs="a workspace with two encoders or more, and labels or hidden factors",
    protocol=(
        VISITORS_PROTOCOL,
        "Reciprocal-rank fusion adds 1/(k + rank) over the engines; the paper's engines have k = 0.",
        "Partial fusion looks at as many works of each engine as are shown, total fusion at all works.",
        "Min-max and z-scores add normalised scores over all works.",
        "Random rankings: as many as there are engines, of as many works as have a label, drawn anew for each visitor.",
    ),
    pictures=_pictures,
    views=_views,
)
