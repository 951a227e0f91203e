"""Figures of experiments for print: means with errors, lines in grids, single times, cosines and maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from math import isfinite, nan
from textwrap import fill
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT, framed, grouping
from vernissage.pages.map_figure import dots, legend_marks
from vernissage.pages.templating import plain
from vernissage_lab.tables import Row

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_BASELINE, _APART = "#8a8a85", "#a9a9a3"
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_OPEN = ("d", "p", "h")
"""Forms of open markers, which no line has."""
_DODGE = 0.012
"""Share of the width by which lines stand beside each other, so that error bars do not hide one another."""
_CLOCKS = {"CPU": (LIGHT[0], "o", "processor"), "wall": (LIGHT[4], "D", "clock")}
_SHIFT = 0.17
"""How far above the middle of its line the processor's time stands, and the clock's below."""
_EACH_BY_ITSELF = "Maps by t-SNE, each fitted by itself: "
_SERIF = {"x": 0.01, "ha": "left", "size": 13, "family": "DejaVu Serif"}


@dataclass(frozen=True, slots=True)
class Dot:
    """One mean and its standard error (NaN where there is none), in a panel, on a line; baselines are grey."""

    line: str
    panel: str
    mean: float
    se: float
    baseline: bool = False

    @classmethod
    def of(cls, row: Row, line: str, panel: str, baseline: bool = False) -> "Dot":
        """The mean of a row of means."""
        return cls(line, panel, row["mean"], row["se"], baseline)


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One mean: its panel (``down``, ``across``), its line, and its place on it.

    ``dashed`` tells two kinds of one line apart; ``se`` may be NaN. ``by`` says whose a value is that is a mark beside
    the line, and is told by the marker's form; marks have no bars.
    """

    down: str
    across: str
    line: str
    x: float
    mean: float
    se: float = nan
    dashed: bool = False
    by: str = ""


@dataclass(frozen=True)
class TimeLine:
    """Milliseconds of one method by the processor and by the clock, each as (median, 95th percentile).

    Attributes:
        part: the median of a part of it, drawn as a stroke; None for none.
        told: the clock whose median is written beside its mark, and that the part was measured by.
    """

    panel: str
    name: str
    cpu: tuple[float, float]
    wall: tuple[float, float]
    part: float | None = None
    told: Literal["CPU", "wall"] = "CPU"

    def values(self) -> tuple[float, ...]:
        """All that is drawn of it."""
        return (*self.cpu, *self.wall, *(() if self.part is None else (self.part,)))


@dataclass(frozen=True, eq=False)
class GapPanel:
    """Cosines and a map of two modalities.

    Attributes:
        title: what was done to the vectors, such as "before".
        summary: its numbers in one line.
        positive, negative: int64 (bins,), cosines between −1 and 1 of pairs that belong together, and that do not.
        points: float64 (2n, 2), the first modality's works on a plane, then the second's.
    """

    title: str
    summary: str
    positive: Counts
    negative: Counts
    points: Floats


@dataclass(frozen=True, eq=False)
class MapPanel:
    """One map: its title, its numbers in a few short lines, places float64 (n, 2), and each work's group, or ""."""

    title: str
    note: str
    points: Floats
    colour_by: Sequence[str]


def dot_figure(dots: Sequence[Dot], *, title: str = "") -> Figure:
    """A dot plot: one small panel for each measure, one line for each method, bars of one standard error each way.

    Panels and lines stand in the order in which they are met; baselines are grey. A mean that is NaN leaves its place
    empty.

    Raises:
        RequestError: no dots.
    """
    if not dots:
        raise RequestError("a figure of means needs at least one row, but none was given; measure something first")
    lines: dict[str, bool] = {}
    for dot in dots:
        lines[dot.line] = lines.get(dot.line, False) or dot.baseline
    titles = list(dict.fromkeys(dot.panel for dot in dots))
    across = 2 if len(titles) == 4 else min(len(titles), 3)  # not three above a lonely one
    down = -(-len(titles) // across)
    size = (1.6 + 2.8 * across, down * (0.85 + 0.27 * len(lines)) + 0.3 + (0.35 if title else 0))
    note = "Dots are means, bars one standard error each way."
    with _page(size, (down, across), title, note, {"hspace": 0.1, "wspace": 0.05}, sharey=True) as (figure, panels):
        for panel, name in zip(panels.flat, titles, strict=False):
            _dots_of(panel, name, lines, dots)
        for panel in panels.flat[len(titles) :]:
            panel.remove()
        for panel in panels[:, 0]:
            panel.set_yticks(range(len(lines)), [plain(line) for line in lines])
            for label, baseline in zip(panel.get_yticklabels(), lines.values(), strict=True):
                label.set_color(MUTED if baseline else INK)
        return figure


def _dots_of(panel: Axes, name: str, lines: Mapping[str, bool], dots: Sequence[Dot]) -> None:
    place = {line: number for number, line in enumerate(lines)}
    panel.set_title(plain(name))
    for dot in dots:
        if dot.panel != name or not isfinite(dot.mean):
            continue
        colour = _BASELINE if lines[dot.line] else LIGHT[0]
        error = dot.se if isfinite(dot.se) else 0.0
        panel.errorbar(dot.mean, place[dot.line], xerr=error, fmt="o", ms=5, color=colour, elinewidth=1.4)
    panel.set_ylim(len(lines) - 0.5, -0.5)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.margins(x=0.12)
    _ruled(panel, "y", "top", "right", "left")
    panel.tick_params(length=0)


def grid_figure(
    points: Sequence[GridPoint],
    *,
    marks: Sequence[GridPoint] = (),
    title: str,
    x_label: str,
    y_label: str,
    styles: tuple[str, str] | None = None,
    lines: Sequence[str] = (),
    top: float = 0.0,
) -> Figure:
    """Panels ``down`` × ``across`` on one scale, a colour and marker for each line, bars of one standard error.

    The layout of the second paper's ablation. Panels and lines stand in the order in which they are met; ``styles``
    names what solid and dashed stand for. ``marks`` are open markers in the colour of the line that they are compared
    with, and have no bars. Figures that are compared get the same ``lines`` and ``top``: all the lines that any of them
    has, so that each has one colour in all of them, and a value that the scale reaches at least.

    Raises:
        RequestError: no points, or a mark on no line.
    """
    if not points:
        raise RequestError("a figure of lines needs one mean or more, but none was given; run the experiment first")
    if unknown := {mark.line for mark in marks} - {point.line for point in points}:
        raise RequestError(f"marks stand beside the line {min(unknown)!r}, which the figure has not; leave them out")
    downs, acrosses = _names(points, "down"), _names(points, "across")
    number = {line: place for place, line in enumerate(dict.fromkeys((*lines, *_names(points, "line"))))}
    size = (max(5.4, 2.5 + 2.35 * len(acrosses)), 1.35 + 1.75 * len(downs))
    layout = {"hspace": 0.06, "wspace": 0.04}
    with _page(size, (len(downs), len(acrosses)), "", "", layout, sharex=True, sharey=True) as (figure, panels):
        for row, down in enumerate(downs):
            for column, across in enumerate(acrosses):
                _lines(panels[row, column], points, (down, across), number)
                _mark(panels[row, column], marks, (down, across), number)
                if row == 0:
                    panels[row, column].set_title(plain(across))
            panels[row, 0].set_ylabel(plain(down), color=INK)
        figure.suptitle(plain(title), **(_SERIF | {"size": 12}))
        figure.supylabel(plain(y_label), size=9, color=MUTED)
        figure.supxlabel(f"{plain(x_label)}\nbars: one standard error each way", size=9, color=MUTED)
        highest = [point.mean + (point.se if isfinite(point.se) else 0) for point in points]
        reached = max(*highest, *(mark.mean for mark in marks), top, 0)
        panels[0, 0].set_ylim(0, reached * 1.06 if reached > 0 else 1)
        _legend(figure, {line: number[line] for line in _names(points, "line")}, styles, _names(marks, "by"))
        return figure


def _lines(panel: Axes, points: Sequence[GridPoint], place: tuple[str, str], number: Mapping[str, int]) -> None:
    lines = _names(points, "line")
    ticks = sorted({point.x for point in points})
    width = (ticks[-1] - ticks[0]) or 1.0
    for line_place, line in enumerate(lines):
        for dashed in (False, True):
            own = [p for p in points if (p.down, p.across, p.line, p.dashed) == (*place, line, dashed)]
            own.sort(key=lambda point: point.x)
            if not own:
                continue
            colour, shift = LIGHT[number[line] % len(LIGHT)], 2 * line_place + dashed - len(lines) + 0.5
            panel.errorbar(
                np.array([point.x for point in own]) + shift * _DODGE * width,
                [point.mean for point in own],
                yerr=[point.se if isfinite(point.se) else 0.0 for point in own],
                color=colour,
                marker=_MARKERS[number[line] % len(_MARKERS)],
                markerfacecolor="none" if dashed else colour,
                linestyle="--" if dashed else "-",
                markersize=4,
                linewidth=1.2,
                elinewidth=0.9,
            )
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.margins(x=0.12)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    _ruled(panel, "y", "top", "right")
    panel.tick_params(length=0, labelcolor=MUTED)


def _mark(panel: Axes, marks: Sequence[GridPoint], place: tuple[str, str], number: Mapping[str, int]) -> None:
    if marks:
        panel.tick_params(axis="x", pad=7)  # below what lies at 0
    for mark in marks:
        if (mark.down, mark.across) == place:
            colour, form = LIGHT[number[mark.line] % len(LIGHT)], _opened(_names(marks, "by").index(mark.by))
            panel.plot(mark.x, mark.mean, linestyle="none", clip_on=False, color=colour, **form)


def _opened(kind: int) -> dict[str, Any]:
    return {"marker": _OPEN[kind % len(_OPEN)], "markerfacecolor": "none", "markersize": 7.5, "markeredgewidth": 1.1}


def _legend(figure: Figure, number: Mapping[str, int], styles: tuple[str, str] | None, others: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=LIGHT[place % len(LIGHT)], marker=_MARKERS[place % len(_MARKERS)], ms=4, label=plain(line))
        for line, place in number.items()
    ]
    # Filled and open markers too: where there is one number of uploads, no line is drawn that could be dashed.
    for style, line, face in zip(styles or (), ("-", "--"), (MUTED, "none"), strict=False):
        handles.append(Line2D([], [], color=MUTED, ls=line, marker="o", ms=4, markerfacecolor=face, label=plain(style)))
    for kind, by in enumerate(others):
        handles.append(Line2D([], [], color=MUTED, linestyle="none", label=plain(by), **_opened(kind)))
    # In the middle: at the top it would lie below the title, which takes the whole width.
    figure.legend(handles=handles, loc="outside right center", ncols=1, frameon=False, fontsize=9, labelcolor=INK)


def _names(points: Sequence[GridPoint], field: str) -> list[str]:
    return list(dict.fromkeys(getattr(point, field) for point in points))


def time_figure(lines: Sequence[TimeLine], *, title: str, caption: str) -> Figure:
    """Medians with the slowest twentieth: a panel for each comparison, a line for each method; logarithmic scales.

    Raises:
        RequestError: no lines, or times that are not finite and above 0.
    """
    times = [value for line in lines for value in line.values()]
    if not times or not all(isfinite(value) and value > 0 for value in times):
        raise RequestError("a figure of times needs one method or more, with finite times above 0; measure again")
    groups: dict[str, list[TimeLine]] = {}
    for line in lines:
        groups.setdefault(line.panel, []).append(line)
    sizes = [len(group) for group in groups.values()]
    size, layout = (8.2, 1.0 + sum(0.75 + 0.42 * size for size in sizes)), {"h_pad": 0.08, "hspace": 0.05}
    ratios = [size + 1 for size in sizes]
    with _page(size, (len(groups), 1), title, caption, layout, height_ratios=ratios) as (figure, axes):
        for place, (panel, group) in enumerate(groups.items()):
            _times(axes[place, 0], panel, group, legend=place == 0)
        return figure


def _times(axes: Axes, title: str, lines: Sequence[TimeLine], *, legend: bool) -> None:
    for place, line in enumerate(lines):
        for kind, (median, late), shift in (("CPU", line.cpu, -_SHIFT), ("wall", line.wall, _SHIFT)):
            (colour, marker, words), y = _CLOCKS[kind], place + shift
            axes.plot([median, max(median, late)], [y, y], color=colour, linewidth=2, solid_capstyle="butt", alpha=0.6)
            label = words if place == 0 else None
            axes.plot(median, y, marker, color=colour, markersize=5, linestyle="none", label=label)
        (median, _), y = (line.cpu, place - _SHIFT) if line.told == "CPU" else (line.wall, place + _SHIFT)
        digits = 0 if median >= 100 else 1 if median >= 1 else 2
        written: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "center", "size": 8}
        axes.annotate(f"{median:.{digits}f} ms", (median, y), (-7, 0), color=_CLOCKS[line.told][0], **written)
        if line.part is not None:
            axes.plot([line.part] * 2, [y - _SHIFT, y + _SHIFT], color=MUTED, linewidth=1.4, solid_capstyle="butt")
    axes.set_xscale("log")
    low, high = (edge(edge(line.values()) for line in lines) for edge in (min, max))
    ratio = max(high / low, 2.0)
    axes.set_xlim(low / ratio**0.2, high * ratio**0.06)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [plain(line.name) for line in lines])
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if ratio < 100 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ms"))
    _ruled(axes, "x", "top", "right", "left")
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_title(plain(title), color=INK, weight="bold")
    if legend:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8, labelcolor=MUTED)


def gap_figure(panels: Sequence[GapPanel], names: tuple[str, str], *, title: str) -> Figure:
    """For each panel the cosines of pairs above and a map of both modalities below, all on the same scales.

    ``names`` are those of the modalities, such as pictures and texts.
    """
    counts = np.array([each for panel in panels for each in (panel.negative, panel.positive)])
    seen, width = np.flatnonzero(counts.sum(axis=0)), 2 / counts.shape[1]
    # All cosines that occur in any panel, with a little room.
    span = max(-1.0, -1 + seen[0] * width - 0.05), min(1.0, -1 + (seen[-1] + 1) * width + 0.05)
    top = max(_density(each).max() for each in counts)
    note = f"{_EACH_BY_ITSELF}it counts who is near whom, not where, nor how far apart groups lie."
    layout = {"w_pad": 0.14, "h_pad": 0.08, "hspace": 0.04, "wspace": 0.02}
    size = (0.6 + 4.9 * len(panels), 8.4)
    with _page(size, (2, len(panels)), title, note, layout, height_ratios=(0.62, 1)) as (figure, axes):
        for column, panel in enumerate(panels):
            _cosines(axes[0, column], panel, span, top, legend=column == 0)
            _two_clouds(axes[1, column], panel, names, legend=column == 0)
        return figure


def box_figure(boxes: Sequence[tuple[str, Sequence[float]]], *, title: str) -> Figure:
    """Box plots of cosines: for each name the 5th percentile, the quartiles and the 95th percentile, ascending."""
    note = "Line: median; box: quartiles; whiskers: 5th and 95th percentile."
    with _page((1.2 + 1.7 * len(boxes), 4.4), (1, 1), title, note, {"h_pad": 0.1}) as (figure, axes):
        names = ("whislo", "q1", "med", "q3", "whishi")
        stats = [
            {"label": "\n".join(map(plain, name.split("\n"))), **dict(zip(names, values, strict=True))}
            for name, values in boxes
        ]
        lines: Any = {kind: {"color": LIGHT[0]} for kind in ("boxprops", "whiskerprops", "capprops")}
        axes[0, 0].bxp(stats, showfliers=False, widths=0.5, medianprops={"color": INK, "linewidth": 1.6}, **lines)
        axes[0, 0].set_ylabel("cosine")
        _ruled(axes[0, 0], "y", "top", "right")
        return figure


def _cosines(axes: Axes, panel: GapPanel, span: tuple[float, float], top: float, *, legend: bool) -> None:
    edges = np.linspace(-1, 1, len(panel.positive) + 1)
    for counts, colour, name in (
        (panel.negative, _APART, "pairs that do not belong together"),
        (panel.positive, LIGHT[2], "pairs that belong together"),
    ):
        density = _density(counts)
        axes.stairs(density, edges, fill=True, color=colour, alpha=0.35)
        axes.stairs(density, edges, color=colour, linewidth=1.3, label=name)
    axes.set_title(f"{plain(panel.title)}\n", size=11, color=INK, weight="bold")
    summary = axes.text(0, 1.03, plain(panel.summary), transform=axes.transAxes, size=8, color=MUTED)
    summary.set_in_layout(False)  # a long line would make the panels narrow
    axes.set(xlim=span, ylim=(0, 1.3 * top), xlabel="cosine")
    axes.yaxis.set_major_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.spines[["top", "right", "left"]].set_visible(False)
    if legend:
        axes.legend(loc="upper right", frameon=False, fontsize=8, labelcolor=MUTED, borderaxespad=0)


def _density(counts: Counts) -> Floats:
    """Bars whose area is 1, so that few pairs and many can be compared."""
    density: Floats = counts / counts.sum() * len(counts) / 2
    return density


def _two_clouds(axes: Axes, panel: GapPanel, names: tuple[str, str], *, legend: bool) -> None:
    half = len(panel.points) // 2
    # One modality drawn over the other would hide it where they mix: both halves are drawn in turns, by row.
    for number in range(4):
        which, rows = number % 2, slice(number // 2, None, 2)
        points = panel.points[which * half : (which + 1) * half][rows]
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=11 if half <= 1500 else 5,
            c=(LIGHT[0], LIGHT[4])[which],
            marker=("o", "^")[which],
            alpha=0.75,
            linewidths=0.2,
            edgecolors="white",
            label=f"{plain(names[which])}  {half:,}" if number < 2 else None,
        )
    axes.set_aspect("equal", adjustable="datalim")
    _without_ticks(axes)
    if legend:
        axes.legend(loc="upper left", fontsize=8, labelcolor=MUTED, markerscale=1.8, handletextpad=0.2, frameon=True)


def maps_figure(panels: Sequence[MapPanel], *, title: str, order: Sequence[str] = ()) -> Figure:
    """Maps in rows of up to four, with one legend: a group looks the same in all of them.

    The layout of the first paper's Figs. 5 and 6. The largest 11 groups over all maps, or the first 11 of ``order``,
    are told apart; all others are grey.
    """
    everything = grouping(list(chain.from_iterable(panel.colour_by for panel in panels)), order)
    names = [group.name for group in everything.groups if group.style >= 0]
    across = min(4, len(panels))
    down, lines = -(-len(panels) // across), max(panel.note.count("\n") + 1 for panel in panels)
    size = (_MAP_INCHES * across + 2.5, (_MAP_INCHES + 0.35 + 0.15 * lines) * down + 0.95)
    layout = {"h_pad": 0.08, "w_pad": 0.06, "hspace": 0.03, "wspace": 0.02}
    note = f"{_EACH_BY_ITSELF}who is near whom counts, not where, nor how far apart groups lie."
    with _page(size, (down, across), title, note, layout) as (figure, axes):
        for each, panel in zip(axes.flat, panels, strict=False):
            _map(each, panel, order or names)
        for each in axes.flat[len(panels) :]:
            each.set_axis_off()
        marks, words = legend_marks(everything, sizes=False)
        figure.legend(marks, words, loc="outside right upper", frameon=False, fontsize=8, labelcolor=MUTED)
        return figure


_MAP_INCHES = 2.9


def _map(axes: Axes, panel: MapPanel, order: Sequence[str]) -> None:
    places, height = framed(panel.points, width=1000, margin=30)
    area = 18 if len(places) <= 500 else 10 if len(places) <= 1000 else 6
    dots(axes, places, grouping(panel.colour_by, order), size=area, turns=4)
    reach = max(1000, height) / 2
    axes.set(xlim=(500 - reach, 500 + reach), ylim=(height / 2 + reach, height / 2 - reach), aspect="equal")
    _without_ticks(axes)
    axes.set_title(plain(panel.title), size=10, color=INK, weight="bold")
    axes.set_xlabel("\n".join(plain(line) for line in panel.note.split("\n")), size=7.5, loc="left", color=MUTED)


@contextmanager
def _page(
    size: tuple[float, float], grid: tuple[int, int], title: str, note: str, layout: Mapping[str, Any], **subplots: Any
) -> Iterator[tuple[Figure, npt.NDArray[Any]]]:
    """A figure of ``size`` inches with panels (down, across), a title above and a note below."""
    with drawing():
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(**layout))
        FigureCanvasAgg(figure)
        if title:
            figure.suptitle(fill(plain(title), int(10 * size[0])), **_SERIF)  # about eleven letters fit in an inch
        if note:
            figure.supxlabel(note, x=0.01, ha="left", size=8, color=MUTED)
        yield figure, figure.subplots(*grid, squeeze=False, **subplots)


def _ruled(axes: Axes, along: Literal["both", "x", "y"], *hidden: str) -> None:
    axes.grid(axis=along, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[list(hidden)].set_visible(False)


def _without_ticks(axes: Axes) -> None:
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines[:].set_color(LINE)
