"""The page that shows a person what they are interested in, as far as their works and uploads tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vernissage.catalog.item import Item
from vernissage.gallery.areas import PersonAreas, area_key
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Picture, PicturePath, Reading, title_or_text
from vernissage.profiles.interests import Interests
from vernissage.profiles.naming import count_words_of_works, words_of_work
from vernissage.profiles.uploads import UploadsOfModality
from vernissage.progress import Progress, silent
from vernissage.values import Modality

THUMBNAIL_SIDE = 240
_PICTURES = 8
_TEXTS = 6
_WORDS = 8
KINDS: dict[Modality, str] = {"image": "Pictures", "text": "Texts"}


@dataclass(frozen=True)
class Example:
    """One upload of an area: its title or how it begins, what more it says, and for pictures the picture."""

    id: str
    title: str
    picture: Picture | None
    excerpt: str = ""


@dataclass(frozen=True)
class AreaView:
    """One area as the page prints it; ``share`` is its part of what is heard of its modality, in percent."""

    key: str
    anchor: str
    name: str
    named_by: str
    size: str
    share: int
    muted: bool
    words: tuple[str, ...]
    examples: tuple[Example, ...]
    more: int


@dataclass(frozen=True)
class AreaGroup:
    """The areas of one modality."""

    anchor: str
    heading: str
    areas: tuple[AreaView, ...]


def areas_page(
    found: PersonAreas,
    picture_path: PicturePath,
    *,
    title: str,
    engine: str,
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself, with a person's areas: name, weight, typical works and words of each.

    ``title`` names the collection, ``engine`` says in plain words what tells works apart. Equal input gives equal
    bytes.

    Raises:
        CollectionError: a picture cannot be read.
    """
    total = sum(min(_PICTURES, len(area)) for each in _pictures(found) for area in each.uploads.areas)
    reading = Reading(picture_path, total, progress)
    return render(
        "areas.html",
        styles=["page.css", "recommendations.css", "areas.css"],
        scripts=[],
        title=plain(title),
        owner=plain(found.owner),
        engine=plain(engine),
        summary=summary_of(found),
        notes=[plain(note) for note in found.notes],
        groups=area_groups(found, reading),
    )


def area_groups(found: PersonAreas, reading: Reading, *, examples: int = _PICTURES) -> tuple[AreaGroup, ...]:
    """The areas of each modality, ready to print, with so many examples each."""
    return tuple(
        AreaGroup(
            modality,
            KINDS[modality],
            tuple(_view(found, modality, number, reading, examples) for number in range(len(interests.uploads.areas))),
        )
        for modality, interests in found.by_modality.items()
    )


def typical(uploads: UploadsOfModality, number: int, most: int) -> list[int]:
    """The rows of an area's most typical uploads: the medoid, then those nearest to the centroid; ties by row."""
    area = uploads.areas[number]
    rows = np.array(area.members)
    closeness = uploads.vectors[rows].astype(np.float64) @ area.centroid.astype(np.float64)
    order = rows[np.lexsort([rows, -closeness, rows != area.medoid])]
    chosen: list[int] = order[:most].tolist()
    return chosen


def summary_of(found: PersonAreas) -> str:
    """How much there is, in words: "23 pictures in 4 areas and 19 texts in 3 areas"."""
    parts = [
        f"{_counted(len(each.uploads), KINDS[modality].lower()[:-1])} in {_counted(len(each.uploads.areas), 'area')}"
        for modality, each in found.by_modality.items()
    ]
    return " and ".join(parts)


def _pictures(found: PersonAreas) -> list[Interests]:
    return [found.by_modality["image"]] if "image" in found.by_modality else []


def _view(found: PersonAreas, modality: Modality, number: int, reading: Reading, most: int) -> AreaView:
    interests = found.by_modality[modality]
    uploads = interests.uploads
    area = uploads.areas[number]
    weight, total = float(uploads.weights[number]), float(uploads.weights.sum()) or 1.0
    most = most if modality == "image" else min(most, _TEXTS)
    rows = typical(uploads, number, most if modality == "image" else len(area))
    examples = [found.items[uploads.item_ids[row]] for row in rows]
    if modality == "text":  # a series often has one title
        distinct: dict[str, Item] = {}
        for item in examples:
            distinct.setdefault(title_or_text(item), item)
        examples = list(distinct.values())[:most]
    return AreaView(
        key=area_key(modality, number),
        anchor=f"{modality}-{number + 1}",
        name=plain(uploads.names[number]),
        named_by=interests.naming[number].by,
        size=_counted(len(area), KINDS[modality].lower()[:-1]),
        share=round(100 * weight / total),
        muted=weight == 0,
        words=_words([found.items[uploads.item_ids[row]] for row in area.members]),
        examples=tuple(_example(item, modality, reading) for item in examples),
        more=len(area) - len(examples),
    )


def _example(item: Item, modality: Modality, reading: Reading) -> Example:
    if modality == "image":
        return Example(item.id, title_or_text(item), reading.picture(item, THUMBNAIL_SIDE))
    excerpt = plain(item.description or ", ".join(item.keywords)) if item.title.strip() else ""
    return Example(item.id, title_or_text(item), None, excerpt)


def _words(items: Sequence[Item]) -> tuple[str, ...]:
    """The words that stand in most of an area's works, those that stand in two or more, commonest first."""
    counts = count_words_of_works([words_of_work(item) for item in items]).counts
    common = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    return tuple(f"{word} ({counts[word]})" for word in common[:_WORDS])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
