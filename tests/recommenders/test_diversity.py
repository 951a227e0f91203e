from collections import Counter

import numpy as np
import pytest
from tests.recommenders.worlds import index_of, random_index

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.diversity import Diversified
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity

IDS = ["liked", "twin1", "twin2", "twin3", "cousin", "stranger"]
ROWS = [[1, 0, 0], [1, 0.2, 0], [1, 0.2, 0], [1, 0.2, 0], [1, 0, 0.5], [0, 0, 1]]
LIKED = profile_from_ratings({"liked": 5}, "linear")


def recommender(diversity: float) -> Diversified:
    index = index_of(np.array(ROWS), IDS)
    return Diversified(RatingWeightedSimilarity(index), [index], diversity=diversity)


def test_no_diversity_keeps_the_recommenders_order() -> None:
    found = recommender(0).recommend(LIKED, 5).ranking
    assert found == recommender(0).recommender.recommend(LIKED, 5).ranking


def test_diversity_brings_the_second_kind_before_the_second_twin() -> None:
    assert recommender(0).recommend(LIKED, 2).ranking.item_ids == ("twin1", "twin2")
    assert recommender(0.45).recommend(LIKED, 2).ranking.item_ids == ("twin1", "cousin")


def test_scores_stay_those_of_the_recommender() -> None:
    own = dict(recommender(0).recommend(LIKED, 5).ranking)
    assert dict(recommender(0.8).recommend(LIKED, 5).ranking) == own


def test_works_beyond_the_candidates_follow_in_the_recommenders_order() -> None:
    index = random_index(40, 6)
    plain = RatingWeightedSimilarity(index)
    profile = profile_from_ratings({"w00000": 5}, "linear")
    whole = plain.recommend(profile, 39).ranking.item_ids
    found = Diversified(plain, [index], diversity=0.7, candidates=12).recommend(profile, 30).ranking
    assert Counter(found.item_ids[:12]) == Counter(whole[:12])
    assert found.item_ids[:12] != whole[:12]
    assert found.item_ids[12:] == whole[12:30]
    assert found.scores[12:].tolist() == plain.recommend(profile, 39).ranking.scores[12:30].tolist()


def test_works_that_an_index_lacks_are_compared_by_the_others() -> None:
    index = index_of(np.array(ROWS), IDS)
    part = index_of(np.array(ROWS)[[0, 4]], ["liked", "cousin"])
    found = Diversified(RatingWeightedSimilarity(index), [index, part], diversity=0.45).recommend(LIKED, 5).ranking
    assert found.item_ids[:2] == ("twin1", "cousin")


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_diversity_outside_its_range_is_refused(diversity: float) -> None:
    with pytest.raises(RequestError, match="from 0"):
        recommender(diversity)


def test_a_recommender_without_vectors_cannot_be_diversified() -> None:
    plain = recommender(0.3).recommender
    with pytest.raises(RequestError, match="toy compares no vectors"):
        Diversified(plain, [], diversity=0.3)
    with pytest.raises(RequestError, match="1 candidate or more"):
        Diversified(plain, recommender(0.3).indexes, diversity=0.3, candidates=0)
