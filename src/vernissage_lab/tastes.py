"""Labels of works, from a table of hidden factors or the collection's columns: what simulated tastes are made of."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.errors import CollectionError, RequestError

Codes = npt.NDArray[np.int64]
UNKNOWN = -1

FIELDS = ("group", "artist", "medium")
"""Fields of a work that may be facets by themselves; ``owner`` may be named, other columns join by rule."""

LEAST_KNOWN = 0.25
"""A facet is taken by itself when its shared categories cover at least this share of the works."""

LONGEST_CATEGORY = 60
"""Columns whose values are mostly longer, in characters, hold sentences and not categories."""

_NAMES_NOBODY = re.compile(
    r"(unknown|anonymous|unidentified|not known|none|n/?a|[-?–—]+)( (artist|maker))?", re.IGNORECASE
)


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


def labels_from_factors(path: Path, collection: Collection) -> Labels:
    """Read hidden factors: a CSV table with the column ``id`` and one column for each facet; empty cells are unknown.

    Works of the collection that the table lacks have no label. Columns with fewer than 2 categories, or with another
    value in more than half of the works, are left out and named in `Labels.left_out`.

    Raises:
        CollectionError: the table cannot be read, has no column ``id``, names a work twice or one that the
            collection lacks, or no column remains.
    """
    rows, columns = _read_table(path)
    _check_ids(path, [row["id"] for row in rows], collection)
    cells = {row["id"]: row for row in rows}
    found: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    for column in columns:
        values = tuple(cells[item_id][column] if item_id in cells else "" for item_id in collection.ids)
        reason = _no_factor(values)
        if reason:
            left_out[column] = reason
        else:
            found[column] = values
    if not found:
        why = "; ".join(f"{column} {reason}" for column, reason in left_out.items()) or "there is none beside id"
        raise CollectionError(f"{path} has no column of categories ({why}); give one, for example subject")
    return make_labels(collection.ids, found, left_out)


def labels_from_collection(collection: Collection, facets: Sequence[str] | None = None) -> Labels:
    """Take what the collection's table says of its works as categories.

    Without ``facets``, group, artist, medium and every further column are looked at, and those are taken whose
    categories are fit for tastes: 2 or more, each of 2 works or more (a category of a single work counts as
    unknown), together covering at least a quarter of the works, mostly of 60 characters or fewer (which leaves out
    free text), not all numbers, and not the same partition as a facet before. Named facets need 2 categories only.

    Raises:
        RequestError: a facet that the collection does not have, with those that it has; or none is fit.
    """
    columns = _columns(collection)
    if facets is not None:
        return make_labels(collection.ids, _named(columns, facets))
    found: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    for name, values in columns.items():
        reason = _unfit(values, found) if name != "owner" else "says who brought the work, not what it is"
        if reason:
            left_out[name] = reason
        else:
            found[name] = values
    if not found:
        raise RequestError(f"no column is fit to be a taste ({_listed(left_out)}); name one, or give a factors.csv")
    return make_labels(collection.ids, found, left_out)


def _columns(collection: Collection) -> dict[str, tuple[str, ...]]:
    """Every column that could be a facet, by name, with blanks for categories of one work; empty columns are out."""
    columns = {name: collection.texts(name) for name in (*FIELDS, "owner")}
    attributes = [item.attributes for item in collection]
    for name in collection.attribute_names:
        values = [each.get(name, "") for each in attributes]
        columns[name if name not in columns else f"{name} (column)"] = values
    tidied: dict[str, list[str]] = {}
    for name, values in columns.items():
        tidied[name] = [" ".join(value.split()) for value in values]
        tidied[name] = ["" if _NAMES_NOBODY.fullmatch(value) else value for value in tidied[name]]
    # A category that one work alone has says nothing about any other work.
    counts = {name: Counter(values) for name, values in tidied.items()}
    return {
        name: tuple(value if counts[name][value] > 1 else "" for value in values)
        for name, values in tidied.items()
        if any(values)
    }


def _named(columns: Mapping[str, tuple[str, ...]], facets: Sequence[str]) -> dict[str, tuple[str, ...]]:
    by_name = {name.casefold(): name for name in columns}
    usable = [name for name, values in columns.items() if len(set(values) - {""}) >= 2]
    chosen: dict[str, tuple[str, ...]] = {}
    for facet in facets:
        name = by_name.get(facet.casefold(), "")
        if name not in usable:
            what = "has no facet" if not name else "has fewer than 2 categories that works share in the facet"
            raise RequestError(f"the collection {what} {facet!r}; choose from {', '.join(usable) or 'none'}")
        chosen[name] = columns[name]
    if not chosen:
        raise RequestError(f"no facet was named; choose from {', '.join(usable)}")
    return chosen


def _unfit(values: Sequence[str], taken: Mapping[str, Sequence[str]]) -> str:
    """Why a column is no facet by itself; empty if it is one."""
    known = [value for value in values if value]
    categories = sorted(set(known))
    if len(categories) < 2:
        return f"has {len(categories)} categories that works share"
    if len(known) < LEAST_KNOWN * len(values):
        return f"says something about {len(known)} of {len(values)} works only"
    if median(map(len, known)) > LONGEST_CATEGORY:
        return "is free text"
    if all(_is_number(category) for category in categories):
        return "holds numbers"
    for name, others in taken.items():
        if len(set(zip(values, others, strict=True))) == len(set(values)) == len(set(others)):
            return f"says the same as {name}"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _no_factor(values: Sequence[str]) -> str:
    counts = Counter(value for value in values if value)
    if len(counts) < 2:
        return f"has {len(counts)} categories"
    if len(counts) > counts.total() / 2:
        return f"has {len(counts)} categories for {counts.total()} works"
    return ""


def _read_table(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", restkey="", strict=True)
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            rows = [{name: " ".join(str(row[name]).split()) for name in header} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CollectionError(f"cannot read the factors in {path} ({error}); give a CSV file in UTF-8") from error
    if "id" not in header:
        raise CollectionError(f"{path} has no column id; its columns are {', '.join(header) or 'none'}")
    if len(set(header)) != len(header):
        raise CollectionError(f"{path} has a column twice: {', '.join(header)}; rename one")
    return rows, [name for name in header if name and name != "id"]


def _check_ids(path: Path, item_ids: Sequence[str], collection: Collection) -> None:
    twice = [item_id for item_id, count in Counter(item_ids).items() if count > 1]
    if twice:
        raise CollectionError(f"{path} names works more than once: {', '.join(twice[:5])}; keep one row for each")
    foreign = [item_id for item_id in item_ids if item_id not in collection]
    if foreign:
        raise CollectionError(
            f"{path} names {len(foreign)} works that the collection lacks ({', '.join(foreign[:5])}); "
            f"give the factors of this collection"
        )


def _listed(left_out: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {reason}" for name, reason in left_out.items()) or "its works have no columns"
