from pathlib import Path

import numpy as np
import pytest

from vernissage.encoders.contract import EncoderState, TextEncoder
from vernissage.encoders.lsa import LSA, fit_lsa
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


@pytest.fixture(scope="module")
def lsa() -> LSA:
    return fit_lsa(TEXTS, dim=4, seed=2)


def test_it_keeps_the_contract(lsa: LSA) -> None:
    vectors = lsa.encode_texts(TEXTS)
    assert isinstance(lsa, TextEncoder)
    assert (lsa.name, lsa.dim, lsa.modalities) == ("lsa", 4, {"text"})
    assert vectors.dtype == np.float32
    assert vectors.shape == (8, 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_search_finds_the_works_with_its_words(lsa: LSA) -> None:
    scores = lsa.encode_texts(TEXTS) @ lsa.encode_texts(["storms at sea"])[0]
    assert set(np.argsort(-scores)[:2]) == {0, 1}


def test_a_search_finds_works_of_related_words() -> None:
    model = fit_lsa(TEXTS, dim=2)
    scores = model.encode_texts(TEXTS) @ model.encode_texts(["storms at sea"])[0]
    assert min(scores[:4]) > 0.9, "the fourth text shares no word with the search, but is of the sea as well"
    assert max(scores[4:]) < 0.1


def test_with_all_directions_it_is_the_cosine_of_tf_idf() -> None:
    # Three documents, each of two words of which one is shared: ship ×2, sea, rose. idf = 1 + ln(4 / (1 + N_w)).
    ship, sea, rose = 1 + np.log(4 / 3), 1 + np.log(4 / 3), 1 + np.log(4 / 2)
    first, second = np.array([ship * (1 + np.log(2)), sea, 0]), np.array([ship, 0, rose])
    expected = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    model = fit_lsa(["ship, ship, sea", "ship, rose", "sea"])
    vectors = model.encode_texts(["ship, ship, sea", "ship, rose"])
    assert model.dim == 3
    assert vectors[0] @ vectors[1] == pytest.approx(expected, abs=1e-6)


def test_a_text_without_known_words_is_all_zero(lsa: LSA) -> None:
    vectors = lsa.encode_texts(["", "zeppelin", "1888", "<br>", "ship"])
    assert not vectors[:4].any()
    assert vectors[4].any()
    assert lsa.encode_texts([]).shape == (0, 4)


def test_a_row_depends_on_its_own_text_alone(lsa: LSA) -> None:
    many = [f"{first} {second}" for first in TEXTS for second in TEXTS]
    together = lsa.encode_texts(many)
    alone = np.concatenate([lsa.encode_texts([text]) for text in many])
    assert together.tobytes() == alone.tobytes()


def test_fitting_twice_gives_equal_bytes(lsa: LSA) -> None:
    again = fit_lsa(TEXTS, dim=4, seed=2)
    assert again.fingerprint == lsa.fingerprint
    assert again.encode_texts(TEXTS).tobytes() == lsa.encode_texts(TEXTS).tobytes()


def test_saved_and_loaded_it_gives_the_same_bits(lsa: LSA, tmp_path: Path) -> None:
    lsa.state.save(tmp_path)
    loaded = LSA.from_state(EncoderState.load(tmp_path))
    assert loaded.fingerprint == lsa.fingerprint
    assert loaded.encode_texts(TEXTS).tobytes() == lsa.encode_texts(TEXTS).tobytes()


def test_small_collections_have_fewer_directions() -> None:
    assert fit_lsa(["a ship", "a rose"]).dim == 2
    assert fit_lsa(["a ship", "ships"]).dim == 1


def test_accents_and_markup() -> None:
    model = fit_lsa(["Étretat<br>falaise", "&Eacute;tretat falaise", "un café"])
    vectors = model.encode_texts(["Étretat falaise", "E\u0301tretat<br>falaise", "br"])
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not vectors[2].any()


@pytest.mark.parametrize(("texts", "known"), [([], 0), (["", "1888"], 0), (["a ship", "the"], 1)])
def test_too_few_texts_are_refused(texts: list[str], known: int) -> None:
    with pytest.raises(EncoderError, match=rf"^{known} of {len(texts)} texts have content words"):
        fit_lsa(texts)


def test_no_directions_are_refused() -> None:
    with pytest.raises(EncoderError, match="cannot fit 0 directions"):
        fit_lsa(TEXTS, dim=0)


def test_the_state_of_another_encoder_or_half_a_state_is_refused(lsa: LSA) -> None:
    with pytest.raises(ProvenanceError, match="of 'lda'"):
        LSA.from_state(EncoderState("lda", lsa.state.settings, lsa.state.arrays))
    with pytest.raises(ProvenanceError, match="not whole"):
        LSA.from_state(EncoderState("lsa", lsa.state.settings, {}))
    with pytest.raises(ProvenanceError, match="one row and one weight per word"):
        LSA.from_state(EncoderState("lsa", {"vocabulary": ["ship"], "language": "en"}, lsa.state.arrays))
