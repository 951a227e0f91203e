"""The page that shows a visitor what was found for them, and why."""

from collections.abc import Mapping, Sequence
from math import isclose
from types import MappingProxyType

from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.pages.reasons import RatedWork, Why, rating_words, title_of, why
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Reading, Work, credit_of, credits_of, work_of
from vernissage.profiles.ratings import Profile
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Explanation
from vernissage.values import Ranking

RATED_SIDE = 240
_SHOWN_REASONS = 3


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
    reading = Reading(collection.picture_path, len(rated) + len(ranking), progress)
    shown = [_rated(reading, number, work) for number, work in enumerate(rated.values(), start=1)]
    return render(
        "recommendations.html",
        styles=["page.css", "recommendations.css"],
        scripts=["enlarge.js"],
        title=plain(title),
        engine=plain(engine),
        notes=[plain(note) for note in notes],
        rated=shown,
        credits=credits_of(shown),
        works=[
            work_of(reading, number, collection[item_id], _why(explained, item_id, rated, collection, engine_words))
            for number, item_id in enumerate(ranking.item_ids, start=1)
        ],
        fused=any(explanation.shares for explanation in explanations),
        reasoned=bool(explanations),
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
