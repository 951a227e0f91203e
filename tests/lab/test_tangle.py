"""How tangled groups are, in worlds whose answer is known and by spelled-out arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.values import Vectors
from vernissage_lab.analysis.tangle import (
    chance_alike,
    chance_silhouette,
    map_trust,
    neighbours_alike,
    neighbours_alike_on_map,
    silhouettes,
)

GROUPS = [f"g{number % 5}" for number in range(200)]


def apart(blur: float = 0.05) -> Vectors:
    """Each group along an axis of its own."""
    codes = np.array([int(group[1:]) for group in GROUPS])
    return unit_rows(np.eye(8)[codes] + np.random.default_rng(0).normal(0, blur, (len(GROUPS), 8)))


def anywhere(seed: int = 0) -> Vectors:
    """Vectors that know nothing of groups."""
    return unit_rows(np.random.default_rng(seed).standard_normal((len(GROUPS), 8)))


def at(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_groups_apart_are_all_alike() -> None:
    assert (neighbours_alike(apart(), GROUPS) == 1).all()
    assert silhouettes(apart(), GROUPS).mean() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_groups_at_random_are_alike_by_chance(seed: int) -> None:
    shares = neighbours_alike(anywhere(seed), GROUPS)
    assert shares.mean() == pytest.approx(chance_alike(GROUPS), abs=3 * shares.std() / np.sqrt(len(shares)))
    assert silhouettes(anywhere(seed), GROUPS).mean() == pytest.approx(
        chance_silhouette(anywhere(seed), GROUPS, seed=seed), abs=0.02
    )


def test_chance_is_counted_without_the_work_itself() -> None:
    # three works see 2 of 3 others of their group, the fourth sees none: (3 · 2/3 + 0)/4
    assert chance_alike(["a", "a", "a", "b"]) == pytest.approx(0.5)
    assert chance_alike(["a", "b", "c"]) == 0


def test_shares_are_those_of_the_nearest_by_cosine() -> None:
    shares = neighbours_alike(at(0, 10, 30, 90, 100), ["a", "a", "b", "b", "b"], neighbours=2)
    # nearest of 0°: 10° a, 30° b; of 10°: 0° a, 30° b; of 30°: 10° a, 0° a; of 90°: 100° b, 30° b; of 100°: 90°, 30°
    assert shares.tolist() == [0.5, 0.5, 0, 1, 1]


def test_works_that_are_equally_near_count_by_the_chance_of_being_drawn() -> None:
    # of 0°, one of the two at 20° and −20° is drawn: half an a
    shares = neighbours_alike(at(0, 20, -20, 180), ["a", "a", "b", "b"], neighbours=1)
    assert shares[0] == 0.5


@given(order=st.permutations(range(24)))
def test_the_order_of_works_decides_nothing(order: list[int]) -> None:
    vectors, groups = at(*(30.0 * (number // 4) for number in range(24))), [f"g{number % 3}" for number in range(24)]
    plain = neighbours_alike(vectors, groups, neighbours=5)
    moved = neighbours_alike(vectors[order], [groups[row] for row in order], neighbours=5)
    assert moved == pytest.approx(plain[order])


def test_neighbours_on_a_map_are_by_distance() -> None:
    points = np.array([[0, 0], [1, 0], [3, 0], [50, 0], [51, 0]], dtype=np.float64)
    assert neighbours_alike_on_map(points, ["a", "a", "b", "b", "b"], neighbours=2).tolist() == [0.5, 0.5, 0, 1, 1]


def test_silhouettes_are_spelled_out() -> None:
    # cosine distances: of 0° to 90° of its own group 1, to 180° of the other 2: (2 − 1)/2
    assert silhouettes(at(0, 90, 180), ["a", "a", "b"]).tolist() == pytest.approx([0.5, 0, 0])


def test_a_map_that_keeps_neighbours_is_trusted_and_a_random_one_is_not() -> None:
    vectors = at(*np.linspace(0, 90, 60))
    faithful = np.stack([np.linspace(0, 1, 60), np.zeros(60)], axis=1)
    assert map_trust(vectors, faithful) > 0.99
    assert map_trust(vectors, np.random.default_rng(0).standard_normal((60, 2))) == pytest.approx(0.5, abs=0.1)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(RequestError, match="200 works and 3 groups"):
        neighbours_alike(anywhere(), ["a", "b", "c"])
    with pytest.raises(RequestError, match="one for each of 11 works or more"):
        neighbours_alike(anywhere()[:10], GROUPS[:10])
    with pytest.raises(RequestError, match="in 1 groups"):
        silhouettes(anywhere(), ["a"] * 200)
    with pytest.raises(RequestError, match="21 works or more"):
        map_trust(anywhere()[:20], np.zeros((20, 2)))
