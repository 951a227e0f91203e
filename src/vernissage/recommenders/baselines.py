"""What a recommender must beat: chance, and the works that resemble everything."""

from collections.abc import Collection, Sequence

import numpy as np

from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.profiles.ratings import Profile
from vernissage.rankings import alphabetical, best_rows
from vernissage.search.exact import ExactIndex
from vernissage.values import Ranking, Scores


class RandomOrder:
    """Works in an order drawn anew for each profile, the same for the same seed and profile."""

    name = "random"

    def __init__(self, item_ids: Sequence[str], seed: int = 0) -> None:
        self.item_ids = tuple(item_ids)
        self.seed = seed

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """``n`` works that were not rated, at random."""
        person = int(digest(*(item_id.encode() for item_id in sorted(profile.item_ids)))[:16], 16)
        scores = np.random.default_rng([self.seed, person]).random(len(self.item_ids))
        return _unrated(self.item_ids, scores, profile, n, among)


class MostAverage:
    """The works nearest to the mean of all, the same for everybody: what an unpersonalised similarity would show."""

    name = "most-average"

    def __init__(self, index: ExactIndex) -> None:
        self.item_ids = index.item_ids
        self._scores = index.scores(index.table.vectors.mean(axis=0, dtype=np.float64))

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` most average works that were not rated."""
        return _unrated(self.item_ids, self._scores, profile, n, among)


def _unrated(
    item_ids: Sequence[str], scores: Scores, profile: Profile, n: int, among: Collection[str] | None
) -> Ranking:
    if n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
    rated = set(profile.item_ids)
    allowed = [item_id not in rated and (among is None or item_id in among) for item_id in item_ids]
    best = best_rows(np.where(allowed, scores, -np.inf), n, alphabetical(item_ids))
    return Ranking(tuple(item_ids[row] for row in best), scores[best])
