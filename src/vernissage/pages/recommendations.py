"""The page that shows a visitor what was found for them, and why."""

from collections.abc import Sequence

from vernissage.catalog.item import Item
from vernissage.gallery.answer import Answer
from vernissage.pages.reasons import RatedWork, rating_words, title_of, why
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Reading, Work, credit_of, credits_of, work_of
from vernissage.progress import Progress, silent

RATED_SIDE = 240
_SHOWN_REASONS = 3


def recommendation_page(
    answer: Answer, ratings: Sequence[tuple[Item, float]], *, title: str, engine: str, progress: Progress = silent
) -> str:
    """One HTML document, complete in itself, that shows the rated works and the recommended ones with their reasons.

    ``ratings`` are the rated works with their ratings, ``title`` names the collection, ``engine`` says in plain words
    how the works were chosen. Equal input gives equal bytes.

    Raises:
        RequestError: the reasons of a work do not add up to its score.
        CollectionError: a picture cannot be read.
    """
    rated = {
        item.id: RatedWork(item, rating, f"rated-{number}") for number, (item, rating) in enumerate(ratings, start=1)
    }
    reading = Reading(answer.picture_path, len(rated) + len(answer), progress)
    shown = [_rated(reading, number, work) for number, work in enumerate(rated.values(), start=1)]
    return render(
        "recommendations.html",
        styles=["page.css", "recommendations.css"],
        scripts=["enlarge.js"],
        title=plain(title),
        engine=plain(engine),
        notes=[plain(note) for note in answer.notes],
        rated=shown,
        credits=credits_of(shown),
        works=[
            work_of(reading, number, work.item, why(work, rated) if work.reasons else None)
            for number, work in enumerate(answer.works, start=1)
        ],
        fused=any(work.of_kind("engine") for work in answer.works),
        reasoned=any(work.reasons for work in answer.works),
        shown=_SHOWN_REASONS,
    )


def _rated(reading: Reading, number: int, rated: RatedWork) -> Work:
    item = rated.item
    return Work(
        number=number,
        title=title_of(item),
        artist=plain(item.artist),
        year=plain(item.year),
        description="",
        long=False,
        credit=credit_of(item),
        picture=reading.picture(item, RATED_SIDE),
        anchor=rated.anchor,
        rating=rating_words(rated.rating),
        stars=round(20 * rated.rating, 2),
    )
