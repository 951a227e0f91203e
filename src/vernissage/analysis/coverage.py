"""Works that represent a whole collection: medoids of k-centre clusters."""

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError


def covering_rows(vectors: npt.NDArray[np.float32], k: int) -> tuple[int, ...]:
    """The rows of ``k`` different medoids, in the order in which their clusters were found.

    ``vectors`` are unit rows, float32 (n, dim). The first centre is the row nearest to all; each further one is the row
    whose nearest centre is farthest (Gonzalez, Theoretical Computer Science 38 (1985), doi
    10.1016/0304-3975(85)90224-5). Rows belong to the nearest centre, and a cluster's medoid is the member with the
    greatest sum of cosines to the others. Ties go to the smaller row.

    Raises:
        RequestError: there are fewer than ``k`` different rows.
    """
    if len(np.unique(vectors, axis=0)) < k:
        raise RequestError(f"{k} works cannot stand for a collection that has fewer works with different vectors")
    rows = vectors.astype(np.float64)
    centres = [int(np.argmax(rows @ rows.sum(axis=0)))]
    nearest = rows @ rows[centres[0]]
    owner = np.zeros(len(rows), dtype=np.int64)
    while len(centres) < k:
        centres.append(int(np.argmin(nearest)))
        cosines = rows @ rows[centres[-1]]
        closer = cosines > nearest
        owner[closer], nearest[closer] = len(centres) - 1, cosines[closer]
        # Rounding must not leave a centre to another cluster.
        owner[centres[-1]] = len(centres) - 1
    return tuple(_medoid(rows, np.flatnonzero(owner == cluster)) for cluster in range(k))


def _medoid(rows: npt.NDArray[np.float64], members: npt.NDArray[np.int64]) -> int:
    own = rows[members]
    return int(members[np.argmax(own @ own.sum(axis=0))])
