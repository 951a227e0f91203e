"""Milvus as an index: what it keeps of a table, what it is asked, and what comes of faults, on Milvus Lite."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.milvus_server import MilvusServer

from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.milvus import LITE_KINDS, Milvus, MilvusPlace, MilvusRows
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Allow, Ranking

COUNT, DIM = 1_200, 24
HOSTILE = [
    'a"b',
    "a'b",
    "a\\",
    "a\nb",
    "a\r\tb",
    "%",
    "{}",
    "{id}",
    "日本",
    "\u2028",
    '" or id != "',
    "] or true",
    "x" * 3000,
]


def table(count: int = COUNT, fingerprint: str = "f", seed: int = 1, dim: int = DIM) -> VectorTable:
    """Clusters of vectors, every tenth the same as another, by works of which the first have hostile ids."""
    rng = np.random.default_rng(seed)
    vectors = unit_rows(
        rng.standard_normal((40, dim))[rng.integers(0, 40, count)] + 0.4 * rng.standard_normal((count, dim))
    )
    vectors[::10] = vectors[5::10][: len(vectors[::10])]
    ids = [*HOSTILE, *(f"w{number}" for number in range(count - len(HOSTILE)))][:count]
    about = {"encoder": "toy", "fingerprint": fingerprint, "modality": "image", "collection": "c"}
    return make_vector_table(vectors, ids, [""] * count, **about)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where most tests are: a file, or the server that the environment names."""
    return os.environ.get("VERNISSAGE_TEST_MILVUS", str(tmp_path_factory.mktemp("lite") / "milvus.db"))


@pytest.fixture(scope="module")
def milvus(file: str) -> Iterator[Milvus]:
    opened = Milvus(file)
    yield opened
    opened.close()


def indexed(rows: MilvusRows, own: VectorTable) -> ExactIndex:
    owners = {item_id: ("ada", "ben", "")[row % 3] for row, item_id in enumerate(own.item_ids)}
    return exact_index(own, owners=owners, candidates=rows)


QUERIES = np.random.default_rng(3).standard_normal((4, DIM)) * [[1e-30], [1.0], [7.0], [1e30]]


def test_flat_answers_are_those_of_the_exact_index(milvus: Milvus, file: str) -> None:
    own = table()
    index = indexed(MilvusRows(milvus, MilvusPlace(file, "FLAT"), own).fill(), own)
    right = exact_index(own, owners={each: index.owner_of(each) for each in own.item_ids})
    assert (index.card.kind, index.card.exact) == ("milvus", True)
    best = right.search(QUERIES, 300)[0].item_ids
    for allow in (
        Allow(),
        Allow(exclude=frozenset([*HOSTILE, *best[:20], "nobody"])),
        Allow(not_owner="ada"),
        Allow(only=frozenset(best[:280])),
        Allow(only=frozenset(best[:5])),
        Allow(exclude=frozenset(best), not_owner='" or true or "'),
    ):
        for k in (1, 10, 100, 500):
            assert index.search(QUERIES, k, allow) == right.search(QUERIES, k, allow)
    some = best[:7]
    gone, right_gone = index.remove(some), right.remove(some)
    vectors, owners = right.vectors_of(some), [right.owner_of(each) for each in some]
    for one, other in ((gone, right_gone), (gone.add(some, vectors, owners), right_gone.add(some, vectors, owners))):
        assert one.search(QUERIES, 20, Allow(not_owner="ben")) == other.search(QUERIES, 20, Allow(not_owner="ben"))
    assert index.search(QUERIES, 9) == right.search(QUERIES, 9)  # what was removed is still in the snapshot before


@pytest.mark.parametrize("kind", LITE_KINDS[1:])
def test_other_kinds_bring_exactly_k_in_the_true_order_of_what_they_found(milvus: Milvus, file: str, kind: str) -> None:
    own = table()
    index = indexed(MilvusRows(milvus, MilvusPlace(file, kind), own).fill(), own)
    right = exact_index(own)
    assert (index.card.exact, index.card.settings["index"]) == (False, kind)
    recalled = []
    for k in (10, 100):
        for one, other in zip(index.search(QUERIES, k), right.search(QUERIES, k), strict=True):
            assert len(one) == k
            assert list(one.scores) == sorted(one.scores, reverse=True)
            scores = dict(other)
            assert all(scores.get(item_id, score) == score for item_id, score in one)
            recalled.append(len(set(one.item_ids) & set(other.item_ids)) / k)
    assert np.mean(recalled) > 0.6, recalled
    assert len(index.search(QUERIES, 10, Allow(not_owner="ada"))[0]) == 10
    assert index.search(QUERIES, COUNT)[0].item_ids == right.search(QUERIES, COUNT)[0].item_ids


def test_loading_goes_on_where_it_was_cut_off(milvus: Milvus, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own, place = table(seed=2), MilvusPlace(file, "FLAT", name="resumed")
    monkeypatch.setattr("vernissage.search.milvus._BATCH_BYTES", 100 * DIM * 4)

    def cut_off(step: str, done: int, total: int) -> None:
        if done == 300:
            raise KeyboardInterrupt

    rows = MilvusRows(milvus, place, own)
    with pytest.raises(KeyboardInterrupt):
        rows.fill(cut_off)
    assert len(rows) == 300
    with pytest.raises(ProvenanceError, match=r"300 rows of 1,200.*index rebuild"):
        rows.require()
    told: list[int] = []
    rows.fill(lambda step, done, total: told.append(done) if "loading" in step else None)
    assert told == list(range(300, COUNT + 1, 100))
    found = [(row, item_id) for block, ids in rows.entries() for row, item_id in zip(block.tolist(), ids, strict=True)]
    assert sorted(found) == list(enumerate(own.item_ids))


def test_another_state_has_a_collection_of_its_own(milvus: Milvus, file: str) -> None:
    own, place = table(300, seed=4), MilvusPlace(file, "FLAT", name="states")
    first = MilvusRows(milvus, place, own).fill()
    others = [table(300, seed=5), table(300, fingerprint="g", seed=4), table(300, seed=4, dim=7)]
    for other in others:
        with pytest.raises(ProvenanceError, match=r"has 0 rows of 300 .*run `vernissage index rebuild WORKSPACE`"):
            MilvusRows(milvus, place, other).require()
    foreign = MilvusRows(milvus, replace(place, name="foreign"), own).fill()
    second = MilvusRows(milvus, place, others[0]).fill()
    third = MilvusRows(milvus, place, others[1]).fill()
    third.drop_others(second.name)
    there = milvus.call("list_collections")
    assert [each.name in there for each in (first, second, third, foreign)] == [False, True, True, True]


def test_a_collection_that_was_tampered_with_is_refused(milvus: Milvus, file: str) -> None:
    own, place = table(300, seed=6), MilvusPlace(file, "FLAT", name="tampered")
    rows = MilvusRows(milvus, place, own).fill()
    milvus.call("delete", rows.name, filter="key == 0")
    with pytest.raises(ProvenanceError, match="299 rows of 300"):
        rows.require()
    milvus.call("insert", rows.name, [{"key": 0, "id": own.item_ids[0], "vector": own.vectors[1]}])
    with pytest.raises(ProvenanceError, match="other vectors"):
        rows.require()
    milvus.call("drop_collection", rows.name)
    narrow = MilvusRows(milvus, place, table(300, seed=6, dim=7)).fill()
    narrow.name = rows.name  # another's collection under this name
    narrow.fill()
    with pytest.raises(ProvenanceError, match="vectors of 7 numbers, not 24"):
        rows.require()


def test_kinds_and_addresses_that_cannot_be_are_refused() -> None:
    for kind in ("IVF_RABITQ", "IVF_PQ"):
        with pytest.raises(RequestError, match="Milvus Lite, a file, has no others; a server has"):
            MilvusPlace("works.db", kind)
        assert MilvusPlace("http://127.0.0.1:1", kind).index == kind
    with pytest.raises(RequestError, match="choose one of FLAT, IVF_FLAT, IVF_SQ8, HNSW, IVF_PQ, IVF_RABITQ$"):
        MilvusPlace("http://127.0.0.1:1", "ANNOY")
    with pytest.raises(RequestError, match="holds a password.*VERNISSAGE_MILVUS_TOKEN"):
        MilvusPlace("https://root:secret@127.0.0.1:1")


def test_importing_reads_no_env_file_and_a_missing_package_is_named(tmp_path: Path) -> None:
    """pymilvus looks for ``.env`` in the folders above its own, or in the working folder of an interactive session."""
    (tmp_path / ".env").write_text("VERNISSAGE_FROM_ENV_FILE=read\n")
    code = (
        "import sys; sys.ps1 = '>>> '\n"  # so that the working folder counts
        "from vernissage.search.milvus import Milvus, _quiet_pymilvus; _quiet_pymilvus()\n"
        "import os; print(os.environ.get('VERNISSAGE_FROM_ENV_FILE'), os.environ.get('PYTHON_DOTENV_DISABLED'))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def ran(lines: str) -> subprocess.CompletedProcess[str]:
        asked = [sys.executable, "-c", lines]
        return subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert ran(
        "import sys; sys.ps1 = ''; import pymilvus, os; print(os.environ['VERNISSAGE_FROM_ENV_FILE'])"
    ).stdout == (
        "read\n"  # else this test could not fail
    )
    told = ran(code)
    assert (told.stdout, told.stderr) == ("None None\n", "")
    without = "import sys; sys.modules['pymilvus'] = None\nfrom vernissage.search.milvus import Milvus; Milvus('a.db')"
    assert "install it with `pip install 'vernissage[milvus]'`" in ran(without).stderr


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no file of Milvus")
    with pytest.raises(WorkspaceError, match=r"text\.db is no file of Milvus Lite, or a damaged one"):
        Milvus(str(tmp_path / "text.db"))
    with pytest.raises(WorkspaceError):
        Milvus(str(tmp_path / "text.db" / "below.db"))


def test_a_file_is_served_by_one_process_on_a_private_socket(tmp_path: Path) -> None:
    milvus = Milvus(file := str(tmp_path / "alone.db"))
    lines = f"from vernissage.search.milvus import Milvus; Milvus({file!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, "-c", lines]
    told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    assert "another process has it open, and Milvus Lite serves one alone" in told.stderr
    address = milvus.client._config.address
    assert address.startswith("unix:")
    assert Path(address.removeprefix("unix:")).parent.stat().st_mode & 0o077 == 0


def test_who_refuses_or_is_slow_is_named_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(WorkspaceError, match=rf"Milvus at http://127\.0\.0\.1:{port} does not answer") as refused:
            Milvus(f"http://127.0.0.1:{port}", patience=0.5)
        nobody.listen()  # takes the connection and says nothing
        with pytest.raises(WorkspaceError, match="does not answer as it should"):
            Milvus(f"http://127.0.0.1:{port}", patience=0.5)
    assert "\n" not in str(refused.value)
    assert refused.value.kind.http_status == 503
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_server_that_hangs_goes_and_comes_back_is_waited_for_briefly_and_found_again(tmp_path: Path) -> None:
    server = MilvusServer(tmp_path / "served").start()
    try:
        own = table(200)
        rows = MilvusRows(Milvus(server.url, patience=1.0), MilvusPlace(server.url, "FLAT"), own).fill()
        index, right = indexed(rows, own), exact_index(own).search(QUERIES, 10)
        assert index.search(QUERIES, 10) == right
        server.pause()
        with pytest.raises(WorkspaceError, match=r"does not answer as it should: Deadline Exceeded; see that it runs"):
            index.search(QUERIES, 10)
        server.go_on()
        assert index.search(QUERIES, 10) == right
        server.kill()
        with pytest.raises(WorkspaceError, match="--kind exact"):
            index.search(QUERIES, 10)
        server.start()
        assert eventually(lambda: index.search(QUERIES, 10)) == right
    finally:
        server.kill()


def eventually(answer: Callable[[], list[Ranking]], patience: float = 30.0) -> list[Ranking]:
    """What is answered once there is an answer; the client waits a while before it tries a connection again."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return answer()
        except WorkspaceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cut.db"
    code = (
        "import sys; from tests.search.test_milvus import table\n"
        "from vernissage.search.milvus import Milvus, MilvusPlace, MilvusRows\n"
        "MilvusRows(Milvus(sys.argv[1]), MilvusPlace(sys.argv[1], 'FLAT'), table(300)).fill()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    subprocess.run([sys.executable, "-c", code, str(file)], env=environment, check=True)
    own, place = table(300), MilvusPlace(str(file), "FLAT")
    for manifest in file.rglob("manifest.json*"):
        manifest.write_bytes(manifest.read_bytes()[:40])
    with pytest.raises(WorkspaceError, match="index rebuild|does not answer"):
        MilvusRows(Milvus(str(file)), place, own).require()
