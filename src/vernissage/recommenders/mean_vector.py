"""`mean-vector`: one query for all uploads, the baseline that a fusion must beat."""

import numpy as np

from vernissage.recommenders.fused import Fused
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.voices import Voices
from vernissage.values import Scores


def mean_vector(voices: Voices, pool: Pool) -> Fused:
    """The weighted mean of a work's cosines to all uploads, which is its inner product with their mean vector."""
    shares = voices.weights / voices.weights.sum()
    query = np.einsum("m,md->d", shares, voices.vectors.astype(np.float64)).astype(np.float32)
    _, cosines = next(pool.blocks(query[None, :]))

    def parts(places: Places) -> Scores:
        shared: Scores = pool.precise(voices.vectors, places) * shares
        return shared

    # One error for the products, one for rounding the query.
    return Fused(cosines[0].astype(np.float64), parts, 2 * pool.error)
