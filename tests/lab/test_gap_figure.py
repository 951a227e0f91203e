from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.errors import RequestError
from vernissage.pages.figures import save_figure
from vernissage_lab.pages.gap_figure import GapPanel, gap_figure


def panel(title: str, shift: float) -> GapPanel:
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
        save_figure(figure_of(panel("before", 3.0), panel("after", 0.0)), tmp_path / f"{name}.png")  # type: ignore[arg-type]
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert image.width >= 1200


def test_each_panel_shows_cosines_above_and_every_work_of_both_modalities_below() -> None:
    figure = gap_figure([panel("before", 3.0), panel("after", 0.0)], ("pictures", "texts"), title="Toys")
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


def test_what_cannot_be_drawn_is_refused() -> None:
    good = panel("before", 1.0)
    with pytest.raises(RequestError, match="one panel or more"):
        figure_of()
    for wrong in (replace(good, positive=good.positive * 0), replace(good, negative=np.ones(7, dtype=np.int64))):
        with pytest.raises(RequestError, match="counts in the same bins"):
            figure_of(good, wrong)
    for points in (good.points[:79], good.points * np.nan, good.points[:, :1]):
        with pytest.raises(RequestError, match="two finite numbers"):
            figure_of(replace(good, points=points))
