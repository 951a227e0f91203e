"""Works whose texts fit the pictures that a person rated highly, judged pair by pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from vernissage.profiles.ratings import Profile
from vernissage.rankings import PRECISION
from vernissage.recommenders.contract import Engine, ScoredWorks, known_ratings
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.search.pair_matrix import PairMatrix
from vernissage.values import Allow, Columns, Ranking, Scores

Floats = npt.NDArray[np.float64]


class PairWeightedSimilarity(Engine):
    """S(i) = (1/n) Σ_j w_j A_ji over the n rated works: Eq. 1 of Yilma & Leiva, UMAP 2023, on values of pairs.

    A_ji says how well the picture of the rated work j fits the text of work i, so that the row of each rated work is
    all that is read. A is no inner product, and no single query can stand for the sum
    (doi 10.1145/3565472.3592964, sections 3.3.2 and 4.1). Rated works without a picture or a text do not count,
    neither in the sum nor in n.
    """

    def __init__(self, pairs: PairMatrix, name: str | None = None, columns: Columns | None = None) -> None:
        """Rank by ``pairs``: those of all works, or at least the rows of the works that will be rated."""
        self._works = ListedWorks(pairs.item_ids, columns)
        super().__init__(self._works, name or f"{pairs.card.scorer}-pairs")
        self.pairs = pairs

    def scored(self, profile: Profile) -> "PairScores":
        """As `Engine.scored`; also a `RequestError` where the row of a rated work was not computed."""
        rated, weights = known_ratings(profile, self, self.name)
        return PairScores(tuple(rated), weights, self._works, self.pairs.rows(rated).astype(np.float64))


@dataclass(frozen=True, eq=False)
class PairScores(ScoredWorks):
    """Weighted means of the ``rows`` of rated works, float64 (r, works)."""

    works: ListedWorks
    rows: Floats

    @property
    def floor(self) -> float:
        return PRECISION * float(np.abs(self.weights).mean() * np.abs(self.rows).max(initial=0.0))

    @cached_property
    def _scores(self) -> Scores:
        scores: Scores = np.einsum("j,ji->i", self.weights, self.rows) / len(self.rated)
        return scores

    def best(self, k: int, allow: Allow) -> Ranking:
        return self.works.best(self._scores, k, allow)

    def lowest(self, allow: Allow) -> float:
        return float(self._scores[self.works.allowed(allow)].min(initial=np.inf))

    def scores_of(self, item_ids: Sequence[str]) -> Scores:
        scores: Scores = self._scores[self.works.rows(item_ids)]
        return scores

    def terms_of(self, item_ids: Sequence[str]) -> Floats:
        terms: Floats = self.rows[:, self.works.rows(item_ids)].T * self.weights / len(self.rated)
        return terms

    def moments(self) -> tuple[float, float]:
        return float(self._scores.mean()), float(self._scores.std())


class PairsOnDemand(Engine):
    """`PairWeightedSimilarity` where no matrix was kept: the rows that a profile needs are read when it comes.

    Nine ratings need nine passes of the model for each work. The rows of the last profile are remembered, so that
    asking again for more works does not read them again.
    """

    def __init__(
        self,
        item_ids: Sequence[str],
        read_rows: Callable[[Sequence[str]], PairMatrix],
        name: str,
        columns: Columns | None = None,
    ) -> None:
        """Rank ``item_ids``; ``read_rows`` gives the rows of rated works, such as `search.pairs.pair_rows` does."""
        super().__init__(ListedWorks(item_ids, columns), name)
        self._engine_of = lru_cache(maxsize=1)(lambda rated: PairWeightedSimilarity(read_rows(rated), name, columns))

    def scored(self, profile: Profile) -> PairScores:
        rated, _ = known_ratings(profile, self, self.name)
        return self._engine_of(tuple(rated)).scored(profile)
