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

REVISION = 1
"""Of what the file holds; raised whenever it changes."""

_BLOCK = 16_384
"""Rows that are read, assigned and encoded at once; a kill costs no more than such a block."""
_PRODUCT = 4_096
"""Rows that are compared with all centroids at once."""
_LISTS_PER_ROOT = 4
"""There are this times √n lists: finding the nearest of them costs about as much as reading them."""
_SAMPLED = 32
"""Rows a list that its centroid is found by."""
_ROUNDS = 6
_SHORTENED = np.float32(0.999)
"""Centroids are shortened, so that none is a work itself: of a query that is a centroid FAISS makes equal distances."""
_AGREEING = 0.9
"""The share of a list's bytes that must come out again when it is encoded anew; other processors round a few apart."""
_LISTED = 100
"""Rows to leave out up to so many are dropped from candidates; more are passed over while lists are read."""
_FAST_BLOCK = 32
_BITS = 8
"""Bits that a number of a query is rounded to; fewer cost candidates and save nothing."""


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


_parameters: Any = vars(faiss)["IVFRaBitQSearchParameters"]


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


class InvertedLists:
    """Rows of unit vectors in lists by their nearest centroid, each as one bit a dimension: RaBitQ codes.

    Gao & Long, RaBitQ, SIGMOD 2024, arXiv:2405.12497, in the fast-scan form of FAISS; vectors are rotated at random
    before, as the paper has it. Immutable; any number of threads may search. What is kept on disk are arrays of ours,
    from which FAISS's structures are made when they are opened; FAISS's own files are never read.
    """

    def __init__(self, index: Any, centroids: Vectors, rotation: Vectors, source: str) -> None:
        """Describe lists; `build_inverted_lists` makes them.

        Args:
            index: FAISS's, with all rows.
            centroids: float32 (lists, width), rotated.
            rotation: float32 (dim, width) that vectors are multiplied by; width is dim in whole bytes of bits.
            source: digest of the vectors.
        """
        self._index, self._inverted = index, faiss.downcast_InvertedLists(index.invlists)
        self.centroids, self.rotation, self.source = centroids, rotation, source
        self._kept: dict[int, Any] = {}  # parameters of searches, see `_how`

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @cached_property
    def sizes(self) -> Rows:
        """Rows in each list, int64 (lists,)."""
        return np.array([self._inverted.list_size(each) for each in range(len(self.centroids))], dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes that are held beside the vectors."""
        codes = int(_code_bytes(self._index, self.sizes).sum())
        return codes + self.centroids.nbytes + self.rotation.nbytes + 8 * len(self)

    def candidates(
        self, queries: Vectors, count: int, probes: int, allowed: Mask | None = None, slack: float = 0.0
    ) -> list[Rows]:
        """For each of ``queries`` float32 (m, dim) about ``count`` rows of the nearest ``probes`` lists, best first.

        Rows where ``allowed`` bool (n,) is false are passed over; ``slack`` is an `Effort`'s. Fewer come back where
        these lists hold fewer.
        """
        lengths = np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        turned = np.ascontiguousarray((queries / lengths) @ self.rotation)
        found = np.empty((len(queries), count), np.int64)
        bits = np.packbits(allowed, bitorder="little") if allowed is not None else None
        selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)) if bits is not None else None
        with one_thread():
            if not slack:
                _, found = self._index.search(turned, count, params=self._how(probes, selector))
                return [rows[rows >= 0] for rows in found]
            far, nearest = self._index.quantizer.search(turned, probes)
            for read, some in self._by_lists_read(far, nearest, slack, count):
                found[some] = self._of_lists(turned[some], nearest[some, :read], far[some, :read], count, selector)
        return [rows[rows >= 0] for rows in found]

    def _of_lists(self, turned: Vectors, nearest: Rows, far: Vectors, count: int, selector: Any) -> Rows:
        """The best ``count`` rows of chosen lists, int64 (m, count), −1 where there are fewer.

        FAISS's form of this for Python takes no parameters.
        """
        rows, scores = np.empty((len(turned), count), np.int64), np.empty((len(turned), count), np.float32)
        arrays = [np.ascontiguousarray(each) for each in (turned, nearest, far)]
        asked, lists, distances, out, found = map(faiss.swig_ptr, (*arrays, scores, rows))
        how = self._how(nearest.shape[1], selector)
        self._index.search_preassigned_c(len(turned), asked, count, lists, distances, out, found, False, how, None)
        return rows

    def _by_lists_read(self, far: Vectors, nearest: Rows, slack: float, count: int) -> Iterator[tuple[int, Rows]]:
        """How many of their nearest lists some queries read, and which queries these are.

        Their numbers are powers of two, so that few searches are made; the lists hold ``count`` rows at least.
        """
        near = np.count_nonzero(far <= slack * far[:, :1], axis=1)
        enough = np.count_nonzero(np.cumsum(self.sizes[nearest], axis=1) < count, axis=1) + 1
        wanted = np.maximum(near, enough).clip(1, nearest.shape[1])
        read = (1 << np.ceil(np.log2(wanted)).astype(np.int64)).clip(max=nearest.shape[1])
        for each in np.unique(read).tolist():
            yield each, np.flatnonzero(read == each)

    def _how(self, probes: int, selector: Any) -> Any:
        """FAISS's parameters of a search; those without a selector are kept, for they take as long as a list does."""
        if selector is not None:
            return _parameters(nprobe=probes, qb=_BITS, sel=selector)
        return self._kept.get(probes) or self._kept.setdefault(probes, _parameters(nprobe=probes, qb=_BITS))

    def save(self, path: Path) -> None:
        """Write the arrays and what they belong to."""
        codes, rows = zip(*(self._list(each) for each in range(len(self.centroids))), strict=True)
        arrays: dict[str, Any] = {"centroids": self.centroids, "rotation": self.rotation, "sizes": self.sizes}
        arrays |= {"codes": np.concatenate(codes), "rows": np.concatenate(rows).astype(np.int32)}
        write_arrays(path, arrays | {"source": np.array(self.source), "revision": np.array(REVISION)})

    def _list(self, number: int) -> tuple[npt.NDArray[np.uint8], Rows]:
        """The codes and the rows of one list, where FAISS holds them."""
        size = int(self.sizes[number])
        if not size:
            return np.empty(0, np.uint8), np.empty(0, np.int64)
        codes, rows = self._inverted.get_codes(number), self._inverted.get_ids(number)
        width = int(_code_bytes(self._index, self.sizes[number]))
        return faiss.rev_swig_ptr(codes, width), faiss.rev_swig_ptr(rows, size)

    @classmethod
    def load(cls, path: Path, vectors: Vectors, source: str) -> "InvertedLists":
        """Open what `save` wrote for exactly these vectors, whose digest is ``source``.

        Raises:
            ProvenanceError: the file is missing, damaged, of another version, or belongs to other vectors.
        """
        arrays = read_arrays(path)
        if (str(arrays.get("source")), str(arrays.get("revision"))) != (source, str(REVISION)):
            raise ProvenanceError(f"{path} belongs to other vectors or to another version")
        if fault := _fault(arrays, vectors):
            raise ProvenanceError(f"{path} is damaged ({fault})")
        sizes, rows, codes = arrays["sizes"], arrays["rows"].astype(np.int64), arrays["codes"]
        index = _empty_index(arrays["centroids"])
        found = cls(index, arrays["centroids"], arrays["rotation"], source)
        first_row, first_code = np.cumsum(sizes) - sizes, np.cumsum(_code_bytes(index, sizes))
        for number in np.flatnonzero(sizes).tolist():
            size, end = int(sizes[number]), int(first_code[number])
            width = int(_code_bytes(index, sizes[number]))
            found._inverted.resize(number, size)
            for place, array in (
                (found._inverted.get_ids(number), rows[first_row[number] : first_row[number] + size]),
                (found._inverted.get_codes(number), codes[end - width : end]),
            ):
                faiss.memcpy(place, faiss.swig_ptr(array), array.nbytes)
        index.ntotal = len(vectors)
        found._require_codes(path, vectors)
        return found

    def _require_codes(self, path: Path, vectors: Vectors) -> None:
        """Encode the longest list anew and compare: the installed FAISS must mean the same by these bytes."""
        longest = int(np.argmax(self.sizes))
        codes, rows = self._list(longest)
        plain = _quantized(faiss.IndexIVFRaBitQ, self.centroids)
        _add(plain, vectors[rows] @ self.rotation, rows, np.full(len(rows), longest))
        anew, _ = InvertedLists(_fast(plain), self.centroids, self.rotation, self.source)._list(longest)
        if np.mean(codes == anew) < _AGREEING:
            raise ProvenanceError(f"{path} is damaged, or was made with a version of FAISS that writes other codes")


def scaled_probes(probes: int, rows: int, allowed: int) -> int:
    """How many lists hold as many allowed rows as ``probes`` hold rows."""
    return -(-probes * rows // max(1, allowed))


def slack_for(slack: float, rows: int, allowed: int) -> float:
    """The slack where so many rows are allowed: none where most are passed over, and near lists bring too few."""
    return slack if 2 * allowed >= rows else 0.0


def _fault(arrays: dict[str, npt.NDArray[Any]], vectors: Vectors) -> str:
    """What is wrong with arrays that a file holds; nothing where FAISS can be given them."""
    n, dim = vectors.shape
    names = {"centroids": np.float32, "rotation": np.float32, "sizes": np.int64, "rows": np.int32, "codes": np.uint8}
    if wrong := [name for name, kind in names.items() if name not in arrays or arrays[name].dtype != kind]:
        return f"{wrong[0]} is missing or of another type"
    centroids, rotation, sizes, rows, codes = (arrays[name] for name in names)
    lists, width = len(centroids), _width(dim)
    shapes = [centroids.shape == (lists, width), rotation.shape == (dim, width), sizes.shape == (lists,)]
    if not n or not lists or not all(shapes) or rows.shape != (n,):
        return "arrays of other shapes than the vectors have"
    if not (np.isfinite(centroids).all() and np.isfinite(rotation).all()):
        return "numbers that are not finite"
    whole = (sizes >= 0).all() and (sizes <= n).all() and sizes.sum() == n
    if not whole or codes.shape != (_code_bytes(_empty_index(centroids), sizes).sum(),):
        return "lists that do not hold every row"
    if rows.min() < 0 or rows.max() >= n or np.bincount(rows).max() != 1:
        return "rows that are in no list, or in two"
    return ""


def _width(dim: int) -> int:
    """Dimensions of rotated vectors, whose bits fill whole bytes."""
    return -(-dim // 8) * 8


def _quantized(kind: Any, centroids: Vectors, *arguments: Any) -> Any:
    """One of FAISS's indexes with these centroids and no rows."""
    lists, width = centroids.shape
    quantizer = faiss.IndexFlatL2(width)
    quantizer.add(np.ascontiguousarray(centroids))
    index = kind(quantizer, width, lists, faiss.METRIC_L2, *arguments)
    index.is_trained = True
    index.referenced_objects = [quantizer]  # which FAISS does not keep alive
    return index


def _empty_index(centroids: Vectors) -> Any:
    return _quantized(faiss.IndexIVFRaBitQFastScan, centroids, _FAST_BLOCK, True)


def _fast(plain: Any) -> Any:
    """The fast-scan form of an `IndexIVFRaBitQ`; given vectors and their lists itself, that form keeps wrong codes."""
    index: Any = faiss.IndexIVFRaBitQFastScan(plain, _FAST_BLOCK)
    index.referenced_objects = [plain]
    return index


def _code_bytes(index: Any, sizes: Any) -> Any:
    """Bytes of the codes of a list of that size, or of each of several: whole blocks."""
    return -(-sizes // _FAST_BLOCK) * int(index.get_block_stride())


def _add(index: Any, turned: Vectors, rows: Rows, lists: Rows) -> None:
    """Add rotated vectors to lists that are known."""
    given = [np.ascontiguousarray(each) for each in (turned, rows, lists)]
    with one_thread():
        index.add_core(len(turned), *map(faiss.swig_ptr, given), None)


def usual_lists(count: int) -> int:
    """How many lists so many rows are spread over."""
    return max(1, min(int(_LISTS_PER_ROOT * count**0.5), count // 4))


def usual_efforts(lists: int) -> tuple[Effort, ...]:
    """How far searches go where nothing was measured: as far as mixtures of nine works take in large collections."""
    shares = ((10, 12, 500), (100, 6, 2_000), (1_000, 3, 8_000))
    return tuple(Effort(k, min(lists, 8 + lists // share), candidates, 2.0) for k, share, candidates in shares)


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
    plain, step = _quantized(faiss.IndexIVFRaBitQ, centroids), "Sorting vectors into lists"
    for start in range(0, len(vectors), _BLOCK):
        progress(step, start, len(vectors))
        turned = vectors[start : start + _BLOCK] @ rotation
        nearest = _staged(folder / f"{start:010d}.npy", partial(_nearest, turned, centroids))
        _add(plain, turned, np.arange(start, start + len(turned)), nearest)
    progress(step, len(vectors), len(vectors))
    return InvertedLists(_fast(plain), centroids, rotation, source)


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
    """k-means of a sample by Lloyd's algorithm from random rows, shortened; float32 (count, width)."""
    from scipy.sparse import csr_array  # which only building needs

    rng = np.random.default_rng(count)
    chosen = np.sort(rng.permutation(len(vectors))[: _SAMPLED * count])
    sample = np.concatenate([vectors[some] @ rotation for some in np.array_split(chosen, -(-len(chosen) // _BLOCK))])
    centroids = sample[np.sort(rng.permutation(len(sample))[:count])]
    for number in range(_ROUNDS):
        progress("Finding centroids", number, _ROUNDS)
        nearest = _nearest(sample, centroids)
        each, places = np.ones(len(sample), np.float32), np.arange(len(sample) + 1)
        members = csr_array((each, nearest, places), (len(sample), count))
        sizes = np.bincount(nearest, minlength=count)
        centroids = (members.T @ sample) / np.maximum(sizes, 1)[:, None].astype(np.float32)
        empty = np.flatnonzero(sizes == 0)
        centroids[empty] = sample[rng.choice(len(sample), len(empty), replace=False)]
    progress("Finding centroids", _ROUNDS, _ROUNDS)
    return np.ascontiguousarray(centroids * _SHORTENED)


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
