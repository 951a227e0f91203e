"""K-means and singular vectors without scikit-learn against scikit-learn's."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from vernissage.encoders.fitted.k_means import k_means
from vernissage.encoders.fitted.languages import stop_words
from vernissage.encoders.fitted.lsa import singular_vectors


@pytest.mark.parametrize(("count", "columns", "clusters"), [(250, 50, 8), (600, 20, 24), (40, 3, 30)])
def test_k_means_finds_the_clusters_of_scikit_learn(count: int, columns: int, clusters: int) -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(count, columns)) + 3 * random.normal(size=(10, columns))[random.integers(0, 10, count)]
    with threadpool_limits(1):
        expected = KMeans(clusters, n_init=1, random_state=3).fit(points)
        labels, centres = k_means(points, clusters, seed=3)
    assert labels.tolist() == expected.labels_.tolist()
    np.testing.assert_allclose(centres, expected.cluster_centers_, atol=1e-12)


def test_k_means_of_equal_points_ends_with_centres_on_them() -> None:
    labels, centres = k_means(np.repeat([[1.0, 2.0], [5.0, 2.0]], 3, axis=0), 4, seed=0)
    assert labels[:3].tolist() == [labels[0]] * 3
    assert labels[3:].tolist() == [labels[3]] * 3 != labels[:3].tolist()
    np.testing.assert_allclose(centres[labels[[0, 3]]], [[1, 2], [5, 2]])


@pytest.mark.parametrize(("shape", "count"), [((250, 900), 20), ((900, 250), 20), ((60, 90), 50), ((30, 30), 30)])
def test_singular_vectors_are_those_of_scikit_learn(shape: tuple[int, int], count: int) -> None:
    rows = sparse.random(*shape, 0.05, random_state=1, format="csr")
    expected = randomized_svd(rows, count, random_state=3)
    for found, wanted in zip(singular_vectors(rows, count, 3), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_english_stop_words_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    assert stop_words("en") == ENGLISH_STOP_WORDS
