"""The first works of a ranking, so that rankings of pictures and of texts can become one list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.uploads import UploadRecommender
from vernissage.values import Modality, Ranking, Scores


@dataclass(frozen=True, eq=False)
class Listing:
    """The best works, and the mean and deviation of the scores of all works that might have come back."""

    ranking: Ranking
    mean: float
    deviation: float

    def z_scores(self) -> Scores:
        """(score − mean) / deviation of the works that are listed, float64 (n,); 0 where all scores are equal."""
        if not self.deviation > 0:
            return np.zeros(len(self.ranking.item_ids))
        z: Scores = (self.ranking.scores - self.mean) / self.deviation
        return z


Lister = Callable[[UploadProfile, Modality, int], Listing]
"""From a profile and a target modality to the listing of the ``n`` best works."""


def lister_of(recommender: UploadRecommender) -> Lister:
    """The list of a recommender, and what all works that might have come back score."""

    def listed(profile: UploadProfile, target: Modality, n: int) -> Listing:
        most = max(n, recommender.count(profile, target))
        whole = recommender.recommend(profile, target, most).ranking
        return _listing(whole.head(n), whole.scores)

    return listed


def interleaved(listings: Sequence[Listing], n: int) -> tuple[str, ...]:
    """One list of ``n`` works from listings of ``n`` each: by z-score, each work once with its highest; ties by id."""
    highest: dict[str, float] = {}
    for listing in listings:
        for item_id, z in zip(listing.ranking.item_ids, listing.z_scores().tolist(), strict=True):
            highest[item_id] = max(z, highest.get(item_id, -np.inf))
    return tuple(sorted(highest, key=lambda item_id: (-highest[item_id], item_id))[:n])


def _listing(ranking: Ranking, scores: Scores) -> Listing:
    """Equal scores may differ by rounding, which is no deviation."""
    deviation = float(scores.std()) if len(scores) and np.ptp(scores) > 0 else 0.0
    return Listing(ranking, float(scores.mean()) if len(scores) else 0.0, deviation)
