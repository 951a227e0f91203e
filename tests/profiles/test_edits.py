import json
from collections.abc import Callable

import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.areas import area_of
from vernissage.profiles.edits import AreaEdit, edit_from_payload, merge, move, mute, rename, split, weigh
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality

IDS = ("a1", "a2", "a3", "b1", "b2", "c1")
VECTORS = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)


@pytest.fixture
def profile() -> UploadProfile:
    areas = [area_of(VECTORS, rows) for rows in ([0, 1, 2], [3, 4], [5])]
    return UploadProfile("ana", {"image": uploads_of_modality(IDS, VECTORS, areas, names=("apples", "bears", "cars"))})


def test_an_edit_names_the_uploads_of_its_area_and_one_of_each_other(profile: UploadProfile) -> None:
    edit = mute(profile, "image", 1)
    assert (edit.kind, edit.value) == ("mute", True)
    assert edit.anchors == ("b1", "b2")
    assert edit.beside == ("a1", "c1")


def test_a_merge_names_each_of_its_areas(profile: UploadProfile) -> None:
    edit = merge(profile, "image", [2, 0])
    assert edit.groups == (("c1",), ("a1", "a2", "a3"))
    assert edit.beside == ("b1",)


def test_what_no_part_names_makes_the_last_part(profile: UploadProfile) -> None:
    assert split(profile, "image", 0, [["a2"]]).groups == (("a2",), ("a1", "a3"))
    assert split(profile, "image", 0, [["a2"], ["a3", "a1"]]).groups == (("a2",), ("a1", "a3"))


def test_a_name_is_freed_of_blanks_and_line_breaks(profile: UploadProfile) -> None:
    assert rename(profile, "image", 0, "  red\n apples ").value == "red apples"
    assert rename(profile, "image", 0, "Apples").value == "Apples"


@pytest.mark.parametrize(
    "make",
    [
        lambda profile: mute(profile, "image", 0),
        lambda profile: mute(profile, "image", 0, muted=False),
        lambda profile: weigh(profile, "image", 1, 2.5),
        lambda profile: rename(profile, "image", 2, "autos"),
        lambda profile: merge(profile, "image", [0, 2]),
        lambda profile: split(profile, "image", 0, [["a3"]]),
        lambda profile: move(profile, "image", "a3", 1),
    ],
)
def test_an_edit_comes_back_from_its_json(profile: UploadProfile, make: Callable[[UploadProfile], AreaEdit]) -> None:
    edit = make(profile)
    assert edit_from_payload(edit.kind, json.loads(json.dumps(edit.payload))) == edit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda profile: mute(profile, "image", 3), "no area number 3: there are 3"),
        (lambda profile: mute(profile, "image", -1), "no area number -1"),
        (lambda profile: mute(profile, "text", 0), "no areas of modality text"),
        (lambda profile: weigh(profile, "image", 0, -0.1), "weight"),
        (lambda profile: weigh(profile, "image", 0, float("nan")), "weight"),
        (lambda profile: weigh(profile, "image", 0, float("inf")), "weight"),
        (lambda profile: rename(profile, "image", 0, " \n"), "empty name"),
        (lambda profile: rename(profile, "image", 0, "Bears"), "“Bears” already"),
        (lambda profile: merge(profile, "image", [1, 1]), "one area alone"),
        (lambda profile: merge(profile, "image", []), "one area alone"),
        (lambda profile: merge(profile, "image", [0, 7]), "no area number 7"),
        (lambda profile: move(profile, "image", "b1", 1), "in that area already"),
        (lambda profile: move(profile, "image", "z9", 1), "no longer there"),
        (lambda profile: split(profile, "image", 0, []), "splits nothing"),
        (lambda profile: split(profile, "image", 0, [["a1", "a2", "a3"]]), "splits nothing"),
        (lambda profile: split(profile, "image", 2, [["c1"]]), "splits nothing"),
        (lambda profile: split(profile, "image", 0, [["a1"], []]), "empty"),
        (lambda profile: split(profile, "image", 0, [["a1"], ["a1", "a2"]]), "share an upload"),
        (lambda profile: split(profile, "image", 0, [["b1"]]), "'b1' is not an upload in this area"),
    ],
)
def test_what_cannot_be_done_is_said(
    profile: UploadProfile, make: Callable[[UploadProfile], AreaEdit], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        make(profile)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("paint", {}),
        ("mute", {"muted": "yes"}),
        ("mute", {"modality": "smell"}),
        ("mute", {"groups": []}),
        ("mute", {"groups": [["a"], ["b"]]}),
        ("mute", {"groups": [[3]]}),
        ("mute", {"beside": "b"}),
        ("merge", {"groups": [["a"]]}),
        ("merge", {"groups": [["a"], ["b"], ["c"]], "moved": True}),
        ("merge", {"groups": [["a"], ["b"]], "moved": "yes"}),
        ("split", {"groups": [["a"], []]}),
        ("weight", {}),
        ("weight", {"weight": True}),
        ("rename", {"name": 7}),
    ],
)
def test_a_payload_that_is_no_edit_is_refused(kind: str, change: dict[str, object]) -> None:
    payload = {"modality": "image", "anchors": ["a"], "groups": [["a"]], "beside": [], "muted": True}
    with pytest.raises(RequestError, match="cannot be read"):
        edit_from_payload(kind, payload | change)
