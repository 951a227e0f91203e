"""What every recommender for rated works promises, what a reason is, and what a fusion asks of its engines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.sentences import Sentence
from vernissage.values import EVERYTHING, Allow, Index, Ranking, Scores

Why = TypeVar("Why")


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rated work adds to a recommended one's score: "because you liked X"."""

    item_id: str
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class EngineShare:
    """What one engine of a fusion adds to a work's score, and the rank (from 1) that it gave; 0 when it gave none.

    Works of equal score are of equal rank. Fusions by scores tell ranks among an engine's first 200 works.
    """

    engine: str
    rank: int
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a work is recommended.

    Attributes:
        reasons: one for each rated work that counted, the largest contribution first; they add up to ``score``.
        shares: one for each engine of a fusion; they add up to ``score`` too. Empty without a fusion.
    """

    item_id: str
    score: float
    reasons: tuple[Reason, ...]
    shares: tuple[EngineShare, ...] = ()


@dataclass(frozen=True, eq=False)
class Recommendation(Generic[Why]):
    """Works in order and, when asked for, why; made from what the ranking was computed from, which is not ranked again.

    Attributes:
        explain: from ids of works of the ranking to an explanation each, in that order; to none without reasons.
        notes: what a person should know, such as an engine that was left out because it knows none of the rated works.
    """

    ranking: Ranking
    explain: Callable[[Sequence[str]], tuple[Why, ...]] = lambda _: ()
    notes: tuple[str, ...] = ()

    @cached_property
    def explanations(self) -> tuple[Why, ...]:
        """Why each work of the ranking is there, in its order."""
        return self.explain(self.ranking.item_ids)


@runtime_checkable
class Recommender(Protocol):
    """Ranks works for a profile. The profile is an argument, so a newcomer needs no training.

    Rated works never come back. Exactly n works do where so many are known and allowed, and n + 1 extend n, so that a
    caller may ask for growing numbers. Ties go to the smaller id.
    """

    @property
    def name(self) -> str: ...

    def __contains__(self, item_id: object) -> bool:
        """Whether it can judge that work."""
        ...

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        """How many works could come back."""
        ...

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        """The ``n`` best works of those that are allowed and were not rated.

        Raises:
            RequestError: n is below 1, or none of the rated works is known.
            RatingsError: those that are known weigh 0.
        """
        ...


@dataclass(frozen=True, eq=False)
class ScoredWorks(ABC):
    """What one engine makes of one profile: the score of any work, and works in the order of it.

    Attributes:
        rated: the rated works that count, (r,).
        weights: theirs, float64 (r,).
    """

    rated: tuple[str, ...]
    weights: Scores

    @property
    @abstractmethod
    def floor(self) -> float:
        """Scores that differ by no more differ by rounding."""

    @abstractmethod
    def best(self, k: int, allow: Allow) -> Ranking:
        """The ``k`` works of the highest score; ties by id."""

    @abstractmethod
    def lowest(self, allow: Allow) -> float:
        """The lowest score of an allowed work; infinity where none is."""

    @abstractmethod
    def scores_of(self, item_ids: Sequence[str]) -> Scores:
        """The scores of works that the engine knows, float64 (n,), equal wherever the work stands."""

    @abstractmethod
    def terms_of(self, item_ids: Sequence[str]) -> npt.NDArray[np.float64]:
        """What each rated work adds to these scores, float64 (n, r)."""

    @abstractmethod
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the scores of all works, rated ones included, whatever is allowed."""


class Engine(ABC):
    """A recommender whose score is a sum over the rated works: it can stand alone or be part of a fusion."""

    def __init__(self, works: Index | ListedWorks, name: str) -> None:
        self.works = works
        self.name = name

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.works

    def size(self, allow: Allow = EVERYTHING) -> int:
        """How many works are allowed, rated ones included."""
        return self.works.count(allow)

    def first_ids(self, k: int, allow: Allow = EVERYTHING) -> tuple[str, ...]:
        """The ``k`` allowed works of the smallest ids."""
        return first_ids(self.works, k, allow)

    @abstractmethod
    def scored(self, profile: Profile) -> ScoredWorks:
        """The scores of works for that profile; errors as in `Recommender.recommend`."""

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        return self.size(allow.without(profile.item_ids))

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        require_count(n)
        scored = self.scored(profile)
        ranking = scored.best(n, allow.without(profile.item_ids))
        notes = unread_notes(profile, self)
        if len(ranking) and abs(ranking.scores[0]) <= scored.floor:
            notes += (Sentence("{engine} finds nothing that resembles the rated works", engine=self.name),)
        return Recommendation(ranking, lambda item_ids: explained(scored, item_ids), notes)


def explained(scored: ScoredWorks, item_ids: Sequence[str]) -> tuple[Explanation, ...]:
    """Explanations by the terms of each work's score."""
    terms = scored.terms_of(item_ids)
    return tuple(
        Explanation(item_id, float(row.sum()), reasons(scored.rated, scored.weights, row))
        for item_id, row in zip(item_ids, terms, strict=True)
    )


def reasons(rated: Sequence[str], weights: Scores, contributions: Scores) -> tuple[Reason, ...]:
    """One reason for each rated work, the largest contribution first, then by id."""
    found = sorted(zip((-contributions).tolist(), rated, weights.tolist(), strict=True))
    return tuple([Reason(item_id, weight, -negative) for negative, item_id, weight in found])


def known_ratings(profile: Profile, known: "Engine | Recommender", name: str) -> tuple[list[str], Scores]:
    """The rated works that are known, and their weights.

    Raises:
        RequestError: none is.
        RatingsError: they weigh 0, so they would rank nothing.
    """
    places = [place for place, item_id in enumerate(profile.item_ids) if item_id in known]
    if not places:
        listed = ", ".join(profile.item_ids[:5])
        raise RequestError(
            f"{name} knows none of the rated works ({listed}): they have no text or picture that it can read; rate "
            f"other works or choose another engine"
        )
    rated, weights = [profile.item_ids[place] for place in places], profile.weights[places]
    if not weights.any():
        raise RatingsError(
            f"of the rated works only {', '.join(rated[:5])} can be read by {name}, and the rule {profile.rule} counts "
            f"their ratings as 0, so nothing speaks for any work; rate other works higher, or choose another engine"
        )
    return rated, weights


def unread_notes(profile: Profile, known: "Engine | Recommender") -> tuple[str, ...]:
    """A note of the rated works that do not count because they are not known, or none."""
    unread = tuple(item_id for item_id in profile.item_ids if item_id not in known)
    told = "{engine} cannot read these rated works, so they do not count: {ids}"
    return (Sentence(told, engine=known.name, ids=unread),) if unread else ()


def first_ids(works: Index | ListedWorks, k: int, allow: Allow) -> tuple[str, ...]:
    """The ``k`` allowed works of the smallest ids: to a query of zeros all are equal, and ties go to the smaller id."""
    if isinstance(works, ListedWorks):
        return works.best(np.zeros(len(works)), k, allow).item_ids
    return works.search(np.zeros((1, works.card.dim)), k, allow)[0].item_ids


def require_count(n: int) -> None:
    """Refuse a request for no works by a `RequestError`."""
    if n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
