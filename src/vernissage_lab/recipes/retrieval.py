"""`retrieval`: how pictures find their captions and captions their pictures (Tables 3 and 4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from vernissage.errors import RequestError
from vernissage.values import Modality
from vernissage_lab.analysis.gap import DEPTHS, ranks_across, ranks_among_both
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.material import Material, in_halves, unseen_material
from vernissage_lab.published.folder import DATA, MODELS, PROMPT, VALUES, is_model, is_whole
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Published, Recipe, Record, Tables
from vernissage_lab.tables import (
    Row,
    Table,
    arrow,
    by_measure,
    differences,
    estimate,
    means,
    parts,
    short,
    table,
    where,
)
from vernissage_lab.users import Rows
from vernissage_lab.works import WorkOptions

STEP = "Looking for other halves"
PAIRS = 1_000
FEWEST = 20
MEASURES = (*(f"recall@{depth}" for depth in DEPTHS), "reciprocal rank")
DIRECTIONS: tuple[tuple[Modality, Modality], ...] = (("image", "text"), ("text", "image"))
SPACES = ("unimodal", "mixed")

_SOURCE = "ZCCR, retrieval/results/metrics.csv of the authors' repository, by FAISS"
_IN_PRINT = "ZCCR, Tables 3 and 4, which say zeros in the mixed space; the authors' files hold none of it"


@dataclass(frozen=True)
class RetrievalOptions(WorkOptions):
    """How many pairs the pool holds; the mixed space holds half as many, twice each."""

    pairs: int = PAIRS

    def __post_init__(self) -> None:
        self.require(pairs=FEWEST)


def compute(options: RetrievalOptions, cells: Cells) -> Outcome:
    """Measure how pictures find their texts and texts their pictures, each kind alone and both in one index.

    \b
    Examples:
      vernissage lab experiment run retrieval workspace -e aligned
      vernissage lab experiment run retrieval dataset_coco.json --kind coco-karpathy --pictures coco -e clip
      vernissage lab experiment run retrieval openclipart --kind gallery --caption title+keywords -e aligned
    """
    if options.kind is None:
        materials = [unseen_material(options.workspace, name, **cells.how) for name in options.names]
    else:
        materials = options.materials_of_set(in_halves(options.dataset, seed=cells.seed), cells, both=True)
    return run_retrieval(materials, options.pairs, cells)


def run_retrieval(materials: Sequence[Material], pairs: int, cells: Cells) -> Outcome:
    """Draw a pool of pairs, and let each half look for the other, among its kind alone and among both.

    Works without a vector of either modality cannot be found and are left out. Materials of the same works are looked
    for in the same pool, so that differences of encoders are paired.

    Raises:
        RequestError: a material lacks a modality, or has fewer than 20 pairs.
    """
    grid: list[Part] = []
    notes: list[str] = []
    for material in materials:
        rows = _pool(material, pairs, cells.seed)
        grid.append(Part({**material.describe(), "pairs": pairs}, partial(_values, material, rows)))
        if len(rows) < PAIRS:
            notes.append(f"{material.encoder}: a pool of {len(rows)} pairs, not {PAIRS:,}; recall is higher in it")
    values = [row for rows in rows_of(grid, cells, STEP) for row in rows]
    inputs = tuple(material.describe() for material in materials)
    if not values:
        return Outcome({}, tuple(notes), inputs)
    by, reference = ("encoder", "space", "task"), (materials[0].encoder,)
    compared = differences(values, by[1:], ("encoder",), reference, MEASURES, "query")
    tables = {"values": values, "means": means(values, by, MEASURES), "differences": compared}
    return Outcome(tables, tuple(notes), inputs)


def _pool(material: Material, pairs: int, seed: int) -> Rows:
    material.require_both()
    known = np.flatnonzero(material.vectors["image"].any(axis=1) & material.vectors["text"].any(axis=1))
    if len(known) < FEWEST:
        raise RequestError(
            f"{len(known)} works have both a picture and a text that {material.encoder} reads, and a pool takes "
            f"{FEWEST} or more; add works of both, or take a larger set"
        )
    return np.random.default_rng(seed).permutation(known)[:pairs]


def _values(material: Material, rows: Rows) -> Iterator[Row]:
    for source, target in DIRECTIONS:
        queries, targets = material.vectors[source][rows], material.vectors[target][rows]
        half = len(rows) // 2
        found = ranks_across(queries, targets), ranks_among_both(queries[:half], targets[:half])
        for space, ranks in zip(SPACES, found, strict=True):
            for row, rank in zip(rows, ranks.tolist(), strict=False):
                yield (
                    {"encoder": material.encoder, "space": space, "task": f"{source}-to-{target}"}
                    | {"query": material.item_ids[row], "rank": rank}
                    | {f"recall@{depth}": float(rank <= depth) for depth in DEPTHS}
                    | {"reciprocal rank": 1 / rank}
                )


def _views(tables: Tables) -> list[Table]:
    heads = ("space", "task", *(f"@{depth}" for depth in DEPTHS), "1/rank", "n")
    note = "recall@k and reciprocal rank, ± standard error over n queries; rank = 1 + how many score strictly better"
    views = []
    for (encoder,), mine in parts(tables.get("means", ()), "encoder"):
        body = []
        for space in SPACES:
            for (task,), some in parts(where(mine, space=space), "task"):
                told = by_measure(some)
                body.append((space, arrow(task), *(estimate(told[each]) for each in MEASURES), f"{some[0]['n']:,}"))
        views.append(table(f"Finding the other half, by {encoder}", heads, body, note, words=2))
    return views


def _pictures(tables: Tables) -> dict[str, Picture]:
    dots = [
        Dot.of(row, f"{encoder}, {space}, {arrow(task)}", row["measure"], space == "mixed")
        for (encoder, space, task), mine in parts(tables.get("means", ()), "encoder", "space", "task")
        for row in mine
        if row["measure"] != "reciprocal rank"
    ]
    if not dots:
        return {}
    heading = "Finding the other half: unimodal space in blue, mixed in grey"
    return {"retrieval": Picture(dot_figure(dots, title=heading), heading)}


def _ours(tables: Tables, record: Record, *, model: str, data: str, task: str, space: str = SPACES[0]) -> str:
    if not any(is_whole(each, DATA[data]) and is_model(each, MODELS[model]) for each in record["inputs"]):
        return ""
    rows = where(tables.get("means", ()), encoder=MODELS[model].encoder, space=space, task=task)
    found = [row for depth in DEPTHS for row in where(rows, measure=f"recall@{depth}")]
    queries = PAIRS if space == SPACES[0] else PAIRS // 2
    if len(found) < len(DEPTHS) or any(row["n"] != queries for row in found):
        return ""
    return " / ".join(estimate(row) for row in found)


def _parted(record: Record, *, model: str, data: str, task: str) -> str:
    told = ["pairs from all parts of the set there"]
    if data == "flickr30k":
        told.append("they are drawn caption by caption there, so that a picture can stand in the pool twice")
    if task == "text-to-image":
        told.append("for each depth a caption is drawn anew there, once for all here")
    variants = [str(each.get("encoder_variant", "")) for each in record["inputs"]]
    if model == "clip" and not any(PROMPT in each for each in variants):
        told.append("captions there begin with 'This is'")
    return "; ".join(told)


RECIPE = Recipe(
    *(EXPERIMENTS["retrieval"], RetrievalOptions, compute, _pictures, _views),
    published=tuple(
        Published(
            what=f"{heading}{arrow(task)}, {MODELS[model].name}, {DATA[data].name}: recall @1 / @5 / @10",
            value=" / ".join(short(each) for each in recall) if space == SPACES[0] else "zeros",
            source=source,
            needs=f"{DATA[data].name}, {MODELS[model].name} and a pool of {PAIRS:,} pairs",
            ours=partial(_ours, model=model, data=data, task=task, space=space),
            difference=partial(_parted, model=model, data=data, task=task),
        )
        for space, heading, source in zip(SPACES, ("", "mixed space, "), (_SOURCE, _IN_PRINT), strict=True)
        for model, datas in VALUES["retrieval"].items()
        for data, tasks in datas.items()
        for task, recall in tasks.items()
    ),
)
