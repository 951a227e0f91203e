"""Which kind of index serves a table best: recall and time of the approximate one against the exact, measured on it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.progress import Progress, silent
from vernissage.search.approximate import ApproximateRows, Effort, InvertedLists, scaled_probes, slack_for
from vernissage.search.exact import ExactIndex
from vernissage.search.scan import Mask, Rows
from vernissage.search.vectors import VectorTable
from vernissage.values import Allow, Condition, Vectors
from vernissage.workspace.index_choice import (
    KINDS,
    IndexChoice,
    IndexedTable,
    choose_prepared,
    exact_over,
    indexed_table,
    require_vectors,
)
from vernissage.workspace.state import LISTS, sole_writer

if TYPE_CHECKING:
    from vernissage.workspace.workspace import Workspace

_QUERIES = 48
"""Queries of each kind."""
_RATED = 9
_AREA = 12
"""Works near each other whose mean stands for an area of interest."""
_TIMED = 24
_TIMED_KINDS = ("works", "nine ratings")
_CANDIDATES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96, 160)
"""How many times as many candidates as works are tried, up to `_MOST` times the longest list."""
_MOST = 48
_SLACKS = (1.05, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0)
_NOWHERE = 2**40
_WORTH = 0.8
"""The approximate index is chosen where it takes at most this share of the exact one's time."""


@dataclass(frozen=True)
class Wanted:
    """What an index is to reach.

    Attributes:
        recall: the share of the true best works that must come back, for every kind of query.
        depths: lengths of lists at which it is measured.
        megabytes: what the index may hold in memory beside the mapped vectors.
        milliseconds: an exact search that takes no longer is not replaced.
    """

    recall: float = 0.99
    depths: tuple[int, ...] = (10, 100)
    megabytes: float | None = None
    milliseconds: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1 or not self.depths or min(self.depths) < 1:
            raise RequestError(
                f"recall {self.recall} at {', '.join(map(str, self.depths)) or 'no length'} cannot be reached; give a "
                f"recall above 0 and up to 1, and lengths of 1 or more"
            )


@dataclass(frozen=True)
class Point:
    """What a search for ``k`` works costs in CPU milliseconds, and its recall by kind of query; exact: ``probes`` 0.

    ``probes``, ``candidates`` and ``slack`` are those of an `Effort`.
    """

    k: int
    probes: int
    candidates: int
    milliseconds: float
    recall: Mapping[str, float]
    slack: float = 0.0

    @property
    def least(self) -> float:
        """The lowest recall of any kind of query."""
        return min(self.recall.values())


@dataclass(frozen=True)
class Tuning:
    """What was measured over one table, and what was chosen: ``why`` in words, ``chosen`` one point for each depth."""

    key: str
    works: int
    dim: int
    lists: int
    bytes_per_work: float
    points: tuple[Point, ...]
    chosen: tuple[Point, ...]
    choice: IndexChoice
    why: str

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self) | {"points": [asdict(each) | {"least": each.least} for each in self.points]}


@dataclass(frozen=True)
class _Shares:
    """Columns by which every row belongs to a share of all, at random: ``share<10`` is fulfilled by a tenth."""

    rank: npt.NDArray[np.float64]

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        return [""] * len(item_ids)

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        return self.rank[: len(item_ids)] < min(float(each.value) for each in conditions)


@dataclass(frozen=True, eq=False)
class _Queries:
    """Queries of one kind, float64 (m, dim), which rows may come back (all where None), and the true best of these."""

    vectors: npt.NDArray[np.float64]
    allowed: Mask | None
    truth: list[Rows]


def tune(
    workspace: "Workspace", wanted: Wanted | None = None, keys: Sequence[str] = (), progress: Progress = silent
) -> tuple[Tuning, ...]:
    """Measure, for each of ``keys`` (``ENCODER.MODALITY``) or for all vectors, which index is best, and choose it.

    Raises:
        RequestError: the workspace has no such vectors.
        WorkspaceError: another process is writing, or there is no room; what was chosen before serves on.
    """
    wanted, found = wanted or Wanted(), []
    with sole_writer(workspace.path):
        for key in require_vectors(workspace, keys):
            encoder, _, modality = key.rpartition(".")
            found.append(_tuned(key, indexed_table(workspace, encoder, modality), wanted, progress))
        choose_prepared(workspace, {each.key: each.choice for each in found})
    return tuple(found)


def _tuned(key: str, source: IndexedTable, wanted: Wanted, progress: Progress) -> Tuning:
    table, rng = source.table, np.random.default_rng(len(source.table))
    depths = tuple(sorted({min(k, len(table)) for k in wanted.depths} - {0}))
    if not depths:
        return Tuning(key, 0, table.dim, 0, 0.0, (), (), IndexChoice(), "there are no works")
    rank = rng.uniform(0, 100, len(table))
    exact = exact_over(replace(source, columns=_Shares(rank)))
    progress(f"Exact answers of {key}", 0, 1)
    queries = _all_queries(exact, table, depths[-1], rank, rng)
    alike = [queries[name] for name in _TIMED_KINDS]
    points = [Point(k, 0, 0, _milliseconds(exact, alike, k), dict.fromkeys(queries, 1.0)) for k in depths]
    settings = KINDS["approximate"].prepare(source, {}, progress)
    lists = InvertedLists.load(source.file(LISTS), table.vectors, table.card.values)
    probes = [2**power for power in range(len(lists.centroids).bit_length())]
    for number, each in enumerate(probes):
        progress(f"Measuring {key}", number, len(probes))
        places = {name: _places(lists, some, each, _MOST * depths[-1]) for name, some in queries.items()}
        for k in depths:
            candidates, recall = _least_candidates(places, k, _MOST * depths[-1], wanted.recall)
            index = exact_over(source, ApproximateRows(lists, (Effort(k, each, candidates),)))
            point = Point(k, each, candidates, _milliseconds(index, alike, k), recall)
            points.append(_slackened(point, source, lists, queries, wanted.recall))
    progress(f"Measuring {key}", len(probes), len(probes))
    chosen, why = _chosen(points, depths, wanted, lists.nbytes)
    efforts = [asdict(Effort(each.k, each.probes, each.candidates, each.slack)) for each in chosen if each.probes]
    choice = IndexChoice()
    if efforts:
        told = [asdict(each) | {"least": each.least} for each in chosen]
        measured = {"works": len(table), "wanted": wanted.recall, "bytes": lists.nbytes, "points": told}
        choice = IndexChoice("approximate", {**settings, "efforts": efforts, "measured": measured})
    else:
        source.file(LISTS).unlink(missing_ok=True)
    told_size = (len(lists.centroids), lists.nbytes / len(table))
    return Tuning(key, len(table), table.dim, *told_size, tuple(points), chosen, choice, why)


def _slackened(
    point: Point, source: IndexedTable, lists: InvertedLists, queries: Mapping[str, _Queries], recall: float
) -> Point:
    """The same with the least slack that keeps the recall wanted for every kind of query, if that is faster."""
    whole = {name: some for name, some in queries.items() if some.allowed is None}  # others know no slack
    for slack in _SLACKS if point.least >= recall else ():
        places = {name: _places(lists, some, point.probes, point.candidates, slack) for name, some in whole.items()}
        found = {**point.recall, **_reached(places, point.k, point.candidates)}
        if min(found.values()) >= recall:
            effort = Effort(point.k, point.probes, point.candidates, slack)
            index = exact_over(source, ApproximateRows(lists, (effort,)))
            taken = _milliseconds(index, [whole[name] for name in _TIMED_KINDS], point.k)
            slackened = replace(point, slack=slack, recall=found, milliseconds=taken)
            return min(point, slackened, key=lambda each: each.milliseconds)
    return point


def _chosen(points: Sequence[Point], depths: Sequence[int], wanted: Wanted, held: int) -> tuple[tuple[Point, ...], str]:
    """The point for each depth: the fastest that reaches the recall, or the exact one; and why."""
    exact = {each.k: each for each in points if not each.probes}
    slowest = max(each.milliseconds for each in exact.values())
    if wanted.milliseconds is not None and slowest <= wanted.milliseconds:
        return tuple(exact.values()), f"exact takes {slowest:.2f} ms, and {wanted.milliseconds:g} ms are wanted"
    if wanted.megabytes is not None and held > wanted.megabytes * 1e6:
        return tuple(exact.values()), f"lists hold {held / 1e6:.1f} MB, more than {wanted.megabytes:g} MB"
    chosen = []
    for k in depths:
        good = [each for each in points if each.k == k and each.probes and each.least >= wanted.recall]
        best = min(good, key=lambda each: each.milliseconds, default=exact[k])
        chosen.append(best if best.milliseconds <= _WORTH * exact[k].milliseconds else exact[k])
    faster = [each for each in chosen if each.probes]
    if not faster:
        return tuple(chosen), f"at recall {wanted.recall:g} nothing is faster than exact"
    told = ", ".join(f"{exact[each.k].milliseconds / each.milliseconds:.1f} times at {each.k}" for each in faster)
    return tuple(chosen), f"faster than exact: {told}"


def _all_queries(
    exact: ExactIndex, table: VectorTable, deepest: int, rank: npt.NDArray[np.float64], rng: np.random.Generator
) -> dict[str, _Queries]:
    """Queries as the product asks them, over all works, over a tenth, and over a hundredth."""
    count = min(_QUERIES, len(table))
    rows = np.sort(rng.choice(len(table), count, replace=False))
    works = np.asarray(table.vectors[rows])
    near = exact.search(works, min(_AREA, len(table)))
    areas = unit_rows(np.stack([exact.vectors_of(each.item_ids).mean(axis=0) for each in near]))
    mixed = _ratings(table.vectors, count, rng)
    asked: Mapping[str, tuple[npt.NDArray[Any], int | None]] = {
        "works": (works, None),
        "nine ratings": (mixed, None),
        "areas": (areas, None),
        "works of a tenth": (works, 10),
        "ratings of a tenth": (mixed, 10),
        "works of a hundredth": (works, 1),
    }
    found = {}
    for name, (vectors, share) in asked.items():
        conditions = () if share is None else (Condition("share", "<", str(share)),)
        best = exact.search(vectors, deepest, Allow(conditions=conditions))
        allowed = None if share is None else rank < share
        truth = [table.item_ids.rows(each.item_ids) for each in best]
        found[name] = _Queries(vectors.astype(np.float64), allowed, truth)
    return found


def _ratings(vectors: Vectors, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Queries of visitors who rated works at random 1 to 5, as (r − 3)/2 of each vector; float64 (count, dim)."""
    rows = rng.integers(0, len(vectors), (count, _RATED))
    weights = (rng.integers(1, 6, (count, _RATED)) - 3) / 2
    weights[:, 0] = 1  # nobody rates all works 3
    mixed: npt.NDArray[np.float64] = np.einsum("qr,qrd->qd", weights, vectors[rows].astype(np.float64)) / _RATED
    return mixed


def _milliseconds(index: ExactIndex, queries: Sequence[_Queries], k: int) -> float:
    """CPU time of a search by one query, the mean over some of each kind; the better of two rounds."""
    every = [query for each in queries for query in each.vectors[:_TIMED]]
    rounds = []
    for _ in range(2):
        start = time.process_time()
        for query in every:
            index.search(query, k)
        rounds.append(time.process_time() - start)
    return min(rounds) / len(every) * 1_000


def _places(lists: InvertedLists, queries: _Queries, probes: int, most: int, slack: float = 0.0) -> list[Rows]:
    """For each query at which place among the candidates each of the true best stands; far behind all where at none."""
    allowed = len(lists) if queries.allowed is None else int(np.count_nonzero(queries.allowed))
    scaled = scaled_probes(probes, len(lists), allowed)
    if scaled > len(lists.centroids):
        return [np.arange(len(each)) for each in queries.truth]  # such a search is exact
    single, slack = queries.vectors.astype(np.float32), slack_for(slack, len(lists), allowed)
    found = lists.candidates(single, min(most, len(lists)), scaled, queries.allowed, slack)
    return [_place_of(rows, best) for rows, best in zip(found, queries.truth, strict=True)]


def _place_of(rows: Rows, wanted: Rows) -> Rows:
    """Where each of ``wanted`` stands in ``rows``."""
    if not len(rows):
        return np.full(len(wanted), _NOWHERE)
    order = np.argsort(rows)
    at = order[np.searchsorted(rows, wanted, sorter=order).clip(max=len(rows) - 1)]
    return np.where(rows[at] == wanted, at, _NOWHERE)


def _least_candidates(
    places: Mapping[str, list[Rows]], k: int, most: int, recall: float
) -> tuple[int, dict[str, float]]:
    """The fewest candidates that bring the recall wanted for every kind of query, or else the most that are tried."""

    tried = ((k * times, _reached(places, k, k * times)) for times in _CANDIDATES if k * times <= most)
    last = (0, dict[str, float]())
    for last in tried:
        if min(last[1].values()) >= recall:
            break
    return last


def _reached(places: Mapping[str, list[Rows]], k: int, candidates: int) -> dict[str, float]:
    """The share of the true best that are among so many candidates, by kind of query."""
    return {
        name: float(np.mean([np.mean(each[:k] < candidates) if len(each) else 1.0 for each in some]))
        for name, some in places.items()
    }
