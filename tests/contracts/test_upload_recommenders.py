"""What every recommender from uploads promises, run on each rule over the same world of three themes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.contracts.kinds import on_approximate, on_milvus
from tests.recommenders.worlds import THEMES, themed_profile, themed_works, uploads_in

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality
from vernissage.recommenders.upload_rules import FusionRule, csls, knn3z, mean_vector, round_robin, rrf
from vernissage.recommenders.uploads import UploadFusion, UploadRecommender
from vernissage.values import Allow, Modality

RULES: dict[str, FusionRule] = {
    "knn3z": knn3z,
    "csls": csls,
    "rrf": rrf,
    "rrf60": partial(rrf, k=60),
    "short-rrf": partial(rrf, list_length=3),
    "round-robin": round_robin,
    "mean-vector": mean_vector,
}
OPTIONS: dict[str, Callable[..., UploadFusion]] = {
    "plain": UploadFusion,
    "diverse": partial(UploadFusion, diversity=0.3),
    "fair": partial(UploadFusion, at_least=2),
    "diverse-fair": partial(UploadFusion, diversity=0.3, at_least=2),
}
MODALITIES: tuple[Modality, ...] = ("image", "text")
WORKS = themed_works()
PROFILE = themed_profile(WORKS)
for kind, serve in {"approximate": on_approximate, "milvus": on_milvus}.items():
    OPTIONS[f"fair on {kind}"] = lambda works, serve=serve, **how: UploadFusion(
        {modality: serve(index) for modality, index in works.items()}, at_least=2, **how
    )


@pytest.fixture(params=RULES)
def rule(request: pytest.FixtureRequest) -> FusionRule:
    return RULES[request.param]


@pytest.fixture(params=[("plain", name) for name in RULES] + [(o, "knn3z") for o in OPTIONS if o != "plain"])
def make(request: pytest.FixtureRequest) -> Callable[..., UploadFusion]:
    option, name = request.param
    return partial(OPTIONS[option], rule=RULES[name])


def turned(uploads: UploadsOfModality, seed: int = 1) -> UploadsOfModality:
    """The same uploads in another order, with the same areas."""
    order = np.random.default_rng(seed).permutation(len(uploads))
    place = np.argsort(order)
    groups = [[int(place[row]) for row in area.members] for area in uploads.areas]
    return uploads_in([uploads.item_ids[row] for row in order], uploads.vectors[order], groups)


@pytest.mark.parametrize("target", MODALITIES)
def test_only_others_works_come_back_exactly_n_of_them(make: Callable[..., UploadFusion], target: Modality) -> None:
    recommender = make(WORKS)
    assert isinstance(recommender, UploadRecommender)
    for n in (1, 5, 12):
        found = recommender.recommend(PROFILE, target, n).ranking
        assert len(set(found.item_ids)) == len(found) == n
        assert all(WORKS[target].columns.owner_of[item_id] != "ann" for item_id in found.item_ids)
        assert set(found.item_ids).isdisjoint(PROFILE.item_ids)
    assert len(recommender.recommend(PROFILE, target, 99).ranking) == recommender.count(PROFILE, target) == 12


@pytest.mark.parametrize("target", MODALITIES)
def test_reasons_add_up_and_name_uploads_with_their_similarity(
    make: Callable[..., UploadFusion], target: Modality
) -> None:
    answer = make(WORKS).recommend(PROFILE, target, 8)
    for (item_id, score), reason in zip(answer.ranking, answer.explanations, strict=True):
        assert (reason.item_id, reason.score) == (item_id, score)
        assert sum(each.contribution for each in reason.uploads) + reason.rest == pytest.approx(score, abs=1e-9)
        assert 1 <= len(reason.uploads) <= 3
        for each in reason.uploads:
            cosine = WORKS[target].vectors_of([item_id])[0] @ WORKS[each.source].vectors_of([each.item_id])[0]
            assert each.similarity == pytest.approx(float(cosine), abs=1e-6)


@pytest.mark.parametrize("name", ["knn3z", "rrf", "round-robin", "mean-vector"])
@pytest.mark.parametrize("target", MODALITIES)
def test_each_work_carries_an_area_of_its_theme(name: str, target: Modality) -> None:
    answer = UploadFusion(WORKS, rule=RULES[name]).recommend(PROFILE, target, 8)
    themes = [reason.item_id.split("-")[1] for reason in answer.explanations]
    assert [("boats", "cats")[reason.area.number] for reason in answer.explanations] == themes
    assert set(themes) == {"boats", "cats"}
    near = [upload.item_id.split("-")[1] for reason in answer.explanations for upload in reason.uploads[:1]]
    assert near == themes


def test_more_results_extend_fewer(make: Callable[..., UploadFusion]) -> None:
    recommender = make(WORKS)
    for target in MODALITIES:
        longest = recommender.recommend(PROFILE, target, 12)
        for n in range(1, 12):
            answer = recommender.recommend(PROFILE, target, n)
            assert answer.ranking == longest.ranking.head(n)
            assert answer.explanations == longest.explanations[:n]


def test_the_order_of_uploads_does_not_matter(make: Callable[..., UploadFusion]) -> None:
    other = UploadProfile("ann", {modality: turned(each) for modality, each in reversed(PROFILE.by_modality.items())})
    for target in MODALITIES:
        one, same = (make(WORKS).recommend(profile, target, 9) for profile in (PROFILE, other))
        assert (one.ranking, one.explanations) == (same.ranking, same.explanations)


def test_a_muted_area_is_not_heard(rule: FusionRule) -> None:
    muted = {modality: replace(each, weights=np.array([0.0, 1.0])) for modality, each in PROFILE.by_modality.items()}
    answer = UploadFusion(WORKS, rule=rule).recommend(UploadProfile("ann", muted), "image", 4)
    assert [item_id.split("-")[1] for item_id in answer.ranking.item_ids] == ["cats"] * 4
    assert {reason.area.number for reason in answer.explanations} == {1}
    assert all("cats" in upload.item_id for reason in answer.explanations for upload in reason.uploads)


def test_one_modality_speaks_for_both(make: Callable[..., UploadFusion]) -> None:
    texts = UploadProfile("ann", {"text": PROFILE.by_modality["text"]})
    for target in MODALITIES:
        answer = make(WORKS).recommend(texts, target, 2)
        assert {item_id.split("-")[1] for item_id in answer.ranking.item_ids} <= {"boats", "cats"}
        assert {upload.source for reason in answer.explanations for upload in reason.uploads} == {"text"}


def test_one_upload_and_equal_uploads_find_their_theme(make: Callable[..., UploadFusion]) -> None:
    vector = WORKS["text"].vectors_of(["text-dunes-00"])
    one = UploadProfile("ann", {"text": uploads_in(["u0"], vector, [[0]])})
    same = UploadProfile("ann", {"text": uploads_in([f"u{n}" for n in range(5)], np.tile(vector, (5, 1)), [range(5)])})
    for profile in (one, same):
        answer = make(WORKS).recommend(profile, "image", 4)
        assert {item_id.split("-")[1] for item_id in answer.ranking.item_ids} >= {"dunes"}
        assert make(WORKS).recommend(profile, "image", 1).ranking.item_ids[0].split("-")[1] == "dunes"


def test_exactly_n_come_back_to_the_owner_of_nearly_everything(make: Callable[..., UploadFusion]) -> None:
    works = themed_works(each=30, own=29)
    found = make(works).recommend(themed_profile(works, THEMES), "text", 3).ranking
    assert sorted(found.item_ids) == ["text-boats-29", "text-cats-29", "text-dunes-29"]
    everything = themed_works(each=5, own=5)
    assert len(make(everything).recommend(themed_profile(everything), "text", 3).ranking) == 0


def test_only_chosen_works_come_back(make: Callable[..., UploadFusion]) -> None:
    allow = Allow(only=frozenset({"image-boats-04", "image-dunes-03", "image-cats-00", "nobody"}))
    found = make(WORKS).recommend(PROFILE, "image", 9, allow).ranking
    assert found.item_ids == ("image-boats-04", "image-dunes-03")


def test_works_with_equal_vectors_stand_in_the_order_of_their_ids(rule: FusionRule) -> None:
    index = WORKS["text"]
    vector = index.vectors_of(["text-boats-03"])
    twins = [f"twin{number:03d}" for number in np.random.default_rng(0).permutation(70)]
    doubled = index.add(twins, np.repeat(vector, 70, axis=0), ["zoe"] * 70)
    found = UploadFusion({"text": doubled}, rule=rule).recommend(PROFILE, "text", 82).ranking
    places = [item_id for item_id in found.item_ids if item_id in {*twins, "text-boats-03"}]
    assert places == sorted(places)
    scores = dict(found)
    if rule is not round_robin:
        assert len({scores[item_id] for item_id in places}) == 1


def test_what_cannot_be_answered_is_said(make: Callable[..., UploadFusion]) -> None:
    recommender = make(WORKS)
    with pytest.raises(RequestError, match="zoe has uploaded nothing"):
        recommender.recommend(UploadProfile("zoe", {}), "text", 3)
    with pytest.raises(RequestError, match="1 or more"):
        recommender.recommend(PROFILE, "text", 0)
    with pytest.raises(RequestError, match="no index of modality image, only of text"):
        make({"text": WORKS["text"]}).recommend(PROFILE, "image", 3)
    silent = {m: replace(each, weights=np.zeros(2)) for m, each in PROFILE.by_modality.items()}
    with pytest.raises(RequestError, match="muted"):
        recommender.recommend(UploadProfile("ann", silent), "text", 3)
    mixed = {"image": uploads_in(["p"], np.eye(3)[:1], [[0]]), "text": PROFILE.by_modality["text"]}
    with pytest.raises(RequestError, match="different dimensions"):
        recommender.recommend(UploadProfile("ann", mixed), "text", 3)  # type: ignore[arg-type]
    narrow = UploadProfile("ann", {"image": mixed["image"]})
    with pytest.raises(RequestError, match="3 dimensions"):
        recommender.recommend(narrow, "text", 3)
