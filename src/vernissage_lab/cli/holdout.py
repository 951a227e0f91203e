"""The command that hides people's works and looks which rule finds them again: holdout."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson, WorkspacePath
from vernissage.cli.output import note, print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vernissage.encoders.contract import TextEncoder
    from vernissage.workspace.workspace import Workspace
    from vernissage_lab.holdout_results import Cell, Holdout, HoldoutDifference

_HEADS = {"recall": "recall", "group-recall": "group-rec", "group-precision": "group-prec"}
_WORDS = {"image": "pictures", "text": "texts", "both": "both"}


def holdout(
    workspace: WorkspacePath,
    encoder: Annotated[
        list[str] | None, typer.Option("--encoder", "-e", help="Whose vectors; repeat. Default: one that reads both.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="What speaks: image, text or both; repeat. Default: all.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="What is shown: image, text or both; repeat. Default: all.")
    ] = None,
    owners_with: Annotated[int, typer.Option(help="Only people who own so many works.")] = 10,
    repetitions: Annotated[int, typer.Option(help="How often works are drawn to be hidden, for each person.")] = 5,
    seed: Annotated[int, typer.Option(help="Equal seeds hide equal works.")] = 0,
    k: Annotated[list[int] | None, typer.Option("-k", help="How long lists are; repeat. Default: 10 and 50.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write every person's values here, as CSV.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw recall by rule here: .png, .svg or .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hide a third of each person's works, recommend from the rest, and count how many come back.

    \b
    Examples:
      vernissage lab holdout workspace --figure holdout.png --out holdout.csv
      vernissage lab holdout workspace -e lsa -e colour-texture --repetitions 10
      vernissage lab holdout workspace --source image --target text -k 20 --owners-with 5 --json
    """
    from vernissage.gallery.person import areas_encoder
    from vernissage.workspace.repository import open_repository
    from vernissage_lab.holdout import holdout
    from vernissage_lab.holdout_results import write_values

    snapshot = open_repository(workspace).snapshot
    found: dict[str, Holdout] = {}
    for name in dict.fromkeys(encoder or [areas_encoder(snapshot.workspace)]):
        indexes = {modality: snapshot.index(name, modality) for modality in snapshot.workspace.modalities(name)}
        items = snapshot.items(item_id for index in indexes.values() for item_id in index.item_ids)
        with progress_bars() as progress:
            found[name] = holdout(
                indexes,
                tags={item.id: item.keywords for item in items.values()},
                groups={item.id: item.group for item in items.values()},
                text_encoder=_text_encoder(snapshot.workspace, name),
                owners_with=owners_with,
                repetitions=repetitions,
                seed=seed,
                depths=k or (10, 50),
                sources=source or (),
                targets=target or (),
                progress=progress,
            )
    if out is not None:
        write_values(out, found)
        note(f"Table written: {out}")
    if figure is not None:
        _draw(found, figure)
        note(f"Picture written: {figure}")
    if as_json:
        fingerprint = snapshot.workspace.collection.fingerprint
        print_json({name: {"collection": fingerprint} | each.to_dict() for name, each in found.items()})
        return
    for name, each in found.items():
        _print(name, each)


def _text_encoder(workspace: "Workspace", name: str) -> "TextEncoder | None":
    """What reads tags: the encoder itself if it reads texts, or else another, one of texts alone if there is one."""
    from vernissage.encoders.contract import TextEncoder

    others = sorted(workspace.encoder_names, key=lambda each: len(workspace.modalities(each)))
    reading = [each for each in (name, *others) if "text" in workspace.modalities(each)]
    encoder = workspace.encoder(reading[0]) if reading else None
    return encoder if isinstance(encoder, TextEncoder) else None


def _print(name: str, found: "Holdout") -> None:
    hidden = sum(owner.hidden for owner in found.owners)
    say(
        f"{name}: {len(found.owners)} people with {found.protocol['owners_with']} works or more, "
        f"{hidden} of their {sum(owner.works for owner in found.owners)} works hidden, "
        f"{found.protocol['repetitions']} time(s)"
    )
    differences = found.differences()
    for cell in found.cells:
        say("")
        say(f"{_WORDS[cell.source]} → {_WORDS[cell.target]}")
        _print_cell(found, cell, differences)
    say("")
    first = found.protocol["k"][0]
    for line in (
        "mean ± standard error over people; group-rec: share of the hidden works'",
        "categories that are shown; group-prec: share of the places whose work is of one",
        f"difference: recall@{first} minus that of knn3z, paired; * where p (Holm) is below .05",
        "possible: the most that lists of that length could reach",
    ):
        say(line)
    for rule, count in found.unanswered.items():
        if count:
            say(f"{rule} had no answer {count} times, which counts as nothing found")


def _print_cell(found: "Holdout", cell: "Cell", differences: "list[HoldoutDifference]") -> None:
    depths = found.protocol["k"]
    columns = [("recall", k) for k in depths] + [("group-recall", depths[0]), ("group-precision", depths[0])]
    means = {(row.rule, row.metric, row.k): row for row in found.rows() if (row.source, row.target) == cell}
    against = {
        each.rule: each
        for each in differences
        if (each.source, each.target) == cell and (each.metric, each.k) == columns[0]
    }
    rows = []
    for rule in dict.fromkeys(rule for rule, _, _ in means):
        shown = [means.get((rule, *column)) for column in columns]
        cells = [_short(f"{each.mean:.3f} ±{each.se:.3f}") if each else "" for each in shown]
        rows.append([rule, *cells, _difference(against.get(rule))])
    heads = [f"{_HEADS[metric]}@{k}" for metric, k in columns] + ["difference"]
    print_table(["rule", *heads], rows, numbers=heads)


def _difference(found: "HoldoutDifference | None") -> str:
    if found is None:
        return ""
    star = "*" if found.p_holm < 0.05 else " "
    return _short(f"{found.difference.mean:+.3f} ±{found.difference.se:.3f}{star}")


def _short(numbers: str) -> str:
    """Without the zeros before decimal points, so that the table fits a terminal of 80 columns."""
    return re.sub(r"\b0\.", ".", numbers)


def _draw(found: "Mapping[str, Holdout]", path: Path) -> None:
    from vernissage.pages.figures import save_figure
    from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure

    rows = []
    for name, result in found.items():
        first = result.protocol["k"][0]
        for row in result.rows():
            if (row.metric, row.k) == ("recall", first):
                panel = f"{_WORDS[row.source]} → {_WORDS[row.target]}"
                title = panel if len(found) == 1 else f"{name}: {panel}"
                rows.append(EvaluationRow(row.rule, title, row.mean, row.se, row.rule in result.references))
    people = len(next(iter(found.values())).owners)
    what = next(iter(found)) if len(found) == 1 else "several encoders"
    title = f"Recall@{first} of hidden works, {people} people ({what})"
    save_figure(evaluation_figure(rows, title=title), path)
