"""What a table says of two works alike, in words."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.gallery.likeness import InCommon


def common(*items: Item) -> tuple[str, ...]:
    """Of the first two of some works, beside twenty others of which nothing is known."""
    works = [*items, *(Item(id=f"other{n}") for n in range(20))]
    gallery: Any = SimpleNamespace(collection=Collection(works, Path()))
    return InCommon(gallery)(works[0], works[1])


def test_artist_subjects_and_place_are_named_the_rarest_first() -> None:
    one = Item(id="a", artist="Ann", keywords=("sea", "boat"), attributes={"place": "Norway"}, group="boats")
    other = Item(id="b", artist="ANN", keywords=("boat", "sea", "dog"), attributes={"place": "Norway"}, group="boats")
    assert common(one, other, Item(id="c", keywords=("sea",))) == (
        "by the same hand: Ann",
        "both are about boat, sea",
        "both from Norway",
    )


def test_an_unknown_artist_is_no_common_hand_and_the_group_serves_where_nothing_else_is_shared() -> None:
    for name in ("Unknown", "unknown artist", "Artist unknown", "Anonym", "Unidentified maker"):
        assert common(*(Item(id=each, artist=name, group="maps") for each in "ab")) == ("both belong to maps",)
    assert common(Item(id="a", artist="Unna", group="x"), Item(id="b", artist="Unna")) == ("by the same hand: Unna",)


def test_what_many_works_have_says_nothing() -> None:
    assert common(*(Item(id=f"w{n}", artist="Ann", group="all") for n in range(10))) == ()
