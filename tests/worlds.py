"""Tables of vectors and indexes over them."""

from collections.abc import Iterable, Sequence

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Allow, Index, Ranking


def table_of(
    vectors: Sequence[Sequence[float]] | np.ndarray, item_ids: Sequence[str] | None = None, *, encoder: str = "toy"
) -> VectorTable:
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    ids = list(item_ids) if item_ids is not None else [f"w{row:05d}" for row in range(len(rows))]
    return make_vector_table(
        rows, ids, [""] * len(ids), encoder=encoder, fingerprint="f", modality="text", collection="c"
    )


def random_table(n: int, dim: int, seed: int = 0) -> VectorTable:
    return table_of(np.random.default_rng(seed).standard_normal((n, dim)))


def random_index(n: int, dim: int, seed: int = 0) -> ExactIndex:
    return exact_index(random_table(n, dim, seed))


def find(
    index: Index,
    query: np.ndarray,
    k: int,
    *,
    exclude: Iterable[str] = (),
    owner: str | None = None,
    only: Iterable[str] | None = None,
) -> Ranking:
    """One query's answer."""
    allow = Allow(frozenset(exclude), owner, (), None if only is None else frozenset(only))
    [found] = index.search(np.asarray(query)[None, :], k, allow)
    return found
