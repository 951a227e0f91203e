"""The rules for lists from single uploads against their definitions, written out in loops, and by hand."""

from collections.abc import Sequence
from functools import partial
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.stand_in_index import StandInIndex
from tests.recommenders.worlds import index_of, themed_profile, themed_works, uploads_in

from vernissage.errors import RequestError
from vernissage.profiles.ratings import RatedVectors
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality, uploads_of_modality
from vernissage.recommenders import upload_rules
from vernissage.recommenders.upload_rules import (
    Candidates,
    Fused,
    FusionRule,
    WeightedUploads,
    csls,
    knn3z,
    mean_vector,
    round_robin,
    rrf,
    weighted_uploads,
)
from vernissage.recommenders.uploads import UploadFusion
from vernissage.values import Allow, Ranking

if TYPE_CHECKING:
    from vernissage.values import Modality

# Works on a quarter circle, by their angle in degrees, and two uploads at its ends.
ANGLES = {"near-x": 10, "half-x": 30, "middle": 45, "half-y": 70, "near-y": 85}
INDEX = index_of([[np.cos(np.radians(angle)), np.sin(np.radians(angle))] for angle in ANGLES.values()], list(ANGLES))
ENDS = UploadProfile("ann", {"text": uploads_in(["x", "y"], np.eye(2), [[0], [1]])})


def ranked(
    rule: FusionRule, profile: UploadProfile, index: StandInIndex, n: int, allow: Allow | None = None
) -> Ranking:
    return UploadFusion({"text": index}, rule=rule).recommend(profile, "text", n, allow or Allow()).ranking


def world(seed: int, works: int, uploads: int, dim: int = 5, disliked: int = 0) -> tuple[StandInIndex, UploadProfile]:
    """Random works, a few with equal vectors, and random uploads of both modalities in two areas of unlike weight."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((works, dim))
    vectors[random.integers(works, size=works // 4)] = vectors[0]
    owners = {f"w{row:05d}": "ann" for row in random.choice(works, works // 5, replace=False).tolist()}
    by_modality: dict[Modality, UploadsOfModality] = {}
    modalities: tuple[Modality, ...] = ("text", "image")
    for modality in modalities:
        rows = random.standard_normal((uploads, dim))
        groups = [range(uploads // 2), range(uploads // 2, uploads)] if uploads > 1 else [[0]]
        weights = random.uniform(0.1, 1, len(groups))
        by_modality[modality] = uploads_in(
            [f"{modality}{row}" for row in range(uploads)], rows, groups, weights.tolist()
        )
    low = index_of(random.standard_normal((disliked, dim)), [f"low{row}" for row in range(disliked)])
    against = {"text": RatedVectors(low.item_ids, low.vectors, random.uniform(0.1, 1, disliked))} if disliked else {}
    return index_of(vectors, owners=owners), UploadProfile("ann", by_modality, against)


def by_definition(
    index: StandInIndex, profile: UploadProfile, nearest: int, *, scaled: bool = False
) -> dict[str, float]:
    """The score of each work that may come back; z-scores are over all works of the index."""
    crowd = dict.fromkeys(index.item_ids, 0.0)
    if scaled:
        for row, item_id in enumerate(index.item_ids):
            others = np.delete(index.vectors.astype(float) @ index.vectors[row].astype(float), row)
            crowd[item_id] = fmean(sorted(others.tolist(), reverse=True)[:10])

    def weighted_z(upload: np.ndarray, weight: float) -> dict[str, float]:
        products = index.vectors.astype(float) @ upload.astype(float)
        similar = {i: float(p) - crowd[i] / 2 for i, p in zip(index.item_ids, products, strict=True)}
        mean, spread = fmean(similar.values()), pstdev(similar.values())
        return {item_id: weight * (value - mean) / spread for item_id, value in similar.items()}

    drawing = [
        weighted_z(uploads.vectors[row], uploads.weights[number] / (len(area.members) / len(uploads)))
        for uploads in profile.by_modality.values()
        for number, area in enumerate(uploads.areas)
        for row in area.members
    ]
    pushing = [
        {item_id: max(0.0, z) for item_id, z in weighted_z(vector, weight).items()}
        for works in profile.disliked.values()
        for vector, weight in zip(works.vectors, works.weights.tolist(), strict=True)
    ]
    scores = {}
    for item_id in index.item_ids:
        if index.columns.owner_of.get(item_id) != "ann":
            scores[item_id] = fmean(sorted((each[item_id] for each in drawing), reverse=True)[:nearest])
            if pushing:
                scores[item_id] -= fmean(sorted((each[item_id] for each in pushing), reverse=True)[:nearest])
    return scores


@pytest.mark.parametrize(("rule", "nearest"), [(knn3z, 3), (csls, 2)])
@given(
    seed=st.integers(0, 10**6),
    works=st.sampled_from([30, 120, 400]),
    uploads=st.integers(1, 6),
    disliked=st.integers(0, 4),
    n=st.integers(1, 12),
)
@settings(max_examples=40, deadline=None)
def test_it_is_what_the_definition_says_of_every_work(
    rule: FusionRule, nearest: int, seed: int, works: int, uploads: int, disliked: int, n: int
) -> None:
    index, profile = world(seed, works, uploads, disliked=disliked)
    expected = by_definition(index, profile, nearest, scaled=rule is csls)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_rules, "_LOOKED_UP", 1)
        patch.setattr(upload_rules, "_FASTER", 2)
        answer = UploadFusion({"text": index}, rule=rule).recommend(profile, "text", n)
    best = sorted(expected, key=lambda item_id: (-round(expected[item_id], 9), item_id))[:n]
    assert list(answer.ranking.item_ids) == best
    assert dict(answer.ranking) == pytest.approx({item_id: expected[item_id] for item_id in best}, abs=1e-9)
    for reason in answer.explanations:
        assert sum(each.contribution for each in reason.uploads) + reason.rest == pytest.approx(reason.score, abs=1e-12)
        assert reason.rest == pytest.approx(0, abs=1e-9)
        pushed = [each for each in reason.uploads if each.item_id.startswith("low")]
        assert all(each.contribution < 0 > each.weight for each in pushed)


@given(
    seed=st.integers(0, 10**6),
    uploads=st.integers(1, 9),
    n=st.integers(1, 30),
    rule=st.sampled_from([knn3z, csls, rrf]),
)
@settings(max_examples=60, deadline=None)
def test_more_results_extend_fewer(seed: int, uploads: int, n: int, rule: FusionRule) -> None:
    index, profile = world(seed, 150, uploads)
    fusion = UploadFusion({"text": index}, rule=rule)
    fewer, more = fusion.recommend(profile, "text", n), fusion.recommend(profile, "text", n + 1)
    assert fewer.ranking == more.ranking.head(n)
    assert fewer.explanations == more.explanations[:n]


def test_few_works_are_looked_at_for_few_uploads() -> None:
    read: list[str] = []

    class Counting(StandInIndex):
        def vectors_of(self, item_ids: Sequence[str]) -> np.ndarray:
            read.extend(item_ids)
            return super().vectors_of(item_ids)

    random = np.random.default_rng(0)
    plain = index_of(random.standard_normal((3_000, 8)))
    profile = UploadProfile("", {"text": uploads_in(["a", "b"], random.standard_normal((2, 8)), [[0], [1]])})
    found = ranked(knn3z, profile, Counting(plain.item_ids, plain.vectors), 5)
    assert found == ranked(knn3z, profile, plain, 5)
    assert len(set(read)) < 1_000


def test_z_scores_are_over_all_works_whatever_is_allowed() -> None:
    index, profile = world(4, 60, 3)
    for rule in (knn3z, csls):
        whole = dict(ranked(rule, profile, index, 60))
        some = ranked(rule, profile, index, 60, Allow(exclude=frozenset(list(whole)[:20])))
        assert dict(some) == {item_id: score for item_id, score in whole.items() if item_id in dict(some)}
        assert len(some) == len(whole) - 20


def test_uploads_to_which_all_works_are_equally_similar_add_nothing() -> None:
    index = index_of([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], ["x", "y", "z"])
    uploads = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    profile = UploadProfile("ann", {"text": uploads_in(["aside", "up"], uploads, [[0, 1]])})
    answer = UploadFusion({"text": index}).recommend(profile, "text", 3)
    assert answer.ranking.item_ids == ("y", "z", "x")
    by_hand = np.array([0.0, 1.0, 0.8])
    z = (by_hand - by_hand.mean()) / by_hand.std()
    assert answer.ranking.scores == pytest.approx(sorted(z / 2, reverse=True), abs=1e-6)
    assert [upload.item_id for upload in answer.explanations[0].uploads] == ["up"]


def test_equal_works_are_ranked_by_id_with_scores_of_zero() -> None:
    random = np.random.default_rng(0)
    vector = random.standard_normal((1, 64))
    index = index_of(np.repeat(vector, 500, axis=0))
    profile = UploadProfile("ann", {"text": uploads_in(["a", "b"], random.standard_normal((2, 64)), [[0], [1]])})
    for rule in (knn3z, csls):
        answer = UploadFusion({"text": index}, rule=rule).recommend(profile, "text", 5)
        assert answer.ranking.item_ids == tuple(f"w{row:05d}" for row in range(5))
        assert not answer.ranking.scores.any()
        assert answer.explanations[0].uploads[0].similarity == pytest.approx(
            float((index.vectors[0] @ profile.by_modality["text"].vectors.T).max())
        )


def test_a_small_spread_above_the_floor_of_precision_counts() -> None:
    random = np.random.default_rng(1)
    base = np.concatenate([[1.0], np.zeros(63)])
    index = index_of(base + 3e-3 * random.standard_normal((60, 64)))
    profile = UploadProfile("", {"text": uploads_in(["a"], base[None, :], [[0]])})
    found = ranked(knn3z, profile, index, 60)
    assert dict(found) == pytest.approx(by_definition(index, profile, 3), abs=1e-3)
    nearly_equal = index_of(base + 2e-4 * random.standard_normal((60, 64)))
    assert not ranked(knn3z, profile, nearly_equal, 60).scores.any()


def test_the_emphasis_of_an_area_multiplies_its_z_scores() -> None:
    index, profile = world(3, 40, 1)
    uploads = profile.by_modality["text"]
    plain = UploadProfile("ann", {"text": uploads_in(uploads.item_ids, uploads.vectors, [[0]])})
    doubled = UploadProfile("ann", {"text": uploads_in(uploads.item_ids, uploads.vectors, [[0]], [2.0])})
    once, twice = (ranked(knn3z, each, index, 9) for each in (plain, doubled))
    assert twice.item_ids == once.item_ids
    assert twice.scores == pytest.approx(2 * once.scores)


def test_a_work_in_a_crowd_gives_way_to_one_that_is_meant() -> None:
    # both are equally near to the upload, but a dozen others stand beside the first
    crowd = [[1.0, 0.5, 0.01 * number, 0.0] for number in range(-6, 7)]
    alone = [[1.0, -0.5, 0.0, 0.0]]
    rest = np.random.default_rng(0).normal(0, 0.1, (20, 4)) + np.eye(4)[3]
    ids = [*(f"crowd{number:02d}" for number in range(13)), "meant", *(f"rest{number:02d}" for number in range(20))]
    index = index_of(np.array([*crowd, *alone, *rest]), ids)
    profile = UploadProfile("ann", {"text": uploads_in(["u"], np.array([[1.0, 0.0, 0.0, 0.0]]), [[0]])})
    assert ranked(csls, profile, index, 1).item_ids == ("meant",)
    assert ranked(knn3z, profile, index, 1).item_ids != ("meant",)


def test_reciprocal_ranks_by_hand() -> None:
    found = ranked(rrf, ENDS, INDEX, 5)
    assert dict(found) == pytest.approx(
        {
            "near-x": 1 / 1 + 1 / 5,
            "near-y": 1 / 5 + 1 / 1,
            "half-x": 1 / 2 + 1 / 4,
            "half-y": 1 / 4 + 1 / 2,
            "middle": 2 / 3,
        }
    )
    assert found.item_ids == ("near-x", "near-y", "half-x", "half-y", "middle")
    sixty = dict(ranked(partial(rrf, k=60), ENDS, INDEX, 5))
    assert sixty["middle"] == pytest.approx(1 / 63 + 1 / 63)
    assert sixty["near-x"] == pytest.approx(1 / 61 + 1 / 65)


def test_works_that_are_equally_near_share_their_reciprocal_ranks() -> None:
    index = index_of([[1, 0], [0.6, 0.8], [0.6, -0.8], [0, 1]], ["a", "c", "b", "d"])
    profile = UploadProfile("", {"text": uploads_in(["u"], np.array([[1.0, 0]]), [[0]])})
    shared = pytest.approx((1 / 2 + 1 / 3) / 2)
    assert list(ranked(rrf, profile, index, 4)) == [("a", 1.0), ("b", shared), ("c", shared), ("d", 0.0)]
    assert list(ranked(partial(rrf, list_length=2), profile, index, 3)) == [("a", 1.0), ("b", 0.0), ("c", 0.0)]


@given(seed=st.integers(0, 10**6), uploads=st.integers(1, 5), k=st.sampled_from([0, 60]), length=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_reciprocal_ranks_are_those_of_full_lists(seed: int, uploads: int, k: float, length: int) -> None:
    index, profile = world(seed, 50, uploads)
    allowed = [item_id for item_id in index.item_ids if index.columns.owner_of.get(item_id) != "ann"]
    expected = dict.fromkeys(allowed, 0.0)
    for own in profile.by_modality.values():
        for row, vector in enumerate(own.vectors):
            cosines = dict(index.search(vector, 50)[0])
            for item_id in allowed:
                above = sum(cosines[other] > cosines[item_id] for other in allowed)
                places = range(above + 1, above + 1 + sum(cosines[other] == cosines[item_id] for other in allowed))
                if places[-1] <= length:
                    expected[item_id] += own.emphasis[own.area_of[row]] * fmean(1 / (k + place) for place in places)
    found = ranked(partial(rrf, k=k, list_length=length), profile, index, 15)
    assert dict(found) == pytest.approx({item_id: expected[item_id] for item_id in found.item_ids}, abs=1e-12)
    others = [score for item_id, score in expected.items() if item_id not in dict(found)]
    assert max(others) <= found.scores[-1] + 1e-12


def test_works_beyond_the_lists_come_last_by_id() -> None:
    found = ranked(partial(rrf, list_length=1), ENDS, INDEX, 5)
    assert list(found) == [("near-x", 1.0), ("near-y", 1.0), ("half-x", 0.0), ("half-y", 0.0), ("middle", 0.0)]
    found = ranked(partial(round_robin, list_length=1), ENDS, INDEX, 5)
    assert list(found) == [("near-x", 1.0), ("near-y", 0.5), ("half-x", 0.0), ("half-y", 0.0), ("middle", 0.0)]


def test_areas_take_turns_and_pass_over_what_is_there() -> None:
    found = ranked(round_robin, ENDS, INDEX, 5)
    assert list(found) == [
        ("near-x", 1.0),
        ("near-y", 1 / 2),
        ("half-x", 1 / 3),
        ("half-y", 1 / 4),
        ("middle", 1 / 5),
    ]
    assert ranked(round_robin, ENDS, INDEX, 3) == found.head(3)
    twice = UploadProfile("ann", {"text": uploads_in(["x", "x2", "y"], np.eye(2)[[0, 0, 1]], [[2], [0, 1]])})
    answer = UploadFusion({"text": INDEX}, rule=round_robin).recommend(twice, "text", 3)
    assert answer.ranking.item_ids == ("near-x", "near-y", "half-x")  # the area of two uploads weighs more
    assert [(each.item_id, each.contribution) for each in answer.explanations[0].uploads] == [("x", 0.5), ("x2", 0.5)]


def test_the_mean_vector_is_one_query() -> None:
    found = ranked(mean_vector, ENDS, INDEX, 5)
    expected = {name: (np.cos(np.radians(angle)) + np.sin(np.radians(angle))) / 2 for name, angle in ANGLES.items()}
    assert dict(found) == pytest.approx(expected, abs=1e-6)
    assert found.item_ids[0] == "middle"


def test_disliked_works_push_the_mean_vector_away() -> None:
    low = RatedVectors(("y",), np.eye(2, dtype=np.float32)[1:], np.array([0.5]))
    profile = UploadProfile("", {"text": uploads_in(["x"], np.eye(2)[:1], [[0]])}, {"text": low})
    answer = UploadFusion({"text": INDEX}, rule=mean_vector).recommend(profile, "text", 1)
    angle = np.radians(ANGLES["near-x"])
    assert list(answer.ranking) == [("near-x", pytest.approx((np.cos(angle) - 0.5 * np.sin(angle)) / 1.5, abs=1e-7))]
    assert [each.contribution for each in answer.explanations[0].uploads] == pytest.approx(
        [np.cos(angle) / 1.5, -0.5 * np.sin(angle) / 1.5], abs=1e-7
    )
    for rule in (rrf, round_robin):
        with pytest.raises(RequestError, match="rated low have none in; choose knn3z or csls"):
            ranked(rule, profile, INDEX, 2)


def test_a_disliked_kind_gives_way() -> None:
    works = themed_works(each=9)
    person = themed_profile(works)
    assert {item_id.split("-")[1] for item_id in _pictures(works, person)} == {"boats", "cats"}
    low = [item_id for item_id in works["image"].item_ids if "cats" in item_id][-2:]
    dislikes = RatedVectors(tuple(low), works["image"].vectors_of(low), np.ones(2))
    found = _pictures(works, UploadProfile("ann", person.by_modality, {"image": dislikes}))
    assert {item_id.split("-")[1] for item_id in found} == {"boats"}


def _pictures(works: "dict[Modality, StandInIndex]", person: UploadProfile) -> tuple[str, ...]:
    return UploadFusion(works).recommend(person, "image", 5).ranking.item_ids


def test_a_further_rule_is_one_small_function() -> None:
    def nearest_upload(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
        def parts(item_ids: Sequence[str]) -> np.ndarray:
            cosines = candidates.cosines(uploads.vectors, item_ids)
            return np.where(cosines == cosines.max(axis=1, keepdims=True), cosines, 0.0)

        # The best by the highest cosine are among the best of each upload.
        ids = sorted({item_id for each in candidates.search(uploads.vectors, n) for item_id in each.item_ids})
        scores = parts(ids).sum(axis=1)
        order = np.argsort(-scores, kind="stable")[:n]
        return Fused(Ranking(tuple(ids[row] for row in order), scores[order]), parts)

    answer = UploadFusion({"text": INDEX}, rule=nearest_upload).recommend(ENDS, "text", 2)
    assert answer.ranking.item_ids == ("near-y", "near-x")
    assert [reason.uploads[0].item_id for reason in answer.explanations] == ["y", "x"]
    assert [reason.area.number for reason in answer.explanations] == [1, 0]


@pytest.mark.parametrize("wrong", [{"k": -1}, {"k": float("nan")}, {"list_length": 0}])
def test_impossible_constants_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RequestError, match="or more"):
        ranked(partial(rrf, **wrong), ENDS, INDEX, 2)  # type: ignore[arg-type]


def test_weights_and_order_of_uploads() -> None:
    """Muted areas and empty vectors are absent; liked works count by their weight; disliked ones come last."""
    rows = np.array([[1, 0], [0, 1], [0, -1], [0, 0], [0.6, 0.8]], dtype=np.float32)
    names = ["c", "b", "a", "nothing", "liked"]
    groups = uploads_in(names, rows, [[0, 3, 4], [1], [2]]).areas
    uploads = uploads_of_modality(names, rows, groups, weights=[0.5, 0.0, 1.0], counts=[1, 1, 1, 1, 0.5])
    low = RatedVectors(("z", "y"), rows[:2], np.array([0.5, 1.0]))
    found = weighted_uploads(UploadProfile("ann", {"text": uploads}, {"text": low}))
    assert found.item_ids == ("a", "c", "liked", "y", "z")
    # importance 1 of a share 1/4.5; a half of a share 2.5/4.5; the liked work counts half of that
    assert found.weights == pytest.approx([4.5, 0.5 * 4.5 / 2.5, 0.25 * 4.5 / 2.5, -1.0, -0.5])
    assert [area.number for area in found.areas] == [2, 0]
    assert found.area_of.tolist() == [0, 1, 1, -1, -1]
    assert found.liked == 3


def test_knn3z_over_both_modalities_is_not_led_by_the_gap() -> None:
    """Every picture is nearer to an uploaded picture than any text is; z-scores let the uploaded text count as much."""
    works = themed_works()
    answer = UploadFusion(works, rule=knn3z).recommend(themed_profile(works), "image", 8)
    assert {upload.source for reason in answer.explanations for upload in reason.uploads} == {"image", "text"}
