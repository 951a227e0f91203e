"""Topics as a person reads them: their number, their telling words, their share of the collection."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RELEVANCE = 0.6
"""λ of Sievert & Shirley (ILLVI 2014), who found it to make topics easiest to recognise."""

WORDS_SHOWN = 10
_WORDS_IN_NAME = 3


@dataclass(frozen=True)
class Topic:
    """One topic of a collection.

    Attributes:
        number: from 1, the largest topic first; the column of the encoder's vectors plus one.
        name: its three most relevant words.
        words: its most relevant words, best first; at most ten, and none that is rarer here than elsewhere.
        weights: the probability of each of ``words`` in the topic.
        share: the mean part of the topic in the collection's texts, from 0 to 1; all topics sum to 1.
    """

    number: int
    name: str
    words: tuple[str, ...]
    weights: tuple[float, ...]
    share: float


def read_topics(
    probabilities: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], vocabulary: Sequence[str]
) -> tuple[Topic, ...]:
    """Describe the rows of ``probabilities`` (topics, words) by their most relevant words."""
    topics = []
    for row, columns in enumerate(most_relevant(probabilities, shares, WORDS_SHOWN)):
        words = tuple(vocabulary[column] for column in columns)
        weights = tuple(float(probabilities[row, column]) for column in columns)
        topics.append(Topic(row + 1, " · ".join(words[:_WORDS_IN_NAME]), words, weights, float(shares[row])))
    return tuple(topics)


def most_relevant(
    probabilities: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], count: int
) -> list[npt.NDArray[np.intp]]:
    """The columns of each topic's most relevant words, best first; at most ``count``.

    Relevance is ``λ ln p(w|t) + (1 - λ) ln(p(w|t) / p(w))`` with p(w) = Σ_t share_t p(w|t): words that are
    frequent in the topic, and more so than elsewhere. Words with p(w|t) < p(w) are left out. Ties by column.
    """
    lift = np.log(probabilities) - np.log(shares @ probabilities)
    relevance = RELEVANCE * np.log(probabilities) + (1 - RELEVANCE) * lift
    best = np.argsort(-relevance, axis=1, kind="stable")
    return [columns[lift[row, columns] >= 0][:count] for row, columns in enumerate(best)]


def word_probabilities(topic_words: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The mean probability of each word in each topic: pseudo-counts (topics, words), rows scaled to sum to 1."""
    probabilities: npt.NDArray[np.float64] = topic_words / topic_words.sum(axis=1, keepdims=True)
    return probabilities
