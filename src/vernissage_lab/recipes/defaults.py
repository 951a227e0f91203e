"""`defaults`: what this software does by default, before and now, against what people would take in its place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vernissage.analysis.multiple_comparisons import format_p
from vernissage.errors import RequestError
from vernissage.gallery.engines import Fusion, available_engines, default_engine
from vernissage.progress import Progress
from vernissage_lab import evaluation
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.recipe import EXPERIMENTS, Options, Outcome, Picture, Recipe, Tables
from vernissage_lab.recipes.evaluate import EvaluateOptions, judged, worth_by_elicitation
from vernissage_lab.recipes.similar_works import evaluate_similar
from vernissage_lab.recipes.title_search import evaluate_search
from vernissage_lab.tables import Column, Row, Table, by_table, in_table, paired_tests, parts, short, signed
from vernissage_lab.visitor_options import VISITORS
from vernissage_lab.visitors import ELICITATIONS

BEFORE = "before"
_PARTS_BEFORE = ("lda", "lsa", "colour-texture")
_OURS = (math.nan,) * 5


@dataclass(frozen=True)
class DefaultsOptions(Options):
    """Which workspaces, and how many visitors."""

    workspaces: list[Path]
    visitors: int = VISITORS
    n: int = 9

    def record(self) -> dict[str, Any]:
        return {"visitors": self.visitors, "n": self.n}


def compute(options: DefaultsOptions, cells: Cells) -> Outcome:
    """Compare recommending, works to rate, searching and similar works with what people would take instead.

    \b
    Examples:
      vernissage lab experiment run defaults workspace
      vernissage lab experiment run defaults workspace museum-workspace --visitors 400 -o defaults
      vernissage lab experiment report defaults -o defaults.html
    """
    sets: dict[str, EvaluateOptions] = {}
    for path in options.workspaces:
        asked = EvaluateOptions(path, visitors=options.visitors, n=options.n, seed=cells.seed)
        if sets.setdefault(asked.opened.collection_name, asked) is not asked:
            raise RequestError(
                f"two workspaces are of {asked.opened.collection_name}; compare them in runs of their own"
            )
    wanted = [_part(name, asked, task, cells) for name, asked in sets.items() for task in _TASKS]
    tables = by_table([row for rows in rows_of(wanted, cells, "Comparing", threads=True) for row in rows])
    notes = [f"{row['set']}, {row['task']}: left out, for {row['why']}" for row in tables.pop("left_out", ())]
    few = next(iter(sets.values())).notes() if sets else ()
    engines = [(asked, asked.engines([default_engine(asked.opened)])) for asked in sets.values()]
    inputs = tuple(each for asked, found in engines for each in asked.inputs(found))
    return Outcome(tables, (*few, *notes), inputs)


def _part(name: str, asked: EvaluateOptions, task: str, cells: Cells) -> Part:
    opened = asked.opened
    copies = len(set(opened.copies.names(opened.collection.ids)))
    key = {**asked.works().describe(), "weights": opened.manifest.weights, "copies": copies}
    key |= {"set": name, "task": task, "visitors": asked.visitors, "n": asked.n}
    return Part(key, partial(_rows, name, asked, task, cells.progress))


def _rows(name: str, asked: EvaluateOptions, task: str, progress: Progress) -> list[Row]:
    named = {"set": name, "task": task.format(n=asked.n)}
    try:
        found = _TASKS[task](asked, progress)
    except RequestError as error:  # no titles, no groups: the other tasks can still be told
        return [in_table("left_out", named | {"why": str(error)})]
    heads = ("way", "value", "difference", "se", "low", "high", "p_holm")
    return [in_table("compared", named | dict(zip(heads, row, strict=True))) for row in found]


_Compared = list[tuple[Any, ...]]


def _recommending(asked: EvaluateOptions, progress: Progress) -> _Compared:
    """Ours first, then ours before, and all that `evaluate` compares; who gets no list has 0 of it."""
    opened, labels = asked.opened, asked.labels()
    now, usual = judged(asked, labels, ELICITATIONS[0], progress), default_engine(opened)
    before = "+".join(name for name in available_engines(opened) if name in _PARTS_BEFORE)
    engines = asked.engines([usual, *([before] if before else [])], Fusion(method="zscore"))
    numbers: dict[str, Any] = {"visitors": asked.visitors, "n": asked.n, "seed": asked.seed}
    old = evaluation.evaluate(engines, labels, opened.collection, **numbers, rule="linear", progress=progress)
    shown = {usual: now.engines[usual], **({BEFORE: old.engines[before]} if before else {}), **now.engines}
    values = {name: [worth["ndcg"] if worth else 0.0 for worth in found.metrics] for name, found in shown.items()}
    return _against(usual, values)


def _rating(asked: EvaluateOptions, progress: Progress) -> _Compared:
    return _against(ELICITATIONS[0], worth_by_elicitation(asked, asked.labels(), ELICITATIONS, progress))


def _against(ours: str, values: Mapping[str, Sequence[float]]) -> _Compared:
    tests = paired_tests({name: (values[ours], each) for name, each in values.items() if name != ours})
    mean = {name: math.fsum(each) / len(each) for name, each in values.items()}
    told = [(name, mean[name], test.mean, test.se, test.low, test.high, p) for name, test, p in tests]
    return [(ours, mean[ours], *_OURS), *told]


def _searching(asked: EvaluateOptions, progress: Progress) -> _Compared:
    *others, ours = evaluate_search(asked.opened, progress).content["rows"]
    columns = ("search", "mrr", "difference", "se", "low", "high", "p_holm")
    return [(ours["search"], ours["mrr"], *_OURS), *(tuple(row[each] for each in columns) for row in others)]


def _resembling(asked: EvaluateOptions, progress: Progress) -> _Compared:
    label = EvaluateOptions(asked.workspace, by=["group"])
    told = evaluate_similar(asked.opened, label.labels(), asked.n, progress).content
    columns = ("way", "precision", "mean", "se", "low", "high", "p_holm")
    others = [tuple(row[each] for each in columns) for row in told["rows"]]
    return [(told["engine"], told["precision"], *_OURS), *others]


_TASKS: Mapping[str, Callable[[EvaluateOptions, Progress], _Compared]] = {
    "recommend: nDCG@{n}": _recommending,
    "works rated: nDCG@{n}": _rating,
    "search: reciprocal rank": _searching,
    "similar: same group": _resembling,
}


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = [row for row in tables.get("compared", ()) if row["task"].startswith("recommend") and row["se"] == row["se"]]
    if not rows:
        return {}
    dots = [Dot(row["way"], row["set"], -row["difference"], row["se"]) for row in rows]
    heading = "nDCG of simulated visitors' lists, less that of the default engine, by collection"
    best = max(rows, key=lambda row: -row["difference"])
    alt = f"{heading}. Highest: {best['way']} on {best['set']}, {signed(-best['difference'])}."
    return {"recommend": Picture(dot_figure(dots, title=heading), alt)}


def _views(tables: Tables) -> list[Table]:
    words = {"task": True, "way": True, "value": False, "ours − it": False, "95 % interval": True, "p (Holm)": False}
    columns = tuple(Column(name, each) for name, each in words.items())
    return [
        Table(f"{name}: ours, the first of each task, and what people would take instead", columns, _body(rows), _NOTE)
        for (name,), rows in parts(tables.get("compared", ()), "set")
    ]


_NOTE = (
    f"{BEFORE}: z-scores of {', '.join(_PARTS_BEFORE)} with equal weights, ratings weighed linearly, one work of each "
    "group rated; words were searched by lsa alone. Holm's correction is over the ways of a task."
)


def _body(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    body = []
    for row in rows:
        ours, told = math.isnan(row["difference"]), [signed(row[each]) for each in ("difference", "low", "high")]
        compared = ("", "", "") if ours else (told[0], f"{told[1]} to {told[2]}", format_p(row["p_holm"]))
        body.append((row["task"] if ours else "", row["way"], short(row["value"]), *compared))
    return tuple(body)


RECIPE = Recipe(EXPERIMENTS["defaults"], DefaultsOptions, compute, _pictures, _views)
