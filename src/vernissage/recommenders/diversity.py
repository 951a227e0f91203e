"""Fewer works of one kind: re-ranking by maximal marginal relevance."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from pyversity import mmr

from vernissage.errors import RequestError
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Explanation, Recommender
from vernissage.search.vectors import VectorTable
from vernissage.values import Ranking, Scores, Vectors


def marginal_order(vectors: Vectors, scores: Scores, n: int, diversity: float) -> npt.NDArray[np.int64]:
    """The rows of ``n`` works, each picked so that it differs from those before it: int64 (n,).

    Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998, doi 10.1145/290941.291025) picks, one by one, the
    work with the highest (1 − diversity) · relevance − diversity · (highest similarity to a work already picked).
    Relevance is ``scores`` (m,) brought to [0, 1]; similarity is the cosine of ``vectors`` (m, dim). Fewer come back
    where fewer exist.
    """
    if not len(scores):
        return np.empty(0, dtype=np.int64)
    spread = float(np.ptp(scores))
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    picked = mmr(vectors, relevance, k=min(n, len(scores)), diversity=diversity).indices
    return np.asarray(picked, dtype=np.int64)


def check_diversity(diversity: float) -> None:
    """Refuse a diversity outside 0 to 1.

    Raises:
        RequestError: it is.
    """
    if not 0 <= diversity <= 1:
        raise RequestError(f"diversity goes from 0 (relevance alone) to 1 (difference alone), but is {diversity:g}")


class Diversified:
    """Re-ranks a recommender's first works so that each differs from those before it (see `marginal_order`).

    Similarity is the cosine of the works' vectors in all ``tables`` together. The pool are the recommender's first
    ``pool`` works, at least ten times as many as are asked for. The scores stay the recommender's own, so its reasons
    still add up to them.
    """

    def __init__(
        self, recommender: Recommender, tables: Sequence[VectorTable], *, diversity: float = 0.3, pool: int = 100
    ) -> None:
        check_diversity(diversity)
        if pool < 1:
            raise RequestError(f"the pool of a re-ranking must hold 1 work or more, but is {pool}")
        self.recommender = recommender
        self.tables = tuple(tables)
        self.diversity = diversity
        self.pool = pool

    @property
    def name(self) -> str:
        return self.recommender.name

    @property
    def item_ids(self) -> Sequence[str]:
        return self.recommender.item_ids

    def scores(self, profile: Profile) -> Scores:
        """The recommender's own scores."""
        return self.recommender.scores(profile)

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` works that marginal relevance picks, in that order (see `Recommender.recommend`)."""
        if n < 1:
            raise RequestError(f"{n} works were asked for; ask for 1 or more")
        pool = self.recommender.recommend(profile, max(n * 10, self.pool), among=among)
        picked = marginal_order(self._vectors(pool.item_ids), pool.scores, n, self.diversity)
        return Ranking(tuple(pool.item_ids[row] for row in picked), pool.scores[picked])

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """The recommender's own reasons."""
        return self.recommender.explain(profile, item_ids, among=among)

    def _vectors(self, item_ids: Sequence[str]) -> Vectors:
        """The works' vectors in all tables side by side, zero where a table lacks the work: float32 (n, dims)."""
        return np.concatenate([_rows_or_zero(table, item_ids) for table in self.tables], axis=1)


def _rows_or_zero(table: VectorTable, item_ids: Sequence[str]) -> Vectors:
    vectors = np.zeros((len(item_ids), table.dim), dtype=np.float32)
    for row, item_id in enumerate(item_ids):
        if item_id in table.row_of:
            vectors[row] = table.vectors[table.row_of[item_id]]
    return vectors
