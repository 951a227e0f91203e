"""Several engines, each judging by its own representation, become one recommender."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt

from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile
from vernissage.rankings import fusion_weights, nth_largest, reciprocal_ranks, total
from vernissage.recommenders.contract import (
    Engine,
    EngineShare,
    Explanation,
    Recommendation,
    ScoredWorks,
    known_ratings,
    reasons,
    require_count,
    unread_notes,
)
from vernissage.sentences import Sentence
from vernissage.values import EVERYTHING, Allow, Ranking, Scores

FusionMethod = Literal["rrf", "minmax", "zscore"]
Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_READ = 200
"""Works of each engine that are read at first; fusions by scores tell and compare ranks among these."""
_FASTER = 4
"""How many times as many works are read of each engine where the first did not decide."""
_LOOKED_UP = 64
"""Works that are looked up at once: most answers need no more."""


class LateFusion:
    """Fuses the rankings of several engines: late fusion of Yilma & Leiva, UMAP 2023, section 4.3.

    ``rrf`` adds weight/(k + rank) over the engines, ranks being among the works that are allowed and were not rated;
    ``depth=n`` looks at the first n works of each (*partial*), ``depth=None`` at all (*total*). Works of equal score
    share the mean of weight/(k + rank). Without a rank are works that the depth divides from others of equal score, and
    at the end of an engine's list those whose scores are rounding; works that no engine ranks come last, by id.

    ``zscore`` and ``minmax`` add the engines' weighted normalised scores: (s − μ)/σ over *all* works of the engine,
    whatever is allowed and rated, or (s − lowest)/(highest − lowest) among the works that may come back (Bruch, Gai and
    Ingber, TOIS 42, 2023, doi 10.1145/3596512). The weights of these add up to 1. An engine that does not know a work
    gives it nothing.

    A weight of 0 leaves an engine out. So is an engine that knows none of the rated works, or only such as weigh 0, and
    one to which all works are equally like them; the answer's notes say so. Ties go to the best single rank, then to
    the smaller id.

    No engine is asked for the scores of all its works. Lists grow until no work further down can be among the best:
    for scores by the threshold algorithm (Fagin, Lotem and Naor, JCSS 66, 2003, doi 10.1016/S0022-0000(03)00026-6). The
    answer is that of scoring everything, where the engines' lists are exact.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
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

    def __contains__(self, item_id: object) -> bool:
        return any(item_id in engine for engine in self.engines)

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        """How many works could come back: those of the engines that know a rated work."""
        allowed = allow.without(profile.item_ids)
        engines = [engine for engine in self.engines if _knows(engine, profile)]
        if not engines:
            self._refuse(profile)
        if self._same_works:
            return engines[0].size(allowed)
        return len(set().union(*(engine.first_ids(max(1, engine.size(allowed)), allowed) for engine in engines)))

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        """As `Recommender.recommend`; also a `RequestError` where all works are equally like the rated ones to all."""
        require_count(n)
        parts, unheard = self._parts(profile, allow.without(profile.item_ids))
        length = max(_READ, n) + 1 if self.depth is None else self.depth + 1
        for part in parts:
            part.read(length)
        indifferent = [part for part in parts if part.indifferent]
        if len(indifferent) == len(parts):
            raise RequestError(
                f"to {' and '.join(part.engine.name for part in parts)} all works are equally like the rated ones, so "
                f"none can be recommended; rate other works, or choose another engine"
            )
        for part in indifferent:
            part.weight = 0.0
        fused = self._fused(parts, n)
        names = [part.engine.name for part in indifferent]
        told = "to {engine} all works are equally like the rated ones, so it was left out"
        notes = [Sentence(told, engine=name) for name in names]
        return Recommendation(fused.ranking, fused.explain, (*unheard, *notes, *unread_notes(profile, self)))

    def _parts(self, profile: Profile, allow: Allow) -> tuple[list["_Part"], list[str]]:
        """The engines that can judge, and notes of those that cannot."""
        parts, notes = list[_Part](), list[str]()
        for engine, weight in zip(self.engines, self.weights.tolist(), strict=True):
            if not _knows(engine, profile):
                notes.append(Sentence("{engine} knows none of the rated works and was left out", engine=engine.name))
                continue
            try:
                scored = engine.scored(profile)
            except RatingsError:
                told = "the rated works that {engine} knows weigh 0, so it was left out"
                notes.append(Sentence(told, engine=engine.name))
                continue
            parts.append(_Part(engine, scored, weight, allow, EVERYTHING.without(profile.item_ids), engine.size(allow)))
        if not parts:
            self._refuse(profile)
        return parts, notes

    def _refuse(self, profile: Profile) -> NoReturn:
        known_ratings(profile, self, " and ".join(engine.name for engine in self.engines))
        raise RatingsError(
            f"the rated works that each engine of {self.name} knows weigh 0, so nothing speaks for any work; rate "
            f"other works higher"
        )

    @cached_property
    def _same_works(self) -> bool:
        """Whether all engines know the same works, so that one can count them."""
        size = self.engines[0].size()
        if any(engine.size() != size for engine in self.engines):
            return False
        return len({engine.first_ids(max(1, size)) for engine in self.engines}) == 1

    def _fused(self, parts: Sequence["_Part"], n: int) -> "_Fused":
        """Fuse parts of which the first works were read."""
        lists: list[_List]
        if self.method == "rrf":
            lists = [_RankedList(part, self.k, self.depth) for part in parts if part.weight]
        else:
            whole = sum(part.weight for part in parts)
            lists = [_ScoredList(part, self.method, part.weight / whole) for part in parts]
        ids = _contenders(lists, n)
        found = [each.look_up(ids) for each in lists]
        shares, judged = np.array([each[0] for each in found]), np.array([each[1] for each in found])
        ranks = np.array([each.ranks_of(ids) for each in lists])
        scores, best = total(shares), np.where(ranks > 0, ranks, np.iinfo(np.int64).max).min(axis=0)
        order = sorted(range(len(ids)), key=lambda row: (-scores[row], best[row], ids[row]))[:n]
        ids, shares, judged, ranks = [ids[row] for row in order], shares[:, order], judged[:, order], ranks[:, order]
        if len(ids) < n and self.method == "rrf":
            # Every list was read to its end, so no other work has a rank in any.
            first = (part.engine.first_ids(n, part.allow) for part in parts)
            rest = sorted(frozenset().union(*first) - frozenset(ids))[: n - len(ids)]
            shares, judged, ranks = (np.pad(each, ((0, 0), (0, len(rest)))) for each in (shares, judged, ranks))
            ids += rest
        return _Fused([each.part for each in lists], tuple(ids), shares, ranks, judged)


def _contenders(lists: Sequence["_List"], n: int) -> list[str]:
    """Works among which are the ``n`` of the largest sums of shares, from lists that are read no further than needed.

    A work's sum is at most what the lists tell of it and, for those that have not shown it, the share at their ends.
    Works are looked up in the order of that bound, as long as it reaches the n-th largest sum that is known.
    """
    slack = sum(each.slack for each in lists)
    while True:
        row_of: dict[str, int] = {}
        rows = [[row_of.setdefault(item_id, len(row_of)) for item_id in each.item_ids] for each in lists]
        ids, ends = list(row_of), np.array([[each.end] for each in lists])
        shares = np.full((len(lists), len(ids)), np.nan)
        for own, each, shown in zip(shares, lists, rows, strict=True):
            own[shown] = each.shares
        bounds = np.where(np.isnan(shares), ends, shares).sum(axis=0)
        order, sums = np.argsort(-bounds, kind="stable"), np.full(len(ids), np.nan)
        looked, least = 0, -np.inf
        while looked < len(ids) and bounds[order[looked]] + slack >= least:
            some = order[looked : looked + max(n, looked, _LOOKED_UP)]
            for own, each in zip(shares, lists, strict=True):
                missing = some[np.isnan(own[some])]
                own[missing] = each.look_up([ids[row] for row in missing.tolist()])[0]
            bounds[some] = np.where(np.isnan(shares[:, some]), ends, shares[:, some]).sum(axis=0)
            sums[some] = shares[:, some].sum(axis=0)
            looked += len(some)
            least = nth_largest(sums[~np.isnan(sums)], n)
        hopeful = order[:looked][bounds[order[:looked]] + slack >= least]
        settled = least > ends.sum() + slack and not np.isnan(sums[hopeful]).any()
        if settled or all(each.decided for each in lists):
            return [ids[row] for row in hopeful.tolist()]
        for each in lists:
            each.read(_FASTER * len(each.part.ranking))


@dataclass
class _Part:
    """One engine of a fusion for one request; its weight is 0 where it makes no difference between works.

    Attributes:
        allow: which works may come back.
        unrated: every work but those that were rated.
        size: how many are allowed.
        ranking: those that were read so far, best first.
    """

    engine: Engine
    scored: ScoredWorks
    weight: float
    allow: Allow
    unrated: Allow
    size: int
    ranking: Ranking = field(default_factory=lambda: Ranking((), np.empty(0)))

    @property
    def whole(self) -> bool:
        """Whether all works were read."""
        return len(self.ranking) >= self.size

    @property
    def last(self) -> float:
        """The score of the last work that was read; 0 where none was."""
        return float(self.ranking.scores[-1]) if len(self.ranking) else 0.0

    def read(self, length: int) -> None:
        """Read on until so many works were read, or all."""
        if not self.whole and length > len(self.ranking):
            self.ranking = self.scored.best(self.size if _FASTER * length > self.size else length, self.allow)

    @cached_property
    def lowest(self) -> float:
        """The lowest score of any work that was not rated."""
        return self.scored.lowest(self.unrated)

    @property
    def indifferent(self) -> bool:
        """Whether all works that were not rated, if there are several, have the same score but for rounding."""
        if len(self.ranking) and self.ranking.scores[0] - self.last > self.scored.floor:
            return False
        best = self.scored.best(2, self.unrated)
        return len(best) > 1 and float(best.scores[0]) - self.lowest <= self.scored.floor

    def scale(self, method: FusionMethod) -> tuple[float, float]:
        """What is taken off scores, and what they are then multiplied by; 0 where they do not differ."""
        if method == "zscore":
            offset, spread = self.scored.moments()
        else:
            offset = self.scored.lowest(self.allow) if self.size else 0.0
            spread = float(self.ranking.scores[0]) - offset if self.size else 0.0
        return (offset, 1 / spread) if spread > self.scored.floor else (0.0, 0.0)

    def scores_of(self, item_ids: Sequence[str]) -> Scores:
        """The scores of works, float64 (n,); not a number where the engine does not know one."""
        known = [row for row, item_id in enumerate(item_ids) if item_id in self.engine]
        scores = np.full(len(item_ids), np.nan)
        if known:
            scores[known] = self.scored.scores_of([item_ids[row] for row in known])
        return scores


class _List(ABC):
    """What a part gives to works, as far as its list was read.

    Attributes:
        item_ids, shares: the works that the list has shown, and their shares, float64 (n,).
        end: what another work could get at most.
        decided: whether others get nothing.
        slack: how far shares can be off.
    """

    item_ids: tuple[str, ...]
    shares: Scores
    end: float
    decided = False
    slack: float

    def __init__(self, part: _Part) -> None:
        self.part = part
        self._rate()

    def read(self, length: int) -> None:
        """Read on until so many works were read, or all."""
        if not self.decided:
            self.part.read(length)
            self._rate()

    @abstractmethod
    def _rate(self) -> None:
        """Set the attributes by what was read."""

    @abstractmethod
    def look_up(self, item_ids: Sequence[str]) -> tuple[Scores, Mask]:
        """The shares of works, float64 (n,), not a number where that is still open, and where the part judges them."""

    @abstractmethod
    def ranks_of(self, item_ids: Sequence[str]) -> list[int]:
        """The ranks that the part gives to works; 0 for none."""


class _ScoredList(_List):
    """A part that gives normalised scores: (score − offset) · factor."""

    def __init__(self, part: _Part, method: FusionMethod, weight: float) -> None:
        self.offset, scale = part.scale(method)
        self.factor = weight * scale
        # A search and a look-up may differ in the last digits.
        self.slack = part.scored.floor * self.factor
        super().__init__(part)

    def _rate(self) -> None:
        self.item_ids = self.part.ranking.item_ids
        self.shares = (self.part.ranking.scores - self.offset) * self.factor
        self.decided = self.part.whole
        # The part may not know another work, and then gives it nothing.
        self.end = 0.0 if self.decided else max(0.0, float(self.shares[-1]))

    def look_up(self, item_ids: Sequence[str]) -> tuple[Scores, Mask]:
        scores = self.part.scores_of(item_ids)
        judged = ~np.isnan(scores) & (self.factor > 0)
        return np.where(judged, (scores - self.offset) * self.factor, 0.0), judged

    def ranks_of(self, item_ids: Sequence[str]) -> list[int]:
        head = self.part.ranking.head(_READ + 1)
        ranks, _ = reciprocal_ranks(head.scores, 0, cut=self.part.size > _READ, floor=self.part.scored.floor)
        found = dict(zip(head.item_ids, ranks.tolist(), strict=True))
        return [found.get(item_id, 0) for item_id in item_ids]


class _RankedList(_List):
    """A part that gives weight/(k + rank) to works whose ranks are settled by what was read."""

    slack = 1e-12

    def __init__(self, part: _Part, k: float, depth: int | None) -> None:
        self.k = k
        self.depth = depth
        super().__init__(part)

    def _rate(self) -> None:
        part, floor = self.part, self.part.scored.floor
        head = part.ranking if self.depth is None else part.ranking.head(self.depth + 1)
        cut = len(head) < part.size if self.depth is None else len(head) > self.depth
        # Once scores are down to rounding, and none is below that, no work further down has a rank.
        self.decided = not cut or self.depth is not None or (part.last <= floor and part.lowest >= -floor)
        ranks, values = reciprocal_ranks(head.scores, self.k, cut=cut, floor=floor)
        known = int(np.count_nonzero(ranks))
        self.item_ids = head.item_ids[:known]
        self.shares = values[:known] * part.weight
        self.end = 0.0 if self.decided else part.weight / (self.k + known + 1)
        self._row_of = {item_id: row for row, item_id in enumerate(self.item_ids)}
        self._ranks = ranks[:known].tolist()

    def look_up(self, item_ids: Sequence[str]) -> tuple[Scores, Mask]:
        judged = np.array([item_id in self._row_of for item_id in item_ids], dtype=bool)
        return np.array([self._share(item_id) for item_id in item_ids], dtype=np.float64), judged

    def ranks_of(self, item_ids: Sequence[str]) -> list[int]:
        return [self._ranks[self._row_of[item_id]] if item_id in self._row_of else 0 for item_id in item_ids]

    def _share(self, item_id: str) -> float:
        if item_id in self._row_of:
            return float(self.shares[self._row_of[item_id]])
        return 0.0 if self.decided or item_id not in self.part.engine else np.nan


@dataclass(frozen=True, eq=False)
class _Fused:
    """The works of an answer, best first, with what each part gives them.

    Attributes:
        shares, ranks: float64 and int64 (parts, n); rank 0 stands for none.
        judged: bool (parts, n), where a part has reasons for its share.
    """

    parts: Sequence[_Part]
    item_ids: tuple[str, ...]
    shares: Floats
    ranks: Ranks
    judged: Mask

    @cached_property
    def ranking(self) -> Ranking:
        return Ranking(self.item_ids, total(self.shares))

    def explain(self, item_ids: Sequence[str]) -> tuple[Explanation, ...]:
        """Each engine's share, and each rated work's part of these shares; both add up to the score."""
        row_of = {item_id: row for row, item_id in enumerate(self.item_ids)}
        rows = [row_of[item_id] for item_id in item_ids]
        weights: dict[str, float] = {}
        for part in self.parts:
            weights.update(zip(part.scored.rated, part.scored.weights.tolist(), strict=True))
        place_of = {item_id: place for place, item_id in enumerate(weights)}
        terms, counted = np.zeros((len(rows), len(weights))), np.zeros((len(rows), len(weights)), dtype=bool)
        for part, shares, judged in zip(self.parts, self.shares[:, rows], self.judged[:, rows], strict=True):
            own = np.flatnonzero(judged)
            if len(own):
                cells = np.ix_(own, np.array([place_of[item_id] for item_id in part.scored.rated]))
                terms[cells] += _divided(part.scored, [item_ids[place] for place in own.tolist()], shares[own])
                counted[cells] = True
        rated, weighing = np.array(list(weights), dtype=object), np.array(list(weights.values()))
        return tuple(
            Explanation(
                item_id,
                float(self.ranking.scores[row]),
                reasons(rated[some].tolist(), weighing[some], own[some]),
                self._engine_shares(row),
            )
            for item_id, row, own, some in zip(item_ids, rows, terms, counted, strict=True)
        )

    def _engine_shares(self, row: int) -> tuple[EngineShare, ...]:
        rows = zip(self.parts, self.ranks, self.shares, strict=True)
        return tuple(
            [
                EngineShare(part.engine.name, int(ranks[row]), float(own[row]))
                for part, ranks, own in rows
                if part.weight
            ]
        )


def _divided(scored: ScoredWorks, item_ids: Sequence[str], shares: Scores) -> Floats:
    """Divide shares (n,) among the rated works in proportion to their terms of the engine's own scores: (n, r).

    Where the terms cancel to nothing there is no proportion, and the weights' sizes take their place.
    """
    sizes = scored.terms_of(item_ids)
    cancelled = np.abs(sizes.sum(axis=1)) <= 1e-9 * np.abs(sizes).sum(axis=1)
    sizes[cancelled] = np.abs(scored.weights)
    divided: Floats = shares[:, None] * sizes / sizes.sum(axis=1, keepdims=True)
    return divided


def _knows(engine: Engine, profile: Profile) -> bool:
    return any(item_id in engine for item_id in profile.item_ids)
