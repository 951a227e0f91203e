"""Looks at rows of which some, or all, have byte scans, until nothing that was left out could be among the best."""

import math
from collections.abc import Sequence

import numpy as np

from vernissage.search.looks import (
    Look,
    deeper_reach,
    first_reach,
    most_promising,
    share_in_question,
    short,
    surely_reached,
)
from vernissage.search.narrow import Asked, Mask, NarrowRows
from vernissage.search.precise import Rows
from vernissage.search.segments import Segment, covered

_FEW = 64
"""Barred rows that are cheaper to drop from what a scan found than to pass over within it."""
_WORTH = 12
"""A byte scan that brings more than one row in so many costs more than float32 scores of all."""


class ScannedRows:
    """Float32 (n, dim) rows, the first of which have byte scans.

    What a byte scan leaves in question: let its scores be off by at most e, and let k allowed rows surely score T or
    more. A row with a + e < T, where a is its approximate score or, if it was left out, the lowest that was not,
    scores below k others: it is not among the best. The scan itself vouches for T = (its k-th best) − e. Float32
    scores of its best k rows, off by at most f, vouch for T = (the lowest of these) − f as well; f is far below e, and
    scans are off by far less than e, which Cauchy–Schwarz allows for. The higher T leaves rows within about e of the
    k-th in question instead of 2e, and so settles in one scan what else took two.
    """

    def __init__(self, narrow: NarrowRows, segments: tuple[Segment, ...]) -> None:
        self._narrow = narrow
        self._segments = segments

    def __len__(self) -> int:
        return len(self._narrow.vectors)

    def rows_in_question(self, query: Asked, k: int, barred: Mask) -> Rows:
        """Every row that can be among the best ``k``, of which there are so many, from looks at each run of rows."""
        reaches = self._first_reaches(query, k, barred)
        looks = [self._look(query, k, barred, *run) for run in zip(self._segments, reaches, strict=True)]
        if covered(self._segments) < len(self):
            looks.append(self._narrow.look_at_run(query, k, covered(self._segments), len(self), barred))
        while True:
            threshold = self._surely_reached(query, looks, k)
            unsettled = [run for run, look in enumerate(looks) if look.may_lack(threshold)]
            if not unsettled:
                return np.sort(np.concatenate([look.reaching(threshold) for look in looks]))
            for run in unsettled:
                reaches[run] = deeper_reach(looks[run], threshold, reaches[run], len(self._segments[run].scan))
                looks[run] = self._look(query, k, barred, self._segments[run], reaches[run])

    def _first_reaches(self, query: Asked, k: int, barred: Mask) -> list[int]:
        """How many rows each byte scan should bring, so that in most cases none must be made twice."""
        sizes = [len(segment.scan) for segment in self._segments]
        reaches = [first_reach(k * size // len(self) + 1, size) for size in sizes]
        if not sizes or short(k, len(self)):
            return reaches
        share, spread = k / (len(self) - np.count_nonzero(barred)), self._spread(query, barred)
        errors = [segment.scan.error(query.wide) for segment in self._segments]
        guesses = [
            int(size * share_in_question(share, error, spread)) for size, error in zip(sizes, errors, strict=True)
        ]
        return [max(pair) for pair in zip(reaches, guesses, strict=True)]

    def _spread(self, query: Asked, barred: Mask) -> float:
        """The standard deviation of scores, by a sample of rows that are not barred; 0 where it holds none."""
        sample = np.arange(0, len(self), math.isqrt(len(self)))
        sample = sample[~barred[sample]]
        return float(self._narrow.scores(query, sample).std()) if len(sample) else 0.0

    def _look(self, query: Asked, k: int, barred: Mask, segment: Segment, reach: int) -> Look:
        """The best ``reach`` rows of a byte scan, or float32 scores of its rows where reading bytes would not pay."""
        inside = barred[segment.start : segment.stop]
        if _WORTH * reach >= len(segment.scan):
            return self._narrow.look_at_run(query, k, segment.start, segment.stop, barred)
        count = int(np.count_nonzero(inside))
        dropping = count <= _FEW
        wanted = reach + count if dropping else reach
        scores, rows, error = segment.scan.search(query.wide, wanted, None if dropping else inside)
        unseen = float(scores[-1]) if len(rows) == wanted else -math.inf
        if dropping and count:
            kept = ~inside[rows]
            scores, rows = scores[kept], rows[kept]
        return Look(rows + segment.start, scores, error, unseen)

    def _surely_reached(self, query: Asked, looks: Sequence[Look], k: int) -> float:
        """What the k-th best precise score is at least, by the looks and by float32 scores of their best ``k`` rows."""
        threshold, error = surely_reached(looks, k), self._narrow.error(query)
        if threshold == -math.inf or all(look.error <= error for look in looks):
            return threshold
        lowest = float(self._narrow.scores(query, most_promising(looks, k)).min())
        return max(threshold, lowest - error)
