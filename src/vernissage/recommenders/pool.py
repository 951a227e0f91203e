"""The works that may come back to a person, and how similar they are to what was uploaded."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.rankings import best_rows
from vernissage.recommenders.area_seeds import others_works
from vernissage.search.live import LiveIndex
from vernissage.search.scan import float32_error
from vernissage.values import Modality, Ranking, Scores, Vectors

Places = npt.NDArray[np.int64]
"""int64 of shape (p,): places of works in a pool, from 0."""

_ROWS_AT_ONCE = 4_096
_NUMBERS_AT_ONCE = 1 << 24
"""Similarities that are held at the same time: 64 MiB of float32."""
_PRECISE_AT_ONCE = 1_024


class Pool:
    """Works of one modality that are not the person's own: what a fused list is chosen from.

    Everything about it is in order of place, from 0 to ``len(pool) - 1``.
    """

    def __init__(self, index: LiveIndex, profile: UploadProfile, *, among: Collection[str] | None = None) -> None:
        """Leave the person's works out of ``index``, and if ``among`` is given, all works but those."""
        self.index = index
        self._filter = others_works(profile, among)
        self._rows = np.flatnonzero(~index.barred(**self._filter))

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def alphabetical(self) -> npt.NDArray[np.int64]:
        """What decides between equal scores: int64 (n,)."""
        return self.index.alphabetical[self._rows]

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The place of each work by id."""
        ids = self.index.ids
        return {ids[row]: place for place, row in enumerate(self._rows.tolist())}

    @cached_property
    def error(self) -> float:
        """How far off a similarity of `blocks` can be for an upload of unit length."""
        return float32_error(self.index.vectors)

    def ids(self, places: Places) -> tuple[str, ...]:
        """The works at ``places``."""
        ids = self.index.ids
        return tuple(ids[row] for row in self._rows[places].tolist())

    def ranking(self, scores: Scores, n: int) -> Ranking:
        """The ``n`` works with the highest ``scores`` (n of the pool,); ties by id."""
        order = best_rows(scores, n, self.alphabetical)
        return Ranking(self.ids(order), scores[order])

    def vectors(self, places: Places) -> Vectors:
        """Their unit vectors, float32 (p, dim)."""
        vectors: Vectors = self.index.vectors[self._rows[places]]
        return vectors

    def search(self, queries: npt.NDArray[np.floating], k: int) -> list[Places]:
        """The places of the ``k`` works nearest to each of ``queries`` (m, dim), best first, as `LiveIndex.search`."""
        found = self.index.search_batch(queries, k, **self._filter)
        return [np.array([self.place_of[name] for name in each.item_ids], dtype=np.int64) for each in found]

    def blocks(self, vectors: Vectors) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
        """The cosines of ``vectors`` (m, dim) to every work, float32 (b, n) for some rows at a time, which are named.

        64 MiB are held at once, however many uploads there are, and each part is written over the one before it. One
        thread, so that equal input gives equal bytes.
        """
        step = max(1, min(len(vectors), _NUMBERS_AT_ONCE // max(1, len(self))))
        room = np.empty((step, len(self)), dtype=np.float32)
        for start in range(0, len(vectors), step):
            rows = slice(start, min(start + step, len(vectors)))
            cosines = room[: rows.stop - start]
            self._fill(cosines, vectors[rows])
            yield rows, cosines

    def precise(self, vectors: Vectors, places: Places) -> Scores:
        """Cosines of the works at ``places`` to ``vectors`` (m, dim) in double precision, float64 (p, m).

        Each is summed by itself, so that works with equal vectors have equal cosines, wherever they stand.
        """
        cosines = np.empty((len(places), len(vectors)))
        for first in range(0, len(places), _PRECISE_AT_ONCE):
            works = self.vectors(places[first : first + _PRECISE_AT_ONCE]).astype(np.float64)
            for start in range(0, len(vectors), _PRECISE_AT_ONCE):
                some = vectors[start : start + _PRECISE_AT_ONCE].astype(np.float64)
                products = np.einsum("pd,md->pm", works, some)
                cosines[first : first + len(works), start : start + len(some)] = products
        return cosines

    def _fill(self, cosines: npt.NDArray[np.float32], vectors: Vectors) -> None:
        with _threadpools().limit(limits=1, user_api="blas"):
            for start in range(0, len(self), _ROWS_AT_ONCE):
                rows = self._rows[start : start + _ROWS_AT_ONCE]
                cosines[:, start : start + len(rows)] = self._block_cosines(vectors, rows)

    def _block_cosines(self, vectors: Vectors, rows: Places) -> npt.NDArray[np.float32]:
        """Where most rows of a stretch are in the pool, all are multiplied, which is cheaper than copying those."""
        stretch = int(rows[-1]) - int(rows[0]) + 1
        if stretch > 2 * len(rows):
            return vectors @ self.index.vectors[rows].T
        products: npt.NDArray[np.float32] = vectors @ self.index.vectors[rows[0] : rows[-1] + 1].T
        return products if stretch == len(rows) else products[:, rows - rows[0]]


def chosen_from(
    indexes: Mapping[Modality, LiveIndex],
    profile: UploadProfile,
    target: Modality,
    n: int,
    among: Collection[str] | None,
) -> Pool:
    """The works of modality ``target`` that may come back, after checking the request for ``n`` of them.

    Raises:
        RequestError: n is below 1, or there is no index of that modality.
    """
    if n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
    if target not in indexes:
        raise RequestError(
            f"there is no index of modality {target}, only of {', '.join(indexes) or 'none'}; "
            f"ask for one that is there or encode the works' {target}s first"
        )
    return Pool(indexes[target], profile, among=among)


@cache
def _threadpools() -> ThreadpoolController:
    """Looked up once: finding the libraries that are loaded takes longer than a small matrix product."""
    return ThreadpoolController()
