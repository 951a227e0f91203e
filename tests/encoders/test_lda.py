import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation

from vernissage.encoders.contract import EncoderState, TextEncoder
from vernissage.encoders.fitted.lda import (
    LDA,
    choose_number,
    draw_coherence,
    fit_lda,
    standard_error,
    topic_mixtures,
)
from vernissage.errors import EncoderError, ProvenanceError

SEA = ["ship", "wave", "harbour", "sail", "storm", "anchor"]
GARDEN = ["rose", "tulip", "garden", "petal", "leaf", "meadow"]


def theme_texts(words: list[str], count: int, seed: int) -> list[str]:
    """Texts of eight words each, all of one theme."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=8)) for _ in range(count)]


MEADOW = ["cow", "sheep", "shepherd", "pasture", "hay", "barn"]
CHURCH = ["altar", "saint", "angel", "chapel", "bishop", "cross"]
TEXTS = [*theme_texts(SEA, 28, 1), *theme_texts(GARDEN, 22, 2)]
FOUR_THEMES = [
    text for seed, words in enumerate([SEA, GARDEN, MEADOW, CHURCH]) for text in theme_texts(words, 25, seed)
]


@pytest.fixture(scope="module")
def lda() -> LDA:
    return fit_lda(TEXTS, topics=2, seed=3)


def test_it_keeps_the_contract(lda: LDA) -> None:
    vectors = lda.encode_texts(TEXTS)
    assert isinstance(lda, TextEncoder)
    assert (lda.name, lda.dim, lda.modalities) == ("lda", 2, {"text"})
    assert vectors.dtype == np.float32
    assert vectors.shape == (50, 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_topics_are_the_two_themes_and_the_larger_comes_first(lda: LDA) -> None:
    sea, garden = lda.topics
    assert set(sea.words) == set(SEA)
    assert set(garden.words) == set(GARDEN)
    assert (sea.number, garden.number) == (1, 2)
    assert sea.share == pytest.approx(0.56, abs=0.02)
    assert sea.share + garden.share == pytest.approx(1)
    assert sea.name == " · ".join(sea.words[:3])
    assert list(sea.weights) == sorted(sea.weights, reverse=True)


def test_four_themes_are_found_by_coherence() -> None:
    model = fit_lda(FOUR_THEMES, topic_range=(2, 3, 4), seed=1)
    assert list(model.coherence) == [2, 3, 4]
    assert max(model.coherence, key=model.coherence.__getitem__) == 4
    assert model.dim == 4
    found = {frozenset(topic.words) for topic in model.topics}
    assert found == {frozenset(words) for words in (SEA, GARDEN, MEADOW, CHURCH)}


def test_small_collections_get_the_smallest_number() -> None:
    assert fit_lda(TEXTS, topic_range=(4, 6, 8)).dim == 4


def test_works_of_one_theme_are_alike_and_of_two_are_not(lda: LDA) -> None:
    vectors = lda.encode_texts(["a ship in a storm", "sails in the harbour", "tulips and roses"])
    assert vectors[0] @ vectors[1] > 0.95
    assert vectors[0] @ vectors[2] < 0.2


def test_a_text_of_both_themes_lies_between(lda: LDA) -> None:
    both = lda.mixtures(["a rose and a tulip, an anchor and a wave"])[0]
    np.testing.assert_allclose(both, [0.5, 0.5], atol=0.02)


def test_a_text_without_known_words_is_all_zero(lda: LDA) -> None:
    vectors = lda.encode_texts(["", "zeppelin", "1888", "<br>", "the ship"])
    assert not vectors[:4].any()
    assert vectors[4].any()
    assert lda.encode_texts([]).shape == (0, 2)


def test_a_row_depends_on_its_own_text_alone(lda: LDA) -> None:
    mixed = [*theme_texts([*SEA, *GARDEN], 200, 7), "", *TEXTS]
    together = lda.encode_texts(mixed)
    alone = np.concatenate([lda.encode_texts([text]) for text in mixed])
    backwards = lda.encode_texts(mixed[::-1])[::-1]
    assert together.tobytes() == alone.tobytes() == backwards.tobytes()


def test_fitting_twice_gives_equal_bytes(lda: LDA) -> None:
    again = fit_lda(TEXTS, topics=2, seed=3)
    assert again.fingerprint == lda.fingerprint
    assert again.encode_texts(TEXTS).tobytes() == lda.encode_texts(TEXTS).tobytes()


def test_saved_and_loaded_it_gives_the_same_bits(tmp_path: Path) -> None:
    lda = fit_lda(FOUR_THEMES, topic_range=(2, 4))
    lda.state.save(tmp_path)
    loaded = LDA.from_state(EncoderState.load(tmp_path))
    assert loaded.fingerprint == lda.fingerprint
    assert loaded.topics == lda.topics
    assert (loaded.coherence, loaded.coherence_error) == (lda.coherence, lda.coherence_error)
    texts = [*TEXTS, *theme_texts([*SEA, *GARDEN], 100, 8)]
    assert loaded.encode_texts(texts).tobytes() == lda.encode_texts(texts).tobytes()


def test_empty_texts_do_not_change_the_model(lda: LDA) -> None:
    gaps = [text for pair in zip(TEXTS, [""] * len(TEXTS), strict=True) for text in pair]
    assert fit_lda(gaps, topics=2, seed=3).fingerprint == lda.fingerprint


def test_a_given_number_of_topics_is_kept() -> None:
    fixed = fit_lda(TEXTS, topics=5)
    assert fixed.dim == 5
    assert list(fixed.coherence) == [5]


def test_artists_names_make_no_topics() -> None:
    painters = ["Rosa Bonheur", "Jan Steen"]
    texts = [f"{text}. {painters[row % 2]}" for row, text in enumerate(TEXTS)]
    artists = [painters[row % 2] for row in range(len(texts))]
    assert {"bonheur", "steen"} <= set(fit_lda(texts, topics=2).vocabulary)
    assert {"bonheur", "steen", "rosa"}.isdisjoint(fit_lda(texts, artists=artists, topics=2).vocabulary)


def test_topics_of_words_that_fell_together_by_chance_say_so(lda: LDA) -> None:
    assert not lda.notes
    by_chance = LDA(replace(lda.state, settings={**lda.state.settings, "coherence": {"2": -0.01}}))
    (note,) = by_chance.notes
    assert "no more often than by chance (NPMI -0.010)" in note


def test_accents_and_markup() -> None:
    texts = ["Étretat<br>falaise", "falaise à Étretat", "&Eacute;tretat &lt;b&gt;falaise&lt;/b&gt;"]
    model = fit_lda(texts, topics=2)
    assert set(model.topics[0].words) == {"étretat", "falaise"}
    assert np.unique(model.encode_texts(texts), axis=0).shape == (1, 2)


@pytest.mark.parametrize("texts", [[], ["", ""], ["a ship at sea"], ["a ship", "a rose"], ["1888", "the painting"]])
def test_too_few_texts_are_refused(texts: list[str]) -> None:
    with pytest.raises(EncoderError, match=rf"^0 of {len(texts)} texts have words that other texts use too"):
        fit_lda(texts)


def test_a_number_of_topics_that_cannot_be_is_refused() -> None:
    with pytest.raises(EncoderError, match="cannot fit 0 topics"):
        fit_lda(TEXTS, topics=0)
    with pytest.raises(EncoderError, match="cannot fit no topics"):
        fit_lda(TEXTS, topic_range=())
    with pytest.raises(EncoderError, match="cannot fit 51 topics to 50 texts"):
        fit_lda(TEXTS, topics=51)


def test_the_state_of_another_encoder_or_half_a_state_is_refused(lda: LDA) -> None:
    with pytest.raises(ProvenanceError, match="of 'lsa'"):
        LDA.from_state(EncoderState("lsa", lda.state.settings, lda.state.arrays))
    with pytest.raises(ProvenanceError, match="not whole"):
        LDA.from_state(EncoderState("lda", lda.state.settings, {"shares": np.ones(2)}))
    words = {**lda.state.settings, "vocabulary": ["ship"]}
    with pytest.raises(ProvenanceError, match="not whole"):
        LDA.from_state(EncoderState("lda", words, lda.state.arrays))


def test_the_largest_number_within_one_standard_error_is_chosen() -> None:
    # The variance within each number is ((0.1)² + (0.1)²) / 1 = 0.02, so the standard error of a mean is √(0.02/2).
    spread = np.array([-0.1, 0.1])
    assert choose_number({4: 0.5 + spread, 8: 0.41 + spread, 12: 0.39 + spread}) == 8
    assert choose_number({4: 0.39 + spread, 8: 0.5 + spread, 12: 0.39 + spread}) == 8
    assert choose_number({4: [0.5], 8: [0.49]}) == 4
    assert standard_error({4: 0.5 + spread, 8: 0.3 + spread}) == pytest.approx(0.1)


def test_mixtures_are_those_of_scikit_learn() -> None:
    counts = sparse.csr_matrix(np.random.default_rng(5).poisson(0.4, (40, 30)).astype(float) + np.eye(40, 30))
    reference = LatentDirichletAllocation(
        4, doc_topic_prior=0.3, topic_word_prior=0.2, max_doc_update_iter=1000, mean_change_tol=1e-9, random_state=1
    ).fit(counts[:30])
    known = counts[np.diff(counts.indptr) > 0]
    found = topic_mixtures(known, reference.components_, 0.3)
    np.testing.assert_allclose(found, reference.transform(known), atol=1e-4)


def test_more_topics_than_different_texts() -> None:
    model = fit_lda(["a ship at sea", "a ship at sea", "ships, seas"], topics=3)
    np.testing.assert_allclose(model.mixtures(["ship sea"]).sum(), 1)


def test_progress_ends_where_it_said() -> None:
    told: list[tuple[str, int, int]] = []
    fit_lda(FOUR_THEMES, topic_range=(2, 3), progress=lambda *step: told.append(step))
    assert told[0] == ("comparing numbers of topics", 0, 6)
    assert told[-1][1] == told[-1][2]


def test_the_coherence_curve_is_a_picture_with_equal_bytes() -> None:
    lda = fit_lda(FOUR_THEMES, topic_range=(2, 4))
    drawn = draw_coherence(lda)
    assert drawn == draw_coherence(lda)
    assert drawn.startswith(b"\x89PNG")
