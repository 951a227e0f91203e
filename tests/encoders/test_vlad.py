"""VLAD and its codebook, by hand."""

import numpy as np

from vernissage.encoders.fitted.colour_texture import Codebook, fit_codebook, vlad


def test_vlad_sums_unit_residuals_and_takes_signed_roots() -> None:
    centres = np.array([[0, 0], [10, 0]], dtype=np.float32)
    points = np.array([[3, 4], [0, 2], [6, 0]], dtype=np.float32)
    # (3, 4) and (0, 2) are nearest to the first centre: (0.6, 0.8) + (0, 1); (6, 0) to the second: (-1, 0)
    sums = np.array([0.6, 1.8, -1.0, 0.0])
    rooted = np.array([np.sqrt(0.6), np.sqrt(1.8), -1.0, 0.0])
    expected = rooted / np.sqrt(np.abs(sums).sum())
    np.testing.assert_allclose(vlad(points, centres), expected, rtol=1e-6)


def test_points_on_their_centre_add_nothing() -> None:
    centres = np.array([[1, 1], [5, 5]], dtype=np.float32)
    assert not vlad(centres, centres).any()


def test_without_points_vlad_is_all_zero() -> None:
    centres = np.ones((3, 2), dtype=np.float32)
    assert vlad(np.zeros((0, 2), dtype=np.float32), centres).tolist() == [0.0] * 6


def test_the_codebook_takes_the_mean_away_and_keeps_the_named_axes() -> None:
    book = Codebook(
        mean=np.array([1, 1, 1], dtype=np.float32),
        axes=np.array([[0, 0, 1], [1, 0, 0]], dtype=np.float32),
        centres=np.array([[0, 0]], dtype=np.float32),
    )
    # (1, 9, 4) less the mean is (0, 8, 3); of it (3, 0) is kept, whose residual to (0, 0) is (1, 0) at unit length
    np.testing.assert_allclose(book.vlad(np.array([[1, 9, 4]], dtype=np.float32)), [1, 0])


def test_fitting_finds_clusters_and_repeats_to_the_bit() -> None:
    random = np.random.default_rng(0)
    corners = np.array([[0, 0, 0], [8, 0, 0], [0, 4, 0]])
    descriptors = (corners.repeat(50, axis=0) + random.normal(0, 0.1, (150, 3))).astype(np.float32)
    book = fit_codebook(descriptors, n_centres=3, reduced=2, seed=5)
    found = book.centres @ book.axes + book.mean
    np.testing.assert_allclose(found[np.lexsort(found.T.round())][:, :2], [[0, 0], [8, 0], [0, 4]], atol=0.1)
    again = fit_codebook(descriptors, n_centres=3, reduced=2, seed=5)
    assert again.centres.tobytes() == book.centres.tobytes()
