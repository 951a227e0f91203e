import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.errors import RequestError
from vernissage.rankings import best_rows, iou, rbo, reciprocal_ranks
from vernissage.values import Ranking


def ranking(*item_ids: str) -> Ranking:
    return Ranking(item_ids, np.arange(len(item_ids), 0, -1, dtype=np.float64))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 45))
def test_best_rows_equals_a_full_sort(values: list[int], k: int) -> None:
    scores = np.array(values, dtype=np.float64)
    ties = np.arange(len(values))[::-1]
    expected = sorted(range(len(values)), key=lambda row: (-scores[row], ties[row]))[:k]
    assert best_rows(scores, k, ties).tolist() == expected


def test_best_rows_never_returns_barred_rows() -> None:
    assert best_rows(np.array([1.0, -np.inf, 3.0]), 3, np.arange(3)).tolist() == [2, 0]


def test_works_of_equal_score_share_the_mean_of_their_reciprocal_ranks() -> None:
    ranks, values = reciprocal_ranks(np.array([0.9, 0.5, 0.5, 0.5, 0.1]), 60)
    shared = (1 / 62 + 1 / 63 + 1 / 64) / 3
    assert ranks.tolist() == [1, 2, 2, 2, 5]
    assert values == pytest.approx([1 / 61, shared, shared, shared, 1 / 65], rel=1e-15)


def test_a_group_that_is_cut_or_at_the_floor_of_precision_has_no_rank() -> None:
    scores = np.array([0.9, 0.5, 0.5])
    assert [each.tolist() for each in reciprocal_ranks(scores, 0, cut=True)] == [[1, 0, 0], [1, 0, 0]]
    noise = np.array([0.9, 3e-8, 0.0, -2e-8])
    assert [each.tolist() for each in reciprocal_ranks(noise, 0, floor=1e-6)] == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert reciprocal_ranks(noise, 0)[0].tolist() == [1, 2, 3, 4]
    # What is liked less than nothing at all comes after what is merely unlike.
    ranks, values = reciprocal_ranks(np.array([0.9, 3e-8, -2e-8, -0.5]), 0, floor=1e-6)
    assert ranks.tolist() == [1, 2, 2, 4]
    assert values == pytest.approx([1, (1 / 2 + 1 / 3) / 2, (1 / 2 + 1 / 3) / 2, 1 / 4])
    assert [each.tolist() for each in reciprocal_ranks(np.empty(0), 0, cut=True, floor=1.0)] == [[], []]


@given(st.lists(st.integers(-2, 5), min_size=1, max_size=30), st.sampled_from([0.0, 1.0, 60.0]))
def test_equal_scores_change_nothing_of_the_sum_of_a_list(scores: list[int], k: float) -> None:
    ordered = np.sort(np.array(scores, dtype=np.float64))[::-1]
    assert reciprocal_ranks(ordered, k)[1].sum() == pytest.approx(sum(1 / (k + r) for r in range(1, len(scores) + 1)))


def test_rankings_compare_by_value() -> None:
    assert ranking("a", "b") == ranking("a", "b")
    assert ranking("a", "b") != ranking("b", "a")
    assert ranking("a", "b", "c").head(2).item_ids == ("a", "b")
    assert ranking("a") != "a"


NINE = "abcdefghi"


@pytest.mark.parametrize(
    ("other", "overlap", "union"),
    [
        pytest.param(NINE, 1, 1, id="identical"),
        pytest.param("ihgfedcba", 0.552924760179, 1, id="reversed"),
        pytest.param("bacdefghi", 0.9, 1, id="first two swapped"),
        pytest.param("abcdefgih", 0.99402128875, 1, id="last two swapped"),
        pytest.param("a12345678", 0.274588915536, 1 / 17, id="only the first shared"),
        pytest.param("abc123456", 0.578766746607, 0.2, id="top three shared"),
        pytest.param("123456789", 0, 0, id="disjoint"),
        pytest.param("abcde", 1, 5 / 9, id="its own first five"),
        pytest.param("", 0, 0, id="one empty"),
    ],
)
def test_overlap_of_nine_works(other: str, overlap: float, union: float) -> None:
    assert rbo(NINE, other) == pytest.approx(overlap, abs=1e-12)
    assert rbo(other, NINE) == rbo(NINE, other)
    assert iou(NINE, other) == pytest.approx(union, abs=1e-15)
    assert iou(other, NINE) == iou(NINE, other)


def test_two_empty_lists_are_the_same() -> None:
    assert (rbo("", ""), iou("", "")) == (1, 1)


@given(st.permutations(range(12)), st.integers(1, 12), st.floats(0.01, 0.99))
def test_rank_biased_overlap_of_equal_lengths_is_the_short_formula(order: list[int], depth: int, p: float) -> None:
    first, second = list(range(depth)), order[:depth]
    agreement = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, depth + 1)]
    expected = agreement[-1] * p**depth + (1 - p) * sum(p ** (d - 1) * a for d, a in enumerate(agreement, start=1))
    assert rbo(first, second, p) == pytest.approx(expected, abs=1e-12)  # type: ignore[arg-type]


@given(st.permutations(range(10)), st.integers(0, 10), st.integers(0, 10), st.floats(0.01, 0.99))
def test_rank_biased_overlap_lies_between_0_and_1_whatever_the_lengths(
    order: list[int], first: int, second: int, p: float
) -> None:
    one, other = [str(item) for item in range(first)], [str(item) for item in order[:second]]
    assert 0 <= rbo(one, other, p) <= 1
    assert rbo(one, other, p) == rbo(other, one, p)
    assert 0 <= iou(one, other) <= 1


def test_rank_biased_overlap_of_uneven_lists_spelled_out() -> None:
    # a b against b c a: X_1 = 0, X_2 = 1, X_3 = 2; s = 2, l = 3.
    p = 0.8
    expected = (1 - p) / p * (0 * p + 1 / 2 * p**2 + 2 / 3 * p**3 + 1 * (3 - 2) / (2 * 3) * p**3) + (
        (2 - 1) / 3 + 1 / 2
    ) * p**3
    assert rbo(["a", "b"], ["b", "c", "a"], p) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.5, float("nan")])
def test_a_persistence_outside_0_and_1_is_refused(p: float) -> None:
    with pytest.raises(RequestError, match="between 0 and 1"):
        rbo("ab", "ba", p)


def test_overlap_of_lists_with_duplicates_is_refused() -> None:
    for overlap in (rbo, iou):
        with pytest.raises(RequestError, match="'a' is in one list twice"):
            overlap("ab", "aca")
