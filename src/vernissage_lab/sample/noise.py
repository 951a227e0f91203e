"""Chance with a grain: cloudy noise, ridges, and smearing along a direction."""

import cv2
import numpy as np

from vernissage_lab.sample.palettes import Array

Rng = np.random.Generator


def clouds(rng: Rng, shape: tuple[int, int], cell: float, *, stretch: float = 1.0, octaves: int = 4) -> Array:
    """Fractal noise of mean about 0 and spread about 1: float32 of ``shape``.

    ``cell`` is the size of the largest lumps in pixels; ``stretch`` makes them that many times wider than high.
    """
    # Large lumps lose nothing at half the size, and cost a quarter.
    full, coarse = shape, cell >= 20
    if coarse:
        shape, cell = ((full[0] + 1) // 2, (full[1] + 1) // 2), cell / 2
    total = np.zeros(shape, dtype=np.float32)
    weight = 1.0
    for _ in range(octaves):
        total += weight * _lumps(rng, shape, cell, stretch)
        cell, weight = max(cell / 2, 1.0), weight * 0.55
    total = (total - total.mean()) / (total.std() + 1e-6)
    return (
        total
        if not coarse
        else np.asarray(cv2.resize(total, full[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    )


def _lumps(rng: Rng, shape: tuple[int, int], cell: float, stretch: float) -> Array:
    rows, columns = int(shape[0] / cell) + 3, int(shape[1] / (cell * stretch)) + 3
    grid = rng.standard_normal((rows, columns)).astype(np.float32)
    big = cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(big, dtype=np.float32)


def ridge(rng: Rng, width: int, cell: float, octaves: int = 5, roughness: float = 0.5) -> Array:
    """A mountain line in one dimension: float32 (width,), mean about 0, spread about 1."""
    x = np.arange(width, dtype=np.float64)
    total, weight = np.zeros(width), 1.0
    for _ in range(octaves):
        knots = rng.standard_normal(int(width / cell) + 3)
        total += weight * np.interp(x / cell + rng.random(), np.arange(len(knots)), knots)
        cell, weight = max(cell / 2.1, 1.5), weight * roughness
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), dtype=np.float32)


def blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur of ``sigma`` pixels."""
    if sigma > 6 and min(picture.shape[:2]) > 32:  # the cost of a wide blur grows with its width
        size = (picture.shape[1] // 4, picture.shape[0] // 4)
        small = cv2.GaussianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4)
        wide = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(wide, dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.float32)


def sample(picture: Array, x: Array, y: Array) -> Array:
    """The picture's values at the positions ``x``, ``y`` in pixels, reflected at its edges."""
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), dtype=np.float32)


def grid(shape: tuple[int, int]) -> tuple[Array, Array]:
    """The x and the y of every pixel: two float32 arrays of ``shape``."""
    y, x = np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32)
    return np.tile(x, (shape[0], 1)), np.repeat(y, shape[1]).reshape(shape)


def tripled(plane: Array) -> Array:
    """The plane three times over: (height, width, 3).

    Products with pictures then run along whole rows; by broadcasting, they would run along three values at a time.
    """
    return np.asarray(cv2.merge([plane] * 3))


def smear(picture: Array, angle: Array, doublings: int = 4) -> Array:
    """Average along the direction ``angle`` (radians) over about 2 ** doublings pixels, as a brush drags paint."""
    x, y = grid((angle.shape[0], angle.shape[1]))
    dx, dy = np.cos(angle), np.sin(angle)
    step = 0.5
    for _ in range(doublings):
        ahead = sample(picture, x + step * dx, y + step * dy)
        picture = 0.5 * (ahead + sample(picture, x - step * dx, y - step * dy))
        step *= 2
    return picture


def evened(field: Array) -> Array:
    """The rank of each value among all, from 0 to 1: any noise becomes evenly spread."""
    low, high = float(field.min()), float(field.max()) + 1e-6
    level = ((field - low) / (high - low) * 1023).astype(np.int32)
    share = np.cumsum(np.bincount(level.ravel(), minlength=1024)) / level.size
    return np.asarray(share.astype(np.float32)[level])
