"""The pages of a person's areas and recommendations: what they say, and how much they show."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.pages.reading import HOSTILE, Page

from vernissage.catalog.item import Item
from vernissage.gallery.answer import Answer, AnswerList, Reason, Work
from vernissage.gallery.areas import PersonAreas
from vernissage.pages.visitor.areas import areas_file, typical
from vernissage.profiles.areas import area_of
from vernissage.profiles.edits import mute
from vernissage.profiles.interests import Interests, Vocabulary, interests
from vernissage.profiles.naming import WordCounts
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality


def side(ids: list[str], words: list[tuple[str, ...]], *, muted: bool = False) -> Interests:
    """Two areas: all but the last two uploads, and those."""
    vectors = np.zeros((len(ids), 4), dtype=np.float32)
    vectors[:-2, 0] = vectors[-2:, 1] = 1
    known = Vocabulary(words, WordCounts(100, {"ship": 3}), lambda centroid: [("castle",)])
    found = interests(ids, vectors, background=np.zeros(4), vocabulary=known)
    if not muted:
        return found
    edits = [mute(UploadProfile("ann", {"image": found.uploads}), "image", 1)]
    return interests(ids, vectors, background=np.zeros(4), vocabulary=known, edits=edits)


@pytest.fixture
def found(tmp_path: Path) -> PersonAreas:
    """Twelve pictures, ten of them of ships and two without words, whose area is muted."""
    ids = [f"p{number}" for number in range(12)]
    items = {
        name: Item(name, title=f"Ship {name}" if number < 10 else "", picture=f"{name}.png")
        for number, name in enumerate(ids)
    }
    for name in ids:
        Image.new("RGB", (30, 20), "navy").save(tmp_path / f"{name}.png")
    words = [("ship",) if item.title else () for item in items.values()]
    return PersonAreas("ann", "aligned", items, {"image": side(ids, words, muted=True)}, ("p11",), ("image",))


def path_of(folder: Path) -> object:
    return lambda item: folder / item.picture if item.picture else None


def areas_html(found: PersonAreas, folder: Path) -> str:
    return areas_file(found, path_of(folder), title="Port")  # type: ignore[arg-type]


def test_an_area_shows_its_name_its_size_and_its_typical_pictures(found: PersonAreas, tmp_path: Path) -> None:
    page = Page(areas_html(found, tmp_path))
    assert "Areas of interest of ann" in page.text
    assert "ship 10 pictures" in page.text
    assert "castle 2 pictures · muted · named after works like these" in page.text
    assert len(page.all("img")) == 12 + 4 + 2 + 1  # in areas, the first four of each at the head, and what is unread
    assert all(image["alt"] for image in page.all("img"))
    assert not page.scripts
    assert not page.all("form")


def test_equal_input_gives_equal_bytes(found: PersonAreas, tmp_path: Path) -> None:
    assert areas_html(found, tmp_path) == areas_html(found, tmp_path)


def test_typical_uploads_begin_with_the_medoid() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], dtype=np.float32)
    one = uploads_of_modality(list("abcd"), vectors, [area_of(vectors, range(4))])
    # The mean points to (.6, .6): b and c are equally near to it, then a and d; the medoid is the first of the nearest.
    assert typical(one, 0, 3) == [1, 2, 0]


def owner_html(found: PersonAreas, folder: Path, work: Item) -> Page:
    near = [
        Reason("upload", "p0", "Ship p0", 2.0, 0.8, weight=1.0, similarity=0.75, modality="image"),
        Reason("upload", "p1", "Ship p1", 0.5, 0.2, weight=1.0, similarity=-0.25, modality="image"),
    ]
    whole = Work(work, 2.5, (Reason("area", "image:1", "ship", 2.5, 1.0), *near), "text")
    alone = Work(work, 0.5, (Reason("upload", "p0", "Ship p0", 0.0, 0.0, similarity=0.5),), "text")
    lists = (AnswerList("text", (whole,)), AnswerList("text", (alone,), "image", "image:1", "ship"))
    answer = Answer("person", (whole,), "knn3z", "f", (), lists, {}, path_of(folder), found)  # type: ignore[arg-type]
    return Page(areas_file(found, path_of(folder), title="Port", answer=answer))  # type: ignore[arg-type]


def test_a_work_stands_with_its_area_and_what_it_resembles(found: PersonAreas, tmp_path: Path) -> None:
    page = owner_html(found, tmp_path, Item("x", title="Sea tale", owner="bob", description="About a ship."))
    assert "For all areas together Sea tale bob About a ship. ship" in page.text
    assert {"href": "#area-image-1"} in page.all("a")
    assert "area-image-1" in {found.get("id") for _, found in page.elements}
    assert [image["alt"] for image in page.all("img")].count("like Ship p0") == 2


def test_what_stands_in_a_work_never_runs(found: PersonAreas, tmp_path: Path) -> None:
    page = owner_html(found, tmp_path, Item("x", title=HOSTILE, owner=HOSTILE, description=HOSTILE))
    assert "alert(1)" in page.text
    assert all("alert" not in script for script in page.scripts)
