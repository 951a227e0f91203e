"""What pages say to those who do not see a picture, and what of that software says."""

from dataclasses import replace

import pytest
from tests.pages.answers import rated, recommended
from tests.pages.reading import HOSTILE, Page
from tests.pages.test_recommendations import RATINGS, engine

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.pages.recommendations import recommendation_page
from vernissage.pages.works import AltText, alt_text

SEEN = ("sailing boat", "seashore")


@pytest.mark.parametrize(
    ("item", "tags", "expected"),
    [
        (
            Item(id="a", title="Calm", artist="Ann"),
            SEEN,
            AltText("Calm, Ann; seems to show: sailing boat, seashore (described by software)", by_software=True),
        ),
        (Item(id="a", title="Calm", artist="Ann"), (), AltText("Calm, Ann")),
        (Item(id="a"), SEEN[:1], AltText("Untitled; seems to show: sailing boat (described by software)", True)),
        (Item(id="a", title="Calm", description="A boat in the reeds."), SEEN, AltText("Calm")),
        (Item(id="a", title="Calm", attributes={"Alt_Text": "A boat\nat dusk"}), SEEN, AltText("A boat at dusk")),
        (Item(id="a", text="words of an upload"), (), AltText("words of an upload")),
    ],
)
def test_software_describes_only_what_nobody_did(item: Item, tags: tuple[str, ...], expected: AltText) -> None:
    assert alt_text(item, tags) == expected


def test_a_page_of_recommendations_marks_what_software_described(gallery: Collection) -> None:
    answer = recommended(gallery, engine(gallery, 1, "a"), RATINGS)
    seen = replace(answer, seen=lambda ids: dict.fromkeys(ids, (HOSTILE,)))
    page = Page(recommendation_page(seen, rated(gallery, RATINGS), title="Toys"))
    told = [each["alt"] for each in page.all("img") if "described" in each["alt"]]
    assert len(told) > 2
    assert all(each.endswith(f"; seems to show: {HOSTILE} (described by software)") for each in told)
