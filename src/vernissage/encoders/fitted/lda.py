"""Texts as mixtures of topics that a person can name: latent Dirichlet allocation, fitted on the collection."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.encoders.fitted.topic_fit import MIXTURE_PRIOR
from vernissage.encoders.fitted.topic_mixtures import topic_mixtures
from vernissage.encoders.fitted.topic_number import best_fit, choose_number, compare_numbers, standard_error
from vernissage.encoders.fitted.topics import Topic, read_topics, word_probabilities
from vernissage.encoders.fitted.vocabulary import choose_vocabulary, count_words, count_words_of_texts
from vernissage.encoders.fitted.words import content_words
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

TOPIC_RANGE = tuple(range(4, 25, 2))

_TEXTS_PER_TOPIC = 20
_MOST_WORDS = 10_000
_MOST_COMMON = 0.5
_SAMPLE_TO_COMPARE = 2000
_SAMPLE_TO_FIT = 10_000
_MOST_TEXTS_READ = 20_000


class LDA:
    """A fitted topic model; the vectors are topic mixtures of unit length (inner product = cosine).

    Blei, Ng & Jordan, JMLR 2003; the text side of Yilma & Leiva, UMAP 2023, doi 10.1145/3565472.3592964.
    """

    def __init__(
        self,
        topic_words: npt.NDArray[np.float64],
        shares: npt.NDArray[np.float64],
        vocabulary: Sequence[str],
        *,
        prior: float = MIXTURE_PRIOR,
        coherence: Mapping[int, float] = MappingProxyType({}),
        coherence_error: float = 0.0,
        language: str = "en",
    ) -> None:
        """Describe a model by its arrays; `fit_lda` makes them.

        Args:
            topic_words: float64 (topics, words), the pseudo-counts of each word in each topic, all positive.
            shares: float64 (topics,), the mean part of each topic in the texts.
            vocabulary: the words, in the order of the columns.
            prior: the Dirichlet parameter of a text's mixture.
            coherence: for every number of topics that was tried, its mean NPMI; empty if only one was.
            coherence_error: the standard error of these means.
            language: of the texts, for lemmas.
        """
        self._topic_words, self._shares, self._prior, self._language = topic_words, shares, prior, language
        self._columns = {word: column for column, word in enumerate(vocabulary)}
        self.coherence, self.coherence_error = MappingProxyType(dict(coherence)), coherence_error
        self.topics: tuple[Topic, ...] = read_topics(word_probabilities(topic_words), shares, vocabulary)
        self.state = self._as_state()
        self.fingerprint = self.state.fingerprint

    @property
    def name(self) -> str:
        return "lda"

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"text"})

    @property
    def dim(self) -> int:
        return len(self._topic_words)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """The topic mixtures of ``texts``, scaled to length 1: float32 (n, topics), zeros where no word is known."""
        return unit_rows(self.mixtures(texts))

    def mixtures(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The part of each topic in each text: float64 (n, topics), rows sum to 1, zeros where no word is known."""
        counts = count_words_of_texts(texts, self._columns, self._language)
        return topic_mixtures(counts, self._topic_words, self._prior)

    @classmethod
    def from_state(cls, state: EncoderState) -> "LDA":
        """The encoder that ``state`` describes; its vectors have the same bits as before it was saved.

        Raises:
            ProvenanceError: the state is another encoder's, or not whole.
        """
        if state.name != "lda":
            raise ProvenanceError(f"expected a model of lda, but this one is of {state.name!r}; name the right folder")
        try:
            settings, arrays = state.settings, state.arrays
            coherence = {int(number): float(value) for number, value in settings["coherence"].items()}
            return cls(
                arrays["topic_words"],
                arrays["shares"],
                settings["vocabulary"],
                prior=settings["prior"],
                coherence=coherence,
                coherence_error=settings["coherence_error"],
                language=settings["language"],
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise ProvenanceError(
                f"the saved lda model is not whole ({error}); run `vernissage build` again"
            ) from error

    def _as_state(self) -> EncoderState:
        settings = {
            "vocabulary": list(self._columns),
            "prior": self._prior,
            "coherence": {str(number): value for number, value in self.coherence.items()},
            "coherence_error": self.coherence_error,
            "language": self._language,
        }
        return EncoderState(self.name, settings, {"topic_words": self._topic_words, "shares": self._shares})


def fit_lda(
    texts: Sequence[str],
    *,
    topics: int | None = None,
    topic_range: Sequence[int] = TOPIC_RANGE,
    seed: int = 0,
    language: str = "en",
    progress: Progress = silent,
) -> LDA:
    """Fit topics to the texts of a collection; texts may be empty.

    Args:
        texts: one per work.
        topics: how many; None chooses by coherence.
        topic_range: the numbers to choose from; those with fewer than 20 texts per topic are left out, but the
            smallest stays.
        seed: equal texts and seed give the same model, bit for bit.
        language: of the texts, for lemmas.
        progress: told of every number tried.

    Raises:
        EncoderError: fewer than two texts share words with others, or there are fewer texts than topics.
    """
    counts, vocabulary = _known_words(texts, language, seed)
    numbers = [topics] if topics is not None else _candidates(topic_range, counts.shape[0])
    if not numbers or min(numbers) < 1 or max(numbers) > counts.shape[0]:
        raise EncoderError(
            f"cannot fit {', '.join(map(str, numbers)) or 'no'} topics to {counts.shape[0]} texts with known words; "
            f"give a number from 1 to {counts.shape[0]}, or none to have it chosen"
        )
    scores: dict[int, list[float]] = {}
    chosen = numbers[0]
    if len(numbers) > 1:
        scores = compare_numbers(_sample(counts, _SAMPLE_TO_COMPARE, seed), numbers, seed, progress)
        chosen = choose_number(scores)
    progress(f"fitting {chosen} topics", 0, 1)
    topic_words, shares = best_fit(_sample(counts, _SAMPLE_TO_FIT, seed), chosen, seed)
    progress(f"fitting {chosen} topics", 1, 1)
    order = np.argsort(-shares, kind="stable")
    return LDA(
        topic_words[order],
        shares[order],
        vocabulary,
        coherence={number: sum(values) / len(values) for number, values in scores.items()},
        coherence_error=standard_error(scores) if scores else 0.0,
        language=language,
    )


def _known_words(texts: Sequence[str], language: str, seed: int) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """Word counts of the texts that have any word of the vocabulary, and the vocabulary."""
    if len(texts) > _MOST_TEXTS_READ:
        texts = [texts[row] for row in _rows(len(texts), _MOST_TEXTS_READ, seed)]
    documents = [words for words in (content_words(text, language) for text in texts) if words]
    at_least = min(max(2, round(len(documents) / 250)), 10)
    at_most = _MOST_COMMON if len(documents) >= 20 else 1.0
    vocabulary = choose_vocabulary(documents, at_least=at_least, at_most=at_most, size=_MOST_WORDS)
    counts = count_words(documents, {word: column for column, word in enumerate(vocabulary)})
    known = counts[np.flatnonzero(np.diff(counts.indptr))]
    if known.shape[0] < 2:
        raise EncoderError(
            f"{known.shape[0]} of {len(texts)} texts have words that other texts use too, and topics need at least 2; "
            f"add descriptions or keywords to the works, or use an encoder of pictures"
        )
    return known, vocabulary


def _candidates(topic_range: Sequence[int], documents: int) -> list[int]:
    numbers = sorted(set(topic_range))
    return [number for number in numbers if number * _TEXTS_PER_TOPIC <= documents] or numbers[:1]


def _sample(counts: sparse.csr_matrix, size: int, seed: int) -> sparse.csr_matrix:
    return counts if counts.shape[0] <= size else counts[_rows(counts.shape[0], size, seed)]


def _rows(total: int, size: int, seed: int) -> npt.NDArray[np.intp]:
    rows: npt.NDArray[np.intp] = np.sort(np.random.default_rng(seed).choice(total, size, replace=False))
    return rows
