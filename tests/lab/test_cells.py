import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from vernissage.errors import RequestError
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.tables import Row

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import the tests
SIZE = 600  # large enough that the array is shared as a file


def sums(table: np.ndarray, column: int) -> list[Row]:
    return [{"column": column, "sum": float(table[:, column].sum()), "process": os.getpid()}]


def threads(_: int) -> list[Row]:
    np.linalg.svd(np.eye(3))
    return [{"threads": max(int(each["num_threads"]) for each in threadpool_info())}]


def failing(number: int) -> list[Row]:
    if number == 2:
        raise RequestError(f"part {number} cannot be computed; leave it out")
    return [{"number": number}]


def parts(count: int) -> list[Part]:
    table = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    return [Part({"column": column}, partial(sums, table, column)) for column in range(count)]


def computed(some: Sequence[Part], cells: Cells | None = None, workers: int = 1) -> list[list[Row]]:
    return rows_of(some, cells or Cells(), "Adding", workers=workers)


def without_process(rows: list[list[Row]]) -> list[list[Row]]:
    return [[{name: value for name, value in row.items() if name != "process"} for row in each] for each in rows]


def test_side_by_side_gives_the_same_rows_in_the_same_order() -> None:
    alone, together = computed(parts(5)), computed(parts(5), workers=2)
    assert without_process(alone) == without_process(together)
    assert {each[0]["process"] for each in alone} == {os.getpid()}
    assert os.getpid() not in {each[0]["process"] for each in together}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_part_has_one_thread(workers: int) -> None:
    some = [Part({"number": number}, partial(threads, number)) for number in range(3)]
    assert computed(some, workers=workers) == [[{"threads": 1}]] * 3


def test_finished_cells_are_read_and_the_rest_is_left_where_only_some_may_be_computed(tmp_path: Path) -> None:
    first = Cells(tmp_path, most=2)
    found = computed(parts(5), first, workers=2)
    assert (first.made, first.read, first.skipped) == (2, 0, 3)
    assert [len(rows) for rows in found] == [1, 1, 0, 0, 0]
    second = Cells(tmp_path)
    assert without_process(computed(parts(5), second)) == without_process(computed(parts(5)))
    assert (second.made, second.read, second.skipped) == (3, 2, 0)


def test_a_part_that_fails_fails_the_run_with_its_own_words_and_what_was_finished_stays(tmp_path: Path) -> None:
    for workers in (1, 2):
        cells = Cells(tmp_path / str(workers))
        with pytest.raises(RequestError, match="part 2 cannot be computed"):
            computed([Part({"number": n}, partial(failing, n)) for n in range(3)], cells, workers)
    assert len(list((tmp_path / "1" / "cells").iterdir())) == 2


def test_progress_counts_what_is_there() -> None:
    seen: list[tuple[int, int]] = []
    rows_of(parts(3), Cells(progress=lambda _, done, of: seen.append((done, of))), "Adding")
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_no_worker_is_refused() -> None:
    with pytest.raises(RequestError, match="0 workers cannot compute anything; give 1 or more with --workers"):
        computed(parts(1), workers=0)
