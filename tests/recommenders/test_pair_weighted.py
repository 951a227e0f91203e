from collections.abc import Sequence

import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.pair_weighted import PairsOnDemand, PairWeightedSimilarity
from vernissage.search.pair_matrix import PairCard, PairMatrix
from vernissage.values import Allow

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
    profile = profile_from_ratings({"a": 5, "b": 3}, "linear")
    expected = [(1.0 * VALUES[0, i] + 0.5 * VALUES[1, i]) / 2 for i in range(5)]
    assert engine.scored(profile).scores_of(IDS) == pytest.approx(expected, abs=1e-7)
    found = engine.recommend(profile, 2).ranking
    assert found.item_ids == ("d", "c")
    assert found.scores == pytest.approx([(0.1 + 0.4) / 2, (0.2 + 0.2) / 2], abs=1e-7)


def test_the_picture_of_the_rated_work_is_read_against_the_texts_and_not_the_other_way() -> None:
    found = PairWeightedSimilarity(matrix()).recommend(profile_from_ratings({"b": 5}, "linear"), 4).ranking
    assert found.item_ids == ("d", "c", "a", "e")  # row b; column b would give d, a, c, e


def test_reasons_name_the_rated_works_largest_first() -> None:
    (why,) = (
        PairWeightedSimilarity(matrix()).recommend(profile_from_ratings({"a": 5, "b": 3}, "linear"), 1).explanations
    )
    assert why.item_id == "d"
    assert [reason.item_id for reason in why.reasons] == ["b", "a"]
    assert [reason.contribution for reason in why.reasons] == pytest.approx([0.5 * 0.8 / 2, 0.1 / 2], abs=1e-7)
    assert why.score == pytest.approx(0.25, abs=1e-7)


def test_equal_scores_go_to_the_smaller_id() -> None:
    found = PairWeightedSimilarity(matrix()).recommend(profile_from_ratings({"a": 5}, "linear"), 4).ranking
    assert found.item_ids == ("b", "c", "d", "e")


def test_the_rows_of_rated_works_are_enough() -> None:
    profile = profile_from_ratings({"d": 4, "a": 5, "unknown": 5}, "linear")
    whole, rows = PairWeightedSimilarity(matrix()), PairWeightedSimilarity(matrix(("a", "d")))
    assert rows.recommend(profile, 5).ranking == whole.recommend(profile, 5).ranking
    with pytest.raises(RequestError, match="pictures of b were not compared"):
        rows.recommend(profile_from_ratings({"a": 5, "b": 5}, "linear"), 5)


def test_it_is_named_after_the_model_unless_told() -> None:
    assert PairWeightedSimilarity(matrix()).name == "blip-pairs"
    assert PairWeightedSimilarity(matrix(), "blip").name == "blip"


def test_pairs_are_read_once_for_a_profile_however_often_it_asks() -> None:
    read: list[list[str]] = []

    def rows(rated: Sequence[str]) -> PairMatrix:
        read.append(list(rated))
        return matrix(tuple(rated))

    engine = PairsOnDemand(IDS, rows, "blip")
    profile = profile_from_ratings({"a": 5, "unknown": 4, "d": 2}, "linear")
    assert engine.count(profile) == 3
    assert read == []
    first = engine.recommend(profile, 2)
    assert first.ranking == PairWeightedSimilarity(matrix()).recommend(profile, 2).ranking
    assert engine.recommend(profile, 3).ranking.head(2) == first.ranking
    assert read == [["a", "d"]]
    engine.recommend(profile_from_ratings({"b": 5}, "linear"), 2)
    assert read == [["a", "d"], ["b"]]


def test_without_columns_owners_and_conditions_are_refused() -> None:
    engine = PairWeightedSimilarity(matrix())
    with pytest.raises(RequestError, match="columns of these works are not known"):
        engine.recommend(profile_from_ratings({"a": 5}, "linear"), 2, Allow(not_owner="ann"))
    with pytest.raises(RequestError, match="empty name"):
        engine.count(profile_from_ratings({"a": 5}, "linear"), Allow(not_owner=""))
