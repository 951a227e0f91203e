"""`evaluate`: engines compared on simulated visitors whose tastes mix hidden factors or labels of the works."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vernissage.analysis.multiple_comparisons import format_p
from vernissage.pages.figures import save_figure
from vernissage.progress import Progress, silent
from vernissage_lab import evaluation
from vernissage_lab.evaluation import Evaluation
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import references_of
from vernissage_lab.recipes.title_search import evaluate_search
from vernissage_lab.tables import Column, Row, Table, Told, table, where
from vernissage_lab.visitor_options import VisitorOptions

_SHOWN = ("ndcg", "recall", "coverage", "diversity", "novelty")


@dataclass(frozen=True)
class EvaluateOptions(VisitorOptions):
    """Which engines are compared, on which visitors, and what is drawn."""

    rule: Annotated[str, typer.Option(help="How ratings weigh: linear, minmax or signed.")] = "linear"
    seed: Annotated[int, typer.Option(help="Equal seeds simulate equal visitors.")] = 0
    against: Annotated[str | None, typer.Option(help="Compare with this engine; default: the best.")] = None
    plot: Annotated[Path | None, typer.Option(help="Draw the table here: .png, .svg or .pdf.")] = None
    search: Annotated[
        bool, typer.Option("--search", help="Instead: how well a title finds its work by the rest of its text.")
    ] = False


def evaluate(options: EvaluateOptions, progress: Progress = silent) -> Told:
    """Compare engines on simulated visitors whose tastes mix hidden factors or labels of the works.

    With --search, searching is compared instead: BM25, encoders, their fusions, and what the gallery answers.

    \b
    Examples:
      vernissage lab evaluate workspace --plot evaluation.png
      vernissage lab evaluate workspace --by group --by artist --visitors 500 --json
      vernissage lab evaluate workspace -e lda -e colour-texture -e lda+colour-texture --against lda
      vernissage lab evaluate workspace --search
    """
    if options.search:
        return evaluate_search(options.opened, progress)
    opened, labels, n = options.opened, options.labels(), options.n
    references = references_of(opened, labels, options.seed)
    found = evaluation.evaluate(
        {**options.engines(), **references},
        labels,
        opened.collection,
        visitors=options.visitors,
        n=n,
        seed=options.seed,
        rule=options.rule,  # type: ignore[arg-type]  # refused there
        references=tuple(references),
        progress=progress,
    )
    differences, remarks = found.differences(options.against), []
    if options.plot is not None:
        title = f"{opened.collection_name}: {options.visitors} simulated visitors, {n} works each"
        save_figure(dot_figure(_dots(found, n), title=title), options.plot)
        remarks.append(f"Picture written: {options.plot}")
    source = options.factors_file.name if options.factors_file is not None else "the works' labels"
    shown: list[str | Table] = [
        f"{options.visitors} simulated visitors, tastes over {', '.join(labels.facets)} ({source}), {n} works each",
        *found.sentences(),
        "",
        _means(found, n),
        *_differences(differences),
        *(
            f"{name} could not answer {count} visitors: it knows none of the works that they rated"
            for name, count in found.failures.items()
            if count
        ),
    ]
    return Told(found.to_dict(), shown, remarks)


def _means(found: Evaluation, n: int) -> Table:
    names = {"ndcg": f"nDCG@{n}", "recall": f"recall@{n}"}
    rows = found.rows()
    body = []
    for engine in dict.fromkeys(row["engine"] for row in rows):
        mine = {row["metric"]: row for row in where(rows, engine=engine)}
        body.append((engine, *(f"{mine[name]['mean']:.3f} ±{mine[name]['se']:.3f}" for name in _SHOWN)))
    heads = ("engine", *(names.get(name, name) for name in _SHOWN))
    note = "mean ± standard error over visitors; random, most-average and labels (perfect encoding) are references"
    return table("", heads, body, note)


def _differences(differences: Sequence[Row]) -> list[str | Table]:
    rows = where(differences, metric="ndcg")
    if not rows:
        return []
    columns = (Column("engine", True), Column("difference"), Column("95 % interval", True), Column("p (Holm)"))
    body = tuple(
        (row["engine"], f"{row['mean']:+.3f}", f"{row['low']:+.3f} to {row['high']:+.3f}", format_p(row["p_holm"]))
        for row in rows
    )
    return ["", Table(f"nDCG minus that of {rows[0]['reference']}, the same visitors paired", columns, body)]


def _dots(found: Evaluation, n: int) -> list[Dot]:
    names = {"ndcg": f"nDCG@{n}", "recall": f"recall@{n}", "diversity": "intra-list diversity"}
    rows = [row for row in found.rows() if row["metric"] in _SHOWN]
    named = [(row["engine"], str(row["metric"]), row) for row in rows]
    return [
        Dot(engine, names.get(metric, metric), row["mean"], row["se"], engine in found.references)
        for engine, metric, row in named
    ]
