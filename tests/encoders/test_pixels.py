"""A model's input, number by number."""

import numpy as np
from PIL import Image

from vernissage.encoders.runtime.pixels import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, on_white


def test_every_value_of_every_channel_is_scaled_as_in_the_formula() -> None:
    values = np.stack([np.arange(256), np.arange(256)[::-1], np.roll(np.arange(256), 7)], axis=-1)
    picture = Image.fromarray(values.reshape(16, 16, 3).astype(np.uint8))
    for mean, std in ((IMAGENET_MEAN, IMAGENET_STD), ((0.0, 0.5, 1.0), (1.0, 0.5, 0.25))):
        scaled = np.asarray(picture, dtype=np.float32) / np.float32(255)
        expected = ((scaled - np.array(mean, np.float32)) / np.array(std, np.float32)).transpose(2, 0, 1)
        found = Preprocessing("squash", 16, mean=mean, std=std)(picture)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected)


def test_a_picture_in_rgb_stays_as_it_is_and_others_become_rgb() -> None:
    picture = Image.new("RGB", (20, 10), (200, 100, 0))
    before = picture.tobytes()
    Preprocessing("shorter", 8)(on_white(picture))
    assert picture.tobytes() == before
    grey = Image.new("L", (20, 10), 90)
    plain = Preprocessing("shorter", 8, mean=(0.0,) * 3, std=(1.0,) * 3)(on_white(grey))
    assert np.array_equal(plain, np.full((3, 8, 8), np.float32(90) / np.float32(255)))
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert on_white(clear).getpixel((0, 0)) == (255, 255, 255)
