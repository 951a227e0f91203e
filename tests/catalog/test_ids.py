"""Ids in their order, found by binary search."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog import ids as module
from vernissage.catalog.ids import ChosenIds, Ids

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
unique = st.lists(texts, max_size=30, unique=True)


@settings(deadline=None)
@given(unique, texts)
def test_ids_answer_as_a_tuple_and_a_dict_would(known: list[str], stranger: str) -> None:
    ids = Ids.of(known)
    assert ids == tuple(known)
    assert tuple(known) == ids
    assert list(ids) == known
    assert [ids[row] for row in range(len(known))] == known
    assert ids[1:3] == tuple(known[1:3])
    assert [ids.row(item_id) for item_id in known] == list(range(len(known)))
    assert (stranger in ids) == (ids.row(stranger) is not None) == (stranger in known)
    assert [known[row] for row in ids.order] == sorted(known)
    assert [sorted(known)[place] for place in ids.places] == known
    assert ids.repeated == ()


@settings(deadline=None)
@given(unique, st.lists(texts, max_size=10))
def test_rows_are_the_same_one_by_one_and_at_once(known: list[str], wanted: list[str]) -> None:
    ids, expected = Ids.of(known), [known.index(item_id) if item_id in known else -1 for item_id in wanted]
    assert ids.rows(wanted).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LOOKED_UP_ONE_BY_ONE", 0)
        assert ids.rows(wanted).tolist() == expected
        assert ids.rows(ids).tolist() == list(range(len(known)))


@settings(deadline=None)
@given(unique, unique)
def test_equal_digests_mean_equal_ids_in_equal_order(one: list[str], other: list[str]) -> None:
    assert (Ids.of(one).digest == Ids.of(other).digest) == (one == other) == (Ids.of(one) == Ids.of(other))


def test_a_slice_of_an_array_is_ids_like_any_other() -> None:
    ids = Ids(pa.array(["d", "é", "a", "c"]).slice(1, 2))
    assert list(ids) == ["é", "a"]
    assert ids.order.tolist() == [1, 0]
    assert ids.row("a") == 1
    assert ids.row("d") is None
    assert ids.digest == Ids.of(["é", "a"]).digest


def test_a_stored_order_is_used_without_sorting() -> None:
    array, order = pa.array(["b", "a"]), np.array([1, 0], dtype=np.int32)
    assert Ids(array, order).order is order


def test_what_is_no_text_or_stands_twice_is_told() -> None:
    assert 3 not in Ids.of(["3"])
    assert Ids.of(["3"]).row("\ud800") is None
    with pytest.raises(IndexError):
        Ids.of(["3"])[1]
    assert Ids.of(["b", "a", "b", "c", "a", "b"]).repeated == ("a", "b")


def test_chosen_ids_are_a_set_whose_rows_are_known() -> None:
    ids = Ids.of([f"w{number}" for number in range(40)])
    chosen = ChosenIds(ids, np.array([3, 8, 21]))
    assert chosen == {"w3", "w8", "w21"}
    assert hash(chosen) == hash(frozenset(chosen))
    assert "w8" in chosen
    assert not {"w9", "w39", "nobody", 8} & chosen
    assert chosen - {"w3"} == {"w8", "w21"}
    others = Ids.of([f"w{number}" for number in range(30, 2, -3)])
    for known in (ids, others, Ids.of(list(ids))):
        assert known.rows(chosen).tolist() == known.rows(["w3", "w8", "w21"]).tolist()
