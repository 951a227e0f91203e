from itertools import product

import pytest

from vernissage.errors import RequestError
from vernissage_lab.pages.grid_figure import GridMark, GridPoint, grid_figure

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
        GridMark("text → image", "5 classes", "hdbscan", 10.0, mean=1.9, by="published, CLIP"),
        GridMark("text → image", "5 classes", "ward", 10.0, mean=0.2, by="published, ALBEF"),
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
        grid_figure(POINTS, marks=[GridMark("a", "b", "none", 1, 0, "")], title="t", x_label="x", y_label="y")


def test_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(RequestError, match="none was given"):
        grid_figure([], title="t", x_label="x", y_label="y")
    with pytest.raises(RequestError, match="same place"):
        grid_figure([POINTS[0], POINTS[0]], title="t", x_label="x", y_label="y")
    with pytest.raises(RequestError, match="not finite"):
        grid_figure([GridPoint("a", "b", "c", 1, float("nan"), 0)], title="t", x_label="x", y_label="y")


def test_figures_that_are_compared_have_the_same_colours_and_scale() -> None:
    both = grid_figure(POINTS, title="t", x_label="x", y_label="y", top=3.0)
    of_one = [point for point in POINTS if point.line == "hdbscan"]
    alone = grid_figure(of_one, title="t", x_label="x", y_label="y", lines=("ward", "hdbscan"), top=3.0)
    assert alone.axes[0].get_ylim() == both.axes[0].get_ylim() == (0, pytest.approx(3.18))
    (label,), (line,) = alone.legends[0].get_texts(), alone.legends[0].get_lines()
    assert label.get_text() == "hdbscan"
    assert line.get_color() == alone.axes[0].containers[0][0].get_color() == both.axes[0].containers[2][0].get_color()
    assert line.get_marker() == both.axes[0].containers[2][0].get_marker()
