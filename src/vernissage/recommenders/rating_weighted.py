"""Works that resemble what a person rated highly, by one inner-product query."""

from collections.abc import Collection, Sequence

import numpy as np

from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Explanation, Reason, nothing_known
from vernissage.search.exact import ExactIndex
from vernissage.values import Ranking, Scores


class RatingWeightedSimilarity:
    """S(i) = (1/n) Σ_j w_j ⟨p_i, p_j⟩ over the n rated works: Eq. 1 of Yilma & Leiva, UMAP 2023.

    Because the inner product is linear, S(i) = ⟨p_i, q⟩ with the one query q = (1/n) Σ_j w_j p_j: exactly the
    published ranking without the m×m similarity matrix (doi 10.1145/3565472.3592964). Rated works without a vector
    in the index do not count, neither in the sum nor in n.
    """

    def __init__(self, index: ExactIndex, name: str | None = None) -> None:
        self.index = index
        self.name = name or index.table.card.encoder

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.index.item_ids

    def query(self, profile: Profile) -> Scores:
        """q = (1/n) Σ_j w_j p_j in double precision, float64 (dim,).

        Raises:
            RequestError: the index has none of the rated works.
        """
        rated, weights = self._known(profile)
        vectors = self.index.table.vectors[rated].astype(np.float64)
        query: Scores = np.einsum("j,jd->d", weights, vectors) / len(rated)
        return query

    def scores(self, profile: Profile) -> Scores:
        """S of every work of the index, rated ones included: float64 (n,)."""
        return self.index.scores(self.query(profile))

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` works with the highest S that were not rated (see `Recommender.recommend`)."""
        return self.index.search(self.query(profile), n, exclude=profile.item_ids, among=among)

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """The terms w_j⟨p_i,p_j⟩/n of each work's score, largest first; they add up to it.

        Raises:
            UnknownItemError: a work has no vector in the index.
        """
        rated, weights = self._known(profile)
        table = self.index.table
        works = table.vectors[table.rows(item_ids)].astype(np.float64)
        terms = works @ table.vectors[rated].astype(np.float64).T * weights / len(rated)
        return [
            Explanation(item_id, float(row.sum()), self._reasons(rated, weights, row))
            for item_id, row in zip(item_ids, terms, strict=True)
        ]

    def _reasons(self, rated: list[int], weights: Scores, terms: Scores) -> tuple[Reason, ...]:
        reasons = [
            Reason(self.item_ids[row], float(weight), float(term))
            for row, weight, term in zip(rated, weights, terms, strict=True)
        ]
        return tuple(sorted(reasons, key=lambda reason: (-reason.contribution, reason.item_id)))

    def _known(self, profile: Profile) -> tuple[list[int], Scores]:
        """The rows and weights of the rated works that the index has."""
        row_of = self.index.table.row_of
        known = [place for place, item_id in enumerate(profile.item_ids) if item_id in row_of]
        if not known:
            raise nothing_known(profile, self.name)
        return [row_of[profile.item_ids[place]] for place in known], profile.weights[known]
