"""The tools that pictures are painted with do what they are named for."""

import numpy as np
import pytest

from vernissage_lab.sample.canvas import Canvas, Figure
from vernissage_lab.sample.noise import grid, tripled
from vernissage_lab.sample.outlines import mirrored
from vernissage_lab.sample.palettes import PALETTES, oklab, ramps
from vernissage_lab.sample.plan import MOODS
from vernissage_lab.sample.techniques import _brush, _key_block, _key_ink, _stamp, simplified


def test_the_grid_holds_every_pixels_place() -> None:
    x, y = grid((2, 3))
    assert x.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert y.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert x.dtype == y.dtype == np.float32


def test_a_tripled_plane_multiplies_like_broadcasting() -> None:
    random = np.random.default_rng(0)
    plane, picture = random.random((5, 7)), random.random((5, 7, 3))
    assert (tripled(plane) * picture).tobytes() == (plane[..., None] * picture).tobytes()


def test_a_wide_window_merges_what_is_small_and_keeps_what_is_large() -> None:
    picture = np.zeros((60, 80, 3), dtype=np.float32)
    picture[:, 40:] = 1
    picture[10:13, 10:13] = 1
    for size in (5, 9, 11):
        flat = simplified(picture, size)
        assert flat.shape == picture.shape
        assert flat[:, :38].max() == 0
        assert flat[2:-2, 42:].min() == 1


def test_a_shape_covers_its_inside_and_leaves_the_rest() -> None:
    canvas = Canvas(40, 50, np.random.default_rng(0), {})
    red = np.tile(np.array([1, 0, 0], dtype=np.float32), (128, 1))
    canvas.shape([[10, 10], [30, 10], [30, 30], [10, 30]], red, 0.5, detail=0.9)
    np.testing.assert_allclose(canvas.rgb[12:29, 12:29], np.broadcast_to([1, 0, 0], (17, 17, 3)), atol=1e-6)
    np.testing.assert_allclose(canvas.detail[12:29, 12:29], 0.9, atol=1e-6)
    assert not canvas.rgb[:8].any()
    np.testing.assert_array_equal(canvas.detail[:8], np.float32(0.2))


def test_distance_fades_a_shape_into_the_air() -> None:
    canvas = Canvas(40, 50, np.random.default_rng(0), {})
    canvas.haze = 0.5
    black = np.zeros((128, 3), dtype=np.float32)
    canvas.shape([[10, 10], [30, 10], [30, 30], [10, 30]], black, 0.5, depth=1.0)
    np.testing.assert_allclose(canvas.rgb[20, 20], 0.5, atol=1e-6)


def test_a_stroke_of_oil_covers_with_its_colour_and_raises_the_relief() -> None:
    paint = np.zeros((4, 40, 40), dtype=np.float32)
    colour = np.array([1, 0.5, 0, 0], dtype=np.float32).reshape(4, 1, 1)
    cover, relief = _brush(8, 0, 0)
    _stamp(paint, (cover, relief), 20, 20, colour)
    up, side = cover.shape[0] // 2, cover.shape[1] // 2
    touched = (slice(20 - up, 21 + up), slice(20 - side, 21 + side))
    np.testing.assert_allclose(paint[0][touched], cover, atol=1e-6)
    np.testing.assert_allclose(paint[1][touched], cover / 2, atol=1e-6)
    np.testing.assert_allclose(paint[3][touched], relief, atol=1e-6)
    paint[(slice(None), *touched)] = 0
    assert not paint.any()


def test_a_stroke_over_the_corner_is_cut_there() -> None:
    paint = np.zeros((4, 40, 40), dtype=np.float32)
    brush = _brush(8, 0, 0)
    _stamp(paint, brush, 0, 0, np.ones((4, 1, 1), dtype=np.float32))
    up, side = brush[0].shape[0] // 2, brush[0].shape[1] // 2
    np.testing.assert_allclose(paint[0, : up + 1, : side + 1], brush[0][up:, side:], atol=1e-6)


def test_parts_of_a_figure_are_placed_in_units_of_its_size_and_mirrored() -> None:
    figure = Figure(Canvas(40, 50, np.random.default_rng(0), {}), x=100.0, y=50.0, size=20.0)
    right = ((0.5, -1.0), (1.0, 0.5))
    assert figure.place(right).tolist() == [[110.0, 30.0], [120.0, 60.0]]
    assert figure.place(mirrored(right)).tolist() == [[90.0, 30.0], [80.0, 60.0]]


def test_an_oval_of_a_tilted_figure_moves_with_it_but_stays_level() -> None:
    canvas = Canvas(60, 60, np.random.default_rng(0), {})
    white = np.ones((128, 3), dtype=np.float32)
    Figure(canvas, x=30.0, y=30.0, size=10.0, turn=np.pi / 2).oval(2, 0, 1.0, 0.4, white, 0.5, light=0, texture=0)
    rows, columns = np.nonzero(canvas.rgb[..., 0] > 0.5)
    assert (rows.mean(), columns.mean()) == pytest.approx((50, 30), abs=0.5)
    assert np.ptp(columns) > 2 * np.ptp(rows)


@pytest.mark.parametrize("palette", list(PALETTES))
@pytest.mark.parametrize("mood", list(MOODS))
def test_the_key_block_is_printed_in_nearly_black(palette: str, mood: str) -> None:
    canvas = Canvas(40, 50, np.random.default_rng(0), ramps(palette, MOODS[mood]))
    assert oklab(_key_ink(canvas))[0] < 0.25


def test_a_pale_study_gets_as_strong_a_key_block_as_a_dark_one() -> None:
    shares = []
    for lift in (0.0, 0.12):
        canvas = Canvas(120, 160, np.random.default_rng(1), {})
        study = np.full((120, 160, 3), 0.6 + lift, dtype=np.float32)
        study[60:] = 0.33 + lift
        shares.append(float(_key_block(canvas, study)[70:].mean()))
    assert shares[0] > 0.2
    assert shares[1] == pytest.approx(shares[0], abs=0.02)
