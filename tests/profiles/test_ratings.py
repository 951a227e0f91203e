import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.errors import RatingsError
from vernissage.profiles.ratings import profile_from_ratings


def test_linear_weights() -> None:
    profile = profile_from_ratings({"a": 1, "b": 3, "c": 5})
    assert profile.weights.tolist() == [0, 0.5, 1]
    assert profile.rule == "linear"


def test_minmax_weights_use_the_persons_own_range() -> None:
    assert profile_from_ratings({"a": 2, "b": 3, "c": 4}, "minmax").weights.tolist() == [0, 0.5, 1]


def test_signed_weights_push_away_what_is_disliked() -> None:
    assert profile_from_ratings({"a": 1, "b": 3, "c": 5}, "signed").weights.tolist() == [-1, 0, 1]


@pytest.mark.parametrize("rating", [0, 6, -1, 5.01, float("nan"), float("inf")])
def test_ratings_outside_the_scale_are_refused(rating: float) -> None:
    with pytest.raises(RatingsError, match="ratings go from 1 to 5"):
        profile_from_ratings({"a": 3, "b": rating})


def test_equal_ratings_under_minmax_are_refused_with_a_way_out() -> None:
    with pytest.raises(RatingsError, match="all 2 ratings are 4.*rate at least one work differently, or use the rule"):
        profile_from_ratings({"a": 4, "b": 4}, "minmax")


@pytest.mark.parametrize(("rule", "rating"), [("linear", 1), ("signed", 3)])
def test_ratings_that_weigh_nothing_are_refused(rule: str, rating: float) -> None:
    with pytest.raises(RatingsError, match="counts as 0"):
        profile_from_ratings({"a": rating, "b": rating}, rule)  # type: ignore[arg-type]


def test_no_ratings_and_unknown_rules_are_refused() -> None:
    with pytest.raises(RatingsError, match="no ratings"):
        profile_from_ratings({})
    with pytest.raises(RatingsError, match="choose one of linear, minmax, signed"):
        profile_from_ratings({"a": 3}, "square")  # type: ignore[arg-type]


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 5), min_size=2, max_size=9))
def test_weights_rise_with_ratings(ratings: dict[str, int]) -> None:
    for rule in ("linear", "minmax", "signed"):
        try:
            profile = profile_from_ratings(ratings, rule)  # type: ignore[arg-type]
        except RatingsError:
            assert len(set(ratings.values())) == 1
            continue
        ordered = profile.weights[profile.ratings.argsort(kind="stable")]
        assert (ordered[1:] >= ordered[:-1]).all()
        assert (ordered >= -1).all()
        assert (ordered <= 1).all()
