from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import Ward
from vernissage.profiles.areas import Area, area_of, areas_of_interest
from vernissage.profiles.edits import AreaEdit, EditedAreas, apply_edits, merge, move, mute, rename, split, weigh
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality

Groups = Sequence[Sequence[str]]


def world(groups: Groups) -> tuple[tuple[str, ...], np.ndarray, tuple[Area, ...]]:
    """Uploads whose first letter is their place in the plane: a, b, c, … stand 10 degrees apart."""
    ids = tuple(sorted(item_id for group in groups for item_id in group))
    angles = np.array([np.radians(10 * (ord(item_id[0]) - ord("a"))) for item_id in ids])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    areas = [area_of(vectors, [ids.index(item_id) for item_id in group]) for group in groups]
    return ids, vectors, tuple(areas)


def profile_of(groups: Groups) -> UploadProfile:
    return UploadProfile("ana", {"text": uploads_of_modality(*world(groups))})


def edited(groups: Groups, *edits: AreaEdit) -> EditedAreas:
    ids, vectors, areas = world(groups)
    return apply_edits(areas, ids, vectors, edits)


def seen(groups: Groups, result: EditedAreas) -> list[tuple[str, float, str]]:
    """What a person sees of each area: its uploads, their factor, their name."""
    ids = world(groups)[0]
    return [
        (" ".join(ids[row] for row in area.members), factor, name)
        for area, factor, name in zip(result.areas, result.factors.tolist(), result.names, strict=True)
    ]


FOUND = (("a1", "a2", "a3"), ("b1", "b2"), ("c1",))
PROFILE = profile_of(FOUND)


def test_without_edits_areas_are_as_found() -> None:
    ids, vectors, areas = world(FOUND)
    result = apply_edits(areas, ids, vectors, ())
    assert result.areas == areas
    assert (result.factors.tolist(), result.names, result.lapsed) == ([1, 1, 1], ("", "", ""), ())


def test_edits_change_the_area_that_they_name() -> None:
    result = edited(FOUND, mute(PROFILE, "text", 0), weigh(PROFILE, "text", 1, 2.5), rename(PROFILE, "text", 2, "cars"))
    assert seen(FOUND, result) == [("a1 a2 a3", 0, ""), ("b1 b2", 2.5, ""), ("c1", 1, "cars")]


def test_unmuting_brings_the_weight_back() -> None:
    edits: list[AreaEdit] = [
        weigh(PROFILE, "text", 0, 3),
        mute(PROFILE, "text", 0),
        mute(PROFILE, "text", 0, muted=False),
    ]
    assert edited(FOUND, *edits[:2]).factors.tolist() == [0, 1, 1]
    assert edited(FOUND, *edits).factors.tolist() == [3, 1, 1]


def test_the_later_of_two_wishes_holds() -> None:
    first, second = weigh(PROFILE, "text", 0, 3), weigh(PROFILE, "text", 0, 0.5)
    assert edited(FOUND, first, second).factors[0] == 0.5
    assert edited(FOUND, second, first).factors[0] == 3


def test_a_moved_upload_leaves_its_area_and_takes_nothing_of_it_along() -> None:
    named = [rename(PROFILE, "text", 0, "apples"), mute(PROFILE, "text", 1), move(PROFILE, "text", "a2", 1)]
    assert seen(FOUND, edited(FOUND, *named)) == [("a2 b1 b2", 0, ""), ("a1 a3", 1, "apples"), ("c1", 1, "")]
    assert seen(FOUND, edited(FOUND, move(PROFILE, "text", "c1", 0))) == [("a1 a2 a3 c1", 1, ""), ("b1 b2", 1, "")]
    gone = edited((("a1", "a3"), ("b1", "b2")), *named[2:])
    assert [each.reason for each in gone.lapsed] == ["only one of the areas that it was about still has uploads"]
    later = (("a1", "a2", "a3", "a4"), ("b3", "c1"))
    assert seen(later, edited(later, *named[2:]))[0][0] == "a1 a2 a3 a4"


def test_a_merged_area_has_medoid_and_centroid_of_all_and_the_wish_of_the_largest() -> None:
    result = edited(
        FOUND, weigh(PROFILE, "text", 0, 2), rename(PROFILE, "text", 2, "x"), merge(PROFILE, "text", [2, 0])
    )
    assert seen(FOUND, result) == [("a1 a2 a3 c1", 2, "x"), ("b1 b2", 1, "")]
    _, vectors, _ = world(FOUND)
    rows = [0, 1, 2, 5]
    np.testing.assert_allclose(result.areas[0].centroid, vectors[rows].mean(axis=0), rtol=1e-6)
    assert result.areas[0].medoid == 0


def test_a_split_gives_each_part_the_wish_and_no_name() -> None:
    edits: list[AreaEdit] = [
        rename(PROFILE, "text", 0, "x"),
        weigh(PROFILE, "text", 0, 2),
        split(PROFILE, "text", 0, [["a3"]]),
    ]
    assert seen(FOUND, edited(FOUND, *edits)) == [("a1 a2", 2, ""), ("b1 b2", 1, ""), ("a3", 2, ""), ("c1", 1, "")]


def test_later_edits_act_on_what_earlier_ones_left() -> None:
    merging = merge(PROFILE, "text", [0, 1])
    after = profile_of((("a1", "a2", "a3", "b1", "b2"), ("c1",)))
    edits: list[AreaEdit] = [
        merging,
        rename(after, "text", 0, "both"),
        split(after, "text", 0, [["a1", "b1"]]),
        mute(after, "text", 1),
    ]
    result = edited(FOUND, *edits)
    assert seen(FOUND, result) == [("a2 a3 b2", 1, ""), ("a1 b1", 1, ""), ("c1", 0, "")]
    assert result.lapsed == ()


def test_arrivals_belong_to_the_edited_area_that_they_are_found_in() -> None:
    now = (("a1", "a2", "a3", "a4"), ("b1", "b2", "b3", "b4", "b5"), ("c1", "c2"))
    result = edited(now, mute(PROFILE, "text", 0), merge(PROFILE, "text", [1, 2]))
    assert seen(now, result) == [("b1 b2 b3 b4 b5 c1 c2", 1, ""), ("a1 a2 a3 a4", 0, "")]


def test_arrivals_go_to_the_nearest_part_of_a_split_area() -> None:
    before = profile_of((("a1", "a2", "d1", "d2"),))
    now = (("a1", "a2", "a3", "b1", "c1", "d1", "d2"),)
    result = edited(now, split(before, "text", 0, [["a1", "a2"]]))
    assert seen(now, result) == [("a1 a2 a3 b1", 1, ""), ("c1 d1 d2", 1, "")]


def test_an_area_can_have_three_parts_of_which_one_may_be_gone_later() -> None:
    before = profile_of((("a1", "d1", "g1", "g2"),))
    three = split(before, "text", 0, [["d1"], ["a1"]])
    now = (("a1", "a2", "d1", "f1", "g1"),)
    assert [row[0] for row in seen(now, edited(now, three))] == ["a1 a2", "f1 g1", "d1"]
    later = (("a1", "a2", "f1", "g1"),)
    assert [row[0] for row in seen(later, edited(later, three))] == ["a1 a2", "f1 g1"]


def test_parts_stay_as_the_person_made_them_against_all_nearness() -> None:
    before = profile_of((("a1", "a2", "d1", "d2"),))
    apart = split(before, "text", 0, [["a1", "d1"]])
    now = (("a1", "a2"), ("d1", "d2"))
    assert [row[0] for row in seen(now, edited(now, apart))] == ["a1 d1", "a2 d2"]


def test_an_area_found_in_pieces_later_is_muted_in_all_of_them_and_named_once() -> None:
    now = (("a1", "a2"), ("a3",), ("b1", "b2"), ("c1",))
    result = edited(now, mute(PROFILE, "text", 0), rename(PROFILE, "text", 0, "x"))
    assert seen(now, result) == [("a1 a2", 0, "x"), ("b1 b2", 1, ""), ("a3", 0, ""), ("c1", 1, "")]


def test_a_muted_area_does_not_silence_another_that_it_is_found_together_with_later() -> None:
    now = (("a1", "a2", "a3", "b1", "b2", "b3", "b4"), ("c1",))
    result = edited(now, mute(PROFILE, "text", 0))
    assert seen(now, result) == [("b1 b2 b3 b4", 1, ""), ("a1 a2 a3", 0, ""), ("c1", 1, "")]


def test_however_many_uploads_an_edit_names_others_stay_with_the_one_that_it_was_beside() -> None:
    ids = [f"{theme}{number}" for theme in "ab" for number in range(10)]
    own = np.eye(22)[2:] * 2  # cosines of .2 within a theme, so that all are nearer to the mean of ten than to another
    vectors = ((np.eye(22)[[0] * 10 + [1] * 10] + own) / np.sqrt(5)).astype(np.float32)
    before = [area_of(vectors, range(10)), area_of(vectors, range(10, 20))]
    edit = mute(UploadProfile("ana", {"image": uploads_of_modality(ids, vectors, before)}), "image", 0)
    result = apply_edits([area_of(vectors, range(20))], ids, vectors, [edit])
    assert [area.members for area in result.areas] == [tuple(range(10)), tuple(range(10, 20))]
    assert result.factors.tolist() == [0, 1]


def test_what_was_merged_comes_apart_only_by_a_split() -> None:
    now = (("a1", "a2", "a3", "b1", "b2"), ("c1",))
    result = edited(now, merge(PROFILE, "text", [0, 1]))
    assert seen(now, result) == [("a1 a2 a3 b1 b2", 1, ""), ("c1", 1, "")]
    assert result.lapsed == ()


def test_edits_without_uploads_are_told_not_lost() -> None:
    now = (("a1", "a2"), ("d1",))
    gone, half = mute(PROFILE, "text", 2), merge(PROFILE, "text", [0, 1])
    parts = split(PROFILE, "text", 0, [["a3"]])
    kept = rename(PROFILE, "text", 0, "x")
    result = edited(now, gone, half, parts, kept)
    assert [lapsed.edit for lapsed in result.lapsed] == [gone, half, parts]
    assert [lapsed.reason for lapsed in result.lapsed] == [
        "none of the uploads that it was about is there any more",
        "only one of the areas that it was about still has uploads",
        "only one of the parts that it was about still has uploads",
    ]
    assert seen(now, result) == [("a1 a2", 1, "x"), ("d1", 1, "")]


def test_areas_must_hold_each_upload_once() -> None:
    ids, vectors, areas = world(FOUND)
    with pytest.raises(RequestError, match="exactly once"):
        apply_edits(areas[:2], ids, vectors, ())
    with pytest.raises(RequestError, match="each upload once"):
        apply_edits(areas, ("a1",) * 6, vectors, ())


THEMES = "aek"


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """Uploads of three themes at first, those that arrived, those that went; two of each theme stay."""
    sizes = [draw(st.integers(3, 7)) for _ in THEMES]
    first = [f"{theme}{number}" for theme, size in zip(THEMES, sizes, strict=True) for number in range(size)]
    gone = draw(st.lists(st.sampled_from([item_id for item_id in first if int(item_id[1:]) > 1]), unique=True))
    arrived = [f"{draw(st.sampled_from(THEMES))}{number}" for number in range(10, 10 + draw(st.integers(0, 9)))]
    return first, arrived, gone


def planted(item_ids: Sequence[str]) -> np.ndarray:
    """Unit vectors close to their theme's axis, each moved by its own id alone."""
    rows = []
    for item_id in item_ids:
        noise = np.random.default_rng(list(item_id.encode())).normal(size=8) * 0.05
        axis = np.eye(8)[THEMES.index(item_id[0])] + noise
        rows.append(axis / np.linalg.norm(axis))
    return np.array(rows, dtype=np.float32)


def found_in(item_ids: Sequence[str]) -> tuple[Area, ...]:
    return areas_of_interest(planted(item_ids), background=None, rule=Ward(1.5))


def ids_of(area: Area, item_ids: Sequence[str]) -> frozenset[str]:
    return frozenset(item_ids[row] for row in area.members)


def of_theme(item_ids: Sequence[str], theme: str) -> frozenset[str]:
    return frozenset(item_id for item_id in item_ids if item_id[0] == theme)


@given(histories())
@settings(deadline=None, max_examples=60)
def test_edits_hold_when_uploads_arrive_and_go(history: tuple[list[str], list[str], list[str]]) -> None:
    first, arrived, gone = history
    side = uploads_of_modality(first, planted(first), found_in(first))
    profile = UploadProfile("ana", {"image": side})
    number = {next(iter(ids_of(area, first)))[0]: at for at, area in enumerate(side.areas)}
    edits: list[AreaEdit] = [
        rename(profile, "image", number["a"], "apples"),
        mute(profile, "image", number["e"]),
        merge(profile, "image", [number["a"], number["k"]]),
    ]
    later = [item_id for item_id in first + arrived if item_id not in gone]
    result = apply_edits(found_in(later), later, planted(later), edits)
    expected = {of_theme(later, "a") | of_theme(later, "k"): (1, "apples"), of_theme(later, "e"): (0, "")}
    factors = zip(result.factors.tolist(), result.names, strict=True)
    assert dict(zip((ids_of(area, later) for area in result.areas), factors, strict=True)) == expected
    assert result.lapsed == ()


@st.composite
def any_edits(draw: st.DrawFn) -> tuple[list[str], Groups, list[AreaEdit]]:
    """Uploads in areas of any kind, and edits that were made of other areas of other uploads."""
    ids = draw(st.lists(st.sampled_from([f"{a}{b}" for a in "abcdef" for b in range(4)]), min_size=2, unique=True))

    def partition() -> Groups:
        some = [item_id for item_id in ids if draw(st.booleans())] or ids[:1]
        labels = [draw(st.integers(0, 3)) for _ in some]
        return [[i for i, at in zip(some, labels, strict=True) if at == label] for label in sorted(set(labels))]

    edits: list[AreaEdit] = []
    for _ in range(draw(st.integers(0, 4))):
        groups = partition()
        profile, number = profile_of(groups), draw(st.integers(0, len(groups) - 1))
        edits.append(mute(profile, "text", number, muted=draw(st.booleans())))
        edits.append(weigh(profile, "text", number, draw(st.floats(0, 4))))
        if len(groups) > 1:
            edits.append(merge(profile, "text", [number, (number + 1) % len(groups)]))
        if len(groups[number]) > 1:
            edits.append(split(profile, "text", number, [groups[number][:1]]))
    return ids, partition(), draw(st.permutations(edits))


@given(any_edits())
@settings(deadline=None)
def test_edits_of_any_kind_leave_a_partition_in_order(case: tuple[list[str], Groups, list[AreaEdit]]) -> None:
    _, groups, edits = case
    ids, _, _ = world(groups)
    result = edited(groups, *edits)
    assert sorted(row for area in result.areas for row in area.members) == list(range(len(ids)))
    assert all(area.members for area in result.areas)
    assert [(-len(area), area.members[0]) for area in result.areas] == sorted(
        (-len(area), area.members[0]) for area in result.areas
    )
    assert len(result.factors) == len(result.names) == len(result.areas)


@given(any_edits(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_uploads_and_areas_does_not_matter(
    case: tuple[list[str], Groups, list[AreaEdit]], shuffler: Random
) -> None:
    _, groups, edits = case
    ids, vectors, areas = world(groups)
    order = shuffler.sample(range(len(ids)), len(ids))
    moved = [ids[row] for row in order]
    place = {item_id: row for row, item_id in enumerate(moved)}
    again = [area_of(vectors[order], [place[ids[row]] for row in area.members]) for area in reversed(areas)]
    one, other = apply_edits(areas, ids, vectors, edits), apply_edits(again, moved, vectors[order], edits)
    factors = {ids_of(area, ids): factor for area, factor in zip(one.areas, one.factors.tolist(), strict=True)}
    assert {
        ids_of(area, moved): factor for area, factor in zip(other.areas, other.factors.tolist(), strict=True)
    } == factors
    assert other.lapsed == one.lapsed
