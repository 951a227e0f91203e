"""Every way to the best rows against scores of double precision sorted by Python, on data that is hard to tell apart."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.search import nearest
from vernissage.search.nearest import NearestRows, precise_scores, scaled
from vernissage.search.scan import ByteScan, Segment, build_byte_scan, float32_error
from vernissage.values import Ranking

WORLDS = ("spread", "few poses", "near ties", "zeros", "all sizes")


def vectors_of(world: str, count: int, dim: int, random: np.random.Generator) -> np.ndarray:
    """Float32 rows (count, dim) of one kind."""
    rows = random.standard_normal((count, dim))
    if world == "few poses":
        rows = rows[random.integers(0, min(7, count), count)]
    if world == "near ties":
        rows = rows[0] + 10.0 ** random.integers(-9, -2) * rows
    if world == "zeros":
        rows[random.random(count) < 0.7] = 0
    if world == "all sizes":
        rows *= 10.0 ** random.uniform(-6, 6, (count, 1))
    return rows.astype(np.float32)


def ways(vectors: np.ndarray, ids: list[str], cuts: list[int]) -> list[NearestRows]:
    """The same rows without a byte scan, with one, with several, and with some for the first rows alone."""
    stops = sorted({cut for cut in cuts if 0 < cut < len(vectors)})
    runs = list(zip([0, *stops], [*stops, len(vectors)], strict=True))
    several = tuple(Segment(start, stop, build_byte_scan(vectors[start:stop], "toy")) for start, stop in runs)
    count = len(vectors)
    whole = (Segment(0, count, build_byte_scan(vectors, "toy")),)
    some = (several[0], *(Segment(each.start, each.stop) for each in several[1:]))
    error = float32_error(vectors)
    return [NearestRows(vectors, ids, segments, error) for segments in ((Segment(0, count),), whole, several, some)]


def literal(vectors: np.ndarray, ids: list[str], query: np.ndarray, k: int, excluded: np.ndarray) -> Ranking:
    scores = [np.einsum("j,j", row, query) for row in vectors.astype(np.float64)]
    best = sorted(np.flatnonzero(~excluded).tolist(), key=lambda row: (-scores[row], ids[row]))[:k]
    return Ranking(tuple(ids[row] for row in best), np.array([scores[row] for row in best]))


@pytest.fixture(scope="module", params=[1, 12])
def worth(request: pytest.FixtureRequest) -> Iterator[None]:
    """Byte scans wherever they can be made, and as usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "_WORTH", request.param)
        yield


@pytest.mark.usefixtures("worth")
@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1), world=st.sampled_from(WORLDS), count=st.sampled_from([1, 7, 90, 700, 1500]),
    dim=st.sampled_from([1, 2, 5, 16, 40]), asked_for=st.floats(0, 1), left_out=st.sampled_from([0, 0.01, 0.4, 0.9]),
    size=st.sampled_from([-200, -50, -30, 0, 20, 200]), cuts=st.lists(st.integers(1, 1499), max_size=3),
)  # fmt: skip
def test_every_way_finds_the_true_best_to_the_last_bit(
    seed: int, world: str, count: int, dim: int, asked_for: float, left_out: float, size: int, cuts: list[int]
) -> None:
    random = np.random.default_rng(seed)
    vectors = vectors_of(world, count, dim, random)
    ids = [f"w{number:04d}" for number in random.permutation(count)]
    excluded = random.random(count) < left_out
    k = max(1, round(count**asked_for))
    query = random.standard_normal(dim) * 10.0**size
    others = random.standard_normal((5, dim))
    expected = literal(vectors, ids, query, k, excluded)
    for rows in ways(vectors, ids, cuts):
        assert rows.search([scaled(query)], k, excluded) == [expected]
        assert rows.search([scaled(each) for each in (query, *others)], k, excluded)[0] == expected
        assert rows.search([scaled(query)], k + 1, excluded)[0].head(k) == expected


def test_a_query_of_zeros_leaves_all_to_the_ids() -> None:
    vectors = vectors_of("spread", 900, 16, np.random.default_rng(0))
    ids = [f"w{number:04d}" for number in range(900)][::-1]
    for rows in ways(vectors, ids, [300]):
        assert rows.search([scaled(np.zeros(16))], 3, np.zeros(900, dtype=bool))[0].item_ids == (
            "w0000",
            "w0001",
            "w0002",
        )


class _Counted(ByteScan):
    """A byte scan that knows how many rows were read."""

    def __init__(self, like: ByteScan) -> None:
        super().__init__(like.codes, like.bounds, "toy")
        self.read: list[int] = []

    def search(self, *arguments, **named):  # type: ignore[no-untyped-def]
        self.read += [stop - start for start, stop in named["runs"] or ((0, len(self)),)]
        return super().search(*arguments, **named)


@pytest.mark.parametrize(("k", "share"), [(10, 1.0), (100, 1.0), (600, 1.0), (200, 0.4)])
def test_one_byte_scan_settles_long_lists_too(k: int, share: float) -> None:
    random = np.random.default_rng(k)
    vectors = vectors_of("spread", 60_000, 64, random)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    parts = [build_byte_scan(part, "toy") for part in np.split(vectors, [40_000])]
    scans = [_Counted(scan) for scan in parts]
    ids = [f"w{number:05d}" for number in range(60_000)]
    segments = (Segment(0, 40_000, scans[0]), Segment(40_000, 60_000, scans[1]))
    excluded = random.random(60_000) >= share
    rows, plain = (NearestRows(vectors, ids, its, float32_error(vectors)) for its in (segments, (Segment(0, 60_000),)))
    queries = random.standard_normal((5, 64))
    for query in queries:
        assert rows.search([scaled(query)], k, excluded) == plain.search([scaled(query)], k, excluded)
    batch = plain.search([scaled(query) for query in queries], k, excluded)
    threads = NearestRows(vectors, ids, segments, float32_error(vectors), shards=3)
    assert [threads.search([scaled(query)], k, excluded)[0] for query in queries] == batch
    assert [sum(scan.read) for scan in scans] == [10 * 40_000, 10 * 20_000]


@pytest.mark.parametrize("shards", [1, 2])
def test_rows_that_lie_together_are_found_where_strips_miss_them(shards: int) -> None:
    random = np.random.default_rng(4)
    vectors = vectors_of("spread", 40_000, 16, random)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = random.standard_normal(16)
    vectors[1_000:2_000] = query + 0.01 * random.standard_normal((1_000, 16))
    vectors[::3] = -query  # three groups of which each strip tells another story
    ids, excluded = [f"w{number:05d}" for number in range(40_000)], np.zeros(40_000, dtype=bool)
    segments = (Segment(0, 40_000, build_byte_scan(vectors, "toy")),)
    rows = NearestRows(vectors, ids, segments, float32_error(vectors), shards)
    for k in (1, 30, 700):
        assert rows.search([scaled(query)], k, excluded) == [literal(vectors, ids, query, k, excluded)]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 64, 512, 70_000]), st.integers(1, 300))
def test_a_precise_score_hangs_on_its_row_and_query_alone(seed: int, dim: int, count: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((min(count, 200_000 // dim + 1), dim)).astype(np.float32)
    queries = random.standard_normal((3, dim))
    rows = np.flatnonzero(random.random(len(vectors)) < random.random())
    alone = [[np.einsum("j,j", vectors[row].astype(np.float64), query) for row in rows] for query in queries]
    assert np.array_equal(precise_scores(vectors, rows, list(queries)), np.array(alone).reshape(3, len(rows)))
