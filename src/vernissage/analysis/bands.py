"""Bands of scores, strong, fair or weak, by what requests made of random works reach in the same collection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Band = Literal["strong", "fair", "weak"]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

FEWEST_WORKS = 50
"""In fewer works a list of nine is a large part of all, and nothing is said of them."""

SIZES = (1, 3, 9)
"""Rated works of a request: the more there are, the less their mean has works far above it."""

_STRONG, _FAIR = 1, 9
_RARE_STRONG, _RARE_FAIR = 1 / 800, 1 / 200
"""Of all works, what searches may reach at most: in a few hundred works nine are like any words by chance, and unlike
rated works, words may be about nothing that is there."""

_WEIGHTS = (1.0, -1.0, 0.5, -0.5, 0.0)
"""Of the works of a request, in turn: those of the ratings 5, 1, 4, 2 and 3 by `signed`."""
_LEAST = 1e-6


@dataclass(frozen=True)
class Bounds:
    """From where on scores are fair and strong.

    Of all works of the collection, nine for each random request reach ``fair`` on average, and one ``strong``. A share
    of all pairs would not do: one in two hundred is one work of 267, and 500 of 100,000.
    """

    fair: float
    strong: float

    def band(self, score: float) -> Band:
        """The band of a score of the same kind."""
        return "strong" if score >= self.strong else "fair" if score >= self.fair else "weak"


def bounds(scores: Floats, *, rare: bool = False) -> Bounds | None:
    """Bounds by the scores of all works for random requests, (requests, works), −∞ where one is not to count.

    ``rare`` asks for at most one in 200 works for fair, and one in 800 for strong. None where there are fewer than
    `FEWEST_WORKS` works, or no request.
    """
    requests, works = scores.shape
    if works < FEWEST_WORKS or not requests:
        return None
    reached = [_FAIR, _STRONG] if not rare else [min(_FAIR, _RARE_FAIR * works), min(_STRONG, _RARE_STRONG * works)]
    places = [scores.size - max(1, round(each * requests)) for each in reached]
    fair, strong = np.partition(scores, places, axis=None)[places].tolist()
    # What is no more like a request than the mean, or not at all, is weak even where hardly any work is.
    return Bounds(max(0.0, round(fair, 4)), max(0.0, round(strong, 4))) if np.isfinite(fair) else None


def rated_bounds(
    representations: Mapping[str, Floats], weights: Mapping[str, float], chosen: Rows, fusion: str
) -> dict[str, dict[str, Bounds]]:
    """Bounds of z-scores (s − μ)/σ of requests of random works, over all works that a representation knows.

    Args:
        representations: unit vectors of the same n works by name, (n, dim), zero rows where one knows none.
        weights: of those whose z-scores ``fusion`` adds, divided by their sum for each request.
        chosen: rows of the works that requests are made of, each together with the next ones.
        fusion: the name of that sum.

    Returns:
        By name, and by how many works were rated (`SIZES`).
    """
    found: dict[str, dict[str, Bounds]] = {name: {} for name in (*representations, fusion)}
    known: dict[str, Mask] = {name: np.asarray(vectors.any(axis=1)) for name, vectors in representations.items()}
    for size in SIZES:
        rows = chosen[(np.arange(len(chosen))[:, None] + np.arange(size)) % max(1, len(chosen))]
        counts = np.resize(np.array(_WEIGHTS, dtype=np.float32), size)
        fused: Floats = np.zeros((1, 1), dtype=np.float32)
        whole = np.zeros((len(rows), 1), dtype=np.float32)
        for name, vectors in representations.items():
            z, tells = _z_scores(np.einsum("j,qjd->qd", counts, vectors[rows]), vectors, known[name])
            if name in weights:
                fused, whole = fused + np.float32(weights[name]) * z, whole + weights[name] * tells[:, None]
            found[name] |= _named(str(size), _others(z, rows)[tells][:, known[name]])
        if len(weights) > 1:
            fused /= np.maximum(whole, _LEAST)
            found[fusion] |= _named(str(size), _others(fused, rows)[whole[:, 0] > 0])
    return found


def search_bounds(queries: Floats, works: Floats, chosen: Rows) -> Bounds | None:
    """Bounds of cosines of searches that look for something else: each of some works' ``queries`` against all others.

    Args:
        queries: unit vectors of the same n works, (n, dim), such as of their texts; zero rows where there is none.
        works: of what is searched in, (n, dim), such as of their pictures.
        chosen: rows of the works whose queries are asked.
    """
    rows, there = chosen[queries[chosen].any(axis=1)], works.any(axis=1)
    scores = _others(queries[rows] @ works.T, rows[:, None])
    return bounds(scores[:, there], rare=True)


def _z_scores(queries: Floats, vectors: Floats, known: Mask) -> tuple[Floats, Mask]:
    """z-scores of the works that have a vector, (q, n), 0 for others; and which queries tell works apart, (q,)."""
    scores: Floats = queries @ vectors.T
    count = max(1, int(known.sum()))  # the scores of others are 0
    scores -= scores.sum(axis=1, keepdims=True) / count
    scores[:, ~known] = 0
    spread = np.sqrt(np.einsum("qn,qn->q", scores, scores) / count)
    tells = spread > _LEAST
    scores /= np.where(tells, spread, np.inf)[:, None]
    return scores, tells


def _others(scores: Floats, rows: Rows) -> Floats:
    """The scores less those of the works that each request is made of, ``rows`` (q, size)."""
    np.put_along_axis(scores, rows, -np.inf, axis=1)
    return scores


def _named(name: str, scores: Floats) -> dict[str, Bounds]:
    return {name: found} if (found := bounds(scores)) else {}


def band_of(found: Mapping[str, Bounds], rated: int, score: float) -> Band | None:
    """The band of a z-score for so many rated works, by the bounds for as many or fewer; None without any."""
    sizes: Sequence[str] = [str(size) for size in SIZES if size <= rated and str(size) in found]
    return found[sizes[-1]].band(score) if sizes else None
