"""`gap`: how far apart an encoder keeps two modalities, and what closing that gap brings (Figs. 5 to 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import isfinite, nan
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from vernissage.analysis.projection import project
from vernissage.catalog.item import Item
from vernissage.cli.options import WorkspacePath
from vernissage.encoders.centring import without_mean
from vernissage.encoders.contract import TextEncoder
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS as FEWEST_ALIGNED
from vernissage.errors import RequestError
from vernissage.pages.figures import save_figure
from vernissage.progress import Progress, silent
from vernissage.search.modality_means import fitting_half
from vernissage.values import Vectors, encoded_as
from vernissage.workspace.state import is_workspace
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.analysis.gap import (
    DEPTHS,
    FEWEST_MEASURED,
    QUANTILES,
    CosineDistribution,
    GapMeasures,
    GapReport,
    Method,
    PairCosines,
    gap_report,
    modality_gap,
    pair_cosines,
)
from vernissage_lab.analysis.paired import Estimate
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import GapPanel, box_figure, gap_figure
from vernissage_lab.material import (
    PairedWorks,
    in_halves,
    material_of_workspace,
    pairs_of_set,
    pairs_of_workspace,
    refitted,
)
from vernissage_lab.recipe import EXPERIMENTS, Options, Outcome, Picture, Recipe, Tables
from vernissage_lab.set_encoders import USUAL, checked_encoders, set_encoder
from vernissage_lab.tables import (
    Row,
    Table,
    Told,
    arrow,
    by_table,
    distinct,
    estimate,
    in_table,
    only,
    parts,
    short,
    table,
    where,
)
from vernissage_lab.works import WorkOptions

STEP = "Measuring the gap"
PAIRS = 1000
FEWEST_PAIRS = 20
"""Works with both modalities that the report of a workspace takes."""

KINDS = ("pictures", "texts")
CROSS, CAPTIONS = "picture and text", "two captions of one work"
TASKS = ("image-to-text", "text-to-image")
METHODS: Mapping[Method, str] = {"raw": "before", "means": "means removed", "zscore": "z-scores"}


@dataclass(frozen=True)
class GapOptions(WorkOptions):
    """A data set, and how many pairs are measured at most; the means are fitted on as many others."""

    source: Annotated[Path, typer.Argument(metavar="SET", help="A workspace, or a set's file or folder.")]
    kind: Annotated[
        str | None,
        typer.Option(
            help="The kind of data set; see `vernissage lab experiment data`. Default: workspace, or gallery."
        ),
    ] = None
    pairs: Annotated[int, typer.Option(help="Works that are measured at most, and as many for the means.")] = PAIRS

    def __post_init__(self) -> None:
        self.require(pairs=FEWEST_MEASURED)


def compute(options: GapOptions, cells: Cells) -> Outcome:
    """Draw cosines and maps of pictures and texts, and measure the gap between them before and after closing it.

    What is fitted is fitted on one part of the set, and all is measured on another; of a workspace, on its halves.
    `vernissage lab gap` measures the gap of a workspace without a folder of results.

    \b
    Examples:
      vernissage lab experiment run gap workspace -e aligned
      vernissage lab experiment run gap openclipart --caption title+keywords
      vernissage lab experiment run gap openclipart --caption title --caption keywords
      vernissage lab experiment run gap dataset_coco.json --kind coco-karpathy --pictures coco -e clip --weights clip
    """
    folder, how = cells.place, cells.how
    if options.kind is None and is_workspace(options.source):
        opened = options.workspace
        materials = [material_of_workspace(opened, name) for name in options.names]
        for material in materials:
            material.require_both()
        return run_gap([pairs_of_workspace(opened, each, **how) for each in materials], options.pairs, cells)
    options = replace(options, kind=options.kind or "gallery")
    names = checked_encoders(options.encoder or [USUAL], options.weights, both=True)
    found = in_halves(options.dataset, seed=cells.seed)
    works = []
    for name in names:
        by = set_encoder(found, name, folder, weights=options.weights, part="train", **how)
        works.append(pairs_of_set(found, by, folder, pairs=options.pairs, **how))
    return run_gap(works, options.pairs, cells)


def run_gap(works: Sequence[PairedWorks], pairs: int, cells: Cells) -> Outcome:
    """Measure cosines, maps and the gap of every encoder, on at most so many ``pairs``.

    Returns:
        ``measures``: gap, separability, shares and recall; ``cosines``: means, and how well cosines tell pairs apart;
        ``histograms`` of them; ``maps``: places of works by t-SNE.

    Raises:
        RequestError: an encoder of one modality, or too few pairs.
    """
    notes: list[str] = []
    grid: list[Part] = []
    for one in works:
        one.material.require_both()
        key = {**one.material.describe(), "pairs": pairs, "fitting": int(one.fitting.sum())}
        grid.append(Part(key, partial(_rows, one, pairs, cells.seed, cells.progress)))
        notes += _remarks(one, pairs)
    rows = [row for found in rows_of(grid, cells, STEP, threads=True) for row in found]
    return Outcome(by_table(rows), tuple(notes), tuple(one.material.describe() for one in works))


def _rows(one: PairedWorks, pairs: int, seed: int, progress: Progress) -> Iterator[Row]:
    both = one.material.vectors["image"], one.material.vectors["text"]
    report = gap_report(*both, one.fitting, pool=pairs, seed=seed, progress=progress)
    yield from report_rows(one.material.encoder, both, report, KINDS, seed, progress)
    captions = [vectors[:pairs] for vectors in one.captions]
    if len(captions[0]) >= FEWEST_MEASURED:
        unbiased = [without_mean(vectors, report.means[1]) for vectors in captions]
        for words, (first, second) in ((METHODS["raw"], captions), (METHODS["means"], unbiased)):
            named = {"encoder": one.material.encoder, "pairs": CAPTIONS, "method": words}
            yield from _cosines(named, pair_cosines(first, second))
            yield from _map(named, ("one caption", "another caption"), (first, second), seed, progress)


def report_rows(
    encoder: str,
    both: tuple[Vectors, Vectors],
    report: GapReport,
    kinds: tuple[str, str],
    seed: int,
    progress: Progress,
    *,
    maps: bool = True,
) -> Iterator[Row]:
    """The rows of all tables for the vectors of two modalities; maps of them are left out without ``maps``."""
    for method, measures in report.methods.items():
        words = METHODS[method]
        yield from (in_table("measures", {"encoder": encoder, **row}) for row in _measures(words, measures, report))
        if measures.cosines is None:
            continue
        named = {"encoder": encoder, "pairs": CROSS, "method": words}
        yield from _cosines(named, measures.cosines)
        if maps:
            raw = [vectors[report.measured] for vectors in both]
            closed = [without_mean(vectors, mean) for vectors, mean in zip(raw, report.means, strict=True)]
            yield from _map(named, kinds, closed if method == "means" else raw, seed, progress)


def _measures(method: str, measures: GapMeasures, report: GapReport) -> Iterator[Row]:
    """What was measured by one method; ``chance`` is what no gap, or mere guessing, gives."""

    def row(measure: str, space: str, task: str, found: Estimate, chance: float) -> Row:
        named = {"method": method, "measure": measure, "space": space, "task": task}
        return named | {"mean": found.mean, "se": found.se, "n": found.n, "chance": min(1.0, chance)}

    pool, mixed = len(report.measured), 2 * report.mixed - 1
    if measures.gap is not None and measures.separability is not None:
        yield row("gap", "", "", Estimate(measures.gap, nan, pool), report.level)
        yield row("told apart", "", "", measures.separability, 0.5)
    for place, task in enumerate(TASKS):
        share = measures.mixed[place].own_share
        if share is not None:
            yield row("own kind in ten", "mixed", task, share, (report.mixed - 1) / mixed)
        for space, found, size in (("unimodal", measures.unimodal, pool), ("mixed", measures.mixed, mixed)):
            for depth in DEPTHS:
                yield row(f"recall@{depth}", space, task, found[place].recall[depth], depth / size)


def _cosines(named: Row, cosines: PairCosines) -> Iterator[Row]:
    for kind, found in (("together", cosines.positive), ("apart", cosines.negative)):
        told = {"n": found.n, "mean": found.mean, "sd": found.sd, "nearer": cosines.nearer}
        told |= dict(zip(QUANTILES, found.quantiles, strict=True))
        yield in_table("cosines", {**named, "kind": kind, **told})
        edges = np.linspace(-1, 1, len(found.counts) + 1).tolist()
        for place, count in enumerate(found.counts.tolist()):
            bar = {"from": round(edges[place], 6), "to": round(edges[place + 1], 6), "count": count}
            yield in_table("histograms", {**named, "kind": kind, **bar})


def _map(named: Row, kinds: Sequence[str], vectors: Sequence[Vectors], seed: int, progress: Progress) -> Iterator[Row]:
    points = project(np.concatenate(vectors), seed=seed, progress=progress)
    half = len(vectors[0])
    for place, (x, y) in enumerate(points.tolist()):
        yield in_table("maps", {**named, "side": kinds[place // half], "pair": place % half, "x": x, "y": y})


def _remarks(one: PairedWorks, pairs: int) -> Iterator[str]:
    measured = min(pairs, int((~one.fitting).sum()))
    name = one.material.encoder
    yield f"{name} was fitted on {one.fitted_on}; the means were fitted on {int(one.fitting.sum())} works"
    if measured < PAIRS:
        yield f"{name}: {measured} pairs were measured; the paper has {PAIRS:,}"
    if len(one.captions[0]) < FEWEST_MEASURED:
        yield f"{name}: no cosines between captions, because next to no work that is measured has two of them"


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """For each encoder the cosines and maps before and after the means are removed; and those of captions.

    The box plots are in the layout of the paper's Figs. 5 and 6.
    """
    found: dict[str, Picture] = {}
    for (encoder,), mine in parts(where(tables.get("cosines", ()), method=METHODS["raw"]), "encoder"):
        rows = sorted(mine, key=lambda row: row["pairs"] != CAPTIONS)
        boxes = [(f"{row['pairs']},\n{row['kind']}", [row[name] for name in QUANTILES]) for row in rows]
        title = f"{encoder}: cosines of pairs that belong together, and of others"
        medians = ", ".join(f"{row['pairs']}, {row['kind']}: {short(row['median'], 2)}" for row in rows)
        found[f"{encoder}-boxes"] = Picture(box_figure(boxes, title=title), f"{title}. Medians: {medians}.")
    for (encoder, pairs), mine in parts(tables.get("maps", ()), "encoder", "pairs"):
        kinds = distinct(mine, "side")
        panels = [
            _panel(tables, {"encoder": encoder, "pairs": pairs, "method": method})
            for method in distinct(mine, "method")
        ]
        title = f"{encoder}: {kinds[0]} and {kinds[1]} in one space" if pairs == CROSS else f"{encoder}: {pairs}"
        figure = gap_figure(panels, (kinds[0], kinds[1]), title=title)
        alt = f"{title}. " + " ".join(f"{panel.title}: {panel.summary}." for panel in panels)
        found[f"{encoder}-{'gap' if pairs == CROSS else 'captions'}"] = Picture(figure, alt)
    return found


def _panel(tables: Tables, named: Mapping[str, str]) -> GapPanel:
    points = np.array([[row["x"], row["y"]] for row in where(tables["maps"], **named)])
    bars = where(tables["histograms"], **named)

    def counts(kind: str) -> npt.NDArray[np.int64]:
        return np.array([row["count"] for row in where(bars, kind=kind)], dtype=np.int64)

    together, apart = (only(tables["cosines"], **named, kind=kind) for kind in ("together", "apart"))
    summary = (
        f"mean cosine {short(together['mean'], 2)} and {short(apart['mean'], 2)} · nearer {together['nearer']:.0%}"
    )
    if named["pairs"] == CROSS:
        mine = where(tables["measures"], encoder=named["encoder"], method=named["method"])
        gap, line = (only(mine, measure=measure) for measure in ("gap", "told apart"))
        summary = f"gap {short(gap['mean'])} · told apart {line['mean']:.0%} · {summary}"
    method = named["method"]
    return GapPanel(method[0].upper() + method[1:], summary, counts("together"), counts("apart"), points)


def views_of(tables: Tables) -> list[Table]:
    """For each encoder what was measured by every method, and the cosines."""
    found = []
    for (encoder,), mine in parts(tables.get("measures", ()), "encoder"):
        methods = distinct(mine, "method")
        body = [
            (measure, space, arrow(task), *_line(some, methods))
            for (measure, space, task), some in parts(mine, "measure", "space", "task")
        ]
        note = "± one standard error; chance: what no gap, or mere guessing, gives; for the gap what sampling leaves"
        heads = ("measure", "space", "task", *methods, "chance")
        found.append(table(f"{encoder}: pictures and texts in one space", heads, body, note, words=3))
    if cosines := tables.get("cosines"):
        words, numbers = ("encoder", "pairs", "method", "kind"), ("mean", "sd", "nearer")
        body = [
            (*(row[column] for column in words), f"{row['n']:,}", *(short(row[column]) for column in numbers))
            for row in cosines
        ]
        note = "together: pairs that belong together; nearer: how often these have the higher cosine"
        found.append(table("Cosines of pairs", (*words, "n", *numbers), body, note, words=4))
    return found


def _line(rows: Sequence[Row], methods: Sequence[str]) -> tuple[str, ...]:
    """What every method gives, – where it has nothing to measure, and what chance gives."""
    told = {row["method"]: estimate(row) if isfinite(row["se"]) else short(row["mean"]) for row in rows}
    return (*(told.get(method, "–") for method in methods), short(rows[0]["chance"]))


@dataclass(frozen=True)
class WorkspaceGapOptions(Options):
    """Two modalities of a workspace."""

    workspace: WorkspacePath
    encoder: Annotated[
        str | None, typer.Option("--encoder", "-e", help="An encoder of pictures and texts; default aligned.")
    ] = None
    captions_against_keywords: Annotated[
        bool,
        typer.Option(
            "--captions-against-keywords",
            help="Compare two kinds of text instead, titles with descriptions and keywords; default minilm, else lsa.",
        ),
    ] = False
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw cosines and maps before and after: .png, .svg or .pdf.")
    ] = None
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal halves and pictures.")] = 0


@dataclass(frozen=True, eq=False)
class TwoModalities:
    """Vectors of two modalities by one encoder.

    Attributes:
        names: what they are called, in the plural.
        counts: how many works have each.
        gap: between all of them.
        ids: the works that have both.
        vectors: theirs, float32 (n, dim) each.
        remark: what a person should know, or "".
    """

    names: tuple[str, str]
    counts: tuple[int, int]
    gap: float
    ids: tuple[str, ...]
    vectors: tuple[Vectors, Vectors]
    remark: str = ""


def gap(options: WorkspaceGapOptions, progress: Progress = silent) -> Told:
    """How far apart an encoder keeps pictures and texts, and what closing that gap brings to one index of both.

    The gap is closed by taking the mean of its modality off each vector, with means of one half of the works, or by
    z-scores of each query's answers; all is measured on the other half.

    \b
    Examples:
      vernissage lab gap workspace --encoder clip -o gap.png
      vernissage lab gap workspace --json
      vernissage lab gap workspace --captions-against-keywords --encoder minilm
    """
    opened = open_workspace(options.workspace)
    if options.captions_against_keywords:
        usual = next((name for name in ("minilm", "sentence", "lsa") if name in opened.encoder_names), "minilm")
        found = _captions_and_keywords(opened, name := options.encoder or usual)
    else:
        found = _pictures_and_texts(opened, name := options.encoder or "aligned", options.seed, progress)
    (one, other), count = found.names, len(found.ids)
    shown: list[str | Table] = [
        f"{name}: the means of {found.counts[0]} {one} and {found.counts[1]} {other} are {found.gap:.3f} apart (0 to 2)"
    ]
    remarks = [f"note: {found.remark}"] if found.remark else []
    content: dict[str, Any] = {"encoder": name, "gap": found.gap, **dict(zip(found.names, found.counts, strict=True))}
    content["note"] = found.remark or None
    if count < FEWEST_PAIRS:
        few = (
            f"{count} works have both {one} and {other}, too few to measure what closing the gap brings; it takes "
            f"{FEWEST_PAIRS} or more"
        )
        if options.out is not None:
            raise RequestError(few)
        return Told(content | {"report": None}, shown, [*remarks, f"note: {few}"])
    fitting = fitting_half(found.ids, options.seed)
    report = gap_report(*found.vectors, fitting, seed=options.seed, progress=progress)
    how = (found.names, options.seed, progress)
    rows = by_table(list(report_rows(name, found.vectors, report, *how, maps=options.out is not None)))
    if options.out is not None:
        picture = pictures_of(rows)[f"{name}-gap"]
        save_figure(picture.figure, options.out)
        remarks.insert(0, f"Picture written: {options.out}")
    shown += [
        (
            f"Means fitted on {report.fitted} works, measured on {len(report.measured)} others; the index of both "
            f"holds {report.mixed} of them twice, as {one} and as {other}. @k: how often a work's other half is among "
            f"the k best answers, of its kind alone or of both kinds (mixed)."
        ),
        _report_table(found.names, rows["measures"]),
    ]
    return Told(content | {"report": _report_json(found.names, report, options.seed)}, shown, remarks)


def _pictures_and_texts(opened: Workspace, name: str, seed: int, progress: Progress) -> TwoModalities:
    if len(encoded_as(opened.modalities(name))) == 1:
        raise RequestError(f"{name} reads {opened.modalities(name)[0]}s alone; choose an encoder of both modalities")
    pictures, texts = opened.table(name, "image"), opened.table(name, "text")
    ids = tuple(item_id for item_id in pictures.item_ids if item_id in texts.row_of)
    vectors, remark = (pictures.vectors[pictures.rows(ids)], texts.vectors[texts.rows(ids)]), ""
    if name == "aligned" and len(ids) >= FEWEST_PAIRS:
        if (len(ids) + 1) // 2 < FEWEST_ALIGNED:
            remark = (
                f"aligned was fitted to these very works, and half of {len(ids)} are too few to fit it anew: recall is "
                f"too high"
            )
        else:
            anew, _, _ = refitted(opened, ids, seed=seed, progress=progress)
            vectors = anew["image"], anew["text"]
            remark = (
                "aligned was fitted anew on the half that the means are fitted on, because it has seen all these works"
            )
    gap = modality_gap(pictures.vectors, texts.vectors)
    return TwoModalities(KINDS, (len(pictures), len(texts)), gap, ids, vectors, remark)


def _captions_and_keywords(opened: Workspace, name: str) -> TwoModalities:
    """Titles with descriptions as one modality and keywords as the other, read by one encoder of texts."""
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
    vectors, ids = (first[known], second[known]), tuple(works[row].id for row in known)
    return TwoModalities(("captions", "keywords"), (len(ids), len(ids)), modality_gap(*vectors), ids, vectors)


def _caption(item: Item) -> str:
    return ". ".join(part for part in (item.title, item.description) if part)


def _report_table(names: tuple[str, str], rows: Sequence[Row]) -> Table:
    """Measures of all methods: gap and shares, then recall in either direction."""
    methods = distinct(rows, "method")

    def worded(measure: str, space: str, task: str) -> str:
        if not task:
            return "told apart by a line" if measure == "told apart" else measure
        name, other = names if task == TASKS[0] else names[::-1]
        if measure == "own kind in ten":
            return f"{name} in {name}' top ten"
        return f"{name} → {other} @{measure.partition('@')[2]}{', mixed' if space == 'mixed' else ''}"

    lines = list(parts(rows, "measure", "space", "task"))
    lines.sort(key=lambda line: line[0][0].startswith("recall"))  # the others first, each in its place
    body = [(worded(*key), *_line(some, methods)) for key, some in lines]
    return table("", ("", *methods, "chance"), body)


def _report_json(names: tuple[str, str], report: GapReport, seed: int) -> dict[str, Any]:
    directions = [f"{name} to {other}" for name, other in (names, names[::-1])]

    def cosines_json(found: CosineDistribution) -> dict[str, Any]:
        told = {"n": found.n, "mean": found.mean, "sd": found.sd}
        return told | {"histogram_from_-1_to_1": found.counts.tolist()}

    def measures_json(found: GapMeasures) -> dict[str, Any]:
        shares = [each.own_share for each in found.mixed]
        recalls = [
            [{str(depth): asdict(value) for depth, value in each.recall.items()} for each in some]
            for some in (found.unimodal, found.mixed)
        ]
        return {
            "gap": found.gap,
            "separability": asdict(found.separability) if found.separability else None,
            "own_modality_in_top_ten": {
                name: asdict(share) if share else None for name, share in zip(names, shares, strict=True)
            },
            "recall_unimodal": dict(zip(directions, recalls[0], strict=True)),
            "recall_mixed": dict(zip(directions, recalls[1], strict=True)),
            "cosines": found.cosines
            and {
                "positive": cosines_json(found.cosines.positive),
                "negative": cosines_json(found.cosines.negative),
                "chance_that_positive_is_higher": found.cosines.nearer,
            },
        }

    return {
        "seed": seed,
        "fitted": report.fitted,
        "measured": len(report.measured),
        "mixed_pairs": report.mixed,
        "gap_by_sampling": report.level,
        "methods": {method: measures_json(found) for method, found in report.methods.items()},
    }


RECIPE = Recipe(EXPERIMENTS["gap"], GapOptions, compute, pictures_of, views_of)
