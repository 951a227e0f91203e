"""What somebody uploaded, in areas of interest, and works of others for each area and for all of them.

On a server it is the page *My areas*; as a file it shows a person's areas, and an answer for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from vernissage.catalog.item import Item
from vernissage.gallery.answer import Answer
from vernissage.gallery.areas import PersonAreas, area_key
from vernissage.pages.visitor.frame import Frame, in_one_file, rendered
from vernissage.pages.works import PICTURE_SIDE, PicturePath, Reading, alt_text
from vernissage.profiles.uploads import UploadsOfModality
from vernissage.progress import Progress, silent
from vernissage.sentences import Sentence
from vernissage.taggers.contract import Seen, marked
from vernissage.values import MODALITY_CARDS, Modality

Record = Mapping[str, Any]

_PER_AREA = 8
"""Works that are shown for an area, of each kind of target taken in turn."""

_SIDE, _MOST = 240, 12
"""Pixels of a person's own pictures in a file, and how many things of an area it shows."""


@dataclass(frozen=True)
class Thing:
    """Something of a person's: an upload, or a work that they own or liked, which nobody can delete here."""

    id: str
    title: str
    text: str
    thumbnail: Record | None
    is_upload: bool


@dataclass(frozen=True)
class AreaView:
    """An area as pages show it.

    Attributes:
        key: such as ``image:1``, which another area may have after a change.
        name: as shown, with a mark where software made it of ``plain_name``.
        size: how many things of what kind; ``kind`` is its plural.
        anchor: names it whatever has changed since: its modality and one upload that is in it.
        factor: how many times as much it counts as its uploads make of it; ``share`` is what comes of it, in percent.
        things: what is in it, the most typical first; ``more`` is how many are left out.
        works: records of works of others for it.
    """

    key: str
    anchor: str
    modality: Modality
    plain_name: str
    name: str
    size: str
    kind: str
    factor: float
    share: int
    named_by: str
    things: tuple[Thing, ...]
    more: int
    works: tuple[Record, ...]

    @property
    def place(self) -> str:
        """The name of its place in the page."""
        return f"area-{self.key.replace(':', '-')}"

    @property
    def muted(self) -> bool:
        """Whether it is not listened to."""
        return self.factor == 0


@dataclass(frozen=True)
class Doing:
    """What can be done on a page that is served; pages that are files can do nothing.

    Attributes:
        address: where changes are sent to; uploads below it.
        known: whether anything may be kept of the visitor, which can be deleted.
        agree: whether the visitor has to agree to what is kept first.
        edit: the number of the latest change, which can be taken back; None without one.
        text: what was written and could not be kept.
        waiting: how many uploads have yet to be looked at.
    """

    address: str
    known: bool = False
    agree: bool = False
    edit: int | None = None
    text: str = ""
    waiting: int = 0


def areas_page(
    frame: Frame,
    areas: Sequence[AreaView],
    works: Sequence[Record],
    *,
    doing: Doing | None = None,
    unread: Sequence[Thing] = (),
    said: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """The page of one person.

    Args:
        frame: what stands around it.
        areas: theirs; without any the page says what will happen.
        works: for all areas together; before there are any, some of the collection.
        doing: what can be done.
        unread: what belongs to no area, or not yet.
        said: what has just been done; ``notes`` are what the person should know besides.
    """
    given = _given(areas, works, notes) | {"doing": doing, "unread": list(unread), "said": list(said)}
    return rendered("visitor/areas.html", frame, **given)


def areas_file(
    found: PersonAreas,
    picture_path: PicturePath,
    *,
    title: str,
    answer: Answer | None = None,
    seen: Seen = lambda _: {},
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself: a person's areas with what is in each, and the works of an answer.

    ``answer`` is that of `Person.recommend` with ``per_area``; without one the areas stand alone. ``title`` names the
    collection, ``seen`` says what pictures seem to show. Equal input gives equal bytes.

    Raises:
        CollectionError: a picture cannot be read.
    """
    lists = () if answer is None else (answer.works, *(each.works for each in answer.lists))
    items = {**found.items, **{work.id: work.item for works in lists for work in works}}
    content: dict[str, Any] = {"works": [], "lists": [], "notes": list(found.notes)}
    content = content if answer is None else answer.to_dict()
    reading = Reading(picture_path, len(found.items) + len(content["works"]), progress, seen([*items]))

    def thing(item: Item, called: str) -> Thing:
        picture = _embedded(reading, item, _SIDE, called)
        return Thing(item.id, called, item.description or item.text, picture, is_upload=False)

    areas = area_views(found, thing, content["lists"], _MOST)
    for record in [*content["works"], *(work for area in areas for work in area.works)]:
        item = items[record["id"]]
        record["thumbnail"] = _embedded(reading, item, PICTURE_SIDE)
        record["artist"] = item.artist or item.owner
    unread = [thing(found.items[each], found.called(each)) for each in found.unread]
    given = _given(areas, content["works"], content["notes"]) | {"doing": None, "unread": unread, "said": []}
    return in_one_file("visitor/areas.html", title, **given | {"owner": found.owner})


def _given(areas: Sequence[AreaView], works: Sequence[Record], notes: Sequence[str]) -> dict[str, Any]:
    """What the template needs in any case."""
    near = {each.id: each for area in areas for each in area.things}
    # Notes that name an encoder or a rule are for whoever runs the service.
    plain = [each for each in notes if isinstance(each, Sentence) and not {"encoder", "rule"} & {*each.values}]
    return {"areas": list(areas), "works": list(works), "owner": "", "near": near, "notes": plain}


def _embedded(reading: Reading, item: Item, side: int, called: str = "") -> dict[str, Any] | None:
    """The picture of a work inside the page, as in records; None without one."""
    picture = reading.picture(item, side)
    if picture is None:
        return None
    sized = {"src": picture.uri, "srcset": "", "width": picture.width, "height": picture.height}
    return sized | {"alt": alt_text(item, reading.tags(item), called).text}


def area_views(
    found: PersonAreas, thing: Callable[[Item, str], Thing], lists: Sequence[Record] = (), most: int = 10**9
) -> list[AreaView]:
    """The areas of a person, those that are muted last.

    ``thing`` makes what is shown of something of theirs, by what it is called. ``lists`` are those of an answer as
    records (`Answer.to_dict`), of which each area's are taken. Of each area at most ``most`` things are shown.
    """
    views = [
        _view(found, modality, number, thing, lists, most)
        for modality, interests in found.by_modality.items()
        for number in range(len(interests.uploads.areas))
    ]
    return sorted(views, key=lambda view: view.muted)


def _view(
    found: PersonAreas,
    modality: Modality,
    number: int,
    thing: Callable[[Item, str], Thing],
    lists: Sequence[Record],
    most: int,
) -> AreaView:
    interests, key, card = found.by_modality[modality], area_key(modality, number), MODALITY_CARDS[modality]
    uploads, count = interests.uploads, len(interests.uploads.areas[number])
    weight, total = float(uploads.weights[number]), float(uploads.weights.sum()) or 1.0
    members = [uploads.item_ids[row] for row in typical(uploads, number, most)]
    columns = [each["works"] for each in lists if each.get("area") == key]
    mixed = {work["id"]: work for work in chain.from_iterable(zip_longest(*columns)) if work is not None}
    return AreaView(
        key=key,
        anchor=f"{modality}:{members[0]}",
        modality=modality,
        plain_name=uploads.names[number],
        name=marked(uploads.names[number], found.by_software(modality, number)),
        size=Sentence("{n} {kind}", n=count, kind=Sentence(card.one if count == 1 else card.many)),
        kind=Sentence(card.many),
        factor=interests.factors[number],
        share=round(100 * weight / total),
        named_by=interests.naming[number].by,
        things=tuple(thing(found.items[each], found.called(each)) for each in members),
        more=count - len(members),
        works=tuple(mixed.values())[:_PER_AREA],
    )


def typical(uploads: UploadsOfModality, number: int, most: int) -> list[int]:
    """The rows of an area's most typical uploads: the medoid, then those nearest to the centroid; ties by row."""
    area = uploads.areas[number]
    rows = np.array(area.members)
    closeness = uploads.vectors[rows].astype(np.float64) @ area.centroid.astype(np.float64)
    order = rows[np.lexsort([rows, -closeness, rows != area.medoid])]
    chosen: list[int] = order[:most].tolist()
    return chosen
