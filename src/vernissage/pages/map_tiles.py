"""The map of a collection drawn beforehand: pictures of works on a grid, as a pyramid of tiles, and one file of words.

    works.json       cells, titles, artists, keys and groups of the works; written last
    LEVEL/X-Y.webp   tiles, of the largest pictures at level 0, half as large at each further one; none of nothing

They lie in ``map/VERSION`` of a workspace or publication; another state of the collection has another version.
"""

import io
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from filelock import FileLock
from PIL import Image

from vernissage.analysis.grid import on_grid
from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.catalog.pictures import small_picture
from vernissage.errors import CollectionError, Kind, RequestError, WorkspaceError
from vernissage.files import TEMPORARY_SUFFIX, digest, is_below, read_json
from vernissage.gallery.gallery import Gallery
from vernissage.gallery.overview import Map
from vernissage.pages.groups import LIGHT, LIGHT_OTHER
from vernissage.pages.templating import plain, shortened
from vernissage.pages.works import PicturePath
from vernissage.progress import Progress, silent

FOLDER, WORKS = "map", "works.json"
TILE = 512
"""Pixels of a tile's side, about: as many cells as fit."""

MOST_WORKS = 20_000
"""Of larger collections so many stand on the map, chosen by digests of their ids: more take minutes to place."""

MOST_GROUPS = 100
_CELLS = ((2_500, 256), (MOST_WORKS, 128))
"""Pixels of a cell where it is largest, by the most works."""

_GAP = 1 / 16
_TINT = 0.28
_QUALITY = 75
_LONGEST = 80
_REVISION = b"1"
_VERSION = re.compile(r"[0-9a-f]{12}")

Put = Callable[[str, bytes], None]
"""Writes a file of that name and content."""


def map_version(gallery: Gallery) -> str:
    """What the map of the present state is kept under."""
    return digest(_REVISION, gallery.fingerprint.encode())[:12]


def kept_map(gallery: Gallery) -> Path | None:
    """The folder of the map that was drawn of the present state; None where it has yet to be."""
    folder = gallery.path / FOLDER / map_version(gallery)
    return folder if (folder / WORKS).is_file() and is_below(gallery.path, folder / WORKS) else None


def keep_map(gallery: Gallery, progress: Progress = silent) -> tuple[Path, list[str]]:
    """Draw the map of the present state into the workspace unless it is there; its folder, and what to say of it.

    One process draws at a time, others wait for it. The map of the state before stays for pages that are open.

    Raises:
        RequestError: fewer than four works have vectors.
        WorkspaceError: the workspace cannot be written to.
    """
    above = gallery.path / FOLDER
    if not is_below(gallery.path, above / WORKS):
        raise WorkspaceError(f"{above} is a link to another place; remove it", kind=Kind.BAD_REQUEST)
    try:
        above.mkdir(exist_ok=True)
        with FileLock(above / ".lock"):
            folder = above / map_version(gallery)
            if kept_map(gallery) is not None:
                return folder, []
            before = sorted(filter(_is_own, above.iterdir()), key=lambda each: each.stat().st_mtime)
            for each in before[:-1]:
                shutil.rmtree(each)
            unfinished = above / f".{folder.name}{TEMPORARY_SUFFIX}"
            shutil.rmtree(unfinished, ignore_errors=True)

            def put(name: str, content: bytes) -> None:
                (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
                (unfinished / name).write_bytes(content)

            found = gallery.map(most=MOST_WORKS, progress=progress)
            notes = draw_map(found, gallery.snapshot.picture_path, put, progress=progress)
            unfinished.replace(folder)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {above}: {error.strerror or error}; free space or make the workspace writable"
        ) from error
    return folder, notes


def files_of_map(folder: Path) -> list[str]:
    """The names of the files of a map that was drawn into a folder; none where it was not, or not to its end."""
    if not (folder / WORKS).is_file():
        return []
    words = read_json(folder / WORKS)
    tiles = [(x // words["across"], y // words["across"]) for x, y in zip(words["x"], words["y"], strict=True)]
    names = {f"{level}/{x >> level}-{y >> level}.webp" for level in range(words["levels"]) for x, y in tiles}
    return [*sorted(names), WORKS]


def draw_map(
    found: Map, picture_path: PicturePath, put: Put, *, cell: int = 0, progress: Progress = silent
) -> list[str]:
    """Draw works at their places, and write of them; notes on pictures that cannot be read.

    ``cell`` is how many pixels each has where it is largest, 0 for what suits so many. Equal input gives equal bytes;
    memory holds a tile of each level.

    Raises:
        RequestError: there are no works, or places that are not finite.
    """
    if not len(found.items) or not np.isfinite(found.points).all():
        raise RequestError(f"a map needs a finite place of one or more works, but got {len(found.items)} works")
    cells, size = on_grid(found.points)
    cell = cell or next((pixels for most, pixels in _CELLS if len(cells) <= most), _CELLS[-1][1])
    side = round(cell * (1 - _GAP))
    groups, group = ranked([plain(label) for label in found.labels])
    notes, unseen, done = list[str](), list[int](), 0

    def picture(row: int) -> Image.Image:
        nonlocal done
        progress("drawing the map", done, len(cells))
        done += 1
        try:
            path = picture_path(found.items[row])
            if path is not None:
                return small_picture(path, side)
        except CollectionError as error:
            notes.append(str(error))
        unseen.append(row)
        return _card(group[row], side)

    levels = _pyramid(cells.tolist(), size, cell, picture, put)
    progress("drawing the map", len(cells), len(cells))
    content = _words(found.items) | {"groups": groups, "group": group, "plain": sorted(unseen)}
    content |= {"x": cells[:, 0].tolist(), "y": cells[:, 1].tolist(), "size": size}
    content |= {"cell": cell, "across": TILE // cell, "levels": levels}
    put(WORKS, orjson.dumps(content))
    return notes


def ranked(labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """The groups, the largest first, and the place of each work's among them; -1 without one, or beyond the 100th."""
    counts = Counter(filter(None, labels))
    groups = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_GROUPS]
    place = {name: number for number, name in enumerate(groups)}
    return groups, [place.get(name, -1) for name in labels]


def _pyramid(
    cells: Sequence[tuple[int, int]], size: tuple[int, int], cell: int, picture: Callable[[int], Image.Image], put: Put
) -> int:
    """Draw the tiles of all levels; how many levels there are, the last of one tile."""
    here, across = defaultdict[tuple[int, int], list[int]](list), TILE // cell
    for row, (column, line) in enumerate(cells):
        here[column // across, line // across].append(row)
    top = (-(-max(size) // across) - 1).bit_length()
    side = across * cell

    def tile(level: int, x: int, y: int) -> Image.Image | None:
        drawn = Image.new("RGBA", (side, side))
        if level:
            parts = [(dx, dy, tile(level - 1, 2 * x + dx, 2 * y + dy)) for dy in (0, 1) for dx in (0, 1)]
            for dx, dy, part in parts:
                if part is not None:
                    drawn.paste(part.reduce(2), (dx * side // 2, dy * side // 2))
            if not any(part for _, _, part in parts):
                return None
        elif (x, y) not in here:
            return None
        for row in here[x, y] if not level else ():
            small = picture(row)
            column, line = (cells[row][axis] % across * cell + (cell - small.size[axis]) // 2 for axis in (0, 1))
            drawn.paste(small, (column, line))
        target = io.BytesIO()
        drawn.save(target, "WEBP", quality=_QUALITY, method=2)
        put(f"{level}/{x}-{y}.webp", target.getvalue())
        return drawn

    tile(top, 0, 0)
    return top + 1


def _card(group: int, side: int) -> Image.Image:
    """What stands for a work without a picture: paper in a tint of its group, on which its title is written."""
    colour = LIGHT[group] if 0 <= group < len(LIGHT) else LIGHT_OTHER
    tint = tuple(round(255 - _TINT * (255 - int(colour[at : at + 2], 16))) for at in (1, 3, 5))
    return Image.new("RGB", (round(side * 0.8), side), tint)


def _words(items: Sequence[Item]) -> dict[str, Any]:
    """What is written of each work; lines that recur are listed once and pointed at."""
    lines = [", ".join(filter(None, (plain(item.artist), plain(item.year)))) for item in items]
    place = {line: number for number, line in enumerate(dict.fromkeys(lines))}
    return {
        "keys": [key_of(item.id) for item in items],
        "titles": [shortened(item.title or item.text, _LONGEST) for item in items],
        "lines": list(place),
        "line": [place[line] for line in lines],
    }


def _is_own(folder: Path) -> bool:
    return bool(_VERSION.fullmatch(folder.name)) and folder.is_dir() and not folder.is_symlink()
