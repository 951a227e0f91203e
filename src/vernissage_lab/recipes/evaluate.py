"""`evaluate`: engines compared on simulated visitors whose tastes mix hidden factors or labels of the works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from vernissage.analysis.multiple_comparisons import format_p
from vernissage.cli.options import RuleName
from vernissage.gallery.engines import Fusion, default_engine
from vernissage.pages.figures import save_figure
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Recommender
from vernissage_lab import evaluation
from vernissage_lab.analysis.paired import mean_with_error
from vernissage_lab.baselines import PEERS
from vernissage_lab.evaluation import Evaluation, finite
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import peers_of, references_of
from vernissage_lab.recipe import Words
from vernissage_lab.recipes.similar_works import evaluate_similar, varied, variety
from vernissage_lab.recipes.title_search import evaluate_search
from vernissage_lab.tables import Column, Row, Table, Told, paired_tests, short, signed, table, where
from vernissage_lab.tastes import Labels
from vernissage_lab.visitor_options import VisitorOptions
from vernissage_lab.visitors import ELICITATIONS, elicitation_by

_SHOWN = ("ndcg", "recall", "coverage", "diversity", "novelty")


@dataclass(frozen=True)
class EvaluateOptions(VisitorOptions):
    """Which engines are compared, on which visitors, and what is drawn."""

    rule: RuleName = None
    method: str = "rrf"
    elicitation: Words = None
    seed: int = 0
    against: str | None = None
    plot: Path | None = None
    search: bool = False
    similar: bool = False
    variety: bool = False

    def evaluated(
        self, engines: Mapping[str, Recommender], labels: Labels, way: str, progress: Progress, **more: Any
    ) -> Evaluation:
        """These engines on these visitors, who rate works that are chosen in that way."""
        settings: dict[str, Any] = {each: getattr(self, each) for each in ("visitors", "n", "seed", "rule")}
        choose, works = partial(elicitation_by, way, self.opened), self.opened.collection
        return evaluation.evaluate(engines, labels, works, **settings, choose=choose, progress=progress, **more)


def evaluate(options: EvaluateOptions, progress: Progress = silent) -> Told:
    """Compare engines on simulated visitors whose tastes mix hidden factors or labels of the works.

    With --search, searching is compared instead: BM25, encoders, their fusions, and what the gallery answers. With
    --similar, works that are like one: the default engine, each encoder, and rules by hand such as the same artist.

    \b
    Examples:
      vernissage lab evaluate workspace --plot evaluation.png
      vernissage lab evaluate workspace --by group --by artist --visitors 500 --json
      vernissage lab evaluate workspace --engine lda --engine lda+colour-texture --against lda
      vernissage lab evaluate workspace --elicitation central --elicitation group
      vernissage lab evaluate workspace --search
      vernissage lab evaluate workspace --similar --by group
      vernissage lab evaluate workspace --variety --plot variety.png
    """
    if options.search:
        return evaluate_search(options.opened, progress)
    if options.similar:
        label = replace(options, by=list(options.by or ["group"])[:1], factors=None)
        return evaluate_similar(options.opened, label.labels(), options.n, progress)
    if options.variety:
        return _variety(options, progress)
    opened, labels, n = options.opened, options.labels(), options.n
    ways = list(dict.fromkeys(options.elicitation or ELICITATIONS[:1]))
    found = judged(options, labels, ways[0], progress)
    usual = default_engine(opened)
    differences, remarks = found.differences(options.against or (usual if usual in found.engines else None)), []
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
    content = found.to_dict() | {"differences": [finite(row) for row in differences]}
    if len(ways) > 1:
        compared = _elicitations(options, labels, ways, progress)
        content["elicitations"] = [dict(zip(compared.heads, row, strict=True)) for row in compared.rows]
        shown += ["", compared]
    return Told(content, shown, remarks)


def judged(options: EvaluateOptions, labels: Labels, way: str, progress: Progress = silent) -> Evaluation:
    """Engines and references, and each rule that others recommend by on the vectors that serve these visitors best."""
    opened = options.opened
    references, peers = references_of(opened, labels, options.seed), peers_of(opened)
    engines = options.engines(fusion=Fusion(method=options.method))  # type: ignore[arg-type]  # refused there
    found = options.evaluated(
        {**engines, **references, **peers}, labels, way, progress, references=(*references, *peers)
    )
    return found.with_best_of([name for name in peers if name.startswith(f"{rule} on ")] for rule in PEERS)


def _variety(options: EvaluateOptions, progress: Progress) -> Told:
    opened, n = options.opened, options.n
    engines, judge = varied(opened, n)
    labels = options.labels()
    found = options.evaluated(engines, labels, (options.elicitation or ELICITATIONS)[0], progress)
    told, dots = variety(opened, found, judge, n)
    if options.plot is not None:
        title = f"{opened.collection_name}: {options.visitors} visitors, tastes over {', '.join(labels.facets)}"
        save_figure(dot_figure(dots, title=title), options.plot)
        told = replace(told, remarks=[f"Picture written: {options.plot}"])
    return told


def worth_by_elicitation(
    options: EvaluateOptions, labels: Labels, ways: Sequence[str], progress: Progress = silent
) -> dict[str, list[float]]:
    """nDCG of the default engine's list for each visitor, by which works the same visitors rate; 0 without a list."""
    name = default_engine(options.opened)
    engines, values = options.engines([name]), {}
    for way in ways:
        found = options.evaluated(engines, labels, way, progress)
        values[way] = [shown["ndcg"] if shown else 0.0 for shown in found.engines[name].metrics]
    return values


def _elicitations(options: EvaluateOptions, labels: Labels, ways: Sequence[str], progress: Progress) -> Table:
    """What the default engine is worth to the same visitors who rate other works, paired with the first way."""
    values = worth_by_elicitation(options, labels, ways, progress)
    rows = [(ways[0], *_mean(values[ways[0]]), "", "", "", "")]
    for way, test, p in paired_tests({way: (values[way], values[ways[0]]) for way in ways[1:]}):
        told = (signed(test.mean), signed(test.low), signed(test.high), format_p(p))
        rows.append((way, *_mean(values[way]), *told))
    heads = ("rated works", "nDCG", "±", f"minus {ways[0]}", "from", "to", "p (Holm)")
    return table(f"nDCG of {default_engine(options.opened)} by which works the same visitors rate", heads, rows)


def _mean(values: Sequence[float]) -> tuple[str, str]:
    mean = mean_with_error(values)
    return short(mean.mean), short(mean.se)


def _means(found: Evaluation, n: int) -> Table:
    names = {"ndcg": f"nDCG@{n}", "recall": f"recall@{n}"}
    rows = found.rows()
    body = []
    for engine in dict.fromkeys(row["engine"] for row in rows):
        mine = {row["metric"]: row for row in where(rows, engine=engine)}
        body.append((engine, *(f"{mine[name]['mean']:.3f} ±{mine[name]['se']:.3f}" for name in _SHOWN)))
    heads = ("engine", *(names.get(name, name) for name in _SHOWN))
    note = (
        "mean ± standard error over visitors; random, most-average and labels (perfect encoding) are references; so "
        f"are {', '.join(PEERS)}, which others recommend by, each on the vectors that served these visitors best"
    )
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
    panels = [names.get(str(row["metric"]), str(row["metric"])) for row in rows]
    return [
        Dot.of(row, row["engine"], panel, row["engine"] in found.references)
        for panel, row in zip(panels, rows, strict=True)
    ]
