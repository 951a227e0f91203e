"""Colour histograms and the recognition of black-and-white photographs."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vernissage.encoders.fitted.colour_texture import colour_histogram, is_monochrome_photograph, lab, working_pixels

RAMP = np.linspace(20, 230, 64).astype(np.uint8)[None, :, None].repeat(48, axis=0)


def tinted(red: float, green: float, blue: float) -> npt.NDArray[np.uint8]:
    return (RAMP * np.array([red, green, blue])).astype(np.uint8)


def test_lab_of_white_black_and_red() -> None:
    pixels = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], dtype=np.uint8)
    np.testing.assert_allclose(lab(pixels)[0], [[100, 0, 0], [0, 0, 0], [53.2, 80.1, 67.2]], atol=0.2)


def test_one_colour_between_bins_is_shared_out_linearly() -> None:
    # L* = 30 lies halfway between the bins of 20 and 40; a* = b* = 0 lie on the fifth of nine bins
    colours = np.tile(np.array([30, 0, 0], dtype=np.float32), (4, 4, 1))
    shares = colour_histogram(colours).reshape(6, 9, 9) ** 2
    assert shares[1, 4, 4] == pytest.approx(0.5, abs=1e-6)
    assert shares[2, 4, 4] == pytest.approx(0.5, abs=1e-6)


def test_a_histogram_has_unit_length_and_forgets_where_the_pixels_were() -> None:
    colours = lab(np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8))
    histogram = colour_histogram(colours)
    assert np.linalg.norm(histogram) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(colour_histogram(colours[::-1, ::-1]), histogram, atol=1e-6)


@pytest.mark.parametrize(
    ("pixels", "photograph"),
    [
        pytest.param(tinted(1, 1, 1), True, id="grey"),
        pytest.param(tinted(0.4, 0.5, 1), False, id="blue monochrome"),
        pytest.param(np.concatenate([tinted(1, 1, 1), tinted(1, 0.6, 0.5)]), False, id="partly coloured"),
        pytest.param(np.where(RAMP > 60, 255, 0).astype(np.uint8).repeat(3, axis=2), False, id="line art"),
    ],
)
def test_black_and_white_photographs_are_told_from_other_pictures(
    pixels: npt.NDArray[np.uint8], photograph: bool
) -> None:
    assert is_monochrome_photograph(lab(pixels)) is photograph


@pytest.mark.parametrize(
    ("size", "expected"), [((512, 256), (128, 256)), ((1, 1), (256, 256)), ((1, 900), (256, 32)), ((900, 1), (32, 256))]
)
def test_pictures_are_scaled_by_their_longer_side(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert working_pixels(Image.new("RGB", size), 256).shape == (*expected, 3)


def test_a_single_pixel_has_its_colour_and_is_left_as_it_was() -> None:
    colours = np.array([[[50.0, 0.0, 0.0]]], dtype=np.float32)
    shares = colour_histogram(colours).reshape(6, 9, 9) ** 2
    # lightness 50 lies halfway between the third and the fourth of six bins, grey in the middle of both opponent axes
    np.testing.assert_allclose(shares[2:4, 4, 4], 0.5, atol=1e-6)
    assert colours.tolist() == [[[50.0, 0.0, 0.0]]]
