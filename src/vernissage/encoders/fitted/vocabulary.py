"""Which words a text model knows, and how often they stand in each text."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from vernissage.encoders.fitted.words import content_words


def choose_vocabulary(
    documents: Sequence[Sequence[str]], *, at_least: int, at_most: float = 1.0, size: int
) -> tuple[str, ...]:
    """The words that stand in at least ``at_least`` documents and in at most a share ``at_most`` of them.

    If there are more than ``size``, the most frequent stay (ties by spelling). Returned in alphabetical order.
    """
    counts = Counter(word for document in documents for word in set(document))
    most = at_most * len(documents)
    kept = [word for word, count in counts.items() if at_least <= count <= most]
    kept.sort(key=lambda word: (-counts[word], word))
    return tuple(sorted(kept[:size]))


def count_words(documents: Sequence[Sequence[str]], columns: Mapping[str, int]) -> sparse.csr_matrix:
    """How often each known word stands in each document: float64 (documents, words), words by ``columns``."""
    tallies = [Counter(columns[word] for word in document if word in columns) for document in documents]
    ends = np.cumsum([0, *map(len, tallies)])
    words = np.array([word for tally in tallies for word in sorted(tally)], dtype=np.int64)
    counts = np.array([tally[word] for tally in tallies for word in sorted(tally)], dtype=np.float64)
    return sparse.csr_matrix((counts, words, ends), shape=(len(documents), len(columns)))


def count_words_of_texts(texts: Sequence[str], columns: Mapping[str, int], language: str) -> sparse.csr_matrix:
    """`count_words` of the content words of ``texts``."""
    return count_words([content_words(text, language) for text in texts], columns)
