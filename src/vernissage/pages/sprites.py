"""Many small pictures in a few large ones, so that a map of thousands of works stays one small file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.progress import Progress

COLUMNS = 16
PER_SHEET = COLUMNS * COLUMNS
_QUALITY = 70


@dataclass(frozen=True)
class Sprites:
    """Thumbnails in WebP sheets of 16 × 16 square cells.

    Attributes:
        side: pixels of a cell's side.
        sheets: the sheets' bytes; the cell of slot s is in sheet s // 256, row s % 256 // 16, column s % 16.
        slots: each work's slot, -1 without a picture.
        sizes: each work's thumbnail size, which stands in the upper left of its cell; (0, 0) without a picture.
    """

    side: int
    sheets: tuple[bytes, ...]
    slots: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]


def sprites(items: Sequence[Item], collection: Collection, progress: Progress) -> Sprites:
    """Thumbnails of all pictures, smaller the more there are: 2,000 take about 5 MB, 10,000 about 16 MB.

    Raises:
        CollectionError: a picture cannot be read.
    """
    paths = [collection.picture_path(item) for item in items]
    total = sum(path is not None for path in paths)
    side = thumbnail_side(total)
    slots: list[int] = []
    sizes: list[tuple[int, int]] = []
    sheets: list[bytes] = []
    cells: list[Image.Image] = []
    for path in paths:
        if path is None:
            slots.append(-1)
            sizes.append((0, 0))
            continue
        picture = open_picture(path, at_least=2 * side)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        slots.append(len(sheets) * PER_SHEET + len(cells))
        sizes.append(picture.size)
        cells.append(picture)
        if len(cells) == PER_SHEET:
            sheets.append(_sheet(cells, side))
            cells = []
        progress("making thumbnails", slots[-1] + 1, total)
    if cells:
        sheets.append(_sheet(cells, side))
    return Sprites(side, tuple(sheets), tuple(slots), tuple(sizes))


def thumbnail_side(pictures: int) -> int:
    """Pixels of a thumbnail's longer side on a map of so many pictures."""
    return 96 if pictures <= 2500 else 80 if pictures <= 5000 else 64


def _sheet(cells: Sequence[Image.Image], side: int) -> bytes:
    rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (min(len(cells), COLUMNS) * side, rows * side), "white")
    for slot, cell in enumerate(cells):
        sheet.paste(cell, (slot % COLUMNS * side, slot // COLUMNS * side))
    target = io.BytesIO()
    sheet.save(target, "WEBP", quality=_QUALITY, method=4)
    return target.getvalue()
