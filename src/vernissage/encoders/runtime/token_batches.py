"""Texts of unequal length through a model: those of like length together, so that little is padded."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vernissage.encoders.runtime.devices import import_torch, in_batches
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

TokenIds = list[int]


def in_order_of_length(
    ids: Sequence[TokenIds],
    run: "Callable[[Sequence[TokenIds]], torch.Tensor]",
    *,
    batch_size: int,
    width: int,
) -> Vectors:
    """Run a model over token ids in batches of like length: float32 (n, width), in the order of ``ids``.

    A row does not depend on the others beyond what sums in another order differ by, about 1e-7.
    """
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    rows = in_batches([ids[row] for row in order], run, batch_size=batch_size, width=width)
    placed = np.empty_like(rows)
    placed[order] = rows
    return placed


def padded(ids: Sequence[TokenIds], pad: int, length: int | None = None) -> "tuple[torch.Tensor, torch.Tensor]":
    """Token ids and attention mask (1 for a token, 0 for padding): both int64 (n, length).

    Padding stands at the end; ``length`` None is that of the longest.
    """
    torch = import_torch()
    longest = length or max(len(row) for row in ids)
    filled = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids], dtype=torch.int64)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids], dtype=torch.int64)
    return filled, mask
