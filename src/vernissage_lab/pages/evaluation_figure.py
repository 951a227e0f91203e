"""How engines compare on several measures, as a figure for print."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from vernissage.errors import RequestError
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_BASELINE = "#8a8a85"
_ACROSS = 3


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One engine's mean on one measure, and the standard error of that mean; NaN where there is none."""

    engine: str
    metric: str
    mean: float
    se: float
    baseline: bool = False


def evaluation_figure(rows: Sequence[EvaluationRow], *, title: str = "") -> Figure:
    """A dot plot: one small panel for each measure, one line for each engine, bars of one standard error each way.

    Measures and engines stand in the order in which they are met; baselines are grey. A mean that is NaN leaves its
    place empty.

    Raises:
        RequestError: no rows, two for one engine and measure, or a negative standard error.
    """
    metrics, engines = _axes(rows)
    down = -(-len(metrics) // _ACROSS)
    across = min(len(metrics), _ACROSS)
    with drawing():
        height = down * (0.85 + 0.27 * len(engines)) + 0.3 + (0.35 if title else 0)
        figure = Figure(figsize=(1.6 + 2.8 * across, height), layout=ConstrainedLayoutEngine(hspace=0.1, wspace=0.05))
        FigureCanvasAgg(figure)
        panels = figure.subplots(down, across, squeeze=False, sharey=True)
        for panel, metric in zip(panels.flat, metrics, strict=False):
            _panel(panel, metric, engines, rows)
        for panel in panels.flat[len(metrics) :]:
            panel.remove()
        for panel in panels[:, 0]:
            panel.set_yticks(range(len(engines)), [plain(engine) for engine in engines])
            for label, baseline in zip(panel.get_yticklabels(), engines.values(), strict=True):
                label.set_color(MUTED if baseline else INK)
        if title:
            figure.suptitle(plain(title), x=0.01, ha="left", size=13, family="DejaVu Serif")
        figure.supxlabel("Dots are means, bars one standard error each way.", x=0.01, ha="left", size=8, color=MUTED)
    return figure


def _panel(panel: Axes, metric: str, engines: dict[str, bool], rows: Sequence[EvaluationRow]) -> None:
    line = {engine: place for place, engine in enumerate(engines)}
    panel.set_title(plain(metric))
    for row in rows:
        if row.metric != metric or not isfinite(row.mean):
            continue
        colour = _BASELINE if engines[row.engine] else LIGHT[0]
        error = row.se if isfinite(row.se) else 0.0
        panel.errorbar(row.mean, line[row.engine], xerr=error, fmt="o", ms=5, color=colour, elinewidth=1.4)
    panel.set_ylim(len(engines) - 0.5, -0.5)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.margins(x=0.12)
    panel.grid(axis="y", color=LINE, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(length=0)
    panel.spines[["top", "right", "left"]].set_visible(False)


def _axes(rows: Sequence[EvaluationRow]) -> tuple[list[str], dict[str, bool]]:
    """The measures, and the engines with whether each is a baseline."""
    if not rows:
        raise RequestError("an evaluation figure needs at least one row, but none was given; evaluate an engine first")
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.engine, row.metric) in seen:
            raise RequestError(f"{row.engine} has two rows for {row.metric}; give one mean for each engine and measure")
        if row.se < 0:
            raise RequestError(f"{row.engine} has the standard error {row.se:g} on {row.metric}; it must be 0 or more")
        seen.add((row.engine, row.metric))
    baselines: dict[str, bool] = {}
    for row in rows:
        baselines[row.engine] = baselines.get(row.engine, False) or row.baseline
    return list(dict.fromkeys(row.metric for row in rows)), baselines
