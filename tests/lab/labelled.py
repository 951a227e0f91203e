"""A gallery in which every work is one of five palettes × one of six subjects, and engines that see only one of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tests.worlds import table_of

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import exact_index
from vernissage_lab.lists import label_index
from vernissage_lab.tastes import Labels, make_labels

PALETTES, SUBJECTS = 5, 6


def gallery(works: int = 600, groups: int = 0, seed: int = 7) -> tuple[Collection, Labels]:
    """Works with independent palettes and subjects; groups, if any, say nothing about either."""
    random = np.random.default_rng(seed)
    palettes, subjects = random.integers(PALETTES, size=works), random.integers(SUBJECTS, size=works)
    ids = [f"w{number:04d}" for number in range(works)]
    items = [
        Item(
            item_id,
            group=f"g{number % groups}" if groups else "",
            text=f"a work in palette{palettes[number]}",
            attributes={"palette": f"palette{palettes[number]}", "subject": f"subject{subjects[number]}"},
        )
        for number, item_id in enumerate(ids)
    ]
    values = {"palette": [f"palette{p}" for p in palettes], "subject": [f"subject{s}" for s in subjects]}
    return Collection(items, Path()), make_labels(ids, values)


def seeing(labels: Labels, facet: str, *, noise: float = 0.15, seed: int = 1) -> RatingWeightedSimilarity:
    """An engine whose vectors are one facet's categories plus noise in eight further dimensions."""
    codes = labels.codes[:, labels.facets.index(facet)]
    exact = np.eye(len(labels.categories[facet]))[codes]
    blur = np.random.default_rng(seed).normal(0, noise, (len(codes), 8))
    return RatingWeightedSimilarity(
        exact_index(table_of(np.hstack([exact, blur]), labels.item_ids, encoder=facet)), name=facet
    )


def seeing_all(labels: Labels) -> RatingWeightedSimilarity:
    return RatingWeightedSimilarity(label_index(labels), name="labels")


def part_of(labels: Labels, facet: str, item_ids: Sequence[str]) -> RatingWeightedSimilarity:
    """The same engine knowing some works only."""
    whole = seeing(labels, facet).index
    return RatingWeightedSimilarity(exact_index(table_of(whole.vectors_of(item_ids), item_ids)), name=facet)


def columns(labels: Labels) -> Mapping[str, list[str]]:
    """Each facet's categories by name, in the order of the works."""
    return {
        facet: [labels.categories[facet][code] for code in labels.codes[:, number]]
        for number, facet in enumerate(labels.facets)
    }
