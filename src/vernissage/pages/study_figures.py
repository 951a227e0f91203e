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
from vernissage.pages.figures import ACCENT, INK, LINE, MUTED, SURFACE, drawing
from vernissage.pages.groups import LIGHT
from vernissage.pages.study_tables import SIGNIFICANT
from vernissage.pages.templating import plain, shortened

_WIDTH = 4.6
_LONGEST_NAME, _LONGEST_PAIR = 22, 26
_BAR = 0.48
_USUAL_POWER = 0.8
_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class PowerPoint:
    """The share of simulated studies of one size that found one contrast, and that share's standard error."""

    contrast: str
    participants: int
    found: float
    se: float


def distribution_figure(
    spreads: Sequence[Distribution], means: Sequence[MarginalMean], scale: Sequence[str] = ()
) -> Figure:
    """For each engine the shares of answers 1 to 5 as bars, and its marginal mean with the 95 % interval below them.

    ``scale`` are the words for 1 to 5; the first and the last are written under the axis.
    """
    with drawing():
        figure, axes = empty_figure(_WIDTH, 0.75 + 0.78 * len(spreads), ConstrainedLayoutEngine(h_pad=0.02))
        shares = [[count / max(each.answers, 1) for count in each.counts] for each in spreads]
        top = max((max(each) for each in shares), default=1.0) or 1.0
        bases = range(len(spreads) - 1, -1, -1)
        for base, each, bars, mean in zip(bases, spreads, shares, means, strict=True):
            axes.plot([0.5, 5.5], [base, base], color=LINE, linewidth=0.8, zorder=1)
            for rating, share in enumerate(bars, start=1):
                height = _BAR * share / top
                axes.bar(rating, height, bottom=base, width=0.84, color=SURFACE, zorder=2)
                if each.answers:
                    words, above = f"{100 * share:.0f} %", base + height + 0.03
                    axes.text(rating, above, words, ha="center", va="bottom", size=7, color=MUTED)
            _mean(axes, base - 0.16, mean)
        axes.set_yticks([base + 0.2 for base in bases], [shortened(each.engine, _LONGEST_NAME) for each in spreads])
        axes.set_xticks(range(1, 6), _scale_words(scale))
        axes.set(xlim=(0.4, 5.6), ylim=(-0.36, len(spreads) - 0.12))
        _quiet(axes)
    return figure


def contrast_figure(
    contrasts: Sequence[Contrast], intervals: Sequence[ContrastInterval], unit: str = "points of the scale"
) -> Figure:
    """The estimated difference of each pair of engines with its 95 % interval; full dots have a Holm p below .05."""
    with drawing():
        names = [_pair_name(each) for each in contrasts]
        line = 0.44 if any("\n" in name for name in names) else 0.3
        figure, axes = empty_figure(_WIDTH, 0.75 + line * len(contrasts), ConstrainedLayoutEngine(h_pad=0.02))
        axes.axvline(0, color=MUTED, linewidth=0.9)
        levels = range(len(contrasts) - 1, -1, -1)
        for level, each, interval in zip(levels, contrasts, intervals, strict=True):
            _difference(axes, level, each, interval)
        axes.set_yticks(levels, names)
        axes.set_ylim(-0.6, len(contrasts) - 0.4)
        widest = np.nanmax([abs(value) for each in intervals for value in (each.lower95, each.upper95)] + [0.2])
        axes.set_xlim(-1.08 * widest, 1.08 * widest)
        axes.set_xlabel(f"difference in {unit}")
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
        figure, axes = empty_figure(7.2, 4.2, ConstrainedLayoutEngine())
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


def _pair_name(contrast: Contrast) -> str:
    a, b = (shortened(name, _LONGEST_NAME) for name in (contrast.engine_a, contrast.engine_b))
    return f"{a} − {b}" if len(a) + len(b) <= _LONGEST_PAIR else f"{a} −\n{b}"


def empty_figure(width: float, height: float, layout: ConstrainedLayoutEngine | None = None) -> tuple[Figure, Axes]:
    """A figure of that size in inches, and its axes."""
    figure = Figure(figsize=(width, height), layout=layout or ConstrainedLayoutEngine())
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _mean(axes: Axes, level: float, mean: MarginalMean) -> None:
    if not isfinite(mean.emmean):
        return
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
        words[0], words[-1] = (f"{rating}\n{shortened(scale[rating - 1], _LONGEST_NAME)}" for rating in (1, 5))
    return words


def _quiet(axes: Axes) -> None:
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
