"""`mixed`: one index of pictures and texts, or one index of each, for lists of both."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product, zip_longest

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.search.exact import ExactIndex
from vernissage.search.mixed import MixedIndex, MixedMethod
from vernissage.search.modality_means import ModalityMeans, fit_modality_means
from vernissage.values import ENCODED, Modality
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import SHOWN, Seeker, index_of
from vernissage_lab.material import Material
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.tables import (
    Row,
    Table,
    by_measure,
    difference,
    differences,
    estimate,
    interests,
    means,
    parts,
    pivot,
    short,
    table,
    where,
)
from vernissage_lab.users import Points, Protocol, simulated_users
from vernissage_lab.works import UserOptions

STEP = "Asking one index and two"
TWO = "two indexes in turn"
ONE: Mapping[str, MixedMethod] = {
    "one index, means removed": "means",
    "one index, z-scores": "zscore",
    "one index, cosines as they are": "raw",
}
TIMED_QUERIES = 200

_Query = npt.NDArray[np.float64]
_Way = Callable[[_Query, Modality, int], Sequence[tuple[str, Modality]]]


@dataclass(frozen=True)
class MixedOptions(UserOptions):
    """Numbers of interests, and uploads in each."""

    points: Points = 10


def compute(options: MixedOptions, cells: Cells) -> Outcome:
    """Compare one index of pictures and texts with two indexes, for lists of both: recall and time.

    \b
    Examples:
      vernissage lab experiment run mixed workspace -e aligned
      vernissage lab experiment run mixed workspace -e clip --users 200 --classes 2,5
    """
    options.require_classes()
    return run_mixed(options.materials(cells, both=True), options, cells)


def run_mixed(materials: Sequence[Material], options: MixedOptions, cells: Cells) -> Outcome:
    """Ask for ten works by the mean of a user's uploads, one modality of them, and look among pictures and texts.

    Returns:
        ``values``: Recall@10 and the share of the query's own modality for each user and way; ``means``;
        ``differences`` of recall from two indexes; ``times``: milliseconds a query over all works.

    Raises:
        RequestError: an encoder that does not read both modalities, or too few classes or noise for the protocol.
    """
    grid: list[Part] = []
    notes: list[str] = []
    for material, classes in product(materials, options.interests):
        material.require_both()
        protocol = options.protocol(material)
        if why := protocol.too_small(classes, options.points, material.name):
            notes.append(why)
            continue
        key = {**material.describe(), **options.numbers(), "points": options.points, "classes": classes}
        grid.append(Part(key, partial(_rows, material, protocol, classes, options, cells.seed)))
        notes += protocol.remarks(material.name, classes, options.users)
    times = [Part({**each.describe(), "times": TIMED_QUERIES}, partial(_timed, each)) for each in materials[:1]]
    found = rows_of([*grid, *times], cells, STEP)
    values = [row for rows in found[: len(grid)] for row in rows]
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "nothing is to be measured; give classes and materials")
    group = ("encoder", "source", "classes")
    tables: Tables = {
        "values": values,
        "means": means(values, (*group, "way"), ("recall", "own")),
        "differences": differences(values, group, ("way",), (TWO,), ("recall",), "user"),
        "times": [row for rows in found[len(grid) :] for row in rows],
    }
    return Outcome(tables, tuple(notes), tuple(material.describe() for material in materials))


def _rows(material: Material, protocol: Protocol, classes: int, options: MixedOptions, seed: int) -> Iterator[Row]:
    closing = _means(material)
    people = simulated_users(protocol, interests=classes, points=options.points, users=options.users, seed=seed)
    for number, user in enumerate(people):
        seeker = Seeker(material, user)
        ways = _ways({each: seeker.index(each) for each in ENCODED}, closing)
        for source in ENCODED:
            query = seeker.vectors(source).mean(axis=0, dtype=np.float64)
            for name, way in ways.items():
                found = _distinct(way(query, source, 2 * SHOWN))
                own = sum(modality == source for modality in found.values()) / SHOWN
                place = {"encoder": material.encoder, "source": source, "classes": classes, "way": name}
                yield place | {"user": number, "recall": seeker.found(found), "own": own}


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
    return fit_modality_means(*(material.table(each, material.vectors[each], material.item_ids) for each in ENCODED))


def _timed(material: Material) -> list[Row]:
    """Milliseconds a query over all works, the ways in turn for every query, after a round of warm-up."""
    indexes = {each: index_of(material, each, material.vectors[each], material.item_ids) for each in ENCODED}
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
        place = {"encoder": material.encoder, "way": name, "vectors": 2 * len(material), "queries": len(own)}
        found.append({**place, "median_ms": median, "p95_ms": p95})
    return found


def _pictures(tables: Tables) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for (encoder, source), mine in parts(where(tables.get("means", ()), measure="recall"), "encoder", "source"):
        heading = f"Recall among ten works by {source}s, with {encoder}"
        dots = [Dot.of(row, row["way"], interests(row["classes"])) for row in mine]
        alt = f"{heading}: one index of both, or two."
        found[f"{encoder}-{source}"] = Picture(dot_figure(dots, title=heading), alt)
    return found


def _views(tables: Tables) -> list[Table]:
    found: list[Table] = []
    for (encoder, source), mine in parts(tables.get("means", ()), "encoder", "source"):
        caption = f"Recall@10 by {source}s with {encoder}"
        note = "± one standard error over users; in brackets the share that came by the query's own modality"
        found.append(pivot(mine, caption, ("way",), "classes", _told, head=interests, note=note))
        apart, note = where(tables["differences"], encoder=encoder, source=source), "paired by user, with Holm's p"
        found.append(
            pivot(apart, f"{caption}, minus {TWO}", ("way",), "classes", difference, head=interests, note=note)
        )
    times = [
        (row["encoder"], row["way"], f"{row['median_ms']:.2f}", f"{row['p95_ms']:.2f}")
        for row in tables.get("times", ())
    ]
    if times:
        heads = ("encoder", "way", "median", "95th percentile")
        found.append(table("Milliseconds a query over all works, ten wanted", heads, times, words=2))
    return found


def _told(rows: list[Row]) -> str:
    told = by_measure(rows)
    return f"{estimate(told['recall'])} ({short(told['own']['mean'], 2)})"


RECIPE = Recipe(EXPERIMENTS["mixed"], MixedOptions, compute, _pictures, _views)
