"""The page that shows a person other people's works, and which of their own works speak for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.answer import Answer, AnswerList
from vernissage.gallery.answer import Work as AnswerWork
from vernissage.gallery.areas import PersonAreas
from vernissage.pages.areas import KINDS, AreaGroup, Example, area_groups, summary_of
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Picture, Reading, Work, title_or_text, work_of
from vernissage.progress import Progress, silent
from vernissage.values import Modality

NEAR_SIDE = 120
SMALL_SIDE = 240
_OVERVIEW = 5
_AREAS = 8
_PER_AREA = 5
_NEAR = 3


@dataclass(frozen=True)
class Near:
    """An upload that speaks for a work; ``bar`` is its similarity in percent, none below 0."""

    title: str
    picture: Picture | None
    similarity: str
    bar: float


@dataclass(frozen=True)
class Suggestion:
    """A recommended work with its reasons; ``anchor`` is the area's element in the page, empty where it has none."""

    id: str
    work: Work
    area: str
    anchor: str
    near: tuple[Near, ...]


@dataclass(frozen=True)
class TaskView:
    """What one area found in one modality."""

    heading: str
    target: Modality
    works: tuple[Example, ...]


@dataclass(frozen=True)
class AreaFindings:
    """An area and what it found."""

    name: str
    key: str
    tasks: tuple[TaskView, ...]


@dataclass(frozen=True)
class _Making:
    """What the parts of the page are made with."""

    items: Mapping[str, Item]
    reading: Reading
    anchors: frozenset[str]


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
    reading = Reading(answer.picture_path, total, progress)
    groups = tuple(replace(each, areas=each.areas[:_AREAS]) for each in area_groups(found, reading, examples=_OVERVIEW))
    making = _Making(found.items, reading, frozenset(area.anchor for each in groups for area in each.areas))
    return render(
        "person.html",
        styles=["page.css", "recommendations.css", "areas.css"],
        scripts=["enlarge.js"],
        title=plain(title),
        owner=plain(found.owner),
        engine=plain(engine),
        summary=summary_of(found),
        notes=[plain(note) for note in answer.notes],
        groups=groups,
        hidden=_hidden(found, groups),
        walls=[
            (f"Recommended {KINDS[each.target].lower()}", each.target, _suggestions(making, each)) for each in whole
        ],
        areas=_findings(reading, kept),
    )


def _weightiest(lists: Sequence[AnswerList]) -> list[AnswerList]:
    """What the first areas of each modality found; they stand in the order of their weight."""
    places: dict[Modality | None, list[str]] = {}
    for each in lists:
        if each.area not in places.setdefault(each.source, []):
            places[each.source].append(each.area)
    return [each for each in lists if each.area in places[each.source][:_AREAS]]


def _hidden(found: PersonAreas, groups: Sequence[AreaGroup]) -> int:
    return sum(len(each.uploads.areas) for each in found.by_modality.values()) - sum(len(each.areas) for each in groups)


def _suggestions(making: _Making, found: AnswerList) -> tuple[Suggestion, ...]:
    return tuple(_suggestion(making, number, found.target, work) for number, work in enumerate(found.works, start=1))


def _suggestion(making: _Making, number: int, target: Modality, found: AnswerWork) -> Suggestion:
    work = work_of(making.reading, number, _shown(found.item, target))
    areas = found.of_kind("area")
    anchor = areas[0].id.replace(":", "-") if areas else ""
    near: dict[str, float] = {}
    for upload in found.of_kind("upload"):  # a work with a picture and a text may stand there twice
        if upload.id and upload.similarity is not None:
            near[upload.id] = max(upload.similarity, near.get(upload.id, -1.0))
    return Suggestion(
        f"{target}-{number}",
        work,
        plain(areas[0].title) if areas else "",
        anchor if anchor in making.anchors else "",
        tuple(_near(making, item_id, similarity) for item_id, similarity in list(near.items())[:_NEAR]),
    )


def _shown(item: Item, target: Modality) -> Item:
    """A work as a picture, or as a text: without the picture that it may have as well."""
    whose = replace(item, artist=item.artist or item.owner)
    if target == "image":
        return whose
    title = item.title or title_or_text(item)
    return replace(whose, title=title, picture="", description=item.description or ", ".join(item.keywords))


def _near(making: _Making, item_id: str, similarity: float) -> Near:
    item = making.items[item_id]
    picture = making.reading.picture(item, NEAR_SIDE)
    return Near(title_or_text(item), picture, f"{similarity:.2f}".replace("-", "−"), round(100 * max(similarity, 0), 1))


def _findings(reading: Reading, kept: Sequence[AnswerList]) -> list[AreaFindings]:
    return [
        AreaFindings(plain(name), key, tuple(_task(reading, each) for each in group))
        for (key, name), group in groupby(kept, key=lambda each: (each.area, each.name))
    ]


def _task(reading: Reading, found: AnswerList) -> TaskView:
    pictured = found.target == "image"
    examples = []
    for work in found.works[:_PER_AREA]:
        item = work.item
        picture = reading.picture(item, SMALL_SIDE) if pictured else None
        excerpt = plain(item.description or ", ".join(item.keywords)) if item.title and not pictured else ""
        examples.append(Example(item.id, title_or_text(item), picture, excerpt))
    return TaskView(KINDS[found.target], found.target, tuple(examples))
