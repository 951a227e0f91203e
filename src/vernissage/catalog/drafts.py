"""Works as the table or the file names describe them, before their pictures are looked at."""

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

from vernissage.catalog.columns import candidates, names_no_words
from vernissage.catalog.item import Item
from vernissage.catalog.markup import without_markup
from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.table import Table
from vernissage.catalog.words import (
    attribute_words,
    is_address,
    joined,
    keyword_separator,
    repeats_group,
    same_words,
    split_keywords,
)

_CAMERA_NAME = re.compile(r"^(?:img|dsc[fn]?|dcim|pict?|image|photo|picture|scan|p|s)?[\W_]*\d[\d\W_]*$", re.IGNORECASE)
_CLEANED = ("title", "artist", "year", "medium", "description")


@dataclass(frozen=True)
class Draft:
    """A work without its picture's path and digest, its row, and what the table says of the picture's file."""

    row: int | None
    item: Item
    file: str


@dataclass(frozen=True)
class Drafts:
    """The works of a table, and how its columns were understood."""

    works: tuple[Draft, ...]
    columns: dict[str, str] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    not_in_text: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def drafts_of_table(table: Table) -> Drafts:
    """Understand a table's columns by their names, and its rows as works."""
    places = _places(table)
    others = [place for place in range(len(table.columns)) if place not in places.values()]
    spoken = [place for place in others if not names_no_words(table.columns[place])]
    repeating = _repeating(table, spoken, places.get("group"))
    reading = _Reading(
        places,
        table.columns[places["picture"]] if "picture" in places else "",
        tuple(sorted((table.columns[place], place) for place in others if place in table.filled)),
        tuple(place for place in spoken if place not in repeating and place in table.filled),
        keyword_separator(table.column(places["keywords"])) if "keywords" in places else ",",
    )
    ids, remarks = _ids(table, places)
    works = tuple(reading.draft(row, name, cells) for (row, cells), name in zip(table.rows, ids, strict=True))
    return Drafts(
        works,
        {table.columns[place]: meaning for meaning, place in places.items()},
        tuple(table.columns[place] for place in others if place in table.filled),
        tuple(table.columns[place] for place in repeating),
        (*_empty(table), *remarks),
    )


def drafts_of_pictures(paths: Sequence[str]) -> Drafts:
    """Works of picture files alone: ids and titles from their names, groups from the folders they lie in."""
    plain = Counter(posixpath.splitext(path)[0] for path in paths)
    folders = [posixpath.dirname(path) for path in paths]
    common = posixpath.commonpath(folders) if folders and all(folders) else ""
    works = []
    for path, folder in zip(paths, folders, strict=True):
        stem = posixpath.splitext(path)[0]
        title = readable(PurePosixPath(path).stem)
        item = Item(
            id=stem if plain[stem] == 1 else path,
            title=title,
            group=posixpath.relpath(folder, common or ".") if folder != common else "",
            text="" if _CAMERA_NAME.match(title) else title,
        )
        works.append(Draft(None, item, path))
    return Drafts(tuple(works), remarks=("no table: ids, titles and groups come from the names of files and folders",))


def readable(name: str) -> str:
    """A file's name as a title: "starry-night_1889" is "Starry night 1889"."""
    words = " ".join(re.sub(r"[_\s]+|(?<=\w)-(?=\w)", " ", name).split())
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class _Reading:
    """How one row becomes one work."""

    places: dict[str, int]
    picture_column: str
    others: tuple[tuple[str, int], ...]
    spoken: tuple[int, ...]
    separator: str

    def draft(self, row: int, name: str, cells: Sequence[str]) -> Draft:
        values = {meaning: cells[place] for meaning, place in self.places.items()}
        title, artist, year, medium, description = cleaned = [without_markup(values.get(name, "")) for name in _CLEANED]
        file = values.get("picture", "")
        attributes = {name: cells[place] for name, place in self.others if cells[place]}
        if is_address(file):
            attributes = dict(sorted({**attributes, self.picture_column: file}.items()))
            file = ""
        keywords = split_keywords(values.get("keywords", ""), self.separator)
        group = " ".join(without_markup(values.get("group", "")).split())
        item = Item(
            id=name,
            title=title,
            artist=artist,
            year=year,
            medium=medium,
            description=description,
            keywords=keywords,
            group=group,
            owner=values.get("owner", ""),
            licence=values.get("licence", ""),
            text=self._text(cleaned, keywords, group, cells),
            attributes=MappingProxyType(attributes),
        )
        return Draft(row, item, file)

    def _text(self, cleaned: Sequence[str], keywords: Sequence[str], group: str, cells: Sequence[str]) -> str:
        further = [attribute_words(cells[place]) for place in self.spoken if cells[place]]
        repeated = [words for words in further if words and not (group and same_words(words, group))]
        return joined([*cleaned, ", ".join(keywords), *repeated])


def _places(table: Table) -> dict[str, int]:
    """The column of each field: the likeliest one that any row fills, else the likeliest."""
    filled = table.filled
    places = {}
    for meaning, found in candidates(table.columns).items():
        if meaning == "picture":
            place = _picture_place(table, found, filled)
        else:
            place = next((place for place in found if place in filled), found[0] if found else None)
        if place is not None:
            places[meaning] = place
    return dict(sorted(places.items(), key=lambda entry: entry[1]))


def _picture_place(table: Table, found: Sequence[int], filled: AbstractSet[int]) -> int | None:
    """The column with names of picture files, else the first that holds anything but web addresses."""
    named = {place: [cell for cell in table.column(place) if cell and not is_address(cell)] for place in found}
    for place, cells in named.items():
        if any(posixpath.splitext(cell)[1].lower() in PICTURE_SUFFIXES for cell in cells):
            return place
    return next((place for place in found if named[place] or place not in filled), None)


def _repeating(table: Table, spoken: Sequence[int], group: int | None) -> tuple[int, ...]:
    if group is None:
        return ()
    groups = table.column(group)
    return tuple(place for place in spoken if repeats_group(table.column(place), groups))


def _empty(table: Table) -> tuple[str, ...]:
    names = [name for place, name in enumerate(table.columns) if place not in table.filled]
    return (f"columns without a value in any row: {', '.join(names)}",) if names and table.rows else ()


def _ids(table: Table, places: dict[str, int]) -> tuple[list[str], tuple[str, ...]]:
    """The ids of all rows, and a remark when they do not stand in the table."""
    if "id" in places and places["id"] in table.filled:
        return [" ".join(cell.split()) for cell in table.column(places["id"])], ()
    files = table.column(places["picture"]) if "picture" in places else [""] * len(table.rows)
    files = ["" if is_address(file) else file.replace("\\", "/") for file in files]
    stems = [PurePosixPath(file).stem for file in files]
    short = Counter(stem for stem in stems if stem)
    if any(count > 1 for count in short.values()):
        stems = [posixpath.splitext(file)[0] for file in files]
    ids = [stem or f"row-{row}" for stem, (row, _) in zip(stems, table.rows, strict=True)]
    origin = "the names of the pictures" if any(stems) else "the row numbers"
    return ids, (f"no column holds ids: they come from {origin}; a column id keeps ratings valid when rows move",)
