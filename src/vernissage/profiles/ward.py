"""Ward's clustering, exact, in memory that grows with the number of vectors instead of its square."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.progress import Progress, silent

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_CANDIDATES = 16  # nearest clusters that each one remembers
_BLOCK = 256  # clusters that are compared with all others at once
_PAIRS = 8192  # pairs whose difference is held at once
_CROWDED = 4 * _CANDIDATES  # so many equally near, for each cluster, are too many to sort
_FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Merges:
    """Which clusters Ward's method joins, and at what height: as many as it takes, in no order of heights.

    ``left`` and ``right`` (int64) are rows, one standing for each of the two clusters; ``heights`` (float64) is
    √(2ab/(a+b))·‖centroid − centroid‖ for clusters of a and b rows, as SciPy and scikit-learn count it.
    """

    count: int
    left: Rows
    right: Rows
    heights: Floats

    def below(self, threshold: float) -> Rows:
        """Labels (n,) of the clusters after every merge lower than ``threshold``, as scikit-learn cuts."""
        return self._after(self.heights < threshold)

    def into(self, clusters: int) -> Rows:
        """Labels (n,) of that many clusters: all merges but the highest ones."""
        order = np.argsort(self.heights, kind="stable")
        return self._after(order[: max(self.count - clusters, 0)])

    def _after(self, chosen: Mask | Rows) -> Rows:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        left, right = self.left[chosen], self.right[chosen]
        graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(self.count, self.count))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def ward_merges(vectors: npt.NDArray[np.floating], *, below: float = np.inf, progress: Progress = silent) -> Merges:
    """Join clusters of ``vectors`` (n, dim) by Ward's method (doi 10.1080/01621459.1963.10500845) up to a height.

    Ward's height is *reducible*: joining two clusters brings neither nearer to a third. So pairs that are each other's
    nearest may be joined all at once, in any order, and the tree is the one of the textbook's one-by-one method
    (Bruynooghe 1977; Murtagh 1983, doi 10.1093/comjnl/26.4.354). Heights need centroids and sizes alone, so nothing of
    size n² is ever held: O(n·dim) memory, and one pass over all pairs for most of the time. Double precision
    throughout. Rows that are identical are joined first; which of several equal heights comes
    first depends on the order of rows.

    ``below`` leaves out merges of that height and more.
    """
    first, copies = _distinct(vectors)
    clusters = _Clusters(np.asarray(vectors, dtype=np.float64), first, copies, below)
    repeated = np.flatnonzero(first != np.arange(len(vectors)))
    left, right, heights = [first[repeated]], [repeated], [np.zeros(len(repeated))]
    whole = len(clusters)
    while len(pairs := clusters.mutual_pairs()):
        left.append(clusters.rows[pairs])
        right.append(clusters.rows[clusters.nearest[pairs]])
        heights.append(np.sqrt(clusters.heights[pairs]) * clusters.scale)
        clusters.join(pairs)
        progress("Grouping uploads", whole - len(clusters), whole)
    progress("Grouping uploads", whole, whole)
    return Merges(len(vectors), np.concatenate(left), np.concatenate(right), np.concatenate(heights))


def _distinct(vectors: npt.NDArray[np.floating]) -> tuple[Rows, Rows]:
    """For every row the first row that is identical, and for every row how many are."""
    seen: dict[bytes, int] = {}
    first = np.array([seen.setdefault((row + 0.0).tobytes(), at) for at, row in enumerate(vectors)], dtype=np.int64)
    return first, np.bincount(first, minlength=len(first))


class _Clusters:
    """The clusters so far; in here, heights are squared, and lengths are in units of ``scale``.

    Each cluster remembers candidates, among which its nearest is found without looking at the others, and a bound that
    no other cluster is nearer than. Both outlive merges, because Ward's height is reducible: only where the best
    candidate is beyond the bound is the cluster compared with all others again.
    """

    def __init__(self, vectors: Floats, first: Rows, copies: Rows, limit: float) -> None:
        self.rows = np.unique(first)
        self.sizes = copies[self.rows].astype(np.float64)
        self.centroids = vectors[self.rows]
        self.centroids -= vectors.mean(axis=0)
        self.scale = (
            float(max(self.centroids.max(), -self.centroids.min())) or 1.0
        )  # lengths whose squares single precision can hold
        self.centroids /= self.scale
        self.candidates = np.tile(np.arange(len(self.rows))[:, None], (1, _CANDIDATES))
        self.distances = np.full(self.candidates.shape, np.inf)
        self.bounds = np.zeros(len(self.rows))
        self.limit = (limit / self.scale) ** 2
        self._find_nearest()

    def __len__(self) -> int:
        return len(self.rows)

    def mutual_pairs(self) -> Rows:
        """One cluster of each pair to join now; the partner is its nearest."""
        here = np.arange(len(self))
        mutual = (self.nearest[self.nearest] == here) & (self.nearest > here) & (self.heights < self.limit)
        if not mutual.any() and len(self) and self.heights.min() < self.limit:
            return np.array([self.heights.argmin()])  # a ring of equal heights: begin anywhere in it
        return np.flatnonzero(mutual)

    def join(self, pairs: Rows) -> None:
        """Join each of ``pairs`` with its nearest, and find the nearest of what is left."""
        gone = self.nearest[pairs]
        kept = np.ones(len(self), dtype=bool)
        kept[gone] = False
        place = np.cumsum(kept) - 1
        place[gone] = place[pairs]
        bounds = self._joined_bounds(pairs, gone)
        candidates = np.concatenate([self.candidates[pairs], self.candidates[gone]], axis=1)
        touched = np.zeros(len(self), dtype=bool)
        touched[pairs] = touched[gone] = True
        a, b = self.sizes[pairs], self.sizes[gone]
        self.centroids[pairs] *= (a / (a + b))[:, None]
        self.centroids[pairs] += (b / (a + b))[:, None] * self.centroids[gone]
        self.sizes[pairs] += b
        self._move(kept, place, touched)
        self._settle(place[pairs], place[candidates], bounds)
        self._find_nearest()

    def _joined_bounds(self, pairs: Rows, gone: Rows) -> Floats:
        """What Lance and Williams's formula makes of two bounds, for a third cluster of the least size, 1."""
        a, b, between = self.sizes[pairs], self.sizes[gone], self.heights[pairs]
        bounds: Floats = ((a + 1) * self.bounds[pairs] + (b + 1) * self.bounds[gone] - between) / (a + b + 1)
        return bounds

    def _move(self, kept: Mask, place: Rows, touched: Mask) -> None:
        """Close the gaps, and measure anew how far candidates are that have been joined."""
        changed = touched[self.candidates[kept]]
        self.candidates = place[self.candidates[kept]]
        self.distances = self.distances[kept]
        self.rows, self.sizes, self.bounds = self.rows[kept], self.sizes[kept], self.bounds[kept]
        self.centroids = self.centroids[kept]
        at, column = np.nonzero(changed)
        self.distances[at, column] = self._between(at, self.candidates[at, column])

    def _settle(self, at: Rows, candidates: Rows, bounds: Floats) -> None:
        """Give joined clusters the nearest of both parts' candidates."""
        candidates.sort(axis=1)
        distances = self._between(np.repeat(at, candidates.shape[1]), candidates.ravel()).reshape(candidates.shape)
        distances[:, 1:][candidates[:, 1:] == candidates[:, :-1]] = np.inf
        order = np.argsort(distances, axis=1, kind="stable")
        sorted_distances = np.take_along_axis(distances, order, axis=1)
        self.candidates[at] = np.take_along_axis(candidates, order, axis=1)[:, :_CANDIDATES]
        self.distances[at] = sorted_distances[:, :_CANDIDATES]
        self.bounds[at] = np.minimum(bounds, sorted_distances[:, _CANDIDATES])

    def _find_nearest(self) -> None:
        """Each cluster's nearest; among equals the least exclusive or of their places, which makes pairs mutual."""
        for precision in (np.float32, np.float64):  # the second only where rounding leaves a doubt
            unsure = (self.distances.min(axis=1) > self.bounds) & (self.bounds < self.limit)
            self._compare_with_all(np.flatnonzero(unsure), precision)
        self.heights = self.distances.min(axis=1)
        own = np.arange(len(self))
        tied = np.where(self.distances == self.heights[:, None], self.candidates ^ own[:, None], _FAR)
        self.nearest = tied.min(axis=1) ^ own

    def _compare_with_all(self, at: Rows, precision: type[np.floating]) -> None:
        """Look for the candidates of these clusters among all others."""
        if not len(at):
            return
        squares = np.einsum("ij,ij->i", self.centroids, self.centroids)
        slack = 128 * np.finfo(precision).eps * (squares + squares.max()) * self.sizes + np.finfo(precision).tiny
        others, sizes, squares = (each.astype(precision) for each in (self.centroids, self.sizes, squares))
        for start in range(0, len(at), _BLOCK):
            block = at[start : start + _BLOCK]
            heights = (-2 * others[block]) @ others.T
            heights += squares
            heights += squares[block][:, None]
            heights /= 0.5 / sizes[block][:, None] + 0.5 / sizes
            heights[np.arange(len(block)), block] = np.inf
            self._remember(block, heights, slack[block])
        if precision is np.float64:  # there is nothing more exact to ask
            self.bounds[at] = np.maximum(self.bounds[at], self.distances[at].min(axis=1))

    def _remember(self, block: Rows, heights: npt.NDArray[np.floating], slack: Floats) -> None:
        """Take the nearest as candidates; ``heights`` (block, clusters) are wrong by at most ``slack`` (block,).

        Whatever is left out is at least as far as the bound: the height of the first that is one too many, less twice
        the slack. Between those that the slack leaves equal, places decide, as in `_find_nearest`.
        """
        farthest = min(_CANDIDATES, len(self) - 1)
        limits = np.partition(heights, farthest, axis=1)[:, farthest].astype(np.float64)
        surely = heights < (limits - slack)[:, None].astype(heights.dtype)
        perhaps = heights <= (limits + slack)[:, None].astype(heights.dtype)
        if np.count_nonzero(perhaps) > _CROWDED * perhaps.size / len(self):
            self._thin(perhaps, surely, block)
        near, column = np.nonzero(perhaps)
        order = np.lexsort((np.where(surely[near, column], -1, column ^ block[near]), near))
        near, column = near[order], column[order]
        rank = np.arange(len(near)) - np.searchsorted(near, near)
        near, column, rank = (each[rank < _CANDIDATES] for each in (near, column, rank))
        self.candidates[block], self.distances[block] = block[:, None], np.inf
        self.candidates[block[near], rank] = column
        self.distances[block[near], rank] = self._between(block[near], column)
        self.bounds[block] = limits - 2 * slack

    def _thin(self, perhaps: Mask, surely: Mask, block: Rows) -> None:
        """Keep no more than can be candidates where crowds are equally near, such as copies but for rounding."""
        places = np.arange(len(self), dtype=np.int32) ^ block[:, None].astype(np.int32)
        places[surely] = -1
        places[~perhaps] = np.iinfo(np.int32).max
        last = min(_CANDIDATES, len(self)) - 1
        perhaps &= places <= np.partition(places, last, axis=1)[:, last, None]

    def _between(self, one: Rows, other: Rows) -> Floats:
        """Squared heights of pairs, the same in both directions; infinite between a cluster and itself."""
        heights = np.empty(len(one))
        for start in range(0, len(one), _PAIRS):
            a, b = one[start : start + _PAIRS], other[start : start + _PAIRS]
            apart = self.centroids[a] - self.centroids[b]
            heights[start : start + _PAIRS] = np.einsum("ij,ij->i", apart, apart)
        heights *= 2 / (1 / self.sizes[one] + 1 / self.sizes[other])
        heights[one == other] = np.inf
        return heights
