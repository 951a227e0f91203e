"""The colour-texture encoder on a world whose nearest neighbours are known by construction."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import EncoderState, ImageEncoder
from vernissage.encoders.fitted.colour_texture import (
    CODEBOOK_PICTURES,
    FITTING_PICTURES,
    ColourTexture,
    fit_colour_texture,
    picture_parts,
)
from vernissage.errors import CollectionError, EncoderError, ProvenanceError

KINDS = [(colour, texture) for colour in ("red", "blue") for texture in ("stripes", "checks")]


def toy_picture(colour: str, texture: str, number: int) -> Image.Image:
    """A picture in one of two colours and one of two textures, no two alike."""
    random = np.random.default_rng([number, KINDS.index((colour, texture))])
    height, width = random.integers(110, 130, size=2)
    if texture == "stripes":
        grain = random.random((height // 4 + 1, 1)).repeat(4, axis=0).repeat(width, axis=1)
    else:
        grain = random.random((height // 4 + 1, width // 4 + 1)).repeat(4, axis=0).repeat(4, axis=1)
    lightness = 90 + 110 * grain[:height, :width]
    tint = np.array([1.0, 0.35, 0.3] if colour == "red" else [0.3, 0.4, 1.0])
    return Image.fromarray((lightness[:, :, None] * tint).clip(0, 255).astype(np.uint8))


def openers(count: int) -> list[Callable[[], Image.Image]]:
    return [partial(toy_picture, *KINDS[n % 4], n) for n in range(count)]


@pytest.fixture(scope="module")
def fitted() -> ColourTexture:
    return fit_colour_texture(openers(CODEBOOK_PICTURES), seed=3)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [toy_picture(*KINDS[n % 4], 1000 + n) for n in range(40)]


def test_it_is_an_image_encoder(fitted: ColourTexture) -> None:
    assert isinstance(fitted, ImageEncoder)
    assert fitted.name == "colour-texture"
    assert fitted.modalities == {"image"}
    assert fitted.notes == ()


def test_rows_are_float32_and_of_unit_length(fitted: ColourTexture, pictures: list[Image.Image]) -> None:
    vectors = fitted.encode_images(pictures)
    assert vectors.dtype == np.float32
    assert vectors.shape == (40, fitted.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float64), axis=1), 1, atol=1e-6)


def test_a_row_depends_on_its_own_picture_alone(fitted: ColourTexture, pictures: list[Image.Image]) -> None:
    together = fitted.encode_images(pictures[:8])
    alone = np.concatenate([fitted.encode_images([picture]) for picture in pictures[:8]])
    assert together.tobytes() == alone.tobytes()


def test_no_pictures_give_no_rows(fitted: ColourTexture) -> None:
    assert fitted.encode_images([]).shape == (0, fitted.dim)


def test_the_nearest_neighbours_share_colour_and_texture(fitted: ColourTexture, pictures: list[Image.Image]) -> None:
    vectors = fitted.encode_images(pictures)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2)
    nearest = np.argsort(-similarity, axis=1)[:, :3]
    assert (nearest % 4 == np.arange(40)[:, None] % 4).all()
    kinds = np.eye(4)[np.arange(40) % 4]
    between = kinds.T @ (similarity + 3 * np.eye(40)) @ kinds
    assert (between.argmax(axis=1) == np.arange(4)).all()


def test_saved_and_loaded_it_gives_the_same_bits(
    fitted: ColourTexture, pictures: list[Image.Image], tmp_path: Path
) -> None:
    fitted.state.save(tmp_path)
    loaded = ColourTexture.from_state(EncoderState.load(tmp_path))
    assert loaded.fingerprint == fitted.fingerprint
    assert loaded.encode_images(pictures[:8]).tobytes() == fitted.encode_images(pictures[:8]).tobytes()


@dataclass(frozen=True)
class Fit:
    """A fit of the same pictures and seed once more, with what it opened and told of its progress."""

    encoder: ColourTexture
    opened: Sequence[int]
    told: Sequence[tuple[str, int]]


@pytest.fixture(scope="module")
def again() -> Fit:
    opened: list[int] = []
    told: list[tuple[str, int]] = []

    def slowly(number: int) -> Image.Image:
        # Every other picture takes longer than its follower, so that threads finish out of order.
        time.sleep(0.004 * (number % 2 == 0))
        opened.append(number)
        return toy_picture(*KINDS[number % 4], number)

    pictures = [partial(slowly, number) for number in range(CODEBOOK_PICTURES)]
    encoder = fit_colour_texture(pictures, seed=3, progress=lambda step, done, _: told.append((step, done)))
    return Fit(encoder, opened, told)


def test_equal_pictures_that_open_at_odd_speeds_give_equal_bits_and_are_opened_once(
    fitted: ColourTexture, again: Fit
) -> None:
    assert again.encoder.fingerprint == fitted.fingerprint
    assert sorted(again.opened) == list(range(CODEBOOK_PICTURES))


def test_the_fit_leaves_vectors_with_the_bits_of_an_encoding() -> None:
    pictures = openers(FITTING_PICTURES + 4)
    contents = [f"content {number}" for number in range(len(pictures))]
    encoder = fit_colour_texture(pictures, contents, seed=3)
    assert list(encoder.encoded) == contents
    assert np.array_equal(np.stack([*encoder.encoded.values()]), encoder.encode_images([each() for each in pictures]))
    assert not ColourTexture.from_state(encoder.state).encoded


def test_a_picture_that_cannot_be_opened_stops_the_fit() -> None:
    def broken() -> Image.Image:
        raise CollectionError("the picture is gone")

    with pytest.raises(CollectionError, match="is gone"):
        fit_colour_texture([*openers(FITTING_PICTURES), broken])


def test_the_fingerprint_changes_with_what_was_fitted(fitted: ColourTexture) -> None:
    others = [fit_colour_texture(openers(count)) for count in (5, 24, 25)]
    fewer = ColourTexture(replace(fitted.state, settings={**fitted.state.settings, "pictures": 7}))
    assert len({fitted.fingerprint, fewer.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_fitting_reports_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    fit_colour_texture(openers(FITTING_PICTURES), progress=lambda _, done, total: told.append((done, total)))
    assert told == [(done, FITTING_PICTURES) for done in range(1, FITTING_PICTURES + 1)]


def test_fitting_with_a_codebook_reports_both_of_its_steps(again: Fit) -> None:
    steps = list(dict.fromkeys(step for step, _ in again.told))
    assert len(steps) == 2
    assert again.told == [(step, done) for step in steps for done in range(1, CODEBOOK_PICTURES + 1)]


def test_a_small_collection_skips_the_codebook_and_says_so(tmp_path: Path) -> None:
    small = fit_colour_texture(openers(30))
    assert small.codebook is None
    assert len(small.notes) == 1
    assert "30 pictures" in small.notes[0]
    small.state.save(tmp_path)
    loaded = ColourTexture.from_state(EncoderState.load(tmp_path))
    assert loaded.notes == small.notes
    picture = toy_picture("red", "checks", 77)
    assert loaded.encode_images([picture]).tobytes() == small.encode_images([picture]).tobytes()


def test_a_tiny_collection_learns_nothing_and_says_so(pictures: list[Image.Image]) -> None:
    tiny = fit_colour_texture(openers(FITTING_PICTURES - 1))
    assert [note.split(":")[0] for note in tiny.notes] == [
        "The codebook of brush and line patterns was skipped",
        "Nothing was learnt from the collection",
    ]
    vectors = tiny.encode_images(pictures[:4])
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float64), axis=1), 1, atol=1e-6)


def test_a_collection_of_one_picture_many_times_over_is_encoded_as_it_is() -> None:
    same = fit_colour_texture([partial(Image.new, "RGB", (40, 30), "red")] * CODEBOOK_PICTURES)
    assert len(same.notes) == 2
    assert np.linalg.norm(same.encode_images([Image.new("RGB", (40, 30), "red")])) == pytest.approx(1)


def test_a_black_and_white_photograph_is_compared_without_its_colours(pictures: list[Image.Image]) -> None:
    photographed = picture_parts(np.asarray(pictures[1].convert("L").convert("RGB")))
    painted = picture_parts(np.asarray(pictures[1]))
    assert not photographed["colours"].any()
    assert painted["colours"].any()
    assert photographed["patterns"].any()


def test_two_threads_encode_the_same_bits(fitted: ColourTexture, pictures: list[Image.Image]) -> None:
    with ThreadPoolExecutor(2) as pool:
        batches = list(pool.map(fitted.encode_images, [pictures[:20], pictures[20:]]))
    assert np.concatenate(batches).tobytes() == fitted.encode_images(pictures).tobytes()


def test_a_collection_without_pictures_is_refused() -> None:
    with pytest.raises(EncoderError, match="0 pictures"):
        fit_colour_texture([])


def test_another_encoders_model_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="but this one is of 'lda'"):
        ColourTexture.from_state(EncoderState("lda", {}, {}))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"]
)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 700), (50, 50)])
def test_odd_pictures_give_finite_unit_vectors(fitted: ColourTexture, mode: str, size: tuple[int, int]) -> None:
    vector = fitted.encode_images([Image.new(mode, size)])
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(np.linalg.norm(vector.astype(np.float64)), 1, atol=1e-6)
    assert vector.shape == (1, fitted.dim)


def test_transparent_pixels_are_white(fitted: ColourTexture) -> None:
    clear = Image.new("RGBA", (40, 40), (200, 0, 0, 0))
    white = Image.new("RGB", (40, 40), "white")
    assert fitted.encode_images([clear]).tobytes() == fitted.encode_images([white]).tobytes()


def test_sixteen_bit_grey_equals_eight_bit_grey(fitted: ColourTexture) -> None:
    grey = np.arange(0, 256, 4, dtype=np.uint8)[None, :].repeat(64, axis=0)
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    assert fitted.encode_images([wide]).tobytes() == fitted.encode_images([Image.fromarray(grey)]).tobytes()
