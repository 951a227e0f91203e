import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import EncoderState, ImageEncoder, TextEncoder, unit_rows
from vernissage.encoders.fitted.aligned import REGULARISATIONS, Aligned, Part, align, fit_aligned
from vernissage.encoders.fitted.lda import fit_lda
from vernissage.encoders.fitted.lsa import LSA, fit_lsa
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.values import Modality, Vectors

THEMES = {"sea": ["ship", "wave", "harbour", "sail", "storm"], "garden": ["rose", "tulip", "petal", "leaf", "meadow"]}
COLOURS = {"red": (200, 40, 30), "blue": (30, 60, 200)}
WORKS = [(theme, colour) for _ in range(30) for theme in THEMES for colour in COLOURS]


class MeanColourAndStripes:
    """Four numbers: the mean colour, and how much neighbouring rows differ; two of them carry the toy world."""

    name = "mean-colour"
    dim = 4
    modalities: frozenset[Modality] = frozenset({"image"})

    def __init__(self, fingerprint: str = "0123456789abcdef") -> None:
        self.fingerprint = fingerprint

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        pixels = [np.asarray(image, dtype=np.float64) / 255 for image in images]
        rows = [[*picture.mean(axis=(0, 1)), np.abs(np.diff(picture, axis=0)).mean()] for picture in pixels]
        return unit_rows(np.array(rows).reshape(-1, 4))


def picture_of(theme: str, colour: str, seed: int) -> Image.Image:
    """Pictures of the sea are striped like waves, those of gardens are plain; with a little noise."""
    noise = np.random.default_rng(seed).normal(0, 6, (16, 16, 3))
    pixels = np.full((16, 16, 3), COLOURS[colour], dtype=np.float64) + noise
    if theme == "sea":
        pixels[::2] *= 0.4
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def text_of(theme: str, colour: str, seed: int) -> str:
    draw = random.Random(seed)
    return " ".join([colour, *draw.choices(THEMES[theme], k=4)])


IMAGES = [picture_of(theme, colour, seed) for seed, (theme, colour) in enumerate(WORKS)]
TEXTS = [text_of(theme, colour, seed) for seed, (theme, colour) in enumerate(WORKS)]


@pytest.fixture(scope="module")
def lsa() -> LSA:
    return fit_lsa(TEXTS, dim=12, seed=1)


@pytest.fixture(scope="module")
def aligned(lsa: LSA) -> Aligned:
    return fit(lsa)


def fit(text_encoder: TextEncoder, **options: float) -> Aligned:
    image_encoder = MeanColourAndStripes()
    images, texts = image_encoder.encode_images(IMAGES), text_encoder.encode_texts(TEXTS)
    return fit_aligned([Part(image_encoder, images)], [Part(text_encoder, texts)], **options)  # type: ignore[arg-type]


def test_it_keeps_the_contract(aligned: Aligned) -> None:
    images, texts = aligned.encode_images(IMAGES), aligned.encode_texts(TEXTS)
    assert isinstance(aligned, ImageEncoder)
    assert isinstance(aligned, TextEncoder)
    assert (aligned.name, aligned.modalities) == ("aligned", {"image", "text"})
    for vectors in (images, texts):
        assert vectors.dtype == np.float32
        assert vectors.shape == (120, aligned.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_text_finds_pictures_of_its_theme_and_colour(aligned: Aligned, theme: str, colour: str) -> None:
    unseen = [picture_of(*work, seed=1000 + seed) for seed, work in enumerate(WORKS)]
    scores = aligned.encode_images(unseen) @ aligned.encode_texts([f"{colour} {THEMES[theme][0]}"])[0]
    best = np.argsort(-scores)[:30]
    assert [WORKS[row] for row in best] == [(theme, colour)] * 30


def test_a_picture_finds_texts_of_its_theme_and_colour(aligned: Aligned) -> None:
    scores = aligned.encode_texts(TEXTS) @ aligned.encode_images([picture_of("garden", "blue", seed=9)])[0]
    assert {WORKS[row] for row in np.argsort(-scores)[:20]} == {("garden", "blue")}


def test_topics_are_aligned_just_as_well() -> None:
    aligned = fit(fit_lda(TEXTS, topics=2))
    scores = aligned.encode_images(IMAGES) @ aligned.encode_texts(["waves and sails"])[0]
    assert {WORKS[row][0] for row in np.argsort(-scores)[:40]} == {"sea"}


def test_projecting_is_encoding_without_the_first_step(aligned: Aligned, lsa: LSA) -> None:
    assert aligned.project_texts(lsa.encode_texts(TEXTS)).tobytes() == aligned.encode_texts(TEXTS).tobytes()
    vectors = MeanColourAndStripes().encode_images(IMAGES)
    assert aligned.project_images(vectors).tobytes() == aligned.encode_images(IMAGES).tobytes()


def test_a_row_depends_on_its_own_work_alone(aligned: Aligned) -> None:
    texts = aligned.encode_texts(TEXTS)
    images = aligned.encode_images(IMAGES)
    assert np.concatenate([aligned.encode_texts([text]) for text in TEXTS]).tobytes() == texts.tobytes()
    assert np.concatenate([aligned.encode_images([image]) for image in IMAGES]).tobytes() == images.tobytes()


def test_texts_without_known_words_stay_zero(aligned: Aligned) -> None:
    vectors = aligned.encode_texts(["", "zeppelin", "a rose"])
    assert not vectors[:2].any()
    assert vectors[2].any()
    assert aligned.encode_texts([]).shape == (0, aligned.dim)


def test_fitting_twice_gives_equal_bytes(aligned: Aligned, lsa: LSA) -> None:
    again = fit(lsa)
    assert again.fingerprint == aligned.fingerprint
    assert again.encode_texts(TEXTS).tobytes() == aligned.encode_texts(TEXTS).tobytes()


def test_saved_and_loaded_it_gives_the_same_bits(aligned: Aligned, lsa: LSA, tmp_path: Path) -> None:
    aligned.state.save(tmp_path)
    loaded = Aligned.from_state(EncoderState.load(tmp_path), MeanColourAndStripes(), lsa)
    assert loaded.fingerprint == aligned.fingerprint
    assert loaded.regularisation == aligned.regularisation
    assert loaded.encode_texts(TEXTS).tobytes() == aligned.encode_texts(TEXTS).tobytes()
    assert loaded.encode_images(IMAGES).tobytes() == aligned.encode_images(IMAGES).tobytes()


def test_other_base_encoders_are_refused(aligned: Aligned, lsa: LSA) -> None:
    with pytest.raises(
        ProvenanceError, match="fitted with mean-colour 0123456789abcdef, but was given mean-colour f00"
    ):
        Aligned.from_state(aligned.state, MeanColourAndStripes("f00"), lsa)
    with pytest.raises(ProvenanceError, match="fitted with lsa"):
        Aligned.from_state(aligned.state, MeanColourAndStripes(), fit_lda(TEXTS, topics=2))


def test_the_state_of_another_encoder_or_half_a_state_is_refused(aligned: Aligned, lsa: LSA) -> None:
    with pytest.raises(ProvenanceError, match="of 'lsa'"):
        Aligned.from_state(lsa.state, MeanColourAndStripes(), lsa)
    half = EncoderState("aligned", aligned.state.settings, {"image_mean": np.zeros(4)})
    with pytest.raises(ProvenanceError, match="not whole"):
        Aligned.from_state(half, MeanColourAndStripes(), lsa)


def test_the_regularisation_is_chosen_or_given(aligned: Aligned, lsa: LSA) -> None:
    assert aligned.regularisation in REGULARISATIONS
    assert fit(lsa, regularisation=0.5).regularisation == 0.5
    assert fit(lsa, dim=2).dim == 2


def test_too_few_pairs_are_refused(lsa: LSA) -> None:
    images, texts = MeanColourAndStripes().encode_images(IMAGES), lsa.encode_texts(TEXTS)
    texts[49:] = 0
    with pytest.raises(EncoderError, match="^49 works have both a picture and a text .* at least 50"):
        fit_aligned([Part(MeanColourAndStripes(), images)], [Part(lsa, texts)])


def test_works_without_a_text_do_not_count(aligned: Aligned, lsa: LSA) -> None:
    images = MeanColourAndStripes().encode_images([*IMAGES, *IMAGES])
    texts = np.concatenate([lsa.encode_texts(TEXTS), lsa.encode_texts([""] * 120)])
    assert fit_aligned([Part(MeanColourAndStripes(), images)], [Part(lsa, texts)]).fingerprint == aligned.fingerprint


def test_impossible_vectors_and_options_are_refused(lsa: LSA) -> None:
    images, texts = MeanColourAndStripes().encode_images(IMAGES), lsa.encode_texts(TEXTS)
    with pytest.raises(
        EncoderError, match=r"text vectors must be paired rows of the shapes \[\(60, 12\)\], but have \[\(120, 12\)\]"
    ):
        fit_aligned([Part(MeanColourAndStripes(), images[:60])], [Part(lsa, texts)])
    with pytest.raises(EncoderError, match="in 0 dimensions"):
        fit(lsa, dim=0)
    with pytest.raises(EncoderError, match="regularisation 0"):
        fit(lsa, regularisation=0)
    with pytest.raises(EncoderError, match="all 120 pairs have equal pictures or equal texts"):
        fit_aligned([Part(MeanColourAndStripes(), np.repeat(images[:1], 120, axis=0))], [Part(lsa, texts)])


def test_one_shared_direction_is_found_and_noise_is_not() -> None:
    # Both views see the same hidden number, in one column each, among columns of noise.
    draw = np.random.default_rng(4)
    hidden = draw.normal(size=5000)
    images, texts = draw.normal(size=(5000, 3)), draw.normal(size=(5000, 2))
    images[:, 1], texts[:, 0] = hidden, -hidden
    found = align(images, texts, regularisation=1e-6, dim=1)
    image_direction, text_direction = found.image_projection[:, 0], found.text_projection[:, 0]
    np.testing.assert_allclose(np.abs(image_direction), [0, 1, 0], atol=0.05)
    np.testing.assert_allclose(np.abs(text_direction), [1, 0], atol=0.05)
    assert image_direction[1] * text_direction[0] < 0


class Numbers:
    """An encoder whose vectors are made beforehand: rows of a table that pictures or texts name by their number."""

    def __init__(self, name: str, modalities: Sequence[Modality], rows: Vectors) -> None:
        self.name, self.modalities, self.rows = name, frozenset(modalities), rows
        self.dim, self.fingerprint = rows.shape[1], f"{name}-{rows.shape[1]}"

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self.rows[[image.width for image in images]]

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self.rows[[int(text) for text in texts]]


PAIRS = 500


def views(*strengths: float, seed: int = 0, columns: int = 6) -> list[Vectors]:
    """Unit rows that show the same four hidden numbers of each work, each view so strongly, in noise of its own."""
    draw = np.random.default_rng(seed)
    hidden = draw.normal(size=(PAIRS, 4))
    made = [strength * hidden @ draw.normal(size=(4, columns)) for strength in strengths]
    return [unit_rows(rows + draw.normal(size=rows.shape)) for rows in made]


def recall(pictures: Vectors, texts: Vectors) -> float:
    scores = texts @ pictures.T
    return float(np.mean((scores > scores.diagonal()[:, None]).sum(axis=1) < 20))


def test_several_encoders_of_a_side_find_more_than_one_and_noise_counts_less() -> None:
    see, hear, also, noise = views(0.8, 1.5, 1.5, 0.0)
    picture, text = Numbers("see", ["image"], see), Numbers("hear", ["text"], hear)
    second, third = Numbers("also", ["image"], also), Numbers("noise", ["image"], noise)
    one = fit_aligned([Part(picture, see)], [Part(text, hear)])
    two = fit_aligned([Part(picture, see), Part(second, also), Part(third, noise)], [Part(text, hear)])
    single = recall(one.project_images(see), one.project_texts(hear))
    joined = recall(two.project_images(see, also, noise), two.project_texts(hear))
    assert joined > single + 0.05
    weights = {each["name"]: each["weight"] for each in two.state.settings["image_encoders"]}
    assert weights["see"] == 1
    assert weights["noise"] < 1
    assert two.state.settings["text_encoder"] == {"name": "hear", "fingerprint": "hear-6"}
    restored = Aligned.from_state(two.state, third, text, second, picture)
    pictures = [Image.new("L", (number, 1)) for number in range(PAIRS)]
    assert restored.encode_images(pictures).tobytes() == two.project_images(see, also, noise).tobytes()
    with pytest.raises(ProvenanceError, match="fitted with also also-6, but was given see see-6, hear hear-6"):
        Aligned.from_state(two.state, picture, text)
    with pytest.raises(EncoderError, match="images by see, also, noise, and takes the vectors of just these"):
        restored.project_images(see)


def test_weights_stay_as_they_are_where_few_pairs_would_choose_them() -> None:
    see, also, hear = (rows[:499] for rows in views(0.6, 0.6, 0.6))
    images = [Part(Numbers("see", ["image"], see), see), Part(Numbers("colour-texture", ["image"], also), also)]
    settings = fit_aligned(images, [Part(Numbers("hear", ["text"], hear), hear)]).state.settings
    assert [each["weight"] for each in settings["image_encoders"]] == [1, 0.5]


def test_what_one_encoder_lacks_of_a_work_adds_nothing_and_hides_nothing() -> None:
    see, hear, also = views(0.9, 0.9, 0.9)
    also[:60] = 0
    images = [Part(Numbers("see", ["image"], see), see), Part(Numbers("also", ["image"], also), also)]
    found = fit_aligned(images, [Part(Numbers("hear", ["text"], hear), hear)])
    vectors = found.project_images(see, also)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert recall(vectors[:60], found.project_texts(hear)[:60]) > 0.5
    assert not found.project_images(see * 0, also * 0).any()


def test_a_space_that_needs_no_pairs_stands_beside_the_fitted_one() -> None:
    see, hear, shared = views(0.5, 0.5, 0.8)
    draw = np.random.default_rng(5)
    in_pictures, in_texts = (unit_rows(shared + 0.25 * draw.normal(size=shared.shape)) for _ in range(2))
    both = Numbers("beside", ["image", "text"], in_pictures)
    images = [Part(Numbers("see", ["image"], see), see), Part(both, in_pictures)]
    texts = [Part(Numbers("hear", ["text"], hear), hear), Part(both, in_texts)]
    found, alone = fit_aligned(images, texts), fit_aligned(images[:1], texts[:1])
    pictures, captions = found.project_images(see, in_pictures), found.project_texts(hear, in_texts)
    assert found.zero_shot > 0
    assert found.dim == alone.dim + both.dim
    assert recall(pictures, captions) > recall(alone.project_images(see), alone.project_texts(hear)) + 0.05
    fitted = alone.project_images(see).astype(np.float64)
    expected = np.hstack([fitted, np.sqrt(found.zero_shot) * in_pictures]) / np.sqrt(1 + found.zero_shot)
    np.testing.assert_allclose(pictures, expected, atol=1e-6)
    with pytest.raises(EncoderError, match="of which one or more read pictures alone"):
        fit_aligned(images[1:], texts)


def test_a_space_in_which_a_few_texts_are_near_all_pictures_counts_nothing() -> None:
    see, hear, shared = views(1.5, 1.5, 0.3)
    near = 10 * np.random.default_rng(5).normal(size=(PAIRS, 1)) ** 2  # takes nothing from texts that look for pictures
    in_pictures, in_texts = (np.hstack([first, shared]).astype(np.float32) for first in (near * 0 + 1, near))
    both = Numbers("beside", ["image", "text"], in_pictures)
    images = [Part(Numbers("see", ["image"], see), see), Part(both, in_pictures)]
    assert fit_aligned(images, [Part(Numbers("hear", ["text"], hear), hear), Part(both, in_texts)]).zero_shot == 0
