"""The pages of a person: what they are interested in, and other people's works that are chosen for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.answer import Answer, AnswerList
from vernissage.gallery.answer import Work as AnswerWork
from vernissage.gallery.areas import PersonAreas, area_key
from vernissage.gallery.selecting import KINDS, title_or_text
from vernissage.pages.templating import plain, render
from vernissage.pages.works import AltText, Picture, PicturePath, Reading, Work, work_of
from vernissage.profiles.naming import count_words_of_works, words_of_work
from vernissage.profiles.uploads import UploadsOfModality
from vernissage.progress import Progress, silent
from vernissage.taggers.contract import Seen
from vernissage.values import MODALITY_CARDS, Modality

_SIDE, _NEAR_SIDE = 240, 120
_MOST: Mapping[Modality, int] = {card.name: 8 if card.pictured else 6 for card in MODALITY_CARDS.values()}
"""How many examples of an area the page of areas shows."""

_OVERVIEW = 5
_WORDS = 8
_AREAS = 8
_PER_AREA = 5
_NEAR = 3


@dataclass(frozen=True)
class Example:
    """A work in a row of examples: its title or how it begins, and the picture, or what more a text says."""

    id: str
    title: str
    picture: Picture | None
    alt: AltText
    excerpt: str


@dataclass(frozen=True)
class AreaView:
    """One area as pages print it; ``share`` is its part of what is heard of its modality, in percent."""

    key: str
    name: str
    named_by: str
    by_software: str
    size: str
    share: int
    muted: bool
    words: tuple[str, ...]
    examples: tuple[Example, ...]
    more: int


@dataclass(frozen=True)
class Suggestion:
    """A recommended work, its area (whose name may be by software), and (title, picture, cosine) of uploads for it."""

    work: Work
    key: str
    area: str
    by_software: str
    near: tuple[tuple[str, Picture | None, float], ...]


def areas_page(
    found: PersonAreas,
    picture_path: PicturePath,
    *,
    title: str,
    engine: str,
    seen: Seen = lambda _: {},
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself, with a person's areas: name, weight, typical works and words of each.

    ``title`` names the collection, ``engine`` says in plain words what tells works apart, ``seen`` what pictures seem
    to show. Equal input gives equal bytes.

    Raises:
        CollectionError: a picture cannot be read.
    """
    pictured = [each for each in found.by_modality if MODALITY_CARDS[each].pictured]
    total = sum(min(_MOST[each], len(area)) for each in pictured for area in found.by_modality[each].uploads.areas)
    reading = Reading(picture_path, total, progress, seen(found.items))
    return render(
        "areas.html",
        styles=["page.css", "recommendations.css", "areas.css"],
        title=title,
        owner=found.owner,
        engine=engine,
        summary=_summary(found),
        notes=found.notes,
        groups=_views(found, reading, _MOST),
        kinds=MODALITY_CARDS,
    )


def person_page(answer: Answer, *, title: str, engine: str, progress: Progress = silent) -> str:
    """One HTML document, complete in itself: a person's areas, works of each modality, what each area finds.

    ``answer`` is that of `Person.recommend` with ``per_area``. ``title`` names the collection, ``engine`` says in plain
    words what tells works apart. Of the areas the eight weightiest of each modality show what they found, the first
    five works of each task. Equal input gives equal bytes.

    Raises:
        RequestError: the answer is none for a person.
        CollectionError: a picture cannot be read.
    """
    if answer.areas is None:
        raise RequestError("the page of a person needs a person's answer; ask `Person.recommend` for one")
    found = answer.areas
    whole = [each for each in answer.lists if not each.area]
    kept = _weightiest([each for each in answer.lists if each.area])
    total = sum(len(each.works) for each in whole) + sum(len(each.works[:_PER_AREA]) for each in kept)
    works = [work.id for each in answer.lists for work in each.works]
    reading = Reading(answer.picture_path, total, progress, answer.seen([*found.items, *works]))
    groups = _views(found, reading, dict.fromkeys(_MOST, _OVERVIEW))
    return render(
        "person.html",
        styles=["page.css", "recommendations.css", "areas.css"],
        scripts=["enlarge.js"],
        title=title,
        owner=found.owner,
        engine=engine,
        summary=_summary(found),
        notes=answer.notes,
        groups={modality: views[:_AREAS] for modality, views in groups.items()},
        shown={view.key for views in groups.values() for view in views[:_AREAS]},
        hidden=sum(len(views[_AREAS:]) for views in groups.values()),
        walls=[
            (each.target, [_suggestion(found, reading, each.target, *work) for work in enumerate(each.works, start=1)])
            for each in whole
        ],
        areas=[
            (name, key, made, [(each.target, _examples(each, reading)) for each in group])
            for (key, name, made), group in groupby(kept, key=lambda each: (each.area, each.name, each.by_software))
        ],
        kinds=MODALITY_CARDS,
    )


def typical(uploads: UploadsOfModality, number: int, most: int) -> list[int]:
    """The rows of an area's most typical uploads: the medoid, then those nearest to the centroid; ties by row."""
    area = uploads.areas[number]
    rows = np.array(area.members)
    closeness = uploads.vectors[rows].astype(np.float64) @ area.centroid.astype(np.float64)
    order = rows[np.lexsort([rows, -closeness, rows != area.medoid])]
    chosen: list[int] = order[:most].tolist()
    return chosen


def _summary(found: PersonAreas) -> str:
    """How much there is, in words: "23 pictures in 4 areas and 19 texts in 3 areas"."""
    *others, last = (
        f"{_counted(len(each.uploads), KINDS[modality])} in {_counted(len(each.uploads.areas), 'areas')}"
        for modality, each in found.by_modality.items()
    )
    return f"{', '.join(others)} and {last}" if others else last


def _views(found: PersonAreas, reading: Reading, most: Mapping[Modality, int]) -> dict[Modality, list[AreaView]]:
    """The areas of each modality with at most so many examples each, of texts no more than the page of areas shows."""
    return {
        modality: [
            _view(found, modality, number, reading, min(most[modality], _MOST[modality]))
            for number in range(len(interests.uploads.areas))
        ]
        for modality, interests in found.by_modality.items()
    }


def _view(found: PersonAreas, modality: Modality, number: int, reading: Reading, most: int) -> AreaView:
    interests = found.by_modality[modality]
    uploads = interests.uploads
    area = uploads.areas[number]
    weight, total = float(uploads.weights[number]), float(uploads.weights.sum()) or 1.0
    rows = typical(uploads, number, most if MODALITY_CARDS[modality].pictured else len(area))
    examples = [found.items[uploads.item_ids[row]] for row in rows]
    if not MODALITY_CARDS[modality].pictured:  # a series often has one title
        distinct: dict[str, Item] = {}
        for item in examples:
            distinct.setdefault(title_or_text(item), item)
        examples = list(distinct.values())[:most]
    return AreaView(
        key=area_key(modality, number),
        name=plain(uploads.names[number]),
        named_by=interests.naming[number].by,
        by_software=found.by_software(modality, number),
        size=_counted(len(area), KINDS[modality]),
        share=round(100 * weight / total),
        muted=weight == 0,
        words=_words([found.items[uploads.item_ids[row]] for row in area.members], found.language),
        examples=tuple(_example(item, modality, reading, found.called(item.id)) for item in examples),
        more=len(area) - len(examples),
    )


def _example(item: Item, modality: Modality, reading: Reading, title: str) -> Example:
    if MODALITY_CARDS[modality].pictured:
        return Example(item.id, title, reading.picture(item, _SIDE), reading.alt(item), "")
    excerpt = plain(item.description or ", ".join(item.keywords)) if item.title.strip() else ""
    return Example(item.id, title, None, AltText(""), excerpt)


def _examples(found: AnswerList, reading: Reading) -> list[Example]:
    return [_example(work.item, found.target, reading, title_or_text(work.item)) for work in found.works[:_PER_AREA]]


def _words(items: Sequence[Item], language: str) -> tuple[str, ...]:
    """The words that stand in most of an area's works, those that stand in two or more, commonest first."""
    counts = count_words_of_works([words_of_work(item, language) for item in items]).counts
    common = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    return tuple(f"{word} ({counts[word]})" for word in common[:_WORDS])


def _counted(number: int, nouns: str) -> str:
    return f"{number:,} {nouns if number != 1 else nouns[:-1]}"


def _weightiest(lists: Sequence[AnswerList]) -> list[AnswerList]:
    """What the first areas of each modality found; they stand in the order of their weight."""
    places: dict[Modality | None, dict[str, None]] = {}
    for each in lists:
        places.setdefault(each.source, {})[each.area] = None
    return [each for each in lists if each.area in list(places[each.source])[:_AREAS]]


def _suggestion(found: PersonAreas, reading: Reading, target: Modality, number: int, work: AnswerWork) -> Suggestion:
    item = replace(work.item, artist=work.item.artist or work.item.owner)
    if not MODALITY_CARDS[target].pictured:  # as a text: without the picture that it may have as well
        description = item.description or ", ".join(item.keywords)
        item = replace(item, title=item.title or title_or_text(item), picture="", description=description)
    shown = work_of(reading, number, item, also=work.also)
    areas = work.of_kind("area")
    near: dict[str, float] = {}
    for upload in work.of_kind("upload"):  # a work with a picture and a text may stand there twice
        if upload.id and upload.similarity is not None:
            near[upload.id] = max(upload.similarity, near.get(upload.id, -1.0))
    return Suggestion(
        shown,
        areas[0].id if areas else "",
        plain(areas[0].title) if areas else "",
        areas[0].by_software if areas else "",
        tuple(
            (found.called(upload), reading.picture(found.items[upload], _NEAR_SIDE), similarity)
            for upload, similarity in list(near.items())[:_NEAR]
        ),
    )
