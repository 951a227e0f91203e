"""`search-time`: one index or two, plain ways or FAISS, and what an index loses (Tables 1, 6 and 7)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any

import faiss
import numpy as np

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage_lab.cells import Cells
from vernissage_lab.recipes.contract import Outcome, Recipe
from vernissage_lab.recipes.search_time_published import PUBLISHED
from vernissage_lab.recipes.search_time_tables import (
    SPLIT,
    VANILLA,
    pictures_of,
    tables_of,
    views_of,
)
from vernissage_lab.records import machine, versions
from vernissage_lab.search_contenders import (
    Contender,
    Rows,
    exact_index,
    faiss_flat,
    flat_index,
    loop_sorted_by_number,
    loop_sorted_by_tensor,
    numpy_argsort,
    numpy_partition,
    queries_near,
    true_best,
    vectors_in,
)
from vernissage_lab.tidy import Row
from vernissage_lab.timing import Timed, alone, in_turns

STEP = "Timing searches"
IN_A_CELL = 50
"""Queries that are timed and kept together; a run that is killed goes on with the next so many."""

_TENSOR = "loop, Python sort by tensor"

PROTOCOL = (
    (
        "Vectors are random, of length 1 and spread evenly over all directions: many are nearly as near as the best, "
        "so that the byte scan can leave few of them out. The time of FAISS and NumPy does not hang on that."
    ),
    (
        "Every query is a direction that is turned a little towards one vector, its partner (mean cosine about .2), so "
        "that recall of partners is neither 0 nor 1. All contenders answer the same queries one by one, in turns that "
        "begin with another contender each time, after some queries of warm-up; asking two indexes and merging "
        "their answers is timed together."
    ),
    (
        "One thread; CPU time of that thread and time by the clock; median and 95th percentile. Times differ from run "
        "to run and from machine to machine: compare the ratios."
    ),
    (
        "The true best are found in double precision. Missed: how many of them an answer lacks. Recall drop: recall of "
        "partners by the true best, less that by the answer; it is 0 for an exact index. Vectors whose scores differ "
        "in the last digits of float32 alone may change places at the end of a list of FAISS or NumPy."
    ),
    "Both sides answer the same queries, which makes Welch's test, meant for independent ones, cautious.",
)


@dataclass(frozen=True)
class SearchTimeOptions:
    """Sizes; the defaults are the paper's.

    Attributes:
        vectors, k, queries: of the comparison of one index with two; 0 vectors leave it out.
        small_vectors, small_k, small_queries: of the comparison of plain ways with FAISS; 0 vectors leave it out.
        dim: of all vectors.
        warm_up: queries that every contender answers before any is timed.
    """

    vectors: int = 1_000_000
    k: int = 1000
    queries: int = 1000
    small_vectors: int = 5000
    small_k: int = 5000
    small_queries: int = 100
    dim: int = 512
    warm_up: int = 5


@dataclass(frozen=True)
class _Part:
    """One of the two comparisons."""

    name: str
    vectors: int
    k: int
    queries: int
    dim: int
    warm_up: int
    seed: int
    contenders: Callable[["_Part"], tuple[Any, list[Contender]]]

    def sizes(self) -> dict[str, str | int]:
        return {"comparison": self.name, "vectors": self.vectors, "dim": self.dim, "k": self.k}

    @cached_property
    def prepared(self) -> "tuple[np.ndarray, list[Contender], np.ndarray, Rows]":
        """Vectors, contenders that have warmed up, queries and their partners: made when the first cell needs them."""
        vectors, contenders = self.contenders(self)
        queries, partners = queries_near(vectors, self.queries + self.warm_up, self.seed)
        for query in queries[self.queries :]:
            for contender in contenders:
                contender.search(query, self.k)
        return vectors, contenders, queries[: self.queries], partners[: self.queries]


def run_search_time(options: SearchTimeOptions, *, seed: int, cells: Cells, progress: Progress) -> Outcome:
    """Time every contender on the same queries, side by side.

    At the full size it holds 6.3 GB of memory at most. Times differ from run to run; vectors, queries and what is
    found do not.

    Returns:
        ``times``: one row for each query and contender; ``summary``; ``welch``: one index against two.

    Raises:
        RequestError: sizes that cannot be.
    """
    _check(options)
    parts = [part for part in _parts(options, seed) if part.vectors]
    total, done = sum(part.queries for part in parts), 0
    rows: list[Row] = []
    with alone():
        for part in parts:
            for start in range(0, part.queries, IN_A_CELL):
                progress(STEP, done, total)
                chosen = range(start, min(start + IN_A_CELL, part.queries))
                rows += cells.rows(_key(part, chosen), partial(_measured, part, chosen)) or []
                done += len(chosen)
            part.__dict__.pop("prepared", None)  # gigabytes, which the next part does not need
    progress(STEP, done, total)
    return Outcome(tables_of(rows), tuple(_remarks(options, cells)))


def _parts(options: SearchTimeOptions, seed: int) -> list[_Part]:
    common = {"dim": options.dim, "warm_up": options.warm_up, "seed": seed}
    return [
        _Part(SPLIT, options.vectors, options.k, options.queries, contenders=_one_or_two, **common),
        _Part(
            VANILLA, options.small_vectors, options.small_k, options.small_queries, contenders=_plain_or_faiss, **common
        ),
    ]


def _one_or_two(part: _Part) -> tuple[Any, list[Contender]]:
    """The whole as one index and as two halves, each in memory of its own that its contenders share.

    So no contender finds more of its vectors in the processor's caches than another, and nothing is held thrice.
    """
    whole = flat_index(part.vectors, part.dim, part.seed)
    vectors, middle = vectors_in(whole), part.vectors // 2
    flat_halves = [faiss.IndexFlatIP(part.dim) for _ in range(2)]
    for index, half in zip(flat_halves, (vectors[:middle], vectors[middle:]), strict=True):
        index.add(half)
    halves = [vectors_in(index) for index in flat_halves]
    pairs = (
        (numpy_partition([vectors]), numpy_partition(halves)),
        (faiss_flat([whole]), faiss_flat(flat_halves)),
        (exact_index([vectors], byte_scan=True), exact_index(halves, byte_scan=True)),
    )
    return vectors, [contender for pair in pairs for contender in pair]


def _plain_or_faiss(part: _Part) -> tuple[Any, list[Contender]]:
    flat = flat_index(part.vectors, part.dim, part.seed)
    vectors = vectors_in(flat)
    found = [
        loop_sorted_by_number(vectors),
        numpy_argsort(vectors),
        numpy_partition([vectors]),
        faiss_flat([flat]),
        exact_index([vectors], byte_scan=False),
    ]
    return vectors, [loop_sorted_by_tensor(vectors), *found] if _torch_is_here() else found


def _torch_is_here() -> bool:
    return find_spec("torch") is not None


def _key(part: _Part, chosen: range) -> dict[str, Any]:
    """Times of another machine, or of other libraries, are other times."""
    ran = {"versions": versions(), "machine": machine(), "warm_up": part.warm_up, "of": part.queries}
    return {**part.sizes(), **ran, "first": chosen.start, "last": chosen.stop}


def _measured(part: _Part, chosen: range) -> list[Row]:
    vectors, contenders, queries, partners = part.prepared
    best = true_best(vectors, queries[chosen.start : chosen.stop], part.k)
    rows: list[Row] = []
    for place, number in enumerate(chosen):
        calls = [partial(contender.search, queries[number], part.k) for contender in contenders]
        for contender, one in zip(contenders, in_turns(calls, number), strict=True):
            rows.append(_row(part, contender, number, one, best[place], int(partners[number])))
    return rows


def _row(part: _Part, contender: Contender, query: int, one: Timed, best: Rows, partner: int) -> Row:
    found = contender.rows(one.answer)
    return {
        **part.sizes(),
        "contender": contender.name,
        "indexes": contender.indexes,
        "query": query,
        "wall_ms": one.wall_ms,
        "cpu_ms": one.cpu_ms,
        "missed": len(np.setdiff1d(best, found)),
        "partner_rank": _rank(found, partner),
        "true_partner_rank": _rank(best, partner),
    }


def _rank(rows: Rows, wanted: int) -> int:
    """The place of a row in a list from 1; 0 where it is not in it."""
    places = np.flatnonzero(rows == wanted)
    return int(places[0]) + 1 if len(places) else 0


def _check(options: SearchTimeOptions) -> None:
    sizes = {
        "vectors": (options.vectors, options.k, options.queries),
        "small vectors": (options.small_vectors, options.small_k, options.small_queries),
    }
    if not any(vectors for vectors, _, _ in sizes.values()):
        raise RequestError("there are no vectors to search in either comparison; give --vectors or --small-vectors")
    if options.dim < 2 or options.warm_up < 0:
        raise RequestError(
            f"{options.dim} dimensions and {options.warm_up} queries of warm-up; give 2 or more and 0 or more"
        )
    for what, (vectors, k, queries) in sizes.items():
        if vectors and (vectors < 2 or not 1 <= k <= vectors or queries < 1):
            raise RequestError(
                f"{queries} queries for the best {k} of {vectors} {what} cannot be; ask for 1 or more of each, for no "
                f"more than there are, of 2 vectors or more"
            )


def _remarks(options: SearchTimeOptions, cells: Cells) -> Iterator[str]:
    usual = SearchTimeOptions()
    for value, wanted, what in (
        (options.vectors, usual.vectors, "vectors for one index against two"),
        (options.queries, usual.queries, "queries of them"),
        (options.small_vectors, usual.small_vectors, "vectors for plain ways against FAISS"),
    ):
        if value != wanted:
            yield f"{value:,} {what}; the paper has {wanted:,}"
    if options.small_vectors and not _torch_is_here():
        yield f"{_TENSOR!r} is left out, because torch is not installed"
    if cells.skipped:
        yield f"{cells.skipped} cells are left for another run with the same folder and options"


SEARCH_TIME = Recipe(
    name="search-time",
    paper="ZCCR: Tables 1, 6 and 7",
    what="one index against two, plain ways against FAISS: time of a search, and what an exact index loses",
    needs="nothing; vectors are made up",
    protocol=PROTOCOL,
    pictures=pictures_of,
    views=views_of,
    published=PUBLISHED,
)
