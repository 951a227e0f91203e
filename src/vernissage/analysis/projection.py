"""Many dimensions on one sheet."""

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.progress import Progress, silent

_FEWEST = 4
_FIRST_DIMENSIONS = 50  # by principal components before t-SNE, as scikit-learn advises


def project(
    vectors: npt.NDArray[np.float32], *, seed: int = 0, perplexity: float = 30, progress: Progress = silent
) -> npt.NDArray[np.float64]:
    """Place vectors (n, dim) on a plane by t-SNE so that neighbours stay neighbours: float64 (n, 2).

    van der Maaten & Hinton, JMLR 9 (2008); the maps of Yilma & Leiva, UMAP 2023, Fig. 5. Vectors of more than 50
    dimensions are first reduced to 50 by principal components. For small n the perplexity is lowered to (n − 1)/3.
    Equal vectors and seed give equal points.

    Raises:
        RequestError: there are fewer than four vectors.
    """
    from sklearn.decomposition import PCA  # a second, which whoever serves maps that are there already does not need
    from sklearn.manifold import TSNE

    if len(vectors) < _FEWEST:
        raise RequestError(f"a map needs at least {_FEWEST} works with vectors, but there are {len(vectors)}")
    progress(f"Placing {len(vectors)} works", 0, 1)
    rows = np.asarray(vectors, dtype=np.float64)
    with threadpool_limits(1):
        first = min(_FIRST_DIMENSIONS, len(rows))
        if rows.shape[1] > first:
            rows = PCA(first, svd_solver="full" if len(rows) < 500 else "randomized", random_state=seed).fit_transform(
                rows
            )
        spread = min(perplexity, (len(rows) - 1) / 3)
        model = TSNE(2, perplexity=spread, init="random" if rows.shape[1] < 2 else "pca", random_state=seed)
        points: npt.NDArray[np.float64] = model.fit_transform(rows).astype(np.float64)
    progress(f"Placing {len(vectors)} works", 1, 1)
    return points
