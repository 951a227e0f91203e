"""Reciprocal-rank fusion of whole rankings, with its arithmetic spelled out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.errors import RequestError
from vernissage.values import Ranking
from vernissage_lab.recipes.fusion import reciprocal_rank_fusion


def ranking(*item_ids: str) -> Ranking:
    return Ranking(item_ids, np.arange(len(item_ids), 0, -1, dtype=np.float64))


def test_reciprocal_rank_fusion_adds_one_over_k_plus_rank() -> None:
    fused = reciprocal_rank_fusion([ranking("a", "b", "c"), ranking("c", "a")], k=60)
    assert fused.item_ids == ("a", "c", "b")
    assert fused.scores == pytest.approx([1 / (60 + 1) + 1 / (60 + 2), 1 / (60 + 3) + 1 / (60 + 1), 1 / (60 + 2)])


def test_constant_zero_is_that_of_the_first_paper() -> None:
    fused = reciprocal_rank_fusion([ranking("a", "b"), ranking("b", "c")], k=0)
    assert dict(fused) == {"b": 1 / 2 + 1 / 1, "a": 1 / 1, "c": 1 / 2}


def test_partial_fusion_sees_only_the_first_works() -> None:
    fused = reciprocal_rank_fusion([ranking("a", "b", "c"), ranking("b", "c", "a")], k=0, depth=1)
    assert fused.item_ids == ("a", "b")


def test_a_weight_of_zero_leaves_a_ranking_out() -> None:
    fused = reciprocal_rank_fusion([ranking("a", "b"), ranking("z", "y")], weights=[1, 0])
    assert fused.item_ids == ("a", "b")


def test_ties_go_to_the_best_single_rank_then_to_the_id() -> None:
    # With k=0: x is first once (1/1); y is second twice (1/2 + 1/2 = 1). Equal sums, x has the better single rank.
    fused = reciprocal_rank_fusion([ranking("x", "y"), ranking("q", "y")], k=0)
    assert fused.item_ids == ("q", "x", "y")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": [1]}, "1 weights were given for 2"),
        ({"weights": [0, 0]}, "not all 0"),
        ({"weights": [1, -1]}, "0 or more"),
        ({"weights": [1, float("nan")]}, "0 or more"),
        ({"k": -1}, "constant k"),
        ({"depth": 0}, "depth"),
    ],
)
def test_impossible_fusions_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        reciprocal_rank_fusion([ranking("a"), ranking("b")], **options)  # type: ignore[arg-type]


def test_no_ranking_cannot_be_fused() -> None:
    with pytest.raises(RequestError, match="at least one ranking"):
        reciprocal_rank_fusion([])


lists = st.lists(
    st.lists(st.sampled_from([f"w{i}" for i in range(12)]), unique=True, max_size=12), min_size=1, max_size=4
)


@given(lists, st.randoms(use_true_random=False), st.sampled_from([0, 1, 60]), st.sampled_from([None, 1, 3]))
def test_fusion_ignores_the_order_of_its_inputs(
    rows: list[list[str]], random: object, k: float, depth: int | None
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = reciprocal_rank_fusion([ranking(*row) for row in rows], k=k, depth=depth)
    second = reciprocal_rank_fusion([ranking(*row) for row in shuffled], k=k, depth=depth)
    assert first == second


def test_fusion_gives_equal_scores_equal_shares_and_nothing_to_those_that_the_depth_divides() -> None:
    even = Ranking(("a", "b", "c"), np.array([2.0, 1.0, 1.0]))
    assert dict(reciprocal_rank_fusion([even], k=0)) == pytest.approx({"a": 1, "b": 5 / 12, "c": 5 / 12})
    assert reciprocal_rank_fusion([even], k=0, depth=2).item_ids == ("a",)
    assert reciprocal_rank_fusion([even], k=0, depth=3).item_ids == ("a", "b", "c")
