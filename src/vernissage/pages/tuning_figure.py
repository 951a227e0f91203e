"""The figure of tuning: what recall costs, for each length of lists, against the exact index."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.workspace.tuning import Tuning


def tuning_figure(tunings: Sequence[Tuning]) -> Figure:
    """A panel for each table: lowest recall of any kind of query against CPU time; the chosen points are ringed."""
    count = len(tunings)
    with drawing():
        columns = min(3, count)
        rows = -(-count // columns)
        figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
        for place, tuning in enumerate(tunings, 1):
            _draw(figure.add_subplot(rows, columns, place), tuning)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
        return figure


def _draw(axes: Axes, tuning: Tuning) -> None:
    for colour, k in zip(LIGHT, sorted({each.k for each in tuning.points}), strict=False):
        [exact] = [each for each in tuning.points if each.k == k and not each.probes]
        line = [each for each in tuning.points if each.k == k and each.probes]
        times = [each.milliseconds for each in line]
        axes.plot(times, [each.least for each in line], "o-", color=colour, ms=3, lw=1.2, label=f"first {k}")
        axes.plot(exact.milliseconds, 1.0, "D", color=colour, ms=6, label=f"first {k}, exact")
        for each in tuning.chosen:
            if each.k == k:
                axes.plot(each.milliseconds, each.least, "o", ms=12, mfc="none", mec=INK, mew=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("milliseconds of CPU a search")
    axes.set_ylabel("lowest recall of any kind of query")
    axes.set_title(f"{tuning.key}, {tuning.works:,} works: {tuning.choice.kind}", color=MUTED, fontsize=9)
    axes.grid(color=LINE, lw=0.5)
