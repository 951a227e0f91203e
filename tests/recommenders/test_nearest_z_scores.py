"""`knn3z` against the definition, written out in double loops."""

import math
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import side_of, table_of

from vernissage.encoders.contract import unit_rows
from vernissage.profiles.uploads import UploadedSide, UploadProfile
from vernissage.recommenders import nearest_z_scores, pool
from vernissage.recommenders.upload_fusion import UploadFusion
from vernissage.search.live import LiveIndex, live_index

if TYPE_CHECKING:
    from vernissage.values import Modality


def world(seed: int, works: int, uploads: int, dim: int = 5) -> tuple[LiveIndex, UploadProfile]:
    """Random works, a few with equal vectors, and random uploads of both modalities in two areas of unlike weight."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((works, dim))
    vectors[rng.integers(works, size=works // 4)] = vectors[0]
    owners = {f"w{row:05d}": "ann" for row in rng.choice(works, works // 5, replace=False).tolist()}
    sides: dict[Modality, UploadedSide] = {}
    modalities: tuple[Modality, ...] = ("text", "image")
    for modality in modalities:
        rows = rng.standard_normal((uploads, dim))
        groups = [range(uploads // 2), range(uploads // 2, uploads)] if uploads > 1 else [[0]]
        weights = rng.uniform(0.1, 1, len(groups))
        sides[modality] = side_of([f"{modality}{row}" for row in range(uploads)], rows, groups, weights.tolist())
    return live_index(table_of(vectors), owners), UploadProfile("ann", sides)


def literal(index: LiveIndex, profile: UploadProfile) -> dict[str, float]:
    """The mean of each candidate's three highest weighted z-scores, by the definition."""
    candidates = [item_id for item_id in index.item_ids if index.owner_of(item_id) != "ann"]
    terms: dict[str, list[float]] = {item_id: [] for item_id in candidates}
    for side in profile.sides.values():
        for number, area in enumerate(side.areas):
            weight = side.weights[number] / (len(area.members) / len(side))
            for row in area.members:
                upload = side.vectors[row].astype(float).tolist()
                similarities = [
                    math.fsum(a * b for a, b in zip(upload, index.vectors_of([item_id])[0].tolist(), strict=True))
                    for item_id in candidates
                ]
                mean, spread = fmean(similarities), pstdev(similarities)
                for item_id, similarity in zip(candidates, similarities, strict=True):
                    terms[item_id].append(weight * (similarity - mean) / spread)
    return {item_id: fmean(sorted(own, reverse=True)[:3]) for item_id, own in terms.items()}


@pytest.mark.parametrize(("works", "uploads"), [(40, 1), (60, 2), (80, 7), (30, 40)])
def test_it_is_what_the_definition_says(works: int, uploads: int) -> None:
    index, profile = world(works, works, uploads)
    expected = literal(index, profile)
    found = UploadFusion({"text": index}).recommend(profile, "text", works)
    assert dict(found) == pytest.approx(expected, abs=1e-6)
    assert list(found.item_ids) == sorted(expected, key=lambda item_id: (-round(expected[item_id], 9), item_id))


@given(seed=st.integers(0, 10**6), uploads=st.integers(1, 12), n=st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_more_results_extend_fewer_and_reasons_add_up(seed: int, uploads: int, n: int) -> None:
    index, profile = world(seed, 37, uploads)
    recommender = UploadFusion({"text": index})
    answer = recommender.answer(profile, "text", n + 1)
    assert recommender.recommend(profile, "text", n) == answer.ranking.head(n)
    for reason in answer.reasons:
        terms = [
            each.weight * each.z_score / min(3, 2 * uploads) for each in reason.uploads if each.z_score is not None
        ]
        assert len(terms) == min(3, 2 * uploads)
        assert sum(terms) == pytest.approx(reason.score, abs=1e-6)
        assert reason.rest == pytest.approx(0, abs=1e-9)


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    index, profile = world(5, 90, 9)
    whole = UploadFusion({"text": index}).recommend(profile, "text", 90)
    monkeypatch.setattr(pool, "_ROWS_AT_ONCE", 7)
    monkeypatch.setattr(pool, "_NUMBERS_AT_ONCE", 200)
    monkeypatch.setattr(pool, "_PRECISE_AT_ONCE", 4)
    monkeypatch.setattr(nearest_z_scores, "_WORKS_AT_ONCE", 5)
    parts = UploadFusion({"text": index}).recommend(profile, "text", 90)
    assert parts.item_ids == whole.item_ids
    assert parts.scores == pytest.approx(whole.scores, abs=1e-6)


def test_uploads_to_which_all_works_are_equally_similar_say_nothing() -> None:
    index = live_index(table_of([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], ["x", "y", "z"]), {})
    uploads = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    profile = UploadProfile("ann", {"text": side_of(["aside", "up"], uploads, [[0, 1]])})
    answer = UploadFusion({"text": index}).answer(profile, "text", 3)
    assert answer.ranking.item_ids == ("y", "z", "x")
    by_hand = np.array([0.0, 1.0, 0.8])
    z = (by_hand - by_hand.mean()) / by_hand.std()
    assert answer.ranking.scores == pytest.approx(sorted(z / 2, reverse=True), abs=1e-6)
    assert [upload.item_id for upload in answer.reasons[0].uploads] == ["up"]


def test_a_pool_of_equal_works_is_ranked_by_id_with_scores_of_zero() -> None:
    rng = np.random.default_rng(0)
    vector = unit_rows(rng.standard_normal((1, 64)))
    index = live_index(table_of(np.repeat(vector, 500, axis=0)), {})
    profile = UploadProfile("ann", {"text": side_of(["a", "b"], rng.standard_normal((2, 64)), [[0], [1]])})
    answer = UploadFusion({"text": index}).answer(profile, "text", 5)
    assert answer.ranking.item_ids == tuple(f"w{row:05d}" for row in range(5))
    assert not answer.ranking.scores.any()
    assert answer.reasons[0].uploads[0].similarity == pytest.approx(
        float((vector @ profile.sides["text"].vectors.T).max())
    )


def test_a_tiny_spread_is_measured_precisely() -> None:
    """Cosines that differ in the seventh decimal: float32 products alone could not tell them apart."""
    rng = np.random.default_rng(1)
    base = np.concatenate([[1.0], np.zeros(63)])
    index = live_index(table_of(base + 1e-4 * rng.standard_normal((60, 64))), {})
    profile = UploadProfile("ann", {"text": side_of(["a"], base[None, :], [[0]])})
    expected = literal(index, profile)
    found = UploadFusion({"text": index}).recommend(profile, "text", 60)
    assert dict(found) == pytest.approx(expected, abs=1e-6)


def test_the_emphasis_of_an_area_multiplies_its_z_scores() -> None:
    index, profile = world(3, 40, 1)
    side = profile.sides["text"]
    plain = UploadProfile("ann", {"text": side_of(side.item_ids, side.vectors, [[0]])})
    doubled = UploadProfile("ann", {"text": side_of(side.item_ids, side.vectors, [[0]], [2.0])})
    once = UploadFusion({"text": index}).recommend(plain, "text", 9)
    twice = UploadFusion({"text": index}).recommend(doubled, "text", 9)
    assert twice.item_ids == once.item_ids
    assert twice.scores == pytest.approx(2 * once.scores)
