"""Works and uploads that are the same: which are found, and that drawings which differ in one place are not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import check_picture
from vernissage.progress import silent
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.workspace import copies
from vernissage.workspace.copies import Copies, Small, alike, content_of, find_copies, small_of


def drawing(number: int, side: int = 240, *, hat: bool = False, colour: str = "tomato") -> Image.Image:
    """A scene of a sky with a gradient, a hill, and shapes of its own."""
    random = np.random.default_rng(number)
    rows = np.linspace(120, 235, side)[:, None] + 15 * np.sin(np.linspace(0, 6, side) + number)[None]
    picture = Image.fromarray(np.stack([rows, rows * 0.9, 255 - rows / 2], axis=2).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for x, y, size in random.integers((20, 60, 20), (side - 70, side - 70, 60), (6, 3)).tolist():
        pen.ellipse((x, y, x + size, y + size), fill=colour, outline="black", width=3)
    if hat:
        pen.rectangle((100, 10, 140, 30), fill="black")
    return picture


def saved(folder: Path, pictures: dict[str, Image.Image], **options: object) -> list[Item]:
    items = []
    for name, picture in pictures.items():
        picture.save(folder / name, **options)
        items.append(Item(Path(name).stem, picture=name, picture_digest=check_picture(folder / name).digest))
    return items


def near(items: Iterable[Item]) -> VectorTable:
    """Vectors by which every picture is compared with every other."""
    ids = [item.id for item in items if item.picture]
    vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (len(ids), 1))
    return make_vector_table(
        vectors, ids, [""] * len(ids), encoder="e", fingerprint="f", modality="image", collection=""
    )


def groups(items: list[Item], folder: Path, table: VectorTable | None = None) -> list[tuple[str, ...]]:
    works = Collection(items, folder)
    return Copies(works.ids, find_copies(works, table)).groups()


def test_equal_files_and_encodings_of_one_picture_are_the_same(tmp_path: Path) -> None:
    one, other = drawing(1), drawing(2)
    half = one.resize((120, 120), Image.Resampling.LANCZOS)
    items = saved(tmp_path, {"z.png": one, "b.png": one, "gif.gif": one, "half.png": half, "other.png": other})
    items += saved(tmp_path, {"q75.jpg": one, "half-q75.jpg": half}, quality=75)
    assert groups(items, tmp_path) == [("z", "b")]
    assert groups(items, tmp_path, near(items)) == [("z", "b", "gif", "half", "q75", "half-q75")]


@pytest.mark.parametrize("version", [drawing(3, hat=True), drawing(3, colour="gold"), drawing(4)])
def test_versions_of_a_drawing_are_works_of_their_own(tmp_path: Path, version: Image.Image) -> None:
    items = saved(tmp_path, {"one.png": drawing(3), "version.png": version})
    assert not alike(*(small_of(tmp_path / item.picture) for item in items))
    assert groups(items, tmp_path, near(items)) == []


def test_pictures_whose_vectors_are_far_apart_are_not_opened(tmp_path: Path) -> None:
    items = saved(tmp_path, {"one.png": drawing(1), "two.jpg": drawing(1)})
    apart = replace(near(items), vectors=np.eye(2, dtype=np.float32))
    assert groups(items, tmp_path, apart) == []


def test_of_many_pictures_the_nearest_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second picture is an encoding of the one before, with a cosine of .9; others are at right angles or so."""
    random, count = np.random.default_rng(0), 600
    vectors = random.standard_normal((count, 300), dtype=np.float32)
    vectors[1::2] = vectors[::2] + 0.48 * vectors[1::2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shown = random.integers(0, 256, (count // 2, 2496), dtype=np.uint8)
    opened: list[int] = []

    def small(places: Sequence[int]) -> list[Small]:
        opened.extend(places)
        return [shown[place // 2] for place in places]

    for most in (count, 0):
        monkeypatch.setattr(copies, "_ALL_PAIRS", most)
        found = copies._same_pictures(vectors, np.arange(count), small, silent)
        assert found.tolist() == [place - place % 2 for place in range(count)]
        assert sorted(opened) == list(range(count))
        opened.clear()
    blank = np.tile(vectors[:1], (2_500, 1))  # many that all show the same, of which each is compared with a few
    found = copies._same_pictures(blank, np.arange(2_500), lambda places: [shown[0]] * len(places), silent)
    assert not found.any()


def test_equal_texts_are_the_same_only_without_pictures_and_with_a_description(tmp_path: Path) -> None:
    told = Item("told", title="Fog", description="Fog over a harbour.", text="Fog. Fog over a harbour.")
    untitled = Item("u1", title="Untitled", keywords=("red",), text="Untitled. red")
    items = [
        told,
        replace(told, id="again"),
        replace(told, id="other", text="Fog. Fog over a harbour. Oil."),
        untitled,
        replace(untitled, id="u2"),
        Item("t1", title="Fog", description="fog", text="Fog"),
        Item("t2", title="Fog", description="fog", text="Fog"),
        *[replace(item, title="Fog", description=told.description, text=told.text)
          for item in saved(tmp_path, {"p1.png": drawing(1), "p2.png": drawing(2)})],
    ]  # fmt: skip
    assert groups(items, tmp_path) == [("told", "again")]
    assert content_of(untitled) == content_of(items[5]) == ""


def test_groups_are_called_by_their_first_work(tmp_path: Path) -> None:
    works = Collection([Item(name) for name in "dacbe"], tmp_path)
    found = Copies(works.ids, np.array([0, 1, 0, 1, 4], dtype=np.int32))
    assert found.names(["c", "b", "e", "nobody"]) == ["d", "a", "e", ""]
    assert found.named(["a", "e", "nobody"]) == {"a": ["a", "b"]}
    assert found.groups() == [("a", "b"), ("d", "c")]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("pictured", "first", "expected"),
    [
        ("dacbe", [0, 1, 0, 1, 4], "2 works show the same picture as another: a = b; d = c"),
        ("dacbe", [0, 1, 0, 3, 4], "1 work shows the same picture as another: d = c"),
        ("", [0, 1, 0, 3, 4], "1 work without a picture says the same as another: d = c"),
        ("", [0, 0, 0, 0, 4], "3 works without a picture say the same as another: d = a = c …"),
        ("dc", [0, 1, 0, 3, 1],
         "1 work shows the same picture as another: d = c. 1 work without a picture says the same as another: a = e"),
        ("dacbe", [0, 1, 2, 3, 4], ""),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_the_same(pictured: str, first: list[int], expected: str, tmp_path: Path) -> None:
    works = [
        Item(name, picture=f"{name}.png", picture_digest=name) if name in pictured else Item(name) for name in "dacbe"
    ]
    collection = Collection(works, tmp_path)
    assert Copies(collection.ids, np.array(first, dtype=np.int32)).sentence(collection) == expected
