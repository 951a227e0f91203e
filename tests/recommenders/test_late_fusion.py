import pytest
from tests.worlds import checkerboard, table_of

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.rankings import reciprocal_rank_fusion
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex


def engines() -> list[RatingWeightedSimilarity]:
    return [RatingWeightedSimilarity(index) for index in checkerboard()]


@pytest.mark.parametrize("depth", [None, 3])
@pytest.mark.parametrize("k", [0, 60])
def test_it_equals_fusing_the_engines_own_lists(k: float, depth: int | None) -> None:
    profile = profile_from_ratings({"a0": 5, "b1": 3})
    lists = [engine.recommend(profile, 16) for engine in engines()]
    expected = reciprocal_rank_fusion(lists, k=k, depth=depth)
    assert LateFusion(engines(), k=k, depth=depth).recommend(profile, 16) == expected


def test_fusion_finds_what_both_see() -> None:
    # One likes colour a and theme 0; only the fusion knows that works sharing either come before all others.
    found = LateFusion(engines(), k=0).recommend(profile_from_ratings({"a0": 5}), 6)
    assert all(item_id[0] == "a" or item_id[1] == "0" for item_id in found.item_ids)


def test_weights_decide_which_engine_leads() -> None:
    profile = profile_from_ratings({"a0": 5})
    assert LateFusion(engines(), weights=[9, 1]).recommend(profile, 1).item_ids[0][0] == "a"
    assert LateFusion(engines(), weights=[1, 9]).recommend(profile, 1).item_ids[0][1] == "0"
    colour = engines()[0].recommend(profile, 15).item_ids
    assert LateFusion(engines(), weights=[1, 0]).recommend(profile, 15).item_ids == colour


def test_shares_tell_each_engines_rank() -> None:
    profile = profile_from_ratings({"a0": 5})
    why = LateFusion(engines(), k=60).explain(profile, ["a1"])[0]
    assert [(share.engine, share.rank) for share in why.shares] == [("colour", 1), ("theme", 4)]
    assert [share.share for share in why.shares] == pytest.approx([1 / 61, 1 / 64])


def test_an_engine_that_knows_no_rated_work_is_left_out_and_named() -> None:
    words = RatingWeightedSimilarity(ExactIndex(table_of([[1, 0], [0, 1]], ["b0", "b1"], encoder="words")))
    fusion = LateFusion([engines()[0], words], k=0)
    profile = profile_from_ratings({"a0": 5})
    assert fusion.left_out(profile) == ["words"]
    assert fusion.recommend(profile, 3).item_ids == engines()[0].recommend(profile, 3).item_ids


def test_works_that_only_one_engine_knows_can_be_recommended() -> None:
    words = RatingWeightedSimilarity(ExactIndex(table_of([[1, 0], [1, 0]], ["a0", "only text"], encoder="words")))
    found = LateFusion([engines()[0], words], k=0).recommend(profile_from_ratings({"a0": 5}), 16)
    assert "only text" in found.item_ids[:2]
    assert len(found) == 16


def test_cancelling_contributions_still_add_up() -> None:
    index = ExactIndex(table_of([[1, 0], [1, 0], [1, 0], [0, 1]], ["liked", "hated", "same", "other"]))
    fusion = LateFusion([RatingWeightedSimilarity(index)])
    profile = profile_from_ratings({"liked": 5, "hated": 1}, "signed")
    for why in fusion.explain(profile, ["same", "other"]):
        assert sum(reason.contribution for reason in why.reasons) == pytest.approx(why.score)
        assert why.score > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "borda"}, "choose rrf"),
        ({"method": "minmax", "depth": 9}, "goes with rrf only"),
        ({"k": -1}, "k of"),
    ],
)
def test_impossible_fusions_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        LateFusion(engines(), **options)  # type: ignore[arg-type]
