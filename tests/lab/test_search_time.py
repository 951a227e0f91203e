import json
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest

from vernissage.cli.main import main
from vernissage.errors import RequestError
from vernissage_lab.cells import Cells, on_one_thread
from vernissage_lab.recipes import search_time as ways
from vernissage_lab.recipes.search_time import RECIPE, SearchTimeOptions, compute, tables_of
from vernissage_lab.tables import Row, where
from vernissage_lab.timing import in_turns

SMALL = SearchTimeOptions(
    vectors=3000, k=20, queries=60, small_vectors=400, small_k=400, small_queries=4, dim=16, warm_up=1
)
_TIMES = ("wall_ms", "cpu_ms")


def _outcome(cells: Cells | None = None, options: SearchTimeOptions = SMALL) -> list[Row]:
    return list(compute(options, cells or Cells()).tables.get("times", ()))


def _without_times(rows: list[Row]) -> list[Row]:
    return [{column: value for column, value in row.items() if column not in _TIMES} for row in rows]


@pytest.mark.parametrize("k", [1, 7, 300])
def test_every_method_finds_the_true_best_in_order(k: int) -> None:
    index = ways.flat_index(301, 24, seed=3)
    vectors = ways.vectors_in(index)
    queries, _ = ways.queries_near(vectors, 5, seed=3)
    halves = [vectors[:150], vectors[150:]]
    flats = [faiss.IndexFlatIP(24), faiss.IndexFlatIP(24)]
    for flat, half in zip(flats, halves, strict=True):
        flat.add(half)
    methods = [
        ways.numpy_partition([vectors]),
        ways.numpy_partition(halves),
        ways.faiss_flat([index]),
        ways.faiss_flat(flats),
        *(ways.exact_index(parts, byte_scan=scan) for parts in ([vectors], halves) for scan in (True, False)),
        ways.numpy_argsort(vectors),
        ways.loop_sorted_by_number(vectors),
    ]
    scores = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    expected = np.argsort(-scores, axis=1)[:, :k]
    assert np.array_equal(ways.true_best(vectors, queries, k), expected)
    for method in methods:
        for query, best in zip(queries, expected, strict=True):
            assert method.rows(method.search(query, k)).tolist() == best.tolist(), method


def test_the_sort_by_tensors_finds_the_same() -> None:
    pytest.importorskip("torch")
    vectors = ways.vectors_in(index := ways.flat_index(50, 8, seed=1))
    queries, _ = ways.queries_near(vectors, 3, seed=1)
    by_tensor, by_number = ways.loop_sorted_by_tensor(vectors), ways.loop_sorted_by_number(vectors)
    for query in queries:
        assert np.array_equal(by_tensor.rows(by_tensor.search(query, 9)), by_number.rows(by_number.search(query, 9)))
    assert index.ntotal == 50


def test_the_true_best_of_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)
    whole = ways.true_best(vectors, vectors[:6], 10)
    monkeypatch.setattr(ways, "_BLOCK", 7)
    assert np.array_equal(ways.true_best(vectors, vectors[:6], 10), whole)


def test_vectors_and_queries_have_length_one_and_partners_are_near() -> None:
    vectors = ways.vectors_in(index := ways.flat_index(2000, 128, seed=5))
    queries, partners = ways.queries_near(vectors, 500, seed=5)
    assert index.ntotal == len(vectors) == 2000
    assert queries.dtype == vectors.dtype == np.float32
    for rows in (vectors, queries):
        assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    cosines = np.einsum("ij,ij->i", queries, vectors[partners])
    assert cosines.mean() == pytest.approx(0.2, abs=5 / np.sqrt(128 * 500))
    assert np.array_equal(ways.vectors_in(again := ways.flat_index(2000, 128, seed=5)), vectors)
    assert again.ntotal == 2000


def test_calls_take_turns_and_answers_keep_their_places() -> None:
    called: list[str] = []

    def call(name: str) -> str:
        called.append(name)
        return name

    before = faiss.omp_get_max_threads()
    with on_one_thread():
        assert faiss.omp_get_max_threads() == 1
        found = [in_turns([lambda: call("a"), lambda: call("b"), lambda: call("c")], turn) for turn in range(2)]
    assert called == ["a", "b", "c", "b", "c", "a"]
    assert [[each.answer for each in some] for some in found] == [["a", "b", "c"]] * 2
    assert faiss.omp_get_max_threads() == before


def test_a_killed_run_goes_on_and_finds_the_same(tmp_path: Path) -> None:
    part = Cells(tmp_path, most=1)
    assert len(_outcome(part)) == 50 * 6
    assert (part.made, part.skipped) == (1, 2)
    rest = Cells(tmp_path)
    rows = _outcome(rest)
    assert (rest.made, rest.read) == (2, 1)
    assert _without_times(rows) == _without_times(_outcome())


def test_the_exact_index_loses_nothing_and_tables_say_so() -> None:
    tables = compute(SMALL, Cells()).tables
    assert {row["indexes"] for row in where(tables["summary"], comparison="one index or two")} == {1, 2}
    exact = [row for row in tables["summary"] if str(row["contender"]).startswith("exact")]
    assert len(exact) == 3
    for row in exact:
        assert [row[column] for column in ("missed", "drop_1", "drop_5", "drop_10")] == [0, 0, 0, 0]
        assert row["of"] == int(row["queries"]) * int(row["k"])
    assert 0 < float(exact[0]["recall_10"]) < 1
    assert {row["measure"] for row in tables["welch"]} == {"cpu_ms", "wall_ms"}
    assert all(0 < float(row["p"]) <= 1 for row in tables["welch"])


def test_what_an_answer_lacks_is_counted() -> None:
    """Of two queries, one answer lacks 3 of its best 20, and a partner at place 2 is not found."""
    tables = compute(SMALL, Cells()).tables
    rows = [dict(row) for row in where(tables["times"], contender="FAISS flat", indexes=1)][:2]
    rows[0] |= {"missed": 3, "partner_rank": 0, "true_partner_rank": 2}
    rows[1] |= {"missed": 0, "partner_rank": 1, "true_partner_rank": 1}
    base = [dict(row) for row in where(tables["times"], contender="NumPy matmul + argpartition", indexes=1)][:2]
    summary = where(tables_of([*base, *rows])["summary"], contender="FAISS flat")[0]
    assert (summary["missed"], summary["of"]) == (3, 40)
    assert [summary[f"recall_{depth}"] for depth in (1, 5, 10)] == [0.5, 0.5, 0.5]
    assert [summary[f"drop_{depth}"] for depth in (1, 5, 10)] == [0.0, 0.5, 0.5]


def test_sizes_that_cannot_be_are_refused() -> None:
    for wrong, message in (
        ({"vectors": 10}, "best 20 of 10 vectors"),
        ({"small_k": 0}, "best 0 of 400 small vectors"),
        ({"vectors": 0, "small_vectors": 0}, "no vectors"),
        ({"dim": 1}, "--dim 1"),
    ):
        with pytest.raises(RequestError, match=message):
            _outcome(options=replace(SMALL, **wrong))


def test_the_command_leaves_tables_a_figure_and_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--vectors=600", "-k5", "--queries=3", "--small-vectors=40", "--small-queries=2", "--dim=8"]
    with pytest.raises(SystemExit) as end:
        main(["experiment", "run", "search-time", *sizes, "--out", str(tmp_path)])
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    assert "One index less two: Welch's test" in printed.out
    assert "600 vectors for one index against two; the paper has 1,000,000" in printed.out + printed.err
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["experiment"] == RECIPE.name
    assert set(record["tables"]) == {"times", "summary", "welch"}
    assert (tmp_path / "search-time.png").stat().st_size > 10_000
