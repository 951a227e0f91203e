"""A live index against a fresh exact one over the same works, and against every score sorted by Python."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.worlds import find, random_table, table_of

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError, UnknownItemError
from vernissage.search import scan
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Allow, Ranking

DIM = 4
PEOPLE = ("", "ada", "ben", "cleo")
POSES = unit_rows(np.random.default_rng(0).integers(-2, 3, (12, DIM)) + 0.01)
"""Few, so that many works share one and ids decide."""

Works = Mapping[str, tuple[np.ndarray, str]]


def fresh(works: Works, item_ids: Sequence[str]) -> ExactIndex:
    return exact_index(table_for(works, item_ids))


def table_for(works: Works, item_ids: Sequence[str]) -> VectorTable:
    vectors = np.array([works[item_id][0] for item_id in item_ids], dtype=np.float32).reshape(len(item_ids), DIM)
    card = {"encoder": "toy", "fingerprint": "f", "modality": "text", "collection": "c"}
    return make_vector_table(vectors, item_ids, [""] * len(item_ids), **card)  # type: ignore[arg-type]


def literal(works: Works, item_ids: Sequence[str], query: np.ndarray, k: int) -> list[str]:
    """Scores of double precision, sorted by Python: slow and plainly right."""
    scores = {item_id: np.einsum("j,j", works[item_id][0].astype(np.float64), query) for item_id in item_ids}
    return sorted(item_ids, key=lambda item_id: (-scores[item_id], item_id))[:k]


def check_search(index: ExactIndex, works: Works, query: np.ndarray, k: int, owner: str | None, few: set[str]) -> None:
    """One search in every way that must give the same bits."""
    allowed = [item_id for item_id, (_, its) in works.items() if its != owner and item_id not in few]
    found = find(index, query, k, exclude=few, owner=owner)
    assert found == find(fresh(works, allowed), query, k)
    assert list(found.item_ids) == literal(works, allowed, query, k)
    assert len(found) == min(k, len(allowed))
    assert index.search(np.stack([query, -query]), k, Allow(frozenset(few), owner))[0] == found
    assert find(index, query, k, only=allowed, owner=owner) == found


def check_contents(index: ExactIndex, works: Works) -> None:
    assert sorted(index.item_ids) == sorted(works)
    assert len(index) == len(works)
    for item_id, (vector, owner) in works.items():
        assert item_id in index
        assert np.array_equal(index.vectors_of([item_id])[0], vector)
        assert index.owner_of(item_id) == owner
    for owner in PEOPLE[1:]:
        assert index.count(Allow(not_owner=owner)) == sum(its != owner for _, its in works.values())
    plain = fresh(works, sorted(works)).moments()
    found = index.moments()
    assert found.count == plain.count
    assert np.array_equal(found.mean, plain.mean)  # to the last bit, whatever came and went before
    assert np.array_equal(found.second, plain.second)


class Comings(RuleBasedStateMachine):
    """Works come and go at any snapshot, not the newest alone; all snapshots must stay what they were."""

    @initialize(count=st.integers(0, 12), owned=st.booleans())
    def start(self, count: int, owned: bool) -> None:
        ids = [f"w{number:02d}" for number in range(count)][::-1]
        owners = {item_id: "ada" for item_id in ids[1:] if owned}
        works = {item_id: (POSES[number], owners.get(item_id, "")) for number, item_id in enumerate(ids)}
        self.snapshots = [(exact_index(table_for(works, ids), owners=owners), works)]

    @rule(at=st.integers(0, 99), picks=st.lists(st.integers(0, 30), max_size=9, unique=True), data=st.data())
    def add(self, at: int, picks: list[int], data: st.DataObject) -> None:
        index, works = self.snapshots[at % len(self.snapshots)]
        ids = [item_id for item_id in (f"w{pick:02d}" for pick in picks) if item_id not in works]
        vectors = POSES[[data.draw(st.integers(0, 11)) for _ in ids]].reshape(len(ids), DIM)
        owners = [data.draw(st.sampled_from(PEOPLE)) for _ in ids]
        more = {item_id: (vector, owner) for item_id, vector, owner in zip(ids, vectors, owners, strict=True)}
        self.snapshots.append((index.add(ids, vectors, owners), {**works, **more}))

    @rule(at=st.integers(0, 99), picks=st.lists(st.integers(0, 99), max_size=9))
    def remove(self, at: int, picks: list[int]) -> None:
        index, works = self.snapshots[at % len(self.snapshots)]
        ids = sorted({sorted(works)[pick % len(works)] for pick in picks}) if works else []
        left = {item_id: work for item_id, work in works.items() if item_id not in ids}
        self.snapshots.append((index.remove(ids), left))

    @rule(
        at=st.integers(0, 99), k=st.integers(1, 40), owner=st.sampled_from([None, "ada", "ben", "nobody"]),
        few=st.sets(st.integers(0, 30), max_size=6), seed=st.integers(0, 50),
    )  # fmt: skip
    def search(self, at: int, k: int, owner: str | None, few: set[int], seed: int) -> None:
        index, works = self.snapshots[at % len(self.snapshots)]
        query = np.random.default_rng(seed).integers(-3, 4, DIM) * 0.37
        check_search(index, works, query, k, owner, {f"w{pick:02d}" for pick in few})

    @rule(at=st.integers(0, 99))
    def look(self, at: int) -> None:
        check_contents(*self.snapshots[at % len(self.snapshots)])

    def teardown(self) -> None:
        for index, works in getattr(self, "snapshots", []):
            check_contents(index, works)
            check_search(index, works, np.array([0.3, -1.0, 0.5, 2.0]), 5, "ada", set())


TestComings = Comings.TestCase
TestComings.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte scans for small worlds too, so that every way of looking is taken."""
    monkeypatch.setattr(scan, "WORTH_A_SCAN", 2_000)


def grown(count: int, steps: int, seed: int = 0) -> tuple[ExactIndex, VectorTable, list[str]]:
    """An index grown in uneven steps from a tenth of its rows, and the table and owners of all of them.

    Later rows are larger, far beyond what the first byte scan could hold.
    """
    random = np.random.default_rng(seed)
    vectors = (random.standard_normal((count, 16)) * np.linspace(0.5, 4, count)[:, None]).astype(np.float32)
    ids = [f"w{number:05d}" for number in random.permutation(count)]
    card = {"encoder": "toy", "fingerprint": "f", "modality": "image", "collection": "c"}
    owners = [PEOPLE[number] for number in random.integers(0, 4, count)]
    first = count // 10
    table = make_vector_table(vectors[:first], ids[:first], [""] * first, **card)  # type: ignore[arg-type]
    index = exact_index(table, owners=dict(zip(ids[:first], owners[:first], strict=True)))
    for run in np.array_split(np.arange(first, count), steps):
        places = run.tolist()
        index = index.add([ids[row] for row in places], vectors[run], [owners[row] for row in places])
    return index, make_vector_table(vectors, ids, [""] * count, **card), owners  # type: ignore[arg-type]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("k", [1, 10, 300, 2_900])
def test_byte_scans_that_grew_find_the_true_best(k: int) -> None:
    index, table, _ = grown(3_000, 23)
    plain = exact_index(table)
    queries = np.random.default_rng(1).standard_normal((6, 16))
    expected = [find(plain, query, k) for query in queries]
    assert [find(index, query, k) for query in queries] == expected
    assert index.search(queries, k) == expected


def test_rows_get_byte_scans_in_few_runs(eager: None) -> None:
    index, _, _ = grown(3_000, 40)
    runs = index._added.segments
    assert 1 < len(runs) <= 12
    assert [run.start for run in runs] == [0, *(run.stop for run in runs[:-1])]
    scanned = max(run.stop for run in runs if run.scan is not None)
    assert 2_700 - scanned <= 3_000 // 16 + 2_000 // 16


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.8, 0.99, 0.999, 1.0])
def test_whoever_owns_much_gets_exactly_k_of_others(share: float) -> None:
    table = random_table(4_000, 16, seed=3)
    own = set(np.random.default_rng(4).permutation(table.item_ids)[: int(4_000 * share)].tolist())
    queries = np.random.default_rng(5).standard_normal((3, 16))
    owners = dict.fromkeys(own, "ada")
    for index in (
        exact_index(table, owners=owners),
        exact_index(table, owners=owners, scan=build_byte_scan(table.vectors)),
    ):
        for query, batched in zip(queries, index.search(queries, 10, Allow(not_owner="ada")), strict=True):
            found = find(index, query, 10, owner="ada")
            assert found == batched == find(exact_index(table), query, 10, exclude=own)
            assert len(found) == min(10, 4_000 - len(own))
            assert find(index, query, 10, owner="somebody new") == find(exact_index(table), query, 10)


@pytest.mark.usefixtures("eager")
def test_removed_works_leave_scans_and_later_rows_alone() -> None:
    index, table, owners = grown(5_000, 7)
    random = np.random.default_rng(2)
    query = random.standard_normal(16)
    gone: set[str] = set()
    for share in (0.001, 0.2, 0.45, 0.6, 0.9):
        left = [item_id for item_id in table.item_ids if item_id not in gone]
        leaving = random.permutation(left)[: int(5_000 * share) - len(gone)].tolist()
        index = index.remove(leaving)
        gone.update(leaving)
        allowed = [i for i, owner in zip(table.item_ids, owners, strict=True) if i not in gone and owner != "ben"]
        assert find(index, query, 5, owner="ben") == find(exact_index(table), query, 5, only=allowed)
        assert index.search(query[None], 20)[0] == find(exact_index(table), query, 20, exclude=gone)
        assert index.item_ids == tuple(item_id for item_id in table.item_ids if item_id not in gone)
    assert index._added.size <= 2 * len(index._added) + 1


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("apart", [1e-4, 1e-7])
def test_works_that_no_first_look_tells_apart_are_still_in_the_true_order(apart: float) -> None:
    """They differ by less than bytes, or even float32 sums, can see."""
    base = np.random.default_rng(0).standard_normal(64)
    vectors = (base + apart * np.random.default_rng(1).standard_normal((6_000, 64))).astype(np.float32)
    table = table_of(vectors)
    some = table_of(vectors[:10])
    index = exact_index(some).add(table.item_ids[10:], table.vectors[10:], [""] * 5_990)
    scores = [float(score) for score in np.einsum("ij,j->i", table.vectors.astype(np.float64), base)]
    expected = [row for _, row in sorted(zip([-score for score in scores], table.item_ids, strict=True))][:9]
    assert list(find(index, base, 9).item_ids) == expected
    assert list(index.search(np.stack([base, -base]), 9)[0].item_ids) == expected


def test_equal_works_come_in_the_order_of_their_ids_however_they_came() -> None:
    index = exact_index(table_of([[1, 0]] * 3, ["e", "b", "z"]))
    index = index.add(["d", "a", "y"], unit_rows(np.array([[1, 0]] * 2 + [[0, 1]])), ["", "", ""])
    assert find(index, np.array([1.0, 0]), 4).item_ids == ("a", "b", "d", "e")
    assert index.search(np.array([[1.0, 0]]), 9)[0].item_ids == ("a", "b", "d", "e", "z", "y")


def test_a_work_may_come_back_with_another_vector_and_owner() -> None:
    first = exact_index(table_of(np.eye(3), ["a", "b", "c"]), owners={"a": "ada"})
    again = first.remove(["a"]).add(["a"], np.eye(3, dtype=np.float32)[2:], ["ben"])
    assert (first.owner_of("a"), again.owner_of("a")) == ("ada", "ben")
    assert find(first, np.eye(3)[0], 1).item_ids == find(again, np.eye(3)[2], 1).item_ids == ("a",)
    assert first.vectors_of(["a"]).tolist() == [[1, 0, 0]]
    assert (first.count(Allow(not_owner="ben")), again.count(Allow(not_owner="ada"))) == (3, 3)


def test_two_changes_of_one_snapshot_do_not_see_each_other() -> None:
    parent = exact_index(table_of(np.eye(3)[:1], ["a"]))
    one = parent.add(["b"], np.eye(3, dtype=np.float32)[1:2], ["ada"])
    other = parent.add(["b"], np.eye(3, dtype=np.float32)[2:], ["ben"])
    assert (one.owner_of("b"), other.owner_of("b"), parent.item_ids) == ("ada", "ben", ("a",))
    assert one.vectors_of(["b"]).tolist() == [[0, 1, 0]]
    assert other.vectors_of(["b"]).tolist() == [[0, 0, 1]]
    assert "b" not in parent


def test_adding_shares_the_rows_that_are_there() -> None:
    table = random_table(1_000, 8)
    index = exact_index(table)
    following = index
    for number in range(300):
        following = following.add([f"u{number}"], table.vectors[:1], ["ada"])
    assert np.shares_memory(table.vectors, following._table.vectors)
    last = following.add(["last"], table.vectors[:1], ["ada"])
    assert np.shares_memory(following._added.vectors, last._added.vectors)
    assert np.shares_memory(following._added.vectors, following.remove(["u3"])._added.vectors)
    with pytest.raises(ValueError, match="read-only"):
        following._added.vectors[0] = 0


def test_moments_do_not_drift() -> None:
    """Hundreds of changes, moments asked for after some of them: as exact as those of a fresh index."""
    random = np.random.default_rng(8)
    vectors = unit_rows(random.standard_normal((3_000, 24)))
    names = [f"w{number:04d}" for number in range(3_000)]
    index, there = exact_index(table_of(vectors[:200], names[:200])), list(range(200))
    snapshots = []
    for step in range(300):
        new = list(range(200 + 9 * step, 209 + 9 * step))
        index = index.add([names[row] for row in new], vectors[new], [""] * 9)
        there += new
        leaving = random.choice(there, size=8, replace=False).tolist()
        index = index.remove([names[row] for row in leaving])
        there = [row for row in there if row not in leaving]
        if step % 7 == 0 or step == 299:
            snapshots.append((index, list(there)))
            if step % 2 == 0:
                check_moments(index, vectors[there])
    for snapshot, rows in snapshots:  # of older ones, too, after newer ones were summed
        check_moments(snapshot, vectors[rows])


def check_moments(index: ExactIndex, vectors: np.ndarray) -> None:
    found, wide = index.moments(), vectors.astype(np.float64)
    assert found.count == len(wide)
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(found.second, wide.T @ wide / len(wide), atol=1e-13)


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that are interrupted all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager", "restless")
def test_readers_are_not_disturbed_by_a_writer() -> None:
    index, table, _ = grown(1_000, 3)
    queries = np.random.default_rng(6).standard_normal((40, 16))
    expected = [find(exact_index(table), query, 9) for query in queries]

    def read(number: int) -> list[Ranking]:
        batch = index.search(queries, 9) if number % 2 else [find(index, query, 9) for query in queries]
        return [found for found in batch if set(found.item_ids) <= set(index.item_ids)]

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, number) for number in range(6)]
        following = index
        for number in range(300):
            vectors = np.full((5, 16), number, dtype=np.float32)
            following = following.add([f"u{number}.{each}" for each in range(5)], vectors, ["ada"] * 5)
            following = following.remove([f"u{number}.0"])
        assert [each.result() for each in reading] == [expected] * 6
    assert len(following) == 1_000 + 4 * 300


def test_an_empty_index_fills() -> None:
    empty = exact_index(table_of(np.empty((0, 4))))
    assert len(find(empty, np.ones(4), 3)) == 0
    assert [len(found) for found in empty.search(np.ones((2, 4)), 3, Allow(not_owner="ada"))] == [0, 0]
    one = empty.add(["a"], np.eye(4, dtype=np.float32)[:1], ["ada"])
    assert find(one, np.ones(4), 3).item_ids == ("a",)
    assert len(find(one, np.ones(4), 3, owner="ada")) == 0
    assert one.add([], np.empty((0, 4), dtype=np.float32), []) is one
    none = one.remove(["a"])
    assert (len(none), none.item_ids, len(find(none, np.ones(4), 1))) == (0, (), 0)
    assert none.add(["a"], np.eye(4, dtype=np.float32)[:1], [""]).owner_of("a") == ""
    assert empty.search(np.empty((0, 4)), 3) == []


INDEX = exact_index(table_of(np.eye(3), ["a", "b", "c"]), owners={"a": "ada"})
ONE = np.eye(3, dtype=np.float32)[:1]


@pytest.mark.parametrize(
    ("ids", "vectors", "owners", "words"),
    [
        (["a"], ONE, ["ada"], "a: already in the index; remove"),
        (["x", "x"], np.eye(3)[:2], ["", ""], "given twice"),
        (["x"], np.ones((1, 4)), [""], r"shape \(1, 4\)"),
        (["x", "y"], np.eye(3)[:2], ["ada"], "1 owners"),
        (["x"], ONE * np.nan, [""], "not finite"),
    ],
)
def test_what_cannot_be_added_is_refused(ids: list[str], vectors: np.ndarray, owners: list[str], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        INDEX.add(ids, vectors, owners)
    assert INDEX.item_ids == ("a", "b", "c")


def test_works_that_are_not_there_are_named() -> None:
    for ask in (INDEX.remove, INDEX.vectors_of, lambda ids: INDEX.owner_of(ids[1])):
        with pytest.raises(UnknownItemError, match="nobody: no such work"):
            ask(["a", "nobody"])
    with pytest.raises(UnknownItemError, match="a: no such work"):
        INDEX.remove(["a"]).vectors_of(["a"])


def test_impossible_searches_are_refused() -> None:
    with pytest.raises(RequestError, match="ask for 1 or more"):
        find(INDEX, np.ones(3), 0)
    with pytest.raises(RequestError, match="shape"):
        INDEX.search(np.ones((2, 4)), 1)
    with pytest.raises(RequestError, match="empty name"):
        find(INDEX, np.ones(3), 1, owner="")
