"""The map of a collection: the viewer of its tiles, and the same groups as headed lists of works."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from vernissage.catalog.collection import Collection
from vernissage.errors import CollectionError
from vernissage.folding import folded
from vernissage.gallery.overview import Map
from vernissage.pages.addresses import Addressed
from vernissage.pages.look import Look
from vernissage.pages.map_tiles import WORKS, draw_map, ranked
from vernissage.pages.templating import data_uri, embedded_json, plain
from vernissage.pages.visitor.frame import STATIC_TYPES, Frame, rendered, static_file
from vernissage.pages.works import PicturePath
from vernissage.progress import Progress, silent
from vernissage.sentences import Sentence

PER_PAGE = 60
"""Works of one group on a page of its own."""

_SHOWN, _OF_MANY, _MANY = 12, 6, 24
_POLICY = "default-src 'none'; img-src data:; style-src data:; script-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class MapGroup:
    """A group of the map: its value in the collection, empty for all others, what it is called, and its works' rows."""

    value: str
    name: str
    rows: tuple[int, ...]


def map_groups(collection: Collection, banned: Set[str] = frozenset()) -> tuple[MapGroup, ...]:
    """The groups, the largest first, what is in none last; works by their titles, ``banned`` ones left out."""
    names, group = ranked([plain(value) for value in collection.texts("group")])
    titles = [folded(title) or "\uffff" for title in collection.texts("title")]
    rows = defaultdict[int, list[int]](list)
    for row in sorted(range(len(titles)), key=lambda row: (titles[row], collection.ids[row])):
        if collection.ids[row] not in banned:
            rows[group[row]].append(row)
    rest = Sentence("Other works") if names else Sentence("All works")
    found = [MapGroup(name, name, tuple(rows[number])) for number, name in enumerate(names)]
    return tuple(each for each in [*found, MapGroup("", rest, tuple(rows[-1]))] if each.rows)


def listed(
    group: MapGroup, start: int, most: int, collection: Collection, beside: Addressed, more: str
) -> dict[str, Any]:
    """So many works of a group from one on, as `map_page` takes them; ``more`` is where others are, if any."""
    works = [beside.record(item) for item in collection.take(list(group.rows[start : start + most]))]
    more = more if start + most < len(group.rows) else ""
    return {"name": group.name, "count": len(group.rows), "works": works, "more": more}


def first_rows(groups: Sequence[MapGroup]) -> int:
    """How many works of each group stand on the page of all groups."""
    return PER_PAGE if len(groups) == 1 else _OF_MANY if len(groups) > _MANY else _SHOWN


def map_page(
    frame: Frame,
    groups: Sequence[Mapping[str, Any]],
    *,
    tiles: str = "",
    work: str = "",
    drawing: bool = False,
    alone: bool = False,
    embedded: Markup | None = None,
) -> str:
    """The page with ``groups``: name, count, works (records with addresses), and where ``more`` of them are.

    Args:
        frame: see there.
        groups: one ``alone`` is told apart from the page of all.
        tiles: the address of the folder that `map_tiles` wrote, with its last slash; empty where there is none.
        work: the address of a work, with ``{key}`` in it.
        drawing: the map is being drawn.
        embedded: what is in that folder, see `map_in_one_file`.
    """
    count = sum(group["count"] for group in groups)
    values = {"groups": list(groups), "count": count, "tiles": tiles, "work": work, "embedded": embedded}
    return rendered("visitor/map.html", frame, **values, drawing=drawing, alone=alone)


def map_in_one_file(found: Map, picture_path: PicturePath, *, title: str, progress: Progress = silent) -> str:
    """The map as one HTML document that holds its tiles and loads nothing: cells are the smaller the more works.

    Raises:
        RequestError: see `draw_map`.
        CollectionError: a picture cannot be read.
    """
    kept: dict[str, bytes] = {}
    cell = 96 if len(found.items) <= 2_500 else 80 if len(found.items) <= 5_000 else 64
    if notes := draw_map(found, picture_path, kept.__setitem__, cell=cell, progress=progress):
        raise CollectionError(notes[0])
    works = orjson.loads(kept.pop(WORKS))
    tiles = {name.removesuffix(".webp"): data_uri(tile, "image/webp") for name, tile in kept.items()}
    listed: dict[int, list[dict[str, str]]] = {}
    for group, title_, line in zip(works["group"], works["titles"], works["line"], strict=True):
        listed.setdefault(group, []).append({"title": title_, "line": works["lines"][line]})
    names = dict(enumerate(works["groups"])) | {-1: "Other works" if works["groups"] else "All works"}
    groups = [
        {"name": name, "count": len(listed[at]), "works": listed[at]} for at, name in names.items() if at in listed
    ]
    frame = Frame(Look(), title, address=lambda _: "#", static=_as_data, pages=(), policy=_POLICY)
    return map_page(frame, groups, embedded=embedded_json(works | {"tiles": tiles}))


def _as_data(name: str) -> str:
    return data_uri(static_file(name) or b"", STATIC_TYPES[name.rpartition(".")[2]].replace(" ", ""))
