"""One list of works from a person's uploads, of one modality or of several, with reasons and fair places."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_searches import Seed, others_works, require_one_space, require_uploads
from vernissage.recommenders.contract import Recommendation, require_count
from vernissage.recommenders.diversity import CANDIDATES, check_diversity, marginal_order
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

Fits = Callable[[str], bool]
"""Whether a work may have a place; a work that may takes it, so what is asked next can depend on it."""

BY_WEIGHT = math.inf
"""`UploadFusion.at_least` of this leaves no place to the rule alone: all are the areas', in proportion to weight."""

_LISTED = 3
"""Uploads that a reason lists."""
_FADING = 0.9
"""What an upload counts for the next work of its area, once it has brought one; see `spread_order`."""
_COMPARED = 16
"""Areas whose first works are compared before any has a place; to ask all of seventy would take most of the time."""
_FASTER = 4
"""How many times as many works are ranked where the first did not suffice."""


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
        area: the area of interest, of either modality, that adds most to the work's score, or for which it was taken;
            the score and its parts are then of that area's uploads alone.
        uploads: those that add most, first the one that adds most, and then disliked works that take from it; their
            contributions and ``rest`` add up to ``score``.
        rest: what uploads that are not listed contribute.
    """

    item_id: str
    score: float
    area: AreaOfInterest
    uploads: tuple[NearUpload, ...]
    rest: float


@dataclass(frozen=True, eq=False)
class UploadAnswer(Recommendation[UploadReason]):
    """Works, best first; ``found_as`` tells as what each was found, picture or text."""

    found_as: Mapping[str, Modality] = field(default_factory=dict)


@runtime_checkable
class UploadRecommender(Protocol):
    """Ranks the works of one modality, or of several in one list, for what a person uploaded.

    A person's own works never come back. Exactly n works do where so many are allowed and fit, and n + 1 extend n.
    Ties go to the smaller id. A work of several modalities stands once in a list, as what it was found better.
    """

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        """How many works of modality ``target`` could come back."""
        ...

    def recommend(
        self,
        profile: UploadProfile,
        target: Modality | Sequence[Modality],
        n: int,
        allow: Allow = EVERYTHING,
        fits: Fits = lambda _: True,
    ) -> UploadAnswer:
        """The ``n`` best works of other people, of those that are allowed and ``fits`` lets have a place.

        Raises:
            RequestError: nothing was uploaded or all of it is muted, n is below 1, there is nothing of that modality,
                or uploads and works lie in different spaces.
        """
        ...


class Found(NamedTuple):
    """A work, as what it was found, and its score."""

    item_id: str
    target: Modality
    score: float


@dataclass(frozen=True, eq=False)
class UploadFusion:
    """One list of works of one modality or of several: uploads of both rank them, and areas of interest share it.

    ``rule`` is one function (see `FusionRule`): `knn3z`, `csls`, `round_robin`, `rrf`, `mean_vector`, or another.
    ``indexes`` are of one encoder, whose vectors lie in one space.

    With ``at_least`` above 0 each area that is not muted has so many places while places last (`fair_places`), and
    the rule ranks the rest; with `BY_WEIGHT` all places are the areas'. An area takes its own best: the rule's list
    for its uploads alone, of all modalities by score (z-scores by the moments of each index compare them), in
    `spread_order`. What an area took has that score, and reasons that add up to it. The order of the list is that in
    which places are given: each area's first, the weightiest first, then by weight, and then the rule's. So a longer
    list extends a shorter one, and where there are more areas than places, the weightiest are heard.

    With ``diversity`` above 0 the first works of every list are re-ranked by maximal marginal relevance instead.

    Raises:
        RequestError: a diversity outside 0 to 1, or fewer than 0 places for each area.
    """

    indexes: Mapping[Modality, Index]
    _: KW_ONLY
    rule: FusionRule = knn3z
    seed: Seed = "centroid"
    diversity: float = 0.0
    at_least: float = 0
    _kept: dict[Any, Fused] = field(default_factory=dict, init=False, repr=False)
    """What the rule made for the profile and the works that were asked for last: a person is shown several lists."""
    _read: dict[int, Candidates] = field(default_factory=dict, init=False, repr=False)
    """What was read of each index for these."""
    _last: list[Any] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        check_diversity(self.diversity)
        if not self.at_least >= 0:
            raise RequestError(f"each area has at least 0 or more places, but {self.at_least} were asked for")

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        return _of_modality(self.indexes, target, "is no index").count(others_works(profile, allow))

    def recommend(
        self,
        profile: UploadProfile,
        target: Modality | Sequence[Modality],
        n: int,
        allow: Allow = EVERYTHING,
        fits: Fits = lambda _: True,
    ) -> UploadAnswer:
        uploads = weighted_uploads(profile, self.seed)
        require_count(n)
        if not (self._last and self._last[0] is profile and self._last[1] == allow):
            self._kept.clear()
            self._read.clear()
            self._last[:] = profile, allow
        candidates = {}
        for each in _targets(target):
            index = _of_modality(self.indexes, each, "is no index")
            require_one_space(index, each, uploads.vectors, uploads.sources[0])
            if len(found := self._read.setdefault(id(index), Candidates(index, others_works(profile, allow)))):
                candidates[each] = found
        whole = _Ranked(self._remembering(-1), uploads, candidates, self.diversity)
        heard = [area for area in range(len(uploads.areas)) if self.at_least and (uploads.area_of == area).any()]
        own = [
            _Ranked(self._remembering(area), uploads.of_area(area), candidates, self.diversity, _FADING)
            for area in heard
        ]
        if heard:
            for found in candidates.values():  # together, which takes one pass over the works instead of one for each
                found.search(uploads.vectors[: uploads.liked], CANDIDATES + 1)
        weights = [uploads.areas[area].weight for area in heard]
        once = _once(fits)
        places = fair_places([each.works(CANDIDATES) for each in own], weights, self.at_least, once)
        rest = ((each, -1) for each in whole.works(max(n, CANDIDATES) if self.diversity else n) if once(each.item_id))
        taken = list(islice(chain(places, rest), n))
        by = {found.item_id: (own[place] if place >= 0 else whole, found) for found, place in taken}

        def explain(item_ids: Sequence[str]) -> tuple[UploadReason, ...]:
            return tuple([ranked.explain(found) for ranked, found in map(by.__getitem__, item_ids)])

        return _answer([found for found, _ in taken], explain)

    def _remembering(self, area: int) -> FusionRule:
        """The rule for the uploads of one area, or of all (−1), whose answers are kept."""

        def rule(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
            key = area, id(candidates.index), n
            if key not in self._kept:
                self._kept[key] = self.rule(uploads, candidates, n)
            return self._kept[key]

        return rule


def fair_places(
    bringing: Sequence[Iterable[Found]], weights: Sequence[float], at_least: float, fits: Fits
) -> Iterator[tuple[Found, int]]:
    """Which works take the places of a list that are kept for areas of interest, in order, and whose each is.

    ``bringing`` are the works of each area, its best first, and ``weights`` the areas' importance, above 0. Each area
    has ``at_least`` places, where it has so many works that fit and no other has taken. First every area has one, the
    weightiest first; then the places go, one by one, to the area with the largest weight / (2 · places + 1) of those
    that have fewer than ``at_least``: Sainte-Laguë's divisor method, which is house monotone, so that a longer list
    extends a shorter one. A work that is the next of several areas counts for one without a place yet, then for the one
    that gives it the highest score, of those that were asked so far: the weightiest sixteen, and others when the first
    place is theirs to take.
    """
    works = [iter(each) for each in bringing]
    waiting = sorted(range(len(works)), key=lambda each: (weights[each], -each)) if at_least else []
    heads: dict[int, Found] = {}
    places, seen = [0] * len(works), set[str]()

    def advance(area: int) -> None:
        head = next((each for each in works[area] if each.item_id not in seen), None)
        if head is None or places[area] >= at_least:
            heads.pop(area, None)
        else:
            heads[area] = head

    while heads or waiting:
        while waiting and (len(works) - len(waiting) < _COMPARED or all(places[area] for area in heads)):
            advance(waiting.pop())
        if not heads:
            continue
        turn = min(heads, key=lambda each: (places[each] > 0, -weights[each] / (2 * places[each] + 1), each))
        found = heads[turn]
        wanting = [area for area, head in heads.items() if head.item_id == found.item_id]
        # One without a place yet comes first: else the pictures of works that have texts too would never have one.
        owner = max(wanting, key=lambda each: (not places[each], heads[each].score, -each))
        found = heads[owner]
        seen.add(found.item_id)
        if fits(found.item_id):
            places[owner] += 1
            yield found, owner
        for area in wanting:
            advance(area)


def spread_order(parts: Floats, fading: float) -> list[int]:
    """The rows of works in an order in which no upload brings all that come first.

    ``parts`` float64 (p, m): what each upload adds to each work, the best work first. Picked, one by one, is the work
    of the highest sum, where a part above 0 counts ``fading`` as much for each work before to which its upload added:
    an area that holds two interests shows both. Ties go to the earlier row.
    """
    left, factors, order = np.ones(len(parts), dtype=bool), np.ones(parts.shape[1]), []
    for _ in range(len(parts)):
        sums = np.where(left, np.where(parts > 0, parts * factors, parts).sum(axis=1), -np.inf)
        row = int(sums.argmax())
        left[row] = False
        factors[parts[row] > 0] *= fading
        order.append(row)
    return order


@dataclass(frozen=True, eq=False)
class _Ranked:
    """What a rule makes of some uploads: works of all targets in one order, and why."""

    rule: FusionRule
    uploads: WeightedUploads
    candidates: Mapping[Modality, Candidates]
    diversity: float
    fading: float = 1.0
    fused: dict[Modality, Fused] = field(default_factory=dict)

    def works(self, length: int) -> Iterator[Found]:
        """Every work, best first; of the first, `CANDIDATES` are re-ranked. ``length`` are ranked at once."""
        shown = 0
        while True:
            for target, there in self.candidates.items():
                self.fused[target] = self.rule(self.uploads, there, min(length, len(there)))
            found = _by_score({target: fused.ranking for target, fused in self.fused.items()})[:length]
            if not shown:
                found[:CANDIDATES] = self._reranked(found[:CANDIDATES])
            yield from found[shown:]
            if len(found) < length:
                return
            shown, length = len(found), length * _FASTER

    def explain(self, work: Found) -> UploadReason:
        """Why a work of `works` is recommended.

        Uploads with a part in the score come first, those with the largest part before others, then the more similar.
        The area is the one whose uploads' parts add up to most, of those with any part; where no upload has one, that
        of the most similar upload. Ties: the area of higher weight.
        """
        uploads, [parts] = self.uploads, self.fused[work.target].parts([work.item_id])
        [cosines] = self.candidates[work.target].cosines(uploads.vectors, [work.item_id])
        near = tuple(
            NearUpload(
                uploads.item_ids[upload],
                uploads.sources[upload],
                float(cosines[upload]),
                float(parts[upload]),
                float(uploads.weights[upload]),
            )
            for upload in self._listed(parts, cosines)
        )
        drawing = np.flatnonzero(parts[: uploads.liked])
        if len(drawing):
            sums = np.full(len(uploads.areas), -np.inf)
            heard = uploads.area_of[drawing]
            sums[heard] = 0.0
            np.add.at(sums, heard, parts[drawing])
            area = int(sums.argmax())
        else:
            area = int(uploads.area_of[cosines[: uploads.liked].argmax()])
        return UploadReason(
            work.item_id, work.score, uploads.areas[area], near, work.score - sum(each.contribution for each in near)
        )

    def _reranked(self, works: list[Found]) -> list[Found]:
        if not works or (not self.diversity and self.fading == 1):
            return works
        vectors = np.empty((len(works), self.uploads.vectors.shape[1]), dtype=np.float32)
        parts = np.empty((len(works), len(self.uploads)))
        for target, there in self.candidates.items():
            rows = [row for row, work in enumerate(works) if work.target == target]
            ids = [works[row].item_id for row in rows]
            parts[rows], vectors[rows] = self.fused[target].parts(ids), there.index.vectors_of(ids)
        if self.diversity:
            order = marginal_order(vectors, np.array([work.score for work in works]), self.diversity).tolist()
        else:
            order = spread_order(parts, self.fading)
        return [works[row] for row in order]

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

    def recommend(
        self,
        profile: UploadProfile,
        target: Modality | Sequence[Modality],
        n: int,
        allow: Allow = EVERYTHING,
        fits: Fits = lambda _: True,
    ) -> UploadAnswer:
        require_uploads(profile)
        require_count(n)
        there = {each: _of_modality(self.works, each, "are no works") for each in _targets(target)}
        others, once = others_works(profile, allow), _once(fits)
        found = _by_score(
            {each: works.best(self.scores(profile, works, others), len(works), others) for each, works in there.items()}
        )
        return _answer(list(islice((each for each in found if once(each.item_id)), n)))


def _answer(
    works: Sequence[Found], explain: Callable[[Sequence[str]], tuple[UploadReason, ...]] = lambda _: ()
) -> UploadAnswer:
    scores = np.array([work.score for work in works], dtype=np.float64)
    ranking = Ranking(tuple([work.item_id for work in works]), scores)
    return UploadAnswer(ranking, explain, found_as={work.item_id: work.target for work in works})


def _by_score(rankings: Mapping[Modality, Ranking]) -> list[Found]:
    """The works of all rankings in one, each once, as what its score is higher; ties by id."""
    found = sorted((-score, item_id, target) for target, ranking in rankings.items() for item_id, score in ranking)
    best: dict[str, Found] = {}
    for negative, item_id, target in found:
        best.setdefault(item_id, Found(item_id, target, -negative))
    return list(best.values())


def _once(fits: Fits) -> Fits:
    """``fits``, asked once for each work: a work that was asked about has its place or cannot have one."""
    asked: set[str] = set()

    def fits_still(item_id: str) -> bool:
        if item_id in asked:
            return False
        asked.add(item_id)
        return fits(item_id)

    return fits_still


def _targets(target: Modality | Sequence[Modality]) -> tuple[Modality, ...]:
    return (target,) if isinstance(target, str) else tuple(target)


def _of_modality(there: Mapping[Modality, Works], target: Modality, lacking: str) -> Works:
    if target not in there:
        raise RequestError(
            f"there {lacking} of modality {target}, only of {', '.join(there) or 'none'}; "
            f"ask for one that is there or encode the works' {target}s first"
        )
    return there[target]
