"""Whether a straight line tells two modalities apart."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from vernissage.analysis.paired import Estimate, mean_with_error
from vernissage.encoders.centring import mean_of_units, without_mean
from vernissage.errors import RequestError
from vernissage.values import Vectors

FOLDS = 5


def separability(first: Vectors, second: Vectors, *, closed: bool, seed: int = 0) -> Estimate:
    """How often a logistic regression tells for an unseen vector which modality it is of: .5 by guessing, 1 always.

    Five seeded folds; both vectors of a pair are in one fold, so that no pair is half learnt. With ``closed`` the mean
    of each modality is taken off, *fitted on the training folds alone*: a mean that has seen the held-out rows pushes
    them away from their own kind, and the accuracy falls below chance. scikit-learn's logistic regression with L2
    penalty, C = 1, on the coordinates as they are.

    Args:
        first: float32 (n, dim), unit rows of one modality.
        second: float32 (n, dim), the other modality's vectors of the same works.
        closed: whether each modality's mean is taken off.
        seed: of the folds.

    Returns:
        The accuracy, with its standard error over pairs.

    Raises:
        RequestError: fewer than 5 pairs, or not one vector of each modality for each.
    """
    if first.shape != second.shape or len(first) < FOLDS:
        raise RequestError(
            f"separability needs {FOLDS} pairs or more of one space, but the two sides have the shapes {first.shape} "
            f"and {second.shape}"
        )
    fold_of = np.random.default_rng(seed).permutation(len(first)) % FOLDS
    right = np.empty(len(first))
    with threadpool_limits(1):
        for fold in range(FOLDS):
            held = fold_of == fold
            right[held] = _told_apart(first, second, held, _closing(first[~held], second[~held]) if closed else _as_is)
    return mean_with_error(right)


Closing = Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]


def _closing(first: Vectors, second: Vectors) -> Closing:
    """What takes off the means of these training rows."""
    means = mean_of_units(first), mean_of_units(second)
    return lambda one, other: (without_mean(one, means[0]), without_mean(other, means[1]))


def _as_is(first: Vectors, second: Vectors) -> tuple[Vectors, Vectors]:
    return first, second


def _told_apart(
    first: Vectors, second: Vectors, held: npt.NDArray[np.bool_], close: Closing
) -> npt.NDArray[np.float64]:
    """For each held-out pair the share of its two vectors whose modality is told rightly: 0, .5 or 1."""
    trained, tested = close(first[~held], second[~held]), close(first[held], second[held])
    model = LogisticRegression(max_iter=1000)
    model.fit(np.concatenate(trained).astype(np.float64), np.repeat([0, 1], len(trained[0])))
    told = [model.predict(side.astype(np.float64)) == label for label, side in enumerate(tested)]
    share: npt.NDArray[np.float64] = (told[0].astype(np.float64) + told[1]) / 2
    return share
