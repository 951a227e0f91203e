"""The command gap: how far apart an encoder keeps two modalities, and what closing the gap brings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson, WorkspacePath
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.analysis.paired import Estimate
    from vernissage.catalog.item import Item
    from vernissage.progress import Progress
    from vernissage.values import Vectors
    from vernissage.workspace.workspace import Workspace
    from vernissage_lab.analysis.gap import GapMeasures, GapReport
    from vernissage_lab.analysis.gap_cosines import CosineDistribution

FEWEST_PAIRS = 20
_IN_WORDS = {"raw": "before", "means": "means removed", "zscore": "z-scores"}


@dataclass(frozen=True, eq=False)
class Sides:
    """Two modalities of one encoder.

    Attributes:
        names: what they are called, in the plural.
        counts: how many works have each.
        gap: between all of them.
        ids: the works that have both.
        first, second: their vectors, float32 (n, dim).
        remark: what a person should know, or "".
    """

    names: tuple[str, str]
    counts: tuple[int, int]
    gap: float
    ids: tuple[str, ...]
    first: "Vectors"
    second: "Vectors"
    remark: str = ""


def gap(
    workspace: WorkspacePath,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", "-e", help="An encoder of pictures and texts; default aligned."),
    ] = None,
    captions_against_keywords: Annotated[
        bool,
        typer.Option(
            "--captions-against-keywords",
            help="Compare two kinds of text instead, titles with descriptions and keywords; default minilm, else lsa.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw cosines and maps before and after: .png, .svg or .pdf.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal halves and pictures.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How far apart an encoder keeps pictures and texts, and what closing that gap brings to one index of both.

    The gap is closed by taking the mean of its modality off each vector, with means of one half of the works, or by
    z-scores of each query's answers; all is measured on the other half.

    \b
    Examples:
      vernissage lab gap workspace --encoder clip -o gap.png
      vernissage lab gap workspace --json
      vernissage lab gap workspace --captions-against-keywords --encoder minilm
    """
    from vernissage.search.modality_means import fitting_half
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.analysis.gap import gap_report

    opened = open_workspace(workspace)
    name = encoder or _usual_encoder(opened, captions_against_keywords)
    with progress_bars() as progress:
        sides = (
            _captions_and_keywords(opened, name)
            if captions_against_keywords
            else _pictures_and_texts(opened, name, seed, progress)
        )
        few = len(sides.ids) < FEWEST_PAIRS
        if few and out is not None:
            raise RequestError(_too_few(sides))
        report = None if few else gap_report(
            sides.first, sides.second, fitting_half(sides.ids, seed), seed=seed, progress=progress
        )  # fmt: skip
        if out is not None and report is not None:
            _draw(out, f"{opened.collection_name} by {name}", sides, report, seed, progress)
    if out is not None:
        note(f"Picture written: {out}")
    for line in (sides.remark, _too_few(sides) if few else ""):
        if line:
            note(f"note: {line}")
    if as_json:
        print_json(_as_json(name, seed, sides, report))
        return
    one, other = (f"{count} {each}" for count, each in zip(sides.counts, sides.names, strict=True))
    say(f"{name}: the means of {one} and {other} are {sides.gap:.3f} apart (0 to 2)")
    if report is not None:
        _print_report(sides, report)


def _usual_encoder(opened: "Workspace", of_texts: bool) -> str:
    if not of_texts:
        return "aligned"
    return next((name for name in ("minilm", "sentence", "lsa") if name in opened.encoder_names), "minilm")


def _pictures_and_texts(opened: "Workspace", name: str, seed: int, progress: "Progress") -> Sides:
    from vernissage_lab.analysis.gap import modality_gap

    if len(opened.modalities(name)) == 1:
        raise RequestError(f"{name} reads {opened.modalities(name)[0]}s alone; choose an encoder of both modalities")
    pictures, texts = opened.table(name, "image"), opened.table(name, "text")
    ids = tuple(item_id for item_id in pictures.item_ids if item_id in texts.row_of)
    first, second, remark = pictures.vectors[pictures.rows(ids)], texts.vectors[texts.rows(ids)], ""
    if name == "aligned" and len(ids) >= FEWEST_PAIRS:
        first, second, remark = _aligned_anew(opened, ids, seed, progress)
    counts = len(pictures), len(texts)
    return Sides(
        ("pictures", "texts"), counts, modality_gap(pictures.vectors, texts.vectors), ids, first, second, remark
    )


def _aligned_anew(
    opened: "Workspace", ids: Sequence[str], seed: int, progress: "Progress"
) -> "tuple[Vectors, Vectors, str]":
    """The vectors of an alignment that has seen one half of the pairs, so that the other half is new to it."""
    from vernissage.encoders.contract import ImageEncoder, TextEncoder
    from vernissage.encoders.fitted.aligned import FEWEST_PAIRS as FEWEST_ALIGNED
    from vernissage.encoders.fitted.aligned import fit_aligned
    from vernissage.encoders.register import card
    from vernissage.search.modality_means import fitting_half

    image_name, text_name = card("aligned").needs
    tables = opened.table(image_name, "image"), opened.table(text_name, "text")
    images, texts = (table.vectors[table.rows(ids)] for table in tables)
    readers = opened.encoder(image_name), opened.encoder(text_name)
    fitting = fitting_half(ids, seed)
    if fitting.sum() < FEWEST_ALIGNED:
        both = opened.table("aligned", "image"), opened.table("aligned", "text")
        remark = (
            f"aligned was fitted to these very works, and half of {len(ids)} are too few to fit it anew: recall is "
        )
        return *(table.vectors[table.rows(ids)] for table in both), remark + "too high"  # type: ignore[return-value]
    if not isinstance(readers[0], ImageEncoder) or not isinstance(readers[1], TextEncoder):
        raise RequestError(f"aligned needs {image_name} for pictures and {text_name} for texts; build it again")
    model = fit_aligned(images[fitting], texts[fitting], readers[0], readers[1], seed=seed, progress=progress)
    remark = "aligned was fitted anew on the half that the means are fitted on, because it has seen all these works"
    return model.project_images(images), model.project_texts(texts), remark


def _captions_and_keywords(opened: "Workspace", name: str) -> Sides:
    """Titles with descriptions as one modality and keywords as the other, read by one encoder of texts."""
    import numpy as np

    from vernissage.encoders.contract import TextEncoder
    from vernissage_lab.analysis.gap import modality_gap

    model = opened.encoder(name)
    if not isinstance(model, TextEncoder):
        raise RequestError(f"{name} does not read texts; compare captions and keywords by minilm or lsa")
    works = [item for item in opened.collection if _caption(item) and item.keywords]
    if not works:
        raise RequestError(
            "no work has both keywords and a title or description; this comparison needs works with both"
        )
    first = model.encode_texts([_caption(item) for item in works])
    second = model.encode_texts([", ".join(item.keywords) for item in works])
    known = np.flatnonzero(first.any(axis=1) & second.any(axis=1)).tolist()
    if not known:
        raise RequestError(f"{name} knows no word of any work's caption and keywords; compare them by another encoder")
    first, second = first[known], second[known]
    ids = tuple(works[row].id for row in known)
    return Sides(("captions", "keywords"), (len(ids), len(ids)), modality_gap(first, second), ids, first, second)


def _caption(item: "Item") -> str:
    return ". ".join(part for part in (item.title, item.description) if part)


def _too_few(sides: Sides) -> str:
    one, other = sides.names
    return (
        f"{len(sides.ids)} works have both {one} and {other}, too few to measure what closing the gap brings; it takes "
        f"{FEWEST_PAIRS} or more"
    )


def _draw(out: Path, title: str, sides: Sides, report: "GapReport", seed: int, progress: "Progress") -> None:
    """Cosines and maps before and after the means are removed."""
    import numpy as np

    from vernissage.analysis.projection import project
    from vernissage.encoders.centring import without_mean
    from vernissage.pages.figures import save_figure
    from vernissage_lab.pages.gap_figure import GapPanel, gap_figure

    raw = [side[report.measured] for side in (sides.first, sides.second)]
    closed = [without_mean(side, mean) for side, mean in zip(raw, report.means, strict=True)]
    panels = []
    for method, words, vectors in (("raw", "Before", raw), ("means", "Means removed", closed)):
        measures = report.methods[method]  # type: ignore[index]
        if measures.cosines is None or measures.separability is None:
            continue
        recall = [each.recall[10].mean for each in measures.mixed]
        summary = (
            f"gap {measures.gap:.3f} · told apart {measures.separability.mean:.0%} · other half among ten for "
            f"{sides.names[0]} {recall[0]:.2f}, {sides.names[1]} {recall[1]:.2f}"
        )
        points = project(np.concatenate(vectors), seed=seed, progress=progress)
        counts = measures.cosines.positive.counts, measures.cosines.negative.counts
        panels.append(GapPanel(words, summary, *counts, points))
    save_figure(gap_figure(panels, sides.names, title=f"{title}: {' and '.join(sides.names)} in one space"), out)


Cell = Callable[["GapMeasures"], "Estimate | float | None"]


def _print_report(sides: Sides, report: "GapReport") -> None:
    one, other = sides.names
    say(
        f"Means fitted on {report.fitted} works, measured on {len(report.measured)} others; the index of both holds "
        f"{report.mixed} of them twice, as {one} and as {other}. @k: how often a work's other half is among the k best "
        f"answers, of its kind alone or of both kinds (mixed)."
    )
    rows = [
        [words, *(_shown(cell(measures)) for measures in report.methods.values()), _shown(chance)]
        for words, cell, chance in _lines(sides.names, report)
    ]
    heads = [_IN_WORDS[method] for method in report.methods]
    print_table(["", *heads, "chance"], rows, numbers=[*heads, "chance"])


def _lines(names: tuple[str, str], report: "GapReport") -> list[tuple[str, Cell, float]]:
    """The table's rows: what is measured, where it stands in the measures, and what mere chance would give."""
    pool, mixed = len(report.measured), 2 * report.mixed - 1
    lines: list[tuple[str, Cell, float]] = [
        ("gap", lambda each: each.gap, report.level),
        ("told apart by a line", lambda each: each.separability, 0.5),
    ]
    for side, name in enumerate(names):
        share = f"{name} in {name}' top ten"
        lines.append((share, lambda each, side=side: each.mixed[side].own_share, (report.mixed - 1) / mixed))  # type: ignore[misc]
    for side, (name, other) in enumerate((names, names[::-1])):
        for where, size in (("", pool), (", mixed", mixed)):
            for depth in (1, 5, 10):
                cell = _recall_cell(side, depth, unimodal=not where)
                lines.append((f"{name} → {other} @{depth}{where}", cell, depth / size))
    return lines


def _recall_cell(side: int, depth: int, *, unimodal: bool) -> Cell:
    return lambda each: (each.unimodal if unimodal else each.mixed)[side].recall[depth]


def _shown(value: "Estimate | float | None") -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}".removeprefix("0")
    return f"{_shown(value.mean)} ±{_shown(value.se)}"


def _as_json(name: str, seed: int, sides: Sides, report: "GapReport | None") -> dict[str, Any]:
    content: dict[str, Any] = {"encoder": name, "gap": sides.gap, **dict(zip(sides.names, sides.counts, strict=True))}
    content["note"] = sides.remark or None
    if report is None:
        return content | {"report": None}
    methods = {method: _measures_as_json(sides.names, each) for method, each in report.methods.items()}
    return content | {
        "report": {
            "seed": seed,
            "fitted": report.fitted,
            "measured": len(report.measured),
            "mixed_pairs": report.mixed,
            "gap_by_sampling": report.level,
            "methods": methods,
        }
    }


def _measures_as_json(names: tuple[str, str], measures: "GapMeasures") -> dict[str, Any]:
    from dataclasses import asdict

    def recalls(retrieval: Any) -> dict[str, Any]:
        return {str(depth): asdict(value) for depth, value in retrieval.recall.items()}

    cosines = measures.cosines
    directions = [f"{name} to {other}" for name, other in (names, names[::-1])]
    return {
        "gap": measures.gap,
        "separability": asdict(measures.separability) if measures.separability else None,
        "own_modality_in_top_ten": {
            name: asdict(each.own_share) if each.own_share else None
            for name, each in zip(names, measures.mixed, strict=True)
        },
        "recall_unimodal": dict(zip(directions, map(recalls, measures.unimodal), strict=True)),
        "recall_mixed": dict(zip(directions, map(recalls, measures.mixed), strict=True)),
        "cosines": None
        if cosines is None
        else {
            "positive": _distribution_as_json(cosines.positive),
            "negative": _distribution_as_json(cosines.negative),
            "chance_that_positive_is_higher": cosines.nearer,
        },
    }


def _distribution_as_json(cosines: "CosineDistribution") -> Mapping[str, Any]:
    return {
        "n": cosines.n,
        "mean": cosines.mean,
        "sd": cosines.sd,
        "histogram_from_-1_to_1": cosines.counts.tolist(),
    }
