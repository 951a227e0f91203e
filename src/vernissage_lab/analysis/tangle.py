"""How tangled the groups of works are in a space, measured there and not on a map of it."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.values import Vectors

NEIGHBOURS = 10
FEWEST = 2 * NEIGHBOURS + 1
"""Of fewer points, half are among the ten neighbours of each, and trustworthiness is not defined."""

_SHUFFLES = 10
_DECIMALS = 9
"""Cosines that differ by less are equal: rounding decides nothing."""

Each = npt.NDArray[np.float64]
"""One value for each work, float64 (n,)."""


def neighbours_alike(vectors: Vectors, groups: Sequence[str], *, neighbours: int = NEIGHBOURS) -> Each:
    """For each work the share of its nearest others, by cosine, that are of its group, from 0 to 1.

    Where several are as near as the last one that counts, each of them counts by the chance of being drawn, so that the
    order of the works decides nothing.

    Args:
        vectors: float32 (n, dim), unit rows.
        neighbours: how many others are asked.

    Raises:
        RequestError: not one group for each work, or not more works than ``neighbours``.
    """
    rows = vectors.astype(np.float64)
    return _shares(lambda row: np.round(rows @ rows[row], _DECIMALS), len(rows), groups, neighbours)


def neighbours_alike_on_map(points: Each, groups: Sequence[str], *, neighbours: int = NEIGHBOURS) -> Each:
    """`neighbours_alike` by the distances of ``points`` on a plane, float64 (n, 2)."""

    def nearness(row: int) -> Each:
        return np.asarray(-np.round(np.linalg.norm(points - points[row], axis=1), _DECIMALS))

    return _shares(nearness, len(points), groups, neighbours)


def chance_alike(groups: Sequence[str]) -> float:
    """What `neighbours_alike` is on average where groups are given at random: the mean of (n_g − 1)/(n − 1).

    Raises:
        RequestError: fewer than 2 works.
    """
    _check(len(groups), len(groups), 2)
    sizes = Counter(groups)
    return sum(sizes[group] - 1 for group in groups) / len(groups) / (len(groups) - 1)


def silhouettes(vectors: Vectors, groups: Sequence[str]) -> Each:
    """(b − a)/max(a, b) of each work, from −1 to 1, by the cosine distance.

    a is the mean distance to the others of its own group, b the smallest mean distance to those of another group;
    a work that is alone in its group has 0. Rousseeuw, J. Computational and Applied Mathematics 20 (1987), 53–65.

    Raises:
        RequestError: not one group for each work, one group alone, or as many groups as works.
    """
    _check(len(vectors), len(groups), 3)
    if not 1 < len(set(groups)) < len(groups):
        raise RequestError(
            f"a silhouette needs 2 groups or more, and fewer than works, but {len(groups)} works are in "
            f"{len(set(groups))} groups"
        )
    with threadpool_limits(1):
        found: Each = silhouette_samples(vectors.astype(np.float64), _codes(groups), metric="cosine")
    return found


def chance_silhouette(vectors: Vectors, groups: Sequence[str], *, seed: int = 0) -> float:
    """The mean silhouette over ten shuffles of the groups; below 0 where groups are many."""
    random, names = np.random.default_rng(seed), np.asarray(groups)
    return float(np.mean([silhouettes(vectors, random.permutation(names).tolist()).mean() for _ in range(_SHUFFLES)]))


def map_trust(vectors: Vectors, points: Each, *, neighbours: int = NEIGHBOURS) -> float:
    """How far neighbours on a map are neighbours in the space, by cosine: 1 where all are, about .5 for a random map.

    1 − 2/(nk(2n − 3k − 1)) Σ over works and those of their k neighbours on the map that are none in the space of
    (rank in the space − k). Venna & Kaski, ICANN 2001, doi 10.1007/3-540-44668-0_68.

    Raises:
        RequestError: not one point for each work, or fewer than 2k + 1 works.
    """
    _check(len(vectors), len(points), 2 * neighbours + 1)
    with threadpool_limits(1):
        return float(trustworthiness(vectors.astype(np.float64), points, n_neighbors=neighbours, metric="cosine"))


def _shares(nearness: Callable[[int], Each], works: int, groups: Sequence[str], neighbours: int) -> Each:
    """For each work the share of alike ones among those with the highest ``nearness`` to it."""
    _check(works, len(groups), neighbours + 1)
    codes, shares = _codes(groups), np.empty(works)
    with threadpool_limits(1):
        for row in range(works):
            near, alike = nearness(row), codes == codes[row]
            near[row] = -np.inf
            last = np.partition(near, works - neighbours)[works - neighbours]
            nearer, tied = near > last, near == last
            drawn = (neighbours - nearer.sum()) / tied.sum()
            shares[row] = float((alike & nearer).sum() + drawn * (alike & tied).sum()) / neighbours
    return shares


def _codes(groups: Sequence[str]) -> npt.NDArray[np.int64]:
    place = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return np.array([place[group] for group in groups], dtype=np.int64)


def _check(works: int, others: int, fewest: int) -> None:
    if works != others or works < fewest:
        raise RequestError(
            f"{works} works and {others} groups or places were given; one for each of {fewest} works or more is needed"
        )
