"""What every recommender from uploads promises, and what a reason is there."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.voices import HeardArea
from vernissage.values import Modality, Ranking


@dataclass(frozen=True, slots=True)
class NearUpload:
    """What one upload says for a recommended work.

    Attributes:
        source: the modality of the upload's vector.
        similarity: its cosine to the work.
        contribution: its part of the work's score.
        weight: how much it counts beside others; 1 as a rule.
        z_score: how far the cosine lies above the mean of all works that may come back, in deviations; None where the
            rule takes none. Under `knn3z`, contribution = weight · z_score / 3.
    """

    item_id: str
    source: Modality
    similarity: float
    contribution: float
    weight: float
    z_score: float | None = None


@dataclass(frozen=True, slots=True)
class UploadReason:
    """Why a work is recommended.

    Attributes:
        area: the area of interest, of either modality, that speaks most for the work.
        uploads: those that say most for it, first the one that says most; their contributions and ``rest`` add up to
            ``score``.
        rest: what uploads that are not listed contribute.
    """

    item_id: str
    score: float
    area: HeardArea
    uploads: tuple[NearUpload, ...]
    rest: float


@dataclass(frozen=True, eq=False)
class UploadAnswer:
    """Works of one modality, best first, and a reason for each in the same order."""

    target: Modality
    ranking: Ranking
    reasons: tuple[UploadReason, ...]


@runtime_checkable
class UploadRecommender(Protocol):
    """Ranks the works of one modality for what a person uploaded.

    A person's own works never come back. Exactly n works do where so many are allowed. Ties go to the smaller id.
    """

    @property
    def name(self) -> str: ...

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` best works of modality ``target`` of other people, only those in ``among`` if given."""
        ...
