"""Works that resemble what a person rated highly, by one inner-product query."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vernissage.profiles.ratings import Profile
from vernissage.rankings import PRECISION
from vernissage.recommenders.contract import Engine, ScoredWorks, known_ratings
from vernissage.values import Allow, Index, Ranking, Scores

Floats = npt.NDArray[np.float64]


class RatingWeightedSimilarity(Engine):
    """S(i) = (1/n) Σ_j w_j ⟨p_i, p_j⟩ over the n rated works: Eq. 1 of Yilma & Leiva, UMAP 2023.

    Because the inner product is linear, S(i) = ⟨p_i, q⟩ with the one query q = (1/n) Σ_j w_j p_j: exactly the
    published ranking without the m×m similarity matrix (doi 10.1145/3565472.3592964). Rated works without a vector
    in the index do not count, neither in the sum nor in n.
    """

    def __init__(self, index: Index, name: str | None = None) -> None:
        super().__init__(index, name or index.card.encoder)
        self.index = index
        self._scored: WeakKeyDictionary[Profile, QueryScores] = WeakKeyDictionary()  # a list asks for it several times

    def scored(self, profile: Profile) -> "QueryScores":
        found = self._scored.get(profile)
        if found is None:
            found = self._scored[profile] = self._query_scores(profile)
        return found

    def _query_scores(self, profile: Profile) -> "QueryScores":
        rated, weights = known_ratings(profile, self, self.name)
        vectors = self.index.vectors_of(rated).astype(np.float64)
        query: Scores = np.einsum("j,jd->d", weights, vectors) / len(rated)
        return QueryScores(tuple(rated), weights, self.index, vectors, query)


@dataclass(frozen=True, eq=False)
class QueryScores(ScoredWorks):
    """The inner products of an index's works with one query.

    Attributes:
        vectors: of the rated works, float64 (r, dim).
        query: (1/r) Σ_j w_j p_j, float64 (dim,).
    """

    index: Index
    vectors: Floats
    query: Scores

    @cached_property
    def floor(self) -> float:
        return PRECISION * float(np.abs(self.weights).mean())

    def best(self, k: int, allow: Allow) -> Ranking:
        return self.index.search(self.query, k, allow)[0]

    def lowest(self, allow: Allow) -> float:
        found = self.index.search(-self.query, 1, allow)[0]
        return -float(found.scores[0]) if len(found) else np.inf

    def scores_of(self, item_ids: Sequence[str]) -> Scores:
        # Not a matrix product, whose sums depend on its shape: works with equal vectors have equal scores.
        scores: Scores = np.einsum("ij,j->i", self.index.vectors_of(item_ids).astype(np.float64), self.query)
        return scores

    def terms_of(self, item_ids: Sequence[str]) -> Floats:
        works = self.index.vectors_of(item_ids).astype(np.float64)
        terms: Floats = works @ self.vectors.T * self.weights / len(self.rated)
        return terms

    def moments(self) -> tuple[float, float]:
        means, deviations = self.index.moments().of_scores(self.query)
        return float(means[0]), float(deviations[0])
