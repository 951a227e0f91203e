"""Engines whose first works for many profiles are found together, by one pass and one product of matrices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.rating_weighted import QueryScores, RatingWeightedSimilarity
from vernissage.values import Allow, Ranking


class ReadAhead(RatingWeightedSimilarity):
    """An engine that knows the first works for some profiles already, and finds them for others as before.

    Its answers are the engine's own to the last bit, since an index answers a batch as it answers each query alone.
    """

    def __init__(self, engine: RatingWeightedSimilarity, profiles: Sequence[Profile], depth: int, allow: Allow) -> None:
        """Find the ``depth`` best works for each of ``profiles``, of those that all of them are allowed."""
        super().__init__(engine.index, engine.name)
        self._scored: dict[int, _FirstKnown] = {}
        some: list[tuple[Profile, QueryScores]] = []
        for profile in profiles:
            try:
                some.append((profile, super().scored(profile)))
            except (RatingsError, RequestError):
                continue  # raised again where it is asked for
        if some:
            queries = np.array([scored.query for _, scored in some])
            for (profile, scored), first in zip(some, engine.index.search(queries, depth, allow), strict=True):
                self._scored[id(profile)] = _FirstKnown(
                    scored.rated, scored.weights, scored.index, scored.vectors, scored.query, first, depth, allow
                )

    def scored(self, profile: Profile) -> QueryScores:
        return self._scored.get(id(profile)) or super().scored(profile)


@dataclass(frozen=True, eq=False)
class _FirstKnown(QueryScores):
    """Scores of which the first are known: ``depth`` of them, or all where there are fewer, ``among`` those allowed."""

    first: Ranking
    depth: int
    among: Allow

    def best(self, k: int, allow: Allow) -> Ranking:
        if allow.exclude >= self.among.exclude and replace(allow, exclude=self.among.exclude) == self.among:
            kept = [place for place, item_id in enumerate(self.first.item_ids) if item_id not in allow.exclude][:k]
            if len(kept) == k or len(self.first) < self.depth:
                return Ranking(tuple([self.first.item_ids[place] for place in kept]), self.first.scores[kept])
        return super().best(k, allow)
