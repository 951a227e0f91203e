"""The rule ``coherence``: areas whose works agree with each other clearly more than with the rest of the profile."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from vernissage.errors import RequestError
from vernissage.profiles.directions import unit
from vernissage.profiles.reduction import Projection
from vernissage.profiles.ward import ward_merges
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_NO_DIRECTION = 1e-6  # shorter than this, a difference of unit vectors in float32 is rounding


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

    def labels(
        self,
        vectors: npt.NDArray[np.floating],
        projection: Projection,
        *,
        background: Floats | None,
        seed: int,
        progress: Progress,
    ) -> Rows:
        if background is None:
            raise RequestError(
                "the rule coherence needs the mean of the search space's unit vectors; give the background, or choose "
                "the rule ward, silhouette or hdbscan"
            )
        if not projection.keeps_distances:
            raise RequestError(
                "the rule coherence cuts at a fixed distance, and t-SNE keeps no distances; choose the projection none "
                "or pca, or the rule silhouette or hdbscan"
            )
        particular = particular_directions(vectors, background)
        seen = projection.apply(particular, seed=seed, progress=progress)
        clusters = ward_merges(seen, below=self.cut, progress=progress).below(self.cut)
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
