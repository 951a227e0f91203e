"""One space for pictures and texts, fitted on a collection's own pairs: text finds picture without any download.

By regularised canonical correlation: the directions along which two views of the same works go together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import sparse
from scipy.linalg import eigh, svd
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import (
    Encoder,
    EncoderState,
    FittedEncoder,
    ImageEncoder,
    Material,
    TextEncoder,
    unit_rows,
)
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import MODALITIES, Modality, Vectors

Matrix = npt.NDArray[np.float64]

REGULARISATIONS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
FOLDS = 4

_MOST_COMPONENTS = 512
_LEAST_CORRELATION = 1e-9
_LEAST_VARIANCE = 1e-9

FEWEST_PAIRS = 50
MOST_DIM = 128

_MOST_PAIRS = 20_000
_BLOCK = 4096


@dataclass(frozen=True)
class _View:
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


def _view_of(vectors: Matrix) -> _View:
    """The principal components of the rows of ``vectors`` (works, columns); at most the 512 largest."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    columns = vectors.shape[1]
    largest = (max(0, columns - _MOST_COMPONENTS), columns - 1)
    variances, axes = eigh(centred.T @ centred / len(vectors), subset_by_index=largest)
    kept = variances > max(_LEAST_VARIANCE * variances[-1], np.finfo(np.float64).tiny)
    return _View(mean, axes[:, kept][:, ::-1], variances[kept][::-1])


@dataclass(frozen=True)
class Alignment:
    """What takes picture vectors and text vectors into one space: means (columns,) and projections (columns, dim)."""

    regularisation: float
    image_mean: Matrix
    image_projection: Matrix
    text_mean: Matrix
    text_projection: Matrix


class Aligned(FittedEncoder):
    """A picture encoder and a text encoder, whose vectors are taken into one space; the inner product is a cosine."""

    name = "aligned"
    modalities = frozenset(MODALITIES)

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._image_encoder, self._text_encoder = _bases(bases)
        self._alignment = Alignment(self.regularisation, **state.arrays)
        for encoder, key in ((self._image_encoder, "image_encoder"), (self._text_encoder, "text_encoder")):
            if _card(encoder) != (saved := state.settings[key]):
                raise ProvenanceError(
                    f"aligned was fitted with {saved['name']} {saved['fingerprint']}, but was given {encoder.name} "
                    f"{encoder.fingerprint}; run `vernissage build` again to fit both together"
                )

    @property
    def dim(self) -> int:
        return int(self._alignment.image_projection.shape[1])

    @property
    def regularisation(self) -> float:
        """The ridge, as a multiple of the mean variance of each side's vectors."""
        return float(self.state.settings["regularisation"])

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures: float32 (n, dim), unit rows; zeros where the picture encoder found nothing."""
        return self.project_images(self._image_encoder.encode_images(images))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), unit rows; zeros where the text encoder knew no word."""
        return self.project_texts(self._text_encoder.encode_texts(texts))

    def project_images(self, vectors: Vectors) -> Vectors:
        """Take vectors of the picture encoder into the common space: float32 (n, dim), unit rows."""
        return _project(vectors, self._alignment.image_mean, self._alignment.image_projection)

    def project_texts(self, vectors: Vectors) -> Vectors:
        """Take vectors of the text encoder into the common space: float32 (n, dim), unit rows."""
        return _project(vectors, self._alignment.text_mean, self._alignment.text_projection)


def fit(material: Material) -> Aligned:
    """Fit on the vectors that the two encoders below made of works with a picture and a text."""
    image_encoder, text_encoder = _bases(material.bases)
    images, texts = material.paired_vectors()
    return fit_aligned(images, texts, image_encoder, text_encoder, seed=material.seed, progress=material.progress)


def derive(aligned: Aligned, modality: Modality, vectors: Vectors) -> Vectors:
    """Vectors of the encoder below for that modality, taken into the common space."""
    return aligned.project_images(vectors) if modality == "image" else aligned.project_texts(vectors)


def _bases(bases: Sequence[Encoder]) -> tuple[ImageEncoder, TextEncoder]:
    image_encoder, text_encoder = bases
    if not isinstance(image_encoder, ImageEncoder) or not isinstance(text_encoder, TextEncoder):
        raise EncoderError("aligned needs an encoder of pictures and one of texts, in this order")
    return image_encoder, text_encoder


def fit_aligned(
    image_vectors: Vectors,
    text_vectors: Vectors,
    image_encoder: ImageEncoder,
    text_encoder: TextEncoder,
    *,
    dim: int = MOST_DIM,
    regularisation: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Aligned:
    """Fit one space for pictures and texts to works that have both.

    Regularised canonical correlation, each direction weighted by its correlation (see `align`).

    Args:
        image_vectors: float32 (n, columns), one row per work, of ``image_encoder``.
        text_vectors: float32 (n, columns), the same works' rows of ``text_encoder``. Rows of zeros on either side are
            no pair and are left out.
        image_encoder, text_encoder: the encoders that pictures and texts will be read with.
        dim: the most directions to keep.
        regularisation: the ridge as a multiple of the mean variance; None chooses it by how well texts find their
            pictures among works held out.
        seed: of the held-out works; equal vectors and seed give the same model, bit for bit.
        progress: told of every ridge tried.

    Raises:
        EncoderError: fewer than 50 pairs, vectors that are not of these encoders, a dimension below 1 or a ridge of 0.
    """
    images, texts = _pairs(image_vectors, text_vectors, image_encoder, text_encoder, seed)
    if dim < 1 or (regularisation is not None and not 0 < regularisation < np.inf):
        raise EncoderError(
            f"cannot align in {dim} dimensions with regularisation {regularisation}; both must be above 0, such as "
            f"128 and 1, or None to have them chosen"
        )
    with threadpool_limits(1):
        if regularisation is None:
            regularisation = _choose_regularisation(images, texts, dim, seed, progress)
        alignment = align(images, texts, regularisation, dim)
    if not alignment.image_projection.size:
        raise EncoderError(
            f"all {len(images)} pairs have equal pictures or equal texts, so neither says anything of the other; "
            f"add works that differ in both"
        )
    arrays = {key: value for key, value in vars(alignment).items() if key != "regularisation"}
    cards = {"image_encoder": _card(image_encoder), "text_encoder": _card(text_encoder)}
    state = EncoderState(Aligned.name, {"regularisation": regularisation, **cards}, arrays)
    return Aligned(state, image_encoder, text_encoder)


def _pairs(
    image_vectors: Vectors, text_vectors: Vectors, image_encoder: ImageEncoder, text_encoder: TextEncoder, seed: int
) -> tuple[Matrix, Matrix]:
    """The rows of works that have both sides, in double precision; a seeded sample of the largest collections."""
    given = (image_vectors.shape, text_vectors.shape)
    if given != ((len(image_vectors), image_encoder.dim), (len(image_vectors), text_encoder.dim)):
        raise EncoderError(
            f"picture and text vectors must be paired rows of {image_encoder.dim} and {text_encoder.dim} columns, but "
            f"have the shapes {given[0]} and {given[1]}; encode the same works with both encoders"
        )
    both = np.flatnonzero(image_vectors.any(axis=1) & text_vectors.any(axis=1))
    if len(both) < FEWEST_PAIRS:
        raise EncoderError(
            f"{len(both)} works have both a picture and a text with known words, and aligning them needs at least "
            f"{FEWEST_PAIRS}; add texts to more works, or search with lda or lsa alone"
        )
    if len(both) > _MOST_PAIRS:
        both = np.sort(np.random.default_rng(seed).choice(both, _MOST_PAIRS, replace=False))
    return image_vectors[both].astype(np.float64), text_vectors[both].astype(np.float64)


def _project(vectors: Vectors, mean: Matrix, projection: Matrix) -> Vectors:
    """Unit rows of ``(vectors - mean) @ projection``; a row of zeros stays zero.

    As a sparse product, which sums every row by itself and in one order: a dense product chooses its order by the
    number of rows and threads, and a row's last bits would depend on the others in the call.
    """
    rows = np.zeros((len(vectors), projection.shape[1]))
    found = np.flatnonzero(vectors.any(axis=1))
    for start in range(0, len(found), _BLOCK):
        block = found[start : start + _BLOCK]
        rows[block] = sparse.csr_matrix(vectors[block] - mean) @ projection
    return unit_rows(rows)


def _card(encoder: Encoder) -> dict[str, str]:
    return {"name": encoder.name, "fingerprint": encoder.fingerprint}


def align(images: Matrix, texts: Matrix, regularisation: float, dim: int) -> Alignment:
    """At most ``dim`` directions along which paired rows of two views (pairs, columns) go together.

    The singular vectors of ``W1ᵀ C W2``, where W are `_View.ridge_whitening` and C the covariance between the views:
    canonical ridge analysis (Vinod, J. Econometrics 1976). Each direction is weighted by its correlation, so that
    those which hardly go together hardly count (after Gong et al., IJCV 2014, who use the fourth power).
    """
    return _align(_view_of(images), _view_of(texts), _covariance(images, texts), regularisation, dim)


def _choose_regularisation(images: Matrix, texts: Matrix, dim: int, seed: int, progress: Progress) -> float:
    """Of `REGULARISATIONS` the one with which held-out texts find their pictures best.

    The mean over four seeded folds of the mean reciprocal rank of each text's own picture among the fold's pictures.
    """
    fold_of = np.random.default_rng(seed).permutation(len(images)) % FOLDS
    scores = np.zeros(len(REGULARISATIONS))
    for fold in range(FOLDS):
        progress("choosing a regularisation", fold, FOLDS)
        fitted, held = fold_of != fold, fold_of == fold
        views = _view_of(images[fitted]), _view_of(texts[fitted])
        covariance = _covariance(images[fitted], texts[fitted])
        for number, regularisation in enumerate(REGULARISATIONS):
            alignment = _align(*views, covariance, regularisation, dim)
            scores[number] += _mean_reciprocal_rank(alignment, images[held], texts[held])
    progress("choosing a regularisation", FOLDS, FOLDS)
    return REGULARISATIONS[int(scores.argmax())]


def _align(images: _View, texts: _View, covariance: Matrix, regularisation: float, dim: int) -> Alignment:
    whiten_images, whiten_texts = images.ridge_whitening(regularisation), texts.ridge_whitening(regularisation)
    if not (whiten_images.size and whiten_texts.size):
        return Alignment(regularisation, images.mean, whiten_images[:, :0], texts.mean, whiten_texts[:, :0])
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
