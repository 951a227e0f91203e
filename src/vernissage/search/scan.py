"""One byte a number: a scan that reads a quarter of the memory and knows how far off it can be."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import array_bytes, digest, read_arrays, write_arrays
from vernissage.values import Vectors

_BLOCK = 65_536
_LEAST = 1e-30
"""Numbers that are all smaller than this, or 0, are rounded on the grid of this one, whose scale float32 can hold."""


class ByteScan:
    """Vectors rounded to signed bytes, with a bound on how far off their inner products can be.

    For a row x and a query q, rounded to x̂ and q̂, Cauchy–Schwarz gives
    |⟨q,x⟩ − ⟨q̂,x̂⟩| ≤ ‖q‖·‖x − x̂‖ + ‖q − q̂‖·‖x̂‖. ``lost`` is the largest ‖x − x̂‖ plus the rounding of float32 sums,
    ``longest`` the largest ‖x̂‖. Searching is FAISS's ``QT_8bit_direct_signed``, whose integer kernel cuts the
    query's decimals off: so the query is rounded to whole numbers first.
    """

    def __init__(self, codes: npt.NDArray[np.uint8], bounds: npt.NDArray[np.float64], source: str) -> None:
        """Describe a scan by its arrays; `build_byte_scan` makes them.

        Args:
            codes: uint8 (n, dim), each number plus 128.
            bounds: float64 (3,): scale from vectors to whole numbers, ``lost``, ``longest``.
            source: digest of the vectors.
        """
        self._bounds = bounds
        self.scale, self.lost, self.longest = (float(value) for value in bounds)
        self.source = source
        self._index = faiss.IndexScalarQuantizer(
            codes.shape[1], faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )
        self._index.is_trained = True
        self._index.add_sa_codes(codes)
        self._codes: npt.NDArray[np.uint8] = faiss.rev_swig_ptr(self._index.codes.data(), codes.size)  # not kept twice
        self._codes = self._codes.reshape(codes.shape)

    def __len__(self) -> int:
        return len(self._codes)

    def search(
        self, query: npt.NDArray[np.float64], k: int, barred: npt.NDArray[np.bool_] | None = None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], float]:
        """Approximate inner products, highest first, their rows, and how far off any product can be.

        Returns float64 (k,), int64 (k,) and the bound, which holds for every row, returned or not. Rows where
        ``barred`` bool (n,) is true are passed over within the scan; fewer than k come back where fewer are left.
        """
        whole, scale = _rounded(query)
        parameters = None
        if barred is not None:
            bits = np.packbits(~barred, bitorder="little")
            parameters = faiss.SearchParameters()
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            parameters.sel = selector  # which does not keep it alive: the names here do, until the search is done
        with one_thread():
            scores, rows = self._index.search(whole.astype(np.float32)[None, :], k, params=parameters)
        found = rows[0] >= 0
        return scores[0][found].astype(np.float64) / (self.scale * scale), rows[0][found], self.error(query)

    def error(self, query: npt.NDArray[np.float64]) -> float:
        """How far off any approximate inner product with the query can be: the bound above."""
        whole, scale = _rounded(query)
        missed = query - whole / scale
        return math.sqrt(query @ query) * self.lost + math.sqrt(missed @ missed) * self.longest

    def subset(self, rows: npt.NDArray[np.int64]) -> "ByteScan":
        """The scan of some rows, in that order; the bound of all holds for them too."""
        return ByteScan(self._codes[rows], self._bounds, "")

    def save(self, path: Path) -> None:
        """Write codes and bound as arrays (never FAISS's own format, which is not safe to read from strangers)."""
        write_arrays(path, {"codes": self._codes, "bounds": self._bounds, "source": np.array(self.source)})

    @classmethod
    def load(cls, path: Path, vectors: Vectors, source: str) -> "ByteScan":
        """Read what `save` wrote for exactly these vectors, whose digest is ``source``.

        Raises:
            ProvenanceError: the file is missing, damaged, or belongs to other vectors; build it anew.
        """
        arrays = read_arrays(path)
        codes, bounds, stored = (arrays.get(key, np.empty(0)) for key in ("codes", "bounds", "source"))
        fits = codes.shape == vectors.shape and codes.dtype == np.uint8 and bounds.shape == (3,)
        if not fits or str(stored) != source:
            raise ProvenanceError(f"the index {path} belongs to other vectors; delete it and it is built anew")
        return cls(codes, bounds, source)


def _rounded(query: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """The query in whole numbers up to 127, and what it was multiplied by."""
    scale = 127.0 / max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny))
    return np.rint(query * scale), scale


def build_byte_scan(vectors: Vectors, source: str | None = None) -> ByteScan:
    """Round float32 (n, dim) vectors to bytes, block by block, and measure the largest rounding error."""
    scale = 127.0 / max(float(np.abs(vectors).max(initial=0.0)), _LEAST)
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
    return ByteScan(codes, bounds, source or digest(array_bytes(vectors)))


def float32_error(vectors: Vectors) -> float:
    """How far off a float32 inner product of a row with a unit query can be, whatever the order of its sum.

    The bound (d + 2)·2⁻²⁴·‖x‖ of Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1, for the
    longest row, with one term for rounding the query.
    """
    longest = np.sqrt(np.einsum("ij,ij->i", vectors, vectors).max(initial=0.0))
    return float((vectors.shape[1] + 2) * 2.0**-24 * longest)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run FAISS on one thread: with two, a single query costs 2.3 times the CPU and takes longer."""
    before = faiss.omp_get_max_threads()
    if before == 1:
        yield
        return
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
