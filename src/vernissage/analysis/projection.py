"""Many dimensions on one sheet."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.progress import Progress, silent

FITTED = 10_000
"""Vectors that t-SNE places at most: twice as many take more than twice as long, and 40,000 half an hour."""

_FEWEST = 4
_FIRST_DIMENSIONS = 50  # by principal components before t-SNE, as scikit-learn advises
_AT_ONCE = 1_000
_APART = 0.5


def project(
    vectors: npt.NDArray[np.float32],
    ids: Sequence[str] = (),
    *,
    seed: int = 0,
    perplexity: float = 30,
    progress: Progress = silent,
) -> npt.NDArray[np.float64]:
    """Place vectors (n, dim) on a plane by t-SNE so that neighbours stay neighbours: float64 (n, 2).

    van der Maaten & Hinton, JMLR 9 (2008); the maps of Yilma & Leiva, UMAP 2023, Fig. 5. Vectors of more than 50
    dimensions are first reduced to 50 by principal components. For small n the perplexity is lowered to (n − 1)/3.
    Of more than `FITTED` vectors so many are placed in that way, chosen by digests of their ``ids`` (their numbers
    where none are given), and each other one beside the nearest of these. Equal vectors, ids and seed give equal
    points.

    Raises:
        RequestError: there are fewer than four vectors.
    """
    from sklearn.decomposition import PCA  # a second, which whoever serves maps that are there already does not need
    from sklearn.manifold import TSNE

    if len(vectors) < _FEWEST:
        raise RequestError(f"a map needs at least {_FEWEST} works with vectors, but there are {len(vectors)}")
    told = f"Placing {len(vectors)} works"
    progress(told, 0, len(vectors))
    chosen = np.arange(len(vectors))
    if len(vectors) > FITTED:
        names = ids or [str(row) for row in range(len(vectors))]
        chosen = np.sort(sorted(range(len(names)), key=lambda row: digest(names[row].encode()))[:FITTED])
    rows = np.asarray(vectors[chosen], dtype=np.float64)
    with threadpool_limits(1):
        reduced, first = None, min(_FIRST_DIMENSIONS, len(rows))
        if rows.shape[1] > first:
            solver = "full" if len(rows) < 500 else "randomized"
            reduced = PCA(first, svd_solver=solver, random_state=seed)
            rows = reduced.fit_transform(rows)
        spread, start = min(perplexity, (len(rows) - 1) / 3), "random" if rows.shape[1] < 2 else "pca"
        fitted = TSNE(2, perplexity=spread, init=start, random_state=seed).fit_transform(rows).astype(np.float64)
        points: npt.NDArray[np.float64] = _scattered(fitted, len(vectors), seed)
        for begin in range(0, len(vectors), _AT_ONCE) if len(chosen) < len(vectors) else ():
            progress(told, begin, len(vectors))
            some = np.asarray(vectors[begin : begin + _AT_ONCE], dtype=np.float64)
            some = some if reduced is None else reduced.transform(some)
            nearest = np.argmin((rows**2).sum(axis=1) - 2 * some @ rows.T, axis=1)
            points[begin : begin + _AT_ONCE] += fitted[nearest]
    points[chosen] = fitted
    progress(told, len(vectors), len(vectors))
    return points


def _scattered(points: npt.NDArray[np.float64], count: int, seed: int) -> npt.NDArray[np.float64]:
    """Steps by which so many further points stand apart: half of how far points usually are from the nearest other."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points)
    return np.random.default_rng(seed).normal(scale=_APART * float(np.median(distances[:, 1])), size=(count, 2))
