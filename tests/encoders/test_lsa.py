import numpy as np
import pytest

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.fitted.lsa import LSA, fit_lsa
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


def test_rows_weights_and_words_must_fit(lsa: LSA) -> None:
    with pytest.raises(ProvenanceError, match="one row and one weight per word"):
        LSA.from_state(EncoderState("lsa", {"vocabulary": ["ship"], "language": "en"}, lsa.state.arrays))
