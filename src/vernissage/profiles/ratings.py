"""Rated works become the weights of a profile."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.errors import RatingsError

WeightingRule = Literal["linear", "minmax", "signed"]
_Ratings = npt.NDArray[np.float64]

LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True, eq=False)
class Profile:
    """Rated works and what each counts: ``item_ids`` (n,), ``ratings`` and ``weights`` float64 (n,)."""

    item_ids: tuple[str, ...]
    ratings: _Ratings
    weights: _Ratings
    rule: WeightingRule

    def __len__(self) -> int:
        return len(self.item_ids)


def profile_from_ratings(ratings: Mapping[str, float], rule: WeightingRule = "linear") -> Profile:
    """Make a profile from ratings 1 to 5 by work id.

    Rules, for a rating r: ``linear`` (r−1)/4 in [0, 1]; ``minmax`` (r−min)/(max−min) in [0, 1], as in the code of
    Yilma & Leiva (UMAP 2023, doi 10.1145/3565472.3592964); ``signed`` (r−3)/2 in [−1, 1], so that works a person
    dislikes push others of their kind away.

    Raises:
        RatingsError: no ratings; a rating outside 1 to 5; a rule that leaves every weight 0, which would rank nothing.
    """
    if not ratings:
        raise RatingsError("no ratings were given; rate at least one work from 1 to 5, for example --rate ID=5")
    for item_id, rating in ratings.items():
        if not (math.isfinite(rating) and LOWEST <= rating <= HIGHEST):
            raise RatingsError(f"the rating of {item_id} is {rating:g}; ratings go from {LOWEST} to {HIGHEST}")
    values = np.array(list(ratings.values()), dtype=np.float64)
    weights = _rule(rule)(values)
    if not weights.any():
        raise RatingsError(_nothing_weighs(values, rule))
    return Profile(tuple(ratings), values, weights, rule)


def _linear(ratings: _Ratings) -> _Ratings:
    return (ratings - 1) / 4


def _minmax(ratings: _Ratings) -> _Ratings:
    spread = np.ptp(ratings)
    if spread == 0:
        raise RatingsError(
            f"all {len(ratings)} ratings are {ratings[0]:g}, and the rule minmax measures each against the lowest and "
            f"the highest; rate at least one work differently, or use the rule linear"
        )
    weights: _Ratings = (ratings - ratings.min()) / spread
    return weights


def _signed(ratings: _Ratings) -> _Ratings:
    return (ratings - 3) / 2


WEIGHTING_RULES: Mapping[WeightingRule, Callable[[_Ratings], _Ratings]] = MappingProxyType(
    {"linear": _linear, "minmax": _minmax, "signed": _signed}
)


def _rule(name: WeightingRule) -> Callable[[_Ratings], _Ratings]:
    if name not in WEIGHTING_RULES:
        raise RatingsError(f"there is no weighting rule {name!r}; choose one of {', '.join(WEIGHTING_RULES)}")
    return WEIGHTING_RULES[name]


def _nothing_weighs(ratings: _Ratings, rule: WeightingRule) -> str:
    return (
        f"all {len(ratings)} ratings are {ratings[0]:g}, which the rule {rule} counts as 0, so nothing speaks for any "
        f"work; rate at least one work {'differently' if rule == 'signed' else 'higher'}, or choose another rule"
    )
