"""Answers made by hand, for pages."""

from collections.abc import Mapping, Sequence

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.gallery.answer import Answer, Reason, Work
from vernissage.profiles.ratings import WeightingRule, profile_from_ratings
from vernissage.recommenders.contract import Explanation, Recommender


def answer_of(collection: Collection, why: Sequence[Explanation], notes: Sequence[str] = ()) -> Answer:
    """An answer with these explanations; engines are called by their own names."""
    works = []
    for each in why:
        reasons = [
            Reason("rated", one.item_id, collection[one.item_id].title, one.contribution, 0.0, "", one.weight)
            for one in each.reasons
        ]
        reasons += [
            Reason("engine", part.engine, part.engine, part.share, 0.0, "", rank=part.rank or None)
            for part in each.shares
        ]
        works.append(Work(collection[each.item_id], each.score, tuple(reasons)))
    return Answer("recommendation", tuple(works), "toy", "f", tuple(notes), picture_path=collection.picture_path)


def recommended(
    collection: Collection,
    recommender: Recommender,
    ratings: Mapping[str, float],
    rule: WeightingRule = "linear",
    notes: Sequence[str] = (),
) -> Answer:
    """What a recommender answers for ratings."""
    found = recommender.recommend(profile_from_ratings(ratings, rule), 9)
    return answer_of(collection, found.explanations, notes)


def rated(collection: Collection, ratings: Mapping[str, float]) -> list[tuple[Item, float]]:
    """The rated works with their ratings, as pages take them."""
    return [(collection[item_id], rating) for item_id, rating in ratings.items()]
