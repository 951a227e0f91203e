"""Inverted lists of one-bit codes, which bring an approximate index its candidates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError
from vernissage.files import read_array, read_arrays, write_array, write_arrays
from vernissage.progress import Progress, silent
from vernissage.search.nearest import ScaledQuery
from vernissage.search.scan import Mask, Rows, one_thread
from vernissage.values import Vectors

REVISION = 2
"""Of what the file holds; raised whenever it changes."""

_BLOCK = 16_384
"""Rows that are read, assigned and encoded at once; a kill costs no more than such a block."""
_PRODUCT = 4_096
"""Rows that are compared with all centroids at once."""
_LISTS_PER_ROOT = 6
"""There are this times √n lists."""
_SAMPLED, _SAMPLED_AT_LEAST = 16, 16_384
"""Rows a list that its centroid is found by, and rows for all of them together."""
_ROUNDS = 6
_CROWDED = 3
"""Lists of so many times the usual rows are divided, by centroids of lists that have fewer than usual."""
_MOVED = 2
"""So many centroids move for each usual number of rows in crowded lists; some are needless, and move on."""
_COMPARED = 256
"""Rows from all over the lists that are encoded anew when these are opened."""
_AGREEING, _CLEAR = 0.99, 1e-5
"""The share of their bits that must come out again, of those whose numbers are so far from 0: what is nearer comes of
rounding, which differs between processors, and works that are the same as their centroid have nothing else."""
_LISTED = 100
"""Rows to leave out up to so many are dropped from candidates; more are passed over while lists are read."""
_FAST_BLOCK = 32
_TOGETHER, _CODE_BITS = 4, 4
"""Dimensions that FAISS looks up together, by one of sixteen codes."""
_LEVELS = 100
"""FAISS rounds what four dimensions add to a score to 255 levels, so that this share of their range is two or more."""
_REFINED = 4
"""Times as many lists are compared precisely with a query as are read."""
_READ = 4
"""Times as many rows are read at least as are scored precisely, where nothing was measured."""
_FEW = 1_024
"""So many centroids are all compared precisely."""


@dataclass(frozen=True)
class Effort:
    """How far a search for up to ``k`` works goes.

    Attributes:
        k: how many works, or up to a quarter more.
        probes: how many lists are read at most.
        candidates: how many rows are scored precisely.
        slack: of these lists those are read whose centroid is at most so many times as far (squared) as the nearest:
            one work lies in one cluster and needs few, a mixture lies between many. 0 reads all of them. As in Chen et
            al., SPANN, NeurIPS 2021, arXiv:2111.08566.
    """

    k: int
    probes: int
    candidates: int
    slack: float = 0.0

    def serves(self, k: int) -> bool:
        """Whether it is for lists of so many works: many are asked for one or two longer than they are shown."""
        return 4 * k <= 5 * self.k


@dataclass(frozen=True)
class ApproximateSettings:
    """What is kept of the choice of an approximate index.

    Attributes:
        lists: how many there are; None for the usual number.
        efforts: how far searches go, ascending by ``k``.
        measured: what `tune` measured with them.
    """

    lists: int | None = None
    efforts: tuple[Effort, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class InvertedLists:
    """Rows of unit vectors in lists by their nearest centroid, each as one bit a dimension.

    A vector x of a list is kept as the signs of x − c, c the list's centroid, after a random rotation that makes all
    dimensions alike. A query is compared with x by ⟨q, c⟩ + s·⟨q, sign(x − c)⟩, of which the second needs one look-up
    table for all lists, so that FAISS's fast scan of product codes (André, Kermarrec & Le Scouarnec, VLDB 2015,
    doi 10.14778/2856318.2856324) reads a thousand rows in some microseconds. s, one number for all vectors, makes
    ⟨x − c, s·sign(x − c)⟩ = ‖x − c‖² in the mean, as RaBitQ (Gao & Long, SIGMOD 2024, arXiv:2405.12497) does for each
    vector; that would need a table for each list, which costs more than its rows.

    Immutable; any number of threads may search. What is kept on disk are these arrays, from which FAISS's structures
    are made when they are opened; FAISS's own files are never read.

    Attributes:
        centroids: float32 (lists, width), rotated.
        rotation: float32 (dim, width) that vectors are multiplied by; width is dim in whole bytes of bits.
        sizes: rows in each list, int64 (lists,).
        rows: of the lists one after the other, int32 (n,).
        codes: of ``rows``, uint8 (n, width / 8): the signs, 1 for above 0, the first dimension in the lowest bit.
        scale: s.
        codebook: of product codes by which the nearest centroids are found, float32 (width / 4, 16, 4); where there
            are few, (0, 16, 4).
        source: digest of the vectors.
    """

    centroids: Vectors
    rotation: Vectors
    sizes: Rows
    rows: npt.NDArray[np.int32]
    codes: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.float64]
    codebook: Vectors
    source: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes that are held beside the vectors."""
        arrays = self.centroids.nbytes + self.rotation.nbytes + self.sizes.nbytes
        blocks = int((-(-self.sizes // _FAST_BLOCK)).sum()) * _FAST_BLOCK + len(self.centroids)
        return int(arrays + blocks * self.codes.shape[1] + 8 * len(self))

    def candidates(
        self, queries: Vectors, count: int, probes: int, allowed: Mask | None = None, slack: float = 0.0
    ) -> list[Rows]:
        """For each of ``queries`` float32 (m, dim) about ``count`` rows of the nearest ``probes`` lists, best first.

        Rows where ``allowed`` bool (n,) is false are passed over; ``slack`` is an `Effort`'s. Fewer come back where
        these lists hold fewer.
        """
        lengths = np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        turned = np.ascontiguousarray((queries / lengths) @ self.rotation)
        found = np.empty((len(turned), count), np.int64)
        bits = np.packbits(allowed, bitorder="little") if allowed is not None else None
        selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)) if bits is not None else None
        with one_thread():
            far, nearest = self._nearest_lists(turned, probes)
            for read, some in self._by_lists_read(far, nearest, slack, count):
                found[some] = self._of_lists(turned[some], nearest[some, :read], far[some, :read], count, selector)
        return [rows[rows >= 0] for rows in found]

    def _nearest_lists(self, turned: Vectors, probes: int) -> tuple[Vectors, Rows]:
        """The squared distances of the nearest lists' centroids, float32 (m, probes), and which lists these are."""
        index = self._coarse
        if len(self.codebook) and 2 * _REFINED * probes >= len(self.centroids):
            index = index.refine_index
        far, nearest = index.search(turned, probes)
        return far, nearest

    def _by_lists_read(self, far: Vectors, nearest: Rows, slack: float, count: int) -> Iterator[tuple[int, Any]]:
        """How many of their nearest lists some queries read, and which queries these are.

        Their numbers are powers of two, so that few searches are made; the lists hold ``count`` rows at least.
        """
        if not slack:
            yield nearest.shape[1], slice(None)
            return
        near = np.count_nonzero(far <= slack * far[:, :1], axis=1)
        enough = np.count_nonzero(np.cumsum(self.sizes[nearest], axis=1) < count, axis=1) + 1
        wanted = np.maximum(near, enough).clip(1, nearest.shape[1])
        read = (1 << np.ceil(np.log2(wanted)).astype(np.int64)).clip(max=nearest.shape[1])
        for each in np.unique(read).tolist():
            yield each, np.flatnonzero(read == each)

    def _of_lists(self, turned: Vectors, nearest: Rows, far: Vectors, count: int, selector: Any) -> Rows:
        """The best ``count`` rows of chosen lists, int64 (m, count), −1 where there are fewer.

        FAISS's form of this for Python takes no parameters.
        """
        # ‖q − c‖² = ‖q‖² + ‖c‖² − 2⟨q, c⟩
        lengths = np.einsum("md,md->m", turned, turned)[:, None]
        products = (self._lengths[nearest] + lengths - far) / 2
        # FAISS counts in whole steps from the least score that there could be, and passes over rows that have it: a
        # list that is none, −1, has less.
        widest = 2 * float(self.scale) * np.abs(turned).reshape(len(turned), -1, _TOGETHER).sum(axis=2).max(axis=1)
        shape = len(turned), nearest.shape[1] + 1
        lists, biases = np.full(shape, -1, np.int64), np.empty(shape, np.float32)
        lists[:, :-1], biases[:, :-1], biases[:, -1] = nearest, products, products.min(axis=1) - widest / _LEVELS
        rows, scores = np.empty((len(turned), count), np.int64), np.empty((len(turned), count), np.float32)
        places = [faiss.swig_ptr(each) for each in (turned, lists, biases, scores, rows)]
        how = _parameters(nprobe=shape[1], sel=selector)
        self._index.search_preassigned_c(len(turned), places[0], count, *places[1:], False, how, None)
        return rows

    @cached_property
    def _lengths(self) -> Vectors:
        """The squared lengths of all centroids, float32 (lists,)."""
        found: Vectors = np.einsum("ld,ld->l", self.centroids, self.centroids)
        return found

    @cached_property
    def _coarse(self) -> Any:
        """An index of the centroids."""
        width = self.centroids.shape[1]
        if not len(self.codebook):
            index = faiss.IndexFlatL2(width)
            index.add(self.centroids)
            return index
        fast = faiss.IndexPQFastScan(width, width // _TOGETHER, _CODE_BITS, faiss.METRIC_L2, _FAST_BLOCK)
        _set_codebook(fast, self.codebook)
        fast.add(self.centroids)
        refined: Any = faiss.IndexRefineFlat(fast, faiss.swig_ptr(self.centroids))
        refined.k_factor = _REFINED
        refined.referenced_objects = [fast]  # which FAISS does not keep alive
        return refined

    @cached_property
    def _index(self) -> Any:
        """FAISS's fast scan over the codes."""
        lists, width = self.centroids.shape
        quantizer = faiss.IndexFlatIP(width)  # which is never asked: a search is given its lists
        metric = faiss.METRIC_INNER_PRODUCT
        plain: Any = faiss.IndexIVFPQ(quantizer, width, lists, width // _TOGETHER, _CODE_BITS, metric)
        plain.by_residual = True
        _set_codebook(plain, np.tile(_CORNERS * np.float32(self.scale), (width // _TOGETHER, 1, 1)))
        ends = np.cumsum(self.sizes)
        for number in np.flatnonzero(self.sizes).tolist():
            some = slice(int(ends[number] - self.sizes[number]), int(ends[number]))
            rows, codes = self.rows[some].astype(np.int64), np.ascontiguousarray(self.codes[some])
            plain.invlists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        plain.ntotal = len(self)
        fast: Any = faiss.IndexIVFPQFastScan(plain, _FAST_BLOCK)
        fast.referenced_objects = [quantizer]
        return fast

    def save(self, path: Path) -> None:
        """Write the arrays and what they belong to."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _KINDS}
        write_arrays(path, arrays | {"source": np.array(self.source), "revision": np.array(REVISION)})

    @classmethod
    def load(cls, path: Path, vectors: Vectors, source: str) -> "InvertedLists":
        """Open what `save` wrote for exactly these vectors, whose digest is ``source``; large arrays are mapped.

        Raises:
            ProvenanceError: the file is missing, damaged, of another version, or belongs to other vectors.
        """
        arrays = read_arrays(path, memory_map=["centroids", "codes", "rows"])
        if (str(arrays.get("source")), str(arrays.get("revision"))) != (source, str(REVISION)):
            raise ProvenanceError(f"{path} belongs to other vectors or to another version")
        if fault := _fault(arrays, vectors):
            raise ProvenanceError(f"{path} is damaged ({fault})")
        return cls(**{name: arrays[name] for name in _KINDS}, source=source)


_parameters: Any = faiss.IVFSearchParameters

_KINDS: Mapping[str, Any] = {
    "centroids": np.float32,
    "rotation": np.float32,
    "sizes": np.int64,
    "rows": np.int32,
    "codes": np.uint8,
    "scale": np.float64,
    "codebook": np.float32,
}


def _fault(arrays: dict[str, npt.NDArray[Any]], vectors: Vectors) -> str:
    """What is wrong with arrays that a file holds; nothing where they are lists of these vectors."""
    n, dim = vectors.shape
    if wrong := [name for name, kind in _KINDS.items() if name not in arrays or arrays[name].dtype != kind]:
        return f"{wrong[0]} is missing or of another type"
    centroids, rotation, sizes, rows, codes, scale, codebook = found = tuple(arrays[name] for name in _KINDS)
    lists, width = len(centroids), _width(dim)
    coded = 0 if lists <= _FEW else width // _TOGETHER
    shapes = ((lists, width), (dim, width), (lists,), (n,), (n, width // 8), (), (coded, *_CORNERS.shape))
    if not n or not lists or tuple(each.shape for each in found) != shapes:
        return "arrays of other shapes than the vectors have"
    if not all(np.isfinite(each).all() for each in (centroids, rotation, scale, codebook)) or scale <= 0:
        return "numbers that are not finite"
    if not ((sizes >= 0).all() and (sizes <= n).all() and sizes.sum() == n):
        return "lists that do not hold every row"
    if rows.min() < 0 or rows.max() >= n or np.bincount(rows).max() != 1:
        return "rows that are in no list, or in two"
    some = np.linspace(0, n - 1, min(n, _COMPARED), dtype=np.int64)
    own = centroids[np.searchsorted(np.cumsum(sizes), some, side="right")]
    apart = vectors[rows[some]] @ rotation - own
    agreeing = (apart > 0) == np.unpackbits(codes[some], axis=1, bitorder="little")
    clear = agreeing[np.abs(apart) > _CLEAR]
    return "codes of other vectors" if len(clear) and clear.mean() < _AGREEING else ""


def scaled_probes(probes: int, rows: int, allowed: int) -> int:
    """How many lists hold as many allowed rows as ``probes`` hold rows."""
    return -(-probes * rows // max(1, allowed))


def slack_for(slack: float, rows: int, allowed: int) -> float:
    """The slack where so many rows are allowed: none where most are passed over, and near lists bring too few."""
    return slack if 2 * allowed >= rows else 0.0


def _width(dim: int) -> int:
    """Dimensions of rotated vectors, whose bits fill whole bytes."""
    return -(-dim // 8) * 8


def _signs(apart: Vectors) -> npt.NDArray[np.uint8]:
    """Which numbers of float32 (n, width) are above 0, uint8 (n, width / 8)."""
    return np.packbits(apart > 0, axis=1, bitorder="little")


_CORNERS: Vectors = 2 * (np.arange(2**_CODE_BITS)[:, None] >> np.arange(_TOGETHER) & 1).astype(np.float32) - 1
"""What a product code of signs stands for, float32 (16, 4)."""


def _set_codebook(index: Any, codebook: Vectors) -> None:
    """Let an index of FAISS understand product codes by this codebook."""
    faiss.copy_array_to_vector(codebook.ravel(), index.pq.centroids)
    index.is_trained = True


def _codebook(centroids: Vectors) -> Vectors:
    """The codebook of product codes of these centroids, see `InvertedLists`."""
    width = centroids.shape[1]
    if len(centroids) <= _FEW:
        return np.empty((0, *_CORNERS.shape), np.float32)
    quantizer = faiss.ProductQuantizer(width, width // _TOGETHER, _CODE_BITS)
    with one_thread():
        quantizer.train(centroids)
    found: Vectors = faiss.vector_to_array(quantizer.centroids).reshape(-1, *_CORNERS.shape)
    return found


def usual_lists(count: int) -> int:
    """How many lists so many rows are spread over."""
    return max(1, min(int(_LISTS_PER_ROOT * count**0.5), count // 4))


def usual_efforts(lists: int, rows: int) -> tuple[Effort, ...]:
    """How far searches go where nothing was measured: as far as mixtures of nine works take in large collections.

    Of some thousand rows that share would be hardly more than the works asked for: then lists are read that hold a few
    times as many rows as are scored.
    """
    efforts = ((10, 64, 500), (100, 128, 2_000), (1_000, 256, 8_000))
    return tuple(
        Effort(k, min(lists, max(8 + share * lists // 4_000, _READ * candidates * lists // max(1, rows))), candidates)
        for k, share, candidates in efforts
    )


def build_inverted_lists(
    vectors: Vectors, source: str, staging: Path, count: int, progress: Progress = silent
) -> InvertedLists:
    """Make inverted lists of float32 (n, dim) unit vectors, of which a sample and one block are held in memory.

    Centroids and the lists of each block's rows are kept in the folder ``staging``, under names that stand for what
    they are made of, so that an interrupted run goes on; the caller removes the folder.

    Raises:
        WorkspaceError: there is no room.
    """
    folder = staging / f"lists-{source[:12]}-{count}-{REVISION}"
    rotation = _rotation(vectors.shape[1])
    centroids = _staged(folder / "centroids.npy", lambda: _centroids(vectors, rotation, count, progress))
    codes = np.empty((len(vectors), rotation.shape[1] // 8), dtype=np.uint8)
    list_of = np.empty(len(vectors), dtype=np.int64)
    squares = sizes = 0.0
    for start in range(0, len(vectors), _BLOCK):
        progress("Sorting vectors into lists", start, len(vectors))
        some = slice(start, min(start + _BLOCK, len(vectors)))
        turned = vectors[some] @ rotation
        list_of[some] = _staged(folder / f"{start:010d}.npy", partial(_nearest, turned, centroids))
        apart = turned - centroids[list_of[some]]
        codes[some] = _signs(apart)
        squares, sizes = squares + float(np.vdot(apart, apart)), sizes + float(np.abs(apart).sum())
    progress("Sorting vectors into lists", len(vectors), len(vectors))
    rows = np.argsort(list_of, kind="stable")
    members = np.bincount(list_of, minlength=count)
    scale = np.array(squares / sizes if sizes else 1.0)
    book = _codebook(centroids)
    return InvertedLists(centroids, rotation, members, rows.astype(np.int32), codes[rows], scale, book, source)


def _staged(path: Path, make: Callable[[], npt.NDArray[Any]]) -> Any:
    """The array at ``path``, made and written there if it is not there yet."""
    if path.exists():
        with suppress(ProvenanceError):
            return read_array(path)
    made = make()
    write_array(path, made)
    return made


def _rotation(dim: int) -> Vectors:
    """A random rotation, float32 (dim, width): rows of length 1 at right angles, always the same."""
    square = np.random.default_rng(dim).standard_normal((_width(dim), _width(dim)))
    return np.ascontiguousarray(np.linalg.qr(square)[0][:dim].astype(np.float32))


def _centroids(vectors: Vectors, rotation: Vectors, count: int, progress: Progress) -> Vectors:
    """k-means of a sample by Lloyd's algorithm from random rows; float32 (count, width).

    From random rows some clusters get several centroids and others share one, whose list is long and always read.
    So the centroids of the shortest lists move into the longest ones.
    """
    from scipy.sparse import csr_array  # which only building needs

    rng = np.random.default_rng(count)
    chosen = np.sort(rng.permutation(len(vectors))[: max(_SAMPLED * count, _SAMPLED_AT_LEAST)])
    sample = np.concatenate([vectors[some] @ rotation for some in np.array_split(chosen, -(-len(chosen) // _BLOCK))])
    centroids = sample[np.sort(rng.permutation(len(sample))[:count])]
    usual = len(sample) / count
    for number in range(_ROUNDS):
        progress("Finding centroids", number, _ROUNDS)
        nearest = _nearest(sample, centroids)
        each, places = np.ones(len(sample), np.float32), np.arange(len(sample) + 1)
        members = csr_array((each, nearest, places), (len(sample), count))
        sizes = np.bincount(nearest, minlength=count)
        means = (members.T @ sample) / np.maximum(sizes, 1)[:, None].astype(np.float32)
        centroids = np.where(sizes[:, None] > 0, means, centroids)
        if number < _ROUNDS - 1:
            crowded = np.flatnonzero(sizes[nearest] > _CROWDED * usual)
            shortest = np.argsort(sizes, kind="stable")[: int(_MOVED * len(crowded) / usual)]
            shortest = shortest[sizes[shortest] < usual]
            centroids[shortest] = sample[rng.choice(crowded, len(shortest), replace=False)]
    progress("Finding centroids", _ROUNDS, _ROUNDS)
    return np.ascontiguousarray(centroids)


def _nearest(vectors: Vectors, centroids: Vectors) -> Rows:
    """The nearest centroid of each vector, int64 (n,): the highest ⟨x, c⟩ − ‖c‖²/2."""
    half = np.einsum("ij,ij->i", centroids, centroids) / 2
    found = np.empty(len(vectors), dtype=np.int64)
    for start in range(0, len(vectors), _PRODUCT):
        products = vectors[start : start + _PRODUCT] @ centroids.T
        products -= half
        products.argmax(axis=1, out=found[start : start + _PRODUCT])
    return found


class ApproximateRows:
    """The source of candidates of an approximate index: inverted lists, and how far they are read, see `CandidateRows`.

    Where lists would have to be read all, and for more works than any effort is known for, the rows are read.
    """

    kind, exact = "approximate", False

    def __init__(self, lists: InvertedLists, efforts: Sequence[Effort]) -> None:
        """Search ``lists`` with ``efforts``, ascending by ``k``."""
        self._lists, self._efforts = lists, tuple(efforts)
        self.settings: Mapping[str, Any] = {
            "lists": len(lists.centroids),
            "efforts": [asdict(each) for each in efforts],
        }

    def among(
        self, queries: Sequence[ScaledQuery], k: int, but: Rows | None, excluded: Callable[[], Mask]
    ) -> list[Rows]:
        effort = next((each for each in self._efforts if each.serves(k)), None)
        if effort is None:
            return []
        dropped, mask = _NO_ROWS if but is None else but, None
        if but is None or len(but) > _LISTED:
            mask, dropped = ~excluded(), _NO_ROWS
        allowed = len(self._lists) - len(dropped) if mask is None else int(np.count_nonzero(mask))
        probes = scaled_probes(effort.probes, len(self._lists), allowed)
        if not allowed or probes > len(self._lists.centroids):
            return []
        singles, count = np.stack([each.single for each in queries]), effort.candidates + len(dropped)
        found = self._lists.candidates(singles, count, probes, mask, slack_for(effort.slack, len(self._lists), allowed))
        return [np.sort(np.setdiff1d(rows, dropped, assume_unique=True)) for rows in found]


_NO_ROWS: Rows = np.empty(0, dtype=np.int64)
