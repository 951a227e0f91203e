"""What a recommender from uploads must beat: chance, and what is common among everybody."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from vernissage.files import digest
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_seeds import require_uploads
from vernissage.recommenders.pool import chosen_from
from vernissage.recommenders.tag_overlap import Tags, known_tags
from vernissage.search.live import LiveIndex
from vernissage.values import Modality, Ranking


class RandomWorks:
    """Other people's works in an order drawn anew for each person, the same for the same seed and uploads."""

    name = "random"

    def __init__(self, indexes: Mapping[Modality, LiveIndex], *, seed: int = 0) -> None:
        self.indexes = indexes
        self.seed = seed

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """``n`` works of modality ``target`` at random (see `UploadRecommender.recommend`)."""
        require_uploads(profile)
        pool = chosen_from(self.indexes, profile, target, n, among)
        person = digest(profile.owner.encode(), *(item_id.encode() for item_id in sorted(profile.item_ids)))
        # Drawn in the order of ids, so that the answer does not depend on the order of rows.
        scores = np.empty(len(pool))
        generator = np.random.default_rng([self.seed, int(person[:16], 16)])
        scores[np.argsort(pool.alphabetical)] = generator.random(len(pool))
        return pool.ranking(scores, n)


class CommonSubjects:
    """The works of the subjects that most people take up, the same for everybody: popularity without behaviour.

    Nobody's clicks are known here, so popularity is read from the works: a tag is as popular as the number of owners
    who use it, and a work as popular as its tags in the mean. The person's own works do not count, lest the baseline
    know what is to be found. A work without an owner counts as an owner of its own. Works without tags have 0.
    """

    name = "popularity"

    def __init__(self, tags: Tags, indexes: Mapping[Modality, LiveIndex]) -> None:
        self.tags = tags
        self.indexes = indexes
        works = {item_id: index for index in indexes.values() for item_id in index.item_ids}
        owners = ((item_id, index.owner_of(item_id)) for item_id, index in works.items())
        self._users = _users(tags, owners)

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` most popular works of modality ``target`` (see `UploadRecommender.recommend`)."""
        require_uploads(profile)
        pool = chosen_from(self.indexes, profile, target, n, among)
        own = {("owner", profile.owner), *(("work", item_id) for item_id in profile.item_ids)}
        popularity = {tag: len(users - own) for tag, users in self._users.items()}
        scores = [
            float(np.mean([popularity[tag] for tag in tags])) if (tags := set(known_tags(self.tags, item_id))) else 0.0
            for item_id in pool.place_of
        ]
        return pool.ranking(np.array(scores), n)


def _users(tags: Tags, owners: Iterable[tuple[str, str]]) -> dict[str, set[tuple[str, str]]]:
    """Who uses each tag: owners, and works that have none."""
    users: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for item_id, owner in owners:
        for tag in known_tags(tags, item_id):
            users[tag].add(("owner", owner) if owner else ("work", item_id))
    return users
