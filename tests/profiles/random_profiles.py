"""Profiles whose interests are known by construction, and profiles without any."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def planted(
    counts: list[int], dim: int, *, seed: int, spread: float = 0.35, cone: float = 1.0
) -> tuple[Floats, Floats]:
    """Unit vectors of uploads, as many per interest as ``counts`` says, in this order, and the background's mean.

    All lie in a cone around one common direction, as encoders' vectors do; each interest adds a direction of its own,
    orthogonal to the others, each upload noise of length ``spread``. The background holds 500 works of all interests.
    """
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.standard_normal((dim, len(counts) + 1)))[0].T

    def works(interests: npt.NDArray[np.int64]) -> Floats:
        noise = random.standard_normal((len(interests), dim)) * spread / np.sqrt(dim)
        rows = cone * axes[0] + axes[1 + interests] + noise
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    uploads = works(np.repeat(np.arange(len(counts)), counts))
    return uploads, works(random.integers(0, len(counts), 500)).mean(axis=0)


def random_profile(seed: int) -> tuple[Floats, Floats]:
    """A profile of 2 to 90 uploads in 3 to 64 dimensions, with blurred interests, and a background: nothing is easy."""
    random = np.random.default_rng(seed)
    count, dim, interests = int(random.integers(2, 91)), int(random.integers(3, 65)), int(random.integers(1, 8))
    centres = random.standard_normal((interests, dim))
    rows = centres[random.integers(0, interests, count)] + random.uniform(0.3, 1.5) * random.standard_normal(
        (count, dim)
    )
    rows += random.uniform(0, 2) * random.standard_normal(dim)
    others = rows.mean(axis=0) + random.standard_normal((200, dim))
    return rows, (others / np.linalg.norm(others, axis=1, keepdims=True)).mean(axis=0)


def partition(labels: npt.NDArray[np.integer] | list[int]) -> set[frozenset[int]]:
    """Labels as sets of rows, whatever the labels are called."""
    labels = np.asarray(labels)
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}
