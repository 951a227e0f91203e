from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from vernissage_lab.analysis.ranking_metrics import (
    Rows,
    coverage_by_list,
    intra_list_diversity,
    ndcg,
    novelty,
    precision,
    recall,
)

GAINS = np.array([3.0, 2.0, 3.0, 0.0, 1.0, 2.0])


def rows(*numbers: int) -> Rows:
    return np.array(numbers, dtype=np.int64)


def test_ndcg_by_hand() -> None:
    dcg = 3 / log2(2) + 2 / log2(3) + 3 / log2(4) + 0 / log2(5)
    ideal = 3 / log2(2) + 3 / log2(3) + 2 / log2(4) + 2 / log2(5)
    assert ndcg(rows(0, 1, 2, 3), GAINS, 4) == pytest.approx(dcg / ideal, rel=1e-12)


def test_the_places_that_a_short_list_leaves_empty_are_misses() -> None:
    ideal = 3 / log2(2) + 3 / log2(3) + 2 / log2(4)
    assert ndcg(rows(2), GAINS, 3) == pytest.approx(3 / ideal)
    assert ndcg(rows(), GAINS, 3) == 0
    assert precision(rows(2), GAINS > 2, 4) == 1 / 4


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_agrees_with_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    gains, scores = random.random(50), random.standard_normal(50)
    ranked = np.argsort(-scores)
    assert ndcg(ranked, gains, 9) == pytest.approx(ndcg_score(gains[None], scores[None], k=9), rel=1e-12)


def test_recall_and_precision_by_hand() -> None:
    relevant = np.array([True, False, True, True, False, True])
    assert recall(rows(0, 1, 2, 4, 5), relevant, 4) == 2 / 4
    assert precision(rows(0, 1, 2, 4, 5), relevant, 4) == 2 / 4
    assert recall(rows(0, 1, 2, 4, 5), relevant, 5) == 3 / 4
    assert precision(rows(0, 1, 2, 4, 5), relevant, 5) == 3 / 5


def test_diversity_by_hand() -> None:
    assert intra_list_diversity(np.array([[0, 0.5, 1], [0.5, 0, 0.25], [1, 0.25, 0]])) == (0.5 + 1 + 0.25) / 3
    assert intra_list_diversity(np.zeros((4, 4))) == 0
    assert intra_list_diversity(1 - np.eye(4)) == 1


def test_novelty_by_hand() -> None:
    distances = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert novelty(distances, np.array([3.0, 1.0])) == pytest.approx(
        ((3 * 0 + 1 * 1) / 4 + (3 * 0.5 + 1 * 0.5) / 4) / 2
    )
    assert novelty(np.array([[0.0, 1.0]]), np.array([1.0, 0.0])) == 0


def test_coverage_by_hand() -> None:
    lists = [rows(0, 1, 2), rows(1, 2), rows(4)]
    without = np.array([3, 4, 3]) / 8
    pseudo = 4 / 8 + 2 * (without.mean() - without)
    assert coverage_by_list(lists, 8) == pytest.approx(pseudo)
    jackknife = np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum())
    assert pseudo.std(ddof=1) / np.sqrt(3) == pytest.approx(jackknife)


def test_the_jackknife_error_of_coverage_is_near_the_spread_over_fresh_samples() -> None:
    random = np.random.default_rng(3)

    def sample() -> list[np.ndarray]:
        return [random.choice(400, 9, replace=False) for _ in range(60)]

    spread = np.std([len(set(np.concatenate(sample()).tolist())) / 400 for _ in range(300)])
    stated = np.mean([coverage_by_list(sample(), 400).std(ddof=1) / np.sqrt(60) for _ in range(60)])
    assert 0.8 * spread < stated < 2 * spread  # the jackknife is known to err on the large side


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30).filter(any), st.integers(1, 12), st.randoms())
def test_ndcg_is_1_for_the_best_order_and_never_more(gains: list[float], depth: int, random: object) -> None:
    best = np.argsort(-np.array(gains), kind="stable")
    worth = np.array(gains)
    assert ndcg(best, worth, depth) == 1
    shuffled = list(range(len(gains)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert 0 <= ndcg(rows(*shuffled), worth, depth) <= 1
    assert ndcg(rows(*shuffled), worth, depth) == pytest.approx(ndcg(rows(*shuffled), worth * 8, depth))


@given(st.permutations(range(12)), st.integers(1, 11))
def test_swapping_a_better_work_forward_raises_ndcg(order: list[int], place: int) -> None:
    gains = np.arange(12.0)
    better = list(order)
    better[place - 1], better[place] = sorted((order[place - 1], order[place]), reverse=True)
    assert ndcg(rows(*better), gains, 12) >= ndcg(rows(*order), gains, 12)
    assert (better == list(order)) or ndcg(rows(*better), gains, 12) > ndcg(rows(*order), gains, 12)


@given(st.lists(st.sets(st.integers(0, 19), max_size=9), min_size=2, max_size=12))
def test_the_mean_of_coverage_by_list_is_coverage(lists: list[set[int]]) -> None:
    covered = len(set().union(*lists)) / 20
    assert coverage_by_list([rows(*shown) for shown in lists], 20).mean() == pytest.approx(covered, abs=1e-12)
