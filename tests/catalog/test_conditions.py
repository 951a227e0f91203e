"""Conditions on the columns of a collection."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import FIELDS, parse_condition
from vernissage.catalog.dates import year_number
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.values import Columns, Condition

WORKS = Collection(
    [
        Item("1", "Haystacks", "Claude Monet", "1890–91", keywords=("snow", "field"), attributes={"Room": "201"}),
        Item(
            "2",
            "Poplars",
            "Claude Monet",
            "c. 1891",
            medium="Oil on canvas",
            licence="CC0 1.0",
            attributes={"Room": "9"},
        ),
        Item("3", "Untitled", "Unknown", "Date unknown"),
    ],
    Path(),
)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([], "123"),
        (["artist=claude monet"], "12"),
        (["artist~MONET", "year>1890"], "2"),
        (["year<=1890"], "1"),
        (["year=<1890"], "1"),
        (["year≤1890", "artist==claude monet"], "1"),
        (["artist<>Claude Monet"], "3"),
        (["medium=~oil", "year=>1890"], "2"),
        (["keywords=snow"], "1"),
        (["keywords!=snow"], "23"),
        (["medium~oil"], "2"),
        (["room>=100"], "1"),
        (["room<1,5e1"], "2"),
        (["artist!=Claude Monet"], "3"),
        (["title = Poplars "], "2"),
        (["title=Nothing"], ""),
        (["rights~cc0"], "2"),
        (["License=CC0 1.0"], "2"),
        (["licence!=CC0 1.0"], "13"),
    ],
)
def test_conditions(conditions: list[str], found: str) -> None:
    parsed = [parse_condition(text) for text in conditions]
    assert "".join(np.array(WORKS.ids)[WORKS.fulfilling(parsed, WORKS.ids)]) == found
    assert WORKS.fulfilling(parsed, ["3", "x", "1"]).tolist() == ["3" in found, False, "1" in found]


def test_conditions_know_names_with_accents_and_without() -> None:
    works = Collection(
        [
            Item("1", artist="Paul Cézanne", attributes={"Größe": "klein"}),
            Item("2", artist="Paul Cezanne", attributes={"Größe": "groß"}),
            Item("3", artist="Łukasz Ørsted"),
        ],
        Path(),
    )
    found = {
        text: works.fulfilling([parse_condition(text)], works.ids).tolist()
        for text in ("artist~Cezanne", "artist=PAUL CÉZANNE", "artist~lukasz orsted", "grosse=gross")
    }
    both, last, second = [True, True, False], [False, False, True], [False, True, False]
    assert list(found.values()) == [both, both, last, second]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("Monet", "is not understood; write FIELD=VALUE"),
        ("year>old", "needs a number"),
        ("colour=red", "no field 'colour'; it has artist, .*room"),
        ("=x", "is not understood"),
    ],
)
def test_conditions_that_cannot_be_met_say_why(condition: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        WORKS.fulfilling([parse_condition(condition)], WORKS.ids)


cells = st.sampled_from(["", "sea", "Sea", "STRASSE", "Straße", "1850", "3,5", "c. 1850", "the sea in 1850"])
items = st.builds(
    Item,
    id=st.uuids().map(str),
    title=cells,
    year=cells,
    keywords=st.lists(cells.filter(bool), max_size=3).map(tuple),
    attributes=st.dictionaries(st.sampled_from(["Room", "room", "Wall"]), cells, max_size=3),
)
conditions = st.builds(
    Condition,
    st.sampled_from(["title", "year", "keywords", "room", "owner"]),
    st.sampled_from(["=", "!=", "~"]),
    st.sampled_from(["sea", "strasse", "", "1850"]),
) | st.builds(Condition, st.sampled_from(["year", "keywords", "room"]), st.sampled_from(["<", ">="]), st.just("1850"))


def fits(item: Item, condition: Condition) -> bool:
    """What a condition means, in plain words for one work."""
    if condition.field == "keywords":
        values = list(item.keywords)
    elif condition.field in FIELDS:
        values = [value] if (value := getattr(item, condition.field)) else []
    else:
        values = [
            value for name, value in sorted(item.attributes.items()) if name.casefold() == condition.field and value
        ]
    if condition.operator in "<>=" and condition.operator != "=":
        found = [year_number(item.year)] if condition.field == "year" else list(filter(None, map(number, values)))
        if not found or found[0] is None:
            return False
        return found[0] < 1850 if condition.operator == "<" else found[0] >= 1850
    folded = [value.casefold() for value in values]
    if condition.operator == "~":
        return any(condition.value in value for value in folded)
    return (condition.value in folded) == (condition.operator == "=")


def number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


@settings(deadline=None)
@given(st.lists(items, max_size=8, unique_by=lambda item: item.id), conditions)
def test_columns_are_judged_as_each_work_would_be(works: list[Item], condition: Condition) -> None:
    collection: Columns = Collection([*works, Item(id="with a room", attributes={"Room": "?"})], Path())
    found = collection.fulfilling([condition], [item.id for item in works])
    assert found.tolist() == [fits(item, condition) for item in works]
