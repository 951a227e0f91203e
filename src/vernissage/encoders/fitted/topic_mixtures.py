"""The topic mixture of a text under a fitted latent Dirichlet allocation, by variational inference."""

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import psi

_BLOCK = 2048
_TOLERANCE = 1e-5
_MOST_ROUNDS = 1000
_LEAST = 1e-100

Matrix = npt.NDArray[np.float64]


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
    likelihood = _row_sums(weights[rows] * emission[counts.indices])
    ratios = sparse.csr_matrix((counts.data / likelihood, counts.indices, counts.indptr), shape=counts.shape)
    moved: Matrix = prior + weights * (ratios @ emission)
    return moved, ratios


def expected(dirichlet: Matrix) -> Matrix:
    """exp E[ln θ] for every row of Dirichlet parameters: ``exp(ψ(a_k) - ψ(Σ a))``, kept above zero."""
    expected: Matrix = np.exp(psi(dirichlet) - psi(_row_sums(dirichlet))[:, None])
    return np.maximum(expected, _LEAST)


def _row_sums(rows: Matrix) -> Matrix:
    """Sums along rows, one column after the other: unlike ``rows.sum(1)`` in the same order for any row layout."""
    total = np.zeros(len(rows))
    for column in rows.T:
        total += column
    return total
