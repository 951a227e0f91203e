import numpy as np
import pytest
from tests.worlds import table_of

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.diversity import Diversified
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex

IDS = ["liked", "twin1", "twin2", "twin3", "cousin", "stranger"]
ROWS = [[1, 0, 0], [1, 0.2, 0], [1, 0.2, 0], [1, 0.2, 0], [1, 0, 0.5], [0, 0, 1]]


def recommender(diversity: float) -> Diversified:
    index = ExactIndex(table_of(np.array(ROWS), IDS))
    return Diversified(RatingWeightedSimilarity(index), [index.table], diversity=diversity)


def test_no_diversity_keeps_the_recommenders_order() -> None:
    found = recommender(0).recommend(profile_from_ratings({"liked": 5}), 5)
    assert found == recommender(0).recommender.recommend(profile_from_ratings({"liked": 5}), 5)


def test_diversity_brings_the_second_kind_before_the_second_twin() -> None:
    profile = profile_from_ratings({"liked": 5})
    assert recommender(0).recommend(profile, 2).item_ids == ("twin1", "twin2")
    assert recommender(0.45).recommend(profile, 2).item_ids == ("twin1", "cousin")


def test_scores_stay_those_of_the_recommender() -> None:
    profile = profile_from_ratings({"liked": 5})
    own = dict(recommender(0).recommend(profile, 5))
    assert dict(recommender(0.8).recommend(profile, 5)) == own


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_diversity_outside_its_range_is_refused(diversity: float) -> None:
    with pytest.raises(RequestError, match="from 0"):
        recommender(diversity)
