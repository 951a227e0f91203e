"""`weighting`: which weights of ratings serve simulated visitors best."""

from collections.abc import Mapping
from dataclasses import replace

from vernissage.profiles.ratings import WEIGHTING_RULES, WeightingRule
from vernissage.recommenders.contract import Recommender
from vernissage_lab.cells import Cells
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.tables import Table, difference, differences, distinct, estimate, means, only, table, where
from vernissage_lab.visitor_options import MEASURES, LabelledWorks, VisitorOptions, visitor_part, visitor_rows

REFERENCE: WeightingRule = "linear"


def compute(options: VisitorOptions, cells: Cells) -> Outcome:
    """Compare the weights of ratings, linear, minmax and signed, on simulated visitors.

    \b
    Examples:
      vernissage lab experiment run weighting workspace
      vernissage lab experiment run weighting workspace --by group -e lsa -e late-zscore --visitors 500
    """
    engines = options.engines()
    return replace(run_weighting(options.works(), engines, options, cells), inputs=options.inputs(engines))


def run_weighting(
    works: LabelledWorks, engines: Mapping[str, Recommender], options: VisitorOptions, cells: Cells
) -> Outcome:
    """Ask every engine with each weighting rule for the same visitors.

    Returns:
        ``values``: one row for each rule, engine and visitor; ``means``; ``differences`` of nDCG and recall from
        `linear`, paired by visitor.
    """
    parts = [
        visitor_part(works, engines, options, cells, rule=rule, columns={"rule": rule}) for rule in WEIGHTING_RULES
    ]
    values = visitor_rows(parts, cells)
    compared = differences(values, ("engine",), ("rule",), (REFERENCE,), ("ndcg", "recall"), "visitor")
    tables = {"values": values, "means": means(values, ("engine", "rule"), MEASURES), "differences": compared}
    return Outcome(tables, options.notes())


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = where(tables.get("means", ()), measure="ndcg")
    heading = "How well lists serve simulated visitors (nDCG), by weighting rule; every panel has its own scale"
    best = max(rows, key=lambda row: row["mean"])
    figure = dot_figure([Dot.of(row, row["rule"], row["engine"]) for row in rows], title=heading)
    alt = f"{heading}. Highest: {best['engine']} with {best['rule']}, {best['mean']:.3f}."
    return {"weighting": Picture(figure, alt)}


def _views(tables: Tables) -> list[Table]:
    rows = where(tables.get("means", ()), measure="ndcg")
    others = [rule for rule in distinct(rows, "rule") if rule != REFERENCE]
    tests = where(tables["differences"], measure="ndcg")
    body = [
        (
            engine,
            estimate(only(rows, engine=engine, rule=REFERENCE)),
            *(difference(where(tests, engine=engine, rule=rule)) for rule in others),
        )
        for engine in distinct(rows, "engine")
    ]
    heads = ("engine", REFERENCE, *(f"{rule} − {REFERENCE}" for rule in others))
    note = "± one standard error; differences are paired by visitor, with Holm's p over the rules of an engine"
    return [table("nDCG of simulated visitors' lists, by weighting rule", heads, body, note)]


RECIPE = Recipe(EXPERIMENTS["weighting"], VisitorOptions, compute, _pictures, _views)
