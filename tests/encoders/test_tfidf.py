import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.fitted.lsa import fit_lsa
from vernissage.encoders.fitted.tfidf import TFIDF, fit_tfidf
from vernissage.encoders.fitted.words import content_words, weigh_words
from vernissage.errors import EncoderError, ProvenanceError

COLLECTION = ["ship, ship, sea", "ship, rose", "sea"]
TEXTS = [
    "A ship in a storm at sea, a ship",
    "Storm over the harbour, a ship returning",
    "The harbour with sailors and sailors",
    "A rose in the garden with tulips",
]


def reference(**settings: object) -> TfidfVectorizer:
    """Scikit-learn's, with the same words, weights and scale."""
    return TfidfVectorizer(analyzer=content_words, sublinear_tf=True, smooth_idf=True, norm="l2", **settings)


def test_weights_are_spelled_out() -> None:
    # idf = 1 + ln((1 + 3) / (1 + N_w)): rose is in one of three texts, sea and ship in two.
    rose, sea, ship = 1 + np.log(4 / 2), 1 + np.log(4 / 3), 1 + np.log(4 / 3)
    model = fit_tfidf(COLLECTION)
    assert model.vocabulary == ("rose", "sea", "ship")
    first = np.array([0, sea, (1 + np.log(2)) * ship])  # ship stands there twice
    second = np.array([rose, 0, ship])
    expected = [first / np.linalg.norm(first), second / np.linalg.norm(second), [0, 1, 0]]
    np.testing.assert_allclose(model.encode_texts(COLLECTION), expected, atol=1e-7)


def test_vectors_are_those_of_scikit_learn() -> None:
    expected = reference().fit(TEXTS)
    model = fit_tfidf(TEXTS)
    assert model.vocabulary == tuple(expected.get_feature_names_out())
    asked = [*TEXTS, "a harbour full of roses, roses and ships", "zeppelin", ""]
    np.testing.assert_allclose(model.encode_texts(asked), expected.transform(asked).toarray(), atol=1e-6)


def test_cosines_are_those_of_lsa_with_all_its_directions() -> None:
    ours, theirs = fit_tfidf(TEXTS).encode_texts(TEXTS), fit_lsa(TEXTS).encode_texts(TEXTS)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-6)


def test_texts_without_a_word_in_common_are_nothing_to_each_other() -> None:
    ship, harbour, _, rose = fit_tfidf(TEXTS).encode_texts(TEXTS)
    assert ship @ rose == 0
    assert ship @ harbour > 0


def test_of_too_many_words_those_with_most_squared_length_stay() -> None:
    # Squared parts of the rows above, text by text: rose .634; sea .259 and 1; ship .741 and .366.
    squares = (fit_tfidf(COLLECTION).encode_texts(COLLECTION).astype(np.float64) ** 2).sum(axis=0)
    assert squares == pytest.approx([0.634, 1.259, 1.108], abs=1e-3)
    assert fit_tfidf(COLLECTION, most_words=2).vocabulary == ("sea", "ship")
    assert fit_tfidf(COLLECTION, most_words=1).vocabulary == ("sea",)


def test_words_of_equal_weight_stay_by_spelling() -> None:
    assert fit_tfidf(["rose, ship", "tulip, wave"], most_words=3).vocabulary == ("rose", "ship", "tulip")


def test_what_is_left_of_a_text_is_scaled_to_length_one() -> None:
    vectors = fit_tfidf(COLLECTION, most_words=2).encode_texts(["ship, rose", "rose"])
    np.testing.assert_allclose(vectors, [[0, 1], [0, 0]], atol=1e-7)


@given(st.lists(st.lists(st.sampled_from(["ship", "sea", "rose", "storm", "tulip"]), min_size=1), min_size=2))
def test_any_collection_is_weighed_as_by_scikit_learn(collection: list[list[str]]) -> None:
    texts = [" ".join(words) for words in collection]
    expected = reference().fit_transform(texts).toarray()
    np.testing.assert_allclose(fit_tfidf(texts).encode_texts(texts), expected, atol=1e-6)


@given(most=st.integers(1, 12), seed=st.integers(0, 999))
def test_no_other_words_keep_more_of_the_squared_length(most: int, seed: int) -> None:
    words = weigh_words(TEXTS)
    model = fit_tfidf(TEXTS, most_words=most)
    squares = (words.rows.toarray().astype(np.float64) ** 2).sum(axis=0)
    kept = squares[[words.vocabulary.index(word) for word in model.vocabulary]].sum()
    others = np.random.default_rng(seed).choice(squares, min(most, len(squares)), replace=False)
    assert model.dim == min(most, len(squares))
    assert kept >= others.sum() - 1e-9


def test_large_collections_count_words_of_two_texts_or_more() -> None:
    texts = ["ship", "ship and sea", "sea", *["rose"] * 4998, "zeppelin"]
    assert len(texts) == 5002
    assert fit_tfidf(texts).vocabulary == ("rose", "sea", "ship")


def test_large_collections_without_common_words_are_refused() -> None:
    signs = [
        chr(ord("a") + n // 676) + chr(ord("a") + n // 26 % 26) + chr(ord("a") + n % 26) + "qx" for n in range(5001)
    ]
    with pytest.raises(EncoderError, match="no two of 5001 texts have a word in common"):
        fit_tfidf(signs)


def test_no_words_are_refused() -> None:
    with pytest.raises(EncoderError, match="cannot keep 0 words; give a number of 1 or more"):
        fit_tfidf(TEXTS, most_words=0)


@pytest.mark.parametrize(
    ("weights", "vocabulary"),
    [(np.ones(2), ["ship"]), (np.ones((1, 1)), ["ship"]), (np.ones(2), ["ship", "ship"]), (np.ones(1), ["a", "b"])],
)
def test_words_and_weights_must_fit(weights: np.ndarray, vocabulary: list[str]) -> None:
    with pytest.raises(ProvenanceError, match="one weight for each word"):
        TFIDF(EncoderState("tfidf", {"vocabulary": vocabulary, "language": "en"}, {"weights": weights}))
