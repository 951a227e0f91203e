"""What closing the gap between two modalities does, as a figure for print."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_TOGETHER, _APART = LIGHT[2], "#a9a9a3"
_SIDES = (LIGHT[0], LIGHT[4])
_MARKERS = ("o", "^")

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GapPanel:
    """One column of the figure.

    Attributes:
        title: what was done to the vectors, such as "before".
        summary: its numbers in one line.
        positive: int64 (bins,), cosines between −1 and 1 of pairs that belong together.
        negative: int64 (bins,), of pairs that do not.
        points: float64 (2n, 2), the first modality's works on a plane, then the second's.
    """

    title: str
    summary: str
    positive: Counts
    negative: Counts
    points: npt.NDArray[np.float64]


def gap_figure(panels: Sequence[GapPanel], sides: tuple[str, str], *, title: str) -> Figure:
    """For each panel the cosines of pairs above and a map of both modalities below, all on the same scales.

    ``sides`` are the names of the modalities, such as pictures and texts.

    Raises:
        RequestError: no panels, histograms without cosines or of unequal bins, or points that are not finite or not
            two halves.
    """
    _check(panels)
    with drawing():
        layout = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.08, hspace=0.04, wspace=0.02)
        figure = Figure(figsize=(0.6 + 4.9 * len(panels), 8.4), layout=layout)
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, len(panels), squeeze=False, height_ratios=(0.62, 1))
        span, top = _span(panels), max(_density(counts).max() for panel in panels for counts in _histograms(panel))
        for column, panel in enumerate(panels):
            _cosines(axes[0, column], panel, span, top, legend=column == 0)
            _map(axes[1, column], panel, sides, legend=column == 0)
        figure.suptitle(plain(title), x=0.01, ha="left", size=13, family="DejaVu Serif")
        note = (
            "Maps by t-SNE, each fitted by itself: it counts who is near whom, not where, nor how far apart groups lie."
        )
        figure.supxlabel(note, x=0.01, ha="left", size=8, color=MUTED)
    return figure


def _cosines(axes: Axes, panel: GapPanel, span: tuple[float, float], top: float, *, legend: bool) -> None:
    edges = np.linspace(-1, 1, len(panel.positive) + 1)
    names = ("pairs that do not belong together", "pairs that belong together")
    for counts, colour, name in zip(_histograms(panel), (_APART, _TOGETHER), names, strict=True):
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


def _map(axes: Axes, panel: GapPanel, sides: tuple[str, str], *, legend: bool) -> None:
    half = len(panel.points) // 2
    # One modality drawn over the other would hide it where they mix: both halves are drawn in turns, by row.
    for number in range(4):
        side, rows = number % 2, slice(number // 2, None, 2)
        points = panel.points[side * half : (side + 1) * half][rows]
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=11 if half <= 1500 else 5,
            c=_SIDES[side],
            marker=_MARKERS[side],
            alpha=0.75,
            linewidths=0.2,
            edgecolors="white",
            label=f"{plain(sides[side])}  {half:,}" if number < 2 else None,
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines[:].set_color(LINE)
    if legend:
        axes.legend(loc="upper left", fontsize=8, labelcolor=MUTED, markerscale=1.8, handletextpad=0.2, frameon=True)


def _histograms(panel: GapPanel) -> tuple[Counts, Counts]:
    return panel.negative, panel.positive


def _density(counts: Counts) -> npt.NDArray[np.float64]:
    """Bars whose area is 1, so that few pairs and many can be compared."""
    density: npt.NDArray[np.float64] = counts / counts.sum() * len(counts) / 2
    return density


def _span(panels: Sequence[GapPanel]) -> tuple[float, float]:
    """The cosines that occur in any panel, with a little room."""
    counts = np.array([each for panel in panels for each in _histograms(panel)]).sum(axis=0)
    seen = np.flatnonzero(counts)
    width = 2 / len(counts)
    return max(-1.0, -1 + seen[0] * width - 0.05), min(1.0, -1 + (seen[-1] + 1) * width + 0.05)


def _check(panels: Sequence[GapPanel]) -> None:
    if not panels:
        raise RequestError("a figure of the gap needs one panel or more, but none was given; measure the gap first")
    for panel in panels:
        histograms: list[Any] = [np.asarray(counts) for counts in _histograms(panel)]
        if any(counts.shape != panels[0].positive.shape or not counts.sum() for counts in histograms):
            raise RequestError(f"the cosines of {panel.title!r} must be counts in the same bins, and some in each")
        points = np.asarray(panel.points)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) % 2 or not np.isfinite(points).all():
            raise RequestError(
                f"the map of {panel.title!r} needs two finite numbers for as many works of one modality as of the "
                f"other, but got shape {points.shape}"
            )
