"""Texts as mixtures of topics that a person can name: latent Dirichlet allocation, fitted on the collection.

Fitted by variational EM from clusters of the texts; the number of topics is chosen by the coherence of their words.
"""

import copy
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import psi
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, Material, unit_rows
from vernissage.encoders.fitted.k_means import k_means
from vernissage.encoders.fitted.lsa import singular_vectors
from vernissage.encoders.fitted.words import (
    WordEncoder,
    choose_vocabulary,
    columns_of,
    content_words,
    count_words,
    document_weights,
    fitted_language,
    weighted_rows,
)
from vernissage.errors import EncoderError
from vernissage.folding import folded
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

Matrix = npt.NDArray[np.float64]

_Fit = tuple[float, Matrix, Matrix]
"""Mean coherence of the topics, pseudo-counts (topics, words), and each topic's share of the texts."""

TOPIC_RANGE = tuple(range(4, 25, 2))

_TEXTS_PER_TOPIC = 20  # numbers of topics with fewer texts each are not offered
_MOST_WORDS = 10_000
_MOST_COMMON = 0.5  # words in more than half of the texts tell no topics apart
_SAMPLE_TO_COMPARE = 2000
_SAMPLE_TO_FIT = 10_000
_MOST_TEXTS_READ = 20_000

RELEVANCE = 0.6
"""λ of Sievert & Shirley (ILLVI 2014), who found it to make topics easiest to recognise."""

WORDS_SHOWN = 10
_WORDS_IN_NAME = 3

FITS = 3
"""Each number is fitted so often, from different starts: one fit is a throw of dice."""

MIXTURE_PRIOR = 0.1
WORD_PRIOR = 0.1
_ROUNDS = 25
_ROUNDS_PER_TEXT = 2
_START_DIMENSIONS = 50
_START_SMOOTHING = 0.2
_BLOCK = 2048
_TOLERANCE = 1e-5
_MOST_ROUNDS = 1000
_LEAST = 1e-100  # keeps logarithms and quotients finite where a word has no topic


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


class LDA(WordEncoder):
    """A fitted topic model; the vectors are topic mixtures of unit length (inner product = cosine).

    Blei, Ng & Jordan, JMLR 2003; the text side of Yilma & Leiva, UMAP 2023, doi 10.1145/3565472.3592964. Arrays:
    ``topic_words`` float64 (topics, words), the pseudo-counts of each word in each topic, all positive; ``shares``
    float64 (topics,), the mean part of each topic in the texts.

    Attributes:
        coherence: the mean NPMI of every number of topics that was tried.
        coherence_error: the standard error of these means.
        topics: the largest first.
    """

    name = "lda"

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._topic_words, self._prior = state.arrays["topic_words"], state.settings["prior"]
        found = {int(number): float(value) for number, value in state.settings["coherence"].items()}
        self.coherence: Mapping[int, float] = MappingProxyType(found)
        self.coherence_error: float = state.settings["coherence_error"]
        self.topics = _read_topics(_word_probabilities(self._topic_words), state.arrays["shares"], self.vocabulary)

    @property
    def dim(self) -> int:
        return len(self._topic_words)

    @property
    def chance(self) -> str:
        """A note where the words of the topics stand together no more often than by chance; else empty."""
        if (coherence := self.coherence.get(self.dim, 1.0)) > 0:
            return ""
        return (
            f"the words of the topics stand together no more often than by chance (NPMI {coherence:.3f}): they say "
            f"little of the works; longer descriptions or fewer topics may"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(filter(None, (*super().notes, self.chance)))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """The topic mixtures of ``texts``, scaled to length 1: float32 (n, topics), zeros where no word is known."""
        return unit_rows(self.mixtures(texts))

    def mixtures(self, texts: Sequence[str]) -> Matrix:
        """The part of each topic in each text: float64 (n, topics), rows sum to 1, zeros where no word is known."""
        return topic_mixtures(self._counts(texts), self._topic_words, self._prior)


def fit(material: Material) -> LDA:
    """Fit on the texts of a collection."""
    return fit_lda(
        material.texts(),
        artists=material.artists(),
        topics=material.topics,
        seed=material.seed,
        languages=material.languages,
        progress=material.progress,
    )


def fit_lda(
    texts: Sequence[str],
    *,
    artists: Sequence[str] = (),
    topics: int | None = None,
    topic_range: Sequence[int] = TOPIC_RANGE,
    seed: int = 0,
    languages: Sequence[str] = (),
    progress: Progress = silent,
) -> LDA:
    """Fit topics to the texts of a collection; texts may be empty.

    Args:
        texts: one per work.
        artists: of each work, whose names make no topics: their words do not count in the texts of their own works.
        topics: how many; None chooses by coherence.
        topic_range: to choose from; numbers with fewer than 20 texts per topic are left out, but the smallest stays.
        seed: equal texts and seed give the same model, bit for bit.
        languages: of the texts; none has them found.
        progress: told of every number tried.

    Raises:
        EncoderError: fewer than two texts share words with others, or there are fewer texts than topics.
    """
    language = fitted_language(texts, languages)
    counts, vocabulary = _known_words(texts, artists or [""] * len(texts), language, seed)
    offered = sorted(set(topic_range))
    enough = [number for number in offered if number * _TEXTS_PER_TOPIC <= counts.shape[0]]
    numbers = [topics] if topics is not None else enough or offered[:1]
    if not numbers or min(numbers) < 1 or max(numbers) > counts.shape[0]:
        raise EncoderError(
            f"cannot fit {', '.join(map(str, numbers)) or 'no'} topics to {counts.shape[0]} texts with known words; "
            f"give a number from 1 to {counts.shape[0]}, or none to have it chosen"
        )
    compared: dict[int, list[_Fit]] = {}
    chosen, scores = numbers[0], dict[int, list[float]]()
    if len(numbers) > 1:
        compared = _compare_numbers(_sample(counts, _SAMPLE_TO_COMPARE, seed), numbers, seed, progress)
        scores = {number: [fit[0] for fit in fits] for number, fits in compared.items()}
        chosen = choose_number(scores)
    progress(f"fitting {chosen} topics", 0, 1)
    done = compared.get(chosen, []) if counts.shape[0] <= _SAMPLE_TO_COMPARE else []  # of the very same texts
    fits = done or _fits(_sample(counts, _SAMPLE_TO_FIT, seed), chosen, seed)
    _, topic_words, shares = max(fits, key=lambda fit: fit[0])
    progress(f"fitting {chosen} topics", 1, 1)
    scores = scores or {chosen: [fit[0] for fit in fits]}
    order = np.argsort(-shares, kind="stable")
    return LDA.of_words(
        vocabulary,
        {"topic_words": topic_words[order], "shares": shares[order]},
        language,
        prior=MIXTURE_PRIOR,
        coherence={str(number): sum(values) / len(values) for number, values in scores.items()},
        coherence_error=standard_error(scores),
    )


def _known_words(
    texts: Sequence[str], artists: Sequence[str], language: str, seed: int
) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """Word counts of the texts that have any word of the vocabulary, and the vocabulary."""
    if len(texts) > _MOST_TEXTS_READ:
        rows = _rows(len(texts), _MOST_TEXTS_READ, seed).tolist()
        texts, artists = [texts[row] for row in rows], [artists[row] for row in rows]
    read = (_without_names(content_words(text, language), artist) for text, artist in zip(texts, artists, strict=True))
    documents = [words for words in read if words]
    at_least = min(max(2, round(len(documents) / 250)), 10)
    at_most = _MOST_COMMON if len(documents) >= 20 else 1.0
    vocabulary = choose_vocabulary(documents, at_least=at_least, at_most=at_most, size=_MOST_WORDS)
    counts = count_words(documents, columns_of(vocabulary))
    known = counts[np.flatnonzero(np.diff(counts.indptr))]
    if known.shape[0] < 2:
        raise EncoderError(
            f"{known.shape[0]} of {len(texts)} texts have words that other texts use too, and topics need at least 2; "
            f"add descriptions or keywords to the works, or use an encoder of pictures"
        )
    return known, vocabulary


def _without_names(words: Sequence[str], artist: str) -> list[str]:
    """The words of a text that do not stand in the name of its artist, as written and as a lemma."""
    name = frozenset(re.findall(r"\w+", folded(artist)))
    return [word for word in words if folded(word) not in name] if name else list(words)


def _sample(counts: sparse.csr_matrix, size: int, seed: int) -> sparse.csr_matrix:
    return counts if counts.shape[0] <= size else counts[_rows(counts.shape[0], size, seed)]


def _rows(total: int, size: int, seed: int) -> npt.NDArray[np.intp]:
    return np.sort(np.random.default_rng(seed).choice(total, size, replace=False))


def _read_topics(probabilities: Matrix, shares: Matrix, vocabulary: Sequence[str]) -> tuple[Topic, ...]:
    """Describe the rows of ``probabilities`` (topics, words) by their most relevant words."""
    topics = []
    for row, columns in enumerate(_most_relevant(probabilities, shares)):
        words = tuple(vocabulary[column] for column in columns)
        weights = tuple(float(probabilities[row, column]) for column in columns)
        topics.append(Topic(row + 1, " · ".join(words[:_WORDS_IN_NAME]), words, weights, float(shares[row])))
    return tuple(topics)


def _most_relevant(probabilities: Matrix, shares: Matrix) -> list[npt.NDArray[np.intp]]:
    """The columns of each topic's most relevant words, best first; at most `WORDS_SHOWN`.

    Relevance is ``λ ln p(w|t) + (1 - λ) ln(p(w|t) / p(w))`` with p(w) = Σ_t share_t p(w|t): words that are
    frequent in the topic, and more so than elsewhere. Words with p(w|t) < p(w) are left out. Ties by column.
    """
    lift = np.log(probabilities) - np.log(shares @ probabilities)
    relevance = RELEVANCE * np.log(probabilities) + (1 - RELEVANCE) * lift
    best = np.argsort(-relevance, axis=1, kind="stable")
    return [columns[lift[row, columns] >= 0][:WORDS_SHOWN] for row, columns in enumerate(best)]


def _word_probabilities(topic_words: Matrix) -> Matrix:
    """The mean probability of each word in each topic: pseudo-counts (topics, words), rows scaled to sum to 1."""
    probabilities: Matrix = topic_words / topic_words.sum(axis=1, keepdims=True)
    return probabilities


def _compare_numbers(
    counts: sparse.csr_matrix, numbers: Sequence[int], seed: int, progress: Progress
) -> dict[int, list[_Fit]]:
    """The fits of every number of topics."""
    step, total = "comparing numbers of topics", len(numbers) * FITS
    found: dict[int, list[_Fit]] = {}
    for done, number in enumerate(numbers):
        progress(step, done * FITS, total)
        found[number] = _fits(counts, number, seed)
    progress(step, total, total)
    return found


def choose_number(scores: Mapping[int, Sequence[float]]) -> int:
    """The largest number of topics whose mean score is within one `standard_error` of the best mean.

    Coherence wavers with the start, and stays level over many numbers before it falls; on that level, more topics
    tell more works apart (docs/evaluation.md).
    """
    means = {number: float(np.mean(values)) for number, values in scores.items()}
    least = max(means.values()) - standard_error(scores)
    return max(number for number, mean in means.items() if mean >= least)


def standard_error(scores: Mapping[int, Sequence[float]]) -> float:
    """Of one number's mean over its fits, from the variance within numbers, pooled over all; 0 for single fits."""
    table = np.array(list(scores.values()), dtype=np.float64)
    fitted = table.shape[1]
    return float(np.sqrt(table.var(axis=1, ddof=1).mean() / fitted)) if fitted > 1 else 0.0


def _fits(counts: sparse.csr_matrix, number: int, seed: int) -> list[_Fit]:
    """The fits from `FITS` starts."""
    found = []
    for start in range(FITS):
        topic_words = _fit_topics(counts, number, seed * FITS + start)
        shares = topic_mixtures(counts, topic_words, MIXTURE_PRIOR).mean(axis=0)
        words = _most_relevant(_word_probabilities(topic_words), shares)
        found.append((float(topic_coherence(counts, words).mean()), topic_words, shares))
    return found


def _fit_topics(counts: sparse.csr_matrix, topics: int, seed: int) -> Matrix:
    """The pseudo-counts of each word in each topic, float64 (topics, words), of texts with a word each at least.

    Batch variational EM (Hoffman, Blei & Bach, NIPS 2010, algorithm 1) with symmetric priors 0.1 on mixtures and on
    words. Texts' mixtures are carried over from round to round, so two updates of each per round are enough.
    scikit-learn's LDA starts from random words, and on collections of some hundred or thousand short texts keeps
    topics that nobody can name; clusters are a better start (docs/evaluation.md).
    """
    with threadpool_limits(1):
        groups = _clusters(counts, topics, seed)
    membership = sparse.csr_matrix((np.ones(len(groups)), (groups, np.arange(len(groups)))), (topics, len(groups)))
    words = (membership @ counts).toarray()
    overall = words.sum(axis=0) / topics
    topic_words: Matrix = WORD_PRIOR + (1 - _START_SMOOTHING) * words + _START_SMOOTHING * overall
    gamma = np.ones((counts.shape[0], topics))
    for _ in range(_ROUNDS):
        emission = np.ascontiguousarray(expected(topic_words).T)
        for _ in range(_ROUNDS_PER_TEXT):
            weights = expected(gamma)
            gamma, ratios = one_round(counts, weights, emission, MIXTURE_PRIOR)
        topic_words = WORD_PRIOR + (emission * (ratios.T @ weights)).T
    return np.ascontiguousarray(topic_words)


def _clusters(counts: sparse.csr_matrix, topics: int, seed: int) -> npt.NDArray[np.intp]:
    """Each text's k-means cluster by its leading TF-IDF components; by chance if there are too few texts."""
    weighted = weighted_rows(counts, document_weights(counts), np.float64)
    dimensions = min(_START_DIMENSIONS, min(weighted.shape) - 1)
    if dimensions > 0:
        texts, scales, _ = singular_vectors(weighted, dimensions, seed)
        components = unit_rows(texts * scales)
        if len(np.unique(components.round(4), axis=0)) >= topics:
            return k_means(components, topics, seed=seed)[0]
    return np.random.default_rng(seed).permutation(counts.shape[0]) % topics


def topic_mixtures(counts: sparse.csr_matrix, topic_words: Matrix, prior: float) -> Matrix:
    """The expected share of each topic in each text.

    Iterates the mean-field equations of Blei, Ng & Jordan (JMLR 2003), ``γ_k = prior + Σ_w n_w φ_wk``, from equal
    shares until a text's γ moves by less than 1e-5 per topic. Every text takes its own number of rounds and every sum
    runs in the order of the text's own words, so a row has the same bits whatever else is in the call.

    Args:
        counts: (texts, words), how often each word stands in each text.
        topic_words: (topics, words), the pseudo-counts λ of the fitted model's Dirichlet distributions.
        prior: the Dirichlet parameter of a text's mixture, the same for all topics.

    Returns:
        float64 (texts, topics), rows sum to 1, or all zero for a text without words.
    """
    emission = np.ascontiguousarray(expected(topic_words).T)
    blocks = [_mixtures(counts[start : start + _BLOCK], emission, prior) for start in range(0, counts.shape[0], _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(topic_words)))


def _mixtures(counts: sparse.csr_matrix, emission: Matrix, prior: float) -> Matrix:
    mixtures = np.zeros((counts.shape[0], emission.shape[1]))
    moving = np.flatnonzero(np.diff(counts.indptr))
    active = counts[moving]
    gamma = np.ones((len(moving), emission.shape[1]))
    for _ in range(_MOST_ROUNDS):
        if not len(moving):
            break
        moved, _ = one_round(active, expected(gamma), emission, prior)
        still = _row_sums(np.abs(moved - gamma)) >= _TOLERANCE * emission.shape[1]
        mixtures[moving] = moved
        if not still.all():
            active, moving, moved = active[still], moving[still], moved[still]
        gamma = moved
    sums = _row_sums(mixtures)[:, None]
    return np.divide(mixtures, sums, out=mixtures, where=sums > 0)


def one_round(
    counts: sparse.csr_matrix, weights: Matrix, emission: Matrix, prior: float
) -> tuple[Matrix, sparse.csr_matrix]:
    """One update of every text's γ: the new γ (texts, topics), and counts over their likelihoods (texts, words).

    ``weights`` (texts, topics) and ``emission`` (words, topics) are `expected` of γ and of the topics' words.
    """
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    likelihood = np.zeros(counts.nnz)  # topic by topic: in the same order for any layout, see `_row_sums`
    for of_texts, of_words in zip(np.ascontiguousarray(weights.T), np.ascontiguousarray(emission.T), strict=True):
        likelihood += of_texts.take(rows) * of_words.take(counts.indices)
    ratios = copy.copy(counts)  # a new matrix would have all its indices checked, in every round
    ratios.data = counts.data / likelihood
    moved: Matrix = prior + weights * (ratios @ emission)
    return moved, ratios


def expected(dirichlet: Matrix) -> Matrix:
    """exp E[ln θ] for every row of Dirichlet parameters: ``exp(ψ(a_k) - ψ(Σ a))``, kept above zero."""
    expected: Matrix = np.exp(psi(dirichlet) - psi(_row_sums(dirichlet))[:, None])
    return np.maximum(expected, _LEAST)


def _row_sums(rows: Matrix) -> Matrix:
    """Sums along rows, one column after the other: unlike ``rows.sum(1)`` in the same order for any row layout."""
    return np.asarray(np.cumsum(rows, axis=1)[:, -1])


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


def topic_coherence(presence: sparse.csr_matrix, top_words: Sequence[npt.NDArray[np.intp]]) -> Matrix:
    """The mean NPMI over all pairs of each topic's top words (Aletras & Stevenson, IWCS 2013).

    Args:
        presence: (documents, vocabulary), non-zero where a document holds a word; a document is the window.
        top_words: for each topic, columns of ``presence``.

    Returns:
        float64 (topics,), each from -1 to 1; higher reads better. -1 for a topic of fewer than two words: nobody
        can tell what it is about.
    """
    columns = sparse.csc_matrix(presence, dtype=bool).astype(np.int64)
    means = np.full(len(top_words), -1.0)
    for topic, words in enumerate(top_words):
        if len(words) > 1:
            together = (columns[:, words].T @ columns[:, words]).toarray()
            pairs = combinations(range(len(words)), 2)
            values = [npmi(together[i, i], together[j, j], together[i, j], presence.shape[0]) for i, j in pairs]
            means[topic] = np.mean(values)
    return means


def draw_coherence(lda: LDA) -> bytes:
    """Draw coherence over the numbers of topics that were compared: PNG, equal bytes for equal models."""
    # Matplotlib takes half a second to import, and only this picture needs it.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    numbers = sorted(lda.coherence)
    best = max(lda.coherence.values())
    axes.axhspan(best - lda.coherence_error, best, color="#e9e4d8", label="within one standard error of the best")
    axes.plot(numbers, [lda.coherence[number] for number in numbers], color="#30506d", marker="o", markersize=4)
    chosen = (lda.dim, lda.coherence[lda.dim])
    axes.plot(*chosen, color="#b3402a", marker="o", markersize=10, linestyle="none", label=f"chosen: {lda.dim} topics")
    axes.set_xlabel("number of topics")
    axes.set_ylabel("mean coherence of their words (NPMI, −1 to 1)")
    axes.set_xticks(numbers)
    axes.margins(x=0.08, y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()
