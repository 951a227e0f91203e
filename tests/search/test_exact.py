from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import find, random_index, random_table, table_of

from vernissage.catalog.ids import ChosenIds, Ids
from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.values import Allow


def literal(index: ExactIndex, query: np.ndarray, k: int, exclude: set[str] = frozenset()) -> list[str]:
    """Every score in double precision, sorted by Python: slow and plainly right."""
    scores = index.vectors_of(index.item_ids).astype(np.float64) @ query.astype(np.float64)
    rows = [row for row in range(len(index)) if index.item_ids[row] not in exclude]
    return [index.item_ids[row] for row in sorted(rows, key=lambda row: (-scores[row], index.item_ids[row]))[:k]]


@pytest.mark.parametrize("k", [1, 9, 100, 20_000, 21_000])
def test_all_scans_find_the_true_best(k: int) -> None:
    table = random_table(20_000, 64)
    plain, scanned = exact_index(table), exact_index(table, scan=build_byte_scan(table.vectors))
    queries = np.random.default_rng(1).standard_normal((5, 64))
    expected = [literal(plain, query, k) for query in queries]
    assert [list(find(plain, query, k).item_ids) for query in queries] == expected
    assert [list(find(scanned, query, k).item_ids) for query in queries] == expected
    assert [list(found.item_ids) for found in plain.search(queries, k)] == expected


def test_single_batch_and_byte_scores_agree_to_the_last_bit() -> None:
    table = random_table(5000, 32)
    plain, scanned = exact_index(table), exact_index(table, scan=build_byte_scan(table.vectors))
    queries = np.random.default_rng(2).standard_normal((8, 32))
    for query, batched in zip(queries, plain.search(queries, 9), strict=True):
        assert find(plain, query, 9) == batched == find(scanned, query, 9)


def test_equal_works_come_in_the_order_of_their_ids() -> None:
    index = exact_index(table_of([[1, 0]] * 5 + [[0, 1]], ["e", "b", "d", "a", "c", "z"]))
    assert find(index, np.array([1.0, 0]), 3).item_ids == ("a", "b", "c")
    assert index.search(np.array([[1.0, 0]]), 3)[0].item_ids == ("a", "b", "c")


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sets(st.integers(0, 49), max_size=50))
def test_exactly_k_come_back_where_k_exist(seed: int, k: int, excluded: set[int]) -> None:
    index = random_index(50, 3, seed=7)
    query = np.random.default_rng(seed).standard_normal(3)
    barred = {index.item_ids[row] for row in excluded}
    found = find(index, query, k, exclude=barred)
    assert list(found.item_ids) == literal(index, query, k, barred)
    assert len(found) == min(k, 50 - len(barred))
    assert index.search(query[None], k, Allow(frozenset(barred)))[0] == found
    assert find(index, query, k + 1, exclude=barred).head(k) == found


def test_only_chosen_works_are_found() -> None:
    index = random_index(100, 4)
    found = find(index, np.ones(4), 5, only={"w00003", "w00007", "no such work"}, exclude=["w00007"])
    assert found.item_ids == ("w00003",)
    assert len(find(index, np.ones(4), 5, only=[])) == 0
    works = Ids.of([f"w{number:05d}" for number in range(150)][::-1])
    chosen = ChosenIds(works, np.array([60, 100, 149]))
    for allow in (Allow(only=chosen), Allow(only=chosen, exclude=frozenset({"w00049"}))):
        plain = Allow(exclude=allow.exclude, only=frozenset(chosen))
        assert index.count(allow) == index.count(plain) > 0
        assert index.search(np.ones((2, 4)), 5, allow) == index.search(np.ones((2, 4)), 5, plain)


@pytest.mark.parametrize("kept", [8, 300])
def test_what_was_anticipated_comes_back_as_if_it_had_not_been(kept: int) -> None:
    table = random_table(300, 16, seed=3)
    plain, eager = exact_index(table), exact_index(table)
    eager.anticipate(table.vectors[:40], kept)
    first = table.item_ids[:2]
    for allow in (
        Allow(),
        Allow(exclude=frozenset(first)),
        Allow(only=frozenset(table.item_ids[::2])),
        Allow(only=frozenset(table.item_ids[::60]), exclude=frozenset(first)),
    ):
        assert plain.count(allow) == eager.count(allow) == len(plain.search(table.vectors[:1], 300, allow)[0])
        for query in (*table.vectors[:3], table.vectors[0] * np.float64(0.3), table.vectors[60]):
            for k in (1, 5, 9, 299):
                assert eager.search(query, k, allow) == plain.search(query, k, allow)
        assert eager.search(table.vectors[30:50], 5, allow) == plain.search(table.vectors[30:50], 5, allow)
    assert first[0] not in eager.remove(first).search(table.vectors[0], 3)[0].item_ids


def test_a_person_who_owns_almost_everything_still_gets_k() -> None:
    table = random_table(6000, 32)
    plain, scanned = exact_index(table), exact_index(table, scan=build_byte_scan(table.vectors))
    own = set(plain.item_ids[:5990])
    assert sorted(find(scanned, np.ones(32), 10, exclude=own).item_ids) == list(plain.item_ids[5990:])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 1.0, 1e3]), st.sampled_from([7, 24, 64, 266, 512, 1024]))
def test_the_error_bound_of_the_byte_scan_holds(seed: int, size: float, dim: int) -> None:
    """In dimensions that FAISS serves by different kernels; the bound is worth something, too."""
    random = np.random.default_rng(seed)
    vectors = table_of(random.standard_normal((300, dim)) ** 3).vectors
    scan = build_byte_scan(vectors)
    query = random.standard_normal(dim) * size
    scores, rows, bound = scan.search(query, 300)
    off = np.abs(scores - vectors[rows].astype(np.float64) @ query)
    assert off.max() <= bound <= 0.2 * np.linalg.norm(query)


def test_a_byte_scan_passes_over_excluded_rows() -> None:
    scan = build_byte_scan(random_table(500, 16).vectors)
    excluded = np.random.default_rng(3).random(500) < 0.7
    whole, few = scan.search(np.ones(16), 500), scan.search(np.ones(16), 20, excluded)
    assert few[1].tolist() == [row for row in whole[1].tolist() if not excluded[row]][:20]
    assert len(scan.search(np.ones(16), 500, excluded)[1]) == np.count_nonzero(~excluded)
    assert np.array_equal(scan.search(np.ones(16), 20)[1], whole[1][:20])  # the filter does not stay


def test_a_byte_scan_reads_its_codes_where_they_lie(tmp_path: Path) -> None:
    table = random_table(500, 16)
    build_byte_scan(table.vectors, "digest").save(tmp_path / "scan.npz")
    scan = ByteScan.load(tmp_path / "scan.npz", table.vectors, "digest")
    assert isinstance(scan.codes.base, np.memmap)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda query: scan.search(query, 20)[1].tolist(), np.eye(16).repeat(40, axis=0)))
    assert found == [scan.search(query, 20)[1].tolist() for query in np.eye(16).repeat(40, axis=0)]
    assert sum(map(len, scan._scanners)) <= 4  # which are used again


def test_a_query_that_separates_nothing_is_still_exact() -> None:
    # All rows differ by less than the byte scan can see, so it must give way to the full scan.
    base = np.random.default_rng(0).standard_normal(32)
    rows = base + 1e-4 * np.random.default_rng(1).standard_normal((6000, 32))
    table = table_of(rows)
    plain, scanned = exact_index(table), exact_index(table, scan=build_byte_scan(table.vectors))
    assert list(find(scanned, base, 9).item_ids) == literal(plain, base, 9)


def test_a_saved_scan_comes_back_and_serves_its_own_vectors_alone(tmp_path: Path) -> None:
    table, other = random_table(500, 8), random_table(500, 8, seed=1)
    scan = build_byte_scan(table.vectors, table.card.values)
    scan.save(tmp_path / "scan.npz")
    again = ByteScan.load(tmp_path / "scan.npz", table.vectors, table.card.values)
    query = np.ones(8)
    assert np.array_equal(again.search(query, 20)[1], scan.search(query, 20)[1])
    assert again.search(query, 20)[2] == scan.search(query, 20)[2]
    with pytest.raises(ProvenanceError, match="belongs to other vectors"):
        ByteScan.load(tmp_path / "scan.npz", other.vectors, other.card.values)
    (tmp_path / "scan.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(ProvenanceError, match="damaged"):
        ByteScan.load(tmp_path / "scan.npz", table.vectors, table.card.values)


@pytest.mark.parametrize(
    ("query", "k", "words"),
    [
        (np.ones(3), 5, "shape"),
        (np.array([1.0, np.nan]), 5, "not finite"),
        (np.ones(2), 0, "ask for 1 or more"),
    ],
)
def test_impossible_searches_are_refused(query: np.ndarray, k: int, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        find(random_index(10, 2), query, k)


def test_an_empty_table_finds_nothing() -> None:
    index = exact_index(table_of(np.empty((0, 4))))
    assert len(find(index, np.ones(4), 3)) == 0
    assert [len(found) for found in index.search(np.ones((2, 4)), 3)] == [0, 0]
