"""The words of a collection's texts and what each weighs: rows of TF-IDF."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vernissage.encoders.fitted.vocabulary import choose_vocabulary, count_words
from vernissage.encoders.fitted.words import content_words
from vernissage.errors import EncoderError

_MOST_WORDS = 30_000
_LARGE_COLLECTION = 5000


@dataclass(frozen=True, eq=False)
class WeighedWords:
    """The words that a collection uses, and its texts as rows of their weights.

    Attributes:
        vocabulary: the words, in alphabetical order.
        weights: float64 (words,), the inverse document frequencies.
        rows: float32 (texts with words, words), as `weighted_rows` makes them.
    """

    vocabulary: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    rows: sparse.csr_matrix


def weigh_words(texts: Sequence[str], language: str) -> WeighedWords:
    """Weigh the content words of ``texts``; of more than 5,000 texts, the words that stand in two or more.

    A word weighs ``1 + ln((1 + N) / (1 + N_w))``, where N_w of N texts have it (Spärck Jones, J. Documentation 1972).

    Raises:
        EncoderError: fewer than two texts have content words, or of more than 5,000 no two share any.
    """
    documents = [words for words in (content_words(text, language) for text in texts) if words]
    at_least = 2 if len(documents) > _LARGE_COLLECTION else 1
    vocabulary = choose_vocabulary(documents, at_least=at_least, size=_MOST_WORDS)
    if len(documents) < 2:
        raise EncoderError(
            f"{len(documents)} of {len(texts)} texts have content words, and this needs at least 2; "
            f"add titles, descriptions or keywords to the works, or use an encoder of pictures"
        )
    if not vocabulary:
        raise EncoderError(
            f"no two of {len(texts)} texts have a word in common, so nothing tells which are alike; add "
            f"descriptions or keywords to the works, or use an encoder of pictures"
        )
    counts = count_words(documents, {word: column for column, word in enumerate(vocabulary)})
    weights = 1 + np.log((1 + len(documents)) / (1 + counts.getnnz(axis=0)))
    return WeighedWords(vocabulary, weights, weighted_rows(counts, weights))


def weighted_rows(counts: sparse.csr_matrix, weights: npt.NDArray[np.float64]) -> sparse.csr_matrix:
    """Rows ``(1 + ln n_w) · weight_w`` of unit length, float32; a row depends on its own counts alone."""
    values = (1 + np.log(counts.data)) * weights[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0]))
    unit = (values / lengths[rows]).astype(np.float32)
    return sparse.csr_matrix((unit, counts.indices, counts.indptr), shape=counts.shape)
