"""What every recommender promises, and what a reason is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vernissage.errors import RequestError
from vernissage.profiles.ratings import Profile
from vernissage.values import Ranking, Scores


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rated work adds to a recommended one's score: "because you liked X"."""

    item_id: str
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class EngineShare:
    """What one engine of a fusion adds to a work's score, and the rank (from 1) that it gave; 0 when it gave none."""

    engine: str
    rank: int
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a work is recommended.

    Attributes:
        reasons: one for each rated work that counted; their contributions add up to ``score``.
        shares: one for each engine of a fusion; they add up to ``score`` too. Empty without a fusion.
    """

    item_id: str
    score: float
    reasons: tuple[Reason, ...]
    shares: tuple[EngineShare, ...] = ()


@runtime_checkable
class Recommender(Protocol):
    """Ranks works for a profile. The profile is an argument, so a newcomer needs no training.

    Rated works are never recommended back. Ties go to the smaller id. What a recommender cannot judge at all (none
    of the rated works is known to it) is a `RequestError` that says so.
    """

    @property
    def name(self) -> str: ...

    @property
    def item_ids(self) -> Sequence[str]:
        """The works that it can recommend."""
        ...

    def scores(self, profile: Profile) -> Scores:
        """The score of each of ``item_ids``, rated ones included: float64 (n,)."""
        ...

    def recommend(self, profile: Profile, n: int, *, among: Collection[str] | None = None) -> Ranking:
        """The ``n`` best works that were not rated, only those in ``among`` if given; fewer if fewer exist."""
        ...

    def explain(
        self, profile: Profile, item_ids: Sequence[str], *, among: Collection[str] | None = None
    ) -> list[Explanation]:
        """Why each of ``item_ids`` has its score, in the same order."""
        ...


def nothing_known(profile: Profile, name: str) -> RequestError:
    """The error of a recommender that knows none of the rated works."""
    listed = ", ".join(profile.item_ids[:5])
    return RequestError(
        f"{name} knows none of the rated works ({listed}): they have no text or picture that it can read; rate other "
        f"works or choose another engine"
    )
