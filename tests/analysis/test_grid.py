import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from vernissage.analysis.grid import on_grid


@given(st.integers(1, 60), st.integers(0, 10_000), st.sampled_from([0.0, 1e-9, 1.0, 1e6]))
@settings(max_examples=30, deadline=None)
def test_every_point_has_a_cell_of_its_own(count: int, seed: int, spread: float) -> None:
    points = np.random.default_rng(seed).normal(scale=spread, size=(count, 2)).round(1)
    cells, (columns, rows) = on_grid(points)
    assert len({tuple(cell) for cell in cells.tolist()}) == count
    assert ((cells >= 0) & (cells < [columns, rows])).all()
    assert np.array_equal(cells, on_grid(points)[0])


def test_a_crowd_spreads_and_neighbours_stay_neighbours() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 60)
    points = np.array([[0, 0], [40, 5], [80, 30]])[group] + rng.normal(scale=0.5, size=(180, 2))
    cells, _ = on_grid(points)
    apart = np.linalg.norm(cells[:, None] - cells[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = group[np.argsort(apart, axis=1)[:, :2]]
    assert (nearest == group[:, None]).mean() > 0.75  # a third by chance; crowds at the edge spread along it


@pytest.mark.parametrize("high", [False, True])
def test_the_wider_way_lies_along_the_rows(high: bool) -> None:
    wide = np.random.default_rng(0).uniform(size=(400, 2)) * [10, 4]
    points = wide[:, ::-1] if high else wide
    cells, (columns, rows) = on_grid(points)
    assert 0.45 <= rows / columns <= 0.8
    assert abs(spearmanr(cells[:, 0], wide[:, 0]).statistic) > 0.95
