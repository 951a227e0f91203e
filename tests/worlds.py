"""Small worlds whose right answers are known by construction."""

from collections.abc import Sequence

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.search.exact import ExactIndex
from vernissage.search.vectors import VectorTable, make_vector_table


def table_of(
    vectors: Sequence[Sequence[float]] | np.ndarray, item_ids: Sequence[str] | None = None, *, encoder: str = "toy"
) -> VectorTable:
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    ids = list(item_ids) if item_ids is not None else [f"w{row:05d}" for row in range(len(rows))]
    return make_vector_table(
        rows, ids, [""] * len(ids), encoder=encoder, fingerprint="f", modality="text", collection="c"
    )


def random_index(n: int, dim: int, seed: int = 0) -> ExactIndex:
    return ExactIndex(table_of(np.random.default_rng(seed).standard_normal((n, dim))))


def checkerboard() -> tuple[ExactIndex, ExactIndex]:
    """Sixteen works ``a..d × 0..3``: one index sees only the letter (colour), the other only the digit (theme)."""
    ids = [f"{letter}{digit}" for letter in "abcd" for digit in range(4)]
    colours = [np.eye(4)["abcd".index(item_id[0])] for item_id in ids]
    themes = [np.eye(4)[int(item_id[1])] for item_id in ids]
    return (
        ExactIndex(table_of(np.array(colours), ids, encoder="colour")),
        ExactIndex(table_of(np.array(themes), ids, encoder="theme")),
    )
