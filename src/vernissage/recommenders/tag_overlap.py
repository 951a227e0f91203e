"""`tag-overlap`: works that share the commonest tags of what a person uploaded."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_seeds import require_uploads
from vernissage.recommenders.pool import chosen_from
from vernissage.search.live import LiveIndex
from vernissage.values import Modality, Ranking

Tags = Mapping[str, Sequence[str]]
"""The tags of works and uploads by id: a column of keywords, or what a tagger found."""

CommonRule = Literal["mass", "unique", "twice-unique"]
COMMON_RULES: tuple[CommonRule, ...] = ("mass", "unique", "twice-unique")


class TagOverlap:
    """Ranks works by how many of the person's commonest tags they have: the baseline BT of D'Asaro et al., ESWA 2024.

    Section 4.4 of the paper (doi 10.1016/j.eswa.2024.125108). The common tags are chosen from the uploads in areas that
    are not muted: all together by `common_tags`, or by ``twice-unique`` first within each area (see
    `common_tags_of_areas`). A work's score is the size of the intersection with its own tags. An empty tag matches
    nothing. Works without a common tag have 0 and come last, by id, so that exactly n come back.
    """

    name = "tag-overlap"

    def __init__(self, tags: Tags, indexes: Mapping[Modality, LiveIndex], *, rule: CommonRule = "mass") -> None:
        """Recommend the works of ``indexes`` by the tags of them and of the uploads.

        Raises:
            RequestError: there is no such rule.
        """
        self.tags = tags
        self.indexes = indexes
        self.rule: CommonRule = common_rule(rule)

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` works with most common tags (see `UploadRecommender.recommend`).

        Raises:
            RequestError: nothing was uploaded, no upload has a tag, n is below 1, or there is no such index.
        """
        common = frozenset(self._common_tags(profile))
        pool = chosen_from(self.indexes, profile, target, n, among)
        matches = [len(common.intersection(known_tags(self.tags, item_id))) for item_id in pool.place_of]
        return pool.ranking(np.array(matches, dtype=np.float64), n)

    def _common_tags(self, profile: UploadProfile) -> tuple[str, ...]:
        require_uploads(profile)
        found = self._tags_of(heard_uploads(profile))
        if not found:
            raise no_tags(profile)
        if self.rule == "twice-unique":
            return common_tags_of_areas([self._tags_of(uploads) for uploads in heard_areas(profile)])
        return common_tags(found, self.rule)

    def _tags_of(self, item_ids: Iterable[str]) -> list[str]:
        return [tag for item_id in item_ids for tag in known_tags(self.tags, item_id)]


def common_rule(word: str) -> CommonRule:
    """The rule of that name.

    Raises:
        RequestError: there is no such rule.
    """
    found = [rule for rule in COMMON_RULES if rule == word]
    if not found:
        raise RequestError(f"there is no rule {word!r} for common tags; choose from {', '.join(COMMON_RULES)}")
    return found[0]


def common_tags(occurrences: Iterable[str], rule: CommonRule = "mass") -> tuple[str, ...]:
    """The commonest tags, by frequency and then alphabetically.

    ``mass`` takes the shortest prefix that covers a third of all occurrences, ``unique`` the first third of the
    distinct tags, rounded up; ``twice-unique`` takes all for one area of `common_tags_of_areas`.
    """
    if rule == "twice-unique":
        return common_tags_of_areas([occurrences])
    counts = _counted(occurrences)
    ordered = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if rule == "unique":
        return tuple(ordered[: -(-len(ordered) // 3)])
    covered = np.cumsum([counts[tag] for tag in ordered])
    return tuple(ordered[: int(np.searchsorted(3 * covered, covered[-1])) + 1]) if ordered else ()


def common_tags_of_areas(areas: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The tags that stay after two cuts to a third, ``twice-unique``: what the code of D'Asaro et al. does.

    First every area keeps the third of its distinct tags that it has most often. A tag then counts once for each area
    that kept it, and the longest prefix by that count stays which holds no more than a third of the whole. Both cuts
    are rounded down, and each leaves one tag at least, where theirs may leave none. Ties go by frequency over all
    areas and then alphabetically; theirs by the order in which classes and tags are met.
    """
    counts = [_counted(occurrences) for occurrences in areas]
    whole = sum(counts, Counter[str]())
    keepers = Counter(
        tag for own in counts for tag in sorted(own, key=lambda tag: (-own[tag], tag))[: _third(len(own))]
    )
    ordered = sorted(keepers, key=lambda tag: (-keepers[tag], -whole[tag], tag))
    covered = np.cumsum([keepers[tag] for tag in ordered])
    return tuple(ordered[: max(1, int(np.sum(3 * covered <= keepers.total())))])


def _counted(occurrences: Iterable[str]) -> Counter[str]:
    return Counter(tag for tag in occurrences if tag.strip())


def _third(count: int) -> int:
    return max(1, count // 3)


def known_tags(tags: Tags, item_id: str) -> list[str]:
    """The tags of one work without blanks around them; those that are empty are left out."""
    return [known for tag in tags.get(item_id, ()) if (known := tag.strip())]


def heard_uploads(profile: UploadProfile) -> list[str]:
    """The uploads that stand in an area that is not muted, each once, in the order of their ids."""
    return sorted({item_id for uploads in heard_areas(profile) for item_id in uploads})


def heard_areas(profile: UploadProfile) -> list[list[str]]:
    """The uploads of each area that is not muted."""
    return [
        [side.item_ids[row] for row in side.areas[number].members]
        for side in profile.sides.values()
        for number in side.unmuted
    ]


def no_tags(profile: UploadProfile) -> RequestError:
    """The error of a recommender by tags where no upload that is heard has one."""
    return RequestError(
        f"no upload of {profile.owner or 'this person'} has a tag (or all areas are muted); give the uploads keywords, "
        f"run a tagger over them, or choose a recommender that needs no tags"
    )
