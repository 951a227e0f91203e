"""Approximate scores that know how far off they can be, what follows from them, and how many to ask for."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vernissage.search.precise import Query, Rows

_FIRST_LOOK = 0.6
"""The first byte scan brings n to this power of rows, and some: enough, in most cases, to settle a list of ten."""
_SHORT = 8
"""One in so many of these rows is asked for: the first byte scan settles that without a guess at how many it takes."""
_MARGIN = 1.5
"""How many times the rows that are expected to be in question are brought: one costs little, a second scan much."""
_DEEPEST = 32
"""A second byte scan brings at most one row in so many; beyond that float32 scores of all cost less."""


class Look(NamedTuple):
    """Rows of a run with approximate scores float64, each off by at most ``error``.

    No row of the run that is allowed and left out scores above ``unseen`` + ``error``; -inf where none that could be
    among the best was left out.
    """

    rows: Rows
    scores: Query
    error: float
    unseen: float

    @property
    def sure(self) -> Query:
        """What each row scores at least."""
        return self.scores - self.error

    def may_lack(self, threshold: float) -> bool:
        """Whether a row that was left out could reach the threshold."""
        return self.unseen > -math.inf and self.unseen + self.error >= threshold

    def reaching(self, threshold: float) -> Rows:
        """The rows that could reach the threshold."""
        return self.rows[self.scores + self.error >= threshold]


def kth_highest(scores: npt.NDArray[Any], k: int) -> float:
    """The k-th highest of some scores, -inf where there are fewer."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if k <= len(scores) else -math.inf


def surely_reached(looks: Sequence[Look], k: int) -> float:
    """What the k-th best precise score is at least; -inf where the looks have fewer than k rows."""
    return kth_highest(np.concatenate([look.sure for look in looks]), k)


def most_promising(looks: Sequence[Look], k: int) -> Rows:
    """The ``k`` rows of all looks that score most at least, in any order; fewer where the looks have fewer."""
    rows, sure = np.concatenate([look.rows for look in looks]), np.concatenate([look.sure for look in looks])
    best: Rows = rows[np.argpartition(sure, len(sure) - k)[len(sure) - k :]] if k < len(rows) else rows
    return best


def short(k: int, size: int) -> bool:
    """Whether a list of ``k`` out of so many is short: its first byte scan needs no guess."""
    return k <= int(size**_FIRST_LOOK) // _SHORT


def first_reach(k: int, size: int) -> int:
    """How many rows the first byte scan of so many brings for a list of ``k``."""
    return int(size**_FIRST_LOOK) + 2 * k


def share_in_question(share: float, error: float, spread: float) -> float:
    """The share of rows that a look off by ``error`` is expected not to tell from the best ``share``, with a margin.

    Where scores are spread normally with deviation s, the best share p begins z = Φ⁻¹(1 − p) deviations above their
    mean, and 1 − Φ(z − error/s) of them are not surely below that. Time alone hangs on this guess.
    """
    if error <= 0:
        return share
    normal = NormalDist()
    apart = error / spread if spread > 0 else math.inf
    return min(1.0, _MARGIN * (1 - normal.cdf(normal.inv_cdf(1 - share) - apart)))


def deeper_reach(look: Look, threshold: float, reach: int, size: int) -> int:
    """How many rows of a byte scan would settle a look, judged by how close the last half of its scores lie.

    All of them, which means float32 scores, where that is more than a second scan would save.
    """
    middle = float(look.scores[len(look.scores) // 2]) if len(look.scores) else look.unseen
    apart, missing = middle - look.unseen, look.unseen + look.error - threshold
    if 2 * missing * reach >= apart * (size // _DEEPEST):
        return size
    return max(2 * reach, int(2 * reach * missing / apart))
