"""Which works stand for the collection: clusters over all representations, found when building."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.catalog.collection import Collection
from vernissage.catalog.ids import Ids
from vernissage.search.joint import side_by_side
from vernissage.search.vectors import VectorTable
from vernissage.workspace.copies import Copies

REVISION = 1
"""Part of the array's name: raised whenever the same works would be clustered in another way."""

COUNT = 9
"""How many clusters a build finds: as many works as people are asked to rate."""

NEAREST = 8
"""Works of each cluster, those nearest to its centre, of which one is drawn for each visitor."""

_SAMPLE = 3_000
"""Works that are clustered; of larger collections so many, spread evenly. A draw needs 72."""

_STARTS = 2
"""Of which the one is kept whose works lie nearest to their centres."""

Clusters = npt.NDArray[np.int32]
"""For each work the number of its cluster, the largest cluster first, and its place in it, the one nearest to the
centre first: int32 (n, 2); −1 for works that are in none."""


def clusters_of(tables: Sequence[VectorTable], ids: Sequence[str], count: int = COUNT, seed: int = 0) -> Clusters:
    """k-means over the joined, centred vectors of works; ``tables`` have one vector for each work that they know."""
    found = np.full((len(ids), 2), -1, dtype=np.int32)
    known = np.zeros(len(ids), dtype=bool)
    for table in tables:
        known |= table.item_ids.rows(ids) >= 0
    rows = np.flatnonzero(known)
    rows = rows[:: max(1, -(-len(rows) // _SAMPLE))]
    if not len(rows):
        return found
    from vernissage.encoders.fitted.k_means import k_means  # whoever opens a workspace needs no SciPy

    vectors = side_by_side(tables, [ids[row] for row in rows.tolist()])
    count = min(count, len(np.unique(vectors, axis=0)))
    with threadpool_limits(1):  # equal input, equal bits
        starts = [k_means(vectors, count, seed=seed + start) for start in range(_STARTS)]
    apart = [np.linalg.norm(vectors - centres[labels], axis=1) for labels, centres in starts]
    best = min(range(_STARTS), key=lambda start: float((apart[start] ** 2).sum()))
    labels, distances = starts[best][0], apart[best]
    sizes = np.bincount(labels, minlength=count)
    for number, label in enumerate(np.argsort(-sizes, kind="stable").tolist()):
        own = np.flatnonzero(labels == label)
        own = own[np.argsort(distances[own], kind="stable")]
        found[rows[own]] = np.column_stack([np.full(len(own), number), np.arange(len(own))])
    return found


def clusters_of_collection(works: Collection, copies: Copies, tables: Sequence[VectorTable], seed: int) -> Clusters:
    """The clusters of the works that people may be asked to rate: with a picture if any has one, each but once."""
    pictures = np.array([bool(each) for each in works.texts("picture")], dtype=bool)
    shown = (pictures | (not pictures.any())) & (copies.first == np.arange(len(works)))
    found: Clusters = np.full((len(works), 2), -1, dtype=np.int32)
    rows = np.flatnonzero(shown)
    found[rows] = clusters_of(tables, [works.ids[row] for row in rows.tolist()], seed=seed)
    return found


def members_of(ids: Ids | Sequence[str], clusters: Clusters) -> list[list[str]]:
    """The works of each cluster, nearest to its centre first."""
    order = np.lexsort((clusters[:, 1], clusters[:, 0]))
    members: list[list[str]] = [[] for _ in range(int(clusters[:, 0].max(initial=-1)) + 1)]
    for row in order[clusters[order, 0] >= 0].tolist():
        members[int(clusters[row, 0])].append(ids[row])
    return members
