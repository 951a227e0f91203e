from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.errors import CollectionError, RequestError
from vernissage.pages.figures import save_figure
from vernissage.pages.groups import LIGHT, LIGHT_OTHER
from vernissage.pages.map_figure import map_figure, map_thumbnails

POINTS = np.random.default_rng(0).standard_normal((40, 2))
GROUPS = [f"group {n % 13}" for n in range(40)]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_each_suffix_is_written_with_the_same_bytes_each_time(suffix: str, start: bytes, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_figure(map_figure(POINTS, GROUPS, title="Toys"), tmp_path / f"{name}{suffix}")
    one = (tmp_path / f"one{suffix}").read_bytes()
    assert one.startswith(start)
    assert one == (tmp_path / f"two{suffix}").read_bytes()


def test_a_png_is_wide_enough_to_read(tmp_path: Path) -> None:
    save_figure(map_figure(POINTS, GROUPS, title="Toys"), tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.width >= 1200


@pytest.mark.parametrize("name", ["map.gif", "map", "map.html"])
def test_another_suffix_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"\.pdf, \.png, \.svg"):
        save_figure(map_figure(POINTS, GROUPS, title="Toys"), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_map_names_its_groups_and_colours_eleven(tmp_path: Path) -> None:
    figure = map_figure(POINTS, GROUPS, title="Toys")
    assert len(words(figure)) == 11
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "2 other groups  6"
    sizes = [len(dots.get_offsets()) for dots in figure.axes[0].collections]
    assert sum(sizes) == 40
    colours = [tuple(np.round(dots.get_facecolor()[0][:3] * 255).astype(int)) for dots in figure.axes[0].collections]
    assert colours == [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (*LIGHT, LIGHT_OTHER)]


def test_texts_with_signs_of_formulas_are_shown_as_they_are(tmp_path: Path) -> None:
    figure = map_figure(POINTS, ["$\\frac{$ <b>"] * 40, title="$x^{$ & \n more")
    save_figure(figure, tmp_path / "map.svg")
    assert words(figure) == ["$\\frac{$ <b>"]
    assert figure.texts[0].get_text() == "$x^{$ & more"


def test_pictures_are_drawn_at_their_points(gallery: Collection, tmp_path: Path) -> None:
    points = np.array([[0, 0], [9, 0], [9, 9], [0, 9], [5, 5], [4, 4.0]])
    pictures = map_thumbnails(points, gallery.items, gallery, across=4, side=30)
    assert sorted(pictures) == [0, 1, 2, 3]
    assert pictures[1].size == (30, 2)
    figure = map_figure(points, [""] * 6, title="Toys", thumbnails=pictures)
    assert len(figure.axes[0].artists) == 4
    save_figure(figure, tmp_path / "map.png")


def test_of_pictures_close_together_one_is_drawn(gallery: Collection) -> None:
    points = np.array([[0, 0], [0.1, 0], [0, 0.1], [0, 0], [5, 5], [9, 9.0]])
    assert len(map_thumbnails(points, gallery.items, gallery, across=3)) == 1


def test_maps_that_cannot_be_drawn_are_refused(gallery: Collection) -> None:
    with pytest.raises(RequestError, match="40 places and 1 groups"):
        map_figure(POINTS, ["a"], title="")
    with pytest.raises(RequestError, match="rows 3 to 99"):
        map_figure(POINTS, GROUPS, title="", thumbnails={3: Image.new("RGB", (2, 2)), 99: Image.new("RGB", (2, 2))})
    gone = Collection(gallery.items, gallery.folder / "elsewhere")
    with pytest.raises(CollectionError, match=r"0\.png"):
        map_thumbnails(np.zeros((6, 2)), gone.items, gone)


def test_one_work_is_a_map(tmp_path: Path) -> None:
    save_figure(map_figure(np.array([[1.0, 2.0]]), [""], title=""), tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_a_note_stands_below_the_title_and_names_stay_on_the_map_above_their_works() -> None:
    points = np.array([[0, 0], [0, 0], [0, 0], [90, 50], [95, 55.0]])
    figure = map_figure(points, ["a very long name of a group"] * 3 + ["b"] * 2, title="Toys", note="5 works")
    assert [text.get_text() for text in figure.texts] == ["Toys", "5 works"]
    (name, _), (dots, _) = figure.axes[0].texts, figure.axes[0].collections
    box = name.get_window_extent()
    assert box.x0 >= figure.axes[0].get_window_extent().x0
    place = figure.axes[0].transData.transform(dots.get_offsets()[0])
    assert box.y0 > place[1]  # pixels count from below
