"""The map of a collection as a figure for print."""

from collections.abc import Mapping, Sequence
from itertools import product
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
from vernissage.catalog.pictures import small_picture
from vernissage.errors import RequestError
from vernissage.pages.figures import MUTED, drawing
from vernissage.pages.groups import LIGHT, LIGHT_OTHER, Group, Grouping, framed, grouping, label_places
from vernissage.pages.templating import plain, shortened
from vernissage.progress import Progress, silent

_MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}
_WIDTH = 1000.0
_INCHES = 8.0
_LEGEND = 2.4
_HEAD = 0.45
_LONGEST = 34
_PICTURE_POINTS = 36
_LETTER = 13.0
"""Width of a letter of a group's name, where the map is 1000 wide."""
_ABOVE = 18.0
"""How far above the middle of a group its name stands."""


def map_figure(
    points: npt.NDArray[np.floating[Any]],
    colour_by: Sequence[str],
    *,
    title: str,
    note: str = "",
    order: Sequence[str] = (),
    thumbnails: Mapping[int, Image.Image] | None = None,
) -> Figure:
    """A map of works at ``points`` (n, 2), coloured by group, with the groups' names and a legend.

    The 11 largest groups, or the first 11 of ``order``, have a colour and a shape each, and all others are grey.
    ``note`` is a line below the title. ``thumbnails`` are pictures to draw at some of the points, by row (see
    `map_thumbnails`).

    Raises:
        RequestError: no works, places that are not finite, not one group for each, or a thumbnail for no row.
    """
    _check_lengths(len(points), colour_by)
    rows = sorted(thumbnails or {})
    if rows and not 0 <= rows[0] <= rows[-1] < len(points):
        raise RequestError(
            f"thumbnails are given for rows {rows[0]} to {rows[-1]}, but the map has {len(points)} works"
        )
    places, height = framed(points, width=_WIDTH, margin=42 if rows else 24)
    groups, head = grouping(colour_by, order), _HEAD + (0.25 if note else 0)
    with drawing():
        inches = (_INCHES + _LEGEND, _INCHES * height / _WIDTH + head)
        figure = Figure(figsize=inches)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, _INCHES / inches[0], 1 - head / inches[1]))
        axes.set(xlim=(0, _WIDTH), ylim=(height, 0), aspect="equal")
        axes.set_axis_off()
        figure.text(0.018, 1 - 0.12 / inches[1], shortened(title, 90), size=13, family="DejaVu Serif", va="top")
        figure.text(0.018, 1 - 0.42 / inches[1], plain(note), size=8.5, color=MUTED, va="top")
        dots(axes, places, groups, size=26 if len(places) <= 500 else 13 if len(places) <= 3000 else 5)
        for row in rows:
            _picture(axes, places[row], (thumbnails or {})[row], _colour(groups.groups[groups.place[row]]))
        _names(axes, places, groups)
        figure.legend(
            *legend_marks(groups),
            loc="upper left",
            bbox_to_anchor=((_INCHES + 0.05) / inches[0], 1 - (head - 0.05) / inches[1]),
            frameon=False,
            fontsize=8,
            labelcolor=MUTED,
            handletextpad=0.3,
            borderaxespad=0,
        )
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
    _check_lengths(len(points), [""] * len(points), len(items))
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
            pictures[row] = small_picture(path, side)
        progress("making thumbnails", done, len(chosen))
    return pictures


def dots(axes: Axes, places: npt.NDArray[np.float64], groups: Grouping, *, size: float, turns: int = 1) -> None:
    """Draw the points of every group, those without a colour at the bottom.

    In several ``turns``, each with some of the works of all groups, no group is drawn over all of another.
    """
    turn = np.arange(len(places)) % turns
    for some, (number, group) in product(range(turns), enumerate(groups.groups)):
        own = (groups.place == number) & (turn == some)
        other = group.style < 0
        axes.scatter(
            places[own, 0],
            places[own, 1],
            s=size * (0.5 if other else 0.8 if group.shape in {"square", "diamond"} else 1.0),
            c=_colour(group),
            marker=_MARKERS[group.shape],
            linewidths=0.3 if turns == 1 else 0.15,
            edgecolors="white",
            zorder=1 if other else 2,
        )


def legend_marks(groups: Grouping, *, sizes: bool = True) -> tuple[list[Line2D], list[str]]:
    """A mark for each group, and its name, with ``sizes`` also how many works it has."""
    marks = [
        Line2D([], [], linestyle="", marker=_MARKERS[group.shape], color=_colour(group), markersize=5.5)
        for group in groups.groups
    ]
    names = [shortened(group.name, 27) for group in groups.groups]
    return marks, [
        f"{name}  {group.size:,}" if sizes else name for name, group in zip(names, groups.groups, strict=True)
    ]


def _picture(axes: Axes, place: npt.NDArray[np.float64], picture: Image.Image, colour: str) -> None:
    box = OffsetImage(np.asarray(picture.convert("RGB")), zoom=_PICTURE_POINTS / max(picture.size))
    frame = {"edgecolor": colour, "linewidth": 1.4, "boxstyle": "square,pad=0"}
    axes.add_artist(AnnotationBbox(box, tuple(place.tolist()), pad=0, bboxprops=frame, zorder=3))


def _names(axes: Axes, places: npt.NDArray[np.float64], groups: Grouping) -> None:
    for number, (x, y) in label_places(places, groups, line=21).items():
        name = shortened(groups.groups[number].name, _LONGEST)
        half = min(_LETTER * len(name), _WIDTH) / 2  # a name at the edge is moved inwards, not cut
        middle = min(max(x, half), _WIDTH - half)
        halo = [withStroke(linewidth=3, foreground="white")]
        above = max(y - _ABOVE, _ABOVE)  # works that all lie at one place would be hidden below their group's name
        axes.text(middle, above, name, size=8.5, weight="bold", ha="center", va="center", path_effects=halo, zorder=4)


def _colour(group: Group) -> str:
    return LIGHT[group.style] if group.style >= 0 else LIGHT_OTHER


def _check_lengths(points: int, colour_by: Sequence[str], items: int | None = None) -> None:
    """Refuse a map without works, or with other numbers of places, groups and works."""
    if points == 0:
        raise RequestError("a map needs at least one work, but none was given")
    if len(colour_by) != points:
        raise RequestError(f"{points} places and {len(colour_by)} groups were given for a map; give one for each work")
    if items is not None and items != points:
        raise RequestError(f"{points} places and {items} works were given for a map; give one place for each work")
