from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.stand_in_index import StandInColumns, StandInIndex
from tests.recommenders.worlds import index_of, themed_profile, themed_works, uploads_in

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_searches import rank_areas
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.tags import TagEmbedding, TagOverlap, common_tags, common_tags_of_areas, embed_tags
from vernissage.recommenders.uploads import UploadRecommender
from vernissage.values import Allow, Vectors
from vernissage_lab.baselines import CommonSubjects, RandomWorks

if TYPE_CHECKING:
    from vernissage.values import Modality

WORDS = ("sea", "sail", "fur", "whisker", "sand", "wind")
OF_THEME = {"boats": ("sea", "sail", "wind"), "cats": ("fur", "whisker"), "dunes": ("sand", "wind")}
INDEXES = themed_works()
WORKS = {modality: ListedWorks(index.item_ids, index.columns) for modality, index in INDEXES.items()}
PROFILE = themed_profile(INDEXES)
TAGS = {item_id: OF_THEME[item_id.split("-")[1]] for works in WORKS.values() for item_id in works.item_ids}


def listed(item_ids: Sequence[str], owners: Mapping[str, str]) -> "dict[Modality, ListedWorks]":
    return {"text": ListedWorks(item_ids, StandInColumns(owners))}


def make_index(item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> StandInIndex:
    return index_of(vectors, item_ids, dict(zip(item_ids, owners, strict=True)))


class CountedWords:
    """Encodes a text by how often each of `WORDS` stands in it."""

    name, dim, modalities, fingerprint = "counted", len(WORDS), frozenset({"text"}), "f"

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return unit_rows(np.array([[text.split().count(word) for word in WORDS] for text in texts]))


def recommenders() -> list[UploadRecommender]:
    return [
        TagOverlap(TAGS, WORKS),
        TagOverlap(TAGS, WORKS, rule="unique"),
        TagOverlap(TAGS, WORKS, rule="twice-unique"),
        TagEmbedding(TAGS, WORKS, CountedWords(), make_index),  # type: ignore[arg-type]
        CommonSubjects(TAGS, WORKS),
        RandomWorks(WORKS),
    ]


@pytest.fixture(params=range(6), ids=["mass", "unique", "twice-unique", "embedding", "popularity", "random"])
def recommender(request: pytest.FixtureRequest) -> UploadRecommender:
    return recommenders()[request.param]


def test_it_keeps_the_contract(recommender: UploadRecommender) -> None:
    assert isinstance(recommender, UploadRecommender)
    targets: tuple[Modality, ...] = ("image", "text")
    for target in targets:
        longest = recommender.recommend(PROFILE, target, 12).ranking
        assert len(set(longest.item_ids)) == recommender.count(PROFILE, target) == 12
        assert "ann" not in WORKS[target].owners(longest.item_ids)
        for n in range(1, 12):
            assert recommender.recommend(PROFILE, target, n).ranking == longest.head(n)
        assert recommender.recommend(PROFILE, target, 99).ranking == longest
    allow = Allow(only=frozenset({"text-dunes-04", "text-cats-00"}))
    assert recommender.recommend(PROFILE, "text", 9, allow).ranking.item_ids == ("text-dunes-04",)
    assert recommender.count(PROFILE, "text", allow) == 1


def test_what_cannot_be_answered_is_said(recommender: UploadRecommender) -> None:
    with pytest.raises(RequestError, match="zoe has uploaded nothing"):
        recommender.recommend(UploadProfile("zoe", {}), "text", 3)
    with pytest.raises(RequestError, match="1 or more"):
        recommender.recommend(PROFILE, "text", 0)


def test_the_shortest_prefix_covers_a_third_of_all_occurrences() -> None:
    occurrences = ["a"] * 3 + ["b"] * 3 + ["c"] * 2 + ["d", "e", "", " "]
    assert common_tags(occurrences, "mass") == ("a", "b")  # 3 of 10 is less than a third, 6 is enough
    assert common_tags([*occurrences[:-2], "a"], "mass") == ("a",)  # 4 of 11
    assert common_tags(["a", "b", "c"], "mass") == ("a",)  # exactly a third
    assert common_tags(occurrences, "unique") == ("a", "b")  # a third of five, rounded up
    assert common_tags(["a", "b", "c"], "unique") == ("a",)
    assert common_tags([], "mass") == common_tags(["", " "], "unique") == ()


def test_two_cuts_take_a_third_of_each_area_and_then_a_third_of_what_these_kept() -> None:
    """Areas of 7, 6 and 3 distinct tags keep 2, 2 and 1: a, b; b, g; b. Then b counts 3 of 5, more than a third."""
    first, second, third = [*"aaabb", *"cdefz"], [*"bbbgg", *"hijk"], [*"bbxy"]
    assert common_tags_of_areas([first, second, third]) == ("b",)
    # Without any tag in common the three areas keep a, b; p, q; x: a third of five holds one.
    assert common_tags_of_areas([first, [*"pppqq", *"rstu"], [*"xxvw"]]) == ("a",)
    # Areas of six keep 2 each; c, which two of them keep, is a third of six. All apart, two of six are a third.
    assert common_tags_of_areas([[*"aaabb", *"tuvw"], [*"cccdd", *"tuvw"], [*"ccc", "e", "e", *"tuvw"]]) == ("c",)
    assert common_tags_of_areas([[*"aaabb", *"tuvw"], [*"cccdd", *"tuvw"], [*"ffff", "e", "e", *"tuvw"]]) == ("f", "a")
    assert common_tags_of_areas(["aaabbcdef"]) == ("a",)  # 6 distinct, then 2, of which a third is none: one stays
    assert common_tags_of_areas([sorted([*"aaabbc", *"defghijklmnopqr"])]) == ("a", "b")  # 18, then 6, then 2
    assert common_tags_of_areas([[], ["", " "]]) == ()


def test_areas_are_cut_apart_where_the_rule_says_so() -> None:
    """Both areas of one upload each: the first keeps y, the second z; w, which both have, is not among either's third."""
    works = listed(["d", "c", "b", "own"], {"own": "ann"})
    tags = {"u": [*"yyw"], "v": [*"zzzw"], "d": ["w"], "c": ["y"], "b": ["z"]}
    profile = UploadProfile("ann", {"text": uploads_in(["u", "v"], np.eye(4)[:2], [[0], [1]])})
    found = TagOverlap(tags, works, rule="twice-unique").recommend(profile, "text", 9).ranking
    assert list(found) == [("b", 1.0), ("c", 0.0), ("d", 0.0)]  # z is oftener than y
    with pytest.raises(RequestError, match="choose from mass, unique, twice-unique"):
        TagOverlap(tags, works, rule="thrice")  # type: ignore[arg-type]


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1))
def test_no_shorter_prefix_would_cover_a_third(occurrences: list[str]) -> None:
    counts = sorted((-occurrences.count(tag), tag) for tag in set(occurrences))
    chosen = common_tags(occurrences, "mass")
    assert chosen == tuple(tag for _, tag in counts[: len(chosen)])
    assert 3 * sum(map(occurrences.count, chosen)) >= len(occurrences)
    assert 3 * sum(map(occurrences.count, chosen[:-1])) < len(occurrences)


def test_overlap_counts_common_tags_and_empty_ones_match_nothing() -> None:
    works = listed(["e", "d", "c", "b", "own"], {"own": "ann"})
    tags = {"e": ["x", "x", "y"], "d": ["y", ""], "c": [""], "b": ["y "], "u": ["x", ""], "v": ["x", "y", ""]}
    profile = UploadProfile("ann", {"text": uploads_in(["u", "v"], np.eye(5)[:2], [[0], [1]])})
    assert list(TagOverlap(tags, works).recommend(profile, "text", 9).ranking) == [
        ("e", 1.0),
        ("b", 0.0),
        ("c", 0.0),
        ("d", 0.0),
    ]
    tags["v"] = ["y", "y", "z"]
    assert TagOverlap(tags, works).recommend(profile, "text", 9).ranking.item_ids == ("b", "d", "e", "c")


def test_tags_of_muted_areas_do_not_count() -> None:
    muted = {
        modality: replace(uploads, weights=np.array([0.0, 1.0])) for modality, uploads in PROFILE.by_modality.items()
    }
    profile = UploadProfile("ann", muted)
    for recommender in recommenders()[:4]:
        found = recommender.recommend(profile, "image", 4).ranking
        assert {item_id.split("-")[1] for item_id in found.item_ids} == {"cats"}


def test_uploads_without_tags_are_refused() -> None:
    for recommender in (TagOverlap({}, WORKS), TagEmbedding({}, WORKS, CountedWords(), make_index)):  # type: ignore[arg-type]
        with pytest.raises(RequestError, match="no upload of ann has a tag"):
            recommender.recommend(PROFILE, "text", 3)


def test_tags_are_joined() -> None:
    joined = embed_tags([["sea sea", "fur"], [], ["unheard"]], CountedWords())  # type: ignore[arg-type]
    assert joined[0] == pytest.approx(np.array([2, 0, 1, 0, 0, 0]) / np.sqrt(5))
    assert not joined[1:].any()


def test_tags_as_vectors_find_their_theme_in_areas() -> None:
    embedding = TagEmbedding(TAGS, WORKS, CountedWords(), make_index)  # type: ignore[arg-type]
    answer = embedding.recommend(PROFILE, "image", 8)
    assert {item_id.split("-")[1] for item_id in answer.ranking.item_ids} == {"boats", "cats"}
    themes = {tuple(sorted({item.item_id.split("-")[1] for item in why.uploads})) for why in answer.explanations}
    assert themes == {("boats",), ("cats",)}
    per_area = rank_areas(embedding.indexes, embedding.tag_profile(PROFILE), 3)
    assert {each.source for each in per_area} == {"text"}
    assert {each.target for each in per_area} == {"image", "text"}


def test_works_without_known_tags_cannot_come_back_by_embedding() -> None:
    some = {item_id: tags for item_id, tags in TAGS.items() if not item_id.endswith("05")}
    found = TagEmbedding(some, WORKS, CountedWords(), make_index).recommend(PROFILE, "text", 99).ranking  # type: ignore[arg-type]
    assert len(found) == 9


def test_popularity_counts_other_owners() -> None:
    ids = [f"w{row:05d}" for row in range(6)]
    works = listed(ids, dict(zip(ids, "aabc", strict=False)))
    tags = {
        "w00000": ["red"],
        "w00001": ["red"],
        "w00002": ["blue", "rare"],
        "w00003": ["blue"],
        "w00004": ["red", "red"],
        "w00005": ["rare"],
    }
    profile = UploadProfile("zoe", {"text": uploads_in(["u"], np.eye(6)[:1], [[0]])})
    found = CommonSubjects(tags, works).recommend(profile, "text", 6).ranking
    assert dict(found) == {"w00000": 2, "w00001": 2, "w00002": 2, "w00003": 2, "w00004": 2, "w00005": 2}
    found = CommonSubjects(tags, works).recommend(replace(profile, owner="a"), "text", 6).ranking
    assert list(found) == [("w00002", 2.0), ("w00003", 2.0), ("w00005", 2.0), ("w00004", 1.0)]


def test_chance_depends_on_the_person_and_the_seed_alone() -> None:
    one = RandomWorks(WORKS).recommend(PROFILE, "text", 12).ranking
    assert one == RandomWorks(WORKS).recommend(PROFILE, "text", 12).ranking
    assert one.item_ids != RandomWorks(WORKS, seed=1).recommend(PROFILE, "text", 12).ranking.item_ids
    assert one.item_ids != tuple(sorted(one.item_ids))
