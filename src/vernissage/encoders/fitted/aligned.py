"""One space for pictures and texts, fitted on a collection's own pairs: text finds picture without any download.

By regularised canonical correlation: the directions along which two views of the same works go together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import sparse
from scipy.linalg import eigh, svd
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder, Material, unit_rows
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import ENCODED, Modality, Vectors

Matrix = npt.NDArray[np.float64]

REGULARISATIONS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
FOLDS = 4  # each pair is held out once, and three quarters of a small collection are still fitted on

FEWEST_PAIRS = 50
FEWEST_CHOSEN = 500
"""With fewer pairs the weights of encoders stay as they are at first: held-out pairs would choose by chance."""
MOST_DIM = 128

FIRST_WEIGHTS = {"efficientnet-lite0": 0.5, "colour-texture": 0.5}
"""What the vectors of an encoder are multiplied by at first, where several are joined; 1 if not named."""
_WEIGHTS = (0.0, 0.5, 1.0)
ZERO_SHOT_WEIGHTS = (0.0, 0.15, 0.3, 0.6)
"""Of a space that needs no pairs beside the fitted one, each score in units of its own deviation."""
_FIRST_ZERO_SHOT = 0.3

_MOST_COMPONENTS = 512
_MOST_OF_SEVERAL = 256
"""Of each encoder and of all together, where a side has several: 512 cost twice the time and found no more."""
_LEAST_CORRELATION = 1e-9  # directions beyond the rank of either side correlate by rounding alone
# Of the largest; whitening would blow smaller ones, which are rounding, up to the size of all others.
_LEAST_VARIANCE = 1e-9

_MOST_PAIRS = 20_000  # drawn with the seed, so that fitting takes bounded time and memory
_BLOCK = 4096  # rows in double precision at a time


@dataclass(frozen=True)
class Part:
    """One encoder's vectors of paired works: float32 (n, columns); rows of zeros where it found nothing."""

    encoder: Encoder
    vectors: Vectors


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
        """(components,): what the components are multiplied by so that they weigh the same, small ones less.

        ``1 / √(v + regularisation · mean variance)`` for one of variance v.
        """
        ridge = regularisation * self.variances.sum() / max(len(self.variances), 1)
        whitening: Matrix = 1 / np.sqrt(self.variances + ridge)
        return whitening


def _view_of(vectors: Matrix, most: int = _MOST_COMPONENTS) -> _View:
    """The principal components of the rows of ``vectors`` (works, columns); at most the ``most`` largest."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    few = len(vectors) < vectors.shape[1]  # then the products of rows tell the same as those of columns, sooner
    products = (centred @ centred.T if few else centred.T @ centred) / len(vectors)
    variances, axes = eigh(products, subset_by_index=(max(0, len(products) - most), len(products) - 1))
    rounding = np.finfo(variances.dtype)
    kept = variances > max(max(_LEAST_VARIANCE, 8 * rounding.eps) * variances[-1], rounding.tiny)
    variances, axes = variances[kept][::-1], axes[:, kept][:, ::-1]
    return _View(mean, centred.T @ axes / np.sqrt(len(vectors) * variances) if few else axes, variances)


@dataclass(frozen=True)
class Alignment:
    """What takes picture vectors and text vectors into one space: means (columns,) and projections (columns, dim)."""

    regularisation: float
    image_mean: Matrix
    image_projection: Matrix
    text_mean: Matrix
    text_projection: Matrix


class Aligned(FittedEncoder):
    """Encoders of pictures and of texts, whose vectors are taken into one space; the inner product is a cosine.

    A modality's vector is ``(v − mean) @ projection`` of its encoders' vectors v side by side, of unit length. If there
    is a space of both modalities beside it that needs no pairs (`conse`), its vectors times ``√zero_shot`` follow.

    Attributes:
        bases: the encoders of each modality, in the order in which `fit_aligned` took their vectors.
    """

    name = "aligned"
    modalities = frozenset(ENCODED)

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._alignment = Alignment(self.regularisation, **state.arrays)
        self.bases: dict[str, list[Any]] = {}
        for side in ENCODED:
            saved = state.settings.get(f"{side}_encoders") or [state.settings[f"{side}_encoder"]]
            self.bases[side] = [_base_of(card, bases) for card in saved]

    @property
    def dim(self) -> int:
        beside = [encoder.dim for encoder in self.bases["image"] if _reads_both(encoder)]
        return int(self._alignment.image_projection.shape[1] + sum(beside))

    @property
    def regularisation(self) -> float:
        """The ridge, as a multiple of the mean variance of each side's vectors."""
        return float(self.state.settings["regularisation"])

    @property
    def zero_shot(self) -> float:
        """What the inner product in the space beside the fitted one counts, against one in this; 0 without any."""
        return float(self.state.settings.get("zero_shot", 0.0))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures: float32 (n, dim), unit rows; zeros where no encoder of pictures found anything."""
        return self.project_images(*(encoder.encode_images(images) for encoder in self.bases["image"]))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), unit rows; zeros where no encoder of texts knew a word."""
        return self.project_texts(*(encoder.encode_texts(texts) for encoder in self.bases["text"]))

    def project_images(self, *vectors: Vectors) -> Vectors:
        """Take vectors of the encoders of pictures, as they were fitted, into the common space: float32 (n, dim)."""
        return self._project("image", vectors, self._alignment.image_mean, self._alignment.image_projection)

    def project_texts(self, *vectors: Vectors) -> Vectors:
        """Take vectors of the encoders of texts, as they were fitted, into the common space: float32 (n, dim)."""
        return self._project("text", vectors, self._alignment.text_mean, self._alignment.text_projection)

    def _project(self, side: Modality, vectors: Sequence[Vectors], mean: Matrix, projection: Matrix) -> Vectors:
        encoders = self.bases[side]
        if [rows.shape[1] for rows in vectors] != [encoder.dim for encoder in encoders]:
            raise EncoderError(
                f"aligned was fitted on {side}s by {', '.join(encoder.name for encoder in encoders)}, and takes the "
                f"vectors of just these; run `vernissage build` again"
            )
        fitted = [rows for encoder, rows in zip(encoders, vectors, strict=True) if not _reads_both(encoder)]
        beside = [rows for encoder, rows in zip(encoders, vectors, strict=True) if _reads_both(encoder)]
        found = _project(fitted, mean, projection)
        return unit_rows(np.hstack([found, *(np.sqrt(self.zero_shot) * rows for rows in beside)])) if beside else found


def fit(material: Material) -> Aligned:
    """Fit on the vectors that the encoders below made of works with a picture and a text."""
    sides: dict[Modality, list[Part]] = {side: [] for side in ENCODED}
    given = iter(material.paired_vectors())
    for side in ENCODED:
        for encoder in sorted(material.bases, key=_reads_both):
            if side in encoder.modalities:
                sides[side].append(Part(encoder, next(given)))
    return fit_aligned(sides["image"], sides["text"], seed=material.seed, progress=material.progress)


def derive(aligned: Aligned, modality: Modality, *vectors: Vectors) -> Vectors:
    """Vectors of the encoders below for that modality, taken into the common space."""
    return aligned.project_images(*vectors) if modality == "image" else aligned.project_texts(*vectors)


def fit_aligned(
    images: Sequence[Part],
    texts: Sequence[Part],
    *,
    dim: int = MOST_DIM,
    regularisation: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Aligned:
    """Fit one space for pictures and texts to works that have both.

    Regularised canonical correlation, each direction weighted by its correlation (see `align`). Several encoders of a
    side stand side by side, each times a weight. From 500 pairs on, weights are chosen by how early texts find their
    pictures among works held out: the ridge first, then one weight after the other, each among three, then the ridge
    again. An encoder of both modalities, given last on both sides, is no part of that space: it stands beside it.

    Args:
        images: the encoders of pictures with their vectors of n works, row by row.
        texts: the same of texts, of the same works. Works of which a side has rows of zeros alone are no pair and are
            left out.
        dim: the most directions to keep.
        regularisation: the ridge as a multiple of the mean variance; None has it chosen.
        seed: of the held-out works; equal vectors and seed give the same model, bit for bit.
        progress: told of every fold.

    Raises:
        EncoderError: fewer than 50 pairs, vectors that are not of these encoders, a dimension below 1 or a ridge of 0.
    """
    if dim < 1 or (regularisation is not None and not 0 < regularisation < np.inf):
        raise EncoderError(
            f"cannot align in {dim} dimensions with regularisation {regularisation}; both must be above 0, such as "
            f"128 and 1, or None to have them chosen"
        )
    rows = _paired_rows(images, texts, seed)
    with threadpool_limits(1):
        sides = _Blocks.of(images, rows), _Blocks.of(texts, rows)
        beside = [part.vectors[rows].astype(np.float64) for part in (*images, *texts) if _reads_both(part.encoder)]
        fold_of = np.random.default_rng(seed).permutation(len(rows)) % FOLDS
        choice = _Choice(sides, fold_of, dim, progress)
        ridge = choice.ridge() if regularisation is None else regularisation
        if len(rows) >= FEWEST_CHOSEN:
            choice.choose_weights(ridge)
            ridge = choice.ridge() if regularisation is None and choice.changed else ridge
        joined = [side.joined(weights) for side, weights in zip(sides, choice.weights, strict=True)]
        alignment = align(joined[0], joined[1], ridge, dim, choice.most)
        zero_shot = choice.zero_shot(ridge, *beside) if beside else 0.0
        arrays = sides[0].whole("image", alignment, choice.weights[0])
        arrays |= sides[1].whole("text", alignment, choice.weights[1])
    if not alignment.image_projection.size:
        raise EncoderError(
            f"all {len(rows)} pairs have equal pictures or equal texts, so neither says anything of the other; "
            f"add works that differ in both"
        )
    told = _told("image", images, choice.weights[0]) | _told("text", texts, choice.weights[1])
    settings = {"regularisation": ridge, **told, **({"zero_shot": zero_shot} if beside else {})}
    bases = {part.encoder.name: part.encoder for part in (*images, *texts)}
    return Aligned(EncoderState(Aligned.name, settings, arrays), *bases.values())


@dataclass(frozen=True)
class _Blocks:
    """One side's encoders as blocks of columns, each reduced to its largest components where there are several.

    Attributes:
        rows: of each encoder, (pairs, components); zeros where it found nothing.
        views: what reduced it; None where it is alone.
        names: of the encoders.
    """

    rows: tuple[Matrix, ...]
    views: tuple[_View | None, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, parts: Sequence[Part], pairs: npt.NDArray[np.intp]) -> "_Blocks":
        parts = [part for part in parts if not _reads_both(part.encoder)]
        names = tuple(part.encoder.name for part in parts)
        given = [part.vectors[pairs].astype(np.float64) for part in parts]
        if len(given) == 1:
            return cls(tuple(given), (None,), names)
        rows, views = [], []
        for vectors in given:
            there = np.asarray(vectors.any(axis=1))
            view = _view_of(vectors[there], _MOST_OF_SEVERAL)
            rows.append(np.where(there[:, None], (vectors - view.mean) @ view.axes, 0.0))
            views.append(view)
        return cls(tuple(rows), tuple(views), names)

    def first_weights(self) -> tuple[float, ...]:
        """The first encoder counts 1, since a factor for all says nothing."""
        return (1.0, *(FIRST_WEIGHTS.get(name, 1.0) for name in self.names[1:]))

    def joined(self, weights: Sequence[float]) -> Matrix:
        """(pairs, components of all encoders)."""
        return np.hstack([weight * block for weight, block in zip(weights, self.rows, strict=True)])

    def whole(self, side: str, alignment: Alignment, weights: Sequence[float]) -> dict[str, Matrix]:
        """The side's mean and projection for the encoders' own columns."""
        mean: Matrix = getattr(alignment, f"{side}_mean")
        projection: Matrix = getattr(alignment, f"{side}_projection")
        means, projections = [mean], [projection]
        if self.views[0] is not None:
            ends = np.cumsum([block.shape[1] for block in self.rows])[:-1]
            projections = [
                weight * view.axes @ part
                for weight, view, part in zip(weights, self.views, np.split(projection, ends), strict=True)
                if view is not None
            ]
            means = [view.mean for view in self.views if view is not None]
        return {
            f"{side}_mean": np.concatenate(means),
            f"{side}_projection": np.ascontiguousarray(np.vstack(projections)),
        }


class _Choice:
    """Weights and ridge by how early held-out texts find their pictures; deterministic."""

    def __init__(
        self, sides: tuple[_Blocks, _Blocks], fold_of: npt.NDArray[np.int64], dim: int, progress: Progress
    ) -> None:
        self._sides, self._fold_of, self._dim, self._progress = sides, fold_of, dim, progress
        self.weights = [side.first_weights() for side in sides]
        self.changed = False
        self._views: dict[tuple[int, int, tuple[float, ...]], _View] = {}
        self.most = _MOST_OF_SEVERAL if max(map(len, self.weights)) > 1 else _MOST_COMPONENTS

    def ridge(self) -> float:
        """Of `REGULARISATIONS` the one with which held-out texts find their pictures best."""
        return REGULARISATIONS[int(self._found(REGULARISATIONS).argmax())]

    def choose_weights(self, ridge: float) -> None:
        """One weight after the other, as it is now unless another one is better."""
        best: float | None = None
        for side, place in [(each, place) for each in (0, 1) for place in range(1, len(self.weights[each]))]:
            best = float(self._found((ridge,))[0]) if best is None else best
            now = self.weights[side]
            for weight in _WEIGHTS:
                if weight == now[place]:
                    continue
                before = self.weights[side]
                self.weights[side] = (*now[:place], weight, *now[place + 1 :])
                if (found := float(self._found((ridge,))[0])) > best:
                    best, self.changed = found, True
                else:
                    self.weights[side] = before

    def zero_shot(self, ridge: float, image_rows: Matrix, text_rows: Matrix) -> float:
        """How much a space beside this one counts, chosen likewise from `FEWEST_CHOSEN` pairs on.

        By pictures that find their texts as well: what texts gain by a large weight, pictures can lose.
        """
        folds = [(scores, held) for _, scores, held in self._scores((ridge,))]
        beside = [text_rows[held] @ image_rows[held].T for _, held in folds]
        units = [scores.std() / max(other.std(), 1e-12) for (scores, _), other in zip(folds, beside, strict=True)]
        if len(self._fold_of) < FEWEST_CHOSEN:
            # Nothing has shown that it tells more of few works than their own pairs do.
            return float(min(1.0, _FIRST_ZERO_SHOT * np.mean(units)))
        found = [
            sum(
                _mean_reciprocal_rank(fused) + _mean_reciprocal_rank(fused.T)
                for (scores, _), other, unit in zip(folds, beside, units, strict=True)
                for fused in [scores + weight * unit * other]
            )
            for weight in ZERO_SHOT_WEIGHTS
        ]
        chosen = ZERO_SHOT_WEIGHTS[int(np.argmax(found))]
        return float(chosen * np.mean(units))

    def _found(self, ridges: Sequence[float]) -> Matrix:
        """For each ridge the mean over the folds of the mean reciprocal rank of each text's own picture."""
        found = np.zeros(len(ridges))
        for number, scores, _ in self._scores(ridges):
            found[number] += _mean_reciprocal_rank(scores)
        return found

    def _scores(self, ridges: Sequence[float]) -> Iterator[tuple[int, Matrix, npt.NDArray[Any]]]:
        """Of every fold and ridge, by its number: the scores of held-out texts and pictures, and which those are."""
        # Ranks of held-out works need no more than single precision, in half of the time.
        joined = (side.joined(weights) for side, weights in zip(self._sides, self.weights, strict=True))
        sides = [rows.astype(np.float32) for rows in joined]
        for fold in range(FOLDS):
            self._progress("choosing how to align", fold, FOLDS)
            fitted, held = self._fold_of != fold, self._fold_of == fold
            images, texts = sides[0][fitted], sides[1][fitted]
            views = self._view(fold, 0, images), self._view(fold, 1, texts)
            covariance = _covariance(*views, images, texts)
            for number, ridge in enumerate(ridges):
                alignment = _align(*views, covariance, ridge, self._dim)
                gallery = unit_rows((sides[0][held] - alignment.image_mean) @ alignment.image_projection)
                queries = unit_rows((sides[1][held] - alignment.text_mean) @ alignment.text_projection)
                scores: Matrix = np.asarray(queries @ gallery.T, dtype=np.float64)
                yield number, scores, held
        self._progress("choosing how to align", FOLDS, FOLDS)

    def _view(self, fold: int, side: int, rows: Matrix) -> _View:
        """The components of a side's fitted rows, kept: most of the time, and one weight changes one side alone."""
        key = fold, side, self.weights[side]
        if key not in self._views:
            self._views[key] = _view_of(rows, self.most)
        return self._views[key]


def _paired_rows(images: Sequence[Part], texts: Sequence[Part], seed: int) -> npt.NDArray[np.intp]:
    """The rows of works that have both sides; a seeded sample of the largest collections."""
    for side, parts in (("picture", images), ("text", texts)):
        given = [part.vectors.shape for part in parts]
        wanted = [(len(images[0].vectors), part.encoder.dim) for part in parts] if images else []
        if given != wanted or all(_reads_both(part.encoder) for part in parts):
            raise EncoderError(
                f"{side} vectors must be paired rows of the shapes {wanted}, but have {given}; encode the same works "
                f"with all encoders, of which one or more read {side}s alone"
            )
    some = [
        np.any([part.vectors.any(axis=1) for part in parts if not _reads_both(part.encoder)], axis=0)
        for parts in (images, texts)
    ]
    both = np.flatnonzero(some[0] & some[1])
    if len(both) < FEWEST_PAIRS:
        raise EncoderError(
            f"{len(both)} works have both a picture and a text with known words, and aligning them needs at least "
            f"{FEWEST_PAIRS}; add texts to more works, or search with lda or lsa alone"
        )
    if len(both) > _MOST_PAIRS:
        both = np.sort(np.random.default_rng(seed).choice(both, _MOST_PAIRS, replace=False))
    return both


def _project(vectors: Sequence[Vectors], mean: Matrix, projection: Matrix) -> Vectors:
    """Unit rows of ``(vectors - mean) @ projection``; what an encoder has no vector of adds nothing.

    As a sparse product, which sums every row by itself and in one order: a dense product chooses its order by the
    number of rows and threads, and a row's last bits would depend on the others in the call.
    """
    rows = np.zeros((len(vectors[0]), projection.shape[1]))
    means = np.split(mean, np.cumsum([each.shape[1] for each in vectors])[:-1])
    for start in range(0, len(rows), _BLOCK):
        blocks = (each[start : start + _BLOCK] for each in vectors)
        centred = [
            np.where(block.any(axis=1, keepdims=True), block - part, 0.0)
            for block, part in zip(blocks, means, strict=True)
        ]
        rows[start : start + _BLOCK] = sparse.csr_matrix(np.hstack(centred)) @ projection
    return unit_rows(rows)


def _reads_both(encoder: Encoder) -> bool:
    return len(encoder.modalities) > 1


def _card(encoder: Encoder) -> dict[str, Any]:
    return {"name": encoder.name, "fingerprint": encoder.fingerprint}


def _told(side: str, parts: Sequence[Part], weights: Sequence[float]) -> dict[str, Any]:
    """What is saved of a side's encoders; of one alone as it was before there could be several."""
    if len(parts) == 1:
        return {f"{side}_encoder": _card(parts[0].encoder)}
    counted = [*weights, *(1.0 for part in parts if _reads_both(part.encoder))]
    return {
        f"{side}_encoders": [
            _card(part.encoder) | {"weight": weight} for part, weight in zip(parts, counted, strict=True)
        ]
    }


def _base_of(saved: Mapping[str, Any], bases: Sequence[Encoder]) -> Encoder:
    """The encoder that was saved, among those that are there.

    Raises:
        ProvenanceError: it is not there, or another one is.
    """
    for encoder in bases:
        if encoder.name == saved["name"] and encoder.fingerprint == saved["fingerprint"]:
            return encoder
    given = ", ".join(f"{encoder.name} {encoder.fingerprint}" for encoder in bases) or "none"
    raise ProvenanceError(
        f"aligned was fitted with {saved['name']} {saved['fingerprint']}, but was given {given}; run "
        f"`vernissage build` again to fit all together"
    )


def align(images: Matrix, texts: Matrix, regularisation: float, dim: int, most: int = _MOST_COMPONENTS) -> Alignment:
    """At most ``dim`` directions along which paired rows of two views (pairs, columns) go together.

    The singular vectors of ``W1 C W2``, where W are `_View.ridge_whitening` and C the covariance of the components:
    canonical ridge analysis (Vinod, J. Econometrics 1976). Each direction is weighted by its correlation, so that
    those which hardly go together hardly count (after Gong et al., IJCV 2014, who use the fourth power).
    """
    views = _view_of(images, most), _view_of(texts, most)
    return _align(*views, _covariance(*views, images, texts), regularisation, dim)


def _align(images: _View, texts: _View, covariance: Matrix, regularisation: float, dim: int) -> Alignment:
    if not covariance.size:
        return Alignment(regularisation, images.mean, images.axes[:, :0], texts.mean, texts.axes[:, :0])
    whiten_images, whiten_texts = images.ridge_whitening(regularisation), texts.ridge_whitening(regularisation)
    left, correlations, right = svd(whiten_images[:, None] * covariance * whiten_texts, full_matrices=False)
    kept = np.flatnonzero(correlations[:dim] > _LEAST_CORRELATION)
    weights = correlations[kept]
    return Alignment(
        regularisation,
        images.mean,
        images.axes @ (whiten_images[:, None] * left[:, kept] * weights),
        texts.mean,
        texts.axes @ (whiten_texts[:, None] * right[kept].T * weights),
    )


def _mean_reciprocal_rank(scores: Matrix) -> float:
    """How early each row finds its own column: 1 for always first. Equal scores share their mean rank."""
    own = scores.diagonal()[:, None]
    better, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return float(np.mean(1 / (better + (equal + 1) / 2)))


def _covariance(images: _View, texts: _View, image_rows: Matrix, text_rows: Matrix) -> Matrix:
    """Of the two views' components of paired rows: (components of images, components of texts)."""
    first, second = (image_rows - images.mean) @ images.axes, (text_rows - texts.mean) @ texts.axes
    covariance: Matrix = first.T @ second / len(first)
    return covariance
