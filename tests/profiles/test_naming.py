import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.catalog.item import Item
from vernissage.profiles.naming import (
    AreaName,
    WordCounts,
    count_words_of_works,
    distinctiveness,
    name_areas,
    words_of_work,
)

BACKGROUND = WordCounts(1000, {"animal": 200, "cat": 20, "ship": 20, "sea": 30, "blue": 100, "clip art": 900})


def texts_of(words: list[list[str]], members: list[list[int]], **more: object) -> list[str]:
    return [name.text for name in name_areas(words, members, BACKGROUND, **more)]  # type: ignore[arg-type]


def test_a_works_words_are_its_keywords_as_they_are_and_its_title() -> None:
    work = Item("1", title="Two Red Foxes", keywords=("Fire Trucks", "foxes"), description="A meadow.", text="unread")
    assert words_of_work(work) == ("fire truck", "fox", "red")


def test_keywords_of_several_words_stay_together() -> None:
    work = Item("1", keywords=("Map of Europe", "soft  drinks", "of the", "Clouds"))
    assert words_of_work(work) == ("map of europe", "soft drink", "cloud")


def test_without_keywords_the_description_speaks() -> None:
    assert words_of_work(Item("1", title="Foxes", description="A meadow in snow.")) == ("fox", "meadow", "snow")


def test_who_made_a_work_is_not_what_it_is_about() -> None:
    work = Item(
        "1", title="Cats by Ana Lopez", artist="Ana López, Ana Lopez", keywords=("ana lopez", "cat", "lopez cat")
    )
    assert words_of_work(work) == ("cat", "lopez cat")


def test_addresses_of_memory_are_no_keywords() -> None:
    assert words_of_work(Item("1", keywords=("hash(0x86669dc)", "insect"))) == ("insect",)


def test_a_work_with_nothing_else_gives_the_words_of_its_text() -> None:
    assert words_of_work(Item("1", text="A ship at sea, a ship")) == ("ship", "sea")


def test_words_of_other_languages_are_kept() -> None:
    assert words_of_work(Item("1", title="Дом у реки", keywords=("猫",))) == ("猫", "дом", "реки")


def test_works_are_counted_not_occurrences() -> None:
    assert count_words_of_works([["a", "a", "b"], ["a"], []]) == WordCounts(3, {"a": 2, "b": 1})


def test_distinctiveness_is_the_z_score_of_log_odds() -> None:
    area, other = WordCounts(4, {"cat": 3}), WordCounts(6, {"cat": 1})
    prior = 10 * (20 + 0.5) / 1001
    a, b = 3 + prior, 1 + prior
    expected = (math.log(a / (14 - a)) - math.log(b / (16 - b))) / math.sqrt(1 / a + 1 / b)
    assert distinctiveness(["cat"], area, other, BACKGROUND) == pytest.approx([expected], rel=1e-12)


def test_what_is_rare_elsewhere_and_common_here_names_an_area() -> None:
    words = [["cat", "animal", "clip art"]] * 3 + [["ship", "sea", "clip art"]] * 3
    assert texts_of(words, [[0, 1, 2], [3, 4, 5]]) == ["cat", "ship, sea"]


def test_what_a_persons_areas_have_in_common_tells_none_of_them() -> None:
    words = [["cat", "mine"]] * 4 + [["ship", "mine"]] * 4
    assert texts_of(words, [[0, 1, 2, 3], [4, 5, 6, 7]]) == ["cat", "ship"]
    assert texts_of([["mine"]] * 4, [[0, 1, 2, 3]]) == ["mine"]


def test_a_name_covers_what_is_in_a_mixed_area() -> None:
    words = [["cat", "animal"]] * 3 + [["ship", "blue"]] * 2
    assert texts_of(words, [[0, 1, 2, 3, 4]]) == ["cat, ship"]


def test_a_word_of_one_work_names_only_where_none_stands_in_two() -> None:
    assert texts_of([["cat", "tom"], ["cat", "paul"]], [[0, 1]]) == ["cat"]
    assert texts_of([["tom"], ["paul"]], [[0, 1]]) == ["paul, tom"]


def test_without_a_collection_the_words_that_most_works_have_name_an_area() -> None:
    words = [["cat", "tom"], ["cat", "tom"], ["cat"]]
    assert name_areas(words, [[0, 1, 2]], WordCounts(0, {})) == (AreaName("cat, tom", "words"),)


def test_words_of_a_phrase_are_not_said_again() -> None:
    words = [["fire truck", "truck", "fire", "red"]] * 2
    assert texts_of(words, [[0, 1]]) == ["fire, red, truck"]
    assert texts_of([["old truck", "fire truck"]] * 2, [[0, 1]]) == ["fire truck"]


def test_an_area_without_words_is_named_by_its_neighbours() -> None:
    words: list[list[str]] = [["cat"], ["cat"], [], []]
    near = {1: [["ship", "sea"], ["ship", "blue"], []]}
    assert name_areas(words, [[0, 1], [2, 3]], BACKGROUND, neighbours=near) == (
        AreaName("cat", "words"),
        AreaName("ship", "neighbours"),
    )


def test_an_area_of_which_nothing_is_known_has_its_number() -> None:
    assert name_areas([[], []], [[0], [1]], BACKGROUND) == (AreaName("Area 1", "number"), AreaName("Area 2", "number"))


def test_the_persons_names_stand_and_no_other_area_takes_them() -> None:
    words = [["cat"]] * 2 + [["ship", "sea"]] * 2 + [[]]
    names = name_areas(words, [[0, 1], [2, 3], [4]], BACKGROUND, given=["ship, sea", "", "Tom"])
    assert names == (AreaName("ship, sea", "person"), AreaName("ship, sea (2)", "words"), AreaName("Tom", "person"))


def test_areas_with_the_same_words_are_told_apart_by_further_ones() -> None:
    words = [["cat", "sea"], ["cat", "sea"], ["cat"], ["cat"], ["cat"], ["cat"]]
    assert texts_of(words, [[0, 1], [2, 3], [4, 5]]) == ["sea", "cat", "cat (2)"]


@st.composite
def profiles(draw: st.DrawFn) -> tuple[list[list[str]], list[list[int]]]:
    words = draw(
        st.lists(st.lists(st.sampled_from(["cat", "ship", "sea", "blue", "fire truck"]), unique=True), min_size=1)
    )
    labels = [draw(st.integers(0, 3)) for _ in words]
    return words, [[row for row, at in enumerate(labels) if at == label] for label in sorted(set(labels))]


@given(profiles())
def test_each_area_has_one_name_of_at_most_three_words_and_none_is_twice(
    profile: tuple[list[list[str]], list[list[int]]],
) -> None:
    words, members = profile
    names = name_areas(words, members, BACKGROUND)
    assert len({name.text.casefold() for name in names}) == len(names) == len(members)
    for name, rows in zip(names, members, strict=True):
        known = {word for row in rows for word in words[row]}
        said = name.text.split(" (")[0].split(", ")
        assert (set(said) <= known and len(said) <= 3) if name.by == "words" else not known


@given(profiles(), st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order_of_uploads(
    profile: tuple[list[list[str]], list[list[int]]], shuffler: Random
) -> None:
    words, members = profile
    order = shuffler.sample(range(len(words)), len(words))
    place = {row: at for at, row in enumerate(order)}
    moved = [list(reversed(words[row])) for row in order]
    again = [[place[row] for row in reversed(rows)] for rows in members]
    assert name_areas(moved, again, BACKGROUND) == name_areas(words, members, BACKGROUND)


@pytest.mark.parametrize(
    ("language", "artist", "title", "keywords", "words"),
    [
        ("de", "Franz Marc", "Die Pferde von Franz Marc", ("Blaue Pferde", "und"), ("blaue pferd", "pferd")),
        ("fr", "Claude Monet", "Les bateaux de Claude Monet dans le port", (), ("bateau", "port")),
        ("pl", "Jan Matejko", "Konie i jeźdźcy", (), ("koń", "jeździec")),
        ("ja", "歌川広重", "荒海", ("風景画",), ("風景画", "荒海")),
    ],
)
def test_words_of_works_are_those_of_their_language(
    language: str, artist: str, title: str, keywords: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert words_of_work(Item("1", title=title, artist=artist, keywords=keywords), language) == words
