"""Byte scans over consecutive runs of rows, so that a scan grows without being made anew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.values import Vectors

WORTH_A_SCAN = 1_000_000
"""Numbers in the rows without a scan; below that, reading them as they are costs next to nothing."""
_SHARE = 16


@dataclass(frozen=True)
class Segment:
    """A byte scan of the rows from ``start`` on; it is never changed, so readers need no lock."""

    start: int
    scan: ByteScan

    @property
    def stop(self) -> int:
        return self.start + len(self.scan)


def covered(segments: Sequence[Segment]) -> int:
    """How many rows, from the first on, have a byte scan; the rows after them are scored in float32."""
    return segments[-1].stop if segments else 0


def extended(segments: tuple[Segment, ...], vectors: Vectors) -> tuple[Segment, ...]:
    """The segments for vectors (rows, dim) that have grown: the same ones, until the rows after them are many.

    Each scan measures its own rounding, so a new row with larger numbers leaves the others' bounds alone. A new
    segment swallows those before it that are not larger, as in a log-structured merge: there are at most log₂(rows)
    of them, and each row is rounded at most that often.
    """
    start = covered(segments)
    waiting = len(vectors) - start
    if waiting * vectors.shape[1] < WORTH_A_SCAN or waiting * _SHARE < start:
        return segments
    kept = list(segments)
    while kept and len(kept[-1].scan) <= len(vectors) - start:
        start = kept.pop().start
    return (*kept, Segment(start, build_byte_scan(vectors[start:], "live")))


def subset(segments: tuple[Segment, ...], rows: npt.NDArray[np.int64]) -> tuple[Segment, ...]:
    """The segments of some rows, ascending, that close ranks."""
    kept: list[Segment] = []
    for segment in segments:
        inside = rows[(rows >= segment.start) & (rows < segment.stop)] - segment.start
        if len(inside):
            kept.append(Segment(covered(kept), segment.scan.subset(inside)))
    return tuple(kept)
