"""Works whose texts fit the pictures that a person rated highly, judged pair by pair."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.ratings import Profile
from vernissage.rankings import alphabetical, best_rows
from vernissage.recommenders.contract import Explanation, Reason, nothing_known
from vernissage.search.pair_matrix import PairMatrix
from vernissage.values import Ranking, Scores


class PairWeightedSimilarity:
    """S(i) = (1/n) Σ_j w_j A_ji over the n rated works: Eq. 1 of Yilma & Leiva, UMAP 2023, on values of pairs.

    A_ji says how well the picture of the rated work j fits the text of work i, so that the row of each rated work is
    all that is read. A is no inner product, and no single query can stand for the sum
    (doi 10.1145/3565472.3592964, sections 3.3.2 and 4.1). Rated works without a picture or a text do not count,
    neither in the sum nor in n.
    """

    def __init__(self, pairs: PairMatrix, name: str | None = None) -> None:
        """Rank by ``pairs``: those of all works, or at least the rows of the works that will be rated."""
        self.pairs = pairs
        self.name = name or f"{pairs.card.scorer}-pairs"

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.pairs.item_ids

    @cached_property
    def _alphabetical(self) -> npt.NDArray[np.int64]:
        return alphabetical(self.item_ids)

    def scores(self, profile: Profile) -> Scores:
        """S of every work, rated ones included: float64 (n,).

        Raises:
            RequestError: none of the rated works has a picture and a text, or the row of one was not computed.
        """
        rated, weights = self._known(profile)
        rows = self.pairs.rows(rated).astype(np.float64)
        scores: Scores = np.einsum("j,ji->i", weights, rows) / len(rated)
        return scores

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` works with the highest S that were not rated (see `Recommender.recommend`)."""
        if n < 1:
            raise RequestError(f"{n} works were asked for; ask for 1 or more")
        scores = self.scores(profile)
        visible = np.where(self._allowed(profile, among), scores, -np.inf)
        best = best_rows(visible, n, self._alphabetical)
        return Ranking(tuple(self.item_ids[column] for column in best.tolist()), scores[best])

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """The terms w_j A_ji / n of each work's score, largest first; they add up to it.

        Raises:
            UnknownItemError: a work has no picture or no text.
        """
        rated, weights = self._known(profile)
        columns = self.pairs.columns(item_ids)
        terms = self.pairs.rows(rated)[:, columns].astype(np.float64).T * weights / len(rated)
        return [
            Explanation(item_id, float(row.sum()), _reasons(rated, weights, row))
            for item_id, row in zip(item_ids, terms, strict=True)
        ]

    def _known(self, profile: Profile) -> tuple[list[str], Scores]:
        """The rated works that have pairs, and their weights."""
        known = [place for place, item_id in enumerate(profile.item_ids) if item_id in self.pairs.column_of]
        if not known:
            raise nothing_known(profile, self.name)
        return [profile.item_ids[place] for place in known], profile.weights[known]

    def _allowed(self, profile: Profile, among: Collection[str] | None) -> npt.NDArray[np.bool_]:
        column_of = self.pairs.column_of
        allowed = np.full(len(column_of), among is None, dtype=bool)
        allowed[[column_of[item_id] for item_id in among or () if item_id in column_of]] = True
        allowed[[column_of[item_id] for item_id in profile.item_ids if item_id in column_of]] = False
        return allowed


def _reasons(rated: Sequence[str], weights: Scores, terms: Scores) -> tuple[Reason, ...]:
    reasons = [
        Reason(item_id, float(weight), float(term)) for item_id, weight, term in zip(rated, weights, terms, strict=True)
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.contribution, reason.item_id)))


class PairsOnDemand:
    """`PairWeightedSimilarity` where no matrix was kept: the rows that a profile needs are read when it comes.

    Nine ratings need nine passes of the model for each work. The rows of the last profile are remembered, so that
    recommending and explaining read them once.
    """

    def __init__(self, item_ids: Sequence[str], read_rows: Callable[[Sequence[str]], PairMatrix], name: str) -> None:
        """Rank ``item_ids``; ``read_rows`` gives the rows of rated works, such as `search.pairs.pair_rows` does."""
        self.item_ids = tuple(item_ids)
        self.name = name
        self._read_rows = read_rows
        self._last: tuple[tuple[str, ...], PairWeightedSimilarity] | None = None

    def scores(self, profile: Profile) -> Scores:
        """S of every work, rated ones included: float64 (n,)."""
        return self._for(profile).scores(profile)

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` works with the highest S that were not rated (see `Recommender.recommend`)."""
        return self._for(profile).recommend(profile, n, among=among)

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """As `PairWeightedSimilarity.explain`."""
        return self._for(profile).explain(profile, item_ids, among=among)

    def _for(self, profile: Profile) -> PairWeightedSimilarity:
        if self._last is None or self._last[0] != profile.item_ids:
            known = [item_id for item_id in profile.item_ids if item_id in set(self.item_ids)]
            if not known:
                raise nothing_known(profile, self.name)
            self._last = (profile.item_ids, PairWeightedSimilarity(self._read_rows(known), self.name))
        return self._last[1]
