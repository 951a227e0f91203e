"""The map of a collection as a figure for print."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patheffects import withStroke
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.errors import RequestError
from vernissage.pages.figures import MUTED, drawing
from vernissage.pages.groups import LIGHT, LIGHT_OTHER, Group, Grouping, framed, grouping, label_places
from vernissage.pages.map_page import check_lengths
from vernissage.pages.templating import plain
from vernissage.progress import Progress, silent

_MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}
_WIDTH = 1000.0
_INCHES = 8.0
_LEGEND = 2.4
_LONGEST = 34
_PICTURE_POINTS = 36


def map_figure(
    points: npt.NDArray[np.floating[Any]],
    colour_by: Sequence[str],
    *,
    title: str,
    thumbnails: Mapping[int, Image.Image] | None = None,
) -> Figure:
    """A map of works at ``points`` (n, 2), coloured by group, with the groups' names and a legend.

    The 11 largest groups have a colour and a shape each, and all others are grey. ``thumbnails`` are pictures to draw
    at some of the points, by row (see `map_thumbnails`).

    Raises:
        RequestError: no works, places that are not finite, not one group for each, or a thumbnail for no row.
    """
    check_lengths(len(points), colour_by)
    rows = sorted(thumbnails or {})
    if rows and not 0 <= rows[0] <= rows[-1] < len(points):
        raise RequestError(
            f"thumbnails are given for rows {rows[0]} to {rows[-1]}, but the map has {len(points)} works"
        )
    places, height = framed(points, width=_WIDTH, margin=42 if rows else 24)
    groups = grouping(colour_by)
    with drawing():
        inches = (_INCHES + _LEGEND, _INCHES * height / _WIDTH + 0.45)
        figure = Figure(figsize=inches)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, _INCHES / inches[0], 1 - 0.45 / inches[1]))
        axes.set(xlim=(0, _WIDTH), ylim=(height, 0), aspect="equal")
        axes.set_axis_off()
        figure.text(0.018, 1 - 0.12 / inches[1], _shortened(title, 90), size=13, family="DejaVu Serif", va="top")
        _dots(axes, places, groups)
        for row in rows:
            _picture(axes, places[row], (thumbnails or {})[row], _colour(groups.groups[groups.place[row]]))
        _names(axes, places, groups)
        _legend(figure, groups, inches)
    return figure


def map_thumbnails(
    points: npt.NDArray[np.floating[Any]],
    items: Sequence[Item],
    collection: Collection,
    *,
    across: int = 12,
    side: int = 120,
    progress: Progress = silent,
) -> dict[int, Image.Image]:
    """Small pictures of works spread over the map, for `map_figure`: one in each cell of a grid, ``across`` wide.

    Of the works with a picture in a cell the one nearest to the cell's middle is taken.

    Raises:
        CollectionError: a picture cannot be read.
    """
    check_lengths(len(points), [""] * len(points), len(items))
    places, _ = framed(points, width=_WIDTH, margin=42)
    cell = _WIDTH / across
    column = np.floor(places / cell)
    distance = np.linalg.norm(places - (column + 0.5) * cell, axis=1)
    chosen: dict[tuple[float, ...], int] = {}
    for row in np.argsort(distance, kind="stable").tolist():
        if items[row].picture:
            chosen.setdefault(tuple(column[row].tolist()), row)
    pictures: dict[int, Image.Image] = {}
    for done, row in enumerate(sorted(chosen.values()), start=1):
        path = collection.picture_path(items[row])
        if path is not None:
            picture = open_picture(path, at_least=2 * side)
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            pictures[row] = picture
        progress("making thumbnails", done, len(chosen))
    return pictures


def _dots(axes: Axes, places: npt.NDArray[np.float64], groups: Grouping) -> None:
    size = 26 if len(places) <= 500 else 13 if len(places) <= 3000 else 5
    for number, group in enumerate(groups.groups):
        own = groups.place == number
        other = group.style < 0
        axes.scatter(
            places[own, 0],
            places[own, 1],
            s=size * (0.5 if other else 0.8 if group.shape in {"square", "diamond"} else 1.0),
            c=_colour(group),
            marker=_MARKERS[group.shape],
            linewidths=0.3,
            edgecolors="white",
            zorder=1 if other else 2,
        )


def _picture(axes: Axes, place: npt.NDArray[np.float64], picture: Image.Image, colour: str) -> None:
    box = OffsetImage(np.asarray(picture.convert("RGB")), zoom=_PICTURE_POINTS / max(picture.size))
    frame = {"edgecolor": colour, "linewidth": 1.4, "boxstyle": "square,pad=0"}
    axes.add_artist(AnnotationBbox(box, tuple(place.tolist()), pad=0, bboxprops=frame, zorder=3))


def _names(axes: Axes, places: npt.NDArray[np.float64], groups: Grouping) -> None:
    for number, (x, y) in label_places(places, groups, line=21).items():
        name = _shortened(groups.groups[number].name)
        halo = [withStroke(linewidth=3, foreground="white")]
        axes.text(x, y, name, size=8.5, weight="bold", ha="center", va="center", path_effects=halo, zorder=4)


def _legend(figure: Figure, groups: Grouping, inches: tuple[float, float]) -> None:
    handles = [
        Line2D([], [], linestyle="", marker=_MARKERS[group.shape], color=_colour(group), markersize=5.5)
        for group in groups.groups
    ]
    words = [f"{_shortened(group.name, 27)}  {group.size:,}" for group in groups.groups]
    figure.legend(
        handles,
        words,
        loc="upper left",
        bbox_to_anchor=((_INCHES + 0.05) / inches[0], 1 - 0.4 / inches[1]),
        frameon=False,
        fontsize=8,
        labelcolor=MUTED,
        handletextpad=0.3,
        borderaxespad=0,
    )


def _colour(group: Group) -> str:
    return LIGHT[group.style] if group.style >= 0 else LIGHT_OTHER


def _shortened(text: str, longest: int = _LONGEST) -> str:
    line = plain(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
