"""Gradient cells, edge layout and RootSIFT on edges that are known by construction."""

import numpy as np
import pytest

from vernissage.encoders.fitted.colour_texture import dense_rootsift, edge_layout, orientation_cells


def test_a_ramp_to_the_right_votes_for_orientation_0_alone() -> None:
    ramp = np.tile(np.arange(48, dtype=np.float32), (48, 1))
    cells = orientation_cells(ramp)
    assert cells.shape == (12, 12, 8)
    np.testing.assert_allclose(cells[1:-1, 1:-1, 0], 1, atol=1e-5)
    assert np.abs(cells[:, :, 1:]).max() < 1e-3


def test_a_diagonal_between_two_orientations_votes_for_both_alike() -> None:
    angle = np.deg2rad(22.5)
    down, right = np.mgrid[:48, :48].astype(np.float32)
    cells = orientation_cells((np.cos(angle) * right + np.sin(angle) * down).astype(np.float32))
    np.testing.assert_allclose(cells[1:-1, 1:-1, :2], 0.5, atol=1e-3)


def test_the_edge_layout_says_where_an_edge_lies() -> None:
    picture = np.zeros((96, 96), dtype=np.float32)
    picture[:, 72:] = 80
    strengths = edge_layout(orientation_cells(picture)).reshape(6, 6, 8) ** 2
    # the pixels on both sides of column 72 of 96 lie in cells 17 and 18 of 24, and so in column 4 of the grid's 6
    assert strengths[:, 4, 0].sum() == pytest.approx(1, abs=1e-5)


def test_rootsift_rows_have_unit_length_and_flat_patches_are_left_out() -> None:
    picture = np.full((64, 64), 50, dtype=np.float32)
    assert dense_rootsift(orientation_cells(picture)).shape == (0, 128)
    picture[:, 32:] += 40
    rows = dense_rootsift(orientation_cells(picture))
    assert 0 < len(rows) < 13 * 13
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_rootsift_ignores_contrast() -> None:
    picture = np.random.default_rng(0).random((48, 48), dtype=np.float32) * 40
    plain = dense_rootsift(orientation_cells(picture))
    np.testing.assert_allclose(dense_rootsift(orientation_cells(picture * 2)), plain, atol=1e-4)
