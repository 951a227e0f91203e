from dataclasses import replace

import numpy as np
import pytest
from tests.recommenders.worlds import index_of, themed_profile, themed_works, uploads_in

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_searches import Seed, others_works, rank_areas, resembling_uploads
from vernissage.values import Allow

TASKS = [("image", "image"), ("image", "text"), ("text", "image"), ("text", "text")]


@pytest.mark.parametrize("seed", ["centroid", "medoid"])
def test_each_area_finds_its_theme_in_each_task_and_nothing_of_its_own(seed: Seed) -> None:
    works = themed_works()
    answers = rank_areas(works, themed_profile(works), 4, seed=seed)
    assert [(each.source, each.target, each.area) for each in answers] == [(*t, area) for t in TASKS for area in (0, 1)]
    for answer in answers:
        theme = ("boats", "cats")[answer.area]
        assert set(answer.ranking.item_ids) == {f"{answer.target}-{theme}-{number:02d}" for number in range(2, 6)}


def test_exactly_k_come_back_for_the_owner_of_nearly_everything() -> None:
    works = themed_works(each=40, own=39)
    for answer in rank_areas(works, themed_profile(works), 3):
        assert len(answer.ranking) == 3
        assert all(item_id.endswith("39") for item_id in answer.ranking.item_ids)


def test_fewer_come_back_only_where_fewer_are_allowed() -> None:
    works = themed_works()
    assert all(len(each.ranking) == 12 for each in rank_areas(works, themed_profile(works), 99))
    chosen = ["image-boats-00", "image-boats-05", "text-cats-03", "nobody"]
    found = rank_areas(works, themed_profile(works), 9, Allow(only=frozenset(chosen)))
    assert {each.target: each.ranking.item_ids for each in found} == {
        "image": ("image-boats-05",),
        "text": ("text-cats-03",),
    }


def test_scores_are_cosines_to_the_seed() -> None:
    index = index_of([[1, 0], [0, 1]], ["x", "y"])
    uploads = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    profile = UploadProfile("ann", {"text": uploads_in(["a", "b", "c"], uploads, [[0, 1, 2]])})
    centroid = np.array([1.8, 1.6]) / np.hypot(1.8, 1.6)
    (answer,) = rank_areas({"text": index}, profile, 2)
    assert dict(answer.ranking) == pytest.approx({"x": centroid[0], "y": centroid[1]})
    (answer,) = rank_areas({"text": index}, profile, 2, seed="medoid")
    assert dict(answer.ranking) == pytest.approx({"x": 0.8, "y": 0.6})


def test_muted_and_empty_areas_do_not_search_and_weighty_ones_come_first() -> None:
    works = themed_works()
    profile = themed_profile(works)
    text = replace(profile.by_modality["text"], weights=np.array([0.2, 0.6]))
    image = replace(profile.by_modality["image"], weights=np.array([0.0, 0.5]))
    answers = rank_areas(works, UploadProfile("ann", {"image": image, "text": text}), 2)
    assert [(each.source, each.area) for each in answers if each.target == "text"] == [
        ("image", 1),
        ("text", 1),
        ("text", 0),
    ]
    nothing = uploads_in(["u1", "u2"], np.array([[0.0] * 8, [1.0] + [0.0] * 7]), [[0], [1]])
    answers = rank_areas(works, UploadProfile("ann", {"text": nothing}), 2)
    assert {each.area for each in answers} == {1}


def test_one_modality_has_the_tasks_of_its_source_alone() -> None:
    works = themed_works()
    profile = themed_profile(works)
    texts = UploadProfile("ann", {"text": profile.by_modality["text"]})
    assert {(each.source, each.target) for each in rank_areas(works, texts, 2)} == {
        ("text", "image"),
        ("text", "text"),
    }
    pictures = rank_areas({"image": works["image"]}, texts, 2)
    assert {(each.source, each.target) for each in pictures} == {("text", "image")}


def test_what_cannot_be_answered_is_said() -> None:
    works = themed_works()
    with pytest.raises(RequestError, match="zoe has uploaded nothing"):
        rank_areas(works, UploadProfile("zoe", {}), 3)
    with pytest.raises(RequestError, match="1 or more"):
        rank_areas(works, themed_profile(works), 0)
    narrow = UploadProfile("ann", {"text": uploads_in(["u"], np.eye(3)[:1], [[0]])})
    with pytest.raises(RequestError, match="3 dimensions"):
        rank_areas(works, narrow, 3)


def test_a_person_without_a_name_owns_only_what_was_uploaded() -> None:
    works = themed_works()
    profile = UploadProfile("", themed_profile(works).by_modality)
    found = rank_areas(works, profile, 99)
    assert {len(each.ranking) for each in found} == {14}


def test_the_works_of_one_owner_are_left_out_and_no_other_can_be() -> None:
    profile = themed_profile(themed_works())
    allow = others_works(profile, Allow(frozenset({"x"}), only=frozenset({"y"})))
    assert allow == Allow(profile.item_ids | {"x"}, "ann", (), frozenset({"y"}))
    assert others_works(profile, Allow(not_owner="ann")).not_owner == "ann"
    assert others_works(UploadProfile("", profile.by_modality), Allow(not_owner="zoe")).not_owner == "zoe"
    with pytest.raises(RequestError, match="zoe are to be left out, but a person's own already are, ann's"):
        others_works(profile, Allow(not_owner="zoe"))


def test_the_uploads_that_a_work_resembles_are_those_of_the_area() -> None:
    index = index_of([[1, 0], [0, 1]], ["x", "y"])
    uploads = uploads_in(["c", "b", "a", "far"], np.array([[1.0, 0], [1, 0], [0.8, 0.6], [0, 1]]), [[0, 1, 2], [3]])
    near = resembling_uploads(uploads, 0, index, ["x", "y"])
    assert [[item_id for item_id, _ in each] for each in near] == [["b", "c"], ["a", "b"]]
    assert near[0][0][1] == pytest.approx(1)
    assert resembling_uploads(uploads, 0, index, []) == ()
