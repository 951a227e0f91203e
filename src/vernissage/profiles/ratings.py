"""Rated works become the weights of a profile."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.errors import RatingsError
from vernissage.sentences import Sentence
from vernissage.values import Index, Vectors

WeightingRule = Literal["signed", "linear", "minmax"]
_Ratings = npt.NDArray[np.float64]

DEFAULT_RULE: WeightingRule = "signed"
LINEAR_ENGINES = ("late-partial", "late-total", "clip", "blip")
"""The first paper's engines, with which ratings weigh as they do there; with all others by `DEFAULT_RULE`."""

LOWEST, HIGHEST = 1, 5
NEUTRAL = 3


@dataclass(frozen=True, eq=False)
class Profile:
    """Rated works and what each counts: ``item_ids`` (n,), ``ratings`` and ``weights`` float64 (n,)."""

    item_ids: tuple[str, ...]
    ratings: _Ratings
    weights: _Ratings
    rule: WeightingRule

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say where `signed` measures ratings by another middle than 3."""
        if self.rule != "signed" or self.ratings.max() > NEUTRAL:
            return ()
        counts = Sentence("none more than another, so all count for what resembles them")
        if np.ptp(self.ratings):
            told = "so each counts by how far it is above or below their mean, {mean:.3g}"
            counts = Sentence(told, mean=float(self.ratings.mean()))
        told = "no work was rated above {middle}, {counts}; rate one that you like for a better answer"
        return (Sentence(told, middle=NEUTRAL, counts=counts),)


def default_rule(engine: str) -> WeightingRule:
    """How ratings weigh with the engine of that name unless another rule is asked for."""
    return "linear" if engine in LINEAR_ENGINES else DEFAULT_RULE


def profile_from_ratings(ratings: Mapping[str, float], rule: WeightingRule) -> Profile:
    """Make a profile from ratings 1 to 5 by work id.

    Rules, for a rating r:

    ``signed``: (r−3)/2 in [−1, 1], so that works a person dislikes push others of their kind away. Where nothing is
    rated above 3, the mean of the ratings takes the place of 3, so that the best of them still pull; where all
    ratings are equal, the rule is ``linear``.
    ``linear``: (r−1)/4 in [0, 1], that of the papers' engines.
    ``minmax``: (r−min)/(max−min) in [0, 1], as in the code of Yilma & Leiva (UMAP 2023, doi 10.1145/3565472.3592964).

    Raises:
        RatingsError: no ratings; a rating outside 1 to 5; a rule that leaves every weight 0, which would rank nothing.
    """
    if rule not in WEIGHTING_RULES:
        raise RatingsError(f"there is no weighting rule {rule!r}; choose one of {', '.join(WEIGHTING_RULES)}")
    if not ratings:
        raise RatingsError("no ratings were given; rate at least one work from 1 to 5, for example --rate ID=5")
    for item_id, rating in ratings.items():
        if not (math.isfinite(rating) and LOWEST <= rating <= HIGHEST):
            raise RatingsError(f"the rating of {item_id} is {rating:g}; ratings go from {LOWEST} to {HIGHEST}")
    values = np.array(list(ratings.values()), dtype=np.float64)
    weights = WEIGHTING_RULES[rule](values)
    if not weights.any():
        given = f"all {len(values)} ratings are" if len(values) > 1 else "the only rating is"
        raise RatingsError(
            f"{given} {values[0]:g}, which the rule {rule} counts as 0, so nothing speaks for "
            f"any work; rate at least one work higher"
        )
    return Profile(tuple(ratings), values, weights, rule)


def _signed(ratings: _Ratings) -> _Ratings:
    if np.ptp(ratings) == 0:
        return _linear(ratings)
    weights: _Ratings = (ratings - (NEUTRAL if ratings.max() > NEUTRAL else ratings.mean())) / 2
    return weights


def _linear(ratings: _Ratings) -> _Ratings:
    return (ratings - 1) / 4


def _minmax(ratings: _Ratings) -> _Ratings:
    spread = np.ptp(ratings)
    if spread == 0:
        given = f"all {len(ratings)} ratings are" if len(ratings) > 1 else "the only rating is"
        raise RatingsError(
            f"{given} {ratings[0]:g}, and the rule minmax measures each against the lowest and "
            f"the highest; rate at least one work differently, or use the rule linear"
        )
    weights: _Ratings = (ratings - ratings.min()) / spread
    return weights


WEIGHTING_RULES: Mapping[WeightingRule, Callable[[_Ratings], _Ratings]] = MappingProxyType(
    {"signed": _signed, "linear": _linear, "minmax": _minmax}
)


@dataclass(frozen=True, eq=False)
class RatedVectors:
    """Rated works of one modality: ``item_ids`` (n,), unit ``vectors`` float32 (n, dim), ``weights`` (n,) above 0."""

    item_ids: tuple[str, ...]
    vectors: Vectors
    weights: npt.NDArray[np.float64]


def liked_and_disliked(
    profile: Profile, index: Index, *, uploads: Collection[str] = ()
) -> tuple[RatedVectors, RatedVectors]:
    """Ratings for a person who has uploads too: what joins the uploads, and what pushes other works away.

    Works of a weight above 0 are uploads that count as much as their weight beside the 1 of an upload: give them to
    `interests` together with the uploads, their weights as ``counts``. Works of a weight below 0 are
    `UploadProfile.disliked`, each with the size of its weight. What is rated below 3 is never liked, even where nothing
    is rated higher and `signed` gives the best of it a weight above 0. Left out are works without a vector in
    ``index``, those in which the encoder found nothing, those of weight 0, and ``uploads``, which count 1 already.
    """
    known = [
        place for place, item_id in enumerate(profile.item_ids) if item_id in index and item_id not in set(uploads)
    ]
    vectors = index.vectors_of([profile.item_ids[place] for place in known])
    weights = profile.weights[known]

    def chosen(mask: npt.NDArray[np.bool_]) -> RatedVectors:
        rows = np.flatnonzero(mask & vectors.any(axis=1)).tolist()
        ids = tuple(profile.item_ids[known[row]] for row in rows)
        return RatedVectors(ids, vectors[rows], np.abs(weights[rows]))

    return chosen((weights > 0) & (profile.ratings[known] >= NEUTRAL)), chosen(weights < 0)
