"""The overlap tables, each number by hand."""

import math
import statistics

import pytest

from vernissage.analysis.overlap import OverlapBetween, OverlapWithin, overlap_tables
from vernissage.errors import RequestError
from vernissage.rankings import rbo

LISTS = {
    ("ann", "x"): ("1", "2", "3"),
    ("ben", "x"): ("1", "2", "4"),
    ("cam", "x"): ("7", "8", "9"),
    ("ann", "y"): ("3", "2", "1"),
    ("ben", "y"): ("9", "8", "7"),
    ("dan", "z"): ("1", "2", "3"),
}


def within(lists: dict[tuple[str, str], tuple[str, ...]], engine: str, metric: str) -> OverlapWithin:
    (row,) = [each for each in overlap_tables(lists)[0] if (each.engine, each.metric) == (engine, metric)]
    return row


def between(a: str, b: str, metric: str, pairing: str) -> OverlapBetween:
    rows = overlap_tables(LISTS, pairing=pairing)[1]  # type: ignore[arg-type]
    (row,) = [each for each in rows if (each.engine_a, each.engine_b, each.metric) == (a, b, metric)]
    assert row.pairing == pairing
    return row


def test_one_engines_lists_are_compared_over_all_pairs_of_participants() -> None:
    row = within(LISTS, "x", "IoU")
    values = [2 / 4, 0.0, 0.0]  # ann and ben share 2 of 4 works, cam none with either
    assert (row.n_pairs, row.mean) == (3, pytest.approx(1 / 6))
    assert row.sd == pytest.approx(statistics.stdev(values))
    row = within(LISTS, "x", "RBO")
    assert row.mean == pytest.approx(rbo(("1", "2", "3"), ("1", "2", "4")) / 3)


def test_one_pair_has_no_deviation_and_no_pair_no_mean() -> None:
    row = within(LISTS, "y", "IoU")
    assert (row.n_pairs, row.mean) == (1, 0.0)
    assert math.isnan(row.sd)
    row = within(LISTS, "z", "RBO")
    assert row.n_pairs == 0
    assert math.isnan(row.mean)
    assert math.isnan(row.sd)


def test_two_engines_are_compared_for_the_same_participant() -> None:
    row = between("x", "y", "IoU", "same participant")
    assert (row.n_pairs, row.mean) == (2, pytest.approx((1 + 0) / 2))
    assert between("x", "y", "RBO", "same participant").mean == pytest.approx(rbo("123", "321") / 2)
    assert between("x", "z", "IoU", "same participant").n_pairs == 0
    assert math.isnan(between("x", "z", "IoU", "same participant").mean)


def test_two_engines_are_compared_for_all_pairs_by_name() -> None:
    row = between("x", "y", "IoU", "all pairs")
    assert (row.n_pairs, row.mean) == (6, pytest.approx((1 + 2 / 4 + 0 + 0 + 0 + 1) / 6))
    row = between("y", "z", "IoU", "all pairs")
    assert (row.n_pairs, row.mean) == (2, pytest.approx(1 / 2))


def test_excluded_participants_lists_are_not_compared() -> None:
    first, second = overlap_tables(LISTS, excluded=["ann"])
    assert [each.n_pairs for each in first if each.metric == "IoU"] == [1, 0, 0]
    assert [each.n_pairs for each in second if each.metric == "RBO"] == [1, 0, 0]


def test_the_order_of_lists_does_not_matter() -> None:
    reverse = dict(reversed(LISTS.items()))
    for pairing in ("same participant", "all pairs"):
        assert repr(overlap_tables(reverse, pairing=pairing)) == repr(overlap_tables(LISTS, pairing=pairing))  # type: ignore[arg-type]


def test_an_item_twice_and_an_unknown_pairing_are_refused() -> None:
    with pytest.raises(RequestError, match="'1' is in one list twice"):
        overlap_tables(LISTS | {("eve", "x"): ("1", "2", "1")})
    with pytest.raises(RequestError, match="'some pairs'"):
        overlap_tables(LISTS, pairing="some pairs")  # type: ignore[arg-type]
