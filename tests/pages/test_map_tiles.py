"""The tiles of the map: each picture in its cell at every level, words beside them, kept by the state."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pages.reading import HOSTILE, Page

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError, RequestError
from vernissage.gallery.overview import Map
from vernissage.pages.map_tiles import MOST_GROUPS, draw_map, ranked
from vernissage.pages.visitor.map import map_groups, map_in_one_file

COLOURS = [(255, 0, 0), (0, 0, 255), (0, 128, 0), (128, 128, 128)]


def placed(works: Collection, points: Any = None) -> Map:
    places = np.random.default_rng(0).standard_normal((len(works), 2)) if points is None else np.asarray(points, float)
    return Map(places, works.items, tuple(item.group for item in works), "pictures", 0)


def drawn(works: Collection, **keywords: Any) -> tuple[dict[str, Any], dict[str, Image.Image], list[str]]:
    """What is written of works, the tiles by name, and the notes."""
    files: dict[str, bytes] = {}
    notes = draw_map(placed(works), works.picture_path, files.__setitem__, **keywords)
    assert list(files)[-1] == "works.json"
    words = json.loads(files.pop("works.json"))
    return words, {name: Image.open(io.BytesIO(content)).convert("RGBA") for name, content in files.items()}, notes


def test_each_picture_is_in_its_cell_at_every_level(gallery: Collection) -> None:
    words, tiles, notes = drawn(gallery, cell=256)
    assert notes == []
    assert words["plain"] == [4, 5]
    side = words["across"] * words["cell"]
    for level in range(words["levels"]):
        for row, colour in enumerate(COLOURS):
            x, y = ((words[axis][row] + 0.5) * words["cell"] / 2**level for axis in "xy")
            tile = tiles[f"{level}/{int(x // side)}-{int(y // side)}.webp"]
            pixel = tile.getpixel((int(x % side), int(y % side)))
            assert isinstance(pixel, tuple)
            assert np.abs(np.subtract(pixel, (*colour, 255))).max() < 40
    assert len([name for name in tiles if name.startswith(f"{words['levels'] - 1}/")]) == 1


def test_between_pictures_nothing_is_painted(tmp_path: Path) -> None:
    Image.new("RGB", (400, 400), "red").save(tmp_path / "red.png")
    _, tiles, _ = drawn(Collection([Item(id=str(n), picture="red.png") for n in range(3)], tmp_path), cell=128)
    for tile in tiles.values():
        assert tile.getpixel((0, 0))[3] < 128  # type: ignore[index]


def test_words_are_listed_once_and_groups_by_size(gallery: Collection) -> None:
    words, _, _ = drawn(gallery)
    assert words["titles"] == ["Picture 0", "Picture 1", "Picture 2", "Picture 3", "Of the Sea", ""]
    assert [words["lines"][each] for each in words["line"]][3:] == ["Painter 3, c. 1710", "A Writer", ""]
    assert words["groups"] == ["b", "a"]
    assert words["group"] == [1, 0, 1, 0, 0, -1]
    assert words["keys"][4] == "words"


def test_of_many_groups_the_largest_have_names() -> None:
    labels = [f"g{number:03}" for number in range(120)] + ["g119"] * 2 + [""]
    groups, place = ranked(labels)
    assert len(groups) == MOST_GROUPS
    assert groups[0] == "g119"
    assert place[119:] == [0, 0, 0, -1]
    assert place[100:119] == [-1] * 19


def test_equal_input_gives_equal_bytes_and_progress_is_reported(gallery: Collection) -> None:
    steps: list[tuple[int, int]] = []
    one, other = {}, {}  # type: ignore[var-annotated]
    draw_map(placed(gallery), gallery.picture_path, one.__setitem__, progress=lambda _, *step: steps.append(step))
    draw_map(placed(gallery), gallery.picture_path, other.__setitem__)
    assert one == other
    assert steps == [(done, 6) for done in range(7)]


def test_a_picture_that_cannot_be_read_costs_a_note(tmp_path: Path) -> None:
    words, _, notes = drawn(Collection([Item(id="a", picture="gone.png"), Item(id="b")], tmp_path))
    assert words["plain"] == [0, 1]
    assert "gone.png" in notes[0]


def test_no_works_and_no_places_are_refused(gallery: Collection) -> None:
    for points, works in (([], gallery.items[:0]), (np.full((6, 2), np.nan), gallery.items)):
        found = Map(np.asarray(points, float).reshape(-1, 2), tuple(works), ("",) * len(works), "", 0)
        with pytest.raises(RequestError, match="finite place"):
            draw_map(found, gallery.picture_path, {}.__setitem__)


def test_lists_hold_every_work_once_by_title(gallery: Collection) -> None:
    groups = map_groups(gallery, {"p0"})
    assert [(group.name, group.rows) for group in groups] == [("b", (4, 1, 3)), ("a", (2,)), ("Other works", (5,))]
    assert [group.name for group in map_groups(Collection([Item(id="x")], Path()))] == ["All works"]


def test_one_file_holds_its_tiles_and_loads_nothing(gallery: Collection) -> None:
    html = map_in_one_file(placed(gallery), gallery.picture_path, title=HOSTILE)
    page = Page(html)
    assert "http:" not in html
    assert "https:" not in html
    addresses = [found[name] for _, found in page.elements for name in ("src", "href") if name in found]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "default-src 'none'" in html.replace("&#39;", "'")
    assert HOSTILE in page.text
    words = json.loads(page.scripts[0])
    assert len(words["tiles"]) >= 1
    assert all(tile.startswith("data:image/webp") for tile in words["tiles"].values())
    lists = re.findall(r'<ul class="titles">.*?</ul>', html, re.DOTALL)
    assert sum(part.count("<li>") for part in lists) == 6
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))


def test_one_file_needs_all_its_pictures(tmp_path: Path) -> None:
    works = Collection([Item(id="a", picture="gone.png")], tmp_path)
    with pytest.raises(CollectionError, match=r"gone\.png"):
        map_in_one_file(placed(works), works.picture_path, title="Toys")
