"""Topic coherence: do the words of a topic stand in the same documents?"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse


def npmi(first: float, second: float, both: float, documents: int) -> float:
    """Normalised pointwise mutual information of two words, from -1 (never together) over 0 to 1 (only together).

    ``ln(p12 / (p1 p2)) / -ln p12``, where p are shares of ``documents``: of those with the first word, with the
    second, and with both (Bouma, GSCL 2009). The limits are taken where the fraction is none: -1 for words that
    never meet, 1 for words that stand together in every document.
    """
    if both == 0:
        return -1.0
    if both == documents:
        return 1.0
    share = both / documents
    return float(np.log(share / (first / documents * second / documents)) / -np.log(share))


def topic_coherence(presence: sparse.csr_matrix, top_words: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.float64]:
    """The mean NPMI over all pairs of each topic's top words (Aletras & Stevenson, IWCS 2013).

    Args:
        presence: (documents, vocabulary), non-zero where a document holds a word; a document is the window.
        top_words: for each topic, columns of ``presence``.

    Returns:
        float64 (topics,), each from -1 to 1; higher reads better. -1 for a topic of fewer than two words: nobody
        can tell what it is about.
    """
    documents = presence.shape[0]
    columns = sparse.csc_matrix(presence, dtype=bool).astype(np.int64)
    return np.array([_mean_npmi(columns[:, words], documents) if len(words) > 1 else -1.0 for words in top_words])


def _mean_npmi(columns: sparse.csc_matrix, documents: int) -> float:
    together = (columns.T @ columns).toarray()
    first, second = np.triu_indices(len(together), k=1)
    pairs = zip(first, second, strict=True)
    return float(np.mean([npmi(together[i, i], together[j, j], together[i, j], documents) for i, j in pairs]))
