from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import EncoderState, ImageEncoder, Material, TextEncoder, unit_rows
from vernissage.encoders.fitted.conse import Conse, derive, fit
from vernissage.encoders.towers.efficientnet_lite import class_names
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.values import Modality, Vectors

NAMES = class_names()


class Seer:
    """A network that sees, in a picture n pixels wide, class n with .6, class n + 1 with .3 and class 999 with .1."""

    name, dim, fingerprint = "seer", 1280 + 2 + 1000, "5ee5"
    modalities: frozenset[Modality] = frozenset({"image"})

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        rows = np.zeros((len(images), self.dim))
        for row, image in zip(rows, images, strict=True):
            row[:1282] = 2
            for number, share in ((image.width, 0.6), (image.width + 1, 0.3), (999, 0.1)):
                row[1282 + number] += share
        return unit_rows(rows)


class Speller:
    """A text as how often each letter stands in it."""

    name, dim = "speller", 26
    modalities: frozenset[Modality] = frozenset({"text"})

    def __init__(self, fingerprint: str = "5be1") -> None:
        self.fingerprint = fingerprint

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        counts = [[text.lower().count(chr(97 + letter)) for letter in range(26)] for text in texts]
        return unit_rows(np.array(counts, dtype=np.float64).reshape(-1, 26))


@pytest.fixture(scope="module")
def conse() -> Conse:
    return fit(Material(bases=(Seer(), Speller())))


def pictures(*widths: int) -> list[Image.Image]:
    return [Image.new("L", (width, 1)) for width in widths]


def test_a_picture_is_the_words_for_what_is_seen_weighed_by_probabilities(conse: Conse) -> None:
    words = Speller().encode_texts(NAMES).astype(np.float64)
    expected = unit_rows((0.6 * words[7] + 0.3 * words[8] + 0.1 * words[999])[None])
    np.testing.assert_allclose(conse.encode_images(pictures(7)), expected, atol=1e-6)
    assert isinstance(conse, ImageEncoder)
    assert isinstance(conse, TextEncoder)
    assert (conse.name, conse.dim, conse.modalities) == ("conse", 26, {"image", "text"})


def test_the_name_of_what_is_seen_finds_the_picture(conse: Conse) -> None:
    seen = pictures(5, 100, 300, 700)
    scores = conse.encode_texts([NAMES[number] for number in (5, 100, 300, 700)]) @ conse.encode_images(seen).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_vectors_of_the_bases_are_taken_as_they_are_and_rows_are_their_own(conse: Conse) -> None:
    seen = pictures(1, 2, 3, 4, 5)
    rows, vectors = Seer().encode_images(seen), conse.encode_images(seen)
    assert derive(conse, "image", rows).tobytes() == vectors.tobytes()
    assert np.concatenate([derive(conse, "image", row[None]) for row in rows]).tobytes() == vectors.tobytes()
    words = Speller().encode_texts(["a storm", ""])
    assert derive(conse, "text", words).tobytes() == conse.encode_texts(["a storm", ""]).tobytes()
    assert derive(conse, "image", rows[:0]).shape == (0, 26)
    assert not conse.encode_texts([""]).any()


def test_it_is_restored_with_the_same_bases_alone(conse: Conse, tmp_path: Path) -> None:
    conse.state.save(tmp_path)
    loaded = Conse.from_state(EncoderState.load(tmp_path), Seer(), Speller())
    assert loaded.fingerprint == conse.fingerprint
    assert loaded.encode_images(pictures(3)).tobytes() == conse.encode_images(pictures(3)).tobytes()
    with pytest.raises(ProvenanceError, match="but was given .*'words': 'f00'.*build` again"):
        Conse.from_state(conse.state, Seer(), Speller("f00"))
    with pytest.raises(ProvenanceError, match="not whole"):
        Conse.from_state(EncoderState("conse", conse.state.settings, {}), Seer(), Speller())
    with pytest.raises(EncoderError, match="a network of pictures and an encoder of texts"):
        Conse.from_state(conse.state, Speller(), Seer())
