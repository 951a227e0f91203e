from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.errors import RequestError
from vernissage.profiles.areas import Area
from vernissage.profiles.interests import importance, recency

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def areas_of(*groups: tuple[int, ...]) -> list[Area]:
    return [Area(group, group[0], np.zeros(2, dtype=np.float32)) for group in groups]


def days_ago(*days: float | None) -> list[datetime | None]:
    return [None if each is None else NOW - timedelta(days=each) for each in days]


def test_without_times_an_area_counts_by_its_share_of_the_uploads() -> None:
    assert importance(areas_of((0, 1, 2), (3,))).tolist() == [3 / 4, 1 / 4]


def test_an_upload_one_half_life_older_counts_half() -> None:
    weights = importance(areas_of((0, 1), (2, 3)), days_ago(0, 10, 20, 20), now=NOW, half_life_days=10)
    total = 1 + 1 / 2 + 1 / 4 + 1 / 4
    assert weights == pytest.approx([(1 + 1 / 2) / total, (1 / 4 + 1 / 4) / total], rel=1e-12)


def test_what_counts_less_adds_less_to_its_area() -> None:
    weights = importance(areas_of((0, 1), (2,)), days_ago(0, 10, 0), counts=[1, 0.5, 1], now=NOW, half_life_days=10)
    assert weights == pytest.approx([(1 + 0.5 / 2) / (2 + 0.5 / 2), 1 / (2 + 0.5 / 2)])


def test_the_usual_half_life_is_a_year() -> None:
    assert importance(areas_of((0,), (1,)), days_ago(0, 365), now=NOW) == pytest.approx([2 / 3, 1 / 3])


def test_uploads_without_a_time_do_not_decay_nor_do_those_of_tomorrow() -> None:
    assert recency(days_ago(None, 10, -3), now=NOW, half_life_days=10).tolist() == [1, 0.5, 1]


def test_decay_can_be_switched_off() -> None:
    assert importance(areas_of((0,), (1,)), days_ago(0, 900), now=NOW, half_life_days=None).tolist() == [0.5, 0.5]


def test_no_area_is_so_old_that_it_is_muted() -> None:
    weights = importance(areas_of((0,), (1,)), days_ago(0, 40_000), now=NOW, half_life_days=0.5)
    assert (weights > 0).all()


@given(st.lists(st.floats(0, 5000), min_size=3, max_size=9), st.floats(0, 3000), st.floats(1, 1000))
def test_what_all_uploads_have_aged_together_changes_nothing(days: list[float], later: float, half_life: float) -> None:
    areas = areas_of((0, 2), (1, *range(3, len(days))))
    young = importance(areas, days_ago(*days), now=NOW, half_life_days=half_life)
    old = importance(areas, days_ago(*days), now=NOW + timedelta(days=later), half_life_days=half_life)
    assert young.sum() == pytest.approx(1)
    assert old == pytest.approx(young, rel=1e-6)


@pytest.mark.parametrize("half_life", [0, -1, float("nan"), float("inf")])
def test_a_half_life_must_be_a_number_of_days(half_life: float) -> None:
    with pytest.raises(RequestError, match="half-life"):
        importance(areas_of((0,)), days_ago(1), now=NOW, half_life_days=half_life)


def test_times_must_fit_the_uploads_and_say_where_they_were_taken() -> None:
    with pytest.raises(RequestError, match="2 times were given for 1 uploads"):
        importance(areas_of((0,)), days_ago(1, 2), now=NOW)
    with pytest.raises(RequestError, match="what time it is now"):
        importance(areas_of((0,)), days_ago(1))
    with pytest.raises(RequestError, match="lacks its zone"):
        importance(areas_of((0,)), [datetime(2026, 1, 1)], now=NOW)
