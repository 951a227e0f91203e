"""Byte scans: vectors rounded to one byte a number, of which a search reads a quarter of the memory."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import array_digest, read_arrays, write_arrays
from vernissage.values import Vectors

WORTH_A_SCAN = 1_000_000
"""Numbers from which rows get a byte scan; fewer are read about as fast as they are."""

_SHARE = 16
"""Added rows get a byte scan once they are one in so many; rounding them more often would cost more than it saves."""
_BLOCK = 2_048  # rows that are rounded at once, of which five copies are held
_LEAST = 1e-30
"""Numbers that are all smaller than this, or 0, are rounded on the grid of this one, whose scale float32 can hold."""

_HUGE = 1e38  # what no score reaches, and float32 can hold

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Query = npt.NDArray[np.float64]


class ByteScan:
    """Vectors rounded to signed bytes, with a bound on how far off their inner products can be.

    For a row x and a query q, rounded to x̂ and q̂, Cauchy–Schwarz gives
    |⟨q,x⟩ − ⟨q̂,x̂⟩| ≤ ‖q‖·‖x − x̂‖ + ‖q − q̂‖·‖x̂‖. ``lost`` is the largest ‖x − x̂‖ plus the rounding of float32 sums,
    ``longest`` the largest ‖x̂‖. Immutable; the codes may be mapped from a file.
    """

    def __init__(self, codes: npt.NDArray[np.uint8], bounds: npt.NDArray[np.float64], source: str) -> None:
        """Describe a scan by its arrays; `build_byte_scan` makes them.

        Args:
            codes: uint8 (n, dim), each number plus 128.
            bounds: float64 (3,): scale from vectors to whole numbers, ``lost``, ``longest``.
            source: digest of the vectors.
        """
        self.codes: npt.NDArray[np.uint8] = np.ascontiguousarray(codes)
        self.bounds = bounds
        self.scale, self.lost, self.longest = (float(value) for value in bounds)
        self.source = source
        self._quantizer: Any = faiss.ScalarQuantizer(codes.shape[1], faiss.ScalarQuantizer.QT_8bit_direct_signed)
        self._scanners: tuple[list[Any], list[Any]] = ([], [])

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def float32_error(self) -> float:
        """`float32_error` of the vectors, or a little more: from the bounds, without reading the vectors."""
        return _error_of_length(self.longest + self.lost, self.codes.shape[1])

    def search(
        self,
        query: Query,
        k: int,
        excluded: Mask | None = None,
        *,
        runs: Sequence[tuple[int, int]] = (),
        floor: float = -math.inf,
    ) -> tuple[Query, Rows, float]:
        """Approximate inner products, highest first, their rows, and how far off any product can be.

        Returns float64 (k,), int64 (k,) and the bound, which holds for every row, returned or not. Rows where
        ``excluded`` bool (n,) is true are passed over within the scan; fewer than k come back where fewer are left, or
        where fewer score more than ``floor``. Of ``runs``, starts and ends, only these rows are read.
        """
        whole, scale = _rounded(query)
        narrow = whole.astype(np.float32)  # FAISS's integer kernel cuts decimals off, so it is given none
        least = np.nextafter(np.float32(np.clip(floor * self.scale * scale, -_HUGE, _HUGE)), np.float32(-np.inf))
        scores, rows = np.full(k, least, dtype=np.float32), np.full(k, -1, dtype=np.int64)
        scanner = self._scanner(filtering=excluded is not None)
        if excluded is not None:
            bits = np.packbits(~excluded, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            scanner.sel = selector  # which does not keep it alive: the names here do, until the search is done
        scanner.set_query(faiss.swig_ptr(narrow))
        for start, stop in runs or ((0, len(self)),):
            places = [faiss.swig_ptr(each) for each in (self.codes[start:stop], self._numbers[start:stop])]
            scanner.scan_codes(stop - start, *places, faiss.swig_ptr(scores), faiss.swig_ptr(rows), k)
        self._scanners[excluded is not None].append(scanner)
        order = np.argsort(-scores)
        order = order[rows[order] >= 0]
        return scores[order].astype(np.float64) / (self.scale * scale), rows[order], self.error(query)

    def error(self, query: Query) -> float:
        """How far off any approximate inner product with the query can be: the bound above."""
        whole, scale = _rounded(query)
        missed = query - whole / scale
        return math.sqrt(query @ query) * self.lost + math.sqrt(missed @ missed) * self.longest

    @cached_property
    def _numbers(self) -> Rows:
        """What FAISS calls the rows."""
        return np.arange(len(self))

    def _scanner(self, *, filtering: bool) -> Any:
        """An idle scanner of FAISS, or a new one: Python cannot free them, so they are used again.

        It reads codes where they lie, as in a mapped file; FAISS's ready-made indexes would copy them.
        """
        idle = self._scanners[filtering]
        try:
            return idle.pop()
        except IndexError:
            selector = faiss.IDSelectorAll() if filtering else None  # one that filters is made for good
            return self._quantizer.select_InvertedListScanner(faiss.METRIC_INNER_PRODUCT, None, False, selector, False)

    def save(self, path: Path) -> None:
        """Write codes and bounds as arrays (never FAISS's own format, which is not safe to read from strangers)."""
        write_arrays(path, {"codes": self.codes, "bounds": self.bounds, "source": np.array(self.source)})

    @classmethod
    def load(cls, path: Path, vectors: Vectors, source: str) -> "ByteScan":
        """Open what `save` wrote for exactly these vectors, whose digest is ``source``; codes are mapped, not read.

        Raises:
            ProvenanceError: the file is missing, damaged, or belongs to other vectors; build it anew.
        """
        arrays = read_arrays(path, memory_map=["codes"])
        codes, bounds, stored = (arrays.get(key, np.empty(0)) for key in ("codes", "bounds", "source"))
        fits = codes.shape == vectors.shape and codes.dtype == np.uint8 and bounds.shape == (3,)
        if not fits or str(stored) != source:
            raise ProvenanceError(f"the index {path} belongs to other vectors; delete it and it is built anew")
        return cls(codes, bounds, source)


def _rounded(query: Query) -> tuple[Query, float]:
    """The query in whole numbers up to 127, and what it was multiplied by."""
    scale = 127.0 / max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny))
    return np.rint(query * scale), scale


def build_byte_scan(vectors: Vectors, source: str | None = None) -> ByteScan:
    """Round float32 (n, dim) vectors to bytes, block by block, and measure the largest rounding error."""
    largest = max(float(vectors.max(initial=0.0)), -float(vectors.min(initial=0.0)))
    scale = 127.0 / max(largest, _LEAST)
    codes = np.empty(vectors.shape, dtype=np.uint8)
    lost = longest = 0.0
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        whole = np.rint(block * np.float32(scale))
        codes[start : start + _BLOCK] = (whole + 128).astype(np.uint8)
        rounded = whole / np.float32(scale)
        lost = max(lost, float(np.linalg.norm(block - rounded, axis=1).max()))
        longest = max(longest, float(np.linalg.norm(rounded, axis=1).max()))
    bounds = np.array([scale, lost + 2 * float32_error(vectors), longest])
    return ByteScan(codes, bounds, source or array_digest(vectors))


@dataclass(frozen=True)
class Segment:
    """The rows from ``start`` up to ``stop``, and their byte scan; without one they are scored in float32."""

    start: int
    stop: int
    scan: ByteScan | None = None

    def __len__(self) -> int:
        return self.stop - self.start


def extended(segments: tuple[Segment, ...], rows: Vectors) -> tuple[Segment, ...]:
    """The segments of float32 (n, dim) rows that have grown: the same, until those without a scan are many.

    Each scan measures its own rounding, so a new row with larger numbers leaves the others' bounds alone. A new
    scan covers the segments before it that are not larger, as in a log-structured merge: there are at most log₂(n) of
    them, and each row is rounded at most that often.
    """
    kept = [segment for segment in segments if segment.scan is not None]
    start, stop = kept[-1].stop if kept else 0, len(rows)
    waiting = stop - start
    if waiting * rows.shape[1] < WORTH_A_SCAN or waiting * _SHARE < start:
        return (*kept, Segment(start, stop)) if waiting else tuple(kept)
    while kept and len(kept[-1]) <= stop - start:
        start = kept.pop().start
    return (*kept, Segment(start, stop, build_byte_scan(rows[start:], "added")))


def float32_error(vectors: Vectors) -> float:
    """How far off a float32 inner product of a row with a unit query can be, whatever the order of its sum.

    The bound (d + 2)·2⁻²⁴·‖x‖ of Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1, for the
    longest row, with one term for rounding the query.
    """
    longest = math.sqrt(np.einsum("ij,ij->i", vectors, vectors).max(initial=0.0))
    return _error_of_length(longest, vectors.shape[1])


def _error_of_length(longest: float, dim: int) -> float:
    return (dim + 2) * 2.0**-24 * longest


@contextmanager
def one_thread() -> Iterator[None]:
    """Run FAISS on one thread: for a single query a second one costs more than it saves."""
    before = faiss.omp_get_max_threads()
    if before == 1:
        yield
        return
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
