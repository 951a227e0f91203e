"""`overlap`: the study's tables of how alike lists are, from simulated visitors instead of participants."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vernissage.analysis.overlap import overlap_tables
from vernissage.recommenders.contract import Recommender
from vernissage_lab.cells import Cells
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.tables import Row, Table, distinct, short, table, where
from vernissage_lab.visitor_options import LabelledWorks, VisitorOptions, lists_of, visitor_part, visitor_rows

METRICS = ("IoU", "RBO")


def compute(options: VisitorOptions, cells: Cells) -> Outcome:
    """Print the study's two tables of overlapping lists for simulated visitors, without participants.

    \b
    Examples:
      vernissage lab experiment run overlap workspace
      vernissage lab experiment run overlap workspace -e lda -e colour-texture -e late-partial -e late-total
    """
    engines = options.engines()
    return replace(run_overlap(options.works(), engines, options, cells), inputs=options.inputs(engines))


def run_overlap(
    works: LabelledWorks, engines: Mapping[str, Recommender], options: VisitorOptions, cells: Cells
) -> Outcome:
    """Show every visitor the list of every engine, and compare the lists.

    Returns:
        ``values``: one list for each engine and visitor; ``within``: Table 1, overlap of one engine's lists over all
        pairs of different visitors; ``between``: Table 2, overlap of two engines' lists of the same visitor, with the
        standard error over visitors (pairs of Table 1 share lists, so none follows from their deviation).
    """
    values = visitor_rows([visitor_part(works, engines, options, cells, rule="linear")], cells)
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
        "between": [
            {"engine_a": each.engine_a, "engine_b": each.engine_b, "metric": each.metric, "mean": each.mean}
            | {"sd": each.sd, "se": each.sd / math.sqrt(each.n_pairs) if each.n_pairs else math.nan}
            | {"visitors": each.n_pairs}
            for each in between
        ],
    }
    return Outcome(tables, options.notes())


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = tables.get("between", ())
    if not rows:  # of one engine alone
        return {}
    heading = "How alike two engines' lists for the same visitor are"
    dots = [Dot.of(row, f"{row['engine_a']}, {row['engine_b']}", row["metric"]) for row in rows]
    alike = max(where(rows, metric="IoU"), key=lambda row: row["mean"])
    alt = f"{heading}. Most alike: {alike['engine_a']} and {alike['engine_b']}, IoU {alike['mean']:.3f}."
    return {"between": Picture(dot_figure(dots, title=heading), alt)}


def _views(tables: Tables) -> list[Table]:
    rows = tables.get("within", ())
    engines = distinct(rows, "engine")
    first = []
    for engine in engines:
        mine = where(rows, engine=engine)
        first.append((engine, *(_spread(where(mine, metric=metric)) for metric in METRICS), str(mine[0]["pairs"])))
    told = "± is the standard deviation over pairs of visitors"
    found = [table("Table 1: overlap of one engine's lists", ("engine", *METRICS, "pairs"), first, told)]
    if len(engines) > 1:
        numbers = [str(number) for number in range(1, len(engines) + 1)]  # names as heads would be wider than a screen
        body = [
            (number, *(_between(tables["between"], a, b, engines) for b in engines))
            for number, a in zip(numbers, engines, strict=True)
        ]
        legend = ", ".join(f"{number} {engine}" for number, engine in zip(numbers, engines, strict=True))
        note = f"{legend}. IoU above the diagonal, RBO below; ± is the standard deviation over visitors"
        caption = "Table 2: overlap of two engines' lists for the same visitor"
        found.append(table(caption, ("engine", *numbers), body, note))
    return found


def _between(rows: Sequence[Row], a: str, b: str, engines: Sequence[str]) -> str:
    if a == b:
        return "–"
    above = engines.index(a) < engines.index(b)
    first, second, metric = (a, b, "IoU") if above else (b, a, "RBO")
    return _spread(where(rows, engine_a=first, engine_b=second, metric=metric))


def _spread(rows: Sequence[Row]) -> str:
    return f"{short(rows[0]['mean'])} ±{short(rows[0]['sd'])}" if rows else ""


RECIPE = Recipe(EXPERIMENTS["overlap"], VisitorOptions, compute, _pictures, _views)
