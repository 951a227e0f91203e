"""Several recommenders, each judging by its own representation, become one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError, UnknownItemError
from vernissage.profiles.ratings import Profile
from vernissage.rankings import (
    Normalisation,
    alphabetical,
    best_rows,
    best_single_rank,
    convex_shares,
    fusion_weights,
    places,
    reciprocal_rank_shares,
    total,
)
from vernissage.recommenders.contract import EngineShare, Explanation, Reason, Recommender, nothing_known
from vernissage.values import Ranking, Scores

FusionMethod = Literal["rrf", "minmax", "zscore"]


@dataclass(frozen=True)
class _Fused:
    """One fusion: the engines that could judge, their ranks int64 (m, n) and shares float64 (m, n), and the sums."""

    engines: list[Recommender]
    ranks: npt.NDArray[np.int64]
    shares: Scores
    scores: Scores


class LateFusion:
    """Fuses the rankings of several recommenders: late fusion of Yilma & Leiva, UMAP 2023, section 4.3.

    ``rrf`` adds weight/(k + rank) over the engines; ``depth=n`` looks at the first n works of each (*partial*),
    ``depth=None`` at all (*total*). ``minmax`` and ``zscore`` add the engines' weighted normalised scores instead,
    over all works. A weight of 0 leaves an engine out. An engine that knows none of the rated works is left out of
    that answer (see `left_out`). Ties go to the best single rank, then to the smaller id.
    """

    def __init__(
        self,
        engines: Sequence[Recommender],
        *,
        depth: int | None = None,
        k: float = 60,
        weights: Sequence[float] | None = None,
        method: FusionMethod = "rrf",
        name: str = "late-fusion",
    ) -> None:
        weighing = fusion_weights(weights, len(engines), k=k, depth=depth)
        if method not in ("rrf", "minmax", "zscore"):
            raise RequestError(f"there is no fusion method {method!r}; choose rrf, minmax or zscore")
        if method != "rrf" and depth is not None:
            raise RequestError(f"a depth of {depth} goes with rrf only; {method} uses the scores of all works")
        used = [number for number, weight in enumerate(weighing) if weight > 0]
        self.engines = [engines[number] for number in used]
        self.weights = weighing[used]
        self.depth = depth
        self.k = k
        self.method: FusionMethod = method
        self.name = name

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """Every work that some engine knows, in alphabetical order."""
        return tuple(sorted(set().union(*(engine.item_ids for engine in self.engines))))

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {item_id: number for number, item_id in enumerate(self.item_ids)}

    @cached_property
    def _rows(self) -> list[npt.NDArray[np.int64]]:
        """For each engine, the rows of its works in ``item_ids``."""
        row = self._row_of
        return [np.array([row[item_id] for item_id in engine.item_ids], dtype=np.int64) for engine in self.engines]

    @cached_property
    def _orders(self) -> list[npt.NDArray[np.int64]]:
        """For each engine, the alphabetical places of its works."""
        return [alphabetical(engine.item_ids) for engine in self.engines]

    def left_out(self, profile: Profile) -> list[str]:
        """The names of engines that know none of the rated works."""
        rated = set(profile.item_ids)
        return [engine.name for engine in self.engines if rated.isdisjoint(engine.item_ids)]

    def scores(self, profile: Profile) -> Scores:
        """The fused score of every work, float64 (n,); rated works, which are not ranked, have 0."""
        return self._fuse(profile, None).scores

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` works with the highest fused score (see `Recommender.recommend`)."""
        if n < 1:
            raise RequestError(f"{n} works were asked for; ask for 1 or more")
        fused = self._fuse(profile, among)
        ranked = (fused.ranks > 0).any(axis=0)
        visible = np.where(ranked, fused.scores, -np.inf)
        best = best_rows(visible, n, best_single_rank(fused.ranks), np.arange(len(visible)))
        return Ranking(tuple(self.item_ids[row] for row in best), fused.scores[best])

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """Each engine's share of a work's score, and each rated work's part of these shares; both add up to it.

        An engine's share is divided among the rated works in proportion to their terms in that engine's own score.

        Raises:
            UnknownItemError: no engine knows a work.
        """
        fused = self._fuse(profile, among)
        unknown = [item_id for item_id in item_ids if item_id not in self._row_of]
        if unknown:
            raise UnknownItemError(f"no engine of {self.name} knows {', '.join(unknown[:5])}; explain works it ranked")
        return [self._explained(profile, fused, item_id, self._row_of[item_id]) for item_id in item_ids]

    def _explained(self, profile: Profile, fused: _Fused, item_id: str, row: int) -> Explanation:
        shares: list[EngineShare] = []
        parts: dict[str, float] = {}
        weights: dict[str, float] = {}
        for number, engine in enumerate(fused.engines):
            share, rank = float(fused.shares[number, row]), int(fused.ranks[number, row])
            shares.append(EngineShare(engine.name, rank, share))
            if rank == 0:
                continue
            for reason, part in _divided(engine.explain(profile, [item_id])[0], share):
                parts[reason.item_id] = parts.get(reason.item_id, 0.0) + part
                weights[reason.item_id] = reason.weight
        reasons = [Reason(rated, weights[rated], part) for rated, part in parts.items()]
        reasons.sort(key=lambda reason: (-reason.contribution, reason.item_id))
        return Explanation(item_id, sum(share.share for share in shares), tuple(reasons), tuple(shares))

    def _fuse(self, profile: Profile, among: Collection[str] | None) -> _Fused:
        missing = set(self.left_out(profile))
        taken = [number for number, engine in enumerate(self.engines) if engine.name not in missing]
        if not taken:
            raise nothing_known(profile, " and ".join(engine.name for engine in self.engines))
        allowed = self._allowed(profile, among)
        scores = np.full((len(taken), len(self.item_ids)), np.nan)
        ranks = np.zeros(scores.shape, dtype=np.int64)
        for place, number in enumerate(taken):
            rows = self._rows[number]
            own = np.where(allowed[rows], self.engines[number].scores(profile), -np.inf)
            order = best_rows(own, len(own) if self.depth is None else self.depth, self._orders[number])
            ranks[place, rows] = places(order, len(own))
            scores[place, rows[order]] = own[order]
        shares = self._shares(ranks, scores, self.weights[taken])
        return _Fused([self.engines[number] for number in taken], ranks, shares, total(shares))

    def _shares(self, ranks: npt.NDArray[np.int64], scores: Scores, weights: Scores) -> Scores:
        if self.method == "rrf":
            return reciprocal_rank_shares(ranks, weights, self.k)
        normalisation: Normalisation = self.method
        return convex_shares(scores, weights, normalisation)

    def _allowed(self, profile: Profile, among: Collection[str] | None) -> npt.NDArray[np.bool_]:
        row = self._row_of
        allowed = np.full(len(row), among is None, dtype=bool)
        allowed[[row[item_id] for item_id in among or () if item_id in row]] = True
        allowed[[row[item_id] for item_id in profile.item_ids if item_id in row]] = False
        return allowed


def _divided(explanation: Explanation, share: float) -> list[tuple[Reason, float]]:
    """Divide an engine's share among its reasons in proportion to their contributions.

    Where the contributions cancel to nothing there is no proportion, and the weights' sizes take their place.
    """
    sizes = np.array([reason.contribution for reason in explanation.reasons])
    if abs(sizes.sum()) <= 1e-9 * np.abs(sizes).sum() or not sizes.any():
        sizes = np.abs([reason.weight for reason in explanation.reasons])
    return list(zip(explanation.reasons, (share * sizes / sizes.sum()).tolist(), strict=True))
