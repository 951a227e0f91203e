"""Fair places for areas, and diversity."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recommenders.worlds import index_of, themed_profile, themed_works, uploads_in

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.recommenders.uploads import BY_WEIGHT, Fits, Found, UploadFusion, fair_places, spread_order

if TYPE_CHECKING:
    from tests.contracts.stand_in_index import StandInIndex

    from vernissage.values import Modality

INDEX = index_of(np.eye(3)[[0, 0, 1, 2]] + 0.01 * np.arange(12).reshape(4, 3), list("abcd"))


def faint(weights: tuple[float, float] = (0.99, 0.01)) -> "tuple[dict[Modality, StandInIndex], UploadProfile]":
    """Boats and cats of both modalities, with cats that weigh next to nothing."""
    works = themed_works(each=30)
    by_modality = {
        modality: uploads_of_modality(each.item_ids, each.vectors, each.areas, weights=weights)
        for modality, each in themed_profile(works).by_modality.items()
    }
    return works, UploadProfile("ann", by_modality)


def test_a_faint_area_has_its_places() -> None:
    works, person = faint()
    plain = UploadFusion(works).recommend(person, "image", 6).ranking
    assert all("boats" in item_id for item_id in plain.item_ids)
    answer = UploadFusion(works, at_least=1).recommend(person, "image", 6)
    areas = [(reason.area.source, reason.area.number) for reason in answer.explanations]
    assert areas[:4] == [("image", 0), ("text", 0), ("image", 1), ("text", 1)]  # the weightiest first
    assert sum("cats" in item_id for item_id in answer.ranking.item_ids) == 2
    assert (
        list(answer.ranking.item_ids[4:])
        == [item_id for item_id in plain.item_ids if item_id not in answer.ranking.item_ids[:4]][:2]
    )
    for (item_id, score), reason in zip(answer.ranking, answer.explanations, strict=True):
        assert sum(each.contribution for each in reason.uploads) + reason.rest == pytest.approx(score)
        assert reason.item_id == item_id


def test_areas_that_find_the_same_works_do_not_take_each_others_places() -> None:
    works = themed_works(each=12, own=4)
    boats = themed_profile(works, ["boats"]).by_modality["text"]
    halves = uploads_in(boats.item_ids, boats.vectors, [[0, 1], [2, 3]], [0.98, 0.02])
    answer = UploadFusion(works, at_least=3).recommend(UploadProfile("ann", {"text": halves}), "text", 6)
    assert Counter(reason.area.number for reason in answer.explanations) == {0: 3, 1: 3}
    assert [reason.area.number for reason in answer.explanations] == [0, 1, 0, 0, 1, 1]
    assert all("boats" in item_id for item_id in answer.ranking.item_ids)
    plain = UploadFusion(works).recommend(UploadProfile("ann", {"text": halves}), "text", 6)
    assert {reason.area.number for reason in plain.explanations} == {0}


@pytest.mark.parametrize("at_least", [1, 2, 5])
@pytest.mark.parametrize("diversity", [0.0, 0.4])
def test_a_longer_list_with_fair_places_extends_a_shorter_one(at_least: int, diversity: float) -> None:
    works, person = faint((0.6, 0.4))
    fusion = UploadFusion(works, at_least=at_least, diversity=diversity)
    longest = fusion.recommend(person, "text", 84)
    for n in (1, 2, 3, 4, 5, 8, 13, 21, 40, 83):
        answer = fusion.recommend(person, "text", n)
        assert answer.ranking == longest.ranking.head(n)
        assert answer.explanations == longest.explanations[:n]
        counts = Counter((reason.area.source, reason.area.number) for reason in answer.explanations)
        assert len(counts) >= min(4, n)
        if n >= 4 * at_least:
            assert min(counts.values()) >= at_least


def test_one_list_of_both_modalities_hears_every_area() -> None:
    """Boats and cats, each an area of pictures and one of texts; cats are hardly heard by weight, and yet shown."""
    works, person = faint()
    fusion = UploadFusion(works, at_least=BY_WEIGHT)
    longest = fusion.recommend(person, ("image", "text"), 30)
    assert len(set(longest.ranking.item_ids)) == 30
    for n in (1, 3, 4, 9, 29):
        assert fusion.recommend(person, ("image", "text"), n).ranking == longest.ranking.head(n)
    areas = [(reason.area.source, reason.area.number) for reason in longest.explanations]
    assert len(set(areas[:4])) == 4
    for item_id, reason in zip(longest.ranking.item_ids[:9], longest.explanations, strict=False):
        uploads = person.by_modality[reason.area.source]
        own = {uploads.item_ids[row] for row in uploads.areas[reason.area.number].members}
        assert {each.item_id for each in reason.uploads} <= own
        assert item_id in works[longest.found_as[item_id]]
        assert sum(each.contribution for each in reason.uploads) + reason.rest == pytest.approx(reason.score)


def test_an_area_whose_best_do_not_fit_has_its_next() -> None:
    works, person = faint()
    fusion = UploadFusion(works, at_least=1)
    best = fusion.recommend(person, "image", 4)
    refused = set(best.ranking.item_ids)
    other = fusion.recommend(person, "image", 4, fits=lambda item_id: item_id not in refused)
    assert not refused & set(other.ranking.item_ids)
    assert [reason.area for reason in other.explanations] == [reason.area for reason in best.explanations]


def _places(
    bringing: Sequence[Sequence[str]], weights: Sequence[float], at_least: float, fits: Fits = lambda _: True
) -> list[tuple[str, int]]:
    lists = [[Found(item_id, "text", 1 / place) for place, item_id in enumerate(each, 1)] for each in bringing]
    return [(work.item_id, area) for work, area in fair_places(lists, weights, at_least, fits)]


def test_places_by_hand() -> None:
    # Weights 6, 2, 1: one each; then 6/3 = 2, 6/5 = 1.2, 2/3 < 6/7 … until three each.
    bringing = [["a1", "a2", "a3", "a4"], ["a1", "b2", "b3", "b4"], ["c1", "c2", "c3"]]
    by_hand = [
        ("a1", 0),
        ("b2", 1),
        ("c1", 2),
        ("a2", 0),  # 6/3 = 2
        ("a3", 0),  # 6/5 = 1.2
        ("b3", 1),  # 2/3; the first area has its three
        ("b4", 1),  # 2/5 = 0.4 is more than 1/3
        ("c2", 2),  # 1/3
        ("c3", 2),
    ]
    assert _places(bringing, [6, 2, 1], 3) == by_hand
    assert _places(bringing, [6, 2, 1], BY_WEIGHT) == [*by_hand[:5], ("a4", 0), *by_hand[5:]]  # 6/7 is more than 2/3
    assert _places(bringing, [6, 2, 1], 0) == []
    assert _places([["x"], ["x"]], [1, 1], 2) == [("x", 0)]


def test_a_work_counts_for_the_area_that_wants_it_most_and_what_does_not_fit_takes_no_place() -> None:
    lists = [[Found("x", "text", 0.5), Found("a", "text", 0.4)], [Found("x", "image", 0.9), Found("b", "text", 0.1)]]
    given = [(work.item_id, work.target, area) for work, area in fair_places(lists, [5, 1], 1, lambda _: True)]
    assert given == [("x", "image", 1), ("a", "text", 0)]  # the first area's turn, and the second's work
    assert _places([["a1", "a2"], ["b1", "b2"]], [5, 1], 1, lambda each: each not in ("a1", "b1")) == [
        ("a2", 0),
        ("b2", 1),
    ]


@given(
    lists=st.lists(st.lists(st.sampled_from("abcdefghij"), unique=True), min_size=1, max_size=5),
    at_least=st.integers(0, 4),
    data=st.data(),
)
@settings(max_examples=200)
def test_each_area_has_its_places_where_it_has_works(
    lists: list[list[str]], at_least: int, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.floats(0.01, 10), min_size=len(lists), max_size=len(lists)))
    found = _places(lists, weights, at_least)
    places = dict(found)
    assert len(places) == len(found)
    counts = Counter(places.values())
    for area, works in enumerate(lists):
        assert counts[area] <= at_least
        assert counts[area] == at_least or set(works) <= set(places)
        assert {item_id for item_id, whose in places.items() if whose == area} <= set(works)


def test_fading_shows_both_interests_of_one_area() -> None:
    # Two uploads: two works near the first, one near the second. Sums .9·.9 and .8: the third comes second.
    parts = np.array([[1.0, 0], [0.9, 0], [0, 0.82]])
    assert spread_order(parts, 0.9) == [0, 2, 1]  # .82 > .9 · .9 = .81
    assert spread_order(parts, 1.0) == [0, 1, 2]
    assert spread_order(np.array([[1.0, -2], [0.5, 0]]), 0.9) == [1, 0]  # what pushes away does not fade


@pytest.mark.parametrize("diversity", [-0.1, float("nan")])
def test_impossible_options_are_refused(diversity: float) -> None:
    with pytest.raises(RequestError, match="from 0"):
        UploadFusion({"text": INDEX}, diversity=diversity)
    with pytest.raises(RequestError, match="0 or more"):
        UploadFusion({"text": INDEX}, at_least=-1)


def test_diversity_brings_another_kind_forward() -> None:
    """Three twins on one side of the upload, a cousin a little farther off on the other."""
    vectors = [[1, -0.3, 0], [1, -0.3, 0.01], [1, -0.3, 0.02], [1, 0.5, 0], [0, 1, 0], [0, 0.9, -1]]
    index = index_of(vectors, ["twin1", "twin2", "twin3", "cousin", "other", "far"])
    profile = UploadProfile("ann", {"text": uploads_in(["u"], np.array([[1.0, 0, 0]]), [[0]])})
    plain = UploadFusion({"text": index})
    assert "cousin" not in plain.recommend(profile, "text", 2).ranking.item_ids
    diverse = UploadFusion({"text": index}, diversity=0.4).recommend(profile, "text", 2).ranking
    assert diverse.item_ids[1] == "cousin"
    assert dict(diverse)["cousin"] == dict(plain.recommend(profile, "text", 6).ranking)["cousin"]


def test_some_works_of_an_answer_keep_their_reasons() -> None:
    works, person = faint()
    whole = UploadFusion(works, at_least=1).recommend(person, "image", 9)
    assert whole.explain(whole.ranking.item_ids[1::3]) == whole.explanations[1::3]
