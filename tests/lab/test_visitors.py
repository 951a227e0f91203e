import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.lab.labelled import columns, gallery

from vernissage.errors import RequestError
from vernissage_lab.tastes import make_labels
from vernissage_lab.visitors import NOISE_SD, elicitation, relevant, simulate_visitors

COLLECTION, LABELS = gallery(300, groups=9)
CHOSEN = elicitation([item.group for item in COLLECTION])
PEOPLE = simulate_visitors(LABELS, CHOSEN, 60, seed=3)


def test_one_work_is_rated_from_each_of_nine_groups() -> None:
    for visitor in PEOPLE:
        assert sorted(COLLECTION[item_id].group for item_id in visitor.ratings) == [f"g{k}" for k in range(9)]
        assert set(visitor.ratings.values()) <= {1, 2, 3, 4, 5}
        assert len(set(visitor.ratings.values())) > 1


@pytest.mark.parametrize("groups", [[""] * 27, ["a", "b", "c"] * 9, [str(number) for number in range(27)]])
def test_too_few_or_many_groups_give_one_work_from_each_ninth(groups: list[str]) -> None:
    chosen = elicitation(groups)
    assert chosen.words == "each ninth"
    assert chosen.strata == tuple((3 * k, 3 * k + 1, 3 * k + 2) for k in range(9))


def test_works_without_a_group_are_not_rated_where_groups_count() -> None:
    assert elicitation(["a", "", "b", "c", "d", "a"]).strata == ((0, 5), (2,), (3,), (4,))


def test_affinity_is_the_weighted_sum_over_facets() -> None:
    values = columns(LABELS)
    for visitor in PEOPLE[:10]:
        assert 0 <= visitor.affinities.min() < visitor.affinities.max() <= 1 + 1e-12
        assert visitor.importances.sum() == pytest.approx(1)
        like: dict[tuple[str, str], float] = {}
        for key, value in zip(zip(values["palette"], values["subject"], strict=True), visitor.affinities, strict=True):
            assert like.setdefault(key, value) == value
        palettes, subjects = ({key[side] for key in like} for side in (0, 1))
        for p in palettes:  # additive: changing the subject adds the same in every palette
            first = next(iter(palettes))
            steps = [like[p, s] - like[first, s] for s in subjects]
            assert np.ptp(steps) == pytest.approx(0, abs=1e-12)


def test_an_unknown_category_is_neither_for_nor_against() -> None:
    labels = make_labels([f"w{k}" for k in range(40)], {"mood": ["calm", "wild", "calm", ""] * 10})
    for visitor in simulate_visitors(labels, elicitation([""] * 40), 5):
        calm, wild, _, unknown = visitor.affinities[:4]
        assert unknown == pytest.approx((2 * calm + wild) / 3)
        assert max(calm, wild) == pytest.approx(1)


def test_ratings_use_the_whole_scale_and_follow_affinity_with_the_stated_noise() -> None:
    ideal, given_stars = [], []
    for visitor in simulate_visitors(LABELS, CHOSEN, 400, seed=1):
        quantiles = (stats.rankdata(visitor.affinities) - 0.5) / len(visitor.affinities)
        for item_id, stars in visitor.ratings.items():
            ideal.append(1 + 4 * quantiles[LABELS.row_of[item_id]])
            given_stars.append(stars)
    error = np.array(given_stars) - np.array(ideal)
    middle = (np.array(ideal) > 2.5) & (np.array(ideal) < 3.5)  # away from the ends, where the scale stops
    assert error[middle].std() == pytest.approx(np.sqrt(NOISE_SD**2 + 1 / 12), rel=0.1)
    assert np.bincount(np.array(given_stars, dtype=int))[1:].min() > 0.08 * len(given_stars)


def test_equal_seeds_give_equal_visitors_and_more_extend_fewer() -> None:
    again = simulate_visitors(LABELS, CHOSEN, 20, seed=3)
    for one, other in zip(PEOPLE, again, strict=False):
        assert one.ratings == other.ratings
        assert np.array_equal(one.affinities, other.affinities)
    assert simulate_visitors(LABELS, CHOSEN, 1, seed=4)[0].ratings != PEOPLE[0].ratings


def test_equal_ratings_are_drawn_anew() -> None:
    values = ["x"] * 99 + ["y"]  # nearly every work is alike, so ratings differ by noise alone
    people = simulate_visitors(make_labels([f"w{k}" for k in range(100)], {"a": values}), elicitation([""] * 100), 300)
    assert sum(visitor.redrawn for visitor in people) > 0
    assert all(len(set(visitor.ratings.values())) > 1 for visitor in people)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_relevant_works_are_the_best_tenth_with_ties(values: list[float]) -> None:
    affinities = np.array(values)
    found = relevant(affinities)
    assert found.sum() >= len(values) / 10
    if not found.all():
        assert affinities[found].min() > affinities[~found].max()
    assert (affinities > affinities[found].min()).sum() < len(values) / 10 + 1


def test_impossible_visitors_are_refused() -> None:
    with pytest.raises(RequestError, match="0 visitors"):
        simulate_visitors(LABELS, CHOSEN, 0)
    with pytest.raises(RequestError, match="too few to rate nine"):
        elicitation([""] * 17)
