"""`retrieval`: how pictures find their captions and captions their pictures (Tables 3 and 4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.values import Modality
from vernissage_lab.analysis.gap_retrieval import DEPTHS, Ranks, ranks_across, ranks_among_both
from vernissage_lab.cells import Cells
from vernissage_lab.facets import arrow
from vernissage_lab.material import Material
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import estimate
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.recipes.retrieval_published import PUBLISHED
from vernissage_lab.tidy import Row, differences, distinct, means, where

STEP = "Looking for other halves"
PAIRS = 1_000
FEWEST = 20
MEASURES = (*(f"recall@{depth}" for depth in DEPTHS), "reciprocal rank")
DIRECTIONS: tuple[tuple[Modality, Modality], ...] = (("image", "text"), ("text", "image"))
SPACES = ("unimodal", "mixed")


@dataclass(frozen=True)
class RetrievalOptions:
    """How many pairs the pool holds; the mixed space holds half as many, twice each."""

    pairs: int = PAIRS

    def __post_init__(self) -> None:
        """Refuse too few, before anything is encoded."""
        if self.pairs < FEWEST:
            raise RequestError(f"a pool of {self.pairs} pairs is asked for; it takes {FEWEST} or more")


def run_retrieval(
    materials: Sequence[Material], options: RetrievalOptions, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Draw a pool of pairs, and let each half look for the other, among its kind alone and among both.

    Works without a vector of either modality cannot be found and are left out. Materials of the same works are looked
    for in the same pool, so that differences of encoders are paired.

    Raises:
        RequestError: a material lacks a modality, or has fewer than 20 pairs.
    """
    values: list[Row] = []
    notes: list[str] = []
    for done, material in enumerate(materials):
        progress(STEP, done, len(materials))
        rows = _pool(material, options.pairs, seed)
        key = {**material.describe(), **vars(options)}
        values += cells.rows(key, partial(_measure, material, rows)) or []
        if len(rows) < PAIRS:
            notes.append(f"{material.encoder}: a pool of {len(rows)} pairs, not {PAIRS:,}; recall is higher in it")
    progress(STEP, len(materials), len(materials))
    if cells.skipped:
        notes.append(f"{cells.skipped} cells are left for another run with the same folder and options")
    if not values:
        return Outcome({}, tuple(notes))
    by = ("encoder", "space", "task")
    reference = (materials[0].encoder,)
    compared = [row for each in MEASURES for row in differences(values, by[1:], ("encoder",), reference, each, "query")]
    return Outcome({"values": values, "means": means(values, by, MEASURES), "differences": compared}, tuple(notes))


def _pool(material: Material, pairs: int, seed: int) -> np.ndarray:
    if set(material.modalities) != {"image", "text"}:
        raise RequestError(f"{material.encoder} does not read both pictures and texts; choose an encoder that does")
    known = np.flatnonzero(material.vectors["image"].any(axis=1) & material.vectors["text"].any(axis=1))
    if len(known) < FEWEST:
        raise RequestError(
            f"{len(known)} works have both a picture and a text that {material.encoder} reads, and a pool takes "
            f"{FEWEST} or more; add works of both, or take a larger set"
        )
    return np.random.default_rng(seed).permutation(known)[:pairs]


def _measure(material: Material, rows: np.ndarray) -> list[Row]:
    return list(_values(material, rows))


def _values(material: Material, rows: np.ndarray) -> Iterator[Row]:
    for source, target in DIRECTIONS:
        queries, targets = material.vectors[source][rows], material.vectors[target][rows]
        half = len(rows) // 2
        found: Mapping[str, Ranks] = {
            "unimodal": ranks_across(queries, targets),
            "mixed": ranks_among_both(queries[:half], targets[:half]),
        }
        for space, ranks in found.items():
            for row, rank in zip(rows, ranks.tolist(), strict=False):
                yield (
                    {"encoder": material.encoder, "space": space, "task": f"{source}-to-{target}"}
                    | {"query": material.item_ids[row], "rank": rank}
                    | {f"recall@{depth}": float(rank <= depth) for depth in DEPTHS}
                    | {"reciprocal rank": 1 / rank}
                )


def _views(tables: Tables) -> list[ReadTable]:
    rows = tables.get("means", ())
    heads = ("space", "task", *(f"@{depth}" for depth in DEPTHS), "1/rank", "n")
    note = "recall@k and reciprocal rank, ± standard error over n queries; rank = 1 + how many score strictly better"
    views = []
    for encoder in distinct(rows, "encoder"):
        body = []
        for space, task in product(SPACES, distinct(rows, "task")):
            mine = where(rows, encoder=encoder, space=space, task=task)
            if mine:
                cells = [estimate(where(mine, measure=measure)[0]) for measure in MEASURES]
                body.append((space, arrow(task), *cells, f"{mine[0]['n']:,}"))
        views.append(ReadTable(f"Finding the other half, by {encoder}", heads, tuple(body), note, words=2))
    return views


def _pictures(tables: Tables) -> dict[str, Picture]:
    rows = tables.get("means", ())
    shown = [
        EvaluationRow(
            f"{row['encoder']}, {row['space']}, {arrow(row['task'])}",
            str(row["measure"]),
            float(row["mean"]),
            float(row["se"]),
            row["space"] == "mixed",
        )
        for row in rows
        if row["measure"] != "reciprocal rank"
    ]
    if not shown:
        return {}
    heading = "Finding the other half: unimodal space in blue, mixed in grey"
    return {"retrieval": Picture(evaluation_figure(shown, title=heading), heading)}


RETRIEVAL = Recipe(
    name="retrieval",
    paper="ZCCR: Tables 3 and 4",
    what="recall at 1, 5 and 10 of a picture's caption and a caption's picture, in unimodal and in mixed space",
    needs="a workspace or a data set of pictures with texts, and an encoder of both",
    protocol=(
        "A pool of 1,000 pairs, one caption of each picture drawn once; rank = 1 + how many score strictly better.",
        (
            "Unimodal: a picture looks among the 1,000 captions, a caption among the 1,000 pictures. Mixed: 500 of the "
            "pairs as 1,000 works of one index, the query itself left out."
        ),
        (
            "An alignment is measured on pairs that it was not fitted on; the encoders below it have read these texts "
            "and pictures, each by itself, where the data has no training part."
        ),
    ),
    pictures=_pictures,
    views=_views,
    published=PUBLISHED,
)
