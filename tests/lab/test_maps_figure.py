from pathlib import Path

import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.pages.figures import save_figure
from vernissage.pages.groups import LIGHT
from vernissage_lab.pages.maps_figure import MapPanel, maps_figure

POINTS = np.random.default_rng(0).standard_normal((40, 2))


def panel(title: str, groups: list[str]) -> MapPanel:
    return MapPanel(title, "first line\nsecond line", POINTS[: len(groups)], groups)


def colours_of(figure_axes: object) -> set[str]:
    shades = [dots.get_facecolor() for dots in figure_axes.collections]  # type: ignore[attr-defined]
    return {"#" + "".join(f"{round(part * 255):02x}" for part in shade[0][:3]) for shade in shades if len(shade)}


def test_a_group_has_one_colour_in_all_maps_and_the_rest_is_grey() -> None:
    many = panel("many", [f"g{n % 13:02d}" for n in range(40)])
    few = panel("few", ["g01", "g01", "g02", "g12"])
    figure = maps_figure([many, few], title="Toys")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:4] == ["g01", "g00", "g02", "g12"]  # five in all, four of each
    assert names[-1] == "2 other groups"
    assert colours_of(figure.axes[1]) == {LIGHT[0], LIGHT[2], LIGHT[3]}
    assert "#767672" in colours_of(figure.axes[0])
    assert sum(len(dots.get_offsets()) for dots in figure.axes[0].collections) == 40
    assert figure.axes[0].get_xlabel() == "first line\nsecond line"


def test_an_order_decides_the_colours() -> None:
    figure = maps_figure([panel("one", ["a"] * 3 + ["b"] * 9)], title="Toys", order=("a", "b"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    first = figure.axes[0].collections[0]
    assert tuple(np.round(first.get_facecolor()[0][:3] * 255).astype(int)) == tuple(
        int(LIGHT[0][place : place + 2], 16) for place in (1, 3, 5)
    )


def test_five_maps_stand_in_two_rows(tmp_path: Path) -> None:
    first, second = (maps_figure([panel(f"map {n}", ["a", "b"] * 5) for n in range(5)], title="Toys") for _ in range(2))
    shown = [axes.get_title(loc="left") for axes in first.axes if axes.axison]
    assert shown == [f"map {n}" for n in range(5)]
    save_figure(first, tmp_path / "maps.png")
    save_figure(second, tmp_path / "again.png")
    assert (tmp_path / "maps.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_maps_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(RequestError, match="one map or more"):
        maps_figure([], title="")
    with pytest.raises(RequestError, match="40 places and 1 groups"):
        maps_figure([MapPanel("", "", POINTS, ["a"])], title="")
    with pytest.raises(RequestError, match="finite"):
        maps_figure([MapPanel("", "", np.full((2, 2), np.nan), ["a", "b"])], title="")
