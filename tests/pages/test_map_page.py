import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pages.reading import HOSTILE, Page
from vernissage.pages.map_page import map_page

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError, RequestError


def drawn(collection: Collection, points: Any = None, **keywords: Any) -> str:
    places = np.random.default_rng(0).standard_normal((len(collection), 2)) if points is None else np.asarray(points)
    groups = [item.group for item in collection]
    return map_page(places, collection.items, collection, **{"title": "Toys", "colour_by": groups} | keywords)


def data_of(html: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Page(html).scripts[0])
    return data


def words_only(count: int, tmp_path: Path) -> Collection:
    return Collection(
        [Item(id=f"w{n}", title=f"Work {n}", artist=f"Artist {n % 50}", group=f"group {n % 20}") for n in range(count)],
        tmp_path,
    )


def test_each_work_is_found_in_the_data_in_its_place(gallery: Collection) -> None:
    data = data_of(drawn(gallery, [[0, 0], [2, 0], [2, 1], [0, 1], [1, 1], [1, 0.5]]))
    assert data["titles"] == ["Picture 0", "Picture 1", "Picture 2", "Picture 3", "Of the Sea", "Untitled"]
    assert [data["artists"][number] for number in data["artist"]][4:] == ["A Writer", ""]
    assert [data["names"][number] for number in data["name"]] == ["a", "b", "a", "b", "b", ""]
    assert [data["groups"][number]["name"] for number in data["group"]] == ["a", "b", "a", "b", "b", "no group"]
    x, y = data["x"], data["y"]
    assert x[0] < x[4] < x[1]
    assert y[0] > y[5] > y[2]
    assert (x[1] - x[0]) == pytest.approx(2 * (y[0] - y[3]), abs=0.2)


def test_each_thumbnail_is_in_its_cell(gallery: Collection) -> None:
    html = drawn(gallery)
    data = data_of(html)
    (sheet,) = Page(html).all("img", "sheet")
    with Image.open(io.BytesIO(base64.b64decode(sheet["src"].removeprefix("data:image/webp;base64,")))) as image:
        picture = image.convert("RGB")
    assert data["slot"] == [0, 1, 2, 3, -1, -1]
    assert list(zip(data["wide"], data["high"], strict=True)) == [(64, 48), (96, 6), (40, 90), (10, 10), (0, 0), (0, 0)]
    for slot, colour in enumerate([(255, 0, 0), (0, 0, 255), (0, 128, 0), (128, 128, 128)]):
        middle = (slot * data["side"] + data["wide"][slot] // 2, data["high"][slot] // 2)
        assert np.abs(np.subtract(picture.getpixel(middle), colour)).max() < 25


def test_more_pictures_than_a_sheet_holds_make_a_second_sheet(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "blue.png")
    items = [Item(id=str(n), picture="blue.png" if n == 256 else "red.png") for n in range(257)]
    html = drawn(Collection(items, tmp_path))
    sheets = Page(html).all("img", "sheet")
    assert len(sheets) == 2
    assert data_of(html)["slot"][256] == 256
    with Image.open(io.BytesIO(base64.b64decode(sheets[1]["src"].split(",")[1]))) as image:
        assert image.size == (96, 96)
        red, _, blue = image.convert("RGB").getpixel((4, 4))
        assert (red, blue) == pytest.approx((0, 255), abs=30)


def test_without_scripts_there_is_a_drawing_with_its_legend(tmp_path: Path) -> None:
    html = drawn(words_only(300, tmp_path))
    page = Page(html)
    paths = [found["d"] for found in page.all("path") if "d" in found and found["d"].count("M") > 1]
    assert sum(path.count("M") for path in paths) == 300
    assert page.all("svg")[0]["role"] == "img"
    assert "hidden" in page.all("div", "live")[0]
    assert "9 other groups" in page.text
    assert len(page.all("span", "entry")) == 12
    assert len(page.all("text")) == 11


def test_eight_thousand_texts_make_a_small_page(tmp_path: Path) -> None:
    html = drawn(words_only(8000, tmp_path))
    assert len(html.encode()) < 1_500_000
    assert Page(html).all("img") == []


def test_text_of_the_catalogue_is_shown_and_never_run(tmp_path: Path) -> None:
    items = [Item(id=f"{HOSTILE}{n}", title=HOSTILE, artist=HOSTILE, year=HOSTILE, group=HOSTILE) for n in range(3)]
    html = drawn(Collection(items, tmp_path), title=HOSTILE)
    page = Page(html)
    assert len(page.scripts) == 2
    assert data_of(html)["titles"] == [HOSTILE] * 3
    assert page.all("img") == []
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert html.count("</script>") == 2
    assert page.all("text")
    assert page.text.count("<script>alert(1)</script>") >= 3


def test_the_page_can_load_nothing(gallery: Collection) -> None:
    html = drawn(gallery)
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert "http:" not in html
    assert "https:" not in html
    assert all(found["src"].startswith("data:") for _, found in Page(html).elements if "src" in found)
    assert not Page(html).all("a")


def test_buttons_have_names_and_ids_are_unique(gallery: Collection) -> None:
    page = Page(drawn(gallery))
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    assert {found.get("aria-label", "") for found in page.all("button")} >= {
        "Zoom in",
        "Zoom out",
        "Reset: show the whole map",
    }
    assert [found["id"] for found in page.all("p") if found.get("role") == "status"] == ["said"]


@pytest.mark.parametrize("points", [[[3.0, 4.0]], [[1, 1], [1, 1]], [[0, 0], [0, 5]], [[0, 0], [1e-9, 1e9]]])
def test_few_or_coinciding_works_stay_within_the_frame(points: list[list[float]], tmp_path: Path) -> None:
    data = data_of(drawn(words_only(len(points), tmp_path), points))
    assert all(0 <= x <= data["width"] for x in data["x"])
    assert all(0 <= y <= data["height"] for y in data["y"])


def test_equal_input_gives_equal_bytes_and_progress_is_reported(gallery: Collection) -> None:
    steps: list[tuple[str, int, int]] = []
    assert drawn(gallery) == drawn(gallery, progress=lambda *step: steps.append(step))
    assert steps == [("making thumbnails", done, 4) for done in range(1, 5)]


def test_what_does_not_fit_together_is_refused(gallery: Collection, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="6 places and 1 groups"):
        drawn(gallery, colour_by=["a"])
    with pytest.raises(RequestError, match="2 places and 6 works"):
        drawn(gallery, [[0, 0], [1, 1]], colour_by=["a", "b"])
    with pytest.raises(RequestError, match="at least one work"):
        drawn(Collection([], tmp_path), np.zeros((0, 2)))
    with pytest.raises(RequestError, match="not finite"):
        drawn(gallery, np.full((6, 2), np.nan))
    with pytest.raises(RequestError, match=r"shape \(6, 3\)"):
        drawn(gallery, np.zeros((6, 3)))
    with pytest.raises(CollectionError, match=r"gone\.png"):
        drawn(Collection([Item(id="a", picture="gone.png")], tmp_path))
