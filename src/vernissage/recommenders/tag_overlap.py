"""`tag-overlap`: works that share the commonest tags of what a person uploaded."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from vernissage.encoders.contract import Modality
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.rankings import Ranking
from vernissage.recommenders.area_seeds import require_uploads
from vernissage.recommenders.pool import chosen_from
from vernissage.search.live import LiveIndex

Tags = Mapping[str, Sequence[str]]
"""The tags of works and uploads by id: a column of keywords, or what a tagger found."""

CommonRule = Literal["mass", "unique"]
COMMON_RULES: tuple[CommonRule, ...] = ("mass", "unique")


class TagOverlap:
    """Ranks works by how many of the person's commonest tags they have: the baseline BT of D'Asaro et al., ESWA 2024.

    Section 4.4 of the paper (doi 10.1016/j.eswa.2024.125108). The common tags are chosen by `common_tags` from the
    uploads in areas that are not muted; a work's score is the size of the intersection with its own tags. An empty
    tag matches nothing. Works without a common tag have 0 and come last, by id, so that exactly n come back.
    """

    name = "tag-overlap"

    def __init__(self, tags: Tags, indexes: Mapping[Modality, LiveIndex], *, rule: CommonRule = "mass") -> None:
        """Recommend the works of ``indexes`` by the tags of them and of the uploads.

        Raises:
            RequestError: there is no such rule.
        """
        if rule not in COMMON_RULES:
            raise RequestError(f"there is no rule {rule!r} for common tags; choose {' or '.join(COMMON_RULES)}")
        self.tags = tags
        self.indexes = indexes
        self.rule: CommonRule = rule

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` works with most common tags (see `UploadRecommender.recommend`).

        Raises:
            RequestError: nothing was uploaded, no upload has a tag, n is below 1, or there is no such index.
        """
        common = frozenset(common_tags(self._tags_of_uploads(profile), self.rule))
        pool = chosen_from(self.indexes, profile, target, n, among)
        matches = [len(common.intersection(known_tags(self.tags, item_id))) for item_id in pool.place_of]
        return pool.ranking(np.array(matches, dtype=np.float64), n)

    def _tags_of_uploads(self, profile: UploadProfile) -> list[str]:
        require_uploads(profile)
        found = [tag for item_id in heard_uploads(profile) for tag in known_tags(self.tags, item_id)]
        if not found:
            raise no_tags(profile)
        return found


def common_tags(occurrences: Iterable[str], rule: CommonRule = "mass") -> tuple[str, ...]:
    """The commonest tags, by frequency and then alphabetically.

    ``mass`` takes the shortest prefix that covers a third of all occurrences, ``unique`` the first third of the
    distinct tags, rounded up.
    """
    counts = Counter(tag for tag in occurrences if tag.strip())
    ordered = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if rule == "unique":
        return tuple(ordered[: -(-len(ordered) // 3)])
    covered = np.cumsum([counts[tag] for tag in ordered])
    return tuple(ordered[: int(np.searchsorted(3 * covered, covered[-1])) + 1]) if ordered else ()


def known_tags(tags: Tags, item_id: str) -> list[str]:
    """The tags of one work without blanks around them; those that are empty are left out."""
    return [tag.strip() for tag in tags.get(item_id, ()) if tag.strip()]


def heard_uploads(profile: UploadProfile) -> list[str]:
    """The uploads that stand in an area that is not muted, each once, in the order of their ids."""
    heard = {
        side.item_ids[row]
        for side in profile.sides.values()
        for number in side.unmuted
        for row in side.areas[number].members
    }
    return sorted(heard)


def no_tags(profile: UploadProfile) -> RequestError:
    """The error of a recommender by tags where no upload that is heard has one."""
    return RequestError(
        f"no upload of {profile.owner or 'this person'} has a tag (or all areas are muted); give the uploads keywords, "
        f"run a tagger over them, or choose a recommender that needs no tags"
    )
