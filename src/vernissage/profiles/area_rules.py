"""Rules that decide which uploads belong together: coherence, Ward's tree cut at a distance, silhouette, HDBSCAN."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.directions import unit
from vernissage.profiles.reduction import Projection
from vernissage.profiles.ward import ward_merges
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_NO_DIRECTION = 1e-6  # shorter than this, a difference of unit vectors in float32 is rounding
_EQUAL = 1e-9  # silhouettes that differ by less are equal


@dataclass(frozen=True, eq=False)
class Given:
    """What a rule is given beside the vectors.

    Attributes:
        background: the mean of the search space's unit vectors, float64 (dim,).
        projection: through which the rule's clustering sees the vectors.
        surroundings: what is near to each vector, see `areas.surroundings_of`, float64 (n, dim).
    """

    background: Floats | None
    projection: Projection
    seed: int
    progress: Progress
    surroundings: Floats | None = None

    def projected(self, rows: Floats) -> Floats:
        """What clustering sees of ``rows`` (n, dim)."""
        return self.projection.apply(rows, seed=self.seed, progress=self.progress)


class AreaRule(Protocol):
    """What decides which vectors belong together: `Coherence`, `Ward`, `Silhouette`, `Hdbscan`."""

    @property
    def by_direction(self) -> bool:
        """Whether only directions count, so that a vector of zeros has no place among the others."""
        ...

    def labels(self, vectors: npt.NDArray[np.floating], given: Given) -> Rows:
        """A label for each of the vectors, (n, dim) with n ≥ 2 and not all the same: int64 (n,), from 0."""
        ...


@dataclass(frozen=True)
class Coherence:
    """Ward's clusters of what is particular about each upload, joined while they are one interest.

    With μ the mean of the search space's unit vectors, W = unit(unit(z) − μ): encoders put everything into a narrow
    cone, and only against what is common to all works do directions tell interests apart. Ward on W is cut at ``cut``
    (1.3·√2; √2 is the distance of unrelated unit vectors). Then the pair of clusters with the largest

        ρ_ab = s_ab / ((s_aa + s_bb)/2)
        s_ab = mean cosine between the rows of W in a and those in b
        s_aa = (Σ off-diagonal cosines in a + ``prior``·s_pool) / (n_a(n_a − 1) + ``prior``)
        s_pool = Σ off-diagonal cosines in all clusters / Σ n_a(n_a − 1)

    is joined, as long as ρ ≥ ``ratio``; all of it, s_pool too, is computed anew for the clusters there then are. Equal
    ρ: the clusters whose first rows come first.

    With the surroundings S of the uploads, W = unit(unit(unit(z) − μ) + S): two pictures of one interest may look
    different where the texts near to them agree.

    Where the formula is silent: a cluster of one has s_aa = s_pool. If all clusters are of one, s_pool has no value
    and nothing is joined (their cosines are below 1 − 1.3² = −.69 then). If (s_aa + s_bb)/2 is not positive, a and b
    are not joined: works that do not even agree among themselves are no measure for others. A row of W that would be
    unit(0), an upload in the very direction of μ, is zero and has cosine 0 with everything. A projection changes what
    Ward sees; the cosines are always those of W.
    """

    cut: float = 1.3 * math.sqrt(2)
    ratio: float = 0.5
    prior: float = 3.0
    by_direction = True

    def labels(self, vectors: npt.NDArray[np.floating], given: Given) -> Rows:
        if given.background is None:
            raise RequestError(
                "the rule coherence needs the mean of the search space's unit vectors; give the background, or choose "
                "the rule ward, silhouette or hdbscan"
            )
        if not given.projection.keeps_distances:
            raise RequestError(
                "the rule coherence cuts at a fixed distance, and t-SNE keeps no distances; choose the projection none "
                "or pca, or the rule silhouette or hdbscan"
            )
        particular = particular_directions(vectors, given.background)
        if given.surroundings is not None:
            particular = unit(particular + given.surroundings, least=_NO_DIRECTION)
        seen = given.projected(particular)
        clusters = ward_merges(seen, below=self.cut, progress=given.progress).below(self.cut)
        return clusters_joined(particular, clusters, ratio=self.ratio, prior=self.prior)


def particular_directions(vectors: npt.NDArray[np.floating], background: Floats) -> Floats:
    """W = unit(unit(z) − μ), float64 (n, dim); a zero row where unit(z) is μ."""
    directions = unit(vectors)
    directions -= background
    return unit(directions, least=_NO_DIRECTION)


def clusters_joined(directions: Floats, clusters: Rows, *, ratio: float, prior: float) -> Rows:
    """Join clusters of unit or zero rows (n, dim) as `Coherence` tells; labels in, labels out.

    Sums of rows suffice: all cosines between a and b add up to ⟨Σa, Σb⟩, all within a to |Σa|² less those of each row
    with itself.
    """
    from scipy.sparse import csr_array

    count = int(clusters.max()) + 1
    rows = np.arange(len(clusters))
    membership = csr_array((np.ones(len(rows)), (clusters, rows)), shape=(count, len(rows)))
    sums = membership @ directions
    sizes, selves = membership @ np.ones(len(rows)), membership @ np.einsum("ij,ij->i", directions, directions)
    totals = sums @ sums.T
    group = np.arange(count)  # what each of Ward's clusters belongs to now
    while (pair := _most_related(totals, sizes, selves, ratio, prior)) is not None:
        a, b = pair
        totals[a] += totals[b]
        totals[:, a] += totals[:, b]
        totals = np.delete(np.delete(totals, b, axis=0), b, axis=1)
        sizes[a], selves[a] = sizes[a] + sizes[b], selves[a] + selves[b]
        sizes, selves = np.delete(sizes, b), np.delete(selves, b)
        group[group == b] = a
        group[group > b] -= 1
    return np.asarray(group[clusters], dtype=np.int64)


def _most_related(totals: Floats, sizes: Floats, selves: Floats, ratio: float, prior: float) -> tuple[int, int] | None:
    """The pair a < b of the largest ρ, or None where no pair reaches the ratio."""
    within, pairs = totals.diagonal() - selves, sizes * (sizes - 1)
    if len(sizes) < 2 or not pairs.any():
        return None
    own = (within + prior * within.sum() / pairs.sum()) / (pairs + prior)
    between = totals / np.outer(sizes, sizes)
    scale = (own[:, None] + own) / 2
    related = np.divide(between, scale, out=np.full_like(between, -np.inf), where=scale > 0)
    related[np.tril_indices(len(sizes))] = -np.inf
    a, b = divmod(int(related.argmax()), len(sizes))
    return (a, b) if related[a, b] >= ratio else None


@dataclass(frozen=True)
class Ward:
    """Ward's clusters of the vectors as they are given, cut at a distance: D'Asaro et al. 2024, section 3.

    Merges lower than ``threshold`` are made, those of this height and more are not, as in scikit-learn's
    ``AgglomerativeClustering(distance_threshold=…)``. Heights grow with the vectors' lengths and with the number of
    uploads; the paper's 5 makes a single area of a few hundred unit vectors.

    Raises:
        RequestError: the threshold is not a positive number.
    """

    threshold: float
    by_direction = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise RequestError(f"Ward's tree cannot be cut at {self.threshold:g}; give a distance above 0, such as 5")

    def labels(self, vectors: npt.NDArray[np.floating], given: Given) -> Rows:
        seen = given.projected(vectors.astype(np.float64))
        return ward_merges(seen, below=self.threshold, progress=given.progress).below(self.threshold)


@dataclass(frozen=True)
class Silhouette:
    """Ward's clusters of unit vectors, as many as have the largest mean silhouette.

    Tried are 2 to ``most`` clusters, and fewer than there are uploads; equal silhouettes: the fewest. One area where
    none is above 0. Silhouettes (Rousseeuw 1987, doi 10.1016/0377-0427(87)90125-7) are of cosine distances between the
    unit vectors, before any projection.
    """

    most: int = 25
    by_direction = True

    def labels(self, vectors: npt.NDArray[np.floating], given: Given) -> Rows:
        directions = unit(vectors)
        merges = ward_merges(given.projected(directions), progress=given.progress)
        best, chosen = 0.0, np.zeros(len(vectors), dtype=np.int64)
        numbers = range(2, min(self.most, len(vectors) - 1) + 1)
        for number in numbers:
            labels = merges.into(number)
            score = mean_silhouette(directions, labels)
            if score > best + _EQUAL:
                best, chosen = score, labels
            given.progress("Judging numbers of areas", number, numbers[-1])
        return chosen


def mean_silhouette(directions: Floats, labels: Rows) -> float:
    """The mean silhouette by cosine distance of unit rows (n, dim) in at least two clusters.

    The mean distance of a row x to a cluster of m rows is 1 − ⟨x, Σ rows⟩/m, so no distances between rows are needed.
    """
    count = int(labels.max()) + 1
    sizes = np.bincount(labels, minlength=count).astype(np.float64)
    sums = np.stack([directions[labels == label].sum(axis=0) for label in range(count)])
    apart = 1 - directions @ sums.T / sizes
    here = np.arange(len(labels))
    own_size = sizes[labels]
    own = apart[here, labels] * own_size / np.maximum(own_size - 1, 1)
    apart[here, labels] = np.inf
    nearest = apart.min(axis=1)
    largest = np.maximum(own, nearest)
    scores = np.divide(nearest - own, largest, out=np.zeros_like(own), where=(own_size > 1) & (largest > _EQUAL))
    return float(scores.mean())


@dataclass(frozen=True)
class Hdbscan:
    """HDBSCAN (Campello et al. 2013, doi 10.1007/978-3-642-37456-2_14) over unit vectors, with a place for all.

    What HDBSCAN calls noise joins the area whose mean direction is nearest, because every upload belongs to an area;
    where everything is noise, or there are fewer uploads than ``smallest``, all are one area. HDBSCAN holds all
    pairs of distances, so above ``sample`` uploads it sees that many, drawn by the seed, and the rest count as noise.
    Equal distances, which are common in it, are decided by the order of rows.

    Raises:
        RequestError: ``smallest`` is below 2.
    """

    smallest: int = 5
    sample: int = 4_000
    by_direction = True

    def __post_init__(self) -> None:
        if self.smallest < 2:
            raise RequestError(f"the smallest area cannot be {self.smallest}; HDBSCAN needs at least 2")

    def labels(self, vectors: npt.NDArray[np.floating], given: Given) -> Rows:
        from sklearn.cluster import HDBSCAN

        directions = unit(vectors)
        labels = np.full(len(vectors), -1, dtype=np.int64)
        if len(vectors) >= self.smallest:
            seen = given.projected(directions)
            drawn = np.random.default_rng(given.seed).permutation(len(seen))[: self.sample]
            drawn.sort()
            given.progress("Looking for dense regions", 0, 1)
            labels[drawn] = HDBSCAN(self.smallest, algorithm="brute", copy=False).fit_predict(seen[drawn])
            given.progress("Looking for dense regions", 1, 1)
        return _noise_placed(directions, labels)


def _noise_placed(directions: Floats, labels: Rows) -> Rows:
    """Give rows labelled −1 the label of the nearest mean direction; 0 where there is no other label."""
    count = int(labels.max()) + 1
    if count == 0:
        return np.zeros_like(labels)
    means = unit(np.stack([directions[labels == label].mean(axis=0) for label in range(count)]))
    noise = labels < 0
    placed = labels.copy()
    placed[noise] = (directions[noise] @ means.T).argmax(axis=1)
    return placed
