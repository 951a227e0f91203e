"""Counterbalancing, by counting."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.errors import StudyError
from vernissage.study.counterbalancing import next_row, screen_order, williams_square

SIZES = range(1, 13)


@pytest.mark.parametrize("k", SIZES)
def test_every_condition_stands_at_every_place_equally_often(k: int) -> None:
    square = williams_square(k)
    assert len(square) == (k if k % 2 == 0 or k == 1 else 2 * k)
    for place in range(k):
        assert Counter(row[place] for row in square) == dict.fromkeys(range(k), len(square) // k)


@pytest.mark.parametrize("k", SIZES)
def test_every_ordered_pair_of_neighbours_is_there_equally_often(k: int) -> None:
    pairs = Counter(pair for row in williams_square(k) for pair in pairwise(row))
    every = [(one, other) for one in range(k) for other in range(k) if one != other]
    assert pairs == dict.fromkeys(every, 1 if k % 2 == 0 else 2)


def test_the_square_of_four_is_the_published_one() -> None:
    assert williams_square(4) == ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))


@pytest.mark.parametrize("k", SIZES)
def test_showings_are_never_adjacent_and_equally_far_apart(k: int) -> None:
    for row in williams_square(k):
        if k == 1:
            continue
        order = screen_order(row, 2)
        for condition in range(k):
            first, second = order.index((condition, 1)), order.index((condition, 2))
            assert second - first == k > 1
        assert len(set(order)) == len(order) == 2 * k


def test_one_engine_cannot_be_shown_twice() -> None:
    assert screen_order((0,), 1) == ((0, 1),)
    with pytest.raises(StudyError, match="without the showings being adjacent"):
        screen_order((0,), 2)


def test_no_engine_cannot_be_put_in_order() -> None:
    with pytest.raises(StudyError, match="give 1 or more"):
        williams_square(0)


@given(st.integers(1, 6), st.lists(st.one_of(st.none(), st.integers(0, 40)), max_size=60))
def test_first_engines_differ_by_at_most_one_and_freed_rows_are_given_away_first(
    k: int, events: list[int | None]
) -> None:
    """None: somebody comes; a number: one of those who are there drops out."""
    orders = tuple(tuple("abcdef"[letter] for letter in row) for row in williams_square(k))
    held: list[int] = []
    for event in events:
        if event is None:
            firsts = Counter(dict.fromkeys("abcdef"[:k], 0)) + Counter(orders[row][0] for row in held)
            row = next_row(orders, Counter(held))
            assert all(firsts[orders[row][0]] <= firsts[engine] for engine in "abcdef"[:k])
            held.append(row)
        elif held:
            held.pop(event % len(held))
    for _ in range(2 * len(orders) + len(held)):
        held.append(next_row(orders, Counter(held)))
        firsts = Counter(orders[row][0] for row in held)
    assert max(firsts[engine] for engine in "abcdef"[:k]) - min(firsts[engine] for engine in "abcdef"[:k]) <= max(
        1, _spread(orders, held[: -2 * len(orders)])
    )


def _spread(orders: tuple[tuple[str, ...], ...], held: list[int]) -> int:
    firsts = Counter(orders[row][0] for row in held)
    counts = [firsts[order[0]] for order in orders]
    return max(counts) - min(counts)


@pytest.mark.parametrize("k", range(1, 8))
def test_without_dropouts_first_engines_and_rows_never_differ_by_more_than_one(k: int) -> None:
    orders = tuple(tuple("abcdefg"[letter] for letter in row) for row in williams_square(k))
    held: Counter[int] = Counter()
    for _ in range(5 * len(orders) + 1):
        held[next_row(orders, held)] += 1
        firsts = Counter(dict.fromkeys("abcdefg"[:k], 0))
        for row, count in held.items():
            firsts[orders[row][0]] += count
        assert max(firsts.values()) - min(firsts.values()) <= 1
        counts = [held[row] for row in range(len(orders))]
        assert max(counts) - min(counts) <= 1
