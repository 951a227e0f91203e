"""Several maps of works side by side, each with its numbers: the layout of the first paper's Figs. 5 and 6."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import NullLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import framed, grouping
from vernissage.pages.map_figure import dots, legend_marks
from vernissage.pages.map_page import check_lengths
from vernissage.pages.templating import plain

_ACROSS = 4
_TURNS = 4


@dataclass(frozen=True, eq=False)
class MapPanel:
    """One map.

    Attributes:
        title: what places the works.
        note: its numbers, in a few short lines.
        points: float64 (n, 2).
        colour_by: the group of each work, empty for none.
    """

    title: str
    note: str
    points: npt.NDArray[np.float64]
    colour_by: Sequence[str]


def maps_figure(panels: Sequence[MapPanel], *, title: str, order: Sequence[str] = (), side: float = 2.9) -> Figure:
    """Maps of ``side`` inches in rows of up to four, with one legend: a group has one colour and shape in all of them.

    The largest 11 groups over all maps, or the first 11 of ``order``, are told apart; all others are grey.

    Raises:
        RequestError: no panels, or a map without works, with places that are not finite, or not one group for each.
    """
    if not panels:
        raise RequestError("a figure of maps needs one map or more, but none was given; run the experiment first")
    for panel in panels:
        check_lengths(len(panel.points), panel.colour_by)
    everything = grouping(list(chain.from_iterable(panel.colour_by for panel in panels)), order)
    names = [group.name for group in everything.groups if group.style >= 0]
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    with drawing():
        lines = max(panel.note.count("\n") + 1 for panel in panels)
        size = (side * across + 2.5, (side + 0.35 + 0.15 * lines) * down + 0.95)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.06, hspace=0.03, wspace=0.02))
        FigureCanvasAgg(figure)
        axes = figure.subplots(down, across, squeeze=False)
        for each, panel in zip(axes.flat, panels, strict=False):
            _panel(each, panel, order or names, side)
        for each in axes.flat[len(panels) :]:
            each.set_axis_off()
        figure.suptitle(plain(title), x=0.01, ha="left", size=13, family="DejaVu Serif")
        note = "Maps by t-SNE, each fitted by itself: who is near whom counts, not where, nor how far apart groups lie."
        figure.supxlabel(note, x=0.01, ha="left", size=8, color=MUTED)
        marks, words = legend_marks(everything, sizes=False)
        figure.legend(marks, words, loc="outside right upper", frameon=False, fontsize=8, labelcolor=MUTED)
    return figure


def _panel(axes: Axes, panel: MapPanel, order: Sequence[str], side: float) -> None:
    places, height = framed(panel.points, width=1000, margin=30)
    area = 18 if len(places) <= 500 else 10 if len(places) <= 1000 else 6
    dots(axes, places, grouping(panel.colour_by, order), size=area * (side / 2.9) ** 2, turns=_TURNS)
    reach = max(1000, height) / 2
    axes.set(xlim=(500 - reach, 500 + reach), ylim=(height / 2 + reach, height / 2 - reach), aspect="equal")
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines[:].set_color(LINE)
    axes.set_title(plain(panel.title), size=10, color=INK, weight="bold")
    axes.set_xlabel("\n".join(plain(line) for line in panel.note.split("\n")), size=7.5, loc="left", color=MUTED)
