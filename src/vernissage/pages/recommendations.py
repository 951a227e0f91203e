"""The file that shows a visitor what was found for them, and why."""

from collections.abc import Sequence
from typing import Any

from vernissage.catalog.item import Item
from vernissage.gallery.answer import Answer, record_of
from vernissage.pages.visitor.for_you import STARS, Common, name_of, notes_of, why_of
from vernissage.pages.visitor.frame import in_one_file
from vernissage.pages.works import PICTURE_SIDE, Reading, name_without_title
from vernissage.progress import Progress, silent

RATED_SIDE = 288


def recommendation_page(
    answer: Answer,
    ratings: Sequence[tuple[Item, float]],
    *,
    title: str,
    common: Common = lambda _, __: (),
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself, that shows the recommended works with their reasons, and the rated ones.

    ``ratings`` are the rated works with their ratings, ``title`` names the collection, ``common`` says what two works
    share. Equal input gives equal bytes.

    Raises:
        CollectionError: a picture cannot be read.
    """
    rated, given = {item.id: item for item, _ in ratings}, {item.id: rating for item, rating in ratings}
    items = rated | {work.id: work.item for work in answer.works}
    reading = Reading(answer.picture_path, len(rated) + len(answer), progress, answer.seen([*items]))

    def filled(record: dict[str, Any], side: int) -> dict[str, Any]:
        """The record with its picture, and what to call it."""
        item = items[record["id"]]
        if picture := reading.picture(item, side):
            sized = {"src": picture.uri, "srcset": "", "width": picture.width, "height": picture.height}
            record["thumbnail"] = sized | {"alt": reading.alt(item).text}
        return record | {"name": name_without_title(item, reading.tags(item))}

    records = {item_id: filled(record_of(item), RATED_SIDE) for item_id, item in rated.items()}
    works = [filled(each, PICTURE_SIDE) for each in answer.to_dict()["works"]]
    return in_one_file(
        "visitor/one_list.html",
        title,
        works=works,
        why={each["id"]: why_of(each, given, records, items, common) for each in works},
        rated=list(records.values()),
        ratings=given,
        notes=notes_of(given, works),
        stars=dict(STARS),
        name=name_of,
    )
