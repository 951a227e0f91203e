"""What every recommender for rated works promises, run on each of them over the same checkerboard."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.kinds import on_approximate, on_milvus
from tests.contracts.stand_in_index import StandInColumns
from tests.recommenders.worlds import checkerboard

from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import WeightingRule, profile_from_ratings
from vernissage.recommenders.contract import Recommender
from vernissage.recommenders.diversity import Diversified
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.pair_weighted import PairsOnDemand, PairWeightedSimilarity
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.pair_matrix import PairCard, PairMatrix
from vernissage.values import Allow, Condition

Make = Callable[[], Recommender]
COLOUR, THEME = checkerboard()
COLUMNS = StandInColumns(
    {item_id: "ann" if item_id[1] == "3" else "" for item_id in COLOUR.item_ids},
    {"letter": {item_id: item_id[0] for item_id in COLOUR.item_ids}},
)
COLOUR, THEME = (type(each)(each.item_ids, each.vectors, COLUMNS, each.encoder) for each in (COLOUR, THEME))


def weighted() -> RatingWeightedSimilarity:
    return RatingWeightedSimilarity(COLOUR)


def both() -> list[RatingWeightedSimilarity]:
    return [RatingWeightedSimilarity(index) for index in (COLOUR, THEME)]


def pair_weighted() -> PairWeightedSimilarity:
    card = PairCard("toy", "f", "c", None, COLOUR.item_ids, COLOUR.item_ids, ("",) * len(COLOUR))
    return PairWeightedSimilarity(PairMatrix(COLOUR.vectors @ COLOUR.vectors.T, card), columns=COLUMNS)


def pairs_on_demand() -> Recommender:
    kept = pair_weighted()
    return PairsOnDemand(COLOUR.item_ids, lambda rated: kept.pairs, "on-demand", COLUMNS)


RECOMMENDERS: dict[str, Make] = {
    "rating-weighted": weighted,
    "pair-weighted": pair_weighted,
    "pairs-on-demand": pairs_on_demand,
    "total": lambda: LateFusion(both(), k=0),
    "partial": lambda: LateFusion(both(), k=0, depth=9),
    "weighted-fusion": lambda: LateFusion(both(), weights=[2, 1]),
    "minmax": lambda: LateFusion(both(), method="minmax"),
    "zscore": lambda: LateFusion(both(), method="zscore"),
    "with-pairs": lambda: LateFusion([weighted(), pair_weighted()], method="zscore"),
    "diversified": lambda: Diversified(weighted(), [COLOUR, THEME], diversity=0.4),
    "diversified-fusion": lambda: Diversified(LateFusion(both()), [COLOUR, THEME], diversity=0.4, candidates=5),
}
for kind, make in {"approximate": on_approximate, "milvus": on_milvus}.items():
    RECOMMENDERS[f"rating-weighted on {kind}"] = lambda make=make: RatingWeightedSimilarity(make(COLOUR))
    RECOMMENDERS[f"zscore on {kind}"] = lambda make=make: LateFusion(
        [RatingWeightedSimilarity(make(index)) for index in (COLOUR, THEME)], method="zscore"
    )
RATINGS = {"a0": 5, "b1": 2, "c2": 4, "d3": 1}
PROFILE = profile_from_ratings(RATINGS, "linear")


@pytest.fixture(params=RECOMMENDERS, scope="module")
def recommender(request: pytest.FixtureRequest) -> Recommender:
    return RECOMMENDERS[request.param]()


def test_it_keeps_the_contract(recommender: Recommender) -> None:
    assert isinstance(recommender, Recommender)
    assert "a0" in recommender
    assert "nobody" not in recommender
    assert recommender.count(PROFILE) == 12


def test_rated_works_are_never_recommended_back(recommender: Recommender) -> None:
    found = recommender.recommend(PROFILE, 16).ranking
    assert len(found) == 12
    assert set(found.item_ids).isdisjoint(RATINGS)
    assert len(set(found.item_ids)) == 12


@pytest.mark.parametrize("rule", ["linear", "minmax", "signed"])
def test_reasons_and_shares_add_up_to_the_score(recommender: Recommender, rule: WeightingRule) -> None:
    found = recommender.recommend(profile_from_ratings(RATINGS, rule), 12)
    for (item_id, score), why in zip(found.ranking, found.explanations, strict=True):
        assert why.item_id == item_id
        assert why.score == pytest.approx(score, abs=1e-9)
        assert sum(reason.contribution for reason in why.reasons) == pytest.approx(score, abs=1e-6)
        assert {reason.item_id for reason in why.reasons} <= set(RATINGS)
        if why.shares:
            assert sum(share.share for share in why.shares) == pytest.approx(score, abs=1e-9)


def test_more_results_extend_fewer(recommender: Recommender) -> None:
    for n in range(1, 12):
        fewer, more = recommender.recommend(PROFILE, n), recommender.recommend(PROFILE, n + 1)
        assert fewer.ranking == more.ranking.head(n)
        assert fewer.explanations == more.explanations[:n]


def test_some_works_of_an_answer_have_the_explanations_of_the_whole(recommender: Recommender) -> None:
    whole = recommender.recommend(PROFILE, 12)
    some = whole.explain(whole.ranking.item_ids[9:2:-3])
    assert [why.item_id for why in some] == list(whole.ranking.item_ids[9:2:-3])
    assert [why.score for why in some] == pytest.approx(whole.ranking.scores[9:2:-3].tolist())
    assert [why.shares for why in some] == [why.shares for why in whole.explanations[9:2:-3]]


def test_the_order_of_ratings_does_not_matter(recommender: Recommender) -> None:
    turned = dict(reversed(RATINGS.items()))
    one = recommender.recommend(PROFILE, 9).ranking
    other = recommender.recommend(profile_from_ratings(turned, "linear"), 9).ranking
    assert one.item_ids == other.item_ids
    assert one.scores == pytest.approx(other.scores)


def test_only_what_is_allowed_is_recommended(recommender: Recommender) -> None:
    for allow, expected in [
        (Allow(only=frozenset({"a1", "a2", "b0", "a0"})), {"a1", "a2", "b0"}),
        (Allow(not_owner="ann", conditions=(Condition("letter", "=", "a"),)), {"a1", "a2"}),
        (Allow(conditions=(Condition("letter", "=", "z"),)), set()),
    ]:
        found = recommender.recommend(PROFILE, 9, allow)
        assert set(found.ranking.item_ids) == expected
        assert recommender.count(PROFILE, allow) == len(expected)
        assert [why.score for why in found.explanations] == pytest.approx(found.ranking.scores.tolist())


@given(
    st.sets(st.sampled_from(COLOUR.item_ids)), st.booleans(), st.integers(1, 17), st.sampled_from(list(RECOMMENDERS))
)
@settings(max_examples=120, deadline=None)
def test_exactly_n_come_back_under_any_filter(exclude: set[str], owned: bool, n: int, name: str) -> None:
    recommender = RECOMMENDERS[name]()
    allow = Allow(frozenset(exclude), "ann" if owned else None)
    there = [
        item_id for item_id in COLOUR.item_ids if not (item_id in {*exclude, *RATINGS} or (owned and "3" in item_id))
    ]
    found = recommender.recommend(PROFILE, n, allow).ranking
    assert len(found) == min(n, len(there))
    assert recommender.count(PROFILE, allow) == len(there)
    assert set(found.item_ids) <= set(there)


def test_a_liked_colour_and_theme_come_first(recommender: Recommender) -> None:
    found = recommender.recommend(profile_from_ratings({"a0": 5, "a1": 5, "d3": 1}, "linear"), 1).ranking
    assert found.item_ids[0][0] == "a" or found.item_ids[0][1] in "01"


def test_unknown_ratings_are_refused(recommender: Recommender) -> None:
    with pytest.raises(RequestError, match="knows none of the rated works"):
        recommender.recommend(profile_from_ratings({"nobody": 5}, "linear"), 3)
    with pytest.raises(RequestError, match="1 or more"):
        recommender.recommend(PROFILE, 0)


def test_ratings_that_weigh_nothing_once_unknown_ones_are_gone_are_refused(recommender: Recommender) -> None:
    with pytest.raises(RatingsError, match="only a1 can be read by .*, and the rule linear counts their ratings as 0"):
        recommender.recommend(profile_from_ratings({"nobody": 5, "a1": 1}, "linear"), 3)


def test_ratings_of_unknown_works_do_not_change_the_answer_and_are_told(recommender: Recommender) -> None:
    known = recommender.recommend(PROFILE, 9)
    found = recommender.recommend(profile_from_ratings({**RATINGS, "nobody": 5}, "linear"), 9)
    assert known.notes == ()
    assert found.ranking == known.ranking
    assert found.notes == (f"{recommender.name} cannot read these rated works, so they do not count: nobody",)
    assert np.isfinite(known.ranking.scores).all()
