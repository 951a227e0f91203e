"""What is known of works as categories: the space in which simulated tastes live and lists are compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.vectors import make_vector_table

Codes = npt.NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Labels:
    """Works × facets, each cell one category or unknown.

    Attributes:
        item_ids: the works, (n,).
        categories: for each facet its categories in alphabetical order.
        codes: the place of each work's category in these, `UNKNOWN` (−1) where there is none; int64 (n, facets).
        left_out: facets that were looked at and not taken, with the reason.
    """

    item_ids: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    codes: Codes
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def facets(self) -> tuple[str, ...]:
        return tuple(self.categories)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each work id."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def labelled(self) -> frozenset[str]:
        """The works of which at least one facet is known."""
        known = (self.codes != UNKNOWN).any(axis=1)
        return frozenset(item_id for item_id, any_known in zip(self.item_ids, known, strict=True) if any_known)

    def of(self, item_ids: Sequence[str]) -> "Labels":
        """The labels of these works alone, in this order; the categories stay as they are."""
        rows = [self.row_of[item_id] for item_id in item_ids]
        return Labels(tuple(item_ids), self.categories, self.codes[rows], self.left_out)

    def distances(self, some: Codes, others: Codes) -> npt.NDArray[np.float64]:
        """The share of facets in which works differ, float64 (len(some), len(others)) in [0, 1], for rows of works.

        The simple matching distance. An unknown category equals none, so it counts as a difference, but not from the
        work itself.
        """
        left, right = self.codes[some][:, None], self.codes[others][None]
        differ = (left != right) | (left == UNKNOWN)
        same = some[:, None] == others[None]
        return np.asarray(np.where(same, 0.0, differ.mean(axis=2)), dtype=np.float64)


def make_labels(
    item_ids: Sequence[str], values: Mapping[str, Sequence[str]], left_out: Mapping[str, str] | None = None
) -> Labels:
    """Labels from one category a work and facet, an empty string where it is unknown.

    Raises:
        RequestError: no facet, a facet with fewer than 2 categories, or not one value for each work.
    """
    if not values:
        raise RequestError("no facet was given; a taste needs one or more, for example subject and palette")
    categories = {facet: tuple(sorted({value for value in column if value})) for facet, column in values.items()}
    codes = np.full((len(item_ids), len(values)), UNKNOWN, dtype=np.int64)
    for number, (facet, column) in enumerate(values.items()):
        if len(column) != len(item_ids):
            raise RequestError(f"the facet {facet} has {len(column)} values for {len(item_ids)} works; give one each")
        if len(categories[facet]) < 2:
            raise RequestError(f"the facet {facet} has {len(categories[facet])} categories; a taste needs 2 or more")
        place = {category: row for row, category in enumerate(categories[facet])}
        codes[:, number] = [place.get(value, UNKNOWN) for value in column]
    return Labels(tuple(item_ids), MappingProxyType(categories), codes, MappingProxyType(dict(left_out or {})))


def label_index(labels: Labels) -> ExactIndex:
    """Works as their categories, one dimension a category: what an engine that reads every label would know.

    Rating-weighted similarity over it is a reference line: the same few ratings without any error of an encoder.
    """
    blocks = []
    for number, facet in enumerate(labels.facets):
        codes = labels.codes[:, number]
        block = np.zeros((len(codes), len(labels.categories[facet])))
        known = np.flatnonzero(codes != UNKNOWN)
        block[known, codes[known]] = 1
        blocks.append(block)
    vectors = unit_rows(np.concatenate(blocks, axis=1))
    contents = [""] * len(labels.item_ids)
    return exact_index(
        make_vector_table(
            vectors, labels.item_ids, contents, encoder="labels", fingerprint="", modality="text", collection=""
        )
    )


def shared_categories(values: Sequence[str]) -> tuple[str, ...]:
    """The values with a category that one work alone has made unknown: it says nothing about any other work."""
    counts = Counter(value for value in values if value)
    return tuple(value if counts[value] > 1 else "" for value in values)
