"""A live index against a fresh exact one over the same works, and against every score sorted by Python."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.worlds import random_index, table_of

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError, UnknownItemError
from vernissage.search import segments
from vernissage.search.exact import ExactIndex
from vernissage.search.live import LiveIndex, live_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Ranking

DIM = 4
PEOPLE = ("", "ada", "ben", "cleo")
POSES = unit_rows(np.random.default_rng(0).integers(-2, 3, (12, DIM)) + 0.01)
"""Few, so that many works share one and ids decide."""

Works = Mapping[str, tuple[np.ndarray, str]]


def fresh(works: Works, item_ids: Sequence[str]) -> ExactIndex:
    vectors = np.array([works[item_id][0] for item_id in item_ids], dtype=np.float32).reshape(len(item_ids), DIM)
    card = {"encoder": "toy", "fingerprint": "f", "modality": "text", "collection": "c"}
    return ExactIndex(make_vector_table(vectors, item_ids, [""] * len(item_ids), **card))  # type: ignore[arg-type]


def literal(works: Works, item_ids: Sequence[str], query: np.ndarray, k: int) -> list[str]:
    """Scores of double precision, sorted by Python: slow and plainly right."""
    scores = {item_id: np.einsum("j,j", works[item_id][0].astype(np.float64), query) for item_id in item_ids}
    return sorted(item_ids, key=lambda item_id: (-scores[item_id], item_id))[:k]


def check_search(index: LiveIndex, works: Works, query: np.ndarray, k: int, owner: str | None, few: set[str]) -> None:
    """One search in every way that must give the same bits."""
    allowed = [item_id for item_id, (_, its) in works.items() if its != owner and item_id not in few]
    found = index.search(query, k, exclude=few, exclude_owner=owner)
    assert found == fresh(works, allowed).search(query, k)
    assert list(found.item_ids) == literal(works, allowed, query, k)
    assert len(found) == min(k, len(allowed))
    assert index.search_batch(np.stack([query, -query]), k, exclude=few, exclude_owner=owner)[0] == found
    assert index.search(query, k, among=allowed, exclude_owner=owner) == found


def check_contents(index: LiveIndex, works: Works) -> None:
    assert sorted(index.item_ids) == sorted(works)
    assert len(index) == len(works)
    rows = np.flatnonzero(~index.barred())
    assert tuple(index.ids[row] for row in rows) == index.item_ids
    assert np.array_equal(index.vectors[rows], index.vectors_of(index.item_ids))
    assert sorted(index.ids) == [index.ids[row] for row in np.argsort(index.alphabetical)]
    for item_id, (vector, owner) in works.items():
        assert item_id in index
        assert np.array_equal(index.vectors_of([item_id])[0], vector)
        assert index.owner_of(item_id) == owner
    for owner in PEOPLE:
        own = index.rows_of_owner(owner).tolist()
        assert own == sorted(own)
        assert {index.ids[row] for row in own} == {item_id for item_id, (_, its) in works.items() if its == owner}


class Comings(RuleBasedStateMachine):
    """Works come and go at any snapshot, not the newest alone; all snapshots must stay what they were."""

    @initialize(count=st.integers(0, 12), owned=st.booleans())
    def start(self, count: int, owned: bool) -> None:
        ids = [f"w{number:02d}" for number in range(count)][::-1]
        owners = {item_id: "ada" for item_id in ids[1:] if owned}
        works = {item_id: (POSES[number], owners.get(item_id, "")) for number, item_id in enumerate(ids)}
        self.snapshots = [(live_index(fresh(works, ids).table, owners), works)]

    @rule(at=st.integers(0, 99), picks=st.lists(st.integers(0, 30), max_size=9, unique=True), data=st.data())
    def add(self, at: int, picks: list[int], data: st.DataObject) -> None:
        index, works = self.snapshots[at % len(self.snapshots)]
        ids = [item_id for item_id in (f"w{pick:02d}" for pick in picks) if item_id not in works]
        vectors = POSES[[data.draw(st.integers(0, 11)) for _ in ids]].reshape(len(ids), DIM)
        owners = [data.draw(st.sampled_from(PEOPLE)) for _ in ids]
        more = {item_id: (vector, owner) for item_id, vector, owner in zip(ids, vectors, owners, strict=True)}
        self.snapshots.append((index.adding(ids, vectors, owners), {**works, **more}))

    @rule(at=st.integers(0, 99), picks=st.lists(st.integers(0, 99), max_size=9))
    def remove(self, at: int, picks: list[int]) -> None:
        index, works = self.snapshots[at % len(self.snapshots)]
        ids = sorted({sorted(works)[pick % len(works)] for pick in picks}) if works else []
        left = {item_id: work for item_id, work in works.items() if item_id not in ids}
        self.snapshots.append((index.removing(ids), left))

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
    monkeypatch.setattr(segments, "WORTH_A_SCAN", 2_000)


def grown(count: int, steps: int, seed: int = 0) -> tuple[LiveIndex, VectorTable, list[str]]:
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
    index = live_index(table, dict(zip(ids[:first], owners[:first], strict=True)))
    for run in np.array_split(np.arange(first, count), steps):
        places = run.tolist()
        index = index.adding([ids[row] for row in places], vectors[run], [owners[row] for row in places])
    return index, make_vector_table(vectors, ids, [""] * count, **card), owners  # type: ignore[arg-type]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("k", [1, 10, 300, 2_900])
def test_byte_scans_that_grew_find_the_true_best(k: int) -> None:
    index, table, _ = grown(3_000, 23)
    plain = ExactIndex(table)
    queries = np.random.default_rng(1).standard_normal((6, 16))
    expected = [plain.search(query, k) for query in queries]
    assert [index.search(query, k) for query in queries] == expected
    assert index.search_batch(queries, k) == expected


def test_rows_get_byte_scans_in_few_runs(eager: None) -> None:
    index, _, _ = grown(3_000, 40)
    runs = index._nearest.segments
    assert 1 < len(runs) <= 12
    assert [run.start for run in runs] == [0, *(run.stop for run in runs[:-1])]
    assert 3_000 - runs[-1].stop <= 3_000 // 16 + 2_000 // 16


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.8, 0.99, 0.999, 1.0])
def test_whoever_owns_much_gets_exactly_k_of_others(share: float) -> None:
    table = random_index(4_000, 16, seed=3).table
    own = set(np.random.default_rng(4).permutation(table.item_ids)[: int(4_000 * share)].tolist())
    queries = np.random.default_rng(5).standard_normal((3, 16))
    owners = dict.fromkeys(own, "ada")
    for index in (live_index(table, owners), live_index(table, owners, build_byte_scan(table.vectors))):
        for query, batched in zip(queries, index.search_batch(queries, 10, exclude_owner="ada"), strict=True):
            found = index.search(query, 10, exclude_owner="ada")
            assert found == batched == ExactIndex(table).search(query, 10, exclude=own)
            assert len(found) == min(10, 4_000 - len(own))
            assert index.search(query, 10, exclude_owner="somebody new") == ExactIndex(table).search(query, 10)


@pytest.mark.usefixtures("eager")
def test_removed_works_leave_scans_and_later_rows_alone() -> None:
    index, table, owners = grown(5_000, 7)
    random = np.random.default_rng(2)
    query = random.standard_normal(16)
    gone: set[str] = set()
    for share in (0.001, 0.2, 0.45, 0.6, 0.9):
        left = [item_id for item_id in table.item_ids if item_id not in gone]
        leaving = random.permutation(left)[: int(5_000 * share) - len(gone)].tolist()
        index = index.removing(leaving)
        gone.update(leaving)
        allowed = [i for i, owner in zip(table.item_ids, owners, strict=True) if i not in gone and owner != "ben"]
        assert index.search(query, 5, exclude_owner="ben") == ExactIndex(table).search(query, 5, among=allowed)
        assert index.search_batch(query[None], 20)[0] == ExactIndex(table).search(query, 20, exclude=gone)
        assert index.item_ids == tuple(item_id for item_id in table.item_ids if item_id not in gone)
    assert len(index.vectors) <= 2 * len(index)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("apart", [1e-4, 1e-7])
def test_works_that_no_first_look_tells_apart_are_still_in_the_true_order(apart: float) -> None:
    """They differ by less than bytes, or even float32 sums, can see."""
    base = np.random.default_rng(0).standard_normal(64)
    vectors = (base + apart * np.random.default_rng(1).standard_normal((6_000, 64))).astype(np.float32)
    table = table_of(vectors)
    some = VectorTable(table.vectors[:10], replace(table.card, item_ids=table.item_ids[:10]))
    index = live_index(some, {}).adding(table.item_ids[10:], table.vectors[10:], [""] * 5_990)
    scores = [float(score) for score in np.einsum("ij,j->i", table.vectors.astype(np.float64), base)]
    expected = [row for _, row in sorted(zip([-score for score in scores], table.item_ids, strict=True))][:9]
    assert list(index.search(base, 9).item_ids) == expected
    assert list(index.search_batch(np.stack([base, -base]), 9)[0].item_ids) == expected


def test_equal_works_come_in_the_order_of_their_ids_however_they_came() -> None:
    index = live_index(table_of([[1, 0]] * 3, ["e", "b", "z"]), {})
    assert index.alphabetical.tolist() == [1, 0, 2]
    index = index.adding(["d", "a", "y"], unit_rows(np.array([[1, 0]] * 2 + [[0, 1]])), ["", "", ""])
    assert index.search(np.array([1.0, 0]), 4).item_ids == ("a", "b", "d", "e")
    assert index.search_batch(np.array([[1.0, 0]]), 9)[0].item_ids == ("a", "b", "d", "e", "z", "y")
    assert index.alphabetical.tolist() == [3, 1, 5, 2, 0, 4]


def test_a_work_may_come_back_with_another_vector_and_owner() -> None:
    first = live_index(table_of(np.eye(3), ["a", "b", "c"]), {"a": "ada"})
    again = first.removing(["a"]).adding(["a"], np.eye(3, dtype=np.float32)[2:], ["ben"])
    assert (first.owner_of("a"), again.owner_of("a")) == ("ada", "ben")
    assert first.search(np.eye(3)[0], 1).item_ids == again.search(np.eye(3)[2], 1).item_ids == ("a",)
    assert first.vectors_of(["a"]).tolist() == [[1, 0, 0]]
    assert (len(first.rows_of_owner("ben")), len(again.rows_of_owner("ada"))) == (0, 0)


def test_two_changes_of_one_snapshot_do_not_see_each_other() -> None:
    parent = live_index(table_of(np.eye(3)[:1], ["a"]), {})
    one = parent.adding(["b"], np.eye(3, dtype=np.float32)[1:2], ["ada"])
    other = parent.adding(["b"], np.eye(3, dtype=np.float32)[2:], ["ben"])
    assert (one.owner_of("b"), other.owner_of("b"), parent.item_ids) == ("ada", "ben", ("a",))
    assert one.vectors_of(["b"]).tolist() == [[0, 1, 0]]
    assert other.vectors_of(["b"]).tolist() == [[0, 0, 1]]
    assert "b" not in parent


def test_adding_shares_the_rows_that_are_there() -> None:
    index = live_index(random_index(1_000, 8).table, {})
    following = index
    for number in range(50):
        following = following.adding([f"u{number}"], index.vectors[:1], ["ada"])
    assert np.shares_memory(index.vectors, following.vectors)
    assert len(following.vectors) == 1_050
    assert np.shares_memory(index.vectors, following.removing(["u3"]).vectors)
    with pytest.raises(ValueError, match="read-only"):
        following.vectors[0] = 0


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
    expected = [ExactIndex(table).search(query, 9) for query in queries]

    def read(number: int) -> list[Ranking]:
        index.alphabetical.sum()
        batch = index.search_batch(queries, 9) if number % 2 else [index.search(query, 9) for query in queries]
        return [found for found in batch if set(found.item_ids) <= set(index.ids)]

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, number) for number in range(6)]
        following = index
        for number in range(300):
            vectors = np.full((5, 16), number, dtype=np.float32)
            following = following.adding([f"u{number}.{each}" for each in range(5)], vectors, ["ada"] * 5)
            following = following.removing([f"u{number}.0"])
        assert [each.result() for each in reading] == [expected] * 6
    assert len(following) == 1_000 + 4 * 300


def test_an_empty_index_fills() -> None:
    empty = live_index(table_of(np.empty((0, 4))), {})
    assert len(empty.search(np.ones(4), 3)) == 0
    assert [len(found) for found in empty.search_batch(np.ones((2, 4)), 3, exclude_owner="ada")] == [0, 0]
    one = empty.adding(["a"], np.eye(4, dtype=np.float32)[:1], ["ada"])
    assert one.search(np.ones(4), 3).item_ids == ("a",)
    assert len(one.search(np.ones(4), 3, exclude_owner="ada")) == 0
    assert one.adding([], np.empty((0, 4), dtype=np.float32), []) is one
    none = one.removing(["a"])
    assert (len(none), none.item_ids, len(none.search(np.ones(4), 1))) == (0, (), 0)
    assert none.adding(["a"], np.eye(4, dtype=np.float32)[:1], [""]).owner_of("a") == ""
    assert empty.search_batch(np.empty((0, 4)), 3) == []


INDEX = live_index(table_of(np.eye(3), ["a", "b", "c"]), {"a": "ada"})
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
        INDEX.adding(ids, vectors, owners)
    assert INDEX.item_ids == ("a", "b", "c")


def test_works_that_are_not_there_are_named() -> None:
    for ask in (INDEX.removing, INDEX.vectors_of, lambda ids: INDEX.owner_of(ids[1])):
        with pytest.raises(UnknownItemError, match="nobody: no such work"):
            ask(["a", "nobody"])
    with pytest.raises(UnknownItemError, match="a: no such work"):
        INDEX.removing(["a"]).vectors_of(["a"])


def test_impossible_searches_are_refused() -> None:
    with pytest.raises(RequestError, match="ask for 1 or more"):
        INDEX.search(np.ones(3), 0)
    with pytest.raises(RequestError, match="shape"):
        INDEX.search_batch(np.ones((2, 4)), 1)
    with pytest.raises(RequestError, match="empty name"):
        INDEX.search(np.ones(3), 1, exclude_owner="")
