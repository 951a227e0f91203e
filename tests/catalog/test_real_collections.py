"""The collections that are kept beside the checkout, where they are there."""

from pathlib import Path

import pytest

from vernissage.catalog.dates import year_number
from vernissage.catalog.loading import load_collection

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real collections are not beside the checkout")


@pytest.mark.parametrize(
    ("name", "works", "pictures", "groups"),
    [
        ("paintings_aic", 267, 267, 8),
        ("cma_text_open", 1154, 0, 11),
        ("openclipart", 1976, 1976, 70),
        ("tate_text", 8000, 0, 14),
    ],
)
def test_every_row_of_a_real_export_is_read(name: str, works: int, pictures: int, groups: int) -> None:
    collection = load_collection(DATA / name)
    report = collection.report
    assert report is not None
    assert (report.rows, report.kept, len(collection), report.pictures) == (works, works, works, pictures)
    assert report.problems == ()
    assert report.empty_texts == ()
    assert len(collection.groups) == groups


def test_texts_hold_the_words_and_not_the_group_licence_or_addresses() -> None:
    collection = load_collection(DATA / "cma_text_open")
    stag = collection["cma92937"]
    assert stag.text.startswith("Stag at Sharkey's. George Bellows (American, 1882–1925). 1909.")
    assert stag.group == "American Painting and Sculpture"
    for item in collection:
        assert "http" not in item.text
        assert "CC0" not in item.text
        assert "<em>" not in item.text
    assert collection.report is not None
    assert collection.report.not_in_text == ("department",)


def test_dates_of_real_works_name_years() -> None:
    unknown = [item.year for item in load_collection(DATA / "paintings_aic") if year_number(item.year) is None]
    assert set(unknown) == {"Date unknown"}
    undated = {item.year for item in load_collection(DATA / "tate_text") if year_number(item.year) is None}
    assert undated == {"date not known", "no date"}
