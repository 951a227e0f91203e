"""`gap`: how far apart an encoder keeps pictures and texts, and what closing that gap brings (Figs. 5 to 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from vernissage.analysis.paired import Estimate
from vernissage.analysis.projection import project
from vernissage.encoders.centring import without_mean
from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.values import Vectors
from vernissage_lab.analysis.gap import FEWEST_MEASURED, GapMeasures, GapReport, Method, gap_report
from vernissage_lab.analysis.gap_cosines import CosineDistribution, PairCosines, pair_cosines
from vernissage_lab.analysis.gap_retrieval import DEPTHS
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.recipes.contract import Outcome, Recipe
from vernissage_lab.recipes.gap_tables import CAPTIONS, CROSS, SIDES, pictures_of, views_of
from vernissage_lab.tidy import Row, Value, by_table, in_table

STEP = "Measuring the gap"
PAIRS = 1000

_METHODS: Mapping[Method, str] = {"raw": "before", "means": "means removed", "zscore": "z-scores"}


@dataclass(frozen=True)
class GapOptions:
    """How many pairs are measured at most; the means are fitted on as many others."""

    pairs: int = PAIRS

    def __post_init__(self) -> None:
        """Refuse too few, before anything is encoded."""
        if self.pairs < FEWEST_MEASURED:
            raise RequestError(f"{self.pairs} pairs are asked for; it takes {FEWEST_MEASURED} or more")


@dataclass(frozen=True, eq=False)
class GapPairs:
    """Pictures with one caption each, by one encoder.

    Attributes:
        material: the works, with vectors of pictures and texts.
        fitting: bool (n,), the works that means, and the encoder where it was fitted here, may have seen.
        captions: two captions of one work in each row, float32 (m, dim) each, of works that are measured; m may be 0.
        fitted_on: what the encoder was fitted on, in words.
    """

    material: Material
    fitting: npt.NDArray[np.bool_]
    captions: tuple[Vectors, Vectors]
    fitted_on: str


def run_gap(works: Sequence[GapPairs], options: GapOptions, *, seed: int, cells: Cells, progress: Progress) -> Outcome:
    """Measure cosines, maps and the gap of every encoder.

    Returns:
        ``measures``: gap, separability, shares and recall; ``cosines``: means, and how well cosines tell pairs apart;
        ``histograms`` of them; ``maps``: places of works by t-SNE.

    Raises:
        RequestError: an encoder of one modality, or too few pairs.
    """
    rows: list[Row] = []
    notes: list[str] = []
    for one in works:
        _check(one)
        key = {**one.material.describe(), **vars(options), "fitting": int(one.fitting.sum())}
        rows += cells.rows(key, partial(_measured, one, options, seed, progress)) or []
        notes += _remarks(one, options)
    if cells.skipped:
        notes.append(f"{cells.skipped} cells are left for another run with the same folder and options")
    return Outcome(by_table(rows), tuple(notes))


def _measured(one: GapPairs, options: GapOptions, seed: int, progress: Progress) -> list[Row]:
    return list(_rows(one, options, seed, progress))


def _rows(one: GapPairs, options: GapOptions, seed: int, progress: Progress) -> Iterator[Row]:
    sides = one.material.vectors["image"], one.material.vectors["text"]
    report = gap_report(*sides, one.fitting, pool=options.pairs, seed=seed, progress=progress)
    encoder: dict[str, Value] = {"encoder": one.material.encoder}
    for method, measures in report.methods.items():
        yield from (in_table("measures", encoder | row) for row in _measures(_METHODS[method], measures, report))
        if measures.cosines is not None:
            named = encoder | {"pairs": CROSS, "method": _METHODS[method]}
            yield from _cosines(named, measures.cosines)
            raw = tuple(side[report.measured] for side in sides)
            closed = tuple(without_mean(side, mean) for side, mean in zip(raw, report.means, strict=True))
            yield from _map(named, SIDES, closed if method == "means" else raw, seed, progress)
    captions = [side[: options.pairs] for side in one.captions]
    if len(captions[0]) >= FEWEST_MEASURED:
        unbiased = [without_mean(side, report.means[1]) for side in captions]
        for words, (first, second) in ((_METHODS["raw"], captions), (_METHODS["means"], unbiased)):
            named = encoder | {"pairs": CAPTIONS, "method": words}
            yield from _cosines(named, pair_cosines(first, second))
            yield from _map(named, ("one caption", "another caption"), (first, second), seed, progress)


def _measures(method: str, measures: GapMeasures, report: GapReport) -> Iterator[dict[str, Value]]:
    """What was measured by one method; ``chance`` is what no gap, or mere guessing, gives."""
    pool, mixed = len(report.measured), 2 * report.mixed - 1
    if measures.gap is not None and measures.separability is not None:
        yield _value(method, "gap", "", "", Estimate(measures.gap, float("nan"), pool), report.level)
        yield _value(method, "told apart", "", "", measures.separability, 0.5)
    for side, task in enumerate(("image-to-text", "text-to-image")):
        share = measures.mixed[side].own_share
        if share is not None:
            yield _value(method, "own kind in ten", "mixed", task, share, (report.mixed - 1) / mixed)
        for space, found, size in (("unimodal", measures.unimodal, pool), ("mixed", measures.mixed, mixed)):
            for depth in DEPTHS:
                yield _value(method, f"recall@{depth}", space, task, found[side].recall[depth], depth / size)


def _value(method: str, measure: str, space: str, task: str, estimate: Estimate, chance: float) -> dict[str, Value]:
    named: dict[str, Value] = {"method": method, "measure": measure, "space": space, "task": task}
    return named | {"mean": estimate.mean, "se": estimate.se, "n": estimate.n, "chance": min(1.0, chance)}


def _cosines(named: Mapping[str, Value], cosines: PairCosines) -> Iterator[Row]:
    for kind, found in (("together", cosines.positive), ("apart", cosines.negative)):
        told: dict[str, Value] = {"n": found.n, "mean": found.mean, "sd": found.sd, "nearer": cosines.nearer}
        yield in_table("cosines", dict(named) | {"kind": kind} | told)
        yield from (in_table("histograms", dict(named) | {"kind": kind} | bar) for bar in _bars(found))


def _bars(found: CosineDistribution) -> Iterator[dict[str, Value]]:
    edges = np.linspace(-1, 1, len(found.counts) + 1)
    for place, count in enumerate(found.counts.tolist()):
        yield {"from": round(float(edges[place]), 6), "to": round(float(edges[place + 1]), 6), "count": count}


def _map(
    named: Mapping[str, Value], sides: Sequence[str], vectors: Sequence[Vectors], seed: int, progress: Progress
) -> Iterator[Row]:
    points = project(np.concatenate(vectors), seed=seed, progress=progress)
    half = len(vectors[0])
    for place, (x, y) in enumerate(points.tolist()):
        yield in_table("maps", dict(named) | {"side": sides[place // half], "pair": place % half, "x": x, "y": y})


def _check(one: GapPairs) -> None:
    if set(one.material.modalities) != {"image", "text"}:
        raise RequestError(f"{one.material.encoder} does not read both pictures and texts; choose an encoder that does")


def _remarks(one: GapPairs, options: GapOptions) -> Iterator[str]:
    measured = min(options.pairs, int((~one.fitting).sum()))
    name = one.material.encoder
    yield f"{name} was fitted on {one.fitted_on}; the means were fitted on {int(one.fitting.sum())} works"
    if measured < PAIRS:
        yield f"{name}: {measured} pairs were measured; the paper has {PAIRS:,}"
    if len(one.captions[0]) < FEWEST_MEASURED:
        yield f"{name}: no cosines between captions, because next to no work that is measured has two of them"


GAP = Recipe(
    name="gap",
    paper="ZCCR: Figs. 5 to 7",
    what="cosines of pairs that belong together and of others, maps, and the gap before and after it is closed",
    needs="a captioned set or a gallery",
    protocol=(
        (
            "1,000 works that neither the means nor an encoder that is fitted here have seen, each with one caption "
            "drawn once; where a set names no training part, one half of it, drawn by the seed, is for fitting."
        ),
        (
            "Cosines: of a picture and its caption against all other pairs of the same works; where works have two "
            "captions, of captions of one work against captions of two. Nearer: how often a pair that belongs together "
            "has the higher cosine, .5 by guessing. Maps by t-SNE, each fitted by itself."
        ),
        (
            "The gap is the distance between the mean of pictures and the mean of texts, both of length 1. Told apart: "
            "five-fold logistic regression, both halves of a pair in one fold. Recall: rank = 1 + how many score "
            "strictly better; the mixed space holds half as many works, each as picture and as text. Means removed and "
            "z-scores are two ways to close the gap; see docs/gap.md."
        ),
    ),
    pictures=pictures_of,
    views=views_of,
)
