"""How many topics a collection has, by the coherence of their words."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vernissage.encoders.fitted.coherence import topic_coherence
from vernissage.encoders.fitted.topic_fit import MIXTURE_PRIOR, fit_topics
from vernissage.encoders.fitted.topic_mixtures import Matrix, topic_mixtures
from vernissage.encoders.fitted.topics import WORDS_SHOWN, most_relevant, word_probabilities
from vernissage.progress import Progress

FITS = 3
"""Each number is fitted so often, from different starts: one fit is a throw of dice."""


def compare_numbers(
    counts: sparse.csr_matrix, numbers: Sequence[int], seed: int, progress: Progress
) -> dict[int, list[float]]:
    """For every number of topics the mean coherence of each of its `FITS` fits."""
    step, total = "comparing numbers of topics", len(numbers) * FITS
    scores: dict[int, list[float]] = {}
    for done, number in enumerate(numbers):
        progress(step, done * FITS, total)
        scores[number] = [fit[0] for fit in fits(counts, number, seed)]
    progress(step, total, total)
    return scores


def choose_number(scores: Mapping[int, Sequence[float]]) -> int:
    """The largest number of topics whose mean score is within one `standard_error` of the best mean.

    Coherence wavers with the start, and stays level over many numbers before it falls; on that level, more topics
    tell more works apart. (On two museums' texts the share of neighbours of the same department or subject rose by a
    quarter to a third from 4 topics to 16, while coherence did not tell these numbers apart.)
    """
    means = {number: float(np.mean(values)) for number, values in scores.items()}
    least = max(means.values()) - standard_error(scores)
    return max(number for number, mean in means.items() if mean >= least)


def standard_error(scores: Mapping[int, Sequence[float]]) -> float:
    """Of one number's mean over its fits, from the variance within numbers, pooled over all; 0 for single fits."""
    table = np.array(list(scores.values()), dtype=np.float64)
    fitted = table.shape[1]
    return float(np.sqrt(table.var(axis=1, ddof=1).mean() / fitted)) if fitted > 1 else 0.0


def best_fit(counts: sparse.csr_matrix, number: int, seed: int) -> tuple[Matrix, npt.NDArray[np.float64]]:
    """Of `FITS` fits the most coherent: its pseudo-counts (topics, words), and each topic's share of the texts."""
    _, topic_words, shares = max(fits(counts, number, seed), key=lambda fit: fit[0])
    return topic_words, shares


def fits(counts: sparse.csr_matrix, number: int, seed: int) -> list[tuple[float, Matrix, npt.NDArray[np.float64]]]:
    """`FITS` times a mean coherence, pseudo-counts (topics, words), and each topic's share of the texts."""
    return [_fit(counts, number, seed * FITS + start) for start in range(FITS)]


def _fit(counts: sparse.csr_matrix, number: int, seed: int) -> tuple[float, Matrix, npt.NDArray[np.float64]]:
    topic_words = fit_topics(counts, number, seed)
    shares = topic_mixtures(counts, topic_words, MIXTURE_PRIOR).mean(axis=0)
    words = most_relevant(word_probabilities(topic_words), shares, WORDS_SHOWN)
    return float(topic_coherence(counts, words).mean()), topic_words, shares
