"""Lines in a grid of small panels: the layout of the second paper's ablation figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DODGE = 0.012
"""Share of the width by which lines stand beside each other, so that error bars do not hide one another."""


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One mean: its panel (``down``, ``across``), its line, and its place on it.

    ``dashed`` tells two kinds of one line apart; ``se`` may be NaN.
    """

    down: str
    across: str
    line: str
    x: float
    mean: float
    se: float
    dashed: bool = False


def grid_figure(
    points: Sequence[GridPoint],
    *,
    title: str,
    x_label: str,
    y_label: str,
    styles: tuple[str, str] | None = None,
) -> Figure:
    """Panels ``down`` × ``across`` on one scale, a colour and marker for each line, bars of one standard error.

    Panels and lines stand in the order in which they are met; ``styles`` names what solid and dashed stand for.

    Raises:
        RequestError: no points, two for one place of a line, or a mean that is not finite.
    """
    _check(points)
    downs, acrosses = _names(points, "down"), _names(points, "across")
    with drawing():
        size = (2.5 + 2.35 * len(acrosses), 1.35 + 1.75 * len(downs))
        figure = Figure(figsize=(max(5.4, size[0]), size[1]), layout=ConstrainedLayoutEngine(hspace=0.06, wspace=0.04))
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(downs), len(acrosses), squeeze=False, sharex=True, sharey=True)
        for row, down in enumerate(downs):
            for column, across in enumerate(acrosses):
                _panel(panels[row, column], points, down, across)
                if row == 0:
                    panels[row, column].set_title(plain(across))
            panels[row, 0].set_ylabel(plain(down), color=INK)
        figure.suptitle(plain(title), x=0.01, ha="left", size=12, family="DejaVu Serif")
        figure.supylabel(plain(y_label), size=9, color=MUTED)
        figure.supxlabel(f"{plain(x_label)}\nbars: one standard error each way", size=9, color=MUTED)
        _legend(figure, points, styles)
    return figure


def _panel(panel: Axes, points: Sequence[GridPoint], down: str, across: str) -> None:
    lines = _names(points, "line")
    ticks = sorted({point.x for point in points})
    width = (ticks[-1] - ticks[0]) or 1.0
    for place, line in enumerate(lines):
        for dashed in (False, True):
            own = sorted(
                (p for p in points if (p.down, p.across, p.line, p.dashed) == (down, across, line, dashed)),
                key=lambda point: point.x,
            )
            if own:
                shift = (2 * place + dashed - len(lines) + 0.5) * _DODGE * width
                _draw(panel, own, place, shift)
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.margins(x=0.12)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.grid(axis="y", color=LINE, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelcolor=MUTED)
    panel.spines[["top", "right"]].set_visible(False)
    top = max(point.mean + (point.se if isfinite(point.se) else 0) for point in points)
    panel.set_ylim(0, top * 1.06 if top > 0 else 1)


def _draw(panel: Axes, own: Sequence[GridPoint], place: int, shift: float) -> None:
    dashed = own[0].dashed
    panel.errorbar(
        np.array([point.x for point in own]) + shift,
        [point.mean for point in own],
        yerr=[point.se if isfinite(point.se) else 0.0 for point in own],
        color=LIGHT[place % len(LIGHT)],
        marker=_MARKERS[place % len(_MARKERS)],
        markerfacecolor="none" if dashed else LIGHT[place % len(LIGHT)],
        linestyle="--" if dashed else "-",
        markersize=4,
        linewidth=1.2,
        elinewidth=0.9,
    )


def _legend(figure: Figure, points: Sequence[GridPoint], styles: tuple[str, str] | None) -> None:
    lines = _names(points, "line")
    handles = [
        Line2D([], [], color=LIGHT[place % len(LIGHT)], marker=_MARKERS[place % len(_MARKERS)], ms=4, label=plain(line))
        for place, line in enumerate(lines)
    ]
    if styles is not None:
        # Filled and open markers too: where there is one number of uploads, no line is drawn that could be dashed.
        for style, line, face in zip(styles, ("-", "--"), (MUTED, "none"), strict=True):
            handles.append(
                Line2D([], [], color=MUTED, ls=line, marker="o", ms=4, markerfacecolor=face, label=plain(style))
            )
    figure.legend(handles=handles, loc="outside right upper", ncols=1, frameon=False, fontsize=9, labelcolor=INK)


def _names(points: Sequence[GridPoint], field: str) -> list[str]:
    return list(dict.fromkeys(getattr(point, field) for point in points))


def _check(points: Sequence[GridPoint]) -> None:
    if not points:
        raise RequestError("a figure of lines needs one mean or more, but none was given; run the experiment first")
    places = [(point.down, point.across, point.line, point.dashed, point.x) for point in points]
    if len(set(places)) < len(places):
        raise RequestError("two means stand at the same place of a line; give one for each")
    if not all(isfinite(point.mean) and isfinite(point.x) for point in points):
        raise RequestError("a mean of the figure is not finite; leave it out")
