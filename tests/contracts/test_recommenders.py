"""What every recommender promises, run on each of them over the same checkerboard."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.worlds import checkerboard

from vernissage.errors import RequestError, UnknownItemError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.contract import Recommender
from vernissage.recommenders.diversity import Diversified
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.pair_weighted import PairsOnDemand, PairWeightedSimilarity
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.pair_matrix import PairCard, PairMatrix

Make = Callable[[], Recommender]


def weighted() -> Recommender:
    return RatingWeightedSimilarity(checkerboard()[0])


def both() -> list[Recommender]:
    return [RatingWeightedSimilarity(index) for index in checkerboard()]


def diversified() -> Recommender:
    colour, theme = checkerboard()
    return Diversified(weighted(), [colour.table, theme.table], diversity=0.4)


def pair_weighted() -> Recommender:
    table = checkerboard()[0].table
    card = PairCard("toy", "f", "c", None, table.item_ids, table.item_ids, table.card.contents)
    return PairWeightedSimilarity(PairMatrix(table.vectors @ table.vectors.T, card))


def pairs_on_demand() -> Recommender:
    kept = pair_weighted()
    assert isinstance(kept, PairWeightedSimilarity)
    return PairsOnDemand(kept.item_ids, lambda rated: kept.pairs, "on-demand")


RECOMMENDERS: dict[str, Make] = {
    "rating-weighted": weighted,
    "pair-weighted": pair_weighted,
    "pairs-on-demand": pairs_on_demand,
    "total": lambda: LateFusion(both(), k=0),
    "partial": lambda: LateFusion(both(), k=0, depth=9),
    "weighted-fusion": lambda: LateFusion(both(), weights=[2, 1]),
    "minmax": lambda: LateFusion(both(), method="minmax"),
    "zscore": lambda: LateFusion(both(), method="zscore"),
    "diversified": diversified,
}
RATINGS = {"a0": 5, "b1": 2, "c2": 4, "d3": 1}


@pytest.fixture(params=RECOMMENDERS)
def recommender(request: pytest.FixtureRequest) -> Recommender:
    return RECOMMENDERS[request.param]()


def test_it_keeps_the_contract(recommender: Recommender) -> None:
    assert isinstance(recommender, Recommender)
    assert recommender.scores(profile_from_ratings(RATINGS)).shape == (len(recommender.item_ids),)


def test_rated_works_are_never_recommended_back(recommender: Recommender) -> None:
    found = recommender.recommend(profile_from_ratings(RATINGS), 16)
    assert len(found) == 12
    assert set(found.item_ids).isdisjoint(RATINGS)
    assert len(set(found.item_ids)) == 12


@pytest.mark.parametrize("rule", ["linear", "minmax", "signed"])
def test_reasons_and_shares_add_up_to_the_score(recommender: Recommender, rule: str) -> None:
    profile = profile_from_ratings(RATINGS, rule)  # type: ignore[arg-type]
    found = recommender.recommend(profile, 12)
    for (item_id, score), why in zip(found, recommender.explain(profile, found.item_ids), strict=True):
        assert why.item_id == item_id
        assert why.score == pytest.approx(score, abs=1e-9)
        assert sum(reason.contribution for reason in why.reasons) == pytest.approx(score, abs=1e-6)
        assert {reason.item_id for reason in why.reasons} <= set(RATINGS)
        if why.shares:
            assert sum(share.share for share in why.shares) == pytest.approx(score, abs=1e-9)


def test_more_results_extend_fewer(recommender: Recommender) -> None:
    if isinstance(recommender, Diversified):
        return  # its pool grows with n, so it promises this only within one pool, tested by itself
    profile = profile_from_ratings(RATINGS)
    for n in range(1, 12):
        assert recommender.recommend(profile, n) == recommender.recommend(profile, n + 1).head(n)


def test_the_order_of_ratings_does_not_matter(recommender: Recommender) -> None:
    turned = dict(reversed(RATINGS.items()))
    one = recommender.recommend(profile_from_ratings(RATINGS), 9)
    other = recommender.recommend(profile_from_ratings(turned), 9)
    assert one.item_ids == other.item_ids
    assert one.scores == pytest.approx(other.scores)


def test_only_chosen_works_are_recommended(recommender: Recommender) -> None:
    among = {"a1", "a2", "b0", "a0"}
    found = recommender.recommend(profile_from_ratings(RATINGS), 9, among=among)
    assert set(found.item_ids) == {"a1", "a2", "b0"}
    why = recommender.explain(profile_from_ratings(RATINGS), found.item_ids, among=among)
    assert [each.score for each in why] == pytest.approx(found.scores.tolist())


def test_a_liked_colour_and_theme_come_first(recommender: Recommender) -> None:
    found = recommender.recommend(profile_from_ratings({"a0": 5, "a1": 5, "d3": 1}), 1)
    assert found.item_ids[0][0] == "a" or found.item_ids[0][1] in "01"


def test_unknown_ratings_and_works_are_refused(recommender: Recommender) -> None:
    with pytest.raises(RequestError, match="knows none of the rated works"):
        recommender.recommend(profile_from_ratings({"nobody": 5}), 3)
    with pytest.raises(UnknownItemError):
        recommender.explain(profile_from_ratings(RATINGS), ["nobody"])
    with pytest.raises(RequestError, match="1 or more"):
        recommender.recommend(profile_from_ratings(RATINGS), 0)


def test_ratings_of_unknown_works_do_not_change_the_answer(recommender: Recommender) -> None:
    known = recommender.recommend(profile_from_ratings(RATINGS), 9)
    assert recommender.recommend(profile_from_ratings({**RATINGS, "nobody": 5}), 9) == known
    assert np.isfinite(known.scores).all()
