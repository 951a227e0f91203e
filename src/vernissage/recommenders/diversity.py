"""Fewer works of one kind: re-ranking by maximal marginal relevance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyversity import mmr

from vernissage.errors import RequestError
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Explanation, Recommendation, Recommender, require_count
from vernissage.values import EVERYTHING, Allow, Index, Ranking, Scores, Vectors

CANDIDATES = 100
"""Works that are re-ranked: a fixed number, since the order of so many must not depend on how many are shown."""


def marginal_order(vectors: Vectors, scores: Scores, diversity: float) -> npt.NDArray[np.int64]:
    """The rows of works in an order in which each differs from those before it: int64 (n,).

    Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998, doi 10.1145/290941.291025) picks, one by one, the
    work with the highest (1 − diversity) · relevance − diversity · (highest similarity to a work already picked).
    Relevance is ``scores`` (n,) brought to [0, 1]; similarity is the cosine of ``vectors`` (n, dim).
    """
    if not len(scores):
        return np.empty(0, dtype=np.int64)
    spread = float(np.ptp(scores))
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    picked = mmr(vectors, relevance, k=len(scores), diversity=diversity).indices
    return np.asarray(picked, dtype=np.int64)


def diversified(
    ranking: Ranking, vectors_of: Callable[[Sequence[str]], Vectors], diversity: float, candidates: int = CANDIDATES
) -> Ranking:
    """A ranking whose first ``candidates`` works stand in `marginal_order`; the others follow as they were."""
    head = ranking.head(candidates)
    order = marginal_order(vectors_of(head.item_ids), head.scores, diversity)
    order = np.concatenate([order, np.arange(len(order), len(ranking))])
    return Ranking(tuple(ranking.item_ids[row] for row in order.tolist()), ranking.scores[order])


def check_diversity(diversity: float) -> None:
    """Refuse a diversity outside 0 to 1 by a `RequestError`."""
    if not 0 <= diversity <= 1:
        raise RequestError(f"diversity goes from 0 (relevance alone) to 1 (difference alone), but is {diversity:g}")


@dataclass(frozen=True, eq=False)
class Reranked:
    """What orders or thins out the works of a recommender: to others it is that recommender."""

    recommender: Recommender

    @property
    def name(self) -> str:
        return self.recommender.name

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.recommender

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        return self.recommender.count(profile, allow)


@dataclass(frozen=True, eq=False)
class Diversified(Reranked):
    """Re-ranks a recommender's first ``candidates`` works so that each differs from those before (`marginal_order`).

    Similarity is the cosine of the works' vectors in all ``indexes`` together. Further works follow in the
    recommender's order. Scores stay the recommender's own, so its reasons still add up to them.
    """

    indexes: Sequence[Index]
    diversity: float
    candidates: int = CANDIDATES

    def __post_init__(self) -> None:
        check_diversity(self.diversity)
        if not self.indexes:
            raise RequestError(f"{self.name} compares no vectors, which diversity needs; choose another engine")
        if self.candidates < 1:
            raise RequestError(f"a re-ranking needs 1 candidate or more, but {self.candidates} were asked for")

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        require_count(n)
        found = self.recommender.recommend(profile, max(n, self.candidates), allow)
        ranking = diversified(found.ranking, self._vectors, self.diversity, self.candidates)
        return Recommendation(ranking.head(n), found.explain, found.notes)

    def _vectors(self, item_ids: Sequence[str]) -> Vectors:
        """The works' vectors in all indexes side by side, zero where an index lacks the work: float32 (n, dims)."""
        return np.concatenate([_rows_or_zero(index, item_ids) for index in self.indexes], axis=1)


def _rows_or_zero(index: Index, item_ids: Sequence[str]) -> Vectors:
    vectors = np.zeros((len(item_ids), index.card.dim), dtype=np.float32)
    known = [row for row, item_id in enumerate(item_ids) if item_id in index]
    if known:
        vectors[known] = index.vectors_of([item_ids[row] for row in known])
    return vectors
