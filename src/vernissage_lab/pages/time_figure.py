"""How long single calls take, as a figure for print: medians with the slowest twentieth, on a scale of ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_COLOURS = {"CPU": LIGHT[0], "wall": LIGHT[4]}
_MARKERS = {"CPU": "o", "wall": "D"}
_APART = 0.17
"""How far above the middle of its line the processor's time stands, and the clock's below."""

_OF_QUERIES = (
    "Milliseconds for one query on a logarithmic scale. Mark: median; bar: to the 95th percentile; number: the "
    "processor's median.\nOne thread, contenders in turns."
)


@dataclass(frozen=True)
class TimeLine:
    """One contender: milliseconds by the processor and by the clock, each as (median, 95th percentile).

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


def time_figure(lines: Sequence[TimeLine], *, title: str, caption: str = _OF_QUERIES) -> Figure:
    """A panel for each comparison, a line for each contender, in the order given; logarithmic scales.

    Raises:
        RequestError: no lines, or times that are not finite and above 0.
    """
    times = [value for line in lines for value in line.values()]
    if not times or not all(isfinite(value) and value > 0 for value in times):
        raise RequestError("a figure of times needs one contender or more, with finite times above 0; measure again")
    panels = list(dict.fromkeys(line.panel for line in lines))
    groups = [[line for line in lines if line.panel == panel] for panel in panels]
    sizes = [len(group) for group in groups]
    with drawing():
        layout = ConstrainedLayoutEngine(h_pad=0.08, hspace=0.05)
        figure = Figure(figsize=(8.2, 1.0 + sum(0.75 + 0.42 * size for size in sizes)), layout=layout)
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[size + 1 for size in sizes])[:, 0]
        for place, (panel, group) in enumerate(zip(panels, groups, strict=True)):
            _panel(axes[place], panel, group, legend=place == 0)
        figure.suptitle(plain(title), x=0.01, ha="left", size=13, family="DejaVu Serif")
        figure.supxlabel(caption, x=0.01, ha="left", size=8, color=MUTED)
    return figure


def _panel(axes: Axes, title: str, lines: Sequence[TimeLine], *, legend: bool) -> None:
    for place, line in enumerate(lines):
        for kind, (median, late), shift in (("CPU", line.cpu, -_APART), ("wall", line.wall, _APART)):
            colour, y = _COLOURS[kind], place + shift
            axes.plot([median, max(median, late)], [y, y], color=colour, linewidth=2, solid_capstyle="butt", alpha=0.6)
            label = {"CPU": "processor", "wall": "clock"}[kind] if place == 0 else None
            axes.plot(median, y, _MARKERS[kind], color=colour, markersize=5, linestyle="none", label=label)
        _write(axes, place, line)
    axes.set_xscale("log")
    low, high = (edge(edge(line.values()) for line in lines) for edge in (min, max))
    ratio = max(high / low, 2.0)
    axes.set_xlim(low / ratio**0.2, high * ratio**0.06)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [plain(line.name) for line in lines])
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if ratio < 100 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ms"))
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(plain(title), color=INK, weight="bold")
    if legend:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8, labelcolor=MUTED)


def _write(axes: Axes, place: int, line: TimeLine) -> None:
    """The number beside the mark that counts, and the stroke of the part."""
    (median, _), y = (line.cpu, place - _APART) if line.told == "CPU" else (line.wall, place + _APART)
    axes.annotate(
        _milliseconds(median),
        (median, y),
        (-7, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        size=8,
        color=_COLOURS[line.told],
    )
    if line.part is not None:
        axes.plot([line.part] * 2, [y - _APART, y + _APART], color=MUTED, linewidth=1.4, solid_capstyle="butt")


def _milliseconds(value: float) -> str:
    if value >= 100:
        return f"{value:.0f} ms"
    return f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"
