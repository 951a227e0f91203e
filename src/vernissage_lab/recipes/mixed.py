"""`mixed`: one index of pictures and texts, or one index of each, for lists of both."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.search.exact import ExactIndex
from vernissage.search.mixed import MixedIndex, MixedMethod
from vernissage.search.modality_means import ModalityMeans, fit_modality_means
from vernissage.search.scan import one_thread
from vernissage.search.vectors import make_vector_table
from vernissage.values import Modality
from vernissage_lab.area_lists import SHOWN, Seeker
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.pages.evaluation_figure import EvaluationRow, evaluation_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.readable import estimate, short
from vernissage_lab.recipes.contract import Outcome, Picture, Recipe, Tables
from vernissage_lab.recipes.weighting import difference
from vernissage_lab.simulated_users import POOL, QUERY_CLASSES, Protocol, protocol_of, simulated_users
from vernissage_lab.tidy import Row, differences, distinct, means, where

STEP = "Asking one index and two"
TWO = "two indexes in turn"
BOTH: tuple[Modality, ...] = ("image", "text")
ONE: Mapping[str, MixedMethod] = {
    "one index, means removed": "means",
    "one index, z-scores": "zscore",
    "one index, cosines as they are": "raw",
}
TIMED_QUERIES = 200

_Query = npt.NDArray[np.float64]
_Way = Callable[[_Query, Modality, int], Sequence[tuple[str, Modality]]]


@dataclass(frozen=True)
class MixedComparison:
    """Numbers of interests, and uploads in each."""

    classes: tuple[int, ...] = (1, 2, 5, 10)
    points: int = 10
    users: int = 100
    query_classes: int = QUERY_CLASSES
    pool: int = POOL


def run_mixed(
    materials: Sequence[Material], options: MixedComparison, *, seed: int, cells: Cells, progress: Progress
) -> Outcome:
    """Ask for ten works by the mean of a user's uploads, one modality of them, and look among pictures and texts.

    Returns:
        ``values``: Recall@10 and the share of the query's own modality for each user and way; ``means``;
        ``differences`` of recall from two indexes; ``times``: milliseconds a query over all works.

    Raises:
        RequestError: an encoder that does not read both modalities, or too few classes or noise for the protocol.
    """
    values: list[Row] = []
    times: list[Row] = []
    notes: list[str] = []
    grid = [(material, classes) for material in materials for classes in options.classes]
    for done, (material, classes) in enumerate(grid):
        progress(STEP, done, len(grid))
        if len(material.modalities) < 2:
            raise RequestError(
                f"{material.encoder} reads {material.modalities[0]}s alone; choose an encoder of both, as -e aligned"
            )
        protocol = protocol_of(material.classes, query_classes=options.query_classes, pool=options.pool)
        if len(protocol.usable(options.points)) < classes:
            notes.append(f"{material.name}: {classes} classes are left out; too few have {options.points + 1} works")
            continue
        key = {**material.describe(), **vars(options), "classes": classes}
        with one_thread(), threadpool_limits(1):
            values += cells.rows(key, partial(_rows, material, protocol, classes, options, seed)) or []
            times += cells.rows({**key, "times": TIMED_QUERIES}, partial(_timed, material)) or [] if not done else []
        size = protocol.pool_size(classes)
        if size < options.pool:
            notes.append(f"{material.name}: pools hold all works of other classes there are, not {options.pool} works")
    progress(STEP, len(grid), len(grid))
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "nothing is to be measured; give classes and materials")
    group = ("encoder", "source", "classes")
    tables: Tables = {
        "values": values,
        "means": means(values, (*group, "way"), ("recall", "own")),
        "differences": differences(values, group, ("way",), (TWO,), "recall", "user"),
        "times": times,
    }
    return Outcome(tables, tuple(dict.fromkeys(notes)))


def _rows(material: Material, protocol: Protocol, classes: int, options: MixedComparison, seed: int) -> list[Row]:
    return list(_measured(material, protocol, classes, options, seed))


def _measured(
    material: Material, protocol: Protocol, classes: int, options: MixedComparison, seed: int
) -> Iterator[Row]:
    closing = _means(material)
    people = simulated_users(protocol, interests=classes, points=options.points, users=options.users, seed=seed)
    for number, user in enumerate(people):
        seeker = Seeker(material, user)
        ways = _ways({each: seeker.index(each) for each in BOTH}, closing)
        for source in BOTH:
            query = seeker.vectors(source).mean(axis=0, dtype=np.float64)
            for name, way in ways.items():
                found = _distinct(way(query, source, 2 * SHOWN))
                own = sum(modality == source for modality in found.values()) / SHOWN
                yield {
                    "encoder": material.encoder,
                    "source": source,
                    "classes": classes,
                    "way": name,
                    "user": number,
                    "recall": seeker.found(found),
                    "own": own,
                }


def _ways(indexes: Mapping[Modality, ExactIndex], closing: ModalityMeans) -> dict[str, _Way]:
    mixed = MixedIndex(indexes["image"], indexes["text"], closing)

    def in_turn(query: _Query, source: Modality, k: int) -> list[tuple[str, Modality]]:
        own_first = sorted(indexes, key=lambda each: each != source)
        lists = [[(name, each) for name in indexes[each].search(query, k)[0].item_ids] for each in own_first]
        return [each for each in chain.from_iterable(zip_longest(*lists)) if each is not None]

    def by_one(method: MixedMethod) -> _Way:
        def way(query: _Query, source: Modality, k: int) -> list[tuple[str, Modality]]:
            found = mixed.search(query, source, k, method=method)
            return list(zip(found.item_ids, found.modalities, strict=True))

        return way

    return {TWO: in_turn} | {name: by_one(method) for name, method in ONE.items()}


def _distinct(found: Sequence[tuple[str, Modality]]) -> dict[str, Modality]:
    """The first ten works, each with the modality by which it came first: a work counts once."""
    first: dict[str, Modality] = {}
    for name, modality in found:
        if len(first) < SHOWN:
            first.setdefault(name, modality)
    return first


def _means(material: Material) -> ModalityMeans:
    pictures, texts = (
        make_vector_table(
            material.vectors[each],
            material.item_ids,
            [""] * len(material),
            encoder=material.encoder,
            fingerprint=material.encoder_fingerprint,
            modality=each,
            collection=material.fingerprint,
        )
        for each in BOTH
    )
    return fit_modality_means(pictures, texts)


def _timed(material: Material) -> list[Row]:
    """Milliseconds a query over all works, the ways in turn for every query, after a round of warm-up."""
    indexes = {each: material.index(each, material.vectors[each], material.item_ids) for each in BOTH}
    ways = _ways(indexes, _means(material))
    rows = np.random.default_rng(0).integers(len(material), size=TIMED_QUERIES)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number, row in enumerate([*rows[:5], *rows]):
        for name, way in ways.items():
            start = time.perf_counter()
            way(material.vectors["image"][row].astype(np.float64), "image", SHOWN)
            if number >= 5:
                seconds[name].append(time.perf_counter() - start)
    found: list[Row] = []
    for name, own in seconds.items():
        median, p95 = (float(each) * 1e3 for each in np.percentile(own, (50, 95)))
        named: Row = {"encoder": material.encoder, "way": name, "vectors": 2 * len(material), "queries": len(own)}
        found.append({**named, "median_ms": median, "p95_ms": p95})
    return found


def _pictures(tables: Tables) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    rows = where(tables.get("means", ()), measure="recall")
    for encoder in distinct(rows, "encoder"):
        for source in distinct(rows, "source"):
            mine = where(rows, encoder=encoder, source=source)
            heading = f"Recall among ten works by {source}s, with {encoder}"
            points = [
                EvaluationRow(str(row["way"]), _counted(row["classes"]), float(row["mean"]), float(row["se"]))
                for row in mine
            ]
            figure = evaluation_figure(points, title=heading)
            found[f"{encoder}-{source}"] = Picture(figure, f"{heading}: one index of both, or two.")
    return found


def _counted(classes: object) -> str:
    return "1 interest" if classes == 1 else f"{classes} interests"


def _views(tables: Tables) -> list[ReadTable]:
    rows = tables.get("means", ())
    found: list[ReadTable] = []
    for encoder in distinct(rows, "encoder"):
        for source in distinct(rows, "source"):
            mine = where(rows, encoder=encoder, source=source)
            apart = where(tables["differences"], encoder=encoder, source=source)
            classes = distinct(mine, "classes")
            body = tuple(
                (str(way), *(_told(where(mine, way=way, classes=each)) for each in classes))
                for way in distinct(mine, "way")
            )
            differ = tuple(
                (str(way), *(difference(where(apart, way=way, classes=each)) for each in classes))
                for way in distinct(apart, "way")
            )
            caption, heads = f"Recall@10 by {source}s with {encoder}", ("way", *map(_counted, classes))
            note = "± one standard error over users; in brackets the share that came by the query's own modality"
            found.append(ReadTable(caption, heads, body, note))
            found.append(ReadTable(f"{caption}, minus {TWO}", heads, differ, "paired by user, with Holm's p"))
    times = tuple(
        (str(row["encoder"]), str(row["way"]), f"{float(row['median_ms']):.2f}", f"{float(row['p95_ms']):.2f}")
        for row in tables.get("times", ())
    )
    if times:
        heads = ("encoder", "way", "median", "95th percentile")
        found.append(ReadTable("Milliseconds a query over all works, ten wanted", heads, times, words=2))
    return found


def _told(rows: Sequence[Row]) -> str:
    told = {str(row["measure"]): row for row in rows}
    return f"{estimate(told['recall'])} ({short(float(told['own']['mean']), 2)})" if told else ""


MIXED = Recipe(
    name="mixed",
    paper="left open by ZCCR, section 4.1",
    what="one mixed index of pictures and texts against two indexes: recall and time",
    needs="a workspace with groups and an encoder of pictures and texts",
    protocol=(
        "Users and pools of `ablation`; the query is the mean of a user's uploads by pictures, or by texts.",
        "Ten works, each once, out of pictures and texts: from two indexes in turn, or from one index of both.",
        "One index: modality means removed (fitted on half of the works), z-scores, or cosines as they are.",
        "Times depend on the machine: compare the ways. `search-time` has a million vectors.",
    ),
    pictures=_pictures,
    views=_views,
)
