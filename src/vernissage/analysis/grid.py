"""Points on a plane moved apart onto a grid, so that none hides another."""

import math

import numpy as np
import numpy.typing as npt

FILLED = 0.6
"""Share of the cells that are taken: fewer leave pictures small, more move works far from their places."""

_ROUNDS = 60
_GOLDEN = math.pi * (3 - math.sqrt(5))
_FLAT, _STEEP = 0.5, 0.75


def on_grid(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], tuple[int, int]]:
    """A cell for each point (n, 2): columns and rows from the upper left (n, 2), and how many there are.

    The wider way lies along the rows, and the whole is 0.5 to 0.75 times as high as wide, as screens are.
    Points nearer than a cell first push each other apart, so that crowds spread as a whole; then each takes the nearest
    free cell, the nearest pairs first. Equal points give equal cells.
    """
    from scipy.spatial import cKDTree  # a third of a second, which whoever serves a map that is there does not need

    points = points[:, np.argsort(-np.ptp(points, axis=0), kind="stable")]
    low, spread = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-12)
    aspect = float(np.clip(spread[1] / spread[0], _FLAT, _STEEP))
    columns = max(1, math.ceil(math.sqrt(len(points) / FILLED / aspect)))
    rows = max(1, math.ceil(len(points) / FILLED / columns))
    size = np.array([columns, rows], dtype=np.float64)
    places = (points - low) / spread * [1, -1] + [0, 1]
    places = _apart(places * (size - 1), size)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    found, free, waiting = np.empty((len(points), 2), np.int64), cells, np.arange(len(points))
    while len(waiting):
        distance, nearest = cKDTree(free).query(places[waiting])
        order = np.argsort(distance, kind="stable")
        taken, first = np.unique(nearest[order], return_index=True)
        chosen = order[first]
        found[waiting[chosen]] = free[taken]
        waiting, free = np.delete(waiting, chosen), np.delete(free, taken, axis=0)
    return found, (columns, rows)


def _apart(places: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places pushed apart until few are nearer than a cell, within the frame."""
    from scipy.spatial import cKDTree

    turn = np.arange(len(places)) * _GOLDEN
    places = places + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)  # equal ones need a way to go
    for _ in range(_ROUNDS):
        one, other = cKDTree(places).query_pairs(1.0, output_type="ndarray").T
        way = places[one] - places[other]
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        # Halved, since each is pushed by several at once and would else jump to and fro.
        push = way / length * (1 - length) / 4
        moved = np.zeros_like(places)
        np.add.at(moved, one, push)
        np.add.at(moved, other, -push)
        places = np.clip(places + moved, 0, size - 1)
    return places
