"""One list for each modality from a person's uploads, with reasons."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.rankings import total
from vernissage.recommenders.area_searches import Seed, others_works, require_one_space, require_uploads
from vernissage.recommenders.contract import Recommendation, require_count
from vernissage.recommenders.diversity import CANDIDATES, check_diversity, diversified
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.upload_rules import (
    AreaOfInterest,
    Candidates,
    Fused,
    FusionRule,
    WeightedUploads,
    knn3z,
    weighted_uploads,
)
from vernissage.values import EVERYTHING, Allow, Index, Modality, Ranking, Scores

Floats = npt.NDArray[np.float64]
Works = TypeVar("Works", Index, ListedWorks)

_LISTED = 3
"""Uploads that a reason lists."""


@dataclass(frozen=True, slots=True)
class NearUpload:
    """What one upload adds to a recommended work, or a disliked work takes from it.

    Attributes:
        source: the modality of the upload's vector.
        similarity: its cosine to the work.
        contribution: its part of the work's score; below 0 for a disliked work.
        weight: how much it counts beside others; 1 as a rule, below 0 for a disliked work.
    """

    item_id: str
    source: Modality
    similarity: float
    contribution: float
    weight: float


@dataclass(frozen=True, slots=True)
class UploadReason:
    """Why a work is recommended.

    Attributes:
        area: the area of interest, of either modality, that adds most to the work's score, or for which it was taken.
        uploads: those that add most, first the one that adds most, and then disliked works that take from it; their
            contributions and ``rest`` add up to ``score``.
        rest: what uploads that are not listed contribute.
    """

    item_id: str
    score: float
    area: AreaOfInterest
    uploads: tuple[NearUpload, ...]
    rest: float


UploadAnswer = Recommendation[UploadReason]
"""Works of one modality, best first."""


@runtime_checkable
class UploadRecommender(Protocol):
    """Ranks the works of one modality for what a person uploaded.

    A person's own works never come back. Exactly n works do where so many are allowed, and n + 1 extend n. Ties go to
    the smaller id.
    """

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        """How many works of modality ``target`` could come back."""
        ...

    def recommend(self, profile: UploadProfile, target: Modality, n: int, allow: Allow = EVERYTHING) -> UploadAnswer:
        """The ``n`` best works of modality ``target`` of other people, of those that are allowed.

        Raises:
            RequestError: nothing was uploaded or all of it is muted, n is below 1, there is nothing of that modality,
                or uploads and works lie in different spaces.
        """
        ...


@dataclass(frozen=True, eq=False)
class UploadFusion:
    """The list of works of one modality: uploads of both modalities rank them, areas explain.

    ``rule`` is one function (see `FusionRule`): `knn3z`, `csls`, `round_robin`, `rrf`, `mean_vector`, or another. With
    ``diversity`` above 0 the rule's first works are re-ranked by maximal marginal relevance (`marginal_order`). With
    ``at_least`` above 0 each area that is not muted has so many places while places last (`fair_places`). Scores stay
    those of the rule, so that reasons add up. ``indexes`` are of one encoder, whose vectors lie in one space.

    Raises:
        RequestError: a diversity outside 0 to 1, or fewer than 0 places for each area.
    """

    indexes: Mapping[Modality, Index]
    _: KW_ONLY
    rule: FusionRule = knn3z
    seed: Seed = "centroid"
    diversity: float = 0.0
    at_least: int = 0

    def __post_init__(self) -> None:
        check_diversity(self.diversity)
        if self.at_least < 0:
            raise RequestError(f"each area has at least 0 or more places, but {self.at_least} were asked for")

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        return _of_modality(self.indexes, target, "is no index").count(others_works(profile, allow))

    def recommend(self, profile: UploadProfile, target: Modality, n: int, allow: Allow = EVERYTHING) -> UploadAnswer:
        uploads = weighted_uploads(profile, self.seed)
        require_count(n)
        index = _of_modality(self.indexes, target, "is no index")
        require_one_space(index, target, uploads.vectors, uploads.sources[0])
        candidates = Candidates(index, others_works(profile, allow))
        if not len(candidates):
            return Recommendation(Ranking((), np.empty(0)))
        chosen = n if not self.diversity and not self.at_least else max(n, CANDIDATES)
        fused = self.rule(uploads, candidates, min(chosen, len(candidates)))
        answer = _Answer(fused, uploads, candidates)
        ranking = diversified(fused.ranking, index.vectors_of, self.diversity) if self.diversity else fused.ranking
        places = self._fair(answer, ranking)
        ids = (*places, *(item_id for item_id in ranking.item_ids if item_id not in places))[:n]
        answer.area_of.update(places)
        return Recommendation(Ranking(ids, answer.scores(ids)), answer.explain)

    def _fair(self, answer: "_Answer", ranking: Ranking) -> dict[str, int]:
        """The works that take the places kept for areas, in order, each with its area."""
        if not self.at_least:
            return {}
        uploads, count = answer.uploads, len(answer.uploads.areas)
        first = ranking.item_ids[:CANDIDATES]
        bringing: list[list[str]] = [[] for _ in range(count)]
        for item_id, area in zip(first, answer.areas(first).tolist(), strict=True):
            if area >= 0:
                bringing[area].append(item_id)
        # The nearest to each seed, as many as the others can have taken before it has its own.
        searching = np.flatnonzero(uploads.seeds.any(axis=1)).tolist()
        found = answer.candidates.search(uploads.seeds[searching], self.at_least * (count + 1)) if searching else []
        for area, nearest in zip(searching, found, strict=True):
            bringing[area].extend(nearest.item_ids)
        return fair_places(bringing, [area.weight for area in uploads.areas], self.at_least)


def fair_places(bringing: Sequence[Sequence[str]], weights: Sequence[float], at_least: int) -> dict[str, int]:
    """Which works take the places of a list that are kept for areas of interest, in order, and whose each is.

    ``bringing`` are the works of each area, its best first, and ``weights`` the areas' importance, above 0. Each area
    has ``at_least`` places, where it has so many works that no other has taken. First every area has one, the
    weightiest first; then the places go, one by one, to the area with the largest weight / (2 · places + 1) of those
    that have fewer than ``at_least``: Sainte-Laguë's divisor method, which is house monotone, so that a longer list
    extends a shorter one.
    """
    taken: dict[str, int] = {}
    places = dict.fromkeys(range(len(bringing)), 0)
    works = [iter(each) for each in bringing]
    while open_areas := [area for area, count in places.items() if count < at_least]:
        area = min(open_areas, key=lambda each: (places[each] > 0, -weights[each] / (2 * places[each] + 1), each))
        item_id = next((each for each in works[area] if each not in taken), None)
        if item_id is None:
            del places[area]
            continue
        taken[item_id] = area
        places[area] += 1
    return taken


@dataclass(frozen=True, eq=False)
class _Answer:
    """What reasons are made of; ``area_of`` are the areas that works were taken for, as places in `uploads.areas`."""

    fused: Fused
    uploads: WeightedUploads
    candidates: Candidates
    area_of: dict[str, int] = field(default_factory=dict)

    def scores(self, item_ids: Sequence[str]) -> Scores:
        """The rule's scores, float64 (p,), of works that it ranked or an area brought."""
        known = dict(self.fused.ranking)
        others = [item_id for item_id in item_ids if item_id not in known]
        known.update(zip(others, total(self.fused.parts(others).T).tolist(), strict=True))
        return np.array([known[item_id] for item_id in item_ids], dtype=np.float64)

    def areas(self, item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """The area that adds most to each work's score, int64 (p,); −1 where none adds anything to it."""
        sums = self._sums(self.fused.parts(item_ids))
        return np.where(sums.max(axis=1) > 0, sums.argmax(axis=1), -1)

    def explain(self, item_ids: Sequence[str]) -> tuple[UploadReason, ...]:
        """Why each work is recommended.

        Uploads with a part in the score come first, those with the largest part before others, then the more similar.
        The area is the one that the work was taken for, or else the one whose uploads' parts add up to most, of those
        with any part; where no upload has one, that of the most similar upload. Ties: the area of higher importance.
        """
        parts, scores = self.fused.parts(item_ids), self.scores(item_ids)
        cosines = self.candidates.cosines(self.uploads.vectors, item_ids)
        sums = self._sums(parts)
        nearest = self.uploads.area_of[cosines[:, : self.uploads.liked].argmax(axis=1)]
        areas = np.where(np.isfinite(sums).any(axis=1), sums.argmax(axis=1), nearest)
        found = []
        for row, item_id in enumerate(item_ids):
            near = tuple(
                NearUpload(
                    self.uploads.item_ids[upload],
                    self.uploads.sources[upload],
                    float(cosines[row, upload]),
                    float(parts[row, upload]),
                    float(self.uploads.weights[upload]),
                )
                for upload in self._listed(parts[row], cosines[row])
            )
            score = float(scores[row])
            rest = score - sum(upload.contribution for upload in near)
            found.append(
                UploadReason(item_id, score, self.uploads.areas[self.area_of.get(item_id, int(areas[row]))], near, rest)
            )
        return tuple(found)

    def _sums(self, parts: Floats) -> Floats:
        """What each area adds to scores, float64 (p, areas); minus infinity where none of its uploads has a part."""
        sums = np.full((len(parts), len(self.uploads.areas)), -np.inf)
        for area in range(len(self.uploads.areas)):
            own = parts[:, self.uploads.area_of == area]
            sums[:, area] = np.where((own != 0).any(axis=1), own.sum(axis=1), -np.inf)
        return sums

    def _listed(self, parts: Scores, cosines: Scores) -> list[int]:
        """The uploads that a reason lists for one work, then the disliked works with a part in its score."""
        liked = self.uploads.liked
        order = np.lexsort([-cosines[:liked], -parts[:liked], parts[:liked] == 0])
        most = min(_LISTED, int(np.count_nonzero(parts[:liked])) or _LISTED)
        pushing = liked + np.flatnonzero(parts[liked:])
        against = pushing[np.argsort(parts[pushing], kind="stable")][:_LISTED]
        return [*order[:most].tolist(), *against.tolist()]


class UnreasonedFusion(ABC):
    """Ranks listed works for a profile by a score that needs no index, and gives no reasons (`UploadRecommender`)."""

    works: Mapping[Modality, ListedWorks]

    @abstractmethod
    def scores(self, profile: UploadProfile, works: ListedWorks, allow: Allow) -> Scores:
        """The score of each work, float64 (n,); only those of allowed works count."""

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        return _of_modality(self.works, target, "are no works").count(others_works(profile, allow))

    def recommend(self, profile: UploadProfile, target: Modality, n: int, allow: Allow = EVERYTHING) -> UploadAnswer:
        require_uploads(profile)
        require_count(n)
        works, others = _of_modality(self.works, target, "are no works"), others_works(profile, allow)
        return Recommendation(works.best(self.scores(profile, works, others), n, others))


def _of_modality(there: Mapping[Modality, Works], target: Modality, lacking: str) -> Works:
    if target not in there:
        raise RequestError(
            f"there {lacking} of modality {target}, only of {', '.join(there) or 'none'}; "
            f"ask for one that is there or encode the works' {target}s first"
        )
    return there[target]
