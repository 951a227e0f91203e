"""Texts as vectors that a search finds: TF-IDF weights, gathered into a few hundred directions of meaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, Material, unit_rows
from vernissage.encoders.fitted.words import WordEncoder, fitted_language, weigh_words, weighted_rows
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

_LEAST_SCALE = 1e-6  # of the largest; smaller components are rounding
_OVERSAMPLES = 10
_ROUNDS, _ROUNDS_OF_MANY = 7, 4


class LSA(WordEncoder):
    """A fitted latent semantic analysis; the inner product of two vectors is a cosine.

    Where topics sum a text up in a dozen numbers, these vectors still know its words: a search for "a storm at sea"
    finds works whose texts hold them, and works of words that keep their company. Deerwester et al., JASIS 1990.
    Arrays: ``directions`` float32 (words, dim), what a word adds to each; ``weights`` float64 (words,), its inverse
    document frequency.
    """

    name = "lsa"

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._directions, self._weights = state.arrays["directions"], state.arrays["weights"]
        if not len(self._directions) == len(self._weights) == len(self.vocabulary):
            raise ProvenanceError(
                f"an lsa model needs one row and one weight per word, but has {len(self._directions)} rows, "
                f"{len(self._weights)} weights and {len(self.vocabulary)} words; run `vernissage build` again"
            )

    @property
    def dim(self) -> int:
        return int(self._directions.shape[1])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of ``texts``: float32 (n, dim), zeros where no word is known."""
        # A sparse product sums each row in the order of its own words, so that a row's bits are its text's alone.
        return unit_rows(weighted_rows(self._counts(texts), self._weights) @ self._directions)


def fit(material: Material) -> LSA:
    """Fit on the texts of a collection."""
    return fit_lsa(material.texts(), seed=material.seed, languages=material.languages, progress=material.progress)


def fit_lsa(
    texts: Sequence[str], *, dim: int = 256, seed: int = 0, languages: Sequence[str] = (), progress: Progress = silent
) -> LSA:
    """Fit at most ``dim`` directions of meaning to the texts of a collection, one per work; texts may be empty.

    ``languages`` are those of the texts, found by them where none is given.

    Term weights are ``(1 + ln n_w) (1 + ln((1 + N) / (1 + N_w)))``, rows of unit length; the directions are the leading
    right singular vectors (Halko, Martinsson & Tropp, SIAM Review 2011). Equal texts and seed give the same model, bit
    for bit.

    Raises:
        EncoderError: fewer than two texts have content words, or ``dim`` is below 1.
    """
    if dim < 1:
        raise EncoderError(f"cannot fit {dim} directions; give a number of 1 or more, such as 256")
    progress("fitting directions of meaning", 0, 1)
    language = fitted_language(texts, languages)
    words = weigh_words(texts, language)
    directions = _directions(words.rows, dim, seed)
    progress("fitting directions of meaning", 1, 1)
    return LSA.of_words(words.vocabulary, {"directions": directions, "weights": words.weights}, language)


def _directions(rows: sparse.csr_matrix, dim: int, seed: int) -> npt.NDArray[np.float32]:
    """The leading right singular vectors of ``rows``: float32 (words, at most dim), without those of no weight."""
    with threadpool_limits(1):
        _, scales, directions = singular_vectors(rows, min(dim, *rows.shape), seed)
    kept = scales > _LEAST_SCALE * scales[0]
    return np.ascontiguousarray(directions[kept].T, dtype=np.float32)


def singular_vectors(
    rows: sparse.csr_matrix, count: int, seed: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The leading ``count`` singular vectors of ``rows`` (n, columns): (n, count), values (count,), (count, columns).

    By random projection and power iterations (Halko et al. 2011, algorithms 4.4 and 5.1), with the numbers that
    scikit-learn's ``randomized_svd`` takes, whose import takes longer. The largest entry of each left vector is above
    0.
    """
    turned = rows.shape[0] < rows.shape[1]
    matrix = rows.T if turned else rows
    basis = np.random.RandomState(seed).normal(size=(matrix.shape[1], count + _OVERSAMPLES)).astype(rows.dtype)
    for _ in range(_ROUNDS if count < 0.1 * min(rows.shape) else _ROUNDS_OF_MANY):
        basis = linalg.lu(matrix @ basis, permute_l=True, check_finite=False)[0]
        basis = linalg.lu(matrix.T @ basis, permute_l=True, check_finite=False)[0]
    basis = linalg.qr(matrix @ basis, mode="economic", check_finite=False)[0]
    left, scales, right = linalg.svd(basis.T @ matrix, full_matrices=False)
    left = basis @ left
    decisive = right.T if turned else left
    signs = np.sign(decisive[np.abs(decisive).argmax(axis=0), np.arange(decisive.shape[1])])
    left, right = (left * signs)[:, :count], (right * signs[:, None])[:count]
    return (right.T, scales[:count], left.T) if turned else (left, scales[:count], right)
