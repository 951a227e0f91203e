"""The record of an evaluation: every number, definition and version that a rerun needs, as JSON values."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy

import vernissage
from vernissage.catalog.collection import Collection
from vernissage.profiles.ratings import WeightingRule
from vernissage_lab.labels import UNKNOWN, Labels
from vernissage_lab.visitors import (
    CATEGORY_CONCENTRATION,
    FACET_CONCENTRATION,
    NOISE_SD,
    RELEVANT_SHARE,
    Elicitation,
    Visitor,
)


def protocol_of(
    engines: Mapping[str, int],
    labels: Labels,
    collection: Collection,
    chosen: Elicitation,
    people: Sequence[Visitor],
    n: int,
    seed: int,
    rule: WeightingRule,
) -> dict[str, Any]:
    """The record; ``engines`` are their names and how many works each knows, ``labels`` those of the candidates."""
    return {
        "visitors": len(people),
        "visitors_redrawn_for_equal_ratings": sum(visitor.redrawn for visitor in people),
        "seed": seed,
        "n": n,
        "rule": rule,
        "ratings_each": len(chosen.strata),
        "rated_works": "one at random from each group" if chosen.by_group else "one at random from each ninth",
        "works": len(collection),
        "candidates": len(labels.item_ids),
        "candidates_are": "works with a label that at least one engine knows; the rated ones are not judged",
        "engines": {name: {"works": works} for name, works in engines.items()},
        "facets": [_facet(labels, collection, number) for number in range(len(labels.facets))],
        "facets_left_out": dict(labels.left_out),
        "facet_concentration": FACET_CONCENTRATION,
        "category_concentration": CATEGORY_CONCENTRATION,
        "rating_noise_sd": NOISE_SD,
        "relevant_share": RELEVANT_SHARE,
        "gain": "affinity in [0, 1], linear; discount log2(place + 1); ideal over all candidates",
        "collection": collection.fingerprint,
        "versions": {
            "vernissage": vernissage.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def _facet(labels: Labels, collection: Collection, number: int) -> dict[str, Any]:
    """One facet, and in how many works its category stands literally in the text, where text engines can read it."""
    facet, codes = labels.facets[number], labels.codes[:, number]
    known = [(item_id, code) for item_id, code in zip(labels.item_ids, codes.tolist(), strict=True) if code != UNKNOWN]
    names = labels.categories[facet]
    stated = sum(names[code].casefold() in collection[item_id].text.casefold() for item_id, code in known)
    return {
        "name": facet,
        "categories": len({code for _, code in known}),
        "works_known": len(known),
        "works_whose_text_states_it": stated,
    }
