"""Works in an order: by id, title, artist or year, or mixed so that neighbours are of no one series."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.folding import folded
from vernissage.gallery.selecting import selection
from vernissage.values import Condition
from vernissage.workspace.repository import Snapshot

SORTS = ("id", "title", "artist", "year", "mixed")


def sorted_rows(snapshot: Snapshot, where: Sequence[str | Condition], sort: str) -> npt.NDArray[np.int64]:
    """The rows of the works that fulfil conditions, in order; works without a value last, ties by id.

    Raises:
        RequestError: there is no such order, or a condition is not understood.
    """
    collection = snapshot.collection
    conditions = selection(snapshot, 1, where).allow.conditions
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise RequestError(f"sort was given {sort!r}; choose from {', '.join(SORTS)}, with - before it from the last")
    rows = np.asarray(collection.ids.order, dtype=np.int64)
    if name == "year":
        found, codes, distinct = collection.entries("from")
        years = np.full(len(collection), np.inf)
        years[found] = np.array(distinct, dtype=float)[codes]
        key = np.where(np.isinf(years), np.inf, -years if backwards else years)
        rows = rows[np.argsort(key[rows], kind="stable")]
    elif name == "mixed":
        # Neighbours in a list by id are of one series; a first page is to show how much there is.
        bare = [not digest for digest in collection.texts("picture_digest")]
        drawn = b"".join([hashlib.blake2b(item_id.encode()).digest()[:8] for item_id in collection.ids])
        rows = np.lexsort((np.frombuffer(drawn, dtype=">u8"), np.array(bare, dtype=bool)))
        rows = rows[::-1] if backwards else rows
    elif name == "id":
        rows = rows[::-1] if backwards else rows
    else:
        words = [folded(text) for text in collection.texts(name)]
        listed = sorted((row for row in rows.tolist() if words[row]), key=words.__getitem__, reverse=backwards)
        rows = np.array([*listed, *(row for row in rows.tolist() if not words[row])], dtype=np.int64)
    fits = collection.fulfilling(conditions, collection.ids)
    banned = collection.ids.rows(sorted(snapshot.editorial.banned))
    fits[banned[banned >= 0]] = False
    return rows[fits[rows]]
