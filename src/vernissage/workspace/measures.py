"""What a build measures of all works: clusters to rate from, weights of the default fusion, and bands of scores."""

from collections.abc import Collection as Container
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from itertools import product

import numpy as np
from threadpoolctl import threadpool_limits

from vernissage.analysis.bands import Bounds, rated_bounds, search_bounds
from vernissage.analysis.fusion_weights import Representation, RepresentationWeight, fusion_weights
from vernissage.catalog.collection import Collection
from vernissage.encoders.register import card_of, members_of_default
from vernissage.files import digest
from vernissage.search.joint import joint_of
from vernissage.search.vectors import VectorTable
from vernissage.values import MODALITY_CARDS, Modality
from vernissage.workspace.clusters import Clusters, clusters_of_collection
from vernissage.workspace.copies import Copies

_WEIGHED = 1_000
"""Works of which the weights of representations are learned: a third of a second."""
_FEWEST_ASKED, _MOST_ASKED, _SCORED = 30, 100, 2_000_000
"""Requests of random works, and how many scores they may take: seconds of a hundred thousand works."""


@dataclass(frozen=True, eq=False)
class Measures:
    """What can be measured of the ``works`` of a collection by their vectors, the same for the same works and vectors.

    Attributes:
        works: the collection.
        copies: which of them are the same.
        tables: the vectors of each encoder and modality.
        kept: the joint vectors of encoders, where they are kept.
        pairs: the encoders that read pictures and texts together, beside these.
    """

    works: Collection
    copies: Copies
    tables: Mapping[tuple[str, Modality], VectorTable]
    kept: Mapping[str, VectorTable]
    pairs: Container[str]

    @cached_property
    def joint(self) -> dict[str, VectorTable]:
        """One table for each encoder that is an engine; pictures and texts joined where it reads both."""
        names = dict.fromkeys(name for name, _ in self.tables if not card_of(name).internal)
        return {name: self.kept.get(name) or joint_of(tables_of(self.tables, name)) for name in names}

    @property
    def fused(self) -> tuple[str, ...]:
        """The encoders whose vectors the default fusion compares."""
        return members_of_default(list(self.joint), ())

    def clusters(self, seed: int) -> Clusters:
        """The clusters that works to rate are drawn from (see `clusters_of_collection`)."""
        return clusters_of_collection(self.works, self.copies, [self.joint[name] for name in self.fused], seed)

    def weights(self) -> dict[str, RepresentationWeight]:
        """What each representation counts in the default fusion, learned from works that are chosen by their ids.

        So a work that is added or removed changes one row of the sample at most.
        """
        ids = sorted(_drawn(self.works.ids, _WEIGHED))
        found = [
            Representation(name, frozenset(card_of(name).modalities), self.joint[name].vectors_of(ids))
            for name in self.fused
            if len(self.joint[name])  # no row at all where all works are alike
        ]
        owners = self.works.texts("owner")
        with threadpool_limits(1):  # equal input, equal bits
            return fusion_weights(found, [owners[row] for row in self.works.ids.rows(ids).tolist()])

    def bands(self, weights: Mapping[str, float]) -> dict[str, dict[str, Bounds]]:
        """Where scores are fair and strong, by engine and by how many works were rated; searches by what finds what.

        Works that are the same count once, as in answers. ``weights`` are those of the default fusion, 1 if not named.
        """
        ids = [each for each in self.works.ids if each not in self.copies.repeated]
        count = min(len(ids), max(_FEWEST_ASKED, min(_MOST_ASKED, _SCORED // max(1, len(ids)))))
        row_of = {item_id: row for row, item_id in enumerate(ids)}
        chosen = np.array([row_of[each] for each in _drawn(ids, count)], np.int64)
        joint = {name: table.vectors_of(ids) for name, table in self.joint.items()}
        with threadpool_limits(1):  # equal input, equal bits
            found = rated_bounds(joint, {name: weights.get(name, 1.0) for name in self.fused}, chosen, "late-zscore")
            if members_of_default(list(joint), self.pairs) != self.fused:
                found.pop("late-zscore")  # it adds pairs read together, too, of which nothing was measured
            for name in joint:
                sides = {side: self.tables[name, side].vectors_of(ids) for at, side in self.tables if at == name}
                for source, target in product(sides, [each for each in sides if MODALITY_CARDS[each].pictured]):
                    if own := search_bounds(sides[source], sides[target], chosen):
                        found[name][f"{source}-to-{target}"] = own
        return {name: kinds for name, kinds in found.items() if kinds}


def tables_of(tables: Mapping[tuple[str, Modality], VectorTable], encoder: str) -> dict[Modality, VectorTable]:
    """One encoder's tables, by modality."""
    return {modality: table for (name, modality), table in tables.items() if name == encoder}


def _drawn(ids: Sequence[str], count: int) -> list[str]:
    """So many ids as if drawn at random, but the same ones each time, whatever others are there."""
    return nsmallest(count, ids, key=lambda item_id: digest(item_id.encode()))
