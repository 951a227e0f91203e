import numpy as np
import pytest
from tests.recommenders.worlds import index_of, random_index

from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity


def test_equation_one_spelled_out() -> None:
    index = index_of([[1, 0], [0, 1], [3, 4]], ["x", "y", "z"])
    found = RatingWeightedSimilarity(index).recommend(profile_from_ratings({"x": 5, "y": 2}, "linear"), 1).ranking
    # Weights 1 and 1/4; z is (.6, .8): (1·.6 + .25·.8) / 2
    assert list(found) == [("z", pytest.approx((1 * 0.6 + 0.25 * 0.8) / 2, abs=1e-7))]


def test_one_query_gives_the_ranking_of_the_similarity_matrix() -> None:
    """The published way: the m×m matrix of similarities, its rated rows weighted and averaged, a sort."""
    index = random_index(400, 16)
    matrix = index.vectors.astype(np.float64) @ index.vectors.astype(np.float64).T
    random = np.random.default_rng(0)
    for _ in range(50):
        rated = random.choice(400, 9, replace=False)
        ratings = {index.item_ids[row]: int(random.integers(1, 6)) for row in rated}
        weights = np.array([(rating - 1) / 4 for rating in ratings.values()])
        if not weights.any():
            continue
        scores = (weights[:, None] * matrix[rated]).mean(axis=0)
        order = sorted(set(range(400)) - set(rated.tolist()), key=lambda row: (-scores[row], row))[:9]
        found = RatingWeightedSimilarity(index).recommend(profile_from_ratings(ratings, "linear"), 9).ranking
        assert list(found.item_ids) == [index.item_ids[row] for row in order]
        assert found.scores == pytest.approx(scores[order])


def test_reasons_are_sorted_and_say_what_each_rating_weighs() -> None:
    index = index_of([[1, 0], [0, 1], [3, 4]], ["x", "y", "z"])
    found = RatingWeightedSimilarity(index).recommend(profile_from_ratings({"x": 1, "y": 5}, "linear"), 1)
    (why,) = found.explanations
    assert [(reason.item_id, reason.weight) for reason in why.reasons] == [("y", 1.0), ("x", 0.0)]
    assert why.reasons[0].contribution == pytest.approx(0.4)


def test_disliked_works_push_away_and_their_reasons_are_negative() -> None:
    index = index_of([[1, 0], [0, 1], [3, 4], [4, 3]], ["x", "y", "z", "v"])
    found = RatingWeightedSimilarity(index).recommend(profile_from_ratings({"x": 1, "y": 5}, "signed"), 2)
    assert list(found.ranking) == [("z", pytest.approx(0.1, abs=1e-7)), ("v", pytest.approx(-0.1, abs=1e-7))]
    assert [reason.contribution for reason in found.explanations[1].reasons] == pytest.approx([0.3, -0.4], abs=1e-7)


def test_works_without_a_vector_count_neither_in_the_sum_nor_in_n() -> None:
    index = index_of([[1, 0], [3, 4]], ["x", "z"])
    profile = profile_from_ratings({"x": 5, "elsewhere": 5}, "linear")
    assert RatingWeightedSimilarity(index).recommend(profile, 1).ranking.scores[0] == pytest.approx(0.6)


def test_it_is_named_after_the_encoder_unless_told() -> None:
    index = index_of([[1, 0]], encoder="lsa")
    assert (RatingWeightedSimilarity(index).name, RatingWeightedSimilarity(index, "words").name) == ("lsa", "words")
