"""Several pictures of one work: cells that name several, and tables with one row for each view."""

import json
import math
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vernissage.catalog.pictures import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from vernissage.catalog.sources.columns import picture_columns, view_columns
from vernissage.catalog.sources.tables import Table, as_cell
from vernissage.catalog.words import is_address, picture_link, split_keywords
from vernissage.folding import folded

RAW = frozenset({".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef"})
"""Pictures as cameras take them, of which Pillow would open a small preview."""
_OTHERS = "svg svgz pdf psd psb ai eps ps jxl xcf djvu wmf emf heic heif"  # HEIC and videos are read with extras
NOT_READ = RAW | VIDEO_SUFFIXES | {f".{suffix}" for suffix in _OTHERS.split()}
_LEADING = re.compile(
    r"\b(?:primary|main|front|recto|overall|principale?|preferred|cover|default|lead|hauptansicht|hauptbild|vorderseite|"
    r"face|avers|obverse|vooraanzicht|voorzijde|true|yes|1|x|y|t|j|ja|oui|si|sim)\b"
)
_ASIDE = re.compile(r"\b(?:details?|ausschnitt|back|verso|reverse|side|not|no)\b")
"""Words by which a cell says that its row's picture leads, and those by which it does not all the same, folded."""


def names_in(cell: str, is_one: Callable[[str], bool]) -> list[str]:
    """The pictures that a cell names, in their order: the whole cell, or the parts of a list.

    A list is written as JSON or Python writes it, or its parts stand between bars, line ends, semicolons, or between
    commas or blanks if all of them look like names of pictures; addresses between other signs than bars and line ends
    if each begins as one. A cell that ``is_one`` names one, whatever its signs.
    """
    if cell[:1] in ("[", "{"):
        try:
            parts = as_cell(json.loads(cell)).split(" | ")
        except (ValueError, RecursionError):
            parts = list(split_keywords(cell, "|"))
        return [part for part in parts if part] or [cell]
    for separator in "|\n;, ":
        if separator in cell and not is_one(cell):
            parts = [part.strip() for part in cell.split(separator) if part.strip()]
            fits = separator == ";" or all(map(looks_like_picture, parts))
            if parts and (separator in "|\n" or (all(map(is_address, parts)) if is_address(cell) else fits)):
                return [name for part in parts for name in names_in(part, is_one)]
    return [cell]


def links_in(cell: str) -> list[str]:
    """The web addresses that a cell names, see `names_in`, as `picture_link` gives them."""
    if not is_address(cell) and "//" not in cell:
        return []
    addresses = filter(is_address, names_in(cell, lambda _: False))
    return list(filter(None, map(picture_link, addresses)))


def looks_like_picture(name: str) -> bool:
    """Whether a file's name or an address ends as those of pictures do."""
    suffix = posixpath.splitext(name.partition("?")[0])[1].lower()
    return suffix in PICTURE_SUFFIXES or suffix in NOT_READ


@dataclass(frozen=True)
class Views:
    """Which rows of a table are views of one work, and which columns name and order its pictures.

    Attributes:
        pictures: the columns that name pictures, the leading one first.
        order: the columns by which the rows of a work are ordered, see `view_columns`; empty where no work has several.
        firsts: for each row the first row of its work.
        joined: how many rows are not the first of their work.
    """

    pictures: tuple[int, ...]
    order: Mapping[str, int]
    firsts: Sequence[int]
    joined: int

    def works(
        self, rows: Iterable[tuple[int, Sequence[str]]], lists: Mapping[int, str]
    ) -> Iterator[tuple[int, int, Sequence[str]]]:
        """The first row of each work, by its place and number, with the cells of all rows of the work.

        All pictures stand in the first column of pictures, in the order of their rows: those first whose cell in the
        column ``leads`` says so, then by the number in the column ``order``, then as in the table. Columns in ``lists``
        hold all that any row holds, each once: as a list of keywords by their separator, or between bars where that is
        empty. Of every other column the first cell that holds anything counts.
        """
        further: dict[int, list[Sequence[str]]] = {}
        for place, (_, cells) in enumerate(rows if self.joined else ()):
            if self.firsts[place] != place:
                further.setdefault(self.firsts[place], []).append(cells)
        for place, (row, cells) in enumerate(rows):
            if self.firsts[place] == place:
                others = further.get(place)
                yield place, row, self._joined([cells, *others], lists) if others else cells

    def _joined(self, rows: Sequence[Sequence[str]], lists: Mapping[int, str]) -> list[str]:
        cells = [next(filter(None, column), "") for column in zip(*rows, strict=True)]
        for place, separator in lists.items():
            filled = list(dict.fromkeys(row[place] for row in rows if row[place]))
            if len(filled) > 1 and separator:
                parts = (part for cell in filled for part in split_keywords(cell, separator))
                cells[place] = json.dumps(list(dict.fromkeys(parts)), ensure_ascii=False)
            elif filled:
                cells[place] = " | ".join(filled)
        if self.pictures:
            named = (row[place] for row in sorted(rows, key=self._rank) for place in self.pictures if row[place])
            cells[self.pictures[0]] = "|".join(dict.fromkeys(named))
        return cells

    def _rank(self, row: Sequence[str]) -> tuple[bool, float]:
        told = folded(row[self.order["leads"]]) if "leads" in self.order else ""
        leads = _LEADING.search(told) is not None and _ASIDE.search(told) is None
        try:
            number = float(row[self.order["order"]]) if "order" in self.order else 0.0
        except ValueError:
            number = math.inf
        return not leads, math.inf if math.isnan(number) else number

    def remarks(self, table: Table) -> tuple[str, ...]:
        """What to say of rows that are one more view of a work."""
        if not self.joined:
            return ()
        order = " and ".join(table.columns[place] for place in self.order.values())
        leading = f"the first by {order}" if order else "its first row's picture"
        rows, works = len(self.firsts), len(self.firsts) - self.joined
        several = f"{rows} rows of {works} {'work' if works == 1 else 'works'}"
        return (f"{several}: rows of equal id and title are views of one work, and {leading} leads",)


def views_of(table: Table, ids: Sequence[str], places: Mapping[str, int]) -> Views:
    """The views of a table whose rows have these ids, and whose fields stand in these columns.

    A row is one more view of the first row of its id if it names a picture, is not wholly equal to an earlier one, and
    has the same title, folded, or none. Others with the same id are left to be told as duplicates.
    """
    pictures = picture_columns(table.columns, table.sample, places)
    repeated = {name for name, count in Counter(ids).items() if count > 1 and name}
    if not repeated:
        return Views(pictures, {}, range(len(ids)), 0)
    seen: dict[str, tuple[int, str]] = {}
    said: set[tuple[str, ...]] = set()
    firsts = list(range(len(ids)))
    for place, (name, (_, cells)) in enumerate(zip(ids, table.rows, strict=True)):
        if name not in repeated:
            continue
        title = " ".join(folded(cells[places["title"]]).split()) if "title" in places else ""
        first, leading = seen.setdefault(name, (place, title))
        if cells not in said and title in ("", leading) and any(cells[column] for column in pictures):
            firsts[place] = first
        said.add(cells)
    joined = sum(first != place for place, first in enumerate(firsts))
    order = view_columns(table.columns) if joined else {}
    order = {meaning: place for meaning, place in order.items() if place not in places.values()}
    return Views(pictures, order, firsts, joined)
