"""What every encoder that is fitted to a collection's texts promises."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.encoders.contract import EncoderState, TextEncoder
from vernissage.encoders.fitted.lda import LDA, fit_lda
from vernissage.encoders.fitted.lsa import LSA, fit_lsa
from vernissage.encoders.fitted.tfidf import TFIDF, fit_tfidf
from vernissage.errors import EncoderError, ProvenanceError

TEXTS = [
    "A ship in a storm at sea",
    "Storm over the harbour, a ship returning",
    "Sailors aboard a ship, sea and sky",
    "The harbour with sailors",
    "A rose in the garden",
    "The garden with tulips and a rose",
    "Tulips in a meadow",
    "A meadow, a garden and its gardener",
]
WORDS = ["ship", "ships", "storm", "harbour", "sailor", "rose", "garden", "tulip", "meadow", "zeppelin", "the", "<br>"]
FITS: dict[str, tuple[Callable[..., Any], Any]] = {
    "lda": (partial(fit_lda, topics=2, seed=2), LDA),
    "lsa": (partial(fit_lsa, dim=4, seed=2), LSA),
    "tfidf": (fit_tfidf, TFIDF),
}
FITTED = {name: fit(TEXTS) for name, (fit, _) in FITS.items()}


@pytest.fixture(params=FITS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_says_what_it_is_and_its_rows_have_length_one(name: str) -> None:
    encoder = FITTED[name]
    vectors = encoder.encode_texts(TEXTS)
    assert isinstance(encoder, TextEncoder)
    assert (encoder.name, encoder.modalities) == (name, {"text"})
    assert vectors.dtype == np.float32
    assert vectors.shape == (8, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_text_without_known_words_is_all_zero(name: str) -> None:
    vectors = FITTED[name].encode_texts(["", "zeppelin", "1888", "<br>", "ship"])
    assert not vectors[:4].any()
    assert vectors[4].any()
    assert FITTED[name].encode_texts([]).shape == (0, FITTED[name].dim)


@pytest.mark.parametrize("name", FITS)
@given(texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=1, max_size=6))
def test_a_row_depends_on_its_own_text_alone_and_has_length_one_or_none(name: str, texts: list[str]) -> None:
    encoder = FITTED[name]
    together = encoder.encode_texts(texts)
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
    assert together.tobytes() == alone.tobytes()
    known = together.any(axis=1)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), known, atol=1e-6)


def test_fitting_twice_gives_equal_bytes(name: str) -> None:
    again = FITS[name][0](TEXTS)
    assert again.fingerprint == FITTED[name].fingerprint
    assert again.encode_texts(TEXTS).tobytes() == FITTED[name].encode_texts(TEXTS).tobytes()


def test_another_collection_gives_another_fingerprint(name: str) -> None:
    other = FITS[name][0]([*TEXTS, "A ship, a rose and a harbour"])
    assert other.fingerprint != FITTED[name].fingerprint


def test_saved_and_loaded_it_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    encoder = FITTED[name]
    encoder.state.save(tmp_path)
    loaded = FITS[name][1].from_state(EncoderState.load(tmp_path))
    assert loaded.fingerprint == encoder.fingerprint
    assert loaded.encode_texts(TEXTS).tobytes() == encoder.encode_texts(TEXTS).tobytes()


def test_the_state_of_another_encoder_or_half_a_state_is_refused(name: str) -> None:
    state, restore = FITTED[name].state, FITS[name][1].from_state
    with pytest.raises(ProvenanceError, match=f"expected a model of {name}, but this one is of 'other'"):
        restore(EncoderState("other", state.settings, state.arrays))
    with pytest.raises(ProvenanceError, match=f"the saved {name} model is not whole"):
        restore(EncoderState(name, state.settings, {}))
    with pytest.raises(ProvenanceError, match=f"the saved {name} model is not whole"):
        restore(EncoderState(name, {}, state.arrays))
    with pytest.raises(ProvenanceError, match="run `vernissage build` again"):
        restore(EncoderState(name, {**state.settings, "vocabulary": ["ship"]}, state.arrays))


def test_empty_texts_do_not_change_the_model(name: str) -> None:
    gaps = [text for pair in zip(TEXTS, [""] * len(TEXTS), strict=True) for text in pair]
    assert FITS[name][0](gaps).fingerprint == FITTED[name].fingerprint


@pytest.mark.parametrize("texts", [[], ["", "1888"], ["a ship", "the"]])
def test_too_few_texts_are_refused(name: str, texts: list[str]) -> None:
    with pytest.raises(EncoderError, match=rf"of {len(texts)} texts have .*needs? at least 2"):
        FITS[name][0](texts)
