"""Figures of experiments: what is drawn where, and what is refused."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.errors import RequestError
from vernissage.pages.figures import save_figure
from vernissage.pages.groups import LIGHT
from vernissage_lab.figures import (
    Dot,
    GapPanel,
    GridPoint,
    MapPanel,
    box_figure,
    dot_figure,
    gap_figure,
    grid_figure,
    maps_figure,
)

DOTS = [
    Dot(engine, metric, mean, 0.02, engine == "random")
    for metric in ("nDCG@9", "recall@9", "coverage", "novelty")
    for engine, mean in (("texts", 0.4), ("pictures", 0.3), ("random", 0.1))
]


def test_dots_have_a_panel_for_each_measure_and_a_line_for_each_method(tmp_path: Path) -> None:
    figure = dot_figure(DOTS, title="Engines")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["nDCG@9", "recall@9", "coverage", "novelty"]
    assert figure.axes[0].get_gridspec().get_geometry() == (2, 2), "four stand two by two"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["texts", "pictures", "random"]
    means = [bars.lines[0].get_xdata()[0] for bars in figure.axes[0].containers]
    assert means == [0.4, 0.3, 0.1]
    (low, high), _ = figure.axes[0].containers[0].lines[2][0].get_segments()[0].T
    assert (low, high) == pytest.approx((0.38, 0.42))
    shades = [bars.lines[0].get_color() for bars in figure.axes[0].containers]
    assert shades[0] == shades[1] != shades[2]
    save_figure(figure, tmp_path / "evaluation.pdf")


def test_what_was_not_measured_leaves_its_place_empty() -> None:
    nan = float("nan")
    figure = dot_figure([Dot("a", "m", nan, nan), Dot("b", "m", 1.0, nan)])
    assert len(figure.axes[0].containers) == 1
    assert figure.axes[0].containers[0].lines[0].get_ydata()[0] == 1


def test_dots_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(RequestError, match="at least one row"):
        dot_figure([])


def test_names_with_signs_of_formulas_are_shown_as_they_are(tmp_path: Path) -> None:
    figure = dot_figure([Dot("$\\a$", "$_$", 1, 0)], title="$^$")
    save_figure(figure, tmp_path / "dots.svg")
    assert figure.axes[0].get_yticklabels()[0].get_text() == "$\\a$"


POINTS = [
    GridPoint(task, classes, line, x, mean=0.1 * place + x / 100, se=0.02, dashed=dashed)
    for place, (task, classes, line, dashed) in enumerate(
        product(("text → text", "text → image"), ("1 class", "5 classes"), ("ward", "hdbscan"), (False, True))
    )
    for x in (5.0, 10.0)
]


def test_panels_are_tasks_by_classes_and_lines_solid_and_dashed() -> None:
    figure = grid_figure(POINTS, title="Recall", x_label="uploads", y_label="recall", styles=("centroid", "medoid"))
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["1 class", "5 classes", "", ""]
    assert [panel.get_ylabel() for panel in figure.axes] == ["text → text", "", "text → image", ""]
    for number, panel in enumerate(figure.axes):
        lines = [container[0] for container in panel.containers]
        assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
        heights = [value for line in lines for value in line.get_ydata()]
        expected = [point.mean for point in POINTS[number * 8 : number * 8 + 8]]
        assert heights == pytest.approx(expected)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["ward", "hdbscan", "centroid", "medoid"]
    solid, dashed = figure.legends[0].get_lines()[-2:]
    assert dashed.get_markerfacecolor() == "none" != solid.get_markerfacecolor(), "as in the panels"


def test_all_panels_share_one_scale_and_lines_do_not_hide_one_another() -> None:
    figure = grid_figure(POINTS, title="t", x_label="x", y_label="y")
    assert len({panel.get_ylim() for panel in figure.axes}) == 1
    places = [container[0].get_xdata()[0] for container in figure.axes[0].containers]
    assert len(set(places)) == 4
    assert max(places) - min(places) < 1  # of uploads, where ticks are 5 apart


def test_marks_of_others_are_open_in_the_colour_of_their_line_and_within_the_scale() -> None:
    marks = [
        GridPoint("text → image", "5 classes", "hdbscan", 10.0, mean=1.9, by="published, CLIP"),
        GridPoint("text → image", "5 classes", "ward", 10.0, mean=0.2, by="published, ALBEF"),
    ]
    figure = grid_figure(POINTS, marks=marks, title="Recall", x_label="uploads", y_label="recall")
    assert [text.get_text() for text in figure.legends[0].get_texts()][-2:] == ["published, CLIP", "published, ALBEF"]
    own = {container[0] for panel in figure.axes for container in panel.containers}
    drawn = [[line for line in panel.lines if line.get_marker() in {"d", "p"}] for panel in figure.axes]
    assert [len(some) for some in drawn] == [0, 0, 0, 2]
    above, below = drawn[3]
    assert (above.get_xdata()[0], above.get_ydata()[0], above.get_markerfacecolor()) == (10.0, 1.9, "none")
    colours = {line.get_color() for line in own}
    assert {above.get_color(), below.get_color()} == colours
    assert above.get_marker() != below.get_marker()
    assert figure.axes[0].get_ylim()[1] > 1.9
    with pytest.raises(RequestError, match="beside the line 'none'"):
        grid_figure(POINTS, marks=[GridPoint("a", "b", "none", 1, 0)], title="t", x_label="x", y_label="y")


def test_figures_that_are_compared_have_the_same_colours_and_scale() -> None:
    both = grid_figure(POINTS, title="t", x_label="x", y_label="y", top=3.0)
    of_one = [point for point in POINTS if point.line == "hdbscan"]
    alone = grid_figure(of_one, title="t", x_label="x", y_label="y", lines=("ward", "hdbscan"), top=3.0)
    assert alone.axes[0].get_ylim() == both.axes[0].get_ylim() == (0, pytest.approx(3.18))
    (label,), (line,) = alone.legends[0].get_texts(), alone.legends[0].get_lines()
    assert label.get_text() == "hdbscan"
    assert line.get_color() == alone.axes[0].containers[0][0].get_color() == both.axes[0].containers[2][0].get_color()
    assert line.get_marker() == both.axes[0].containers[2][0].get_marker()


def gap_panel(title: str, shift: float) -> GapPanel:
    """Cosines in a few bins, and two clouds that lie ``shift`` apart."""
    points = np.random.default_rng(0).standard_normal((80, 2))
    points[40:] += shift
    positive, negative = (
        np.eye(100, dtype=np.int64)[place] * 40 + np.eye(100, dtype=np.int64)[place + 1] * 20 for place in (70, 50)
    )
    return GapPanel(title, f"gap {shift}", positive, negative, points)


def figure_of(*panels: GapPanel) -> object:
    return gap_figure(panels, ("pictures", "texts"), title="Toys $by$ clip")


def test_equal_figures_have_equal_bytes_and_are_wide_enough_to_read(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_figure(figure_of(gap_panel("before", 3.0), gap_panel("after", 0.0)), tmp_path / f"{name}.png")  # type: ignore[arg-type]
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert image.width >= 1200


def test_each_panel_shows_cosines_above_and_every_work_of_both_modalities_below() -> None:
    figure = gap_figure([gap_panel("before", 3.0), gap_panel("after", 0.0)], ("pictures", "texts"), title="Toys")
    cosines, maps = figure.axes[:2], figure.axes[2:]
    assert [axes.get_title(loc="left").strip() for axes in cosines] == ["before", "after"]
    assert len({axes.get_xlim() for axes in cosines}) == len({axes.get_ylim() for axes in cosines}) == 1
    for axes in maps:
        assert sum(len(dots.get_offsets()) for dots in axes.collections) == 80
        assert len({tuple(dots.get_facecolor()[0]) for dots in axes.collections}) == 2
    assert [text.get_text() for text in maps[0].get_legend().get_texts()] == ["pictures  40", "texts  40"]
    low, high = cosines[0].get_xlim()
    assert -0.1 < low < 0
    assert 0.44 < high < 0.6  # bins 50 to 71 of 100 between -1 and 1


PLACES = np.random.default_rng(0).standard_normal((40, 2))


def map_panel(title: str, groups: list[str]) -> MapPanel:
    return MapPanel(title, "first line\nsecond line", PLACES[: len(groups)], groups)


def colours_of(figure_axes: object) -> set[str]:
    shades = [dots.get_facecolor() for dots in figure_axes.collections]  # type: ignore[attr-defined]
    return {"#" + "".join(f"{round(part * 255):02x}" for part in shade[0][:3]) for shade in shades if len(shade)}


def test_a_group_has_one_colour_in_all_maps_and_the_rest_is_grey() -> None:
    many = map_panel("many", [f"g{n % 13:02d}" for n in range(40)])
    few = map_panel("few", ["g01", "g01", "g02", "g12"])
    figure = maps_figure([many, few], title="Toys")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:4] == ["g01", "g00", "g02", "g12"]  # five in all, four of each
    assert names[-1] == "2 other groups"
    assert colours_of(figure.axes[1]) == {LIGHT[0], LIGHT[2], LIGHT[3]}
    assert "#767672" in colours_of(figure.axes[0])
    assert sum(len(dots.get_offsets()) for dots in figure.axes[0].collections) == 40
    assert figure.axes[0].get_xlabel() == "first line\nsecond line"


def test_an_order_decides_the_colours() -> None:
    figure = maps_figure([map_panel("one", ["a"] * 3 + ["b"] * 9)], title="Toys", order=("a", "b"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    first = figure.axes[0].collections[0]
    assert tuple(np.round(first.get_facecolor()[0][:3] * 255).astype(int)) == tuple(
        int(LIGHT[0][place : place + 2], 16) for place in (1, 3, 5)
    )


def test_five_maps_stand_in_two_rows(tmp_path: Path) -> None:
    first, second = (
        maps_figure([map_panel(f"map {n}", ["a", "b"] * 5) for n in range(5)], title="Toys") for _ in range(2)
    )
    shown = [axes.get_title(loc="left") for axes in first.axes if axes.axison]
    assert shown == [f"map {n}" for n in range(5)]
    save_figure(first, tmp_path / "maps.png")
    save_figure(second, tmp_path / "again.png")
    assert (tmp_path / "maps.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(RequestError, match="none was given"):
        grid_figure([], title="t", x_label="x", y_label="y")


def test_a_long_title_does_not_run_into_the_legend() -> None:
    figure = grid_figure(
        POINTS,
        title="Recall@10 with an encoder of a long name, text → image: ten works from every area of interest",
        x_label="x",
        y_label="y",
    )
    figure.draw_without_rendering()
    title, legend = figure._suptitle, figure.legends[0]  # type: ignore[attr-defined]  # matplotlib has no other way
    assert title.get_window_extent().x1 > legend.get_window_extent().x0
    assert not title.get_window_extent().overlaps(legend.get_window_extent())


@pytest.mark.parametrize("count", [2, 4])
def test_the_title_of_a_narrow_figure_is_not_cut_off(count: int) -> None:
    boxes = [(f"picture and text,\nkind {number}", (0.0, 0.1, 0.2, 0.3, 0.4)) for number in range(count)]
    figure = box_figure(boxes, title="efficientnet: cosines of pairs that belong together, and of others")
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()  # type: ignore[attr-defined]  # matplotlib has no other way
    assert title.x1 < figure.bbox.x1
    assert title.y0 > figure.axes[0].get_window_extent().y1
