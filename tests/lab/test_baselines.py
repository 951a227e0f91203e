import numpy as np
import pytest
from tests.contracts.stand_in_index import StandInColumns
from tests.recommenders.worlds import index_of

from vernissage.errors import RequestError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.contract import Recommender
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.values import Allow
from vernissage_lab.baselines import PEERS, MostAverage, Peer, RandomOrder

IDS = ["d", "c", "b", "a"]
WORKS = ListedWorks(IDS, StandInColumns({"b": "ann"}))
INDEX = index_of([[1, 0], [0, 1], [1, 1], [1, 0.5]], IDS)
RATED = profile_from_ratings({"a": 5, "elsewhere": 1}, "signed")


@pytest.mark.parametrize(
    "recommender", [RandomOrder(WORKS), MostAverage(INDEX), *(Peer(INDEX, each) for each in PEERS)]
)
def test_they_are_recommenders_without_reasons(recommender: Recommender) -> None:
    assert isinstance(recommender, Recommender)
    assert ("a" in recommender, "e" in recommender) == (True, False)
    found = recommender.recommend(RATED, 3)
    assert sorted(found.ranking.item_ids) == ["b", "c", "d"]
    assert recommender.recommend(RATED, 2).ranking == found.ranking.head(2)
    assert found.explanations == ()
    allow = Allow(frozenset("c"))
    assert recommender.count(RATED, allow) == len(recommender.recommend(RATED, 9, allow).ranking) == 2
    with pytest.raises(RequestError, match="1 or more"):
        recommender.recommend(RATED, 0)


@pytest.mark.parametrize(
    ("rule", "scores"),
    [
        ("liked-mean", [(0.8 + 0.6) / 2, (0.6 - 0.8) / 2]),
        ("average-vector", [2 * (0.8 + 0.6) / 2 - 0.0, 2 * (0.6 - 0.8) / 2 - 1.0]),
        ("best-score", [1 / (1 + np.exp(-0.8)), -1 / (1 + np.exp(-1.0))]),
        ("sum-scores", [0.8 + 0.6 - 0.0, 0.6 - 0.8 - 1.0]),
    ],
)
def test_peers_score_as_their_documentation_says(rule: str, scores: list[float]) -> None:
    vectors = [[1, 0], [0, -1], [0.8, -0.6], [0.6, 0.8], [0, -1], [0.6, -0.8]]
    peer = Peer(index_of(vectors, ["x", "y", "liked", "liked too", "disliked", "so-so"]), rule)
    rated = profile_from_ratings({"liked": 4, "liked too": 5, "disliked": 2, "so-so": 3}, "linear")
    found = peer.recommend(rated, 2).ranking
    assert found.item_ids == ("x", "y")
    assert found.scores == pytest.approx(scores, abs=1e-6)


def test_peers_take_what_was_rated_highest_where_nothing_was_liked() -> None:
    for rule in PEERS:
        told = [
            Peer(INDEX, rule).recommend(profile_from_ratings(stars, "linear"), 3).ranking
            for stars in ({"a": 2}, {"a": 5})
        ]
        assert told[0] == told[1]
    with pytest.raises(RequestError, match="liked-mean knows none of the rated works"):
        Peer(INDEX, "liked-mean").recommend(profile_from_ratings({"elsewhere": 5}, "linear"), 1)


def test_chance_depends_on_the_seed_and_on_which_works_were_rated() -> None:
    works = ListedWorks([f"w{number}" for number in range(50)])
    order = RandomOrder(works).recommend(RATED, 50).ranking.item_ids
    turned = profile_from_ratings({"elsewhere": 4, "a": 2}, "linear")
    assert RandomOrder(works).recommend(turned, 50).ranking.item_ids == order
    assert RandomOrder(works, seed=1).recommend(RATED, 50).ranking.item_ids != order
    assert order != tuple(sorted(order))


def test_the_most_average_work_is_nearest_to_the_mean_of_all() -> None:
    found = MostAverage(INDEX).recommend(RATED, 3).ranking
    mean = INDEX.vectors.astype(float).mean(axis=0)
    assert dict(found) == pytest.approx({item_id: float(INDEX.vectors_of([item_id])[0] @ mean) for item_id in "bcd"})
    assert found.item_ids == ("b", "d", "c")
    assert np.all(np.diff(found.scores) < 0)
