"""Galleries written by tests: two colours × two themes, so that right answers are known by construction."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS: Mapping[str, tuple[int, int, int]] = {"red": (200, 40, 30), "blue": (30, 60, 190)}
THEMES: Mapping[str, Sequence[str]] = {
    "sea": ("ship", "wave", "harbour", "storm", "sail", "fisherman", "beach", "lighthouse"),
    "garden": ("rose", "tree", "bench", "orchard", "gardener", "blossom", "hedge", "fountain"),
}
COLUMNS = ("id", "file_name", "title", "artist", "year", "description", "group")


def toy_row(number: int) -> dict[str, str]:
    """The table row of one toy work: the group names the theme, the artist the colour."""
    theme = ("sea", "garden")[number % 2]
    words = np.random.default_rng(number).permutation(list(THEMES[theme]))[:5]
    colour = ("red", "blue")[number // 2 % 2]
    return {
        "id": f"w{number:03d}",
        "file_name": f"images/w{number:03d}.png",
        "title": f"{words[0].title()} {number}",
        "artist": f"The {colour} master",
        "year": str(1800 + number),
        "description": f"A {words[1]} and a {words[2]} near the {words[3]} with a {words[4]}.",
        "group": theme,
    }


def paint(path: Path, number: int) -> None:
    """A small picture in the work's colour with a texture of its own."""
    random = np.random.default_rng([7, number])
    colour = COLOURS[("red", "blue")[number // 2 % 2]]
    pixels = np.clip(np.array(colour) + random.normal(0, 12, (40, 56, 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_table(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "metadata.csv") -> None:
    columns = [*COLUMNS, *(["owner"] if any("owner" in row for row in rows) else [])]
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def toy_gallery(folder: Path, count: int = 64) -> Path:
    """Write ``count`` toy works with pictures and a table."""
    for number in range(count):
        paint(folder / "images" / f"w{number:03d}.png", number)
    write_table(folder, [toy_row(number) for number in range(count)])
    return folder


def owner_of(number: int) -> str:
    """Ann owns red seas and blue gardens, bob the rest of the first 32 works, carl all others."""
    if number >= 32:
        return "carl"
    return "ann" if number % 4 in (0, 3) else "bob"


def owned_gallery(folder: Path, count: int = 64) -> Path:
    """The toy gallery with an owner for each work."""
    toy_gallery(folder, count)
    write_table(folder, [toy_row(number) | {"owner": owner_of(number)} for number in range(count)])
    return folder
