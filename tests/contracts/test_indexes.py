"""The promises of the contract `Index`, kept by every index: fresh, after works came and went, and the plainest there is."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.kinds import on_approximate, on_milvus
from tests.contracts.stand_in_index import StandInColumns, StandInIndex
from tests.postgres import run_sql

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError, UnknownItemError
from vernissage.search.exact import exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.storage.database import Database, new_engine
from vernissage.storage.vector_index import PgvectorPlace, PgvectorRows
from vernissage.values import Allow, Condition, Index, WritableIndex

COUNT, DIM = 60, 5
IDS = [f"w{number:02d}" for number in np.random.default_rng(1).permutation(COUNT)]
VECTORS = unit_rows(np.random.default_rng(2).integers(-2, 3, (COUNT, DIM)) + 0.01)
COLUMNS = StandInColumns(
    {item_id: ("ada", "ben", "")[int(item_id[1:]) % 3] for item_id in IDS},
    {
        "year": {item_id: str(1800 + int(item_id[1:])) for item_id in IDS if int(item_id[1:]) % 7},
        "artist": {item_id: ("Monet", "Manet")[int(item_id[1:]) % 2] for item_id in IDS},
    },
)


def table(rows: slice) -> VectorTable:
    ids = IDS[rows]
    return make_vector_table(
        VECTORS[rows], ids, [""] * len(ids), encoder="toy", fingerprint="f", modality="image", collection="c"
    )


def plain() -> Index:
    return StandInIndex(tuple(IDS), VECTORS, COLUMNS)


def fresh() -> Index:
    return exact_index(table(slice(COUNT)), COLUMNS)


def scanned() -> Index:
    return exact_index(table(slice(COUNT)), COLUMNS, scan=build_byte_scan(VECTORS))


def milvus() -> Index:
    return on_milvus(StandInIndex(tuple(IDS), VECTORS, COLUMNS))


def listed() -> Index:
    return on_approximate(StandInIndex(tuple(IDS), VECTORS, COLUMNS))


def came_and_went() -> Index:
    """Half of the works from the first on, the others added in two steps, and some removed and added again."""
    index = exact_index(table(slice(30)), COLUMNS)
    for some in (slice(30, 45), slice(45, 60)):
        index = index.add(IDS[some], VECTORS[some], COLUMNS.owners(IDS[some]))
    again = [3, 17, 33, 59]
    names = [IDS[row] for row in again]
    return index.remove(names).add(names, VECTORS[again], COLUMNS.owners(names))


def pgvector(database: Database) -> Index:
    rows = PgvectorRows(database, PgvectorPlace(database.place, "FLAT"), table(slice(COUNT)))
    return exact_index(table(slice(COUNT)), COLUMNS, candidates=rows.fill())


INDEXES = [plain, fresh, scanned, listed, milvus, came_and_went]
made = {make.__name__: make() for make in INDEXES}
Make = Callable[..., Index]


@pytest.fixture(scope="module", params=[*INDEXES, pgvector], ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """What made each index in ``made``; one in a database of PostgreSQL for as long as it is tested."""
    if request.param is not pgvector:
        yield request.param
        return
    server = request.getfixturevalue("postgres_server")
    run_sql(server, "CREATE DATABASE contract")
    database = Database(*new_engine(f"{server.rpartition('/')[0]}/contract"))
    made["pgvector"] = pgvector(database)
    yield pgvector
    database.close()
    run_sql(server, "DROP DATABASE contract WITH (FORCE)")


conditions = st.lists(
    st.sampled_from(
        [Condition("year", ">=", "1820"), Condition("artist", "=", "monet"), Condition("artist", "~", "ane")]
    ),
    max_size=2,
)
allows = st.builds(
    Allow,
    exclude=st.frozensets(st.sampled_from([*IDS, "nobody"]), max_size=40),
    not_owner=st.sampled_from([None, "ada", "ben", "zoe"]),
    conditions=conditions.map(tuple),
    only=st.none() | st.frozensets(st.sampled_from([*IDS, "nobody"]), max_size=50),
)


@settings(deadline=None)
@given(allow=allows, k=st.integers(1, 70), seed=st.integers(0, 99))
def test_exactly_k_of_what_is_allowed_come_back_in_the_true_order(make: Make, allow: Allow, k: int, seed: int) -> None:
    index, right = made[make.__name__], made["plain"]
    queries = np.random.default_rng(seed).integers(-3, 4, (3, DIM)) * 0.37
    found = index.search(queries, k, allow)
    for one, other in zip(found, right.search(queries, k, allow), strict=True):
        assert one.item_ids == other.item_ids
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-12)
    assert [len(each) for each in found] == [min(k, index.count(allow))] * 3
    assert index.count(allow) == right.count(allow)
    assert [each.head(k) for each in index.search(queries, k + 1, allow)] == found
    assert index.search(queries[:1], k, allow)[0] == found[0]


def test_moments_and_density_are_those_of_all_works(make: Make) -> None:
    index, wide = made[make.__name__], VECTORS.astype(np.float64)
    moments = index.moments()
    assert moments.count == len(index) == COUNT
    np.testing.assert_allclose(moments.mean, wide.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.second, wide.T @ wide / COUNT, atol=1e-12)
    query = np.array([[0.3, -1, 0.5, 2, 0]])
    means, deviations = moments.of_scores(query)
    scores = wide @ query[0]
    assert (means[0], deviations[0]) == pytest.approx((scores.mean(), scores.std()), abs=1e-9)
    density, right = index.density(), made["plain"].density()
    np.testing.assert_allclose(density.of(IDS), right.of(IDS), atol=1e-6)
    assert (density.mean, density.variance, density.lowest) == pytest.approx((right.mean, right.variance, right.lowest))
    np.testing.assert_allclose(density.weighted, right.weighted, atol=1e-6)
    scaled = scores - right.of(IDS) / 2
    variance = deviations[0] ** 2 + density.variance / 4 - (query[0] @ density.weighted - means[0] * density.mean)
    assert scaled.mean() == pytest.approx(means[0] - density.mean / 2, abs=1e-6)
    assert scaled.var() == pytest.approx(variance, abs=1e-6)


def test_vectors_come_in_the_order_that_was_asked_for(make: Make) -> None:
    index = made[make.__name__]
    assert np.array_equal(index.vectors_of([IDS[40], IDS[2], IDS[40]]), VECTORS[[40, 2, 40]])
    assert IDS[0] in index
    assert "nobody" not in index
    with pytest.raises(UnknownItemError, match="nobody"):
        index.vectors_of([IDS[0], "nobody"])
    with pytest.raises(UnknownItemError):
        index.density().of(["nobody"]) if make is not plain else index.vectors_of(["nobody"])


def test_an_index_without_works_answers_with_nothing(make: Make) -> None:
    whole = made[make.__name__]
    assert isinstance(whole, WritableIndex)
    index = whole.remove(IDS)
    assert (len(index), index.count(), IDS[0] in index) == (0, 0, False)
    assert [len(each) for each in index.search(np.ones((2, DIM)), 3)] == [0, 0]
    moments, density = index.moments(), index.density()
    assert (moments.count, moments.mean.tolist(), moments.second.tolist()) == (0, [0.0] * DIM, [[0.0] * DIM] * DIM)
    assert (density.mean, density.variance, density.lowest, len(density.of([]))) == (0.0, 0.0, 0.0, 0)
    assert index.vectors_of([]).shape == (0, DIM)


def test_impossible_requests_are_refused(make: Make) -> None:
    index, query = made[make.__name__], np.ones((1, DIM))
    for queries, k, allow in (
        (query, 0, Allow()),
        (np.ones((1, DIM + 1)), 3, Allow()),
        (query * np.nan, 3, Allow()),
        (query, 3, Allow(not_owner="")),
        (query, 3, Allow(conditions=(Condition("colour", "=", "red"),))),
    ):
        with pytest.raises(RequestError):
            index.search(queries, k, allow)


def test_each_change_answers_with_the_next_snapshot(make: Make) -> None:
    index = made[make.__name__]
    assert isinstance(index, WritableIndex)
    before = index.moments()
    new = np.eye(DIM, dtype=np.float32)[:2]
    more = index.add(["new", "newer"], new, ["ada", ""])
    assert ("new" in more, "new" in index, len(more)) == (True, False, COUNT + 2)
    assert more.search(new[:1], 1)[0].item_ids == ("new",)
    assert more.search(new[:1], 62, Allow(not_owner="ada"))[0].item_ids.count("new") == 0
    with pytest.raises(RequestError):
        more.add(["new"], new[:1], [""])
    for _ in range(20):
        more = more.remove(["new", "newer"]).add(["new", "newer"], new, ["ada", ""])
    np.testing.assert_allclose(more.remove(["new", "newer"]).moments().second, before.second, atol=1e-12)
    with pytest.raises(UnknownItemError):
        index.remove(["new"])
