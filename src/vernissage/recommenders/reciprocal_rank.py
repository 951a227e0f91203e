"""`rrf`: every single upload ranks the works, and the ranks are fused."""

import numpy as np

from vernissage.errors import RequestError
from vernissage.recommenders.fused import Fused
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.voices import Voices
from vernissage.values import Scores

_QUERIES_AT_ONCE = 64
_ROUNDING = 1e-12


def rrf(voices: Voices, pool: Pool, *, k: float = 0, list_length: int = 1_000) -> Fused:
    """The sum of weight / (k + rank) over the uploads, ranks from 1 in the works nearest to each.

    Cormack, Clarke and Büttcher, SIGIR 2009, doi 10.1145/1571941.1572114. A work beyond the first ``list_length`` of
    an upload gets nothing from it; works that no list holds have 0 and come last, by id. k = 0 was measured best
    here: a work that is next to one upload outweighs one that is half near to many. Other constants are
    ``partial(rrf, k=60)``.

    Raises:
        RequestError: k is negative or not finite, or the lists are shorter than 1.
    """
    if not (np.isfinite(k) and k >= 0):
        raise RequestError(f"the constant k of reciprocal-rank fusion must be 0 or more, but is {k}")
    if list_length < 1:
        raise RequestError(f"the lists of a fusion must hold 1 work or more, but are to hold {list_length}")
    length = min(list_length, len(pool))
    scores = np.zeros(len(pool))
    lists = np.empty((len(voices), length), dtype=np.int32)
    shares = 1.0 / (k + np.arange(1, length + 1))
    for start in range(0, len(voices), _QUERIES_AT_ONCE):
        for voice, places in enumerate(pool.search(voices.vectors[start : start + _QUERIES_AT_ONCE], length), start):
            lists[voice] = places
            scores[places] += voices.weights[voice] * shares

    def parts(wanted: Places) -> Scores:
        line = np.full(len(pool), -1, dtype=np.int32)
        line[wanted] = np.arange(len(wanted))
        parts = np.zeros((len(wanted), len(voices)))
        voice, rank = np.nonzero(line[lists] >= 0)
        parts[line[lists[voice, rank]], voice] = voices.weights[voice] * shares[rank]
        return parts

    return Fused(scores, parts, _ROUNDING * float(scores.max(initial=0.0)))
