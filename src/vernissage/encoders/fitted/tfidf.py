"""Texts as the weights of their words: TF-IDF, one number for each word that the collection uses."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import Encoder, EncoderState, Material
from vernissage.encoders.fitted.words import WeighedWords, WordEncoder, fitted_language, weigh_words, weighted_rows
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

MOST_WORDS = 4096
"""Vectors are dense, so this many words are 16 KiB for each work; what fewer and more would cost: docs/models.md."""


class TFIDF(WordEncoder):
    """The words of a collection and their weights; the inner product of two vectors is the cosine of TF-IDF.

    Texts are alike by the words that both hold, the rarer the more, and by nothing else; LSA makes the same weights
    into fewer directions, in which words that keep company are alike too. Salton & Buckley, Information Processing &
    Management 24(5), 1988.
    """

    name = "tfidf"

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._weights = state.arrays["weights"]
        words = len(self.columns)
        if self._weights.shape != (words,) or words != len(self.vocabulary):
            raise ProvenanceError(
                f"a tfidf model needs one weight for each word, but has weights of shape {self._weights.shape} and "
                f"{words} words; run `vernissage build` again"
            )

    @property
    def dim(self) -> int:
        return len(self.columns)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of ``texts``: float32 (n, words), zeros where no word is known."""
        rows: Vectors = weighted_rows(self._counts(texts), self._weights).toarray()
        return rows


def fit(material: Material) -> TFIDF:
    """Fit on the texts of a collection."""
    return fit_tfidf(material.texts(), languages=material.languages, progress=material.progress)


def fit_tfidf(
    texts: Sequence[str], *, most_words: int = MOST_WORDS, languages: Sequence[str] = (), progress: Progress = silent
) -> TFIDF:
    """Weigh the words of a collection's texts, one per work; texts may be empty, and equal ones give the same bits.

    ``languages`` are those of the texts, found by them where none is given.

    A text's vector is ``(1 + ln n_w) (1 + ln((1 + N) / (1 + N_w)))`` at each word w, scaled to length 1, where w stands
    n_w times in it and in N_w of N texts. Of more words than ``most_words`` those stay that carry most of the vectors'
    squared length, so that what is left of the vectors is as near to the whole ones as that many words can be.

    Raises:
        EncoderError: fewer than two texts have content words, or ``most_words`` is below 1.
    """
    if most_words < 1:
        raise EncoderError(f"cannot keep {most_words} words; give a number of 1 or more, such as {MOST_WORDS}")
    progress("weighing words", 0, 1)
    language = fitted_language(texts, languages)
    words = weigh_words(texts, language)
    kept = _weightiest(words, most_words)
    progress("weighing words", 1, 1)
    return TFIDF.of_words([words.vocabulary[column] for column in kept], {"weights": words.weights[kept]}, language)


def _weightiest(words: WeighedWords, most: int) -> npt.NDArray[np.intp]:
    """The columns of the words with the most squared length over all texts, in alphabetical order; ties by spelling."""
    squares = np.bincount(words.rows.indices, words.rows.data.astype(np.float64) ** 2, minlength=len(words.vocabulary))
    kept: npt.NDArray[np.intp] = np.sort(np.argsort(-squares, kind="stable")[:most])
    return kept
