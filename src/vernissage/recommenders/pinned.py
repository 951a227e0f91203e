"""Works that come first wherever they may come at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Explanation, Recommendation, require_count
from vernissage.recommenders.diversity import Reranked
from vernissage.values import EVERYTHING, Allow, Ranking


@dataclass(frozen=True, eq=False)
class Pinned(Reranked):
    """Puts some works before all others, in the recommender's order; scores and reasons stay the recommender's own.

    Those that are not allowed, were rated, or are unknown to the recommender have no place.
    """

    pinned: Sequence[str]

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        require_count(n)
        wanted = frozenset(self.pinned) if allow.only is None else allow.only & frozenset(self.pinned)
        first = self.recommender.recommend(profile, max(len(wanted), 1), replace(allow, only=wanted))
        ahead = frozenset(first.ranking.item_ids)
        rest = self.recommender.recommend(profile, n, allow.without(ahead))

        def explain(item_ids: Sequence[str]) -> tuple[Explanation, ...]:
            parts = [each.explain([id_ for id_ in item_ids if (id_ in ahead) is one]) for each, one in both]
            found = {why.item_id: why for part in parts for why in part}
            return tuple(found[item_id] for item_id in item_ids)

        both = ((first, True), (rest, False))
        ids = (*first.ranking.item_ids, *rest.ranking.item_ids)
        ranking = Ranking(ids, np.concatenate([first.ranking.scores, rest.ranking.scores]))
        return Recommendation(ranking.head(n), explain, rest.notes)
