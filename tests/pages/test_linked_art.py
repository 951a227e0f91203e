"""Linked Art of a work: what a table says, in the shapes of https://linked.art/api/1.0/."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vernissage.catalog.item import Item
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.linked_art import human_made_object
from vernissage.web.api.service import Service

AAT = "http://vocab.getty.edu/aat/"
Made = Callable[[str | Item], dict[str, Any]]


@pytest.fixture
def made(owned: Path) -> Iterator[Made]:
    """A function from a work, or the id of a toy work, to its Linked Art."""
    with open_gallery(owned, writing=False, people=False) as gallery:
        addressed = Service(gallery, b"").addressed("https://museum.example")
        yield lambda work: human_made_object(gallery[work] if isinstance(work, str) else work, addressed)


def test_a_work_with_everything_that_a_table_says(made: Made) -> None:
    found = made("w000")
    assert found["@context"] == "https://linked.art/ns/v1/linked-art.json"
    assert (found["id"], found["type"]) == ("https://museum.example/api/v1/works/w000", "HumanMadeObject")
    number, name = found["identified_by"]
    assert (number["type"], number["content"]) == ("Identifier", "w000")
    assert (name["type"], name["content"]) == ("Name", found["_label"])
    who = "https://museum.example/api/v1/works?where%5B%5D=artist%3DThe%20red%20master#artist"
    assert found["produced_by"] == {
        "type": "Production",
        "carried_out_by": [{"id": who, "type": "Person", "_label": "The red master"}],
        "timespan": {
            "type": "TimeSpan",
            "identified_by": [{"type": "Name", "content": "1800"}],
            "begin_of_the_begin": "1800-01-01T00:00:00Z",
            "end_of_the_end": "1800-12-31T23:59:59Z",
        },
    }
    [text] = found["referred_to_by"]
    assert text["content"].startswith("A ")
    brief = [{"id": f"{AAT}300418049", "type": "Type", "_label": "Brief Text"}]
    kind = {"id": f"{AAT}300435416", "type": "Type", "_label": "Description", "classified_as": brief}
    assert (text["type"], text["classified_as"]) == ("LinguisticObject", [kind])
    [picture] = found["representation"]
    [shown] = picture["digitally_shown_by"]
    [access] = shown["access_point"]
    assert access["id"].startswith("https://museum.example/api/v1/thumbnails/")


def test_a_work_of_which_next_to_nothing_is_known(made: Made) -> None:
    number = {"id": f"{AAT}300435704", "type": "Type", "_label": "System-Assigned Number"}
    name = {"id": f"{AAT}300404670", "type": "Type", "_label": "Primary Name"}
    assert made(Item("bare")) == {
        "@context": "https://linked.art/ns/v1/linked-art.json",
        "id": "https://museum.example/api/v1/works/bare",
        "type": "HumanMadeObject",
        "_label": "bare",
        "identified_by": [
            {"type": "Identifier", "content": "bare", "classified_as": [number]},
            {"type": "Name", "content": "bare", "classified_as": [name]},
        ],
    }


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        (-500, -451, "-0499-01-01", "-0450-12-31"),
        (-1, 1, "0000-01-01", "0001-12-31"),
        (987, 1012, "0987-01-01", "1012-12-31"),
    ],
)
def test_years_are_those_of_iso_8601(made: Made, first: int, last: int, begin: str, end: str) -> None:
    span = made(Item("jar", year_from=first, year_to=last))["produced_by"]["timespan"]
    assert (span["begin_of_the_begin"][:-10], span["end_of_the_end"][:-10]) == (begin, end)
