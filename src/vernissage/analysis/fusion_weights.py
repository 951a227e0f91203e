"""How much each representation of works counts in a fusion of all, learned from the works alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEWEST_WORKS = 50
"""Of fewer works nothing is learned: agreement by chance would be as large as what is looked for."""

NEAREST = 10  # neighbours that representations are compared by
_CHANCE = 5.0
"""Over the number of works, the agreement from which two representations have something in common: shuffled texts of
267 works agreed with pictures by at most 1.3 over that number."""
_BESIDE = 0.1
"""What is left of texts that have nothing in common with pictures: visitors see pictures, and texts may be anything."""
_LEAST = 0.01
"""Of the mean weight: what no representation falls below, so that works which it alone knows stay recommended."""
_RIDGE = 0.02  # two representations of the same make the matrix singular
_NOISE = 0.02
"""Spread that random vectors can have: .001 among 267 works."""


@dataclass(frozen=True)
class Representation:
    """One representation of the same n works: unit ``vectors`` (n, dim), zero rows where it knows none, and
    ``modalities``, what of a work it was made of."""

    name: str
    modalities: frozenset[str]
    vectors: npt.NDArray[np.floating]


@dataclass(frozen=True)
class RepresentationWeight:
    """What a representation counts, and why.

    Attributes:
        weight: 1 in the mean over representations.
        spread: by how much a work's ten highest z-scores lie above those of as many random numbers, as a share of
            these, times the share of works that it knows: 0 where it tells no work from others.
        own: share of the variance of its similarities that all others together do not explain.
        agreement: mean correlation of its similarities with those of representations of other modalities; with all
            others where there is one modality.
        owners: correlation of its similarities with having the same owner; None without owners, or if none tells it.
        why: the reason in words.
    """

    weight: float
    spread: float
    own: float
    agreement: float
    owners: float | None
    why: str


def fusion_weights(works: Sequence[Representation], owners: Sequence[str] = ()) -> dict[str, RepresentationWeight]:
    """Weights of representations whose z-scores are to be added, without labels: weight ∝ √spread · (own · agreement)².

    Similarities are cosines as z-scores over the works, work by work. The factors say whether a representation tells
    works apart at all, what it says that the others do not (near-duplicates share one voice), and whether it is about
    the works (what independent views agree on is no noise of either: Parisi et al., PNAS 111, 2014, doi
    10.1073/pnas.1219097111). Where owners are known, agreement is the geometric mean of itself and the correlation
    with having the same owner. Where modalities agree no more than chance, and no owner tells which is right, it says
    nothing, and texts count a tenth. The exponents were chosen on simulated visitors: docs/evaluation.md.

    Args:
        works: two representations or more, all of the same n works.
        owners: the owner of each work, (n,); "" for nobody's.

    Returns:
        By name; nothing for fewer than two representations or `FEWEST_WORKS` works, or where none tells works apart.
    """
    if len(works) < 2 or len(works[0].vectors) < FEWEST_WORKS:
        return {}
    scores = [_z_scores(each.vectors) for each in works]
    correlations = np.array([[float(np.vdot(one, other)) for other in scores] for one in scores])
    correlations /= scores[0].size - len(scores[0])
    spreads = np.array([_spread(each) for each in scores])
    own = _own(correlations)
    told = _agreement(correlations, works)
    together = _agreement_with_owners(scores, owners)
    chance = _CHANCE / len(scores[0])
    beyond = bool(told.max() > chance)
    trusted = told if beyond else np.ones(len(works))
    if together is not None and together.max() > chance:
        trusted = np.sqrt(np.maximum(trusted * together, 0.0))
    elif not beyond:
        trusted = np.array([_BESIDE**0.5 if each.modalities == {"text"} else 1.0 for each in works])
    weights = np.sqrt(spreads) * (own * np.maximum(trusted, 0.0)) ** 2
    if not weights.any():
        return {}
    weights = np.maximum(weights / weights.mean(), _LEAST)
    weights /= weights.mean()
    factors = {"spread": np.sqrt(spreads), "own": own**2, "agreement": trusted**2}
    return {
        each.name: RepresentationWeight(
            weight=round(float(weights[row]), 3),
            spread=round(float(spreads[row]), 3),
            own=round(float(own[row]), 3),
            agreement=round(float(told[row]), 3),
            owners=None if together is None else round(float(together[row]), 3),
            why=_why({name: values[row] / values.mean() for name, values in factors.items()}, beyond=beyond),
        )
        for row, each in enumerate(works)
    }


def _z_scores(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Cosines of each work to all others as z-scores, (n, n); 0 to itself, and where one of both has no vector."""
    known = vectors.any(axis=1)
    rows = vectors[known].astype(np.float32)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, np.nan)
    deviations = np.nanstd(cosines, axis=1, keepdims=True) if len(rows) > 1 else np.ones((len(rows), 1))
    means = np.nanmean(cosines, axis=1, keepdims=True) if len(rows) > 1 else np.zeros((len(rows), 1))
    found = np.zeros((len(vectors), len(vectors)), dtype=np.float32)
    z = np.divide(cosines - means, deviations, out=np.zeros_like(cosines), where=deviations > 1e-6)
    found[np.ix_(known, known)] = np.nan_to_num(z)
    return found


def _spread(z: npt.NDArray[np.float32]) -> float:
    """See `RepresentationWeight.spread`."""
    known = z.any(axis=1)
    count = int(known.sum())
    if count <= NEAREST:
        return 0.0
    from scipy.special import ndtri  # whoever opens a workspace reads weights, and needs no SciPy

    highest = np.partition(z[known], -NEAREST, axis=1)[:, -NEAREST:].mean()
    chance = ndtri(1 - (np.arange(NEAREST) + 0.5) / count).mean()
    spread = float(highest / chance) - 1
    return spread * count / len(z) if spread > _NOISE else 0.0


def _own(correlations: Floats) -> Floats:
    """The share of each one's variance that the others do not explain, by the inverse of their correlations."""
    sizes = np.sqrt(np.maximum(np.diag(correlations), 1e-12))
    scaled = correlations / np.outer(sizes, sizes)
    own: Floats = np.minimum(1.0, 1 / np.diag(np.linalg.inv(scaled + _RIDGE * np.eye(len(scaled)))))
    return own


def _agreement(correlations: Floats, works: Sequence[Representation]) -> Floats:
    """The mean correlation of each with those of other modalities; of those that read both, the mean of all these."""
    apart = np.array([[not (one.modalities & other.modalities) for other in works] for one in works])
    if not apart.any():
        apart = ~np.eye(len(works), dtype=bool)
    counts = apart.sum(axis=1)
    found = (correlations * apart).sum(axis=1) / np.maximum(counts, 1)
    agreement: Floats = np.where(counts > 0, found, found[counts > 0].mean())
    return agreement


def _agreement_with_owners(scores: Sequence[npt.NDArray[np.float32]], owners: Sequence[str]) -> Floats | None:
    """The mean z-score of works of one owner, in deviations of what is compared; None where nobody owns two."""
    names = np.array(owners, dtype=object)
    same = (names[:, None] == names[None]) & (names != "")[:, None] if len(names) else np.zeros((0, 0), dtype=bool)
    np.fill_diagonal(same, False)
    shares = same.mean(axis=1, keepdims=True) if len(same) else np.zeros((0, 1))
    rows = np.flatnonzero((shares > 0) & (shares < 1))
    if not len(rows):
        return None
    wanted = (same[rows] - shares[rows]) / np.sqrt(shares[rows] * (1 - shares[rows]))
    return np.array([float((each[rows] * wanted).mean()) for each in scores])


_WORDS = {
    "spread": ("finds works that are close", "hardly tells works apart"),
    "own": ("says what others do not", "repeats what others say"),
    "agreement": ("is borne out by the others", "is little borne out by the others"),
}
"""A factor well above its mean, and well below."""


def _why(factors: dict[str, float], *, beyond: bool) -> str:
    told = [_WORDS[name][bool(value < 1)] for name, value in factors.items() if not 0.8 <= value <= 1.25]
    unrelated = [] if beyond else ["what is seen and what is written have nothing in common"]
    return "; ".join(unrelated + told) or "as much as others"
