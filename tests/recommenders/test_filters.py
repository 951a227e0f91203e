from pathlib import Path

import pytest

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.recommenders.filters import matching, parse_condition

WORKS = Collection(
    [
        Item("1", "Haystacks", "Claude Monet", "1890–91", keywords=("snow", "field"), attributes={"Room": "201"}),
        Item("2", "Poplars", "Claude Monet", "c. 1891", medium="Oil on canvas", attributes={"Room": "9"}),
        Item("3", "Untitled", "Unknown", "Date unknown"),
    ],
    Path(),
)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["artist=claude monet"], {"1", "2"}),
        (["artist~MONET", "year>1890"], {"2"}),
        (["year<=1890"], {"1"}),
        (["keywords=snow"], {"1"}),
        (["medium~oil"], {"2"}),
        (["room>=100"], {"1"}),
        (["artist!=Claude Monet"], {"3"}),
        (["title = Poplars "], {"2"}),
    ],
)
def test_conditions(conditions: list[str], found: set[str]) -> None:
    assert matching(WORKS, [parse_condition(text) for text in conditions]) == found


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("Monet", "is not understood; write FIELD=VALUE"),
        ("year>old", "needs a number"),
        ("colour=red", "no field 'colour'; it has artist, .*room"),
        ("artist=Manet", "none of the 3 works has artist=Manet"),
        ("=x", "is not understood"),
    ],
)
def test_conditions_that_cannot_be_met_say_why(condition: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        matching(WORKS, [parse_condition(condition)])
