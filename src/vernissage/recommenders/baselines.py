"""What a recommender must beat: chance, and what is the same for everybody."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from vernissage.files import digest
from vernissage.profiles.ratings import Profile
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_searches import others_works, require_uploads
from vernissage.recommenders.contract import Explanation, Recommendation, require_count
from vernissage.recommenders.listed_works import ListedWorks, require_works
from vernissage.recommenders.tags import Tags, known_tags
from vernissage.recommenders.uploads import UploadAnswer
from vernissage.values import EVERYTHING, Allow, Index, Modality, Ranking, Scores


class RandomOrder:
    """Works in an order drawn anew for each profile, the same for the same seed and rated works."""

    name = "random"

    def __init__(self, works: ListedWorks, seed: int = 0) -> None:
        self.works = works
        self.seed = seed

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.works

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        """How many works could come back."""
        return self.works.count(allow.without(profile.item_ids))

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation:
        """``n`` works that were not rated, at random, without reasons."""
        require_count(n)
        scores = _random(self.seed, sorted(profile.item_ids), len(self.works))
        return _unreasoned(self.works.best(scores, n, allow.without(profile.item_ids)))


class MostAverage:
    """The works nearest to the mean of all, the same for everybody: what an unpersonalised similarity would show."""

    name = "most-average"

    def __init__(self, index: Index) -> None:
        self.index = index

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.index

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        """How many works could come back."""
        return self.index.count(allow.without(profile.item_ids))

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation:
        """The ``n`` most average works that were not rated, without reasons."""
        return _unreasoned(self.index.search(self.index.moments().mean, n, allow.without(profile.item_ids))[0])


class RandomWorks:
    """Other people's works in an order drawn anew for each person, the same for the same seed and uploads."""

    name = "random"

    def __init__(self, works: Mapping[Modality, ListedWorks], *, seed: int = 0) -> None:
        self.works = works
        self.seed = seed

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        """How many works of modality ``target`` could come back."""
        return require_works(self.works, target).count(others_works(profile, allow))

    def recommend(self, profile: UploadProfile, target: Modality, n: int, allow: Allow = EVERYTHING) -> UploadAnswer:
        """``n`` works of modality ``target`` at random (see `UploadRecommender.recommend`), without reasons."""
        require_uploads(profile)
        require_count(n)
        works, allowed = require_works(self.works, target), others_works(profile, allow)
        # Drawn for the allowed works in the order of their ids, so that the order of rows changes nothing.
        rows = np.flatnonzero(works.allowed(allowed))
        rows = rows[np.argsort(works.alphabetical[rows])]
        scores = np.zeros(len(works))
        scores[rows] = _random(self.seed, [profile.owner, *sorted(profile.item_ids)], len(rows))
        return UploadAnswer(target, works.best(scores, n, allowed))


class CommonSubjects:
    """The works of the subjects that most people take up, the same for everybody: popularity without behaviour.

    Nobody's clicks are known here, so popularity is read from the works: a tag is as popular as the number of owners
    who use it, and a work as popular as its tags in the mean. The person's own works do not count, lest the baseline
    know what is to be found. A work without an owner counts as an owner of its own. Works without tags have 0.
    """

    name = "popularity"

    def __init__(self, tags: Tags, works: Mapping[Modality, ListedWorks]) -> None:
        self.tags = tags
        self.works = works
        self._users: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for each in works.values():
            for item_id, owner in zip(each.item_ids, each.owners(each.item_ids), strict=True):
                for tag in known_tags(tags, item_id):
                    self._users[tag].add(("owner", owner) if owner else ("work", item_id))

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        """How many works of modality ``target`` could come back."""
        return require_works(self.works, target).count(others_works(profile, allow))

    def recommend(self, profile: UploadProfile, target: Modality, n: int, allow: Allow = EVERYTHING) -> UploadAnswer:
        """The ``n`` most popular works of modality ``target`` (see `UploadRecommender.recommend`), without reasons."""
        require_uploads(profile)
        require_count(n)
        works = require_works(self.works, target)
        own = {("owner", profile.owner), *(("work", item_id) for item_id in profile.item_ids)}
        popularity = {tag: len(users - own) for tag, users in self._users.items()}
        scores = [
            sum(popularity[tag] for tag in tags) / len(tags) if (tags := set(known_tags(self.tags, item_id))) else 0.0
            for item_id in works.item_ids
        ]
        return UploadAnswer(target, works.best(np.array(scores), n, others_works(profile, allow)))


def _random(seed: int, person: Sequence[str], count: int) -> Scores:
    """Numbers drawn for a person, float64 (count,)."""
    drawn = int(digest(*(word.encode() for word in person))[:16], 16)
    return np.random.default_rng([seed, drawn]).random(count)


def _unreasoned(ranking: Ranking) -> Recommendation:
    scores = dict(ranking)
    return Recommendation(
        ranking, lambda item_ids: tuple(Explanation(item_id, scores[item_id], ()) for item_id in item_ids)
    )
