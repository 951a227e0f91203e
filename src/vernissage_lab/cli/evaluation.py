"""The command that measures engines on simulated visitors: evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson, WorkspacePath
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.recommenders.contract import Recommender

_SHOWN = ("ndcg", "recall", "coverage", "diversity", "novelty")
_REFERENCES = ("random", "most-average", "labels")


def evaluate(
    workspace: WorkspacePath,
    factors: Annotated[
        Path | None, typer.Option(help="A CSV of hidden factors; default: factors.csv beside the collection, if any.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Tastes over these labels instead: group, artist …; repeat.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option("--engine", "-e", help="Engines to compare; repeat. Default: all.")
    ] = None,
    visitors: Annotated[int, typer.Option(help="How many simulated visitors.")] = 200,
    n: Annotated[int, typer.Option("-n", "--number", help="How many works each is shown.")] = 9,
    rule: Annotated[str, typer.Option(help="How ratings weigh: linear, minmax or signed.")] = "linear",
    seed: Annotated[int, typer.Option(help="Equal seeds simulate equal visitors.")] = 0,
    against: Annotated[str | None, typer.Option(help="Compare with this engine; default: the best.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the table here: .png, .svg or .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare engines on simulated visitors whose tastes mix hidden factors or labels of the works.

    \b
    Examples:
      vernissage lab evaluate workspace --plot evaluation.png
      vernissage lab evaluate workspace --by group --by artist --visitors 500 --json
      vernissage lab evaluate workspace -e lda -e colour-texture -e lda+colour-texture --against lda
    """
    from vernissage.gallery.engines import available_engines, make_engine
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.evaluation import evaluate
    from vernissage_lab.tastes import labels_from_collection, labels_from_factors

    opened = open_workspace(workspace)
    collection = opened.collection
    if factors is not None and by:
        raise RequestError("tastes come either from --factors or from --by; give one of them")
    beside = collection.folder / "factors.csv"
    file = factors or (beside if beside.is_file() and not by else None)
    labels = labels_from_factors(file, collection) if file is not None else labels_from_collection(collection, by)
    names = list(dict.fromkeys(engine or available_engines(opened)))
    engines: dict[str, Recommender] = {name: make_engine(opened, name, n) for name in names}
    engines |= _references(opened, labels, seed)
    with progress_bars() as progress:
        found = evaluate(
            engines,
            labels,
            collection,
            visitors=visitors,
            n=n,
            seed=seed,
            rule=rule,  # type: ignore[arg-type]
            references=_REFERENCES,
            progress=progress,
        )
    differences = found.differences(against)
    if plot is not None:
        _draw(found, plot, f"{opened.collection_name}: {visitors} simulated visitors, {n} works each", n)
        note(f"Picture written: {plot}")
    if as_json:
        print_json(found.to_dict())
        return
    source = file.name if file is not None else "the works' labels"
    say(f"{visitors} simulated visitors, tastes over {', '.join(labels.facets)} ({source}), {n} works each")
    say("")
    _print_means(found, n)
    _print_differences(differences)
    for name, count in found.failures.items():
        if count:
            say(f"{name} could not answer {count} visitors: it knows none of the works that they rated")


def _references(workspace: Any, labels: Any, seed: int) -> dict[str, Any]:
    """What engines are compared with: chance, the works that resemble all, and the labels themselves."""
    from vernissage.recommenders.baselines import MostAverage, RandomOrder
    from vernissage.recommenders.listed_works import ListedWorks
    from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
    from vernissage_lab.labels import label_index

    return {
        "random": RandomOrder(ListedWorks(workspace.collection.ids, workspace.collection), seed),
        "most-average": MostAverage(_broadest_index(workspace)),
        "labels": RatingWeightedSimilarity(label_index(labels), "labels"),
    }


def _broadest_index(workspace: Any) -> Any:
    """The index that knows most works: what the most-average baseline is taken from."""
    from vernissage.gallery.engines import index_of_encoder

    indexes = [index_of_encoder(workspace, name) for name in workspace.encoder_names if name != "aligned"]
    if not indexes:
        raise RequestError(f"{workspace.path} has no vectors to evaluate; run `vernissage build` again")
    return max(indexes, key=len)


def _print_means(found: Any, n: int) -> None:
    cells: dict[str, list[str]] = {}
    for row in found.rows():
        if row.metric in _SHOWN:
            cells.setdefault(row.engine, []).append(f"{row.mean:.3f} ±{row.se:.3f}")
    heads = [f"{name}@{n}" if name in ("ndcg", "recall") else name for name in _SHOWN]
    heads[0] = f"nDCG@{n}"
    print_table(["engine", *heads], [[name, *row] for name, row in cells.items()], numbers=heads)
    say("mean ± standard error over visitors; random, most-average and labels (perfect encoding) are references")


def _print_differences(differences: Any) -> None:
    from vernissage.analysis.paired import format_p

    shown = [each for each in differences if each.metric == "ndcg"]
    if not shown:
        return
    rows = [
        [each.engine, f"{each.difference.mean:+.3f}", f"{each.difference.low:+.3f} to {each.difference.high:+.3f}"]
        + [format_p(each.p_holm)]
        for each in shown
    ]
    say("")
    say(f"nDCG minus that of {shown[0].reference}, the same visitors paired")
    print_table(["engine", "difference", "95 % interval", "p (Holm)"], rows, numbers=["difference", "p (Holm)"])


def _draw(found: Any, path: Path, title: str, n: int) -> None:
    from vernissage.pages.figures import save_figure
    from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure

    names = {"ndcg": f"nDCG@{n}", "recall": f"recall@{n}", "diversity": "intra-list diversity"}
    rows = [
        EvaluationRow(row.engine, names.get(row.metric, row.metric), row.mean, row.se, row.engine in found.references)
        for row in found.rows()
        if row.metric in _SHOWN
    ]
    save_figure(evaluation_figure(rows, title=title), path)
