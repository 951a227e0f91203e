"""Where the model of two variances ends: answers that cannot tell them apart, and answers without residuals."""

import numpy as np
import numpy.typing as npt

from vernissage.analysis.cells import Cells

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-10


def separable(cells: Cells) -> bool:
    """Whether the answers' design can tell the participants' variance from the residual one.

    With Q the projection on what engines leave over, the two matrices QZZ'Q and Q of the covariance must not be
    multiples of one another: (N − k)·tr((QZZ')²) > tr(QZZ')², by Cauchy and Schwarz. Not so with one participant, with
    one answer from each, with N − k < 2, or where every engine has a participant of its own.
    """
    counts, sizes = cells.counts, cells.sizes
    shares = counts / counts.sum(axis=0)
    freedom = cells.nobs - counts.shape[1]
    first = cells.nobs - float(np.sum(counts * shares))
    second = float(np.sum(sizes**2) - 2 * np.sum(sizes[:, None] * counts * shares))
    crossed = counts.T @ shares
    second += float(np.sum(crossed * crossed.T))
    return freedom > 1 and bool(freedom * second - first**2 > _ROUNDING * max(1.0, freedom * second))


def within_scatter(cells: Cells) -> tuple[float, int]:
    """What additive effects of participants and engines leave over: the sum of squares and its degrees of freedom."""
    beta, rank = _within(cells)
    effects = cells.residual_sums(beta) / cells.sizes
    freedom = cells.nobs - cells.counts.shape[0] - rank
    return float(cells.residual_squares(beta, effects)), freedom


def limit_fit(cells: Cells) -> tuple[FloatArray, float]:
    """The engines' means, float64 (k,), and the participants' variance as the residual variance goes to 0.

    The comparisons within participants come first and are met exactly; what they leave open is set so that the
    participants' effects have the least sum of squares, as (X'V⁻¹X)⁻¹X'V⁻¹y does in the limit.
    """
    beta, rank = _within(cells)
    _, vectors = np.linalg.eigh(_within_information(cells))
    free = vectors[:, : len(beta) - rank]
    design = (cells.counts @ free) / cells.sizes[:, None]
    effects = cells.residual_sums(beta) / cells.sizes
    shift, _, open_rank, _ = np.linalg.lstsq(design, effects, rcond=None)
    left = effects - design @ shift
    freedom = len(left) - int(open_rank)
    return beta + free @ shift, float(left @ left) / freedom if freedom > 0 else np.nan


def _within_information(cells: Cells) -> FloatArray:
    counts = cells.counts
    information: FloatArray = np.diag(counts.sum(axis=0)) - counts.T @ (counts / cells.sizes[:, None])
    return information


def _within(cells: Cells) -> tuple[FloatArray, int]:
    """Least-squares means of engines beside participants' effects, of least norm, and how many directions are fixed."""
    counts, sums = cells.counts, cells.counts * cells.means
    right = sums.sum(axis=0) - counts.T @ (sums.sum(axis=1) / cells.sizes)
    information = _within_information(cells)
    rank = int(np.linalg.matrix_rank(information, tol=_ROUNDING * max(1.0, float(counts.sum())), hermitian=True))
    values, vectors = np.linalg.eigh(information)
    kept = slice(len(values) - rank, None)
    beta: FloatArray = vectors[:, kept] @ ((vectors[:, kept].T @ right) / values[kept])
    return beta, rank
