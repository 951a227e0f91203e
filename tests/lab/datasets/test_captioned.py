"""The common value of all data sets: what it says of itself, and what it refuses."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Label, checked

CRANES = CaptionedSet(
    "cranes",
    "made here",
    (ImageEntry("a", "a.jpg", split="train"), ImageEntry("b", "b.jpg", split="train"), ImageEntry("c", split="test")),
    (
        Caption("1", "a", "A crane wades."),
        Caption("2", "a", "A bird in water."),
        Caption("3", "b", "A crane lifts steel."),
        Caption("4", "c", "Grey feathers."),
    ),
    labels={"a": Label(134, "crane"), "b": Label(517, "crane"), "c": Label(134, "crane", 0.95)},
    image_tags={"a": ("bird",), "b": ("machine", "sky")},
    text_tags={"3": ("steel",), "4": ("feather",)},
    groups={"a": "nature"},
    owners={"b": "ann"},
)


def test_classes_are_told_apart_by_index_not_by_label() -> None:
    assert CRANES.members == {134: ("a", "c"), 517: ("b",)}
    assert CRANES.class_names == {134: "crane", 517: "crane"}
    CRANES.require_classes(2)


def test_fewer_classes_than_asked_are_counted() -> None:
    with pytest.raises(DatasetError, match="cranes has 2 classes, but 25 are needed"):
        CRANES.require_classes(25)
    with pytest.raises(DatasetError, match="cranes has no classes, but 1 are needed; classify it"):
        replace(CRANES, labels={}).require_classes(1)


def test_missing_are_named_files_alone() -> None:
    assert CRANES.missing == ("a", "b")  # c is a text without a picture
    assert CRANES.splits == {"test": 1, "train": 2}
    assert [caption.id for caption in CRANES.captions_of["a"]] == ["1", "2"]


def test_a_part_takes_all_that_belongs_to_it() -> None:
    part = CRANES.part("test")
    assert [image.id for image in part.images] == ["c"]
    assert [caption.id for caption in part.captions] == ["4"]
    assert (part.labels, part.image_tags, part.text_tags) == ({"c": Label(134, "crane", 0.95)}, {}, {"4": ("feather",)})
    with pytest.raises(DatasetError, match=r"no part 'val'; it has test \(1\), train \(2\)"):
        CRANES.part("val")


@pytest.mark.parametrize(
    "other",
    [
        replace(CRANES, images=(*CRANES.images[:2], replace(CRANES.images[2], split="val"))),
        replace(CRANES, images=(replace(CRANES.images[0], size=7), *CRANES.images[1:])),
        replace(CRANES, captions=(*CRANES.captions[:3], Caption("4", "c", "White feathers."))),
        replace(CRANES, labels={**CRANES.labels, "a": Label(135, "crane")}),
        replace(CRANES, image_tags={}),
        replace(CRANES, text_tags={}),
        replace(CRANES, groups={}),
        replace(CRANES, owners={"b": "bob"}),
    ],
)
def test_the_fingerprint_stands_for_everything_that_is_read(other: CaptionedSet) -> None:
    assert other.fingerprint != CRANES.fingerprint


def test_the_fingerprint_is_not_of_names_and_remarks() -> None:
    assert replace(CRANES, name="x", source="y", remarks=("z",)).fingerprint == CRANES.fingerprint


def test_bad_sets_are_refused_with_counts_or_left_out() -> None:
    strays = replace(CRANES, captions=(*CRANES.captions, Caption("5", "nobody", "A ghost.")))
    with pytest.raises(
        DatasetError, match="1 of 5 captions are of pictures that the set does not list.*5 of picture nob"
    ):
        checked(strays)
    assert checked(strays, skip_bad=True).captions == CRANES.captions

    empty = replace(CRANES, captions=(*CRANES.captions, Caption("5", "a", "")))
    with pytest.raises(DatasetError, match="1 of 5 captions are empty, the first is caption 5 of picture a"):
        checked(empty)

    silent = replace(CRANES, images=(*CRANES.images, ImageEntry("d"), ImageEntry("e")))
    with pytest.raises(DatasetError, match="2 of 5 pictures have no caption, the first is d"):
        checked(silent)
    left = checked(silent, skip_bad=True)
    assert left.images == CRANES.images
    assert left.remarks == ("left out: 2 of 5 pictures have no caption, the first is d",)


def test_doubles_are_refused_even_when_bad_ones_are_left_out() -> None:
    with pytest.raises(DatasetError, match="the picture id a stands 2 times; give each picture its own id"):
        checked(replace(CRANES, images=(*CRANES.images, ImageEntry("a"))), skip_bad=True)
    with pytest.raises(DatasetError, match="the caption id 1 stands 2 times, and 1 other ids"):
        checked(replace(CRANES, captions=(*CRANES.captions, *CRANES.captions[:1], CRANES.captions[1])))


def test_a_set_of_nothing_is_refused() -> None:
    with pytest.raises(DatasetError, match="holds no picture with a caption"):
        checked(replace(CRANES, images=(), captions=()))


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), unique=True))
def test_keeping_is_in_the_order_of_the_set(ids: list[str]) -> None:
    kept = CRANES.keeping(ids)
    assert [image.id for image in kept.images] == sorted(ids)
    assert {caption.image_id for caption in kept.captions} == set(ids)
    assert set(kept.labels) == set(ids)
