"""What is compared when searching is timed: made-up vectors, the ways to find the best of them, and the true best."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.encoders.runtime.devices import import_torch
from vernissage.search import exact
from vernissage.search.exact import ExactIndex
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorCard, VectorTable
from vernissage.values import Vectors

_BLOCK = 32_768
_NEARNESS = 0.2
"""The mean cosine of a query and its partner: near enough to be found at times, too far to be found always."""

Query = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contender:
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


def numpy_partition(parts: Sequence[Vectors]) -> Contender:
    """One matrix-vector product for each part, the best k by a partial sort, these sorted."""
    return Contender("NumPy matmul + argpartition", len(parts), _merged(parts, _partitioned), _second)


def faiss_flat(parts: Sequence[faiss.IndexFlatIP]) -> Contender:
    """FAISS's exhaustive search of float32 vectors."""
    return Contender("FAISS flat", len(parts), _merged(parts, _flat), _second)


def exact_index(parts: Sequence[Vectors], *, byte_scan: bool) -> Contender:
    """This package's exact search, by bytes first or by float32 alone."""
    indexes, start = [], 0
    for part in parts:
        indexes.append(_exact(part, start, byte_scan))
        start += len(part)
    if len(indexes) == 1:

        def search(query: Query, k: int) -> Any:
            return indexes[0].search(query, k)[0].item_ids
    else:

        def search(query: Query, k: int) -> Any:
            found = [index.search(query, k)[0] for index in indexes]
            ids = [item_id for ranking in found for item_id in ranking.item_ids]
            order = np.argsort(-np.concatenate([ranking.scores for ranking in found]), kind="stable")[:k]
            return [ids[place] for place in order.tolist()]

    name = f"exact index, {'byte scan' if byte_scan else 'float32'}"
    return Contender(name, len(parts), search, lambda ids: np.array(ids, dtype=np.int64))


def numpy_argsort(vectors: Vectors) -> Contender:
    """One matrix-vector product, everything sorted."""
    return Contender("NumPy matmul + argsort", 1, lambda query, k: np.argsort(-(vectors @ query))[:k], _as_rows)


def loop_sorted_by_number(vectors: Vectors) -> Contender:
    """A Python loop of inner products and a Python sort, its keys numbers."""

    def search(query: Query, k: int) -> list[tuple[int, float]]:
        scored = [(row, float(np.dot(vector, query))) for row, vector in enumerate(vectors)]
        return sorted(scored, key=_score, reverse=True)[:k]

    return Contender("loop, Python sort by number", 1, search, _firsts)


def loop_sorted_by_tensor(vectors: Vectors) -> Contender:
    """The same loop with torch, the sort's keys tensors of one number each: every comparison is a call into torch.

    Raises:
        EncoderError: torch is not installed.
    """
    torch = import_torch()
    rows = torch.from_numpy(vectors)

    def search(query: Query, k: int) -> list[tuple[int, Any]]:
        asked = torch.from_numpy(query)
        scored = [(row, torch.dot(vector, asked)) for row, vector in enumerate(rows)]
        return sorted(scored, key=_score, reverse=True)[:k]

    return Contender("loop, Python sort by tensor", 1, search, _firsts)


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    unit: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _exact(part: Vectors, start: int, byte_scan: bool) -> ExactIndex:
    # The card is written by hand: `make_vector_table` would hash copies of gigabytes that nobody keeps.
    ids = tuple(f"{row:09d}" for row in range(start, start + len(part)))
    card = VectorCard("random", "", "image", "", ids, (), "")
    return exact.exact_index(VectorTable(part, card), scan=build_byte_scan(part, "random") if byte_scan else None)


def _merged(parts: Sequence[Any], best: Callable[[Any, Query, int], tuple[Any, Rows]]) -> Callable[[Query, int], Any]:
    """Ask every part for its best k; of several parts, sort what they found together."""
    if len(parts) == 1:
        return lambda query, k: best(parts[0], query, k)
    starts = np.cumsum([0, *(_length(part) for part in parts[:-1])]).tolist()

    def search(query: Query, k: int) -> tuple[Any, Rows]:
        found = [best(part, query, k) for part in parts]
        scores = np.concatenate([each for each, _ in found])
        rows = np.concatenate([each + start for (_, each), start in zip(found, starts, strict=True)])
        order = np.argsort(-scores, kind="stable")[:k]
        return scores[order], rows[order]

    return search


def _length(part: Any) -> int:
    return int(part.ntotal) if isinstance(part, faiss.IndexFlatIP) else len(part)


def _flat(index: faiss.IndexFlatIP, query: Query, k: int) -> tuple[Any, Rows]:
    scores, rows = index.search(query[None, :], min(k, index.ntotal))
    return scores[0], rows[0]


def _partitioned(vectors: Vectors, query: Query, k: int) -> tuple[Any, Rows]:
    scores = vectors @ query
    count = min(k, len(scores))
    best = np.argpartition(-scores, count - 1)[:count]
    best = best[np.argsort(-scores[best])]
    return scores[best], best


def _score(pair: tuple[int, Any]) -> Any:
    return pair[1]


def _second(answer: tuple[Any, Rows]) -> Rows:
    return answer[1]


def _as_rows(answer: Rows) -> Rows:
    return answer


def _firsts(answer: Sequence[tuple[int, Any]]) -> Rows:
    return np.array([row for row, _ in answer], dtype=np.int64)
