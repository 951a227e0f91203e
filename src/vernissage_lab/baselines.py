"""What a recommender must beat: chance, what is the same for everybody, and what others do with uploads."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from vernissage.files import digest
from vernissage.profiles.area_rules import Ward
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.ratings import Profile
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.contract import Explanation, Recommendation, known_ratings, require_count
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.tags import Tags, known_tags
from vernissage.recommenders.upload_rules import Candidates, Fused, WeightedUploads
from vernissage.recommenders.uploads import BY_WEIGHT, Found, UnreasonedFusion, fair_places
from vernissage.search.exact import ExactIndex
from vernissage.values import EVERYTHING, Allow, Index, Modality, Ranking, Scores, Vectors

Known = TypeVar("Known", bound=Index | ListedWorks)


@dataclass(frozen=True, eq=False)
class _OfWorks(Generic[Known]):
    """What recommends all works of a list or an index but those that were rated."""

    works: Known

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.works

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        return self.works.count(allow.without(profile.item_ids))


@dataclass(frozen=True, eq=False)
class RandomOrder(_OfWorks[ListedWorks]):
    """Works in an order drawn anew for each profile, the same for the same seed and rated works; without reasons."""

    seed: int = 0
    name = "random"

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        require_count(n)
        scores = _random(self.seed, sorted(profile.item_ids), len(self.works))
        return Recommendation(self.works.best(scores, n, allow.without(profile.item_ids)))


@dataclass(frozen=True, eq=False)
class MostAverage(_OfWorks[Index]):
    """The works nearest to the mean of all, the same for everybody: as an unpersonalised similarity shows."""

    name = "most-average"

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        return Recommendation(self.works.search(self.works.moments().mean, n, allow.without(profile.item_ids))[0])


LIKED, DISLIKED = 4, 2
"""Ratings from which a work is liked and up to which it is disliked, where a peer knows likes and dislikes alone."""

_Cosines = npt.NDArray[np.float64]


def _best_score(liked: _Cosines, disliked: _Cosines) -> Scores:
    near, far = liked.max(axis=1), disliked.max(axis=1, initial=-np.inf)
    scores: Scores = np.where(near > far, expit(near), -expit(far))
    return scores


def _average_vector(liked: _Cosines, disliked: _Cosines) -> Scores:
    average: Scores = liked.mean(axis=1)
    return 2 * average - disliked.mean(axis=1) if disliked.shape[1] else average


PEERS: Mapping[str, Callable[[_Cosines, _Cosines], Scores]] = {
    "liked-mean": lambda liked, _: liked.mean(axis=1),
    "average-vector": _average_vector,
    "best-score": _best_score,
    "sum-scores": lambda liked, disliked: liked.sum(axis=1) - disliked.sum(axis=1),
}
"""Scores of works (n,) by their inner products with liked (n, l) and disliked works (n, d), as others recommend.

The mean of the liked works, which platforms build by hand, and the three strategies of Qdrant's recommend call, written
from its documentation (https://qdrant.tech/documentation/concepts/explore/): ``average_vector`` searches with
mean(liked) + (mean(liked) − mean(disliked)), ``best_score`` takes the nearest liked or disliked work, and
``sum_scores`` the sum over all.
"""


@dataclass(frozen=True, eq=False)
class Peer(_OfWorks[ExactIndex]):
    """What a platform would use instead: one of `PEERS` on the vectors of one index; without reasons.

    Where nothing was liked, what was rated highest counts as liked, as these calls need one liked work.
    """

    rule: str

    @property
    def name(self) -> str:
        return self.rule

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation[Explanation]:
        require_count(n)
        rated, _ = known_ratings(replace(profile, weights=np.ones(len(profile))), self, self.name)
        stars = np.array([stars for each, stars in zip(profile.item_ids, profile.ratings, strict=True) if each in self])
        liked = stars >= min(LIKED, stars.max())
        cosines: _Cosines = self._vectors @ self.works.vectors_of(rated).T.astype(np.float64)
        scores = PEERS[self.rule](cosines[:, liked], cosines[:, ~liked & (stars <= DISLIKED)])
        return Recommendation(self._listed.best(scores, n, allow.without(profile.item_ids)))

    @cached_property
    def _listed(self) -> ListedWorks:
        return ListedWorks(tuple(self.works.item_ids))

    @cached_property
    def _vectors(self) -> _Cosines:
        return self.works.vectors_of(self._listed.item_ids).astype(np.float64)


@dataclass(frozen=True, eq=False)
class RandomWorks(UnreasonedFusion):
    """Other people's works in an order drawn anew for each person, the same for the same seed and uploads."""

    works: Mapping[Modality, ListedWorks]
    seed: int = 0

    def scores(self, profile: UploadProfile, works: ListedWorks, allow: Allow) -> Scores:
        # Drawn for the allowed works in the order of their ids, so that the order of rows changes nothing.
        rows = np.flatnonzero(works.allowed(allow))
        rows = rows[np.argsort(works.ids.places[rows])]
        scores = np.zeros(len(works))
        scores[rows] = _random(self.seed, [profile.owner, *sorted(profile.item_ids)], len(rows))
        return scores


@dataclass(frozen=True, eq=False)
class CommonSubjects(UnreasonedFusion):
    """The works of the subjects that most people take up, the same for everybody: popularity without behaviour.

    Nobody's clicks are known here, so popularity is read from the works: a tag is as popular as the number of owners
    who use it, and a work as popular as its tags in the mean. The person's own works do not count, lest the baseline
    know what is to be found. A work without an owner counts as an owner of its own. Works without tags have 0.
    """

    tags: Tags
    works: Mapping[Modality, ListedWorks]

    @cached_property
    def _users(self) -> Mapping[str, set[tuple[str, str]]]:
        """Who uses each tag."""
        users: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for each in self.works.values():
            for item_id, owner in zip(each.item_ids, each.owners(each.item_ids), strict=True):
                for tag in known_tags(self.tags, item_id):
                    users[tag].add(("owner", owner) if owner else ("work", item_id))
        return users

    def scores(self, profile: UploadProfile, works: ListedWorks, allow: Allow) -> Scores:
        own = {("owner", profile.owner), *(("work", item_id) for item_id in profile.item_ids)}
        popularity = {tag: len(users - own) for tag, users in self._users.items()}
        tags = (set(known_tags(self.tags, item_id)) for item_id in works.item_ids)
        return np.array([sum(popularity[tag] for tag in each) / len(each) if each else 0.0 for each in tags])


def medoids_by_importance(uploads: WeightedUploads, candidates: Candidates, n: int, *, cut: float = 1.0) -> Fused:
    """Works nearest to the medoids of clusters by Ward's method, as many of each as its uploads weigh; no reasons.

    PinnerSage (Pal et al., KDD 2020, doi 10.1145/3394486.3403280), without its decay by age, which uploads of a trial
    do not have, and with places in proportion to importance instead of a draw of three clusters. ``cut`` is the
    distance at which Ward's tree of unit vectors is cut; the paper names none.
    """
    liked = uploads.vectors[: uploads.liked]
    areas = areas_of_interest(liked, background=None, rule=Ward(cut))
    weights = [float(uploads.weights[list(area.members)].sum()) for area in areas]
    return _in_proportion(liked[[area.medoid for area in areas]], weights, uploads, candidates, n)


def uploads_in_turn(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
    """The work nearest to each upload that is not there yet, one upload after the other; no reasons."""
    return _in_proportion(uploads.vectors[: uploads.liked], [1.0] * uploads.liked, uploads, candidates, n)


def _in_proportion(
    seeds: Vectors, weights: Sequence[float], uploads: WeightedUploads, candidates: Candidates, n: int
) -> Fused:
    lists = [[Found(item_id, "image", score) for item_id, score in each] for each in candidates.search(seeds, n)]
    ids = tuple(work.item_id for work, _ in islice(fair_places(lists, weights, BY_WEIGHT, lambda _: True), n))
    return Fused(Ranking(ids, 1 / np.arange(1, len(ids) + 1)), lambda found: np.zeros((len(found), len(uploads))))


def _random(seed: int, person: Sequence[str], count: int) -> Scores:
    """Numbers drawn for a person, float64 (count,)."""
    drawn = int(digest(*(word.encode() for word in person))[:16], 16)
    return np.random.default_rng([seed, drawn]).random(count)
