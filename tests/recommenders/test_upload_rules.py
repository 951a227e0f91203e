"""The fusion rules by hand, quotas, and what is heard of a profile."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import side_of, table_of, themed_profile, themed_works

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile, uploaded_side
from vernissage.recommenders.fused import Fused
from vernissage.recommenders.mean_vector import mean_vector
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.pool import Pool
from vernissage.recommenders.quota import with_quota
from vernissage.recommenders.reciprocal_rank import rrf
from vernissage.recommenders.round_robin import round_robin
from vernissage.recommenders.upload_fusion import UploadFusion
from vernissage.recommenders.voices import Voices, voices_of
from vernissage.search.live import live_index

# Works on a quarter circle, by their angle in degrees, and two uploads at its ends.
ANGLES = {"near-x": 10, "half-x": 30, "middle": 45, "half-y": 70, "near-y": 85}
INDEX = live_index(
    table_of([[np.cos(np.radians(angle)), np.sin(np.radians(angle))] for angle in ANGLES.values()], list(ANGLES)), {}
)
ENDS = UploadProfile("ann", {"text": side_of(["x", "y"], np.eye(2), [[0], [1]])})


def test_reciprocal_ranks_by_hand() -> None:
    found = UploadFusion({"text": INDEX}, rule=rrf).recommend(ENDS, "text", 5)
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
    sixty = UploadFusion({"text": INDEX}, rule=partial(rrf, k=60)).recommend(ENDS, "text", 5)
    assert dict(sixty)["middle"] == pytest.approx(1 / 63 + 1 / 63)
    assert dict(sixty)["near-x"] == pytest.approx(1 / 61 + 1 / 65)


def test_works_beyond_the_lists_come_last_by_id() -> None:
    found = UploadFusion({"text": INDEX}, rule=partial(rrf, list_length=1)).recommend(ENDS, "text", 5)
    assert list(found) == [("near-x", 1.0), ("near-y", 1.0), ("half-x", 0.0), ("half-y", 0.0), ("middle", 0.0)]
    found = UploadFusion({"text": INDEX}, rule=partial(round_robin, list_length=1)).recommend(ENDS, "text", 5)
    assert list(found) == [("near-x", 1.0), ("near-y", 0.5), ("half-x", 0.0), ("half-y", 0.0), ("middle", 0.0)]


def test_areas_take_turns_and_pass_over_what_is_there() -> None:
    found = UploadFusion({"text": INDEX}, rule=round_robin).recommend(ENDS, "text", 5)
    assert list(found) == [
        ("near-x", 1.0),
        ("near-y", 1 / 2),
        ("half-x", 1 / 3),
        ("half-y", 1 / 4),
        ("middle", 1 / 5),
    ]
    twice = UploadProfile("ann", {"text": side_of(["x", "x2", "y"], np.eye(2)[[0, 0, 1]], [[2], [0, 1]])})
    answer = UploadFusion({"text": INDEX}, rule=round_robin).answer(twice, "text", 3)
    assert answer.ranking.item_ids == ("near-x", "near-y", "half-x")  # the area of two uploads weighs more
    assert [(each.item_id, each.contribution) for each in answer.reasons[0].uploads] == [("x", 0.5), ("x2", 0.5)]


def test_the_mean_vector_is_one_query() -> None:
    found = UploadFusion({"text": INDEX}, rule=mean_vector).recommend(ENDS, "text", 5)
    expected = {name: (np.cos(np.radians(angle)) + np.sin(np.radians(angle))) / 2 for name, angle in ANGLES.items()}
    assert dict(found) == pytest.approx(expected, abs=1e-6)
    assert found.item_ids[0] == "middle"


def test_a_further_rule_is_one_small_function() -> None:
    def nearest_upload(voices: Voices, pool: Pool) -> Fused:
        cosines = pool.precise(voices.vectors, np.arange(len(pool)))

        def parts(places: np.ndarray) -> np.ndarray:
            own = cosines[places]
            return np.where(own == own.max(axis=1, keepdims=True), own, 0.0)

        return Fused(cosines.max(axis=1), parts)

    answer = UploadFusion({"text": INDEX}, rule=nearest_upload).answer(ENDS, "text", 2)
    assert answer.ranking.item_ids == ("near-y", "near-x")
    assert [reason.uploads[0].item_id for reason in answer.reasons] == ["y", "x"]
    assert [reason.area.number for reason in answer.reasons] == [1, 0]


@pytest.mark.parametrize("wrong", [{"k": -1}, {"k": float("nan")}, {"list_length": 0}])
def test_impossible_constants_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RequestError, match="or more"):
        UploadFusion({"text": INDEX}, rule=partial(rrf, **wrong)).recommend(ENDS, "text", 2)  # type: ignore[arg-type]


def test_a_faint_area_is_heard_by_quota() -> None:
    works = themed_works(each=30)
    profile = themed_profile(works)
    faint = {
        modality: uploaded_side(side.item_ids, side.vectors, side.areas, weights=[0.99, 0.01])
        for modality, side in profile.sides.items()
    }
    person = UploadProfile("ann", faint)
    plain = UploadFusion(works).recommend(person, "image", 6)
    assert all("boats" in item_id for item_id in plain.item_ids)
    answer = UploadFusion(works, at_least=1).answer(person, "image", 6)
    areas = [(reason.area.source, reason.area.number) for reason in answer.reasons]
    assert set(areas) == {("image", 0), ("image", 1), ("text", 0), ("text", 1)}
    assert sum("cats" in item_id for item_id in answer.ranking.item_ids) == 2
    assert list(answer.ranking.scores) == sorted(answer.ranking.scores, reverse=True)
    for reason in answer.reasons:
        assert sum(each.contribution for each in reason.uploads) + reason.rest == pytest.approx(reason.score)


def test_places_go_round_when_there_are_too_few() -> None:
    order = np.arange(10)
    areas = np.zeros(10, dtype=np.int64)
    own = [np.array([0]), np.array([7, 8]), np.array([7, 12])]
    places, of = with_quota(order, areas, own, 4, 1)
    assert list(zip(places.tolist(), of.tolist(), strict=True)) == [(0, 0), (1, 0), (7, 1), (12, 2)]
    places, of = with_quota(order, areas, own, 2, 2)
    assert list(zip(places.tolist(), of.tolist(), strict=True)) == [(0, 0), (7, 1)]
    places, _ = with_quota(order, areas, own, 4, 0)
    assert places.tolist() == [0, 1, 2, 3]


@given(seed=st.integers(0, 10**6), n=st.integers(1, 25), at_least=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_each_area_has_its_quota_where_there_is_room(seed: int, n: int, at_least: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(30)[:20]
    areas = rng.integers(3, size=20)
    own = [rng.permutation(30)[:n] for _ in range(3)]
    places, of = with_quota(order, areas, own, n, at_least)
    assert len(set(places.tolist())) == len(places)
    assert len(places) <= n
    assert len(places) >= min(n, 20)
    if 3 * at_least <= n:
        assert (np.bincount(of, minlength=3) >= at_least).all()


@pytest.mark.parametrize("diversity", [-0.1, float("nan")])
def test_impossible_options_are_refused(diversity: float) -> None:
    with pytest.raises(RequestError, match="from 0"):
        UploadFusion({"text": INDEX}, diversity=diversity)
    with pytest.raises(RequestError, match="0 or more"):
        UploadFusion({"text": INDEX}, at_least=-1)


def test_diversity_brings_another_kind_forward() -> None:
    """Three twins on one side of the upload, a cousin a little farther off on the other."""
    vectors = [[1, -0.3, 0], [1, -0.3, 0.01], [1, -0.3, 0.02], [1, 0.5, 0], [0, 1, 0], [0, 0.9, -1]]
    index = live_index(table_of(vectors, ["twin1", "twin2", "twin3", "cousin", "other", "far"]), {})
    profile = UploadProfile("ann", {"text": side_of(["u"], np.array([[1.0, 0, 0]]), [[0]])})
    assert "cousin" not in UploadFusion({"text": index}).recommend(profile, "text", 2).item_ids
    diverse = UploadFusion({"text": index}, diversity=0.4).recommend(profile, "text", 2)
    assert diverse.item_ids[1] == "cousin"
    assert dict(diverse)["cousin"] == dict(UploadFusion({"text": index}).recommend(profile, "text", 6))["cousin"]


def test_voices_leave_out_the_muted_and_the_mute() -> None:
    side = uploaded_side(
        ["c", "b", "a", "nothing"],
        np.array([[1, 0], [0, 1], [0, -1], [0, 0]], dtype=np.float32),
        side_of(["c", "b", "a", "nothing"], np.array([[1, 0], [0, 1], [0, -1], [0, 0]]), [[0, 3], [1], [2]]).areas,
        weights=[0.5, 0.0, 1.0],
    )
    voices = voices_of(UploadProfile("ann", {"text": side}))
    assert voices.item_ids == ("a", "c")
    assert voices.weights == pytest.approx([4.0, 1.0])  # importance 1 of a quarter, and a half of a half
    assert [area.number for area in voices.heard] == [2, 0]
    assert voices.areas.tolist() == [0, 1]


def test_knn3z_over_both_modalities_is_not_led_by_the_gap() -> None:
    """Every picture is nearer to an uploaded picture than any text is; z-scores let the uploaded text speak as loud."""
    works = themed_works()
    pictures_and_texts = themed_profile(works)
    answer = UploadFusion(works, rule=knn3z).answer(pictures_and_texts, "image", 8)
    sources = {upload.source for reason in answer.reasons for upload in reason.uploads}
    assert sources == {"image", "text"}
