import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from vernissage.encoders.fitted.lda import npmi, topic_coherence

# Columns: ship, sea, tree. Four documents: "ship sea", "ship sea tree", "ship", "tree".
PRESENCE = sparse.csr_matrix([[1, 2, 0], [1, 1, 1], [3, 0, 0], [0, 0, 1]])


def test_spelled_out() -> None:
    ship_sea = math.log((2 / 4) / ((3 / 4) * (2 / 4))) / -math.log(2 / 4)
    ship_tree = math.log((1 / 4) / ((3 / 4) * (2 / 4))) / -math.log(1 / 4)
    sea_tree = math.log((1 / 4) / ((2 / 4) * (2 / 4))) / -math.log(1 / 4)
    assert sea_tree == 0
    assert ship_tree < 0 < ship_sea
    found = topic_coherence(PRESENCE, list(np.array([[0, 1], [0, 2], [2, 1]])))
    np.testing.assert_allclose(found, [ship_sea, ship_tree, sea_tree], atol=1e-15)


def test_the_mean_is_over_all_pairs() -> None:
    pairs = topic_coherence(PRESENCE, list(np.array([[0, 1], [0, 2], [1, 2]])))
    whole = topic_coherence(PRESENCE, [np.array([2, 0, 1])])
    assert whole[0] == pytest.approx(pairs.mean())


def test_how_often_a_word_stands_in_one_document_does_not_matter() -> None:
    words = [np.array([0, 1, 2])]
    assert topic_coherence(PRESENCE, words) == topic_coherence(PRESENCE.astype(bool), words)


def test_a_topic_of_one_word_says_nothing() -> None:
    assert topic_coherence(PRESENCE, [np.array([0]), np.array([], dtype=int)]).tolist() == [-1, -1]


def test_the_limits() -> None:
    assert npmi(2, 2, 0, 10) == -1
    assert npmi(3, 3, 3, 10) == pytest.approx(1)
    assert npmi(10, 10, 10, 10) == 1


@given(st.integers(2, 50), st.data())
def test_between_minus_one_and_one_and_symmetric(documents: int, data: st.DataObject) -> None:
    both = data.draw(st.integers(0, documents))
    first = both + data.draw(st.integers(0, documents - both))
    second = both + data.draw(st.integers(0, documents - first))
    if min(first, second) == 0:
        return
    value = npmi(first, second, both, documents)
    assert -1 - 1e-12 <= value <= 1 + 1e-12
    assert value == pytest.approx(npmi(second, first, both, documents))
