"""pgvector as an index: what the database keeps of a table, what it is asked, and what comes of faults."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.cli.conftest import Run, run
from tests.galleries import paint
from tests.postgres import run_sql
from tests.search.test_milvus import HOSTILE, QUERIES, table
from tests.web.serving import served

import vernissage
from vernissage.cli.main import main
from vernissage.errors import ProvenanceError, RequestError, StorageError
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.vectors import VectorTable
from vernissage.storage.database import Database, new_engine
from vernissage.storage.vector_index import PgvectorPlace, PgvectorRows, connected
from vernissage.values import Allow
from vernissage.workspace.index_choice import read_choices
from vernissage.workspace.workspace import open_workspace

__all__ = ["run"]  # a fixture
COUNT, KEY = 1_200, "colour-texture.image"


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    opened = Database(*new_engine(postgres_url), 5.0)
    yield opened
    opened.close()


def rows_of(database: Database, own: VectorTable, kind: str = "FLAT", **settings: int) -> PgvectorRows:
    return PgvectorRows(database, PgvectorPlace(database.place, kind, **settings), own)


def indexed(rows: PgvectorRows, own: VectorTable) -> ExactIndex:
    owners = {item_id: ("ada", "ben", "")[row % 3] for row, item_id in enumerate(own.item_ids)}
    return exact_index(own, owners=owners, candidates=rows)


def test_without_a_graph_answers_are_those_of_the_exact_index(postgresql: Database) -> None:
    own = table()
    index = indexed(rows_of(postgresql, own).fill(), own)
    right = exact_index(own, owners={each: index.owner_of(each) for each in own.item_ids})
    assert (index.card.kind, index.card.exact) == ("pgvector", True)
    best = right.search(QUERIES, 300)[0].item_ids
    for allow in (
        Allow(),
        Allow(exclude=frozenset([*HOSTILE, *best[:200], "nobody"])),
        Allow(not_owner="ada"),
        Allow(only=frozenset(best[:280])),
        Allow(only=frozenset(best[:5])),
        Allow(exclude=frozenset(best), not_owner="' OR true --"),
    ):
        for k in (1, 10, 100, 500):
            assert index.search(QUERIES, k, allow) == right.search(QUERIES, k, allow)
    some = best[:7]
    gone, right_gone = index.remove(some), right.remove(some)
    assert gone.search(QUERIES, 20, Allow(not_owner="ben")) == right_gone.search(QUERIES, 20, Allow(not_owner="ben"))
    assert index.search(QUERIES, 9) == right.search(QUERIES, 9)  # what was removed is still in the snapshot before


def test_a_graph_brings_exactly_k_in_the_true_order_of_what_it_found(postgresql: Database) -> None:
    own = table(5_000)
    rows = rows_of(postgresql, own, "HNSW").fill()
    index, right = indexed(rows, own), exact_index(own)
    with postgresql.reading() as connection:
        asked = f"EXPLAIN SELECT key FROM \"{rows.name}\" ORDER BY vector::halfvec(24) <#> '{[1.0] * 24}' LIMIT 26"  # noqa: S608
        plan = " ".join(connection.exec_driver_sql(asked).scalars())
    assert f"{rows.name}_i" in plan  # else what follows says nothing about the graph
    assert (index.card.exact, index.card.settings["index"]) == (False, "HNSW")
    recalled = []
    for k in (10, 100):
        for one, other in zip(index.search(QUERIES, k), right.search(QUERIES, k), strict=True):
            assert len(one) == k
            assert list(one.scores) == sorted(one.scores, reverse=True)
            scores = dict(right.search(QUERIES, 5_000)[0]) if not recalled else dict(other)
            assert all(scores.get(item_id, score) == score for item_id, score in one)
            recalled.append(len(set(one.item_ids) & set(other.item_ids)) / k)
    assert np.mean(recalled) > 0.9, recalled
    best = right.search(QUERIES[1:2], 2_000)[0].item_ids
    for allow in (Allow(exclude=frozenset(best)), Allow(only=frozenset(own.item_ids) - frozenset(best))):
        [found] = index.search(QUERIES[1:2], 10, allow)
        assert len(found) == 10
        assert not set(found.item_ids) & set(best)


def test_loading_goes_on_where_it_was_cut_off(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    own = table(seed=2)
    monkeypatch.setattr("vernissage.storage.vector_index._BATCH_BYTES", 100 * own.dim * 4)

    def cut_off(_step: str, done: int, _total: int) -> None:
        if done == 300:
            raise KeyboardInterrupt

    rows = rows_of(postgresql, own, "HNSW")
    with pytest.raises(ProvenanceError, match=r"0 rows of 1,200.*index rebuild"):
        rows.require()
    with pytest.raises(KeyboardInterrupt):
        rows.fill(cut_off)
    assert len(rows) == 300
    with pytest.raises(ProvenanceError, match=r"300 rows of 1,200"):
        rows.require()
    told: list[int] = []
    rows.fill(lambda step, done, _: told.append(done) if "loading" in step else None)
    assert told == list(range(300, COUNT + 1, 100))
    assert [item_id for block in rows.ids() for item_id in block] == list(own.item_ids)
    assert all(
        np.array_equal(kept, own.vectors[own.rows([each])[0]]) for each, kept in rows.vectors_of(HOSTILE).items()
    )


def test_one_process_loads_a_table_and_another_is_told(postgresql: Database) -> None:
    own = table(300)
    second: list[str] = []

    def meanwhile(*_: object) -> None:
        with pytest.raises(StorageError, match="another process is loading the same vectors") as told:
            rows_of(postgresql, own).fill()
        second.append(told.value.kind.word)

    rows_of(postgresql, own).fill(meanwhile)
    assert set(second) == {"conflict"}
    rows_of(postgresql, own).fill()


def test_tables_that_are_others_or_tampered_with_are_refused(postgresql: Database, postgres_url: str) -> None:
    own = table(300, seed=6)
    rows = rows_of(postgresql, own, "HNSW").fill()
    others = [rows_of(postgresql, each) for each in (table(300, seed=7), table(300, fingerprint="g", seed=6))]
    for other in others:
        with pytest.raises(ProvenanceError, match="0 rows of 300"):
            other.require()
        other.fill()
    run_sql(postgres_url, f'DROP INDEX "{rows.name}_i"')
    with pytest.raises(ProvenanceError, match="no finished index"):
        rows.require()
    rows.fill()
    run_sql(postgres_url, f'UPDATE "{rows.name}" SET vector = (SELECT vector FROM "{rows.name}" WHERE key = 1)')  # noqa: S608
    with pytest.raises(ProvenanceError, match="other vectors"):
        rows.require()
    others[0].drop_others(others[1].name)
    assert [len(each) for each in (rows, *others)] == [0, 300, 300]


def test_what_cannot_be_is_refused(postgres_url: str, postgresql: Database) -> None:
    for url, said in (
        ("works.db", "pgvector is a part of PostgreSQL, and works.db is none"),
        ("sqlite:///works.db", "is none; give --url postgresql://"),
        (postgres_url, "holds a password.*PGPASSWORD"),
    ):
        with pytest.raises(RequestError, match=said) as refused:
            connected(url)
        assert postgres_url not in str(refused.value)
    with pytest.raises(RequestError, match="choose one of HNSW, FLAT"):
        PgvectorPlace("postgresql://db/x", "IVF")
    with pytest.raises(RequestError, match="no parameter 'lists' there; it has m, ef_construction"):
        PgvectorPlace("postgresql://db/x", build={"lists": 3})
    with pytest.raises(RequestError, match="too long for the names of tables"):
        PgvectorRows(postgresql, PgvectorPlace(postgresql.place, name="n" * 30), table(30))
    with pytest.raises(RequestError, match="vectors of 4100 numbers.*4000 at most; choose --index FLAT"):
        rows_of(postgresql, table(30, dim=4_100), "HNSW")
    assert len(rows_of(postgresql, table(30, dim=4_100)).fill()) == 30


def test_who_may_not_switch_pgvector_on_is_told_who_may(postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    run_sql(postgres_url, f"CREATE ROLE plain_{name} LOGIN PASSWORD 'x'")
    try:
        place = postgres_url.rpartition("@")[2]
        plain = Database(*new_engine(f"postgresql://plain_{name}:x@{place}"), 5.0)
        with pytest.raises(StorageError, match=r"let a superuser run `CREATE EXTENSION vector` there"):
            rows_of(plain, table(30)).fill()
        run_sql(postgres_url, "CREATE EXTENSION vector")
        with pytest.raises(StorageError, match="does not let this user do that"):
            rows_of(plain, table(30)).fill()
        plain.close()
    finally:
        run_sql(postgres_url, f"DROP ROLE plain_{name}")


@pytest.fixture
def url(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL without its password, which is where libpq finds it."""
    user, _, place = postgres_url.partition("@")
    head, _, password = user.rpartition(":")
    monkeypatch.setenv("PGPASSWORD", password)
    return f"{head}@{place}"


def test_a_workspace_is_searched_by_it_and_answers_as_by_the_exact_index(
    run: Run, workspace: Path, url: str, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with vernissage.open(workspace) as opened:
        ids = list(opened.repository.snapshot.collection.ids)
        right = opened.recommend({ids[0]: 5.0, ids[1]: 1.0}, 5).to_dict()
    told = json.loads(
        run("index", "use", workspace, "--kind", "pgvector", "--database", url, "--index", "FLAT", "--json")
    )
    assert told[KEY]["settings"]["url"] == url
    with vernissage.open(workspace) as opened:
        assert opened.repository.snapshot.index("colour-texture", "image").card.kind == "pgvector"
        assert opened.recommend({ids[0]: 5.0, ids[1]: 1.0}, 5).to_dict() == right
    audits = json.loads(run("index", "audit", workspace, "--json"))
    assert len(audits) == len(told)
    assert all(each["sound"] and each["kept"] == each["works"] for each in audits)
    run_sql(postgres_url, f'DELETE FROM "{told[KEY]["settings"]["collection"]}" WHERE key = 0')  # noqa: S608
    with pytest.raises(SystemExit) as end:
        main(["index", "audit", str(workspace)])
    assert end.value.code == 4
    assert "index rebuild" in capsys.readouterr().err
    run("index", "rebuild", workspace, "--vectors", KEY)
    assert all(each["sound"] for each in json.loads(run("index", "audit", workspace, "--json")))


def test_what_cannot_be_reached_is_said_and_what_was_chosen_stays(
    workspace: Path, tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "postgresql://postgres@127.0.0.1:1/db"
    for words, said in ((["--url", gone], "cannot be reached"), ([], "lacks 'url'"), (["--url", "a.db"], "is none")):
        with pytest.raises(SystemExit) as end:
            main(["index", "use", str(workspace), "--kind", "pgvector", *words])
        assert end.value.code not in (0, 70)
        assert said in " ".join(capsys.readouterr().err.split())
    assert read_choices(workspace) == {}
    assert open_workspace(workspace).index("colour-texture", "image").card.kind == "exact"
    assert not list(tmp_path.rglob("a.db"))


def test_a_table_that_somebody_locks_is_said_within_the_patience(postgresql: Database, postgres_url: str) -> None:
    own = table(300)
    hurried = Database(*new_engine(postgres_url, 0.5), 0.5)
    rows = rows_of(hurried, own).fill()
    index = indexed(rows, own)
    with postgresql.reading() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        connection.exec_driver_sql(f'LOCK TABLE "{rows.name}" IN ACCESS EXCLUSIVE MODE')
        with pytest.raises(StorageError, match="locked by another process for too long") as told:
            index.search(QUERIES, 3)
        assert told.value.kind.http_status == 503
    assert index.search(QUERIES, 3) == exact_index(own).search(QUERIES, 3)
    hurried.close()


def test_a_server_goes_on_after_the_database_was_away_and_takes_in_what_another_process_keeps(
    run: Run, owned: Path, tmp_path: Path, url: str, postgres_server: str
) -> None:
    workspace, name = Path(shutil.copytree(owned, tmp_path / "workspace")), url.rpartition("/")[2]
    run("index", "use", workspace, "--kind", "pgvector", "--url", url, "--index", "FLAT", "--vectors", KEY)
    rated = list(open_workspace(workspace).collection.ids)

    def recommend(work: str) -> httpx.Response:  # another work each time: a server keeps its answers
        return http.post("/api/v1/recommendations", json={"ratings": {work: 5}, "engine": "colour-texture", "limit": 2})

    def others() -> set[str]:
        answer = http.get("/api/v1/people/ann/recommendations", params={"limit": 100})
        return {each["id"] for each in answer.raise_for_status().json()["works"]}

    with (
        served(workspace, None, "--database", url) as (address, _),
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        assert recommend(rated[0]).status_code == 200
        run_sql(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        run_sql(postgres_server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
        refused = recommend(rated[1])
        assert refused.status_code == 503
        assert url not in refused.text  # that is for the log
        run_sql(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert recommend(rated[1]).status_code == 200
        paint(tmp_path / "red.png", 1_000)  # as no work, or that one would stand for both
        assert "hers" not in others()
        with vernissage.open(workspace, database=url, writing=True) as gallery:
            gallery.person("eve").upload([vernissage.Submission(tmp_path / "red.png", id="hers")])
        deadline = time.monotonic() + 30
        while "hers" not in others():
            assert time.monotonic() < deadline
            time.sleep(0.05)
