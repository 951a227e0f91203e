import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from vernissage.errors import RequestError
from vernissage_lab.tables import Row, by_table, differences, in_table, means, read_table, write_table

ROWS: list[Row] = [
    {"task": "t", "rule": rule, "user": user, "recall": value}
    for rule, values in {"a": (1.0, 0.5, 0.0, 0.5), "b": (0.5, 0.5, 0.0, 0.0)}.items()
    for user, value in enumerate(values)
]


def test_means_have_standard_errors() -> None:
    first, second = means(ROWS, ("task", "rule"), ("recall",))
    assert first == {"task": "t", "rule": "a", "measure": "recall", "mean": 0.5, "se": first["se"], "n": 4}
    assert first["se"] == pytest.approx(math.sqrt((0.25 + 0.25) / 3) / 2)
    assert second["mean"] == 0.25


def test_a_group_of_one_has_no_error_and_nan_is_left_out() -> None:
    single = means([ROWS[0] | {"recall": math.nan}, ROWS[0]], ("rule",), ("recall",))
    assert single[0]["n"] == 1
    assert math.isnan(float(single[0]["se"]))


def test_differences_are_those_of_a_paired_test() -> None:
    (row,) = differences(list(reversed(ROWS)), ("task",), ("rule",), ("b",), ("recall",), "user")
    test = stats.ttest_rel([1.0, 0.5, 0.0, 0.5], [0.5, 0.5, 0.0, 0.0])
    assert (row["difference"], row["n"], row["reference"]) == (0.25, 4, "b")
    assert row["t"] == pytest.approx(test.statistic)
    assert row["p"] == pytest.approx(test.pvalue)


def test_no_p_is_zero() -> None:
    rows = [{"rule": rule, "user": user, "x": value} for rule, value in (("a", 1.0), ("b", 0.0)) for user in range(5)]
    (row,) = differences(rows, (), ("rule",), ("b",), ("x",), "user")
    assert row["p"] == row["p_holm"] == 1e-300


def test_a_user_twice_in_one_configuration_is_refused() -> None:
    with pytest.raises(RequestError, match="same user"):
        differences([*ROWS, ROWS[0]], ("task",), ("rule",), ("b",), ("recall",), "user")


def test_tables_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows: list[Row] = [{"name": "=1+1", "value": 0.1 + 0.2, "n": 3}, {"name": "b", "value": 1e-300, "n": 4}]
    write_table(tmp_path, "table", rows)
    assert read_table(tmp_path, "table") == rows
    told = pd.read_csv(tmp_path / "table.csv")
    assert told["name"].tolist() == ["'=1+1", "b"]
    assert told["value"].tolist() == [0.1 + 0.2, 1e-300]


def test_a_missing_table_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="run the experiment again"):
        read_table(tmp_path, "table")


def test_rows_of_several_tables_are_told_apart_again() -> None:
    rows = [in_table("a", {"x": 1}), in_table("b", {"y": 2}), in_table("a", {"x": 3})]
    assert by_table(rows) == {"a": [{"x": 1}, {"x": 3}], "b": [{"y": 2}]}
