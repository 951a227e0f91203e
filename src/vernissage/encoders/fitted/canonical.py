"""Regularised canonical correlation: directions along which two views of the same works go together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh, svd

from vernissage.encoders.contract import unit_rows
from vernissage.progress import Progress

Matrix = npt.NDArray[np.float64]

REGULARISATIONS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
FOLDS = 4

_MOST_COMPONENTS = 512
_LEAST_CORRELATION = 1e-9
_LEAST_VARIANCE = 1e-9


@dataclass(frozen=True)
class View:
    """One side's vectors as principal components.

    Attributes:
        mean: (columns,).
        axes: (columns, components), orthonormal, by falling variance.
        variances: (components,), all positive.
    """

    mean: Matrix
    axes: Matrix
    variances: Matrix

    def ridge_whitening(self, regularisation: float) -> Matrix:
        """(columns, components): what makes the components of equal weight, small ones less so.

        A component of variance v is divided by ``√(v + regularisation · mean variance)``.
        """
        ridge = regularisation * self.variances.sum() / max(len(self.variances), 1)
        whitening: Matrix = self.axes / np.sqrt(self.variances + ridge)
        return whitening


def view_of(vectors: Matrix) -> View:
    """The principal components of the rows of ``vectors`` (works, columns); at most the 512 largest."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    columns = vectors.shape[1]
    largest = (max(0, columns - _MOST_COMPONENTS), columns - 1)
    variances, axes = eigh(centred.T @ centred / len(vectors), subset_by_index=largest)
    kept = variances > max(_LEAST_VARIANCE * variances[-1], np.finfo(np.float64).tiny)
    return View(mean, axes[:, kept][:, ::-1], variances[kept][::-1])


@dataclass(frozen=True)
class Alignment:
    """What takes picture vectors and text vectors into one space.

    Attributes:
        regularisation: the ridge it was fitted with.
        image_mean: (image columns,).
        image_projection: (image columns, dim).
        text_mean: (text columns,).
        text_projection: (text columns, dim).
    """

    regularisation: float
    image_mean: Matrix
    image_projection: Matrix
    text_mean: Matrix
    text_projection: Matrix

    @property
    def dim(self) -> int:
        return int(self.image_projection.shape[1])

    @property
    def arrays(self) -> dict[str, Matrix]:
        return {
            "image_mean": self.image_mean,
            "image_projection": self.image_projection,
            "text_mean": self.text_mean,
            "text_projection": self.text_projection,
        }


def align(images: Matrix, texts: Matrix, regularisation: float, dim: int) -> Alignment:
    """The directions along which paired rows of two views go together, at most ``dim``.

    The singular vectors of ``W1ᵀ C W2``, where W are `View.ridge_whitening` and C the covariance between the views:
    canonical ridge analysis (Vinod, J. Econometrics 1976). Each direction is weighted by its correlation, so that
    those which hardly go together hardly count (after Gong et al., IJCV 2014, who use the fourth power).

    Args:
        images: (pairs, columns).
        texts: (pairs, other columns).
        regularisation: the ridge as a multiple of each view's mean variance, above 0.
        dim: the most directions to keep.
    """
    return _align(view_of(images), view_of(texts), _covariance(images, texts), regularisation, dim)


def choose_regularisation(images: Matrix, texts: Matrix, dim: int, seed: int, progress: Progress) -> float:
    """Of `REGULARISATIONS` the one with which held-out texts find their pictures best.

    The mean over four seeded folds of the mean reciprocal rank of each text's own picture among the fold's pictures.
    """
    fold_of = np.random.default_rng(seed).permutation(len(images)) % FOLDS
    scores = np.zeros(len(REGULARISATIONS))
    for fold in range(FOLDS):
        progress("choosing a regularisation", fold, FOLDS)
        fitted, held = fold_of != fold, fold_of == fold
        views = view_of(images[fitted]), view_of(texts[fitted])
        covariance = _covariance(images[fitted], texts[fitted])
        for number, regularisation in enumerate(REGULARISATIONS):
            alignment = _align(*views, covariance, regularisation, dim)
            scores[number] += _mean_reciprocal_rank(alignment, images[held], texts[held])
    progress("choosing a regularisation", FOLDS, FOLDS)
    return REGULARISATIONS[int(scores.argmax())]


def _align(images: View, texts: View, covariance: Matrix, regularisation: float, dim: int) -> Alignment:
    whiten_images, whiten_texts = images.ridge_whitening(regularisation), texts.ridge_whitening(regularisation)
    if not (whiten_images.size and whiten_texts.size):
        nothing = np.zeros((len(images.mean), 0)), np.zeros((len(texts.mean), 0))
        return Alignment(regularisation, images.mean, nothing[0], texts.mean, nothing[1])
    left, correlations, right = svd(whiten_images.T @ covariance @ whiten_texts, full_matrices=False)
    kept = np.flatnonzero(correlations[:dim] > _LEAST_CORRELATION)
    weights = correlations[kept]
    return Alignment(
        regularisation,
        images.mean,
        np.ascontiguousarray(whiten_images @ left[:, kept] * weights),
        texts.mean,
        np.ascontiguousarray(whiten_texts @ right[kept].T * weights),
    )


def _mean_reciprocal_rank(alignment: Alignment, images: Matrix, texts: Matrix) -> float:
    """How early each text finds its own picture among all: 1 for always first. Equal scores share their mean rank."""
    gallery = unit_rows((images - alignment.image_mean) @ alignment.image_projection)
    queries = unit_rows((texts - alignment.text_mean) @ alignment.text_projection)
    scores = queries @ gallery.T
    own = scores.diagonal()[:, None]
    better, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return float(np.mean(1 / (better + (equal + 1) / 2)))


def _covariance(first: Matrix, second: Matrix) -> Matrix:
    """The cross-covariance of paired rows: (columns of first, columns of second)."""
    covariance: Matrix = (first - first.mean(axis=0)).T @ (second - second.mean(axis=0)) / len(first)
    return covariance
