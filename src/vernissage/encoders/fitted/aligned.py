"""One space for pictures and texts, fitted on a collection's own pairs: text finds picture without any download."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import sparse
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, ImageEncoder, TextEncoder, unit_rows
from vernissage.encoders.fitted.canonical import Alignment, align, choose_regularisation
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

FEWEST_PAIRS = 50
MOST_DIM = 128

_MOST_PAIRS = 20_000
_BLOCK = 4096


class Aligned:
    """A picture encoder and a text encoder, whose vectors are taken into one space; the inner product is a cosine."""

    def __init__(self, alignment: Alignment, image_encoder: ImageEncoder, text_encoder: TextEncoder) -> None:
        """Join two encoders by an alignment of their vectors; `fit_aligned` makes it."""
        self._alignment, self._image_encoder, self._text_encoder = alignment, image_encoder, text_encoder
        settings = {
            "regularisation": alignment.regularisation,
            "image_encoder": _card(image_encoder),
            "text_encoder": _card(text_encoder),
        }
        self.state = EncoderState(self.name, settings, alignment.arrays)
        self.fingerprint = self.state.fingerprint

    @property
    def name(self) -> str:
        return "aligned"

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"image", "text"})

    @property
    def dim(self) -> int:
        return self._alignment.dim

    @property
    def regularisation(self) -> float:
        """The ridge, as a multiple of the mean variance of each side's vectors."""
        return self._alignment.regularisation

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

    @classmethod
    def from_state(cls, state: EncoderState, image_encoder: ImageEncoder, text_encoder: TextEncoder) -> "Aligned":
        """The encoder that ``state`` describes, on the same two encoders that it was fitted with.

        Raises:
            ProvenanceError: the state is another encoder's, or not whole, or was fitted with other encoders.
        """
        if state.name != "aligned":
            raise ProvenanceError(
                f"expected a model of aligned, but this one is of {state.name!r}; name the right folder"
            )
        try:
            for encoder, saved in ((image_encoder, "image_encoder"), (text_encoder, "text_encoder")):
                _refuse_other(encoder, state.settings[saved])
            return cls(Alignment(state.settings["regularisation"], **state.arrays), image_encoder, text_encoder)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ProvenanceError(
                f"the saved aligned model is not whole ({error}); run `vernissage build` again to make it anew"
            ) from error


def fit_aligned(
    image_vectors: Vectors,
    text_vectors: Vectors,
    image_encoder: ImageEncoder,
    text_encoder: TextEncoder,
    *,
    dim: int | None = None,
    regularisation: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Aligned:
    """Fit one space for pictures and texts to works that have both.

    Regularised canonical correlation, each direction weighted by its correlation (see `canonical.align`).

    Args:
        image_vectors: float32 (n, columns), one row per work, of ``image_encoder``.
        text_vectors: float32 (n, columns), the same works' rows of ``text_encoder``. Rows of zeros on either side are
            no pair and are left out.
        image_encoder: the encoder that pictures will be read with.
        text_encoder: the encoder that texts will be read with.
        dim: the most directions to keep; 128 by default.
        regularisation: the ridge as a multiple of the mean variance; None chooses it by how well texts find their
            pictures among works held out.
        seed: of the held-out works; equal vectors and seed give the same model, bit for bit.
        progress: told of every ridge tried.

    Raises:
        EncoderError: fewer than 50 pairs, vectors that are not of these encoders, a dimension below 1 or a ridge of 0.
    """
    images, texts = _pairs(image_vectors, text_vectors, image_encoder, text_encoder, seed)
    dim = MOST_DIM if dim is None else dim
    if dim < 1 or (regularisation is not None and not 0 < regularisation < np.inf):
        raise EncoderError(
            f"cannot align in {dim} dimensions with regularisation {regularisation}; both must be above 0, such as "
            f"128 and 1, or None to have them chosen"
        )
    with threadpool_limits(1):
        if regularisation is None:
            regularisation = choose_regularisation(images, texts, dim, seed, progress)
        alignment = align(images, texts, regularisation, dim)
    if not alignment.dim:
        raise EncoderError(
            f"all {len(images)} pairs have equal pictures or equal texts, so neither says anything of the other; "
            f"add works that differ in both"
        )
    return Aligned(alignment, image_encoder, text_encoder)


def _pairs(
    image_vectors: Vectors, text_vectors: Vectors, image_encoder: ImageEncoder, text_encoder: TextEncoder, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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


def _project(vectors: Vectors, mean: npt.NDArray[np.float64], projection: npt.NDArray[np.float64]) -> Vectors:
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


def _refuse_other(encoder: Encoder, saved: dict[str, Any]) -> None:
    if _card(encoder) != saved:
        raise ProvenanceError(
            f"aligned was fitted with {saved['name']} {saved['fingerprint']}, but was given {encoder.name} "
            f"{encoder.fingerprint}; run `vernissage build` again to fit both together"
        )
