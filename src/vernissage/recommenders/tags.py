"""Recommendations by tags: works that share the commonest tags of uploads, and tags as vectors."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from vernissage.encoders.contract import TextEncoder, unit_rows
from vernissage.errors import RequestError
from vernissage.folding import folded
from vernissage.profiles.areas import Area, areas_of_interest
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.recommenders.area_searches import require_uploads
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.uploads import Fits, UnreasonedFusion, UploadAnswer, UploadFusion
from vernissage.values import EVERYTHING, Allow, Index, Modality, Scores, Vectors

Tags = Mapping[str, Sequence[str]]
"""The tags of works and uploads by id: a column of keywords, or what a tagger found."""

CommonRule = Literal["mass", "unique", "twice-unique"]
COMMON_RULES: tuple[CommonRule, ...] = ("mass", "unique", "twice-unique")
FindAreas = Callable[[Vectors, Vectors], Sequence[Area]]
"""From vectors (n, dim) of uploads and the mean (dim,) of the vectors that are searched to areas."""
MakeIndex = Callable[[Sequence[str], Vectors, Sequence[str]], Index]
"""From ids (n,), vectors (n, dim) and owners (n,) to an index of one modality."""


@dataclass(frozen=True, eq=False)
class TagOverlap(UnreasonedFusion):
    """Ranks works by how many of the person's commonest tags they have: the baseline BT of D'Asaro et al., ESWA 2024.

    Section 4.4 of the paper (doi 10.1016/j.eswa.2024.125108). The common tags are chosen from the uploads in areas that
    are not muted: all together by `common_tags`, or by ``twice-unique`` first within each area (see
    `common_tags_of_areas`). A work's score is the size of the intersection with its own tags. An empty tag matches
    nothing. Works without a common tag have 0 and come last, by id, so that exactly n come back.

    Raises:
        RequestError: there is no such rule; when recommending, also where no upload has a tag.
    """

    tags: Tags
    works: Mapping[Modality, ListedWorks]
    rule: CommonRule = "mass"

    def __post_init__(self) -> None:
        common_rule(self.rule)

    def scores(self, profile: UploadProfile, works: ListedWorks, allow: Allow) -> Scores:
        areas = unmuted_areas(profile)
        if not (found := self._tags_of(sorted(set().union(*areas)))):
            raise no_tags(profile)
        by_area = self.rule == "twice-unique"
        common = common_tags_of_areas(map(self._tags_of, areas)) if by_area else common_tags(found, self.rule)
        matches = [len(set(common).intersection(known_tags(self.tags, item_id))) for item_id in works.item_ids]
        return np.array(matches, dtype=np.float64)

    def _tags_of(self, item_ids: Iterable[str]) -> list[str]:
        return [tag for item_id in item_ids for tag in known_tags(self.tags, item_id)]


def common_rule(word: str) -> CommonRule:
    """The rule of that name. Raises RequestError: there is no such rule."""
    for rule in COMMON_RULES:
        if rule == word:
            return rule
    raise RequestError(f"there is no rule {word!r} for common tags; choose from {', '.join(COMMON_RULES)}")


def common_tags(occurrences: Iterable[str], rule: CommonRule) -> tuple[str, ...]:
    """The commonest tags, by frequency and then alphabetically.

    ``mass`` takes the shortest prefix that covers a third of all occurrences, ``unique`` the first third of the
    distinct tags, rounded up.
    """
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
        tag for own in counts for tag in sorted(own, key=lambda tag: (-own[tag], tag))[: max(1, len(own) // 3)]
    )
    ordered = sorted(keepers, key=lambda tag: (-keepers[tag], -whole[tag], tag))
    covered = np.cumsum([keepers[tag] for tag in ordered])
    return tuple(ordered[: max(1, int(np.sum(3 * covered <= keepers.total())))])


def _counted(occurrences: Iterable[str]) -> Counter[str]:
    return Counter(tag for tag in occurrences if tag.strip())


def known_tags(tags: Tags, item_id: str) -> list[str]:
    """The tags of one work, folded (`folded`) and without blanks around them; those that are empty are left out."""
    return [known for tag in tags.get(item_id, ()) if (known := folded(tag).strip())]


def unmuted_areas(profile: UploadProfile) -> list[list[str]]:
    """The uploads of each area that is not muted."""
    return [
        [uploads.item_ids[row] for row in uploads.areas[number].members]
        for uploads in profile.by_modality.values()
        for number in uploads.unmuted
    ]


def no_tags(profile: UploadProfile) -> RequestError:
    """The error of a recommender by tags where no upload in an area that is not muted has one."""
    return RequestError(
        f"no upload of {profile.owner or 'this person'} has a tag (or all areas are muted); give the uploads keywords, "
        f"run a tagger over them, or choose a recommender that needs no tags"
    )


def coherent_areas(vectors: Vectors, background: Vectors) -> Sequence[Area]:
    """The areas of interest by the default rule."""
    return areas_of_interest(vectors, background=background)


def embed_tags(tag_lists: Sequence[Sequence[str]], encoder: TextEncoder) -> Vectors:
    """The unit vector of each list of tags as one text with blanks between them, float32 (n, dim).

    Zero where there are no tags or no word is known.
    """
    vectors = np.zeros((len(tag_lists), encoder.dim))
    if tagged := [row for row, tags in enumerate(tag_lists) if tags]:
        vectors[tagged] = encoder.encode_texts([" ".join(tag_lists[row]) for row in tagged])
    return unit_rows(vectors)


@dataclass(frozen=True, eq=False)
class TagEmbedding:
    """Ranks works by the vectors of their tags: the baseline BTBA of D'Asaro et al., ESWA 2024, section 4.4.

    Each upload and each work is the vector of its tags (`embed_tags`); from there on it is what vectors of pictures
    and texts are: uploads are grouped into areas and `knn3z` makes one list of them (doi 10.1016/j.eswa.2024.125108).
    Works whose tags have no vector cannot come back; uploads of muted areas do not count.
    """

    tags: Tags
    works: Mapping[Modality, ListedWorks]
    encoder: TextEncoder
    make_index: MakeIndex
    find_areas: FindAreas = coherent_areas

    @cached_property
    def indexes(self) -> Mapping[Modality, Index]:
        """The works of each modality by the vectors of their tags; `rank_areas` can search them too."""
        found = {}
        for modality, works in self.works.items():
            ids, vectors = self._with_vectors(works.item_ids)
            found[modality] = self.make_index(ids, vectors, works.owners(ids))
        return found

    def tag_profile(self, profile: UploadProfile) -> UploadProfile:
        """The person's uploads by the vectors of their tags, in areas of their own; texts all of them.

        Raises:
            RequestError: nothing was uploaded, or no upload has a tag that the encoder knows.
        """
        require_uploads(profile)
        ids, vectors = self._with_vectors(sorted(set().union(*unmuted_areas(profile))))
        if not ids:
            raise no_tags(profile)
        areas = self.find_areas(vectors, self._background)
        return UploadProfile(profile.owner, {"text": uploads_of_modality(ids, vectors, areas)})

    def count(self, profile: UploadProfile, target: Modality, allow: Allow = EVERYTHING) -> int:
        return self._fusion.count(profile, target, allow)

    def recommend(
        self,
        profile: UploadProfile,
        target: Modality | Sequence[Modality],
        n: int,
        allow: Allow = EVERYTHING,
        fits: Fits = lambda _: True,
    ) -> UploadAnswer:
        return self._fusion.recommend(self.tag_profile(profile), target, n, allow.without(profile.item_ids), fits)

    @cached_property
    def _fusion(self) -> UploadFusion:
        return UploadFusion(self.indexes)

    @cached_property
    def _background(self) -> Vectors:
        """The mean of the vectors of all works, float32 (dim,); zero where no work has one."""
        moments = [index.moments() for index in self.indexes.values() if len(index)]
        sums = sum((each.count * each.mean for each in moments), start=np.zeros(self.encoder.dim))
        mean: Vectors = (sums / max(1, sum(each.count for each in moments))).astype(np.float32)
        return mean

    def _with_vectors(self, item_ids: Sequence[str]) -> tuple[list[str], Vectors]:
        vectors = embed_tags([known_tags(self.tags, item_id) for item_id in item_ids], self.encoder)
        found = np.flatnonzero(vectors.any(axis=1))
        return [item_ids[row] for row in found.tolist()], vectors[found]
