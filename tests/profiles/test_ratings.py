import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.stand_in_index import StandInIndex

from vernissage.errors import RatingsError
from vernissage.profiles.ratings import WeightingRule, liked_and_disliked, profile_from_ratings

RULES: tuple[WeightingRule, ...] = ("signed", "linear", "minmax")


def test_linear_weights() -> None:
    profile = profile_from_ratings({"a": 1, "b": 3, "c": 5}, "linear")
    assert profile.weights.tolist() == [0, 0.5, 1]
    assert profile.rule == "linear"


def test_minmax_weights_use_the_persons_own_range() -> None:
    assert profile_from_ratings({"a": 2, "b": 3, "c": 4}, "minmax").weights.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("ratings", "weights"),
    [
        pytest.param([1, 3, 5], [-1, 0, 1], id="around 3"),
        pytest.param([4, 5], [0.5, 1], id="nothing disliked"),
        pytest.param([1, 2, 3], [-0.5, 0, 0.5], id="nothing above 3: around their mean"),
        pytest.param([1, 1, 2], [-1 / 6, -1 / 6, 1 / 3], id="around a mean of 4/3"),
        pytest.param([5], [1], id="one alone"),
        pytest.param([3, 3], [0.5, 0.5], id="all equal: linear"),
        pytest.param([2, 2, 2], [0.25, 0.25, 0.25], id="all equally low"),
        pytest.param([3, 3.5], [0, 0.25], id="barely above 3"),
    ],
)
def test_signed_weights_push_away_what_is_disliked(ratings: list[float], weights: list[float]) -> None:
    profile = profile_from_ratings({f"w{number}": rating for number, rating in enumerate(ratings)}, "signed")
    assert profile.weights == pytest.approx(weights)


@pytest.mark.parametrize("rating", [0, 6, -1, 5.01, float("nan"), float("inf")])
def test_ratings_outside_the_scale_are_refused(rating: float) -> None:
    with pytest.raises(RatingsError, match="ratings go from 1 to 5"):
        profile_from_ratings({"a": 3, "b": rating}, "signed")


def test_equal_ratings_under_minmax_are_refused_with_a_way_out() -> None:
    with pytest.raises(RatingsError, match="all 2 ratings are 4.*rate at least one work differently, or use the rule"):
        profile_from_ratings({"a": 4, "b": 4}, "minmax")
    with pytest.raises(RatingsError, match="^the only rating is 4, and the rule minmax"):
        profile_from_ratings({"a": 4}, "minmax")


@pytest.mark.parametrize("rule", ["linear", "signed"])
def test_ratings_that_weigh_nothing_are_refused(rule: WeightingRule) -> None:
    with pytest.raises(RatingsError, match="all 2 ratings are 1, which the rule .* counts as 0"):
        profile_from_ratings({"a": 1, "b": 1}, rule)
    with pytest.raises(RatingsError, match="^the only rating is 1, which the rule .* counts as 0"):
        profile_from_ratings({"a": 1}, rule)


def test_no_ratings_and_unknown_rules_are_refused() -> None:
    with pytest.raises(RatingsError, match="no ratings"):
        profile_from_ratings({}, "signed")
    with pytest.raises(RatingsError, match="choose one of signed, linear, minmax"):
        profile_from_ratings({"a": 3}, "square")  # type: ignore[arg-type]


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 5), min_size=2, max_size=9))
def test_weights_rise_with_ratings(ratings: dict[str, int]) -> None:
    for rule in RULES:
        try:
            profile = profile_from_ratings(ratings, rule)
        except RatingsError:
            assert len(set(ratings.values())) == 1
            continue
        ordered = profile.weights[profile.ratings.argsort(kind="stable")]
        assert (ordered[1:] >= ordered[:-1]).all()
        assert (ordered >= -1).all()
        assert (ordered <= 1).all()


def test_likes_join_the_uploads_and_dislikes_stand_apart() -> None:
    vectors = np.eye(6, dtype=np.float32)
    vectors[5] = 0
    index = StandInIndex(("a", "b", "c", "d", "e", "nothing"), vectors)
    ratings = {"e": 1, "a": 5, "unknown": 5, "b": 4, "c": 2, "d": 3, "nothing": 5, "mine": 5}
    liked, disliked = liked_and_disliked(profile_from_ratings(ratings, "signed"), index, uploads=["b"])
    assert (liked.item_ids, liked.weights.tolist()) == (("a",), [1.0])
    assert (disliked.item_ids, disliked.weights.tolist()) == (("e", "c"), [1.0, 0.5])
    assert np.array_equal(disliked.vectors, vectors[[4, 2]])
    liked, disliked = liked_and_disliked(profile_from_ratings({"a": 1, "b": 4}, "linear"), index)
    assert (liked.item_ids, len(disliked.item_ids)) == (("b",), 0)
    liked, disliked = liked_and_disliked(profile_from_ratings({"a": 1, "b": 2}, "signed"), index)
    assert (liked.item_ids, disliked.item_ids) == ((), ("a",))  # what is rated 2 is the best of them, and not liked
