import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.pair_weighted import PairWeightedSimilarity
from vernissage.search.pair_matrix import PairCard, PairMatrix

IDS = ("a", "b", "c", "d", "e")
VALUES = np.array(
    [
        [0.9, 0.5, 0.2, 0.1, 0.1],
        [0.1, 0.9, 0.4, 0.8, 0.1],
        [0.3, 0.2, 0.9, 0.4, 0.2],
        [0.7, 0.6, 0.5, 0.9, 0.3],
        [0.2, 0.1, 0.6, 0.3, 0.9],
    ],
    dtype=np.float32,
)


def matrix(rows: tuple[str, ...] = IDS) -> PairMatrix:
    values = VALUES[[IDS.index(row) for row in rows]]
    return PairMatrix(values, PairCard("blip", "f", "c", None, rows, IDS, ("",) * 5))


def test_the_score_is_the_weighted_mean_over_the_rows_of_rated_works() -> None:
    engine = PairWeightedSimilarity(matrix())
    profile = profile_from_ratings({"a": 5, "b": 3})
    expected = [(1.0 * VALUES[0, i] + 0.5 * VALUES[1, i]) / 2 for i in range(5)]
    assert engine.scores(profile) == pytest.approx(expected, abs=1e-7)
    found = engine.recommend(profile, 2)
    assert found.item_ids == ("d", "c")
    assert found.scores == pytest.approx([(0.1 + 0.4) / 2, (0.2 + 0.2) / 2], abs=1e-7)


def test_the_picture_of_the_rated_work_is_read_against_the_texts_and_not_the_other_way() -> None:
    found = PairWeightedSimilarity(matrix()).recommend(profile_from_ratings({"b": 5}), 4)
    assert found.item_ids == ("d", "c", "a", "e")  # row b; column b would give d, a, c, e


def test_reasons_name_the_rated_works_largest_first() -> None:
    why = PairWeightedSimilarity(matrix()).explain(profile_from_ratings({"a": 5, "b": 3}), ["d"])[0]
    assert [reason.item_id for reason in why.reasons] == ["b", "a"]
    assert [reason.contribution for reason in why.reasons] == pytest.approx([0.5 * 0.8 / 2, 0.1 / 2], abs=1e-7)
    assert why.score == pytest.approx(0.25, abs=1e-7)


def test_equal_scores_go_to_the_smaller_id() -> None:
    found = PairWeightedSimilarity(matrix()).recommend(profile_from_ratings({"a": 5}), 4)
    assert found.item_ids == ("b", "c", "d", "e")


def test_the_rows_of_rated_works_are_enough() -> None:
    profile = profile_from_ratings({"d": 4, "a": 5, "unknown": 5})
    whole, rows = PairWeightedSimilarity(matrix()), PairWeightedSimilarity(matrix(("a", "d")))
    assert rows.recommend(profile, 5) == whole.recommend(profile, 5)
    with pytest.raises(RequestError, match="pictures of b were not compared"):
        rows.recommend(profile_from_ratings({"a": 5, "b": 5}), 5)


def test_it_is_named_after_the_model_unless_told() -> None:
    assert PairWeightedSimilarity(matrix()).name == "blip-pairs"
    assert PairWeightedSimilarity(matrix(), "blip").name == "blip"
