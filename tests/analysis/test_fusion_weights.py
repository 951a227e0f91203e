"""Weights of representations: what planted works tell, near-duplicates, noise, shuffled texts, owners, too few."""

import numpy as np
import numpy.typing as npt
import pytest

from vernissage.analysis.fusion_weights import FEWEST_WORKS, Representation, RepresentationWeight, fusion_weights

Vectors = npt.NDArray[np.float64]
WORKS, THEMES, DIM = 240, 24, 48


def themed(seed: int, noise: float, themes: npt.NDArray[np.int64] | None = None) -> Vectors:
    """Unit vectors of works around the directions of their themes, which every representation draws for itself."""
    random = np.random.default_rng(seed)
    own = np.arange(WORKS) % THEMES if themes is None else themes
    rows = random.standard_normal((THEMES, DIM))[own] + noise * random.standard_normal((WORKS, DIM))
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def text(name: str, vectors: Vectors) -> Representation:
    return Representation(name, frozenset({"text"}), vectors)


def picture(name: str, vectors: Vectors) -> Representation:
    return Representation(name, frozenset({"image"}), vectors)


def found(*works: Representation, owners: tuple[str, ...] = ()) -> dict[str, RepresentationWeight]:
    return fusion_weights(works, owners)


SHUFFLED = np.random.default_rng(9).permutation(np.arange(WORKS) % THEMES)
WORDS, MORE_WORDS, COLOURS = text("words", themed(1, 1)), text("more", themed(2, 1)), picture("colours", themed(3, 1))


def test_weights_have_the_mean_1_and_equals_count_the_same() -> None:
    weights = found(WORDS, COLOURS, MORE_WORDS, picture("forms", themed(4, 1)))
    assert sum(each.weight for each in weights.values()) == pytest.approx(4, abs=0.002)
    assert all(each.weight == pytest.approx(1, abs=0.15) for each in weights.values())
    assert list(weights) == ["words", "colours", "more", "forms"]


def test_the_better_of_two_counts_more() -> None:
    weights = found(WORDS, text("vague", themed(2, 3)), COLOURS)
    assert weights["words"].weight > 2 * weights["vague"].weight
    assert weights["vague"].agreement < weights["words"].agreement
    assert "little borne out" in weights["vague"].why


def test_a_duplicate_shares_the_voice_of_its_original() -> None:
    alone = found(WORDS, COLOURS)
    twice = found(WORDS, text("again", themed(1, 1)), COLOURS)
    assert alone["words"].weight == pytest.approx(alone["colours"].weight, rel=0.1)
    assert twice["words"].weight == twice["again"].weight < alone["words"].weight / 2
    assert twice["colours"].weight > twice["words"].weight + twice["again"].weight
    assert "repeats what others say" in twice["words"].why


def test_noise_counts_next_to_nothing_whatever_else_agrees() -> None:
    noise = np.random.default_rng(5).standard_normal((WORKS, DIM))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    for weights in (found(WORDS, picture("noise", noise)), found(WORDS, COLOURS, picture("noise", noise))):
        assert weights["noise"].spread == 0
        assert 0 < weights["noise"].weight < 0.02


def test_texts_of_other_works_count_a_tenth_of_pictures_and_nothing_where_owners_tell() -> None:
    texts = text("words", themed(1, 1, SHUFFLED))
    weights = found(texts, COLOURS)
    assert abs(weights["words"].agreement) < 5 / WORKS
    assert weights["colours"].weight / weights["words"].weight == pytest.approx(10, rel=0.15)
    assert "nothing in common" in weights["words"].why
    owned = found(texts, COLOURS, owners=tuple(f"user{number % THEMES}" for number in range(WORKS)))
    assert owned["words"].weight < 0.02
    assert (owned["colours"].owners or 0) > 0.5
    wrong_pictures = found(
        WORDS, picture("colours", themed(3, 1, SHUFFLED)), owners=tuple(map(str, np.arange(WORKS) % THEMES))
    )
    assert wrong_pictures["colours"].weight < 0.02  # owners side with the texts


def test_owners_who_own_one_work_each_tell_nothing() -> None:
    assert found(WORDS, COLOURS, owners=tuple(map(str, range(WORKS)))) == found(WORDS, COLOURS)
    assert found(WORDS, COLOURS, owners=("",) * WORKS) == found(WORDS, COLOURS)


def test_what_knows_half_of_the_works_spreads_half_as_much() -> None:
    half = themed(3, 1)
    half[::2] = 0
    weights = found(WORDS, COLOURS, picture("half", half))
    assert weights["half"].spread < weights["colours"].spread * 0.6
    assert 0 < weights["half"].weight < weights["colours"].weight


def test_what_reads_both_modalities_agrees_as_the_others_do_on_average() -> None:
    both = Representation("both", frozenset({"image", "text"}), themed(6, 1))
    weights = found(WORDS, COLOURS, both)
    assert weights["both"].agreement == pytest.approx(
        (weights["words"].agreement + weights["colours"].agreement) / 2, abs=1e-3
    )


def test_of_one_modality_all_are_compared_with_all() -> None:
    weights = found(WORDS, MORE_WORDS, text("vague", themed(7, 4)))
    assert weights["words"].weight > weights["vague"].weight


def test_nothing_is_learned_of_one_representation_of_few_works_or_where_all_works_are_the_same() -> None:
    assert found(WORDS) == {}
    few = [Representation(each.name, each.modalities, each.vectors[: FEWEST_WORKS - 1]) for each in (WORDS, COLOURS)]
    assert found(*few) == {}
    same = np.zeros((WORKS, DIM))
    same[:, 0] = 1
    assert found(text("words", same), picture("colours", same)) == {}
    assert found(text("words", np.zeros((WORKS, DIM))), picture("colours", np.zeros((WORKS, DIM)))) == {}
