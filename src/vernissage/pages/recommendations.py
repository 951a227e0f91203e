"""The page that shows a visitor what was found for them, and why."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from types import MappingProxyType

from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE, thumbnail
from vernissage.errors import RequestError
from vernissage.pages.reasons import RatedWork, Why, rating_words, title_of, why
from vernissage.pages.templating import data_uri, plain, render
from vernissage.profiles.ratings import Profile
from vernissage.progress import Progress, silent
from vernissage.rankings import Ranking
from vernissage.recommenders.contract import Explanation

PICTURE_SIDE = 720
"""Pixels of a recommended work's longer side: sharp on dense screens, and large enough to fill a phone."""

RATED_SIDE = 240
_SHOWN_REASONS = 3
_LONG_TEXT = 110
_CREDITS = frozenset({"credit", "creditline", "credit line", "credit_line"})


@dataclass(frozen=True)
class Picture:
    """A picture inside the page: its data as an address, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Work:
    """One work as the page prints it."""

    number: int
    title: str
    artist: str
    year: str
    description: str
    long: bool
    credit: str
    picture: Picture | None
    why: Why | None = None
    anchor: str = ""
    rating: str = ""
    stars: float = 0.0


def recommendation_page(
    collection: Collection,
    profile: Profile,
    ranking: Ranking,
    explanations: Sequence[Explanation],
    *,
    title: str,
    engine: str,
    engine_words: Mapping[str, str] = MappingProxyType({}),
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> str:
    """One HTML document, complete in itself, that shows the rated works and the recommended ones with their reasons.

    ``title`` names the collection, ``engine`` says in plain words how the works were chosen, ``engine_words`` says the
    same of each engine that a fusion names, and ``notes`` are further sentences for the reader. ``explanations`` may
    stand in any order; a work without one is shown without reasons. Equal input gives equal bytes.

    Raises:
        UnknownItemError: a rated or recommended work is not in the collection.
        RequestError: an explanation does not belong to the ranking, or its parts do not add up to its score.
        CollectionError: a picture cannot be read.
    """
    explained = _by_work(ranking, explanations)
    rated = {
        item_id: RatedWork(collection[item_id], float(rating), f"rated-{number}")
        for number, (item_id, rating) in enumerate(zip(profile.item_ids, profile.ratings, strict=True), start=1)
    }
    reading = _Reading(collection, len(rated) + len(ranking), progress)
    shown = [_rated(reading, number, work) for number, work in enumerate(rated.values(), start=1)]
    return render(
        "recommendations.html",
        styles=["page.css", "recommendations.css"],
        scripts=["enlarge.js"],
        title=plain(title),
        engine=plain(engine),
        notes=[plain(note) for note in notes],
        rated=shown,
        credits=_credits(shown),
        works=[
            _work(reading, number, collection[item_id], _why(explained, item_id, rated, collection, engine_words))
            for number, item_id in enumerate(ranking.item_ids, start=1)
        ],
        fused=any(explanation.shares for explanation in explanations),
        reasoned=bool(explanations),
        shown=_SHOWN_REASONS,
    )


class _Reading:
    """Reads pictures one by one and reports on it."""

    def __init__(self, collection: Collection, total: int, progress: Progress) -> None:
        self._collection = collection
        self._progress = progress
        self._total = total
        self._done = 0

    def picture(self, item: Item, side: int) -> Picture | None:
        path = self._collection.picture_path(item)
        picture = None
        if path is not None:
            content = thumbnail(path, side)
            with Image.open(io.BytesIO(content)) as image:
                picture = Picture(data_uri(content, THUMBNAIL_MEDIA_TYPE), *image.size)
        self._done += 1
        self._progress("reading pictures", self._done, self._total)
        return picture


def _work(reading: _Reading, number: int, item: Item, reasons: Why | None) -> Work:
    return Work(
        number=number,
        title=title_of(item),
        artist=plain(item.artist),
        year=plain(item.year),
        description=item.description.strip(),
        long=len(item.description.strip()) > _LONG_TEXT,
        credit=_credit(item),
        picture=reading.picture(item, PICTURE_SIDE),
        why=reasons,
    )


def _rated(reading: _Reading, number: int, rated: RatedWork) -> Work:
    item = rated.item
    return Work(
        number=number,
        title=title_of(item),
        artist=plain(item.artist),
        year=plain(item.year),
        description="",
        long=False,
        credit=_credit(item),
        picture=reading.picture(item, RATED_SIDE),
        anchor=rated.anchor,
        rating=rating_words(rated.rating),
        stars=round(20 * rated.rating, 2),
    )


def _credit(item: Item) -> str:
    lines = [plain(value) for name, value in item.attributes.items() if name.casefold() in _CREDITS]
    return " · ".join(part for part in (*lines, plain(item.licence)) if part)


def _credits(works: Sequence[Work]) -> dict[str, list[str]]:
    """The titles under each credit, in the order in which they are met."""
    titles: dict[str, list[str]] = {}
    for work in works:
        if work.credit:
            titles.setdefault(work.credit, []).append(work.title)
    return titles


def _why(
    explained: dict[str, Explanation],
    item_id: str,
    rated: dict[str, RatedWork],
    collection: Collection,
    engine_words: Mapping[str, str],
) -> Why | None:
    return why(explained[item_id], rated, collection, engine_words) if item_id in explained else None


def _by_work(ranking: Ranking, explanations: Sequence[Explanation]) -> dict[str, Explanation]:
    """Explanations by work, after checking that each explains the score that ranked its work.

    Scores may be float32 sums in the ranking and float64 sums in the explanation, so they agree to about six digits.
    """
    scores = dict(ranking)
    for explanation in explanations:
        score = scores.get(explanation.item_id)
        if score is None:
            raise RequestError(f"{explanation.item_id} is explained but not ranked; explain the works of the ranking")
        if not isclose(score, explanation.score, rel_tol=1e-3, abs_tol=1e-5):
            raise RequestError(
                f"{explanation.item_id} was ranked with the score {score:g}, but {explanation.score:g} is explained; "
                f"explain it with the recommender, profile and filter that ranked it"
            )
    return {explanation.item_id: explanation for explanation in explanations}
