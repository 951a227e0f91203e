"""Local binary patterns, by hand."""

import numpy as np

from vernissage.encoders.fitted.colour_texture import binary_patterns, pattern_histogram, uniform_bins


def test_the_code_of_a_patch_is_read_clockwise_from_the_upper_left() -> None:
    patch = np.array([[9, 1, 6], [1, 5, 5], [7, 2, 1]], dtype=np.float32)
    # at least 5, clockwise: 9 yes, 1 no, 6 yes, 5 yes, 1 no, 2 no, 7 yes, 1 no
    assert binary_patterns(patch).tolist() == [[1 + 4 + 8 + 64]]


def test_flat_patches_have_all_bits_set() -> None:
    assert binary_patterns(np.full((4, 5), 30, dtype=np.float32)).tolist() == [[255] * 3] * 2


def test_58_codes_have_at_most_two_changes_and_the_rest_share_a_bin() -> None:
    bins = uniform_bins()
    assert sorted(set(bins.tolist())) == list(range(59))
    assert (bins == 58).sum() == 256 - 58
    assert bins[0b00000000] != 58
    assert bins[0b11000001] != 58
    assert bins[0b01010000] == 58


def test_every_octave_of_the_histogram_has_unit_length() -> None:
    lightness = np.random.default_rng(0).random((40, 33), dtype=np.float32) * 100
    octaves = pattern_histogram(lightness).reshape(3, 59)
    np.testing.assert_allclose(np.linalg.norm(octaves, axis=1), 1, rtol=1e-6)


def test_patterns_ignore_brightness_and_contrast() -> None:
    lightness = np.random.default_rng(1).integers(0, 50, (40, 33)).astype(np.float32)
    assert (binary_patterns(lightness) == binary_patterns(lightness * 2 + 4)).all()
