"""The page that shows a person other people's works, and which of their own works speak for each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from vernissage.catalog.item import Item
from vernissage.pages.areas import KINDS, Example, SideView, side_views, summary_of
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Picture, PicturePath, Reading, Work, title_or_text, work_of
from vernissage.progress import Progress, silent
from vernissage.recommenders.area_reasons import Resemblance
from vernissage.recommenders.area_seeds import AreaRanking
from vernissage.recommenders.upload_contract import UploadAnswer, UploadReason
from vernissage.values import Modality
from vernissage.workspace.profiling import OwnerInterests

AreaFinding = tuple[AreaRanking, Sequence[Sequence[Resemblance]]]
"""What an area found for one task, and for each work the person's uploads that it resembles."""

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

    found: OwnerInterests
    items: Mapping[str, Item]
    reading: Reading
    anchors: frozenset[str]


def owner_page(
    found: OwnerInterests,
    answers: Sequence[UploadAnswer],
    by_area: Sequence[AreaFinding],
    items: Callable[[Iterable[str]], Mapping[str, Item]],
    picture_path: PicturePath,
    *,
    title: str,
    engine: str,
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself: a person's areas, a wall of works for each modality, what each area finds.

    ``items`` looks works up by id. ``title`` names the collection, ``engine`` says in plain words what tells works
    apart, ``notes`` are further sentences for the reader. Of the areas the eight weightiest of each modality show what
    they found, the first five works of each task. Equal input gives equal bytes.

    Raises:
        CollectionError: a picture cannot be read.
    """
    kept = _weightiest(by_area)
    works = [item_id for answer in answers for item_id in answer.ranking.item_ids]
    works += [item_id for ranking, _ in kept for item_id in ranking.ranking.item_ids[:_PER_AREA]]
    known = {**found.items, **items(works)}
    reading = Reading(picture_path, len(works), progress)
    sides = tuple(replace(side, areas=side.areas[:_AREAS]) for side in side_views(found, reading, examples=_OVERVIEW))
    making = _Making(found, known, reading, frozenset(area.anchor for side in sides for area in side.areas))
    return render(
        "owner.html",
        styles=["page.css", "recommendations.css", "areas.css"],
        scripts=["enlarge.js"],
        title=plain(title),
        owner=plain(found.owner),
        engine=plain(engine),
        summary=summary_of(found),
        notes=[plain(note) for note in notes],
        sides=sides,
        hidden=_hidden(found, sides),
        walls=[
            (f"Recommended {KINDS[answer.target].lower()}", answer.target, _suggestions(making, answer))
            for answer in answers
        ],
        areas=_findings(making, kept),
    )


def _weightiest(by_area: Sequence[AreaFinding]) -> list[AreaFinding]:
    """What the first areas of each modality found; they stand in the order of their weight."""
    places: dict[Modality, list[int]] = {}
    for ranking, _ in by_area:
        if ranking.area not in places.setdefault(ranking.source, []):
            places[ranking.source].append(ranking.area)
    return [each for each in by_area if each[0].area in places[each[0].source][:_AREAS]]


def _hidden(found: OwnerInterests, sides: Sequence[SideView]) -> int:
    return sum(len(each.side.areas) for each in found.sides.values()) - sum(len(side.areas) for side in sides)


def _suggestions(making: _Making, answer: UploadAnswer) -> tuple[Suggestion, ...]:
    reasons = {reason.item_id: reason for reason in answer.reasons}
    return tuple(
        _suggestion(making, number, answer.target, making.items[item_id], reasons.get(item_id))
        for number, item_id in enumerate(answer.ranking.item_ids, start=1)
    )


def _suggestion(making: _Making, number: int, target: Modality, item: Item, reason: UploadReason | None) -> Suggestion:
    work = work_of(making.reading, number, _shown(item, target))
    if reason is None:
        return Suggestion(f"{target}-{number}", work, "", "", ())
    anchor = f"{reason.area.source}-{reason.area.number + 1}"
    near: dict[str, float] = {}
    for upload in reason.uploads:  # a work with a picture and a text may stand there twice
        near[upload.item_id] = max(upload.similarity, near.get(upload.item_id, -1.0))
    return Suggestion(
        f"{target}-{number}",
        work,
        plain(reason.area.name),
        anchor if anchor in making.anchors and reason.area.name else "",
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


def _findings(making: _Making, kept: Sequence[AreaFinding]) -> list[AreaFindings]:
    grouped = groupby(kept, key=lambda each: (each[0].source, each[0].area))
    return [
        AreaFindings(
            plain(making.found.sides[source].side.names[area]),
            f"{source}:{area + 1}",
            tuple(_task(making, ranking) for ranking, _ in group),
        )
        for (source, area), group in grouped
    ]


def _task(making: _Making, ranking: AreaRanking) -> TaskView:
    works = [making.items[item_id] for item_id in ranking.ranking.item_ids[:_PER_AREA]]
    pictured = ranking.target == "image"
    return TaskView(
        KINDS[ranking.target],
        ranking.target,
        tuple(
            Example(
                item.id,
                title_or_text(item),
                making.reading.picture(item, SMALL_SIDE) if pictured else None,
                "" if pictured else plain(item.description or ", ".join(item.keywords)) if item.title else "",
            )
            for item in works
        ),
    )
