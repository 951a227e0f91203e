"""Vectors on a plane: all by t-SNE, or the most of many beside the nearest of those."""

import numpy as np
import pytest

from vernissage.analysis import projection
from vernissage.analysis.projection import project
from vernissage.errors import RequestError

CLOUDS, EACH = 4, 30


@pytest.fixture(scope="module")
def clouds() -> np.ndarray:
    """Vectors in clouds that lie far apart, 60 numbers each."""
    rng = np.random.default_rng(5)
    centres = 20 * np.eye(CLOUDS, 60)
    return np.repeat(centres, EACH, axis=0) + rng.standard_normal((CLOUDS * EACH, 60))


def kept(points: np.ndarray) -> float:
    """The share of points whose nearest other is of their own cloud."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    own = np.repeat(np.arange(CLOUDS), EACH)
    return float((own[distances.argmin(axis=1)] == own).mean())


def test_of_many_some_are_placed_by_t_sne_and_the_others_beside_the_nearest(
    clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"w{row}" for row in range(len(clouds))]
    whole = project(clouds, ids)
    assert kept(whole) == 1
    monkeypatch.setattr(projection, "FITTED", 60)
    monkeypatch.setattr(projection, "_AT_ONCE", 50)
    some = project(clouds, ids)
    assert kept(some) == 1
    assert len(np.unique(some, axis=0)) == len(clouds)  # nothing lies on anything else
    assert np.array_equal(some, project(clouds, ids))
    assert not np.array_equal(some, project(clouds, ids, seed=1))


def test_which_are_placed_by_t_sne_hangs_on_ids_and_not_on_the_order(
    clouds: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "FITTED", 60)
    ids = [f"w{row}" for row in range(len(clouds))]
    wanted: list[int] = []
    monkeypatch.setattr(projection, "_scattered", lambda points, count, seed: np.full((count, 2), np.nan))
    for order in (np.arange(len(clouds)), np.random.default_rng(1).permutation(len(clouds))):
        points = project(clouds[order], [ids[row] for row in order])
        wanted.append(hash(frozenset(order[~np.isnan(points[:, 0])].tolist())))
        assert np.count_nonzero(~np.isnan(points[:, 0])) == 60
    assert wanted[0] == wanted[1]


def test_too_few_are_refused() -> None:
    with pytest.raises(RequestError, match="at least 4 works"):
        project(np.eye(3, dtype=np.float32))
