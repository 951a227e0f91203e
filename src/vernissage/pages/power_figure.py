"""How often studies of growing size find each difference of engines, as a figure for print."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_USUAL = 0.8
_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class PowerPoint:
    """The share of simulated studies of one size that found one contrast, and that share's standard error."""

    contrast: str
    participants: int
    found: float
    se: float


def power_figure(points: Sequence[PowerPoint], *, marked: int) -> Figure:
    """One line a contrast over the number of participants, with bands of 1.96 standard errors; one size is marked.

    Raises:
        RequestError: no points.
    """
    if not points:
        raise RequestError("a figure of power needs at least one point, but none was given")
    with drawing():
        figure = Figure(figsize=(7.2, 4.2), layout=ConstrainedLayoutEngine())
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.axhline(_USUAL, color=LINE, linewidth=1)
        axes.axvline(marked, color=MUTED, linewidth=0.9, linestyle=":")
        axes.text(marked, 1.03, f"{marked}", ha="center", va="bottom", size=8, color=INK)
        for place, contrast in enumerate(dict.fromkeys(point.contrast for point in points)):
            line = [point for point in points if point.contrast == contrast]
            sizes, shares = [point.participants for point in line], [point.found for point in line]
            colour, style = LIGHT[place % len(LIGHT)], _STYLES[place % len(_STYLES)]
            low = [max(0.0, point.found - 1.96 * point.se) for point in line]
            high = [min(1.0, point.found + 1.96 * point.se) for point in line]
            axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(sizes, shares, color=colour, linestyle=style, linewidth=1.6, label=plain(contrast))
        axes.set(ylim=(0, 1.02), xlabel="participants in the analysis", ylabel="share of studies that find it")
        axes.grid(axis="y", color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(
            loc="outside right upper", frameon=False, fontsize=8, title="contrast (true difference)", title_fontsize=8
        )
    return figure
