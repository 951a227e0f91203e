"""`gap`: how far apart an encoder keeps two modalities, and what closing that gap brings (Figs. 5 to 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite, nan
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vernissage.analysis.projection import project
from vernissage.encoders.centring import without_mean
from vernissage.progress import Progress
from vernissage.values import Vectors
from vernissage.workspace.state import is_workspace
from vernissage_lab.analysis.gap import (
    DEPTHS,
    FEWEST_MEASURED,
    QUANTILES,
    GapMeasures,
    GapReport,
    Method,
    PairCosines,
    gap_report,
    pair_cosines,
)
from vernissage_lab.analysis.paired import Estimate
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import GapPanel, box_figure, gap_figure
from vernissage_lab.material import PairedWorks, in_halves, material_of_workspace, pairs_of_set, pairs_of_workspace
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.set_encoders import USUAL, checked_encoders, set_encoder
from vernissage_lab.tables import (
    Row,
    Table,
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
KINDS = ("pictures", "texts")
CROSS, CAPTIONS = "picture and text", "two captions of one work"
TASKS = ("image-to-text", "text-to-image")
METHODS: Mapping[Method, str] = {"raw": "before", "means": "means removed", "zscore": "z-scores"}


@dataclass(frozen=True)
class GapOptions(WorkOptions):
    """A data set, and how many pairs are measured at most; the means are fitted on as many others."""

    source: Path
    kind: str | None = None
    pairs: int = PAIRS

    def __post_init__(self) -> None:
        self.require(pairs=FEWEST_MEASURED)


def compute(options: GapOptions, cells: Cells) -> Outcome:
    """Draw cosines and maps of pictures and texts, and measure the gap between them before and after closing it.

    What is fitted is fitted on one part of the set, and all is measured on another; of a workspace, on its halves.

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
    yield from _report_rows(one.material.encoder, both, report, seed, progress)
    captions = [vectors[:pairs] for vectors in one.captions]
    if len(captions[0]) >= FEWEST_MEASURED:
        unbiased = [without_mean(vectors, report.means[1]) for vectors in captions]
        for words, (first, second) in ((METHODS["raw"], captions), (METHODS["means"], unbiased)):
            named = {"encoder": one.material.encoder, "pairs": CAPTIONS, "method": words}
            yield from _cosines(named, pair_cosines(first, second))
            yield from _map(named, ("one caption", "another caption"), (first, second), seed, progress)


def _report_rows(
    encoder: str, both: tuple[Vectors, Vectors], report: GapReport, seed: int, progress: Progress
) -> Iterator[Row]:
    """The rows of all tables for the vectors of two modalities."""
    for method, measures in report.methods.items():
        words = METHODS[method]
        yield from (in_table("measures", {"encoder": encoder, **row}) for row in _measures(words, measures, report))
        if measures.cosines is None:
            continue
        named = {"encoder": encoder, "pairs": CROSS, "method": words}
        yield from _cosines(named, measures.cosines)
        raw = [vectors[report.measured] for vectors in both]
        closed = [without_mean(vectors, mean) for vectors, mean in zip(raw, report.means, strict=True)]
        yield from _map(named, KINDS, closed if method == "means" else raw, seed, progress)


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


RECIPE = Recipe(EXPERIMENTS["gap"], GapOptions, compute, pictures_of, views_of)
