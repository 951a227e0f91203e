"""The map of a collection as one interactive page, its many small pictures in a few large ones."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import small_picture
from vernissage.errors import RequestError
from vernissage.pages.groups import (
    DARK,
    DARK_OTHER,
    LIGHT,
    LIGHT_OTHER,
    Group,
    Grouping,
    framed,
    grouping,
    label_places,
)
from vernissage.pages.templating import data_uri, embedded_json, plain, render
from vernissage.pages.works import description_of, title_of
from vernissage.progress import Progress, silent
from vernissage.taggers.contract import Seen

WIDTH, MARGIN = 1000.0, 36.0
_LABEL_LINE = 24.0
_COLUMNS = 16
_PER_SHEET = _COLUMNS * _COLUMNS
_QUALITY = 70


def map_page(
    points: npt.NDArray[np.floating[Any]],
    items: Sequence[Item],
    collection: Collection,
    *,
    title: str,
    colour_by: Sequence[str],
    seen: Seen = lambda _: {},
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself: a map to zoom and walk in, with each work at its point.

    ``points`` (n, 2) are the places of ``items``, whose pictures lie in ``collection``'s folder; ``colour_by`` names
    each work's group, ``seen`` tells what pictures seem to show. Without scripts the page still shows the map as a
    drawing with its legend. Equal input gives equal bytes.

    Raises:
        RequestError: no works, places that are not finite, or not one place and one group for each work.
        CollectionError: a picture cannot be read.
    """
    check_lengths(len(points), colour_by, len(items))
    places, height = framed(points, width=WIDTH, margin=MARGIN)
    groups = grouping(colour_by)
    labels = label_places(places, groups, line=_LABEL_LINE)
    sheets, thumbnails = _thumbnails(items, collection, progress)
    return render(
        "map.html",
        styles=["page.css", "map.css"],
        scripts=["map_view.js", "map_drawing.js", "map_label.js", "map_input.js", "map_tools.js"],
        title=title,
        count=len(items),
        width=f"{WIDTH:g}",
        height=f"{height:.0f}",
        groups=groups.groups,
        colours=[
            (each.style, LIGHT[each.style], DARK[each.style]) if each.style >= 0 else (-1, LIGHT_OTHER, DARK_OTHER)
            for each in groups.groups
        ],
        layers=_layers(places, groups),
        labels=[(groups.groups[number], round(x, 1), round(y, 1)) for number, (x, y) in labels.items()],
        glyphs={group.style: _glyph(group.shape, 8, 8, 5.5) for group in groups.groups},
        sheets=[data_uri(sheet, "image/webp") for sheet in sheets],
        works=embedded_json(
            _works(places, height, items, colour_by, groups, labels) | _described(items, seen) | thumbnails
        ),
    )


def check_lengths(points: int, colour_by: Sequence[str], items: int | None = None) -> None:
    """Refuse a map without works, or with other numbers of places, groups and works.

    Raises:
        RequestError: see above.
    """
    if points == 0:
        raise RequestError("a map needs at least one work, but none was given")
    if len(colour_by) != points:
        raise RequestError(f"{points} places and {len(colour_by)} groups were given for a map; give one for each work")
    if items is not None and items != points:
        raise RequestError(f"{points} places and {items} works were given for a map; give one place for each work")


def _works(
    places: npt.NDArray[np.float64],
    height: float,
    items: Sequence[Item],
    colour_by: Sequence[str],
    groups: Grouping,
    labels: Mapping[int, tuple[float, float]],
) -> dict[str, Any]:
    """What the page's script reads: one list per field; names that recur are listed once and pointed at."""
    artists, artist = _distinct(plain(item.artist) for item in items)
    names, name = _distinct(plain(name) for name in colour_by)
    return {
        "width": WIDTH,
        "height": round(height, 1),
        "x": [round(x, 1) for x in places[:, 0].tolist()],
        "y": [round(y, 1) for y in places[:, 1].tolist()],
        "titles": [title_of(item.title) for item in items],
        "years": [plain(item.year) for item in items],
        "artists": artists,
        "artist": artist,
        "names": names,
        "name": name,
        "group": groups.place.tolist(),
        "groups": [
            {"name": group.name, "style": group.style, "shape": group.shape, "label": labels.get(number)}
            for number, group in enumerate(groups.groups)
        ],
    }


def _described(items: Sequence[Item], seen: Seen) -> dict[str, Any]:
    """What those hear who do not see the pictures: the table's own alternative texts, or what software makes out."""
    tags = seen([item.id for item in items if item.picture and not item.description.strip()])
    shown, shows = _distinct(description_of(item, tags.get(item.id, ())).text for item in items)
    return {"shown": shown, "shows": shows}


def _distinct(values: Iterable[str]) -> tuple[list[str], list[int]]:
    """The values met, each once, and the place of each one among them."""
    found: dict[str, int] = {}
    numbers = [found.setdefault(value, len(found)) for value in values]
    return list(found), numbers


def _thumbnails(
    items: Sequence[Item], collection: Collection, progress: Progress
) -> tuple[list[bytes], dict[str, Any]]:
    """Thumbnails of all pictures, smaller the more there are: 2,000 take about 5 MB, 10,000 about 16 MB.

    Returns WebP sheets of 16 × 16 square cells, and where the page's script finds each work: slot s is in sheet
    s // 256, row s % 256 // 16, column s % 16, and -1 without a picture; the thumbnail stands in the upper left.
    """
    found = [(place, collection.picture_path(item)) for place, item in enumerate(items)]
    paths = [(place, path) for place, path in found if path is not None]
    side = 96 if len(paths) <= 2500 else 80 if len(paths) <= 5000 else 64
    slots, sizes = [-1] * len(items), [(0, 0)] * len(items)
    sheets: list[bytes] = []
    cells: list[Image.Image] = []
    for slot, (place, path) in enumerate(paths):
        cells.append(small_picture(path, side))
        slots[place], sizes[place] = slot, cells[-1].size
        if len(cells) == _PER_SHEET or slot == len(paths) - 1:
            sheets.append(_sheet(cells, side))
            cells = []
        progress("making thumbnails", slot + 1, len(paths))
    wide, high = [width for width, _ in sizes], [height for _, height in sizes]
    fields = {"slot": slots, "wide": wide, "high": high, "side": side, "columns": _COLUMNS, "perSheet": _PER_SHEET}
    return sheets, fields


def _sheet(cells: Sequence[Image.Image], side: int) -> bytes:
    rows = -(-len(cells) // _COLUMNS)
    sheet = Image.new("RGB", (min(len(cells), _COLUMNS) * side, rows * side), "white")
    for slot, cell in enumerate(cells):
        sheet.paste(cell, (slot % _COLUMNS * side, slot // _COLUMNS * side))
    target = io.BytesIO()
    sheet.save(target, "WEBP", quality=_QUALITY, method=4)
    return target.getvalue()


def _layers(places: npt.NDArray[np.float64], groups: Grouping) -> list[tuple[Group, str]]:
    """For each group one SVG path with a small shape at each of its points; what has no colour lies at the bottom."""
    count = len(places)
    size = 4.5 if count <= 500 else 3.4 if count <= 3000 else 2.4
    layers = []
    for number, group in enumerate(groups.groups):
        own = size if group.style >= 0 else round(0.7 * size, 2)
        path = "".join(_glyph(group.shape, x, y, own) for x, y in places[groups.place == number].tolist())
        layers.append((group, path))
    return sorted(layers, key=lambda layer: layer[0].style >= 0)


def _glyph(shape: str, x: float, y: float, size: float) -> str:
    """A shape of about the area of a circle with radius ``size``, as SVG path data."""
    if shape == "square":
        half = size * 0.886
        return f"M{x - half:.1f} {y - half:.1f}h{2 * half:.1f}v{2 * half:.1f}h-{2 * half:.1f}z"
    if shape == "triangle":
        half = size * 1.35
        return f"M{x:.1f} {y - 1.15 * half:.1f}l{half:.1f} {1.73 * half:.1f}h-{2 * half:.1f}z"
    if shape == "diamond":
        half = size * 1.253
        return f"M{x:.1f} {y - half:.1f}l{half:.1f} {half:.1f}l-{half:.1f} {half:.1f}l-{half:.1f}-{half:.1f}z"
    return f"M{x - size:.1f} {y:.1f}a{size:g} {size:g} 0 1 0 {2 * size:g} 0a{size:g} {size:g} 0 1 0-{2 * size:g} 0z"
