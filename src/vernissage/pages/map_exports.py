"""The map of a collection for tools that people already use: VIKUS Viewer, and Embedding Atlas.

https://github.com/cpietsch/vikus-viewer (its data folder), https://apple.github.io/embedding-atlas
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from vernissage.catalog.credits import credit_of, link_of
from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.catalog.pictures import reduced_pictures, small_picture
from vernissage.errors import CollectionError, RequestError
from vernissage.files import csv_bytes, write_bytes, write_json, write_parquet
from vernissage.gallery.overview import Map
from vernissage.pages.templating import plain
from vernissage.pages.works import PicturePath
from vernissage.progress import Progress, silent

_SHEET, _DETAIL = 2048, 1024
_SIDES = ((5_000, 256), (2**62, 128))
"""Pixels of a sprite's longer side, by the most works: as VIKUS Viewer's own script advises."""

_FIELDS = ("title", "artist", "medium", "description", "group", "rights", "credit", "link")


def _fields(item: Item) -> dict[str, str]:
    named = {name: plain(getattr(item, name)) for name in _FIELDS[:5]}
    return {**named, "rights": item.licence, "credit": credit_of(item), "link": link_of(item)}


def write_atlas(found: Map, out: Path) -> None:
    """Write the map as Parquet: id, x, y, text, and what is known of the works, a column each.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    told = [_fields(item) for item in found.items]
    columns: dict[str, Any] = {
        "id": [item.id for item in found.items],
        "x": found.points[:, 0],
        "y": found.points[:, 1],
        "text": [item.text or item.title or item.id for item in found.items],
        **{name: [each[name] for each in told] for name in _FIELDS},
        "year": [item.year for item in found.items],
        "year_from": pa.array([item.span.first if item.span else None for item in found.items], pa.int32()),
        "keywords": pa.array([list(item.keywords) for item in found.items], pa.list_(pa.string())),
        "image": [item.picture_link for item in found.items],
    }
    table = pa.table(columns)
    write_parquet(out, table.schema, table.to_batches(65_536))


def write_vikus(found: Map, folder: Path, name: str, picture_path: PicturePath, progress: Progress = silent) -> int:
    """Write the data folder of VIKUS Viewer for the works that have a picture; returns how many.

    data.csv, tsne.csv, timeline.csv, info.md, config.json, sprites of all pictures, and larger ones in a folder; ids
    are keys (see `key_of`), since they name files.

    Raises:
        RequestError: no work has a picture, or the folder holds something.
        WorkspaceError: a file cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise RequestError(f"{folder} holds files already; choose a new folder")
    works = [(row, item, path) for row, item in enumerate(found.items) if (path := picture_path(item)) is not None]
    side = next(side for most, side in _SIDES if len(works) <= most)
    kept, sprites = list[tuple[int, Item]](), list[tuple[str, Image.Image]]()
    for number, (row, item, path) in enumerate(works):
        progress("reducing pictures", number, len(works))
        key = key_of(item.id)
        try:
            write_bytes(folder / str(_DETAIL) / f"{key}.jpg", reduced_pictures(path, [_DETAIL], "jpg")[_DETAIL])
            sprites.append((key, small_picture(path, side)))
        except CollectionError:
            continue
        kept.append((row, item))
    if not kept:
        raise RequestError("no work of the map has a picture that could be opened, and VIKUS Viewer shows pictures")
    _write_sprites(sprites, folder / "sprites")
    head = ("id", "keywords", "year", *(f"_{each}" for each in _FIELDS), "_year")
    rows = [
        (
            key_of(item.id),
            _keywords(item),
            item.span.first if item.span else "undated",
            *_fields(item).values(),
            item.year,
        )
        for _, item in kept
    ]
    write_bytes(folder / "data.csv", csv_bytes(head, rows))
    points = found.points[[row for row, _ in kept]]
    spread = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)
    placed = [(key_of(item.id), *map(float, point)) for (_, item), point in zip(kept, spread, strict=True)]
    write_bytes(folder / "tsne.csv", csv_bytes(("id", "x", "y"), placed))
    write_bytes(folder / "timeline.csv", csv_bytes(("year", "title", "text", "extra"), ()))
    write_bytes(folder / "info.md", f"# {name}\n\n{len(kept)} works, placed by {found.words}.\n".encode())
    write_json(folder / "config.json", _config(name, side))
    return len(kept)


def _keywords(item: Item) -> str:
    """In one cell, which the viewer parts at commas."""
    return ",".join(word.replace(",", ";") for word in item.keywords)


def _config(name: str, side: int) -> dict[str, Any]:
    loader = {
        "info": "data/info.md",
        "timeline": "data/timeline.csv",
        "items": "data/data.csv",
        "layouts": [
            {"title": "Time", "type": "group", "groupKey": "year"},
            {"title": "Likeness", "url": "data/tsne.csv"},
        ],
        "textures": {
            "medium": {"size": side, "url": "data/sprites/sprites.json"},
            "detail": {"size": _DETAIL, "url": f"data/{_DETAIL}/"},
        },
    }
    shown = [
        {"name": each.capitalize(), "source": f"_{each}", "display": "column", "type": "text"}
        for each in (*_FIELDS, "year")
    ]
    keywords = {"name": "Keywords", "source": "keywords", "display": "column", "type": "keywords"}
    return {
        "project": {"name": name, "quality": 1},
        "loader": loader,
        "style": {"fontColor": "#222222", "fontColorActive": "#ffffff", "canvasBackground": "#f4f4f2"},
        "projection": {"columns": 6},
        "detail": {"structure": [*shown, keywords]},
    }


def _write_sprites(pictures: Sequence[tuple[str, Image.Image]], folder: Path) -> None:
    """Sheets of pictures in rows, and a manifest of where each is, as the viewer's loader reads it (pixi-packer 1)."""
    sheets = []
    for number, placed in enumerate(_sheets(pictures)):
        sheet = Image.new("RGBA", (_SHEET, _SHEET))
        sprites = []
        for key, picture, x, y in placed:
            sheet.paste(picture, (x, y))
            size = {"w": picture.width, "h": picture.height}
            sprites.append({"name": key, "position": {"x": x, "y": y}, "dimension": size})
        held = io.BytesIO()
        sheet.save(held, "PNG")
        write_bytes(folder / f"{number}.png", held.getvalue())
        sheets.append({"image": f"{number}.png", "sprites": sprites})
    meta = {"type": "pixi-packer", "version": 1}
    write_json(folder / "sprites.json", {"meta": meta, "resolution": 1, "spritesheets": sheets})


def _sheets(pictures: Sequence[tuple[str, Image.Image]]) -> Iterator[list[tuple[str, Image.Image, int, int]]]:
    placed, x, y, high = list[tuple[str, Image.Image, int, int]](), 1, 1, 0
    for key, picture in pictures:
        if x + picture.width + 1 > _SHEET:
            x, y, high = 1, y + high + 2, 0
        if y + picture.height + 1 > _SHEET:
            yield placed
            placed, x, y, high = [], 1, 1, 0
        placed.append((key, picture, x, y))
        x, high = x + picture.width + 2, max(high, picture.height)
    if placed:
        yield placed
