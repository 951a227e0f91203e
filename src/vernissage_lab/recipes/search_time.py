"""`search-time`: one index or two, plain ways or FAISS, and what an index loses (Tables 1, 6 and 7)."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from operator import itemgetter
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from scipy import stats

from vernissage.analysis.multiple_comparisons import SMALLEST_P, format_p
from vernissage.encoders.runtime.devices import import_torch
from vernissage.errors import RequestError
from vernissage.search.exact import ExactIndex
from vernissage.search.exact import exact_index as make_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorCard, VectorTable
from vernissage.values import Vectors
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import TimeLine, time_figure
from vernissage_lab.published.folder import VALUES
from vernissage_lab.recipe import EXPERIMENTS, Options, Outcome, Picture, Published, Recipe, Record, Tables
from vernissage_lab.tables import Row, Table, parts, short, signed, table, where
from vernissage_lab.timing import column, in_turns, medians, spread, where_timed

_BLOCK = 32_768
_NEARNESS = 0.2
"""The mean cosine of a query and its partner: near enough to be found at times, too far to be found always."""

Query = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SearchMethod:
    """A way to find the best rows.

    Attributes:
        name: in words.
        indexes: how many indexes it asks; their answers are merged within ``search``.
        search: from a query (dim,) and k to an answer of its own kind; this is what is timed.
        rows: from that answer to row numbers, best first.
    """

    name: str
    indexes: int
    search: Callable[[Query, int], Any]
    rows: Callable[[Any], Rows]


def flat_index(count: int, dim: int, seed: int) -> faiss.IndexFlatIP:
    """A FAISS flat index of random unit vectors, evenly spread over all directions, made block by block."""
    index = faiss.IndexFlatIP(dim)
    for start in range(0, count, _BLOCK):
        random = np.random.default_rng([seed, start])
        index.add(_unit(random.standard_normal((min(_BLOCK, count - start), dim), dtype=np.float32)))
    return index


def vectors_in(index: faiss.IndexFlatIP) -> Vectors:
    """The vectors of a FAISS flat index where they lie, float32 (n, dim); valid as long as the index is kept."""
    rows: Vectors = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    return rows


def queries_near(vectors: Vectors, count: int, seed: int) -> tuple[Query, Rows]:
    """Random unit queries float32 (count, dim), and of each its partner: the row that it was turned towards."""
    random = np.random.default_rng([seed, 2**32])
    partners = random.integers(len(vectors), size=count)
    away = _unit(random.standard_normal((count, vectors.shape[1]), dtype=np.float32))
    return _unit(_NEARNESS * vectors[partners] + math.sqrt(1 - _NEARNESS**2) * away), partners


def true_best(vectors: Vectors, queries: Query, k: int) -> Rows:
    """The best ``k`` rows of each query in double precision, best first, int64 (queries, k); ties by row."""
    wide = queries.astype(np.float64)
    scores, rows = np.empty((len(queries), 0)), np.empty((len(queries), 0), dtype=np.int64)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        scores = np.concatenate([scores, wide @ block.T], axis=1)
        rows = np.concatenate([rows, np.tile(np.arange(start, start + len(block)), (len(queries), 1))], axis=1)
        if scores.shape[1] > k:
            kept = np.sort(np.argpartition(-scores, k - 1, axis=1)[:, :k], axis=1)
            scores, rows = np.take_along_axis(scores, kept, 1), np.take_along_axis(rows, kept, 1)
    best: Rows = np.take_along_axis(rows, np.argsort(-scores, axis=1, kind="stable"), 1)
    return best


def numpy_partition(parts: Sequence[Vectors]) -> SearchMethod:
    """One matrix-vector product for each part, the best k by a partial sort, these sorted."""

    def best(vectors: Vectors, query: Query, k: int) -> tuple[Any, Rows]:
        scores = vectors @ query
        count = min(k, len(scores))
        rows = np.argpartition(-scores, count - 1)[:count]
        rows = rows[np.argsort(-scores[rows])]
        return scores[rows], rows

    sizes = [len(part) for part in parts]
    return SearchMethod("NumPy matmul + argpartition", len(parts), _merged(parts, sizes, best), lambda found: found[1])


def faiss_flat(parts: Sequence[faiss.IndexFlatIP]) -> SearchMethod:
    """FAISS's exhaustive search of float32 vectors."""

    def best(index: faiss.IndexFlatIP, query: Query, k: int) -> tuple[Any, Rows]:
        scores, rows = index.search(query[None, :], min(k, index.ntotal))
        return scores[0], rows[0]

    sizes = [int(part.ntotal) for part in parts]
    return SearchMethod("FAISS flat", len(parts), _merged(parts, sizes, best), lambda found: found[1])


def exact_index(parts: Sequence[Vectors], *, byte_scan: bool) -> SearchMethod:
    """This package's exact search, by bytes first or by float32 alone."""
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])]).tolist()
    indexes = [_exact(part, start, byte_scan) for part, start in zip(parts, starts, strict=True)]

    def search(query: Query, k: int) -> Sequence[str]:
        found = [index.search(query, k)[0] for index in indexes]
        if len(found) == 1:
            return found[0].item_ids
        ids = [item_id for ranking in found for item_id in ranking.item_ids]
        order = np.argsort(-np.concatenate([ranking.scores for ranking in found]), kind="stable")[:k]
        return [ids[place] for place in order.tolist()]

    name = f"exact index, {'byte scan' if byte_scan else 'float32'}"
    return SearchMethod(name, len(parts), search, lambda ids: np.array(ids, dtype=np.int64))


def numpy_argsort(vectors: Vectors) -> SearchMethod:
    """One matrix-vector product, everything sorted."""
    name = "NumPy matmul + argsort"
    return SearchMethod(name, 1, lambda query, k: np.argsort(-(vectors @ query))[:k], lambda rows: rows)


def loop_sorted_by_number(vectors: Vectors) -> SearchMethod:
    """A Python loop of inner products and a Python sort, its keys numbers."""

    def scored(query: Query) -> list[tuple[int, Any]]:
        return [(row, float(np.dot(vector, query))) for row, vector in enumerate(vectors)]

    return _loop("number", scored)


def loop_sorted_by_tensor(vectors: Vectors) -> SearchMethod:
    """The same loop with torch, the sort's keys tensors of one number each: every comparison is a call into torch.

    Raises:
        EncoderError: torch is not installed.
    """
    torch = import_torch()
    rows = torch.from_numpy(vectors)

    def scored(query: Query) -> list[tuple[int, Any]]:
        asked = torch.from_numpy(query)
        return [(row, torch.dot(vector, asked)) for row, vector in enumerate(rows)]

    return _loop("tensor", scored)


def _loop(keys: str, scored: Callable[[Query], list[tuple[int, Any]]]) -> SearchMethod:
    def search(query: Query, k: int) -> list[tuple[int, Any]]:
        return sorted(scored(query), key=itemgetter(1), reverse=True)[:k]

    return SearchMethod(
        f"loop, Python sort by {keys}", 1, search, lambda found: np.array([row for row, _ in found], np.int64)
    )


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    unit: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _exact(part: Vectors, start: int, byte_scan: bool) -> ExactIndex:
    # The card is written by hand: `make_vector_table` would hash copies of gigabytes that nobody keeps.
    ids = tuple(f"{row:09d}" for row in range(start, start + len(part)))
    table = VectorTable(part, VectorCard("random", "", "image", "", ids, (), ""))
    return make_index(table, scan=build_byte_scan(part, "random") if byte_scan else None)


def _merged(
    parts: Sequence[Any], sizes: Sequence[int], best: Callable[[Any, Query, int], tuple[Any, Rows]]
) -> Callable[[Query, int], Any]:
    """Ask every part for its best k; of several parts, sort what they found together."""
    if len(parts) == 1:
        return lambda query, k: best(parts[0], query, k)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()

    def search(query: Query, k: int) -> tuple[Any, Rows]:
        found = [best(part, query, k) for part in parts]
        scores = np.concatenate([each for each, _ in found])
        rows = np.concatenate([each + start for (_, each), start in zip(found, starts, strict=True)])
        order = np.argsort(-scores, kind="stable")[:k]
        return scores[order], rows[order]

    return search


STEP = "Timing searches"
IN_A_CELL = 50
"""Queries that are timed and kept together; a run that is killed goes on with the next so many."""

SPLIT, VANILLA = "one index or two", "vanilla or FAISS"
BASELINES = {SPLIT: "NumPy matmul + argpartition", VANILLA: "NumPy matmul + argsort"}
FLAT = "FAISS flat"
DEPTHS = (1, 5, 10)
_SPLIT_SIZES = {"vectors": 1_000_000, "dim": 512, "k": 1_000}
_SMALL_SIZES = {"small_vectors": 5_000, "dim": 512, "small_k": 5_000}
"""The paper's sizes."""


@dataclass(frozen=True)
class SearchTimeOptions(Options):
    """Sizes; the defaults are the paper's."""

    vectors: int = 1_000_000
    k: int = 1000
    queries: int = 1000
    small_vectors: int = 5000
    small_k: int | None = None
    small_queries: int = 100
    dim: int = 512
    warm_up: int = 5

    def __post_init__(self) -> None:
        if not self.vectors and not self.small_vectors:
            raise RequestError("there are no vectors to search in either comparison; give --vectors or --small-vectors")
        self.require(dim=2, warm_up=0)
        for what, vectors, k, queries in (
            ("vectors", self.vectors, self.k, self.queries),
            ("small vectors", self.small_vectors, self.best_of_small, self.small_queries),
        ):
            if vectors and (vectors < 2 or not 1 <= k <= vectors or queries < 1):
                raise RequestError(
                    f"{queries} queries for the best {k} of {vectors} {what} cannot be; ask for 1 or more of each, for "
                    f"no more than there are, of 2 vectors or more"
                )

    @property
    def best_of_small(self) -> int:
        """How many of the small vectors are asked for."""
        return self.small_vectors if self.small_k is None else self.small_k

    def record(self) -> dict[str, Any]:
        return {**super().record(), "small_k": self.best_of_small}


@dataclass(frozen=True)
class _Comparison:
    """One of the two comparisons."""

    name: str
    vectors: int
    k: int
    queries: int
    dim: int
    warm_up: int
    seed: int
    methods: Callable[["_Comparison"], tuple[Any, list[SearchMethod]]]

    @property
    def sizes(self) -> dict[str, str | int]:
        return {"comparison": self.name, "vectors": self.vectors, "dim": self.dim, "k": self.k}

    @cached_property
    def prepared(self) -> "tuple[np.ndarray, list[SearchMethod], np.ndarray, Rows]":
        """Vectors, methods that have warmed up, queries and their partners: made when the first cell needs them."""
        vectors, methods = self.methods(self)
        queries, partners = queries_near(vectors, self.queries + self.warm_up, self.seed)
        for query in queries[self.queries :]:
            for method in methods:
                method.search(query, self.k)
        return vectors, methods, queries[: self.queries], partners[: self.queries]


def compute(options: SearchTimeOptions, cells: Cells) -> Outcome:
    """Time searches on one thread: one index or two, plain ways or FAISS; and what an exact index loses.

    The full size takes 6.3 GB of memory and about 20 minutes of one core; a cell is 50 queries.

    \b
    Examples:
      vernissage lab experiment run search-time --queries 100
      vernissage lab experiment run search-time --vectors 200000 --queries 200
      vernissage lab experiment run search-time --vectors 0
    """
    common = {"dim": options.dim, "warm_up": options.warm_up, "seed": cells.seed}
    small = (options.small_vectors, options.best_of_small, options.small_queries)
    comparisons = (
        _Comparison(SPLIT, options.vectors, options.k, options.queries, methods=_one_or_two, **common),
        _Comparison(VANILLA, *small, methods=_plain_or_faiss, **common),
    )
    rows: list[Row] = []
    for each in comparisons:
        if not each.vectors:
            continue
        ran = where_timed() | {"warm_up": each.warm_up, "of": each.queries}
        grid = []
        for start in range(0, each.queries, IN_A_CELL):
            chosen = range(start, min(start + IN_A_CELL, each.queries))
            key = {**each.sizes, **ran, "first": chosen.start, "last": chosen.stop}
            grid.append(Part(key, partial(_measured, each, chosen)))
        rows += [row for found in rows_of(grid, cells, f"{STEP}: {each.name}") for row in found]
        vars(each).pop("prepared", None)  # gigabytes, which the next comparison does not need
    return Outcome(tables_of(rows), tuple(_remarks(options)))


def _one_or_two(comparison: _Comparison) -> tuple[Any, list[SearchMethod]]:
    """The whole as one index and as two halves, each in memory of its own that its methods share.

    So no method finds more of its vectors in the processor's caches than another, and nothing is held thrice.
    """
    whole = flat_index(comparison.vectors, comparison.dim, comparison.seed)
    vectors, middle = vectors_in(whole), comparison.vectors // 2
    flat_halves = [faiss.IndexFlatIP(comparison.dim) for _ in range(2)]
    for index, half in zip(flat_halves, (vectors[:middle], vectors[middle:]), strict=True):
        index.add(half)
    halves = [vectors_in(index) for index in flat_halves]
    return vectors, [
        *(numpy_partition(each) for each in ([vectors], halves)),
        *(faiss_flat(each) for each in ([whole], flat_halves)),
        *(exact_index(each, byte_scan=True) for each in ([vectors], halves)),
    ]


def _plain_or_faiss(comparison: _Comparison) -> tuple[Any, list[SearchMethod]]:
    flat = flat_index(comparison.vectors, comparison.dim, comparison.seed)
    vectors = vectors_in(flat)
    found = [
        loop_sorted_by_number(vectors),
        numpy_argsort(vectors),
        numpy_partition([vectors]),
        faiss_flat([flat]),
        exact_index([vectors], byte_scan=False),
    ]
    return vectors, [loop_sorted_by_tensor(vectors), *found] if find_spec("torch") else found


def _measured(comparison: _Comparison, chosen: range) -> Iterator[Row]:
    vectors, methods, queries, partners = comparison.prepared
    best = true_best(vectors, queries[chosen.start : chosen.stop], comparison.k)
    for place, number in enumerate(chosen):
        calls = [partial(method.search, queries[number], comparison.k) for method in methods]
        for method, one in zip(methods, in_turns(calls, number), strict=True):
            found, partner = method.rows(one.answer), int(partners[number])
            yield comparison.sizes | {
                "contender": method.name,
                "indexes": method.indexes,
                "query": number,
                "wall_ms": one.wall_ms,
                "cpu_ms": one.cpu_ms,
                "missed": len(np.setdiff1d(best[place], found)),
                "partner_rank": _rank(found, partner),
                "true_partner_rank": _rank(best[place], partner),
            }


def _rank(rows: Rows, wanted: int) -> int:
    """The place of a row in a list from 1; 0 where it is not in it."""
    places = np.flatnonzero(rows == wanted)
    return int(places[0]) + 1 if len(places) else 0


def _remarks(options: SearchTimeOptions) -> Iterator[str]:
    usual = SearchTimeOptions()
    for value, wanted, what in (
        (options.vectors, usual.vectors, "vectors for one index against two"),
        (options.queries, usual.queries, "queries of them"),
        (options.small_vectors, usual.small_vectors, "vectors for plain ways against FAISS"),
    ):
        if value != wanted:
            yield f"{value:,} {what}; the paper has {wanted:,}"
    if options.small_vectors and not find_spec("torch"):
        yield "'loop, Python sort by tensor' is left out, because torch is not installed"


def tables_of(rows: Sequence[Row]) -> Tables:
    """``times``: the rows of single calls; ``summary``: of each method; ``welch``: one index against two."""
    return {"times": rows, "summary": list(_summary(rows)), "welch": list(_welch(rows))} if rows else {}


def _summary(rows: Sequence[Row]) -> Iterator[Row]:
    for (comparison,), mine in parts(rows, "comparison"):
        base = float(np.median(column(where(mine, contender=BASELINES[comparison], indexes=1), "cpu_ms")))
        for _, calls in parts(mine, "contender", "indexes"):
            yield _summarised(calls, base)


def _summarised(rows: Sequence[Row], baseline: float) -> Row:
    first = rows[0]
    ranks, truth = column(rows, "partner_rank"), column(rows, "true_partner_rank")
    found = {name: first[name] for name in ("comparison", "vectors", "dim", "k", "contender", "indexes")}
    found["queries"] = len(rows)
    for clock in ("wall", "cpu"):
        found |= spread(clock, column(rows, f"{clock}_ms"))
    found["cpu_times_baseline"] = found["cpu_median_ms"] / baseline
    found |= {"missed": int(column(rows, "missed").sum()), "of": len(rows) * int(first["k"])}
    recalls = {depth: _recall(ranks, depth) for depth in DEPTHS}
    found |= {f"recall_{depth}": recall for depth, recall in recalls.items()}
    return found | {f"drop_{depth}": _recall(truth, depth) - recall for depth, recall in recalls.items()}


def _recall(ranks: np.ndarray, depth: int) -> float:
    return float(((ranks > 0) & (ranks <= depth)).mean())


def _welch(rows: Sequence[Row]) -> Iterator[Row]:
    """One index less two: what the mean times differ by, with Welch's test (Biometrika 34, 1947)."""
    for (method,), mine in parts(where(rows, comparison=SPLIT), "contender"):
        for measure in ("cpu_ms", "wall_ms"):
            one, two = (column(where(mine, indexes=count), measure) for count in (1, 2))
            if min(len(one), len(two)) < 2:
                continue
            test = stats.ttest_ind(one, two, equal_var=False)
            yield {
                "contender": method,
                "measure": measure,
                "one_mean": float(one.mean()),
                "two_mean": float(two.mean()),
                "two_times_one": float(np.median(two) / np.median(one)),
                "difference": float(one.mean() - two.mean()),
                "t": float(test.statistic),
                "df": float(test.df),
                "p": max(float(test.pvalue), SMALLEST_P),
            }


def _pictures(tables: Tables) -> Mapping[str, Picture]:
    """One figure: every method's median and 95th percentile."""
    rows = tables.get("summary", ())
    lines = [TimeLine(_headed(row), _named(row), *medians(row)) for row in rows]
    caption = (
        "Milliseconds for one query on a logarithmic scale. Mark: median; bar: to the 95th percentile; number: the "
        "processor's median.\nOne thread, methods in turns."
    )
    alt = "Median milliseconds of the processor for one query: " + "; ".join(
        f"{line.panel.partition(':')[0]}, {line.name} {line.cpu[0]:.3g}" for line in lines
    )
    return {"search-time": Picture(time_figure(lines, title="How long one search takes", caption=caption), alt)}


def _headed(row: Row) -> str:
    comparison = row["comparison"]
    return f"{comparison[0].upper()}{comparison[1:]}: {row['vectors']:,} × {row['dim']}, the best {row['k']:,}"


def _named(row: Row) -> str:
    if row["comparison"] != SPLIT:
        return str(row["contender"])
    return f"{row['contender']}, {'one' if row['indexes'] == 1 else 'two'}"


def _views(tables: Tables) -> list[Table]:
    """A table for each comparison, and Welch's tests."""
    found = []
    for (comparison,), mine in parts(tables.get("summary", ()), "comparison"):
        note = (
            f"milliseconds for one query, median (95th percentile); × baseline: median CPU as a multiple of "
            f"{BASELINES[comparison]}{', one index' if comparison == SPLIT else ''}; missed: of all the true best "
            f"in double precision; recall of partners, and its drop against the true best"
        )
        heads = ("", "CPU", "clock", "× baseline", "missed", "recall@10", "drop")
        caption = f"{_headed(mine[0])}, {mine[0]['queries']} queries, one thread"
        found.append(table(caption, heads, [_time_row(row) for row in mine], note))
    if welch := tables.get("welch"):
        tests = [
            (
                *(row["contender"], "CPU" if row["measure"] == "cpu_ms" else "clock"),
                *(f"{row[name]:.2f}" for name in ("one_mean", "two_mean")),
                *(f"{row['two_times_one']:.3f}", f"{row['t']:.2f}", f"{row['df']:.1f}", format_p(row["p"])),
            )
            for row in welch
        ]
        columns = ("", "time", "one", "two", "two / one", "t", "df", "p")
        note = "mean milliseconds; two / one: ratio of the medians; p by the survival function"
        found.append(table("One index less two: Welch's test", columns, tests, note, words=2))
    return found


def _time_row(row: Row) -> tuple[str, ...]:
    times = (f"{median:.2f} ({late:.2f})" for median, late in medians(row))
    missed = f"{row['missed']:,} of {row['of']:,}"
    recall = (short(row[name]) for name in ("recall_10", "drop_10"))
    return (_named(row), *times, f"{row['cpu_times_baseline']:.2f}", missed, *recall)


def _has(record: Record, sizes: Mapping[str, int]) -> bool:
    return all(record["options"][name] == size for name, size in sizes.items())


def _one_or_two_here(tables: Tables, record: Record) -> str:
    """Mean milliseconds by the clock of FAISS over one index and over two, where the sizes are the paper's."""
    rows = where(tables.get("welch", ()), contender=FLAT, measure="wall_ms") if _has(record, _SPLIT_SIZES) else []
    pairs = [(row["one_mean"], row["two_mean"]) for row in rows]
    return "".join(f"{one:.2f} against {two:.2f} ms, {short(two / one, 2)} times" for one, two in pairs)


def _welch_here(tables: Tables, record: Record) -> str:
    """Welch's t of FAISS's milliseconds over one index less those over two, where the sizes are the paper's."""
    rows = where(tables.get("welch", ()), contender=FLAT, measure="wall_ms") if _has(record, _SPLIT_SIZES) else []
    return "".join(f"{signed(row['t'], 2)}, p {row['p']:.2g}" for row in rows)


def _times_faster_here(tables: Tables, record: Record) -> str:
    """The CPU time of vanilla searches as multiples of FAISS's, where the sizes are the paper's."""
    rows = _small(tables, record)
    flat = [row["cpu_median_ms"] for row in where(rows, contender=FLAT)]
    return "; ".join(
        f"{short(row['cpu_median_ms'] / flat[0], 2)} ({row['contender']})"
        for row in rows
        if flat and (row["contender"].startswith("loop") or row["contender"] == BASELINES[VANILLA])
    )


def _largest_drop_here(tables: Tables, record: Record) -> str:
    """The largest drop of recall at 1, 5 and 10 by FAISS, where the sizes are the paper's."""
    rows = where(_small(tables, record), contender=FLAT)
    return "".join(f"{max((row[f'drop_{depth}'] for depth in DEPTHS), key=abs):g}" for row in rows)


def _small(tables: Tables, record: Record) -> Sequence[Row]:
    return where(tables.get("summary", ()), comparison=VANILLA) if _has(record, _SMALL_SIZES) else []


def _other_machine(record: Record) -> str:
    told = [
        "a GPU there, one thread of a CPU here",
        "what two indexes answer is merged here, and merging is timed",
        "vectors there hold uniform numbers from 0 to 1, here they are directions",
    ]
    if (queries := record["options"]["queries"]) != SearchTimeOptions().queries:
        told.append(f"{SearchTimeOptions().queries:,} queries there, {queries:,} here")
    return "; ".join(told)


def _published(name: str, ours: Callable[[Tables, Record], str], difference: Callable[[Record], str]) -> Published:
    return Published(**VALUES["search-time"][name], ours=ours, difference=difference)


_SAME_RECALL = (
    "recall of pictures and captions there, of made-up partners here; in the authors' retrieval/results/metrics.csv "
    "47 of 48 pairs of values agree, and FAISS has .001 less in one"
)
RECIPE = Recipe(
    *(EXPERIMENTS["search-time"], SearchTimeOptions, compute, _pictures, _views),
    published=(
        _published("one-or-two", _one_or_two_here, _other_machine),
        _published("welch", _welch_here, lambda record: f"{_other_machine(record)}; p there is rounded to 0"),
        _published(
            *("times-faster", _times_faster_here),
            lambda _: "another machine; vanilla there is a Python sort by tensors",
        ),
        _published("drop", _largest_drop_here, lambda _: _SAME_RECALL),
    ),
)
