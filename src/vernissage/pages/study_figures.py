"""Figures of a study: how answers spread over the scale, how engines differ, and how often that is found."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from vernissage.analysis.mixed_effects import Contrast, ContrastInterval, MarginalMean
from vernissage.analysis.study_answers import Distribution
from vernissage.errors import RequestError
from vernissage.pages.data_tables import SIGNIFICANT
from vernissage.pages.embedded_figures import ACCENT, SURFACE
from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.templating import plain

_WIDTH = 4.6
_LONGEST_NAME, _LONGEST_PAIR = 22, 26
_BAR = 0.48
_USUAL_POWER = 0.8
_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class EnginePanel:
    """One engine's line of a distribution figure."""

    spread: Distribution
    mean: MarginalMean


@dataclass(frozen=True)
class PowerPoint:
    """The share of simulated studies of one size that found one contrast, and that share's standard error."""

    contrast: str
    participants: int
    found: float
    se: float


def distribution_figure(panels: Sequence[EnginePanel], scale: Sequence[str] = ()) -> Figure:
    """For each engine the shares of answers 1 to 5 as bars, and its marginal mean with the 95 % interval below them.

    ``scale`` are the words for 1 to 5; the first and the last are written under the axis.
    """
    with drawing():
        figure = Figure(figsize=(_WIDTH, 0.75 + 0.78 * len(panels)), layout=ConstrainedLayoutEngine(h_pad=0.02))
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        top = max((max(_shares(each)) for each in panels), default=1.0) or 1.0
        for place, each in enumerate(panels):
            _spread(axes, len(panels) - 1 - place, each, top)
        names = [short_name(each.spread.engine) for each in panels]
        axes.set_yticks([len(panels) - 1 - place + 0.2 for place in range(len(panels))], names)
        axes.set_xticks(range(1, 6), _scale_words(scale))
        axes.set(xlim=(0.4, 5.6), ylim=(-0.36, len(panels) - 0.12))
        _quiet(axes)
    return figure


def contrast_figure(contrasts: Sequence[Contrast], intervals: Sequence[ContrastInterval]) -> Figure:
    """The estimated difference of each pair of engines with its 95 % interval; full dots have a Holm p below .05."""
    with drawing():
        names = [_pair_name(each) for each in contrasts]
        line = 0.44 if any("\n" in name for name in names) else 0.3
        figure = Figure(figsize=(_WIDTH, 0.75 + line * len(contrasts)), layout=ConstrainedLayoutEngine(h_pad=0.02))
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.9)
        for place, (each, interval) in enumerate(zip(contrasts, intervals, strict=True)):
            _difference(axes, len(contrasts) - 1 - place, each, interval)
        axes.set_yticks([len(contrasts) - 1 - place for place in range(len(contrasts))], names)
        axes.set_ylim(-0.6, len(contrasts) - 0.4)
        widest = np.nanmax([abs(value) for each in intervals for value in (each.lower95, each.upper95)] + [0.2])
        axes.set_xlim(-1.08 * widest, 1.08 * widest)
        axes.set_xlabel("difference in points of the scale")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        _quiet(axes)
    return figure


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
        axes.axhline(_USUAL_POWER, color=LINE, linewidth=1)
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


def short_name(name: str) -> str:
    """An engine's name on one line, cut where it would leave no room for the figure."""
    flat = plain(name)
    return flat if len(flat) <= _LONGEST_NAME else f"{flat[: _LONGEST_NAME - 1]}…"


def _pair_name(contrast: Contrast) -> str:
    a, b = short_name(contrast.engine_a), short_name(contrast.engine_b)
    return f"{a} − {b}" if len(a) + len(b) <= _LONGEST_PAIR else f"{a} −\n{b}"


def _shares(panel: EnginePanel) -> list[float]:
    return [count / panel.spread.answers if panel.spread.answers else 0.0 for count in panel.spread.counts]


def _spread(axes: Axes, base: int, panel: EnginePanel, top: float) -> None:
    axes.plot([0.5, 5.5], [base, base], color=LINE, linewidth=0.8, zorder=1)
    for rating, share in enumerate(_shares(panel), start=1):
        height = _BAR * share / top
        axes.bar(rating, height, bottom=base, width=0.84, color=SURFACE, zorder=2)
        if panel.spread.answers:
            axes.text(
                rating, base + height + 0.03, f"{100 * share:.0f} %", ha="center", va="bottom", size=7, color=MUTED
            )
    mean = panel.mean
    if not isfinite(mean.emmean):
        return
    level = base - 0.16
    if isfinite(mean.lower95):
        axes.plot([mean.lower95, mean.upper95], [level, level], color=ACCENT, linewidth=2, zorder=3)
    axes.plot(mean.emmean, level, marker="o", markersize=5, color=ACCENT, zorder=4)
    edge = mean.upper95 if isfinite(mean.upper95) else mean.emmean
    axes.text(edge + 0.1, level, f"{mean.emmean:.2f}", ha="left", va="center", size=8, color=INK, zorder=4)


def _difference(axes: Axes, level: int, contrast: Contrast, interval: ContrastInterval) -> None:
    if not isfinite(contrast.estimate):
        return
    found = contrast.p_holm < SIGNIFICANT
    colour = ACCENT if found else MUTED
    if isfinite(interval.lower95):
        axes.plot([interval.lower95, interval.upper95], [level, level], color=colour, linewidth=1.8, zorder=2)
    face = colour if found else "none"
    axes.plot(contrast.estimate, level, marker="o", markersize=6, color=colour, markerfacecolor=face, zorder=3)


def _scale_words(scale: Sequence[str]) -> list[str]:
    words = [str(rating) for rating in range(1, 6)]
    if len(scale) == 5:
        words[0], words[-1] = (f"{rating}\n{short_name(scale[rating - 1])}" for rating in (1, 5))
    return words


def _quiet(axes: Axes) -> None:
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
