"""Lines in a grid of small panels: the layout of the second paper's ablation figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

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
_OPEN = ("d", "p", "h")
"""Forms of open markers, which no line has."""

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


@dataclass(frozen=True, slots=True)
class GridMark:
    """A value of somebody else at a place of a line of ours; ``by`` says whose, and is told by the marker's form."""

    down: str
    across: str
    line: str
    x: float
    mean: float
    by: str


def grid_figure(
    points: Sequence[GridPoint],
    *,
    marks: Sequence[GridMark] = (),
    title: str,
    x_label: str,
    y_label: str,
    styles: tuple[str, str] | None = None,
    lines: Sequence[str] = (),
    top: float = 0.0,
) -> Figure:
    """Panels ``down`` × ``across`` on one scale, a colour and marker for each line, bars of one standard error.

    Panels and lines stand in the order in which they are met; ``styles`` names what solid and dashed stand for.
    ``marks`` are open markers in the colour of the line that they are compared with, and have no bars.

    Figures that are compared get the same ``lines`` and ``top``: all the lines that any of them has, so that each has
    one colour in all of them, and a value that the scale reaches at least.

    Raises:
        RequestError: no points, two for one place of a line, a mean that is not finite, or a mark on no line.
    """
    _check(points, marks)
    downs, acrosses = _names(points, "down"), _names(points, "across")
    places = {line: place for place, line in enumerate(dict.fromkeys((*lines, *_names(points, "line"))))}
    with drawing():
        size = (2.5 + 2.35 * len(acrosses), 1.35 + 1.75 * len(downs))
        figure = Figure(figsize=(max(5.4, size[0]), size[1]), layout=ConstrainedLayoutEngine(hspace=0.06, wspace=0.04))
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(downs), len(acrosses), squeeze=False, sharex=True, sharey=True)
        for row, down in enumerate(downs):
            for column, across in enumerate(acrosses):
                _panel(panels[row, column], points, down, across, places)
                _mark(panels[row, column], marks, down, across, places)
                if row == 0:
                    panels[row, column].set_title(plain(across))
            panels[row, 0].set_ylabel(plain(down), color=INK)
        figure.suptitle(plain(title), x=0.01, ha="left", size=12, family="DejaVu Serif")
        figure.supylabel(plain(y_label), size=9, color=MUTED)
        figure.supxlabel(f"{plain(x_label)}\nbars: one standard error each way", size=9, color=MUTED)
        _scale(panels[0, 0], points, marks, top)
        _legend(figure, {line: places[line] for line in _names(points, "line")}, styles, _names(marks, "by"))
    return figure


def _panel(panel: Axes, points: Sequence[GridPoint], down: str, across: str, places: Mapping[str, int]) -> None:
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
                _draw(panel, own, places[line], shift)
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.margins(x=0.12)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.grid(axis="y", color=LINE, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelcolor=MUTED)
    panel.spines[["top", "right"]].set_visible(False)


def _scale(panel: Axes, points: Sequence[GridPoint], marks: Sequence[GridMark], at_least: float) -> None:
    """From 0 to above the highest; all panels share it."""
    highest = [point.mean + (point.se if isfinite(point.se) else 0) for point in points]
    top = max(*highest, *(mark.mean for mark in marks), at_least, 0)
    panel.set_ylim(0, top * 1.06 if top > 0 else 1)


def _mark(panel: Axes, marks: Sequence[GridMark], down: str, across: str, places: Mapping[str, int]) -> None:
    kinds = _names(marks, "by")
    if marks:
        panel.tick_params(axis="x", pad=7)  # below what lies at 0
    for mark in marks:
        if (mark.down, mark.across) == (down, across):
            panel.plot(
                mark.x,
                mark.mean,
                linestyle="none",
                clip_on=False,
                color=LIGHT[places[mark.line] % len(LIGHT)],
                **_opened(kinds.index(mark.by)),
            )


def _opened(kind: int) -> dict[str, Any]:
    return {"marker": _OPEN[kind % len(_OPEN)], "markerfacecolor": "none", "markersize": 7.5, "markeredgewidth": 1.1}


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


def _legend(figure: Figure, places: Mapping[str, int], styles: tuple[str, str] | None, others: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=LIGHT[place % len(LIGHT)], marker=_MARKERS[place % len(_MARKERS)], ms=4, label=plain(line))
        for line, place in places.items()
    ]
    if styles is not None:
        # Filled and open markers too: where there is one number of uploads, no line is drawn that could be dashed.
        for style, line, face in zip(styles, ("-", "--"), (MUTED, "none"), strict=True):
            handles.append(
                Line2D([], [], color=MUTED, ls=line, marker="o", ms=4, markerfacecolor=face, label=plain(style))
            )
    for kind, by in enumerate(others):
        handles.append(Line2D([], [], color=MUTED, linestyle="none", label=plain(by), **_opened(kind)))
    figure.legend(handles=handles, loc="outside right upper", ncols=1, frameon=False, fontsize=9, labelcolor=INK)


def _names(points: Sequence[GridPoint | GridMark], field: str) -> list[str]:
    return list(dict.fromkeys(getattr(point, field) for point in points))


def _check(points: Sequence[GridPoint], marks: Sequence[GridMark]) -> None:
    if not points:
        raise RequestError("a figure of lines needs one mean or more, but none was given; run the experiment first")
    places = [(point.down, point.across, point.line, point.dashed, point.x) for point in points]
    if len(set(places)) < len(places):
        raise RequestError("two means stand at the same place of a line; give one for each")
    if not all(isfinite(point.mean) and isfinite(point.x) for point in points):
        raise RequestError("a mean of the figure is not finite; leave it out")
    if unknown := {mark.line for mark in marks} - {point.line for point in points}:
        raise RequestError(f"marks stand beside the line {min(unknown)!r}, which the figure has not; leave them out")
