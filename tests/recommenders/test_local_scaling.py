"""`csls` against the definition, written out in loops."""

from statistics import fmean, pstdev

import numpy as np
import pytest
from tests.worlds import side_of, table_of

from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.local_scaling import crowding, csls
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.upload_fusion import UploadFusion
from vernissage.search.live import LiveIndex, live_index


def world(seed: int, works: int = 60, uploads: int = 5, dim: int = 6) -> tuple[LiveIndex, UploadProfile]:
    """Random works, a quarter of them with equal vectors, and uploads in two areas of unlike weight."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((works, dim))
    vectors[random.integers(works, size=works // 4)] = vectors[0]
    owners = {f"w{row:05d}": "ann" for row in random.choice(works, works // 6, replace=False).tolist()}
    groups = [range(2), range(2, uploads)]
    side = side_of([f"u{row}" for row in range(uploads)], random.standard_normal((uploads, dim)), groups, [0.7, 0.2])
    return live_index(table_of(vectors), owners), UploadProfile("ann", {"text": side})


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one.astype(float) @ other.astype(float))


def literal(index: LiveIndex, profile: UploadProfile) -> dict[str, float]:
    vectors = dict(zip(index.item_ids, index.vectors_of(index.item_ids), strict=True))
    crowd = {
        work: fmean(sorted((cosine(own, vectors[other]) for other in vectors if other != work), reverse=True)[:10])
        for work, own in vectors.items()
    }
    candidates = [work for work in vectors if index.owner_of(work) != "ann"]
    terms: dict[str, list[float]] = {work: [] for work in candidates}
    side = profile.sides["text"]
    for row, upload in enumerate(side.vectors):
        scaled = [cosine(upload, vectors[work]) - crowd[work] / 2 for work in candidates]
        mean, spread = fmean(scaled), pstdev(scaled)
        for work, similarity in zip(candidates, scaled, strict=True):
            terms[work].append(float(side.emphasis[side.area_of[row]]) * (similarity - mean) / spread)
    return {work: fmean(sorted(own, reverse=True)[:2]) for work, own in terms.items()}


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_the_definition_says(seed: int) -> None:
    index, profile = world(seed)
    expected = literal(index, profile)
    found = UploadFusion({"text": index}, rule=csls, name="csls").recommend(profile, "text", 100)
    assert dict(found) == pytest.approx(expected, abs=1e-6)
    assert list(found.item_ids) == sorted(expected, key=lambda work: (-round(expected[work], 9), work))


def test_a_work_in_a_crowd_gives_way_to_one_that_is_meant() -> None:
    # both are equally near to the upload, but a dozen others stand beside the first
    crowd = [[1.0, 0.5, 0.01 * number, 0.0] for number in range(-6, 7)]
    alone = [[1.0, -0.5, 0.0, 0.0]]
    rest = np.random.default_rng(0).normal(0, 0.1, (20, 4)) + np.eye(4)[3]
    ids = [*(f"crowd{number:02d}" for number in range(13)), "meant", *(f"rest{number:02d}" for number in range(20))]
    index = live_index(table_of(np.array([*crowd, *alone, *rest]), ids), {})
    profile = UploadProfile("ann", {"text": side_of(["u"], np.array([[1.0, 0.0, 0.0, 0.0]]), [[0]])})
    assert UploadFusion({"text": index}).recommend(profile, "text", 1).item_ids == ("crowd06",)
    assert UploadFusion({"text": index}, rule=csls).recommend(profile, "text", 1).item_ids == ("meant",)


def test_crowding_belongs_to_the_works_that_are_there_in_any_order() -> None:
    index, _ = world(1)
    there = index.item_ids[10:]
    fresh = live_index(table_of(index.vectors_of(there)[::-1], there[::-1]), {})
    left = index.removing(index.item_ids[:10])
    old, new = crowding(left), crowding(fresh)
    assert crowding(left) is old
    assert (old[:10] == 0).all()
    assert {left.ids[row]: value for row, value in enumerate(old) if row >= 10} == pytest.approx(
        {fresh.ids[row]: value for row, value in enumerate(new)}, abs=1e-6
    )
    one, none = index.removing(index.item_ids[1:]), index.removing(index.item_ids)
    assert crowding(one).tolist() == [0]
    assert not crowding(none).any()


def test_reasons_add_up_and_tell_cosines_but_no_z_scores() -> None:
    index, profile = world(2)
    answer = UploadFusion({"text": index}, rule=csls, name="csls").answer(profile, "text", 8)
    for reason in answer.reasons:
        assert sum(upload.contribution for upload in reason.uploads) + reason.rest == pytest.approx(reason.score)
        for upload in reason.uploads:
            own = profile.sides["text"].vectors[int(upload.item_id[1:])]
            assert upload.similarity == pytest.approx(cosine(own, index.vectors_of([reason.item_id])[0]), abs=1e-6)
            assert upload.z_score is None


def test_without_crowds_it_differs_from_knn3z_in_nothing_but_the_number_of_uploads() -> None:
    # every work has the same crowd around it: the corners of a cross in many dimensions
    index = live_index(table_of(np.concatenate([np.eye(12), -np.eye(12)])), {})
    assert np.ptp(crowding(index)) == 0
    uploads = np.random.default_rng(5).standard_normal((2, 12))
    profile = UploadProfile("ann", {"text": side_of(["a", "b"], uploads, [[0, 1]])})
    scaled, plain = (UploadFusion({"text": index}, rule=rule).recommend(profile, "text", 24) for rule in (csls, knn3z))
    assert scaled.item_ids == plain.item_ids
    np.testing.assert_allclose(scaled.scores, plain.scores, atol=1e-6)
