"""The works of a recommender that have a place in an answer: pinned ones first, varied, within caps, above rounding."""

from operator import attrgetter

from vernissage.errors import NothingAlikeError
from vernissage.gallery.engines import indexes_of
from vernissage.gallery.selecting import Selection
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Engine, Explanation, Recommendation, Recommender
from vernissage.values import Ranking


def first_works(
    recommender: Recommender, profile: Profile, asked: Selection
) -> tuple[Recommendation[Explanation], list[str]]:
    """What is recommended for a profile, and the ids of the works that have a place, best first.

    Diversity and pinning are imported here, for few answers have them.

    Raises:
        RequestError, RatingsError: as `Recommender.recommend`; `NothingAlikeError` where to an engine all works are
            equally like the rated ones.
    """
    reranked = recommender
    if asked.diversity:
        from vernissage.recommenders.diversity import Diversified

        reranked = Diversified(reranked, indexes_of(recommender), asked.diversity)
    if asked.snapshot.editorial.pinned:
        from vernissage.recommenders.pinned import Pinned

        reranked = Pinned(reranked, asked.snapshot.editorial.pinned)
    found, places = asked.first(
        lambda count: reranked.recommend(profile, count, asked.allow), attrgetter("ranking.item_ids")
    )
    if isinstance(reranked, Engine):
        places = _above_rounding(reranked, profile, asked, found.ranking, places)
    return found, [found.ranking.item_ids[place] for place in places]


def _above_rounding(
    engine: Engine, profile: Profile, asked: Selection, ranking: Ranking, places: list[int]
) -> list[int]:
    """The places of works that an engine finds like the rated ones; all of them where it finds any unlike these.

    Raises:
        NothingAlikeError: to the engine all works are equally like the rated ones.
    """
    scored = engine.scored(profile)
    like = [place for place in places if ranking.scores[place] > scored.floor]
    if len(like) == len(places) or ranking.scores[-1] < -scored.floor:
        return places
    if scored.lowest(asked.allow.without(profile.item_ids)) < -scored.floor:
        return places
    if not like:
        raise NothingAlikeError(
            f"{engine.name} finds nothing that resembles the rated works, so none can be recommended; rate other "
            f"works, or choose another engine"
        )
    return like
