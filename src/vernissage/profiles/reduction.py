"""Fewer dimensions before clustering: none, principal components, t-SNE of vectors as they are or standardised."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]

_COMPONENTS = 50  # so many the second paper's released code keeps before t-SNE, where there are more
_ALIKE = 1e-6  # rows of float32 that differ by less differ by rounding


class Projection(Protocol):
    """What turns the vectors that a rule clusters into those that its clustering sees."""

    @property
    def keeps_distances(self) -> bool:
        """Whether distances afterwards mean what they meant before, so that a fixed cut still makes sense."""
        ...

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        """Float64 (n, dim) → float64 (n, fewer)."""
        ...


@dataclass(frozen=True)
class NoProjection:
    """Every dimension as it is."""

    keeps_distances = True

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        return rows


@dataclass(frozen=True)
class PrincipalComponents:
    """The leading principal components.

    ``keep``: a share of the variance in (0, 1), or a number of components from 1 (all there are, if fewer: at most
    min(n, dim)). Components are not rescaled, so distances stay what they were, less what was left out.

    Raises:
        RequestError: ``keep`` is neither.
    """

    keep: float | int = 0.99
    keeps_distances = True

    def __post_init__(self) -> None:
        if not (0 < self.keep < 1 or (self.keep >= 1 and float(self.keep).is_integer())):
            raise RequestError(
                f"principal components cannot keep {self.keep:g}; give a whole number of components from 1, or a share "
                f"of the variance between 0 and 1"
            )

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        from sklearn.decomposition import PCA

        if len(rows) < 2 or np.ptp(rows, axis=0).max() <= _ALIKE:
            return rows
        keep = float(self.keep) if self.keep < 1 else min(int(self.keep), *rows.shape)
        solver = "covariance_eigh" if rows.shape[0] > rows.shape[1] else "full"
        return _float64(PCA(keep, svd_solver=solver).fit_transform(rows))


@dataclass(frozen=True)
class TSNE:
    """A plane by t-SNE (van der Maaten & Hinton 2008), started from principal components.

    Neighbours stay together, distances lose their meaning. ``perplexity`` is lowered to (n − 1)/3 where there are few
    rows; fewer than four rows are left as they are. Takes minutes at 20,000 rows.
    """

    perplexity: float = 30.0
    keeps_distances = False

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        if len(rows) < 4 or rows.shape[1] < 2 or np.ptp(rows, axis=0).max() <= _ALIKE:
            return rows
        progress("Drawing uploads on a plane (t-SNE)", 0, 1)
        plane = tsne_plane(rows, perplexity=self.perplexity, start="pca", seed=seed)
        progress("Drawing uploads on a plane (t-SNE)", 1, 1)
        return plane


@dataclass(frozen=True)
class StandardisedTSNE:
    """A plane by t-SNE from a random start, of vectors whose dimensions were given mean 0 and variance 1.

    As github.com/fedasaro62/ZCCR-Exp, zccr.py, whose results are called ``tsne (pca)``: before it, vectors are reduced
    to 50 where there are more. The perplexity is that of `TSNE`, of fewer than four rows no plane is drawn.
    """

    keeps_distances = False

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        spread = rows.std(axis=0)
        standard: Floats = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
        reduced = PrincipalComponents(_COMPONENTS).apply(standard, seed=seed, progress=progress)
        if len(reduced) < 4 or reduced.shape[1] < 2:
            return reduced
        return tsne_plane(reduced, perplexity=TSNE().perplexity, start="random", seed=seed)


def tsne_plane(rows: Floats, *, perplexity: float, start: Literal["pca", "random"], seed: int) -> Floats:
    """Float64 (n ≥ 4, dim ≥ 2) → float64 (n, 2) by t-SNE on one thread; ``perplexity`` is (n − 1)/3 at most."""
    from sklearn import manifold

    with threadpool_limits(1):
        method = manifold.TSNE(
            2, perplexity=min(perplexity, (len(rows) - 1) / 3), init=start, random_state=seed, n_jobs=1
        )
        return _float64(method.fit_transform(rows))


def _float64(rows: Any) -> Floats:
    return np.asarray(rows, dtype=np.float64)
