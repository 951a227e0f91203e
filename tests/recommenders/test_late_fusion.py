"""Late fusion against the definition: every work scored by every engine, ranked in full, and sorted."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.stand_in_index import StandInIndex
from tests.recommenders.worlds import checkerboard, index_of

from vernissage.errors import RatingsError, RequestError
from vernissage.profiles.ratings import Profile, profile_from_ratings
from vernissage.rankings import reciprocal_ranks, total
from vernissage.recommenders import late_fusion
from vernissage.recommenders.late_fusion import FusionMethod, LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.values import EVERYTHING, Allow, Ranking

A0 = profile_from_ratings({"a0": 5}, "linear")


def engines() -> list[RatingWeightedSimilarity]:
    return [RatingWeightedSimilarity(index) for index in checkerboard()]


def scores_by_definition(index: StandInIndex, profile: Profile) -> dict[str, float]:
    """Eq. 1 for every work."""
    rated = [
        (index.vectors_of([j])[0], w) for j, w in zip(profile.item_ids, profile.weights, strict=True) if j in index
    ]
    return {
        item_id: sum(float(w) * float(vector.astype(float) @ index.vectors_of([item_id])[0]) for vector, w in rated)
        / len(rated)
        for item_id in index.item_ids
    }


def by_definition(
    indexes: Sequence[StandInIndex],
    profile: Profile,
    allow: Allow,
    *,
    method: FusionMethod,
    weights: Sequence[float],
    k: float = 60,
    depth: int | None = None,
) -> dict[str, tuple[float, float]]:
    """For each work that may come back its fused score and best single rank."""
    forbidden = {*allow.exclude, *profile.item_ids}
    shares: dict[str, list[float]] = {}
    best: dict[str, float] = {}
    for index, weight in zip(indexes, weights, strict=True):
        every = scores_by_definition(index, profile)
        allowed = {item_id: score for item_id, score in every.items() if item_id not in forbidden}
        floor = 1e-6 * float(np.abs(profile.weights).mean())
        values = np.array(list(every.values()))
        low, high = min(allowed.values(), default=0.0), max(allowed.values(), default=0.0)
        snapped = {item_id: 0.0 if abs(score) <= floor else score for item_id, score in allowed.items()}
        for item_id, score in allowed.items():
            above = sum(other > snapped[item_id] for other in snapped.values())
            equal = sum(other == snapped[item_id] for other in snapped.values())
            last = above + equal == len(snapped)
            ranked = not (snapped[item_id] == 0 and last) and (depth is None or above + equal <= depth)
            if method == "rrf":
                places = range(above + 1, above + equal + 1)
                share = weight * sum(1 / (k + place) for place in places) / equal if ranked else 0.0
            elif method == "minmax":
                share = weight / sum(weights) * ((score - low) / (high - low) if high - low > floor else 0.0)
            else:
                spread = values.std() if values.std() > floor else np.inf
                share = weight / sum(weights) * (score - values.mean()) / spread
            shares.setdefault(item_id, []).append(share)
            first = above + 1 if not (snapped[item_id] == 0 and last) and (method != "rrf" or ranked) else np.inf
            best[item_id] = min(first, best.get(item_id, np.inf))
    return {item_id: (sum(each), best[item_id]) for item_id, each in shares.items()}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[StandInIndex], Profile, Allow]:
    """Two or three engines over small whole numbers, so that scores are exact and often equal; each lacks some works."""
    works = draw(st.integers(4, 30))
    ids = [f"w{number:02d}" for number in range(works)]
    seed = draw(st.integers(0, 10**6))
    random = np.random.default_rng(seed)
    indexes = []
    for number in range(draw(st.integers(2, 3))):
        known = sorted(
            random.choice(works, size=random.integers(max(3, works // 2), works + 1), replace=False).tolist()
        )
        rows = random.integers(-1, 3, size=(len(known), draw(st.sampled_from([2, 3, 8])))).astype(np.float32)
        indexes.append(StandInIndex(tuple(ids[row] for row in known), rows, encoder=f"engine{number}"))
    rated = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True))
    profile = Profile(tuple(rated), np.full(len(rated), 3.0), random.choice([-0.75, 0.375, 0.75], len(rated)), "signed")
    return indexes, profile, Allow(exclude=frozenset(draw(st.sets(st.sampled_from(ids), max_size=5))))


@given(
    world=worlds(),
    method=st.sampled_from(["rrf", "minmax", "zscore"]),
    n=st.integers(1, 12),
    read=st.sampled_from([1, 3, 1_000]),
    options=st.sampled_from([{"k": 0}, {"k": 60}, {"k": 0, "depth": 3}, {"k": 60, "depth": 7}]),
    weights=st.sampled_from([[1.0, 1.0, 1.0], [3.0, 1.0, 0.5]]),
)
@settings(max_examples=300, deadline=None)
def test_it_is_what_scoring_every_work_gives(
    world: tuple[list[StandInIndex], Profile, Allow],
    method: FusionMethod,
    n: int,
    read: int,
    options: dict[str, int],
    weights: list[float],
) -> None:
    indexes, profile, allow = world
    options = options if method == "rrf" else {}
    parts = [RatingWeightedSimilarity(index) for index in indexes]
    fusion = LateFusion(parts, method=method, weights=weights[: len(parts)], **options)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late_fusion, "_READ", read)
        patch.setattr(late_fusion, "_LOOKED_UP", 1 if read < 1_000 else 64)
        patch.setattr(late_fusion, "_FASTER", 2)
        try:
            found = fusion.recommend(profile, n, allow)
        except RequestError:
            return  # nothing is known of the rated works, or they make no difference: tested by themselves
    heard = [number for number, part in enumerate(parts) if part.name not in " ".join(found.notes)]
    expected = by_definition(
        [indexes[number] for number in heard],
        profile,
        allow,
        method=method,
        weights=[weights[number] for number in heard],
        **options,  # type: ignore[arg-type]
    )
    assert fusion.count(profile, allow) >= len(expected)
    scores = {item_id: expected.get(item_id, (0.0, np.inf))[0] for item_id in found.ranking.item_ids}
    assert dict(found.ranking) == pytest.approx(scores, abs=1e-9)
    left = set(expected) - set(found.ranking.item_ids)
    if left:
        assert len(found.ranking) == n
        assert max(expected[item_id][0] for item_id in left) <= found.ranking.scores[-1] + 1e-9
    if read == 1_000:  # fusions by scores know the ranks of as many works as are read
        keys = [(-score, expected[i][1], i) for i, score in found.ranking if i in expected]
        assert keys == sorted(keys)
    for why in found.explanations:
        assert sum(share.share for share in why.shares) == pytest.approx(why.score, abs=1e-9)
        assert sum(reason.contribution for reason in why.reasons) == pytest.approx(why.score, abs=1e-9)


@given(world=worlds(), method=st.sampled_from(["rrf", "minmax", "zscore"]), n=st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_more_results_extend_fewer_however_little_is_read(
    world: tuple[list[StandInIndex], Profile, Allow], method: FusionMethod, n: int
) -> None:
    indexes, profile, allow = world
    fusion = LateFusion([RatingWeightedSimilarity(index) for index in indexes], method=method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late_fusion, "_READ", 2)
        patch.setattr(late_fusion, "_FASTER", 2)
        try:
            fewer, more = fusion.recommend(profile, n, allow), fusion.recommend(profile, n + 1, allow)
        except RequestError:
            return
    assert fewer.ranking == more.ranking.head(n)
    assert fewer.explanations == more.explanations[:n]


@pytest.mark.parametrize("depth", [None, 3, 8])
@pytest.mark.parametrize("k", [0, 60])
def test_it_equals_fusing_the_engines_own_lists(k: float, depth: int | None) -> None:
    profile = profile_from_ratings({"a0": 5, "b1": 3}, "linear")
    lists = [engine.recommend(profile, 16).ranking for engine in engines()]
    # Works of score 0 at the end of a list have no rank in a fusion; in a list of its own every work is ranked.
    informed = [ranking.head(int((ranking.scores > 0).sum())) for ranking in lists]
    expected = _fused(informed, k=k, depth=depth)
    found = LateFusion(engines(), k=k, depth=depth).recommend(profile, 14).ranking
    if depth is None:
        assert found.head(len(expected)) == expected
        assert not found.scores[len(expected) :].any()
    else:
        cut = [each if len(each) <= depth else each.head(_whole_groups(each, depth)) for each in informed]
        assert dict(found.head(len(set().union(*(each.item_ids for each in cut))))) == pytest.approx(
            dict(_fused(cut, k=k))
        )


def _fused(rankings: Sequence[Ranking], k: float, depth: int | None = None) -> Ranking:
    """Σ 1 / (k + rank) over the first ``depth`` works of each ranking, spelled out: as `LateFusion` must tell it."""
    shares: dict[str, list[float]] = {}
    best: dict[str, int] = {}
    for ranking in rankings:
        cut = depth is not None and len(ranking) > depth
        head = ranking.head(depth + 1) if depth is not None else ranking
        for item_id, rank, value in zip(head.item_ids, *reciprocal_ranks(head.scores, k, cut=cut), strict=True):
            if rank:
                shares.setdefault(item_id, []).append(float(value))
                best[item_id] = min(int(rank), best.get(item_id, int(rank)))
    sums = {item_id: float(total(np.array(each))) for item_id, each in shares.items()}
    order = sorted(sums, key=lambda item_id: (-sums[item_id], best[item_id], item_id))
    return Ranking(tuple(order), np.array([sums[item_id] for item_id in order]))


def _whole_groups(ranking: Ranking, depth: int) -> int:
    """How many works of the first ``depth`` are of a score that no later work has."""
    return int((ranking.scores[:depth] > ranking.scores[depth]).sum())


def test_equal_scores_share_reciprocal_ranks_by_hand() -> None:
    # By colour a1, a2, a3 come first together, by theme b0, c0, d0; all others are unlike and have no rank.
    found = LateFusion(engines(), k=60).recommend(A0, 15)
    share = (1 / 61 + 1 / 62 + 1 / 63) / 3
    assert list(found.ranking.head(6)) == [
        (each, pytest.approx(share)) for each in ("a1", "a2", "a3", "b0", "c0", "d0")
    ]
    assert list(found.ranking)[6:] == [(f"{letter}{digit}", 0.0) for letter in "bcd" for digit in "123"]
    assert [(share.engine, share.rank) for share in found.explanations[0].shares] == [("colour", 1), ("theme", 0)]
    assert found.explanations[6].reasons == ()


def test_a_depth_that_divides_equal_scores_ranks_none_of_them() -> None:
    found = LateFusion(engines(), k=0, depth=2).recommend(A0, 3).ranking
    assert list(found) == [("a1", 0.0), ("a2", 0.0), ("a3", 0.0)]
    found = LateFusion(engines(), k=0, depth=3).recommend(A0, 3).ranking
    assert list(found) == [(each, pytest.approx((1 + 1 / 2 + 1 / 3) / 3)) for each in ("a1", "a2", "a3")]


def test_weights_decide_which_engine_leads() -> None:
    assert LateFusion(engines(), weights=[9, 1]).recommend(A0, 1).ranking.item_ids[0][0] == "a"
    assert LateFusion(engines(), weights=[1, 9]).recommend(A0, 1).ranking.item_ids[0][1] == "0"
    alone = LateFusion(engines(), weights=[1, 0]).recommend(A0, 3)
    assert alone.ranking.item_ids == engines()[0].recommend(A0, 3).ranking.item_ids
    assert [share.engine for share in alone.explanations[0].shares] == ["colour"]


def test_fusion_finds_what_both_see() -> None:
    indexes = [index_of([[1, 0], [0.9, 0.4], [0.8, 0.6], [0, 1]], list("abcd"), encoder=name) for name in ("x", "y")]
    turned = index_of([[1, 0], [0.1, 1], [0.8, 0.6], [0.9, 0.4]], list("abcd"), encoder="y")
    fusion = LateFusion([RatingWeightedSimilarity(each) for each in (indexes[0], turned)], k=0)
    found = fusion.recommend(profile_from_ratings({"a": 5}, "linear"), 3).ranking
    # b is first and third (1 + 1/3), d third and first but rounding puts it at the floor of x, c is second twice.
    assert dict(found) == pytest.approx({"b": 1 + 1 / 3, "c": 1 / 2 + 1 / 2, "d": 1.0})
    assert found.item_ids == ("b", "d", "c")  # d and c have 1 each, and d the better single rank


def test_scores_and_moments_are_of_the_whole_index_whatever_is_allowed() -> None:
    fusion = LateFusion(engines(), method="zscore")
    whole = dict(fusion.recommend(A0, 15).ranking)
    some = fusion.recommend(A0, 15, Allow(exclude=frozenset({"a1", "b0", "c3"}))).ranking
    assert dict(some) == {item_id: whole[item_id] for item_id in some.item_ids}
    # By colour 4 of 16 works have the cosine 1, a0 among them: mean 1/4, deviation √(3)/4, z = √3 or −1/√3.
    assert whole["a1"] == pytest.approx((np.sqrt(3) - 1 / np.sqrt(3)) / 2)


def test_min_max_is_among_the_works_that_may_come_back() -> None:
    index = index_of([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], list("abcd"))
    fusion = LateFusion([RatingWeightedSimilarity(index)], method="minmax")
    profile = profile_from_ratings({"a": 5}, "linear")
    assert dict(fusion.recommend(profile, 3).ranking) == pytest.approx({"b": 1, "c": 0.75, "d": 0})
    assert dict(fusion.recommend(profile, 3, Allow(frozenset("d"))).ranking) == pytest.approx({"b": 1, "c": 0})
    assert dict(fusion.recommend(profile, 3, Allow(only=frozenset("c"))).ranking) == {"c": 0}


def test_an_engine_that_knows_no_rated_work_is_left_out_and_named() -> None:
    words = RatingWeightedSimilarity(index_of([[1, 0], [0, 1]], ["b0", "b1"], encoder="words"))
    fusion = LateFusion([engines()[0], words], k=0)
    found = fusion.recommend(A0, 3)
    assert found.notes == ("words knows none of the rated works and was left out",)
    assert found.ranking.item_ids == engines()[0].recommend(A0, 3).ranking.item_ids
    assert fusion.count(A0) == 15


def test_an_engine_whose_remaining_ratings_weigh_nothing_is_left_out_and_named() -> None:
    words = RatingWeightedSimilarity(index_of([[1, 0], [0, 1]], ["b0", "b1"], encoder="words"))
    profile = profile_from_ratings({"a0": 5, "b1": 1}, "linear")
    for method in ("rrf", "zscore"):
        found = LateFusion([engines()[0], words], method=method).recommend(profile, 3)  # type: ignore[arg-type]
        assert found.notes == ("the rated works that words knows weigh 0, so it was left out",)
        assert np.isfinite(found.ranking.scores).all()
    apart = [RatingWeightedSimilarity(index_of(np.eye(2), ids)) for ids in (["x", "y"], ["u", "v"])]
    with pytest.raises(
        RatingsError, match="only y, v can be read by .*, and the rule linear counts their ratings as 0"
    ):
        LateFusion(apart).recommend(profile_from_ratings({"y": 1, "v": 1, "z": 5}, "linear"), 3)


@pytest.mark.parametrize("method", ["rrf", "minmax", "zscore"])
def test_rounding_noise_recommends_nothing(method: FusionMethod) -> None:
    """The rated work shares no word with any other: cosines of 1e-7 have ranks and z-scores by chance alone."""
    rows = np.concatenate([[[0, 0, 1.0]], np.random.default_rng(0).uniform(0.5, 1, (8, 3)) * [1, 1, 1e-7]])
    ids = [f"w{number}" for number in range(9)]
    silent = RatingWeightedSimilarity(index_of(rows, ids, encoder="words"))
    profile = profile_from_ratings({"w0": 5}, "linear")
    assert silent.recommend(profile, 3).notes == ("words finds nothing that resembles the rated works",)
    with pytest.raises(RequestError, match="to words all works are equally like the rated ones.*rate other works"):
        LateFusion([silent], method=method).recommend(profile, 3)
    seeing = RatingWeightedSimilarity(
        index_of(np.random.default_rng(1).standard_normal((9, 4)), ids, encoder="pictures")
    )
    found = LateFusion([silent, seeing], method=method).recommend(profile, 3)
    assert found.notes == ("to words all works are equally like the rated ones, so it was left out",)
    assert found.ranking == LateFusion([seeing], method=method).recommend(profile, 3).ranking
    assert [share.engine for share in found.explanations[0].shares] == ["pictures"]


def test_works_that_only_one_engine_knows_can_be_recommended() -> None:
    words = RatingWeightedSimilarity(index_of([[1, 0], [1, 0], [0, 1]], ["a0", "only text", "a1"], encoder="words"))
    fusion = LateFusion([engines()[0], words], k=0)
    found = fusion.recommend(A0, 16).ranking
    assert found.item_ids[0] == "only text"
    assert len(found) == fusion.count(A0) == 16


def test_cancelling_contributions_still_add_up() -> None:
    index = index_of([[1, 0], [1, 0], [1, 0], [0, 1], [1, 1]], ["liked", "hated", "same", "other", "half"])
    weights = np.array([1.0, -1.0])
    fusion = LateFusion([RatingWeightedSimilarity(index)], method="zscore")
    profile = Profile(("liked", "hated"), np.array([5.0, 1.0]), weights, "signed")
    with pytest.raises(RequestError, match="all works are equally like"):
        fusion.recommend(profile, 3)
    lopsided = index_of([[1, 0], [0.6, 0.8], [0.8, 0.4], [0, 1]], ["liked", "hated", "between", "other"])
    found = LateFusion([RatingWeightedSimilarity(lopsided)], k=0).recommend(profile, 2)
    for why in found.explanations:
        assert sum(reason.contribution for reason in why.reasons) == pytest.approx(why.score)


def test_nine_explanations_ask_each_index_once() -> None:
    asked: list[int] = []

    class Counting(StandInIndex):
        def vectors_of(self, item_ids: Sequence[str]) -> np.ndarray:
            asked.append(len(item_ids))
            return super().vectors_of(item_ids)

    random = np.random.default_rng(0)
    indexes = [Counting(tuple(f"w{n:02d}" for n in range(40)), random.random((40, 4)).astype(np.float32)) for _ in "ab"]
    profile = profile_from_ratings({"w00": 5, "w01": 2}, "linear")
    single = RatingWeightedSimilarity(indexes[0]).recommend(profile, 9)
    assert asked == [2]
    assert len(single.explanations) == len(single.explanations) == 9
    assert asked == [2, 9]
    asked.clear()
    fused = LateFusion([RatingWeightedSimilarity(index) for index in indexes]).recommend(profile, 9)
    before = len(asked)
    assert len(fused.explanations) == len(fused.explanations) == 9
    assert asked[before:] == [9, 9]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "borda"}, "choose rrf"),
        ({"method": "minmax", "depth": 9}, "goes with rrf only"),
        ({"k": -1}, "k of"),
    ],
)
def test_impossible_fusions_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        LateFusion(engines(), **options)  # type: ignore[arg-type]


def test_nothing_allowed_is_an_empty_answer() -> None:
    for method in ("rrf", "minmax", "zscore"):
        found = LateFusion(engines(), method=method).recommend(A0, 3, Allow(only=frozenset({"a0"})))  # type: ignore[arg-type]
        assert len(found.ranking) == 0
        assert found.explanations == ()
    assert LateFusion(engines()).count(A0, EVERYTHING) == 15
