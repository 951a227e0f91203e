"""`fusion`: which constant, or which normalised scores, and whether fusing the first few works is fusing all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.gallery.engines import PRESET_TEXTS, available_engines, preset_pictures
from vernissage.rankings import iou, rbo
from vernissage.recommenders.contract import Recommender
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import fused
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables, Words
from vernissage_lab.tables import Row, Table, difference, differences, distinct, estimate, means, only, table, where
from vernissage_lab.visitor_options import MEASURES, LabelledWorks, VisitorOptions, lists_of, visitor_part, visitor_rows
from vernissage_lab.works import whole_numbers

PAPER = "rrf k=0, all works"
"""The fusion of the first paper's engine `late-total`."""


@dataclass(frozen=True)
class FusionOptions(VisitorOptions):
    """Visitors, and the constants of reciprocal-rank fusion that are compared."""

    engine: Words = None
    constants: str = "0,1,10,60"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_numbers(self.constants, "the constants", least=0)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The constants, the smallest first."""
        return tuple(sorted(whole_numbers(self.constants, "the constants", least=0)))

    def parts(self) -> dict[str, Recommender]:
        """The engines that are fused. Raises RequestError: there is one alone."""
        there = available_engines(self.opened)
        pair = [PRESET_TEXTS, preset_pictures(self.opened)]
        usual = pair if set(pair) <= set(there) else [name for name in there if not name.startswith("late-")][:2]
        names = list(dict.fromkeys(self.engine or usual))
        if len(names) < 2:
            raise RequestError(
                f"a fusion needs two engines or more, but there is {', '.join(names)}; give two with --engine"
            )
        return self.engines(names)


def compute(options: FusionOptions, cells: Cells) -> Outcome:
    """Compare ways to fuse engines on simulated visitors, and partial fusion with total.

    \b
    Examples:
      vernissage lab experiment run fusion workspace
      vernissage lab experiment run fusion workspace -e lsa -e colour-texture --by group
    """
    engines = options.parts()
    return replace(run_fusion(options.works(), engines, options, cells), inputs=options.inputs(engines))


def run_fusion(works: LabelledWorks, parts: Mapping[str, Recommender], options: FusionOptions, cells: Cells) -> Outcome:
    """Fuse ``parts`` in every way for the same visitors, and compare lists of the first works with lists of all.

    *Partial* fusion looks at the first n works of each part, *total* at all. Beside these rankings, random ones of as
    many works and parts are fused.

    Returns:
        ``values``: one row for each engine and visitor; ``means``; ``differences`` of nDCG from the paper's fusion and
        from each part; ``overlap``: IoU and RBO of the partial and the total list of each visitor and constant;
        ``overlap_means``; ``overlap_differences`` from the smallest constant.
    """
    constants = options.numbers
    ways = {_named(k, depth): fused(parts, k=k, depth=depth) for k in constants for depth in (options.n, None)}
    ways |= {"min-max": fused(parts, method="minmax"), "z-scores": fused(parts, method="zscore")}
    # Linear weights throughout, as in the paper, so that ways to fuse are all that differs.
    values = visitor_rows([visitor_part(works, {**parts, **ways}, options, cells, rule="linear")], cells)
    count = (len(works.labels.labelled), len(parts))
    random = {"works": count, "constants": constants, "visitors": options.visitors, "n": options.n}
    by_chance = rows_of([Part(random, partial(_random, *count, options, cells.seed))], cells, "Fusing random rankings")
    overlaps = [*_real(values, constants), *by_chance[0]]
    compared = [
        row
        for reference in (PAPER, *parts)
        for row in differences(values, (), ("engine",), (reference,), ("ndcg",), "visitor")
    ]
    apart = differences(overlaps, ("rankings",), ("k",), constants[:1], ("iou", "rbo"), "visitor")
    tables: Tables = {
        "values": values,
        "means": means(values, ("engine",), MEASURES),
        "differences": compared,
        "overlap": overlaps,
        "overlap_means": means(overlaps, ("rankings", "k"), ("iou", "rbo")),
        "overlap_differences": apart,
    }
    return Outcome(tables, options.notes())


def _named(k: int, depth: int | None) -> str:
    return f"rrf k={k}, {'all works' if depth is None else 'first works'}"


def _real(values: Sequence[Row], constants: Sequence[int]) -> list[Row]:
    lists = lists_of(values)
    return [
        _overlap("of visitors", k, visitor, first, lists[_named(k, None)][visitor])
        for k in constants
        for visitor, first in lists.get(_named(k, 0), {}).items()
    ]


def _random(works: int, parts: int, options: FusionOptions, seed: int) -> list[Row]:
    """Random rankings of as many works by as many parts, drawn anew for each visitor, the same for all constants."""
    found: list[Row] = []
    for visitor in range(options.visitors):
        random = np.random.default_rng([seed, visitor])
        ranks = 1 + np.argsort([random.permutation(works) for _ in range(parts)], axis=1)
        for k in options.numbers:
            shares = 1 / (k + ranks)
            first, whole = (_best(ranks, each, options.n) for each in (np.where(ranks <= options.n, shares, 0), shares))
            found.append(_overlap("random", k, visitor, first, whole))
    return found


def _best(ranks: npt.NDArray[np.int64], shares: npt.NDArray[np.float64], n: int) -> list[str]:
    """The ``n`` works of the highest sum of shares (parts, works), then of the best single rank, then of the row."""
    sums = np.sort(shares, axis=0).sum(axis=0)  # sorted, so that equal shares of other parts make equal sums
    order = np.lexsort((ranks.min(axis=0), -sums))[: min(n, np.count_nonzero(sums))]
    return [f"w{row:06d}" for row in order.tolist()]


def _overlap(rankings: str, k: int, visitor: int, first: Sequence[str], whole: Sequence[str]) -> Row:
    return {"rankings": rankings, "k": k, "visitor": visitor, "iou": iou(first, whole), "rbo": rbo(first, whole)}


def _pictures(tables: Tables) -> dict[str, Picture]:
    words = {"ndcg": "nDCG", "diversity": "intra-list diversity", "iou": "IoU", "rbo": "RBO"}
    rows = [row for row in tables.get("means", ()) if row["measure"] in words]
    single = set(distinct(tables["differences"], "reference")) - {PAPER}
    dots = [Dot.of(row, row["engine"], words[row["measure"]], row["engine"] in single) for row in rows]
    heading = "Ways to fuse engines, for simulated visitors; grey: one engine alone"
    best = max(where(rows, measure="ndcg"), key=lambda row: row["mean"])
    alt = f"{heading}. Highest nDCG: {best['engine']}, {best['mean']:.3f}."
    overlap = [
        Dot.of(row, f"k = {row['k']}, {row['rankings']}", words[row["measure"]], row["rankings"] == "random")
        for row in tables["overlap_means"]
    ]
    told = "How alike the list of the first works is to the list of all; grey: random rankings"
    return {
        "fusion": Picture(dot_figure(dots, title=heading), alt),
        "partial-total": Picture(dot_figure(overlap, title=told), f"{told}, by the constant k."),
    }


def _views(tables: Tables) -> list[Table]:
    rows = tables.get("means", ())
    tests = tables["differences"]
    references = distinct(tests, "reference")
    body = [
        (
            engine,
            *(estimate(only(rows, engine=engine, measure=measure)) for measure in ("ndcg", "diversity")),
            *(difference(where(tests, engine=engine, reference=each)) for each in references),
        )
        for engine in distinct(rows, "engine")
    ]
    heads = ("engine", "nDCG", "diversity", *(f"nDCG − {each}" for each in references))
    note = "± one standard error; differences are paired by visitor, with Holm's p over the engines of a column"
    overlap, apart = tables["overlap_means"], tables["overlap_differences"]
    alike = []
    for row in where(overlap, measure="iou"):
        place = {"rankings": row["rankings"], "k": row["k"]}
        shown = [estimate(only(overlap, **place, measure=each)) for each in ("iou", "rbo")]
        shown += [difference(where(apart, **place, measure=each)) for each in ("iou", "rbo")]
        alike.append((row["rankings"], str(row["k"]), *shown))
    smallest = overlap[0]["k"]
    columns = ("rankings", "k", "IoU", "RBO", f"IoU − k={smallest}", f"RBO − k={smallest}")
    return [
        table("Ways to fuse", heads, body, note),
        table("Partial against total fusion: overlap of the two lists", columns, alike, "paired by visitor"),
    ]


RECIPE = Recipe(EXPERIMENTS["fusion"], FusionOptions, compute, _pictures, _views)
